"""Out-of-fold outputs: no model is asked about a row that it learned from, whatever the task and the order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pipeline.errors import AssayError
from pipeline.finetune import folds as module
from pipeline.finetune.folds import out_of_fold
from pipeline.tasks import task
from tests.finetune.conftest import MAKERS, recipe_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.finetune.examples import Example
    from pipeline.finetune.folds import Outputs
    from pipeline.tasks import Row, Task

HEADS = ("sequence", "multilabel", "token", "causal")
FOLD = np.arange(40) % 4


def rows_of(head: str, count: int = 40) -> list[Row]:
    return [MAKERS[head][1](number) for number in range(count)]


def asked(folder: Path, head: str, rows: Sequence[Row], fold: Any = FOLD, **settings: Any) -> tuple[Task, Outputs]:
    one = recipe_at(folder, head, **settings)
    own = task(one.settings.task, one.settings.guideline)
    return own, out_of_fold(rows, np.asarray(fold), own, one.settings.finetune, base=None)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[set[str], set[str]]]:
    """The ids that each model learned from, and those that it was asked about."""
    seen: list[tuple[set[str], set[str]]] = []
    teach, ask = module._teach, module._ask

    def teaching(learner: Any, taught: list[Example], *more: Any, **named: Any) -> None:
        seen.append(({one.id for one in taught}, set()))
        teach(learner, taught, *more, **named)

    def asking(learner: Any, held_out: list[Example], *more: Any) -> Any:
        seen[-1][1].update(one.id for one in held_out)
        return ask(learner, held_out, *more)

    monkeypatch.setattr(module, "_teach", teaching)
    monkeypatch.setattr(module, "_ask", asking)
    return seen


@pytest.mark.parametrize("head", HEADS)
def test_no_model_is_asked_about_what_it_learned_from(
    tmp_path: Path, head: str, watched: list[tuple[set[str], set[str]]]
) -> None:
    rows = rows_of(head)
    own, said = asked(tmp_path, head, rows)
    assert [sorted(asked_of) for _, asked_of in watched] == [
        sorted(row["id"] for row, fold in zip(rows, FOLD, strict=True) if fold == number) for number in range(4)
    ]
    for learned, asked_of in watched:
        assert not learned & asked_of
        assert learned
    assert said.losses.shape == (40, 2)
    known = np.isfinite(said.losses[:, 0])
    assert known.mean() > 0.9
    assert (said.losses[known, 0] <= said.losses[known, 1] + 1e-6).all()
    if head == "causal":
        assert (said.classes, said.probabilities) == ([], None)
        return
    words = sum(len(own.tagged(row)) for row in rows) if head == "token" else 40
    assert said.probabilities is not None
    assert said.probabilities.shape == (words, len(said.classes))
    if head != "multilabel":
        assert said.probabilities.sum(axis=1) == pytest.approx(np.ones(words), abs=1e-4)


def test_what_cannot_be_learned_is_not_known(tmp_path: Path) -> None:
    """Labels by lot on texts by lot: a model that had seen its own rows would know them by heart."""
    chance = np.random.Generator(np.random.PCG64(2))
    words = ["".join(chance.choice(list("bcdfghjklm"), 6)) for _ in range(60)]
    rows = [MAKERS["sequence"][1](n) | {"text": words[n], "labels": [("good", "bad")[n % 2]]} for n in range(60)]
    _, said = asked(tmp_path, "sequence", rows, np.arange(60) // 2 % 3, cpu_epochs=12, learning_rate=1e-2)
    assert said.probabilities is not None
    right = np.array([said.classes.index(row["labels"][0]) for row in rows])
    assert float((said.probabilities.argmax(axis=1) == right).mean()) < 0.75


def test_what_can_be_learned_is_known(tmp_path: Path) -> None:
    rows = rows_of("sequence", 240)
    _, said = asked(tmp_path, "sequence", rows, np.arange(240) % 2, cpu_epochs=12, learning_rate=1e-2)
    assert said.probabilities is not None
    right = np.array([said.classes.index(row["labels"][0]) for row in rows])
    assert float((said.probabilities.argmax(axis=1) == right).mean()) > 0.8
    known = said.probabilities[np.arange(240), right]
    assert float(np.corrcoef(known, said.losses[:, 0])[0, 1]) < -0.8


@pytest.mark.parametrize("head", ["sequence", "token"])
def test_the_order_of_rows_changes_nothing(tmp_path: Path, head: str) -> None:
    rows = rows_of(head)
    own, said = asked(tmp_path, head, rows)
    _, other = asked(tmp_path, head, rows[::-1], FOLD[::-1])
    assert other.classes == said.classes
    assert other.losses[::-1] == pytest.approx(said.losses, abs=1e-5, nan_ok=True)
    assert said.probabilities is not None
    assert other.probabilities is not None
    lengths = [len(own.tagged(row)) if head == "token" else 1 for row in rows]
    parts = np.split(other.probabilities, np.cumsum(lengths[::-1])[:-1])[::-1]
    assert np.concatenate(parts) == pytest.approx(said.probabilities, abs=1e-5, nan_ok=True)


def test_twice_is_the_same(tmp_path: Path) -> None:
    (_, one), (_, other) = (asked(tmp_path, "sequence", rows_of("sequence")) for _ in range(2))
    assert one.probabilities is not None
    assert np.array_equal(one.probabilities, other.probabilities)  # type: ignore[arg-type]


def test_on_a_cpu_a_model_learns_from_a_sample(tmp_path: Path, watched: list[tuple[set[str], set[str]]]) -> None:
    asked(tmp_path, "sequence", rows_of("sequence"), cpu_rows=8)
    assert [len(learned) for learned, _ in watched] == [8] * 4


def test_rows_of_no_weight_are_asked_about_but_not_learned_from(
    tmp_path: Path, watched: list[tuple[set[str], set[str]]]
) -> None:
    rows = [{**row, "weight": float(n % 8 != 0)} for n, row in enumerate(rows_of("sequence"))]
    asked(tmp_path, "sequence", rows)
    learned, known = (set().union(*each) for each in zip(*watched, strict=True))
    assert known == {row["id"] for row in rows}
    assert learned == {row["id"] for row in rows if row["weight"]}


def test_words_that_the_limit_cuts_off_are_not_known(tmp_path: Path) -> None:
    rows = [{**row, "text": row["text"] + " and" * 30} for row in rows_of("token", 12)]
    own, said = asked(tmp_path, "token", rows, np.arange(12) % 3, max_tokens=16)
    assert said.probabilities is not None
    lengths = [len(own.tagged(row)) for row in rows]
    for block in np.split(said.probabilities, np.cumsum(lengths)[:-1]):
        assert np.isfinite(block[:5]).all()
        assert np.isnan(block[-5:]).all()


def test_a_fold_that_leaves_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="a fold leaves nothing to learn from"):
        asked(tmp_path, "sequence", rows_of("sequence"), np.zeros(40, dtype=np.int64))
