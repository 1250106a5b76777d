"""What became of decisions, and answers as people read them; whatever an answer or a text holds."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pipeline.decisions import book, lapsed, read_as, status
from pipeline.decisions.lapsed import SHOWN_CHARS, apart
from pipeline.decisions.line import Decision, parsed


def line(number: int, **more: object) -> Decision:
    told = {"row": "s/1", "verdict": "fine", "who": f"p{number}", "when": "2026-01-05", "why": "x", "was": ["a"]} | more
    made = parsed(json.dumps(told), f"decisions.jsonl:{number}")
    assert made is not None
    return made


def test_each_line_has_one_status() -> None:
    first, other = line(1), line(2, verdict="drop")
    settles = line(3, settles=[first.id, other.id])
    before, again = line(4, row="s/2"), line(5, row="s/2", who="p4", why="once more")
    undone, stale = line(6, row="s/3"), line(7, row="s/4")
    undo = parsed(json.dumps({"undo": undone.id, "who": "b", "when": "1", "why": "y"}), "decisions.jsonl:8")
    assert undo is not None
    made = book((first, other, settles, before, again, undone, stale, undo))
    told = [status(one, made, {stale.place: "stale"}) for one in made.lines]
    settled = ["settled by p3", "settled by p3", "in force"]
    assert told == [*settled, "said again since", "in force", "undone", "stale", "undoes"]


@given(st.text(max_size=40), st.text(max_size=200))
def test_a_line_that_lapsed_is_found_whatever_its_row_and_texts_hold(row: str, text: str) -> None:
    one = line(9, row=row or "s", who=row.strip() or "p")
    assert lapsed({"details": {"decisions": {"stale": [one.lapsing("the text is another", text)]}}}).keys() == {
        one.place
    }


@given(st.text(max_size=300), st.text(max_size=300))
def test_texts_that_differ_are_shown_where_they_do(first: str, other: str) -> None:
    shown = apart(first, other)
    assert all(len(each) <= SHOWN_CHARS + 2 for each in shown)
    assert (shown[0] != shown[1]) == (first != other)


@given(st.text())
def test_an_answer_that_is_none_is_shown_as_it_stands(answer: str) -> None:
    assert read_as(answer, "text") in (answer, "nothing") or answer.startswith("[")
    assert read_as("[[0,9]]", "text") == "[[0,9]]"
    assert read_as('[[0,9,"ORG"]]', "text") == "0:9 ORG"
