"""Progress: the facts are whole, plain JSON, and say the same whatever the order of the queue."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from pipeline.reviewing.progress import facts
from pipeline.reviewing.tables import Queue
from tests.reviewing.judging import a_queue, a_rule, doubt, reviewed, says

if TYPE_CHECKING:
    from pathlib import Path

QUEUE = a_queue(120, grouped=20)
WORK = [
    a_rule(act="r1", seconds=20.0),
    *(says(row, "wrong" if row % 3 == 0 else "fine", seconds=6.0 + row % 5) for row in range(20, 60)),
    says(60, "wrong", cause="guideline"), says(61, "ambiguous"), says(62, "drop"),
    says(63), says(63, "fine", "li", seconds=5.0),
    says(64, seconds=3000.0),
]  # fmt: skip


def test_nothing_reviewed_is_told_as_such(tmp_path: Path) -> None:
    told = facts(reviewed(tmp_path, []), QUEUE)
    assert (told["lines"], told["acts"], told["errors"]) == (0, 0, 0)
    assert told["stop"]["say"] == "not yet known"
    assert told["per_error"]["so_far"] == {"value": None, "low": None, "high": None}
    assert told["error_rate"]["before"] is None
    assert told["money"] is None
    assert told["reviewers"] == []
    json.dumps(told, allow_nan=False)


def test_an_empty_queue_stops(tmp_path: Path) -> None:
    told = facts(reviewed(tmp_path, []), a_queue(0))
    assert told["stop"] == {"say": "stop", "why": "nothing is left in the queue"}
    assert told["left"]["queue"]["value"] == 0.0


def test_the_whole_of_it(tmp_path: Path) -> None:
    made = reviewed(tmp_path, WORK, rate_per_hour=60, currency="CNY")
    doubt(made, [0.3] * 120 + [0.02] * 500)
    told = facts(made, QUEUE)
    json.dumps(told, allow_nan=False)
    assert told["lines"] == 65
    assert told["verdicts"] == {"wrong": 20 + 13 + 1, "fine": 27, "ambiguous": 1, "drop": 1, "disputed": 1}
    assert (told["guideline"], told["errors"]) == (1, 35)
    assert told["open"] == {"lines": 55 + 1, "groups": 0}  # the one in dispute is open
    assert told["settled"]["by_scope"]["rule"] == {"acts": 1, "lines": 20, "rows": 20, "rows_per_act": 20.0}
    assert told["minutes"]["cut"] == 1
    assert told["money"]["currency"] == "CNY"
    assert told["money"]["per_error_so_far"]["value"] == told["per_error"]["so_far"]["value"]
    assert told["error_rate"]["rows"] == 620
    assert told["error_rate"]["after"]["value"] < told["error_rate"]["before"]["value"]
    assert [one["who"] for one in told["reviewers"]] == ["li", "mo"]
    assert told["left"]["queue"]["low"] < told["left"]["queue"]["value"] < told["left"]["queue"]["high"]
    assert told["left"]["below"]["lines"] == 500
    assert told["stop"]["say"] == "go on"


def test_the_curve_goes_down_the_scores_and_along_the_review(tmp_path: Path) -> None:
    told = facts(reviewed(tmp_path, [says(row, score=row / 10) for row in range(1, 9)]), QUEUE)["curve"]
    assert [point["score"] for point in told["by_score"]] == [row / 10 for row in range(8, 0, -1)]
    assert [point["score"] for point in told["by_review"]] == [row / 10 for row in range(1, 9)]
    assert len(facts(reviewed(tmp_path / "2", [says(row) for row in range(100)]), QUEUE)["curve"]["by_score"]) == 60


def test_the_order_of_the_queue_is_nothing(tmp_path: Path) -> None:
    made = reviewed(tmp_path, WORK)
    doubt(made, [0.3] * 120)
    order = np.random.default_rng(1).permutation(QUEUE.lines.num_rows)
    turned = Queue(QUEUE.lines.take(pa.array(order)), QUEUE.groups)
    assert facts(made, QUEUE) == facts(made, turned)


def test_a_clean_rest_stops_with_the_reason_in_words(tmp_path: Path) -> None:
    queue = a_queue(400, score=0.02)
    told = facts(reviewed(tmp_path, [says(row, "fine", score=None, seconds=8.0) for row in range(250)]), queue)
    assert told["stop"]["say"] == "stop"
    assert "worth 5 minutes" in told["stop"]["why"]
