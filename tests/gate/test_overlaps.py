"""Duplicates inside train, and held-out rows that another split gives away."""

from __future__ import annotations

from collections import defaultdict
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from pipeline.contract import contract
from pipeline.gate import overlaps
from pipeline.gate.facts import FACTS, SIGNS
from pipeline.gate.frame import SPLITS
from pipeline.gate.known import Known
from pipeline.gate.overlaps import Found
from pipeline.text import normalised

SPINE = ("id", "language", "group", "also_in", "parents", "weight", "made_by")
TEXT = "The harbour master wrote the tide table on a slate every morning before six"


def row(split: str, text: str, answer: str = "a", **more: Any) -> dict[str, Any]:
    """What is known of a row that lies in `split`."""
    hashes = {"text": text, "key": normalised(text) or text, "answer": answer}
    return {
        **{name: blake2b(value.encode(), digest_size=16).digest() for name, value in hashes.items()},
        **{"split": split, "shown": text, "id": None, "group": None, "language": "en", "weight": 1.0, "made_by": None},
        **{name: [] for name in ("also_in", "parents", "strata", "kin", "mentions", "seen")},
        **dict.fromkeys((*SIGNS, "rules", "unknown_labels", "tag_fault")),
        **more,
    }


def facts(*rows: dict[str, Any]) -> Known:
    """Rows with an id and a group of their own, unless they name them."""
    named = [{**one, "id": one["id"] or f"r{at}", "group": one["group"] or f"g{at}"} for at, one in enumerate(rows)]
    spine = [field for field in contract("classification").schema if field.name in SPINE]
    schema = pa.schema([*spine, *FACTS])
    side = np.array([SPLITS.index(one["split"]) for one in rows], dtype=np.int64)
    return Known(pa.Table.from_pylist(named, schema=schema), side)


def leaks(*rows: dict[str, Any], **more: Any) -> dict[str, dict[int, int]]:
    texts = np.array([one["shown"] for one in rows], dtype=object)
    found = overlaps.leaks(facts(*rows), texts=lambda wanted: pa.array(texts[wanted]), threshold=0.8, **more)
    return {name: plain(one) for name, one in found.items()}


def repeats(*rows: dict[str, Any]) -> dict[str, dict[int, int]]:
    return {name: plain(one) for name, one in overlaps.repeats(facts(*rows)).items()}


def plain(found: Found) -> dict[int, int]:
    return dict(zip(found.row.tolist(), found.twin.tolist(), strict=True))


def test_three_levels_are_told_apart() -> None:
    near = TEXT.replace("morning", "mornin")
    found = leaks(row("train", TEXT), row("test", TEXT), row("test", TEXT.upper() + "!"), row("validation", near))
    assert (found["leak_exact"], found["leak_normalised"], found["leak_group"]) == ({1: 0}, {2: 0}, {})
    assert found["leak_near"] == {3: 0}


def test_test_is_held_out_from_validation_too() -> None:
    found = leaks(row("validation", TEXT), row("test", TEXT))
    assert found["leak_exact"] == {1: 0}


def test_chinese_differing_in_punctuation_leaks() -> None:
    found = leaks(row("train", "今天天气很好，我们去公园吧。"), row("test", "今天天气很好我们去公园吧！"))
    assert found["leak_normalised"] == {1: 0}


def test_texts_of_punctuation_only_are_equal_only_to_themselves() -> None:
    found = leaks(row("train", "!!!"), row("test", "???"), row("test", "!!!"))
    assert (found["leak_exact"], found["leak_normalised"]) == ({2: 0}, {})


def test_groups_across_splits_leak_whatever_the_text() -> None:
    found = leaks(row("train", "one thing", group="g"), row("test", "something else", group="g"))
    assert found["leak_group"] == {1: 0}


def test_a_merged_row_and_kin_leak_like_a_group() -> None:
    one, other, third = row("train", "one thing"), row("test", "something else"), row("validation", "a third")
    assert leaks(one | {"also_in": ["g1"]}, other, third)["leak_group"] == {1: 0}
    assert leaks(one, other | {"also_in": ["g0"]}, third)["leak_group"] == {1: 0}
    kin = {"kin": ["how it begins"]}
    assert leaks(one | kin, other, third | kin)["leak_group"] == {2: 0}


def test_of_several_ties_the_own_group_is_named_first_and_the_lowest_side() -> None:
    rows = [row("train", "a"), row("train", "b", kin=["k"]), row("validation", "c", group="g"), row("train", "d")]
    test = row("test", "e", group="g", also_in=["g0", "g3"], kin=["k"])
    assert leaks(*rows, test)["leak_group"] == {4: 2}
    assert leaks(*rows, test | {"group": "other"})["leak_group"] == {4: 0}


def test_a_row_without_a_group_is_its_own() -> None:
    table = facts(row("train", "a", id="one"), row("test", "b", group="one"))
    at = table.table.schema.get_field_index("group")
    bare = Known(table.table.set_column(at, "group", pa.array(["", "one"])), table.side)
    found = overlaps.leaks(bare, texts=lambda wanted: pa.array(["", ""]), threshold=0.8)
    assert plain(found["leak_group"]) == {1: 0}


def test_a_template_is_what_the_split_counted_as_one() -> None:
    """51 rows of which one was rejected have a template in common; copies of rows make none."""
    kin: dict[str, Any] = {"kin": ["is it grammatical"]}
    rows = [row(("train", "test")[at % 2], f"text number {at}", **kin) for at in range(50)]
    assert len(leaks(*rows)["leak_group"]) == 25
    assert leaks(*rows, left_out=[["is it grammatical"]])["leak_group"] == {}
    assert len(leaks(*rows, rows[0] | {"parents": ["r0"]})["leak_group"]) == 25


def test_repeats_count_in_train_only_and_look_at_the_answer() -> None:
    found = repeats(
        row("train", TEXT), row("train", TEXT), row("train", TEXT.upper()), row("train", TEXT, "b"), row("test", TEXT)
    )
    assert found["duplicate_exact"] == {1: 0}
    assert found["duplicate_normalised"] == {2: 0}
    assert found["conflict"] == {0: 3, 1: 3, 3: 0}


ROWS = st.lists(
    st.tuples(st.sampled_from(SPLITS), st.sampled_from(["a b", "A b!", "c", "！", "好的"]), st.just("x")),
    max_size=12,
)


@given(ROWS)
def test_leaks_agree_with_every_pair_compared(rows: list[tuple[str, str, str]]) -> None:
    found = leaks(*(row(*one) for one in rows))
    sides: dict[str, set[int]] = defaultdict(set)
    for split, text, _ in rows:
        sides[text].add(SPLITS.index(split))
    wanted = {at for at, (split, text, _) in enumerate(rows) if min(sides[text]) < SPLITS.index(split)}
    assert set(found["leak_exact"]) == wanted
    assert not set(found["leak_exact"]) & set(found["leak_normalised"])


@given(ROWS)
def test_removing_what_repeats_leaves_nothing_that_repeats(rows: list[tuple[str, str, str]]) -> None:
    found = repeats(*(row(*one) for one in rows))
    gone = {*found["duplicate_exact"], *found["duplicate_normalised"]}
    left = [row(*one) for at, one in enumerate(rows) if at not in gone]
    assert repeats(*left) == {"duplicate_exact": {}, "duplicate_normalised": {}, "conflict": {}}


def test_a_text_that_stands_whole_in_a_longer_one_is_told_from_a_near_one() -> None:
    longer = f"He had read it somewhere before. {TEXT}. Nobody believed him, and so it was forgotten again"
    found = leaks(row("train", longer), row("test", TEXT), row("test", TEXT + " day"))
    assert (found["leak_near"], found["leak_exact"]) == ({}, {})
    assert found["leak_contained"].keys() >= {1}


def test_pairs_that_the_split_was_told_count_and_copies_are_compared_anew() -> None:
    near = TEXT.replace("morning", "mornin")
    rows = [row("train", near), row("test", TEXT), row("validation", "another thing"), row("train", "a b")]
    columns = {"left": ["r3", "gone"], "right": ["r2", "r1"], "kind": ["semantic", "similar"]}
    pairs = pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})
    assert leaks(*rows)["leak_near"] == {1: 0}
    assert leaks(*rows, pairs=pairs)["leak_near"] == {2: 3}
    assert leaks(rows[0] | {"parents": ["r3"]}, *rows[1:], pairs=pairs)["leak_near"] == {1: 0, 2: 3}
