"""Human decisions: read whole or refused with the line they stand in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.decisions import Decision, found, read
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from pathlib import Path


def lines(path: Path) -> list[Decision]:
    return list(read(path).lines)


LINE: dict[str, Any] = {"row": "s/1", "verdict": "wrong", "answer": ["good"], "was": ["bad"]}
LINE |= {"who": "mo", "when": "2026-01-05", "why": "irony"}


def test_no_file_no_decisions(tmp_path: Path) -> None:
    assert lines(tmp_path / "decisions.jsonl") == []


def test_all_lines_are_kept_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    told = [LINE, LINE | {"row": "s/2", "verdict": "fine"}, LINE | {"verdict": "drop", "why": "不要"}]
    path.write_text("\n\n".join(json.dumps(line, ensure_ascii=False) for line in told) + "\n", encoding="utf-8")
    read_now = lines(path)
    assert [(one.row, one.verdict, one.why) for one in read_now] == [
        ("s/1", "wrong", "irony"), ("s/2", "fine", "irony"), ("s/1", "drop", "不要")
    ]  # fmt: skip
    assert [one.place for one in read_now] == [f"decisions.jsonl:{number}" for number in (1, 3, 5)]
    assert (read_now[1].answer, read_now[1].was) == ('["good"]', '["bad"]')


@pytest.mark.parametrize("begin", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("odd", ["\u2028", "\u2029", "\x85", "\u3000"])
def test_a_line_ends_at_a_line_feed_only_and_a_byte_order_mark_is_none_of_it(
    tmp_path: Path, begin: str, end: str, odd: str
) -> None:
    path = tmp_path / "d.jsonl"
    told = [LINE | {"why": f"one{odd}two"}, LINE]
    path.write_bytes((begin + end.join(json.dumps(line, ensure_ascii=False) for line in told) + end).encode())
    assert [(one.place, one.why) for one in lines(path)] == [("d.jsonl:1", f"one{odd}two"), ("d.jsonl:2", "irony")]


@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf"])
def test_a_file_that_is_not_utf8_is_refused_with_the_byte(tmp_path: Path, begin: bytes) -> None:
    path = tmp_path / "d.jsonl"
    path.write_bytes(begin + json.dumps(LINE).encode() + b"\n" + '{"why": "不'.encode() + b"\xff")
    with pytest.raises(AssayError) as caught:
        lines(path)
    assert str(caught.value) == "d.jsonl:2: byte 0xff at byte 13 of the line is not UTF-8; save the file as UTF-8"


@pytest.mark.parametrize(
    ("row", "place", "said"),
    [
        ("film/104", 0, ""),
        ("104", 0, ""),
        ("en-021", 3, ""),
        ("a/en-021", 3, ""),
        ("7", None, "several rows are called so: film/7, book/7"),
        ("fil/104", None, "no such row, near: film/104, film/7"),
        ("105", None, "no such row, near: film/104"),
        ("/104", None, "no such row, near: film/104"),
        ("04", None, "no such row, near: film/104"),
        ("qqqqqq", None, "no such row"),
    ],
)
def test_a_row_is_found_by_its_id_with_or_without_its_source(row: str, place: int | None, said: str) -> None:
    ids = ["film/104", "film/7", "book/7", "chat/a/en-021"]
    at, why = found([row], ids)[row]
    assert (at, why) == (place, said)


def test_a_decision_fits_what_it_judged_and_what_it_made_of_it(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_text(json.dumps(LINE))
    (decision,) = lines(path)
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
        ({"text": 3}, "d.jsonl:2: the decision's text is no text: 3; mend the line"),
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
        lines(path)
    assert str(caught.value) == said


def test_what_was_left_of_a_decision_on_an_erased_row_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    gone = {"row": "erased/row", "erased": True, "verdict": "drop", "who": "mo", "when": "2026-01-05"}
    path.write_text(json.dumps(gone) + "\n" + json.dumps(LINE) + "\n", encoding="utf-8")
    assert [(one.place, one.row) for one in lines(path)] == [("d.jsonl:2", "s/1")]
