from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.finetune import batches, loss
from pipeline.finetune.examples import Example


def example(number: int, tokens: int, *, weight: float = 1.0, target: int = 0) -> Example:
    ids = np.arange(5, 5 + tokens, dtype=np.int32)
    return Example(f"row/{number}", {"input_ids": ids}, np.asarray(target, dtype=np.int64), weight, 1)


LENGTHS = st.lists(st.integers(1, 60), min_size=1, max_size=200)


@given(LENGTHS, st.integers(1, 16), st.integers(0, 3))
@settings(max_examples=50)
def test_every_row_stands_in_one_batch_of_an_epoch(lengths: list[int], batch_rows: int, epoch: int) -> None:
    rows = [example(n, tokens) for n, tokens in enumerate(lengths)]
    planned = batches.plan(rows, epoch=epoch, seed=1, batch_rows=batch_rows)
    assert sorted(np.concatenate(planned).tolist()) == list(range(len(rows)))
    assert max(map(len, planned)) <= batch_rows
    assert len(planned) == -(-len(rows) // batch_rows)


@given(st.permutations(list(range(40))))
@settings(max_examples=20)
def test_the_order_of_the_table_changes_nothing(order: list[int]) -> None:
    rows = [example(n, 1 + n % 13) for n in range(40)]
    mixed = [rows[n] for n in order]
    plain = batches.plan(rows, epoch=2, seed=7, batch_rows=8)
    other = batches.plan(mixed, epoch=2, seed=7, batch_rows=8)
    assert [[rows[n].id for n in batch] for batch in plain] == [[mixed[n].id for n in batch] for batch in other]


def test_epochs_and_seeds_differ() -> None:
    rows = [example(n, 1 + n % 13) for n in range(100)]
    plans = [
        [batch.tolist() for batch in batches.plan(rows, epoch=epoch, seed=seed, batch_rows=8)]
        for epoch, seed in ((0, 1), (1, 1), (0, 2))
    ]
    assert plans[0] != plans[1] != plans[2] != plans[0]


def test_batches_of_like_length_hold_little_padding() -> None:
    rows = [example(n, 5 + (n * 7919) % 60) for n in range(1000)]
    tokens = sum(row.tokens for row in rows)
    planned = batches.plan(rows, epoch=0, seed=1, batch_rows=32)
    shuffled = [np.arange(start, min(start + 32, 1000)) for start in range(0, 1000, 32)]
    assert tokens / (tokens + batches.padding(rows, planned)) > 0.95
    assert tokens / (tokens + batches.padding(rows, shuffled)) < 0.7


def test_padding_is_masked_and_never_learned() -> None:
    short = Example("a", {"input_ids": np.array([7, 8])}, np.array([-100, 3]), 1.0, 1)
    long = Example("b", {"input_ids": np.array([7, 8, 9])}, np.array([-100, 4, 5]), 2.0, 2)
    batch = batches.collate([short, long], pad_token=99, head="token")
    assert batch.inputs["input_ids"].tolist() == [[7, 8, 99], [7, 8, 9]]
    assert batch.inputs["attention_mask"].tolist() == [[1, 1, 0], [1, 1, 1]]
    assert batch.targets.tolist() == [[-100, 3, -100], [-100, 4, 5]]
    assert batch.weights.tolist() == [1.0, 2.0]


@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0, 3)), min_size=2, max_size=8), st.integers(0, 100))
@settings(max_examples=50)
def test_a_row_of_weight_0_is_a_row_that_is_not_there(rows: list[tuple[int, float]], seed: int) -> None:
    made = [example(n, 3, weight=weight, target=target) for n, (target, weight) in enumerate(rows)]
    made.append(example(99, 3, weight=1.0))
    logits = torch.randn((len(made), 3), generator=torch.Generator().manual_seed(seed))
    kept = [n for n, row in enumerate(made) if row.weight > 0]

    def value(numbers: list[int]) -> float:
        batch = batches.collate([made[n] for n in numbers], pad_token=0, head="sequence")
        found = loss.losses(logits[numbers], batch, head="sequence").weighted()
        return float(found / loss.mass(batch, head="sequence"))

    assert np.isclose(value(list(range(len(made)))), value(kept), rtol=1e-5)


def test_a_row_of_weight_2_is_a_row_that_is_there_twice() -> None:
    made = [replace(example(n, 3, target=n % 3), weight=1.0 + n % 2) for n in range(6)]
    twice = [row for row in made for _ in range(int(row.weight))]
    logits = torch.randn((6, 3), generator=torch.Generator().manual_seed(1))
    repeated = logits[[n for n, row in enumerate(made) for _ in range(int(row.weight))]]
    one = batches.collate(made, pad_token=0, head="sequence")
    two = batches.collate([replace(row, weight=1.0) for row in twice], pad_token=0, head="sequence")
    heavy = loss.losses(logits, one, head="sequence").weighted() / loss.mass(one, head="sequence")
    plain = loss.losses(repeated, two, head="sequence").weighted() / loss.mass(two, head="sequence")
    torch.testing.assert_close(heavy, plain)
