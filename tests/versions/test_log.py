"""The log: entries whole or not there, whatever cut the last one off."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline.versions import log

if TYPE_CHECKING:
    from pathlib import Path

ONE = {"id": "v000000000001", "what": "kept", "when": "2026-01-01T00:00:00+00:00", "note": "第一"}
TWO = {**ONE, "id": "v000000000002"}


def test_what_is_added_is_read_again(tmp_path: Path) -> None:
    assert log.lines(tmp_path) == []
    log.add(tmp_path, ONE)
    log.add(tmp_path, TWO)
    assert log.lines(tmp_path) == [ONE, TWO]


@pytest.mark.parametrize("left", [1, 20, 60])
def test_a_line_that_was_cut_off_is_none_and_goes_with_the_next(tmp_path: Path, left: int) -> None:
    log.add(tmp_path, ONE)
    with (tmp_path / log.LOG).open("ab") as file:
        file.write(json.dumps(TWO).encode()[:left])
    assert log.lines(tmp_path) == [ONE]
    log.add(tmp_path, TWO)
    assert log.lines(tmp_path) == [ONE, TWO]


def test_lines_that_are_no_entries_are_left_out(tmp_path: Path) -> None:
    (tmp_path / log.LOG).write_bytes(b'[1]\n{"id": 3}\nno json\n\xff\xfe\n' + json.dumps(ONE).encode() + b"\n")
    assert log.lines(tmp_path) == [ONE]


def test_the_last_time_counts(tmp_path: Path) -> None:
    entries = [ONE, TWO, {"id": ONE["id"], "what": "gated", "verdict": "FAIL"}, {**ONE, "when": "later"}]
    assert [entry["id"] for entry in log.kept(entries)] == [TWO["id"], ONE["id"]]
    assert log.kept(entries)[-1]["when"] == "later"
    assert log.verdicts(entries) == {ONE["id"]: "FAIL"}
