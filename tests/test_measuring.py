"""Measuring: agreement and annotators of every task, as plain values, whatever is missing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import electing, measuring, voting
from pipeline.engine import Engine
from tests.heard import ASKED, LABELLED, MARKED, RATED, TOPICS, heard_of, read, record, work_on
from tests.small import ALONE, adds_up, built

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.recipe import Recipe

TASKS = {"labels": LABELLED, "sets": TOPICS, "spans": MARKED, "numbers": RATED, "texts": ASKED}
each_task = pytest.mark.parametrize("task", list(TASKS))


def answer(task: str, number: int, who: str) -> Any:
    """Of three, `bob` says something else now and then."""
    other = who == "bob" and number % 4 == 0
    if task == "labels":
        return "xyz"[(number + other) % 3]
    if task == "sets":
        return ["x", "y"][: 1 + number % 2 + other]
    if task == "spans":
        return [] if other else [[0, 4, "A"], [5, 11, "B"]][number % 2 :]
    return number % 9 + other if task == "numbers" else ("text", "number")[(number + other) % 2]


def records(task: str, who: Sequence[str | None] = ("ann", "bob", "cat"), count: int = 16) -> list[dict[str, Any]]:
    def said(number: int, one: str | None) -> dict[str, Any]:
        about = {"batch": "ab"[number % 2], "guideline": f"v{number % 3}", "time": f"2026-01-{number % 28 + 1:02}"}
        return {"answer": answer(task, number, one or ""), **about}

    return [record(n, [(one, said(n, one)) for one in who], question="What is it?") for n in range(count)]


def toml(task: str) -> str:
    return TASKS[task]


def measured(one: Recipe, engine: Engine = ALONE) -> dict[str, Any]:
    work = work_on(one, engine)
    heard = heard_of(work)
    polled = voting.poll(work, heard)
    return measuring.measured(work, heard, polled, electing.elect(polled, work.task, work.recipe.settings.audit))


def plain(told: dict[str, Any]) -> bool:
    """Whether JSON holds all of it, without NaN, and gives it back."""
    return bool(json.loads(json.dumps(told, allow_nan=False)) == told)


@each_task
def test_it_is_plain_complete_and_the_same_whatever_the_batches(tmp_path: Path, task: str) -> None:
    one = read(tmp_path, toml(task), records(task))
    told = measured(one)
    assert plain(told)
    assert measured(one, Engine(1, 5)) == told
    agreement = told["agreement"]
    assert (agreement["headline"]["rows"], agreement["headline"]["answers"]) == (16, 64 if task == "spans" else 48)
    assert 0 < agreement["headline"]["value"] < 1
    assert agreement["headline"]["low"] <= agreement["headline"]["value"] <= agreement["headline"]["high"]
    assert set(agreement["by_batch"]) == {"a", "b"}
    assert set(agreement["by_guideline"]) == {"v0", "v1", "v2"}
    assert {card["name"] for card in told["annotators"]["cards"]} == {"ann", "bob", "cat"}
    assert told["annotators"]["anonymous_answers"] == 0


@each_task
def test_nothing_said_at_all(tmp_path: Path, task: str) -> None:
    told = measured(read(tmp_path, toml(task), records(task, who=())))
    assert plain(told)
    assert told["agreement"]["headline"]["value"] is None
    assert (told["annotators"]["cards"], told["annotators"]["anonymous_answers"]) == ([], 0)


@each_task
def test_one_annotator_agrees_with_nobody(tmp_path: Path, task: str) -> None:
    told = measured(read(tmp_path, toml(task), records(task, who=("ann",))))
    assert plain(told)
    assert told["agreement"]["headline"]["value"] is None
    (card,) = told["annotators"]["cards"]
    assert (card["name"], card["verdict"]) == ("ann", "too few annotators to rank")


@each_task
def test_the_anonymous_agree_but_have_no_card(tmp_path: Path, task: str) -> None:
    told = measured(read(tmp_path, toml(task), records(task, who=(None, None))))
    assert plain(told)
    assert told["agreement"]["headline"]["value"] == pytest.approx(1)
    assert (told["annotators"]["cards"], told["annotators"]["anonymous_answers"]) == ([], 32)


def test_gold_is_measured_against_and_has_no_card(tmp_path: Path) -> None:
    given = [one | {"gold": answer("labels", n, "ann")} for n, one in enumerate(records("labels"))]
    told = measured(read(tmp_path, LABELLED, given))
    cards = {card["name"]: card["gold"] for card in told["annotators"]["cards"]}
    assert {name: (card["right"], card["asked"]) for name, card in cards.items()} == {
        "ann": (16, 16), "bob": (12, 16), "cat": (16, 16),
    }  # fmt: skip
    assert told["agreement"]["headline"]["answers"] == 48


def test_what_was_superseded_is_not_measured(tmp_path: Path) -> None:
    given = records("labels")
    for one in given:
        one["annotations"].insert(0, one["annotations"][0] | {"answer": "w", "time": "2025-01-01"})
    assert measured(read(tmp_path / "a", LABELLED, given)) == measured(
        read(tmp_path / "b", LABELLED, records("labels"))
    )


@each_task
@pytest.mark.parametrize("who", [(), ("ann",), (None,)], ids=["nobody", "one", "anonymous"])
def test_an_audit_of_little_runs_whole(tmp_path: Path, task: str, who: tuple[str | None, ...]) -> None:
    one = read(tmp_path, toml(task), records(task, who=who, count=3))
    report = built(one, "audit")["audit"]
    assert adds_up(report)
    assert plain(report["details"])
    assert report["counts"]["kept"] + report["counts"]["rejected"] == 3
    if not who:
        assert report["counts"]["reasons"] == {"unanswered": 3}
    else:
        assert report["details"]["consensus"]["note"] == electing.UNMEASURED


def test_a_data_set_without_rows(tmp_path: Path) -> None:
    one = read(tmp_path, LABELLED, [{"id": 1, "annotations": [], "text": None, "gold": None}])
    report = built(one, "audit")["audit"]
    assert (report["counts"]["in"], report["counts"]["kept"]) == (0, 0)
