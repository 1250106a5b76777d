"""Answers to nearly the same input: which agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.settings import Guideline
from pipeline.tasks import canonical, task
from pipeline.twinning.answers import Agreeing
from pipeline.twinning.asked import Asked


def agree(name: str, one: tuple[str, Any], other: tuple[str, Any], **guideline: Any) -> bool:
    """Whether two (text, answer) agree."""
    own = task(name, Guideline(**guideline))
    empty: dict[str, Any] = {"text_pair": None, "tokens": None, "spans": [], "labels": [], "rating": None}
    rows = [own.with_answer({**empty, "text": text}, answer) for text, answer in (one, other)]
    answers = [canonical(own.answer(row)) for row in rows]
    texts = pa.array([own.asked(row) for row in rows], pa.large_string())
    asked = Asked((texts,), np.array([0, 2]))
    return Agreeing(own, [0, 1], answers, [own.meaning(row) for row in rows], asked)(0, 1)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("Obama spoke in Paris", [[0, 5, "P"]]), ("Obma spoke in Paris", [[0, 4, "P"]]), True),
        (("Obama spoke in Paris", [[0, 5, "P"]]), ("Obma spoke in Paris", [[0, 4, "Q"]]), False),
        (("Obama spoke in Paris", [[0, 5, "P"]]), ("Obama spok in Paris", [[14, 19, "P"]]), False),
        (("Obama spoke in Paris", [[0, 5, "P"]]), ("Obama spok in Paris", [[0, 10, "P"]]), False),
        (("Obama spoke in Paris", [[0, 5, "P"]]), ("Obma spoke in Paris", []), False),
        (("well Obama spoke", [[5, 10, "P"]]), ("Obama spoke", [[0, 5, "P"]]), True),
        (("昨天奥巴马说话了", [[2, 5, "P"]]), ("昨天，奥巴马说话", [[3, 6, "P"]]), True),
        (("昨天奥巴马说话了", [[2, 5, "P"]]), ("昨天，奥巴马说话", [[3, 7, "P"]]), False),
        (("no mark here", []), ("no marks here", []), True),
    ],
)
def test_marks_are_compared_by_label_and_surface(one: tuple[str, Any], other: tuple[str, Any], same: bool) -> None:
    assert agree("tagging", one, other) is same
    assert agree("tagging", other, one) is same


@pytest.mark.parametrize(("one", "other", "same"), [(40, 45, True), (40, 45.1, False), (0, 100, False)])
def test_ratings_may_be_a_little_apart(one: float, other: float, same: bool) -> None:
    assert agree("rating", ("a", one), ("b", other), low=0, high=100) is same


def test_labels_are_the_same_or_not() -> None:
    assert agree("classification", ("a", ["x"]), ("b", ["x"]))
    assert not agree("classification", ("a", ["x"]), ("b", ["y"]))
    assert not agree("classification", ("a", ["x", "y"]), ("b", ["x"]), multiple=True)
