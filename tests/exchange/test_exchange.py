"""Exchange: rows go out, answers come back as decisions, and nothing is passed over without a word."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import decisions, exchange, tools
from pipeline.errors import AssayError
from pipeline.exchange import rounds
from pipeline.fetch import RawFile
from pipeline.readers.record import ReadOptions, Record
from tests.exchange.rounds import decided, entities, topics
from tests.small import ALONE, built, table

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe


def sheet(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "sheet.jsonl").read_text(encoding="utf-8").splitlines()]


def filled(folder: Path, lines: list[dict[str, Any]]) -> Path:
    path = folder / "filled.jsonl"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return path


def sent(one: Recipe, tool: str = "sheet", **more: Any) -> Path:
    folder = one.folder / tool
    exchange.send(one, tool, folder, engine=ALONE, **more)
    return folder


def test_the_best_answer_so_far_goes_out_and_what_was_given_is_told(tmp_path: Path) -> None:
    one = topics(tmp_path)
    folder = sent(one)
    told = {line["id"]: line for line in sheet(folder)}
    (kept,) = rounds.every(one)
    assert json.loads(kept.asked["s/8"].was or "") == ["art"]
    assert json.loads(kept.asked["s/8"].suggested or "") == ["sport"]
    assert "sport" in str(told["s/8"]["answer"])
    assert "given: art" in str(told["s/8"]["why"])


def test_blind_rows_go_out_without_an_answer_and_come_back_as_blind(tmp_path: Path) -> None:
    one = topics(tmp_path, blind=1.0)
    folder = sent(one, limit=5)
    lines = sheet(folder)
    assert not any(line["answer"] for line in lines)
    for line in lines:
        line |= {"verdict": "wrong", "right_answer": "sport", "who": "ann"}
    exchange.take(one, "sheet", [filled(folder, lines)])
    assert all(line["blind"] for line in decided(one))


def test_a_sheet_comes_back_as_decisions_that_the_next_build_follows(tmp_path: Path) -> None:
    one = topics(tmp_path)
    folder = sent(one)
    lines = [line for line in sheet(folder) if line["id"] in ("s/8", "s/21")]
    for line in lines:
        line |= {"verdict": "fine", "who": "ann", "when": "2026-01-05"}  # what was proposed is fine
    taken = exchange.take(one, "sheet", [filled(folder, lines)])
    assert (taken.acts, taken.problems) == ({"wrong": 2}, [])
    found = {line["row"]: line for line in decided(one)}
    assert (found["s/8"]["was"], found["s/8"]["answer"], found["s/8"]["suggested"]) == (["art"], ["sport"], "sport")
    again = exchange.take(one, "sheet", [filled(folder, lines)])
    assert (again.known, again.lines, len(decided(one))) == (2, 0, 2)
    report = built(one, "audit")["audit"]
    assert report["details"]["decisions"]["used"] == {"wrong": 2}
    assert {row["id"]: row["labels"] for row in table(one, "audit")}["s/8"] == ["sport"]


@pytest.mark.parametrize("verdict", ["ambiguous", "drop"])
def test_other_verdicts_need_no_answer(tmp_path: Path, verdict: str) -> None:
    one = topics(tmp_path)
    folder = sent(one)
    line = next(line for line in sheet(folder) if line["id"] == "s/8") | {"verdict": verdict, "who": "ann"}
    exchange.take(one, "sheet", [filled(folder, [line])])
    (found,) = decided(one)
    assert (found["verdict"], found["was"], "answer" in found) == (verdict, ["art"], False)


def test_what_cannot_be_taken_in_is_told_with_its_place(tmp_path: Path) -> None:
    one = topics(tmp_path)
    folder = sent(one)
    good = next(line for line in sheet(folder) if line["id"] == "s/8")
    unknown = good | {"verdict": "wrong", "right_answer": "cooking", "who": "ann"}
    taken = exchange.take(one, "sheet", [filled(folder, [unknown])])
    ((place, why),) = taken.problems
    assert place.startswith("filled.jsonl:1")
    assert "cooking" in why
    assert decided(one) == []


def test_an_answer_of_nobody_is_refused_until_it_is_said_whose(tmp_path: Path) -> None:
    one = topics(tmp_path)
    folder = sent(one)
    line = next(line for line in sheet(folder) if line["id"] == "s/8") | {"verdict": "fine", "who": ""}
    with pytest.raises(AssayError, match="an answer names nobody"):
        exchange.take(one, "sheet", [filled(folder, [line])])
    exchange.take(one, "sheet", [filled(folder, [line])], who="eve")
    assert decided(one)[0]["who"] == "eve"


def test_a_trial_writes_nothing(tmp_path: Path) -> None:
    one = topics(tmp_path)
    folder = sent(one)
    line = next(line for line in sheet(folder) if line["id"] == "s/8") | {"verdict": "fine", "who": "ann"}
    assert exchange.take(one, "sheet", [filled(folder, [line])], dry=True).lines == 1
    assert not one.decisions.exists()


def test_a_text_that_is_another_one_by_now_is_told(tmp_path: Path) -> None:
    one = topics(tmp_path)
    folder = sent(one)
    line = next(line for line in sheet(folder) if line["id"] == "s/8") | {"verdict": "fine", "who": "ann"}
    path = one.folder / "rows.jsonl"
    path.write_text(path.read_text().replace("match 8 ", "match eight "))
    built(one, "suspect")
    taken = exchange.take(one, "sheet", [filled(folder, [line])])
    assert "the row reads" in taken.problems[0][1]


@pytest.mark.parametrize("verdict", ["ambiguous", "drop"])
def test_a_verdict_without_an_answer_is_held_to_the_text_that_went_out_as_well(tmp_path: Path, verdict: str) -> None:
    one = topics(tmp_path)
    folder = sent(one)
    line = next(line for line in sheet(folder) if line["id"] == "s/8") | {"verdict": verdict, "who": "ann"}
    path = one.folder / "rows.jsonl"
    path.write_text(path.read_text().replace("match 8 ", "match eight "))
    built(one, "suspect")
    assert "the row reads" in exchange.take(one, "sheet", [filled(folder, [line])]).problems[0][1]
    assert decided(one) == []


def test_what_no_tool_can_ask_is_refused_with_those_that_can(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="cannot ask for labels; these can: label-studio, doccano"):
        exchange.send(topics(tmp_path), "brat", tmp_path / "out")
    with pytest.raises(AssayError, match="no tool 'labelstudio'; did you mean 'label-studio'"):
        exchange.send(topics(tmp_path), "labelstudio", tmp_path / "out")


# -- a person in the tool's own files


def ls(folder: Path) -> Path:
    """Label Studio: what is proposed is submitted as it stands, by two people, one of them twice."""
    tasks = json.loads((folder / "tasks.json").read_text(encoding="utf-8"))
    for task in tasks:
        result: list[Any] = task["predictions"][0]["result"] if task.get("predictions") else []
        people: tuple[tuple[int, str, list[Any], str], ...] = (
            (1, "ann@x.org", result, "01"),
            (2, "bob@x.org", [], "01"),
            (3, "bob@x.org", result, "02"),
        )
        task["annotations"] = [
            {"id": at, "completed_by": {"email": who}, "result": said, "lead_time": 4.5,
             "updated_at": f"2026-01-{day}T10:00:00Z", "was_cancelled": False}
            for at, who, said, day in people
        ]  # fmt: skip
    path = folder / "export.json"
    path.write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
    return path


def test_spans_go_through_label_studio_and_back_with_emoji_before_them(tmp_path: Path) -> None:
    one = entities(tmp_path)
    folder = sent(one, "label-studio")
    taken = exchange.take(one, "label-studio", [ls(folder)])
    (kept,) = rounds.every(one)
    assert taken.problems == []
    assert taken.superseded == len(kept.asked)
    assert taken.people == {"ann@x.org": len(kept.asked), "bob@x.org": len(kept.asked)}
    found = [line for line in decided(one) if line["row"] == "s/7" and line["who"] == "bob@x.org"]
    wrong = [line for line in found if line["verdict"] == "wrong"]
    assert [(line["was"], line["answer"]) for line in wrong] == [("PER", "LOC")]
    start, end = map(int, wrong[0]["part"].split(":"))
    assert wrong[0]["text"][start:end] == PLACE_OF_7
    assert sum(line.get("seconds", 0) for line in found) == 4.5
    built(one, "audit")
    row = next(row for row in table(one, "audit") if row["id"] == "s/7")
    assert [span["label"] for span in row["spans"]] == ["PER", "LOC"]


PLACE_OF_7 = "上海"


def answers(tool: str, path: Path) -> dict[str, Any]:
    """What a tool's file says of every row, as its reader gives it."""
    records = list(tools.of(tool).read(RawFile(path.name, path), ReadOptions()))
    assert all(isinstance(record, Record) for record in records)
    return {str(record.fields["id"]): record.fields for record in records if isinstance(record, Record)}


@pytest.mark.parametrize("tool", ["doccano", "prodigy", "label-studio", "argilla"])
def test_every_tool_that_takes_spans_gets_all_rows(tmp_path: Path, tool: str) -> None:
    one = entities(tmp_path)
    done = exchange.send(one, tool, tmp_path / "out", engine=ALONE)
    (kept,) = rounds.every(one)
    assert done.rows == len(kept.asked) > 1
    (tasks,) = [path for path in done.files if path.stem in ("tasks", "records")]
    assert set(answers(tool, tasks)) == set(kept.asked)


def test_decisions_from_a_tool_settle_the_lines_of_the_queue(tmp_path: Path) -> None:
    from pipeline import reviewing

    one = entities(tmp_path)
    folder = sent(one, "label-studio")
    before = reviewing.open_lines(reviewing.queue(one), decisions.read(one.decisions))
    assert before.lines.num_rows
    exchange.take(one, "label-studio", [ls(folder)])
    after = reviewing.open_lines(reviewing.queue(one), decisions.read(one.decisions))
    assert after.lines.num_rows == 0


def marked(task: dict[str, Any], at: int, who: str, spans: list[tuple[int, int, str]]) -> dict[str, Any]:
    """An annotation of Label Studio with these marks."""
    result = [
        {"id": f"r{start}", "from_name": "assay_spans", "to_name": "text", "type": "labels",
         "value": {"start": start, "end": end, "text": task["data"]["text"][start:end], "labels": [label]}}
        for start, end, label in spans
    ]  # fmt: skip
    when = f"2026-01-0{at}T10:00:00Z"
    return {"id": at, "completed_by": {"email": who}, "result": result, "updated_at": when, "was_cancelled": False}


@pytest.mark.parametrize("one_by_one", [False, True])
@pytest.mark.parametrize("first", ["ann@x.org", "bob@x.org"])
def test_what_one_changes_and_another_leaves_is_a_conflict_where_nobody_asked_too(
    tmp_path: Path, first: str, *, one_by_one: bool
) -> None:
    """Both say LOC where they are asked; one takes the mark of the name away as well, about which nothing was asked."""
    one = entities(tmp_path)
    folder = sent(one, "label-studio")
    tasks = json.loads((folder / "tasks.json").read_text(encoding="utf-8"))
    (task,) = [task for task in tasks if task["data"]["assay_row"] == "s/7"]
    name, place = ((span["start"], span["end"]) for span in whole(one, "s/7")["spans"])
    asked = {line["part"] for line in rounds.every(one)[0].asked["s/7"].lines}
    assert f"{name[0]}:{name[1]}" not in asked
    said = {"ann@x.org": [(*place, "LOC")], "bob@x.org": [(*name, "PER"), (*place, "LOC")]}
    people = sorted(said, key=lambda who: who != first)
    task["annotations"] = [marked(task, at, who, said[who]) for at, who in enumerate(people, 1)]
    path = folder / "export.json"
    for count in (1, 2) if one_by_one else (2,):
        part = {**task, "annotations": task["annotations"][:count]}
        path.write_text(json.dumps([part], ensure_ascii=False), encoding="utf-8")
        exchange.take(one, "label-studio", [path])
    (conflict,) = decisions.read(one.decisions).conflicts
    assert conflict.part == f"{name[0]}:{name[1]}"
    assert {voice.who: voice.verdict for voice in conflict.voices} == {"ann@x.org": "wrong", "bob@x.org": "fine"}
    lines = len(decided(one))
    assert (exchange.take(one, "label-studio", [path]).lines, len(decided(one))) == (0, lines)
    built(one, "audit")
    assert [span["label"] for span in whole(one, "s/7")["spans"]] == ["PER", "LOC"]


def whole(one: Recipe, name: str) -> dict[str, Any]:
    return next(row for row in table(one, "audit") if row["id"] == name)
