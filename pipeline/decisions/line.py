"""One line of the decisions: what a person said of a row, of a part of its answer, of all that a rule speaks of."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal, get_args

from pipeline.decisions.lapsed import STALE, apart
from pipeline.decisions.status import read_as
from pipeline.errors import AssayError, Unfit
from pipeline.rules import Rule
from pipeline.tasks import canonical

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.tasks import Problem

Verdict = Literal["wrong", "fine", "ambiguous", "drop"]
Cause = Literal["error", "guideline"]
NEEDED = ("verdict", "who", "when", "why")
UNDO = "undo"
_TEXTS = ("text", "guideline", "part", "act", "group", "tool", "round", "cause")


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: `was` and `answer` are canonical answers, or labels where `part` names a part of one.

    `place` is the line it stands in, `id` is made of what the line says. `row` is empty where `rule` says what it is
    about, and `undo` names the line, or the act, that it takes back. `text` is what was read when it was decided.
    """

    place: str
    row: str
    verdict: Verdict
    answer: str | None
    was: str | None
    who: str
    when: str
    why: str
    guideline: str | None = None
    text: str | None = None
    id: str = ""
    part: str = ""
    rule: Rule | None = None
    undo: str = ""
    shares: tuple[tuple[str, float], ...] = ()
    """Of an ambiguous answer, how probable each label is."""
    cause: Cause = "error"
    """Whether the annotators erred, or the guideline is another one now."""
    act: str = ""
    """What the lines have in common that one decision on a group made."""
    lines: int = 0
    """How many lines the act has, in the first of several; 0 in others, and in files of before."""
    group: str = ""
    """The group of the queue that it was decided with."""
    seconds: float | None = None
    """How long the act took the person; it stands in the first line of an act."""
    score: float | None = None
    """How probably the part was wrong, before anybody looked."""
    suggested: str | None = None
    """What was proposed..."""
    blind: bool = False
    """...unless the person was to judge without it."""
    settles: tuple[str, ...] = ()
    """The lines of others that this one, as that of an adjudicator, has the last word on."""
    tool: str = ""
    """The annotation tool that it came from..."""
    round: str = ""
    """...and the round in which the row went out to it."""
    whole: str | None = None
    """The whole answer that the person left, where more was looked at than the part."""
    reads_now: str | None = None
    """What the row shows, where that is another text than the one that was judged, once the decision is understood."""
    misfit: str = ""
    """Why what was decided cannot be said of the row as it is now, once the decision is understood."""
    meaning: str | None = None
    """What the decided answer says apart from how the text is written, once the decision is understood."""
    is_erased: bool = False
    """That it is what `assay erase` left of a line of an act: it counts as one, and says nothing."""
    problem: Problem | None = None
    """The rule that the row breaks with the answer that was decided, once the decision is understood."""

    @property
    def said(self) -> str:
        """Who decided, when, why, and where that is written."""
        return f"{self.who}, {self.when}: {self.why} ({self.place})"

    @property
    def left(self) -> str | None:
        """The whole answer that the person left the row with, where the whole was looked at."""
        if self.whole is not None or self.part or self.rule is not None or self.undo:
            return self.whole
        return self.answer if self.verdict == "wrong" else self.was if self.verdict == "fine" else None

    @property
    def about(self) -> str:
        """The row and the part that it is about, in words."""
        return f"row {self.row}" + (f" at {self.part}" if self.part else "")

    def fits(self, settled: str | None) -> bool:
        """Whether the decision still speaks of what the row, or its part, has now, or has been followed already."""
        return self.was is None or settled in (self.was, self.answer)

    def stale(self, settled: str | None) -> str:
        """Why the decision does not speak of the row with the answer that it has now; empty if it does."""
        if self.reads_now is not None:
            before, after = apart(self.text or "", self.reads_now)
            return self.lapsing("the text is another", f"it read {before!r}; it now reads {after!r}")
        if self.misfit:
            return self.lapsing("what was judged is not there", self.misfit)
        if not self.fits(settled):
            was, now = (read_as(one, self.text) or "none" for one in (self.was, settled))
            return self.lapsing("the answer is another", f"it was {was}; the row's answer is now {now}")
        return ""

    def lapsing(self, why: str, more: str) -> str:
        """What the report of a build says of the decision where it is not followed: see `lapsed.lapsed`."""
        return f"{self.place}: {self.about}, {self.verdict} by {self.who}: {STALE}: {why} ({more})"

    def differs(self, other: Decision) -> bool:
        """Whether two people judged the same and said otherwise of it.

        One who judged what the other made did not, nor did one who judged under another version of the guideline.
        """
        if (self.verdict, self.answer) == (other.verdict, other.answer):
            return False
        if self.guideline and other.guideline and self.guideline != other.guideline:
            return False
        return self.was is None or other.was is None or self.was == other.was

    def replaces(self, earlier: Decision) -> bool:
        """Whether the same person judged the same again, the answer and the text."""
        reads_same = self.text is None or earlier.text is None or self.text == earlier.text
        return self.who == earlier.who and self.was is not None and self.was == earlier.was and reads_same


def line_id(entry: Mapping[str, Any]) -> str:
    """The name of a line, made of what it says: `d` and ten hex digits.

    >>> line_id({"row": "film/1", "verdict": "fine"}) == line_id({"verdict": "fine", "row": "film/1"})
    True
    """
    spelled = json.dumps(entry, ensure_ascii=False, sort_keys=True).encode("utf-8", "surrogatepass")
    return "d" + blake2b(spelled, digest_size=5).hexdigest()


def parsed(line: str, place: str) -> Decision | None:
    """The decision in a line of JSON; None for what `assay erase` left of one that no act needs.

    Raises:
        AssayError: it is none, with its place.
    """
    try:
        entry: dict[str, Any] = json.loads(line)
        missing = [name for name in NEEDED if not entry.get(name)]
    except (ValueError, AttributeError, RecursionError) as error:
        raise AssayError(place, f"no decision: {line[:80]}", "mend the line") from error
    if entry.get("erased") is True:
        return _erased(entry, place) if entry.get("act") else None
    if entry.get(UNDO):
        return _undoing(entry, place)
    if not entry.get("row") and not entry.get("rule"):
        missing.insert(0, "row")
    _hold_whole(entry, missing, place)
    part = entry.get("part") or ""
    told: dict[str, Any] = {name: str(entry[name]) for name in NEEDED}
    return Decision(
        place=place,
        row=str(entry.get("row") or ""),
        answer=_answer(entry.get("answer"), part),
        was=_answer(entry.get("was"), part),
        rule=_rule(entry.get("rule"), place),
        shares=_shares(entry.get("shares"), place),
        seconds=_number(entry, "seconds", place),
        score=_number(entry, "score", place),
        suggested=_answer(entry.get("suggested"), part),
        whole=_answer(entry.get("whole"), ""),
        blind=entry.get("blind") is True,
        settles=_named(entry.get("settles"), place),
        lines=_lines(entry, place),
        **told,
        **{name: entry[name] for name in _TEXTS if entry.get(name) is not None},
        id=line_id(entry),
    )


def _erased(entry: dict[str, Any], place: str) -> Decision:
    """What is left of a line of an act."""
    about: dict[str, Any] = {name: str(entry[name]) for name in NEEDED} | {"row": "", "answer": None, "was": None}
    return Decision(
        place=place, **about, act=str(entry["act"]), lines=_lines(entry, place), id=line_id(entry), is_erased=True
    )


def _lines(entry: dict[str, Any], place: str) -> int:
    """How many lines the act of a line has, where it says so."""
    count = entry.get("lines", 0)
    if type(count) is not int or count < 0 or (count and not entry.get("act")):
        raise AssayError(place, f"'lines' counts the lines of the act, it is {count!r:.40}", "mend the line")
    return count


def _undoing(entry: dict[str, Any], place: str) -> Decision:
    if missing := [name for name in ("who", "when", "why") if not entry.get(name)]:
        raise AssayError(place, f"the line that undoes has no {', '.join(missing)}", "add what is missing")
    who, when, why, target = (str(entry[name]) for name in ("who", "when", "why", UNDO))
    blank: dict[str, Any] = {"row": "", "verdict": "fine", "answer": None, "was": None}
    return Decision(place=place, who=who, when=when, why=why, undo=target, id=line_id(entry), **blank)


def _hold_whole(entry: dict[str, Any], missing: list[str], place: str) -> None:
    """See that a line says all that a decision says."""
    if entry.get("row") and entry.get("rule"):
        raise AssayError(place, "the decision has a row and a rule", "say which of them it is about: leave one out")
    if missing:
        raise AssayError(place, f"the decision has no {', '.join(missing)}", "add what is missing")
    if entry["verdict"] not in get_args(Verdict):
        raise AssayError(place, f"verdict '{entry['verdict']}'", f"known: {', '.join(get_args(Verdict))}")
    if entry["verdict"] == "wrong" and entry.get("answer") is None and not entry.get("rule"):
        raise AssayError(place, "verdict 'wrong' without the right answer", "add 'answer', or use verdict 'drop'")
    for name in _TEXTS:
        if not isinstance(entry.get(name), str | None):
            raise AssayError(place, f"the decision's {name} is no text: {entry[name]!r:.80}", "mend the line")
    if entry.get("cause", "error") not in get_args(Cause):
        raise AssayError(place, f"cause '{entry['cause']}'", f"known: {', '.join(get_args(Cause))}")


def _answer(given: Any, part: str) -> str | None:
    """A canonical answer; of a part the label as it is."""
    if given is None:
        return None
    return given if part and isinstance(given, str) else canonical(given)


def _rule(given: Any, place: str) -> Rule | None:
    try:
        return None if given is None else Rule.read(given)
    except Unfit as unfit:
        raise AssayError(place, f"the rule cannot be read: {unfit}", "mend the line") from unfit


def _shares(given: Any, place: str) -> tuple[tuple[str, float], ...]:
    """Labels with their shares, which come to 1; the most probable first."""
    if given is None:
        return ()
    is_good = isinstance(given, dict) and all(
        type(share) in (int, float) and 0 <= share <= 1 for share in given.values()
    )
    if not is_good or not math.isclose(sum(given.values()), 1, abs_tol=0.01):
        raise AssayError(place, f"these are no shares: {given!r:.80}", "each label's is from 0 to 1, together 1")
    return tuple(
        sorted(((str(label), float(share)) for label, share in given.items()), key=lambda one: (-one[1], one[0]))
    )


def _named(given: Any, place: str) -> tuple[str, ...]:
    """The lines that are named."""
    if not isinstance(given or [], list):
        raise AssayError(place, f"'settles' is a list of lines, not {given!r:.80}", "mend the line")
    return tuple(map(str, given or ()))


def _number(entry: dict[str, Any], name: str, place: str) -> float | None:
    value = entry.get(name)
    if value is None:
        return None
    if type(value) not in (int, float) or not math.isfinite(value) or value < 0:
        raise AssayError(place, f"the decision's {name} is no number of 0 or more: {value!r:.80}", "mend the line")
    return float(value)
