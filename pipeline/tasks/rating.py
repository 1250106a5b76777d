"""Rating: a number on a scale, given by several raters, for a text or a pair of texts.

An example: {"text": "A plane is taking off.", "text_pair": "An air plane is taking off.", "rating": 4.8}
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import Unfit
from pipeline.tasks import Answer, Doubt, Encoded, Mark, Problem, Row, Scores, Settled, Vote, pairs, scales

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.settings import Guideline
    from pipeline.tasks import Measure

NOT_LEARNED = float("nan")
PLACES = ("rating", "score", "label")
"""Where the rating stands in a record if the recipe does not say."""
CLOSE = 10
"""Ratings of one text that are the same to the tenth of a bounded scale agree: nobody rates more exactly twice."""


def make(guideline: Guideline) -> Rating:
    """The task under a guideline."""
    return Rating(guideline)


@dataclass(frozen=True)
class Rating:
    """See `pipeline.tasks.Task`; an answer is a number (float).

    Scales of a few steps with names are labels in their order: classification with `ordered = true`. The model has one
    output, -1 at the low end of the scale and 1 at its high end.
    """

    guideline: Guideline
    name: str = "rating"
    head: str = "number"
    free_text: bool = False

    @cached_property
    def scale(self) -> scales.Scale:
        """The scale of the guideline; what is measured as a ratio begins at 0."""
        begins = 0.0 if self.guideline.measure == "ratio" else None
        return scales.Scale(begins if self.guideline.low is None else self.guideline.low, self.guideline.high)

    # -- ingest
    def shape(self, fields: Mapping[str, Any], columns: Mapping[str, str]) -> Row:
        """The text, and its pair where the recipe maps one."""
        return {**pairs.shaped(fields, columns), "rating": None}

    def raw_answer(self, fields: Mapping[str, Any], columns: Mapping[str, str]) -> Any:
        """The field mapped as rating, label or labels; by default the first of `PLACES` that is there."""
        wanted = [columns[part] for part in ("rating", "label", "labels") if part in columns] or PLACES
        return next((fields[name] for name in wanted if fields.get(name) is not None), None)

    def read_answer(self, given: Any, fields: Mapping[str, Any], row: Row) -> Answer:
        """A number on the scale (see `scales.number` for the spellings).

        Raises:
            Unfit: `wrong_type` or `out_of_scale`.
        """
        found = scales.number(given)
        if not self.scale.holds(found):
            raise Unfit("out_of_scale", f"{scales.spelled(found)} is not on the scale: {self.scale.name}")
        return found

    # -- what was read, what was answered
    def shown(self, row: Row) -> str:
        """The text, and its pair on a line of its own."""
        return pairs.shown(row)

    def asked(self, row: Row) -> str:
        """What was read."""
        return self.shown(row)

    def answer(self, row: Row) -> Answer:
        """The rating, or None."""
        return row["rating"]

    def meaning(self, row: Row) -> str:
        """The rating to the nearest tenth of a bounded scale, else as it is."""
        rating, low, high = row["rating"], self.scale.low, self.scale.high
        if rating is None or low is None or high is None:
            return "" if rating is None else scales.spelled(rating)
        return str(round((rating - low) / (high - low) * CLOSE))

    def marks(self, row: Row) -> list[Mark] | None:
        """None: a number is of the whole."""
        return None

    def spoken(self, meaning: str) -> list[tuple[str, str]] | None:
        """None: a number does not depend on how the text is spelled."""
        return None

    def with_answer(self, row: Row, answer: Answer) -> Row:
        """The row with another rating."""
        return {**row, "rating": None if answer is None else float(answer)}

    # -- audit
    def ballots(self, row: Row, answers: Sequence[Answer]) -> dict[str, list[str | None]]:
        """One vote on the row: the number in its one spelling."""
        return {"": [None if answer is None else scales.spelled(float(answer)) for answer in answers]}

    @property
    def measure(self) -> Measure:
        """Numbers, with or without a true zero, as the guideline says."""
        return self.guideline.measure

    def values(self, labels: Sequence[str]) -> list[float]:
        """The numbers that the labels spell."""
        return [float(label) for label in labels]

    def distance(self, one: Answer, other: Answer) -> float:
        """How far apart two ratings are, as a share of the scale."""
        return self.scale.apart(one, other)

    def elect(self, row: Row, answers: Sequence[Answer], votes: Mapping[str, Vote]) -> Settled:
        """The number that won, which nobody need have given; it stays on the scale. The confidence is its posterior."""
        vote = votes[""]
        return Settled(answer=self.scale.clipped(float(vote.label)), confidence=vote.posterior, tied=vote.tie)

    def problems(self, row: Row) -> Iterator[Problem]:
        """There is a rating, and it lies on the scale."""
        rating = row["rating"]
        if rating is None or math.isnan(rating):
            yield Problem("no_rating", f"the rating is {'empty' if rating is None else rating}")
        elif not self.scale.holds(rating):
            yield Problem("out_of_scale", f"{scales.spelled(rating)} is not on the scale: {self.scale.name}")

    def tagged(self, row: Row) -> list[tuple[int, int, str]]:
        """None: no word has a tag."""
        return []

    def doubts(self, row: Row) -> Iterator[Doubt]:
        """None: what speaks against a rating stands in other rows."""
        return iter(())

    # -- split and augment
    def strata(self, row: Row) -> list[str]:
        """The stretch of the scale: a fifth of it, or, without bounds, from one power of two to the next."""
        return ["(none)"] if row["rating"] is None else [self.scale.stretch(row["rating"]).name]

    def kin(self, row: Row) -> list[str]:
        """Each text of a pair, or, where both are short, the pair in either order; a single text has none."""
        return pairs.kin(row)

    def free_pieces(self, row: Row) -> list[str]:
        """The text between negations and the guideline's keep_words; nothing of a pair, whose texts must still fit."""
        return pairs.free_pieces(row, self._kept) if row["text_pair"] is None else []

    def with_pieces(self, row: Row, pieces: Sequence[str]) -> Row:
        """The text put together again around what was kept."""
        return pairs.with_pieces(row, pieces, self._kept) if row["text_pair"] is None else row

    @cached_property
    def _kept(self) -> re.Pattern[str]:
        return pairs.kept(self.guideline.keep_words)

    def mentions(self, row: Row) -> list[tuple[str, str]]:
        """None: no part of a rating stands in the text."""
        return []

    def with_mentions(self, row: Row, surfaces: Sequence[str]) -> Row:
        """The row as it is."""
        return row

    # -- finetune and evaluate
    def classes(self, seen: Sequence[str]) -> list[str]:
        """One: the scale of the model's one output, of the guideline, or, where that has no bounds, of those seen."""
        bounded = None not in (self.scale.low, self.scale.high)
        return [self.scale.name if bounded else scales.spanning(seen).name]

    def encode(self, row: Row, tokenizer: Any, *, classes: Sequence[str], max_tokens: int) -> Encoded:
        """The tokens of the text (pair); the rating, shrunk so that the ends of the scale are -1 and 1."""
        inputs, cut = pairs.encoded(row, tokenizer, max_tokens=max_tokens)
        known = row["rating"] is not None
        target = _output(classes).shrunk(row["rating"]) if known else NOT_LEARNED
        return Encoded(inputs=inputs, targets=[target], cut=cut, learned=int(known))

    def prompt(self, row: Row, tokenizer: Any, *, max_tokens: int) -> list[int]:
        """Nothing: this head does not generate."""
        return []

    def decode(
        self, output: Any, row: Row, tokenizer: Any, *, classes: Sequence[str], max_tokens: int
    ) -> tuple[Answer, float]:
        """The number that the output stands for, to a millionth of the scale, and never off the guideline's scale.

        The second value says nothing: a number that was read off a line has no probability.
        """
        return self.scale.clipped(_output(classes).grown(float(output[0]))), 1.0

    def by_word(self, output: Any, row: Row, tokenizer: Any, *, max_tokens: int) -> NDArray[np.float32]:
        """Nothing: no word has outputs of its own."""
        return np.zeros((0, 0), dtype=np.float32)

    def score(self, gold: Sequence[Answer], found: Sequence[Answer], rows: Sequence[Row]) -> Scores:
        """Spearman's correlation (headline) and Pearson's, the mean absolute and the root mean square error."""
        return Scores(headline="spearman", metrics=scales.scores(gold, found))


def _output(classes: Sequence[str]) -> scales.Scale:
    """The scale of the model's one output, by the name of its class."""
    return scales.named(classes[0]) or scales.spanning(())
