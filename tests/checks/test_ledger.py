"""The ledger of checks: only ever added to, read whole or refused, people heard together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.checks.ledger import Check, append, judged, lines, together
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from pathlib import Path

ONE = Check("made/1", "wrong", "mo", "2026-01-05", "text", '["a"]', '["b"]', "irony", "1", (("label", "a"),))


def by(who: str, verdict: Any) -> Check:
    return Check("made/1", verdict, who, "2026-01-05", "text", '["a"]')


def test_what_is_added_reads_back_after_a_file_without_its_last_line_end(tmp_path: Path) -> None:
    path = tmp_path / "checks.jsonl"
    assert lines(path) == []
    append(path, [ONE])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().rstrip(b"\n"))
    other = Check("made/2", "fine", "jo", "2026-01-06", "a\u2028b \ud800", "[]")
    append(path, [other])
    assert lines(path) == [ONE, other]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "no check"),
        ("[1]", "no check"),
        (json.dumps({"row": "made/1"}), "the check has no verdict, who, when, text, answer"),
        (
            json.dumps({"row": "r", "verdict": "bad", "who": "m", "when": "w", "text": "t", "answer": "a"}),
            "verdict 'bad'",
        ),
    ],
)
def test_a_line_that_is_no_check_is_refused_with_its_place(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "checks.jsonl"
    append(path, [ONE])
    path.write_bytes(path.read_bytes() + b"\n" + line.encode())
    with pytest.raises(AssayError, match=rf"checks\.jsonl:3: {problem}"):
        lines(path)


def test_people_are_heard_together() -> None:
    assert together([]) is None
    assert together([by("mo", "fine"), by("mo", "wrong")]) == "wrong"  # the last that one person said
    assert together([by("mo", "fine"), by("jo", "wrong")]) == "wrong"  # the worst, where they differ
    assert together([by("mo", "fine"), by("jo", "ambiguous")]) == "ambiguous"
    assert together([by("mo", "fine"), by("jo", "wrong"), by("li", "fine")]) == "fine"


def test_the_name_of_what_was_judged_changes_with_text_and_answer_and_is_no_number() -> None:
    names = {judged(*pair) for pair in (("a", "b"), ("ab", ""), ("", "ab"), ("a", "c"), ("a\0b", "c"))}
    assert len(names) == 5
    assert all(name.startswith("j") for name in names)
