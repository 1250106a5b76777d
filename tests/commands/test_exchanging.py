"""assay export and assay import: what they write and take in, what they say, and how they end."""

from __future__ import annotations

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
