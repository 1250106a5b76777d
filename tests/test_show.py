"""What the terminal shows: nothing from data acts on it, and what is not known is said in words."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from pipeline import show
from pipeline.flow import Line
from pipeline.lives import Event


def printed(shown: Any) -> str:
    console = Console(width=120, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(shown)
    return capture.get()


@pytest.mark.parametrize("hostile", ["\x1b]0;title\x07\x1b[2J", "[red]red[/red]", "[link=file:///etc]x[/link]", "[/]"])
def test_hostile_text_stays_text(hostile: str) -> None:
    result = {"gate": "g", "verdict": "FAIL", "value": 1, "bound": 0, "n": 3, "said": hostile, "remedy": hostile}
    for shown in (
        show.tree(hostile, [Event("ingest", hostile, (hostile,))]),
        show.gates([result], "name"),
        show.waterfall([Line("ingest", hostile, 3, True)], "name"),
    ):
        text = printed(shown)
        assert "\x1b" not in text
        assert "\x07" not in text
        assert hostile.replace("\x1b", "[U+001B]").replace("\x07", "[U+0007]") in text


def test_every_verdict_is_counted_and_only_what_did_not_pass_is_explained() -> None:
    results = [
        {"gate": f"g{at}", "verdict": verdict, "value": 0.5, "bound": 1, "n": 2, "said": f"said {at}", "remedy": "mend"}
        for at, verdict in enumerate(("PASS", "WARN", "FAIL", "ERROR"))
    ]
    text = printed(show.gates(results, "name"))
    assert "PASS 1  WARN 1  FAIL 1  ERROR 1" in text
    assert "said 0" not in text
    assert all(f"said {at}" in text for at in (1, 2, 3))


def test_scores_beside_what_the_simplest_rival_reaches() -> None:
    scored = {"value": 0.5, "low": 0.4, "high": 0.6}
    found = {"n": 7, "headline": "f1", "metrics": {"f1": scored, "accuracy": scored | {"low": None, "high": None}}}
    text = printed(show.scores({"details": {"scores": {"test": found | {"majority": {"metrics": {"f1": 0.25}}}}}}, "x"))
    assert "0.4000 to 0.6000" in text
    assert "0.2500" in text
    assert "not known" in text
    assert "No better" not in text
    base = {"base_model": {"loss": {"value": 3.0}, "perplexity": {"value": 20.0}}}
    assert "before training" in printed(show.scores({"details": {"scores": {"test": found | base}}}, "x"))


def test_scores_say_what_they_do_not_reach_and_how_near_they_come_to_shares() -> None:
    scored = {"value": 0.5, "low": 0.4, "high": 0.6}
    found: dict[str, Any] = {"n": 7, "headline": "f1", "metrics": {"f1": scored, "accuracy": scored}}
    found |= {"majority": {"metrics": {"f1": 0.25, "accuracy": 0.5}}}
    found |= {"shares": {"n": 5, "entropy": 0.125, "metrics": {"cross_entropy": scored | {"value": 0.75}}}}
    text = " ".join(printed(show.scores({"details": {"scores": {"test": found}}}, "x")).split())
    assert "No better than the commonest answer by accuracy:" in text
    assert "cross_entropy to shares" in text
    assert "0.7500" in text
    assert "5 rows have shares of labels, the entropy of which is 0.1250" in text


def test_the_closing_table_says_why_rows_left_and_where_they_went() -> None:
    counts = {"in": 3000, "looks": False, "made": 0, "joined": 0, "rejected": 1, "kept": 2999, "reasons": {"tied": 1}}
    tables = {side: {"rows": rows} for side, rows in (("train", 2000), ("validation", 500), ("test", 499))}
    text = printed(show.closing([{"stage": "split", "counts": counts, "tables": tables, "fresh": False}], "x"))
    assert "tied 1" in text
    assert "as before" in text
    assert "train 2,000  validation 500  test 499" in text


@pytest.mark.parametrize(("looks", "told"), [(False, "1,234 rows"), (True, "all")])
def test_the_closing_table_says_how_many_rows_were_worked_on(looks: bool, told: str) -> None:
    numbers = dict.fromkeys(("in", "made", "joined", "rejected", "kept"), 3000)
    report = {"stage": "audit", "counts": numbers | {"looks": looks, "reasons": {}}, "tables": {}, "fresh": True}
    assert told in printed(show.closing([report | {"anew": 1234}], "x"))


def test_duplicates_and_conflicts_are_pointed_out() -> None:
    details = {
        "duplicates": {
            "merged": 1200,
            "merged_by_kind": {"exact": 1100, "similar": 100},
            "in_conflict": 3,
            "conflicts_by_rule": {"hold-back": 3},
            "known_elsewhere": {"old": {"rows": 7}, "older": {"rows": 0}},
        },
        "contamination": {"rows": 2},
    }
    counts = {"looks": False, "kept": 1, "reasons": {}}
    told = [printed(line) for line in show.attention([{"details": details, "counts": counts}])]
    assert [line.strip() for line in told] == [
        "duplicates: 1,200 rows are merged into others (1,100 exact, 100 similar)",
        "3 rows are in conflict with others that ask the same (3 by hold-back)",
        "known elsewhere: 7 rows stand in old already",
        "2 rows hold words of a held-out set",
    ]


def test_rows_that_changed_sides_are_pointed_out_once() -> None:
    counts = {"looks": False, "kept": 3, "reasons": {}}
    locked = {"lock": {"last_change": {"moved": 2}}}
    report: dict[str, Any] = {"counts": counts, "details": locked, "fresh": True}
    assert len(show.attention([report])) == 1
    assert show.attention([report | {"fresh": False}]) == []
    assert show.attention([report | {"details": {"lock": None}}]) == []
