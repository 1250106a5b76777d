"""Sentences: the words of all rows, one after another, as numpy columns."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import AssayError
from pipeline.quality.shingles import mixed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Hashes = NDArray[np.uint64]

OUTSIDE = "O"
_STEP = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Sentences:
    """The words of n_rows texts; words of one row stand side by side, in the order of the text.

    Attributes:
        ids: n_rows names of the rows.
        texts: n_rows texts.
        group: int64[n_rows], rows of one group (document, duplicates) carry the same number.
        groups: the names of the groups.
        first: int64[n_rows + 1], where the words of each row begin.
        row: int64[n], the row of each word.
        start, end: int64[n], half-open code point offsets of each word in its text.
        spelling: int64[n], an index into `vocabulary`.
        vocabulary: the distinct words, sorted.
        tag: int64[n], an index into `tags`.
        tags: "O", then the other tags, sorted.
    """

    ids: tuple[str, ...]
    texts: tuple[str, ...]
    group: Ints
    groups: tuple[str, ...]
    first: Ints
    row: Ints
    start: Ints
    end: Ints
    spelling: Ints
    vocabulary: tuple[str, ...]
    tag: Ints
    tags: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the tags, without their letters, sorted."""
        return tuple(sorted({tag[2:] for tag in self.tags if tag != OUTSIDE}))

    def __len__(self) -> int:
        return len(self.row)

    def at(self, shift: int) -> Ints:
        """The spelling of the word `shift` places on in the same row: int64[n]; len(vocabulary) beyond its edge."""
        return self.spelled(np.arange(len(self)) + shift, self.row)

    def spelled(self, word: Ints, row: Ints) -> Ints:
        """The spelling of words by number, len(vocabulary) for those that are not of that row: int64[len(word)]."""
        inside = (word >= self.first[row]) & (word < self.first[row + 1])
        found = self.spelling[np.clip(word, 0, max(len(self) - 1, 0))] if len(self) else np.zeros(len(word), np.int64)
        return np.where(inside, found, len(self.vocabulary))

    @cached_property
    def folded(self) -> Hashes:
        """A hash of every word, case and width aside, and one for what is no word: uint64[vocabulary + 1]."""
        return self.hashed(lambda word: unicodedata.normalize("NFKC", word).casefold())

    def hashed(self, form: Callable[[str], str]) -> Hashes:
        """A hash of some form of every word, and one for what is no word: uint64[vocabulary + 1]."""
        known: dict[str, int] = {}
        for word in self.vocabulary:
            known.setdefault(form(word), 0)
        for told in known:
            digest = blake2b(told.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            known[told] = int.from_bytes(digest, "little")
        values = [known[form(word)] for word in self.vocabulary]
        return np.array([*values, 1], dtype=np.uint64)

    def surface(self, first: int, last: int) -> str:
        """The text from word `first` up to word `last`, which is not included."""
        text: str = self.texts[self.row[first]]
        return text[self.start[first] : self.end[last - 1]]


def combined(*parts: Hashes) -> Hashes:
    """One hash of several columns of hashes; the order of the columns matters."""
    total: Hashes = np.full(1, len(parts), dtype=np.uint64)
    for part in parts:
        total = mixed(total * _STEP + part)
    return total


def sentences_from(table: pa.Table) -> tuple[Sentences, Ints]:
    """The words of a table, rows sorted by id, and which row of the table each row was: int64[n_rows].

    `table` has the columns id, group, text (strings) and words: list<struct<start, end, tag>>, tags B-X, I-X or O.

    Raises:
        AssayError: a column is missing, a tag is none of B-X, I-X and O, or words overlap or leave their text.
    """
    missing = {"id", "group", "text", "words"} - set(table.column_names)
    if missing:
        raise AssayError("suspects", f"no column {', '.join(sorted(missing))}", "give id, group, text and words")
    order = np.asarray(pc.sort_indices(table, sort_keys=[("id", "ascending"), ("text", "ascending")]).to_numpy())
    table = table.take(pa.array(order)).combine_chunks()
    words = table["words"].combine_chunks() if table.num_rows else pa.array([], table.schema.field("words").type)
    counts = pc.fill_null(pc.list_value_length(words), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    flat = words.flatten()
    start, end = (_integers(flat.field(name)) for name in ("start", "end"))
    row = np.repeat(np.arange(len(counts)), counts)
    texts = tuple(text or "" for text in table["text"].to_pylist())
    _check_edges(row, start, end, texts)
    spelling, vocabulary = _coded([texts[at][a:b] for at, a, b in zip(row, start, end, strict=True)])
    tag, tags = _tagged(flat.field("tag"))
    first = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    ids = tuple(table["id"].to_pylist())
    # A row without a group is a group of its own.
    told = zip(table["group"].to_pylist(), ids, strict=True)
    group, names = _coded([f"row {name}" if group is None else group for group, name in told])
    made = Sentences(ids, texts, group, names, first, row, start, end, spelling, vocabulary, tag, tags)
    return made, order.astype(np.int64)


def _integers(column: pa.Array) -> Ints:
    return np.asarray(column.to_numpy(zero_copy_only=False)).astype(np.int64)


def _check_edges(row: Ints, start: Ints, end: Ints, texts: Sequence[str]) -> None:
    length = np.array([len(text) for text in texts], dtype=np.int64)
    bad = (start < 0) | (end <= start) | (end > length[row])
    bad[1:] |= (row[1:] == row[:-1]) & (start[1:] < end[:-1])
    if bad.any():
        at = int(np.flatnonzero(bad)[0])
        raise AssayError("suspects", f"word [{start[at]}, {end[at]}) overlaps another, is empty or leaves its text")


def _coded(values: Sequence[str]) -> tuple[Ints, tuple[str, ...]]:
    names = sorted(set(values))
    place = {name: at for at, name in enumerate(names)}
    return np.fromiter((place[value] for value in values), dtype=np.int64, count=len(values)), tuple(names)


def _tagged(column: pa.Array) -> tuple[Ints, tuple[str, ...]]:
    """The tags as numbers, those of B-X and I-X known for every X that either is given for."""
    told = column.to_pylist()
    given = {tag or OUTSIDE for tag in told} - {OUTSIDE}
    if strange := sorted(tag for tag in given if tag[:2] not in ("B-", "I-")):
        raise AssayError("suspects", f"tag {strange[0]!r:.40} is none of B-X, I-X and O")
    tags = (OUTSIDE, *(f"{letter}-{label}" for label in sorted({tag[2:] for tag in given}) for letter in "BI"))
    place = {tag: at for at, tag in enumerate(tags)}
    return np.fromiter((place[tag or OUTSIDE] for tag in told), dtype=np.int64, count=len(told)), tags
