"""Answers that compete are shown, one is chosen for all rows that read alike, and no conflict is left afterwards."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import decisions, reviewing, tasks
from pipeline.errors import AssayError, Unfit
from pipeline.reviewing import acts, detail, rivals
from pipeline.reviewing.desk import Desk
from pipeline.settings.guideline import Guideline
from tests.builds import a_tagged
from tests.reviewing.seats import served, tagging
from tests.reviewing.test_acts import HEAD, TALK, TEAMS, answers, names
from tests.reviewing.test_server import Visitor
from tests.small import built, jsonl, made, rejected

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

TEXT = "😀 Arsenal won in Leeds on Sunday."
OTHER = {"tagging": "Another thing by Smith.", "classification": "Another thing entirely."}
QA = {"context": "Rome is in Italy, and Paris is not.", "question": "Where is it?"}
ASKED = [TALK[0], {"role": "assistant", "content": "Paris."}]
FEELINGS = "multiple = true" + names("x", "y", "z")


def spans(*marks: tuple[int, int, str]) -> list[dict[str, Any]]:
    return [{"start": start, "end": end, "label": label} for start, end, label in marks]


def conflicting(folder: Path, task: str, rows: list[dict[str, Any]], guideline: str = "") -> Recipe:
    """A data set whose rows read alike and are answered otherwise."""
    columns = ", ".join(f'{name} = "{name}"' for name in {name: None for row in rows for name in row})
    toml = HEAD.format(task=task, columns=columns, guideline=guideline, more="").replace('duplicates = "off"\n', "")
    one = made(folder, toml, {"rows.jsonl": jsonl(rows)})
    built(one, "audit")
    return one


def teams(folder: Path) -> Recipe:
    """Three rows that read alike, two of which mark a team as such, and one that reads otherwise."""
    rows = [
        {"id": "1", "text": TEXT, "spans": spans((2, 9, "LOC"), (17, 22, "LOC"))},
        {"id": "2", "text": TEXT, "spans": spans((2, 9, "ORG"), (17, 22, "LOC"))},
        {"id": "3", "text": TEXT.lower().replace("won in", "won  in"), "spans": spans((2, 9, "ORG"), (18, 23, "LOC"))},
        {"id": "4", "text": OTHER["tagging"], "spans": spans((17, 22, "PER"))},
    ]
    return conflicting(folder, "tagging", rows, TEAMS)


def sent(group: str, **told: Any) -> dict[str, Any]:
    return {"act": "act-00000001", "scope": "group", "target": group, "verdict": "wrong"} | told


@pytest.mark.parametrize(("key", "label"), [(0, "ORG"), (1, "LOC")])
def test_the_answer_that_is_chosen_holds_for_rows_of_entities_that_read_alike(
    tmp_path: Path, key: int, label: str
) -> None:
    one = teams(tmp_path)
    assert dict(rejected(one, "audit")) == {"s/1": "conflict", "s/2": "conflict", "s/3": "conflict"}
    with served(Desk(one, reviewing.queue(one))) as page:
        visitor = Visitor(page.links["anna"]).enter()
        (entry,) = visitor.told("/api/list?view=value")["entries"]
        told = visitor.told(f"/api/group?group={entry['group']}")
        assert [choice["name"] for choice in told["choices"][:2]] == [
            "“Arsenal” ORG, “Leeds” LOC", "“Arsenal” LOC, “Leeds” LOC",
        ]  # fmt: skip
        assert [choice["passage"]["spans"][0] for choice in told["choices"][:2]] == [[2, 9, "ORG"], [2, 9, "LOC"]]
        assert visitor.told("/api/decide", sent(entry["group"], like=told["choices"][key]["like"]))["written"] == 3
        assert visitor.told(f"/api/group?group={entry['group']}")["done"]
    report = built(one, "audit")["audit"]["details"]["decisions"]
    assert answers(one) == {"s/1": [[2, 9, label], [17, 22, "LOC"]], "s/4": [[17, 22, "PER"]]}
    assert (report["stale"], report["without_effect"], report["conflicts"]) == ([], [], [])
    assert not reviewing.queue(one).lines.num_rows


@pytest.mark.parametrize("chosen", [{"label": "good"}, {"label": "bad"}, {"label": "so"}])
def test_the_label_that_is_chosen_holds_for_rows_that_read_alike(tmp_path: Path, chosen: dict[str, str]) -> None:
    rows = [{"id": str(at), "text": TEXT, "label": label} for at, label in enumerate(("good", "bad", "bad"))]
    rows += [{"id": "9", "text": OTHER["classification"], "label": "good"}]
    one = conflicting(tmp_path, "classification", rows, names("so", "good", "bad"))
    with served(Desk(one, reviewing.queue(one))) as page:
        visitor = Visitor(page.links["anna"]).enter()
        (entry,) = visitor.told("/api/list?view=value")["entries"]
        choices = visitor.told(f"/api/group?group={entry['group']}")["choices"]
        assert [(choice["label"], choice.get("rows")) for choice in choices] == [("bad", 2), ("good", 1), ("so", None)]
        assert visitor.told("/api/decide", sent(entry["group"], **chosen))["written"] == 3
    built(one, "audit")
    assert {id_: answer for id_, answer in answers(one).items() if id_ != "s/9"}.popitem()[1] == [chosen["label"]]
    assert "conflict" not in dict(rejected(one, "audit")).values()


MANY = [
    ("classification", [{"text": TEXT, "labels": ["x", "y"]}, {"text": TEXT, "labels": ["z"]}], FEELINGS),
    ("answering", [QA | {"answer": "Rome"}, QA | {"answer": "Italy"}], ""),
    ("chat", [{"messages": TALK}, {"messages": ASKED}], ""),
    ("rating", [{"text": TEXT, "rating": 1}, {"text": TEXT, "rating": 5}], "low = 0\nhigh = 5"),
    ("writing", [{"source": "Good morning", "target": "晚安"}, {"source": "Good morning", "target": "早上好"}], ""),
]


@pytest.mark.parametrize(("task", "rows", "guideline"), MANY, ids=[one[0] for one in MANY])
def test_one_answer_is_chosen_in_every_task(
    tmp_path: Path, task: str, rows: list[dict[str, Any]], guideline: str
) -> None:
    one = conflicting(tmp_path, task, [{"id": str(at)} | row for at, row in enumerate(rows, 1)], guideline)
    desk = Desk(one, reviewing.queue(one))
    (group,) = desk.groups["group"].to_pylist()
    found = {row["id"]: row for row, _ in rivals.of_group(desk, 0)}
    wanted = desk.task.answer(found["s/2"])
    with served(desk) as page:
        visitor = Visitor(page.links["anna"]).enter()
        assert {choice["like"] for choice in visitor.told(f"/api/group?group={group}")["choices"]} == {"s/1", "s/2"}
        assert visitor.told("/api/decide", sent(group, like="s/2"))["written"] == 2
    built(one, "audit")
    assert list(answers(one).values()) == [wanted]
    assert "conflict" not in dict(rejected(one, "audit")).values()


def test_an_answer_that_no_row_gives_is_written_for_all(tmp_path: Path) -> None:
    rows = [{"id": label, "text": TEXT, "spans": spans((2, 9, label))} for label in ("LOC", "PER")]
    one = conflicting(tmp_path, "tagging", rows, TEAMS)
    desk = Desk(one, reviewing.queue(one))
    (group,) = desk.groups["group"].to_pylist()
    with served(desk) as page:
        words = "😀 [Arsenal|ORG] won in [Leeds|LOC] on Sunday."
        assert Visitor(page.links["anna"]).enter().told("/api/decide", sent(group, words=words))["written"] == 2
    built(one, "audit")
    assert list(answers(one).values()) == [[[2, 9, "ORG"], [17, 22, "LOC"]]]


def test_rows_that_contradict_one_another_are_not_all_fine(tmp_path: Path) -> None:
    one = teams(tmp_path)
    desk = Desk(one, reviewing.queue(one))
    (group,) = desk.groups["group"].to_pylist()
    lines = dict(zip(desk.lines["id"].to_pylist(), desk.lines["line"].to_pylist(), strict=True))
    with served(desk) as page:
        visitor = Visitor(page.links["anna"]).enter()
        status, _, content = visitor.ask("/api/decide", sent(group, verdict="fine"))
        assert (status, "cannot all be fine" in json.loads(content)["error"]) == (422, True)
        assert decisions.read(one.decisions).lines == ()
        first = sent(lines["s/1"], scope="line", verdict="fine", act="act-00000002")
        alike = sent(group, verdict="fine", without=[lines["s/1"]])
        assert visitor.told("/api/decide", first)["written"] == 1
        assert visitor.ask("/api/decide", alike)[0] == 422
        assert visitor.told("/api/undo", {"act": "act-00000002"})["undone"]
        assert visitor.told("/api/decide", alike)["written"] == 2


def test_the_answer_of_a_row_that_is_gone_is_not_taken_over(tmp_path: Path) -> None:
    one = teams(tmp_path)
    desk = Desk(one, reviewing.queue(one))
    (group,) = desk.groups["group"].to_pylist()
    with served(desk) as page:
        status, _, content = Visitor(page.links["anna"]).enter().ask("/api/decide", sent(group, like="s/77"))
    assert (status, "not in the build" in json.loads(content)["error"]) == (422, True)


def test_a_part_takes_no_whole_answer_over(tmp_path: Path) -> None:
    desk = tagging(tmp_path)
    told = sent(desk.lines["line"][5].as_py(), scope="line", like="film/1")
    with pytest.raises(AssayError, match="only a whole answer"):
        acts.put_down(desk, acts.read(told), "anna")


def test_a_long_text_is_cut_about_where_the_answers_differ(tmp_path: Path) -> None:
    text = "We were in Leeds again. " * 100 + "Arsenal won." + " So it was." * 100
    at = text.index("Arsenal")
    rows = [
        {"id": label, "text": text, "spans": spans((11, 16, "LOC"), (at, at + 7, label))} for label in ("LOC", "ORG")
    ]
    one = conflicting(tmp_path, "tagging", rows, TEAMS)
    for choice in detail.line(Desk(one, reviewing.queue(one)), 0, "anna")["choices"]:
        passage = choice["passage"]
        assert len(passage["text"]) == rivals.WINDOW_CHARS
        ((start, end, _),) = passage["spans"]
        assert passage["text"][start - passage["base"] : end - passage["base"]] == "Arsenal"


def test_a_line_in_conflict_offers_the_answers_and_no_labels(tmp_path: Path) -> None:
    one = teams(tmp_path)
    desk = Desk(one, reviewing.queue(one))
    told = detail.line(desk, 0, "anna")
    assert {choice["label"] for choice in told["choices"]} == {"like:s/1", "like:s/2"}
    assert not any(passage["mark"] for passage in told["passages"])
    assert told["answer"] == "😀 [Arsenal|ORG] won in [Leeds|LOC] on Sunday."


KIND = tasks.task("tagging", Guideline())


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("rome, Rome and ROME", [[6, 10, "LOC"]]),
        ("Rome,  Rome and Rome", [[7, 11, "LOC"]]),
        ("rome,  rome  and rome", [[7, 11, "LOC"]]),
        ("Rome and Rome", None),
        ("Ｒｏｍｅ, Ｒｏｍｅ and Rome", None),
    ],
)
def test_a_mark_stands_at_the_same_one_of_the_places_that_read_so(text: str, wanted: Any) -> None:
    model, row = a_tagged("film/1", "Rome, Rome and Rome", []), a_tagged("film/2", text, [])
    model = KIND.with_answer(model, [[6, 10, "LOC"]])
    if wanted is None:
        with pytest.raises(Unfit, match="elsewhere"):
            rivals.taken_over(KIND, model, row)
    else:
        assert rivals.taken_over(KIND, model, row) == wanted
