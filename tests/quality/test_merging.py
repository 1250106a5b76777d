"""Merging: what becomes of rows that say the same or nearly the same, under every rule."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quality.merging import UNTRUSTED, Members, Merging, Rule, merge, standing

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RULES: tuple[Rule, ...] = get_args(Rule)


@dataclass(frozen=True)
class Twin:
    """A row: what was asked and answered, and what else speaks for it."""

    asked: str
    answer: str
    split: str | None = None
    decided: bool = False
    votes: int = 1
    weight: float = 1.0
    trust: int = UNTRUSTED
    time: float = math.nan


def members(rows: Sequence[Twin], names: Sequence[int]) -> Members:
    """The rows, called by `names`, in the order in which they stand for others."""
    order = standing(
        [row.split for row in rows],
        [row.decided for row in rows],
        [row.votes for row in rows],
        [row.weight for row in rows],
        usual=[1] * len(rows),
        ids=[f"s/{name}" for name in names],
    )
    placed = [rows[at] for at in order]
    return Members(
        position=[names[at] for at in order],
        same=[row.asked.encode() for row in placed],
        answer=[row.answer for row in placed],
        decided=[row.decided for row in placed],
        trust=[row.trust for row in placed],
        time=[row.time for row in placed],
    )


def merged(
    rows: Sequence[Twin],
    rule: Rule = "hold-back",
    *,
    near: Iterable[tuple[str, str]] = (),
    names: Sequence[int] | None = None,
    is_open: bool = False,
) -> Merging:
    """What becomes of rows 10, 11, ...; `near` names inputs that are nearly the same."""
    told = members(rows, names or range(10, 10 + len(rows)))
    place = {key: at for at, key in reversed(list(enumerate(told.same)))}
    pairs = [
        (place[one.encode()], place[other.encode()])
        for one, other in near
        if one.encode() in place and other.encode() in place
    ]
    return merge(told, pairs, rule=rule, is_open=is_open)


@pytest.mark.parametrize("rule", RULES)
def test_same_input_and_answer_is_one_row_that_stands_for_all(rule: Rule) -> None:
    found = merged([Twin("a", "x"), Twin("b", "x"), Twin("a", "x"), Twin("a", "x")], rule)
    assert (found.merged, found.copies, found.conflicts) == ({12: 10, 13: 10}, {10: [12, 13]}, {})


@pytest.mark.parametrize("rule", RULES)
def test_the_official_held_out_copy_stays(rule: Rule) -> None:
    rows = [Twin("a", "x", split) for split in ("train", None, "validation", "test")]
    assert merged(rows, rule).copies == {13: [12, 10, 11]}
    assert merged(rows[:3], rule).copies == {12: [10, 11]}
    assert merged(rows[:2], rule).copies == {10: [11]}


def test_who_stands_for_others() -> None:
    rows = [
        Twin("a", "x"),
        Twin("a", "x", weight=2),
        Twin("a", "x", votes=3),
        Twin("a", "x", decided=True),
        Twin("a", "x", "train"),
        Twin("a", "x", "test"),
    ]
    assert members(rows, [9, 100, 7, 6, 5, 4]).position == [4, 5, 6, 7, 100, 9]
    assert members(rows[:1] * 3, [100, 20, 9]).position == [9, 20, 100]  # 9 before 20, whatever the order


CONFLICT = [Twin("a", "x"), Twin("a", "y"), Twin("a", "x"), Twin("b", "y")]


def test_conflicts_are_held_back_with_what_they_contradict() -> None:
    found = merged(CONFLICT)
    assert (found.merged, found.conflicts) == ({}, {10: [11], 12: [11], 11: [10, 12]})
    assert set(found.rules.values()) == {"hold-back"}


def test_the_majority_stays() -> None:
    found = merged(CONFLICT, "majority")
    assert (found.merged, found.conflicts, found.rules) == ({12: 10}, {11: [10, 12]}, {11: "majority"})


def test_a_tie_has_no_majority() -> None:
    assert set(merged(CONFLICT[:2], "majority").conflicts) == {10, 11}
    three = [Twin("a", answer) for answer in ("x", "x", "y", "y", "z")]
    assert set(merged(three, "majority").conflicts) == set(range(10, 15))


@pytest.mark.parametrize(
    ("times", "held"),
    [
        ((1.0, 5.0, 2.0), {10, 12}),
        ((1.0, 5.0, 5.0), {10, 11, 12}),  # both answers are as new
        ((1.0, 5.0, math.nan), {10, 11, 12}),  # nobody knows which is newer
        ((7.0, 5.0, 2.0), {11}),
    ],
)
def test_the_newest_stays_where_it_is_known(times: Sequence[float], held: set[int]) -> None:
    rows = [Twin("a", answer, time=time) for answer, time in zip("xyx", times, strict=True)]
    assert set(merged(rows, "newest").conflicts) == held


@pytest.mark.parametrize(
    ("trust", "held"),
    [
        ((1, 0, 1), {10, 12}),
        ((0, 1, UNTRUSTED), {11}),
        ((0, 0, 1), {10, 11, 12}),  # the most trusted source contradicts itself
        ((UNTRUSTED, UNTRUSTED, UNTRUSTED), {10, 11, 12}),
    ],
)
def test_the_most_trusted_source_stays(trust: Sequence[int], held: set[int]) -> None:
    rows = [Twin("a", answer, trust=place) for answer, place in zip("xyx", trust, strict=True)]
    assert set(merged(rows, "trusted").conflicts) == held


def test_kept_conflicts_merge_within_their_answer() -> None:
    found = merged(CONFLICT, "keep")
    assert (found.merged, found.conflicts) == ({12: 10}, {})


def decided(rows: Sequence[Twin], *places: int) -> list[Twin]:
    return [Twin(row.asked, row.answer, row.split, decided=at in places) for at, row in enumerate(rows, 10)]


@pytest.mark.parametrize("rule", ["hold-back", "majority", "newest", "trusted"])
def test_a_decided_row_wins_over_the_others(rule: Rule) -> None:
    found = merged(decided(CONFLICT, 11), rule)
    assert (found.merged, found.conflicts) == ({}, {10: [11], 12: [11]})
    assert set(found.rules.values()) == {"decided"}
    found = merged(decided(CONFLICT, 12), rule)
    assert (found.copies, found.conflicts) == ({12: [10]}, {11: [12, 10]})
    assert set(merged(decided(CONFLICT, 10, 11), rule).conflicts) == {10, 11, 12}  # they disagree


def test_a_held_out_copy_stays_before_a_decided_one() -> None:
    rows = decided([Twin("a", "x", "train"), Twin("a", "x"), Twin("a", "x")], 12)
    assert merged(rows).copies == {10: [12, 11]}


NEAR = [("a", "b"), ("b", "c")]


def test_near_inputs_with_one_answer_are_merged_but_chains_are_cut() -> None:
    found = merged([Twin("a", "x"), Twin("b", "x"), Twin("c", "x")], near=NEAR)
    assert (found.merged, found.conflicts) == ({11: 10}, {})  # c is near to b only


def test_near_inputs_with_other_answers_are_a_conflict() -> None:
    rows = [Twin("a", "x"), Twin("b", "y"), Twin("c", "x")]
    assert merged(rows, near=NEAR).conflicts == {10: [11], 11: [10]}
    assert merged([*rows, Twin("a", "x")], "majority", near=NEAR).conflicts == {11: [10, 13]}


def test_who_is_left_of_a_conflict_is_compared_again() -> None:
    rows = [Twin("a", "x"), Twin("b", "y", decided=True), Twin("c", "y"), Twin("d", "z")]
    # b stands first and takes a and c; when a is gone, d is near to nobody that is left.
    found = merged(rows, near=[*NEAR, ("a", "d")])
    assert (found.conflicts, found.merged) == ({10: [11, 12]}, {12: 11})


def test_only_neighbours_of_the_row_that_stays_are_merged() -> None:
    # b and c are near to a, not to one another; a loses, so b and c both stay.
    rows = [Twin("a", "x"), Twin("b", "y"), Twin("c", "y")]
    found = merged(rows, "majority", near=[("a", "b"), ("a", "c")])
    assert (found.conflicts, found.merged) == ({10: [11, 12]}, {})


def test_free_text_is_in_conflict_only_with_the_same_input() -> None:
    rows = [Twin("a", "x"), Twin("b", "y"), Twin("b", "y"), Twin("c", "x")]
    found = merged(rows, near=[("a", "b"), ("a", "c")], is_open=True)
    assert (found.conflicts, found.merged) == ({}, {12: 11, 13: 10})
    assert set(merged([*rows, Twin("a", "z")], is_open=True).conflicts) == {10, 14}


def test_answers_that_agree_are_one() -> None:
    told = members([Twin("a", "x"), Twin("b", "X"), Twin("b", "x")], [10, 11, 12])
    found = merge(told, [(0, 1)], rule="hold-back", agree=lambda one, other: True)
    assert (found.conflicts, found.merged) == ({}, {11: 10, 12: 10})
    same = members([Twin("a", "x"), Twin("a", "X")], [10, 11])  # the same input is answered the same or not
    assert set(merge(same, rule="hold-back", agree=lambda one, other: True).conflicts) == {10, 11}


twins = st.builds(
    Twin,
    asked=st.sampled_from("abcd"),
    answer=st.sampled_from("xyz"),
    split=st.sampled_from([None, "train", "validation", "test"]),
    decided=st.booleans(),
    votes=st.integers(0, 2),
    trust=st.sampled_from([0, 1, UNTRUSTED]),
    time=st.sampled_from([1.0, 2.0, math.nan]),
)
links = st.sets(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), max_size=5)
many = st.lists(twins, max_size=9)


@given(many, st.sampled_from(RULES), links, st.booleans())
def test_every_row_has_one_fate(rows: list[Twin], rule: Rule, near: set[tuple[str, str]], is_open: bool) -> None:
    found = merged(rows, rule, near=sorted(near), is_open=is_open)
    assert not found.merged.keys() & found.conflicts.keys()
    assert not found.copies.keys() & (found.merged.keys() | found.conflicts.keys())  # no chains
    assert sorted(found.merged) == sorted(at for copies in found.copies.values() for at in copies)
    assert found.cluster.keys() == found.merged.keys() | found.conflicts.keys()
    assert found.rules.keys() == found.conflicts.keys()
    for gone, stays in found.merged.items():
        one, other = rows[gone - 10], rows[stays - 10]
        assert one.answer == other.answer
        assert one.asked == other.asked or {(one.asked, other.asked), (other.asked, one.asked)} & near
    for held, others in found.conflicts.items():
        assert others
        assert rows[held - 10].answer not in {rows[at - 10].answer for at in others}
    left = [row for at, row in enumerate(rows, 10) if at not in found.merged and at not in found.conflicts]
    assert len({(row.asked, row.answer) for row in left}) == len(left)  # no two that stay say the same
    if rule != "keep":
        assert len({row.asked for row in left}) == len(left)


@given(many, st.sampled_from(RULES), links, st.booleans())
def test_merging_what_is_left_changes_nothing(
    rows: list[Twin], rule: Rule, near: set[tuple[str, str]], is_open: bool
) -> None:
    found = merged(rows, rule, near=sorted(near), is_open=is_open)
    names = [at for at in range(10, 10 + len(rows)) if at not in found.merged and at not in found.conflicts]
    again = merged([rows[at - 10] for at in names], rule, near=sorted(near), is_open=is_open, names=names)
    assert (again.merged, again.conflicts) == ({}, {})


@given(many, st.sampled_from(RULES), links, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(
    rows: list[Twin], rule: Rule, near: set[tuple[str, str]], random: object
) -> None:
    names = list(range(10, 10 + len(rows)))
    shuffled = sorted(names, key=lambda _: random.random())  # type: ignore[attr-defined]
    found = merged(rows, rule, near=sorted(near))
    again = merged([rows[at - 10] for at in shuffled], rule, near=sorted(near), names=shuffled)
    assert found == again
