"""The ballots as a sparse table, and what a method of consensus found in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from pipeline.errors import AssayError
from pipeline.quality.consensus.truth import settled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.ballots import Ballots
    from pipeline.quality.consensus.truth import Truth

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

Rates = Literal["drawn", "named", "found"]
"""Base rates of the labels: drawn half way to even ones, or rare labels would vanish; of every unit name its own, drawn
towards the general ones (label sets: labels differ in how common they are); or as they are found (tags: outside is
nearly all there is)."""

MOST_CELLS = 100_000_000
FLOOR = 1e-12  # no confusion is impossible, so that no logarithm is infinite


@dataclass(frozen=True)
class Table:
    """Ballots ready for expectation maximisation.

    Attributes:
        given: sparse float64[units, annotators * labels], how often each annotator gave each label to each unit; the
            anonymous stand last, as one annotator.
        turned: `given` with its axes exchanged.
        votes: int64[units], ballots on each unit.
        counts: float64[units, labels], how often each label was given to each unit.
        strangers: the same of the anonymous ballots alone; None if there are none.
        known: int64[units], the label that a unit is known to have, or -1.
        name: int64[units], which units share their labels' base rates (all 0 if they all do).
        classes, annotators, names: how many labels, annotators (with the anonymous) and names there are.
        evenness: 0..1, how far the labels' base rates are drawn to even ones.
    """

    given: Any
    turned: Any
    votes: Ints
    counts: Floats
    strangers: Floats | None
    known: Ints
    name: Ints
    classes: int
    annotators: int
    names: int
    evenness: float


@dataclass(frozen=True)
class Fit:
    """What expectation maximisation found; a state is a label, or a label and a kind of unit that has it.

    Attributes:
        states: float64[units, states], the probability of every state.
        confusions: float64[annotators, given, states], the probability of giving a label in a state.
        spread: concentration of the anonymous ballots on a unit; infinite where they are independent.
        rounds, converged: how long it took, and whether it came to rest.
    """

    states: Floats
    confusions: Floats
    spread: float
    rounds: int
    converged: bool

    def shares(self, classes: int) -> Floats:
        """Probability of every label: float64[units, labels]."""
        return of_labels(self.states, classes)


def of_labels(states: Floats, classes: int) -> Floats:
    """The sums of the states of each label: float64[units, labels]."""
    kinds = states.shape[1] // classes
    return states if kinds == 1 else np.asarray(states @ np.repeat(np.eye(classes), kinds, axis=0))


def table_of(ballots: Ballots, *, known: Ints | None = None, rates: Rates = "drawn") -> Table:
    """The table of the ballots; `known` and `rates` as `choose` has them.

    Raises:
        AssayError: the posteriors or the confusions would hold more than `MOST_CELLS` numbers, or `known` has another
            length than there are units, or an index that no label has.
    """
    from scipy import sparse

    classes, annotators = max(len(ballots.labels), 1), len(ballots.annotators) + 1
    sizes = {"units x labels": ballots.units * classes, "annotators x labels^2": annotators * classes**2}
    for what, size in sizes.items():
        if size > MOST_CELLS:
            raise AssayError("consensus", f"{what} are {size:,} numbers, more than {MOST_CELLS:,}", "use majority")
    annotator = np.where(ballots.annotator < 0, annotators - 1, ballots.annotator)
    place = (ballots.unit, annotator * classes + ballots.label)
    given = sparse.csr_matrix((np.ones(len(ballots)), place), shape=(ballots.units, annotators * classes))
    cells = np.bincount(ballots.unit * classes + ballots.label, minlength=ballots.units * classes)
    nameless = given[:, -classes:].toarray() if (ballots.annotator < 0).any() else None
    return Table(
        given=given, turned=given.T.tocsr(), votes=np.bincount(ballots.unit, minlength=ballots.units),
        counts=cells.reshape(ballots.units, classes).astype(np.float64), strangers=nameless,
        known=checked_known(known, ballots.units, classes),
        name=ballots.unit_name if rates == "named" else np.zeros(ballots.units, dtype=np.int64),
        classes=classes, annotators=annotators, names=len(ballots.names) if rates == "named" else 1,
        evenness=0.0 if rates == "found" else 0.5,
    )  # fmt: skip


def checked_known(known: Ints | None, units: int, classes: int) -> Ints:
    """`known` as int64[units], or -1 throughout."""
    if known is None:
        return np.full(units, -1, dtype=np.int64)
    found = np.asarray(known, dtype=np.int64)
    if found.shape != (units,) or (len(found) and (found.min() < -1 or found.max() >= classes)):
        problem = f"known labels of shape {found.shape} for {units} units and {classes} labels"
        raise AssayError("consensus", problem, "give an index into the labels, or -1, for every unit")
    return found


def vote_shares(table: Table) -> Floats:
    """Share of the votes that each label has, known units being certain; even on units that nobody voted on."""
    total = np.maximum(table.votes, 1)[:, None]
    shares = np.where(table.votes[:, None] > 0, table.counts / total, 1 / table.classes)
    sure = table.known >= 0
    shares[sure] = np.eye(table.classes)[table.known[sure]]
    return np.asarray(shares)


def truth_of(fit: Fit, table: Table, method: str) -> Truth:
    """The likeliest labels that a method found."""
    found = fit.shares(table.classes)
    return settled(found, table.votes, method, iterations=fit.rounds, converged=fit.converged)
