"""Replaying: decisions on rows, on parts of answers and by rules, in builds that grow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import decisions
from tests.small import built, csv, made, rejected, table

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

NAMES = "".join(f'[[guideline.label]]\nname = "{name}"\n' for name in ("LOC", "ORG", "PER"))
TAGS = f"""
task = "tagging"
{{more}}
[ingest]
[[ingest.source]]
name = "s"
files = ["rows.jsonl"]
format = "jsonl"
columns = {{{{ id = "id", text = "text", spans = "spans" }}}}
[guideline]
{NAMES}
"""


def line(row: str = "", verdict: str = "wrong", who: str = "mo", **more: Any) -> dict[str, Any]:
    return {**({"row": row} if row else {}), "verdict": verdict, "who": who, "when": "2026-01-05", "why": "seen"} | more


def row(number: int, text: str, *marks: tuple[str, str]) -> dict[str, Any]:
    spans = [{"start": text.index(what), "end": text.index(what) + len(what), "label": label} for what, label in marks]
    return {"id": str(number), "text": text, "spans": spans}


ROWS = [
    row(1, "Arsenal beat Leeds in London", ("Arsenal", "LOC"), ("London", "LOC")),
    row(2, "We saw arsenal play", ("arsenal", "LOC")),
    row(3, "Anna went to Arsenal station", ("Anna", "PER"), ("Arsenal", "LOC")),
    row(4, "😀 Arsenal lost", ("Arsenal", "ORG")),
]


def audited(folder: Path, rows: list[dict[str, Any]], told: list[dict[str, Any]], more: str = "") -> Any:
    files = {"rows.jsonl": "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in rows)}
    one = made(folder, TAGS.format(more=more), files)
    if told:
        decisions.add(one.decisions, told)
    return one, built(one, "audit")["audit"]


def marked(one: Recipe) -> dict[str, list[tuple[str, str]]]:
    return {each["id"]: [(span["text"], span["label"]) for span in each["spans"]] for each in table(one, "audit")}


def test_parts_of_one_answer_are_decided_one_by_one_by_several_people(tmp_path: Path) -> None:
    told = [
        line("s/1", part="0:7", was="LOC", answer="ORG"),
        line("s/1", part="13:18", was="O", answer="ORG", who="ann"),
        line("s/1", "fine", part="22:28", was="LOC", who="ann"),
        line("s/3", part="13:20", was="ORG", answer="PER"),
    ]
    one, report = audited(tmp_path, ROWS, told)
    assert marked(one)["s/1"] == [("Arsenal", "ORG"), ("Leeds", "ORG"), ("London", "LOC")]
    found = report["details"]["decisions"]
    assert (found["used"], found["conflicts"], found["without_effect"]) == ({"fine": 1, "wrong": 2}, [], [])
    (stale,) = found["stale"]
    assert stale.startswith("decisions.jsonl:4: row s/3 at 13:20, wrong by mo: stale, not followed: the answer is an")


def test_a_part_that_is_not_there_any_more_is_stale_and_stops_nothing(tmp_path: Path) -> None:
    told = [line("s/2", part="90:99", answer="ORG"), line("s/2", part="0:2", was="O", answer="CITY")]
    _, report = audited(tmp_path, ROWS, told)
    first, second = report["details"]["decisions"]["stale"]
    assert first.startswith("decisions.jsonl:1: row s/2 at 90:99, wrong by mo: stale, not followed: what was judged is")
    assert second.endswith("is not there (unknown_label: 'CITY' is no label or alias of guideline 1)")


RULE = {"given": "LOC", "becomes": "ORG", "surfaces": ["arsenal"]}


def test_a_rule_settles_all_that_it_speaks_of_also_rows_that_come_later(tmp_path: Path) -> None:
    told = [line(rule=RULE), line("s/3", "fine", part="13:20", was="LOC", why="the station")]
    one, report = audited(tmp_path / "a", ROWS, told)
    assert [marks[-1] if at != "s/1" else marks[0] for at, marks in sorted(marked(one).items())] == [
        ("Arsenal", "ORG"), ("arsenal", "ORG"), ("Arsenal", "LOC"), ("Arsenal", "ORG")
    ]  # fmt: skip
    (ruled,) = report["details"]["decisions"]["by_rule"]
    assert (ruled["rule"], ruled["parts"]) == (RULE, 2)
    grown, report = audited(tmp_path / "b", [*ROWS, row(5, "Come on Arsenal!", ("Arsenal", "LOC"))], told)
    assert marked(grown)["s/5"] == [("Arsenal", "ORG")]
    assert report["details"]["decisions"]["by_rule"][0]["parts"] == 3


def test_an_undone_rule_is_as_if_it_had_never_been(tmp_path: Path) -> None:
    one, _ = audited(tmp_path / "a", ROWS, [line(rule=RULE)])
    name = decisions.read(one.decisions).lines[0].id
    undone, report = audited(
        tmp_path / "b", ROWS, [line(rule=RULE), {"undo": name, "who": "a", "when": "b", "why": "c"}]
    )
    never, _ = audited(tmp_path / "c", ROWS, [])
    assert marked(undone) == marked(never)
    assert report["details"]["decisions"]["undone"] == 1


def test_rules_of_two_people_that_differ_are_a_conflict_where_they_meet(tmp_path: Path) -> None:
    other = {"given": "LOC", "becomes": "PER", "surfaces": ["Arsenal", "London"]}
    one, report = audited(tmp_path, ROWS, [line(rule=RULE), line(rule=other, who="ann")])
    assert marked(one)["s/1"] == [("Arsenal", "LOC"), ("London", "PER")]
    assert len(report["details"]["decisions"]["conflicts"]) == 3


def test_people_who_differ_change_nothing_and_the_gate_tells(tmp_path: Path) -> None:
    told = [line("s/2", part="7:14", was="LOC", answer="ORG"), line("s/2", "fine", "ann", part="7:14", was="LOC")]
    one, report = audited(tmp_path, ROWS, told)
    assert marked(one)["s/2"] == [("arsenal", "LOC")]
    (conflict,) = report["details"]["decisions"]["conflicts"]
    assert conflict == (
        "row s/2 at 7:14: mo says wrong (ORG) (decisions.jsonl:1); ann says fine (decisions.jsonl:2)"
    )  # fmt: skip


MOODS = """
task = "classification"
[ingest]
[[ingest.source]]
name = "s"
files = ["rows.csv"]
format = "csv"
columns = {{ id = "id", text = "text", label = "label", annotator = "who" }}
[guideline]
[[guideline.label]]
name = "good"
[[guideline.label]]
name = "bad"
[audit]
consensus = "majority"
duplicates = "off"
{more}
"""
LINES = ["1,fine day,good,a", "1,fine day,good,b", "1,fine day,bad,c", "2,awful,bad,a"]


@pytest.mark.parametrize("keeps", [True, False])
def test_ambiguous_is_kept_as_a_distribution(tmp_path: Path, *, keeps: bool) -> None:
    more = 'ambiguous = "keep"' if keeps else ""
    one = made(tmp_path, MOODS.format(more=more), {"rows.csv": csv("id,text,label,who", LINES)})
    shares = {"bad": 0.75, "good": 0.25}
    decisions.add(one.decisions, [line("s/1", "ambiguous"), line("s/2", "ambiguous", who="ann", shares=shares)])
    built(one, "audit")
    told = [
        (each["id"], each["label"], round(each["share"], 3), each["by"])
        for each in table(one, "audit", "distributions")
    ]
    assert told == [
        ("s/1", "good", 0.667, "annotators"), ("s/1", "bad", 0.333, "annotators"),
        ("s/2", "bad", 0.75, "ann"), ("s/2", "good", 0.25, "ann"),
    ]  # fmt: skip
    assert [each["id"] for each in table(one, "audit")] == (["s/1", "s/2"] if keeps else [])
    assert rejected(one, "audit") == ([] if keeps else [("s/1", "ambiguous"), ("s/2", "ambiguous")])


def test_what_was_decided_for_certain_has_one_share(tmp_path: Path) -> None:
    one = made(tmp_path, MOODS.format(more=""), {"rows.csv": csv("id,text,label,who", LINES)})
    decisions.add(one.decisions, [line("s/1", answer=["bad"]), line("s/2", "drop")])
    built(one, "audit")
    (told,) = table(one, "audit", "distributions")
    assert (told["id"], told["label"], told["share"], told["by"]) == ("s/1", "bad", 1.0, "mo")


def test_a_rule_on_whole_answers(tmp_path: Path) -> None:
    one = made(tmp_path, MOODS.format(more=""), {"rows.csv": csv("id,text,label,who", LINES)})
    rule = {"given": "good", "becomes": "bad", "phrases": ["day"]}
    decisions.add(one.decisions, [line(rule=rule)])
    built(one, "audit")
    assert {each["id"]: each["labels"] for each in table(one, "audit")} == {"s/1": ["bad"], "s/2": ["bad"]}


def id_of(entry: dict[str, Any]) -> str:
    return decisions.line_id(entry)


def moods(folder: Path, told: list[dict[str, Any]], more: str = "", lines: list[str] | None = None) -> Any:
    one = made(folder, MOODS.format(more=more), {"rows.csv": csv("id,text,label,who", lines or LINES)})
    decisions.add(one.decisions, told)
    return one, built(one, "audit")["audit"]["details"]["decisions"]


def label_of(one: Recipe, row: str = "s/1") -> list[str] | None:
    return {each["id"]: each["labels"] for each in table(one, "audit")}.get(row)


def test_who_thinks_again_of_the_same_is_followed_in_the_last_word(tmp_path: Path) -> None:
    first = line("s/1", was=["good"], answer=["bad"])
    one, found = moods(tmp_path, [first, line("s/1", "fine", was=["good"], why="second thought")])
    assert (label_of(one), found["stale"], found["used"]) == (["good"], [], {"fine": 1})


def test_who_comes_round_to_another_is_followed_with_him(tmp_path: Path) -> None:
    told = [
        line("s/1", "fine", was=["good"]),
        line("s/1", who="ann", was=["good"], answer=["bad"]),
        line("s/1", was=["good"], answer=["bad"]),
    ]
    one, found = moods(tmp_path, told)
    assert (label_of(one), found["stale"], found["conflicts"]) == (["bad"], [], [])


def test_an_adjudicator_is_followed_and_not_those_whom_he_settled(tmp_path: Path) -> None:
    two = [line("s/1", was=["good"], answer=["bad"]), line("s/1", "fine", "ann", was=["good"])]
    last = line("s/1", "fine", "eve", was=["good"], settles=[id_of(one) for one in two])
    one, found = moods(tmp_path, [*two, last])
    assert (label_of(one), found["stale"], found["conflicts"]) == (["good"], [], [])


def test_all_who_judged_a_text_that_is_another_now_are_named_also_those_whom_somebody_settled(tmp_path: Path) -> None:
    two = [line("s/1", was=["good"], answer=["bad"], text="won"), line("s/1", "fine", "ann", was=["good"], text="won")]
    last = line("s/1", "wrong", "eve", was=["good"], answer=["bad"], text="won", settles=[id_of(one) for one in two])
    one, found = moods(tmp_path, [*two, last, line("s/2", "fine", was=["bad"], text="awful")])
    lapsed = "stale, not followed: the text is another"
    assert label_of(one) == ["good"]
    assert [told[:17] for told in sorted(found["stale"])] == [f"decisions.jsonl:{n}" for n in (1, 2, 3)]
    report = {"details": {"decisions": found}}
    assert decisions.lapsed(report) == {f"decisions.jsonl:{n}": lapsed for n in (1, 2, 3)}


def test_a_row_named_with_and_without_its_source_is_one_row(tmp_path: Path) -> None:
    told = [line("s/1", was=["good"], answer=["bad"]), line("1", "fine", "ann", was=["good"])]
    one, found = moods(tmp_path, told)
    assert label_of(one) == ["good"]
    assert len(found["conflicts"]) == 1


def test_what_is_said_of_another_part_does_not_bring_back_a_row_that_was_taken_out(tmp_path: Path) -> None:
    told = [
        line("s/1", "drop"),
        line("s/3", "ambiguous", part="13:20", was="LOC"),
        line("s/1", "wrong", "ann", part="0:7", was="LOC", answer="ORG"),
        line("s/3", "wrong", "ann", part="0:4", was="PER", answer="ORG"),
    ]
    one, _ = audited(tmp_path, ROWS, told)
    assert set(marked(one)) == {"s/2", "s/4"}
    assert rejected(one, "audit") == [("s/1", "decided_out"), ("s/3", "ambiguous")]


def test_a_part_that_is_ambiguous_no_more_brings_its_row_back_and_has_no_shares(tmp_path: Path) -> None:
    part = {"part": "13:20", "was": "LOC"}
    told = [line("s/3", "ambiguous", **part), line("s/3", "wrong", **part, answer="ORG")]
    one, _ = audited(tmp_path, ROWS, told)
    assert marked(one)["s/3"] == [("Anna", "PER"), ("Arsenal", "ORG")]
    assert table(one, "audit", "distributions") == []


def test_who_judges_what_a_rule_made_is_followed_beside_it(tmp_path: Path) -> None:
    told = [line(rule=RULE), line("s/2", part="7:14", was="ORG", answer="PER")]
    one, report = audited(tmp_path, ROWS, told)
    assert marked(one)["s/2"] == [("arsenal", "PER")]
    assert report["details"]["decisions"]["stale"] == []


def test_a_decision_that_no_longer_fits_stops_no_rule(tmp_path: Path) -> None:
    told = [line(rule=RULE), line("s/2", "fine", part="7:14", was="LOC", text="another text altogether")]
    one, report = audited(tmp_path, ROWS, told)
    assert marked(one)["s/2"] == [("arsenal", "ORG")]
    assert len(report["details"]["decisions"]["stale"]) == 1


def test_a_span_with_other_ends_is_the_persons_own_too(tmp_path: Path) -> None:
    told = [line(rule=RULE), line("s/3", part="13:28", was="LOC at 13:20", answer="LOC")]
    one, report = audited(tmp_path, ROWS, told)
    assert marked(one)["s/3"] == [("Anna", "PER"), ("Arsenal station", "LOC")]
    assert report["details"]["decisions"]["stale"] == []


def test_a_later_rule_speaks_of_what_an_earlier_one_made(tmp_path: Path) -> None:
    later = {"given": "ORG", "becomes": "PER", "surfaces": ["arsenal"]}
    one, _ = audited(tmp_path, ROWS, [line(rule=RULE), line(rule=later, why="players are meant")])
    told = [label for marks in marked(one).values() for what, label in marks if what.lower() == "arsenal"]
    assert told == ["PER"] * 4


def test_rules_that_undo_one_another_come_to_an_end(tmp_path: Path) -> None:
    back = {"given": "ORG", "becomes": "LOC", "surfaces": ["arsenal"]}
    one, _ = audited(tmp_path, ROWS, [line(rule=RULE), line(rule=back)])
    assert {label for marks in marked(one).values() for what, label in marks if what.lower() == "arsenal"} == {"LOC"}
