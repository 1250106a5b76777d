"""Spans: how well two annotators' spans match: entity F1, exact and by characters, overall, per label, per duo.

Exact: a span matches one of the same start, end and label. Partial: every character of a span is one thing to find, and
matches if the other marked it with the same label; so half a name found is half found, and a long span counts for more
than a short one. Neither has a correction for chance: that of `unitised` has. Rows on which both marked nothing neither
help nor harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from pipeline.quality.agreement.counting import distinct, numbered, pairs_within, summed
from pipeline.quality.agreement.figures import Figure
from pipeline.quality.agreement.marks import pieces, united
from pipeline.quality.agreement.resampling import Draws, Profiles, linear

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from pipeline.quality.agreement.marks import Marks

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

Matching = Literal["exact", "partial", "edges"]
"""Same edges and label; characters of the same label; same edges, whatever the label."""
NAMES: dict[Matching, str] = {
    "exact": "F1 (exact spans)",
    "partial": "F1 (characters)",
    "edges": "F1 (edges without labels)",
}


@dataclass(frozen=True)
class SpanAgreement:
    """F1 between annotators.

    Attributes:
        overall: over all pairs of answers to the same row: twice what matches over all that was marked.
        mean: the mean over the duos of named annotators of each one's F1 over the rows both answered.
        by_label: `overall`, counting the spans of one label only.
        first, second, rows, f1: each duo, on how many rows they met, and their F1 (nan: neither marked anything).
    """

    overall: Figure
    mean: Figure
    by_label: dict[str, Figure]
    first: Ints
    second: Ints
    rows: Ints
    f1: Floats


@dataclass(frozen=True)
class _Items:
    """Things to find, one line for each answer that found it: equal `thing`s match; sorted by it."""

    thing: Ints
    answer: Ints
    label: Ints
    weight: Floats


def spans(
    marks: Marks, *, matching: Matching = "exact", seed: int = 0, resamples: int = 200, level: float = 0.95
) -> SpanAgreement:
    """Pairwise F1 of everybody who answered the same rows, also of who marked nothing there.

    In F1 it does not matter who of two is taken for the truth. `answers` of the figures counts spans.
    Method: Hripcsak and Rothschild 2005, "Agreement, the F-measure, and reliability in information retrieval", doi
    10.1197/jamia.M1733.
    """
    draws, met = Draws(seed, resamples, level), marks.met()
    items = _items(met, matching)
    overall = _overall(met, items, NAMES[matching], draws)
    labels = {} if matching == "edges" else _by_label(met, items, NAMES[matching], draws)
    first, second, rows, f1, mean = _duos(met, items, f"{NAMES[matching]}, mean of pairs", draws)
    return SpanAgreement(overall, mean, labels, first, second, rows, f1)


def _items(marks: Marks, matching: Matching) -> _Items:
    if matching == "partial":
        here = united(marks)
        cut = pieces(here)
        label = here.label[cut.span]
        return _sorted(
            cut.cell * len(marks.labels) + label, here.answer[cut.span], label, cut.length.astype(np.float64)
        )
    label = marks.label if matching == "exact" else np.zeros_like(marks.label)
    row = marks.row[marks.answer]
    order = np.lexsort((marks.answer, label, marks.end, marks.start, row))
    columns = np.stack([row, marks.start, marks.end, label], axis=1)[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (columns[1:] != columns[:-1]).any(axis=1)
    thing, answer = np.cumsum(new), marks.answer[order]
    once = np.ones(len(order), dtype=bool)
    once[1:] = (thing[1:] != thing[:-1]) | (answer[1:] != answer[:-1])
    return _sorted(thing[once], answer[once], label[order][once], np.ones(int(once.sum())))


def _sorted(thing: Ints, answer: Ints, label: Ints, weight: Floats) -> _Items:
    order = np.lexsort((answer, thing))
    return _Items(thing[order], answer[order], label[order], weight[order])


def _found(marks: Marks, items: _Items) -> tuple[Floats, Floats]:
    """For each item: in how many pairs of answers it is found by both, times 2, and in how many it is marked by one."""
    others = np.bincount(marks.row)[marks.row] - 1
    same = np.bincount(items.thing)[items.thing] - 1 if len(items.thing) else np.zeros(0, dtype=np.int64)
    return items.weight * same, items.weight * others[items.answer] if len(items.answer) else np.zeros(0)


def _overall(marks: Marks, items: _Items, name: str, draws: Draws) -> Figure:
    rows = numbered(marks.row)[1]
    low, high, value = _f1(marks, items, np.zeros_like(items.label), 1, draws)
    note = _why_missing(float(value[0]), rows)
    return Figure(name, float(value[0]), float(low[0]), float(high[0]), rows, len(marks.start), note)


def _by_label(marks: Marks, items: _Items, title: str, draws: Draws) -> dict[str, Figure]:
    low, high, value = _f1(marks, items, items.label, len(marks.labels), draws)
    given = np.bincount(marks.label, minlength=len(marks.labels))
    row = marks.row[marks.answer]
    told = {}
    for at, name in enumerate(marks.labels):
        rows = len(np.unique(row[marks.label == at]))
        told[name] = Figure(title, float(value[at]), float(low[at]), float(high[at]), rows, int(given[at]))
    return told


def _f1(marks: Marks, items: _Items, group: Ints, groups: int, draws: Draws) -> tuple[Floats, Floats, Floats]:
    """(low, high, value) of F1 by group of items; rows are drawn anew, those without marks too."""
    place, rows = numbered(marks.row)
    both, either = _found(marks, items)
    of_row = place[items.answer] if len(items.answer) else np.zeros(0, dtype=np.int64)
    profiles = Profiles.of(
        _table(np.tile(of_row, 2), np.concatenate([group, group + groups]), (both, either), (rows, 2 * groups))
    )

    def measure(sums: Floats) -> Floats:
        matched, marked = np.split(sums, 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(marked > 0, matched / marked, np.nan))

    low, high = draws.edges(measure(profiles.drawn(draws)))
    return low, high, measure(profiles.total()[:, None])[:, 0]


def _table(row: Ints, column: Ints, parts: tuple[Floats, Floats], shape: tuple[int, int]) -> Any:
    from scipy import sparse

    return sparse.csr_matrix((np.concatenate(parts), (row, column)), shape=shape)


def _duos(marks: Marks, items: _Items, name: str, draws: Draws) -> tuple[Ints, Ints, Ints, Floats, Figure]:
    """The duos, their rows and F1s, and the mean of these."""
    people = max(len(marks.annotators), 1)
    order = np.argsort(marks.row, kind="stable")
    i, j = (order[part] for part in pairs_within(marks.row[order]))
    named = (marks.annotator[i] >= 0) & (marks.annotator[j] >= 0)
    i, j = i[named], j[named]
    keys, met = distinct(_key(marks.annotator[i], marks.annotator[j], people))
    weight = summed(items.answer, items.weight, len(marks.row))
    marked = weight[i] + weight[j]
    one, other = pairs_within(items.thing)
    who, whom = marks.annotator[items.answer[one]], marks.annotator[items.answer[other]]
    both = (who >= 0) & (whom >= 0)
    duo = np.searchsorted(keys, _key(who[both], whom[both], people))
    matched = 2 * items.weight[one[both]]
    with np.errstate(divide="ignore", invalid="ignore"):
        total = summed(met, marked, len(keys))
        f1 = np.where(total > 0, summed(duo, matched, len(keys)) / total, np.nan)
    first, second = np.divmod(keys, people)
    row_of = marks.row[items.answer[one[both]]] if len(one) else np.zeros(0, dtype=np.int64)
    mean = _mean(
        f1,
        total,
        marked=(marks.row[i], met.astype(np.int64), marked),
        matched=(row_of, duo.astype(np.int64), matched),
        as_told=Figure(name, 0, 0, 0, 0, len(marks.start)),
        draws=draws,
    )
    return first, second, np.bincount(met, minlength=len(keys)), f1, mean


def _key(one: Ints, other: Ints, people: int) -> Ints:
    return np.asarray(np.minimum(one, other) * people + np.maximum(one, other))


Records = tuple["Ints", "Ints", "Floats"]


def _mean(f1: Floats, total: Floats, *, marked: Records, matched: Records, as_told: Figure, draws: Draws) -> Figure:
    """The mean of the F1s of duos, from what each row adds to what a duo marked and matched: (row, duo, weight)."""
    defined = np.isfinite(f1)
    duos = int(defined.sum())
    rows = numbered(marked[0])[1]
    if not duos:
        return Figure(as_told.name, np.nan, np.nan, np.nan, rows, as_told.answers, _why_missing(np.nan, rows))
    share = np.where(defined, 1 / np.where(total > 0, total, 1.0), 0.0) / duos
    row = np.concatenate([matched[0], marked[0]])
    fixed = np.where(defined, f1, 0.0)
    grows = np.concatenate([matched[2] * share[matched[1]], -marked[2] * (fixed * share)[marked[1]]])
    value = np.array([float(np.nanmean(f1))])
    low, high = linear(value, row, np.zeros(len(row), dtype=np.int64), grows, draws)
    note = f"mean over {duos} pairs of annotators, each the same"
    return Figure(as_told.name, float(value[0]), float(low[0]), float(high[0]), rows, as_told.answers, note)


def _why_missing(value: float, rows: int) -> str:
    if np.isfinite(value):
        return ""
    return "nobody marked anything on the rows answered twice" if rows else "no row was answered twice or more"
