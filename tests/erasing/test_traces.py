"""Stretches of words are found wherever they stand, and nothing else is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.erasing import traces
from pipeline.erasing.traces import CHUNK_CHARS, Hasher, Known, chunks, folded, points_of, stretches

HASHER = Hasher(bytes(range(32)))
WORDS = st.text(st.sampled_from("abcdefgh 很好不错，。!\0\n<>Ａé"), min_size=0, max_size=120)


def within(texts: list[str], size: int) -> set[int]:
    """The hashes of all stretches of a length in texts."""
    found: set[int] = set()
    for joined in chunks(texts):
        for points in points_of(joined):
            found |= set(next(HASHER.within(points, [size])).tolist())
    return found


@given(before=WORDS, text=WORDS, after=WORDS)
def test_every_stretch_of_a_text_is_found_in_any_text_around_it(before: str, text: str, after: str) -> None:
    whole = folded(text).replace("\0", "")
    for piece, hashed in zip(own := stretches(whole), HASHER.wholes(own).tolist(), strict=True):
        assert hashed in within([before, after + whole + before], len(piece))


@given(texts=st.lists(WORDS, max_size=8), size=st.sampled_from([3, 10, 24]))
def test_hashes_are_those_of_the_stretches_one_by_one(texts: list[str], size: int) -> None:
    parts = [part for text in texts for part in folded(text).split("\0")]
    plain = {part[at : at + size] for part in parts for at in range(len(part) - size + 1)}
    assert within(texts, size) == set(HASHER.wholes(sorted(plain)).tolist())


def test_stretches_across_the_edges_of_chunks_are_found() -> None:
    letters = np.random.default_rng(1).integers(97, 123, 3 * CHUNK_CHARS).astype(np.uint8).tobytes().decode()
    edges = [at + shift for at in range(0, len(letters), traces.CHUNK_CHARS // 8) for shift in range(-24, 24)]
    pieces = [letters[at : at + 24] for at in edges if 0 <= at <= len(letters) - 24]
    assert set(HASHER.wholes(pieces).tolist()) <= within([letters], 24)


def test_texts_that_folding_makes_longer_are_seen_to_their_end() -> None:
    assert len(folded("ﷺ")) > 10
    end = "and the end of it all is seen here"
    (hashed,) = HASHER.wholes([folded(end)[-24:]]).tolist()
    assert hashed in within(["ﷺ" * (CHUNK_CHARS // 2 - 99) + end], 24)


def test_other_keys_give_other_hashes() -> None:
    other = Hasher(bytes(range(1, 33)))
    assert HASHER.wholes(["abcdefghijkl"])[0] != other.wholes(["abcdefghijkl"])[0]
    assert HASHER.names(["s/1"])[0] != other.names(["s/1"])[0]


def test_hashes_of_texts_that_are_nearly_alike_differ() -> None:
    texts = [f"{a}{b}aaaaaaaa{c}" for a in "abcdefgh" for b in "abcdefgh" for c in "abcdefgh" * 8]
    assert len(set(HASHER.wholes(texts).tolist())) == len(set(texts))


@pytest.mark.parametrize(
    ("text", "count", "length"),
    [("word", 0, 0), ("很好不", 0, 0), ("很好不错啊", 1, 5), ("a" * 10, 1, 10), ("a" * 24, 1, 24), ("a" * 84, 3, 24),
     ("很" * 71, 3, 10), ("a" * 9999, 12, 24)],
)  # fmt: skip
def test_how_many_stretches_a_text_has(text: str, count: int, length: int) -> None:
    pieces = stretches(text)
    assert len(pieces) == count
    assert {len(piece) for piece in pieces} <= {length}


@given(st.lists(st.integers(0, 2**64 - 1), max_size=30), st.lists(st.integers(0, 2**64 - 1), max_size=30))
def test_known_hashes_are_told_from_others(known: list[int], others: list[int]) -> None:
    given_ = np.array([*known, *others], dtype=np.uint64)
    found = Known(np.array(known, dtype=np.uint64)).among(given_).tolist()
    assert found == [hashed for hashed in given_.tolist() if hashed in set(known)]
