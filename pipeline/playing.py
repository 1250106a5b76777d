"""Which field of a user's file plays which part: by what people call such fields, and by what it holds."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError
from pipeline.readers import ReadOptions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_LABELS = 300
# What people call the columns that play each part, most telling first; compared without case and underscores.
NAMES = {
    "id": ("id", "uid", "guid", "uuid", "rowid", "exampleid", "sentenceid", "编号"),
    "text": ("text", "sentence", "content", "review", "comment", "utterance", "question", "query", "body", "message",
             "document", "headline", "title", "tweet", "sentence1", "premise", "文本", "内容", "句子", "标题"),
    "text_pair": ("textpair", "text2", "sentence2", "hypothesis", "answer", "passage"),
    "label": ("label", "labels", "category", "class", "intent", "sentiment", "target", "tag", "topic", "y",
              "标签", "类别", "情感"),
    "annotator": ("annotator", "worker", "workerid", "annotatorid", "coder", "rater", "标注者", "标注员"),
    "split": ("split", "fold", "subset", "partition"),
    "group": ("group", "documentid", "docid", "conversationid", "dialogid", "threadid", "articleid", "document"),
    "language": ("language", "lang", "语言"),
    "time": ("time", "timestamp", "createdat", "date"),
    "spans": ("spans", "entities", "label", "labels", "annotations"),
    "rating": ("rating", "ratings", "score", "scores", "response", "stars", "similarity", "value", "grade", "points",
               "mean", "label", "评分", "打分", "分数"),
    "entities": ("entities", "spans", "mentions", "entitymentions"),
    "relations": ("relations", "relation", "triples", "relationmentions", "relationlist"),
    "translation": ("translation", "mt", "machinetranslation", "译文"),
    "question": ("question", "query", "questiontext", "问题"),
    "context": ("context", "passage", "paragraph", "contexttext", "story", "article", "document", "text", "上下文",
                "文章"),
    "answers": ("answers", "answer", "answerspans", "spans", "答案"),
    "source": ("source", "src", "sourcetext", "original", "dialogue", "article", "document", "question", "input",
               "text", "prompt", "content", "原文"),
    "target": ("target", "tgt", "targettext", "translation", "summary", "highlights", "headline", "abstract", "answer",
               "output", "response", "reference", "pe", "mt", "title", "译文", "摘要", "标题", "答案"),
    "references": ("references", "refs", "summaries", "targets"),
}  # fmt: skip


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
    notes: list[str] = field(default_factory=list)


def plain(name: str) -> str:
    """A name as it is compared."""
    return re.sub(r"[\s_-]+", "", name).lower()


def played(good: Sequence[Mapping[str, Any]], part: str) -> str | None:
    """The field that by its name plays a part."""
    there = {plain(name): name for name in good[0]}
    return next((there[name] for name in NAMES[part] if name in there), None)


def spine(good: Sequence[Mapping[str, Any]], look: Look) -> None:
    """Note the fields that play the parts that every row has, but for those that play another already."""
    for part in ("id", "annotator", "split", "group", "language", "time"):
        found = played(good, part)
        if found and found not in look.columns.values():
            look.columns[part] = found
    if "id" in look.columns and "annotator" not in look.columns:
        values = [record.get(look.columns["id"]) for record in good]
        if len(set(map(str, values))) < len(values):
            look.notes.append(f"'{look.columns['id']}' repeats, so it is not used as the id")
            del look.columns["id"]


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
