"""Acts: what a reviewer sends, as lines of decisions: on one line of the queue, on a group, or as a rule."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipeline.checks.words import from_words
from pipeline.decisions import now
from pipeline.errors import AssayError, Unfit
from pipeline.reviewing import fresh, rivals
from pipeline.reviewing.reading import kind_of
from pipeline.reviewing.sent import MOST_SECONDS, Act, odd, read
from pipeline.reviewing.tables import RELABEL
from pipeline.rules import Rule
from pipeline.tasks.parts import NOTHING, WHOLE, label_at, revised

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.reviewing.desk import Desk
    from pipeline.tasks import Answer, Row


def entries(desk: Desk, act: Act, who: str) -> list[dict[str, Any]]:
    """The lines of decisions that an act makes, none where all that it speaks of is judged.

    Raises:
        AssayError: what it is about is not in the queue, or the answer is none for the row.
    """
    common = _common(desk, act, who)
    if act.scope != "line":
        at = desk.group_at(act.target)
        fresh.hold_seen(act.seen, fresh.of_group(desk, at) if act.seen else "", "the group")
    if act.scope == "rule":
        made = [common | _ruled(desk, act)]
    else:
        lines = [desk.line_at(act.target)] if act.scope == "line" else _members(desk, act, who)
        if act.scope == "group" and act.verdict == "fine":
            rivals.hold_one_right(desk, at, lines)
        act = _with_model(desk, act)
        ids = [desk.lines["id"][at].as_py() for at in lines]
        rows = desk.shelf.rows(list(dict.fromkeys(ids)))
        if act.scope == "line" and act.seen:
            fresh.hold_seen(act.seen, fresh.of_line(desk, lines[0], rows.get(ids[0])), f"row '{ids[0]:.60}'")
        fresh.hold_current(desk, [desk.key(at) for at in lines], rows)
        made = [
            common | one
            for at, id_ in zip(lines, ids, strict=True)
            for one in _on_line(desk, act, at, rows.get(id_), who)
        ]
    if made and act.seconds is not None:
        made[0]["seconds"] = act.seconds
    return made


def _common(desk: Desk, act: Act, who: str) -> dict[str, Any]:
    said: dict[str, Any] = {"verdict": act.verdict, "who": who, "when": now(), "why": act.why, "act": act.act}
    if act.cause == "guideline":
        said["cause"] = act.cause
    if act.verdict == "ambiguous" and act.shares:
        said["shares"] = dict(act.shares)
    return said | {"guideline": desk.recipe.settings.guideline.version}


def _members(desk: Desk, act: Act, who: str) -> list[int]:
    """The lines of a group that the person has not judged yet and did not leave out."""
    members = desk.members(desk.group_at(act.target))
    left = [int(at) for at in members[~desk.done(who)[members]]]
    return [at for at in left if desk.lines["line"][at].as_py() not in act.without]


def _with_model(desk: Desk, act: Act) -> Act:
    """The act with the row that is answered rightly, where it names one."""
    if act.like is None:
        return act
    if (model := desk.shelf.row(act.like)) is None:
        raise AssayError(f"row '{act.like:.60}'", "is not in the build any more", "look again, and choose anew")
    return replace(act, model=model)


def _ruled(desk: Desk, act: Act) -> dict[str, Any]:
    """What a decision says that holds wherever the rule of a group does."""
    at = desk.group_at(act.target)
    told = desk.groups["rule"][at].as_py()
    if not told:
        raise AssayError("decision", "this group has no rule that could be applied again", "decide it as a group")
    rule = json.loads(told)
    proposed = str(rule["becomes"])
    if act.verdict == "wrong" and act.label:
        rule["becomes"] = act.label
    try:
        _hold_sayable(desk, Rule.read(rule), at)
    except Unfit as unfit:
        raise AssayError("decision", f"the rule cannot be: {unfit}", "choose another label") from unfit
    return {"rule": rule, "group": act.target, "suggested": proposed}


def _hold_sayable(desk: Desk, rule: Rule, group: int) -> None:
    """See that what a rule makes of the parts of a group is an answer that the rows may have."""
    at = int(desk.members(group)[0])
    part = desk.lines["part"][at].as_py()
    if row := desk.shelf.row(desk.lines["id"][at].as_py()):
        revised(desk.task, row, desk.task.answer(row), part, rule.becomes)


def _on_line(desk: Desk, act: Act, at: int, row: Row | None, who: str) -> list[dict[str, Any]]:
    queued = {
        name: desk.lines[name][at].as_py()
        for name in ("id", "part", "kind", "given", "likely", "score", "text", "group")
    }
    part, likely = queued["part"], queued["likely"]
    said: dict[str, Any] = {"row": queued["id"]}
    said |= _caused(act, queued["kind"])
    if part:
        said["part"] = part
    said["text"] = desk.task.shown(row) if row else queued["text"]
    said["score"] = round(queued["score"], 6)
    if likely:
        said["suggested"] = likely
    if act.scope == "line" and desk.is_blind(at, who):
        said["blind"] = True
    if queued["group"]:
        said["group"] = queued["group"]
    if act.settles and desk.may_see(at, who):
        said["settles"] = sorted(one.id for name, one in desk.voices(at).items() if name != who)
    was = _was(desk, row, queued)
    if act.verdict != "wrong":
        return [said if was is None else said | {"was": was}]
    if row is None:
        raise AssayError(f"row '{queued['id']}'", "is not in the build any more", "build again, then review")
    return _mended(desk, act, row, said, was)


def _caused(act: Act, kind: str) -> dict[str, str]:
    """That the guideline is another now, where that is why the line is asked about and nothing else was said."""
    return {"cause": "guideline"} if kind == RELABEL and not act.cause else {}


def _was(desk: Desk, row: Row | None, queued: Mapping[str, Any]) -> Any:
    """What is judged: the label of the part, or the whole answer; None where the row's answer was never settled."""
    if row is None:
        return queued["given"] if queued["part"] else None
    if queued["part"] != WHOLE:
        return label_at(desk.task, desk.task.answer(row), queued["part"])
    return desk.task.answer(row) if desk.shelf.is_kept(queued["id"]) else None


def _mended(desk: Desk, act: Act, row: Row, said: dict[str, Any], was: Any) -> list[dict[str, Any]]:
    """The lines that say what is right instead of what was; of one that says so already, that it is fine."""
    part, label = said.get("part", WHOLE), act.label if act.label is not None else said.get("suggested", "")
    before = {} if was is None else {"was": was}
    try:
        if act.mark and kind_of(desk.task) == "spans":
            return _moved(desk, act.mark, row, said | before, label)
        if part and act.model:
            raise Unfit("wrong_type", "only a whole answer is taken over from another row")
        answer = _label(desk, row, part, label) if part else _whole(desk, act, row, label)
    except Unfit as unfit:
        raise AssayError(f"row '{row['id']}'", f"this is no answer: {unfit}", "choose or write another") from unfit
    if answer == (was if part else desk.task.answer(row)):
        return [said | before | {"verdict": "fine"}]
    return [said | before | {"answer": answer}]


def _label(desk: Desk, row: Row, part: str, label: str) -> str:
    if not label:
        raise Unfit("unanswered", "nothing says what is right instead")
    revised(desk.task, row, desk.task.answer(row), part, label)
    return label


def _whole(desk: Desk, act: Act, row: Row, label: str) -> Answer:
    """The whole answer: that of another row, as it is written or marked, a label, or what is proposed, as JSON."""
    if act.model is not None:
        return rivals.taken_over(desk.task, act.model, row)
    if act.words is not None:
        return from_words(desk.task, row, act.words)
    if act.mark:
        start, end = act.mark
        return desk.task.read_answer([[start, end, row["context"][start:end]]], {}, row)
    if not label and act.label is None:
        raise Unfit("unanswered", "nothing says what is right instead")
    is_spelled = act.label is None and desk.task.head not in ("sequence", "causal")
    try:
        told = json.loads(label) if is_spelled else [] if label == NOTHING else label
    except ValueError as error:
        raise Unfit("wrong_type", "what is proposed is no answer by itself") from error
    return desk.task.read_answer(told, {}, row)


def _moved(desk: Desk, mark: tuple[int, int], row: Row, said: dict[str, Any], label: str) -> list[dict[str, Any]]:
    """A span with other ends: what is right of the part that was asked about, then of the stretch that was marked."""
    part, stretch = said.get("part", WHOLE), f"{mark[0]}:{mark[1]}"
    if not label or label == NOTHING:
        raise Unfit("unanswered", "the marked stretch has no label")
    answer, asked = desk.task.answer(row), []
    if part and part != stretch:
        start, _, end = part.partition(":")
        touches = mark[0] < int(end) and int(start) < mark[1]
        here = label if touches else NOTHING
        asked = [said | {"answer": here}]
        answer = revised(desk.task, row, answer, part, here)
    moved = {name: value for name, value in said.items() if name not in ("settles", "suggested", "score", "blind")}
    moved |= {"part": stretch, "was": label_at(desk.task, answer, stretch), "answer": label}
    revised(desk.task, row, answer, stretch, label)
    return [*asked, moved]


def put_down(desk: Desk, act: Act, who: str) -> dict[str, Any]:
    """Write an act to the disk, once however often it is sent; what was written.

    Raises:
        AssayError: it cannot be, see `entries`; nothing is written then.
    """
    with desk.lock:
        desk.refresh()
        if known := desk.ledger.of_act(act.act):
            if any(line.who != who for line in known):
                raise odd("act", act.act)
            return {"act": act.act, "written": 0, "again": True, "lines": len(known)}
        made = entries(desk, act, who)
        if made:
            desk.ledger.add(made, act=act.act)
            desk.refresh()
        return {"act": act.act, "written": len(made), "again": False, "lines": len(made)}


def take_back(desk: Desk, act: str, who: str) -> bool:
    """Undo an act by a new line; False where it was undone before."""
    with desk.lock:
        desk.refresh()
        done = desk.ledger.undo(act, who=who, when=now(), why="taken back in the review")
        desk.refresh()
        return done


__all__ = ["MOST_SECONDS", "Act", "entries", "put_down", "read", "take_back"]
