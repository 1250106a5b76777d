"""Time and memory of agreement at a million labels, each figure in a process of its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality import agreement
from pipeline.quality.agreement import Answers, Sets
from pipeline.quality.agreement.marks import marks_from
from pipeline.quality.agreement.spans import spans
from pipeline.quality.agreement.unitised import unitised
from pipeline.quality.ballots import Ballots, ballots_from
from tests.bench.crowds import made_up
from tests.bench.measure import apart, peak, timed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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
    "alpha, nothing drawn, 5 labels": (lambda: made_up(*FIVE), lambda one: agreement.alpha(one, resamples=1)),
    "alpha nominal, 5 labels": (lambda: made_up(*FIVE), agreement.alpha),
    "alpha ordinal, 5 labels": (
        lambda: made_up(*FIVE), lambda one: agreement.alpha(one, distance=agreement.ordinal(one)),
    ),
    "alpha nominal, 100 labels": (lambda: made_up(*HUNDRED), agreement.alpha),
    "alpha nominal, 2 x 500,000, 150 labels": (lambda: made_up(500_000, 2, 150), agreement.alpha),
    "alpha by label, 100 labels": (lambda: made_up(*HUNDRED), agreement.alpha_by_label),
    "percentage, Fleiss, AC1": (lambda: made_up(*FIVE), agreement.kappas),
    "Cohen, 124,750 pairs of annotators": (lambda: made_up(*FIVE), agreement.duos),
    "500 annotators against the others": (lambda: made_up(*FIVE), agreement.against_others),
    "alpha of 50 batches": (
        lambda: made_up(*FIVE),
        lambda one: agreement.by(one, one.row % 50, [str(at) for at in range(50)]) if len(one) else None,
    ),
    "everything (measure), 5 labels": (lambda: made_up(*FIVE), lambda one: agreement.measure(one, measure="nominal")),
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


def cost(name: str) -> None:
    """Print seconds, peak before and peak after, of one line."""
    import scipy.sparse  # noqa: F401

    make, run = SIZES[name]
    given = make()
    before = peak()
    _, seconds = timed(lambda: run(given))
    print(f"{seconds:.2f}\t{before}\t{peak()}")


def sizes() -> Iterator[list[str]]:
    """Time and memory of every line."""
    for name in SIZES:
        yield [name, *apart("agreement", "--cost", name).strip().split("\t")]
