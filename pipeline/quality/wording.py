"""Wording: whether two texts that look alike say the same, word by word."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.shingles import mixed
from pipeline.text import UNSPACED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Words = tuple[str, ...]

# fmt: off
NEGATIONS = frozenset([
    "no", "not", "never", "none", "nothing", "nobody", "nor", "neither", "without", "cannot", "can't", "don't",
    "doesn't", "didn't", "isn't", "aren't", "wasn't", "weren't", "won't", "wouldn't", "shouldn't", "couldn't",
    "hasn't", "haven't", "hadn't", "ain't", "cant", "dont", "doesnt", "didnt", "isnt", "arent", "wasnt", "werent",
    "wont",
]) | frozenset("不没沒无無非未莫勿别別否")
_NUMERALS = frozenset([
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "twenty",
    "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred", "thousand", "million",
    "billion", "first", "second", "third", "half", "twice", "once",
])
# fmt: on
# Whether, why and how something is are three questions, however alike they are put.
_QUESTIONS = frozenset(["who", "whose", "what", "when", "where", "why", "how", "which"])
_DECISIVE = NEGATIONS | _NUMERALS
_WORD = re.compile(f"[{UNSPACED}]|\\d+(?:[.,:/]\\d+)*|[^\\W\\d{UNSPACED}]+(?:'[^\\W\\d{UNSPACED}]+)*|[^\\w\\s]")
_INSIDE = re.compile(r"(?<=[^\s.!?:\"'] )[^\W\d_][\w'’]*")
_ONE_UNSPACED = re.compile(f"[{UNSPACED}]")
_KEPT_SYMBOLS = frozenset("%#@&*")
# A slip of the pen is rare; two forms that are both used are two words.
_SLIP_ROWS, _KNOWN_ROWS = 2, 5
_COMMON_SHARE, _COMMON_ROWS = 0.005, 20
_CROWD = 3  # a text, a slip in it and another slip; from the next on the place is a slot of a template
_LONGEST_SWAP = 8
_LONG_WORDS = 100  # from so many words on, one common word for another does not make another text
_SHORTEST_SUBSTITUTION = 12


@dataclass(frozen=True)
class Wordings:
    """The words (spaced scripts) or characters (unspaced) of each text, folded, and how common each is.

    Attributes:
        words: per text its folded words; punctuation is left out, signs that mean something are kept.
        names: per text the folded words with a capital inside a sentence: names and codes.
        frequency: in how many texts each word, and each pair of neighbouring unspaced characters, stands.
        bags: uint64[texts], equal for texts of the same words in any order.
        vocabularies: per text its distinct words.
        crowds: int64[all words], how many texts are the same but for the word in this place.
        starts: int64[texts], where each text begins in `crowds`.
    """

    words: list[Words]
    names: list[frozenset[str]]
    frequency: Counter[str]
    bags: NDArray[np.uint64]
    vocabularies: list[frozenset[str]]
    crowds: NDArray[np.int64]
    starts: NDArray[np.int64]

    @staticmethod
    def of(texts: Sequence[str]) -> Wordings:
        """Read the wordings of `texts`."""
        frequency: Counter[str] = Counter()
        words, names = [], []
        for text in texts:
            plain = unicodedata.normalize("NFKC", text).replace("’", "'")
            found = tuple(word for word in _WORD.findall(plain.casefold()) if _says_something(word))
            words.append(found)
            names.append(_names(plain, len(found)))
            frequency.update({*found, *_neighbours(found)})
        bag_of: dict[Words, int] = {}
        bags = [bag_of.setdefault(tuple(sorted(each)), len(bag_of)) for each in words]
        vocabularies = [frozenset(each) for each in words]
        return Wordings(words, names, frequency, np.array(bags, dtype=np.uint64), vocabularies, *_crowds(words))

    def plausible(self, left: int, right: int) -> bool:
        """Whether a `verdict` may be other than an empty string: a cheap look at the words only one of them has."""
        differing = self.vocabularies[left] ^ self.vocabularies[right]
        length = len(self.words[left])
        if len(differing) > 3 * (length // 8 + 1) or not _DECISIVE.isdisjoint(differing):
            return False
        if any(map(_unspaced, differing)):
            return len(differing) <= 2
        rare = any(self.frequency[word] <= _SLIP_ROWS for word in differing)
        return rare or len(differing) < 2 or length >= _LONG_WORDS

    def verdict(self, left: int, right: int, *, similar: bool) -> str:
        """`reordered`, `misspelt` or `similar` where the two texts say the same; an empty string where they do not.

        `similar` says whether their n-grams overlap enough for a common word more or less to be let pass.
        """
        one, other = self.words[left], self.words[right]
        if abs(len(one) - len(other)) > 2 + len(one) // 20:
            return ""
        kinds = set()
        for count, (start, mine, yours) in enumerate(_differences(one, other)):
            if count and any(map(_unspaced, (*mine, *yours))):
                return ""  # two characters changed are a word changed
            if len(mine) == len(yours) == 1 and self.crowds[self.starts[left] + start] > _CROWD:
                return ""  # a slot that others fill as well
            kind = self._difference(mine, yours, (left, right), (one, start), similar=similar)
            if not kind or count > len(one) // 8:
                return ""
            kinds.add(kind)
        return next((kind for kind in ("similar", "misspelt") if kind in kinds), "reordered" if kinds else "misspelt")

    def _difference(
        self, mine: Words, yours: Words, pair: tuple[int, int], where: tuple[Words, int], *, similar: bool
    ) -> str:
        """What one difference is: `mine` of the one text stands where `yours` stands in the other."""
        names = self.names[pair[0]] | self.names[pair[1]]
        if sorted(mine) == sorted(yours):
            return "reordered" if _swapped(mine, yours, names) else ""
        if any(_decides(word) for word in (*mine, *yours)):
            return ""
        if "".join(mine) == "".join(yours) or self._misspelt(mine, yours, names):
            return "misspelt"
        if self._slipped_character(mine, yours, where):
            return "misspelt"
        return "similar" if similar and self._small(mine, yours, names, len(where[0])) else ""

    def _misspelt(self, mine: Words, yours: Words, names: frozenset[str]) -> bool:
        """Whether both are one word of a spaced script, one of them with a slip in it."""
        if len(mine) != 1 or len(yours) != 1 or _unspaced(mine[0]) or _unspaced(yours[0]):
            return False
        one, other = mine[0], yours[0]
        rare, usual = sorted((self.frequency[one], self.frequency[other]))
        if rare > _SLIP_ROWS or (min(len(one), len(other)) < 4 and usual < _KNOWN_ROWS):
            return False
        if one in names or other in names:
            return _same_letters(one, other)
        return _one_edit(one, other)

    def _slipped_character(self, mine: Words, yours: Words, where: tuple[Words, int]) -> bool:
        """Whether one unspaced character is more, less or another, in a place where nobody else writes it."""
        if len(mine) > 1 or len(yours) > 1 or not all(map(_unspaced, (*mine, *yours))):
            return False
        if not mine or not yours:
            return True
        text, at = where
        if len(text) < _SHORTEST_SUBSTITUTION:
            return False
        before, after = text[max(at - 1, 0) : at], text[at + 1 : at + 2]
        return any(self._never_beside(word, before, after) for word in (mine[0], yours[0]))

    def _never_beside(self, word: str, before: Words, after: Words) -> bool:
        beside = [each + word for each in before] + [word + each for each in after]
        return all(self.frequency[each] <= 1 for each in beside)

    def _small(self, mine: Words, yours: Words, names: frozenset[str], length: int) -> bool:
        """Whether a common word more or less (in very long texts: or another) is all that differs."""
        if not _QUESTIONS.isdisjoint((*mine, *yours)):
            return False
        common = max(_COMMON_ROWS, _COMMON_SHARE * len(self.words))
        if any(word in names or self.frequency[word] < common for word in (*mine, *yours)):
            return False
        return len(mine) + len(yours) == 1 or (length >= _LONG_WORDS and len(mine) < 2 and len(yours) < 2)


def _crowds(words: Sequence[Words]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each word of each text how many texts are the same but for it, and where each text's words begin."""
    number: dict[str, int] = {}
    numbers = [number.setdefault(word, len(number)) for each in words for word in each]
    sizes = np.array([len(each) for each in words], dtype=np.int64)
    starts = np.cumsum(sizes) - sizes
    text = np.repeat(np.arange(len(words)), sizes)
    place = (np.arange(len(text)) - starts[text]).astype(np.uint64)
    each = mixed(mixed(np.array(numbers, dtype=np.uint64)) + place)
    whole = np.zeros(len(words), dtype=np.uint64)
    np.add.at(whole, text, each)
    # What is left of the text's hash without this word, and which place is empty.
    frames = mixed(whole[text] - each + mixed(place))
    _, frame, count = np.unique(frames, return_inverse=True, return_counts=True)
    return count[frame.reshape(-1)].astype(np.int64), starts


def _says_something(word: str) -> bool:
    return word[0].isalnum() or word[0] in _KEPT_SYMBOLS or unicodedata.category(word[0])[0] in "SLN"


def _names(text: str, words: int) -> frozenset[str]:
    """Words with a capital inside a sentence, folded; none where most words have one (titles, shouting)."""
    found = [word.casefold() for word in _INSIDE.findall(text) if word != word.lower()]
    return frozenset(found) if 2 * len(found) <= words else frozenset()


def _neighbours(words: Words) -> Iterator[str]:
    for one, other in pairwise(words):
        if len(one) == 1 and len(other) == 1 and (_unspaced(one) or _unspaced(other)):
            yield one + other


def _unspaced(word: str) -> bool:
    return bool(_ONE_UNSPACED.match(word))


def _decides(word: str) -> bool:
    """Whether a word changes what is said however small it is: numbers, signs, negations."""
    if word in _DECISIVE or word.endswith("n't") or not word[0].isalnum():
        return True
    return any(unicodedata.numeric(character, None) is not None for character in word)


def _differences(one: Words, other: Words) -> Iterator[tuple[int, Words, Words]]:
    """Where the two differ: (place in `one`, words there, words of `other`), longest shared runs left out."""
    start, end = _shared_edges(one, other)
    mine, yours = one[start : len(one) - end], other[start : len(other) - end]
    if len(mine) <= 1 or len(yours) <= 1 or (len(mine) <= _LONGEST_SWAP and sorted(mine) == sorted(yours)):
        if mine or yours:
            yield start, mine, yours
        return
    for kind, a, b, c, d in SequenceMatcher(None, mine, yours, autojunk=False).get_opcodes():
        if kind != "equal":
            yield start + a, mine[a:b], yours[c:d]


def _shared_edges(one: Words, other: Words) -> tuple[int, int]:
    room = min(len(one), len(other))
    start = next((at for at in range(room) if one[at] != other[at]), room)
    end = next((at for at in range(room - start) if one[-1 - at] != other[-1 - at]), room - start)
    return start, end


def _swapped(mine: Words, yours: Words, names: frozenset[str]) -> bool:
    """Whether two neighbouring parts changed places, not two names or numbers around a word."""
    if len(mine) > _LONGEST_SWAP or sum(word in names or _decides(word) for word in mine) > 1:
        return False
    return any(mine[at:] + mine[:at] == yours for at in range(1, len(mine)))


def _same_letters(one: str, other: str) -> bool:
    """Whether the letters are the same but for their order or a doubled one."""
    return _one_edit(one, other) and (sorted(one) == sorted(other) or _undoubled(one) == _undoubled(other))


def _undoubled(word: str) -> str:
    return "".join(letter for at, letter in enumerate(word) if not at or word[at - 1] != letter)


def _one_edit(one: str, other: str) -> bool:
    """Whether one letter is more, less or another, or two neighbours changed places."""
    start, end = _shared_edges(tuple(one), tuple(other))
    mine, yours = one[start : len(one) - end], other[start : len(other) - end]
    return (len(mine) <= 1 and len(yours) <= 1) or (len(mine) == 2 and mine[::-1] == yours)
