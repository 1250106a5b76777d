"""Semantic: rows whose embeddings are close; numbers, negations, names and single words decide as everywhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.duplicates.comparing import SLOT_WORDS, compared
from pipeline.quality.duplicates.evidence import SEMANTIC, Found
from pipeline.quality.duplicates.wording import NEGATION, NUMBER, SYMBOL, Wordings

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int64]
    Line = tuple[int, int, str, float, bool, str]

NEAREST = 5
_ROWS_AT_ONCE, _PAIRS_AT_ONCE = 2_048, 2_000


def semantic_pairs(
    embeddings: Floats,
    threshold: float,
    *,
    texts_of: Callable[[Ints], list[str]],
    but: Found | None = None,
    nearest: int = NEAREST,
) -> Found:
    """Pairs of rows of cosine `threshold` or more, at most `nearest` for each row, as "semantic" ones.

    The cosine proposes only: a pair is accepted where numbers, negations, signs and names agree, and the two are put
    differently as a whole. Texts that are the same but for one place are left to what stands there, which is what
    `pairs` looks at: an embedding hardly tells "on Monday" from "on Tuesday".

    Args:
        embeddings: float32[rows, dimensions], of any length; a row of zeros is near nothing.
        threshold: cosine, -1..1.
        texts_of: the texts of some rows.
        but: pairs that are decided already and are not looked at again.
        nearest: how many pairs a row has at most, the closest ones.
    """
    left, right, cosine = close(embeddings, threshold, nearest=nearest)
    if but is not None and len(but):
        known = np.minimum(but.left, but.right) * len(embeddings) + np.maximum(but.left, but.right)
        fresh = ~np.isin(left * len(embeddings) + right, known)
        left, right, cosine = left[fresh], right[fresh], cosine[fresh]
    lines: list[Line] = []
    for start in range(0, len(left), _PAIRS_AT_ONCE):
        at = slice(start, start + _PAIRS_AT_ONCE)
        lines += _ruled(left[at], right[at], cosine[at], texts_of)
    return Found.listed(lines)


def close(embeddings: Floats, threshold: float, *, nearest: int = NEAREST) -> tuple[Ints, Ints, NDArray[np.float64]]:
    """Pairs (lower row, higher row, cosine) of at least `threshold`, exact, block by block: memory grows with rows.

    Each row's `nearest` closest are given; the cosine is rounded to five digits, so that blocks of another size give
    the same.
    """
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    unit = np.divide(embeddings, lengths, out=np.zeros_like(embeddings), where=lengths > 0)
    found: list[NDArray[np.float64]] = [np.zeros((0, 3))]
    for start in range(0, len(unit), _ROWS_AT_ONCE):
        best = np.zeros((0, 3))
        for other in range(0, len(unit), _ROWS_AT_ONCE):
            cosines = np.round((unit[start : start + _ROWS_AT_ONCE] @ unit[other : other + _ROWS_AT_ONCE].T), 5)
            row, column = np.nonzero(cosines >= threshold)
            apart = row + start != column + other
            here = np.stack([row + start, column + other, cosines[row, column]], axis=1)[apart]
            best = _nearest(np.concatenate([best, here]), nearest)
        found.append(best)
    pairs = np.concatenate(found)
    rows = np.unique(np.stack([pairs[:, :2].min(axis=1), pairs[:, :2].max(axis=1), pairs[:, 2]], axis=1), axis=0)
    return rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64), rows[:, 2]


def _nearest(pairs: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """For each row its closest partners: float64[pairs, 3] of row, partner, cosine."""
    pairs = pairs[np.lexsort((pairs[:, 1], -pairs[:, 2], pairs[:, 0]))]
    first = np.flatnonzero(np.diff(pairs[:, 0], prepend=-1))
    rank = np.arange(len(pairs)) - np.repeat(first, np.diff(np.concatenate([first, [len(pairs)]])))
    return pairs[rank < most]


def _ruled(left: Ints, right: Ints, cosine: NDArray[np.float64], texts_of: Callable[[Ints], list[str]]) -> list[Line]:
    rows, place = np.unique(np.concatenate([left, right]), return_inverse=True)
    wordings = Wordings.of(texts_of(rows))
    one, other = np.split(place.reshape(-1), 2)
    region = compared(wordings.codes, wordings.starts, one, other)
    slots = [_slots(wordings, at) for at in range(len(rows))]
    lines = []
    for at, (a, b) in enumerate(zip(one.tolist(), other.tolist(), strict=True)):
        mine, yours = int(region.mine[at]), int(region.yours[at])
        apart = _apart(slots[a], slots[b])
        if not apart and 0 < max(mine, yours) <= SLOT_WORDS:
            start = int(region.start[at])
            words = (
                " ".join(wordings.words(text, start, start + size)) or "-" for text, size in ((a, mine), (b, yours))
            )
            apart = f"word {' / '.join(words)}"
        why = apart or "put differently"
        lines.append((int(left[at]), int(right[at]), SEMANTIC, float(cosine[at]), not apart, why))
    return lines


def _slots(wordings: Wordings, text: int) -> dict[str, list[str]]:
    """The words of a text that decide what it says, sorted."""
    words = wordings.words(text)
    first, last = wordings.starts[text : text + 2].tolist()
    codes, named = wordings.codes[first:last].tolist(), wordings.named[first:last].tolist()
    found = {
        name: sorted(word for word, code in zip(words, codes, strict=True) if code & flag)
        for name, flag in (("number", NUMBER), ("negation", NEGATION), ("sign", SYMBOL))
    }
    return {**found, "name": sorted({word for word, name in zip(words, named, strict=True) if name})}


def _apart(mine: dict[str, list[str]], yours: dict[str, list[str]]) -> str:
    """The first kind of slot in which two texts differ, with both, or an empty string."""
    for name, words in mine.items():
        if words != yours[name]:
            return f"{name} {' '.join(words) or '-'} / {' '.join(yours[name]) or '-'}"
    return ""
