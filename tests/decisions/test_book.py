"""The book of decisions: what is in force, what was taken back, and where people differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import decisions
from pipeline.decisions import Book, add, line_id, read, undo
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from pathlib import Path


def said(row: str, verdict: str = "fine", who: str = "mo", **more: Any) -> dict[str, Any]:
    return {"row": row, "verdict": verdict, "who": who, "when": "2026-01-05", "why": "seen"} | more


def book(tmp_path: Path, *entries: dict[str, Any]) -> Book:
    path = tmp_path / "decisions.jsonl"
    add(path, entries)
    return read(path)


def standing(held: Book) -> list[tuple[str, str, str]]:
    return [(one.row, one.who, one.verdict) for one in held.standing]


def test_two_people_who_differ_are_followed_in_neither_and_told(tmp_path: Path) -> None:
    held = book(tmp_path, said("s/1", "wrong", answer=["bad"]), said("s/1", who="ann"), said("s/2"))
    assert standing(held) == [("s/2", "mo", "fine")]
    (conflict,) = held.conflicts
    assert conflict.said == (
        'row s/1: mo says wrong (bad) (decisions.jsonl:1); ann says fine (decisions.jsonl:2)'
    )  # fmt: skip


def test_two_people_who_agree_are_no_conflict(tmp_path: Path) -> None:
    held = book(tmp_path, said("s/1", "wrong", answer=["bad"]), said("s/1", "wrong", "ann", answer=["bad"]))
    assert (len(held.standing), held.conflicts) == (2, ())


def test_other_parts_of_a_row_are_other_matters(tmp_path: Path) -> None:
    held = book(tmp_path, said("s/1", part="0:3"), said("s/1", "drop", "ann", part="4:6"))
    assert (len(held.standing), held.conflicts) == (2, ())


def test_who_judges_what_another_made_does_not_differ_from_him(tmp_path: Path) -> None:
    first = said("s/1", "wrong", was=["good"], answer=["bad"])
    held = book(tmp_path, first, said("s/1", "wrong", "ann", was=["bad"], answer=["mixed"]))
    assert (len(held.standing), held.conflicts) == (2, ())


def test_a_person_may_change_his_mind(tmp_path: Path) -> None:
    held = book(tmp_path, said("s/1", "drop"), said("s/1", who="ann"), said("s/1", "fine"))
    assert held.conflicts == ()


def test_an_adjudicator_settles_it_by_naming_both(tmp_path: Path) -> None:
    two = [said("s/1", "drop"), said("s/1", who="ann")]
    half = book(tmp_path / "a", *two, said("s/1", "drop", "eve", settles=[line_id(two[0])]))
    assert len(half.conflicts) == 1
    whole = book(tmp_path / "b", *two, said("s/1", "drop", "eve", settles=[line_id(one) for one in two]))
    assert whole.conflicts == ()
    assert whole.standing[-1].who == "eve"
    again = book(tmp_path / "b", said("s/1", "ambiguous", "ann"))
    assert len(again.conflicts) == 1  # what was settled was not this


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()


def test_undoing_is_a_line_of_its_own_and_can_itself_be_undone(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    (first,) = add(path, [said("s/1", "drop")])
    before = path.read_bytes()
    back = undo(path, first, who="ann", when="2026-01-06", why="misread")
    assert path.read_bytes().startswith(before)
    assert (standing(read(path)), list(read(path).undone)) == ([], [first])
    undo(path, back, who="mo", when="2026-01-07", why="no, it was right")
    assert standing(read(path)) == [("s/1", "mo", "drop")]
    with pytest.raises(AssayError, match=r"no line of decisions\.jsonl is called so"):
        undo(path, "d0000000000", who="mo", when="2026-01-07", why="x")
    undo(path, first, who="mo", when="2026-01-08", why="again")
    with pytest.raises(AssayError, match="was undone before"):
        undo(path, first, who="mo", when="2026-01-08", why="twice")


def test_an_act_is_undone_as_one(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    add(path, [said(f"s/{row}", "drop", act="a1") for row in range(3)] + [said("s/9")])
    undo(path, "a1", who="mo", when="2026-01-06", why="too wide")
    assert standing(read(path)) == [("s/9", "mo", "fine")]


def test_undoing_ends_a_conflict(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    add(path, [said("s/1", "drop"), said("s/1", who="ann")])
    undo(path, read(path).lines[0].id, who="mo", when="2026-01-06", why="ann is right")
    assert (standing(read(path)), read(path).conflicts) == ([("s/1", "ann", "fine")], ())


@given(st.lists(st.tuples(st.sampled_from(["1", "2"]), st.sampled_from(["mo", "ann"]), st.booleans()), max_size=9))
def test_every_line_is_in_force_undone_or_in_a_conflict(told: list[tuple[str, str, bool]]) -> None:
    lines = [
        decisions.line.parsed(json.dumps(said(row, "fine" if fine else "drop", who, why=str(at))), f"d:{at}")
        for at, (row, who, fine) in enumerate(told)
    ]
    held = decisions.book(tuple(line for line in lines if line is not None))
    differing = {(one.row, one.part) for one in held.conflicts}
    assert {one.id for one in held.standing} | {one.id for one in held.lines if (one.row, one.part) in differing} == {
        one.id for one in held.lines
    }
    for row in {row for row, _, _ in told}:
        last = {who: fine for each, who, fine in told if each == row}
        assert ((row, "") in differing) == (len(set(last.values())) > 1)


@pytest.mark.parametrize(
    ("entry", "what"),
    [
        (said("s/1", "wrong"), "without the right answer"),
        (said("", "fine"), "has no row"),
        (said("s/1", "fine", cause="whim"), "cause 'whim'"),
        (said("s/1", "ambiguous", shares={"a": 0.4}), "no shares"),
        (said("s/1", "ambiguous", shares={"a": "x"}), "no shares"),
        (said("s/1", seconds=-1), "seconds is no number"),
        (said("s/1", part=3), "part is no text"),
        ({"verdict": "wrong", "who": "mo", "when": "x", "why": "y", "rule": {"given": "A"}}, "rule cannot be read"),
        ({"undo": "d1", "who": "mo"}, "that undoes has no when, why"),
    ],
)
def test_nothing_is_written_that_could_not_be_read(tmp_path: Path, entry: dict[str, Any], what: str) -> None:
    path = tmp_path / "decisions.jsonl"
    with pytest.raises(AssayError, match=what):
        add(path, [said("s/1"), entry])
    assert not path.exists()


def test_shares_stand_the_most_probable_first(tmp_path: Path) -> None:
    (line,) = book(tmp_path, said("s/1", "ambiguous", shares={"a": 0.25, "b": 0.75})).lines
    assert line.shares == (("b", 0.75), ("a", 0.25))


def test_under_another_guideline_nobody_differs(tmp_path: Path) -> None:
    held = book(tmp_path, said("s/1", "drop", guideline="1"), said("s/1", who="ann", guideline="2"))
    assert held.conflicts == ()
