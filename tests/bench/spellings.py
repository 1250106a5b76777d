"""Files that spell the tokens otherwise than the text does: how many spans survive the way back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import Unfit
from pipeline.tasks.align import Partly
from tests.bench.people import TASK

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.tasks import Answer, Row

    Change = Callable[[str, np.random.Generator], list[str]]


def f1(truth: Sequence[Answer], found: Sequence[Answer]) -> float:
    """Strict entity F1, 0..100."""
    same = sum(
        len({tuple(span) for span in one} & {tuple(span) for span in two})
        for one, two in zip(truth, found, strict=True)
    )
    return 200 * same / max(sum(map(len, truth)) + sum(map(len, found)), 1)


def lowered(token: str, chance: np.random.Generator) -> list[str]:
    return [token.lower()]


def treebank(token: str, chance: np.random.Generator) -> list[str]:
    return [{"(": "-LRB-", ")": "-RRB-", '"': "``", "&": "&amp;", "/": "\\/"}.get(token, token)]


def wide(token: str, chance: np.random.Generator) -> list[str]:
    return ["".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in token)]


def lossy(token: str, chance: np.random.Generator) -> list[str]:
    """One token in twenty is missing, one in twenty has a letter altered, marks are doubled or dropped."""
    drawn = chance.random()
    if drawn < 0.05:
        return []
    if drawn < 0.1:
        at = int(chance.integers(len(token)))
        return [f"{token[:at]}?{token[at + 1 :]}"]
    return [token, token] if drawn < 0.13 and not token.isalnum() else [token]


def survival(rows: Sequence[tuple[Row, Answer]], change: Change, *, seed: int) -> dict[str, float]:
    """F1 of the true spans, written with other tokens and read back; and how many answers were read whole (%)."""
    chance = np.random.default_rng(seed)
    truth, found, read_whole = [], [], 0
    for row, answer in rows:
        tokens, tags = [], []
        for start, end, tag in TASK.tagged(TASK.with_answer(row, answer)):
            for fresh in change(row["text"][start:end], chance):
                tokens.append(fresh)
                tags.append(tag)
        got: Answer = []
        try:
            got = TASK.read_answer(tags, {"tokens": tokens, "tags": {"1": tags}, "schemes": {"1": "iob2"}}, row)
            read_whole += 1
        except Partly as partly:
            got = partly.answer
        except Unfit:
            pass
        truth.append(answer)
        found.append(got)
    return {"F1": f1(truth, found), "read whole": 100 * read_whole / len(rows)}
