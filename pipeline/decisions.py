"""Human decisions: lines of a file under version control, replayed on every build and never lost."""

from __future__ import annotations

import json
from bisect import bisect_left
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal, get_args

from pipeline import journal
from pipeline.errors import AssayError, Unfit
from pipeline.tasks import canonical
from pipeline.text import normalised

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from pipeline.tasks import Problem, Row, Task

Verdict = Literal["wrong", "fine", "ambiguous", "drop"]
NEEDED = ("row", "verdict", "who", "when", "why")
_NEAR, _WINDOW = 2, 50


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about a row: `was` and `answer` are canonical answers, `place` is the line it stands in.

    `text` is what was read when it was decided, if the line says so.
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
    reads_now: str | None = None
    """What the row shows, where that is another text than the one that was judged, once the decision is understood."""
    meaning: str | None = None
    """What the decided answer says apart from how the text is written, once the decision is understood."""
    problem: Problem | None = None
    """The rule that the row breaks with the answer that was decided, once the decision is understood."""

    @property
    def said(self) -> str:
        """Who decided, when, why, and where that is written."""
        return f"{self.who}, {self.when}: {self.why} ({self.place})"

    def fits(self, settled: str | None) -> bool:
        """Whether the decision still speaks of the answer that the row has now, or has been followed already."""
        return self.was is None or settled in (self.was, self.answer)

    def stale(self, settled: str | None) -> str:
        """Why the decision does not speak of the row with the answer that it has now; empty if it does."""
        if self.reads_now is not None:
            return f"{self.place}: row {self.row} read {self.text!r:.80}; it now reads {self.reads_now!r:.80}"
        if not self.fits(settled):
            return f"{self.place}: row {self.row} was {self.was}; the row's answer is now {settled}"
        return ""


def lines(path: Path) -> list[Decision]:
    """All decisions in a JSONL file (UTF-8, with or without a byte-order mark), in order; none where there is no file.

    A line holds row, verdict (wrong, fine, ambiguous or drop), who, when, why, and for `wrong` the right answer; `was`
    (the answer that was judged), `text` (the text that was judged) and `guideline` are optional. What `assay erase`
    left of a decision on an erased row ("erased": true) is passed over.

    Raises:
        AssayError: a line that is no decision, with its place: a human decision is never skipped over.
    """
    said = (_decision(line, place) for place, line in journal.numbered(path))
    return [decision for decision in said if decision is not None]


def _decision(line: str, place: str) -> Decision | None:
    try:
        entry: dict[str, Any] = json.loads(line)
        missing = [name for name in NEEDED if not entry.get(name)]
    except (ValueError, AttributeError) as error:
        raise AssayError(place, f"no decision: {line[:80]}", "mend the line") from error
    if entry.get("erased") is True:
        return None
    if missing:
        raise AssayError(place, f"the decision has no {', '.join(missing)}", "add what is missing")
    if entry["verdict"] not in get_args(Verdict):
        raise AssayError(place, f"verdict '{entry['verdict']}'", f"known: {', '.join(get_args(Verdict))}")
    if entry["verdict"] == "wrong" and entry.get("answer") is None:
        raise AssayError(place, "verdict 'wrong' without the right answer", "add 'answer', or use verdict 'drop'")
    if not isinstance(entry.get("text"), str | None):
        raise AssayError(place, f"the decision's text is no text: {entry['text']!r:.80}", "mend the line")
    return Decision(
        place=place,
        row=str(entry["row"]),
        verdict=entry["verdict"],
        answer=None if entry.get("answer") is None else canonical(entry["answer"]),
        was=None if entry.get("was") is None else canonical(entry["was"]),
        who=str(entry["who"]),
        when=str(entry["when"]),
        why=str(entry["why"]),
        guideline=entry.get("guideline"),
        text=entry.get("text"),
    )


def found(names: Collection[str], ids: Sequence[str]) -> dict[str, tuple[int | None, str]]:
    """Where the rows that decisions name stand among `ids`: their position, or None and why there is none.

    A name is a whole id, or one without its source: `104` is `film/104` if no other id ends in `/104`.
    """
    if not names:
        return {}
    position = {id_: at for at, id_ in enumerate(ids)}
    wanted: dict[str, list[int]] = {name: [] for name in names if name not in position}
    for at, id_ in enumerate(ids) if wanted else ():
        for tail in _tails(id_):
            if tail in wanted:
                wanted[tail].append(at)
    known = sorted(ids) if not all(wanted.values()) else []
    sources = {id_.partition("/")[0] for id_ in known}
    return {
        name: (position[name], "") if name in position else _place(name, wanted[name], ids, known, sources)
        for name in names
    }


def _tails(id_: str) -> Iterator[str]:
    """What follows each slash of an id."""
    cut = id_.find("/")
    while cut >= 0:
        yield id_[cut + 1 :]
        cut = id_.find("/", cut + 1)


def _place(
    name: str, candidates: list[int], ids: Sequence[str], known: Sequence[str], sources: Collection[str]
) -> tuple[int | None, str]:
    """Where the only candidate stands; where there is none, or several, the ids that may have been meant."""
    if len(candidates) == 1:
        return candidates[0], ""
    if candidates:
        return None, f"several rows are called so: {', '.join(ids[at] for at in candidates[:5])}"
    near = _near(name, known, sources)
    return None, "no such row" + (f", near: {', '.join(near)}" if near else "")


def _near(name: str, known: Sequence[str], sources: Collection[str]) -> list[str]:
    """The ids nearest to a name: only those that sort beside it, as there may be millions."""
    around: set[str] = set()
    for spelling in (name, *(f"{source}/{name}" for source in sources)):
        at = bisect_left(known, spelling)
        around.update(known[max(0, at - _WINDOW) : at + _WINDOW])
    spelled = {spelling: id_ for id_ in sorted(around) for spelling in (id_, *_tails(id_))}
    return list(dict.fromkeys(spelled[spelling] for spelling in get_close_matches(name, sorted(spelled), n=_NEAR)))


def understood(decision: Decision, row: Row, task: Task) -> Decision:
    """The decision with its answers read as those of any annotator are: labels by alias, offsets checked.

    Raises:
        AssayError: the answer that was decided cannot be read, with the place of the decision.
    """
    shown = task.shown(row)
    if decision.text is not None and _key(decision.text) != _key(shown):
        return replace(decision, reads_now=shown)  # its answer may not even fit the text that stands there now
    was = decision.was
    if was is not None:
        with suppress(Unfit):  # an answer that is none any more: the decision will not fit, and is told as stale
            was = canonical(task.read_answer(json.loads(was), {}, row))
    if decision.answer is None:
        return replace(decision, was=was)
    try:
        answer = task.read_answer(json.loads(decision.answer), {}, row)
    except Unfit as unfit:
        raise AssayError(decision.place, f"the answer cannot be used: {unfit}", "mend the decision") from unfit
    settled = task.with_answer(row, answer)
    problem = next(task.problems(settled), None)
    return replace(decision, was=was, answer=canonical(answer), meaning=task.meaning(settled), problem=problem)


def _key(text: str) -> str:
    """What texts that say the same have in common; those without letters or digits are compared as they stand."""
    return normalised(text) or text.strip()
