"""What the gates ask of one row: its text's faults, the rules it breaks, its labels, and what of it is learned."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.contract import contract
from pipeline.errors import AssayError
from pipeline.tagscheme import spans_from_tags, tags_from_spans
from pipeline.tasks import canonical
from pipeline.text import normalised

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.recipe import Recipe
    from pipeline.tasks import Row, Task

REPLACEMENT = "\ufffd"
# C0 but tab and line ends, DEL and C1, a byte-order mark inside the text, noncharacters, lone surrogates.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")
# UTF-8 read as Latin-1 or Windows-1252 (é, ’, emoji, byte-order mark), with a C1 control where three letters could be
# the French é », and the classics of UTF-8 read as GBK.
_MOJIBAKE = re.compile(
    "[ÃÂ][\u0080-\u00bf]|[\u00e2-\u00ef](?:[\u0080-\u009f][\u0080-\u00bf]|[\u0080-\u00bf][\u0080-\u009f])"
    "|â€[\u0080-\u00ff™œžŸšŠ“”˜–—…†‡•‚„ƒ‹›€]|ð[\u0080-\u009fŸ]|ï»¿|锟斤拷|烫烫烫|屯屯屯"
)
NO_LABEL = "(none)"


SIGNS = ("blank", "replacement", "control", "mojibake")
_PATTERNS = (("control", _CONTROL), ("mojibake", _MOJIBAKE), ("replacement", re.compile(REPLACEMENT)))
_IN_ASCII = frozenset({"control"})
_HASH, _TEXTS = pa.binary(16), pa.list_(pa.string())
FACTS = pa.schema(
    [
        *(pa.field(name, _HASH) for name in ("text", "key", "answer")),
        *(pa.field(name, _TEXTS) for name in ("strata", "kin")),
        pa.field("mentions", pa.list_(pa.struct([("kind", pa.string()), ("surface", pa.string())]))),
        *(pa.field(name, pa.bool_()) for name in SIGNS),
        *(pa.field(name, pa.string()) for name in ("rules", "unknown_labels", "tag_fault")),
        pa.field("seen", pa.list_(pa.struct([("column", pa.string()), ("said", pa.string())]))),
    ]
)
"""The narrow values of a row that depend on its own columns alone.

`text` is a hash of what annotators read, `key` of its normal form, `answer` of the settled answer; the surfaces of
`mentions` are normalised; `unknown_labels` is null where the guideline names no labels; `seen` is what offends.
"""


@dataclass(frozen=True)
class Reader:
    """Reads the facts off rows, for one task under one guideline."""

    task: Task
    own: tuple[str, ...]
    """The columns that only this task's rows have."""
    labels: frozenset[str]

    @classmethod
    def of(cls, recipe: Recipe, task: Task) -> Reader:
        """The reader for a recipe: the columns of its task, the labels of its guideline."""
        return cls(task, contract(task.name).own, frozenset(recipe.settings.guideline.names))

    def read(self, row: Row) -> dict[str, Any]:
        """The facts of a row, by the names of `FACTS`."""
        shown, strata = self.task.shown(row), self.task.strata(row)
        whole = "\n".join(_strings([row[name] for name in self.own]))
        problems, signs = list(self.task.problems(row)), _signs(whole)
        unknown = sorted(set(strata) - self.labels - {NO_LABEL}) if self.labels else []
        fault = tag_fault(row)
        seen = [("rules", f"{problem.rule}: {problem.evidence}") for problem in problems[:1]] + list(signs.items())
        seen += [(name, one) for name, one in (("tag_fault", fault), ("unknown_labels", ", ".join(unknown))) if one]
        return {
            "text": _hash(shown),
            "key": _hash(normalised(shown) or shown),
            "answer": _hash(canonical(self.task.answer(row))),
            "strata": strata,
            "kin": self.task.kin(row),
            "mentions": [(kind, normalised(surface) or surface) for kind, surface in self.task.mentions(row)],
            "blank": not shown.strip(),
            **{name: name in signs for name in SIGNS[1:]},
            "rules": "|".join(sorted({problem.rule for problem in problems})),
            "unknown_labels": "|".join(unknown) if self.labels else None,
            "tag_fault": fault,
            "seen": seen,
        }


def read(reader: Reader, batch: pa.RecordBatch) -> pa.RecordBatch:
    """The facts of every row of a batch."""
    lines = [reader.read(row) for row in batch.to_pylist()]
    columns = [pa.array([line[field.name] for line in lines], field.type) for field in FACTS]
    return pa.RecordBatch.from_arrays(columns, schema=FACTS)


def _hash(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()


def _strings(value: Any) -> Iterator[str]:
    """Every text inside a value of lists and structs."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for member in value.values() for text in _strings(member))
    elif isinstance(value, list):
        yield from (text for member in value for text in _strings(member))


def _signs(text: str) -> dict[str, str]:
    """The signs of a broken encoding that a text shows: the first of each, with what stands around it."""
    found = {name: pattern.search(text) for name, pattern in _PATTERNS if name in _IN_ASCII or not text.isascii()}
    return {name: _around(text, *match.span()) for name, match in found.items() if match}


def _around(text: str, start: int, end: int) -> str:
    return f"{text[max(0, start - 15) : end + 15]!a} at code point {start}"


def tag_fault(row: Row) -> str:
    """Why the spans of a row that was born as tokens do not survive being written as tags; empty where they do.

    Rows without tokens (and tasks without spans) have no tags to be wrong.
    """
    tokens = row.get("tokens")
    if tokens is None or row.get("spans") is None:
        return ""
    edges = [(token["start"], token["end"]) for token in tokens]
    if any(start < 0 or end < start for start, end in edges) or any(
        left[1] > right[0] for left, right in pairwise(edges)
    ):
        return "tokens overlap or run backwards"
    return _round_trip(row["spans"], edges)


def _round_trip(spans: Sequence[Row], edges: Sequence[tuple[int, int]]) -> str:
    starts = {start: at for at, (start, end) in reversed(list(enumerate(edges))) if end > start}
    ends = {end: at + 1 for at, (start, end) in enumerate(edges) if end > start}
    wanted = []
    for span in spans:
        if span["start"] not in starts or span["end"] not in ends:
            return f"[{span['start']}, {span['end']}) {span['label']} begins or ends inside a token"
        wanted.append((starts[span["start"]], ends[span["end"]], span["label"]))
    try:
        found, repaired = spans_from_tags(tags_from_spans(wanted, len(edges), "iob2"), "iob2")
    except AssayError as error:
        return str(error)
    if repaired:
        return repaired[0]
    return "" if sorted(found) == sorted(wanted) else "the tags read back as other spans"
