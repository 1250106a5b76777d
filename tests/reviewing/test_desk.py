"""The desk knows what is judged and by whom, what comes next, and what a person may see."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline import decisions
from pipeline.errors import AssayError
from pipeline.quality.reviewed import dealt
from pipeline.reviewing import acts, detail, grouped
from pipeline.reviewing.desk import Desk
from pipeline.reviewing.fresh import Outdated
from pipeline.reviewing.ledger import Ledger
from tests.builds import a_recipe, a_tagged, a_text
from tests.reviewing.seats import FEELINGS, LABELS, a_line, built, feeling, queued, said, tagging, team_rows

ROOT = Path(__file__).resolve().parents[2]
numbers = iter(range(10**9))


def decide(desk: Desk, at: int, verdict: str = "fine", *, who: str = "anna", **more: Any) -> dict[str, Any]:
    """Decide on a line by its position."""
    sent = {"act": f"act-{next(numbers):08}", "scope": "line", "target": desk.lines["line"][at].as_py()}
    return acts.put_down(desk, acts.read({**sent, "verdict": verdict, **more}), who)


def on_group(
    desk: Desk, verdict: str = "wrong", *, who: str = "anna", scope: str = "group", **more: Any
) -> dict[str, Any]:
    """Decide on the only group."""
    sent = {"act": f"act-{next(numbers):08}", "scope": scope, "target": "g1", "verdict": verdict}
    return acts.put_down(desk, acts.read({**sent, **more}), who)


def written(desk: Desk) -> list[dict[str, Any]]:
    return [json.loads(line) for line in desk.recipe.decisions.read_text().splitlines()]


def test_groups_and_lines_are_listed_by_value(tmp_path: Path) -> None:
    desk = tagging(tmp_path, count=6, grouped=4)
    assert desk.view("value", "anna").tolist() == [-1, 4, 5]
    assert desk.view("lines", "anna").tolist() == list(range(6))
    with pytest.raises(AssayError):
        desk.view("nothing", "anna")


def test_what_anybody_judged_is_done_and_undone_again(tmp_path: Path) -> None:
    desk = tagging(tmp_path)
    told = decide(desk, 4, "wrong", label="ORG")
    assert desk.done("ben")[4]
    assert desk.next_open("value", "ben", 0) == 2
    assert acts.take_back(desk, told["act"], "anna")
    assert not desk.done("ben").any()
    assert desk.ledger.last_act("anna") == ""


def test_a_decision_says_what_was_and_what_is_right(tmp_path: Path) -> None:
    desk = tagging(tmp_path)
    decide(desk, 4, "wrong", label="ORG", why="a team", seconds=3.204)
    (line,) = written(desk)
    assert line | {"when": ""} == {
        "verdict": "wrong",
        "who": "anna",
        "when": "",
        "why": "a team",
        "act": line["act"],
        "guideline": "2",
        "row": "film/4",
        "part": "9:16",
        "text": "Match 4: Arsenal won in Leeds.",
        "score": 0.896,
        "suggested": "ORG",
        "was": "LOC",
        "answer": "ORG",
        "seconds": 3.2,
    }


def test_seconds_are_capped(tmp_path: Path) -> None:
    desk = tagging(tmp_path)
    decide(desk, 4, seconds=99_999)
    decide(desk, 5, seconds="long")
    assert [line.get("seconds") for line in written(desk)] == [acts.MOST_SECONDS, None]


def test_a_decision_on_a_group_settles_its_lines_but_those_left_out(tmp_path: Path) -> None:
    desk = tagging(tmp_path)
    decide(desk, 0, "fine")
    told = on_group(desk, without=[desk.lines["line"][1].as_py()])
    assert told["written"] == 2
    assert desk.done("anna").tolist() == [True, False, True, True, False, False]
    assert {line["act"] for line in written(desk)[1:]} == {told["act"]}
    acts.take_back(desk, told["act"], "anna")
    assert desk.done("anna").tolist() == [True, *[False] * 5]


def test_a_rule_settles_all_lines_that_it_speaks_of(tmp_path: Path) -> None:
    desk = tagging(tmp_path)
    told = on_group(desk, scope="rule")
    assert desk.done("ben").all()
    (rule,) = decisions.read(desk.recipe.decisions).rules
    assert rule.rule is not None
    assert (rule.rule.becomes, rule.rule.surfaces) == ("ORG", ("Arsenal",))
    acts.take_back(desk, told["act"], "anna")
    assert not desk.done("ben").any()


def test_a_rule_becomes_what_was_chosen(tmp_path: Path) -> None:
    desk = tagging(tmp_path)
    on_group(desk, scope="rule", label="PER")
    assert written(desk)[0]["rule"]["becomes"] == "PER"
    with pytest.raises(AssayError, match="rule"):
        on_group(desk, scope="rule", label="LOC")


def test_lines_of_a_group_that_say_so_already_are_fine(tmp_path: Path) -> None:
    desk = tagging(tmp_path)
    on_group(desk, label="LOC")
    assert {line["verdict"] for line in written(desk)} == {"fine"}


def test_a_span_with_other_ends_replaces_what_was_asked_about(tmp_path: Path) -> None:
    desk = tagging(tmp_path)
    decide(desk, 4, "wrong", label="ORG", mark=[0, 16])
    told = [(line["part"], line["was"], line["answer"]) for line in written(desk)]
    assert told == [("9:16", "LOC", "ORG"), ("0:16", "ORG at 9:16", "ORG")]
    assert desk.done("anna")[4]


@pytest.mark.parametrize("more", [{"label": "ORG", "mark": [20, 500]}, {"label": "O", "mark": [0, 5]}])
def test_what_is_no_answer_is_refused_and_nothing_is_written(tmp_path: Path, more: dict[str, Any]) -> None:
    desk = tagging(tmp_path)
    with pytest.raises(AssayError):
        decide(desk, 4, "wrong", **more)
    assert not desk.recipe.decisions.exists()


def test_shares_are_kept_as_a_distribution(tmp_path: Path) -> None:
    desk = tagging(tmp_path)
    assert detail.line(desk, 0, "anna")["shares"] == {"LOC": 0.5, "ORG": 0.5}
    decide(desk, 0, "ambiguous", shares={"LOC": 3, "ORG": 1})
    assert dict(decisions.read(desk.recipe.decisions).lines[0].shares) == {"LOC": 0.75, "ORG": 0.25}


def test_two_people_judge_double_lines_and_neither_sees_the_other_before(tmp_path: Path) -> None:
    desk = tagging(tmp_path, double_share=1.0)
    decide(desk, 4, "wrong", label="ORG")
    assert not desk.done("ben")[4]
    before = detail.line(desk, 4, "ben")
    assert before["hidden"]
    assert not before["earlier"]
    assert not before["others"]
    decide(desk, 4, "fine", who="ben")
    after = detail.line(desk, 4, "ben")
    assert [one["who"] for one in after["others"]] == ["anna"]
    assert after["conflict"]
    assert desk.view("conflicts", "ben").tolist() == [4]


def test_a_conflict_is_settled_by_the_last_word(tmp_path: Path) -> None:
    desk = tagging(tmp_path, double_share=1.0)
    decide(desk, 4, "wrong", label="ORG")
    decide(desk, 4, "fine", who="ben")
    assert desk.is_conflict(4)
    decide(desk, 4, "wrong", label="ORG", who="mo", settles=True)
    assert not desk.is_conflict(4)
    assert decisions.read(desk.recipe.decisions).conflicts == ()


def test_blind_lines_keep_what_is_proposed_to_themselves(tmp_path: Path) -> None:
    desk = tagging(tmp_path, blind_share=1.0)
    told = detail.line(desk, 5, "anna")
    assert told["blind"]
    assert "ORG" not in json.dumps({name: told[name] for name in ("why", "likely", "score", "shares", "context")})
    decide(desk, 5, "wrong", label="ORG")
    assert written(desk)[0]["blind"] is True
    assert detail.line(desk, 5, "anna")["likely"] == "ORG"


def test_who_has_seen_the_group_does_not_judge_its_lines_blind(tmp_path: Path) -> None:
    desk = tagging(tmp_path, blind_share=1.0)
    assert desk.is_blind(0, "anna")
    grouped.group(desk, 0, "anna")
    assert not desk.is_blind(0, "anna")
    assert desk.is_blind(0, "ben")


def test_lines_are_dealt_as_everywhere(tmp_path: Path) -> None:
    desk = tagging(tmp_path, count=40, grouped=0, double_share=0.4, blind_share=0.3)
    names = desk.lines["line"].to_pylist()
    shares = {"double_share": 0.4, "blind_share": 0.3}
    assert desk.double.tolist() == [dealt(1, name, "anna", **shares)[1] for name in names]
    assert [desk.is_blind(at, "mo") for at in range(40)] == [dealt(1, name, "mo", **shares)[0] for name in names]


def test_a_label_is_decided_as_a_whole_answer(tmp_path: Path) -> None:
    desk = feeling(tmp_path, ["good", "bad"])
    decide(desk, 1, "wrong")
    (line,) = written(desk)
    assert (line["was"], line["answer"], "part" in line) == (["positive"], ["negative"], False)


def test_a_decision_on_the_whole_row_settles_its_parts(tmp_path: Path) -> None:
    desk = tagging(tmp_path)
    entry = {"row": "4", "verdict": "drop", "who": "mo", "when": "2026-01-01", "why": "spam"}
    decisions.add(desk.recipe.decisions, [entry])
    desk.refresh()
    assert np.flatnonzero(desk.done("anna")).tolist() == [4]


def test_a_line_whose_row_is_gone_is_shown_and_says_so(tmp_path: Path) -> None:
    recipe = a_recipe(tmp_path, task="tagging", guideline=LABELS)
    row = a_tagged("film/1", "Arsenal won.", [("LOC", "Arsenal")])
    built(recipe, [row])
    desk = Desk(recipe, queued([a_line("film/9", "0:7", text="Arsenal lost.")]))
    told = detail.line(desk, 0, "anna")
    assert told["note"]
    assert told["passages"][0]["text"] == "Arsenal lost."


def test_rows_like_it_that_are_answered_otherwise_come_first(tmp_path: Path) -> None:
    desk = tagging(tmp_path, count=3, grouped=0)
    rows = [
        a_tagged(f"film/{at}", "Arsenal won.", [(label, "Arsenal")]) for at, label in enumerate(("LOC", "LOC", "ORG"))
    ]
    pair = {"kind": "exact", "similarity": 1.0, "accepted": True, "why": "the same text", "outcome": "conflict"}
    pairs = [pair | {"left": "film/0", "right": "film/1"}, pair | {"left": "film/2", "right": "film/0"}]
    built(desk.recipe, rows, pairs=pairs, annotations=[said("film/0", "mo", '[[0,7,"LOC"]]')])
    desk = Desk(desk.recipe, desk.waiting)
    near = detail.line(desk, 0, "anna")["near"]
    assert [(one["id"], one["differs"]) for one in near] == [("film/2", True), ("film/1", False)]


def test_a_line_for_a_new_guideline_is_no_error_of_the_annotators_unless_that_is_said(tmp_path: Path) -> None:
    desk = feeling(tmp_path, ["good", "bad", "so so"])
    lines = desk.lines.to_pylist()
    of_new = [a_line(one["id"], kind="relabel", given="positive", likely="negative") for one in lines[:2]]
    desk = Desk(desk.recipe, queued([*of_new, lines[2]]))
    decide(desk, 0, "wrong")
    decide(desk, 1, "wrong", cause="error")
    decide(desk, 2, "wrong")
    assert [line.cause for line in decisions.read(desk.recipe.decisions).lines] == ["guideline", "error", "error"]


def test_what_was_said_of_a_double_part_is_not_told_beside_another_part_of_its_row(tmp_path: Path) -> None:
    recipe = a_recipe(tmp_path, task="tagging", guideline=LABELS, review={"double_share": 0.5, "blind_share": 0.0})
    rows = [a_tagged(f"film/{at}", "Arsenal won in Leeds.", [("LOC", "Arsenal"), ("LOC", "Leeds")]) for at in range(20)]
    built(recipe, rows)
    lines = [a_line(row["id"], part, text=row["text"]) for row in rows for part in ("0:7", "15:20")]
    desk = Desk(recipe, queued(lines))
    double = desk.double
    row = next(at for at in range(20) if double[2 * at] != double[2 * at + 1])
    alone, both = sorted((2 * row, 2 * row + 1), key=lambda at: bool(double[at]))
    decide(desk, both, "wrong", label="PER", why="a secret")
    assert "secret" not in json.dumps([detail.line(desk, at, "ben") for at in (alone, both)])
    decide(desk, both, "fine", who="ben")
    assert "secret" in json.dumps(detail.line(desk, alone, "ben"))


def test_a_rule_of_another_is_not_told_before_ones_own_word_on_double_lines(tmp_path: Path) -> None:
    desk = tagging(tmp_path, double_share=1.0)
    on_group(desk, scope="rule", why="a secret")
    assert grouped.group(desk, 0, "anna")["ruled"]
    assert not grouped.group(desk, 0, "ben")["ruled"]
    on_group(desk, who="ben")
    assert grouped.group(desk, 0, "ben")["ruled"]


def test_nobody_settles_what_they_may_not_see(tmp_path: Path) -> None:
    desk = tagging(tmp_path, double_share=1.0)
    decide(desk, 4, "wrong", label="ORG")
    decide(desk, 4, "fine", who="ben", settles=True)
    assert desk.is_conflict(4)


def test_a_blind_line_hides_why_it_was_held_back_and_what_rows_like_it_are_answered(tmp_path: Path) -> None:
    recipe = a_recipe(tmp_path, guideline=FEELINGS, review={"double_share": 0.0, "blind_share": 1.0})
    rows = [a_text("film/0", "so so"), a_text("film/1", "so so", "negative")]
    held = {"id": "film/0", "reason": "conflict", "evidence": "film/1 says negative", "row": json.dumps(rows[0])}
    pair = {"kind": "exact", "similarity": 1.0, "accepted": True, "why": "the same text", "outcome": "conflict"}
    built(recipe, rows[1:], rejected=[held], pairs=[pair | {"left": "film/0", "right": "film/1"}])
    desk = Desk(recipe, queued([a_line("film/0", kind="conflict", given="positive", likely="negative")]))
    told = detail.line(desk, 0, "anna")
    assert "negative" not in json.dumps({name: told[name] for name in told if name != "choices"})
    assert [one["text"] for one in told["near"]] == ["so so"]


def test_who_sees_what_another_said_does_not_judge_blind(tmp_path: Path) -> None:
    desk = tagging(tmp_path, blind_share=1.0)
    decide(desk, 4, "wrong", label="ORG")
    assert detail.line(desk, 4, "ben")["others"]
    decide(desk, 4, "fine", who="ben")
    assert [line.get("blind") for line in written(desk)] == [True, None]


def test_to_choose_what_is_given_is_to_say_that_it_is_fine(tmp_path: Path) -> None:
    desk = tagging(tmp_path)
    decide(desk, 4, "wrong", label="LOC")
    assert [(line["verdict"], line.get("answer")) for line in written(desk)] == [("fine", None)]


def test_a_rule_that_no_row_could_follow_is_refused(tmp_path: Path) -> None:
    desk = tagging(tmp_path)
    with pytest.raises(AssayError, match="rule cannot be"):
        on_group(desk, scope="rule", label="TEAM")
    assert not desk.recipe.decisions.exists()


def test_an_act_that_was_cut_off_is_completed_when_it_is_sent_again(tmp_path: Path) -> None:
    desk = tagging(tmp_path)
    act = acts.read({"act": "act-cut-off-1", "scope": "group", "target": "g1", "verdict": "wrong", "seconds": 3})
    acts.put_down(desk, act, "anna")
    content = desk.recipe.decisions.read_bytes().splitlines(keepends=True)
    desk.recipe.decisions.write_bytes(b"".join(content[:2]) + content[2][:50])
    again = Desk(desk.recipe, desk.waiting)
    assert acts.put_down(again, act, "anna")["lines"] == 4
    assert acts.put_down(again, act, "anna")["written"] == 0
    told = [(line.row, line.act, line.seconds) for line in decisions.read(desk.recipe.decisions).lines]
    assert told == [(f"film/{at}", "act-cut-off-1", None if at else 3.0) for at in range(4)]
    assert decisions.read(desk.recipe.decisions).cut == ()


KILLED = """
import json, os, signal, sys
from pathlib import Path
from pipeline import decisions
path, most = Path(sys.argv[1]), int(sys.argv[2])
write = os.write
def cut(file, content):
    if len(content) > most:
        write(file, content[:most])
        os.kill(os.getpid(), signal.SIGKILL)
    return write(file, content)
os.write = cut
decisions.add(path, json.loads(sys.stdin.read()))
"""


def test_a_group_is_decided_whole_or_not_at_all_wherever_its_writer_is_killed(tmp_path: Path) -> None:
    desk = tagging(tmp_path)
    path = desk.recipe.decisions
    decide(desk, 5)
    before = path.read_bytes()
    act = acts.read({"act": "act-cut-off-1", "scope": "group", "target": "g1", "verdict": "wrong", "seconds": 3})
    made = acts.entries(desk, act, "anna")
    killed = [sys.executable, "-c", KILLED, str(path), str(len(json.dumps(made)) // 2)]
    ended = subprocess.run(killed, input=json.dumps(made), text=True, check=False, cwd=ROOT)
    assert ended.returncode == -signal.SIGKILL
    assert path.read_bytes()[len(before) :].count(b"\n") in (1, 2, 3)
    again = Desk(desk.recipe, desk.waiting)
    assert np.flatnonzero(again.done("anna")).tolist() == [5]
    (told,) = decisions.read(path).torn
    assert "act-cut-off-1 of anna was cut off" in told
    assert acts.put_down(again, act, "anna")["written"] == 4
    assert np.flatnonzero(again.done("anna")).tolist() == [0, 1, 2, 3, 5]
    assert decisions.read(path).torn == []


def test_a_file_that_is_torn_at_any_byte_holds_an_act_whole_or_not_at_all(tmp_path: Path) -> None:
    desk = tagging(tmp_path, count=3, grouped=2)
    path = desk.recipe.decisions
    decide(desk, 2)
    begin = len(path.read_bytes())
    on_group(desk)
    content = path.read_bytes()
    for cut in range(begin, len(content) + 1):
        path.write_bytes(content[:cut])
        ledger = Ledger(path)
        rows = {row for row, _ in ledger.voices}
        assert rows == ({"film/0", "film/1", "film/2"} if cut >= len(content) - 1 else {"film/2"})
        assert {line.row for line in decisions.read(path).standing} == rows


def test_acts_of_before_that_do_not_say_how_many_lines_they_have_stay_as_they_are(tmp_path: Path) -> None:
    desk = tagging(tmp_path)
    on_group(desk)
    lines = [{name: value for name, value in line.items() if name != "lines"} for line in written(desk)]
    desk.recipe.decisions.write_text("".join(json.dumps(line) + "\n" for line in lines[:3]))
    assert np.flatnonzero(Desk(desk.recipe, desk.waiting).done("ben")).tolist() == [0, 1, 2]
    assert decisions.read(desk.recipe.decisions).cut == ()


def test_nothing_is_decided_on_rows_that_a_later_build_changed(tmp_path: Path) -> None:
    desk = tagging(tmp_path, count=8)
    rows = team_rows(8)
    rows[4] = a_tagged("film/4", "Another text: Arsenal.", [("LOC", "Arsenal")])
    rows[5] = a_tagged("film/5", "Match 5: Arsenal won in Leeds.", [("PER", "Arsenal"), ("LOC", "Leeds")])
    rows[6] = a_tagged("film/6", "Match 6: Arsenal won in Leeds.", [("LOC", "Arsenal"), ("ORG", "Leeds")])
    built(desk.recipe, rows[:7])
    shown = detail.line(desk, 4, "anna")["passages"][0]["text"]
    assert (
        shown == "Match 4: Arsenal won in Leeds."
    )  # the build that is shown stays whole until the next queue is there
    for at, why in ((4, "otherwise"), (5, "otherwise"), (7, "is gone")):
        with pytest.raises(Outdated, match=why):
            decide(desk, at)
    built(desk.recipe, rows[2:])
    with pytest.raises(Outdated, match="is gone"):
        on_group(desk)
    assert not desk.recipe.decisions.exists()
    built(desk.recipe, rows[:7])
    assert on_group(desk)["written"] == 4
    assert decide(desk, 6)["written"] == 1  # another part of the row is another, this one is not


@pytest.mark.parametrize("scope", ["line", "group", "rule"])
def test_nothing_is_decided_on_what_was_not_shown(tmp_path: Path, scope: str) -> None:
    desk = tagging(tmp_path)
    told = detail.line(desk, 4, "anna") if scope == "line" else grouped.group(desk, 0, "anna")
    target = told["line"] if scope == "line" else told["group"]
    sent = {"act": "act-00000001", "scope": scope, "target": target, "verdict": "fine"}
    rows = team_rows(6)
    for at in (0, 4):
        rows[at] = a_tagged(f"film/{at}", f"Match {at}: Arsenal lost in Leeds.", [("LOC", "Arsenal"), ("LOC", "Leeds")])
    built(desk.recipe, rows)
    lines = [one | {"text": row["text"]} for one, row in zip(desk.lines.to_pylist(), rows, strict=True)]
    anew = Desk(desk.recipe, queued(lines, desk.groups.to_pylist()))
    with pytest.raises(Outdated, match="not what you were shown"):
        acts.put_down(anew, acts.read(sent | {"seen": told["seen"]}), "anna")
    assert not desk.recipe.decisions.exists()
    again = detail.line(anew, 4, "anna") if scope == "line" else grouped.group(anew, 0, "anna")
    assert acts.put_down(anew, acts.read(sent | {"seen": again["seen"]}), "anna")["written"]


def test_what_somebody_was_shown_is_remembered_when_the_data_set_is_built_anew(tmp_path: Path) -> None:
    desk = tagging(tmp_path, blind_share=1.0)
    grouped.group(desk, 0, "anna")
    anew = Desk(desk.recipe, queued(desk.lines.to_pylist()[1:][::-1]))
    anew.inherit(desk)
    assert [anew.is_blind(at, "anna") for at in range(5)] == [True, True, False, False, False]
    assert all(anew.is_blind(at, "ben") for at in range(5))
