"""The facts of one row: signs of broken encodings, and spans that survive being written as tags."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.gate.facts import Reader, tag_fault
from pipeline.gate.sample import good
from pipeline.tasks import task


def reader(name: str = "classification") -> Reader:
    from pipeline.recipe import check

    settings = check(good(name).raw, name="test")
    return Reader(
        task=task(name, settings.guideline),
        own=("text", "labels") if name == "classification" else ("messages",),
        labels=frozenset(settings.guideline.names),
    )


def read(text: str) -> dict[str, Any]:
    return reader().read(good("classification").rows["train"][0] | {"text": text})


@pytest.mark.parametrize(
    "text", ["it’s fine", "café é ü ÅÄÖ", "“好”，他说：《书》。", "São Ã, Â", "« café\u00a0»", "👍🏽 ok", "a\tb\nc"]
)
def test_clean_text_shows_no_signs(text: str) -> None:
    facts = read(text)
    assert (facts["mojibake"], facts["control"], facts["replacement"]) == (False, False, False)
    assert facts["seen"] == []


@pytest.mark.parametrize("text", ["it’s", "café", "naïve “so”", "👍"])
@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_utf8_read_as_something_else_shows(text: str, encoding: str) -> None:
    assert read(text.encode().decode(encoding, errors="ignore"))["mojibake"]


def test_chinese_mojibake_shows() -> None:
    assert read("锟斤拷锟斤拷")["mojibake"]


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x85", "\ufeff", "\ufffe"])
def test_control_characters_show(character: str) -> None:
    facts, text = read(f"a{character}b"), f"a{character}b\nwarm"
    assert facts["control"]
    assert facts["seen"] == [("control", f"{text!a} at code point 1")]


def test_signs_are_looked_for_in_every_text_of_a_row() -> None:
    row = good("chat").rows["train"][0]
    row["messages"][1]["content"] += "\ufffd"
    assert reader("chat").read(row)["replacement"]


def tokens(*edges: tuple[int, int]) -> list[dict[str, int]]:
    return [{"start": start, "end": end} for start, end in edges]


def spans(*found: tuple[int, int, str]) -> list[dict[str, Any]]:
    return [{"start": start, "end": end, "label": label, "text": ""} for start, end, label in found]


@pytest.mark.parametrize(
    ("edges", "found", "fault"),
    [
        ([(0, 2), (3, 5)], [(0, 5, "A")], ""),
        ([(0, 2), (2, 2), (3, 5)], [(3, 5, "A")], ""),
        ([(0, 2), (3, 5)], [(0, 2, "A"), (3, 5, "A")], ""),
        ([(0, 2), (3, 5)], [(0, 4, "A")], "inside a token"),
        ([(0, 2), (3, 5)], [(1, 2, "A")], "inside a token"),
        ([(0, 2), (3, 5)], [(0, 5, "A"), (3, 5, "B")], "overlaps"),
        ([(0, 3), (2, 5)], [], "overlap"),
        ([(3, 5), (0, 2)], [], "backwards"),
    ],
)
def test_tag_faults(edges: list[tuple[int, int]], found: list[tuple[int, int, str]], fault: str) -> None:
    told = tag_fault({"tokens": tokens(*edges), "spans": spans(*found)})
    assert (fault in told) if fault else told == ""


def test_rows_without_tokens_have_no_tags_to_be_wrong() -> None:
    assert tag_fault({"tokens": None, "spans": spans((0, 1, "A"))}) == ""
    assert tag_fault({"text": "no spans at all"}) == ""


@given(st.lists(st.sampled_from("OAB"), min_size=1, max_size=12), st.data())
def test_spans_on_token_edges_never_fail(tags: list[str], data: st.DataObject) -> None:
    widths = [data.draw(st.integers(1, 4)) for _ in tags]
    edges, at = [], 0
    for width in widths:
        edges.append((at, at + width))
        at += width + data.draw(st.integers(0, 1))
    found = [(start, end, tag) for (start, end), tag in zip(edges, tags, strict=True) if tag != "O"]
    assert tag_fault({"tokens": tokens(*edges), "spans": spans(*found)}) == ""
