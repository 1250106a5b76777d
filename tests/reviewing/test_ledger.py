"""The ledger keeps up with the file of decisions, whoever adds to it and whatever was taken back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import decisions
from pipeline.errors import AssayError
from pipeline.reviewing.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def entry(row: str, who: str = "anna", verdict: str = "fine", **more: Any) -> dict[str, Any]:
    return {"row": row, "verdict": verdict, "who": who, "when": "2026-01-01", "why": "seen", **more}


def undo(target: str) -> dict[str, Any]:
    return {"undo": target, "who": "anna", "when": "2026-01-02", "why": "taken back"}


def test_a_line_that_is_still_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    decisions.add(path, [entry("a")])
    ledger = Ledger(path)
    line = json.dumps(entry("b")).encode() + b"\n"
    with path.open("ab") as file:
        file.write(line[:20])
        file.flush()
        assert ledger.refresh() == set()
        file.write(line[20:])
    assert ledger.refresh() == {("b", "")}


def test_half_a_line_of_a_killed_process_is_set_aside(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    decisions.add(path, [entry("a")])
    with path.open("ab") as file:
        file.write(b'{"row": "b", "verd')
    assert set(Ledger(path).voices) == {("a", "")}
    assert (tmp_path / "decisions.jsonl.torn").exists()


def test_a_last_line_without_an_end_counts(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_text(json.dumps(entry("a")))
    ledger = Ledger(path)
    decisions.add(path, [entry("b")])
    assert ledger.refresh() == {("b", "")}
    assert set(ledger.voices) == {("a", ""), ("b", "")}


def test_a_file_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    decisions.add(path, [entry("a"), entry("b")])
    ledger = Ledger(path)
    path.write_text(json.dumps(entry("c")) + "\n")
    assert ledger.refresh() is None
    assert set(ledger.voices) == {("c", "")}


def test_a_broken_line_is_told_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.write_text(json.dumps(entry("a")) + "\nnothing\n")
    with pytest.raises(AssayError, match=r"decisions\.jsonl:2"):
        Ledger(path)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("say"), st.sampled_from("ab"), st.sampled_from(["anna", "ben"])),
            st.tuples(st.just("undo"), st.integers(0, 5), st.just("anna")),
        ),
        max_size=12,
    )
)
def test_it_says_what_the_book_says(
    tmp_path_factory: pytest.TempPathFactory, said: Sequence[tuple[str, Any, str]]
) -> None:
    path = tmp_path_factory.mktemp("book") / "decisions.jsonl"
    ledger, ids = Ledger(path), list[str]()
    for number, (what, about, who) in enumerate(said):
        if what == "say":
            ids += decisions.add(path, [entry(about, who, act=f"act-{number}")])
        elif about < len(ids):
            ids += decisions.add(path, [undo(ids[about])])
        ledger.refresh()
    held = decisions.read(path)
    told = [*held.standing, *(voice for conflict in held.conflicts for voice in conflict.voices)]
    assert {key: set(voices) for key, voices in ledger.voices.items()} == {
        (line.row, line.part): {one.who for one in told if one.row == line.row} for line in told
    }


def test_a_broken_line_is_told_until_it_is_mended_and_nothing_after_it_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    decisions.add(path, [entry("a")])
    ledger = Ledger(path)
    with path.open("a") as file:
        file.write(json.dumps(entry("b")) + "\nnothing\n" + json.dumps(entry("c")) + "\n")
    for _ in range(3):
        with pytest.raises(AssayError, match=r"decisions\.jsonl:3"):
            ledger.refresh()
    path.write_text(path.read_text().replace("nothing\n", json.dumps(entry("d")) + "\n"))
    ledger.refresh()
    assert {row for row, _ in ledger.voices} == {"a", "b", "c", "d"}


@pytest.mark.parametrize("becomes", ["drop", "ambiguous"])
def test_a_line_that_was_changed_in_its_place_is_read_again(tmp_path: Path, becomes: str) -> None:
    path = tmp_path / "decisions.jsonl"
    decisions.add(path, [entry("a"), entry("b")])
    ledger = Ledger(path)
    path.write_text(path.read_text().replace("fine", becomes, 1))
    decisions.add(path, [entry("c")])
    ledger.refresh()
    assert [said["anna"].verdict for said in ledger.voices.values()] == [becomes, "fine", "fine"]


def test_a_file_that_cannot_be_opened_is_told_in_words(tmp_path: Path) -> None:
    path = tmp_path / "decisions.jsonl"
    path.mkdir()
    with pytest.raises(AssayError, match=r"decisions\.jsonl"):
        Ledger(path)
