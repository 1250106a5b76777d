"""Human decisions: read whole or refused with the line they stand in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.decisions import read
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from pathlib import Path

LINE: dict[str, Any] = {"row": "s/1", "verdict": "wrong", "answer": ["good"], "was": ["bad"]}
LINE |= {"who": "mo", "when": "2026-01-05", "why": "irony"}


def test_no_file_no_decisions(tmp_path: Path) -> None:
    assert read(tmp_path / "decisions.jsonl") == {}


def test_the_last_line_of_a_row_counts(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    lines = [LINE, LINE | {"row": "s/2", "verdict": "fine"}, LINE | {"verdict": "drop", "why": "不要"}]
    path.write_text("\n\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n", encoding="utf-8")
    found = read(path)
    assert list(found) == ["s/1", "s/2"]
    assert (found["s/1"].verdict, found["s/1"].why, found["s/1"].place) == ("drop", "不要", "decisions.jsonl:5")
    assert (found["s/2"].answer, found["s/2"].was) == ('["good"]', '["bad"]')


def test_a_decision_fits_what_it_judged_and_what_it_made_of_it(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_text(json.dumps(LINE))
    decision = read(path)["s/1"]
    assert decision.fits('["bad"]')
    assert decision.fits('["good"]')
    assert not decision.fits('["mixed"]')
    assert not decision.fits(None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("no json", "d.jsonl:2: no decision: no json; mend the line"),
        ("[1]", "d.jsonl:2: no decision: [1]; mend the line"),
        ({"why": ""}, "d.jsonl:2: the decision has no why; add what is missing"),
        ({"row": None, "who": None}, "d.jsonl:2: the decision has no row, who; add what is missing"),
        ({"verdict": "bad"}, "d.jsonl:2: verdict 'bad'; known: wrong, fine, ambiguous, drop"),
        (
            {"answer": None},
            "d.jsonl:2: verdict 'wrong' without the right answer; add 'answer', or use verdict 'drop'",
        ),
    ],
)
def test_a_line_that_is_no_decision_stops_the_build(tmp_path: Path, change: str | dict[str, Any], said: str) -> None:
    path = tmp_path / "d.jsonl"
    line = change if isinstance(change, str) else json.dumps(LINE | change)
    path.write_text(f"{json.dumps(LINE)}\n{line}\n")
    with pytest.raises(AssayError) as caught:
        read(path)
    assert str(caught.value) == said
