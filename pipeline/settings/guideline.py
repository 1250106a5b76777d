"""The guideline: what annotators were told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from pipeline.settings.section import Settings


class Label(Settings):
    """One label of the guideline, in the words that annotators get."""

    name: str
    definition: str = ""
    examples: tuple[str, ...] = ()
    counter_examples: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    """Other ways in which files spell this label."""
    scale: tuple[float, float] | None = None
    """Ratings from the first to the second number, both included, mean this label."""
    head: tuple[str, ...] = ()
    """Relations: the kinds of entity that may stand at the head; every kind where none is named..."""
    tail: tuple[str, ...] = ()
    """...and at the tail."""


class Guideline(Settings):
    """What annotators were told: labels, definitions, examples; an empty label list admits every label."""

    version: str = "1"
    multiple: bool = False
    """Whether a row may carry several labels, or none (multi-label classification)."""
    ordered: bool = False
    """Whether the labels stand in their order, lowest first, so that answers far apart differ more."""
    measure: Literal["interval", "ratio"] = "interval"
    """Ratings: whether they differ by how far they are apart, or (ratio: zero is nothing) by how many times as much."""
    low: float | None = Field(default=None, ge=-1e15, le=1e15)
    """Ratings: the lowest that there is..."""
    high: float | None = Field(default=None, ge=-1e15, le=1e15)
    """...and the highest, both included; where there is no bound, every number is a rating."""
    unanswerable: bool = False
    """Questions about a context: whether there are some that it does not answer."""
    kind: Literal["translation", "summary", "answer", "other"] = "other"
    """Writing: what the target is to the source, which says what speaks against it."""
    instruction: str = ""
    """Writing: what the model is told to do with the source; by default a word or two for the kind."""
    label: tuple[Label, ...] = ()
    keep_words: tuple[str, ...] = ()
    """Words that carry the answer, which augmentation must leave alone."""

    @property
    def names(self) -> tuple[str, ...]:
        """The labels in the order of the guideline."""
        return tuple(label.name for label in self.label)

    @model_validator(mode="after")
    def _one_meaning_each(self) -> Guideline:
        spellings = [word for label in self.label for word in (label.name, *label.aliases)]
        if edged := [word for word in spellings if word != word.strip() or not word]:
            told = ", ".join(f"'{word}'" for word in edged)
            raise ValueError(f"labels are read without the spaces around them, so no row can have these: {told}")
        twice = sorted({word for word in spellings if spellings.count(word) > 1})
        if twice:
            raise ValueError(f"these spellings stand for more than one label: {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def _order_has_labels(self) -> Guideline:
        if self.ordered and len(self.label) < 2:
            raise ValueError("'ordered' needs the labels in their order: two or more [[guideline.label]]")
        return self

    @model_validator(mode="after")
    def _scale_rises(self) -> Guideline:
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"'low' ({self.low:g}) must be less than 'high' ({self.high:g})")
        if self.measure == "ratio" and (min(self.low or 0.0, self.high or 0.0) < 0 or self.high == 0):
            raise ValueError('measure = "ratio" means that nothing is less than 0; say "interval"')
        return self
