"""Audit: what is settled, what is held back and why, and that no human decision is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import AssayError
from tests.small import CSV, LABELS, Rows, adds_up, built, csv, jsonl, made, rejected, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.recipe import Recipe

LONG = CSV.replace('label" }', 'label", annotator = "who", time = "when" }') + LABELS
GOOD, BAD = '["good"]', '["bad"]'


def audited(
    folder: Path, lines: Sequence[str], *, more: str = "", decisions: Sequence[dict[str, Any]] = ()
) -> tuple[Recipe, dict[str, Any]]:
    """A data set of lines `id,text,label,annotator,time`, audited."""
    files: dict[str, str | bytes] = {"rows.csv": csv("id,text,label,who,when", lines)}
    if decisions:
        files["decisions.jsonl"] = "".join(json.dumps(one) + "\n" for one in decisions)
    one = made(folder, LONG + "[audit]\nbootstrap = 20\n" + more, files)
    report = built(one, "audit")["audit"]
    assert adds_up(report)
    return one, report


def looked_at(folder: Path, lines: Sequence[str], *, more: str = "") -> tuple[Recipe, dict[str, Any]]:
    """The same, and looked at for suspects: what the report says of them."""
    one, _ = audited(folder, lines, more=more)
    return one, built(one, "suspect")["suspect"]


def kept(one: Recipe) -> dict[str, list[str]]:
    """The settled labels of the rows that were kept."""
    return {row["id"]: row["labels"] for row in table(one, "audit")}


def row_of(one: Recipe, id_: str) -> dict[str, Any]:
    (found,) = (row for row in table(one, "audit") if row["id"] == id_)
    return found


def verdicts(one: Recipe) -> dict[tuple[str, str | None], str]:
    return {(line["row"], line["annotator"]): line["verdict"] for line in table(one, "audit", "annotations")}


def evidence(one: Recipe) -> dict[str, str]:
    return {line["id"]: line["evidence"] for line in table(one, "audit", "rejected")}


# -- annotations


def test_the_majority_settles(tmp_path: Path) -> None:
    lines = ["1,one text,good,ann,", "1,one text,good,bob,", "1,one text,bad,eve,", "2,two text,bad,ann,"]
    one, report = audited(tmp_path, lines, more='consensus = "majority"')
    assert kept(one) == {"s/1": ["good"], "s/2": ["bad"]}
    assert row_of(one, "s/1")["confidence"] == pytest.approx(2 / 3)
    assert row_of(one, "s/1")["weight"] == pytest.approx(2 / 3)
    assert report["details"]["annotations"] == {"counted": 4}


@pytest.mark.parametrize("ties", ["reject", "keep"])
def test_ties(tmp_path: Path, ties: str) -> None:
    lines = ["1,one text,good,ann,", "1,one text,bad,bob,", "2,two text,bad,ann,"]
    one, _ = audited(tmp_path, lines, more=f'consensus = "majority"\nties = "{ties}"')
    assert set(kept(one)) == ({"s/2"} if ties == "reject" else {"s/1", "s/2"})
    assert rejected(one, "audit") == ([("s/1", "tied")] if ties == "reject" else [])


def test_the_latest_answer_of_an_annotator_counts(tmp_path: Path) -> None:
    lines = [
        "1,one text,good,ann,2026-02-01",
        "1,one text,bad,ann,2026-01-01",  # older, though it stands later
        "2,two text,good,ann,",
        "2,two text,bad,ann,",  # no times: the later line counts
        "3,three text,good,,",
        "3,three text,bad,,2026",  # the anonymous may be several people
        "3,three text,bad,,2027",
        "4,four text,good,ann,2026-01-01",
        "4,four text,soso,ann,2026-03-01",  # cannot be read, supersedes nothing
    ]
    one, report = audited(tmp_path, lines, more='consensus = "majority"')
    assert kept(one) == {"s/1": ["good"], "s/2": ["bad"], "s/3": ["bad"], "s/4": ["good"]}
    assert report["details"]["annotations"] == {"counted": 6, "superseded": 2, "unknown_label": 1}


def test_unknown_labels_and_too_few_annotators(tmp_path: Path) -> None:
    lines = [
        "1,one text,soso,ann,",
        "2,two text,good,ann,",
        "2,two text,good,bob,",
        "2,two text,meh,eve,",
        "3,three text,bad,ann,",
    ]
    one, _ = audited(tmp_path / "a", lines)
    assert rejected(one, "audit") == [("s/1", "unknown_label")]
    assert evidence(one)["s/1"] == "'soso' is no label, alias or rating of guideline 1"
    assert verdicts(one)["s/2", "eve"] == "unknown_label"
    assert kept(one)["s/2"] == ["good"]
    two, _ = audited(tmp_path / "b", lines, more="min_annotators = 2")
    assert rejected(two, "audit") == [("s/1", "unknown_label"), ("s/3", "unanswered")]
    assert evidence(two)["s/3"] == "1 of 2 answers"


def test_texts_that_are_blank_short_or_long(tmp_path: Path) -> None:
    lines = ["1,  ,good,ann,", "2,abc,good,ann,", "3,abcd,good,ann,", "4,abcdefghij,bad,ann,", "5,abcdefghijk,bad,ann,"]
    one, _ = audited(tmp_path, lines, more="min_text_chars = 4\nmax_text_chars = 10")
    assert rejected(one, "audit") == [("s/1", "blank_text"), ("s/2", "too_short"), ("s/5", "too_long")]
    assert evidence(one)["s/5"] == "11 characters"


def test_low_confidence_is_held_back(tmp_path: Path) -> None:
    lines = [f"1,one text,{label},{who}," for label, who in zip(["good"] * 3 + ["bad"] * 2, "abcde", strict=True)]
    one, _ = audited(tmp_path, [*lines, "2,two text,bad,a,"], more='consensus = "majority"\nmin_confidence = 0.7')
    assert rejected(one, "audit") == [("s/1", "low_confidence")]
    assert evidence(one)["s/1"] == "posterior 0.600 is under 0.7"


@pytest.mark.parametrize("method", ["majority", "dawid-skene"])
def test_one_annotator_leaves_sureness_unmeasured(tmp_path: Path, method: str) -> None:
    lines = [f"{n},text number {n},{('good', 'bad')[n * 7 % 5 % 2]},ann," for n in range(12)]
    more = f'consensus = "{method}"\nmin_confidence = 0.9'
    one, report = audited(tmp_path, lines, more=more, decisions=[decided("s/3", "fine")])
    assert {row["id"]: row["confidence"] for row in table(one, "audit")} == {
        f"s/{n}": 1.0 if n == 3 else None for n in range(12)
    }
    assert {row["weight"] for row in table(one, "audit")} == {1.0}
    assert report["details"]["consensus"]["method"] == "majority"
    assert report["details"]["consensus"]["asked_for"] == method
    note = "no row was answered twice: how sure the answers are cannot be measured"
    assert report["details"]["consensus"]["note"] == note


def test_the_last_bits_of_a_processor_do_not_show(tmp_path: Path) -> None:
    lines = [
        f"{n},text number {n},{('good', 'bad')[(n + k // 2) % 2]},{who},"
        for n in range(9)
        for k, who in enumerate("abc")
    ]
    one, _ = audited(tmp_path, lines, more='weight_by = "confidence"')
    values = [row[name] for row in table(one, "audit") for name in ("confidence", "weight")]
    assert len(values) == 18
    assert values == [round(value, 9) for value in values]


# -- rows that say the same

TWINS = ["1,Hello there!,good,ann,", "2,ｈｅｌｌｏ there,good,ann,", "3,hello there?,bad,ann,", "4,other,bad,ann,"]


def test_duplicates_are_merged_and_leave_their_places(tmp_path: Path) -> None:
    one, report = audited(tmp_path, TWINS[:2] + TWINS[3:], more='weight_by = "copies"')
    assert set(kept(one)) == {"s/1", "s/4"}
    assert row_of(one, "s/1")["also_at"] == ["rows.csv:3"]
    assert [row["weight"] for row in table(one, "audit")] == [2.0, 1.0]
    assert evidence(one) == {"s/2": "same input and answer as s/1 (rows.csv:2)"}
    told = report["details"]["duplicates"]
    assert (told["merged_by_kind"], told["conflicts_by_kind"]) == ({"normalised": 1}, {})
    (pair,) = table(one, "audit", "pairs")
    assert (pair["left"], pair["right"], pair["kind"], pair["outcome"]) == ("s/1", "s/2", "normalised", "merged")


def test_a_row_keeps_the_groups_of_the_rows_it_stands_for(tmp_path: Path) -> None:
    recipe = CSV.replace('label" }', 'label", group = "doc" }') + LABELS
    docs = [
        "1,hello,good,d",
        "2,Hello!,good,c",
        "3,hello.,good,b",
        "4,hello?,good,b",
        "5,HELLO,good,d",
        "6,other,bad,a",
    ]
    one = made(tmp_path, recipe, {"rows.csv": csv("id,text,label,doc", docs)})
    built(one, "audit")
    assert {row["id"]: (row["group"], row["also_in"]) for row in table(one, "audit")} == {
        "s/1": ("s/d", ["s/b", "s/c"]),
        "s/6": ("s/a", []),
    }


def test_only_exact_duplicates_or_none(tmp_path: Path) -> None:
    lines = [*TWINS, "5,Hello there!,good,ann,"]
    exact, _ = audited(tmp_path / "a", lines, more='duplicates = "exact"')
    assert rejected(exact, "audit") == [("s/5", "merged_duplicate")]
    off, _ = audited(tmp_path / "b", lines, more='duplicates = "off"')
    assert rejected(off, "audit") == []


def test_the_official_test_copy_stays(tmp_path: Path) -> None:
    recipe = CSV.replace('label" }', 'label", split = "part" }') + LABELS
    lines = ["1,hello,good,train", "2,Hello!,good,test", "3,hello.,good,dev"]
    one = made(tmp_path, recipe, {"rows.csv": csv("id,text,label,part", lines)})
    built(one, "audit")
    assert kept(one) == {"s/2": ["good"]}
    assert row_of(one, "s/2")["also_at"] == ["rows.csv:4", "rows.csv:2"]  # as held out first


@pytest.mark.parametrize(
    ("mode", "gone"),
    [
        ("hold-back", {"s/1": "conflict", "s/2": "conflict", "s/3": "conflict"}),
        ("majority", {"s/2": "merged_duplicate", "s/3": "conflict"}),
        ("keep", {"s/2": "merged_duplicate"}),
    ],
)
def test_conflicts(tmp_path: Path, mode: str, gone: dict[str, str]) -> None:
    one, _ = audited(tmp_path, TWINS, more=f'conflicts = "{mode}"')
    assert dict(rejected(one, "audit")) == gone
    if mode != "keep":
        assert evidence(one)["s/3"] == 'answers ["bad"], but s/1 answers ["good"]; s/2 answers ["good"]'


@pytest.mark.parametrize(
    ("how", "weights"), [("none", [1.0, 1.0]), ("confidence", [2 / 3, 1.0]), ("copies", [2.0, 1.0])]
)
def test_weights(tmp_path: Path, how: str, weights: list[float]) -> None:
    lines = ["1,one,good,ann,", "1,one,good,bob,", "1,one,bad,eve,", "2,One!,good,ann,", "3,two,bad,bob,"]
    one, _ = audited(tmp_path, lines, more=f'consensus = "majority"\nweight_by = "{how}"')
    assert [row["weight"] for row in table(one, "audit")] == pytest.approx(weights)


# -- human decisions


def decided(row: str, verdict: str, **more: Any) -> dict[str, Any]:
    return {"row": row, "verdict": verdict, "who": "mo", "when": "2026-01-05", "why": "seen"} | more


ROWS = ["1,one,good,ann,", "2,two,bad,ann,", "3,three,good,ann,", "3,three,bad,bob,", "4,four,soso,ann,"]
MAJORITY = 'consensus = "majority"'


def told(
    *, used: dict[str, int] | None = None, stale: Sequence[str] = (), without_effect: Sequence[str] = ()
) -> dict[str, Any]:
    return {
        "used": used or {},
        "stale": list(stale),
        "conflicts": [],
        "undone": 0,
        "by_rule": [],
        "without_effect": list(without_effect),
    }


def test_decisions_are_replayed(tmp_path: Path) -> None:
    decisions = [
        decided("s/1", "wrong", was=["good"], answer=["bad"]),
        decided("s/2", "drop"),
        decided("s/3", "wrong", answer=["good"]),  # a tie, settled by a person
        decided("s/4", "wrong", answer=["bad"]),  # an answer that could not be read
    ]
    one, report = audited(tmp_path, ROWS, more=MAJORITY, decisions=decisions)
    assert kept(one) == {"s/1": ["bad"], "s/3": ["good"], "s/4": ["bad"]}
    assert {row["confidence"] for row in table(one, "audit")} == {1.0}
    assert rejected(one, "audit") == [("s/2", "decided_out")]
    assert evidence(one)["s/2"] == "mo, 2026-01-05: seen (decisions.jsonl:2)"
    assert report["details"]["decisions"] == told(used={"drop": 1, "wrong": 3})


def test_stale_decisions_are_told_and_not_followed(tmp_path: Path) -> None:
    decisions = [
        decided("s/1", "wrong", was=["bad"], answer=["bad"], why="x"),
        decided("s/2", "drop", was=["good"]),
        decided("s/9", "drop"),
    ]
    one, report = audited(tmp_path, ROWS[:2], decisions=decisions)
    assert kept(one)["s/2"] == ["bad"]
    assert report["details"]["decisions"]["stale"] == [
        "decisions.jsonl:1: row s/1, wrong by mo: stale, not followed: the answer is another "
        "(it was bad; the row's answer is now good)",
        "decisions.jsonl:2: row s/2, drop by mo: stale, not followed: the answer is another "
        "(it was good; the row's answer is now bad)",
        "decisions.jsonl:3: row s/9, drop by mo: stale, not followed: no one row is called so "
        "(no such row, near: s/2, s/1)",
    ]


def test_fine_lets_a_held_back_row_pass(tmp_path: Path) -> None:
    lines = [f"1,one,{label},{who}," for label, who in zip(["good", "good", "bad"], "abc", strict=True)]
    more = MAJORITY + "\nmin_confidence = 0.9"
    held, _ = audited(tmp_path / "a", [*lines, "2,two,bad,a,"], more=more)
    assert rejected(held, "audit") == [("s/1", "low_confidence")]
    decisions = [decided("s/1", "fine", was=["good"])]
    one, report = audited(tmp_path / "b", [*lines, "2,two,bad,a,"], more=more, decisions=decisions)
    assert kept(one) == {"s/1": ["good"], "s/2": ["bad"]}
    assert report["details"]["decisions"] == told(used={"fine": 1})


@pytest.mark.parametrize(
    ("second", "answer"),
    [
        (("fine", {"was": "bad"}), ["bad"]),
        (("wrong", {"was": "bad", "answer": "good"}), ["good"]),
        (("drop", {"was": "bad"}), None),
        (("ambiguous", {}), None),
    ],
)
def test_each_decision_judges_what_the_one_before_made(tmp_path: Path, second: Any, answer: list[str] | None) -> None:
    decisions = [decided("s/1", "wrong", was="good", answer="bad"), decided("s/1", second[0], **second[1])]
    one, report = audited(tmp_path, ROWS, more=MAJORITY, decisions=decisions)
    assert kept(one).get("s/1") == answer
    assert report["details"]["decisions"]["stale"] == []
    assert sum(report["details"]["decisions"]["used"].values()) == 2


def test_a_decision_in_the_chain_that_does_not_fit_is_stale_and_the_others_hold(tmp_path: Path) -> None:
    decisions = [
        decided("s/1", "wrong", was="good", answer="bad"),
        decided("s/1", "drop", was="good"),
        decided("s/1", "fine", was="bad"),
        decided("s/2", "drop"),
        decided("s/2", "fine"),
    ]
    one, report = audited(tmp_path, ROWS, more=MAJORITY, decisions=decisions)
    assert (kept(one)["s/1"], kept(one)["s/2"]) == (["bad"], ["bad"])
    stale = [
        "decisions.jsonl:2: row s/1, drop by mo: stale, not followed: the answer is another "
        "(it was good; the row's answer is now bad)"
    ]
    assert report["details"]["decisions"] == told(used={"drop": 1, "fine": 2, "wrong": 1}, stale=stale)


def test_ambiguous_holds_back_a_row_and_its_copies(tmp_path: Path) -> None:
    lines = ["1,one,good,ann,", "2,One!,good,ann,", "3,one?,bad,ann,", "4,four,bad,ann,"]
    one, report = audited(tmp_path, lines, decisions=[decided("s/1", "ambiguous")])
    assert rejected(one, "audit") == [("s/1", "ambiguous"), ("s/2", "ambiguous"), ("s/3", "ambiguous")]
    assert evidence(one)["s/1"] == "mo, 2026-01-05: seen (decisions.jsonl:1)"
    assert evidence(one)["s/2"] == "reads like s/1: mo, 2026-01-05: seen (decisions.jsonl:1)"
    assert report["details"]["decisions"] == told(used={"ambiguous": 1})


@pytest.mark.parametrize("mode", ["hold-back", "majority"])
def test_a_decided_side_of_a_conflict_stays(tmp_path: Path, mode: str) -> None:
    one, report = audited(tmp_path, TWINS, more=f'conflicts = "{mode}"', decisions=[decided("s/3", "fine")])
    assert kept(one) == {"s/3": ["bad"], "s/4": ["bad"]}
    assert rejected(one, "audit") == [("s/1", "conflict"), ("s/2", "conflict")]
    assert evidence(one)["s/1"] == 'answers ["good"], but s/3 answers ["bad"]'
    assert report["details"]["decisions"] == told(used={"fine": 1})


def test_decisions_that_disagree_are_without_effect(tmp_path: Path) -> None:
    decisions = [decided("s/3", "fine"), decided("s/1", "fine")]
    one, report = audited(tmp_path, TWINS, decisions=decisions)
    assert set(kept(one)) == {"s/4"}
    assert report["details"]["decisions"] == told(
        without_effect=[
            "decisions.jsonl:1: fine on row s/3: s/1, which reads the same, was decided otherwise (decisions.jsonl:2)",
            "decisions.jsonl:2: fine on row s/1: s/3, which reads the same, was decided otherwise (decisions.jsonl:1)",
        ]
    )


@pytest.mark.parametrize(("row", "other"), [("s/1", "s/2"), ("s/2", "s/1")])
def test_a_corrected_copy_wins_over_the_one_that_nobody_corrected(tmp_path: Path, row: str, other: str) -> None:
    one, _ = audited(tmp_path, TWINS[:2], decisions=[decided(row, "wrong", answer="bad")])
    assert kept(one) == {row: ["bad"]}
    assert rejected(one, "audit") == [(other, "conflict")]


def test_a_decided_copy_is_as_sure_when_another_stands_for_it(tmp_path: Path) -> None:
    recipe = CSV.replace('label" }', 'label", split = "part", annotator = "who" }') + LABELS + f"[audit]\n{MAJORITY}"
    lines = [f"1,one,{label},test,{who}" for label, who in (("good", "a"), ("good", "b"), ("bad", "c"))]
    files = {"rows.csv": csv("id,text,label,part,who", [*lines, "2,One!,good,train,a"])}
    one = made(tmp_path, recipe, {**files, "decisions.jsonl": json.dumps(decided("s/2", "fine"))})
    built(one, "audit")
    assert (row_of(one, "s/1")["confidence"], row_of(one, "s/1")["also_at"]) == (1.0, ["rows.csv:5"])


def test_a_dropped_row_takes_its_copies_along(tmp_path: Path) -> None:
    lines = [*TWINS, "5,hello there,good,bob,"]
    one, _ = audited(tmp_path, lines, decisions=[decided("s/1", "drop"), decided("s/5", "fine")])
    assert kept(one) == {"s/4": ["bad"], "s/5": ["good"]}  # a person said that it is fine
    assert dict(rejected(one, "audit")) == {"s/1": "decided_out", "s/2": "decided_out", "s/3": "conflict"}
    assert evidence(one)["s/2"] == "reads like s/1: mo, 2026-01-05: seen (decisions.jsonl:1)"
    off, _ = audited(tmp_path / "off", lines, more='duplicates = "off"', decisions=[decided("s/1", "drop")])
    assert rejected(off, "audit") == [("s/1", "decided_out")]


def test_a_row_corrected_and_then_dropped_takes_along_who_still_says_what_it_said(tmp_path: Path) -> None:
    decisions = [decided("s/1", "wrong", answer="bad"), decided("s/1", "drop")]
    one, _ = audited(tmp_path, TWINS, decisions=decisions)
    assert set(kept(one)) == {"s/4"}


@pytest.mark.parametrize("verdict", ["wrong", "fine"])
def test_no_decision_keeps_a_text_that_cannot_be_used(tmp_path: Path, verdict: str) -> None:
    lines = ["1,  ,good,ann,", "2,abc,good,ann,", "3,abcdefghijk,bad,ann,"]
    decisions = [decided(f"s/{row}", verdict, answer="bad") for row in (1, 2, 3)]
    decisions.append(decided("s/3", "drop"))
    more = "min_text_chars = 4\nmax_text_chars = 10"
    one, report = audited(tmp_path, lines, more=more, decisions=decisions)
    assert rejected(one, "audit") == [("s/1", "blank_text"), ("s/2", "too_short"), ("s/3", "decided_out")]
    assert report["details"]["decisions"] == told(
        used={"drop": 1},
        without_effect=[
            f"decisions.jsonl:1: {verdict} on row s/1: its text is held back as blank_text",
            f"decisions.jsonl:2: {verdict} on row s/2: its text is held back as too_short",
            f"decisions.jsonl:3: {verdict} on row s/3: its text is held back as too_long",
        ],
    )


def test_fine_without_an_answer_has_no_effect(tmp_path: Path) -> None:
    one, report = audited(tmp_path, ROWS, more=MAJORITY, decisions=[decided("s/4", "fine")])
    assert ("s/4", "unknown_label") in rejected(one, "audit")
    lost = ["decisions.jsonl:1: fine on row s/4: the row has no answer that could be fine"]
    assert report["details"]["decisions"] == told(without_effect=lost)


def test_a_decision_on_another_text_is_stale(tmp_path: Path) -> None:
    decisions = [
        decided("s/1", "drop", text="One!"),
        decided("s/2", "drop", text="Too"),
        decided("s/3", "wrong", answer="of another guideline", text="trees"),
    ]
    one, report = audited(tmp_path, ROWS, more=MAJORITY, decisions=decisions)
    assert ("s/1", "decided_out") in rejected(one, "audit")
    assert "s/2" in kept(one)
    assert report["details"]["decisions"] == told(
        used={"drop": 1},
        stale=[
            "decisions.jsonl:2: row s/2, drop by mo: stale, not followed: the text is another "
            "(it read 'Too'; it now reads 'two')",
            "decisions.jsonl:3: row s/3, wrong by mo: stale, not followed: the text is another "
            "(it read 'trees'; it now reads 'three')",
        ],
    )


def test_a_row_may_be_named_without_its_source(tmp_path: Path) -> None:
    decisions = [
        decided("1", "wrong", was="good", answer="bad"),
        decided("s/1", "fine", was="bad"),
        decided("2", "drop"),
    ]
    one, report = audited(tmp_path, ROWS, more=MAJORITY, decisions=[*decisions, decided("12", "drop")])
    assert kept(one) == {"s/1": ["bad"]}
    stale = [
        "decisions.jsonl:4: row 12, drop by mo: stale, not followed: no one row is called so "
        "(no such row, near: s/2, s/1)"
    ]
    assert report["details"]["decisions"] == told(used={"drop": 1, "fine": 1, "wrong": 1}, stale=stale)


def test_a_changed_decision_reruns_the_audit_only(tmp_path: Path) -> None:
    one, _ = audited(tmp_path, ROWS, more=MAJORITY)
    assert kept(one)["s/1"] == ["good"]
    one.decisions.write_text(json.dumps(decided("s/1", "wrong", answer=["bad"])), encoding="utf-8")
    reports = built(one, "audit")
    assert [report["fresh"] for report in reports.values()] == [False, True]
    assert kept(one)["s/1"] == ["bad"]


def test_a_bad_line_stops_the_audit_and_leaves_the_one_before(tmp_path: Path) -> None:
    one, _ = audited(tmp_path, ROWS, more=MAJORITY)
    before = kept(one)
    one.decisions.write_text("{}\n", encoding="utf-8")
    with pytest.raises(AssayError, match=r"^decisions\.jsonl:1: the decision has no row, verdict, who, when, why;"):
        built(one, "audit")
    assert kept(one) == before


@pytest.mark.parametrize("answer", ["mixed", ["mixed"], [], {}, [["bad"]]])
def test_a_decided_answer_that_cannot_be_read_stops_the_audit(tmp_path: Path, answer: Any) -> None:
    with pytest.raises(AssayError, match=r"^decisions\.jsonl:1: the answer cannot be used: .*; mend the decision$"):
        audited(tmp_path, ROWS, more=MAJORITY, decisions=[decided("s/1", "wrong", answer=answer)])


@pytest.mark.parametrize(("was", "answer"), [("good", "bad"), ("+", "-"), (["good"], "Poor"), ("fine", ["bad"])])
def test_decided_answers_are_read_like_those_of_annotators(tmp_path: Path, was: Any, answer: Any) -> None:
    one, report = audited(tmp_path, ROWS, more=MAJORITY, decisions=[decided("s/1", "wrong", was=was, answer=answer)])
    assert kept(one)["s/1"] == ["bad"]
    assert report["details"]["decisions"] == told(used={"wrong": 1})


@pytest.mark.parametrize(("verdict", "gone"), [("wrong", [("s/1", "echo")]), ("fine", [])])
def test_a_decided_answer_that_breaks_a_rule_needs_the_verdict_fine(
    tmp_path: Path, verdict: str, gone: list[tuple[str, str]]
) -> None:
    question = "Which of the two trains to the coast is the faster one on Sundays?"
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": "The early one."}]
    toml = (
        'task = "chat"\n[[ingest.source]]\nname = "s"\nfiles = ["rows"]\nformat = "messages"\ncolumns = { id = "id" }\n'
    )
    decision = json.dumps(decided("s/1", verdict, answer=question))
    one = made(tmp_path, toml, {"rows": json.dumps({"id": 1, "messages": turns}), "decisions.jsonl": decision})
    built(one, "audit")
    assert rejected(one, "audit") == gone
    if gone:
        assert evidence(one)["s/1"].endswith("; mo, 2026-01-05: seen (decisions.jsonl:1)")


# -- suspects


def labelled(count: int) -> list[str]:
    joy, rain = ["joyful sunny happy", "bright happy smile"], ["gloomy rainy sad", "grey sad storm"]
    return [f"{n},{(joy, rain)[n % 2][n // 2 % 2]} number {n},{('good', 'bad')[n % 2]},ann," for n in range(count)]


def suspects(one: Recipe) -> Rows:
    return table(one, "suspect", "suspects")


def test_planted_errors_are_suspects(tmp_path: Path) -> None:
    lines = labelled(80)
    for number in (6, 31):
        right, wrong = (",good,", ",bad,") if number % 2 == 0 else (",bad,", ",good,")
        lines[number] = lines[number].replace(right, wrong)
    one, report = looked_at(tmp_path, lines, more="suspect_share = 0.05")
    found = suspects(one)
    assert {line["id"] for line in found[:2]} == {"s/6", "s/31"}
    assert len(found) == report["details"]["listed"] <= 4
    assert report["details"]["checked"] == 80
    scores = [line["score"] for line in found]
    assert scores == sorted(scores, reverse=True)
    assert (found[0]["given"], found[0]["likely"]) in {("bad", "good"), ("good", "bad")}
    assert {line["id"] for line in found} <= set(kept(one))  # pointed at, not taken out


def test_a_list_that_was_not_made_says_so(tmp_path: Path) -> None:
    few, report = looked_at(tmp_path / "a", labelled(6))
    assert suspects(few) == []
    assert report["details"]["note"] == "not checked: too few groups of rows to hold some out"
    none, report = looked_at(tmp_path / "c", labelled(30), more="suspect_share = 0")
    assert suspects(none) == []
    assert report["details"]["note"] == "not checked: the recipe gives the list no room (suspect_share = 0)"
    alike, report = looked_at(tmp_path / "d", [line.replace("bad", "good") for line in labelled(30)])
    assert suspects(alike) == []
    assert report["details"]["note"] == "not checked: there are no two labels to tell apart"
    off, report = looked_at(tmp_path / "b", labelled(30), more='suspects = "off"')
    assert suspects(off) == []
    assert report["details"]["note"] == "not checked: the recipe turns suspects off"


def test_every_kept_row_is_doubted_or_none_is(tmp_path: Path) -> None:
    lines = [*labelled(60), "90,a tie,good,ann,", "90,a tie,bad,bob,"]
    one, report = looked_at(tmp_path / "a", lines, more='consensus = "majority"\nsuspect_share = 0.05')
    doubted = table(one, "suspect", "doubted")
    assert [line["id"] for line in doubted] == [row["id"] for row in table(one, "audit")] != []
    assert rejected(one, "audit") == [("s/90", "tied")]
    assert {line["id"] for line in suspects(one)} <= {line["id"] for line in doubted}
    rate = report["details"]["error_rate"]
    assert 0 <= rate["low"] <= rate["value"] <= rate["high"] <= 1
    off, report = looked_at(tmp_path / "b", lines, more='suspects = "off"')
    assert table(off, "suspect", "doubted") == []
    assert report["details"]["error_rate"] == {}


def test_a_row_that_only_gold_answers_is_settled_by_it(tmp_path: Path) -> None:
    toml = LONG.replace('time = "when"', 'time = "when", gold = "true"') + f"[audit]\nbootstrap = 20\n{MAJORITY}"
    lines = ["1,text one,,,,good", "2,text two,bad,ann,,", "2,text two,bad,bob,,", "3,text three,good,ann,,bad"]
    one = made(tmp_path, toml, {"rows.csv": csv("id,text,label,who,when,true", lines)})
    report = built(one, "audit")["audit"]
    assert adds_up(report)
    assert kept(one) == {"s/1": ["good"], "s/2": ["bad"], "s/3": ["bad"]}
    assert row_of(one, "s/1")["confidence"] == 1.0
    assert report["details"]["annotations"] == {"counted": 3, "gold": 2}


def test_agreement_in_the_report(tmp_path: Path) -> None:
    lines = [f"{n},text {n},{('good', 'bad')[n % 2]},{who}," for n in range(20) for who in ("ann", "bob")]
    _, report = audited(tmp_path, lines)
    told = report["details"]["agreement"]
    assert told["headline"] == told["all"][0]
    assert (told["headline"]["name"], told["headline"]["value"]) == ("alpha (nominal)", 1.0)
    assert (told["headline"]["rows"], told["headline"]["answers"]) == (20, 40)
    cards = report["details"]["annotators"]["cards"]
    assert [(card["name"], card["answers"]) for card in sorted(cards, key=lambda card: card["name"])] == [
        ("ann", 20),
        ("bob", 20),
    ]


def test_gold_is_the_answer_of_its_row_and_no_vote(tmp_path: Path) -> None:
    lines = [
        f"{n},text {n},{'bad' if who == 'cat' or n == 3 else 'good'},{who},,{'good' if n < 6 else ''}"
        for n in range(12)
        for who in ("ann", "bob", "cat")
    ]
    toml = LONG.replace('time = "when"', 'time = "when", gold = "true"') + "[audit]\nbootstrap = 20\n"
    one = made(tmp_path, toml, {"rows.csv": csv("id,text,label,who,when,true", lines)})
    report = built(one, "audit")["audit"]
    rows = {row["id"]: (row["labels"], row["confidence"]) for row in table(one, "audit")}
    assert rows["s/3"] == (["good"], 1.0)
    assert {tuple(labels) for labels, _ in rows.values()} == {("good",)}
    assert report["details"]["annotations"] == {"counted": 36, "gold": 6, "superseded": 12}
    gold = {card["name"]: card["gold"] for card in report["details"]["annotators"]["cards"]}
    assert (gold["cat"]["right"], gold["cat"]["asked"]) == (0, 6)
    assert "(gold)" not in gold


def test_other_tools_are_another_question(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "please order a pizza for me"}]
    records = [
        {
            "id": tool,
            "tools": [{"name": tool}],
            "messages": [*turns, {"role": "assistant", "content": f"I call {tool}"}],
        }
        for tool in ("order", "search")
    ]
    source = '[[ingest.source]]\nname = "s"\nfiles = ["rows"]\nformat = "messages"\n'
    recipe = f'task = "chat"\n{source}columns = {{ id = "id" }}\n'
    one = made(tmp_path, recipe, {"rows": jsonl(records)})
    assert built(one, "audit")["audit"]["counts"]["rejected"] == 0


def test_an_audit_without_a_bootstrap_has_no_intervals(tmp_path: Path) -> None:
    one = made(tmp_path, LONG + "[audit]\nbootstrap = 0\n", {"rows.csv": csv("id,text,label,who,when", ROWS)})
    report = built(one, "audit")["audit"]
    assert report["details"]["agreement"]["headline"].get("low") is None
