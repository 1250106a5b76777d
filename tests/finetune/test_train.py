"""Training on tiny random models: it learns, it can be killed, and it says what it did."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import torch

from pipeline import finetune as stages
from pipeline.errors import AssayError
from pipeline.finetune import keys, model
from pipeline.finetune.prepare import prepare
from tests.finetune.conftest import made, recipe_at, review, spine, write_split

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

LONG = {"epochs": 12, "cpu_epochs": 12, "patience_evaluations": 30}


@pytest.mark.parametrize("head", ["sequence", "multilabel", "number", "token"])
def test_a_model_learns_what_can_be_learned(tmp_path: Path, console: Console, head: str) -> None:
    recipe = made(tmp_path, head, **LONG)
    trained = stages.finetune(recipe, console=console)
    scored = stages.evaluate(recipe, console=console)
    test = scored["details"]["scores"]["test"]
    assert test["majority"]["difference"]["low"] > 0.2
    assert test["metrics"][test["headline"]]["value"] > 0.9
    assert trained["details"]["history"][-1]["train_loss"] < trained["details"]["history"][0]["train_loss"]
    assert scored["tables"]["predictions"]["rows"] == 80


@pytest.mark.parametrize("lora_rank", [0, 4])
def test_a_causal_model_learns_and_replies(tmp_path: Path, console: Console, lora_rank: int) -> None:
    recipe = made(tmp_path, "causal", epochs=4, cpu_epochs=4, lora_rank=lora_rank, cpu_generate_rows=6, reply_tokens=16)
    stages.finetune(recipe, console=console)
    test = stages.evaluate(recipe, console=console)["details"]["scores"]["test"]
    assert test["gain"]["low"] > 0.2
    assert test["metrics"]["token_loss"]["value"] < test["base_model"]["loss"]["value"]
    assert test["replies"]["n"] == 6
    if not lora_rank:
        assert test["replies"]["metrics"]["chrf"]["value"] > 60


def test_a_causal_model_learns_to_write_relations(tmp_path: Path, console: Console) -> None:
    settings = {"epochs": 5, "cpu_epochs": 5, "cpu_generate_rows": 20, "reply_tokens": 16, "bootstrap": 10}
    recipe = made(tmp_path, "relations", train=144, held_out=24, **settings)
    stages.finetune(recipe, console=console)
    replies = stages.evaluate(recipe, console=console)["details"]["scores"]["test"]["replies"]
    assert (replies["n"], replies["headline"]) == (20, "micro_f1")
    assert replies["metrics"]["micro_f1"]["value"] > 0.8


def test_the_ledger_adds_up(tmp_path: Path, console: Console) -> None:
    recipe = made(tmp_path, "token", train=100, cpu_rows=60, cpu_epochs=2, epochs=3, patience_evaluations=30)
    details = stages.finetune(recipe, console=console)["details"]
    ledger = details["ledger"]
    assert ledger["rows"] == 100 == ledger["sampled_out"] + ledger["rows_encoded"]
    assert ledger["rows_encoded"] == 60 == ledger["rows_learned_from"] + ledger["rows_that_teach_nothing"]
    assert [epoch["tokens"] for epoch in ledger["epochs"]] == [ledger["tokens"]] * 2
    assert ledger["trained_on"]["learned_targets"] == 2 * ledger["learned_targets"]
    assert ledger["trained_on"]["padding_tokens"] == sum(epoch["padding_tokens"] for epoch in ledger["epochs"])
    assert details["sampled"]["rows"] == 60
    assert "stratified sample" in console.file.getvalue()  # type: ignore[attr-defined]


def test_what_was_done_is_not_done_again(tmp_path: Path, console: Console) -> None:
    recipe = made(tmp_path, "sequence", train=40, held_out=10, epochs=1)
    first, scores = stages.finetune(recipe, console=console), stages.evaluate(recipe, console=console)
    assert first["fresh"]
    assert scores["fresh"]
    assert not stages.finetune(recipe, console=console)["fresh"]
    assert not stages.evaluate(recipe, console=console)["fresh"]
    (recipe.build / "finetune" / "model" / "model.safetensors").unlink()
    assert stages.finetune(recipe, console=console)["fresh"]


def test_rows_without_anything_to_learn_are_named(tmp_path: Path, console: Console) -> None:
    turns = [
        {"role": "user", "content": "say it", "learn": False},
        {"role": "assistant", "content": "it", "learn": False},
    ]
    rows = [spine(number, messages=turns, tools=None) for number in range(9)]
    recipe = recipe_at(tmp_path, "causal")
    write_split(recipe.build / "split", "chat", {"train": rows, "validation": rows[:2], "test": rows[:2]})
    with pytest.raises(AssayError, match=r"none of 9 training rows .* made/0, made/1"):
        stages.finetune(recipe, console=console)
    assert not (recipe.build / "finetune").exists()


def test_rows_of_weight_0_are_as_good_as_absent(tmp_path: Path, console: Console) -> None:
    ready = prepare(made(tmp_path, "sequence"), base=None, device=torch.device("cpu"), console=console)
    model.save(ready.learner, base := tmp_path / "base")
    weights = []
    for name, extra in (("with", 20), ("without", 0)):
        recipe = recipe_at(tmp_path / name, "sequence", epochs=1, model=str(base))
        rows = [review(n) for n in range(60)] + [review(n) | {"weight": 0.0} for n in range(100, 100 + extra)]
        held = [review(n) for n in range(200, 210)]
        write_split(recipe.build / "split", "classification", {"train": rows, "validation": held, "test": held})
        report = stages.finetune(recipe, console=console)
        weights.append(report["tables"]["model"]["content"])
        assert report["details"]["ledger"]["rows_that_teach_nothing"] == extra
    assert weights[0] == weights[1]


def test_a_model_of_another_split_is_not_scored(tmp_path: Path, console: Console) -> None:
    """The split is dealt anew with as many rows on every side: rows of its test stood in the model's train side."""
    recipe = made(tmp_path, "sequence", train=40, held_out=10, epochs=1)
    stages.finetune(recipe, console=console)
    stages.evaluate(recipe, console=console)
    sides = {"train": range(20, 60), "validation": range(10, 20), "test": range(10)}
    anew = {name: [review(n) for n in numbers] for name, numbers in sides.items()}
    write_split(recipe.build / "split", "classification", anew)
    with pytest.raises(AssayError, match=r"'made': the model was trained on another split; assay finetune made$"):
        stages.evaluate(recipe, console=console)
    trained = stages.finetune(recipe, console=console)
    scored = stages.evaluate(recipe, console=console)["details"]
    assert (scored["split"], scored["trained"]) == (trained["details"]["split"], trained["key"])


def test_scores_without_intervals_are_written_in_words(tmp_path: Path, console: Console) -> None:
    recipe = made(tmp_path, "sequence", train=40, held_out=3, epochs=1)
    stages.finetune(recipe, console=console)
    scored = stages.evaluate(recipe, console=console)["details"]["scores"]["test"]
    assert {one["low"] for one in scored["metrics"].values()} == {None}
    card = (recipe.build / "finetune" / "model" / "README.md").read_text(encoding="utf-8")
    assert "| none: only 3 groups of rows, and an interval needs 5 |" in card
    assert "(no interval: only 3 groups of rows, and an interval needs 5)" in card
    assert "None" not in card.partition("## Scores")[2].partition("## Training")[0]


def test_no_split_is_said(tmp_path: Path, console: Console) -> None:
    with pytest.raises(AssayError, match="'split' has not been run"):
        stages.finetune(recipe_at(tmp_path, "sequence"), console=console)
    recipe = made(tmp_path, "sequence", train=8, held_out=2)
    with pytest.raises(AssayError, match="'finetune' has not been run; assay finetune made"):
        stages.evaluate(recipe, console=console)


def test_settings_that_do_not_fit_the_model(tmp_path: Path, console: Console) -> None:
    with pytest.raises(AssayError, match="freeze_layers = 3, but the model has 2"):
        stages.finetune(made(tmp_path / "a", "sequence", train=8, held_out=2, freeze_layers=3), console=console)
    with pytest.raises(AssayError, match="max_tokens = 1000, but the model reads 512"):
        stages.finetune(made(tmp_path / "b", "sequence", train=8, held_out=2, max_tokens=1000), console=console)


CHILD = """
import io, os, signal, sys
from pathlib import Path
import torch
from rich.console import Console
from pipeline import finetune
from pipeline.finetune.checkpoint import Checkpoints
from pipeline.recipe import Recipe
from pipeline.settings import RecipeSettings
torch.set_num_threads(1)
save, wanted = Checkpoints.save, int(sys.argv[2])
def killing(self, state, tensors):
    if state.step == wanted and sys.argv[3] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    save(self, state, tensors)
    if state.step == wanted:
        os.kill(os.getpid(), signal.SIGKILL)
Checkpoints.save = killing
home = Path(sys.argv[1])
settings = RecipeSettings.model_validate_json((home / "settings.json").read_text())
finetune.finetune(Recipe("made", home, settings), console=Console(file=io.StringIO()))
"""


def killed(recipe: Any, step: int, when: str) -> None:
    """Run the training in another process, which is killed at the checkpoint after `step`."""
    (recipe.folder / "settings.json").write_text(recipe.settings.model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-c", CHILD, str(recipe.folder), str(step), when]
    assert subprocess.run(command, check=False, timeout=120).returncode == -9


@pytest.mark.parametrize(("head", "own"), [("sequence", {}), ("causal", {"lora_rank": 4})])
def test_a_killed_training_ends_as_if_it_had_not_been(
    tmp_path: Path, console: Console, head: str, own: dict[str, Any]
) -> None:
    """Killed twice (once in the second epoch, once before a checkpoint is written): all weights, or LoRA's alone."""
    settings = {"train": 64, "held_out": 10, "epochs": 3, "cpu_epochs": 3, "checkpoint_seconds": 0, **own}
    settings["patience_evaluations"] = 30
    plain, hurt = made(tmp_path / "plain", head, **settings), made(tmp_path / "hurt", head, **settings)
    whole = stages.finetune(plain, console=console)
    killed(hurt, 6, "after")
    assert [path.name for path in hurt.build.glob("finetune.run/step-*")] == ["step-000000006"]
    assert not (hurt.build / "finetune").exists()
    killed(hurt, 9, "before")
    resumed = stages.finetune(hurt, console=console)
    assert resumed == whole
    assert keys.folder_content(plain.build / "finetune" / "model") == keys.folder_content(
        hurt.build / "finetune" / "model"
    )
    assert not (hurt.build / "finetune.run").exists()


def test_patience_waits_for_a_metric_that_is_slow_to_move(tmp_path: Path, console: Console) -> None:
    """Equal values are told apart by the loss; values that fall, or a loss that rises, use patience up."""
    from pipeline.finetune.checkpoint import Checkpoints
    from pipeline.finetune.course import Course
    from pipeline.finetune.train import Training

    recipe = made(tmp_path, "sequence", train=64, held_out=4, patience_evaluations=2, evaluations_per_epoch=4)
    ready = prepare(recipe, base=None, device=torch.device("cpu"), console=console)
    training = Training(ready.learner, Course(ready.taught, recipe.settings.finetune, 4))
    said = iter([(0.0, 0.9), (0.0, 0.8), (0.0, 0.7), (0.0, 0.6), (0.5, 0.9), (0.5, 1.0), (0.4, 0.1)])
    checkpoints = Checkpoints(tmp_path / "run", "key")
    checkpoints.open()
    state = training.run(checkpoints, appraise=lambda: ("f1", *next(said)))
    assert (state.stopped, state.step, state.best_step, state.best) == (True, 7, 5, 0.5)


def test_a_model_that_the_recipe_no_longer_names_is_not_scored(tmp_path: Path, console: Console) -> None:
    recipe = made(tmp_path, "sequence", train=40, held_out=10, epochs=1)
    stages.finetune(recipe, console=console)
    other = recipe_at(tmp_path, "sequence", epochs=1, model="somewhere/else")
    assert other.build == recipe.build
    with pytest.raises(AssayError, match=r"it was trained from tiny, not from somewhere/else; assay finetune made$"):
        stages.evaluate(other, console=console)
