"""Strict entity F1 of ways to make one answer of several annotators' spans; run by hand, never by the tests.

    python -m tests.bench_entities

Texts with true spans come from the folder ASSAY_REAL_DATA (default: ../shared/data). The crowd is made up: each person
has their own rate of misses, their own wrong label for each label, spans invented at capitalised or random words, a
tokeniser (the words of the text, or whatever stands between spaces: "Rome." is one token), and habits at the edges of
spans that they keep up everywhere: the word before taken in, the first or last word left out, the word after taken in,
a long span cut in two. Every span has a hardness of its own, at which all err more, and a tempting wrong label that
half of the confusions share. Of every ten persons one marks words at random and one marks next to nothing. Three to
five of them read each text.

The second table is about files that spell the tokens otherwise: how many spans survive the way back to the text.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from pipeline.errors import Unfit
from pipeline.quality.ballots import ballots_from
from pipeline.quality.consensus import choose, dawid_skene, majority
from pipeline.readers import ReadOptions, Record, read
from pipeline.settings import Guideline
from pipeline.tasks import Vote, spans, tagging
from pipeline.tasks.align import Partly
from tests.readers.memory import held

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pipeline.quality.ballots import Ballots
    from pipeline.quality.consensus import Truth
    from pipeline.tasks import Answer, Row

    Change = Callable[[str, np.random.Generator], list[str]]

DATA = Path(os.environ.get("ASSAY_REAL_DATA") or Path(__file__).parents[1] / ".." / "shared" / "data").resolve()
TASK = tagging.make(Guideline())
SETS: dict[str, tuple[str, dict[str, Any]]] = {
    "WNUT17": ("ner_english/WNUT17/CONLL-format/data/train/wnut17train.conll", {}),
    "wikigold": ("ner_english/wikigold/CONLL-format/data/wikigold.conll.txt", {}),
    "Weibo (zh)": ("ner_chinese_corrected/weiboNER_2nd_conll.train", {"invalid_bytes": "replace"}),
    "CoNLL04": ("relations_conll04/train.txt", {"token_column": 1, "tag_columns": (2,)}),
}
MOST_ROWS, PEOPLE, SEEDS = 1000, (12, 35), (1, 2)
LEAST = 1e-4
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


def truth_of(name: str, most: int = MOST_ROWS) -> list[tuple[Row, Answer]]:
    """Rows of a set, and their true answers; rows whose tags break their scheme are left out."""
    path, options = SETS[name]
    # CoNLL04 parts its sentences by lines like "#doc 1024".
    content = re.sub(rb"(?m)^#doc.*$", b"", (DATA / path).read_bytes())
    found = []
    for record in read(held(content, path), format="conll", options=ReadOptions(**options)):
        with suppress(Unfit):
            if isinstance(record, Record):
                row = TASK.shape(record.fields, {})
                found.append((row, TASK.read_answer(TASK.raw_answer(record.fields, {}), record.fields, row)))
    return found[:most]


# -- the crowd


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


# -- the ways to make one answer of several


@dataclass(frozen=True)
class Crowd:
    """What a crowd said of a set, as answers and as ballots."""

    rows: Sequence[Row]
    truth: Sequence[Answer]
    said: Sequence[Sequence[tuple[str, Answer]]]
    ballots: Ballots

    def answers(self, at: int) -> list[Answer]:
        return [answer for _, answer in self.said[at]]

    def votes(self, truth: Truth) -> list[dict[str, Vote]]:
        """What became of the vote, by row."""
        assert truth.shares is not None
        votes: list[dict[str, Vote]] = [{} for _ in self.rows]
        labels = self.ballots.labels
        for unit, row in enumerate(self.ballots.unit_row.tolist()):
            shares = {labels[at]: float(truth.shares[unit, at]) for at in np.flatnonzero(truth.shares[unit] > LEAST)}
            won = Vote(labels[truth.label[unit]], float(truth.posterior[unit]), bool(truth.tie[unit]), shares)
            votes[row][self.ballots.names[self.ballots.unit_name[unit]]] = won
        return votes


def cast(rows: Sequence[tuple[Row, Answer]], said: Sequence[Sequence[tuple[str, Answer]]]) -> Crowd:
    """The ballots of a crowd."""
    lines = [
        (at, unit, who, str(vote))
        for at, ((row, _), heard) in enumerate(zip(rows, said, strict=True))
        for unit, votes in TASK.ballots(row, [answer for _, answer in heard]).items()
        for (who, _), vote in zip(heard, votes, strict=True)
    ]
    at, unit, who, vote = (list(column) for column in zip(*lines, strict=True))
    ballots = ballots_from(at, unit, who, vote, row_count=len(rows))
    return Crowd([row for row, _ in rows], [truth for _, truth in rows], said, ballots)


def by_cell(row: Row, answers: Sequence[Answer], votes: Mapping[str, Vote]) -> Answer:
    """The winner of every cell; an I that follows nothing opens a span."""
    pieces, voted = _pieces(row, votes)
    return spans.answer(pieces, [vote.label if vote else "O" for vote in voted])


def legal(row: Row, answers: Sequence[Answer], votes: Mapping[str, Vote]) -> Answer:
    """The most probable legal tags, cell after cell."""
    pieces, voted = _pieces(row, votes)
    classes = sorted({"O"} | {tag for vote in voted if vote for tag in vote.shares})
    outside = {"O": 1.0}
    chances = [[(vote.shares if vote else outside).get(name, 0.0) for name in classes] for vote in voted]
    path = spans.legal_path(np.array(chances).reshape(-1, len(classes)), classes)
    return spans.answer(pieces, [classes[at] for at in path])


def _pieces(row: Row, votes: Mapping[str, Vote]) -> tuple[list[spans.Edges], list[Vote | None]]:
    """The cells, and what lies between two of them where that is not only space."""
    pieces: list[spans.Edges] = []
    for start, end in sorted((int(start), int(end)) for start, end in (unit.split(":") for unit in votes)):
        if pieces and row["text"][pieces[-1][1] : start].strip():
            pieces.append((pieces[-1][1], start))
        pieces.append((start, end))
    return pieces, [votes.get(f"{start}:{end}") for start, end in pieces]


def elected(row: Row, answers: Sequence[Answer], votes: Mapping[str, Vote]) -> Answer:
    """What the task elects."""
    return TASK.elect(row, answers, votes).answer


def whole_spans(answers: Sequence[Answer]) -> Answer:
    """The spans that more than half of the annotators gave exactly."""
    counts = Counter(tuple(span) for answer in answers for span in answer)
    kept: list[list[Any]] = []
    for span, count in sorted(counts.items()):
        if 2 * count > len(answers) and not (kept and span[0] < kept[-1][1]):
            kept.append(list(span))
    return kept


def f1(truth: Sequence[Answer], found: Sequence[Answer]) -> float:
    """Strict entity F1, 0..100."""
    same = sum(
        len({tuple(span) for span in one} & {tuple(span) for span in two})
        for one, two in zip(truth, found, strict=True)
    )
    return 200 * same / max(sum(map(len, truth)) + sum(map(len, found)), 1)


def figures(heard: Crowd) -> dict[str, float]:
    """F1 by way, of one crowd."""
    everyone = range(len(heard.rows))
    of_each: dict[str, tuple[list[Answer], list[Answer]]] = {}
    for truth, said in zip(heard.truth, heard.said, strict=True):
        for who, answer in said:
            of_each.setdefault(who, ([], []))[0].append(truth)
            of_each[who][1].append(answer)
    skills = [f1(*both) for both in of_each.values()]
    found = {"best annotator": max(skills), "mean annotator": float(np.mean(skills))}
    found["whole spans, majority"] = f1(heard.truth, [whole_spans(heard.answers(at)) for at in everyone])
    ballots = heard.ballots
    truths = {"majority": majority(ballots), "Dawid-Skene": dawid_skene(ballots), "auto": choose(ballots).truth}
    for method, truth in truths.items():
        votes = heard.votes(truth)
        for way, decode in (("cells", by_cell), ("legal tags", legal), ("elected spans", elected)):
            made = [decode(heard.rows[at], heard.answers(at), votes[at]) for at in everyone]
            found[f"{method}, {way}"] = f1(heard.truth, made)
    return found


# -- other spellings


def lowered(token: str, chance: np.random.Generator) -> list[str]:
    return [token.lower()]


def treebank(token: str, chance: np.random.Generator) -> list[str]:
    return [{"(": "-LRB-", ")": "-RRB-", '"': "``", "&": "&amp;", "/": "\\/"}.get(token, token)]


def wide(token: str, chance: np.random.Generator) -> list[str]:
    return ["".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in token)]


def lossy(token: str, chance: np.random.Generator) -> list[str]:
    """One token in twenty is missing, one in twenty has a letter altered, marks are doubled or dropped."""
    drawn = chance.random()
    if drawn < 0.05:
        return []
    if drawn < 0.1:
        at = int(chance.integers(len(token)))
        return [f"{token[:at]}?{token[at + 1 :]}"]
    return [token, token] if drawn < 0.13 and not token.isalnum() else [token]


def survival(rows: Sequence[tuple[Row, Answer]], change: Change, *, seed: int) -> dict[str, float]:
    """F1 of the true spans, written with other tokens and read back; and how many answers were read whole (%)."""
    chance = np.random.default_rng(seed)
    truth, found, read_whole = [], [], 0
    for row, answer in rows:
        tokens, tags = [], []
        for start, end, tag in TASK.tagged(TASK.with_answer(row, answer)):
            for fresh in change(row["text"][start:end], chance):
                tokens.append(fresh)
                tags.append(tag)
        got: Answer = []
        try:
            got = TASK.read_answer(tags, {"tokens": tokens, "tags": {"1": tags}, "schemes": {"1": "iob2"}}, row)
            read_whole += 1
        except Partly as partly:
            got = partly.answer
        except Unfit:
            pass
        truth.append(answer)
        found.append(got)
    return {"F1": f1(truth, found), "read whole": 100 * read_whole / len(rows)}


def main() -> None:
    """Print both tables."""
    console = Console()
    rows = {name: truth_of(name) for name in SETS}
    columns = [(name, people) for name in SETS for people in PEOPLE]
    made = {}
    for name, people in columns:
        told = [list(simulated(rows[name], people=people, seed=seed)) for seed in SEEDS]
        each = [figures(cast(rows[name], said)) for said in told]
        made[name, people] = {way: float(np.mean([one[way] for one in each])) for way in each[0]}
    table = Table("strict entity F1", *(f"{name}, {people}" for name, people in columns), "mean")
    for way in made[columns[0]]:
        values = [made[column][way] for column in columns]
        table.add_row(way, *(f"{value:.1f}" for value in values), f"{np.mean(values):.1f}")
    console.print(table)
    table = Table("F1 (annotations read whole, %)", *SETS)
    for change in (lowered, treebank, wide, lossy):
        kept = [survival(rows[name], change, seed=1) for name in SETS]
        table.add_row(change.__name__, *(f"{one['F1']:.1f} ({one['read whole']:.0f})" for one in kept))
    console.print(table)


if __name__ == "__main__":
    main()
