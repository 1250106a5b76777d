"""How well wrong labels are found: noise put into real sets, against cleanlab with the same probabilities.

    python -m tests.bench suspects [set ...]           # banking, csl, clinc, semeval, goemotions
    python -m tests.bench suspects --large | --million [classes]

Sets and noise: `tests.bench.noise`. Figures are average precision / precision at 100. The share of wrong rows is told
beside the estimate with its interval, and that of confident learning (Northcutt et al. 2021).
"""

from __future__ import annotations

import json
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.quality.suspects.confident import confident_joint, error_rate, margins
from pipeline.quality.suspects.quick import out_of_fold, out_of_fold_sets
from pipeline.suspecting import by_row, joined_by
from pipeline.suspecting.labels import labels
from pipeline.suspecting.rate import error_rate as estimated
from tests.bench.measure import MILLION, apart, peak, show, timed
from tests.bench.noise import KINDS, SETS, coded, goemotions, made_up, with_noise
from tests.bench.precision import at_top, figures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

SHARES = (0.05, 0.2)
THEIRS = ("cleanlab confidence", "cleanlab margin", "cleanlab filter")
COLUMNS = ("joined", "self-confidence", "margin", *THEIRS, "wrong", "estimate", "conf. learning", "seconds")


def as_table(texts: list[str], answers: list[str]) -> pa.Table:
    """The columns that are looked at; every row is a group of its own."""
    ids = [str(at) for at in range(len(texts))]
    return pa.table({"id": ids, "group": ids, "text": texts, "answer": answers})


def by_cleanlab(given: Ints, said: Floats) -> dict[str, Floats]:
    """cleanlab's own scores, its filter's order among them, where it is installed."""
    if find_spec("cleanlab") is None:
        return {}
    rank_by, filter_by = import_module("cleanlab.rank"), import_module("cleanlab.filter")
    methods = ("self_confidence", "normalized_margin")
    doubt, behind = (-rank_by.get_label_quality_scores(given, said, method=method) for method in methods)
    listed = filter_by.find_label_issues(given, said, return_indices_ranked_by="self_confidence")
    rank = doubt - 10
    rank[listed] += 10
    return dict(zip(THEIRS, (doubt, behind, rank), strict=True))


def scored(name: str) -> Iterator[list[str]]:
    """A line for each kind and share of noise."""
    texts, spelled = SETS[name]()
    names, truth = coded(spelled)
    groups = [str(at) for at in range(len(texts))]
    for kind in KINDS:
        for share in SHARES:
            given = with_noise(texts, truth, kind, share)
            yield [f"{name}, {kind} {share:.0%}", *_looked_at(texts, given, given != truth, names, groups)]


def _looked_at(texts: list[str], given: Ints, wrong: Bools, names: list[str], groups: list[str]) -> list[str]:
    said, first = timed(lambda: out_of_fold(texts, given, groups, classes=len(names)))
    table = as_table(texts, [json.dumps([names[code]], ensure_ascii=False) for code in given.tolist()])
    signals = labels(table, names=names, probabilities=said)
    rows, second = timed(lambda: by_row(signals, joined_by(signals), len(texts)))
    scores = {"joined": rows, "self-confidence": 1 - said[np.arange(len(given)), given].astype(np.float64)}
    scores |= {"margin": -margins(said, given), **by_cleanlab(given, said.astype(np.float64))}
    rate = estimated(rows, groups)
    counted = error_rate(confident_joint(said, given), np.bincount(given, minlength=len(names)))
    found = [figures(wrong, scores[each]) if each in scores else "n/a" for each in ("joined", *COLUMNS[1:6])]
    between = f"{rate['value']:.3f} [{rate['low']:.3f}, {rate['high']:.3f}]"
    return [*found, f"{wrong.mean():.3f}", between, f"{counted:.3f}", f"{first + second:.1f}"]


def several() -> Iterator[list[str]]:
    """Several labels a row: by (row, label), and by row."""
    texts, truth, given = goemotions()
    groups, names = [str(at) for at in range(len(texts))], [str(code) for code in range(28)]
    said, first = timed(lambda: out_of_fold_sets(texts, given, groups))
    answers = [json.dumps([names[code] for code in np.flatnonzero(row)]) for row in given]
    table = as_table(texts, answers)
    signals, second = timed(lambda: labels(table, names=names, multiple=True, probabilities=said))
    joined, third = timed(lambda: joined_by(signals))
    code = np.array([int(name) for name in signals.part])
    own = said[signals.row, code].astype(np.float64)
    doubt = np.where(given[signals.row, code], 1 - own, own)
    wrong = given[signals.row, code] != truth[signals.row, code]
    parts = (figures(wrong, joined.wrong), figures(wrong, doubt), "n/a", f"{wrong.mean():.4f}", f"{joined.rate:.4f}")
    yield ["goemotions, (row, label)", *parts, f"{first + second + third:.1f}"]
    rows, bad = by_row(signals, joined, len(texts)), (given != truth).any(axis=1)
    worst = np.zeros(len(texts))
    np.maximum.at(worst, signals.row, doubt)
    rate = estimated(rows, groups)
    between = f"{rate['value']:.3f} [{rate['low']:.3f}, {rate['high']:.3f}]"
    theirs = cleanlab_sets(given, said)
    peer = "n/a" if theirs is None else figures(bad, theirs)
    yield ["goemotions, rows", figures(bad, rows), figures(bad, worst), peer, f"{bad.mean():.4f}", between, ""]


def cleanlab_sets(given: Bools, said: Any) -> Floats | None:
    """cleanlab's score of sets of labels, where it is installed."""
    if find_spec("cleanlab") is None:
        return None
    score = import_module("cleanlab.multilabel_classification").get_label_quality_scores
    spelled = [np.flatnonzero(row).tolist() for row in given]
    return -np.asarray(score(spelled, said.astype(np.float64)))


def large(count: int, classes: int) -> None:
    """Print what `count` rows take, 5 % of them wrong."""
    texts, truth = made_up(count, classes)
    given = with_noise(texts, truth, "any", 0.05)
    table = as_table(texts, [f'["{code:02}"]' for code in given.tolist()])
    before = peak()
    signals, first = timed(lambda: labels(table))
    joined, second = timed(lambda: joined_by(signals))
    average, top = at_top((given != truth)[signals.row], joined.wrong)
    seconds, told = first + second, [f"{average:.3f}/{top:.2f}", f"{joined.rate:.3f}"]
    print("\t".join([f"{seconds:.0f}", f"{count / seconds:,.0f}", str(before), str(peak()), *told]))


def main(arguments: list[str]) -> None:
    """Print the tables; with `--large` or `--million` rows a second and memory, in a process of its own."""
    asked = [each for each in arguments if not each.startswith("-")]
    if "--cost" in arguments:
        return large(int(asked[0]), int(asked[1]))
    if "--large" in arguments or "--million" in arguments:
        count, classes = MILLION if "--million" in arguments else 100_000, asked[0] if asked else "9"
        told = apart("suspects", "--cost", str(count), classes).strip().split("\t")
        columns = ["seconds", "rows/s", "MiB before", "MiB at the peak", "AP/P@100", "rate of 0.050"]
        return show("rows, classes", columns, [[f"{count:,}, {classes}", *told]])
    for name in asked or [*SETS, "goemotions"]:
        if name == "goemotions":
            show("set", ["joined", "self-confidence", "cleanlab", "wrong", "estimate", "seconds"], several())
        else:
            show("set and noise", COLUMNS, scored(name))
    return None
