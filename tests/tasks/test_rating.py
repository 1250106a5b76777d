"""Ratings: numbers in every spelling, scales, votes, and scores that agree with the reference."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import Unfit
from pipeline.settings import Guideline
from pipeline.tasks import Row, Vote, canonical, scales
from pipeline.tasks.rating import Rating, make
from tests.tiny import tiny_tokenizer

STARS, VALENCE, PRICE, OPEN = (
    make(Guideline(low=1, high=5)),
    make(Guideline(low=-100, high=100)),
    make(Guideline(measure="ratio")),
    make(Guideline()),
)
NUMBERS = st.floats(-1e15, 1e15).filter(lambda value: not 0 < abs(value) < scales.LEAST)


def row_of(rating: float | None = None, text: str = "a text", pair: str | None = None) -> Row:
    fields = {"text": text, "pair": pair}
    return OPEN.with_answer(OPEN.shape(fields, {"text_pair": "pair"} if pair else {}), rating)


@pytest.mark.parametrize(
    ("spelling", "number"),
    [
        (3, 3.0),
        (3.5, 3.5),
        ("3", 3.0),
        (" 3.0 ", 3.0),
        ("3,5", 3.5),
        ("-0,25", -0.25),
        ("1,5000", 1.5),
        ("0,125", 0.125),
        (",5", 0.5),
        ("+2", 2.0),
        ("４．５", 4.5),
        ("３，５", 3.5),
        ("−2", -2.0),
        ("1e2", 100.0),
        ("-0", 0.0),
        (-0.0, 0.0),
    ],
)
def test_a_number_is_read_in_every_spelling(spelling: Any, number: float) -> None:
    found = OPEN.read_answer(spelling, {}, row_of())
    assert (found, type(found), math.copysign(1, found)) == (number, float, math.copysign(1, number))


@pytest.mark.parametrize(
    "spelling",
    [
        *(True, None, [3], {"rating": 3}, "", "three", "4/5", "80%", "1_000", "1,000", "12,345", "1,2,3", "1.234,5"),
        *("nan", "inf", "1e16", float("nan"), float("inf"), "0x10", "3 4", "٣,"),
    ],
)
def test_what_is_no_number_or_may_be_two_is_refused(spelling: Any) -> None:
    with pytest.raises(Unfit) as caught:
        OPEN.read_answer(spelling, {}, row_of())
    assert caught.value.reason == "wrong_type"


def test_a_comma_that_may_part_thousands_is_shown_both_ways() -> None:
    with pytest.raises(Unfit, match=r"'1,500' may be 1.500 or 1500"):
        OPEN.read_answer("1,500", {}, row_of())


@pytest.mark.parametrize(
    ("own", "outside"),
    [(STARS, 0), (STARS, "5,1"), (VALENCE, -101), (PRICE, -1), (make(Guideline(high=3)), 3.5)],
)
def test_an_answer_off_the_scale_is_no_answer(own: Rating, outside: Any) -> None:
    with pytest.raises(Unfit) as caught:
        own.read_answer(outside, {}, row_of())
    assert caught.value.reason == "out_of_scale"
    assert own.scale.name in caught.value.evidence
    assert [problem.rule for problem in own.problems(row_of(scales.number(outside)))] == ["out_of_scale"]


def test_both_ends_are_on_the_scale() -> None:
    assert [STARS.read_answer(end, {}, row_of()) for end in ("1", "5")] == [1.0, 5.0]
    assert PRICE.read_answer(0, {}, row_of()) == 0.0


def test_a_settled_row_has_a_rating() -> None:
    for empty in (None, float("nan")):
        assert [problem.rule for problem in STARS.problems({**row_of(), "rating": empty})] == ["no_rating"]


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"low": 5, "high": 5}, r"'low' \(5\) must be less than 'high' \(5\)"),
        ({"measure": "ratio", "low": -1}, "nothing is less than 0"),
        ({"measure": "ordinal"}, "'interval' or 'ratio'"),
        ({"low": float("nan")}, "less than or equal"),
    ],
)
def test_a_scale_rises(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Guideline(**settings)


def test_the_rating_stands_where_the_recipe_says_or_where_it_usually_does() -> None:
    fields = {"rating": 1, "score": 2, "label": 3, "mine": 0}
    assert OPEN.raw_answer(fields, {}) == 1
    assert OPEN.raw_answer({**fields, "rating": None}, {}) == 2
    assert OPEN.raw_answer(fields, {"rating": "mine"}) == 0
    assert OPEN.raw_answer(fields, {"label": "label"}) == 3
    assert OPEN.raw_answer({}, {}) is None


def test_annotators_vote_with_numbers_in_one_spelling() -> None:
    ballots = OPEN.ballots(row_of(), [3.0, 3, 2.5, -0.0, 1e-9, None])
    assert ballots == {"": ["3", "3", "2.5", "0", "1e-09", None]}
    assert OPEN.values(["3", "2.5", "1e-09"]) == [3.0, 2.5, 1e-9]
    assert (OPEN.measure, PRICE.measure) == ("interval", "ratio")


def test_an_estimate_wins_that_nobody_gave() -> None:
    settled = STARS.elect(row_of(), [3.0, 4.0], {"": Vote("3.4375", 0.7, True, {"3.4375": 0.7})})
    assert (settled.answer, settled.confidence, settled.tied) == (3.4375, 0.7, True)
    assert STARS.elect(row_of(), [5.0], {"": Vote("5.0000001", 1.0, False, {})}).answer == 5.0


def test_how_far_answers_are_apart() -> None:
    assert STARS.distance(1.0, 5.0) == 1.0
    assert VALENCE.distance(-50.0, 0.0) == 0.25
    assert (PRICE.distance(1.0, 3.0), PRICE.distance(0.0, 0.0), PRICE.distance(0.0, 7.0)) == (0.5, 0.0, 1.0)


def test_ratings_that_are_nearly_the_same_agree_where_the_scale_has_bounds() -> None:
    meaning = [VALENCE.meaning(row_of(rating)) for rating in (41.0, 43.5, 60.0)]
    assert meaning[0] == meaning[1] != meaning[2]
    assert len({STARS.meaning(row_of(float(step))) for step in range(1, 6)}) == 5
    assert (OPEN.meaning(row_of(2.0)), OPEN.meaning(row_of())) == ("2", "")


@pytest.mark.parametrize(
    ("own", "rating", "stratum"),
    [
        (STARS, 1.0, "1 to 1.8"),
        (STARS, 3.0, "2.6 to 3.4"),
        (STARS, 5.0, "4.2 to 5"),
        (VALENCE, -100.0, "-100 to -60"),
        (VALENCE, 0.0, "-20 to 20"),
        (PRICE, 1250.0, "1024 to 2048"),
        (OPEN, -0.7, "-1 to -0.5"),
        (OPEN, 0.0, "0 to 0"),
        (OPEN, None, "(none)"),
    ],
)
def test_a_row_counts_towards_its_stretch_of_the_scale(own: Rating, rating: float | None, stratum: str) -> None:
    assert own.strata(row_of(rating)) == [stratum]


@given(NUMBERS)
def test_every_number_lies_in_its_stretch(rating: float) -> None:
    stretch = scales.named(OPEN.strata(row_of(rating))[0])
    assert stretch is not None
    assert stretch.holds(rating)


def test_the_model_has_one_output_on_the_scale_of_the_guideline_or_of_what_was_seen() -> None:
    assert STARS.classes(["0 to 9"]) == ["1 to 5"]
    assert OPEN.classes(["-1 to -0.5", "2 to 4", "(none)"]) == ["-1 to 4"]
    assert OPEN.classes([]) == ["-1 to 1"]
    assert OPEN.classes(["0 to 0"]) == ["-1 to 1"]
    assert PRICE.classes(["1024 to 2048"]) == ["1024 to 2048"]


@given(st.floats(-100, 100, allow_nan=False), st.booleans())
def test_what_a_model_learned_by_heart_is_the_number_again(rating: float, bounded: bool) -> None:
    own = VALENCE if bounded else OPEN
    classes, row = own.classes(own.strata(row_of(rating))), row_of(rating)
    reader = tiny_tokenizer([row["text"]])
    encoded = own.encode(row, reader, classes=classes, max_tokens=16)
    assert isinstance(encoded.targets, list)
    assert max(map(abs, encoded.targets)) <= 1 + 1e-12
    assert encoded.learned == 1
    found, _ = own.decode(np.array(encoded.targets), row, reader, classes=classes, max_tokens=16)
    assert found == pytest.approx(rating, rel=1e-5, abs=2e-4 if bounded else 2e-6)


def test_what_a_model_says_stays_on_the_scale() -> None:
    for output, rating in ((9.0, 5.0), (-9.0, 1.0), (0.0, 3.0), (0.1234567891, 3.246914)):
        found, _ = STARS.decode(np.array([output]), row_of(), None, classes=["1 to 5"], max_tokens=16)
        assert found == rating
    unknown = STARS.encode(row_of(), tiny_tokenizer(["a text"]), classes=["1 to 5"], max_tokens=16)
    assert unknown.learned == 0
    assert np.isnan(unknown.targets).all()


def test_a_pair_is_not_reworded_but_has_kin() -> None:
    pair = row_of(3.0, "Nobody sleeps on the sofa.", "A man is wide awake.")
    assert STARS.free_pieces(pair) == []
    assert STARS.with_pieces(pair, []) == pair
    assert len(STARS.kin(pair)) == 2
    assert STARS.kin(row_of(3.0)) == []
    assert STARS.shown(pair).count("\n") == 1


def test_an_answer_is_spelled_one_way() -> None:
    assert canonical(OPEN.read_answer("3", {}, row_of())) == canonical(OPEN.answer(row_of(3))) == "3.0"


PAIRS = st.lists(st.tuples(st.integers(-4, 4), st.floats(-10, 10, allow_nan=False)), min_size=3, max_size=30)


@given(PAIRS)
def test_scores_are_those_of_the_reference(pairs: list[tuple[int, float]]) -> None:
    from scipy import stats
    from sklearn.metrics import mean_absolute_error, root_mean_squared_error

    gold, found = ([float(side) for side in sides] for sides in zip(*pairs, strict=True))
    metrics = STARS.score(gold, found, [row_of()] * len(gold)).metrics
    assert metrics["mae"] == pytest.approx(mean_absolute_error(gold, found))
    assert metrics["rmse"] == pytest.approx(root_mean_squared_error(gold, found))
    if len(set(gold)) > 1 and len(set(found)) > 1:
        assert metrics["spearman"] == pytest.approx(stats.spearmanr(gold, found).statistic, abs=1e-9)
    if np.ptp(gold) > 0 and np.ptp(found) > 1e-3:
        assert metrics["pearson"] == pytest.approx(stats.pearsonr(gold, found).statistic, abs=1e-9)


@pytest.mark.parametrize(
    ("gold", "found", "spearman"),
    [
        ([1.0, 1.0], [1.0, 1.0], 1.0),
        ([1.0, 2.0], [1.0, 1.0], 0.0),
        ([3.0], [3.0], 1.0),
        ([3.0], [2.0], 0.0),
        ([], [], 0.0),
    ],
)
def test_there_is_no_correlation_with_what_never_changes(
    gold: list[float], found: list[float], spearman: float
) -> None:
    scores = STARS.score(gold, found, [])
    assert (scores.headline, scores.metrics["spearman"]) == ("spearman", spearman)
