"""Extracts: answers that stand in a context, in the spellings of files, and how near two of them are."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pipeline.errors import Unfit
from pipeline.tasks import Scores, delivered
from pipeline.text import UNSPACED, nfc, nfc_offsets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.tasks import Answer, Row

NONE = "(none)"
"""What is voted for where the context does not answer the question."""
MARKS = frozenset("$+<=>^`|~")
"""The symbols that the evaluation of SQuAD takes for punctuation."""
STARTS = ("answer_start", *delivered.STARTS)
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")
_PIECE = re.compile(f"[{UNSPACED}]|[^\\s{UNSPACED}]+")


# -- as files spell them


@dataclass(frozen=True)
class Source:
    """A context as the record spells it, in which offsets were counted, and as it is stored."""

    raw: str
    stored: str

    @classmethod
    def of(cls, fields: Mapping[str, Any], row: Row) -> Source:
        """The context of a record and its row."""
        return cls(delivered.raw_text(fields, row["context"]), row["context"])

    def extract(self, start: Any, end: Any, surface: Any) -> list[Any]:
        """[start, end, text] in the stored context, without white space at its edges.

        Raises:
            Unfit: `wrong_type` or `answer_not_there`.
        """
        if not all(isinstance(edge, int) and not isinstance(edge, bool) for edge in (start, end)):
            raise Unfit("wrong_type", f"offsets are whole numbers, not {start!r:.40} and {end!r:.40}")
        there = self.raw[start:end] if 0 <= start < end <= len(self.raw) else ""
        if not there.strip() or (isinstance(surface, str) and nfc(surface).strip() != nfc(there).strip()):
            raise Unfit("answer_not_there", self._seen(start, end, there, surface))
        moved = nfc_offsets(self.raw)
        first, last = (start, end) if moved is None else (moved(start), moved(end))
        return self._trimmed(first, last)

    def _trimmed(self, start: int, end: int) -> list[Any]:
        text = self.stored[start:end]
        start += len(text) - len(text.lstrip())
        return [start, start + len(text.strip()), text.strip()]

    def _seen(self, start: int, end: int, there: str, surface: Any) -> str:
        if not isinstance(surface, str):
            return f"[{start}, {end}) in a context of {len(self.raw)} characters"
        places = list(_places(surface.strip(), self.raw))
        hint = delivered.utf16_hint(self.raw, start, end, surface)
        if not hint and len(places) == 1:
            hint = f"; it stands at [{places[0]}, {places[0] + len(surface.strip())})"
        return f"[{start}, {end}) is {there!r:.60}, not {surface!r:.60}{hint}"

    def found(self, words: str) -> list[Any]:
        """[start, end, text] of words that stand in the context once.

        Raises:
            Unfit: `answer_not_there` or `answer_ambiguous`.
        """
        wanted = nfc(words).strip()
        places = list(_places(wanted, self.stored))
        if not places:
            raise Unfit("answer_not_there", f"{wanted!r:.80} does not stand in the context")
        if len(places) > 1:
            raise Unfit("answer_ambiguous", f"{wanted!r:.60} stands in the context {len(places)} times; give offsets")
        return [places[0], places[0] + len(wanted), wanted]


def _places(words: str, text: str) -> Iterator[int]:
    at = text.find(words) if words else -1
    while at >= 0:
        yield at
        at = text.find(words, at + 1)


def read(given: Any, source: Source) -> list[list[Any]]:
    """The extracts that were given, the commonest first, each once: several are as right as one another.

    Read are {"text": [...], "answer_start": [...]} and its like with single values; {"start", "end"}; [start, end];
    [start, end, text]; lists of these; the JSON text of any; and bare words that stand in the context once. An empty
    list, text or object says that the context does not answer the question.

    Raises:
        Unfit: `wrong_type`, `answer_not_there` or `answer_ambiguous`.
    """
    found = [tuple(one) for one in _each(given, source)]
    often = Counter(found)
    return [list(one) for one in sorted(often, key=lambda one: (-often[one], found.index(one)))]


def _each(given: Any, source: Source) -> Iterator[list[Any]]:
    if isinstance(given, str):
        yield from _from_text(given, source)
    elif isinstance(given, dict):
        yield from _from_object(given, source)
    elif not isinstance(given, list | tuple):
        raise Unfit("wrong_type", f"an answer is words of the context or their offsets, not {given!r:.80}")
    elif len(given) in (2, 3) and all(isinstance(edge, int) for edge in given[:2]):
        yield source.extract(given[0], given[1], given[2] if len(given) == 3 else None)
    else:
        for one in given:
            yield from _each(one, source)


def _from_text(given: str, source: Source) -> Iterator[list[Any]]:
    if not given.strip():
        return
    if given.strip()[0] in "[{" and nfc(given).strip() not in source.stored:
        try:
            parsed = json.loads(given)
        except ValueError as error:
            raise Unfit("answer_not_there", f"{given!r:.80} does not stand in the context") from error
        yield from _each(parsed, source)
    else:
        yield source.found(given)


def _from_object(given: Mapping[str, Any], source: Source) -> Iterator[list[Any]]:
    texts = next((given[name] for name in delivered.SURFACES if given.get(name) is not None), None)
    start, end = (
        next((given[n] for n in names if given.get(n) is not None), None) for names in (STARTS, delivered.ENDS)
    )
    if isinstance(texts, list | tuple):
        starts = [None] * len(texts) if start is None else start
        if not isinstance(starts, list | tuple) or len(starts) != len(texts):
            raise Unfit("wrong_type", f"{len(texts)} texts, but their starts are {starts!r:.60}")
        for text, begin in zip(texts, starts, strict=True):
            yield from _one(text, begin, None, source)
    else:
        yield from _one(texts, start, end, source)


def _one(text: Any, start: Any, end: Any, source: Source) -> Iterator[list[Any]]:
    if text is not None and not isinstance(text, str):
        raise Unfit("wrong_type", f"the text of an answer is no text but {text!r:.80}")
    if start is None and text is not None:
        yield from _from_text(text, source)
    elif end is not None:
        yield source.extract(start, end, text)
    elif text and start is not None:
        # Where the file's offset is right but for the form of its letters, the text as it came has the right length.
        yield source.extract(start, start + len(text) if isinstance(start, int) else None, text)


# -- how near


@lru_cache(maxsize=8192)
def tokens(text: str) -> tuple[str, ...]:
    """What of an answer counts: words of spaced scripts without punctuation and articles, single characters of others.

    As in the evaluation of SQuAD (Rajpurkar et al. 2016, doi 10.18653/v1/D16-1264), in the normal form NFKC.

    >>> tokens("the U.S. Army"), tokens("《北京》")
    (('us', 'army'), ('北', '京'))
    """
    lower = unicodedata.normalize("NFKC", text).lower()
    bare = "".join(character for character in lower if not _is_mark(character))
    return tuple(_PIECE.findall(_ARTICLE.sub(" ", bare)))


def _is_mark(character: str) -> bool:
    return character in MARKS or unicodedata.category(character)[0] == "P"


def key(answer: Answer) -> str:
    """What answers that say the same have in common: the tokens of the first extract."""
    if not answer:
        return NONE
    return " ".join(tokens(answer[0][2])) or str(answer[0][2])


def f1(one: str, other: str) -> float:
    """F1 of the tokens that two texts share, 0 to 1."""
    left, right = tokens(one), tokens(other)
    if not left or not right:
        return float(left == right)
    same = (Counter(left) & Counter(right)).total()
    return 2 * same / (len(left) + len(right))


def likeness(one: Answer, other: Answer) -> float:
    """The best F1 of an extract of one answer with one of the other; 1 if neither has any, 0 if only one has."""
    if not one or not other:
        return float(bool(one) == bool(other))
    return max(f1(mine[2], theirs[2]) for mine in one for theirs in other)


def exact(gold: Answer, found: Answer) -> float:
    """Whether what was found has the tokens of one of the right extracts: 1 or 0."""
    if not gold or not found:
        return float(bool(gold) == bool(found))
    return float(any(tokens(mine[2]) == tokens(found[0][2]) for mine in gold))


def scores(gold: Sequence[Answer], found: Sequence[Answer], kinds: Sequence[str]) -> Scores:
    """Mean F1 (headline) and exact match, as SQuAD has them; per kind of question the same.

    `answered` is the share of answers that are right about whether the context answers the question at all.
    """
    values = [(likeness(true, said[:1]), exact(true, said)) for true, said in zip(gold, found, strict=True)]
    places: dict[str, list[int]] = {}
    for at, kind in enumerate(kinds):
        places.setdefault(kind, []).append(at)
    per_class = {
        kind: _mean([values[at] for at in places[kind]]) | {"gold": len(places[kind])} for kind in sorted(places)
    }
    metrics = _mean(values)
    metrics["answered"] = sum(bool(g) == bool(f) for g, f in zip(gold, found, strict=True)) / max(len(values), 1)
    return Scores(headline="f1", metrics=metrics, per_class=per_class)


def _mean(values: Sequence[tuple[float, float]]) -> dict[str, float]:
    count = max(len(values), 1)
    return {"f1": sum(f for f, _ in values) / count, "exact_match": sum(e for _, e in values) / count}
