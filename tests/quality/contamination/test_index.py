"""The index: saved and mapped as it was, independent of nothing but its items, with a filter that forgets none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.contamination import opened, search
from tests.quality.contamination.texts import LEAST, chinese, english, indexed

if TYPE_CHECKING:
    from pathlib import Path

ITEMS = [english(1, 40), chinese(2, 60), english(3, 9), "Where is my card?", "好的"]


def test_a_saved_index_finds_the_same(tmp_path: Path) -> None:
    index = indexed(ITEMS)
    index.save(tmp_path)
    texts = [*ITEMS, f"{english(9, 30)} {ITEMS[1]}"]
    fresh, mapped = (search(texts, one, least_share=LEAST) for one in (index, opened(tmp_path)))
    assert [column.tolist() for column in fresh] == [column.tolist() for column in mapped]
    assert opened(tmp_path).digest() == index.digest()


def test_the_filter_forgets_nothing_and_lets_little_through() -> None:
    index = indexed([english(seed, 200) for seed in range(20)])
    assert index.may_hold(index.grams).all()
    assert index.may_hold(index.anchors).all()
    others = indexed([english(seed, 200) for seed in range(50, 70)]).grams
    assert index.may_hold(others).mean() < 0.2


def test_another_item_or_size_is_another_index() -> None:
    digests = {indexed(items).digest() for items in (ITEMS, ITEMS[:-1], [*ITEMS[:-1], "好吗"], ITEMS[::-1])}
    assert len(digests) == 4


def test_items_lie_one_after_another() -> None:
    index = indexed(ITEMS)
    assert index.items == len(ITEMS)
    assert np.diff(index.starts).tolist() == [40, 60, 9, 4, 2]
    assert index.weights.tolist() == [320, 300, 72, 32, 10]
    assert index.short.tolist() == [False, False, True, True, True]
    assert index.phrases.tolist() == [False, False, False, True, True]
    assert index.common.tolist() == [0, 36 + 53 + 5]
