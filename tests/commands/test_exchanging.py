"""assay export and assay import: what they write and take in, what they say, and how they end."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from pipeline.commands import exchanging
from pipeline.commands.app import app
from pipeline.errors import AssayError
from tests.exchange.rounds import decided, topics
from tests.exchange.test_exchange import filled, sheet

if TYPE_CHECKING:
    from pathlib import Path


def assay(*arguments: str, data: Path) -> Result:
    assert exchanging.export is not None  # its commands are on the app
    return CliRunner().invoke(app, [*arguments, "--data", str(data)], env={"COLUMNS": "200"})


def test_out_and_back(tmp_path: Path) -> None:
    one = topics(tmp_path)
    out = tmp_path / "out"
    told = assay("export", "small", "--tool", "sheet", "--out", str(out), data=tmp_path)
    assert told.exit_code == 0, told.output
    assert "round r" in told.stdout
    lines = [line | {"verdict": "fine", "who": "ann"} for line in sheet(out)]
    path = str(filled(out, lines))
    dry = assay("import", "small", path, "--tool", "sheet", "--dry-run", data=tmp_path)
    assert (dry.exit_code, decided(one)) == (0, [])
    assert "would be taken in" in dry.stdout
    taken = assay("import", "small", path, "--tool", "sheet", data=tmp_path)
    assert taken.exit_code == 0, taken.output
    assert f"by ann {len(lines)}" in taken.stdout
    assert len({line["row"] for line in decided(one)}) == len(lines)


def test_what_is_not_taken_in_is_told_and_ends_with_one(tmp_path: Path) -> None:
    topics(tmp_path)
    out = tmp_path / "out"
    assay("export", "small", "--tool", "sheet", "--out", str(out), "--limit", "1", data=tmp_path)
    (line,) = sheet(out)
    path = filled(out, [line | {"verdict": "wrong", "right_answer": "cooking", "who": "ann"}])
    told = assay("import", "small", str(path), "--tool", "sheet", data=tmp_path)
    assert told.exit_code == 1
    assert "not taken in filled.jsonl:1" in told.stdout


def test_lines_of_a_sheet_that_are_not_taken_in_are_told_by_record_and_row(tmp_path: Path) -> None:
    topics(tmp_path)
    out = tmp_path / "out"
    assay("export", "small", "--tool", "sheet", "--out", str(out), data=tmp_path)
    text = (out / "sheet.csv").read_text(encoding="utf-8-sig")
    head, *rows = csv.reader(io.StringIO(text, newline=""))
    for row, right in zip(rows, ("art", ""), strict=False):
        told = {"verdict": "wrong", "right_answer": right, "who": "ada", "note": "over\ntwo lines"}
        row[:] = [told.get(name, cell) for name, cell in zip(head, row, strict=True)]
    with (out / "ada.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    told_ = assay("import", "small", str(out / "ada.csv"), "--tool", "sheet", data=tmp_path)
    place = f"ada.csv:4 (record 2, row {rows[1][0]})"
    assert f"not taken in {place}: ada: unanswered: right_answer is empty" in told_.stdout


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("export", "small", "--tool", "doccano", "--url", "http://localhost:1"), "no server to talk to for doccano"),
        (("export", "small", "--tool", "sheet", "--what", "all"), "nothing that can be sent"),
        (("import", "small", "--tool", "sheet"), "say where the answers are"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, arguments: tuple[str, ...], why: str) -> None:
    topics(tmp_path)
    with pytest.raises(AssayError, match=why):
        raise assay(*arguments, data=tmp_path).exception or AssertionError


def test_where_nothing_is_open_it_says_so(tmp_path: Path) -> None:
    topics(tmp_path)
    told = assay("export", "small", "--tool", "sheet", "--what", "relabel", data=tmp_path)
    assert "nothing relabel is in it" in str(told.exception)


def test_rounds_are_listed_and_closed(tmp_path: Path) -> None:
    topics(tmp_path)
    for at, who in enumerate(("ann", "bob")):
        assay("export", "small", "--tool", "sheet", "--out", str(tmp_path / f"{at}"), "--who", who, data=tmp_path)
    told = assay("export", "small", "--list", data=tmp_path)
    assert told.exit_code == 0, told.output
    names = [word for word in told.stdout.split() if len(word) == 9 and word.startswith("r")]
    assert len(set(names)) == 2
    closed = assay("export", "small", "--close", names[0], data=tmp_path)
    assert closed.stdout.count("closed") == 1
    with pytest.raises(AssayError, match="for which tool is not said"):
        raise assay("export", "small", data=tmp_path).exception or AssertionError


def test_rows_that_are_out_already_are_told_when_they_go_out_again(tmp_path: Path) -> None:
    topics(tmp_path)

    def sent(at: int, *more: str) -> str:
        out = str(tmp_path / f"{at}")
        return assay("export", "small", "--tool", "sheet", "--out", out, *more, data=tmp_path).stdout

    assert "still out" not in sent(0, "--who", "ann")
    told = sent(1, "--limit", "1", "--who", "bob")
    assert "1 of 1 are still out in round r" in told
    name = told.split("--close ")[1].split()[0]
    assert assay("export", "small", "--close", name, data=tmp_path).exit_code == 0
    assert "still out" not in sent(2, "--limit", "1", "--who", "bob")


def test_people_who_differ_are_settled_through_a_sheet(tmp_path: Path) -> None:
    one = topics(tmp_path)
    out, apart = tmp_path / "out", tmp_path / "apart"
    assay("export", "small", "--tool", "sheet", "--out", str(out), data=tmp_path)
    line = next(line for line in sheet(out) if line["id"] == "s/8")
    lines = [
        line | {"verdict": "wrong", "right_answer": label, "who": who} for who, label in (("a", "art"), ("b", "sport"))
    ]
    assay("import", "small", str(filled(out, lines)), "--tool", "sheet", data=tmp_path)
    assert assay("export", "small", "--conflicts", "--tool", "sheet", "--out", str(apart), data=tmp_path).exit_code == 0
    (asked,) = sheet(apart)
    assert ("a: " in asked["why"], "b: sport" in asked["why"]) == (True, True)
    answer = asked | {"verdict": "wrong", "right_answer": "sport", "who": "eve"}
    told = assay("import", "small", str(filled(apart, [answer])), "--tool", "sheet", data=tmp_path)
    assert "conflicts" in told.stdout
    assert len(decided(one)[-1]["settles"]) == 2
    again = assay("export", "small", "--conflicts", "--tool", "sheet", data=tmp_path)
    assert "people differ on no row" in str(again.exception)


def test_a_file_is_nobodys_name_until_somebody_is_known_so(tmp_path: Path) -> None:
    one = topics(tmp_path)
    assay("export", "small", "--tool", "doccano", "--out", str(tmp_path / "out"), "--limit", "2", data=tmp_path)
    done = tmp_path / "done.jsonl"
    done.write_bytes((tmp_path / "out" / "tasks.jsonl").read_bytes())
    refused = assay("import", "small", str(done), "--tool", "doccano", data=tmp_path)
    assert "nobody is known as 'done', which is only what the file is called" in str(refused.exception)
    assert "--who NAME" in str(refused.exception)
    assert decided(one) == []
    said = assay("import", "small", str(done), "--tool", "doccano", "--who", "carl", data=tmp_path)
    assert said.exit_code == 0, said.output
    assert {line["who"] for line in decided(one)} == {"carl"}
    again = assay("import", "small", str(done.rename(tmp_path / "carl.jsonl")), "--tool", "doccano", data=tmp_path)
    assert "known before" in again.stdout
