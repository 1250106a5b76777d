"""Texts: alpha of free answers, whose distances are dear: of some pairs of answers to one row, some of any two."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import AssayError
from pipeline.quality.agreement.counting import numbered, pairs_within, summed
from pipeline.quality.agreement.figures import Agreement
from pipeline.quality.agreement.resampling import Draws
from pipeline.quality.shingles import mixed

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pipeline.quality.agreement.answers import Answers

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Hashes = NDArray[np.uint64]

MOST_PAIRS = 10_000
"""Of each kind of pair. A mean of 10,000 distances within 0..1 has a standard error of 0.005 at the most."""


@dataclass(frozen=True)
class Comparisons:
    """Which answers to compare.

    Attributes:
        one, other: int64[n], two answers each.
        together: how many of them, the first ones, are to one row each; the others are any two answers.
        row: int64[answers], the row of each answer, numbered in an order that does not depend on where it stands; -1
            where nobody else answered.
        rows, answers: rows answered twice or more, and the answers to them.
        sampled: whether there were more pairs.
    """

    one: Ints
    other: Ints
    together: int
    row: Ints
    rows: int
    answers: int
    sampled: bool


def comparisons(answers: Answers, *, seed: int = 0, most: int = MOST_PAIRS) -> Comparisons:
    """Up to about `most` pairs of answers to one row (rows drawn by a keyed hash of their answers), and of any two.

    Where there are no more than `most`, all are taken, and alpha is exact.
    """
    met = np.flatnonzero(np.bincount(answers.row)[answers.row] > 1) if len(answers) else np.zeros(0, dtype=np.int64)
    texts = _hashes(answers, met, seed)
    rows, of_row = _rows(answers.row[met], texts)
    order = np.lexsort((texts, of_row))
    size = np.bincount(of_row, minlength=rows)
    pairs = np.cumsum(size * (size - 1) // 2)
    inside = of_row[order] < max(int(np.searchsorted(pairs, most, side="right")), 1)
    one, other = pairs_within(of_row[order[inside]], most=most)
    any_one, any_other = _any_two(len(met), most)
    shuffled = np.lexsort((of_row, mixed(texts ^ mixed(of_row.astype(np.uint64)))))
    row = np.full(len(answers), -1)
    row[met] = of_row
    return Comparisons(
        np.concatenate([met[order[one]], met[shuffled[any_one]]]),
        np.concatenate([met[order[other]], met[shuffled[any_other]]]),
        len(one), row, rows, len(met),
        bool(len(one) < pairs[-1] or len(any_one) < len(met) * (len(met) - 1) // 2) if rows else False,
    )  # fmt: skip


def _hashes(answers: Answers, met: Ints, seed: int) -> Hashes:
    """A hash of who said what, by the seed: uint64[met]."""
    key = blake2b(f"agreement texts {seed}".encode(), digest_size=16).digest()
    known: dict[str, int] = {}
    for at in met.tolist():
        text = answers.text[at]
        if text not in known:
            hashed = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=key).digest()
            known[text] = int.from_bytes(hashed, "little")
    said = np.array([known[answers.text[at]] for at in met.tolist()], dtype=np.uint64)
    return mixed(said + mixed((answers.annotator[met] + 2).astype(np.uint64)))


def _rows(row: Ints, texts: Hashes) -> tuple[int, Ints]:
    """How many rows there are, and the number of each one's in the order of a hash of what was said of it."""
    place, rows = numbered(row) if len(row) else (row, 0)
    said = np.zeros(rows, dtype=np.uint64)
    np.add.at(said, place, texts)
    rank = np.empty(rows, dtype=np.int64)
    rank[np.argsort(mixed(said), kind="stable")] = np.arange(rows)
    return rows, rank[place]


def _any_two(count: int, most: int) -> tuple[Ints, Ints]:
    """About `most` pairs of 0..count-1, each as often as any other; all pairs if they are no more."""
    if count * (count - 1) // 2 <= most:
        return pairs_within(np.zeros(count, dtype=np.int64))
    if count > most:
        return np.arange(most), np.arange(1, most + 1) % count
    steps = range(1, max(most // count, 1) + 1)
    one = np.tile(np.arange(count), len(steps))
    return one, np.concatenate([(np.arange(count) + step) % count for step in steps])


def measured(found: Comparisons, answers: Answers, distance: Callable[[Any, Any], float]) -> Floats:
    """The distances of the pairs to compare: float64[n]; equal answers are not compared. Answers are given as parsed.

    Raises:
        AssayError: a distance is below 0 or not finite.
    """
    pairs = list(zip(found.one.tolist(), found.other.tolist(), strict=True))
    differing = {answers.text[at] for pair in pairs for at in pair if answers.text[pair[0]] != answers.text[pair[1]]}
    parsed = {text: json.loads(text) for text in differing}
    told = [
        0.0 if one == other else float(distance(parsed[one], parsed[other]))
        for one, other in ((answers.text[left], answers.text[right]) for left, right in pairs)
    ]
    distances = np.array(told, dtype=np.float64)
    if not (np.isfinite(distances) & (distances >= 0)).all():
        raise AssayError("agreement", "a distance of two answers is below 0 or no number")
    return distances


def texts(
    found: Comparisons, distances: Floats, *, seed: int = 0, resamples: int = 200, level: float = 0.95
) -> Agreement:
    """Krippendorff's alpha from the distances of the pairs of `comparisons`, with an interval over rows.

    Where pairs were drawn, the interval is as wide as the draw makes it.
    """
    draws, together = Draws(seed, resamples, level), found.together
    one, other = found.row[found.one], found.row[found.other]
    pairs = np.bincount(one[:together], minlength=found.rows)
    # In alpha every answer of a row counts the same, so that a row weighs as much as it has answers.
    size = np.bincount(found.row[found.row >= 0], minlength=found.rows) * (pairs > 0)
    inside = summed(one[:together], distances[:together], found.rows) / np.maximum(pairs, 1) * size
    value = _alpha(np.ones(found.rows), inside, size, (one[together:], other[together:], distances[together:]))
    low = high = np.array(np.nan)
    if found.rows > 1 and np.isfinite(value):
        chance, drawn = draws.chance("rows"), []
        for _ in range(draws.resamples):
            times = np.bincount(chance.integers(found.rows, size=found.rows), minlength=found.rows).astype(np.float64)
            drawn.append(_alpha(times, inside, size, (one[together:], other[together:], distances[together:])))
        low, high = draws.edges(np.array(drawn))
    return Agreement(value, float(low), float(high), found.rows, found.answers, _note(found, value))


def _alpha(times: Floats, inside: Floats, size: Ints, across: tuple[Ints, Ints, Floats]) -> float:
    one, other, distances = across
    weight = times[one] * times[other]
    weighed, here = float(weight.sum()), float(times @ size)
    expected = float(weight @ distances)
    if not weighed or not here or expected <= 0:
        return float("nan")
    return 1 - (float(times @ inside) / here) / (expected / weighed)


def _note(found: Comparisons, value: float) -> str:
    if not found.rows:
        return "no row was answered twice or more"
    if not np.isfinite(value):
        return "all answers are the same: agreement beyond chance is not defined"
    if not found.sampled:
        return ""
    return (
        f"measured on {found.together:,} pairs of answers to one row and {len(found.one) - found.together:,} of any two"
    )
