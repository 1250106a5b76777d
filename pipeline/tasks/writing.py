"""Writing: text to text, a translation, a summary, an answer in free words: a source text, perhaps a context, a target.

An example: {"text": "Good morning.", "context": None, "target": "早上好。", "references": ["早安。"]}
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import Unfit
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
    exchanges,
    kin_key,
    pairs,
    parallels,
    refusals,
    replies,
    wording,
)
from pipeline.tasks.chosen import chosen
from pipeline.text import is_unspaced, nfc, normalised

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.settings import Guideline
    from pipeline.tasks import Measure

PLACES = ("target", "answer", "label")
"""Where the target stands in a record if the recipe does not say."""
INSTRUCTIONS = {
    "translation": ("Translate:", "翻译："),
    "summary": ("Summarise:", "概括："),
    "answer": ("Answer:", "回答："),
    "other": ("", ""),
}
"""What the model is told, in English or for a Chinese source, if the guideline gives no instruction."""
LENGTHS = (50, 200, 1000)


def make(guideline: Guideline) -> Writing:
    """The task under a guideline."""
    return Writing(guideline)


@dataclass(frozen=True)
class Writing:
    """See `pipeline.tasks.Task`; an answer is the target. What it is to the source text is the guideline's `kind`."""

    guideline: Guideline
    name: str = "writing"
    head: str = "causal"
    free_text: bool = True

    # -- ingest
    def shape(self, fields: Mapping[str, Any], columns: Mapping[str, str]) -> Row:
        """The source text; a context where the recipe maps one or the record has it; other targets that are right."""
        context = columns.get("context", "context")
        wanted = "context" in columns or fields.get(context) is not None
        return {
            "text": pairs.text_in(fields, _source(fields, columns)),
            "context": pairs.text_in(fields, context) if wanted else None,
            "target": "",
            "references": _texts(fields.get(columns.get("references", "references"))),
        }

    def raw_answer(self, fields: Mapping[str, Any], columns: Mapping[str, str]) -> Any:
        """The field mapped as target, answer or label; by default the first of `PLACES` that is there."""
        wanted = [columns[part] for part in PLACES if part in columns] or PLACES
        return next((fields[name] for name in wanted if fields.get(name) is not None), None)

    def read_answer(self, given: Any, fields: Mapping[str, Any], row: Row) -> Answer:
        """A target: text.

        Raises:
            Unfit: `wrong_type`.
        """
        if not isinstance(given, str):
            raise Unfit("wrong_type", f"a target is text, not {given!r:.80}")
        return nfc(given)

    # -- what was read, what was answered
    def shown(self, row: Row) -> str:
        """The source, and the context after it."""
        return str(row["text"]) if row["context"] is None else f"{row['text']}\n{row['context']}"

    def asked(self, row: Row) -> str:
        """What was read."""
        return self.shown(row)

    def answer(self, row: Row) -> Answer:
        """The target."""
        return str(row["target"])

    def meaning(self, row: Row) -> str:
        """The target in the normal form of duplicates."""
        return normalised(row["target"]) or str(row["target"])

    def marks(self, row: Row) -> list[Mark] | None:
        """None: the target is a text of its own."""
        return None

    def spoken(self, meaning: str) -> list[tuple[str, str]] | None:
        """None: the target means what it means however the source is spelled."""
        return None

    def with_answer(self, row: Row, answer: Answer) -> Row:
        """The row with another target."""
        return {**row, "target": answer}

    # -- audit
    def ballots(self, row: Row, answers: Sequence[Answer]) -> dict[str, list[str | None]]:
        """One vote on the target: those that say the same in other spelling are one label, blank ones are none."""
        return {"": [self._key(answer) for answer in answers]}

    def _key(self, target: str) -> str | None:
        return (replies.key(target) if self.guideline.kind == "answer" else normalised(target)) or None

    @property
    def measure(self) -> Measure:
        """Texts."""
        return "texts"

    def values(self, labels: Sequence[str]) -> list[float]:
        """None: texts have no order."""
        return []

    def distance(self, one: Answer, other: Answer) -> float:
        """1 - likeness of two targets (see `replies.likeness`)."""
        return 1 - replies.likeness(one, other)

    def elect(self, row: Row, answers: Sequence[Answer], votes: Mapping[str, Vote]) -> Settled:
        """The target of more than half of the annotators; else the one that is nearest to all the others.

        The confidence is the posterior of the winner; for the nearest it is its mean likeness to the others, 0 to 1.
        Two targets are as near to one another as can be, so any two that differ are a tie.
        """
        keys = [self._key(answer) for answer in answers]
        settled = chosen(answers, keys, votes.get(""), likeness=replies.likeness)
        return settled or Settled(answer="", confidence=0.0, tied=False)

    def problems(self, row: Row) -> Iterator[Problem]:
        """There is a source and a target, which is neither the source again nor a refusal of the source's request."""
        source, target = row["text"], row["target"]
        if not source.strip():
            yield Problem("no_source", f"the source is {source!r:.40}")
        if not target.strip():
            yield Problem("no_target", f"the target is {target!r:.40}")
        elif normalised(source) == normalised(target) and parallels.extent(target) >= parallels.LEAST_LENGTH:
            yield Problem("copied_source", f"{target:.120}")
        elif refusals.is_refusal(target) and not refusals.is_refusal(source):
            yield Problem("refusal", f"{target:.120}")

    def tagged(self, row: Row) -> list[tuple[int, int, str]]:
        """None: no word has a tag."""
        return []

    def doubts(self, row: Row) -> Iterator[Doubt]:
        """What makes the target look as if it were not that of this source: see `parallels.of_target`."""
        return parallels.of_target(self.guideline.kind, row["text"], row["target"], row["context"])

    # -- split and augment
    def strata(self, row: Row) -> list[str]:
        """How long the target is."""
        length = len(row["target"])
        return [next((f"target chars <{limit}" for limit in LENGTHS if length < limit), f"target chars {LENGTHS[-1]}+")]

    def kin(self, row: Row) -> list[str]:
        """The context, so that all questions about one are on one side, and the source where there is none."""
        key = kin_key(row["context"] or row["text"])
        return [] if key is None else [key]

    def free_pieces(self, row: Row) -> list[str]:
        """Of a question about a context what the answer and the context do not take up; else nothing.

        A translation or a summary says what its source says: other words there ask for other words here.
        """
        return [row["text"][start:end] for start, end in self._free(row)]

    def with_pieces(self, row: Row, pieces: Sequence[str]) -> Row:
        """The row with its source put together again; nothing else changes."""
        source, out, at = row["text"], "", 0
        for (start, end), piece in zip(self._free(row), pieces, strict=True):
            out += source[at:start] + piece
            at = end
        return {**row, "text": nfc(out + source[at:])}

    def _free(self, row: Row) -> list[tuple[int, int]]:
        if self.guideline.kind != "answer":
            return []
        evidence = wording.Evidence("\n".join([row["target"], *row["references"], row["context"] or ""]))
        return evidence.free(row["text"], self._fixed)

    @cached_property
    def _fixed(self) -> re.Pattern[str]:
        return wording.fixed(self.guideline.keep_words)

    def mentions(self, row: Row) -> list[tuple[str, str]]:
        """None: no part of a target stands for a kind."""
        return []

    def with_mentions(self, row: Row, surfaces: Sequence[str]) -> Row:
        """The row as it is."""
        return row

    # -- finetune and evaluate
    def classes(self, seen: Sequence[str]) -> list[str]:
        """None: the model's classes are its vocabulary."""
        return []

    def encode(self, row: Row, tokenizer: Any, *, classes: Sequence[str], max_tokens: int) -> Encoded:
        """One exchange: the instruction with context and source, then the target, which is learned, and its end.

        What is too long loses the end of the source or context (a summary's gist stands at the beginning) and the end
        of the target, so that each has at least half of the room that it needs.
        """
        return exchanges.encoded(self._told(row), row["target"], tokenizer, max_tokens=max_tokens)

    def prompt(self, row: Row, tokenizer: Any, *, max_tokens: int) -> list[int]:
        """The ids after which the target is generated."""
        return exchanges.prompt(self._told(row), tokenizer, max_tokens=max_tokens)

    def _told(self, row: Row) -> str:
        """What the model is asked: instruction, source, context, parted by blank lines."""
        source = row["text"]
        instruction = self.guideline.instruction or INSTRUCTIONS[self.guideline.kind][is_unspaced(source)]
        return "\n\n".join(part for part in (instruction, source, row["context"]) if part)

    def decode(
        self, output: Any, row: Row, tokenizer: Any, *, classes: Sequence[str], max_tokens: int
    ) -> tuple[Answer, float]:
        """The generated text up to where its turn ends, without the white space around it."""
        return nfc(str(output).split("<|im_end|>", 1)[0].strip()), 1.0

    def by_word(self, output: Any, row: Row, tokenizer: Any, *, max_tokens: int) -> NDArray[np.float32]:
        """Nothing: no word has outputs of its own."""
        return np.zeros((0, 0), dtype=np.float32)

    def score(self, gold: Sequence[Answer], found: Sequence[Answer], rows: Sequence[Row]) -> Scores:
        """chrF (headline, 0 to 100), ROUGE-L F, exact match, and lengths, against the nearest right target of each."""
        right = [_nearest([true, *row["references"]], said) for true, said, row in zip(gold, found, rows, strict=True)]
        return Scores(headline="chrf", metrics=replies.scores(right, found))


def _source(fields: Mapping[str, Any], columns: Mapping[str, str]) -> str:
    """The field that holds the source: mapped as source or text, else one of these names."""
    mapped = next((columns[part] for part in ("source", "text") if part in columns), None)
    return mapped or ("source" if fields.get("source") is not None or "text" not in fields else "text")


def _texts(given: Any) -> list[str]:
    """The references of a record: a list of texts, a text, or none."""
    values = [given] if isinstance(given, str) else given or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Unfit("wrong_type", f"references are texts, not {given!r:.80}")
    return [nfc(value) for value in values if value.strip()]


def _nearest(right: Sequence[str], said: str) -> str:
    """Of several right targets the one most like what was said, of equals the first."""
    return right[0] if len(right) == 1 else max(right, key=lambda one: replies.likeness(one, said))
