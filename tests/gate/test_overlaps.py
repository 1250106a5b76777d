"""Duplicates inside train, and held-out rows that another split gives away."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import lru_cache

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.gate.facts import Facts
from pipeline.gate.overlaps import SIDES, leaks, repeats
from tests.gate.test_facts import reader

TEXT = "The harbour master wrote the tide table on a slate every morning before six"


@lru_cache(maxsize=1)
def base() -> Facts:
    from pipeline.gate.sample import good

    return reader().read(good("classification").rows["train"][0], "train")


def facts(*rows: tuple[str, str, str]) -> list[Facts]:
    """Rows of (split, text, answer), each in a group of its own."""
    return [
        replace(base(), id=f"r{at}", split=split, shown=text, answer=answer, group=f"g{at}")
        for at, (split, text, answer) in enumerate(rows)
    ]


def test_three_levels_are_told_apart() -> None:
    near = TEXT.replace("morning", "mornin")
    found = leaks(
        facts(("train", TEXT, "a"), ("test", TEXT, "a"), ("test", TEXT.upper() + "!", "a"), ("validation", near, "a")),
        threshold=0.8,
    )
    assert (found["leak_exact"], found["leak_normalised"], found["leak_group"]) == ({1: 0}, {2: 0}, {})
    assert found["leak_near"] == {3: 0}


def test_test_is_held_out_from_validation_too() -> None:
    found = leaks(facts(("validation", TEXT, "a"), ("test", TEXT, "a")), threshold=0.8)
    assert found["leak_exact"] == {1: 0}


def test_chinese_differing_in_punctuation_leaks() -> None:
    found = leaks(
        facts(("train", "今天天气很好，我们去公园吧。", "a"), ("test", "今天天气很好我们去公园吧！", "a")),
        threshold=0.8,
    )
    assert found["leak_normalised"] == {1: 0}


def test_texts_of_punctuation_only_are_equal_only_to_themselves() -> None:
    found = leaks(facts(("train", "!!!", "a"), ("test", "???", "a"), ("test", "!!!", "a")), threshold=0.8)
    assert (found["leak_exact"], found["leak_normalised"]) == ({2: 0}, {})


def test_groups_across_splits_leak_whatever_the_text() -> None:
    one, other = facts(("train", "one thing", "a"), ("test", "something else", "a"))
    assert leaks([one, replace(other, group=one.group)], threshold=0.8)["leak_group"] == {1: 0}


def test_a_merged_row_and_kin_leak_like_a_group() -> None:
    one, other, third = facts(
        ("train", "one thing", "a"), ("test", "something else", "a"), ("validation", "a third", "a")
    )
    merged = replace(one, also_in=(other.group,))
    assert leaks([merged, other, third], threshold=0.8)["leak_group"] == {1: 0}
    turned = replace(other, also_in=(one.group,))
    assert leaks([one, turned, third], threshold=0.8)["leak_group"] == {1: 0}
    kin = [replace(row, kin=("how it begins",)) for row in (one, third)]
    assert leaks([kin[0], other, kin[1]], threshold=0.8)["leak_group"] == {2: 0}


def test_a_template_is_what_the_split_counted_as_one() -> None:
    """51 rows of which one was rejected have a template in common; copies of rows make none."""
    rows = facts(*((("train", "test")[at % 2], f"text number {at}", "a") for at in range(50)))
    rows = [replace(row, kin=("is it grammatical",)) for row in rows]
    assert len(leaks(rows, threshold=0.8)["leak_group"]) == 25
    assert leaks(rows, threshold=0.8, left_out=[["is it grammatical"]])["leak_group"] == {}
    copies = [*rows, replace(rows[0], id="copy", parents=("r0",))]
    assert len(leaks(copies, threshold=0.8)["leak_group"]) == 25


def test_repeats_count_in_train_only_and_look_at_the_answer() -> None:
    found = repeats(
        facts(
            ("train", TEXT, "a"),
            ("train", TEXT, "a"),
            ("train", TEXT.upper(), "a"),
            ("train", TEXT, "b"),
            ("test", TEXT, "a"),
        )
    )
    assert found["duplicate_exact"] == {1: 0}
    assert found["duplicate_normalised"] == {2: 0}
    assert found["conflict"] == {0: 3, 1: 3, 3: 0}


ROWS = st.lists(
    st.tuples(st.sampled_from(sorted(SIDES)), st.sampled_from(["a b", "A b!", "c", "！", "好的"]), st.just("x")),
    max_size=12,
)


@given(ROWS)
def test_leaks_agree_with_every_pair_compared(rows: list[tuple[str, str, str]]) -> None:
    found = leaks(facts(*rows), threshold=0.8)
    splits: dict[str, set[int]] = defaultdict(set)
    for split, text, _ in rows:
        splits[text].add(SIDES[split])
    wanted = {at for at, (split, text, _) in enumerate(rows) if min(splits[text]) < SIDES[split]}
    assert set(found["leak_exact"]) == wanted
    assert not set(found["leak_exact"]) & set(found["leak_normalised"])


@given(ROWS)
def test_removing_what_repeats_leaves_nothing_that_repeats(rows: list[tuple[str, str, str]]) -> None:
    found = repeats(facts(*rows))
    gone = {*found["duplicate_exact"], *found["duplicate_normalised"]}
    left = [row for at, row in enumerate(rows) if at not in gone]
    assert repeats(facts(*left)) == {"duplicate_exact": {}, "duplicate_normalised": {}, "conflict": {}}


def test_a_text_that_stands_whole_in_a_longer_one_is_told_from_a_near_one() -> None:
    longer = f"He had read it somewhere before. {TEXT}. Nobody believed him, and so it was forgotten again"
    found = leaks(facts(("train", longer, "a"), ("test", TEXT, "a"), ("test", TEXT + " day", "a")), threshold=0.8)
    assert (found["leak_near"], found["leak_exact"]) == ({}, {})
    assert found["leak_contained"].keys() >= {1}


def test_pairs_that_the_split_was_told_count_and_copies_are_compared_anew() -> None:
    near = TEXT.replace("morning", "mornin")
    rows = facts(("train", near, "a"), ("test", TEXT, "a"), ("validation", "another thing", "a"), ("train", "a b", "a"))
    columns = {"left": ["r3", "gone"], "right": ["r2", "r1"], "kind": ["semantic", "similar"]}
    pairs = pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})
    assert leaks(rows, threshold=0.8)["leak_near"] == {1: 0}
    assert leaks(rows, threshold=0.8, pairs=pairs)["leak_near"] == {2: 3}
    copy = replace(rows[0], parents=("r3",))
    assert leaks([copy, *rows[1:]], threshold=0.8, pairs=pairs)["leak_near"] == {1: 0, 2: 3}
