"""Slips: whether a word or a character is another one, miswritten; only what nobody else writes is a slip."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.quality.duplicates.lexicon import LONGEST, SURNAMES, usage
from pipeline.quality.duplicates.wording import DECISIVE, NEGATION, UNSPACED

if TYPE_CHECKING:
    from pipeline.quality.duplicates.frequency import Frequencies
    from pipeline.quality.duplicates.parts import Part

# A slip is rare, in itself or beside the word that was meant; two forms that are both used are two words.
SLIP_ROWS, SLIP_SHARE, KNOWN_ROWS = 2, 0.005, 3
TURNED_SHARE = 0.02  # two letters turned round or doubled are a slip rather than a word
_SHORTEST_SUBSTITUTION = 12
_OFTEN_ROWS = 20


def misspelt(mine: Part, yours: Part) -> bool:
    """Whether both are one word of a spaced script, one of them with a slip in it."""
    if len(mine) != 1 or len(yours) != 1 or mine.are(UNSPACED) or yours.are(UNSPACED):
        return False
    one, other = mine.words[0], yours.words[0]
    counts = mine.counts[0], yours.counts[0]
    turned = _same_letters(one, other)
    if not one_edit(one, other) or not is_slip(*counts, TURNED_SHARE if turned and len(one) > 3 else SLIP_SHARE):
        return False
    if mine.names or yours.names:
        return turned
    return max(counts) >= KNOWN_ROWS or _likely_slip(one, other)


def misspelt_small_word(mine: Part, yours: Part) -> bool:
    """Whether one is a contraction or a negation, and the other the same with a slip in it: "witout", "dosen't"."""
    known, odd = (mine, yours) if mine.are(NEGATION) or len(mine) > 1 else (yours, mine)
    if len(odd) != 1 or odd.are(DECISIVE | UNSPACED) or odd.counts[0] > SLIP_ROWS:
        return False
    if len(known) != 2 and not (len(known) == 1 and known.are(NEGATION)):
        return False
    one, other = known.written, odd.written
    return len(one) > 4 and one[0] == other[0] and " " not in one and one_edit(one, other)


def is_slip(one: int, other: int, share: float) -> bool:
    """Whether one of two words is so rare beside the other that it may be a slip: in how many texts each stands.

    >>> is_slip(1, 2, 0.005), is_slip(3, 5, 0.005), is_slip(3, 5_000, 0.005)
    (True, False, True)
    """
    return min(one, other) <= max(SLIP_ROWS, share * max(one, other))


def _likely_slip(one: str, other: str) -> bool:
    """Whether a slip is likelier than two words, neither of them known from elsewhere."""
    if min(len(one), len(other)) < 4:
        return False
    inside = one[0] == other[0] and one[-1] == other[-1] and min(len(one), len(other)) > 5
    return inside or len(one) != len(other) or _same_letters(one, other)


def slipped_character(mine: Part, yours: Part, frequencies: Frequencies) -> bool:
    """Whether one unspaced character is more, less or another, in a place where nobody else writes it."""
    if len(mine) > 1 or len(yours) > 1 or len(mine.are(UNSPACED)) + len(yours.are(UNSPACED)) != len(mine) + len(yours):
        return False
    if not len(mine) or not len(yours):
        more = mine if len(mine) else yours
        return _doubled(more) or _closed_up(more, frequencies)
    if mine.text.length < _SHORTEST_SUBSTITUTION:
        return False
    return _wrong_for(mine, yours, frequencies) or _wrong_for(yours, mine, frequencies)


def _wrong_for(slip: Part, meant: Part, frequencies: Frequencies) -> bool:
    """Whether a character makes no word with its neighbours and was never seen beside one of them; the other does.

    What makes no word of the dictionary may be a name, in which any character may stand: then only a character that is
    hardly used anywhere is a slip for one that often is, and not after what may be a family name.
    """
    beside, word, odd = _beside(slip, frequencies), _usage(meant), _usage(slip)
    if word > 0:
        return min(beside, default=0) <= 1 and odd <= SLIP_SHARE * word
    if odd or max(beside, default=0) > 1 or SURNAMES.intersection(meant.around(2).words[:3]):
        return False
    return slip.counts[0] <= SLIP_ROWS and meant.counts[0] >= _OFTEN_ROWS


def _usage(part: Part) -> int:
    wide = part.around(LONGEST - 1)
    return usage(wide.words, part.start - wide.start)


def _doubled(more: Part) -> bool:
    """Whether the character stands beside itself."""
    return more.around(1).codes.count(more.codes[0]) > 1


def _closed_up(more: Part, frequencies: Frequencies) -> bool:
    """Whether a character is written where nobody else does, or left out where nobody else leaves it out."""
    wide = more.around(1).codes
    without = frequencies.together(wide[0], wide[2]) if len(wide) > 2 else 0
    rare, usual = sorted((without, max(_beside(more, frequencies), default=0)))
    return rare <= max(1, SLIP_SHARE * usual)


def _beside(part: Part, frequencies: Frequencies) -> list[int]:
    """How often the character stands somewhere beside the one before, and beside the one after it."""
    return [frequencies.together(*pair) for pair in pairwise(part.around(1).codes)]


def one_edit(one: str, other: str) -> bool:
    """Whether one letter is more, less or another, or two neighbours changed places."""
    room = min(len(one), len(other))
    start = next((at for at in range(room) if one[at] != other[at]), room)
    end = next((at for at in range(room - start) if one[-1 - at] != other[-1 - at]), room - start)
    mine, yours = one[start : len(one) - end], other[start : len(other) - end]
    return (len(mine) <= 1 and len(yours) <= 1) or (len(mine) == 2 and mine[::-1] == yours)


def _same_letters(one: str, other: str) -> bool:
    """Whether the letters are the same but for their order or a doubled one."""
    return sorted(one) == sorted(other) or _undoubled(one) == _undoubled(other)


def _undoubled(word: str) -> str:
    return "".join(letter for at, letter in enumerate(word) if not at or word[at - 1] != letter)
