"""Merging: what becomes of rows that say the same, in the three modes."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Literal, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quality.merging import Merging, merge

if TYPE_CHECKING:
    from collections.abc import Sequence

Mode = Literal["hold-back", "majority", "keep"]
MODES = get_args(Mode)


def merged(rows: list[tuple[str, str, str | None]], mode: Mode, decided: Sequence[int] = ()) -> Merging:
    """Rows as (key, answer, split), at positions 10, 11, ..."""
    positions = range(10, 10 + len(rows))
    keys, answers, splits = [[row[at] for row in rows] for at in range(3)] or ([], [], [])
    given_keys, given_answers = [str(key).encode() for key in keys], [str(answer) for answer in answers]
    return merge(given_keys, given_answers, splits, positions, conflicts=mode, decided=frozenset(decided))


@pytest.mark.parametrize("mode", MODES)
def test_same_input_and_answer_is_one_row_that_stands_for_all(mode: Mode) -> None:
    found = merged([("a", "x", None), ("b", "x", None), ("a", "x", None), ("a", "x", None)], mode)
    assert (found.merged, found.copies, found.conflicts) == ({12: 10, 13: 10}, {10: [12, 13]}, {})


@pytest.mark.parametrize("mode", MODES)
def test_the_official_held_out_copy_stays(mode: Mode) -> None:
    rows = [("a", "x", "train"), ("a", "x", None), ("a", "x", "validation"), ("a", "x", "test")]
    assert merged([*rows], mode).copies == {13: [12, 10, 11]}
    assert merged(rows[:3], mode).copies == {12: [10, 11]}
    assert merged(rows[:2], mode).copies == {10: [11]}


CONFLICT = [("a", "x", None), ("a", "y", None), ("a", "x", None), ("b", "y", None)]


def test_conflicts_are_held_back_with_what_they_contradict() -> None:
    found = merged([*CONFLICT], "hold-back")
    assert (found.merged, found.conflicts) == ({}, {10: [11], 12: [11], 11: [10, 12]})


def test_the_majority_stays() -> None:
    found = merged([*CONFLICT], "majority")
    assert (found.merged, found.conflicts) == ({12: 10}, {11: [10, 12]})


def test_a_tie_has_no_majority() -> None:
    assert set(merged([*CONFLICT[:2]], "majority").conflicts) == {10, 11}
    three = [("a", answer, None) for answer in ("x", "x", "y", "y", "z")]
    assert set(merged([*three], "majority").conflicts) == set(range(10, 15))


def test_kept_conflicts_merge_within_their_answer() -> None:
    found = merged([*CONFLICT], "keep")
    assert (found.merged, found.conflicts) == ({12: 10}, {})


def test_a_decided_row_wins_over_the_others() -> None:
    for mode in ("hold-back", "majority"):
        found = merged([*CONFLICT], mode, [11])
        assert (found.merged, found.conflicts) == ({}, {10: [11], 12: [11]})
        found = merged([*CONFLICT], mode, [12])
        assert (found.copies, found.conflicts) == ({12: [10]}, {11: [12, 10]})
    assert merged([*CONFLICT], "keep", [11]).conflicts == {}


def test_a_held_out_copy_stays_before_a_decided_one() -> None:
    assert merged([("a", "x", "train"), ("a", "x", None), ("a", "x", None)], "hold-back", [12]).copies == {10: [12, 11]}


def test_decided_rows_that_disagree_are_held_back() -> None:
    for mode in ("hold-back", "majority"):
        assert set(merged([*CONFLICT], mode, [10, 11]).conflicts) == {10, 11, 12}


rows_of_few = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"), st.sampled_from([None, "train", "validation", "test"])),
    max_size=9,
)


@given(rows_of_few, st.sampled_from(MODES), st.sets(st.integers(10, 18)))
def test_every_row_has_one_fate(rows: list[tuple[str, str, str | None]], mode: Mode, decided: set[int]) -> None:
    found = merged(rows, mode, sorted(decided))
    assert not found.merged.keys() & found.conflicts.keys()
    assert not found.copies.keys() & (found.merged.keys() | found.conflicts.keys())
    assert sorted(found.merged) == sorted(at for copies in found.copies.values() for at in copies)
    stays = [row for at, row in enumerate(rows, 10) if at not in found.merged and at not in found.conflicts]
    seen = [(key, answer) for key, answer, _ in stays]
    assert len(set(seen)) == len(seen)  # no two that stay say the same
    if mode != "keep":
        assert all(len({answer for _, answer in of}) == 1 for _, of in groupby(sorted(seen), key=lambda one: one[0]))
    for held, others in found.conflicts.items():
        assert {rows[held - 10][0]} == {rows[at - 10][0] for at in others}
        assert rows[held - 10][1] not in {rows[at - 10][1] for at in others}
