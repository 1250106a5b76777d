"""A model's opinion of rows that it did not see: whom it may speak beside, and that no copy betrays an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import electing, voting
from pipeline.engine import Engine
from pipeline.suspecting.opinion import MOST_VOTES, asked_for, folds_of, opinion, reads_as
from pipeline.text import normalised
from tests.heard import ASKED, LABELLED, MARKED, TOPICS, heard_of, read, record, work_on
from tests.small import ALONE, adds_up, built, table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.electing import Election
    from pipeline.recipe import Recipe
    from pipeline.stage import Work

NAMED = TOPICS + '[[guideline.label]]\nname = "x"\n[[guideline.label]]\nname = "y"\n'
TEXTS = st.sampled_from(["a cat", "A cat!", "a dog", "", "!!", "??", "第一"])


def elected(one: Recipe, engine: Engine = ALONE) -> tuple[Work, Election]:
    work = work_on(one, engine)
    polled = voting.poll(work, heard_of(work))
    return work, electing.elect(polled, work.task, one.settings.audit)


def words(number: int) -> str:
    """A text that says by its words which answer is right, and is like no other."""
    return f"{('joyful sunny happy', 'gloomy rainy sad')[number % 2]} number {number} {number * 7919 % 1000}"


def three(number: int) -> list[tuple[str | None, Any]]:
    """Three answers, each wrong in three of ten rows, by lot."""
    chance = np.random.Generator(np.random.PCG64(number))
    return [(who, "xy"[(number + int(chance.random() < 0.3)) % 2]) for who in "abc"]


# -- who is asked


@pytest.mark.parametrize(
    ("toml", "answer", "votes", "more", "asked"),
    [
        (LABELLED, lambda n: "xy"[n % 2], 3, "", True),
        (LABELLED, lambda n: "xy"[n % 2], 10, "", True),
        (LABELLED, lambda n: "xy"[n % 2], 11, "", False),
        (LABELLED, lambda n: "xy"[n % 2], 3, "consensus_model = false", False),
        (LABELLED, lambda n: "xy"[n % 2], 1, "", False),
        (LABELLED, lambda n: "x", 3, "", False),
        (NAMED, lambda n: ["x", "y"][: n % 3], 3, "", True),
        (MARKED, lambda n: [[0, 4, "A"]], 3, "", False),
        (ASKED, lambda n: "text", 3, "", False),
    ],
)
def test_a_model_speaks_where_there_are_few_answers_to_labels(
    tmp_path: Path, toml: str, answer: Callable[[int], Any], *, votes: int, more: str, asked: bool
) -> None:
    records = [record(n, [(f"p{at}", answer(n)) for at in range(votes)], question="What?") for n in range(8)]
    assert asked_for(*elected(read(tmp_path, toml, records, more))) is asked
    assert MOST_VOTES == 10


# -- rows that must not be parted


def dealt(rows: list[tuple[str, str]], folds: int) -> list[int]:
    texts, groups = pa.array([reads_as(text) for text, _ in rows], pa.binary(16)), [group for _, group in rows]
    found: list[int] = folds_of(texts, pa.array(groups, pa.string()), seed=1, folds=folds).tolist()
    return found


@given(st.lists(st.tuples(TEXTS, st.sampled_from("gh123")), max_size=12), st.randoms(use_true_random=False))
def test_what_reads_the_same_or_has_a_group_is_held_together(rows: list[tuple[str, str]], chance: Any) -> None:
    told = dealt(rows, 2**40)
    for (text, group), name in zip(rows, told, strict=True):
        for (other_text, other_group), other in zip(rows, told, strict=True):
            alike = (normalised(text) or text) == (normalised(other_text) or other_text)
            assert not (alike or group == other_group) or name == other
    order = list(range(len(rows)))
    chance.shuffle(order)
    assert dealt([rows[at] for at in order], 2**40) == [told[at] for at in order]


def test_rows_with_nothing_in_common_are_apart() -> None:
    one, two, copy, three = dealt([("one", "a"), ("two", "b"), ("Two!", "c"), ("three", "d")], 2**40)
    assert len({one, two, three}) == 3
    assert copy == two


def test_all_folds_have_their_share() -> None:
    assert np.bincount(dealt([(str(at), f"g{at}") for at in range(1000)], 5)).min() > 150


def test_no_copy_betrays_an_answer(tmp_path: Path) -> None:
    """Every text is there twice; by its copy alone could a model tell what its made-up words mean."""
    chance = np.random.Generator(np.random.PCG64(3))
    made_up = ["".join(chance.choice(list("bcdfghjklmnpqrstvwxz"), 12)) for _ in range(150)]
    records = [
        record(n, [(who, "xy"[n % 2]) for who in "ab"], text=made_up[n % 150] + "!" * (n // 150)) for n in range(300)
    ]
    work, election = elected(read(tmp_path, LABELLED, records))
    right = opinion(work, election)[np.arange(300), election.truth.label]
    assert abs(float((right > 0.5).mean()) - 0.5) < 0.2


# -- what is said


@pytest.mark.parametrize("toml", [LABELLED, TOPICS])
def test_it_says_something_of_every_unit_whatever_the_batches(tmp_path: Path, toml: str) -> None:
    def answer(number: int) -> Any:
        return "xy"[number % 2] if toml == LABELLED else [["x"], ["y", "z"]][number % 2]

    # Some rows have no answer: units and rows do not count alike.
    records = [record(n, [(who, answer(n)) for who in "ab"] if n % 5 else [], text=words(n)) for n in range(60)]
    one = read(tmp_path, toml, records)
    work, election = elected(one)
    said = opinion(work, election)
    assert said.shape == (election.ballots.units, len(election.ballots.labels))
    assert said.sum(axis=1) == pytest.approx(np.ones(len(said)), abs=1e-5)
    assert float((said.argmax(axis=1) == election.truth.label).mean()) > 0.9
    assert np.array_equal(opinion(*elected(one, Engine(1, 7))), said)


def build(folder: Path, text: Callable[[int], str], more: str = "") -> dict[str, Any]:
    """An audit of 400 rows, each annotator wrong in three of ten; which rows were settled rightly, and the report."""
    one = read(folder, LABELLED, [record(n, three(n), text=text(n)) for n in range(400)], more)
    report = built(one, "audit")["audit"]
    assert adds_up(report)
    labels = {row["id"]: row["labels"][0] for row in table(one, "audit")}
    right = sum(labels.get(f"s/{n}") == "xy"[n % 2] for n in range(400))
    return {"right": right, "labels": labels, "told": report["details"]["consensus"]}


def test_a_model_that_knows_mends_what_the_votes_got_wrong(tmp_path: Path) -> None:
    without = build(tmp_path / "off", words, "consensus_model = false")
    helped = build(tmp_path / "on", words)
    assert without["told"]["model"] == ""
    assert helped["told"]["model"]
    assert helped["right"] > without["right"]


def test_a_model_that_knows_nothing_changes_nothing(tmp_path: Path) -> None:
    def blind(number: int) -> str:
        return f"{number * 7919 % 10007} {number * 104729 % 10007}"

    assert (
        build(tmp_path / "on", blind)["labels"] == build(tmp_path / "off", blind, "consensus_model = false")["labels"]
    )
