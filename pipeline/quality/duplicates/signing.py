"""Signing: what the search for duplicates has to know of one text, a few narrow columns made of that text alone."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.quality.duplicates.folding import CHARACTER, LETTER, Folded, classes, keys
from pipeline.quality.duplicates.wording import Wordings, bags
from pipeline.quality.fingerprints import fingerprints, lowest
from pipeline.quality.shingles import code_points, mixed, script_grams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Hashes = NDArray[np.uint64]

# Below these lengths (characters, normalised) one edit is too much of a text: only equal ones are the same.
SHORTEST_SPACED, SHORTEST_UNSPACED = 20, 8
# Texts that differ in one word are found by their words; bands have to find those that differ in several, and those
# are long enough to be alike: a pair of Jaccard .6 is proposed with 99 %, of .5 with 93 %, of .2 with 15 %.
BANDS, BAND_ROWS = 20, 3
WORDS_KEPT = 64
# Of texts with more words than this a byte of each MinHash is kept, which tells how much of two of them is the same.
SKETCHED_WORDS = 48
# An odd factor and a term for every MinHash: the order of hashes multiplied so is as good as random, and quick.
_FACTORS = mixed(np.arange(1, 2 * BANDS * BAND_ROWS + 1, dtype=np.uint64)).astype(np.uint32).reshape(-1, 2) | np.uint32(
    1
)

SIGNED = pa.schema(
    [
        pa.field("exact", pa.binary(16), nullable=False),
        pa.field("key", pa.binary(16), nullable=False),
        pa.field("length", pa.int64(), nullable=False),
        pa.field("unspaced", pa.bool_(), nullable=False),
        pa.field("units", pa.int64(), nullable=False),
        pa.field("words", pa.list_(pa.uint64()), nullable=False),
        pa.field("bag", pa.uint64(), nullable=False),
        pa.field("bands", pa.list_(pa.uint32()), nullable=False),
        pa.field("sketch", pa.list_(pa.uint8()), nullable=False),
        pa.field("fingerprints", pa.list_(pa.uint64()), nullable=False),
        pa.field("lowest", pa.uint64()),
    ]
)
"""One line per row: a hash of the text and of the text once normalised; the normalised length in characters; whether
most letters are of an unspaced script; how many words (unspaced: characters) it has; the codes of the first of them
(`WORDS_KEPT`); a hash of all of them in any order; LSH bands (none for short texts); a byte of each MinHash (of
long texts only); fingerprints of its passages and
the lowest hash of one (null for very short texts). About 3 KB at most, however long the text is."""


def signed(batch: pa.RecordBatch, *, texts: str = "text") -> pa.RecordBatch:
    """`SIGNED` of every row of a batch, in order; a missing text is an empty one.

    Pure and row by row, so that it can be cached by the content of the row. Near duplicates are proposed by MinHash of
    character n-grams, 5 in runs of spaced scripts and 2 in runs of unspaced ones (Broder 1997,
    doi 10.1109/SEQUEN.1997.666900), passages by winnowing (`pipeline.quality.fingerprints`).
    """
    column = [text or "" for text in batch[texts].to_pylist()]
    folded = Folded.of(column)
    names = keys(column, folded)
    wordings = Wordings.of(folded)
    unspaced, shortest = _scripts(folded)
    length = np.fromiter(map(len, names), dtype=np.int64, count=len(names))
    prints, firsts = fingerprints(wordings.codes, wordings.starts), lowest(wordings.codes, wordings.starts)
    return pa.RecordBatch.from_arrays(
        [
            digests(column),
            digests(names),
            pa.array(length),
            pa.array(unspaced),
            pa.array(np.diff(wordings.starts)),
            _first(wordings),
            pa.array(bags(wordings.codes, wordings.starts)),
            *_bands(names, length >= shortest, np.diff(wordings.starts) > SKETCHED_WORDS),
            _lists(*prints, pa.uint64()),
            pa.array(firsts[0], mask=~firsts[1]),
        ],
        schema=SIGNED,
    )


def key_grams(names: Sequence[str]) -> tuple[Hashes, Ints]:
    """The hashed n-grams of normalised texts, by runs of script, repeats kept, and the text each is from."""
    points, starts = code_points(names)
    flat = np.frombuffer("".join(names).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    return script_grams(points, classes(flat) & CHARACTER > 0, starts)


def digests(texts: Sequence[str | None]) -> pa.Array:
    """A hash of each text as it stands, of a missing one that of an empty one: binary(16)[texts]."""
    data = b"".join(blake2b((text or "").encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in texts)
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(texts), [None, pa.py_buffer(data)])


def _scripts(folded: Folded) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Whether most letters of each text are of an unspaced script, and from which length on it may be near another."""
    rows = len(folded.ends)
    text = folded.rows()
    characters = np.bincount(text[folded.classes & CHARACTER > 0], minlength=rows)
    letters = np.bincount(text[folded.classes & LETTER > 0], minlength=rows)
    share = characters / np.maximum(characters + letters, 1)
    return characters > letters, SHORTEST_SPACED - share * (SHORTEST_SPACED - SHORTEST_UNSPACED)


def _first(wordings: Wordings) -> pa.Array:
    sizes = np.diff(wordings.starts)
    kept = np.arange(len(wordings.codes)) - np.repeat(wordings.starts[:-1], sizes) < WORDS_KEPT
    return _lists(wordings.codes[kept], np.concatenate([[0], np.cumsum(np.minimum(sizes, WORDS_KEPT))]), pa.uint64())


def _lists(values: NDArray[np.generic], starts: Ints, kind: pa.DataType) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array(starts, pa.int32()), pa.array(values, kind))


def _bands(names: Sequence[str], long: NDArray[np.bool_], very_long: NDArray[np.bool_]) -> tuple[pa.Array, pa.Array]:
    """The bands of the texts that are long enough, a 32-bit hash for every `BAND_ROWS` MinHashes, and their sketches.

    A sketch is the lowest byte of every MinHash (Li and Koenig 2010, doi 10.1145/1772690.1772759).
    """
    hashes, text = key_grams([name for name, near in zip(names, long, strict=True) if near])
    starts = np.concatenate([[0], np.cumsum(np.bincount(text, minlength=int(long.sum())))])
    halves = (hashes >> np.uint64(32)).astype(np.uint32)
    found = np.zeros((len(starts) - 1, BANDS), dtype=np.uint32)
    sketch = np.zeros((len(starts) - 1, BANDS * BAND_ROWS), dtype=np.uint8)
    for band in range(BANDS if len(text) else 0):
        joined = np.zeros(len(starts) - 1, dtype=np.uint64)
        for row in range(BAND_ROWS):
            factor, term = _FACTORS[band * BAND_ROWS + row]
            least = np.minimum.reduceat(halves * factor + term, starts[:-1])
            sketch[:, band * BAND_ROWS + row] = least & np.uint32(255)
            joined = mixed(joined + least)
        found[:, band] = joined >> np.uint64(32)
    sketched = long & very_long
    chosen = sketch[sketched[long]].reshape(-1)
    return (
        _lists(found.reshape(-1), np.concatenate([[0], np.cumsum(BANDS * long)]), pa.uint32()),
        _lists(chosen, np.concatenate([[0], np.cumsum(BANDS * BAND_ROWS * sketched)]), pa.uint8()),
    )
