"""Agreement against the reference libraries, and time and memory at a million labels; run by hand, never by the tests.

    python -m tests.bench_agreement [accuracy | size]

Data come from the folder ASSAY_REAL_DATA (default: ../shared/data). The references are krippendorff, nltk, scikit-learn
and statsmodels; one that is not installed is left out of the table. Ours are timed with their 200 draws for an
interval, the references, which have none, without. Each line of the table of sizes runs in a process of its own, so
that its peak of memory is its own.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline.quality import agreement
from pipeline.quality.agreement import Answers, Sets
from pipeline.quality.agreement.marks import marks_from
from pipeline.quality.agreement.spans import spans
from pipeline.quality.agreement.unitised import unitised
from pipeline.quality.ballots import Ballots, ballots_from
from pipeline.tasks import masi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DATA = Path(os.environ.get("ASSAY_REAL_DATA") or Path(__file__).parents[1] / ".." / "shared" / "data").resolve()
EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
MILLION = 1_000_000
PEOPLE = 500


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
    with (DATA / "crowd_snow2008" / f"{name}.standardized.tsv").open(encoding="utf-8") as lines:
        read = list(csv.DictReader(lines, delimiter="\t"))
    return crowd(f"snow {name}", ((one["orig_id"], one["!amt_worker_ids"], one["response"]) for one in read))


def labelled(folder: Path) -> Crowd:
    """One of the nine sets of crowd labels."""
    with (folder / "label.csv").open(encoding="utf-8") as lines:
        read = list(csv.DictReader(lines))
    return crowd(folder.name, ((one["item"], one["worker"], one["label"]) for one in read))


def timed(function: Callable[[], Any]) -> tuple[float, float]:
    start = time.perf_counter()
    return float(function()), time.perf_counter() - start


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
    for folder in sorted((DATA / "crowd_labels").iterdir()):
        one = labelled(folder)
        yield from krippendorffs(one, ("nominal", "ordinal"))
        yield from fleiss(one)
        yield from cohens(one)


def accuracy() -> Table:
    """Ours and theirs."""
    table = Table(
        "data", "measure", "ours", "theirs", "difference", "our s", "their s", title="equal to the references"
    )
    for name, measure, ours, theirs in lines():
        (mine, seconds), (reference, slower) = timed(ours), timed(theirs)
        numbers = (f"{mine:.6f}", f"{reference:.6f}", f"{abs(mine - reference):.0e}")
        table.add_row(name, measure, *numbers, f"{seconds:.3f}", f"{slower:.3f}")
    return table


def made(rows: int, each: int, classes: int) -> Ballots:
    """`each` of 500 annotators on every row, three of four right."""
    chance = np.random.default_rng(0)
    row = np.repeat(np.arange(rows), each)
    label = np.where(
        chance.random(len(row)) < 0.75,
        chance.integers(classes, size=rows)[row],
        chance.integers(classes, size=len(row)),
    )
    shift = chance.integers(PEOPLE, size=rows)[row]
    who = np.sort((np.tile(np.arange(each) * (PEOPLE // each), rows) + shift).reshape(rows, each) % PEOPLE, axis=1)
    return Ballots(
        row=row, unit=row, annotator=who.reshape(-1), label=label, unit_row=np.arange(rows),
        unit_name=np.zeros(rows, dtype=np.int64), labels=tuple(f"{at:03d}" for at in range(classes)),
        annotators=tuple(f"{at:03d}" for at in range(PEOPLE)), names=("",), rows=rows, origin=np.arange(len(row)),
    )  # fmt: skip


def made_sets(rows: int) -> Ballots:
    """Sets of 28 labels, two annotators."""
    chance = np.random.default_rng(0)
    core = chance.integers(28, size=(rows, 2))
    texts = [
        json.dumps(sorted({f"l{at:02d}" for at in (*core[row], *core[row, :1], int(extra))}))
        for row in range(rows)
        for extra in chance.integers(28, size=2)
    ]
    return ballots_from(np.repeat(np.arange(rows), 2), [""] * len(texts), ["a", "b"] * rows, texts)


def made_answers(rows: int, spans_each: int) -> Answers:
    """Spans of five annotators, some of them moved."""
    chance = np.random.default_rng(0)
    moved = chance.integers(0, 4, size=(rows * 5, spans_each))
    texts = [
        json.dumps(
            [[20 * at + (move == 3), 20 * at + 6, "PLO"[(at + (move == 2)) % 3]] for at, move in enumerate(line)]
        )
        for line in moved.tolist()
    ]
    return Answers.of(np.repeat(np.arange(rows), 5), [f"a{at % 5}" for at in range(rows * 5)], texts)


def letters(one: str, other: str) -> float:
    """A cheap distance of texts."""
    left, right = set(one), set(other)
    return 1 - len(left & right) / max(len(left | right), 1)


def made_texts(rows: int) -> Answers:
    """Two texts a row."""
    chance = np.random.default_rng(0)
    words = chance.integers(97, 123, size=(rows * 2, 12), dtype=np.uint8)
    return Answers.of(
        np.repeat(np.arange(rows), 2), ["a", "b"] * rows, [json.dumps(bytes(line).decode()) for line in words]
    )


FIVE, HUNDRED = (200_000, 5, 5), (200_000, 5, 100)
SIZES: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "alpha, nothing drawn, 5 labels": (lambda: made(*FIVE), lambda one: agreement.alpha(one, resamples=1)),
    "alpha nominal, 5 labels": (lambda: made(*FIVE), agreement.alpha),
    "alpha ordinal, 5 labels": (
        lambda: made(*FIVE), lambda one: agreement.alpha(one, distance=agreement.ordinal(one)),
    ),
    "alpha nominal, 100 labels": (lambda: made(*HUNDRED), agreement.alpha),
    "alpha nominal, 2 x 500,000, 150 labels": (lambda: made(500_000, 2, 150), agreement.alpha),
    "alpha by label, 100 labels": (lambda: made(*HUNDRED), agreement.alpha_by_label),
    "percentage, Fleiss, AC1": (lambda: made(*FIVE), agreement.kappas),
    "Cohen, 124,750 pairs of annotators": (lambda: made(*FIVE), agreement.duos),
    "500 annotators against the others": (lambda: made(*FIVE), agreement.against_others),
    "alpha of 50 batches": (
        lambda: made(*FIVE),
        lambda one: agreement.by(one, one.row % 50, [str(at) for at in range(50)]) if len(one) else None,
    ),
    "everything (measure), 5 labels": (lambda: made(*FIVE), lambda one: agreement.measure(one, measure="nominal")),
    "alpha MASI, 500,000 rows, thousands of sets": (
        lambda: made_sets(500_000), lambda one: agreement.alpha(one, distance=Sets.of(one.labels)),
    ),
    "spans read from 200,000 x 5 answers of one": (lambda: made_answers(200_000, 1), marks_from),
    "F1 exact, a million spans": (lambda: marks_from(made_answers(100_000, 2)), spans),
    "F1 characters, a million spans": (
        lambda: marks_from(made_answers(100_000, 2)), lambda one: spans(one, matching="partial"),
    ),
    "unitised alpha, a million spans": (
        lambda: marks_from(made_answers(100_000, 2)), lambda one: unitised(one, np.full(100_000, 60)),
    ),
    "alpha of texts, 100,000 rows": (
        lambda: made_texts(100_000),
        lambda one: agreement.measure(one.ballots(), measure="texts", answers=one, distance=letters),
    ),
}  # fmt: skip


def peak() -> int:
    """Peak of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def measure_size(name: str) -> None:
    """Print seconds, peak before and peak after, of one line."""
    import scipy.sparse  # noqa: F401

    make, run = SIZES[name]
    given = make()
    before, start = peak(), time.perf_counter()
    run(given)
    print(json.dumps([time.perf_counter() - start, before, peak()]))


def sizes() -> Table:
    """Time and memory."""
    table = Table("what", "seconds", "MB before", "MB at the peak", title="a million labels, 200 draws")
    for name in SIZES:
        command = [sys.executable, "-m", "tests.bench_agreement", "size-of", name]
        told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        seconds, before, after = json.loads(told.splitlines()[-1])
        table.add_row(name, f"{seconds:.2f}", str(before), str(after))
    return table


def main(arguments: list[str]) -> None:
    """Print the tables asked for."""
    if arguments[:1] == ["size-of"]:
        measure_size(arguments[1])
        return
    console = Console(width=120)
    if arguments in ([], ["accuracy"]):
        console.print(accuracy())
    if arguments in ([], ["size"]):
        console.print(sizes())


if __name__ == "__main__":
    main(sys.argv[1:])
