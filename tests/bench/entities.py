"""Strict entity F1 of ways to make one answer of several annotators' spans.

    python -m tests.bench entities [crowds | spellings]

The texts and true spans are real, the crowd is made up (`tests.bench.people`): three to five persons read each text,
drawn from 12 or from 35; every figure is the mean of two crowds. The second table is about files that spell the tokens
otherwise: how many spans survive the way back to the text.
"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import Unfit
from pipeline.quality.ballots import ballots_from
from pipeline.quality.consensus import choose, dawid_skene, majority
from pipeline.readers import ReadOptions, Record, read
from pipeline.tasks import Vote, spans
from tests.bench.measure import real, show
from tests.bench.people import TASK, simulated
from tests.bench.spellings import f1, lossy, lowered, survival, treebank, wide
from tests.readers.memory import held

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.quality.ballots import Ballots
    from pipeline.quality.consensus import Truth
    from pipeline.tasks import Answer, Row

SETS: dict[str, tuple[str, dict[str, Any]]] = {
    "WNUT17": ("ner_english/WNUT17/CONLL-format/data/train/wnut17train.conll", {}),
    "wikigold": ("ner_english/wikigold/CONLL-format/data/wikigold.conll.txt", {}),
    "Weibo (zh)": ("ner_chinese_corrected/weiboNER_2nd_conll.train", {"invalid_bytes": "replace"}),
    "CoNLL04": ("relations_conll04/train.txt", {"token_column": 1, "tag_columns": (2,)}),
}
MOST_ROWS, PEOPLE, SEEDS = 1000, (12, 35), (1, 2)
LEAST = 1e-4


def truth_of(name: str, most: int = MOST_ROWS) -> list[tuple[Row, Answer]]:
    """Rows of a set, and their true answers; rows whose tags break their scheme are left out."""
    path, options = SETS[name]
    # CoNLL04 parts its sentences by lines like "#doc 1024".
    content = re.sub(rb"(?m)^#doc.*$", b"", real(path).read_bytes())
    found = []
    for record in read(held(content, path), format="conll", options=ReadOptions(**options)):
        with suppress(Unfit):
            if isinstance(record, Record):
                row = TASK.shape(record.fields, {})
                found.append((row, TASK.read_answer(TASK.raw_answer(record.fields, {}), record.fields, row)))
    return found[:most]


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


def crowds(rows: dict[str, list[tuple[Row, Answer]]]) -> Iterator[list[str]]:
    """A line for each way: F1 of every set and size of crowd, and their mean."""
    made = []
    for name in SETS:
        for people in PEOPLE:
            each = [figures(cast(rows[name], list(simulated(rows[name], people=people, seed=seed)))) for seed in SEEDS]
            made.append({way: float(np.mean([one[way] for one in each])) for way in each[0]})
    for way in made[0]:
        values = [one[way] for one in made]
        yield [way, *(f"{value:.1f}" for value in (*values, np.mean(values)))]


def spelled(rows: dict[str, list[tuple[Row, Answer]]]) -> Iterator[list[str]]:
    """A line for each spelling: F1 of what was read back, and how many annotations were read whole."""
    for change in (lowered, treebank, wide, lossy):
        kept = [survival(rows[name], change, seed=1) for name in SETS]
        yield [change.__name__, *(f"{one['F1']:.1f} ({one['read whole']:.0f})" for one in kept)]


def main(arguments: list[str]) -> None:
    """Print the tables asked for."""
    rows, asked = {name: truth_of(name) for name in SETS}, arguments or ["crowds", "spellings"]
    if "crowds" in asked:
        show("strict entity F1", [*(f"{name}, {people}" for name in SETS for people in PEOPLE), "mean"], crowds(rows))
    if "spellings" in asked:
        show("F1 (annotations read whole, %)", list(SETS), spelled(rows))
