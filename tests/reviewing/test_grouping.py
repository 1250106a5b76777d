"""Which groups are chosen, and in which order lines are looked at."""

from __future__ import annotations

import numpy as np

from pipeline.reviewing.candidates import Candidate, Lines, candidates, rule_of, spelling
from pipeline.reviewing.grouping import chosen, ordered
from pipeline.rules import Rule
from pipeline.settings import Guideline
from pipeline.tasks import task
from tests.reviewing.queues import a_line, a_table

TAGGING = task("tagging", Guideline())
LABELS = task("classification", Guideline())


def of(kind: str, at: range, **more: str) -> Candidate:
    """A candidate of these lines."""
    return Candidate(kind, more.get("given", "A"), more.get("likely", "B"), np.array(at, dtype=np.int64))


def test_every_line_is_in_one_group_at_most_and_the_best_comes_first() -> None:
    score = np.array([0.6] * 20 + [0.5] * 20)
    groups = chosen([of("phrase", range(10, 40)), of("phrase", range(20))], score, 8.0)
    members = [at for group in groups for at in group.members.tolist()]
    assert len(members) == len(set(members)) == 40
    values = [group.worth.value for group in groups]
    assert values == sorted(values, reverse=True)
    assert {group.of.members[0] for group in groups} == {0, 10}


def test_lines_that_do_not_share_their_fate_make_no_group() -> None:
    score = np.full(400, 0.5)
    assert chosen([of("confusion", range(400))], score, 8.0) == []
    assert chosen([of("surface", range(2))], score, 8.0) == []


def test_lines_that_would_only_wait_in_a_group_are_left_out() -> None:
    score = np.array([0.99] * 3 + [0.05] * 12)
    groups = chosen([of("phrase", range(15))], score, 8.0)
    assert [group.members.tolist() for group in groups] == [list(range(3, 15))]


def test_the_order_does_not_depend_on_that_of_the_candidates() -> None:
    score = np.linspace(0.2, 0.8, 30)
    listed = [of("phrase", range(at, at + 9), likely=f"B{at}") for at in range(0, 20, 3)]
    one, two = chosen(listed, score, 8.0), chosen(listed[::-1], score, 8.0)
    assert [group.members.tolist() for group in one] == [group.members.tolist() for group in two]


def test_groups_and_lines_stand_in_one_order() -> None:
    score = np.array([0.5] * 12 + [0.999, 0.01])
    groups = chosen([of("phrase", range(12))], score, 8.0)
    names = [f"q{at:02}" for at in range(14)]
    order = list(ordered(groups, score, 8.0, names=names))
    assert [number for _, number in order] == [0] * 12 + [-1, -1]
    assert [at for at, _ in order] == [*range(12), 12, 13]


def test_candidates_of_spans() -> None:
    lines = [
        a_line("a/1", "LOC", "ORG", part="0:7", surface="Arsenal"),
        a_line("a/2", "LOC", "ORG", part="0:7", surface="ARSENAL"),
        a_line("a/3", "LOC", "ORG", part="0:5", surface="KL-12"),
        a_line("a/4", "LOC", "ORG", part="0:5", surface="kl 7"),
        a_line("a/5", "LOC", "", part="0:5", surface="kl 7"),
        a_line("a/6", "LOC", "ORG", part="0:5", surface="kl 7", kind="tied"),
    ]
    known = Lines.of(a_table(lines), TAGGING)
    found = {(one.kind, tuple(one.members.tolist())): one for one in candidates(known, TAGGING)}
    assert set(found) == {
        ("surface", (0, 1)),
        ("spelling", (0, 1)),
        ("spelling", (2, 3)),
        ("confusion", (0, 1, 2, 3)),
    }
    one = found["spelling", (2, 3)]
    assert rule_of(one, one.members, known, TAGGING) == Rule("LOC", "ORG", surfaces=("kl 7", "kl-12"))


def test_candidates_of_rows_that_read_alike() -> None:
    lines = [a_line(f"a/{at}", "pos", "neg", text=f"Flight {at} is late!") for at in range(3)]
    lines += [a_line(f"b/{at}", "x", "", kind="conflict", text="Same.") for at in range(2)]
    known = Lines.of(a_table(lines), LABELS)
    kinds = {(one.kind, len(one.members)) for one in candidates(known, LABELS)}
    assert kinds == {("alike", 3), ("confusion", 3), ("conflict", 2)}
    assert all(rule_of(one, one.members, known, LABELS) is None for one in candidates(known, LABELS))


def test_spelling_of_nothing_but_marks() -> None:
    assert spelling("?!") != spelling("...")
