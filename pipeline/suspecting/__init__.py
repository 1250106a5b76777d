"""Suspects: kept rows whose answer is probably wrong, with what speaks against each in words."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.quality.joining import Joined, join
from pipeline.quality.mixture import join_kinds
from pipeline.suspecting.asking import TEXTS, Asking, inputs
from pipeline.suspecting.checked import CHECKED
from pipeline.suspecting.rate import error_rate
from pipeline.suspecting.verdict import FINE, SPLIT, WRONG, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.quality.signals import Signals
    from pipeline.stage import Work

    Floats = NDArray[np.float64]

SUSPECTS = pa.schema(
    [
        ("id", pa.string()),
        ("part", pa.string()),
        ("verdict", pa.string()),
        ("score", pa.float64()),
        ("given", pa.string()),
        ("likely", pa.string()),
        ("why", pa.list_(pa.string())),
        ("signals", pa.list_(pa.struct([("name", pa.string()), ("value", pa.float64())]))),
    ]
)
"""A line for each suspicious part of a row, the most suspicious first; `score` is the probability that it is wrong."""

DOUBTED = pa.schema([("id", pa.string()), ("wrong", pa.float64())])
"""A line for each row that was checked: the probability that anything in its answer is wrong."""

DECIMALS = 6
SUREST, LEAST_SURE = 0.99, 0.5
LEAST_SCORE = 0.01
"""A part that is less likely than this to be wrong is no suspect, however much room the list has."""


@dataclass(frozen=True)
class Suspected:
    """The list of suspects, the probability that each checked row is wrong, and what is told of both in the report."""

    lines: pa.RecordBatch
    doubted: pa.RecordBatch
    details: dict[str, Any]


def suspects(work: Work, checked: pa.Table, asking: Asking) -> Suspected:
    """Look at every kept row (columns: `CHECKED`) with every instrument that its task has.

    Rows are listed by the probability that anything in them is wrong, at most `suspect_share` of all; the others go to
    the table of doubts only.
    """
    settings = work.recipe.settings.audit
    if note := asking.not_asked(checked):
        return nothing(checked.num_rows, note)
    found = asking.signals(checked)
    if asking.kind != TEXTS:
        found = replace(found, prior=prior(found, checked["given_share"].to_numpy().astype(np.float64)))
    joined = joined_by(found)
    rows = by_row(found, joined, checked.num_rows)
    lines = list(_lines(checked, found, joined, rows, room=math.ceil(settings.suspect_share * checked.num_rows)))
    details = {
        "listed": len({line["id"] for line in lines}),
        "checked": checked.num_rows,
        "note": "",
        "model": asking.told(),
        "verdicts": dict(sorted(Counter({line["id"]: line["verdict"] for line in reversed(lines)}.values()).items())),
        "error_rate": {} if asking.kind == TEXTS else error_rate(rows, checked["group"].to_pylist()),
        "likely_wrong": int((rows >= WRONG).sum()),
        "weights": {name: round(weight, DECIMALS) for name, weight in joined.weights.items()},
    }
    doubted = {"id": checked["id"].combine_chunks(), "wrong": pa.array(np.round(rows, DECIMALS))}
    return Suspected(
        pa.RecordBatch.from_pylist(lines, schema=SUSPECTS),
        pa.RecordBatch.from_pydict(doubted, schema=DOUBTED),
        details,
    )


def nothing(rows: int, note: str) -> Suspected:
    """No list, and why there is none, so that an empty one is not taken for a clean data set."""
    details = {"listed": 0, "checked": 0, "note": note, "model": "", "verdicts": {}, "error_rate": {}}
    details |= {"weights": {}, "likely_wrong": 0}
    lines, doubted = (pa.RecordBatch.from_pylist([], schema=schema) for schema in (SUSPECTS, DOUBTED))
    return Suspected(lines, doubted, details)


def prior(found: Signals, sure: Floats) -> Floats:
    """How probably each part is wrong by what its annotators said: float64[parts]; nan where nobody was measured.

    `sure` is float64[rows], the posterior that the whole answer is right; its parts share the doubt alike. Annotators
    agree for bad reasons too, so no answer is taken to be surer than `SUREST`.
    """
    parts = np.bincount(found.row, minlength=len(sure))
    return np.asarray(1 - np.clip(sure, LEAST_SURE, SUREST)[found.row] ** (1 / np.maximum(parts, 1)[found.row]))


def joined_by(found: Signals) -> Joined:
    """The signals joined: of one kind of error, or of several."""
    if found.flipped_kind is not None:
        return join_kinds(found)
    return join(found, rate=found.error_rate if np.isfinite(found.error_rate) else None)


def by_row(found: Signals, joined: Joined, rows: int) -> Floats:
    """The probability that anything in each row is wrong: 1 - the product of (1 - wrong) over its parts."""
    right = np.log1p(-np.clip(np.nan_to_num(joined.wrong), 0.0, 1.0 - 1e-12))
    return np.asarray(-np.expm1(np.bincount(found.row, weights=right, minlength=rows)))


def _lines(checked: pa.Table, found: Signals, joined: Joined, rows: Floats, *, room: int) -> Iterator[dict[str, Any]]:
    """The parts of the most suspicious rows; of equally suspicious ones those with the first id."""
    ids, sure = checked["id"].to_pylist(), checked["given_share"].to_numpy().astype(np.float64)
    wrong = np.round(joined.wrong, DECIMALS)
    rank = np.lexsort((np.array(ids), -np.round(rows, DECIMALS)))[:room]
    place = np.full(len(ids), -1, dtype=np.int64)
    place[rank] = np.arange(len(rank))
    parts = np.flatnonzero((place[found.row] >= 0) & (wrong >= LEAST_SCORE))
    first = np.full(len(ids), 0.0)
    np.maximum.at(first, found.row[parts], wrong[parts])
    # Every row's worst part, and its others only where they are suspicious themselves.
    shown = parts[(wrong[parts] >= first[found.row[parts]]) | (wrong[parts] >= 0.5)]
    for at in shown[np.lexsort((-wrong[shown], place[found.row[shown]]))].tolist():
        row = int(found.row[at])
        line = _line(ids[row], found, at, wrong=float(wrong[at]), sure=float(sure[row]))
        if line["verdict"] != FINE:
            yield line


def _of_people(sure: float) -> list[str]:
    """What the annotators say against an answer that they do not agree on."""
    return [f"annotators: their votes make the answer {sure:.0%} likely"] if sure < SPLIT else []


def _line(id_: str, found: Signals, at: int, *, wrong: float, sure: float) -> dict[str, Any]:
    values = zip(found.names, found.actual[at].tolist(), strict=True)
    return {
        "id": id_,
        "part": found.part[at],
        "verdict": verdict(wrong, float(found.p_given[at]), float(found.p_likely[at]), sure),
        "score": wrong,
        "given": found.given[at],
        "likely": found.likely[at],
        "why": [*_of_people(sure), *found.said(at)],
        "signals": [{"name": name, "value": round(value, DECIMALS)} for name, value in values if math.isfinite(value)],
    }


__all__ = ["CHECKED", "DOUBTED", "SUSPECTS", "Asking", "Suspected", "inputs", "suspects"]
