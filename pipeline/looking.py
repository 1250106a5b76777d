"""A look at a user's file: how it is read, which field plays which part, which labels there are."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from pipeline import gauging, readers, sourcing, tokens
from pipeline.errors import AssayError
from pipeline.fetch import RawFile
from pipeline.naming import NAMES, plain, played
from pipeline.playing import (
    MOST_LABELS,
    Look,
    accounted,
    answer_of,
    fewest,
    fitting,
    given,
    guessed_label,
    hold_labels,
    label_of,
    spine,
    take_gold,
    take_labels,
)
from pipeline.prose import pair_of, text_of
from pipeline.readers import Broken, ReadOptions, Record
from pipeline.readers.lines import lines
from pipeline.tasks import triples

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SAMPLE_RECORDS = 20_000
IMPLIED: dict[str, tuple[str, ...]] = {
    "chat": ("messages", "tools"), "tagging": ("tokens", "tags", "schemes"), "relations": ("tokens",),
    "answering": ("is_impossible",), "writing": ("context", "references"),
}  # fmt: skip
"""Fields that a task looks for by their names, so that no part of the recipe names them."""
COMPRESSED = {".gz", ".bz2", ".xz", ".zst"}
FORMATS = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
    ".parquet": "parquet", ".conll": "conll", ".bio": "conll", ".iob": "conll", ".bioes": "conll", ".bmes": "conll",
    ".train": "conll", ".txt": "tsv",
}  # fmt: skip


def looked_at(source: Path, task: str) -> Look:
    """What the first 20,000 records of a file tell about it."""
    look = opened(source, task)
    good = [record.fields for record in look.read]
    LOOKS[task](good, look)
    if look.format != "conll":  # whose fields are made by the reader, all of them
        look.notes += accounted(good, look, IMPLIED.get(task, ()))
    return look


def opened(source: Path, task: str) -> Look:
    """How a file is read, with its first 20,000 records, in `read`."""
    look = Look(format=_format(source, task))
    if look.format == "conll" and task != "tagging":
        raise AssayError(str(source), "is read as CoNLL: tokens with their tags", "say --task tagging")
    raw = RawFile(source.name, source)
    if look.format in ("csv", "tsv"):
        look.options = _table(raw, look)
    records = list(islice(readers.read(raw, format=look.format, options=look.options), SAMPLE_RECORDS))
    look.read = [record for record in records if isinstance(record, Record)]
    if not look.read or 2 * len(look.read) < len(records):
        first = next(
            (f": {record.evidence}" for record in records if isinstance(record, Broken)), ": it holds no record"
        )
        much = f"only {len(look.read):,} of {len(records):,} records" if look.read else "nothing"
        raise AssayError(str(source), f"{much} could be read as {look.format}{first}", "mend the file, or its ending")
    look.notes.insert(
        0,
        f"read as {look.format}: {len(look.read):,} records looked at, {len(records) - len(look.read)} cannot be read",
    )
    return look


def _format(source: Path, task: str) -> str:
    suffixes = [suffix for suffix in source.suffixes if suffix not in COMPRESSED]
    found = FORMATS.get(suffixes[-1].lower() if suffixes else "")
    if found is None:
        raise AssayError(str(source), f"no format for the ending '{''.join(suffixes)}'", f"known: {', '.join(FORMATS)}")
    if task == "tagging" and found == "tsv":
        return "conll"
    if task == "answering" and found == "json" and _is_squad(source):
        return "squad"
    return found if task != "chat" else _chat_format(source, found)


def _is_squad(source: Path) -> bool:
    try:
        first = next(readers.read(RawFile(source.name, source), format="squad"), None)
    except AssayError:
        return False
    return isinstance(first, Record)


def _chat_format(source: Path, container: str) -> str:
    raw = RawFile(source.name, source)
    if container not in ("json", "jsonl"):
        raise AssayError(str(source), f"{container} holds no dialogues", "chat is read from JSON and JSON Lines")
    first = next((r.fields for r in readers.read(raw, format=container) if isinstance(r, Record)), {})
    if "conversations" in first:
        return "sharegpt"
    return "alpaca" if "instruction" in first else "messages"


def _table(raw: RawFile, look: Look) -> ReadOptions:
    """How a table is read: what parts its columns, and what they are called where there is no header row."""
    options = ReadOptions(delimiter=_delimiter(raw, look.format))
    if width := _headless(raw, look.format, options):
        look.notes.append(f"no header row: the columns are called column1 to column{width}")
        options = replace(options, names=tuple(f"column{at}" for at in range(1, width + 1)))
    return options


def _delimiter(raw: RawFile, format: str) -> str | None:
    """The mark that parts columns, where it is not the format's own: spreadsheets in much of Europe write `;`."""
    first = next((line.text for line in lines(raw, ReadOptions())[1] if line.text.strip()), "")
    own = "\t" if format == "tsv" else ","
    if own == "\t" and own in first:
        return None  # texts are full of the other marks
    found = max((own, ",", ";", "\t", "|"), key=first.count)
    return None if first.count(found) == first.count(own) else found


def _headless(raw: RawFile, format: str, options: ReadOptions) -> int:
    """How many columns a file without header row has; 0 where the first row is a header.

    A header names things; a first row that is data holds a number, a long text, or a value that its column has again.
    """
    some = islice(readers.read(raw, format=format, options=options), 500)
    good = [record.fields for record in some if isinstance(record, Record)]
    header = [str(cell) for cell in good[0]] if good else []
    known = {plain(name) for names in NAMES.values() for name in names}
    if any(plain(cell) in known for cell in header):
        return 0
    again = any(record.get(cell) == cell for cell in header for record in good)
    like_data = any(len(cell) > 40 or re.fullmatch(r"-?\d+(\.\d+)?", cell.strip()) for cell in header)
    return len(header) if again or like_data else 0


def _classification(good: list[dict[str, Any]], look: Look) -> None:
    text = text_of(good, look)
    look.columns["text"] = text
    label = label_of(good, look, text=text)
    people = fitting(good, "annotator", taken=[text])
    several = _annotators(good, text) if played(good, "label") in (None, text) else []
    if several and set(people) <= set(several) and label in (None, *several):
        _wide(good, several, look)
        return
    if people and not label:
        label = answer_of(good, taken=[text, *people])
    label = label or guessed_label(good, look, text=text)
    look.columns["label"] = label
    if pair := pair_of(good, text=text, taken=[label]):
        look.columns["text_pair"] = pair
    spine(good, look)
    take_gold(good, look)
    values = [record.get(label) for record in good] + given(good, look.columns.get("gold", ""))
    look.multiple, counts = counted(values)
    take_labels(counts, look)
    look.notes.append(f"text is '{text}', label is '{label}'" + (", several per row" if look.multiple else ""))


def counted(values: Sequence[Any]) -> tuple[bool, Counter[str]]:
    """Whether there may be several labels to a row, and how often each of them was given."""
    several = any(isinstance(value, list) for value in values) or _comma_separated(values)
    return several, Counter(part for value in values if value not in (None, "") for part in _labels(value, several))


def _annotators(good: Sequence[Mapping[str, Any]], text: str) -> list[str]:
    """The columns that seem to hold one annotator's answer each: two or more with much the same few values."""
    values = {
        name: {str(r.get(name)) for r in good if r.get(name) not in (None, "")} for name in good[0] if name != text
    }
    few = {name: seen for name, seen in values.items() if 1 < len(seen) <= max(2, min(MOST_LABELS, len(good) // 2))}
    alike = [
        [other for other, theirs in few.items() if 2 * len(seen & theirs) > len(seen | theirs)] for seen in few.values()
    ]
    most = max(alike, key=len, default=[])
    return most if len(most) > 1 else []


def _wide(good: list[dict[str, Any]], annotators: list[str], look: Look) -> None:
    look.annotator_columns = annotators
    spine([{name: value for name, value in record.items() if name not in annotators} for record in good], look)
    given = [str(record[name]).strip() for record in good for name in annotators if record.get(name) not in (None, "")]
    take_labels(Counter(given), look)
    look.notes.append(f"text is '{look.columns['text']}', one annotator each in {', '.join(annotators)}")


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


def _chat(good: list[dict[str, Any]], look: Look) -> None:
    if not isinstance(good[0].get("messages"), list):
        known = "messages, conversations (ShareGPT) or instruction and output (Alpaca)"
        raise AssayError("the file", f"its records hold {', '.join(good[0])}", f"a dialogue stands in {known}")
    spine(good, look)
    if not any(turn.get("role") == "assistant" for record in good for turn in record["messages"][-1:]):
        problem = "no dialogue ends in a reply, so there is nothing to learn (is this preference data?)"
        raise AssayError("the file", problem, "give dialogues whose last turn is the reply that is to be learned")
    turns = Counter(len(record["messages"]) for record in good)
    look.notes.append(f"{turns.most_common(1)[0][0]} turns in most dialogues, {max(turns)} at most")


def _relations(good: list[dict[str, Any]], look: Look) -> None:
    relations = played(good, "relations")
    if (entities := played(good, "entities")) and relations and isinstance(good[0].get(entities), list):
        if good[0].get("tokens") is None:
            look.columns["text"] = text_of(good, look)
        look.columns |= {"entities": entities, "relations": relations}
        labels = [str(triples.parts(one)[2]) for record in good for one in record.get(relations) or ()]
    elif marked := next((name for name in good[0] if "<e1>" in str(good[0][name])), None):
        relations = relations or played(good, "label") or fewest(good, {marked})
        hold_labels(good, relations)
        look.columns |= {"text": marked, "relations": relations}
        given = [str(record[relations]).strip() for record in good if record.get(relations) not in (None, "")]
        labels = [(triples.directed(one) or (one,))[0] for one in given if one.casefold() not in triples.NOTHING]
    else:
        known = "the fields entities and relations, or <e1>..</e1> and <e2>..</e2> in the text and a label"
        raise AssayError("the file", f"its records hold {', '.join(good[0])}", f"relations are read from {known}")
    spine(good, look)
    take_labels(Counter(labels), look)
    look.notes.append(f"relations are in '{relations}', entities in '{look.columns.get('entities') or marked}'")


LOOKS = {
    "classification": _classification,
    "tagging": tokens.tagging,
    "chat": _chat,
    "rating": gauging.rating,
    "relations": _relations,
    "answering": sourcing.answering,
    "writing": sourcing.writing,
}
