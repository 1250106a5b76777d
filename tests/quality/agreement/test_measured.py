"""One call tells everything, as plain JSON, with sentences where a figure would mislead."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.metrics.agreement import AnnotationTask

from pipeline.errors import AssayError
from pipeline.quality.agreement import Answers, Measured, measure
from pipeline.quality.agreement.figures import Figure
from pipeline.quality.agreement.notes import facts, notes
from pipeline.quality.agreement.texts import comparisons, measured, texts
from pipeline.quality.ballots import Ballots, ballots_from


def crowd(rows: int, *, right: float = 0.8, labels: str = "xyz", shares: Any = None, people: int = 3) -> Ballots:
    chance = np.random.default_rng(7)
    truth = np.repeat(chance.choice(len(labels), size=rows, p=shares), people)
    guess = chance.choice(len(labels), size=len(truth), p=shares)
    label = np.where(chance.random(len(truth)) < right, truth, guess)
    row = np.repeat(np.arange(rows), people)
    who = [f"a{at % people}" for at in range(len(row))]
    return ballots_from(row, [""] * len(row), who, [labels[each] for each in label], origin=range(len(row)))


def told(found: Measured) -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(json.dumps(found.told(), allow_nan=False))
    return plain


def test_labels_are_told_whole() -> None:
    ballots = crowd(200)
    codes = ballots.row % 2
    found = told(measure(ballots, measure="nominal", batches=(codes, ("b1", "b2")), seed=1))
    names = [one["name"] for one in found["all"]]
    assert names == ["alpha (nominal)", "percentage of agreement", "kappa (Fleiss)", "AC1 (Gwet)", "kappa (Cohen)"]
    assert found["headline"] == found["all"][0]
    assert all(one["low"] < one["value"] < one["high"] for one in found["all"])
    assert list(found["by_label"]) == ["x", "y", "z"]
    assert [one["rows"] for one in found["by_batch"].values()] == [100, 100]
    assert found["by_guideline"] == {}
    assert [pair["met"] for pair in found["pairs"]] == [200, 200, 200]
    assert list(found["annotators"]) == ["a0", "a1", "a2"]


@pytest.mark.parametrize(("kind", "count"), [("ordinal", 6), ("interval", 5), ("ratio", 5)])
def test_numbers_are_told_whole(kind: Any, count: int) -> None:
    ballots = crowd(100, labels="1234")
    found = told(measure(ballots, measure=kind, values=[1, 2, 3, 4]))
    assert found["headline"]["name"] == f"alpha ({kind})"
    assert len(found["all"]) == count
    assert all(one["low"] < one["value"] < one["high"] for one in found["all"])
    assert bool(found["by_label"]) == (kind == "ordinal")
    assert found["pairs"][0]["name"].startswith("kappa (Cohen, ")


def test_sets_are_told_whole() -> None:
    chance = np.random.default_rng(2)
    rows, people, sets = [], [], []
    for row in range(120):
        core = {str(each) for each in chance.choice(list("abcd"), size=2)}
        for who in ("ann", "bob"):
            rows.append(row)
            people.append(who)
            sets.append(sorted(core | ({"e"} if chance.random() < 0.3 else set())))
    answers = Answers.of(rows, people, [json.dumps(one) for one in sets], origin=range(len(rows)))
    cells = [
        (row, label, who, label in one) for row, who, one in zip(rows, people, sets, strict=True) for label in "abcde"
    ]
    ballots = ballots_from(
        [cell[0] for cell in cells], [cell[1] for cell in cells], [cell[2] for cell in cells],
        ["yes" if cell[3] else "no" for cell in cells],
    )  # fmt: skip
    found = told(measure(ballots, measure="sets", answers=answers, guidelines=(np.array(rows) % 2, ("1", "2"))))
    assert [one["name"] for one in found["all"][:3]] == ["alpha (MASI)", "alpha (Jaccard)", "percentage of equal sets"]
    assert found["by_label"]["a"]["value"] == 1.0
    assert found["by_label"]["e"]["value"] < 0.4
    assert len(found["by_guideline"]) == 2
    assert "ever agreed on" not in " ".join(found["notes"])
    # Bob never says yes to e.
    his_e = (ballots.annotator == 1) & (ballots.unit_name[ballots.unit] == 4)
    lonely = replace(ballots, label=np.where(his_e, 0, ballots.label))
    assert "ever agreed on 'e' (" in " ".join(measure(lonely, measure="sets", answers=answers).notes)


def test_spans_are_told_whole() -> None:
    chance = np.random.default_rng(4)
    rows = np.repeat(np.arange(60), 2)
    spans = [[[0, 4 + int(chance.integers(2)), "PER"], [6, 9, str(chance.choice(["LOC", "ORG"]))]] for _ in rows]
    answers = Answers.of(rows, ["ann", "bob"] * 60, [json.dumps(one) for one in spans], origin=range(120))
    ballots = ballots_from(rows, ["6:9"] * 120, ["ann", "bob"] * 60, [f"B-{one[1][2]}" for one in spans])
    found = told(measure(ballots, measure="spans", answers=answers, chars=np.full(60, 20), batches=(rows % 3, "pqr")))
    assert found["headline"]["name"] == "F1 (exact spans)"
    assert [one["name"] for one in found["by_label"]["PER"]["also"]] == [
        "F1 (characters)", "alpha (unitised: this label where both marked)",
    ]  # fmt: skip
    assert sum(one["rows"] for one in found["by_batch"].values()) == 60
    assert [one["met"] for one in found["pairs"]] == [60]
    assert all(one["low"] < one["value"] for one in found["all"])


def apart(one: str, other: str) -> float:
    left, right = set(one), set(other)
    return 1 - len(left & right) / len(left | right)


TEXTS = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from(["ab", "abc", "cd", "d", "ade"])), min_size=4, max_size=25
)


@settings(deadline=None, max_examples=40)
@given(TEXTS)
def test_a_few_texts_are_measured_exactly(votes: list[tuple[int, str]]) -> None:
    answers = Answers.of([row for row, _ in votes], [None] * len(votes), [json.dumps(text) for _, text in votes])
    asked = comparisons(answers)
    found = texts(asked, measured(asked, answers, apart), resamples=2)
    counts = np.bincount(answers.row)
    paired = {text for row, text in votes if counts[row] > 1}
    if len(paired) < 2:
        assert np.isnan(found.alpha)
        return
    coded = [(f"c{at}", row, text) for at, (row, text) in enumerate(votes)]
    assert found.alpha == pytest.approx(AnnotationTask(coded, distance=apart).alpha(), abs=1e-9)
    assert found.note == ""


def said(rows: int, *, moved: bool) -> Answers:
    chance = np.random.default_rng(9)
    words = np.array(list("abcdefghij"))
    lines = []
    for row in range(rows):
        core = words[chance.integers(10, size=4)]
        for who in ("ann", "bob", "cy"):
            lines.append((row, who, json.dumps("".join([*core, *words[chance.integers(10, size=2)]]))))
    if moved:
        lines = [(rows - 1 - row, who, text) for row, who, text in reversed(lines)]
    return Answers.of([line[0] for line in lines], [line[1] for line in lines], [line[2] for line in lines])


def test_many_texts_are_measured_on_some_pairs_whatever_the_order_of_rows() -> None:
    answers = said(150, moved=False)
    whole = comparisons(answers, most=10**7)
    exact = texts(whole, measured(whole, answers, apart))
    some = []
    for moved in (False, True):
        answers = said(150, moved=moved)
        asked = comparisons(answers, seed=3, most=200)
        assert len(asked.one) <= 2 * 210
        some.append(texts(asked, measured(asked, answers, apart), seed=3))
    assert some[0] == some[1]
    assert some[0].low < exact.alpha < some[0].high
    assert some[0].high - some[0].low > exact.high - exact.low
    assert "200 of any two" in some[0].note


def test_texts_are_told_whole() -> None:
    answers = said(60, moved=False)
    found = told(measure(answers.ballots(), measure="texts", answers=answers, distance=apart))
    assert [one["name"] for one in found["all"]] == ["alpha (texts)", "percentage of equal answers"]
    assert found["by_label"] == {}
    with pytest.raises(AssayError, match="below 0"):
        measure(answers.ballots(), measure="texts", answers=answers, distance=lambda one, other: -1.0)


def test_what_is_missing_is_asked_for() -> None:
    with pytest.raises(AssayError, match="values="):
        measure(crowd(5), measure="ordinal")
    with pytest.raises(AssayError, match="answers="):
        measure(crowd(5), measure="sets")
    with pytest.raises(AssayError, match="distance="):
        measure(crowd(5), measure="texts", answers=said(2, moved=False))


def test_nothing_at_all_is_told_without_a_crash() -> None:
    empty = ballots_from([], [], [], [], row_count=3, known_labels="xy")
    nothing = Answers.of([], [], [], row_count=3)
    for found in (
        measure(empty, measure="nominal"), measure(empty, measure="interval", values=[0, 1]),
        measure(empty, measure="sets", answers=nothing), measure(empty, measure="spans", answers=nothing),
        measure(empty, measure="texts", answers=nothing, distance=apart),
    ):  # fmt: skip
        assert told(found)["headline"]["value"] is None
        assert "not defined" in " ".join(found.notes)


def note_of(ballots: Ballots, part: str, **options: Any) -> str:
    found = [one for one in measure(ballots, measure="nominal", **options).notes if part in one]
    assert found, measure(ballots, measure="nominal", **options).notes
    return found[0]


def test_prevalence_is_explained_with_its_numbers() -> None:
    ballots = crowd(400, labels="ny", shares=[0.97, 0.03], right=0.3)
    assert "answers are 'n'" in note_of(ballots, "and yet")
    assert "AC1 (Gwet) is 0.9" in note_of(ballots, "for the same answers")


def test_few_rows_and_a_wide_interval_are_named() -> None:
    assert "only 12 rows" in note_of(crowd(12), "answered twice")
    assert "wider than 0.2" in note_of(crowd(45, right=0.6, people=2), "wider")


def test_a_system_in_disagreement_is_named() -> None:
    rows = np.repeat(np.arange(60), 2)
    swapped = ballots_from(rows, [""] * 120, ["a", "b"] * 60, ["x", "y"] * 60)
    assert "below zero" in note_of(swapped, "system")


def test_who_takes_part_in_everything_is_named() -> None:
    rows = np.repeat(np.arange(80), 2)
    who = [name for row in range(80) for name in ("hub", f"a{row % 8}")]
    star = ballots_from(rows, [""] * 160, who, ["x" if row % 2 else "y" for row in rows])
    assert "'hub' takes part in 100%" in note_of(star, "takes part")
    assert not [one for one in measure(crowd(80), measure="nominal").notes if "takes part" in one]


def test_a_label_that_nobody_shares_and_one_that_all_share_are_named() -> None:
    rows, labels = np.repeat(np.arange(40), 2), ["x", "x", "y", "y"] * 20
    labels[:12:2] = ["odd"] * 6
    ballots = ballots_from(rows, [""] * 80, ["a", "b"] * 40, labels)
    assert "'odd' (6x)" in note_of(ballots, "no two annotators ever agreed on")
    only = ballots_from(rows, [""] * 80, ["a", "b"] * 40, ["x"] * 80)
    assert "only one label" in note_of(only, "nothing to agree")


def test_batches_that_differ_are_named_and_equal_ones_are_not() -> None:
    good, bad = crowd(300, right=0.95), crowd(300, right=0.3)
    both = ballots_from(
        np.concatenate([good.row, bad.row + 300]), [""] * 1800, [f"a{at % 3}" for at in range(1800)],
        [one.labels[label] for one in (good, bad) for label in one.label], origin=range(1800),
    )  # fmt: skip
    halves = np.repeat([0, 1], 900)
    assert "batch 'late' and 'early' differ" in note_of(both, "differ by more", batches=(halves, ("early", "late")))
    tenths = np.arange(900) // 3 % 10
    same = measure(good, measure="nominal", guidelines=(tenths, [f"v{at}" for at in range(10)])).notes
    assert not [one for one in same if "differ by more" in one]


def test_most_rows_answered_once_is_said() -> None:
    ballots = ballots_from([*range(100), *range(40)], [""] * 140, [None] * 140, ["x", "y"] * 70)
    assert "40 of 100 answered rows (40.0%)" in note_of(ballots, "all figures are about these")


def test_notes_say_nothing_where_nothing_misleads() -> None:
    fine = Figure("alpha (nominal)", 0.9, 0.87, 0.93, 200, 600)
    assert notes(facts(crowd(200)), fine, {}, {}) == []
