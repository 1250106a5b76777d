"""What is decided on the page, of every task, is what the next build makes of the rows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import decisions, reviewing, tasks
from pipeline.reviewing import acts
from pipeline.reviewing.desk import Desk
from tests.reviewing.seats import a_group, a_line, queued, served
from tests.reviewing.test_server import Visitor
from tests.small import built, jsonl, made, rejected, table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.recipe import Recipe

HEAD = """
task = "{task}"
[ingest]
[[ingest.source]]
name = "s"
files = ["rows.jsonl"]
format = "jsonl"
columns = {{ {columns} }}
[audit]
duplicates = "off"
suspects = "off"
{more}
[guideline]
{guideline}
"""


def names(*labels: str) -> str:
    return "".join(f'\n[[guideline.label]]\nname = "{label}"' for label in labels)


@dataclass(frozen=True)
class Case:
    """Rows, what is doubted of the first (part, given, likely), what is sent, and what its answer is to become."""

    task: str
    row: dict[str, Any]
    doubted: tuple[str, str, str]
    sent: dict[str, Any]
    becomes: Any
    guideline: str = ""
    more: dict[str, Any] = field(default_factory=dict)


ZH = "😀 昨天阿森纳在里兹赢了👩‍👩‍👧。"
MARKED = {"text": ZH, "spans": [{"start": 4, "end": 7, "label": "LOC"}, {"start": 8, "end": 10, "label": "LOC"}]}
TEAMS = names("LOC", "ORG", "PER")
TALK = [{"role": "user", "content": "法国的首都是哪里？"}, {"role": "assistant", "content": "It is Lyon."}]
PAIRS: dict[str, Any] = {"text": "Zoë of Acme lives in Rome.", "relations": [[0, 2, "Work_For"]]}
PAIRS["entities"] = [
    {"start": 0, "end": 3, "label": "PER"},
    {"start": 7, "end": 11, "label": "ORG"},
    {"start": 21, "end": 25, "label": "LOC"},
]
WRONG = {"verdict": "wrong"}
CASES = [
    Case("classification", {"text": "太好看了", "label": "bad"}, ("", "bad", "good"), WRONG, ["good"],
         names("bad", "good")),
    Case("classification", {"text": "Well 😀", "label": "bad"}, ("", "bad", "good"), WRONG | {"label": "so"}, ["so"],
         names("bad", "good", "so")),
    Case("classification", {"text": "a, b", "labels": ["x", "y"]}, ("y", "yes", "no"), WRONG, ["x"],
         "multiple = true" + names("x", "y", "z")),
    Case("classification", {"text": "a, b", "labels": ["x", "y"]}, ("z", "no", "yes"), WRONG, ["x", "y", "z"],
         "multiple = true" + names("x", "y", "z")),
    Case("tagging", MARKED, ("4:7", "LOC", "ORG"), WRONG, [[4, 7, "ORG"], [8, 10, "LOC"]], TEAMS),
    Case("tagging", MARKED, ("4:7", "LOC", "O"), WRONG, [[8, 10, "LOC"]], TEAMS),
    Case("tagging", MARKED, ("12:14", "O", "PER"), WRONG, [[4, 7, "LOC"], [8, 10, "LOC"], [12, 14, "PER"]], TEAMS),
    Case("tagging", MARKED, ("4:7", "LOC", "ORG"), WRONG | {"label": "ORG", "mark": [2, 7]},
         [[2, 7, "ORG"], [8, 10, "LOC"]], TEAMS),
    Case("tagging", MARKED, ("4:7", "LOC", "ORG"), WRONG | {"label": "ORG", "mark": [6, 9]}, [[6, 9, "ORG"]], TEAMS),
    Case("tagging", MARKED, ("4:7", "LOC", "ORG"), WRONG | {"label": "PER", "mark": [12, 14]},
         [[8, 10, "LOC"], [12, 14, "PER"]], TEAMS),
    Case("answering", {"context": "😀 Rome is in Italy.", "question": "Where?", "answer": "Rome"},
         ("", '[[2,6,"Rome"]]', ""), WRONG | {"mark": [13, 18]}, [[13, 18, "Italy"]]),
    Case("writing", {"source": "Good morning", "target": "晚安"}, ("", "晚安", ""), WRONG | {"words": "早上好 😀"},
         "早上好 😀"),
    Case("chat", {"messages": TALK}, ("", "It is Lyon.", ""), WRONG | {"words": "巴黎。"}, "巴黎。"),
    Case("rating", {"text": "well", "rating": 1}, ("", "1", "4"), WRONG, 4, "low = 0\nhigh = 5"),
    Case("rating", {"text": "well", "rating": 1}, ("", "1", ""), WRONG | {"words": "3.5"}, 3.5, "low = 0\nhigh = 5"),
    Case("relations", PAIRS, ("", '[[0,2,"Work_For"]]', '[[0,1,"Work_For"]]'), WRONG, [[0, 1, "Work_For"]],
         names("Work_For", "Live_In")),
    Case("relations", PAIRS, ("", '[[0,2,"Work_For"]]', ""), WRONG | {"words": '[[0,2,"Live_In"]]'},
         [[0, 2, "Live_In"]], names("Work_For", "Live_In")),
]  # fmt: skip


def small(folder: Path, case: Case, rows: Sequence[dict[str, Any]]) -> Recipe:
    columns = ", ".join(f'{name} = "{name}"' for name in rows[0])
    toml = HEAD.format(task=case.task, columns=columns, guideline=case.guideline, more="")
    one = made(folder, toml, {"rows.jsonl": jsonl(rows)})
    built(one, "audit")
    return one


def answers(one: Recipe) -> dict[str, Any]:
    kind = tasks.task(one.settings.task, one.settings.guideline)
    return {row["id"]: kind.answer(row) for row in table(one, "audit")}


def desk_of(one: Recipe, doubted: Sequence[tuple[str, str, str, str]], **group: Any) -> Desk:
    kind = tasks.task(one.settings.task, one.settings.guideline)
    texts = {row["id"]: kind.shown(row) for row in table(one, "audit")}
    told = [
        a_line(id_, part, given=given, likely=likely, text=texts[id_], group="g1" if group else "")
        for id_, part, given, likely in doubted
    ]
    return Desk(one, queued(told, [a_group(told, **group)] if group else []))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.task} {case.doubted} {list(case.sent)}")
def test_what_is_decided_is_what_is_built(tmp_path: Path, case: Case) -> None:
    one = small(tmp_path, case, [{"id": "1"} | case.row, {"id": "2"} | case.row])
    before = answers(one)
    desk = desk_of(one, [("s/1", *case.doubted)])
    with served(desk) as page:
        sent = {"act": "act-00000001", "scope": "line", "target": desk.lines["line"][0].as_py(), **case.sent}
        told = Visitor(page.links["anna"]).enter().told("/api/decide", sent)
    assert told["written"]
    report = built(one, "audit")["audit"]
    assert answers(one) == before | {"s/1": case.becomes}
    found = report["details"]["decisions"]
    assert (found["stale"], found["without_effect"], found["conflicts"]) == ([], [], [])


@pytest.mark.parametrize("verdict", ["fine", "drop", "ambiguous"])
@pytest.mark.parametrize("case", CASES[::3], ids=lambda case: f"{case.task} {case.doubted}")
def test_every_other_verdict_is_followed_too(tmp_path: Path, case: Case, verdict: str) -> None:
    one = small(tmp_path, case, [{"id": "1"} | case.row, {"id": "2"} | case.row])
    before = answers(one)
    desk = desk_of(one, [("s/1", *case.doubted)])
    sent = {"act": "act-00000001", "scope": "line", "target": desk.lines["line"][0].as_py(), "verdict": verdict}
    acts.put_down(desk, acts.read(sent), "anna")
    report = built(one, "audit")["audit"]
    left = answers(one)
    assert left["s/2"] == before["s/2"]
    assert left.get("s/1") == (before["s/1"] if verdict == "fine" else None)
    assert [why for id_, why in rejected(one, "audit")] == {"fine": [], "drop": ["decided_out"]}.get(verdict, [verdict])
    assert report["details"]["decisions"]["stale"] == []


@pytest.mark.parametrize("scope", ["group", "rule"])
def test_a_group_and_a_rule_make_of_the_rows_what_they_say(tmp_path: Path, scope: str) -> None:
    case = CASES[4]
    rows = [{"id": str(at)} | case.row for at in range(4)]
    one = small(tmp_path, case, rows)
    rule = {"given": "LOC", "becomes": "ORG", "surfaces": ["阿森纳"]}
    desk = desk_of(one, [(f"s/{at}", *case.doubted) for at in range(3)], rule=json.dumps(rule))
    sent = {"act": "act-00000001", "scope": scope, "target": "g1", "verdict": "wrong"}
    acts.put_down(desk, acts.read(sent), "anna")
    report = built(one, "audit")["audit"]
    changed = [id_ for id_, spans in answers(one).items() if spans == case.becomes]
    assert changed == [f"s/{at}" for at in range(3 if scope == "group" else 4)]
    assert report["details"]["decisions"]["stale"] == []


SAID = [
    {"id": id_, "text": f"text {id_}", "label": label, "who": who}
    for id_ in "123"
    for who, label in (("a", "good"), ("b", "bad"))
] + [{"id": "4", "text": "clear", "label": "good", "who": "a"}]


@pytest.mark.parametrize("sent", [{"verdict": "fine"}, {"verdict": "wrong", "label": "good"},
                                  {"verdict": "wrong", "label": "bad"}, {"verdict": "ambiguous"}])  # fmt: skip
def test_a_row_that_was_held_back_comes_free_by_a_decision(tmp_path: Path, sent: dict[str, Any]) -> None:
    toml = HEAD.format(
        task="classification",
        columns='id = "id", text = "text", label = "label", annotator = "who"',
        more='consensus = "majority"\nties = "reject"',
        guideline=names("good", "bad"),
    )
    one = made(tmp_path, toml, {"rows.jsonl": jsonl(SAID)})
    built(one, "audit")
    assert [id_ for id_, _ in rejected(one, "audit")] == ["s/1", "s/2", "s/3"]
    waiting = reviewing.queue(one)
    assert set(waiting.lines["kind"].to_pylist()) == {"tied"}
    desk = Desk(one, waiting)
    at = desk.lines["id"].to_pylist().index("s/2")
    told = {"act": "act-00000001", "scope": "line", "target": desk.lines["line"][at].as_py(), **sent}
    acts.put_down(desk, acts.read(told), "anna")
    built(one, "audit")
    if sent["verdict"] == "wrong":
        assert answers(one)["s/2"] == [sent["label"]]
    assert dict(rejected(one, "audit")).get("s/2", "kept") == (
        "ambiguous" if sent["verdict"] == "ambiguous" else "kept"
    )
    assert "s/2" not in reviewing.queue(one).lines["id"].to_pylist()
    assert decisions.read(one.decisions).conflicts == ()
