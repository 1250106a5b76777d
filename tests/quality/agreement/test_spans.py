"""F1 and unitised alpha of spans are what their definitions give, by hand or character by character."""

from __future__ import annotations

import json
import math
from collections import Counter
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.quality.agreement.answers import Answers
from pipeline.quality.agreement.marks import Marks, marks_from, united
from pipeline.quality.agreement.spans import spans
from pipeline.quality.agreement.unitised import unitised

Span = tuple[int, int, str]
Told = list[tuple[int, str, list[Span]]]
"""Row, annotator, spans."""

TOLD: Told = [
    (0, "ann", [(0, 4, "PER"), (10, 14, "LOC")]), (0, "bob", [(0, 4, "PER"), (10, 14, "ORG")]), (0, "cy", []),
    (1, "ann", []), (1, "bob", []),
    (2, "ann", [(2, 8, "LOC")]), (2, "bob", [(2, 5, "LOC")]),
    (3, "cy", [(0, 2, "PER")]),
]  # fmt: skip


def marks_of(told: Told) -> Marks:
    rows, people, answers = ([each[at] for each in told] for at in range(3))
    return marks_from(Answers.of(rows, people, [json.dumps(sorted(answer)) for answer in answers]))  # type: ignore[arg-type]


def test_exact_f1_by_hand() -> None:
    found = spans(marks_of(TOLD))
    # Row 0: ann and bob share one of 2 + 2, ann and cy none of 2 + 0, bob and cy none of 2; row 2: none of 1 + 1.
    assert found.overall.value == pytest.approx(2 * 1 / (4 + 2 + 2 + 2))
    assert [found.overall.rows, found.overall.answers] == [3, 6]
    assert found.f1.tolist() == pytest.approx([2 / 6, 0, 0])
    assert found.rows.tolist() == [3, 1, 1]
    assert found.mean.value == pytest.approx(1 / 9)
    # PER: one of 1 + 1, and two that cy has not; LOC, ORG: nobody has the same.
    assert {label: one.value for label, one in found.by_label.items()} == pytest.approx(
        {"PER": 0.5, "LOC": 0, "ORG": 0}
    )


def test_characters_and_edges_by_hand() -> None:
    marks = marks_of(TOLD)
    # Characters: ann and bob share PER 4 of 8 + 8 and LOC 3 of 6 + 3; the others nothing of 8 and 8.
    assert spans(marks, matching="partial").overall.value == pytest.approx(2 * (4 + 3) / (16 + 8 + 8 + 9))
    assert spans(marks, matching="edges").overall.value == pytest.approx(2 * 2 / 10)


def test_nothing_marked_or_nobody_twice_is_said() -> None:
    nothing = spans(marks_of([(0, "a", []), (0, "b", [])]))
    once = spans(marks_of([(0, "a", [(0, 1, "X")]), (1, "b", [])]))
    assert math.isnan(nothing.overall.value)
    assert "nobody marked" in nothing.overall.note
    assert "no row was answered twice" in once.overall.note
    assert math.isnan(unitised(marks_of([(0, "a", []), (0, "b", [])])).all.value)


def test_what_is_no_span_is_refused() -> None:
    for text in ('[[3,3,"X"]]', "[[1,2]]", "{}3", '["joy"]'):
        with pytest.raises(AssayError, match="agreement"):
            marks_from(Answers.of([0], ["a"], [text]))


def test_overlapping_spans_of_one_answer_are_united_and_touching_ones_not() -> None:
    marks = united(marks_of([(0, "a", [(0, 4, "X"), (2, 6, "X"), (6, 8, "X"), (1, 3, "Y")]), (1, "a", [(1, 2, "X")])]))
    assert sorted(zip(marks.answer, marks.start, marks.end, strict=True)) == [
        (0, 0, 6),
        (0, 1, 3),
        (0, 6, 8),
        (1, 1, 2),
    ]


@st.composite
def told(draw: st.DrawFn) -> Told:
    """Spans that do not overlap, by two to three annotators on one to three rows of 12 characters."""
    made: Told = []
    for row in range(draw(st.integers(1, 3))):
        for who in "abc"[: draw(st.integers(1, 3))]:
            edges = sorted(draw(st.sets(st.integers(0, 12), max_size=6)))
            pairs = zip(edges[::2], edges[1::2], strict=False)
            made.append((row, who, [(start, end, draw(st.sampled_from("XY"))) for start, end in pairs]))
    return made


@settings(deadline=None, max_examples=40)
@given(told())
def test_f1_is_that_of_all_pairs_of_answers(made: Told) -> None:
    matched = marked = 0
    chars_matched = chars_marked = 0
    for (row, _, one), (other_row, _, other) in combinations(made, 2):
        if row == other_row:
            matched += 2 * len(set(one) & set(other))
            marked += len(one) + len(other)
            left, right = (
                {(at, label) for start, end, label in answer for at in range(start, end)} for answer in (one, other)
            )
            chars_matched += 2 * len(left & right)
            chars_marked += len(left) + len(right)
    marks = marks_of(made)
    expected = matched / marked if marked else math.nan
    assert spans(marks, resamples=2).overall.value == pytest.approx(expected, nan_ok=True)
    expected = chars_matched / chars_marked if chars_marked else math.nan
    assert spans(marks, matching="partial", resamples=2).overall.value == pytest.approx(expected, nan_ok=True)


def pieces_of(answer: list[Span], chars: int) -> list[Span]:
    """The spans of an answer and the stretches between them, labelled "-"."""
    inside = {at for start, end, _ in answer for at in range(start, end)}
    return [*answer, *((at, at + 1, "-") for at in range(chars) if at not in inside)]


def coincidences(one: list[Span], other: list[Span], *, coded: bool) -> list[list[tuple[str, str, int]]]:
    """For each unit of the one: its label, that of a unit of the other that it meets, and on how many characters."""
    return [
        [
            (label, kind, min(end, e) - max(start, s))
            for s, e, kind in other
            if min(end, e) > max(start, s) and not (coded and "-" in (label, kind))
        ]
        for start, end, label in one
    ]


def by_definition(
    made: Told, chars: int, *, binary: bool, coded: bool
) -> tuple[Counter[tuple[str, str]], Counter[str]]:
    """Observed coincidences (equation 1) and what is taken off for pairs of a unit with itself (equations 4 and 10)."""
    observed: Counter[tuple[str, str]] = Counter()
    itself: Counter[str] = Counter()
    for row in {each[0] for each in made}:
        answers = [pieces_of(answer, chars) for at, _, answer in made if at == row]
        if binary:
            answers = [[(s, e, "M" if label != "-" else label) for s, e, label in answer] for answer in answers]
        others = len(answers) - 1
        for one, other in permutations(answers, 2):
            for (start, end, label), met in zip(one, coincidences(one, other, coded=coded), strict=True):
                for _, kind, size in met:
                    observed[label, kind] += size / others  # type: ignore[assignment]
                square = sum(size for *_, size in met) if coded else end - start
                itself[label] += square**2 / others  # type: ignore[assignment]
    return observed, itself


def alpha_by_definition(observed: Counter[tuple[str, str]], itself: Counter[str]) -> float:
    labels = {label for pair in observed for label in pair}
    given = {label: sum(size for (one, _), size in observed.items() if one == label) for label in labels}
    total = sum(given.values())
    if total <= 0 or total**2 <= sum(itself.values()):
        return math.nan
    left = total**2 - sum(itself.values())
    expected = sum(total * (given[label] ** 2 - itself.get(label, 0)) / left for label in labels)
    agreed = sum(observed.get((label, label), 0) for label in labels)
    return 1 - (total - agreed) / (total - expected) if total - expected > 1e-9 * total else math.nan


@settings(deadline=None, max_examples=40)
@given(told())
def test_unitised_alpha_is_that_of_its_definition(made: Told) -> None:
    rows = max(row for row, _, _ in made) + 1
    found = unitised(marks_of(made), np.full(rows, 12), resamples=2)
    for figure, binary, coded in ((found.all, False, False), (found.marked, True, False), (found.coded, False, True)):
        reference = alpha_by_definition(*by_definition(made, 12, binary=binary, coded=coded))
        assert figure.value == pytest.approx(reference, abs=1e-9, nan_ok=True)


def test_unitised_alpha_by_hand() -> None:
    # Ten characters; a marks [2, 6) as X, b marks [4, 8) as X: both 2, one 4, none 4.
    made: Told = [(0, "a", [(2, 6, "X")]), (0, "b", [(4, 8, "X")])]
    found = unitised(marks_of(made), np.array([10]))
    # Marked 8 and unmarked 12 of 20; 2 x 4^2 + 12 x 1^2 pairs of a unit with itself among 400: 356 left.
    # Observed disagreement 2 x 4 = 8, expected 20 x 2 x 8 x 12 / 356.
    assert found.all.value == pytest.approx(1 - 8 / (20 * 2 * 8 * 12 / 356))
    assert found.marked.value == found.all.value
    # Where both marked, there is one label only.
    assert math.isnan(found.coded.value)
    # Three characters: a and b both mark, as X X and Y: 2 agree on X, then X against Y for 1, then Y and Y for 2.
    made = [(0, "a", [(0, 3, "X"), (3, 5, "Y")]), (0, "b", [(0, 2, "X"), (2, 5, "Y")])]
    found = unitised(marks_of(made), np.array([9]))
    # X: a 3, b 2; Y: a 2, b 3: 5 each of 10. Observed disagreement 2. Off for themselves: 9 + 4 each, 26 of 100.
    assert found.coded.value == pytest.approx(1 - 2 / (10 * 2 * 25 / 74))
    # Of X: expected row (10 x (25 - 13) + 10 x 25) / 74 = 5, observed 5: no difference.
    assert found.by_label["X"].value == pytest.approx(1 - (1 / 5) * ((120 + 250) / 74) / (250 / 74))


def test_identical_answers_agree_wholly() -> None:
    same = [(0, 4, "PER"), (6, 9, "LOC")]
    found = unitised(marks_of([(row, who, same) for row in range(3) for who in "ab"]), np.array([20, 30, 40]))
    assert [found.all.value, found.marked.value, found.coded.value] == pytest.approx([1, 1, 1])
    assert "text" not in found.all.note
    assert "last span" in unitised(marks_of(TOLD)).all.note


def test_the_order_of_rows_and_names_does_not_matter() -> None:
    chance = np.random.default_rng(3)
    made: Told = [
        (
            row,
            who,
            [(0, int(chance.integers(3, 6)), "X"), (8, int(chance.integers(9, 12)), str(chance.choice(["X", "Y"])))],
        )
        for row in range(40)
        for who in "abc"
    ]
    moved = [(39 - row, who, answer) for row, who, answer in reversed(made)]
    one, other = spans(marks_of(made)), spans(marks_of(moved))
    assert (one.overall.low, one.mean.high) == pytest.approx((other.overall.low, other.mean.high), abs=1e-12)
    assert one.overall.low < one.overall.value < one.overall.high
    lengths = np.full(40, 15)
    assert unitised(marks_of(made), lengths).all.low == pytest.approx(
        unitised(marks_of(moved), lengths).all.low, abs=1e-12
    )
