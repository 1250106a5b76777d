"""Wording: the words (spaced scripts) and characters (unspaced ones) of many texts, hashed, with what each word is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.duplicates.folding import (
    APOSTROPHE,
    CHARACTER,
    DIGIT,
    ENDING,
    LETTER,
    MARK,
    NUMERIC,
    POINT,
    SIGN,
    UPPER,
    Folded,
)
from pipeline.quality.shingles import mixed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Codes = NDArray[np.uint64]
    Ints = NDArray[np.int64]

# The lowest bits of the code of a word say what it is.
UNSPACED, NUMBER, NEGATION, SYMBOL, QUESTION = (1 << bit for bit in range(5))
DECISIVE = NUMBER | NEGATION | SYMBOL
_FLAGS = np.uint64(31)
_PLACE = np.uint64(0x9E3779B97F4A7C15)

# fmt: off
_NEGATIONS = (
    "no", "not", "never", "none", "nothing", "nobody", "nor", "neither", "without", "nowhere", "hardly",
    *"不没沒无無非未莫勿别別否",
)
_NUMERALS = (  # "one" is no number where nothing else is
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
    "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
    "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "thousand", "million",
    "billion", "first", "second", "third", "half", "twice", "once",
)
# Whether, why and how something is are three questions, however alike they are put.
_QUESTIONS = ("who", "whose", "what", "when", "where", "why", "how", "which")
_CONTRACTED = {
    **{f"{verb}n't": f"{verb} not" for verb in (
        "do", "does", "did", "is", "are", "was", "were", "would", "should", "could", "has", "have", "had", "must",
        "might", "need", "ought",
    )},
    **{f"{verb}nt": f"{verb} not" for verb in (
        "do", "does", "did", "is", "are", "was", "were", "would", "should", "could", "has", "have", "had",
    )},
    "can't": "can not", "cant": "can not", "cannot": "can not", "won't": "will not", "wont": "will not",
    "shan't": "shall not", "ain't": "is not", "let's": "let us", "i'm": "i am", "im": "i am",
    **{f"{who}'re": f"{who} are" for who in ("you", "we", "they")},
    **{f"{who}'ve": f"{who} have" for who in ("i", "you", "we", "they")},
    **{f"{who}'ll": f"{who} will" for who in ("i", "you", "he", "she", "it", "we", "they", "that")},
    **{f"{who}'d": f"{who} would" for who in ("i", "you", "he", "she", "it", "we", "they")},
    **{f"{who}'s": f"{who} is" for who in (
        "he", "she", "it", "that", "there", "here", "what", "who", "where", "when", "how", "why",
    )},
}
# fmt: on


@dataclass(frozen=True)
class Wordings:
    """The words of texts, folded; punctuation is left out, signs that mean something are kept; "don't" is "do not".

    Attributes:
        codes: uint64[words], a hash of each word, what the word is in its lowest bits.
        starts: int64[texts + 1], where each text's words begin.
        named: bool[words], whether it has a capital inside a sentence: names and codes.
        places: int64[words, 2], where each word stands in the folded text.
        folded: the texts.
    """

    codes: Codes
    starts: Ints
    named: Bools
    places: Ints
    folded: Folded

    @classmethod
    def of(cls, texts: Sequence[str] | Folded) -> Wordings:
        """Read the wordings of `texts`."""
        folded = texts if isinstance(texts, Folded) else Folded.of(texts)
        begin, end, kinds = _tokens(folded)
        codes = _codes(folded, begin, end, kinds)
        sizes = np.bincount(np.searchsorted(folded.ends, begin), minlength=len(folded.ends))
        named = _named(folded, begin, end, sizes)
        codes, sizes, token = _expanded(codes, sizes)
        starts = np.concatenate([[0], np.cumsum(sizes)])
        return cls(codes, starts, named[token], np.stack([begin, end], axis=1)[token], folded)

    def words(self, text: int, start: int = 0, end: int | None = None) -> list[str]:
        """Some of the words of one text, from one place in it to another; all of them if no place is given."""
        first, last = self.starts[text : text + 2].tolist()
        here = slice(first + start, last if end is None else min(first + end, last))
        parts, whole = _spelling(), self.folded.text
        places = zip(self.codes[here].tolist(), self.places[here].tolist(), strict=True)
        return [parts.get(code) or whole[begin:end] for code, (begin, end) in places]


def bags(codes: Codes, starts: Ints) -> Codes:
    """A hash of the words of each text that does not depend on their order: uint64[texts]."""
    return summed(mixed(codes), starts)


def summed(values: Codes, starts: Ints) -> Codes:
    """The sum of the values of each text, modulo 2^64: uint64[texts]."""
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(values, dtype=np.uint64)])
    return np.asarray(sums[starts[1:]] - sums[starts[:-1]])


def _tokens(folded: Folded) -> tuple[Ints, Ints, NDArray[np.uint16]]:
    """Where the words begin and end, and the joined flags of their code points."""
    classes = folded.classes
    letter, digit = classes & LETTER > 0, classes & DIGIT > 0
    letter |= (classes & MARK > 0) & _before(letter | (classes & MARK > 0))
    apostrophe = classes & APOSTROPHE > 0
    letter |= apostrophe & _before(letter) & _after(letter)
    digit |= (classes & POINT > 0) & _before(digit) & _after(digit)
    alone = classes & (CHARACTER | SIGN) > 0
    at = np.flatnonzero(letter | digit | alone)
    begins = (alone | (letter & ~_before(letter)) | (digit & ~_before(digit)))[at]
    first = np.flatnonzero(begins)
    if not len(first):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint16)
    end = at[np.concatenate([first[1:], [len(at)]]) - 1] + 1
    return at[first], end, np.bitwise_or.reduceat(classes[at], first)


def _before(flags: Bools) -> Bools:
    return np.concatenate([[False], flags[:-1]])[: len(flags)]


def _after(flags: Bools) -> Bools:
    return np.concatenate([flags[1:], [False]])[: len(flags)]


def _codes(folded: Folded, begin: Ints, end: Ints, kinds: NDArray[np.uint16]) -> Codes:
    hashes = _word_hashes(folded, begin, end) & ~_FLAGS
    flags = np.where(kinds & CHARACTER, UNSPACED, 0) | np.where(kinds & (NUMERIC | DIGIT), NUMBER, 0)
    codes = hashes | (flags | np.where(kinds & SIGN, SYMBOL, 0)).astype(np.uint64)
    known, meaning = _known()
    at = np.searchsorted(known, hashes).clip(max=len(known) - 1)
    return np.asarray(codes | np.where(known[at] == hashes, meaning[at], np.uint64(0)))


def _word_hashes(folded: Folded, begin: Ints, end: Ints) -> Codes:
    """A hash of the code points of each word and their order in it: uint64[words]."""
    sizes = end - begin
    first = np.cumsum(sizes) - sizes
    inside = np.arange(int(sizes.sum())) - np.repeat(first, sizes)
    points = folded.points[np.repeat(begin, sizes) + inside].astype(np.uint64)
    points[points == 0x2019] = ord("'")
    each = mixed(points + (inside + 1).astype(np.uint64) * _PLACE)
    return summed(each, np.concatenate([first, [len(each)]]))


@lru_cache(maxsize=1)
def _known() -> tuple[Codes, Codes]:
    """The hashes of words with a meaning of their own, sorted, and the flags of each."""
    words = {**dict.fromkeys(_NEGATIONS, NEGATION), **dict.fromkeys(_NUMERALS, NUMBER)}
    words |= dict.fromkeys(_QUESTIONS, QUESTION)
    hashes = _hashes(list(words))
    order = np.argsort(hashes)
    return hashes[order], np.array(list(words.values()), dtype=np.uint64)[order]


def _hashes(words: Sequence[str]) -> Codes:
    """The hashes of single words, without flags."""
    folded = Folded.of(words)
    return _word_hashes(folded, folded.starts(), folded.ends) & ~_FLAGS


@lru_cache(maxsize=1)
def _contractions() -> tuple[Codes, Codes]:
    """The codes of contracted words, sorted, and the codes of the two words that each stands for: uint64[words, 2]."""
    whole = _hashes(list(_CONTRACTED))
    order = np.argsort(whole)
    return whole[order], _parts()[order]


def _parts() -> Codes:
    spelled = [part for parts in _CONTRACTED.values() for part in parts.split()]
    folded = Folded.of(spelled)
    return _codes(folded, folded.starts(), folded.ends, np.zeros(len(spelled), dtype=np.uint16)).reshape(-1, 2)


@lru_cache(maxsize=1)
def _spelling() -> Mapping[int, str]:
    """How the parts of contracted words are spelled."""
    spelled = [part for parts in _CONTRACTED.values() for part in parts.split()]
    return dict(zip(_parts().reshape(-1).tolist(), spelled, strict=True))


def _expanded(codes: Codes, sizes: Ints) -> tuple[Codes, Ints, Ints]:
    """The codes with contracted words spelled out, how many each text has then, and which word each was."""
    whole, parts = _contractions()
    at = np.searchsorted(whole, codes).clip(max=len(whole) - 1)
    short = whole[at] == codes
    if not short.any():
        return codes, sizes, np.arange(len(codes))
    token = np.repeat(np.arange(len(codes)), 1 + short)
    found = codes[token]
    first = np.flatnonzero(short) + np.arange(int(short.sum()))
    found[first], found[first + 1] = parts[at[short], 0], parts[at[short], 1]
    text = np.repeat(np.arange(len(sizes)), sizes)
    return found, np.bincount(text[token], minlength=len(sizes)), token


def _named(folded: Folded, begin: Ints, end: Ints, sizes: Ints) -> Bools:
    """Which words have a capital inside a sentence; none where most words have one (titles, shouting)."""
    capitals = np.concatenate([[0], np.cumsum(folded.classes & UPPER > 0)])
    upper = capitals[end] > capitals[begin]
    space = folded.points[np.maximum(begin - 1, 0)] == ord(" ")
    ended = (folded.classes[np.maximum(begin - 2, 0)] & ENDING > 0) | (begin < 2)
    found = np.asarray(upper & space & ~ended)
    text = np.repeat(np.arange(len(sizes)), sizes)
    many = 2 * np.bincount(text[found], minlength=len(sizes)) > sizes
    return found & ~many[text]
