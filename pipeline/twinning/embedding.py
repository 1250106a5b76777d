"""Embedding: texts as vectors of a sentence encoder, where the recipe looks for duplicates by what they mean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from pipeline.recipe import Recipe

    Floats = NDArray[np.float32]

TEXTS_AT_ONCE = 20_000


def embedded(batches: Iterable[list[str]], model: str) -> Floats:
    """The vectors of all texts: float32[texts, width].

    Raises:
        AssayError: there is no such model.
    """
    from pipeline.finetune import model_folder_of
    from pipeline.finetune.embed import embed

    folder = model_folder_of(model)
    made = [embed(texts, folder) for texts in batches]
    return np.concatenate(made) if made else np.zeros((0, 1), dtype=np.float32)


def inputs(recipe: Recipe) -> dict[str, str]:
    """What the search depends on beside the recipe's own section: the encoder, and the code that asks it."""
    settings = recipe.settings.audit
    if settings.duplicates != "semantic":
        return {}
    from pipeline.finetune import keys, model_folder_of

    content = keys.folder_content(model_folder_of(settings.semantic_model))
    return {"semantic_model": json.dumps([keys.code_version(), keys.versions(), content], sort_keys=True)}
