"""Tagging: named entities, or other spans that do not overlap, of a text or of a sentence of tokens.

An example: {"text": "Anna lives in Rome.", "tokens": None,
             "spans": [{"start": 0, "end": 4, "label": "PER", "text": "Anna"},
                       {"start": 14, "end": 18, "label": "LOC", "text": "Rome"}]}
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import Unfit
from pipeline.tagscheme import spans_from_tags
from pipeline.tasks import (
    Answer,
    Doubt,
    Encoded,
    Mark,
    Problem,
    Row,
    Scores,
    Settled,
    Vote,
    canonical,
    cells,
    delivered,
    entities,
    naming,
    spans,
)
from pipeline.tasks.align import Partly
from pipeline.tasks.subwords import NOT_LEARNED, Subwords
from pipeline.text import nfc, nfc_offsets, normalised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.settings import Guideline
    from pipeline.tasks import Measure

BESIDE = 1
"""Cells on either side of what is marked that are voted on as well."""


def make(guideline: Guideline) -> Tagging:
    """The task under a guideline."""
    return Tagging(guideline)


@dataclass(frozen=True)
class Tagging:
    """See `pipeline.tasks.Task`; an answer is a sorted list of [start, end, label], offsets into the row's text."""

    guideline: Guideline
    name: str = "tagging"
    head: str = "token"
    free_text: bool = False

    # -- ingest
    def shape(self, fields: Mapping[str, Any], columns: Mapping[str, str]) -> Row:
        """The text; or that of the tokens, with where each of them stands, an empty one as an empty stretch."""
        text, tokens = delivered.text_in(fields, columns), delivered.tokens_in(fields, columns)
        edges = None if tokens is None else spans.laid(tokens)[1] if text is None else spans.found(tokens, nfc(text))
        if text is None:
            text = spans.laid(tokens or [])[0]
        return {"text": nfc(text), "spans": [], "tokens": None if edges is None else _edges(edges)}

    def raw_answer(self, fields: Mapping[str, Any], columns: Mapping[str, str]) -> Any:
        """The field mapped as spans, labels, label or tags, or the first such field; of CoNLL the first tag column."""
        parts = ("spans", "labels", "label", "tags")
        named = next((columns[part] for part in parts if part in columns), None)
        tags = fields.get("tags")
        if named is not None and named not in fields and isinstance(tags, dict):
            return tags.get(named)
        default = (fields[name] for name in ("spans", "entities", *parts[1:]) if fields.get(name) is not None)
        found = fields.get(named) if named is not None else next(default, None)
        return next(iter(found.values()), None) if isinstance(found, dict) else found

    def read_answer(self, given: Any, fields: Mapping[str, Any], row: Row) -> Answer:
        """Spans as lists, as objects, or as one tag per token; or the JSON text of any of these.

        Raises:
            Unfit: `wrong_type`, `unknown_label`, `broken_tags`, or a rule that a span breaks.
            Partly: some of the tagged tokens stand nowhere in the text; the spans of all others are its answer.
        """
        given = delivered.parsed(given)
        lacking: dict[str, str] = {}
        if given and all(isinstance(part, str) for part in given):
            found, lacking = self._from_tags(given, fields, row)
        else:
            found = [self._span(part, delivered.raw_text(fields, row["text"])) for part in given]
        answer = sorted([start, end, label] for start, end, label in set(found))
        for problem in _span_problems(self.with_answer(row, answer)):
            raise Unfit(problem.rule, problem.evidence)
        for reason, evidence in lacking.items():
            raise Partly(reason, evidence, answer)
        return answer

    def _from_tags(
        self, given: list[str], fields: Mapping[str, Any], row: Row
    ) -> tuple[list[tuple[int, int, str]], dict[str, str]]:
        """The spans, and by reason and in words what was not read as it stands."""
        edges, lacking = delivered.tagged(fields, row, _words(row))
        if len(given) != len(edges):
            raise Unfit("wrong_type", f"{len(given)} tags for {len(edges)} tokens")
        found, broken = spans_from_tags(given, delivered.scheme(given, fields))
        # Where tokens are missing or altered, their tags may be: the rest of them is still worth reading.
        if broken and lacking is None:
            raise Unfit("broken_tags", "; ".join(broken))
        # The edges of a span are those of its tokens that have characters; a span of empty tokens only is none.
        stood = [[edge for edge in edges[first:last] if edge[0] < edge[1]] for first, last, _ in found]
        spanned = [
            (inside[0][0], inside[-1][1], self._label(label))
            for inside, (_, _, label) in zip(stood, found, strict=True)
            if inside
        ]
        remarks = {"span_surface": lacking or "", "broken_tags": "; ".join(broken)}
        return spanned, {reason: seen for reason, seen in remarks.items() if seen}

    def _span(self, given: Any, raw: str) -> tuple[int, int, str]:
        start, end, label, surface = delivered.parts(given)
        if not all(isinstance(edge, int) and not isinstance(edge, bool) for edge in (start, end)):
            raise Unfit("wrong_type", f"offsets are whole numbers, not {start!r:.40} and {end!r:.40}")
        if not 0 <= start < end <= len(raw):
            hint = delivered.utf16_hint(raw, start, end, surface)
            raise Unfit("span_out_of_text", f"[{start}, {end}) in a text of {len(raw)} characters{hint}")
        if isinstance(surface, str) and nfc(surface) != nfc(raw[start:end]):
            hint = delivered.utf16_hint(raw, start, end, surface)
            raise Unfit("span_surface", f"[{start}, {end}) is {raw[start:end]!r:.60}, not {surface!r:.60}{hint}")
        moved = nfc_offsets(raw)
        named = self._label(label)
        return (start, end, named) if moved is None else (moved(start), moved(end), named)

    def _label(self, given: Any) -> str:
        return naming.label(given, self.guideline, self._spellings)

    @cached_property
    def _spellings(self) -> dict[str, str]:
        return naming.spellings(self.guideline)

    # -- what was read, what was answered
    def shown(self, row: Row) -> str:
        """The text."""
        return str(row["text"])

    def asked(self, row: Row) -> str:
        """What was read."""
        return self.shown(row)

    def answer(self, row: Row) -> Answer:
        """The spans without their surfaces."""
        return _answer(row)

    def meaning(self, row: Row) -> str:
        """Label and surface of every span and how far into the text it stands, all in the normal form of duplicates."""
        text = row["text"]
        return canonical(
            [
                [len(normalised(text[:start])), normalised(text[start:end]), label]
                for start, end, label in self.answer(row)
            ]
        )

    def marks(self, row: Row) -> list[Mark] | None:
        """The spans."""
        return [Mark(one["label"], one["text"], (one["start"], one["end"])) for one in row["spans"]]

    def spoken(self, meaning: str) -> list[tuple[str, str]] | None:
        """The surface and label of every span."""
        return [(surface, label) for _, surface, label in json.loads(meaning)]

    def with_answer(self, row: Row, answer: Answer) -> Row:
        """The row with other spans; surfaces are read off the text."""
        return {**row, "spans": _spans(row["text"], answer)}

    # -- audit
    def ballots(self, row: Row, answers: Sequence[Answer]) -> dict[str, list[str | None]]:
        """A B-X, I-X or O from everybody for every cell of the text that anybody put into a span: see `cells`.

        Cells that all leave outside are not voted on. For agreement this means that what is measured is how far
        annotators agree on what *is* marked; the many words that nobody would mark would only push alpha up.
        """
        if not any(answers):
            return {}
        return {unit: list(votes) for unit, votes in cells.ballots(_words(row), answers, beside=BESIDE).items()}

    @property
    def measure(self) -> Measure:
        """Marked spans."""
        return "spans"

    def values(self, labels: Sequence[str]) -> list[float]:
        """None: tags have no order."""
        return []

    def distance(self, one: Answer, other: Answer) -> float:
        """1 - F1 of the spans that are the same in edges and label; two answers without spans are the same."""
        same = {tuple(span) for span in one} & {tuple(span) for span in other}
        return 1 - 2 * len(same) / (len(one) + len(other)) if one or other else 0.0

    def elect(self, row: Row, answers: Sequence[Answer], votes: Mapping[str, Vote]) -> Settled:
        """The most probable spans, and the probability that all of them are right and none is missing."""
        return cells.elected(answers, votes)

    def problems(self, row: Row) -> Iterator[Problem]:
        """Spans lie inside the text, have no white edges, carry their surface, and do not overlap."""
        yield from _span_problems(row)

    def tagged(self, row: Row) -> list[tuple[int, int, str]]:
        """The words of the text with their tags; a word in which a span begins or ends is outside."""
        words = _words(row)
        told = spans.tags(words, self.answer(row))
        return [(start, end, tag or "O") for (start, end), tag in zip(words, told, strict=True) if start < end]

    def doubts(self, row: Row) -> Iterator[Doubt]:
        """None: what speaks against a span stands in other rows."""
        return iter(())

    # -- split and augment
    def strata(self, row: Row) -> list[str]:
        """The entity types."""
        return sorted({span["label"] for span in row["spans"]}) or ["(none)"]

    def kin(self, row: Row) -> list[str]:
        """None: a text is compared as a whole."""
        return []

    def free_pieces(self, row: Row) -> list[str]:
        """The whole words between the spans, without the white space beside these."""
        return [row["text"][start:end] for start, end in self._free(row)]

    def with_pieces(self, row: Row, pieces: Sequence[str]) -> Row:
        """The row in other words; raises Unfit `tokens_changed` where a sentence of tokens would get more or fewer."""
        return _rebuilt(row, self._free(row), pieces, keep_count=True)

    def _free(self, row: Row) -> list[spans.Edges]:
        text, words = row["text"], _words(row)
        edges = [0, *(edge for start, end, _ in self.answer(row) for edge in (start, end)), len(text)]
        places = []
        for left, right in zip(edges[::2], edges[1::2], strict=True):
            inside = [word for word in words if left <= word[0] and word[1] <= right and word[0] < word[1]]
            if inside:
                places.append((inside[0][0], inside[-1][1]))
        return places

    def mentions(self, row: Row) -> list[tuple[str, str]]:
        """The label and surface of every span."""
        return [(label, row["text"][start:end]) for start, end, label in self.answer(row)]

    def with_mentions(self, row: Row, surfaces: Sequence[str]) -> Row:
        """The row with other surfaces under the same labels; tokens are cut as those of the row are."""
        places = [(start, end) for start, end, _ in self.answer(row)]
        return _rebuilt(row, places, surfaces, keep_count=False)

    # -- finetune and evaluate
    def classes(self, seen: Sequence[str]) -> list[str]:
        """O, then B and I of every label of the guideline, or of those seen in training."""
        labels = self.guideline.names or sorted(set(seen) - {"(none)"})
        return ["O", *(f"{letter}-{label}" for label in labels for letter in "BI")]

    def encode(self, row: Row, tokenizer: Any, *, classes: Sequence[str], max_tokens: int) -> Encoded:
        """The tokens of the text; the first of every word learns the word's tag.

        Not learned: special tokens, the rest of a word, words that the limit cuts, and words in which a span begins or
        ends, for which no tag would be true.
        """
        read = Subwords(row["text"], _words(row), tokenizer, max_tokens)
        index = {name: at for at, name in enumerate(classes)}
        told = spans.tags(read.words, self.answer(row))
        targets = [NOT_LEARNED] * len(read.inputs["input_ids"])
        for token, word in read.heads.items():
            targets[token] = index.get(told[word] or "", NOT_LEARNED)
        learned = sum(target != NOT_LEARNED for target in targets)
        return Encoded(inputs=read.inputs, targets=targets, cut=read.cut, learned=learned)

    def prompt(self, row: Row, tokenizer: Any, *, max_tokens: int) -> list[int]:
        """Nothing: this head does not generate."""
        return []

    def decode(
        self, output: Any, row: Row, tokenizer: Any, *, classes: Sequence[str], max_tokens: int
    ) -> tuple[Answer, float]:
        """The most probable legal tags of the first tokens of words, as spans; words that were cut off are outside.

        The probability is that of the least sure word.
        """
        read = Subwords(row["text"], _words(row), tokenizer, max_tokens)
        tokens = list(read.heads)
        path = spans.legal_path(output[tokens], classes)
        told = read.spread([classes[at] for at in path])
        sure = min((float(output[token][at]) for token, at in zip(tokens, path, strict=True)), default=1.0)
        kept = [at for at, (start, end) in enumerate(read.words) if start < end]
        return spans.answer([read.words[at] for at in kept], [told[at] for at in kept]), sure

    def by_word(self, output: Any, row: Row, tokenizer: Any, *, max_tokens: int) -> NDArray[np.float32]:
        """The probabilities of the first token of every word that has characters."""
        read = Subwords(row["text"], _words(row), tokenizer, max_tokens)
        made = np.full((len(read.words), output.shape[1]), np.nan, dtype=np.float32)
        for token, word in read.heads.items():
            made[word] = output[token]
        return made[[start < end for start, end in read.words]]

    def score(self, gold: Sequence[Answer], found: Sequence[Answer], rows: Sequence[Row]) -> Scores:
        """Strict entity F1 (headline: same edges, same label), and the word by word figures that papers also show.

        Per label: `precision`, `recall`, `f1` of whole entities and `word_precision`, `word_recall`, `word_f1` of the
        words in them. The confusion is that of words, O included.
        """
        return entities.scores(gold, found, [_words(row) for row in rows])


def _words(row: Row) -> list[spans.Edges]:
    """The tokens of a row that was born as tokens, else the words of its text."""
    if row["tokens"] is not None:
        return [(token["start"], token["end"]) for token in row["tokens"]]
    return spans.words(row["text"])


def _edges(edges: Sequence[spans.Edges]) -> list[dict[str, int]]:
    return [{"start": start, "end": end} for start, end in edges]


def _rebuilt(row: Row, places: Sequence[spans.Edges], fresh: Sequence[str], *, keep_count: bool) -> Row:
    """The row with other characters at some places; spans and tokens move along, labels stay."""
    change = spans.Change(row["text"], tuple(places), tuple(nfc(piece) for piece in fresh))
    tokens = row["tokens"]
    if tokens is not None:
        tokens = _edges(change.tokens(_words(row), keep_count=keep_count))
    answer = [[change.moved(start), change.moved(end), label] for start, end, label in _answer(row)]
    return {**row, "text": change.text, "tokens": tokens, "spans": _spans(change.text, answer)}


def _answer(row: Row) -> list[list[Any]]:
    return sorted([span["start"], span["end"], span["label"]] for span in row["spans"])


def _spans(text: str, answer: Answer) -> list[dict[str, Any]]:
    return [
        {"start": start, "end": end, "label": label, "text": text[max(start, 0) : max(end, 0)]}
        for start, end, label in sorted(answer)
    ]


def _span_problems(row: Row) -> Iterator[Problem]:
    text = row["text"]
    for span in row["spans"]:
        start, end, surface = span["start"], span["end"], span["text"]
        if not 0 <= start < end <= len(text):
            yield Problem("span_out_of_text", f"[{start}, {end}) in a text of {len(text)} characters")
        elif surface != text[start:end]:
            yield Problem("span_surface", f"[{start}, {end}) is {text[start:end]!r:.60}, not {surface!r:.60}")
        elif surface != surface.strip():
            yield Problem("span_edges", f"[{start}, {end}) {surface!r:.60}")
    ordered = sorted(row["spans"], key=lambda span: (span["start"], span["end"]))
    for one, other in pairwise(ordered):
        if other["start"] < one["end"]:
            yield Problem("spans_overlap", f"{_named(one)} and {_named(other)}")


def _named(span: Mapping[str, Any]) -> str:
    return f"[{span['start']}, {span['end']}) {span['label']} {span['text']!r:.40}"
