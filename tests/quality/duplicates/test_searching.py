"""Long texts are compared when they may be alike, and are not when they cannot be."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from pipeline.quality.duplicates import searching, signed
from pipeline.quality.duplicates.proposing import Narrow
from pipeline.quality.duplicates.searching import Search

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

WORDS = ["".join(random.Random(f"word {number}").choices("abcdefghijklmnoprstuvwz", k=7)) for number in range(500)]
CHARACTERS = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜金生丽水玉出昆冈"


def _written(number: int, words: int, *, chinese: bool = False) -> list[str]:
    return random.Random(number).choices(CHARACTERS if chinese else WORDS, k=words)


def _with_slips(text: Sequence[str], number: int) -> list[str]:
    """The text with two letters turned in one word of eight, which is as much as may be let pass."""
    chance, made = random.Random(f"slips {number}"), list(text)
    for at in chance.sample(range(len(text)), len(text) // 8):
        place = chance.randrange(1, len(made[at]) - 2)
        made[at] = made[at][:place] + made[at][place + 1] + made[at][place] + made[at][place + 2 :]
    return made


def _narrow(texts: list[str]) -> Narrow:
    told = signed(pa.RecordBatch.from_pydict({"text": pa.array(texts, pa.large_string())}))
    return Narrow.of(pa.Table.from_batches([told]), np.arange(len(texts)), None)


@pytest.mark.parametrize("words", [70, 150, 400])
def test_long_texts_with_as_many_slips_as_are_let_pass_are_compared(words: int) -> None:
    texts = [_written(number, words) for number in range(100)]
    narrow = _narrow([" ".join(each) for at, text in enumerate(texts) for each in (text, _with_slips(text, at))])
    first = np.arange(0, 200, 2)
    assert not searching._long_and_far(narrow, first, first + 1).any()


@pytest.mark.parametrize("chinese", [False, True])
def test_long_texts_that_share_little_are_not_read_again(chinese: bool) -> None:
    texts = [("" if chinese else " ").join(_written(number, 120, chinese=chinese)) for number in range(200)]
    read: list[int] = []

    def texts_of(rows: NDArray[np.int64]) -> list[str]:
        read.extend(rows.tolist())
        return [texts[row] for row in rows.tolist()]

    narrow = _narrow(texts)
    assert searching._long_and_far(narrow, *np.triu_indices(len(texts), 1)).mean() > 0.9
    assert not Search(texts_of, 0.8, 0).near(narrow).accepted.any()
    assert len(set(read)) < len(texts) // 2


def test_a_text_of_many_words_more_is_too_different_whatever_they_share() -> None:
    text = _written(1, 100)
    narrow = _narrow([" ".join(text), " ".join(text * 2)])
    assert searching._long_and_far(narrow, np.array([0]), np.array([1])).tolist() == [True]
