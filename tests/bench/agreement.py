"""Agreement: equal to the reference libraries on real crowds; time and memory at a million labels.

    python -m tests.bench agreement [accuracy | size]

The references are krippendorff, nltk, scikit-learn and statsmodels; one that is not installed is n/a. Ours are timed
with their 200 draws for an interval, the references, which have none, without.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality import agreement
from pipeline.quality.agreement import Sets
from pipeline.quality.ballots import Ballots, ballots_from
from pipeline.tasks import masi
from tests.bench import agreement_size, crowds
from tests.bench.crowds import EMOTIONS
from tests.bench.measure import show, timed
from tests.quality.consensus.crowds import lines as read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Crowd:
    """Real crowd labels: ballots, and the same as (row, annotator, label)."""

    name: str
    ballots: Ballots
    votes: list[tuple[str, str, str]]

    @property
    def counts(self) -> Any:
        """How often each label, in the order of its number, was given to each row."""
        order = np.argsort(self.values)
        counts = np.zeros((self.ballots.rows, len(order)), dtype=np.int64)
        np.add.at(counts, (self.ballots.row, np.argsort(order)[self.ballots.label]), 1)
        return counts

    @property
    def values(self) -> Any:
        """The number that each label is."""
        return np.array([float(label) for label in self.ballots.labels])


def crowd(name: str, lines: Iterator[tuple[str, str, str]]) -> Crowd:
    """The votes of a file; who votes twice on an item is heard once, as the last line says."""
    heard = {(item, who): f"{float(label) + 0.0:g}" for item, who, label in lines}
    votes = [(item, who, label) for (item, who), label in heard.items()]
    rows = {item: at for at, item in enumerate(sorted({item for item, _, _ in votes}))}
    people, labels = ([vote[at] for vote in votes] for at in (1, 2))
    return Crowd(name, ballots_from([rows[item] for item, *_ in votes], [""] * len(votes), people, labels), votes)


def snow(name: str) -> Crowd:
    """One task of Snow et al. 2008."""
    return crowd(
        f"snow {name}", ((one["orig_id"], one["!amt_worker_ids"], one["response"]) for one in crowds.snow(name))
    )


def labelled(folder: Path) -> Crowd:
    """One of the nine sets of crowd labels."""
    return crowd(folder.name, ((one["item"], one["worker"], one["label"]) for one in read(folder / "label.csv")))


Line = tuple[str, str, "Callable[[], Any]", "Callable[[], Any]"]


def krippendorffs(one: Crowd, levels: tuple[str, ...]) -> Iterator[Line]:
    """Alpha at every level that the labels allow."""
    import krippendorff

    counts, values = one.counts, one.values
    distances: dict[str, Callable[[], Any]] = {
        "nominal": agreement.nominal,
        "ordinal": lambda: agreement.ordinal(one.ballots, values),
        "interval": lambda: agreement.interval(values),
        "ratio": lambda: agreement.ratio(values),
    }
    for level in levels:
        yield (
            one.name,
            f"alpha {level}",
            lambda level=level: agreement.alpha(one.ballots, distance=distances[level]()).alpha,  # type: ignore[misc]
            lambda level=level: krippendorff.alpha(  # type: ignore[misc]
                value_counts=counts, value_domain=sorted(values.tolist()), level_of_measurement=level
            ),
        )


def fleiss(one: Crowd) -> Iterator[Line]:
    """Fleiss' kappa, of sets with the same number of labels everywhere."""
    if find_spec("statsmodels") is None or len(set(one.counts.sum(axis=1).tolist())) > 1:
        return
    fleiss_kappa = import_module("statsmodels.stats.inter_rater").fleiss_kappa

    yield one.name, "kappa Fleiss", lambda: agreement.kappas(one.ballots)[1].value, lambda: fleiss_kappa(one.counts)


def cohens(one: Crowd) -> Iterator[Line]:
    """Cohen's kappa of all pairs of annotators, weighted by overlap."""
    yield one.name, "kappa Cohen", lambda: agreement.duos(one.ballots).mean.value, lambda: _sklearn(one)


def _sklearn(one: Crowd) -> float:
    from sklearn.metrics import cohen_kappa_score

    of_item = defaultdict(list)
    for item, who, label in sorted(one.votes):
        of_item[item].append((who, label))
    met = defaultdict(list)
    for heard in of_item.values():
        for at, (who, label) in enumerate(heard):
            for whom, other in heard[at + 1 :]:
                met[who, whom].append((label, other))
    told = [pairs for pairs in met.values() if len({label for pair in pairs for label in pair}) > 1]
    sizes = [len(pairs) for pairs in told]
    kappas = [float(cohen_kappa_score(*zip(*pairs, strict=True))) for pairs in told]
    return sum(size * kappa for size, kappa in zip(sizes, kappas, strict=True)) / sum(sizes)


def emotions() -> Iterator[Line]:
    """Sets: the emotions that an annotator rated at 50 and more."""
    from nltk.metrics import jaccard_distance
    from nltk.metrics.agreement import AnnotationTask

    felt: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name in EMOTIONS:
        for item, who, label in snow(name).votes:
            felt[item, who] |= {name} if float(label) >= 50 else set()
    felt = defaultdict(set, {key: found for key, found in felt.items() if found})
    rows = {item: at for at, item in enumerate(sorted({item for item, _ in felt}))}
    ballots = ballots_from(
        [rows[item] for item, _ in felt], [""] * len(felt), [who for _, who in felt],
        [json.dumps(sorted(found)) for found in felt.values()],
    )  # fmt: skip
    coded = [(who, item, frozenset(found)) for (item, who), found in felt.items()]
    for name, distance in (("MASI", masi), ("Jaccard", jaccard_distance)):
        sets = Sets.of(ballots.labels, masi=name == "MASI")
        yield (
            "snow emotions",
            f"alpha {name}",
            lambda sets=sets: agreement.alpha(ballots, distance=sets).alpha,  # type: ignore[misc]
            lambda distance=distance: AnnotationTask(coded, distance=distance).alpha(),  # type: ignore[misc]
        )


def lines() -> Iterator[Line]:
    """Everything that is compared."""
    for name, levels in (
        ("rte", ("nominal",)), ("temp", ("nominal",)), ("valence", ("interval", "ordinal")),
        ("joy", ("interval", "ordinal", "ratio")),
    ):  # fmt: skip
        one = snow(name)
        yield from krippendorffs(one, levels)
        if levels == ("nominal",):
            yield from fleiss(one)
            yield from cohens(one)
    yield from emotions()
    for folder in crowds.nine():
        one = labelled(folder)
        yield from krippendorffs(one, ("nominal", "ordinal"))
        yield from fleiss(one)
        yield from cohens(one)


def accuracy() -> Iterator[list[str]]:
    """Ours and theirs."""
    for name, measure, ours, theirs in lines():
        (mine, seconds), (reference, slower) = timed(lambda: float(ours())), timed(lambda: float(theirs()))  # noqa: B023
        numbers = (f"{mine:.6f}", f"{reference:.6f}", f"{abs(mine - reference):.0e}")
        yield [f"{name}, {measure}", *numbers, f"{seconds:.3f}", f"{slower:.3f}"]


def main(arguments: list[str]) -> None:
    """Print the tables asked for."""
    if arguments[:1] == ["--cost"]:
        return agreement_size.cost(arguments[1])
    asked = arguments or ["accuracy", "size"]
    if "accuracy" in asked:
        show("data, measure", ["ours", "theirs", "apart", "our s", "their s"], accuracy())
    if "size" in asked:
        show("a million labels, 200 draws", ["seconds", "MiB before", "MiB at the peak"], agreement_size.sizes())
    return None
