"""Answering: questions about a context that a stretch of the context answers, or, where there may be such, nothing.

An example: {"context": "Anna lives in Rome.", "question": "Where does Anna live?",
             "answers": [{"start": 14, "end": 18, "text": "Rome"}]}
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
    canonical,
    extracts,
    kin_key,
    pairs,
    questioning,
    spans,
    windows,
    wording,
)
from pipeline.tasks.chosen import chosen
from pipeline.tasks.subwords import NOT_LEARNED
from pipeline.text import nfc

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.settings import Guideline
    from pipeline.tasks import Measure

PLACES = ("answers", "answer", "spans")
"""Where the answer stands in a record if the recipe does not say."""
LABEL = "ANSWER"
CLASSES = ["O", f"B-{LABEL}", f"I-{LABEL}"]


def make(guideline: Guideline) -> Answering:
    """The task under a guideline."""
    return Answering(guideline)


@dataclass(frozen=True)
class Answering:
    """See `pipeline.tasks.Task`; an answer is a list of [start, end, text], offsets into the row's context.

    Several extracts are as right as one another, the first is the one that is taught; none says that the context does
    not answer the question, which the guideline must allow (`unanswerable`).
    """

    guideline: Guideline
    name: str = "answering"
    head: str = "token"
    free_text: bool = True

    # -- ingest
    def shape(self, fields: Mapping[str, Any], columns: Mapping[str, str]) -> Row:
        """The context and the question."""
        return {part: pairs.text_in(fields, columns.get(part, part)) for part in ("context", "question")} | {
            "answers": []
        }

    def raw_answer(self, fields: Mapping[str, Any], columns: Mapping[str, str]) -> Any:
        """The field mapped as answer, spans or label; by default the first of `PLACES`; none if `is_impossible`."""
        if fields.get("is_impossible") is True:
            return []
        wanted = [columns[part] for part in ("answer", "spans", "label", "labels") if part in columns] or PLACES
        return next((fields[name] for name in wanted if fields.get(name) is not None), None)

    def read_answer(self, given: Any, fields: Mapping[str, Any], row: Row) -> Answer:
        """Stretches of the context, with offsets or in words that stand in it once (see `extracts.read`).

        Raises:
            Unfit: `wrong_type`, `answer_not_there`, `answer_ambiguous` or `no_answer`.
        """
        answer = extracts.read(given, extracts.Source.of(fields, row))
        for problem in self._faults(row["context"], answer):
            raise Unfit(problem.rule, problem.evidence)
        return answer

    # -- what was read, what was answered
    def shown(self, row: Row) -> str:
        """The question, then the context."""
        return f"{row['question']}\n{row['context']}"

    def asked(self, row: Row) -> str:
        """What was read."""
        return self.shown(row)

    def answer(self, row: Row) -> Answer:
        """The extracts as lists."""
        return [[one["start"], one["end"], one["text"]] for one in row["answers"]]

    def meaning(self, row: Row) -> str:
        """The words of the extracts that count, wherever in the context they stand."""
        return canonical(sorted({extracts.key([one]) for one in self.answer(row)}))

    def marks(self, row: Row) -> list[Mark] | None:
        """Every stretch of the context that is an answer."""
        return [Mark("answer", one["text"], (one["start"], one["end"])) for one in row["answers"]]

    def spoken(self, meaning: str) -> list[tuple[str, str]] | None:
        """None: an answer is compared as a text."""
        return None

    def with_answer(self, row: Row, answer: Answer) -> Row:
        """The row with other extracts."""
        return {**row, "answers": [{"start": start, "end": end, "text": text} for start, end, text in answer]}

    # -- audit
    def ballots(self, row: Row, answers: Sequence[Answer]) -> dict[str, list[str | None]]:
        """One vote on the row: answers that differ only in articles, punctuation and case are one label."""
        return {"": [extracts.key(answer) for answer in answers]}

    @property
    def measure(self) -> Measure:
        """Texts: the same words at another place of the context are the same answer."""
        return "texts"

    def values(self, labels: Sequence[str]) -> list[float]:
        """None: answers have no order."""
        return []

    def distance(self, one: Answer, other: Answer) -> float:
        """1 - F1 of the words (characters where a script has no spaces) that two answers share."""
        return 1 - extracts.likeness(one, other)

    def elect(self, row: Row, answers: Sequence[Answer], votes: Mapping[str, Vote]) -> Settled:
        """What more than half of the annotators say, in its commonest extent; else what is nearest to all the others.

        That the context does not answer is an answer like any other, as far as can be from those that mark something.
        The confidence is the posterior of the winner; for the nearest it is its mean F1 with the others, 0 to 1.
        """
        keys = [extracts.key(answer) for answer in answers]
        settled = chosen(answers, keys, votes.get(""), likeness=extracts.likeness)
        return settled or Settled(answer=[], confidence=0.0, tied=False)

    def problems(self, row: Row) -> Iterator[Problem]:
        """Neither part is blank; answers stand where they say; there is one, or the guideline allows that not."""
        for part in ("question", "context"):
            if not row[part].strip():
                yield Problem("blank_part", f"the {part} is blank")
        yield from self._faults(row["context"], self.answer(row))

    def _faults(self, context: str, answer: Answer) -> Iterator[Problem]:
        for start, end, text in answer:
            if not 0 <= start < end <= len(context):
                yield Problem("answer_not_there", f"[{start}, {end}) in a context of {len(context)} characters")
            elif text != context[start:end]:
                yield Problem("answer_not_there", f"[{start}, {end}) is {context[start:end]!r:.60}, not {text!r:.60}")
        if not answer and not self.guideline.unanswerable:
            yield Problem("no_answer", "nothing is marked, and the guideline does not say unanswerable = true")

    def tagged(self, row: Row) -> list[tuple[int, int, str]]:
        """The words of the context, where they stand in what is shown, with the tags of the first extract."""
        words = spans.words(row["context"])
        told = spans.tags(words, self._taught(row))
        shift = len(row["question"]) + 1
        return [(start + shift, end + shift, tag or "O") for (start, end), tag in zip(words, told, strict=True)]

    def _taught(self, row: Row) -> list[tuple[int, int, str]]:
        return [(start, end, LABEL) for start, end, _ in self.answer(row)[:1]]

    def doubts(self, row: Row) -> Iterator[Doubt]:
        """What is odd about the first extract as an answer to the question."""
        for start, end, _ in self.answer(row)[:1]:
            yield from questioning.of_extract(row["question"], row["context"], start, end)

    # -- split and augment
    def strata(self, row: Row) -> list[str]:
        """What the question asks for, and whether nothing answers it."""
        return [questioning.kind(row["question"]), *([] if row["answers"] else [extracts.NONE])]

    def kin(self, row: Row) -> list[str]:
        """The context: all questions about one are on one side."""
        key = kin_key(row["context"])
        return [] if key is None else [key]

    def free_pieces(self, row: Row) -> list[str]:
        """What of the question is no number, quotation, negation or word of the context."""
        return [row["question"][start:end] for start, end in self._free(row)]

    def with_pieces(self, row: Row, pieces: Sequence[str]) -> Row:
        """The row with its question put together again; the context stays, and so do the offsets."""
        question, out, at = row["question"], "", 0
        for (start, end), piece in zip(self._free(row), pieces, strict=True):
            out += question[at:start] + piece
            at = end
        return {**row, "question": nfc(out + question[at:])}

    def _free(self, row: Row) -> list[tuple[int, int]]:
        return wording.Evidence(row["context"]).free(row["question"], self._fixed)

    @cached_property
    def _fixed(self) -> re.Pattern[str]:
        return wording.fixed((*self.guideline.keep_words, *questioning.KEPT))

    def mentions(self, row: Row) -> list[tuple[str, str]]:
        """None: the answer stands in the context for itself."""
        return []

    def with_mentions(self, row: Row, surfaces: Sequence[str]) -> Row:
        """The row as it is."""
        return row

    # -- finetune and evaluate
    def classes(self, seen: Sequence[str]) -> list[str]:
        """Outside, begins the answer, goes on with it."""
        return list(CLASSES)

    def encode(self, row: Row, tokenizer: Any, *, classes: Sequence[str], max_tokens: int) -> Encoded:
        """The question, then the context, whose words learn whether the first extract begins or goes on there.

        Of a context that is too long a window is read (see `windows.window`); of training rows it is one with the
        answer. Words in which an extract begins or ends have no true tag and are not learned.
        """
        words = spans.words(row["context"])
        read = self._read(row, words, tokenizer, max_tokens)
        told = spans.tags(words, self._taught(row))
        targets = [NOT_LEARNED] * len(read.inputs["input_ids"])
        for token, word in read.heads.items():
            tag = told[word]
            targets[token] = NOT_LEARNED if tag is None else classes.index(tag)
        learned = sum(target != NOT_LEARNED for target in targets)
        return Encoded(inputs=read.inputs, targets=targets, cut=read.cut, learned=learned)

    def _read(self, row: Row, words: Sequence[spans.Edges], tokenizer: Any, max_tokens: int) -> windows.Window:
        # A held-out row's window must not depend on its answer, which the model is to find.
        told = self._taught(row)[0][:2] if row.get("split") == "train" and row["answers"] else None
        return windows.window(row["question"], row["context"], words, tokenizer, max_tokens=max_tokens, around=told)

    def prompt(self, row: Row, tokenizer: Any, *, max_tokens: int) -> list[int]:
        """Nothing: this head does not generate."""
        return []

    def decode(
        self, output: Any, row: Row, tokenizer: Any, *, classes: Sequence[str], max_tokens: int
    ) -> tuple[Answer, float]:
        """The run of words that answers best, or nothing where that is likelier and allowed, and its probability.

        Where no word could be read and there must be an answer, it is the first word, with probability 0.
        """
        words = spans.words(row["context"])
        read = self._read(row, words, tokenizer, max_tokens)
        tokens = list(read.heads)
        columns = [classes.index(name) for name in CLASSES]
        run, sure = windows.stretch(output[tokens][:, columns], may_be_none=self.guideline.unanswerable)
        if run is None and (self.guideline.unanswerable or not words):
            return [], sure
        first, last = (words[read.heads[tokens[at]]] for at in run) if run else (words[0], words[0])
        return [[first[0], last[1], row["context"][first[0] : last[1]]]], sure

    def by_word(self, output: Any, row: Row, tokenizer: Any, *, max_tokens: int) -> NDArray[np.float32]:
        """The probabilities of the first token of every word of the context; nan outside the window."""
        words = spans.words(row["context"])
        read = self._read(row, words, tokenizer, max_tokens)
        made = np.full((len(words), output.shape[1]), np.nan, dtype=np.float32)
        for token, word in read.heads.items():
            made[word] = output[token]
        return made

    def score(self, gold: Sequence[Answer], found: Sequence[Answer], rows: Sequence[Row]) -> Scores:
        """F1 of words (headline; characters where a script has no spaces) and exact match, as SQuAD has them.

        The best of several right extracts counts. The same for every kind of question (`questioning.kind`).
        """
        return extracts.scores(gold, found, [questioning.kind(row["question"]) for row in rows])
