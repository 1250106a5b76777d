"""Words: what speaks against every marked span, and for spans where none is marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import AssayError
from pipeline.quality.evidence import NAMES, Measured, columns, distribution, measured, spread
from pipeline.quality.reasons import Reasons
from pipeline.quality.runs import Flips, flipped, joined, marked, proposed
from pipeline.quality.sentences import OUTSIDE, Sentences, sentences_from
from pipeline.quality.signals import Signals
from pipeline.quality.tagger import tag_probabilities

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


def word_signals(
    table: pa.Table,
    *,
    seed: int = 0,
    probabilities: NDArray[np.float64] | None = None,
    classes: Sequence[str] = (),
) -> Signals:
    """Signals of every marked span, and of runs of words where a span may be missing (given "O").

    `table`: columns id, group, text (strings), words: list<struct<start, end, tag>>; tags B-X, I-X or O. Every row
    with unmarked words has at least one part that is not marked: the place where a span is likeliest to be missing.
    `probabilities`: float64[words of the table in its order, classes], out of fold, from a better tagger; the quick
    one where None. The result does not depend on the order of the rows.

    Raises:
        AssayError: see `sentences.sentences_from`; or the probabilities do not fit the words or lack a tag.
    """
    words, order = sentences_from(table)
    if probabilities is None:
        known = np.asarray(tag_probabilities(words, seed=seed), dtype=np.float64)
    else:
        known = _placed(words, order, probabilities, classes)
    spans = marked(words)
    parts = joined([spans, proposed(words, known)])
    parts = parts.only(np.argsort(parts.first, kind="stable"))
    changed = flipped(words, parts, distribution(parts, known), seed=seed)
    both = joined([parts, changed.runs])
    found = spread(measured(words, spans, both, known, parts=len(parts), seed=seed), changed)
    signals, kept = columns(found), _possible(found, changed)
    believed = _believed(found)[: len(parts)]
    labels = (*words.labels, OUTSIDE)
    given = parts.label % len(labels)
    likely, chance = _likely(believed, given)
    start, end = words.start[parts.first], words.end[parts.last - 1]
    return Signals(
        row=order[parts.row],
        part=tuple(f"{a}:{b}" for a, b in zip(start, end, strict=True)),
        given=tuple(labels[at] for at in given),
        likely=tuple(labels[at] if at >= 0 else "" for at in likely),
        names=NAMES,
        actual=signals[: len(parts)],
        flipped=signals[len(parts) :][kept],
        flipped_part=changed.part[kept],
        p_given=np.where(likely >= 0, believed[np.arange(len(parts)), given], np.nan),
        p_likely=chance,
        said=Reasons(words, found, signals, NAMES),
        flipped_kind=changed.kind[kept],
        state=(parts.label >= 0).astype(np.int64),
        flipped_state=(changed.runs.label[kept] >= 0).astype(np.int64),
    )


def row_scores(row: Ints, wrong: Floats, rows: int) -> Floats:
    """How probably something is wrong in each row: 1 - the product of (1 - wrong) over its parts: float64[rows]."""
    right = np.log1p(-np.clip(np.nan_to_num(wrong), 0.0, 1.0 - 1e-12))
    return np.asarray(-np.expm1(np.bincount(row, weights=right, minlength=rows)))


def _possible(found: Measured, flips: Flips) -> NDArray[np.bool_]:
    """Which flipped answers can be: what is made often is made elsewhere too, so the surface is marked there."""
    seen = found.elsewhere.marked.sum(axis=1) + found.nearby.marked.sum(axis=1)
    return np.asarray((flips.share == 0) | (seen[flips.part] > 0))


def _placed(words: Sentences, order: Ints, given: NDArray[np.float64], classes: Sequence[str]) -> Floats:
    """Probabilities from elsewhere, in the order of `words` and of its tags."""
    if lacking := sorted(set(words.tags) - set(classes)):
        raise AssayError("suspects", f"no probabilities of {', '.join(lacking)}", "name the classes in their order")
    if given.shape != (len(words), len(classes)):
        raise AssayError("suspects", f"probabilities {given.shape} for {len(words)} words, {len(classes)} classes")
    count = np.zeros(len(order), dtype=np.int64)
    count[order] = np.diff(words.first)
    begin = (np.cumsum(count) - count)[order]
    place = begin[words.row] + np.arange(len(words)) - words.first[words.row]
    column = np.array([list(classes).index(tag) for tag in words.tags], dtype=np.int64)
    return np.asarray(given[np.ix_(place, column)], dtype=np.float64)


def _believed(found: Measured) -> Floats:
    """The tagger's distribution, moved by the counts of other groups as if it had been two of them (Dirichlet)."""
    counts = np.concatenate([found.elsewhere.marked, found.elsewhere.outside[:, None]], axis=1)
    total: Floats = counts.sum(axis=1, keepdims=True)
    return np.asarray((counts + 2.0 * found.tagger) / (total + 2.0), dtype=np.float64)


def _likely(believed: Floats, given: Ints) -> tuple[Ints, Floats]:
    """The likeliest answer other than the given one and its probability; -1 and nan where not asked."""
    rest = np.where(np.isnan(believed), -1.0, believed)
    rest[np.arange(len(given)), given] = -1.0
    best = rest.argmax(axis=1)
    chance = rest[np.arange(len(given)), best]
    return np.where(chance >= 0, best, -1), np.where(chance >= 0, chance, np.nan)
