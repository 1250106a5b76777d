"""The self-test: it passes on texts that can be told apart, fails where the search does, and plants the same again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.quality.contamination import prove, search, selftest
from pipeline.quality.contamination.planting import (
    BARE,
    COPIES,
    LOOKALIKES,
    MUST,
    excerpt,
    halved,
    plants,
    respelled,
    reworded,
)
from pipeline.text import units
from tests.quality.contamination.texts import SIZE, chinese, english, found

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.quality.contamination import Hits, Index

ENGLISH = [english(seed, 20 + seed % 30) for seed in range(150)]
CHINESE = [chinese(seed, 30 + seed % 30) for seed in range(150)]


def test_copies_are_found_and_lookalikes_left_alone_in_both_scripts() -> None:
    proof = prove([*ENGLISH, *CHINESE], size=SIZE, least_share=0.4, most=60)
    assert proof.passed
    assert {(line.kind, line.script) for line in proof.lines} == {
        (kind, script) for kind in (*COPIES, *LOOKALIKES) for script in ("spaced", "unspaced")
    }
    for line in proof.lines:
        if line.kind in MUST or line.kind in LOOKALIKES:
            assert line.share == 1, line
        assert 0 <= line.low <= line.share <= line.high <= 1
        assert line.right_item in ((1.0,) if line.kind in COPIES else (None,))
    assert proof.precision.share == 1


def test_it_fails_where_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selftest, "search", lambda texts, index, **more: search([], index, **more))
    assert not prove(ENGLISH, size=SIZE, least_share=0.4, most=20).passed


def test_it_fails_where_half_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    def half(texts: Sequence[str], index: Index, *, least_share: float) -> Hits:
        hits = search(texts, index, least_share=least_share)
        return hits.only(hits.text % 2 == 0)

    monkeypatch.setattr(selftest, "search", half)
    proof = prove(ENGLISH, size=SIZE, least_share=0.4, most=20)
    assert proof.precision.share == 1
    assert not proof.passed


def test_it_fails_where_everything_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        selftest, "search", lambda texts, index, **more: search([ENGLISH[0] for _ in texts], index, **more)
    )
    proof = prove(ENGLISH, size=SIZE, least_share=0.4, most=20)
    assert not proof.passed
    assert proof.precision.share < 0.95


def test_the_order_of_the_items_changes_nothing() -> None:
    first, second = (
        plants(texts, long_enough=lambda text, kind: True, most=20, seed=1) for texts in (ENGLISH, ENGLISH[::-1])
    )
    assert first == second
    assert first != plants(ENGLISH, long_enough=lambda text, kind: True, most=20, seed=2)


@pytest.mark.parametrize("text", [ENGLISH[0], CHINESE[0], "GPT写诗：first, second。", "one"])
def test_every_change_is_one(text: str) -> None:
    assert respelled(text, 1) != text or text == CHINESE[0]
    assert found([text], [respelled(text, 1)]).share.tolist() == [1.0]
    assert reworded(text, ["quite other", "完全不同"], 1) != text
    assert text.startswith(halved(text))
    assert excerpt(text, 1) in text


@pytest.mark.parametrize("text", [ENGLISH[0], CHINESE[0]])
def test_an_excerpt_is_a_few_words_from_anywhere(text: str) -> None:
    parts = {excerpt(text, seed) for seed in range(40)}
    assert len(parts) > 5
    assert {len(units(part)) for part in parts} == {12 if text in ENGLISH else 20}


def test_it_tells_that_a_frame_was_not_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stands in twenty items, so that a plain comparison would take it for a copy."""
    monkeypatch.setattr("pipeline.quality.contamination.index.LEAST_ITEMS", 100)
    proof = prove(ENGLISH, size=SIZE, least_share=0.4, most=60)
    assert [line.share for line in proof.lines if line.kind == BARE] == [0]
    assert proof.precision.share < 1
