"""Written answers: replies to other questions stand out, and so does who answers otherwise than the others."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.quality.joining import join
from pipeline.quality.replying import NAMES, replies
from pipeline.quality.signals import Signals
from pipeline.tasks.doubting import of_reply
from pipeline.tasks.replies import key
from tests.conftest import DATA

FRUIT = ("apples", "pears", "plums", "figs", "limes", "cherries", "melons", "grapes")


def table(rows: list[tuple[str, str]]) -> pa.Table:
    doubts = [[{"kind": d.kind, "evidence": d.evidence} for d in of_reply(*row)] for row in rows]
    columns = {
        "id": [f"r/{at}" for at in range(len(rows))],
        "text": [asked for asked, _ in rows],
        "answer": [json.dumps(reply) for _, reply in rows],
        "said": [key(reply) for _, reply in rows],
        "doubts": pa.array(doubts, pa.list_(pa.struct([("kind", pa.string()), ("evidence", pa.string())]))),
    }
    return pa.table(columns)


def worst(signals: Signals) -> list[int]:
    return [int(at) for at in np.argsort(-join(signals).wrong, kind="stable")]


def fruit(number: int) -> tuple[str, str]:
    name = FRUIT[number % len(FRUIT)]
    return f"Where do {name} grow in year {1900 + number}?", f"Most {name} grew in the south in {1900 + number}."


def test_replies_that_were_swapped_stand_out() -> None:
    rows = [fruit(number) for number in range(80)]
    rows[3], rows[44] = (rows[3][0], rows[44][1]), (rows[44][0], rows[3][1])
    found = replies(table(rows))
    assert set(worst(found)[:2]) == {3, 44}
    assert "0 of the question's 1 numbers stand in the answer" in found.said(3)


def test_who_answers_otherwise_than_the_others_stands_out() -> None:
    asked = [(f"What is {number} + {number}?", number + number) for number in range(40)]
    rows = [(text, f"It comes to that.\n#### {value + 3 * (at == 7 and who == 2)}")
            for at, (text, value) in enumerate(asked) for who in range(3)]  # fmt: skip
    found = replies(table(rows))
    assert worst(found)[0] == 23
    assert "0 of 2 other answers to the same question come to the same" in found.said(23)
    assert (found.likely[23], found.likely[22]) == ("It comes to that.\n#### 14", "")
    assert found.error_rate == pytest.approx(1 - (1 - 4 / 240) ** 0.5)


def test_a_false_sum_is_told_in_words() -> None:
    rows = [fruit(number) for number in range(40)]
    rows[5] = (rows[5][0], rows[5][1] + " That is 3 + 4 = 9.")
    found = replies(table(rows))
    assert worst(found)[0] == 5
    assert "false sum: 3 + 4 = 9: it is 7" in found.said(5)


@pytest.mark.parametrize("rows", [[], [("a?", "b")], [("", ""), ("", "")], [("中文？", "中文。")] * 3])
def test_few_and_empty_rows(rows: list[tuple[str, str]]) -> None:
    found = replies(table(rows))
    assert found.actual.shape == (len(rows), len(NAMES))
    assert np.isfinite(join(found).wrong).all()
    assert all(isinstance(found.said(at), list) for at in range(len(rows)))


def test_the_order_of_rows_does_not_matter() -> None:
    rows = [fruit(number) for number in range(60)]
    whole, order = table(rows), np.random.Generator(np.random.PCG64(3)).permutation(60)
    assert np.allclose(join(replies(whole.take(pa.array(order)))).wrong, join(replies(whole)).wrong[order], atol=1e-6)


def test_a_loss_among_the_highest_speaks_against_a_reply() -> None:
    rows = [fruit(number) for number in range(80)]
    losses = np.linspace(1, 2, 160).reshape(80, 2).astype(np.float32)
    losses[7], losses[8] = (9.0, 12.0), (np.nan, np.nan)
    found = replies(table(rows), losses=losses)
    assert worst(found)[0] == 7
    assert any("the mean loss of a model is higher than in 9" in reason for reason in found.said(7))
    assert found.added is not None
    assert (found.added[:8][:7] == 0).all()
    assert found.added[8] == 0
    assert found.names[-2:] == ("loss", "worst token")


@pytest.mark.realdata
def test_bad_solutions_of_sums() -> None:
    path = DATA / "reasoning_gsm8k" / "example_model_solutions.jsonl"
    if not path.is_file():
        pytest.skip("no real data: set ASSAY_REAL_DATA")
    lines: list[dict[str, Any]] = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    models = [name for name, value in lines[0].items() if isinstance(value, dict)]
    told = [(line["question"], line[name]["solution"], not line[name]["is_correct"])
            for line in lines for name in models]  # fmt: skip
    wrong = np.array([bad for _, _, bad in told])
    order = worst(replies(table([(asked, said) for asked, said, _ in told])))
    assert wrong.mean() < 0.65
    assert wrong[order[:100]].mean() > 0.9
    assert wrong[order[-1000:]].mean() < 0.25
