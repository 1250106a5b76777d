"""The diff: what was changed is found, what was not is not, and counts add up whichever way round they are read."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import versions
from pipeline.errors import AssayError
from pipeline.versions import Held, diff
from pipeline.versions.held import SIDES
from tests.builds import a_tagged, a_text
from tests.versions.made import Sides, build, changed, gone, kept, moved, texts, with_row, without


def compared(tmp_path: Path, rows: Sides, other: Sides, **told: Any) -> dict[str, Any]:
    before, after = kept(tmp_path / "a", rows, **told), kept(tmp_path / "b", other, **told)
    return diff(before, after)


def test_a_version_does_not_differ_from_itself(tmp_path: Path) -> None:
    one = kept(tmp_path, texts(), rejected=[gone("film/99", "conflict")])
    found = diff(one, one)
    assert found["is_same"]
    assert set(found["rows"].values()) - {12} == {0}
    assert found["drift"]["classes"]["cramers_v"] == 0
    assert found["examples"] == {"relabelled": [], "retexted": [], "resplit": [], "added": [], "removed": []}


def test_each_kind_of_change_is_found_where_it_is(tmp_path: Path) -> None:
    rows = changed(texts(), "film/5", labels=["negative"])
    rows = changed(rows, "film/0", text="text number nought 第0句。")
    rows = changed(rows, "film/1", labels=["negative"], text="all new")
    rows = moved(without(rows, "film/2"), "film/3", "validation")
    rows = with_row(rows, "test", a_text("film/77", "a new one"))
    found = compared(tmp_path, texts(), rows)
    assert found["rows"] == {
        "before": 12,
        "after": 12,
        "added": 1,
        "removed": 1,
        "changed": 4,
        "relabelled": 2,
        "retexted": 2,
        "resplit": 1,
        "rewritten": 0,
    }
    assert found["resplit"] == [{"from": "train", "to": "validation", "rows": 1}]
    assert found["labels"] == [{"from": "positive", "to": "negative", "count": 2}]
    assert next(iter(found["sides"])) == "test"
    assert found["sides"]["test"] | {"before": 0, "after": 0} == {
        "before": 0,
        "after": 0,
        "added": 1,
        "removed": 0,
        "moved_in": 0,
        "moved_out": 0,
        "relabelled": 1,
        "retexted": 0,
        "differs": 1,
    }
    assert [one["id"] for one in found["examples"]["relabelled"]] == ["film/5", "film/1"]  # test first
    (pieces,) = [one["text_pieces"] for one in found["examples"]["retexted"] if one["id"] == "film/0"]
    assert ["-", "0"] in pieces
    assert ["+", "nought"] in pieces


def test_where_a_row_stands_in_its_file_and_how_rows_are_ordered_is_no_change(tmp_path: Path) -> None:
    rows = {side: [{**row, "source": "raw.csv:99"} for row in reversed(lines)] for side, lines in texts().items()}
    found = compared(tmp_path, texts(), rows)
    assert found["is_same"]


def test_columns_of_the_spine_are_counted_and_are_no_changed_rows(tmp_path: Path) -> None:
    rows = changed(changed(texts(), "film/1", weight=0.5, confidence=0.8), "film/2", confidence=0.7)
    found = compared(tmp_path, texts(), rows)
    assert found["other_columns"] == {"weight": 1, "confidence": 2}
    assert found["rows"]["changed"] == 0
    assert not found["is_same"]


def test_why_rows_went_and_came_and_which_conflicts_are_new(tmp_path: Path) -> None:
    before = kept(
        tmp_path / "a",
        texts(),
        rejected=[gone("film/50", "tied"), gone("film/51", "conflict"), gone("film/52", "blank_text"), gone("", "x")],
    )
    rows = with_row(without(without(texts(), "film/5"), "film/1"), "train", a_text("film/51", "settled now"))
    after = kept(
        tmp_path / "b",
        rows,
        rejected=[gone("film/50", "low_confidence"), gone("film/5", "conflict"), gone("film/60", "too_long")],
    )
    found = diff(before, after)
    assert found["rejections"] == {
        "removed_because": {"conflict": 1, "not delivered": 1},
        "added_though": {"conflict": 1},
        "other_reason": {"tied → low_confidence": 1},
        "newly_rejected": {"too_long": 1},
        "no_longer_rejected": {"blank_text": 1},
    }
    assert found["conflicts"] == {"new": 1, "gone": 1, "new_ids": ["film/5"], "gone_ids": ["film/51"]}
    assert found["lost"] == {"test": {"conflict": 1}, "train": {"not delivered": 1}}
    assert [(one["id"], one["reason"]) for one in found["examples"]["removed"]] == [
        ("film/5", "conflict"),
        ("film/1", ""),
    ]


def test_a_copy_that_is_no_longer_made_was_not_lost(tmp_path: Path) -> None:
    rows = with_row(texts(), "train", a_text("film/1-swap", "copy", parents=["film/1"], made_by="swap seed 1"))
    found = compared(tmp_path, rows, texts())
    assert found["rejections"]["removed_because"] == {"not made": 1}
    assert found["lost"] == {}


def test_an_id_made_from_content_that_changed_with_its_text_is_told(tmp_path: Path) -> None:
    gone, other, copy = (
        a_text(name, "never mind the long text here", source="raw.csv:7") for name in ("x/1", "x/2", "x/3")
    )
    rows = with_row(with_row(texts(), "train", gone), "train", {**other, "source": "raw.csv:8"})
    come = [
        {**gone, "id": "x/9", "text": "never mind the short text here"},
        {**other, "id": "x/8", "source": "raw.csv:8"},
    ]
    later = with_row(texts(), "train", come[0])
    later = with_row(later, "train", {**come[1], "text": "这是另一句话。"})
    later = with_row(later, "train", {**copy, "made_by": "swap", "parents": ["x/9"]})
    found = compared(tmp_path, rows, later)
    assert (found["rows"]["added"], found["rows"]["removed"]) == (3, 2)
    (one,) = found["renamed"]["examples"]
    assert (one["before"], one["after"]) == ("x/1", "x/9")
    assert ["+", "short"] in one["text_pieces"]


def tagged(text: str, *mentions: tuple[str, str]) -> Sides:
    return {"train": [a_tagged("film/1", text, mentions, split="train")], "validation": [], "test": []}


@pytest.mark.parametrize(
    ("text", "mentions", "told"),
    [
        ("Ann met Bo in 北京市.", [("PER", "Ann"), ("PER", "Bo"), ("LOC", "北京市")], "+ PER “Bo”"),
        ("Ann met Bo in 北京市.", [("PER", "Ann")], "- LOC “北京市”"),
        ("Ann met Bo in 北京市.", [("PER", "Ann"), ("ORG", "北京市")], "LOC → ORG “北京市”"),
        ("Ann met Bo in 北京市.", [("PER", "Ann"), ("LOC", "北京")], "LOC “北京市” → “北京”"),
        ("So Ann met Bo in 北京市.", [("PER", "Ann"), ("ORG", "北京市")], "LOC → ORG “北京市”"),
    ],
)
def test_a_relabelled_row_tells_what_became_of_its_marks(
    tmp_path: Path, text: str, mentions: list[tuple[str, str]], told: str
) -> None:
    rows = tagged("Ann met Bo in 北京市.", ("PER", "Ann"), ("LOC", "北京市"))
    found = compared(tmp_path, rows, tagged(text, *mentions), task="tagging")
    (one,) = found["examples"]["relabelled"]
    assert one["marks"] == [told]
    assert sum(found["marks"].values()) == 1


def test_marks_that_only_moved_with_their_text_are_no_other_answer(tmp_path: Path) -> None:
    mentions = [("PER", "Ann"), ("LOC", "北京市")]
    found = compared(
        tmp_path, tagged("Ann in 北京市.", *mentions), tagged("So, Ann in 北京市.", *mentions), task="tagging"
    )
    assert (found["rows"]["relabelled"], found["rows"]["retexted"]) == (0, 1)


def test_drift_of_classes_languages_and_lengths_is_measured(tmp_path: Path) -> None:
    rows = {
        side: [{**row, "labels": ["positive"], "language": "zh", "text": row["text"] * 3} for row in lines]
        for side, lines in texts().items()
    }
    drift = compared(tmp_path, texts(), rows)["drift"]
    assert drift["classes"]["total_variation"] == 0.5
    assert drift["languages"]["cramers_v"] == 1
    assert drift["chars"]["cliffs_delta"] == 1
    assert drift["sources"]["cramers_v"] == 0


def test_agreement_is_told_before_and_after(tmp_path: Path) -> None:
    figures = [{"name": "alpha", "value": value, "low": value - 0.1, "high": value + 0.1} for value in (0.5, 0.75)]
    before, after = (
        kept(tmp_path / name, texts(), details={"agreement": {"all": [figure]}})
        for name, figure in zip("ab", figures, strict=True)
    )
    found = diff(before, after)
    assert [found["agreement"][when][0]["value"] for when in ("before", "after")] == [0.5, 0.75]
    assert found["is_same"]  # of the rows


def test_all_rows_are_listed_where_no_limit_is_set(tmp_path: Path) -> None:
    rows = {side: [{**row, "text": "x" + row["text"]} for row in lines] for side, lines in texts(30).items()}
    before, after = kept(tmp_path / "a", texts(30)), kept(tmp_path / "b", rows)
    assert len(diff(before, after, limit=None)["examples"]["retexted"]) == 30
    assert len(diff(before, after, limit=4)["examples"]["retexted"]) == 4


def test_versions_of_two_tasks_are_not_compared(tmp_path: Path) -> None:
    one, other = kept(tmp_path / "a", texts()), kept(tmp_path / "b", tagged("Ann."), task="tagging")
    with pytest.raises(AssayError, match="only versions of one task"):
        diff(one, other)


def test_an_id_that_stands_twice_is_told(tmp_path: Path) -> None:
    one = kept(tmp_path / "a", texts())
    twice = kept(tmp_path / "b", with_row(texts(), "test", texts()["train"][0]))
    with pytest.raises(AssayError, match="two rows have the id 'film/0'"):
        diff(one, twice)


def test_the_build_that_stands_is_compared_as_a_version_is(tmp_path: Path) -> None:
    first = kept(tmp_path, texts())
    rows = changed(texts(), "film/5", labels=["negative"])
    found = versions.change_of_rows(first, versions.standing(build(tmp_path, rows)))
    assert (found["rows"]["relabelled"], found["sides"]["test"]["relabelled"]) == (1, 1)


ROWS = st.dictionaries(
    st.integers(0, 9),
    st.tuples(st.sampled_from(SIDES), st.sampled_from(["a", "b 中", "c"]), st.sampled_from(["yes", "no"])),
    max_size=8,
)


def sides(rows: dict[int, tuple[str, str, str]]) -> Sides:
    found: Sides = {side: [] for side in SIDES}
    for number, (side, text, label) in rows.items():
        found[side].append(a_text(f"film/{number}", text, label, split=side))
    return found


def both(rows: dict[int, Any], other: dict[int, Any]) -> tuple[Held, Held]:
    folder = Path(tempfile.mkdtemp())
    return kept(folder / "a", sides(rows)), kept(folder / "b", sides(other))


@settings(max_examples=8)
@given(ROWS, ROWS)
def test_counts_are_those_of_the_sets_and_a_diff_the_other_way_is_its_mirror(
    rows: dict[int, Any], other: dict[int, Any]
) -> None:
    before, after = both(rows, other)
    found, mirrored = diff(before, after, limit=None), diff(after, before, limit=None)
    counts, common = found["rows"], rows.keys() & other.keys()
    assert counts["after"] == counts["before"] + counts["added"] - counts["removed"] == len(other)
    assert counts["added"] == len(other.keys() - rows.keys())
    differ = [[rows[id_][part] != other[id_][part] for id_ in common] for part in range(3)]
    assert [counts[kind] for kind in ("resplit", "retexted", "relabelled")] == [sum(part) for part in differ]
    assert counts["changed"] == sum(map(any, zip(*differ, strict=True)))
    assert found["is_same"] == (rows == other)
    swapped = {"added": "removed", "removed": "added", "before": "after", "after": "before"}
    assert mirrored["rows"] == {swapped.get(name, name): count for name, count in counts.items()}
    assert turned(found["resplit"], "rows") == ways(mirrored["resplit"], "rows")
    assert turned(found["labels"], "count") == ways(mirrored["labels"], "count")
    for side in SIDES:
        one = found["sides"][side]
        assert one["after"] == one["before"] + one["added"] - one["removed"] + one["moved_in"] - one["moved_out"]
    json.dumps(found)


def ways(lines: list[dict[str, Any]], count: str) -> Counter[tuple[str, str]]:
    return Counter({(one["from"], one["to"]): one[count] for one in lines})


def turned(lines: list[dict[str, Any]], count: str) -> Counter[tuple[str, str]]:
    return Counter({(one["to"], one["from"]): one[count] for one in lines})
