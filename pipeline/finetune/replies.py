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
    main = "test" if parts["test"].rows else "validation"
    made[main]["replies"] = _replies(bench, parts[main])
    for split, part in parts.items():
        counts = np.array([example.learned for example in part.examples], dtype=np.float64)
        if not counts.sum():
            continue
        sums = [np.array([said.loss_sum for said in part.predictions])]
        if split == main:
            # The model before training costs as much to ask as the one after: it is asked where it matters.
            sums.insert(0, _base_losses(bench, part))
        groups = [row["group"] for row in part.rows]
        table = scores.token_loss(np.stack(sums), counts, groups, times=settings.bootstrap, seed=settings.seed)
        *before, after = table["models"]
        made[split] |= {"headline": "token_loss", "learned_tokens": table["tokens"]}
        made[split]["metrics"] = {"token_loss": after["loss"], "perplexity": after["perplexity"]}
        if before:
            made[split] |= {"base_model": before[0], "gain": table["gain"]}
    return made


def _base_losses(bench: Bench, part: Part) -> scores.Numbers:
    """The sums of the losses of held-out rows under the model as it was before training."""
    settings, tuned = bench.recipe.settings.finetune, bench.learner
    folder = base_folder(bench.recipe)
    base = model.load(folder, tuned.tokenizer, head="causal", classes=[], seed=settings.seed, device=tuned.device)
    sums = np.zeros(len(part.rows))
    with progress(bench.console, "model before training", len(part.rows)) as tick:
        for number, value, _ in predict.outputs(base, part.examples, batch_rows=settings.eval_batch_rows, tick=tick):
            sums[number] = value
    return sums


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
