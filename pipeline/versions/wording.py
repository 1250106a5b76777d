"""Where two texts differ: the words that went and came, or the characters in scripts that have no spaces."""

from __future__ import annotations

from difflib import SequenceMatcher

from pipeline.text import units

LONGEST = 4000
"""Units; of longer texts only the ends that differ are told, for the comparison takes the square of the length."""
Piece = tuple[str, str]
"""("=", "-" or "+", text)."""


def pieces(before: str, after: str) -> list[Piece]:
    """The later text in pieces: what stayed, what went, what came.

    >>> pieces("the cat sat", "the dog sat")
    [('=', 'the '), ('-', 'cat'), ('+', 'dog'), ('=', ' sat')]
    """
    old, new = _cut(before), _cut(after)
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    middle = (old[head : len(old) - tail], new[head : len(new) - tail])
    found = [("=", "".join(old[:head])), *_compared(*middle), ("=", "".join(old[len(old) - tail :]))]
    return [(sign, text) for sign, text in found if text]


def _compared(old: list[str], new: list[str]) -> list[Piece]:
    if len(old) > LONGEST or len(new) > LONGEST:
        return [("-", "".join(old)), ("+", "".join(new))]
    found: list[Piece] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(("=", "".join(old[a:b])))
        else:
            found += [("-", "".join(old[a:b])), ("+", "".join(new[c:d]))]
    return found


def _cut(text: str) -> list[str]:
    """Words, unspaced characters, and what stands between them, one after the other: together the text."""
    parts, done = [], 0
    for start, end in units(text):
        if start > done:
            parts.append(text[done:start])
        parts.append(text[start:end])
        done = end
    return [*parts, *([text[done:]] if done < len(text) else [])]


def _common(one: list[str], other: list[str]) -> int:
    """How many units two texts begin with in common."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def shortened(found: list[Piece], *, most: int = 160, around: int = 24) -> list[Piece]:
    """Pieces with the middles of long unchanged stretches left out, at most about `most` characters."""
    told: list[Piece] = []
    for number, (sign, text) in enumerate(found):
        first, last = number == 0, number == len(found) - 1
        if sign == "=" and len(text) > 2 * around:
            left = "" if first else text[:around]
            right = "" if last else text[-around:]
            told.append(("=", f"{left}…{right}"))
        else:
            told.append((sign, text if len(text) <= most else f"{text[:most]}…"))
    return told
