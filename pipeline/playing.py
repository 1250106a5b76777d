"""Which field of a user's file plays which part: by what people call such fields, and by what it holds."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline import naming
from pipeline.dates import seconds
from pipeline.errors import AssayError
from pipeline.naming import candidates, fields, played, words
from pipeline.readers import ReadOptions, Record
from pipeline.shaping import SPLITS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

MOST_LABELS = 300
FEW_ROWS = 20
"""With fewer rows nothing can be said of how often a label should recur."""
MOST_ID_CHARS, MOST_LANGUAGE_CHARS, READ_SHARE = 100, 20, 0.95
EARLIEST = 1e8
"""Seconds since 1970: a smaller bare number in a column that is called a date may be a count of anything."""


@dataclass
class Look:
    """What a look at the file told: how it is read, which field plays which part, which labels there are."""

    format: str
    options: ReadOptions = field(default_factory=ReadOptions)
    columns: dict[str, str] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    multiple: bool = False
    scale: tuple[float, float] | None = None
    guideline: dict[str, str | bool] = field(default_factory=dict)
    """What else the guideline is to say."""
    max_tokens: int | None = None
    """What a model must be able to read of a row; None where the usual is enough."""
    annotator_columns: list[str] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)
    """Why a field plays no part that its name says."""
    notes: list[str] = field(default_factory=list)
    read: list[Record] = field(default_factory=list)
    """The records that were looked at."""


def given(good: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    """What stands in a field, blanks aside."""
    return [record[name] for record in good if record.get(name) not in (None, "", [])]


def are_texts(values: Sequence[Any], records: int) -> bool:
    """Mostly texts in which there are letters, and more than one of them."""
    some = values[:500]
    read = [value for value in some if isinstance(value, str) and re.search(r"[^\W\d_]", value)]
    return 2 * len(read) > len(some) and (len(set(read)) > 1 or records == 1)


def _are_labels(values: Sequence[Any], records: int) -> bool:
    """Few different ones: at most as many as can be listed, and each twice on average where there are many rows."""
    different = len({str(value) for value in values})
    return different > 0 and (records < FEW_ROWS or different <= min(MOST_LABELS, len(values) // 2))


def _are_ids(values: Sequence[Any], records: int) -> bool:
    """One for each record, none twice, and short."""
    texts = [str(value) for value in values]
    return len(set(texts)) == records and max(map(len, texts), default=0) <= MOST_ID_CHARS


def _are_dates(values: Sequence[Any], records: int) -> bool:
    """Dates that can be read, nearly all of them; of bare numbers those that mean a moment after 1973."""
    texts = [str(value).strip() for value in values]
    moments = [(text, seconds(text)) for text in texts]
    read = [at for text, at in moments if at is not None and (at > EARLIEST or not re.fullmatch(r"[-.\d]+", text))]
    return bool(texts) and len(read) >= READ_SHARE * len(texts)


def _are_languages(values: Sequence[Any], records: int) -> bool:
    return bool(values) and all(isinstance(value, str) and len(value) <= MOST_LANGUAGE_CHARS for value in values)


def _are_splits(values: Sequence[Any], records: int) -> bool:
    return bool(values) and all(str(value).lower() in SPLITS for value in values)


def _are_names(values: Sequence[Any], records: int) -> bool:
    return bool(values) and all(not isinstance(value, list | dict) for value in values)


FITS: dict[str, Callable[[Sequence[Any], int], bool]] = {
    "text": are_texts, "label": _are_labels, "id": _are_ids, "date": _are_dates, "time": _are_dates,
    "language": _are_languages, "split": _are_splits, "annotator": _are_names, "group": _are_names,
}  # fmt: skip
"""Whether values are what a part holds: what is given in a field, and how many records there are."""
MISFITS = {
    "id": "it repeats or is missing, so it is not used as the id",
    "date": "no dates that can be read, such as {!r}",
    "time": "no dates that can be read, such as {!r}",
    "split": "no names of splits, such as {!r}: say what they are under split_names",
    "label": "too many different values for a label",
    "text": "no texts",
    "language": "no languages, such as {!r}",
}


def fitting(good: Sequence[Mapping[str, Any]], part: str, *, taken: Iterable[str] = ()) -> list[str]:
    """The candidates for a part that hold what it should, without the fields that are `taken`."""
    away = set(taken)
    named = [name for name in candidates(good, part) if name not in away]
    return [name for name in named if FITS[part](given(good, name), len(good))]


def label_of(good: Sequence[Mapping[str, Any]], look: Look, *, text: str) -> str | None:
    """The field that by its name and its values holds the label; which others could be it is noted."""
    rest = [name for name in candidates(good, "label") if name != text]
    named = [name for name in fitting(good, "label") if name in rest]
    exact = played([dict.fromkeys(named)], "label") or played([dict.fromkeys(rest)], "label")
    label = exact or next(iter(named), None)
    for name in rest:
        fits = name in named
        look.why[name] = f"could be the label as well as '{label}'" if fits else MISFITS["label"]
    return label


def answer_of(good: Sequence[Mapping[str, Any]], *, taken: Iterable[str]) -> str | None:
    """The field that by its name and its values holds what somebody answered, where it is known who did."""
    there = {naming.plain(name): name for name in fields(good) if name not in set(taken)}
    named = [there[name] for name in naming.NAMES["answer"] if name in there]
    return next((name for name in named if _are_labels(given(good, name), len(good))), None)


def take_gold(good: Sequence[Mapping[str, Any]], look: Look) -> None:
    """Note the field that by its name holds what is known to be right, where others are known to have answered."""
    away = {*look.columns.values(), *look.annotator_columns}
    gold = played([{name: None for name in fields(good) if name not in away}], "gold")
    if gold and "annotator" in look.columns:
        look.columns["gold"] = gold


def guessed_label(good: Sequence[Mapping[str, Any]], look: Look, *, text: str) -> str:
    """The field with fewest values, of those whose names say nothing else."""
    others = {name for part in FITS if part not in ("text", "label") for name in candidates(good, part)}
    others |= {name for name in fields(good) if naming.why(name)}
    free = {name for name in fields(good) if name != text} - others
    label = fewest(good, {text} | (others if free else set()))
    hold_labels(good, label)
    for name in free - {label}:
        if _are_labels(given(good, name), len(good)) and len({str(value) for value in given(good, name)}) > 1:
            look.why[name] = f"could be the label as well as '{label}'"
    look.notes.append(f"no column is called a label: '{label}' is taken, which has fewest values; that is a guess")
    return label


def hold_labels(good: Sequence[Mapping[str, Any]], name: str) -> None:
    """Raise AssayError where a field that is taken for the labels without being called so is none by its values."""
    if not _are_labels(given(good, name), len(good)) or isinstance(given(good, name)[0], dict | list):
        told = f"'{name}' has fewest different values, and they are too many for labels"
        raise AssayError(
            "the file", f"no column holds labels: {told}", "give a file with a label column, or say another --task"
        )


def spine(good: Sequence[Mapping[str, Any]], look: Look) -> None:
    """Note the fields that play the parts that every row has, but for those that play another already."""
    for part in ("annotator", "id", "split", "group", "language", "time", "date"):
        _take(part, good, look)
    alone = look.columns.get("group", "") if not {"annotator", "id"} & look.columns.keys() else ""
    if alone and _are_ids(given(good, alone), len(good)):
        look.columns["id"] = look.columns.pop("group")  # a document_id of which there is one for each row
    if "annotator" not in look.columns and "time" in look.columns and not _is_of_annotation(look.columns["time"]):
        # Where nobody is named who answered, a moment is the row's own.
        time = look.columns.pop("time")
        look.columns.setdefault("date", time)
    if "annotator" in look.columns and "time" not in look.columns and "date" in look.columns:
        look.columns["time"] = look.columns.pop("date")


def _is_of_annotation(name: str) -> bool:
    return any(word.startswith(("annot", "label")) for word in words(name)) or "标注" in name


def _take(part: str, good: Sequence[Mapping[str, Any]], look: Look) -> None:
    """Note the field that plays a part; of one that is called so and holds something else, why it does not."""
    away = {*look.columns.values(), *look.annotator_columns}
    named = [name for name in candidates(good, part) if name not in away]
    several = part == "id" and "annotator" in look.columns  # each annotator's line of a row has its id
    good_ones = [one for one in named if _are_of_rows(good, one, look)] if several else fitting(good, part, taken=away)
    if good_ones:
        look.columns[part] = good_ones[0]
        if part == "id" and len(good_ones) > 1:
            look.why |= {name: "could be the id as well" for name in good_ones[1:]}
    for name in named if not good_ones else ():
        values = given(good, name)
        if values and part in MISFITS:
            look.why.setdefault(name, MISFITS[part].format(str(values[0])[:40]))


def _are_of_rows(good: Sequence[Mapping[str, Any]], name: str, look: Look) -> bool:
    """Whether nearly all records with one id have one text as well, so that it can be that of a row."""
    text = look.columns.get("text") or look.columns.get("source") or name
    ids = {str(record.get(name)) for record in good}
    return len({(str(record.get(name)), str(record.get(text))) for record in good}) * READ_SHARE <= len(ids)


def accounted(good: Sequence[Mapping[str, Any]], look: Look, implied: Iterable[str]) -> list[str]:
    """What became of every field of the file, in words: `implied` are those that the task looks for by itself."""
    parts: dict[str, list[str]] = {}
    for part, name in look.columns.items():
        parts.setdefault(name, []).append(part)
    for name in look.annotator_columns:
        parts.setdefault(name, []).append("an annotator's answers")
    every = fields(good)
    known = set(implied)
    used = [f"'{name}' as {' and '.join(parts[name])}" for name in every if name in parts]
    left = [name for name in every if name not in parts and name not in known]
    told = [
        f"{name!r}" + (f" ({reason})" if (reason := look.why.get(name) or naming.why(name)) else "") for name in left
    ]
    return [f"{word}: {', '.join(several)}" for word, several in (("used", used), ("not used", told)) if several]


def longest(good: Sequence[Mapping[str, Any]]) -> str:
    """The text field with most characters."""
    lengths = Counter({name: sum(len(str(record.get(name) or "")) for record in good[:500]) for name in good[0]})
    return lengths.most_common(1)[0][0]


def fewest(good: Sequence[Mapping[str, Any]], taken: set[str]) -> str:
    """The field with fewest different values, but more than one."""
    different = {name: len({str(record.get(name)) for record in good}) for name in good[0] if name not in taken}
    several = {name: count for name, count in different.items() if count > 1} or different
    if not several:
        raise AssayError("the file", f"has only one column, '{next(iter(taken))}'", "a label column is needed")
    return min(several, key=lambda name: several[name])


def take_labels(counts: Counter[str], look: Look) -> None:
    """Note the labels, if they are few enough to list."""
    if len(counts) > MOST_LABELS:
        look.notes.append(f"{len(counts):,} labels: too many to list, so the guideline admits every label")
        return
    look.labels = sorted(counts)
    rare = [label for label, count in counts.items() if count < 5]
    look.notes.append(f"{len(counts)} labels" + (f", of which {len(rare)} occur fewer than 5 times" if rare else ""))
