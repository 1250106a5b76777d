"""Bad answers among written ones: four models' solutions of 1,319 sums, of which it is known which are right.

    python -m tests.bench replies

`reasoning_gsm8k/example_model_solutions`: the same question answered by four models, together and each alone. Figures
are average precision / precision at 100, of the joined score, of each signal on its own (what was not asked comes
last), and of the signs in the text; "wrong" is what a list in any order has. No truth is seen by what is scored.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.quality.replying import NAMES, replies
from pipeline.suspecting import by_row, joined_by
from pipeline.suspecting.rate import error_rate
from pipeline.tasks.doubting import of_reply
from pipeline.tasks.replies import key
from tests.bench.measure import real, show, timed
from tests.bench.precision import figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Solved = tuple[str, str, bool]
    """Question, solution, whether it is wrong."""

COLUMNS = ("joined", *NAMES, "signs", "wrong", "estimate", "seconds")


def solved() -> dict[str, list[Solved]]:
    """What each model said."""
    text = real("reasoning_gsm8k/example_model_solutions.jsonl").read_text(encoding="utf-8")
    lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    models = [name for name, value in lines[0].items() if isinstance(value, dict)]
    return {
        name: [(line["question"], line[name]["solution"], not line[name]["is_correct"]) for line in lines]
        for name in models
    }


def table(told: Sequence[Solved]) -> pa.Table:
    """The columns that are looked at."""
    doubts = [[{"kind": one.kind, "evidence": one.evidence} for one in of_reply(*row[:2])] for row in told]
    columns = {
        "id": [f"r/{at}" for at in range(len(told))],
        "text": [asked for asked, _, _ in told],
        "answer": [json.dumps(reply) for _, reply, _ in told],
        "said": [key(reply) for _, reply, _ in told],
        "doubts": pa.array(doubts, pa.list_(pa.struct([("kind", pa.string()), ("evidence", pa.string())]))),
    }
    return pa.table(columns)


def line(name: str, told: Sequence[Solved]) -> list[str]:
    """What was found among these."""
    wrong = np.array([bad for _, _, bad in told])
    given = table(told)
    signals, first = timed(lambda: replies(given))
    rows, second = timed(lambda: by_row(signals, joined_by(signals), len(told)))
    single = [figures(wrong, column) if np.isfinite(column).any() else "n/a" for column in _asked(signals.actual)]
    assert signals.added is not None
    rate = error_rate(rows, [asked for asked, _, _ in told])
    between = f"{rate['value']:.3f} [{rate['low']:.3f}, {rate['high']:.3f}]"
    found = [figures(wrong, rows), *single, figures(wrong, signals.added)]
    return [name, *found, f"{wrong.mean():.3f}", between, f"{first + second:.1f}"]


def _asked(actual: Any) -> Iterator[Any]:
    """Each signal; one that was never asked as nan, else what was not asked under all that was."""
    for column in actual.T:
        known = np.isfinite(column)
        yield np.where(known, column, column[known].min() - 1) if known.any() else column


def lines() -> Iterator[list[str]]:
    """All models together, and each alone."""
    models = solved()
    yield line("all four", [one for told in models.values() for one in told])
    for name, told in models.items():
        yield line(name, told)


def main(_: list[str]) -> None:
    """Print the table."""
    show("solutions of", COLUMNS, lines())
