"""By time, by source, folds, annotators together: other ways of splitting, under the same laws."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.contract import ANNOTATIONS
from pipeline.errors import AssayError
from tests.builds import a_recipe, a_text, rows_of
from tests.pages.stages import whole
from tests.quality.splitting.test_past import build, repeats
from tests.test_split import a_sentence, rows_with

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.tasks import Row


def by(folder: Path, way: str, **how: Any) -> Recipe:
    return a_recipe(folder, split={"by": way, **how}, ingest=SOURCES)


SOURCES = {"source": [{"name": name, "files": ["raw.csv"], "format": "csv"} for name in ("film", "product", "news")]}


def dated(count: int) -> list[Row]:
    rows = rows_with(count)
    for at, row in enumerate(rows):
        row["date"] = f"2024-{1 + at // 28:02}-{1 + at % 28:02}"
    return rows


def test_the_newest_rows_are_tested_on_and_those_before_them_validate(tmp_path: Path) -> None:
    rows = dated(300)
    sides, rejected, report = build(by(tmp_path, "time"), rows[::-1])
    assert not rejected
    order = [sides[row["id"]] for row in rows]
    assert order == ["train"] * 240 + ["validation"] * 30 + ["test"] * 30
    told = report["details"]["time"]
    assert told["undated_rows"] == told["newer_in_train"] == 0
    assert told["dates"]["train"]["last"] < told["dates"]["validation"]["first"] < told["dates"]["test"]["first"]
    assert report["details"]["max_excess_points"] is None


def test_ties_and_groups_across_a_border_go_whole_to_the_later_side(tmp_path: Path) -> None:
    rows = dated(100)
    for row in rows[85:92]:
        row["date"] = "2024-06-01"  # the border of the test side, at 90, falls among them
    for row in rows[92:]:
        row["date"] = "2024-07-01"
    rows[3]["group"] = rows[99]["group"]
    sides, _, _ = build(by(tmp_path, "time"), rows)
    assert {sides[row["id"]] for row in rows[85:]} == {"test"}
    assert sides[rows[3]["id"]] == "test"
    assert [sides[row["id"]] for row in rows[75:85]] == ["validation"] * 10


def test_rows_without_a_date_are_learned_from_unless_they_are_tied(tmp_path: Path) -> None:
    rows = dated(100)
    for row in rows[::10]:
        row["date"] = None if row is rows[0] else "some day"
    rows[0]["group"] = rows[99]["group"]
    sides, _, report = build(by(tmp_path, "time"), rows)
    assert report["details"]["time"]["undated_rows"] == 10
    assert {sides[row["id"]] for row in rows[10::10]} == {"train"}
    assert sides[rows[0]["id"]] == "test"


def test_rows_newer_than_a_frozen_test_set_are_told(tmp_path: Path) -> None:
    rows = dated(300)
    recipe = by(tmp_path, "time")
    first, _, _ = build(recipe, rows[:200])
    sides, _, report = build(recipe, rows)
    assert {name: sides[name] for name in first} == first
    assert list(sides.values()).count("test") == 20
    assert report["details"]["time"]["newer_in_train"] > 50


def test_named_sources_are_whole_sides_and_their_kin_leaves_train(tmp_path: Path) -> None:
    rows = [a_text(f"{('film', 'product', 'news')[at % 3]}/{at:02}", a_sentence(at)) for at in range(60)]
    rows[0]["text"] = rows[2]["text"].upper()
    how = {"test_sources": ["news"], "validation_sources": ["product"]}
    sides, rejected, _ = build(by(tmp_path / "a", "source", **how), rows)
    assert {name: line["reason"] for name, line in rejected.items()} == {rows[0]["id"]: "leaks_into_held_out"}
    wanted = {"film": "train", "product": "validation", "news": "test"}
    assert all(side == wanted[name.partition("/")[0]] for name, side in sides.items())
    sides, _, _ = build(by(tmp_path / "b", "source", test_sources=["news"]), rows)
    assert {sides[row["id"]] for row in rows if row["id"].startswith("news")} == {"test"}
    assert 3 <= list(sides.values()).count("validation") <= 5


def test_sources_are_dealt_whole_where_none_is_named_and_stay(tmp_path: Path) -> None:
    sizes = {"a": 80, "b": 10, "c": 10}
    rows = [a_text(f"{name}/{at:02}", a_sentence(at)) for name, size in sizes.items() for at in range(size)]
    for number, row in enumerate(rows):
        row["text"] = a_sentence(number)
        row["group"] = f"g{number}"
    recipe = by(tmp_path, "source")
    sides, rejected, _ = build(recipe, rows)
    assert not rejected
    of = {name: {sides[row["id"]] for row in rows if row["id"].startswith(name)} for name in sizes}
    assert of["a"] == {"train"}
    assert of["b"] | of["c"] == {"validation", "test"}
    tested = "b" if of["b"] == {"test"} else "c"
    new = [a_text(f"{tested}/new", a_sentence(901)), a_text("a/new", a_sentence(902))]
    after, rejected, _ = build(recipe, [*rows, *new])
    assert {name: after[name] for name in sides} == sides
    assert after["a/new"] == "train"
    assert rejected[f"{tested}/new"]["reason"] == "leaks_into_held_out"
    assert "gets no new rows" in rejected[f"{tested}/new"]["evidence"]


def of_sources(**sizes: int) -> list[Row]:
    """Rows of sources, each its own group."""
    names = [(name, at) for name, size in sizes.items() for at in range(size)]
    return [a_text(f"{name}/{at:02}", a_sentence(n), group=f"g{n}") for n, (name, at) in enumerate(names)]


def test_a_row_that_stands_for_a_frozen_one_does_not_pull_its_source_after_it(tmp_path: Path) -> None:
    rows = of_sources(a=80, b=10, c=10)
    recipe = by(tmp_path / "a", "source")
    sides, _, _ = build(recipe, rows)
    frozen = [row for row in rows if sides[row["id"]] == "test"]
    moved = [{**row, "id": f"d/{at:02}"} for at, row in enumerate(frozen[:2])]
    new = [a_text(f"d/{at:02}", a_sentence(500 + at), group=f"d{at}") for at in range(2, 13)]
    now = [*(row for row in rows if row not in frozen[:2]), *moved, *new]
    for _ in range(2):  # and the next build, which finds its line in the lock
        after, rejected, report = build(recipe, now)
        assert not rejected
        assert (after["d/00"], after["d/01"]) == ("test", "test")
        assert {after[row["id"]] for row in new} == {"train"}
        assert report["details"]["apart_from_their_source"] == 2
    repeats(recipe, now, [], report, tmp_path / "b")
    fewer = [row for row in now if row["id"] not in [one["id"] for one in new[1:]]]
    more = [*fewer, a_text("d/99", a_sentence(999), group="d99")]
    assert build(recipe, more)[0]["d/99"] == "train"


def test_a_source_that_gets_another_name_stays_where_it_was(tmp_path: Path) -> None:
    rows = of_sources(a=80, b=10, c=10)
    recipe = by(tmp_path, "source", frozen=[])
    sides, _, _ = build(recipe, rows)
    tested = next(row["id"][0] for row in rows if sides[row["id"]] == "test")
    moved = [{**row, "id": row["id"].replace(f"{tested}/", "z/")} for row in rows]
    after, rejected, report = build(recipe, [*moved, a_text("z/new", a_sentence(901), group="new")])
    assert not rejected
    assert {side for name, side in after.items() if name.startswith("z/")} == {"test"}
    assert report["details"]["apart_from_their_source"] == 0


def test_a_source_that_is_not_there_is_an_error_that_names_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match=r"no source books.*film, news, product"):
        build(by(tmp_path, "source", test_sources=["books"]), rows_with(5))
    with pytest.raises(AssayError, match="two sides: news"):
        build(by(tmp_path, "source", test_sources=["news"], validation_sources=["news"]), rows_with(5))
    with pytest.raises(AssayError, match='by = "source"'):
        build(by(tmp_path, "chance", test_sources=["news"]), rows_with(5))


def test_folds_are_over_all_rows_outside_test_even_and_part_no_group(tmp_path: Path) -> None:
    rows = rows_with(600, group_of=3)
    recipe = a_recipe(tmp_path / "a", split={"folds": 5})
    sides, _, report = build(recipe, rows)
    fold = {row["id"]: row["fold"] for row in rows_of(recipe, "split", "folds")}
    assert list(fold) == sorted(fold)
    assert fold.keys() == {name for name, side in sides.items() if side != "test"}
    by_group: dict[str, set[int]] = {}
    for row in rows:
        if row["id"] in fold:
            by_group.setdefault(row["group"], set()).add(fold[row["id"]])
    assert all(len(found) == 1 for found in by_group.values())
    told = report["details"]["folds"]
    assert (told["folds"], sum(told["rows"])) == (5, len(fold))
    assert max(told["rows"]) - min(told["rows"]) <= 3
    assert told["max_deviation_points"] < 1
    build(a_recipe(tmp_path / "b"), rows)
    assert not list((tmp_path / "build" / "tiny").glob("split/folds*"))


def test_rows_of_one_annotator_are_not_parted_but_for_one_who_did_very_much(tmp_path: Path) -> None:
    rows = rows_with(300)
    recipe = a_recipe(tmp_path, split={"together": ["annotator"]})
    said = [
        {"row": row["id"], "annotator": who, "answer": None, "raw": ""}
        for at, row in enumerate(rows)
        for who in (f"ann{at // 6}", "everywhere")
    ]
    lines = [{field.name: line.get(field.name) for field in ANNOTATIONS} for line in said]
    whole(recipe, "audit", {"annotations": (ANNOTATIONS, lines)})
    sides, rejected, report = build(recipe, rows)
    assert not rejected
    assert all(len({sides[row["id"]] for row in rows[at : at + 6]}) == 1 for at in range(0, 300, 6))
    assert report["details"]["kin_not_joined"]["examples"] == [{"key": "annotator everywhere", "rows": 300}]
    assert report["details"]["largest_group_rows"] == 6


def test_pairs_of_the_audit_are_taken_where_it_looked_for_near_ones(tmp_path: Path) -> None:
    from pipeline.quality.duplicates.evidence import PAIRS

    rows = rows_with(200)
    line: dict[str, Any] = {"kind": "semantic", "similarity": 0.97, "why": "", "outcome": "same side"}
    pairs: list[dict[str, Any]] = [
        line | {"left": rows[at]["id"], "right": rows[at + 1]["id"], "accepted": at % 4 == 0} for at in range(0, 200, 2)
    ]
    for name, searched, together in (("a", ["exact", "normalised", "near", "contained"], 50), ("b", ["exact"], 0)):
        recipe = a_recipe(tmp_path / name)
        whole(recipe, "audit", {"pairs": (PAIRS, pairs)}, details={"duplicates": {"searched": searched}})
        sides, _, report = build(recipe, rows)
        accepted = [one for one in pairs if one["accepted"]]
        parted = sum(sides[one["left"]] != sides[one["right"]] for one in accepted)
        assert (report["details"]["near_pairs"].get("semantic", 0), parted == 0) == (together, together > 0)
