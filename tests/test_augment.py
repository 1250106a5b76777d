"""The stage augment: copies with parents, the same bytes however it is run, and answers that stay true."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.augment import STAGE
from pipeline.errors import AssayError
from pipeline.settings import Guideline
from pipeline.tasks import task
from pipeline.text import normalised
from tests.builds import a_recipe, a_tagged, a_text, kept_by, rows_of, run

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.tasks import Row

TOPICS = ["plot", "actor", "camera", "score", "ending", "dialogue", "director", "costume", "lighting", "script"]
ALL = [{"kind": name} for name in ("confusion", "delete", "keyboard", "ocr", "swap")]


def reviews(count: int = 120) -> list[Row]:
    rows = []
    for number in range(count):
        topic, other = TOPICS[number % 10], TOPICS[(number // 10) % 10]
        label = "negative" if number % 4 == 0 else "positive"
        english = f"Honestly the {topic} was not bad, and everyone around praised its {other} number {number}."
        chinese = f"我觉得这部电影的{number}号演员表演得不错，在北京的观众也非常喜欢。"
        zh = number % 3 == 0
        rows.append(a_text(f"film/{number}", chinese if zh else english, label, language="zh" if zh else "en"))
    return rows


def tagged(count: int = 60) -> list[Row]:
    rows = []
    for number in range(count):
        person, place = f"Ana{number} Cruz", f"Port{chr(97 + number % 26)}ville"
        text = f"Yesterday {person} signed the lease on an old bakery in {place}, before anyone noticed."
        rows.append(a_tagged(f"news/en{number}", text, [("PER", person), ("LOC", place)]))
        person, place = f"林晓{chr(0x4E00 + number)}", f"苏{chr(0x5000 + number)}州"
        text = f"昨天{person}把书店开在{place}的拐角处，大家都觉得非常好。"
        rows.append(a_tagged(f"news/zh{number}", text, [("PER", person), ("LOC", place)], language="zh"))
    return rows


def built(
    folder: Path, rows: list[Row], *, task_name: str = "classification", augment: dict[str, Any], **how: Any
) -> Any:
    of = a_recipe(folder, task=task_name, augment=augment)
    kept_by("audit", of, {"rows": rows})
    return of, run(STAGE, of, **how)


def test_copies_name_their_parents_and_keep_the_answer(tmp_path: Path) -> None:
    rows = reviews()
    of, report = built(tmp_path, rows, augment={"edit": ALL, "budget": 0.5})
    made, parents = rows_of(of, "augment", "made"), {row["id"]: row for row in rows}
    assert rows_of(of, "augment", "rows") == rows
    assert len(made) > 50
    texts = {normalised(row["text"]) for row in rows}
    for row in made:
        parent = parents[row["parents"][0]]
        assert row["id"].startswith(f"{parent['id']}~{row['made_by'].partition(':')[0]}")
        assert [row[name] for name in ("labels", "group", "language", "source", "weight", "split")] == [
            parent[name] for name in ("labels", "group", "language", "source", "weight", "split")
        ]
        assert normalised(row["text"]) not in texts
        for word in (" not ", "不"):
            assert row["text"].count(word) == parent["text"].count(word)
    edits = report["details"]["edits"]
    assert sum(one["made"] for one in edits.values()) == len(made) == report["counts"]["made"]
    assert all(one["planned"] == one["made"] + sum(one["refused"].values()) for one in edits.values())
    assert all(one["made"] for one in edits.values()), edits


def test_rare_classes_get_the_copies_up_to_the_budget(tmp_path: Path) -> None:
    _, report = built(tmp_path, reviews(), augment={"edit": [{"kind": "swap", "copies": 2}], "budget": 0.25})
    classes = report["details"]["classes"]
    assert {name: one["wanted"] for name, one in classes.items()} == {"negative": 30, "positive": 0}
    assert {name: one["made"] for name, one in classes.items()} == {"negative": 30, "positive": 0}
    _, report = built(tmp_path, reviews(), augment={"edit": [{"kind": "swap"}], "budget": 0.1, "balance": False})
    assert {name: one["wanted"] for name, one in report["details"]["classes"].items()} == {"negative": 3, "positive": 9}


def test_the_bytes_are_the_same_however_it_is_run(tmp_path: Path) -> None:
    augment = {"edit": ALL, "budget": 0.3}
    _, one = built(tmp_path / "a", reviews(), augment=augment, workers=1, batch_rows=1000)
    _, four = built(tmp_path / "b", reviews(), augment=augment, workers=4, batch_rows=7)
    assert json.dumps(one) == json.dumps(four)


def test_the_order_of_the_rows_changes_no_copy(tmp_path: Path) -> None:
    augment = {"edit": [*ALL, {"kind": "mention_swap"}], "budget": 0.5}
    found = []
    for name, rows in (("a", tagged()), ("b", tagged()[::-1])):
        of, _ = built(tmp_path / name, rows, task_name="tagging", augment=augment)
        found.append(sorted(rows_of(of, "augment", "made"), key=lambda row: str(row["id"])))
    assert found[0] == found[1]
    assert found[0]


def test_a_copy_does_not_change_when_other_rows_come(tmp_path: Path) -> None:
    augment = {"edit": [{"kind": "keyboard"}, {"kind": "swap"}], "budget": 2.0}
    found = []
    for name, rows in (("a", reviews(60)), ("b", reviews(120))):
        of, _ = built(tmp_path / name, rows, augment=augment)
        found.append({row["id"]: row for row in rows_of(of, "augment", "made")})
    assert found[0].items() <= found[1].items()


def test_tagged_copies_keep_labels_surfaces_and_offsets(tmp_path: Path) -> None:
    rows = tagged()
    of, _ = built(tmp_path, rows, task_name="tagging", augment={"edit": ALL, "budget": 1.0})
    made, parents = rows_of(of, "augment", "made"), {row["id"]: row for row in rows}
    judge = task("tagging", Guideline())
    assert {row["language"] for row in made} == {"en", "zh"}
    for row in made:
        assert all(row["text"][span["start"] : span["end"]] == span["text"] for span in row["spans"])
        assert not list(judge.problems(row))
        assert judge.mentions(row) == judge.mentions(parents[row["parents"][0]])


def test_swapped_mentions_are_lent_by_another_row_of_the_language(tmp_path: Path) -> None:
    rows = tagged()
    augment = {"edit": [{"kind": "mention_swap", "share": 1.0}], "budget": 1.0}
    of, report = built(tmp_path, rows, task_name="tagging", augment=augment)
    made, parents = rows_of(of, "augment", "made"), {row["id"]: row for row in rows}
    assert len(made) > 100, report["details"]
    for row in made:
        parent, *donors = (parents[name] for name in row["parents"])
        assert donors
        assert parent["id"] not in {donor["id"] for donor in donors}
        assert [span["label"] for span in row["spans"]] == [span["label"] for span in parent["spans"]]
        lent = {(span["label"], span["text"]) for donor in donors for span in donor["spans"]}
        for new, old in zip(row["spans"], parent["spans"], strict=True):
            assert row["text"][new["start"] : new["end"]] == new["text"]
            assert new["text"] != old["text"]
            assert (new["label"], new["text"]) in lent
        assert {donor["language"] for donor in donors} == {parent["language"]}


def test_held_out_and_unsure_rows_are_not_copied(tmp_path: Path) -> None:
    rows = reviews(40)
    for number, row in enumerate(rows):
        row["split"] = ("train", "validation", "test", None)[number % 4]
        row["confidence"] = 0.5 if number % 8 == 0 else 0.95
    of, _ = built(tmp_path, rows, augment={"edit": ALL, "budget": 5.0, "min_confidence": 0.9})
    copied = Counter(row["parents"][0] for row in rows_of(of, "augment", "made"))
    able = {row["id"] for row in rows if row["split"] in (None, "train") and row["confidence"] > 0.9}
    assert set(copied) == able


def test_what_says_what_another_row_says_is_refused(tmp_path: Path) -> None:
    rows = [a_text("film/1", "one two"), a_text("film/2", "two", "negative"), a_text("film/3", "one", "negative")]
    of, report = built(tmp_path, rows, augment={"edit": [{"kind": "delete"}], "budget": 2.0})
    assert rows_of(of, "augment", "made") == []
    refused = report["details"]["edits"]["delete"]["refused"]
    assert refused["same_as_existing"] == 1
    assert refused["unchanged"] == 2


def test_no_edits_no_copies_and_unknown_edits_are_named(tmp_path: Path) -> None:
    of, report = built(tmp_path / "a", reviews(5), augment={})
    assert report["counts"]["made"] == 0
    assert rows_of(of, "augment", "made") == []
    with pytest.raises(AssayError, match="did you mean 'swap'"):
        built(tmp_path / "b", reviews(5), augment={"edit": [{"kind": "swop"}]})
    _, report = built(tmp_path / "c", [], augment={"edit": ALL})
    assert report["counts"]["made"] == 0


def test_a_copy_belongs_to_all_groups_that_its_parents_belong_to(tmp_path: Path) -> None:
    rows = tagged(20)
    for row in rows:
        row["also_in"] = [f"copy of {row['id']}"]
    augment = {"edit": [{"kind": "mention_swap", "share": 1.0}, {"kind": "keyboard"}], "budget": 1.0}
    of, _ = built(tmp_path, rows, task_name="tagging", augment=augment)
    made = rows_of(of, "augment", "made")
    assert max(len(row["parents"]) for row in made) > 1
    assert min(len(row["parents"]) for row in made) == 1
    for row in made:
        assert row["also_in"] == sorted(f"copy of {parent}" for parent in row["parents"])
