"""What is remembered of pairs of texts changes nothing that is found, and only new pairs are read again."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality.duplicates import SIGNED, Found, comparing, pairs, signed
from pipeline.quality.duplicates.containing import _runs
from pipeline.quality.duplicates.frequency import Frequencies, rarest
from pipeline.quality.duplicates.proposing import Narrow
from pipeline.quality.duplicates.recalling import Recall, anew, pair_keys
from pipeline.quality.duplicates.searching import _plainly_far
from tests.quality.duplicates.test_near import planted

NAMES = ["red", "green", "blue", "two", "3", "not", "never", "parcel", "train", "ticket", "late"]
words = st.lists(st.sampled_from(NAMES), max_size=14)


class Remembered:
    """Lines by their keys, and how many were made anew."""

    def __init__(self) -> None:
        self.lines: dict[bytes, pa.RecordBatch] = {}
        self.made = 0

    def __call__(self, function: object, given: pa.RecordBatch) -> pa.RecordBatch:
        assert callable(function)
        keys = given["key"].to_pylist()
        new = [at for at, key in enumerate(keys) if key not in self.lines]
        self.made += len(new)
        made = function(given.take(pa.array(new, pa.int64())))
        self.lines |= {keys[at]: made.slice(number, 1) for number, at in enumerate(new)}
        return pa.concat_batches([self.lines[key] for key in keys]) if keys else made


def found(texts: list[str], recall: Recall = anew) -> Found:
    column = pa.array(texts, pa.large_string())
    table = pa.Table.from_batches([signed(pa.RecordBatch.from_pydict({"text": column}))], schema=SIGNED)
    return pairs(table, lambda rows: column.take(pa.array(rows)).to_pylist(), recall=recall)


def lines(one: Found) -> list[tuple[object, ...]]:
    columns = (one.left.tolist(), one.right.tolist(), one.kind, one.similarity.tolist(), one.accepted.tolist(), one.why)
    return [*zip(*columns, strict=True), tuple(sorted(one.not_listed.items()))]


def test_what_is_remembered_changes_nothing_and_spares_reading() -> None:
    texts = planted(300, seed=4)[0]
    texts += [f"please send parcel {number} to the house in the red street" for number in range(12)]
    memory = Remembered()
    assert lines(found(texts, memory)) == lines(found(texts))
    whole = memory.made
    assert whole > 10
    changed = [*texts[:20], "please send parcel 99 to the house in the red street", *texts[21:]]
    assert lines(found(changed, memory)) == lines(found(changed))
    assert memory.made - whole < whole // 2


def test_a_key_tells_texts_order_and_number_apart() -> None:
    exact = np.arange(6, dtype=np.uint64).reshape(3, 2)
    left, right = np.array([0, 1, 0, 0]), np.array([1, 0, 2, 1])
    keys = pair_keys(exact, left, right, np.array([0, 0, 0, 1], dtype=np.uint64)).to_pylist()
    assert len(set(keys)) == 4
    assert pair_keys(exact, left[:1], right[:1], np.zeros(1, dtype=np.uint64)).to_pylist() == keys[:1]


@settings(max_examples=60, deadline=None)
@given(st.lists(words, min_size=2, max_size=8))
def test_what_is_plainly_far_is_far_and_no_slot_once_compared(texts: list[list[str]]) -> None:
    batch = signed(pa.RecordBatch.from_pydict({"text": pa.array([" ".join(one) for one in texts], pa.large_string())}))
    narrow = Narrow.of(pa.Table.from_batches([batch]), np.arange(len(texts)), None)
    left, right = (each.reshape(-1) for each in np.meshgrid(np.arange(len(texts)), np.arange(len(texts))))
    far = _plainly_far(narrow, left, right)
    told = comparing.compared(narrow.words, narrow.starts, left, right)
    assert (told.state[far] == comparing.FAR).all()
    assert not told.frames[far].any()
    assert not told.words[far].any()


def test_texts_without_a_word_in_common_are_plainly_far() -> None:
    texts = ["one small parcel came late today", "four green trains leave every night"]
    batch = signed(pa.RecordBatch.from_pydict({"text": pa.array(texts, pa.large_string())}))
    narrow = Narrow.of(pa.Table.from_batches([batch]), np.arange(2), None)
    assert _plainly_far(narrow, np.array([0]), np.array([1])).tolist() == [True]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=8), min_size=2, max_size=8))
def test_runs_of_words_are_found_as_by_looking_everywhere(texts: list[list[int]]) -> None:
    codes = np.array([code for text in texts for code in text], dtype=np.uint64)
    starts = np.cumsum([0, *map(len, texts)])
    holder, held = (each.reshape(-1) for each in np.meshgrid(np.arange(len(texts)), np.arange(len(texts))))
    expected = [
        any(texts[one][at : at + len(texts[other])] == texts[other] for at in range(len(texts[one])))
        for one, other in zip(holder.tolist(), held.tolist(), strict=True)
    ]
    assert _runs(codes, starts, holder, held).tolist() == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.integers(0, 5), max_size=6), max_size=8))
def test_words_are_counted_once_a_text(texts: list[list[int]]) -> None:
    codes = np.array([code for text in texts for code in text], dtype=np.uint64)
    starts = np.cumsum([0, *map(len, texts)])
    counts = [sum(code in text for text in texts) for code in range(6)]
    assert Frequencies.of(codes, starts)(np.arange(6, dtype=np.uint64)).tolist() == counts
    assert rarest(codes, starts, 2).tolist() == [min([2, *(counts[code] for code in text)]) for text in texts]
