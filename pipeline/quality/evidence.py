"""Evidence: what every instrument says of runs of words and of the answers they carry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.contexts import by_context, by_form
from pipeline.quality.habits import Edge, edges, odd, rareness
from pipeline.quality.surfaces import Seen, Surfaces, Windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.runs import Flips, Runs
    from pipeline.quality.sentences import Sentences

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MARKED = (
    "tagger", "tagger type", "tagger outside", "context", "form", "surface type", "surface outside", "surface partly",
    "nearby", "habit", "oddity",
)  # fmt: skip
MISSED = ("missed tagger", "missed run", "missed context", "missed form", "missed surface", "missed nearby")
NAMES = (*MARKED, *MISSED)
_SURE = 1e-5  # no model is surer than this, so that one word cannot outweigh all else


@dataclass(frozen=True)
class Measured:
    """All that is known of some runs, one entry per run; the last column of a distribution is that of no span.

    Attributes:
        runs: the runs.
        worst: float64[n], what the tagger gives the least likely tag of the answer, the end of the span included.
        tagger, context, form: float64[n, labels + 1], distributions by three models.
        elsewhere, nearby: counts of the surface in other groups, and in other rows of the group.
        edges: habits at the four places where the span could be cut otherwise.
        odd: bool[n, oddities].
        rareness: float64[n], see `habits.rareness`.
    """

    runs: Runs
    worst: Floats
    tagger: Floats
    context: Floats
    form: Floats
    elsewhere: Seen
    nearby: Seen
    edges: list[Edge]
    odd: Bools
    rareness: Floats


def distribution(runs: Runs, known: Floats) -> Floats:
    """What the tagger gives each label, and last O, on the mean over the words of each run: float64[n, labels + 1]."""
    by_label = np.concatenate([known[:, 1::2] + known[:, 2::2], known[:, :1]], axis=1)
    total = np.concatenate([np.zeros((1, by_label.shape[1])), np.cumsum(np.nan_to_num(by_label), axis=0)])
    length = (runs.last - runs.first)[:, None]
    mean = np.clip((total[runs.last] - total[runs.first]) / length, 0.0, 1.0)
    mean[np.isnan(known[runs.first, 0])] = np.nan
    return np.asarray(mean)


def _worst(words: Sentences, runs: Runs, known: Floats) -> Floats:
    """The smallest probability of the tags that the answers mean, that no span goes on after them included."""
    length = runs.last - runs.first
    owner = np.repeat(np.arange(len(runs)), length)
    begin = np.cumsum(length) - length
    step = np.arange(len(owner)) - begin[owner]
    label = runs.label[owner]
    tag = np.where(label < 0, 0, 1 + 2 * label + (step > 0))
    value = known[runs.first[owner] + step, tag]
    worst = np.minimum.reduceat(value, begin) if len(runs) else np.zeros(0)
    after = np.minimum(runs.last, len(words) - 1)
    inside = (runs.last < words.first[runs.row + 1]) & (runs.label >= 0)
    goes_on = known[after, np.where(inside, 2 + 2 * runs.label, 0)]
    return np.asarray(np.where(inside, np.minimum(worst, 1 - goes_on), worst))


def measured(words: Sentences, spans: Runs, runs: Runs, known: Floats, *, parts: int, seed: int) -> Measured:
    """Ask every instrument about `runs`, of which the first `parts` carry the answers to learn from.

    `spans`: all that is marked; `known`: float64[words, tags], out of fold.
    """
    learn = np.where(runs.label >= 0, runs.label, len(words.labels))
    learn[parts:] = -1
    surfaces = Surfaces(words, spans, runs)
    surface = Windows(words).hashed(runs.first, runs.last)
    oddities = odd(words, spans, runs)
    given = runs.only(np.flatnonzero((learn >= 0) & (runs.label >= 0)))
    return Measured(
        runs=runs,
        worst=_worst(words, runs, known),
        tagger=distribution(runs, known),
        context=np.asarray(by_context(words, runs, learn, seed=seed), dtype=np.float64),
        form=np.asarray(by_form(words, runs, surface, learn, seed=seed), dtype=np.float64),
        elsewhere=surfaces.elsewhere(runs),
        nearby=surfaces.nearby(runs),
        edges=edges(words, spans, runs),
        odd=oddities,
        rareness=rareness(oddities, runs.label, odd(words, spans, given), given.label),
    )


def spread(found: Measured, flips: Flips) -> Measured:
    """What the instruments would say if a flipped answer were given not once but in a share of all such places.

    The counts elsewhere and what the tagger learned from them move from the right answer to the wrong one by that
    share; models that do not see the words move half as far, for other names may have the same error.
    """
    first = len(found.runs) - len(flips.part)
    at = first + np.flatnonzero(flips.share > 0)
    part, share = flips.part[at - first], flips.share[at - first]
    right, wrong = found.runs.label[part], found.runs.label[at]
    worst = found.worst.copy()
    worst[at] += share * (found.worst[part] - worst[at])
    return replace(
        found,
        worst=worst,
        tagger=_moved(found.tagger, at, right, wrong, share),
        context=_moved(found.context, at, right, wrong, share / 2),
        form=_moved(found.form, at, right, wrong, share / 2),
        elsewhere=_recounted(found.elsewhere, at, right, wrong, share),
        nearby=_recounted(found.nearby, at, right, wrong, share),
    )


def _recounted(seen: Seen, at: Ints, right: Ints, wrong: Ints, share: Floats) -> Seen:
    moved = _moved(np.column_stack([seen.marked, seen.outside]), at, right, wrong, share)
    return Seen(moved[:, :-1], moved[:, -1], seen.partly)


def _moved(table: Floats, at: Ints, right: Ints, wrong: Ints, share: Floats) -> Floats:
    """A share of what rows `at` have in column `right` put into column `wrong`; -1 is the last column."""
    changed = table.copy()
    amount = share * table[at, right]
    changed[at, right] -= amount
    changed[at, wrong] += amount
    return changed


def columns(found: Measured) -> Floats:
    """The columns `NAMES`: float64[n, 17]; those of marked runs are nan for runs that are not, and the reverse."""
    label = found.runs.label
    is_marked = label >= 0
    given = np.where(is_marked, label, found.tagger.shape[1] - 1)
    seen, near = found.elsewhere, found.nearby
    own, near_own = _own(seen.marked, label), _own(near.marked, label)
    marked_elsewhere, near_marked = seen.marked.sum(axis=1), near.marked.sum(axis=1)
    rest = _others(found.tagger[:, :-1], label)
    habits = np.stack([edge.oddity for edge in found.edges], axis=1)
    of_marked = [
        -_logit(found.worst),
        _ratio(rest, _own(found.tagger[:, :-1], label), _SURE),
        _logit(found.tagger[:, -1]),
        -_logit(_taken(found.context, given)),
        -_logit(_taken(found.form, given)),
        _counted(_others(seen.marked, label), own, marked_elsewhere),
        _counted(seen.outside, marked_elsewhere, seen.outside + marked_elsewhere),
        _counted(seen.partly, marked_elsewhere, seen.partly + marked_elsewhere),
        _counted(near_marked - near_own + near.outside, near_own, near_marked + near.outside),
        np.where(np.isnan(habits).all(axis=1), np.nan, np.nan_to_num(habits, nan=-np.inf).max(axis=1)),
        found.rareness,
    ]
    of_missed = [
        -_logit(found.worst),
        -_logit(found.tagger[:, -1]),
        -_logit(found.context[:, -1]),
        -_logit(found.form[:, -1]),
        _counted(marked_elsewhere, seen.outside, seen.outside + marked_elsewhere),
        _counted(near_marked, near.outside, near.outside + near_marked),
    ]
    columns = [np.where(is_marked, column, np.nan) for column in of_marked]
    columns += [np.where(is_marked, np.nan, column) for column in of_missed]
    return np.stack(columns, axis=1)


def _logit(probability: Floats) -> Floats:
    held = np.clip(probability, _SURE, 1 - _SURE)
    return np.asarray(np.log(held / (1 - held)))


def _ratio(above: Floats, below: Floats, least: float) -> Floats:
    return np.asarray(np.log((above + least) / (below + least)))


def _counted(against: Floats, for_it: Floats, asked: Floats) -> Floats:
    """Log-odds of counts, half a count added to each side; nan where nothing was counted."""
    return np.where(asked > 0, _ratio(against, for_it, 0.5), np.nan)


def _taken(table: Floats, label: Ints) -> Floats:
    return np.asarray(table[np.arange(len(table)), label])


def _own(table: Floats, label: Ints) -> Floats:
    """The entry of the given label; 0 for runs without one."""
    if not table.size:
        return np.zeros(len(table))
    return np.where(label >= 0, table[np.arange(len(table)), np.maximum(label, 0)], 0.0)


def _others(table: Floats, label: Ints) -> Floats:
    """The largest entry of any other label; 0 where there is none."""
    rest = table.copy()
    if not rest.size:
        return np.zeros(len(table))
    rest[np.arange(len(table)), np.maximum(label, 0)] = 0.0
    return np.asarray(rest.max(axis=1, initial=0.0))
