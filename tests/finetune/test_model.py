"""What is saved is what was trained, and anybody can load it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
import transformers

from pipeline import finetune as stages
from pipeline.errors import AssayError
from pipeline.finetune import examples, model, predict, tiny
from pipeline.finetune.course import Course
from pipeline.finetune.prepare import prepare
from pipeline.finetune.train import Training
from pipeline.tasks import task
from tests.finetune.conftest import MAKERS, made

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

HEADS = ["sequence", "multilabel", "number", "token", "causal"]
CPU = torch.device("cpu")


def logits(learner: model.Learner, encoded: list[examples.Example]) -> list[torch.Tensor]:
    """The outputs for every row on its own."""
    learner.model.eval()
    with torch.no_grad():
        return [
            learner.model(input_ids=torch.tensor(e.inputs["input_ids"][None].astype(np.int64))).logits for e in encoded
        ]


@pytest.mark.parametrize("lora_rank", [0, 4])
@pytest.mark.parametrize("head", HEADS)
def test_what_is_loaded_is_what_was_trained(tmp_path: Path, console: Console, head: str, lora_rank: int) -> None:
    recipe = made(tmp_path, head, train=32, held_out=8, lora_rank=lora_rank, learning_rate=1e-2)
    ready = prepare(recipe, base=None, device=CPU, console=console)
    before = logits(ready.learner, ready.judged_by)
    training = Training(ready.learner, Course(ready.taught, recipe.settings.finetune, 1))
    for step, batches in training.course.after(0):
        training._learn(step, batches)
    trained = logits(ready.learner, ready.judged_by)
    model.save(model.merged(ready.learner), tmp_path / "model")
    tokenizer = model.load_tokenizer(tmp_path / "model", iter(()), head=head)
    again = model.load(tmp_path / "model", tokenizer, head=head, classes=ready.learner.classes, seed=9, device=CPU)
    loaded = logits(again, ready.judged_by)
    for untrained, one, two in zip(before, trained, loaded, strict=True):
        torch.testing.assert_close(two, one, rtol=1e-4, atol=1e-4)
        assert not torch.allclose(untrained, one, atol=1e-2)
    row = MAKERS[head][1](3)
    named = task(MAKERS[head][0], recipe.settings.guideline)
    first = named.encode(row, ready.learner.tokenizer, classes=again.classes, max_tokens=64)
    assert named.encode(row, tokenizer, classes=again.classes, max_tokens=64) == first


@pytest.mark.parametrize("head", HEADS)
def test_a_padded_batch_says_what_single_rows_say(tmp_path: Path, console: Console, head: str) -> None:
    ready = prepare(made(tmp_path, head, train=16, held_out=12), base=None, device=CPU, console=console)
    rows = sorted(ready.taught, key=lambda example: example.id)

    def said(batch_rows: int) -> list[tuple[int, float, np.ndarray | None]]:
        found = predict.outputs(ready.learner, rows, batch_rows=batch_rows, tick=lambda done: None)
        return sorted(found, key=lambda output: output[0])

    assert len({row.tokens for row in rows}) > 1 or head == "causal"
    for (number, loss, output), (other, alone, single) in zip(said(16), said(1), strict=True):
        assert number == other
        assert loss == pytest.approx(alone, rel=1e-4, abs=1e-4)
        assert (output is None) == (head == "causal")
        if output is not None and single is not None:
            np.testing.assert_allclose(output, single, atol=1e-4)


def test_replies_do_not_depend_on_their_neighbours(tmp_path: Path, console: Console) -> None:
    ready = prepare(made(tmp_path, "causal", train=16, held_out=4), base=None, device=CPU, console=console)
    prompts = [[1, *range(10, 10 + length)] for length in (3, 17, 8, 30)]
    together = predict.replies(ready.learner, prompts, reply_tokens=8, batch_rows=4)
    assert together == [predict.replies(ready.learner, [p], reply_tokens=8, batch_rows=1)[0] for p in prompts]
    assert len(set(together)) > 1


def test_plain_transformers_reads_the_model(tmp_path: Path, console: Console) -> None:
    recipe = made(tmp_path, "sequence", train=32, held_out=8, epochs=1)
    stages.finetune(recipe, console=console)
    folder = recipe.build / "finetune" / "model"
    classify = transformers.pipeline("text-classification", model=str(folder), device="cpu")
    assert classify("the lovely film")[0]["label"] in {"good", "bad"}
    assert not list(folder.glob("*.bin"))
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "Not evaluated yet" in card
    stages.evaluate(recipe, console=console)
    assert "95 % interval" in (folder / "README.md").read_text(encoding="utf-8")


def test_frozen_layers_stay_as_they_were(tmp_path: Path, console: Console) -> None:
    recipe = made(tmp_path, "sequence", train=16, held_out=4, freeze_layers=1, learning_rate=1e-2)
    ready = prepare(recipe, base=None, device=CPU, console=console)
    before = {name: weight.clone() for name, weight in ready.learner.model.named_parameters()}
    training = Training(ready.learner, Course(ready.taught, recipe.settings.finetune, 1))
    for step, batches in training.course.after(0):
        training._learn(step, batches)
    changed = {name for name, weight in ready.learner.model.named_parameters() if not torch.equal(weight, before[name])}
    assert any(".layer.1." in name for name in changed)
    assert any("classifier" in name for name in changed)
    assert not any("embeddings" in name or ".layer.0." in name for name in changed)


def test_pickled_weights_are_not_read(tmp_path: Path, console: Console) -> None:
    ready = prepare(made(tmp_path, "sequence", train=16, held_out=4), base=None, device=CPU, console=console)
    folder = tmp_path / "pickled"
    model.save(ready.learner, folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(AssayError, match="pickled weights are not read"):
        model.load(folder, ready.learner.tokenizer, head="sequence", classes=["a", "b"], seed=1, device=CPU)


def test_the_tokenizer_of_a_tiny_model_depends_on_its_texts_only() -> None:
    texts = ["the film was 精彩 and lovely", "the plot, the music", "电影"] * 5
    one, two = tiny.encoder_tokenizer(texts), tiny.encoder_tokenizer(reversed(texts))
    assert one.get_vocab() == two.get_vocab()
    assert one.tokenize("the 电影") == ["the", "电", "影"]
