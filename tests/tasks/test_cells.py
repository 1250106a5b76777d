"""Cells: annotators of spans vote on the same characters; what is elected is the likeliest of all that is legal."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations, pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tasks import Vote, cells, spans

TAGS = ("B-LOC", "B-PER", "I-LOC", "I-PER", "O")
WORDS = [(0, 3), (4, 8), (8, 10), (11, 15)]


def voted(*shares: dict[str, float], places: list[spans.Edges] = WORDS) -> dict[str, Vote]:
    """The votes on cells, in order."""
    names = [f"{start}:{end}" for start, end in places]
    best = [max(sorted(share), key=lambda tag: share[tag]) for share in shares]
    return {name: Vote(tag, share[tag], False, share) for name, tag, share in zip(names, best, shares, strict=False)}


def test_all_vote_on_the_same_characters_whatever_their_tokens() -> None:
    answers = [[[0, 10, "LOC"]], [[4, 9, "LOC"]], []]
    cast = {"0:3": ["B-LOC", "O", "O"], "4:8": ["I-LOC", "B-LOC", "O"], "8:9": ["I-LOC", "I-LOC", "O"]}
    assert cells.ballots(WORDS, answers, beside=0) == cast | {"9:10": ["I-LOC", "O", "O"]}
    assert cells.ballots(WORDS, [[], []], beside=1) == {}


def test_the_cells_beside_are_voted_on_too() -> None:
    words = [(at, at + 1) for at in range(8)]
    answers: list[Any] = [[[3, 4, "LOC"]], []]
    assert list(cells.ballots(words, answers, beside=0)) == ["3:4"]
    assert cells.ballots(words, answers, beside=1) == {"2:3": ["O", "O"], "3:4": ["B-LOC", "O"], "4:5": ["O", "O"]}
    assert list(cells.ballots(words, [[[0, 1, "LOC"]], [[7, 8, "LOC"]]], beside=1)) == ["0:1", "1:2", "6:7", "7:8"]


def test_edges_that_nobody_drew_are_not_made() -> None:
    answers = [[[0, 10, "LOC"]], [[0, 10, "LOC"]], [[8, 15, "LOC"]]]
    shares = [
        {"B-LOC": 0.6, "O": 0.4},
        {"I-LOC": 0.6, "O": 0.4},
        {"I-LOC": 0.6, "B-LOC": 0.4},
        {"I-LOC": 0.6, "O": 0.4},
    ]
    settled = cells.elected(answers, voted(*shares))
    assert settled.answer == [[0, 10, "LOC"]]


def test_one_type_for_all_of_a_span() -> None:
    answers = [[[0, 8, "LOC"]], [[0, 8, "PER"]]]
    shares = [{"B-LOC": 0.55, "B-PER": 0.45}, {"I-LOC": 0.2, "I-PER": 0.8}]
    assert cells.elected(answers, voted(*shares)).answer == [[0, 8, "PER"]]


def test_a_label_that_confusions_make_probable_counts_though_nobody_gave_it() -> None:
    settled = cells.elected([[[0, 3, "LOC"]]], voted({"B-LOC": 0.1, "B-PER": 0.9}))
    assert (settled.answer, settled.confidence, settled.tied) == ([[0, 3, "PER"]], 0.9, False)


def test_clusters_are_sure_each_for_itself() -> None:
    answers = [[[0, 8, "LOC"], [11, 15, "PER"]], [[4, 8, "LOC"]]]
    shares = [{"B-LOC": 0.9, "O": 0.1}, {"I-LOC": 0.8, "B-LOC": 0.2}, {"O": 1.0}, {"B-PER": 0.5, "O": 0.5}]
    settled = cells.elected(answers, voted(*shares))
    assert settled.answer == [[0, 8, "LOC"], [11, 15, "PER"]]
    assert settled.confidence == pytest.approx(0.8 * 0.5)
    assert settled.tied


def test_a_tie_between_cells_that_the_spans_settle_is_none() -> None:
    answers = [[[0, 8, "LOC"]], [[0, 8, "LOC"]], []]
    settled = cells.elected(answers, voted({"B-LOC": 0.9, "O": 0.1}, {"I-LOC": 0.5, "O": 0.5}))
    assert (settled.answer, settled.tied) == ([[0, 8, "LOC"]], False)


shares_of_a_cell = st.lists(st.integers(1, 9), min_size=5, max_size=5).map(
    lambda weights: dict(zip(TAGS, (weight / sum(weights) for weight in weights), strict=True))
)


@st.composite
def answers_to(draw: st.DrawFn) -> list[list[Any]]:
    edges = draw(st.lists(st.integers(0, 4), max_size=4, unique=True).map(sorted))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return [[WORDS[a][0], WORDS[b - 1][1], draw(st.sampled_from(["LOC", "PER"]))] for a, b in pairs]


@given(st.lists(answers_to(), min_size=1, max_size=4), st.lists(shares_of_a_cell, min_size=4, max_size=4))
def test_the_elected_are_the_likeliest_of_all_that_could_be(answers: list[Any], shares: list[dict[str, float]]) -> None:
    drawn = Counter((start, end) for answer in answers for start, end, _ in answer)
    covered = [any(start <= word[0] < end for start, end in drawn) for word in WORDS]
    extents = {(one[0], other[1]) for one, other in product(drawn, drawn) if overlap(one, other)}
    most = {run: max(drawn[other] for other in drawn if overlap(run, other)) for run in extents}

    def likely(answer: list[Any]) -> float:
        told = spans.tags(WORDS, answer)
        chances = math.prod(share[tag or ""] for share, tag in zip(shares, told, strict=True))
        together = [(drawn[start, end] or cells._UNDRAWN) / most[start, end] for start, end, _ in answer]
        return chances * math.prod(together) ** cells._TOGETHER

    apart = [
        [[start, end, label] for (start, end), label in zip(chosen, labels, strict=True)]
        for count in range(len(WORDS) + 1)
        for chosen in combinations(sorted(extents), count)
        if all(one[1] <= other[0] for one, other in pairwise(chosen))
        for labels in product(["LOC", "PER"], repeat=count)
    ]
    worth = sorted((likely(answer) for answer in apart), reverse=True)
    settled = cells.elected(answers, voted(*shares))
    assert settled.answer in apart
    assert likely(settled.answer) == pytest.approx(worth[0])
    assert settled.tied == (len(worth) > 1 and worth[1] == pytest.approx(worth[0], rel=1e-9))
    told = spans.tags(WORDS, settled.answer)
    sure = [share[tag or ""] for share, tag, inside in zip(shares, told, covered, strict=True) if inside]
    assert math.prod(sure) - 1e-12 <= settled.confidence <= min(sure, default=1.0) + 1e-12
    backwards = dict(sorted(voted(*shares).items(), reverse=True))
    assert cells.elected(answers[::-1], backwards) == settled


def overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return max(one[0], other[0]) < min(one[1], other[1])


def test_very_many_spans_that_hang_together_are_settled_in_time() -> None:
    words = [(2 * at, 2 * at + 1) for at in range(400)]
    answers = [[[2 * at, 2 * at + 2 * length - 1, "LOC"]] for at in range(350) for length in (1, 20, 50)]
    votes = voted(*[{"O": 0.6, "B-LOC": 0.2, "I-LOC": 0.2}] * 400, places=words)
    assert cells.elected(answers, votes).answer == []
