"""Sets: what a model and the neighbours say against each label that a row carries, or does not but should."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.signals import Signals
from pipeline.quality.suspects.evidence import log_odds
from pipeline.quality.suspects.flips import share

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from pipeline.quality.suspects.neighbours import Neighbours

    Floats = NDArray[np.float64]
    Floats32 = NDArray[np.float32]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

# Cosine from which two texts read nearly the same: they share some nine tenths of their n-grams.
NEARLY_SAME = 0.9
# A label that a row does not carry is a part only if the model finds it at least this likely; others are surely fine.
_ASKED = 0.1
_ROWS_AT_ONCE = 50_000
_PRIOR_VOTES = 1.0


@dataclass(frozen=True)
class SetEvidence:
    """Out-of-fold probabilities of each label by itself, the labels that rows carry, and neighbours.

    Attributes:
        probabilities: float32[n, labels], nan where no model could be asked.
        carried: bool[n, labels].
        near: the neighbours of the rows that were asked for.
        place: int64[n], where a row stands in `near`; -1 for rows that were not asked for.
    """

    probabilities: Floats32
    carried: Flags
    near: Neighbours
    place: Ints

    NAMES = ("model", "confident", "instead", "neighbours")

    def against(self, row: Ints, label: Ints, carries: Flags) -> Floats:
        """How much each signal speaks against the row carrying (or not carrying) the label: float64[len(row), 4].

        model: log-odds of it by the model. confident: the same, less the log-odds that rows with that label mostly get.
        instead: how much likelier the likeliest label that the row lacks is than this one, or this one than the least
        likely label that it has. neighbours: log-odds by the labels that they carry, weighted by likeness.
        """
        sign = np.where(carries, -1.0, 1.0)
        own = log_odds(self.probabilities[row, label].astype(np.float64))
        usual = log_odds(self._usual)[label]
        votes = log_odds(self.votes(row, label))
        return np.column_stack(
            [sign * own, sign * (own - usual), self._instead(row, label, carries), np.asarray(sign * votes)]
        )

    @cached_property
    def _usual(self) -> Floats:
        """Mean probability of each label over the rows that carry it: float64[labels]."""
        known = np.isfinite(self.probabilities) & self.carried
        total = np.where(known, self.probabilities, 0).sum(axis=0, dtype=np.float64)
        return np.asarray(np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), 0.5))

    def _instead(self, row: Ints, label: Ints, carries: Flags) -> Floats:
        found = np.empty(len(row))
        for first in range(0, len(row), _ROWS_AT_ONCE):
            some = slice(first, first + _ROWS_AT_ONCE)
            said = log_odds(self.probabilities[row[some]].astype(np.float64))
            has = self.carried[row[some]].copy()
            at = np.arange(len(said))
            own = said[at, label[some]]
            has[at, label[some]] = True
            missed = np.where(has | np.isnan(said), -np.inf, said).max(axis=1, initial=-np.inf)
            has[at, label[some]] = False
            least = np.where(has & np.isfinite(said), said, np.inf).min(axis=1, initial=np.inf)
            # A row that lacks no label, or has no other, is measured against even odds.
            missed, least = np.where(np.isfinite(missed), missed, 0), np.where(np.isfinite(least), least, 0)
            found[some] = np.where(carries[some], missed - own, own - least)
        return found

    def votes(self, row: Ints, label: Ints) -> Floats:
        """Share of the neighbours that carry a label, weighted by likeness: float64[m], nan if none was asked."""
        frequency = self.carried.mean(axis=0) if len(self.carried) else np.zeros(self.carried.shape[1])
        found = np.full(len(row), np.nan)
        asked = np.flatnonzero(self.place[row] >= 0)
        for first in range(0, len(asked), _ROWS_AT_ONCE):
            some = asked[first : first + _ROWS_AT_ONCE]
            spot = self.place[row[some]]
            near = self.near.row[spot]
            weight = np.where(near >= 0, np.maximum(self.near.likeness[spot], 0).astype(np.float64) ** 2, 0)
            votes = (weight * self.carried[near, label[some][:, None]]).sum(axis=1)
            prior = _PRIOR_VOTES * frequency[label[some]]
            found[some] = (votes + prior) / (weight.sum(axis=1) + _PRIOR_VOTES)
        return found


def signals(
    evidence: SetEvidence,
    *,
    order: Ints,
    fair: Flags,
    numbers: NDArray[np.uint64],
    names: list[str],
    near: Callable[[int, Callable[[int], bool]], str],
) -> Signals:
    """The signals of every label that a row carries, and of those it lacks that the model finds not unlikely.

    `order`: int64[n], where each row of the evidence stands in the table; `fair`: bool[n], the rows to learn from;
    `numbers`: uint64[n], the luck of each row; `near`: says in words which nearly same text is answered otherwise.
    """
    row, label = np.nonzero(evidence.carried | (np.nan_to_num(evidence.probabilities) >= _ASKED))
    carries = evidence.carried[row, label]
    part, other, state, kind = _flipped(evidence, row, label, carries, fair=fair, numbers=numbers)
    given = evidence.probabilities[row, label].astype(np.float64)
    votes = evidence.votes(row, label)
    blended = np.where(np.isfinite(votes), (2 * given + votes) / 3, given)
    word = np.array(["no", "yes"])

    def said(at: int) -> list[str]:
        own, which, has = int(row[at]), int(label[at]), bool(carries[at])
        told = [f"model gives '{names[which]}' {float(evidence.probabilities[own, which]):.0%}"]
        found = [] if evidence.place[own] < 0 else evidence.near.row[evidence.place[own]]
        found = [int(each) for each in found if each >= 0]
        if found:
            told.append(
                f"neighbours: {int(evidence.carried[found, which].sum())} of {len(found)} have '{names[which]}'"
            )
        told.append(near(own, lambda one: bool(evidence.carried[one, which]) != has))
        return [each for each in told if each]

    return Signals(
        row=order[row],
        part=tuple(names[code] for code in label.tolist()),
        given=tuple(word[carries.astype(np.int64)].tolist()),
        likely=tuple(word[1 - carries.astype(np.int64)].tolist()),
        names=evidence.NAMES,
        actual=evidence.against(row, label, carries),
        flipped=evidence.against(row[part], other, state),
        flipped_part=part,
        flipped_kind=kind,
        state=carries.astype(np.int64),
        flipped_state=state.astype(np.int64),
        p_given=np.where(carries, blended, 1 - blended),
        p_likely=np.where(carries, 1 - blended, blended),
        said=said,
        fair=fair[row],
    )


def _flipped(
    evidence: SetEvidence, row: Ints, label: Ints, carries: Flags, *, fair: Flags, numbers: NDArray[np.uint64]
) -> tuple[Ints, Ints, Flags, Ints]:
    """Labels put on rows that lack them, at random and by likelihood, and labels taken away.

    Gives the part (any of the row, where the label itself is none), the label, whether the row would carry it, and the
    kind: 0 put on at random, 1 put on as likely, 2 taken away (if it would still be a part).
    """
    classes = evidence.carried.shape[1]
    first = np.flatnonzero(np.diff(row, prepend=-1) != 0)
    first = first[fair[row[first]]]
    at = row[first]
    missing = ~evidence.carried[at]
    some = np.flatnonzero(missing.any(axis=1))
    put = (
        [
            _picked(mass[some], share(numbers[at[some]], turn))
            for turn, mass in (
                (0, missing.astype(np.float64)),
                (1, np.where(missing, np.nan_to_num(evidence.probabilities[at]) + 1e-6, 0.0)),
            )
        ]
        if classes
        else []
    )
    likely = np.nan_to_num(evidence.probabilities[row, label]) >= _ASKED
    taken = np.flatnonzero(carries & fair[row] & likely)
    part = np.concatenate([*(first[some] for _ in put), taken])
    labels = np.concatenate([*put, label[taken]])
    state = np.concatenate([np.ones(len(part) - len(taken), dtype=bool), np.zeros(len(taken), dtype=bool)])
    kind = np.concatenate([*(np.full(len(each), at) for at, each in enumerate(put)), np.full(len(taken), 2)])
    return part.astype(np.int64), labels.astype(np.int64), state, kind.astype(np.int64)


def _picked(mass: Floats, at: Floats) -> Ints:
    upto = mass.cumsum(axis=1)
    return np.asarray((upto > (at * upto[:, -1])[:, None]).argmax(axis=1))
