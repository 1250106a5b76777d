"""Causal models: the loss of learned tokens before and after training, and some replies given in full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.finetune import base_folder, examples, model, predict, scores
from pipeline.finetune.show import progress

if TYPE_CHECKING:
    from pipeline.finetune.bench import Bench, Part


def told(bench: Bench, parts: dict[str, Part]) -> dict[str, Any]:
    """Scores of every split: token loss against the model before training, and replies to some rows of the test."""
    settings = bench.recipe.settings.finetune
    made: dict[str, Any] = {split: {"n": len(part.rows)} for split, part in parts.items()}
    replied = parts["test"] if parts["test"].rows else parts["validation"]
    made["test" if replied is parts["test"] else "validation"]["replies"] = _replies(bench, replied)
    before = _base_losses(bench, parts)
    for split, part in parts.items():
        counts = np.array([example.learned for example in part.examples], dtype=np.float64)
        if not counts.sum():
            continue
        after = np.array([said.loss_sum for said in part.predictions])
        groups = [row["group"] for row in part.rows]
        table = scores.token_loss(
            np.stack([before[split], after]), counts, groups, times=settings.bootstrap, seed=settings.seed
        )
        base, tuned = table.pop("models")
        made[split] |= {
            "headline": "token_loss",
            "metrics": {"token_loss": tuned["loss"], "perplexity": tuned["perplexity"]},
        }
        made[split] |= {"base_model": base, "gain": table["gain"], "learned_tokens": table["tokens"]}
    return made


def _base_losses(bench: Bench, parts: dict[str, Part]) -> dict[str, Any]:
    """The loss of every held-out row under the model as it was before training."""
    settings, learner = bench.recipe.settings.finetune, bench.learner
    base = model.load(
        base_folder(bench.recipe),
        learner.tokenizer,
        head="causal",
        classes=[],
        seed=settings.seed,
        device=learner.device,
    )
    made = {}
    for split, part in parts.items():
        with progress(bench.console, f"base model on {split}", len(part.rows)) as tick:
            size, sums = settings.eval_batch_rows, np.zeros(len(part.rows))
            for number, value, _ in predict.outputs(base, part.examples, batch_rows=size, tick=tick):
                sums[number] = value
        made[split] = sums
    return made


def _replies(bench: Bench, part: Part) -> dict[str, Any]:
    """Greedy replies to some rows, drawn by a keyed hash of their ids, scored by the task; kept in the predictions."""
    settings, task = bench.recipe.settings.finetune, bench.task
    most = settings.generate_rows if bench.gpu else settings.cpu_generate_rows
    drawn = sorted(range(len(part.rows)), key=lambda n: examples.chance(settings.seed, "reply", part.rows[n]["id"]))[
        :most
    ]
    numbers = sorted(drawn)
    if not numbers:
        return {"n": 0}
    most_positions = getattr(bench.learner.model.config, "max_position_embeddings", None) or settings.max_tokens
    room = max(1, min(settings.max_tokens, most_positions - settings.reply_tokens))
    prompt: Any = getattr(task, "prompt")  # noqa: B009 - only causal tasks have it
    prompts = [prompt(part.rows[n], bench.learner.tokenizer, max_tokens=room) for n in numbers]
    with progress(bench.console, "reply", len(numbers)) as tick:
        said = predict.replies(
            bench.learner, prompts, reply_tokens=settings.reply_tokens, batch_rows=settings.eval_batch_rows, tick=tick
        )
    for number, reply in zip(numbers, said, strict=True):
        one = part.predictions[number]
        found, probability = task.decode(
            reply, part.rows[number], bench.learner.tokenizer, classes=[], max_tokens=settings.max_tokens
        )
        part.predictions[number] = predict.Prediction(found, probability, one.loss_sum, one.learned)
    rows = [part.rows[n] for n in numbers]
    judged = scores.Judged(rows, [task.answer(row) for row in rows], [part.predictions[n].found for n in numbers])
    return scores.table(judged, task, times=scores.fewer(settings.bootstrap), seed=settings.seed)
