"""Reading: the texts of proposed pairs are fetched, a block of pairs at a time, and each pair is ruled on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.quality.duplicates import ruling
from pipeline.quality.duplicates.comparing import OPEN, SLOT, compared
from pipeline.quality.duplicates.evidence import Found
from pipeline.quality.duplicates.folding import Folded, keys
from pipeline.quality.duplicates.parts import Text
from pipeline.quality.duplicates.recalling import Recall, anew, pair_keys
from pipeline.quality.duplicates.signing import key_grams
from pipeline.quality.duplicates.wording import Wordings
from pipeline.quality.shingles import distinct, jaccard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from pipeline.quality.duplicates.frequency import Frequencies
    from pipeline.quality.duplicates.proposing import Narrow

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_PAIRS_AT_ONCE = 4_000
APART = pa.schema([pa.field("similarity", pa.float64()), pa.field("why", pa.string())])
_NOT_MARKS = re.compile("[^\ue000-\ue0ff]+")  # where `pipeline.text.normalised` keeps marks that have a meaning


@dataclass(frozen=True)
class Read:
    """The texts of a block of pairs: their words, in how many texts each stands, and their n-grams."""

    wordings: Wordings
    counts: Ints
    hashes: NDArray[np.uint64]
    starts: Ints
    marks: list[str]

    @classmethod
    def of(cls, texts: list[str], frequencies: Frequencies) -> Read:
        """Read `texts`."""
        folded = Folded.of(texts)
        wordings = Wordings.of(folded)
        names = keys(texts, folded)
        grams = distinct(*key_grams(names), len(texts))
        return cls(wordings, frequencies(wordings.codes), *grams, [_NOT_MARKS.sub("", name) for name in names])

    def text(self, at: int) -> Text:
        """One of the texts, as it is ruled on."""
        first, last = self.wordings.starts[at : at + 2].tolist()
        return Text(self.wordings, self.counts, at, first, last - first, self.marks[at])


@dataclass(frozen=True)
class Reading:
    """How pairs are read: where their texts are, how common words are, from which similarity on a pair is alike.

    `recall`: what was made of a pair before.
    """

    texts_of: Callable[[Ints], list[str]]
    frequencies: Frequencies
    threshold: float
    recall: Recall = anew

    def rulings(self, narrow: Narrow, left: Ints, right: Ints, state: Ints, crowd: Ints) -> Found:
        """What is decided about pairs of rows of `narrow`, by index; `state`: see `comparing`; `crowd`: `ruling`.

        What keeps two texts apart that their words have told apart lies in the two alone, so it is recalled.
        """
        kind = np.full(len(left), "similar", dtype=object)
        why = np.full(len(left), "", dtype=object)
        similarity, accepted = np.zeros(len(left)), np.zeros(len(left), dtype=bool)
        known = np.flatnonzero(state != OPEN)
        told = self.recall(
            partial(self._apart, narrow), _given(narrow.exact, left[known], right[known], state[known], crowd[known])
        )
        similarity[known], why[known] = told["similarity"].to_numpy(), told["why"].to_pylist()
        unknown = np.flatnonzero(state == OPEN)
        for start in range(0, len(unknown), _PAIRS_AT_ONCE):
            at = unknown[start : start + _PAIRS_AT_ONCE]
            similarity[at], rulings = self._ruled(narrow, left[at], right[at], crowd[at].tolist())
            kind[at] = [found.kind for found in rulings]
            accepted[at] = [found.accepted for found in rulings]
            why[at] = [found.why for found in rulings]
        return Found(left, right, tuple(kind.tolist()), similarity, accepted, tuple(why.tolist()))

    def _ruled(self, narrow: Narrow, left: Ints, right: Ints, crowd: list[int]) -> tuple[Floats, list[ruling.Ruling]]:
        """How similar the texts of a block of open pairs are, and whether they say the same."""
        block = _Block.of(self, narrow, left, right)
        said = zip(block.pairs(), block.similarity.tolist(), crowd, strict=True)
        return block.similarity, [
            ruling.rule(*pair, similar=alike >= self.threshold, crowd=many, frequencies=self.frequencies)
            for pair, alike, many in said
        ]

    def _apart(self, narrow: Narrow, given: pa.RecordBatch) -> pa.RecordBatch:
        """How similar the texts of pairs are, and what keeps them apart (columns: `APART`), a block at a time."""
        made = [APART.empty_table()]
        for start in range(0, given.num_rows, _PAIRS_AT_ONCE):
            here = given.slice(start, _PAIRS_AT_ONCE)
            block = _Block.of(self, narrow, here["left"].to_numpy(), here["right"].to_numpy())
            said = zip(block.pairs(), here["state"].to_pylist(), here["crowd"].to_pylist(), strict=True)
            why = [ruling.apart(*pair, state=state, crowd=crowd).why for pair, state, crowd in said]
            made.append(pa.table([pa.array(block.similarity), pa.array(why, pa.string())], schema=APART))
        return pa.concat_tables(made).combine_chunks().to_batches()[0] if given.num_rows else _nothing(APART)


@dataclass(frozen=True)
class _Block:
    """The texts of a block of pairs, which two each pair is, where their words differ, and how similar they are."""

    texts: list[Text]
    one: list[int]
    other: list[int]
    regions: list[tuple[int, int, int]]
    similarity: Floats

    @classmethod
    def of(cls, reading: Reading, narrow: Narrow, left: Ints, right: Ints) -> _Block:
        """Read the texts of some pairs."""
        rows, place = np.unique(np.concatenate([left, right]), return_inverse=True)
        read = Read.of(reading.texts_of(narrow.rows[rows]), reading.frequencies)
        one, other = np.split(place.reshape(-1), 2)
        region = compared(read.wordings.codes, read.wordings.starts, one, other)
        regions = list(zip(region.start.tolist(), region.mine.tolist(), region.yours.tolist(), strict=True))
        texts = [read.text(at) for at in range(len(rows))]
        return cls(texts, one.tolist(), other.tolist(), regions, jaccard(read.hashes, read.starts, one, other))

    def pairs(self) -> Iterator[tuple[Text, Text, tuple[int, int, int]]]:
        """The two texts of each pair, and where they differ."""
        for one, other, region in zip(self.one, self.other, self.regions, strict=True):
            yield self.texts[one], self.texts[other], region


def _given(exact: NDArray[np.uint64], left: Ints, right: Ints, state: Ints, crowd: Ints) -> pa.RecordBatch:
    """Pairs, each with a key of all that `_apart` reads of it: how many fill a slot only where it is one."""
    many = np.where(state == SLOT, crowd, 0)
    more = (state.astype(np.uint64) << np.uint64(32)) + many.astype(np.uint64)
    columns = {"key": pair_keys(exact, left, right, more), "left": left, "right": right, "state": state}
    return pa.RecordBatch.from_pydict(columns | {"crowd": many})


def _nothing(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema)
