"""Rounds that are out at once: whatever the order in which they come back, nothing is lost and the last word counts."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import decisions, exchange, reviewing
from pipeline.exchange import rounds
from pipeline.tasks import canonical, task
from pipeline.tools.doccano import _in_units as in_units
from tests.exchange.rounds import decided, entities, topics
from tests.exchange.test_exchange import filled, sent, sheet, whole
from tests.small import ALONE, built

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pipeline.recipe import Recipe

Spans = list[tuple[int, int, str]]
ROW, OTHER = "s/7", "s/19"
PEOPLE = ("ann", "bob")
QUICK = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Said(NamedTuple):
    """What one person says of a row in a round: which of several answers."""

    round: int
    who: str
    row: str
    answer: int


class Out(NamedTuple):
    """A round that is out: its name, its folder, its tool."""

    id: str
    folder: Path
    tool: str


class Case(NamedTuple):
    """A built data set with rounds that are out, nothing of which is back."""

    recipe: Recipe
    out: list[Out]
    answers: dict[str, list[Spans]]
    rows: dict[str, Any]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("rounds")
    one = entities(folder)
    out = []
    for at, tool in enumerate(("label-studio", "label-studio", "doccano", "sheet")):
        place = folder / f"{at}"
        done = exchange.send(one, tool, place, who=f"person {at}", engine=ALONE)
        out.append(Out(done.round, place, tool))
    rows = {row: whole(one, row) for row in (ROW, OTHER)}
    answers = {row: variants(rows[row]) for row in rows}
    return Case(one, out, answers, rows)


def variants(row: dict[str, Any]) -> list[Spans]:
    """As it was; the place put right; the name taken away as well; the place with another end; nothing at all."""
    (name, place) = ((one["start"], one["end"], one["label"]) for one in row["spans"])
    right = (place[0], place[1], "LOC")
    return [[name, place], [name, right], [right], [name, (place[0], place[1] + 6, "ORG")], []]


def fresh(case: Case) -> Recipe:
    case.recipe.decisions.unlink(missing_ok=True)
    (rounds.folder(case.recipe) / "back.jsonl").unlink(missing_ok=True)
    return case.recipe


def export(case: Case, at: int, said: Iterable[tuple[Said, int]]) -> Path:
    """The file of a round with these answers, each at its second where the tool tells times."""
    out = case.out[at]
    make = {"label-studio": studio, "doccano": doccano, "sheet": table}[out.tool]
    return make(out.folder, [(one, case.answers[one.row][one.answer], second) for one, second in said])


def studio(folder: Path, said: Sequence[tuple[Said, Spans, int]]) -> Path:
    tasks = json.loads((folder / "tasks.json").read_text(encoding="utf-8"))
    for one in tasks:
        text = one["data"]["text"]
        one["annotations"] = [
            {
                "id": second,
                "completed_by": {"email": each.who},
                "updated_at": f"2026-01-05T10:00:{second:02}Z",
                "result": [
                    {"id": f"r{start}", "from_name": "assay_spans", "to_name": "text", "type": "labels",
                     "value": {"start": start, "end": end, "text": text[start:end], "labels": [label]}}
                    for start, end, label in spans
                ],
            }
            for each, spans, second in said
            if each.row == one["data"]["assay_row"]
        ]  # fmt: skip
    path = folder / "export.json"
    path.write_text(json.dumps(tasks, ensure_ascii=False), encoding="utf-8")
    return path


def doccano(folder: Path, said: Sequence[tuple[Said, Spans, int]]) -> Path:
    lines = {one["id"]: one for one in map(json.loads, (folder / "tasks.jsonl").read_text().splitlines())}
    told = [
        {**lines[each.row], "label": in_units(lines[each.row]["text"], spans), "username": each.who}
        for each, spans, _ in said
    ]
    path = folder / "all.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in told), encoding="utf-8")
    return path


def table(folder: Path, said: Sequence[tuple[Said, Spans, int]]) -> Path:
    lines = {one["id"]: one for one in sheet(folder)}
    return filled(
        folder,
        [{**lines[each.row], "verdict": "wrong", "right_answer": spans, "who": each.who} for each, spans, _ in said],
    )


def last_word(case: Case, who: str, row: str) -> str:
    """What the decisions of one person alone make of a row; none that changes anything may be stale."""
    kind = task(case.recipe.settings.task, case.recipe.settings.guideline)
    lines = decisions.read(case.recipe.decisions).lines
    own = tuple(line for line in lines if line.who == who)
    now = canonical(kind.answer(case.rows[row]))
    for one in decisions.book(own).standing:
        if one.row != row:
            continue
        understood = decisions.understood(one, case.rows[row], kind, settled=now)
        if one.verdict == "wrong":  # who left a stretch that another gave other ends is on record for what that judged
            assert not understood.stale(now)
            now = understood.answer or now
    return now


SAID = st.builds(Said, st.integers(2, 3), st.sampled_from(PEOPLE), st.sampled_from((ROW, OTHER)), st.integers(0, 3))
"""In tools that tell no times; where nothing is marked, doccano does not tell whether anybody looked."""
TIMED = st.builds(Said, st.integers(0, 1), st.sampled_from(PEOPLE), st.sampled_from((ROW, OTHER)), st.integers(0, 4))


@QUICK
@given(said=st.lists(TIMED, min_size=1, max_size=8), order=st.lists(st.integers(0, 7), min_size=2, max_size=4))
def test_the_latest_word_by_time_counts_in_whatever_order_rounds_come_back(
    case: Case, said: list[Said], order: list[int]
) -> None:
    """Each coming back holds what was answered by then, or less; at last everything has come back."""
    one = fresh(case)
    timed = list(zip(said, range(len(said)), strict=True))
    for at in [*order, 0, 1]:
        part = [pair for pair in timed if pair[0].round == at % 2][: at + 1]
        exchange.take(one, "label-studio", [export(case, at % 2, part)])
    for at in (1, 0):
        exchange.take(one, "label-studio", [export(case, at, [pair for pair in timed if pair[0].round == at])])
    lines = len(decided(one))
    for who, row in {(each.who, each.row) for each in said}:
        last = [each for each in said if (each.who, each.row) == (who, row)][-1]
        assert last_word(case, who, row) == canonical([list(span) for span in case.answers[row][last.answer]])
    taken = exchange.take(one, "label-studio", [export(case, 0, [pair for pair in timed if pair[0].round == 0])])
    assert (taken.lines, len(decided(one)), taken.problems) == (0, lines, [])
    back = {each.round.id: each.back for each in exchange.standings(one, decisions.read(one.decisions))}
    for at in (0, 1):
        assert back[case.out[at].id] == len({each.row for each in said if each.round == at})


@QUICK
@given(said=st.lists(SAID, min_size=1, max_size=8))
def test_the_latest_word_as_it_comes_in_counts_through_whatever_tool(case: Case, said: list[Said]) -> None:
    one = fresh(case)
    for second, each in enumerate(said):
        taken = exchange.take(one, case.out[each.round].tool, [export(case, each.round, [(each, second)])])
        assert taken.problems == []
    said = [each for at, each in enumerate(said) if each not in came_before(said, at)]
    for who, row in {(each.who, each.row) for each in said}:
        last = [each for each in said if (each.who, each.row) == (who, row)][-1]
        assert last_word(case, who, row) == canonical([list(span) for span in case.answers[row][last.answer]])


def came_before(said: Sequence[Said], at: int) -> list[Said]:
    """What came back last of the same round, person and row: the same once more is nothing new."""
    return [each for each in said[:at] if each[:3] == said[at][:3]][-1:]


def test_each_answer_is_held_to_what_went_out_in_its_own_round(tmp_path: Path) -> None:
    """A build between two rounds follows the first answer; what comes back late still judges what it was shown."""
    one = topics(tmp_path)
    first, other = sent(one), tmp_path / "late"
    exchange.send(one, "sheet", other, who="bob", engine=ALONE)
    (early, late) = (each.id for each in rounds.every(one))
    line = next(line for line in sheet(first) if line["id"] == "s/8")
    exchange.take(one, "sheet", [filled(first, [line | {"verdict": "fine", "who": "ann"}])])
    built(one, "suspect")
    assert whole(one, "s/8")["labels"] == ["sport"]
    late_line = next(line for line in sheet(other) if line["id"] == "s/8")
    taken = exchange.take(one, "sheet", [filled(other, [late_line | {"verdict": "fine", "who": "bob"}])])
    assert dict(taken.belongs) == {late: 1}
    by_who = {line["who"]: line for line in decided(one)}
    assert (by_who["ann"]["round"], by_who["bob"]["round"]) == (early, late)
    assert by_who["bob"]["was"] == ["art"]
    told = {each.round.id: (each.back, each.out) for each in taken.rounds}
    assert told[early] == told[late] == (1, len(rounds.every(one)[0].asked) - 1)


def test_what_names_no_round_is_held_to_the_round_that_asked_of_all_that_came_back(tmp_path: Path) -> None:
    one = entities(tmp_path)
    exchange.send(one, "brat", tmp_path / "all", engine=ALONE)
    exchange.send(one, "brat", tmp_path / "one", limit=1, engine=ALONE)
    every, few = (each.id for each in rounds.every(one))
    assert sum(exchange.take(one, "brat", [tmp_path / "all"], who="ann").belongs.values()) > 1
    assert exchange.take(one, "brat", [tmp_path / "one"], who="bob").belongs == {few: 1}
    told = {each.round.id: each.people for each in exchange.standings(one, decisions.read(one.decisions))}
    assert told == {every: ("ann",), few: ("bob",)}


def test_a_part_that_was_changed_and_is_changed_back_is_fine_again(case: Case) -> None:
    one = fresh(case)
    changed, as_it_was = Said(2, "ann", ROW, 2), Said(2, "ann", ROW, 0)
    for each in (changed, as_it_was, changed, as_it_was):
        exchange.take(one, "doccano", [export(case, 2, [(each, 0)])])
        assert last_word(case, "ann", ROW) == canonical([list(span) for span in case.answers[ROW][each.answer]])
    name = case.answers[ROW][0][0]
    verdicts = [line["verdict"] for line in decided(one) if line.get("part") == f"{name[0]}:{name[1]}"]
    assert verdicts == ["wrong", "fine", "wrong", "fine"]


def test_a_verdict_on_the_row_takes_back_what_was_changed_in_it(case: Case) -> None:
    one = fresh(case)
    exchange.take(one, "sheet", [export(case, 3, [(Said(3, "ann", ROW, 2), 0)])])
    line = next(line for line in sheet(case.out[3].folder) if line["id"] == ROW)
    exchange.take(one, "sheet", [filled(case.out[3].folder, [line | {"verdict": "drop", "who": "ann"}])])
    assert [line.verdict for line in decisions.read(one.decisions).standing] == ["drop"]
    exchange.take(one, "sheet", [export(case, 3, [(Said(3, "ann", ROW, 1), 0)])])
    assert "drop" not in {line.verdict for line in decisions.read(one.decisions).standing}


def test_what_one_left_in_another_round_is_in_conflict_with_what_the_other_changed(case: Case) -> None:
    for order in ((0, 1), (1, 0)):
        one = fresh(case)
        said = [Said(0, "ann", ROW, 1), Said(1, "bob", ROW, 2)]
        for at in order:
            exchange.take(one, "label-studio", [export(case, at, [(said[at], at)])])
        (conflict,) = decisions.read(one.decisions).conflicts
        assert {voice.who: voice.verdict for voice in conflict.voices} == {"ann": "fine", "bob": "wrong"}


def test_a_round_that_was_closed_is_not_waited_for_and_still_comes_back(case: Case) -> None:
    one = fresh(case)
    exchange.close(one, [case.out[2].id])
    closed = {each.round.id: each for each in exchange.standings(one, decisions.read(one.decisions))}[case.out[2].id]
    assert (closed.is_closed, closed.out) == (True, 0)
    taken = exchange.take(one, "doccano", [export(case, 2, [(Said(2, "ann", ROW, 1), 0)])])
    assert (taken.belongs, len(taken.people)) == ({case.out[2].id: 1}, 1)
    with pytest.raises(Exception, match="no such round went out"):
        exchange.close(one, ["r0"])


def test_a_round_of_an_earlier_version_still_comes_back(tmp_path: Path) -> None:
    one = topics(tmp_path)
    folder = sent(one)
    (path,) = rounds.folder(one).glob("r*.jsonl")
    head, *rest = path.read_text(encoding="utf-8").splitlines()
    told = {name: value for name, value in json.loads(head).items() if name in ("round", "tool")}
    path.write_text("\n".join([json.dumps(told), *rest]) + "\n", encoding="utf-8")
    lines = [{**line, "verdict": "fine", "who": "ann"} for line in sheet(folder) if line["id"] == "s/8"]
    for line in lines:
        line.pop("sent_in")
    assert exchange.take(one, "sheet", [filled(folder, lines)]).belongs == {told["round"]: 1}


# -- people who differ


@pytest.mark.parametrize("tool", ["label-studio", "doccano", "sheet"])
@pytest.mark.parametrize("answer", [1, 2, 0])
def test_who_judges_what_others_differ_on_has_the_last_word(case: Case, tmp_path: Path, tool: str, answer: int) -> None:
    one = fresh(case)
    said = [Said(0, "ann", ROW, 1), Said(1, "bob", ROW, 2)]
    for at in (0, 1):
        exchange.take(one, "label-studio", [export(case, at, [(said[at], at)])])
    done = exchange.send(one, tool, tmp_path / "out", what=exchange.CONFLICTS, engine=ALONE)
    assert (done.rows, done.blind) == (1, 0)
    text = done.files[0].read_text(encoding="utf-8")
    assert "ann: PER, as it was" in text
    assert "bob: O" in text
    apart = case._replace(out=[Out(done.round, tmp_path / "out", tool)])
    taken = exchange.take(one, tool, [export(apart, 0, [(Said(0, "eve", ROW, answer), 30)])])
    assert (taken.problems, taken.belongs) == ([], {done.round: 1})
    book = decisions.read(one.decisions)
    assert book.conflicts == ()
    name = case.answers[ROW][0][0]
    settling = [line for line in book.standing if line.settles and line.part == f"{name[0]}:{name[1]}"]
    assert [(line.who, len(line.settles)) for line in settling] == [("eve", 2)]
    assert settling[0].verdict == ("wrong" if answer == 2 else "fine")
    for path in rounds.folder(one).glob(f"{done.round}.jsonl"):
        path.unlink()


@pytest.mark.parametrize("is_rebuilt", [False, True])
@pytest.mark.parametrize("answer", [3, 0, 1])
def test_what_an_adjudicator_makes_of_what_was_followed_already_is_built(
    tmp_path: Path, answer: int, is_rebuilt: bool
) -> None:
    """Nobody differs on the place, which he judges as it was made by the others: their lines are what his speaks of."""
    one = entities(tmp_path)
    answers, folder = variants(whole(one, ROW)), sent(one, "sheet")
    for who, at in (("ann", 1), ("bob", 2)):
        lines = {line["id"]: line for line in sheet(folder)}
        said = {**lines[ROW], "verdict": "wrong", "right_answer": answers[at], "who": who}
        exchange.take(one, "sheet", [filled(folder, [said])])
    if is_rebuilt:
        built(one, "suspect")
    done = exchange.send(one, "doccano", tmp_path / "out", what=exchange.CONFLICTS, engine=ALONE)
    lines = {each["id"]: each for each in map(json.loads, done.files[0].read_text().splitlines())}
    spans = [span for span in answers[answer] if span[2] != "PER"] if answer else [(*answers[0][1][:2], "ORG")]
    told = {**lines[ROW], "label": in_units(lines[ROW]["text"], spans), "username": "eve"}
    path = tmp_path / "all.jsonl"
    path.write_text(json.dumps(told) + "\n", encoding="utf-8")
    assert exchange.take(one, "doccano", [path]).problems == []
    report = built(one, "audit")["audit"]["details"]["decisions"]
    assert (report["stale"], report["conflicts"]) == ([], [])
    assert [(span["start"], span["end"], span["label"]) for span in whole(one, ROW)["spans"]] == spans


def test_a_whole_answer_counts_for_all_parts_until_another_answer_stands(case: Case, tmp_path: Path) -> None:
    """What becomes suspicious later is not asked of somebody who left it as it is; it is once it is another answer."""
    from pipeline.reviewing.opening import open_lines
    from tests.reviewing.queues import a_build, a_suspect

    one = fresh(case)
    exchange.take(one, "label-studio", [export(case, 0, [(Said(0, "ann", ROW, 1), 0)])])
    name, text = case.answers[ROW][0][0], case.rows[ROW]["text"]
    part, row = f"{name[0]}:{name[1]}", case.rows[ROW]
    book = decisions.read(one.decisions)
    assert not [line for line in book.lines if line.part == part]

    def left(given: str, **other: Any) -> int:
        shutil.rmtree(tmp_path / "again", ignore_errors=True)
        build = a_build(
            tmp_path / "again", [{**row, **other}], [a_suspect(ROW, given, "LOC", 0.9, part=part)], task="tagging"
        )
        return int(open_lines(reviewing.queue(build), book).lines.num_rows)

    assert left("PER") == 0
    assert left("ORG") == 1
    assert left("PER", text=text.replace("likes", "hates")) == 1
