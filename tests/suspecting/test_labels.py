"""Wrong labels come first, with reasons in words, whatever the order of the rows."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipeline.errors import AssayError
from pipeline.quality.mixture import join_kinds
from pipeline.suspecting import labels as module
from pipeline.suspecting.labels import labels

WORDS = {
    "card": ["my card was lost", "block this card please", "a new card", "卡丢了"],
    "loan": ["the loan rate", "pay off a loan early", "how much for a loan", "贷款利率"],
    "cash": ["the machine gave no cash", "cash is missing", "take out cash", "取现金"],
}


def table(rows: int = 300) -> tuple[pa.Table, list[int]]:
    """Rows of three topics, every 30th labelled with the next topic."""
    chance = np.random.default_rng(0)
    names = list(WORDS)
    topic = np.arange(rows) % 3
    wrong = list(range(7, rows, 30))
    given = topic.copy()
    given[wrong] = (given[wrong] + 1) % 3
    texts = [
        f"{chance.choice(WORDS[names[one]])} {chance.choice(['thanks', 'now', 'hi'])} {chance.integers(999)}"
        for one in topic
    ]
    ids = [f"r{at:04}" for at in range(rows)]
    answers = [json.dumps([names[one]]) for one in given]
    return pa.table({"id": ids, "group": ids, "text": texts, "answer": answers}), wrong


def test_planted_errors_come_first_with_reasons() -> None:
    rows, wrong = table()
    signals = labels(rows)
    joined = join_kinds(signals)
    first = np.argsort(-joined.wrong, kind="stable")[: len(wrong)]
    assert set(signals.row[first].tolist()) == set(wrong)
    at = int(np.flatnonzero(signals.row == wrong[0])[0])
    names = list(WORDS)
    assert (signals.given[at], signals.likely[at]) == (names[(wrong[0] + 1) % 3], names[wrong[0] % 3])
    said = signals.said(at)
    assert said[0].startswith(f"model gives '{signals.given[at]}' ")
    assert f"'{signals.likely[at]}'" in said[0]
    assert any(reason.startswith("neighbours: ") for reason in said)
    assert signals.p_likely[at] > 0.5 > signals.p_given[at]


def test_the_order_of_rows_changes_nothing() -> None:
    rows, _ = table(120)
    order = np.random.default_rng(1).permutation(120)
    straight, turned = labels(rows), labels(rows.take(pa.array(order)))
    assert order[turned.row].tolist() == straight.row.tolist()
    assert np.array_equal(straight.actual, turned.actual)
    assert np.array_equal(straight.flipped, turned.flipped)
    assert not np.array_equal(straight.flipped, labels(rows, seed=5).flipped)


def test_given_probabilities_are_used_in_the_order_of_the_table() -> None:
    rows, _ = table(60)
    turned = rows.take(pa.array(np.arange(59, -1, -1)))
    said = np.full((60, 3), 0.1, dtype=np.float32)
    said[:, 0] = 0.8
    said[5] = np.nan
    signals = labels(turned, names=["card", "loan", "cash"], probabilities=said)
    missing = signals.row == 5
    assert np.isnan(signals.p_given[missing]).all()
    assert np.isnan(signals.actual[missing, 0]).all()
    assert np.isfinite(signals.actual[~missing]).all()
    card = np.array([one == "card" for one in signals.given])
    assert signals.actual[card & ~missing, 0].max() < signals.actual[~card & ~missing, 0].min()
    assert signals.likely[int(np.flatnonzero(missing)[0])] == ""


def test_a_label_put_on_and_one_taken_away_are_found() -> None:
    rows, _ = table(600)
    truth = [[list(WORDS)[at % 3], "any"] for at in range(len(rows))]
    truth[10].append("card" if 10 % 3 else "loan")
    truth[31] = ["any"]
    answers = pa.array([json.dumps(sorted(each)) for each in truth])
    rows = rows.set_column(3, "answer", answers)
    signals = labels(rows, multiple=True)
    wrong = join_kinds(signals).wrong
    parts = [(int(row), part) for row, part in zip(signals.row, signals.part, strict=True)]
    put, taken = parts.index((10, "card")), parts.index((31, list(WORDS)[31 % 3]))
    assert (signals.given[put], signals.likely[put]) == ("yes", "no")
    assert (signals.given[taken], signals.likely[taken]) == ("no", "yes")
    assert set(np.argsort(-wrong, kind="stable")[:2].tolist()) == {put, taken}
    assert signals.said(taken)[0].startswith(f"model gives '{list(WORDS)[31 % 3]}' ")


def test_of_very_many_rows_only_the_suspicious_and_a_fair_sample_are_asked_for_neighbours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows, wrong = table()
    for name, count in (("_ALL_ASKED", 200), ("_SUSPICIOUS_ASKED", 30), ("_CHOSEN_ASKED", 100)):
        monkeypatch.setattr(module, name, count)
    signals = labels(rows)
    assert signals.fair is not None
    assert signals.fair.sum() == 100
    asked = np.isfinite(signals.actual[:, signals.names.index("neighbours")])
    assert asked[signals.fair].all()
    assert asked[np.isin(signals.row, wrong)].all()
    assert asked.sum() < 140
    assert signals.fair[signals.flipped_part].all()


def test_unusable_answers_are_refused() -> None:
    rows, _ = table(6)
    for answer, told in (("[", "no list"), ('["a","b"]', "2 labels"), ('{"a":1}', "no list"), ("[1]", "no list")):
        bad = rows.set_column(3, "answer", pa.array([answer] * 6))
        with pytest.raises(AssayError, match=told):
            labels(bad)
    with pytest.raises(AssayError, match="not among the 1 known"):
        labels(rows, names=["card"])
    with pytest.raises(AssayError, match="for each label"):
        labels(rows, probabilities=np.zeros((6, 1), dtype=np.float32))


def test_nothing_is_answered_with_nothing() -> None:
    rows, _ = table(3)
    assert len(labels(rows.slice(0, 0)).row) == 0
    assert len(labels(rows.slice(0, 0), multiple=True).row) == 0
    one = labels(rows.slice(0, 1))
    assert np.isnan(one.p_given).all()
    assert join_kinds(one).wrong.tolist() == [0.0]


@pytest.mark.realdata
def test_habits_of_mistaking_are_found_better_than_by_the_model_alone() -> None:
    from tests.bench import noise
    from tests.bench.precision import at_top
    from tests.bench.suspects import as_table

    root = Path(__file__).resolve().parents[2]
    data = Path(os.environ.get("ASSAY_REAL_DATA", root.parent / "shared" / "data"))
    if not (data / "chinese_csl").is_dir():
        pytest.skip(f"no real data at {data}")
    texts, spelled = noise.csl()
    names = sorted(set(spelled))
    truth = np.array([names.index(label) for label in spelled], dtype=np.int64)
    given = noise.with_noise(texts, truth, "habit", 0.2)
    signals = labels(as_table(texts, [json.dumps([names[code]]) for code in given.tolist()]))
    wrong = (given != truth)[signals.row]
    joined, _ = at_top(wrong, join_kinds(signals).wrong)
    model, _ = at_top(wrong, signals.actual[:, 0])
    assert joined > model + 0.1
