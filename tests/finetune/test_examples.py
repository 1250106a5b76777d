from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.finetune import examples
from pipeline.finetune.prepare import schedule
from pipeline.settings import FinetuneSettings


def survey(strata: list[str]) -> examples.Survey:
    return examples.Survey([f"s/{n}" for n in range(len(strata))], [[name] for name in strata])


@given(st.lists(st.sampled_from("aaaaab"), min_size=10, max_size=300), st.integers(1, 200))
@settings(max_examples=50)
def test_a_sample_keeps_the_shares_of_the_strata(strata: list[str], size: int) -> None:
    found = survey(strata)
    chosen = examples.sample(found, size, seed=1)
    if size >= len(strata):
        assert chosen is None
        return
    assert chosen is not None
    assert len(chosen) == size
    taken = Counter(names[0] for row_id, names in zip(found.ids, found.strata, strict=True) if row_id in chosen)
    for name, count in Counter(strata).items():
        assert abs(taken[name] - count * size / len(strata)) <= 1.5


def test_a_sample_depends_on_ids_and_seed_only_and_grows_by_adding() -> None:
    found = survey(list("aab" * 100))
    mixed = examples.Survey(found.ids[::-1], found.strata[::-1])
    small, large = examples.sample(found, 50, seed=1), examples.sample(found, 100, seed=1)
    assert small is not None
    assert large is not None
    assert small == examples.sample(mixed, 50, seed=1)
    assert small < large
    assert small != examples.sample(found, 50, seed=2)


def test_a_causal_model_cannot_learn_its_first_token() -> None:
    assert examples.targets_learned(np.array([5, -100, 6]), head="causal") == 1
    assert examples.targets_learned(np.array([5, -100, 6]), head="token") == 2
    assert examples.targets_learned(np.asarray(-100), head="sequence") == 0
    assert examples.targets_learned(np.array([0.0, 1.0]), head="multilabel") == 2


def test_a_gpu_gets_everything_and_a_cpu_what_it_can_do() -> None:
    asked = FinetuneSettings(epochs=4, cpu_rows=2000, cpu_epochs=1)
    assert not schedule(asked, 18_000, gpu=True).shortened
    short = schedule(asked, 18_000, gpu=False)
    assert (short.rows, short.epochs, short.shortened) == (2000, 1, True)
    small = schedule(asked, 200, gpu=False)
    assert (small.rows, small.epochs, small.shortened) == (200, 4, False)
