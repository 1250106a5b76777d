"""The sheet: what people fill in comes back whatever their spreadsheet did, or is refused with its line."""

from __future__ import annotations

import csv
import io
import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.readers import Broken, ReadOptions
from pipeline.settings import Label
from pipeline.tools import sheet
from pipeline.tools.cells import cell, cell_text
from pipeline.tools.item import Item, Kind, Project
from tests.readers.memory import held
from tests.tools.asked import NAMES, answered, as_answer, items, project, read_all, read_text, said, triples

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILLED = {"verdict": "fine", "who": "mo", "when": "2026-01-05", "note": "sure"}
LONG = "Anna lives in Rome, and has lived there for a very long time now."


def filled(path: Path, fill: Callable[[dict[str, str]], dict[str, str]], **saved: Any) -> Path:
    """The sheet as a spreadsheet saves it, each line changed by `fill`."""
    with (path / "sheet.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = [row | fill(row) for row in csv.DictReader(stream)]
    out = io.StringIO(newline="")
    columns = saved.get("columns") or list(rows[0])
    writer = csv.writer(out, delimiter=saved.get("delimiter", ","), lineterminator=saved.get("lineterminator", "\r\n"))
    writer.writerow(columns)
    writer.writerows([row[name] for name in columns] for row in rows)
    writer.writerows([""] * len(columns) for _ in range(saved.get("empty", 0)))
    path = path / "filled.csv"
    path.write_bytes(out.getvalue().encode(saved.get("encoding", "utf-8-sig")))
    return path


def wrongly(right: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda row: {"verdict": "w", "right_answer": right}


def sent(tmp_path: Path, asked: Project, *given_: Item) -> Path:
    sheet.write(asked, given_, tmp_path)
    return tmp_path


@settings(max_examples=80)
@given(st.data(), st.sampled_from(sorted(sheet.TASKS)))
def test_what_went_out_comes_back_through_any_spreadsheet(data: st.DataObject, kind: Kind) -> None:
    multiple = kind == "labels" and data.draw(st.booleans())
    item = data.draw(items(kind, multiple=multiple))
    saved = {
        "delimiter": data.draw(st.sampled_from(",;\t")),
        "encoding": data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])),
        "lineterminator": data.draw(st.sampled_from(["\r\n", "\n"])),
        "columns": data.draw(st.permutations(sheet.COLUMNS)),
        "empty": data.draw(st.integers(0, 2)),
    }
    wrong = data.draw(st.booleans())

    def fill(row: dict[str, str]) -> dict[str, str]:
        trimmed = {name: value.strip() for name, value in row.items()}
        return trimmed | FILLED | ({"verdict": "Wrong ", "right_answer": trimmed["answer"]} if wrong else {})

    (record,) = answered(sheet, project(kind, multiple=multiple), [item], lambda folder: filled(folder, fill, **saved))
    assert (record.fields["id"], record.fields["text"]) == (item.row, item.text)
    entry = said(record)
    assert "problem" not in entry
    told = [entry[name] for name in ("verdict", "annotator", "time", "note")]
    assert told == ["wrong" if wrong else "fine", "mo", "2026-01-05", "sure"]
    # What a person types is what the cell shows; what was judged is as it was.
    typed = wrong and kind == "text"
    assert as_answer(entry, kind) == (cell_text(cell(item.answer)) if typed else item.answer)
    if kind == "relations":
        assert triples(entry) == [list(one) for one in item.entities]


@settings(max_examples=40)
@given(st.data(), st.sampled_from(sorted(sheet.TASKS)))
def test_json_lines_hold_everything_as_it_is(data: st.DataObject, kind: Kind) -> None:
    item = data.draw(items(kind))
    other = data.draw(items(kind)).answer if kind in ("labels", "rating", "text") else []

    def answer(folder: Path) -> Path:
        (line,) = (folder / "sheet.jsonl").read_text(encoding="ascii").splitlines()
        path = folder / "filled.jsonl"
        row = json.loads(line) | {"verdict": "wrong", "right_answer": other, "who": "jo"}
        path.write_text(json.dumps(row, ensure_ascii=False), encoding="utf-8")
        return path

    (record,) = answered(sheet, project(kind), [item], answer)
    assert (record.fields["id"], record.fields["text"]) == (item.row, item.text)
    assert as_answer(said(record), kind) == other


def test_the_sheet_is_safe_and_its_bytes_repeat(tmp_path: Path) -> None:
    given_ = [Item("=1+1", "=cmd|' /C calc'!A0", ["PER"], 0.51, reasons=("@x",)), Item("r/2", "b\r\nc\u202e", None)]
    first = [path.read_bytes() for path in sheet.write(project("labels"), given_, tmp_path / "1")]
    assert first == [path.read_bytes() for path in sheet.write(project("labels"), given_, tmp_path / "2")]
    assert first[0].startswith(b"\xef\xbb\xbf")
    one, two = csv.DictReader(io.StringIO(first[0].decode("utf-8-sig"), newline=""))
    assert (one["id"], one["text"], one["why"]) == ("'=1+1", "'=cmd|' /C calc'!A0", "'@x")
    assert (two["text"], two["answer"]) == ("b\nc[U+202E]", "")
    assert all(value[:1] not in "=+-@" for row in (one, two) for value in row.values() if value)


def test_answers_are_shown_in_words(tmp_path: Path) -> None:
    shown = []
    for asked, item in (
        (project("labels", multiple=True), Item("a", "x", ["PER", "1"])),
        (project("labels", multiple=True), Item("a", "x", [])),
        (project("spans"), Item("a", "Anna [in] Rome", [[0, 4, "PER"]])),
        (project("relations"), Item("a", "Anna in Rome", [[0, 1, "in"]], entities=((0, 4, "P"), (8, 12, "L")))),
        (project("rating"), Item("a", "x", 4)),
    ):
        sheet.write(asked, [item], tmp_path)
        with (tmp_path / "sheet.csv").open(encoding="utf-8-sig", newline="") as stream:
            shown += [(row["answer"], row["entities"]) for row in csv.DictReader(stream)]
    assert shown == [
        ("PER, 1", ""), ("(none)", ""), (r"[Anna|PER] \[in\] Rome", ""),
        ("in(1 Anna → 2 Rome)", "1 Anna (P); 2 Rome (L)"), ("4", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "item", "right", "answer"),
    [
        (project("labels"), Item("a", LONG, ["PER"]), "地点", ["地点"]),
        (project("labels"), Item("a", LONG, ["PER"]), "1.0", ["1"]),
        (project("labels"), Item("a", LONG, ["PER"]), "true", ["TRUE"]),
        (project("labels", multiple=True), Item("a", LONG, ["PER"]), "a b； 地点", ["a b", "地点"]),
        (project("labels", multiple=True), Item("a", LONG, ["PER"]), "(none)", []),
        (project("labels", multiple=True), Item("a", LONG, ["PER"]), '["PER", "1"]', ["PER", "1"]),
        (project("rating"), Item("a", LONG, 2), "3,5", 3.5),
        (project("rating"), Item("a", LONG, 2), "4.0", 4),
        (project("spans"), Item("a", LONG, []), "Anna lives in [Rome|地点]" + LONG[18:], [[14, 18, "地点"]]),
        (project("spans"), Item("a", LONG, [[0, 4, "PER"]]), "(none)", []),
        (project("spans"), Item("a", LONG, [[0, 4, "PER"]]), LONG, []),
        (project("spans"), Item("a", "x\r\n\u200bAnna b", []), "x\n[U+200B][Anna|PER] b", [[4, 8, "PER"]]),
        (project("relations"), Item("a", "Anna in Rome", [], entities=((0, 4, "P"), (8, 12, "L"))),
         "at(Anna -> 2)", [[0, 1, "at"]]),
        (project("text"), Item("a", LONG, "so"), "=not so", "=not so"),
    ],
)  # fmt: skip
def test_right_answers(tmp_path: Path, asked: Project, item: Item, right: str, answer: Any) -> None:
    path = filled(sent(tmp_path, asked, item), lambda row: FILLED | {"verdict": "错", "right_answer": right})
    entry = said(*read_all(sheet, path))
    assert entry["verdict"] == "wrong"
    assert as_answer(entry, asked.kind) == answer
    assert "problem" not in entry


@pytest.mark.parametrize(
    ("fill", "told"),
    [
        ({"verdict": "?"}, {"verdict": "ambiguous"}),
        ({"verdict": "删除", "note": "spam"}, {"verdict": "drop", "note": "spam"}),
        ({"verdict": "w"}, {"verdict": "wrong"}),
        ({"verdict": "yes"}, {"problem": "verdict 'yes' is not clear: say wrong, fine, ambiguous or drop"}),
        ({"verdict": "ok", "right_answer": "1"}, {"problem": "fine, and yet a right answer: '1'"}),
        ({"verdict": "drop", "right_answer": "1"}, {"problem": "drop, and yet a right answer: '1'"}),
        ({"right_answer": "1"}, {"problem": "no verdict, and yet a right answer: '1'"}),
    ],
)
def test_verdicts(tmp_path: Path, fill: dict[str, str], told: dict[str, Any]) -> None:
    path = filled(sent(tmp_path, project("labels"), Item("a", LONG, ["PER"])), lambda row: {"who": "mo"} | fill)
    entry = said(*read_all(sheet, path))
    assert entry == {"annotator": "mo", "time": None, "seconds": None} | told


def test_right_answers_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    for asked, item, right, problem in (
        (project("rating"), Item("a", LONG, 2), "good", "no number"),
        (project("rating"), Item("a", LONG, 2), "nan", "no number"),
        (project("spans"), Item("a", LONG, []), "[Anna|PER] left", "without its marks it reads"),
        (project("spans"), Item("a", LONG, []), "[Anna lives", "without its other half"),
        (project("relations"), Item("a", LONG, []), "Anna at Rome", "no relation"),
    ):
        path = filled(sent(tmp_path, asked, item), wrongly(right))
        entry = said(*read_all(sheet, path))
        assert entry["verdict"] == "wrong"
        assert problem in entry["problem"]


def test_who_was_to_judge_without_an_answer_gives_one(tmp_path: Path) -> None:
    folder = sent(tmp_path, project("labels"), Item("a", LONG, None))
    assert said(*read_all(sheet, filled(folder, lambda row: {"right_answer": "PER"})))["labels"] == ["PER"]
    entry = said(*read_all(sheet, filled(folder, lambda row: {"verdict": "fine"})))
    assert entry["problem"] == "fine, and no answer was shown"


@pytest.mark.parametrize(
    ("when", "time"),
    [
        ("2026-01-05", "2026-01-05"), ("2026/1/5", "2026-01-05"), ("5.1.2026", "2026-01-05"),
        ("25/01/2026", "2026-01-25"), ("01/25/2026", "2026-01-25"), ("46027", "2026-01-05"),
        ("2026-01-05T10:00:00", "2026-01-05T10:00:00"), ("5/1/2026", None), ("last week", None), ("", None),
    ],
)  # fmt: skip
def test_days_as_spreadsheets_show_them(tmp_path: Path, when: str, time: str | None) -> None:
    path = filled(sent(tmp_path, project("labels"), Item("a", LONG, ["PER"])), lambda row: FILLED | {"when": when})
    (record,) = read_all(sheet, path)
    assert said(record)["time"] == time
    assert any("when" in note for note in record.notes) == (time is None and when != "")


def test_lines_nobody_filled_in_have_no_annotations(tmp_path: Path) -> None:
    given_ = [Item("a", "x", ["PER"]), Item("b", "y", ["PER"])]
    folder = sent(tmp_path, project("labels"), *given_)
    path = filled(folder, lambda row: {"who": "mo"} if row["id"] == "a" else {}, empty=3)
    one, two = read_all(sheet, path)
    assert (one.fields["annotations"], two.fields["annotations"]) == ([], [])
    assert one.notes[-1].startswith("neither a verdict nor a right answer")


def test_two_people_in_one_sheet_are_one_record(tmp_path: Path) -> None:
    folder = sent(tmp_path, project("labels"), Item("a", LONG, ["PER"]), Item("a", LONG, ["PER"]))
    names = iter(("mo", "jo"))
    (record,) = read_all(sheet, filled(folder, lambda row: {"verdict": "ok", "who": next(names)}))
    assert [one["annotator"] for one in record.fields["annotations"]] == ["mo", "jo"]


@pytest.mark.parametrize("column", ["id", "text", "judged", "answer", "item"])
def test_a_column_that_was_sorted_alone_is_noticed(tmp_path: Path, column: str) -> None:
    texts = [f"{LONG} Number {at} of them." for at in range(4)]
    folder = sent(tmp_path, project("labels"), *(Item(f"r/{at}", text, [NAMES[at]]) for at, text in enumerate(texts)))
    with (folder / "sheet.csv").open(encoding="utf-8-sig", newline="") as stream:
        values = [row[column] for row in csv.DictReader(stream)]
    moved = iter(values[1:] + values[:1])
    found = list(sheet.read(held(filled(folder, lambda row: {"verdict": "ok", column: next(moved)}).read_bytes()),
                            ReadOptions()))  # fmt: skip
    if column == "answer":  # it is only shown: what is judged stands in the item
        assert [as_answer(said(one), "labels") for one in found if not isinstance(one, Broken)] == [
            [name] for name in NAMES[:4]
        ]
    else:
        assert [isinstance(one, Broken) for one in found] == [True] * 4
        assert {one.reason for one in found if isinstance(one, Broken)} <= {"wrong_columns", "unreadable_record"}


def test_ids_and_texts_that_became_numbers_are_as_they_were(tmp_path: Path) -> None:
    folder = sent(tmp_path, project("labels"), Item("000100000", "1-2", ["1"]))
    path = filled(folder, lambda row: {"id": "1,00E+05", "text": "02. Jan", "verdict": "ok"})
    (record,) = read_all(sheet, path)
    assert (record.fields["id"], record.fields["text"]) == ("000100000", "1-2")


def test_ids_that_are_numbers_are_told_apart(tmp_path: Path) -> None:
    folder = sent(tmp_path, project("labels"), Item("17", "x", ["1"]), Item("18", "y", ["1"]))
    path = filled(folder, lambda row: {"id": "18" if row["id"] == "17" else "17", "verdict": "ok"})
    found = list(sheet.read(held(path.read_bytes()), ReadOptions()))
    assert ["were columns sorted alone" in one.evidence for one in found if isinstance(one, Broken)] == [True, True]


def test_a_text_longer_than_a_cell_needs_the_json_lines(tmp_path: Path) -> None:
    words = " ".join(f"w{random.Random(at).random():.9f}" for at in range(4000))
    folder = sent(tmp_path, project("labels"), Item("a", words, ["PER"]))
    (found,) = sheet.read(held(filled(folder, lambda row: {"verdict": "ok"}).read_bytes()), ReadOptions())
    assert isinstance(found, Broken)
    line = json.loads((folder / "sheet.jsonl").read_text(encoding="ascii")) | {"verdict": "ok"}
    (record,) = read_text(sheet, json.dumps(line))
    assert record.fields["text"] == words


def test_a_sheet_without_its_hidden_columns_is_taken_as_it_stands() -> None:
    content = "id;verdict;right_answer;text;who\na;w;[Anna|PER] left;Anna left;mo\nb;w;good;x;mo\n"
    one, two = read_text(sheet, content, "f.csv")
    assert triples(said(one)) == [[0, 4, "PER"]]
    assert (said(two)["labels"], said(two)["reply"]) == (["good"], "good")
    assert "no column 'item'" in one.notes[0]


@pytest.mark.parametrize(
    ("content", "evidence"),
    [
        ("id,text\na,x\n", "no column 'verdict'"),
        ("id,verdict,text,item\na,w,x,{\n", "the cell 'item' is no longer what it was"),
        ("id,verdict,text\na,w\n", "2 columns where there are 3"),
        ("id,verdict,text\na,w,\n", "no text"),
    ],
)
def test_what_cannot_be_read_says_why(content: str, evidence: str) -> None:
    (found,) = sheet.read(held(content, "f.csv"), ReadOptions())
    assert isinstance(found, Broken)
    assert evidence in found.evidence
    assert found.place == "f.csv:2"


def test_a_workbook_is_refused_with_the_way_out() -> None:
    with pytest.raises(AssayError, match="save the sheet as CSV"):
        sheet.read(held(b"PK", "a.xlsx"), ReadOptions())


def test_how_to_fill_it_in_names_the_labels(tmp_path: Path) -> None:
    sheet.write(Project("n", "spans", (Label(name="PER", definition="people"),)), [], tmp_path)
    assert "* **PER**: people" in (tmp_path / "README.md").read_text(encoding="utf-8")
