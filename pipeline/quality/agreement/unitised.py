"""Unitised alpha: Krippendorff's alpha of spans on a text, where annotators choose what to mark as well as its label.

Four coefficients, each 1 for perfect agreement and 0 for chance:

* `all`: of every character, what everybody made of it, unmarked being one more label (u-alpha);
* `marked`: of every character, whether it is marked at all (|u-alpha);
* `coded`: of the characters that two both marked, the label they gave (cu-alpha);
* by label, `coded` for one label (of the characters that somebody else marked too: (k)u-alpha).

Method: Krippendorff, Mathet, Bouvry and Widlöcher 2016, "On the reliability of unitizing textual continua: Further
developments", doi 10.1007/s11135-015-0266-1, equations 1, 4 to 6, 10, 11 and 13. All rows together are the continuum;
a row answered by m annotators counts with 1 / (m - 1) for each two of them. A span cannot be paired with itself by
chance, and so the squares of lengths are taken off; unmarked text is made of single characters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.agreement.counting import numbered, pairs_within, summed
from pipeline.quality.agreement.figures import Figure
from pipeline.quality.agreement.marks import pieces, united
from pipeline.quality.agreement.resampling import Draws, Profiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.agreement.marks import Marks

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


_SPANS = 200_000
OF_LABEL = "alpha (unitised: this label where both marked)"


@dataclass(frozen=True)
class Unitised:
    """The family of coefficients."""

    all: Figure
    marked: Figure
    coded: Figure
    by_label: dict[str, Figure]


def unitised(
    marks: Marks, chars: Ints | None = None, *, seed: int = 0, resamples: int = 200, level: float = 0.95
) -> Unitised:
    """The coefficients, with intervals over rows.

    `chars`: int64[rows], the characters of each row's text; without it a text is taken to end with its last span, and
    the notes say so. Spans of one answer that overlap and have the same label are one.
    """
    draws, met = Draws(seed, resamples, level), united(marks.met())
    length = _lengths(met, chars)
    labels = len(marks.labels)
    whole, binary, coded = _tables(met, length)
    rows, note = numbered(met.row)[1], "" if chars is not None else "texts are taken to end with their last span"

    def figure(name: str, table: Any, measure: Any) -> Figure:
        value, low, high = _interval(table, measure, draws)
        return Figure(name, float(value[0]), float(low[0]), float(high[0]), rows, len(met.start), note)

    value, low, high = _interval(coded, _of_labels, draws)
    given = np.bincount(met.label, minlength=labels)
    by_label = {
        name: Figure(OF_LABEL, float(value[at]), float(low[at]), float(high[at]), rows, int(given[at]))
        for at, name in enumerate(marks.labels)
    }
    return Unitised(
        all=figure("alpha (unitised: edges and labels)", whole, _of_sums),
        marked=figure("alpha (unitised: marked or not)", binary, _of_sums),
        coded=figure("alpha (unitised: labels where both marked)", coded, _of_sums),
        by_label=by_label,
    )


def _tables(marks: Marks, length: Floats) -> tuple[Any, Any, Any]:
    """The sums of each row for the three coefficients, made for some rows at a time, so that memory stays small."""
    from scipy import sparse

    place, rows = numbered(marks.row)
    block = place // max(int(rows * _SPANS / max(len(marks.start), 1)), 1)
    made = []
    for at in range(int(block.max(initial=0)) + 1):
        here = marks.only(block == at)
        flat = united(here, labels=False)
        made.append((_whole(here, length, len(marks.labels)), _whole(flat, length, 1), _coded(here)))
    whole, binary, coded = (sparse.vstack(tables, format="csr") for tables in zip(*made, strict=True))
    return whole, binary, coded


def _lengths(marks: Marks, chars: Ints | None) -> Floats:
    """The characters of every row: float64[rows]; no less than its spans need."""
    length = np.zeros(int(marks.row.max(initial=-1)) + 1)
    np.maximum.at(length, marks.row[marks.answer], marks.end)
    if chars is not None:
        known = np.asarray(chars, dtype=np.float64)[: len(length)]
        length[: len(known)] = np.maximum(known, length[: len(known)])
    return length


def _interval(table: Any, measure: Any, draws: Draws) -> tuple[Floats, Floats, Floats]:
    profiles = Profiles.of(table)
    low, high = draws.edges(measure(profiles.drawn(draws)))
    return measure(profiles.total()[:, None])[:, 0], low, high


def _whole(marks: Marks, length: Floats, labels: int) -> Any:
    """Sparse float64[rows, 3 (labels + 1)]: characters on which two agree, characters, squares of spans; by label.

    The last label is that of unmarked text.
    """
    place, rows = numbered(marks.row)
    answers = np.bincount(marks.row)[marks.row] if len(marks.row) else np.zeros(0)
    share = 1 / np.maximum(answers - 1, 1)
    here, cut = place[marks.answer], pieces(marks)
    size = (marks.end - marks.start).astype(np.float64)
    of_answer = _covered(marks)
    label = marks.label[cut.span]
    agreed = cut.length * _others(cut.cell * labels + label) * share[marks.answer[cut.span]]
    bare_agreed = _bare(marks, length)
    gap = np.full(rows, labels)
    unmarked = summed(place, length[marks.row] - of_answer, rows)
    parts = [
        (here[cut.span], label, agreed), (np.arange(rows), gap, bare_agreed),
        (here, labels + 1 + marks.label, size), (np.arange(rows), labels + 1 + gap, unmarked),
        (here, 2 * labels + 2 + marks.label, size**2), (np.arange(rows), 2 * labels + 2 + gap, unmarked),
    ]  # fmt: skip
    return _table(parts, (rows, 3 * labels + 3))


def _covered(marks: Marks) -> Floats:
    """How many characters each answer marked, each once: float64[answers]."""
    flat = united(marks, labels=False)
    return summed(flat.answer, flat.end - flat.start, len(marks.row))


def _bare(marks: Marks, length: Floats) -> Floats:
    """Per row on how many characters two of m answers agree that they are unmarked, each two with 1 / (m - 1)."""
    place, rows = numbered(marks.row)
    answers = np.bincount(place, minlength=rows).astype(np.float64)
    flat = united(marks, labels=False)
    parts = pieces(flat)
    # Of the answers to a row all but those that cover a cell leave it bare.
    _, first, covering = np.unique(parts.cell, return_index=True, return_counts=True)
    row = place[flat.answer[parts.span[first]]] if len(first) else np.zeros(0, dtype=np.int64)
    leave = answers[row] - covering
    size = parts.length[first]
    covered = summed(row, size, rows)
    text = np.zeros(rows)
    text[place] = length[marks.row]
    agree = summed(row, size * leave * (leave - 1), rows) + (text - covered) * answers * (answers - 1)
    return np.asarray(agree / np.maximum(answers - 1, 1))


def _others(thing: Ints) -> Floats:
    """How many other lines say the same."""
    _, place, count = np.unique(thing, return_inverse=True, return_counts=True)
    return np.asarray(count[place.reshape(-1)] - 1.0)


def _coded(marks: Marks) -> Any:
    """Sparse float64[rows, 3 labels]: as `_whole`, of the characters that another annotator marked too."""
    place, rows = numbered(marks.row)
    labels, cut = len(marks.labels), pieces(marks)
    order = np.argsort(cut.cell, kind="stable")
    span, cell, size = cut.span[order], cut.cell[order], cut.length[order].astype(np.float64)
    one, other = pairs_within(cell)
    one, other = np.concatenate([one, other]), np.concatenate([other, one])
    apart = marks.answer[span[one]] != marks.answer[span[other]]
    one, other = one[apart], other[apart]
    answers = np.bincount(marks.row) if len(marks.row) else np.zeros(1)
    here = marks.answer[span[one]]
    share = 1 / np.maximum(answers[marks.row[here]] - 1, 1) if len(here) else np.zeros(0)
    label = marks.label[span[one]]
    agreed = size[one] * share * (label == marks.label[span[other]])
    # How much of each span each other annotator marked, squared.
    meets = span[one] * max(len(marks.row), 1) + marks.answer[span[other]]
    order = np.argsort(meets)
    first = np.flatnonzero(np.diff(meets[order], prepend=-1))
    keys = meets[order[first]]
    square = np.add.reduceat(size[one[order]], first) ** 2 if len(first) else np.zeros(0)
    of_span = keys // max(len(marks.row), 1)
    row = place[marks.answer[of_span]] if len(keys) else np.zeros(0, dtype=np.int64)
    weight = square / np.maximum(answers[marks.row[marks.answer[of_span]]] - 1, 1) if len(keys) else np.zeros(0)
    row_of = place[here] if len(here) else np.zeros(0, dtype=np.int64)
    parts = [
        (row_of, label, agreed), (row_of, labels + label, size[one] * share),
        (row, 2 * labels + marks.label[of_span], weight),
    ]  # fmt: skip
    return _table(parts, (rows, 3 * labels))


def _table(parts: list[tuple[Ints, Ints, Floats]], shape: tuple[int, int]) -> Any:
    from scipy import sparse

    row, column, value = (np.concatenate([part[at] for part in parts]) for at in range(3))
    return sparse.csr_matrix((value, (row, column)), shape=shape)


def _expected(sums: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Observed and expected agreement by label, characters by label, and what remains of their square."""
    agreed, given, square = np.split(sums, 3)
    total = given.sum(axis=0)
    pairs = total**2 - square.sum(axis=0)
    pairs = np.where(pairs > 1e-9 * total**2, pairs, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        return agreed, total * (given**2 - square) / pairs, given, pairs


def _of_sums(sums: Floats) -> Floats:
    """1 - observed / expected disagreement over all labels: float64[1, n]."""
    agreed, by_chance, given, _ = _expected(sums)
    total = given.sum(axis=0)
    return _beyond(total - agreed.sum(axis=0), total - by_chance.sum(axis=0), total)[None]


def _of_labels(sums: Floats) -> Floats:
    """Of each label: 1 - (its expected over its observed characters) x observed / expected disagreement."""
    agreed, by_chance, given, pairs = _expected(sums)
    total = given.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        # A row of the expected table: chance agreement, and what meets each of the other labels.
        across = total * given * (total - given) / pairs
        observed = (given - agreed) * (by_chance + across) / given
    return _beyond(observed, across, total)


def _beyond(observed: Floats, expected: Floats, total: Floats) -> Floats:
    possible = expected > 1e-9 * np.maximum(total, 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(possible, 1 - observed / expected, np.nan))
