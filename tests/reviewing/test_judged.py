"""Judged: each part of a row once, whoever and however many judged it, and acts as they were made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.decisions import line_id
from pipeline.reviewing.judged import judged
from tests.reviewing.judging import a_queue, a_rule, says, the_book

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.reviewing.judged import Judged

QUEUE = a_queue(10, grouped=4)


def seen(folder: Path, *entries: dict[str, Any]) -> Judged:
    """What these decisions on the queue say."""
    return judged(the_book(folder, entries), QUEUE)


def test_lines_of_one_act_on_a_group_are_one_act(tmp_path: Path) -> None:
    found = seen(tmp_path, says(0, act="a1", group="g1", seconds=6.0), says(1, act="a1", group="g1"), says(7))
    assert found.act.tolist() == [0, 0, 1]
    assert found.cluster.tolist() == [0, 0, 1]
    assert [act.scope for act in found.acts.values()] == ["group", "line"]
    assert next(act.seconds for act in found.acts.values()) == 6.0


def test_lines_of_a_group_that_were_judged_one_by_one_are_acts_of_one_cluster(tmp_path: Path) -> None:
    found = seen(tmp_path, says(0, group="g1"), says(1))  # the second is in g1 by the queue
    assert found.act.tolist() == [0, 1]
    assert found.cluster.tolist() == [0, 0]


def test_a_rule_counts_for_the_lines_that_the_queue_has_of_it_but_not_for_those_decided_alone(tmp_path: Path) -> None:
    found = seen(tmp_path, says(2, "fine"), a_rule(act="r1"))
    assert [(line.key[0], line.verdict) for line in found.lines] == [
        ("film/2", "fine"), ("film/0", "wrong"), ("film/1", "wrong"), ("film/3", "wrong")
    ]  # fmt: skip
    assert found.acts["r1"].scope == "rule"
    assert found.score[0] == 0.5
    assert found.score[1] == QUEUE.lines["score"][0].as_py()  # a rule has no score of its own


def test_what_was_undone_is_gone_but_its_time_was_spent(tmp_path: Path) -> None:
    undo = {"undo": "a1", "who": "mo", "when": "2026-01-06", "why": "slip"}
    found = seen(tmp_path, says(0, act="a1", seconds=9.0), undo)
    assert found.lines == ()
    assert [(act.holds, act.seconds) for act in found.acts.values()] == [(False, 9.0)]


def test_people_who_differ_are_in_dispute_until_somebody_settles_it(tmp_path: Path) -> None:
    one, other = says(0), says(0, "fine", "li")
    assert [line.verdict for line in seen(tmp_path / "1", one, other).lines] == ["disputed"]
    last = says(0, "fine", "ann", settles=[line_id(one), line_id(other)])
    found = seen(tmp_path / "2", one, other, last)
    assert [line.verdict for line in found.lines] == ["fine"]
    assert (found.overturned, found.settled) == ({"mo": 1, "li": 0}, {"mo": 1, "li": 1})


def test_two_who_agree_count_once(tmp_path: Path) -> None:
    found = seen(tmp_path, says(0), says(0, who="li"))
    assert found.wrong.tolist() == [True]
    assert found.errors_by_act.tolist() == [1.0, 0.0]


def test_the_last_word_of_a_person_is_the_one_that_counts(tmp_path: Path) -> None:
    found = seen(tmp_path, says(0), says(0, "fine", when="2026-01-06"))
    assert [line.verdict for line in found.lines] == ["fine"]


@pytest.mark.parametrize("more", [{"cause": "guideline"}])
def test_a_change_of_the_guideline_is_no_error(tmp_path: Path, more: dict[str, Any]) -> None:
    found = seen(tmp_path, says(0, **more))
    assert (found.lines[0].is_guideline, found.wrong.tolist()) == (True, [False])
    relabelled = judged(the_book(tmp_path / "2", [says(0, **more)]), a_queue(3, kind="relabel"))
    assert relabelled.wrong.tolist() == [False]


def test_what_was_decided_before_the_guideline_changed_stays_an_error(tmp_path: Path) -> None:
    found = judged(the_book(tmp_path, [says(0, guideline="1")]), a_queue(3, kind="relabel"))
    assert (found.lines[0].is_guideline, found.wrong.tolist()) == (False, [True])


def test_a_moved_span_is_one_line(tmp_path: Path) -> None:
    moved = says(0, act="a1", part="0:9", score=None, suggested=None)
    found = seen(tmp_path, says(0, act="a1"), moved)
    assert len(found.lines) == 1
    assert found.acts["a1"].scope == "line"


def test_rows_may_be_named_without_their_source(tmp_path: Path) -> None:
    found = seen(tmp_path, says(5, score=None) | {"row": "5"})
    assert found.lines[0].key == ("film/5", "0:7")
    assert found.lines[0].score == QUEUE.lines["score"][5].as_py()
