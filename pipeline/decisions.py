"""Human decisions: lines of a file under version control, replayed on every build and never lost."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from pipeline.errors import AssayError, Unfit
from pipeline.tasks import canonical

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.tasks import Problem, Row, Task

Verdict = Literal["wrong", "fine", "ambiguous", "drop"]
NEEDED = ("row", "verdict", "who", "when", "why")


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided about a row: `was` and `answer` are canonical answers, `place` is the line it stands in."""

    place: str
    row: str
    verdict: Verdict
    answer: str | None
    was: str | None
    who: str
    when: str
    why: str
    guideline: str | None = None
    meaning: str | None = None
    """What the decided answer says apart from how the text is written, once the decision is understood."""
    problem: Problem | None = None
    """The rule that the row breaks with the answer that was decided, once the decision is understood."""

    def fits(self, settled: str | None) -> bool:
        """Whether the decision still speaks of the answer that the row has now, or has been followed already."""
        return self.was is None or settled in (self.was, self.answer)


def read(path: Path) -> dict[str, Decision]:
    """The decisions in a JSONL file, the last one for each row; none where there is no file.

    A line holds row, verdict (wrong, fine, ambiguous or drop), who, when, why, and for `wrong` the right answer; `was`
    (the answer that was judged) and `guideline` are optional.

    Raises:
        AssayError: a line that is no decision, with its place: a human decision is never skipped over.
    """
    if not path.is_file():
        return {}
    decisions: dict[str, Decision] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            decision = _decision(line, f"{path.name}:{number}")
            decisions[decision.row] = decision
    return decisions


def _decision(line: str, place: str) -> Decision:
    try:
        entry: dict[str, Any] = json.loads(line)
        missing = [name for name in NEEDED if not entry.get(name)]
    except (ValueError, AttributeError) as error:
        raise AssayError(place, f"no decision: {line[:80]}", "mend the line") from error
    if missing:
        raise AssayError(place, f"the decision has no {', '.join(missing)}", "add what is missing")
    if entry["verdict"] not in get_args(Verdict):
        raise AssayError(place, f"verdict '{entry['verdict']}'", f"known: {', '.join(get_args(Verdict))}")
    if entry["verdict"] == "wrong" and entry.get("answer") is None:
        raise AssayError(place, "verdict 'wrong' without the right answer", "add 'answer', or use verdict 'drop'")
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
    )


def understood(decision: Decision, row: Row, task: Task) -> Decision:
    """The decision with its answers read as those of any annotator are: labels by alias, offsets checked.

    Raises:
        AssayError: the answer that was decided cannot be read, with the place of the decision.
    """
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
