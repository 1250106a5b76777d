"""Words are counted once for each text that has them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quality.duplicates import frequency
from pipeline.quality.duplicates.frequency import Frequencies, rarest

TEXTS = st.lists(st.lists(st.integers(0, 6), max_size=9), max_size=12)


@given(TEXTS, st.integers(1, 20))
def test_texts_are_counted_and_not_places(texts: list[list[int]], room: int) -> None:
    codes, starts = _flat(texts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frequency, "_CELLS_AT_ONCE", room)
        found = Frequencies.of(codes, starts)
    expected = {word: sum(word in text for text in texts) for text in texts for word in text}
    assert dict(zip(found.codes.tolist(), found.counts.tolist(), strict=True)) == expected
    assert found.codes.tolist() == sorted(expected)
    asked = np.arange(8, dtype=np.uint64)
    assert found(asked).tolist() == [expected.get(word, 0) for word in range(8)]


@given(TEXTS)
def test_the_rarest_word_of_a_text(texts: list[list[int]]) -> None:
    having = {word: sum(word in text for text in texts) for text in texts for word in text}
    expected = [min([3, *(having[word] for word in text)]) for text in texts]
    assert rarest(*_flat(texts), 3).tolist() == expected


def _flat(
    texts: list[list[int]],
) -> tuple[np.ndarray[tuple[int], np.dtype[np.uint64]], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    codes = np.array([word for text in texts for word in text], dtype=np.uint64)
    return codes, np.cumsum([0, *map(len, texts)])
