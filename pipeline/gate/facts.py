"""What the gates ask of one row: its text's faults, the rules it breaks, its labels, and what of it is learned."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pipeline.contract import contract
from pipeline.errors import AssayError
from pipeline.tagscheme import spans_from_tags, tags_from_spans
from pipeline.tasks import canonical

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


@dataclass(frozen=True)
class Facts:
    """The narrow values of one row; None stands for what could not be measured."""

    id: str
    split: str
    source_name: str
    language: str
    language_expected: bool | None
    group: str
    also_in: tuple[str, ...]
    kin: tuple[str, ...]
    mentions: tuple[tuple[str, str], ...]
    """(kind, surface) of what is marked."""
    parents: tuple[str, ...]
    weight: float
    made: bool
    shown: str
    answer: str
    strata: tuple[str, ...]
    chars: int
    blank: bool
    replacement: bool
    control: bool
    mojibake: bool
    rules: str
    unknown_labels: str | None
    tag_fault: str
    evidence: tuple[tuple[str, str], ...]
    """(column, what was seen) for what offends."""


@dataclass(frozen=True)
class Reader:
    """Reads the facts off rows, for one recipe and task."""

    task: Task
    own: tuple[str, ...]
    """The columns that only this task's rows have."""
    languages: frozenset[str]
    labels: frozenset[str]

    @classmethod
    def of(cls, recipe: Recipe, task: Task) -> Reader:
        """The reader for a recipe: expected languages, labels of the guideline."""
        spine = {"id", "source", "also_at", "group", "also_in", "parents", "language", "split"}
        spine |= {"weight", "confidence", "made_by"}
        return cls(
            task=task,
            own=tuple(name for name in contract(task.name).schema.names if name not in spine),
            languages=frozenset(recipe.settings.ingest.languages),
            labels=frozenset(recipe.settings.guideline.names),
        )

    def read(self, row: Row, split: str) -> Facts:
        """The facts of a row that lies in `split`."""
        shown, strata = self.task.shown(row), tuple(self.task.strata(row))
        whole = "\n".join(_strings([row[name] for name in self.own]))
        problems = list(self.task.problems(row))
        fault = tag_fault(row)
        unknown = sorted(set(strata) - self.labels - {NO_LABEL})
        return Facts(
            id=row["id"],
            split=split,
            source_name=row["id"].partition("/")[0],
            language=row["language"],
            language_expected=self._expected(row["language"]),
            group=row["group"],
            also_in=tuple(row["also_in"]),
            kin=tuple(self.task.kin(row)),
            mentions=tuple(self.task.mentions(row)),
            parents=tuple(row["parents"]),
            weight=row["weight"],
            made=row["made_by"] is not None or bool(row["parents"]),
            shown=shown,
            answer=canonical(self.task.answer(row)),
            strata=strata,
            chars=len(shown),
            blank=not shown.strip(),
            replacement=REPLACEMENT in whole,
            control=bool(_CONTROL.search(whole)),
            mojibake=bool(_MOJIBAKE.search(whole)),
            rules="|".join(sorted({problem.rule for problem in problems})),
            unknown_labels="|".join(unknown) if self.labels else None,
            tag_fault=fault,
            evidence=(
                *(("rules", f"{problem.rule}: {problem.evidence}") for problem in problems[:1]),
                *_signs(whole),
                *([("tag_fault", fault)] if fault else []),
                *([("unknown_labels", ", ".join(unknown))] if unknown and self.labels else []),
                ("language_expected", row["language"]),
            ),
        )

    def _expected(self, language: str) -> bool | None:
        """Undetermined is no other language: too short to say."""
        return language == "und" or language in self.languages if self.languages else None


def _strings(value: Any) -> Iterator[str]:
    """Every text inside a value of lists and structs."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for member in value.values() for text in _strings(member))
    elif isinstance(value, list):
        yield from (text for member in value for text in _strings(member))


def _signs(text: str) -> Iterator[tuple[str, str]]:
    for column, pattern in (("control", _CONTROL), ("mojibake", _MOJIBAKE), ("replacement", re.compile(REPLACEMENT))):
        if found := pattern.search(text):
            around = text[max(0, found.start() - 15) : found.end() + 15]
            yield column, f"{around!a} at code point {found.start()}"


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
