"""Journals: added to whatever stood at the end before, and every line read back with its place, or refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import journal
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from pathlib import Path


@given(st.lists(st.text()), st.sampled_from(["", "\n", '{"a": "0"}', '{"a": "0"}\n']))
def test_what_is_added_is_read_again(tmp_path_factory: pytest.TempPathFactory, said: list[str], before: str) -> None:
    path = tmp_path_factory.mktemp("j") / "j.jsonl"
    path.write_text(before, encoding="utf-8")
    journal.add(path, [{"a": one} for one in said])
    assert [json.loads(line)["a"] for _, line in journal.numbered(path)] == [*(["0"] if "0" in before else []), *said]


def test_nothing_to_add_makes_no_file(tmp_path: Path) -> None:
    journal.add(tmp_path / "j.jsonl", [])
    assert list(tmp_path.iterdir()) == []
    assert journal.numbered(tmp_path / "j.jsonl") == []


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="cannot be read: Is a directory"):
        journal.numbered(tmp_path)
    with pytest.raises(AssayError, match="cannot be written: Is a directory"):
        journal.add(tmp_path, [{}])
