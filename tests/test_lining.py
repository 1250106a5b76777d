"""Lines that are only parsed when they are new give what parsing every record gives."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline import lining
from tests.small import built, contents, made

if TYPE_CHECKING:
    from pathlib import Path

TOML = """
task = "classification"
[[ingest.source]]
name = "s"
files = ["*.jsonl"]
format = "jsonl"
columns = { id = "id", text = "text", label = "label" }
"""
ROWS = [{"id": at, "text": f"the train number {at} is late", "label": "bad"} for at in range(40)]
PLAIN = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
ODD = {
    "plain": PLAIN,
    "blank lines": b"\n \n" + PLAIN.replace(b"\n", b"\n\t\n\xe3\x80\x80\n"),
    "carriage returns": PLAIN.replace(b"\n", b"\r\n"),
    "old line ends": PLAIN.replace(b"\n", b"\r"),
    "byte-order mark": b"\xef\xbb\xbf" + PLAIN,
    "wide": PLAIN.decode().encode("utf-16"),
    "bad bytes": PLAIN.replace(b"number 7", b"number \xff7"),
    "not JSON": PLAIN.replace(b'"text": "the train number 9', b'"text: "the train number 9'),
    "no object": PLAIN + b'[1, 2]\n"three"\nnull\n',
    "no JSON numbers": PLAIN.replace(b'"id": 3,', b'"id": 3, "score": NaN,'),
    "repeated": PLAIN + PLAIN[:300],
    "no end": PLAIN.rstrip(),
    "other fields": PLAIN + b'{"id": "x", "text": "what is this", "label": "good", "more": 1}\n',
    "empty": b"",
}


@pytest.mark.parametrize("name", ODD)
def test_lines_are_read_as_records_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    files = {"a.jsonl": ODD[name], "b.jsonl": ODD["byte-order mark"].replace(b"train", b"bus")}
    lined = made(tmp_path / "lined", TOML, files)
    report = built(lined, "ingest")["ingest"]
    monkeypatch.setattr(lining, "is_lined", lambda source: False)
    parsed = made(tmp_path / "parsed", TOML, files)
    assert built(parsed, "ingest")["ingest"]["details"] == report["details"]
    assert contents(lined.build) == contents(parsed.build)


def test_a_line_too_long_to_hold_is_no_line_of_its_kind() -> None:
    one, other, third = (
        lining.Lines()
        .keys([lining.Line("utf-8", None), lining.Line("utf-8", b""), lining.Line("latin-1", b"")])
        .tolist()
    )
    assert one != other != third != one
