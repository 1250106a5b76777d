"""Tables as people fill them in: any spreadsheet's way of saving, and nothing unclear taken in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline.checks.ledger import Check
from pipeline.checks.table import entries, unread
from pipeline.errors import AssayError
from tests.checks.sets import filled

if TYPE_CHECKING:
    from pathlib import Path

LINE = {"id": "made/1", "text": "héé ☕", "verdict": "wrong", "right_answer": "good", "who": "mo", "note": "ironie é"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_any_way_of_saving_reads_the_same(tmp_path: Path, delimiter: str, encoding: str) -> None:
    lines = [LINE | {"text": "café, olé; très bien\tou\nnon é"}, LINE | {"id": "made/2", "text": "x", "verdict": "ok"}]
    lines[1] |= {"right_answer": "", "note": ""}
    found, blank = entries(filled(tmp_path / "a.csv", lines, delimiter=delimiter, encoding=encoding))
    assert blank == 0
    assert [(one.row, one.verdict, one.right, one.who) for one in found] == [
        ("made/1", "wrong", "good", "mo"), ("made/2", "fine", "", "mo")
    ]  # fmt: skip
    assert found[0].note == "ironie é"
    assert found[0].place == "a.csv:2"


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        ("W", "wrong"), ("错", "wrong"), ("incorrect", "wrong"), ("OK", "fine"), (" f ", "fine"), ("对", "fine"),
        ("✓", "fine"), ("?", "ambiguous"), ("a", "ambiguous"), ("不确定", "ambiguous"),
    ],
)  # fmt: skip
def test_words_for_verdicts(tmp_path: Path, word: str, verdict: str) -> None:
    found, _ = entries(filled(tmp_path / "a.csv", [LINE | {"verdict": word, "right_answer": ""}], encoding="utf-8-sig"))
    assert [one.verdict for one in found] == [verdict]


@pytest.mark.parametrize("word", ["yes", "no", "y", "n", "x", "1", "0", "TRUE", "false", "wrong?", "是", "不"])
def test_what_is_not_clear_is_refused_with_its_line(tmp_path: Path, word: str) -> None:
    path = filled(tmp_path / "a.csv", [LINE, LINE | {"verdict": word}], encoding="utf-8-sig")
    with pytest.raises(AssayError, match=r"a\.csv:3: verdict .* is not clear"):
        entries(path)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (LINE | {"who": ""}, "does not say who checked it"),
        (LINE | {"verdict": "fine"}, "'fine', and yet another right answer"),
        (LINE | {"verdict": ""}, "a right answer .* without a verdict"),
        ({"id": "made/1", "verdikt": "w"}, "no column 'verdict'; did you mean 'verdikt'"),
    ],
)
def test_lines_that_contradict_themselves_are_refused(tmp_path: Path, line: dict[str, str], problem: str) -> None:
    with pytest.raises(AssayError, match=rf"a\.csv:2: {problem}"):
        entries(filled(tmp_path / "a.csv", [line]))


def test_who_may_be_said_once_for_all_and_blank_lines_are_counted(tmp_path: Path) -> None:
    blank = LINE | {"verdict": "", "right_answer": "", "who": ""}
    found, count = entries(filled(tmp_path / "a.csv", [LINE | {"who": ""}, blank, blank]), who="jo")
    assert ([one.who for one in found], count) == (["jo"], 2)


def test_json_lines_and_columns_in_any_case(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"ID": "made/1", "Verdict": "w", "Who": "mo", "right_answer": None}), encoding="utf-8")
    assert [(one.row, one.verdict) for one in entries(path)[0]] == [("made/1", "wrong")]


@pytest.mark.parametrize(
    ("name", "problem"), [("a.xlsx", "is a workbook; save the sheet as CSV"), ("b.csv", "no such")]
)
def test_files_that_are_no_tables(tmp_path: Path, name: str, problem: str) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"PK")
    with pytest.raises(AssayError, match=problem):
        entries(tmp_path / name)


def test_a_broken_line_stops_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,verdict,who\nmade/1,w,mo\nmade/2,w\n", encoding="utf-8")
    with pytest.raises(AssayError, match=r"a\.csv:3: cannot be read: 2 columns where there are 3"):
        entries(path)


def test_verdicts_that_no_check_holds_are_unread(tmp_path: Path) -> None:
    path = filled(tmp_path / "a.csv", [LINE, LINE | {"id": "made/2"}, LINE | {"id": "made/3", "verdict": ""}])
    known = Check("made/1", "wrong", "mo", "2026-01-05", "t", '["a"]')
    assert unread(path, [known]) == 1
    assert unread(path, []) == 2
