"""Ahead: what is left is what nobody judged, by its first scores, and errors come where they are cheapest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pipeline import decisions
from pipeline.quality.reviewed import next_cost, pace
from pipeline.reviewing.ahead import ahead, below, blocks, in_queue
from pipeline.reviewing.judged import judged
from pipeline.reviewing.opening import open_lines
from tests.reviewing.judging import a_queue, a_rule, doubt, reviewed, says

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.reviewing.ahead import Ahead
    from pipeline.reviewing.tables import Queue

NEW = pace(np.zeros(0), 8.0)


def coming(folder: Path, queue: Queue, *entries: dict[str, Any], **review: Any) -> Ahead:
    """What is left of the queue after these decisions."""
    made = reviewed(folder, entries, **review)
    book = decisions.read(made.decisions)
    return ahead(judged(book, queue), queue, open_lines(queue, book), made.settings.review)


def test_judged_lines_are_not_ahead(tmp_path: Path) -> None:
    queue = a_queue(10, grouped=4)
    assert coming(tmp_path / "1", queue, says(7)).lines.num_rows == 9
    assert coming(tmp_path / "2", queue, says(7), a_rule()).lines.num_rows == 5


def test_scores_are_the_first_ones(tmp_path: Path) -> None:
    queue = a_queue(10, grouped=4)
    left = coming(tmp_path, queue, *(says(row, "fine") for row in range(2)))
    assert left.lines["score"].to_pylist() == queue.lines["score"].to_pylist()[2:]


def test_what_was_found_moves_what_is_expected(tmp_path: Path) -> None:
    queue = a_queue(200)
    none, _ = in_queue(coming(tmp_path / "1", queue, *(says(row, "fine") for row in range(100))), 1)
    all_, _ = in_queue(coming(tmp_path / "2", queue, *(says(row) for row in range(100))), 1)
    nobody, _ = in_queue(coming(tmp_path / "3", queue), 1)
    assert none.value < 0.3 * none.given
    assert all_.value > 1.3 * all_.given
    assert nobody.value == pytest.approx(nobody.given, rel=0.15)


def test_a_group_says_less_than_as_many_lines(tmp_path: Path) -> None:
    queue = a_queue(200)
    at_once, _ = in_queue(coming(tmp_path / "1", queue, *(says(row, "fine", act="a") for row in range(100))), 1)
    apart, _ = in_queue(coming(tmp_path / "2", queue, *(says(row, "fine") for row in range(100))), 1)
    assert at_once.value > 2 * apart.value


def test_lines_for_a_new_guideline_hold_no_errors(tmp_path: Path) -> None:
    left = coming(tmp_path, a_queue(10, kind="relabel"))
    total, by_kind = in_queue(left, 1)
    assert (total.lines, by_kind) == (0, {})
    assert blocks(left, NEW, reviewed(tmp_path / "2", []).settings.review) == []


def test_kinds_are_held_apart(tmp_path: Path) -> None:
    left = coming(tmp_path, a_queue(10, kind="tied"), says(0, "fine"), says(1, "fine"))
    _, by_kind = in_queue(left, 1)
    assert list(by_kind) == ["tied"]
    assert left.models["tied"].middle(np.array([0.5]))[0] < 0.45
    assert left.models["suspect"].middle(np.array([0.5]))[0] == pytest.approx(0.5, abs=0.05)


def test_a_group_that_settles_much_at_once_comes_next(tmp_path: Path) -> None:
    made = reviewed(tmp_path, [])
    queue = a_queue(60, grouped=30)
    found = next_cost(blocks(coming(tmp_path / "1", queue), NEW, made.settings.review))
    assert found is not None
    assert found.block.name == "group g1"
    assert found.cost.value is not None
    alone = next_cost(blocks(coming(tmp_path / "2", queue, a_rule()), NEW, made.settings.review))
    assert alone is not None
    assert (alone.block.name, alone.block.lines) == ("lines", 30)
    assert alone.cost.value is not None
    assert alone.cost.value > 1.3 * found.cost.value


def test_rows_below_are_those_neither_listed_nor_judged(tmp_path: Path) -> None:
    queue = a_queue(10)
    made = reviewed(tmp_path, [says(12)])
    doubt(made, [0.05] * 110)
    seen = judged(decisions.read(made.decisions), queue)
    left = below(made, seen, queue, coming(tmp_path / "1", queue))
    assert (left.rows, left.left.lines) == (110, 99)
    assert left.left.given == pytest.approx(4.95)
    assert left.left.edges[0] < 4.95 < left.left.edges[1]
    assert below(reviewed(tmp_path / "none", []), seen, queue, coming(tmp_path / "2", queue)).rows == 0
