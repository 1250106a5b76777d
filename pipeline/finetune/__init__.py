"""A model trained on the split, and its scores: what every step of the data set was worth."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from pipeline import store
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.console import Console

    from pipeline.recipe import Recipe

FINETUNE, EVALUATE = "finetune", "evaluate"
TOKENIZER_FILES = {".json", ".txt", ".model", ".jinja"}
"""The endings of the files of a model's folder that may make its tokenizer."""

# Threads that wait for one another by spinning make two slower than one as soon as anything else wants the processor.
# Rows a second trained (MiniLM, 32 x 24 tokens, 2 cores): beside other work 27 on one thread, 6 on two, 60 on two that
# sleep; on an idle machine 40, 67 and 55. The library that torch uses for threads reads these when it is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")


def finetune(recipe: Recipe, *, console: Console) -> dict[str, Any]:
    """Train the recipe's model on its split and save it under `<build>/finetune/model`, unless it is there already.

    The report, with `"fresh": True` where it was trained now. A killed training goes on from its last checkpoint.

    Raises:
        AssayError: there is no split, no such model, nothing to learn from, or soft labels are asked for of no labels.
    """
    split = _report(recipe, "split")
    from pipeline.finetune import fit, keys, model, shares
    from pipeline.tasks import task

    settings = recipe.settings
    shares.check(recipe, task(settings.task, settings.guideline))
    model.quieten()
    device, base = model.device(), base_folder(recipe)
    shared = shares.content(recipe, settings.finetune.soft_labels)
    wanted = keys.key(FINETUNE, recipe, keys.contents(split), keys.folder_content(base), device.type, *shared)
    found = store.read_report(recipe.build / FINETUNE)
    if found is not None and found["key"] == wanted:
        return found | {"fresh": False}
    return fit.fit(recipe, split, key=wanted, base=base, device=device, console=console) | {"fresh": True}


def evaluate(recipe: Recipe, *, console: Console) -> dict[str, Any]:
    """Score the trained model on the rows held out, and write its card, unless that is done already.

    Raises:
        AssayError: there is no split or no trained model, or the model was trained on another split, and so perhaps
            on rows that are held out now, or from another model than the recipe names now.
    """
    split, trained = _report(recipe, "split"), _report(recipe, FINETUNE)
    from pipeline.finetune import card, judge, keys, model, shares

    place, way_out = f"model of '{recipe.name}'", f"assay finetune {recipe.name}"
    if not keys.is_of(trained, split):
        raise AssayError(place, "the model was trained on another split", way_out)
    if (base := trained["details"]["model"]) != recipe.settings.finetune.model:
        raise AssayError(place, f"it was trained from {base}, not from {recipe.settings.finetune.model}", way_out)
    model.quieten()
    device = model.device()
    made_of = keys.contents(split), trained["key"], trained["tables"]
    wanted = keys.key(EVALUATE, recipe, *made_of, device.type, shares.content(recipe, shares.VOTES))
    report = store.read_report(recipe.build / EVALUATE)
    fresh = report is None or report["key"] != wanted
    if report is None or fresh:
        report = judge.judge(recipe, split, trained, key=wanted, device=device, console=console)
    card.write(recipe.build / FINETUNE / "model", recipe, trained, report)
    return report | {"fresh": fresh}


def base_folder(recipe: Recipe) -> Path | None:
    """The folder of the recipe's pretrained model; None for a tiny one made on the spot."""
    return model_folder_of(recipe.settings.finetune.model)


def model_folder_of(spec: str) -> Path | None:
    """The folder of a pretrained model, fetched and checked if need be; None for `tiny`.

    Raises:
        AssayError: there is no such model.
    """
    if spec == "tiny":
        return None
    from pipeline.fetch import model_folder
    from pipeline.finetune.gguf import converted

    return converted(model_folder(spec))


def tokenizer(recipe: Recipe) -> Any:
    """The tokenizer that the model will be trained with, for gates that count tokens.

    Raises:
        AssayError: there is no such model.
    """
    from functools import partial

    from pipeline.finetune import kept, model
    from pipeline.memo import FOLDER
    from pipeline.tasks import task

    model.quieten()
    folder, head = base_folder(recipe), task(recipe.settings.task, recipe.settings.guideline).head
    load = partial(model.load_tokenizer, folder, _texts(recipe), head=head)
    if folder is None:
        return load()
    return kept.kept(recipe.build / FOLDER / "tokenizer", tokenizer_content(recipe), load)


def tokenizer_content(recipe: Recipe) -> str:
    """A hash of all that the tokenizer is made of: what two of one hash make of a text is the same.

    Raises:
        AssayError: there is no such model.
    """
    import hashlib
    import json

    from pipeline.cache import file_hash
    from pipeline.finetune import keys

    folder = base_folder(recipe)
    files = sorted(path for path in folder.rglob("*") if path.suffix in TOKENIZER_FILES) if folder else []
    told = [[path.name, file_hash(path)] for path in files] if folder else list(_texts(recipe))
    basis = [keys.code_version(), keys.versions(), told]
    return hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()


def _texts(recipe: Recipe) -> Iterator[str]:
    """The training texts that the tokenizer of a tiny model is made of."""
    from itertools import islice

    from pipeline.finetune import examples, tiny
    from pipeline.tasks import task

    told = task(recipe.settings.task, recipe.settings.guideline)
    return islice(map(told.shown, examples.rows(recipe.build / "split", "train")), tiny.MOST_TEXTS)


def _report(recipe: Recipe, stage: str) -> dict[str, Any]:
    found = store.read_report(recipe.build / stage)
    if found is None:
        way_out = f"assay run {recipe.name}" if stage == "split" else f"assay {stage} {recipe.name}"
        raise AssayError(f"model of '{recipe.name}'", f"the stage '{stage}' has not been run", way_out)
    return found


__all__ = ["base_folder", "evaluate", "finetune", "model_folder_of", "tokenizer", "tokenizer_content"]
