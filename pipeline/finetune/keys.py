"""What a model and its scores depend on, as a hash: nothing else makes them old, and nothing less."""

from __future__ import annotations

import hashlib
import json
import platform
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.cache import file_hash

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.recipe import Recipe

MATTERS = ("torch", "transformers", "tokenizers", "peft", "safetensors", "numpy", "pyarrow")
TABLES = ("train", "validation", "test")


def versions() -> dict[str, str]:
    """The libraries that decide what is learned."""
    return {name: version(name) for name in MATTERS}


def contents(split: Mapping[str, Any]) -> dict[str, str]:
    """The content hash of every table of the split that a model sees."""
    return {name: split["tables"][name]["content"] for name in TABLES}


def is_of(report: Mapping[str, Any], split: Mapping[str, Any]) -> bool:
    """Whether a trained model, or scores, are of this very split: the same rows on every side, not as many."""
    return bool(report["details"].get("split") == contents(split))


def are_current(scored: Mapping[str, Any], trained: Mapping[str, Any], split: Mapping[str, Any]) -> bool:
    """Whether scores and predictions are those of this model, and it and they of this split."""
    is_same = scored["details"].get("trained") == trained["key"]
    return is_same and is_of(trained, split) and is_of(scored, split)


@lru_cache(maxsize=1)
def code_version() -> str:
    """A hash of the code that trains and scores, and of the tasks it asks."""
    whole = hashlib.sha256(platform.python_version().encode())
    package = Path(__file__).resolve().parent.parent
    for path in sorted(
        [
            *(package / "finetune").glob("*.py"),
            *(package / "tasks").glob("*.py"),
            package / "text.py",
            package / "tagscheme.py",
            package / "store.py",
        ]
    ):
        whole.update(path.name.encode() + path.read_bytes())
    return whole.hexdigest()


def folder_content(folder: Path | None) -> dict[str, str]:
    """The SHA-256 of every file of a model; nothing for a model made on the spot."""
    if folder is None:
        return {}
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_hash(path) for path in files}


def key(stage: str, recipe: Recipe, *parts: object) -> str:
    """The key of `stage`: code, libraries, the recipe's settings for it, and `parts`, which must be JSON-able."""
    settings = recipe.settings.model_dump(mode="json", include={"task", "guideline", "finetune"})
    basis = [stage, code_version(), versions(), settings, *parts]
    return hashlib.sha256(json.dumps(basis, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]
