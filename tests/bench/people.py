"""Made-up annotators of spans: misses, wrong labels, habits at the edges, tokenisers and tempers of their own.

Each person has their own rate of misses, their own wrong label for each label, spans invented at capitalised or random
words, a tokeniser (the words of the text, or whatever stands between spaces: "Rome." is one token), and habits at the
edges of spans that they keep up everywhere: the word before taken in, the first or last word left out, the word after
taken in, a long span cut in two. Every span has a hardness of its own, at which all err more, and a tempting wrong
label that half of the confusions share. Of every ten persons one marks words at random and one marks next to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.settings import Guideline
from pipeline.tasks import spans, tagging

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.tasks import Answer, Row

TASK = tagging.make(Guideline())
HABITS = {"before": 0.1, "first": 0.08, "last": 0.05, "after": 0.04, "halves": 0.05}
"""How many persons have which habit at the edges of spans."""


@dataclass(frozen=True)
class Person:
    """How one simulated annotator errs; rates are 0..1."""

    kind: str
    misses: float
    confuses: float
    invents: float
    wrong: dict[str, str]
    habits: dict[str, float]
    by_spaces: bool


@dataclass(frozen=True)
class Text:
    """A text with its true spans, how hard each is, and the wrong label that each invites."""

    row: Row
    truth: Answer
    words: Sequence[spans.Edges]
    hard: Sequence[float]
    tempting: Sequence[str]
    labels: Sequence[str]


def crowd(labels: Sequence[str], size: int, chance: np.random.Generator) -> list[Person]:
    """Annotators of all sorts."""
    people = []
    for number in range(size):
        wrong = {label: str(chance.choice(_others(label, labels))) for label in labels}
        habits = {
            name: float(chance.beta(1, 40)) if chance.random() > often else float(chance.uniform(0.3, 0.95))
            for name, often in HABITS.items()
        }
        people.append(
            Person(
                {3: "random", 7: "idle"}.get(number % 10, "worker"),
                misses=float(chance.beta(2, 8)),
                confuses=float(chance.beta(1, 10)),
                invents=float(chance.beta(1, 9)),
                wrong=wrong,
                habits=habits,
                by_spaces=bool(chance.random() < 0.3),
            )
        )
    return people


def _others(label: str, labels: Sequence[str]) -> list[str]:
    return [other for other in labels if other != label] or [label]


def simulated(rows: Sequence[tuple[Row, Answer]], *, people: int, seed: int) -> Iterator[list[tuple[str, Answer]]]:
    """For every row the (annotator, answer) of three to five persons."""
    chance = np.random.default_rng(seed)
    labels = sorted({label for _, truth in rows for _, _, label in truth})
    everyone = crowd(labels, people, chance)
    for row, truth in rows:
        hard = [float(chance.beta(1, 4)) for _ in truth]
        tempting = [str(chance.choice(_others(label, labels))) for _, _, label in truth]
        words = [(start, end) for start, end, _ in TASK.tagged(row)]
        text = Text(row, truth, words, hard, tempting, labels)
        chosen = sorted(chance.choice(people, size=int(chance.integers(3, 6)), replace=False).tolist())
        yield [(f"w{at:02}", said_by(everyone[at], text, chance)) for at in chosen]


def said_by(person: Person, text: Text, chance: np.random.Generator) -> Answer:
    """The answer of one person to one text."""
    marked = [] if person.kind == "random" else list(_remembered(person, text, chance))
    marked += _invented(person, text, chance)
    if person.by_spaces:
        marked = [_snapped(text.row["text"], *one) for one in marked]
    kept: list[list[Any]] = []
    for start, end, label in sorted(marked):
        if not kept or kept[-1][1] <= start:
            kept.append([start, end, label])
    return kept


def _remembered(person: Person, text: Text, chance: np.random.Generator) -> Iterator[tuple[int, int, str]]:
    for (start, end, label), hard, tempting in zip(text.truth, text.hard, text.tempting, strict=True):
        missed = 0.97 if person.kind == "idle" else 1 - (1 - person.misses) * (1 - 0.5 * hard)
        if chance.random() < missed:
            continue
        told = label
        if chance.random() < 1 - (1 - person.confuses) * (1 - 0.4 * hard):
            told = tempting if chance.random() < 0.5 else person.wrong[label]
        for first, last in _drawn(person, text.words, (start, end), chance):
            yield text.words[first][0], text.words[last][1], told


def _drawn(
    person: Person, words: Sequence[spans.Edges], span: spans.Edges, chance: np.random.Generator
) -> list[tuple[int, int]]:
    """First and last word of a true span as this person draws it: by their habits."""
    low = next((at for at, edge in enumerate(words) if edge[1] > span[0]), 0)
    high = next((at for at in range(len(words) - 1, -1, -1) if words[at][0] < span[1]), 0)
    does = {name: chance.random() < rate for name, rate in person.habits.items()}
    if does["before"] and low > 0:
        low -= 1
    elif does["first"] and high > low:
        low += 1
    if does["after"] and high + 1 < len(words):
        high += 1
    elif does["last"] and high > low:
        high -= 1
    if does["halves"] and high > low:
        cut = int(chance.integers(low + 1, high + 1))
        return [(low, cut - 1), (cut, high)]
    return [(low, high)]


def _invented(person: Person, text: Text, chance: np.random.Generator) -> Iterator[tuple[int, int, str]]:
    rate = {"random": 0.9, "idle": 0.0}.get(person.kind, person.invents)
    big = [at for at, edge in enumerate(text.words) if text.row["text"][edge[0]].isupper()]
    places = list(range(len(text.words))) if person.kind == "random" or not big else big
    while places and chance.random() < rate:
        at = int(chance.choice(places))
        last = min(len(text.words) - 1, at + int(chance.integers(2)))
        yield text.words[at][0], text.words[last][1], str(chance.choice(text.labels))
        rate *= 0.5


def _snapped(text: str, start: int, end: int, label: str) -> tuple[int, int, str]:
    """The span widened to the next spaces, unless that is half a sentence (as it would be in Chinese)."""
    low, high = start, end
    while low > 0 and not text[low - 1].isspace():
        low -= 1
    while high < len(text) and not text[high].isspace():
        high += 1
    return (low, high, label) if high - low <= end - start + 4 else (start, end, label)
