"""The detail: all that a reviewer sees of one line: the text, what was given and is proposed, evidence, neighbours."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from pipeline.checks.words import in_words
from pipeline.errors import Unfit
from pipeline.reviewing import fresh, rivals
from pipeline.reviewing.reading import Passage, about, kind_of, passages
from pipeline.tasks.parts import NO, NOTHING, WHOLE, YES, label_at, parsed

if TYPE_CHECKING:
    from pipeline.decisions import Decision
    from pipeline.reviewing.desk import Desk
    from pipeline.tasks import Row

KEYS = 9
SHOWN_CHARS = 4000
FEW_CHARS = 240


def line(desk: Desk, at: int, who: str, *, is_whole: bool = False) -> dict[str, Any]:
    """A line of the queue for the page; what a person is to judge without is left out."""
    queued = {name: desk.lines[name][at].as_py() for name in desk.lines.column_names}
    row = desk.shelf.row(queued["id"])
    is_blind = desk.is_blind(at, who)
    told = brief(desk, at, who) | {
        "part": queued["part"],
        "source": queued["source"],
        "rejected": _rejected(desk, queued["id"], is_blind=is_blind),
        "why": [] if is_blind else queued["why"],
        "guideline": desk.recipe.settings.guideline.version,
        "group": _group(desk, at, is_blind=is_blind),
        **_read(desk, queued, row, is_whole=is_whole),
        **_annotators(desk, queued, row, is_blind=is_blind),
        "near": near(desk, queued["id"], row, is_blind=is_blind),
        **_earlier(desk, at, who),
        "seen": fresh.of_line(desk, at, row),
    }
    if not is_blind:
        told["likely_words"] = _in_whole(desk, row, queued["likely"]) if queued["part"] == WHOLE else ""
    offered = choices(desk, told, queued, is_blind=is_blind)
    return told | {"choices": offered if is_blind else rivals.choices(desk, at, offered) or offered}


def brief(desk: Desk, at: int, who: str) -> dict[str, Any]:
    """What a list shows of a line."""
    queued = {
        name: desk.lines[name][at].as_py() for name in ("line", "id", "part", "kind", "given", "text", "language")
    }
    is_mine = bool(desk.by(who)[at])
    is_blind = desk.is_blind(at, who)
    before, judged, after = about(queued["text"], queued["part"])
    own = desk.voices(at).get(who)
    told = {
        "type": "line",
        "line": queued["line"],
        "row": queued["id"],
        "kind": queued["kind"],
        "given": queued["given"],
        "likely": None if is_blind else desk.lines["likely"][at].as_py(),
        "score": None if is_blind else round(desk.lines["score"][at].as_py(), 4),
        "context": [before, judged, after],
        "language": "" if queued["language"] == "und" else queued["language"],
        "double": bool(desk.double[at]),
        "blind": is_blind,
        "verdict": own.verdict if own else ("rule" if is_mine else ""),
        "done": bool(desk.done(who)[at]),
    }
    return told


def _group(desk: Desk, at: int, *, is_blind: bool) -> dict[str, Any] | None:
    if (group := desk.group_of(at)) < 0:
        return None
    told = {name: desk.groups[name][group].as_py() for name in ("group", "says", "lines", "touches")}
    told["is_rule"] = bool(desk.groups["rule"][group].as_py())
    return told | ({"says": ""} if is_blind else {})


def _rejected(desk: Desk, id_: str, *, is_blind: bool) -> str:
    """Why the row was held back; the evidence may say what is proposed."""
    why = desk.shelf.why_rejected(id_)
    return why.partition(":")[0] if is_blind else why


def _read(desk: Desk, queued: dict[str, Any], row: Row | None, *, is_whole: bool) -> dict[str, Any]:
    """What is read and answered; the text of the queue alone where the row is no longer there."""
    if row is None:
        passage = Passage("Text", queued["text"])
        lost = "The row is not in the build any more: build again, and the queue is made anew."
        return {"passages": [passage.told()], "answer": "", "asks": "none", "note": lost}
    told = [one.told() for one in passages(desk.task, row, queued["part"], is_whole=is_whole)]
    asks = kind_of(desk.task)
    if asks == "spans" and queued["part"] == WHOLE:  # all spans are asked for at once, which is written
        told = [one | {"mark": False} for one in told]
    return {"passages": told, "answer": _words(desk, row), "asks": asks, "note": ""}


def _words(desk: Desk, row: Row) -> str:
    try:
        return in_words(desk.task, row)
    except (KeyError, IndexError, TypeError):  # what was held back may not be whole
        return ""


def _in_whole(desk: Desk, row: Row | None, likely: str) -> str:
    """The proposed answer as a person would write it."""
    if row is None or not likely or desk.task.head in ("sequence", "multilabel"):
        return likely
    try:
        return in_words(desk.task, desk.task.with_answer(row, desk.task.read_answer(parsed(likely), {}, row)))
    except (Unfit, ValueError, TypeError):
        return likely


def _annotators(desk: Desk, queued: dict[str, Any], row: Row | None, *, is_blind: bool) -> dict[str, Any]:
    """What each annotator said, and how they are split on the part at hand."""
    said, counts = [], Counter[str]()
    for one in desk.shelf.said(queued["id"]):
        label = _label(desk, one["answer"], queued["part"])
        if label is not None and one["verdict"] == "counted":
            counts[label] += 1
        answer = _spoken(desk, row, one) if label is None or queued["part"] == WHOLE else label
        said.append(
            {
                "who": one["annotator"] or "",
                "answer": answer[:SHOWN_CHARS],
                "counts": one["verdict"],
                "time": one["time"] or "",
                "guideline": one["guideline"] or "",
                "problem": one["problem"] or "",
            }
        )
    return {"annotators": said, "shares": _shares(queued, counts, is_blind=is_blind)}


def _label(desk: Desk, answer: str | None, part: str) -> str | None:
    try:
        return None if answer is None else label_at(desk.task, parsed(answer), part)
    except Unfit:
        return None


def _spoken(desk: Desk, row: Row | None, one: dict[str, Any]) -> str:
    if row is None or one["answer"] is None:
        return str(one["given"] or "")
    try:
        return in_words(desk.task, desk.task.with_answer(row, json.loads(one["answer"])))
    except (KeyError, IndexError, TypeError, ValueError, Unfit):
        return str(one["given"] or "")


def _shares(queued: dict[str, Any], counts: Counter[str], *, is_blind: bool) -> dict[str, float]:
    """How probable each label is, by the annotators, or by the score where only one answer was given."""
    total = counts.total()
    if total > 1:
        return {label: round(count / total, 4) for label, count in counts.most_common()}
    if is_blind or not queued["likely"] or queued["likely"] == queued["given"]:
        return {}
    wrong = round(min(max(queued["score"], 0.0), 1.0), 2)
    return {queued["given"]: round(1 - wrong, 2), queued["likely"]: wrong}


def near(desk: Desk, id_: str, row: Row | None, *, is_blind: bool = False) -> list[dict[str, Any]]:
    """Rows that are like it, and whether they are answered otherwise; those that are come first.

    What they are answered is often what is proposed: it is left out where that is.
    """
    found = []
    for one in desk.shelf.near(id_):
        other = one.pop("row")
        text = desk.task.shown(other) if other else ""
        answer = _words(desk, other) if other else ""
        differs = row is not None and other is not None and desk.task.meaning(row) != desk.task.meaning(other)
        shown = {"text": text[:FEW_CHARS] + ("…" if len(text) > FEW_CHARS else ""), "answer": answer[:FEW_CHARS]}
        hidden: dict[str, Any] = {"why": "", "outcome": "", "answer": "", "differs": False} if is_blind else {}
        found.append(one | shown | {"differs": differs, "blind": is_blind} | hidden)
    return sorted(found, key=lambda one: not one["differs"])


def _earlier(desk: Desk, at: int, who: str) -> dict[str, Any]:
    """What was decided on the row before, as far as the person may know."""
    is_open = desk.may_see(at, who)
    part, id_ = desk.lines["part"][at].as_py(), desk.lines["id"][at].as_py()
    is_row_open = is_open and desk.may_see_row(at, who)
    said = [
        one
        for one in desk.ledger.on_row(id_)
        if one.who == who or is_row_open or (is_open and one.part == part != WHOLE)
    ]
    others = [one for name, one in desk.voices(at).items() if name != who] if is_open else []
    is_conflict = is_open and desk.is_conflict(at)
    return {
        "earlier": [voice(one, is_here=one.part == part, who=who) for one in said],
        "hidden": not is_open,
        "others": [voice(one, is_here=True, who=who) for one in others],
        "conflict": is_conflict,
    }


def voice(said: Decision, *, is_here: bool, who: str) -> dict[str, Any]:
    """A decision for the page."""
    return {
        "who": said.who,
        "mine": said.who == who,
        "verdict": said.verdict,
        "answer": said.answer or "",
        "was": said.was or "",
        "part": said.part,
        "here": is_here,
        "when": said.when,
        "why": said.why,
        "shares": dict(said.shares),
        "act": said.act or said.id,
        "settles": bool(said.settles),
    }


def choices(desk: Desk, told: dict[str, Any], queued: dict[str, Any], *, is_blind: bool) -> list[dict[str, Any]]:
    """The labels that may be right, with what the guideline says of them; what keys 1 to 9 choose comes first."""
    if desk.task.head == "multilabel" and queued["part"] != WHOLE:
        about_it = _defined(desk, queued["part"])
        return [
            about_it | {"label": YES, "name": f"yes, {queued['part']}"},
            about_it | {"label": NO, "name": f"no {queued['part']}"},
        ]
    if told["asks"] not in ("label", "labels", "spans") or (told["asks"] == "spans" and queued["part"] == WHOLE):
        return []
    names = list(known_labels(desk))
    if len(names) > KEYS:
        first = [*told["shares"], *([] if is_blind else [queued["likely"]])]
        names = list(dict.fromkeys([*(name for name in first if name in names), *names]))
    found = [_defined(desk, name) for name in names]
    return [*found, {"label": NOTHING, "name": "no span"}] if told["asks"] == "spans" else found


def known_labels(desk: Desk) -> tuple[str, ...]:
    """The labels of the guideline; where it names none, those that the queue speaks of."""
    if names := desk.recipe.settings.guideline.names:
        return names
    seen = {*desk.lines["given"].unique().to_pylist(), *desk.lines["likely"].unique().to_pylist()}
    return tuple(
        sorted(name for name in seen - {NOTHING, "", YES, NO} if name and len(name) < 80 and " at " not in name)
    )


def _defined(desk: Desk, name: str) -> dict[str, Any]:
    for label in desk.recipe.settings.guideline.label:
        if label.name == name:
            about_it = {"definition": label.definition, "examples": label.examples, "not": label.counter_examples}
            return {"label": name, "name": name, **about_it}
    return {"label": name, "name": name}


__all__ = ["brief", "choices", "known_labels", "line", "near", "voice"]
