"""Two people who answer in Label Studio as they know it to be right, but for some slips, and who skip and answer again.

The model of their time: a text takes `SECONDS`, and each mark that is put in or taken away, but for the first, as much.
Whoever is shown a suggestion begins with it. Every row goes to one of the two, some to both. Bert skips some, answers
some twice, in place or with a second annotation (the first answer is then as it was given), and of the rows that both
get leaves every fifth as it was given: these are the slips.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.tasks.parts import differences
from tests.bench.reviewing import drawn
from tests.tools.served import ANNA, BERT, results

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.tasks import Answer, Row, Task
    from tests.tools.served import Studio

PEOPLE = (ANNA, BERT)
SECONDS = 8.0
DOUBLE, SKIPPED, TWICE, SLIPS = 0.1, 0.05, 0.1, 0.2
PAGE_TASKS = 500


@dataclass(frozen=True)
class Known:
    """What is known of a row: the row, what was given, what is right."""

    row: Row
    given: Answer
    right: Answer


@dataclass(frozen=True)
class Said:
    """What one person comes to say of a row in the end (None: it is skipped), and in how many seconds."""

    row: str
    who: str
    answer: Answer | None
    seconds: float


@dataclass
class People:
    """The two at work in a project."""

    studio: Studio
    known: Mapping[str, Known]
    said: list[Said] = field(default_factory=list)
    twice: int = 0
    slips: int = 0

    def work(self, project: int) -> None:
        """Answer every task that nobody has answered."""
        for task in list(self._tasks(project)):
            if task["annotations"]:
                continue
            people = dealt(task["data"]["assay_row"], project)
            for who in people:
                self._answer(task, who, is_double=len(people) > 1)

    def _tasks(self, project: int) -> Iterator[dict[str, Any]]:
        at, total = 1, 1
        while (at - 1) * PAGE_TASKS < total:
            where = f"/api/tasks?project={project}&fields=all&page={at}&page_size={PAGE_TASKS}"
            told = self.studio.get(where, ANNA)
            yield from told["tasks"]
            at, total = at + 1, told["total"]

    def _answer(self, task: dict[str, Any], who: str, *, is_double: bool) -> None:
        name, path = task["data"]["assay_row"], f"/api/tasks/{task['id']}/annotations/"
        known, suggested = self.known[name], task["predictions"][0]["result"] if task["predictions"] else []
        if who == BERT and drawn(SKIPPED, "skipped", name):
            self.studio.post(who, path, {"result": [], "was_cancelled": True, "lead_time": 2.0})
            self.said.append(Said(name, who, None, 2.0))
            return
        is_slip = who == BERT and is_double and drawn(SLIPS, "slip", name)
        answer = known.given if is_slip else known.right
        begun = [region(one) for one in suggested]
        seconds = SECONDS * max(1, len(changed(begun, answer)))
        sent = submitted(task, suggested, answer) | {"lead_time": seconds}
        self.slips += is_slip and known.given != known.right
        if who == BERT and drawn(TWICE, "twice", name):
            self._again(path, submitted(task, suggested, known.given) | {"lead_time": SECONDS}, sent, name)
        else:
            self.studio.post(who, path, sent)
        self.said.append(Said(name, who, answer, seconds))

    def _again(self, path: str, first: dict[str, Any], second: dict[str, Any], name: str) -> None:
        """Answer, and think better of it: half of the times in place."""
        made = self.studio.post(BERT, path, first)
        self.twice += 1
        if drawn(0.5, "in place", name):
            self.studio.post(BERT, f"/api/annotations/{made['id']}/", second, "PATCH")
        else:
            self.studio.post(BERT, path, second)


def dealt(row: str, project: int) -> tuple[str, ...]:
    """Who is to answer a row in a project: one of the two, or both."""
    return PEOPLE if drawn(DOUBLE, "double", row, project) else PEOPLE[drawn(0.5, "dealt", row, project) :][:1]


def region(result: Mapping[str, Any]) -> tuple[int, int, str]:
    """The mark that a result of Label Studio is."""
    value = result["value"]
    return value["start"], value["end"], value["labels"][0]


def changed(one: Sequence[Any], other: Sequence[Any]) -> set[tuple[int, int, str]]:
    """The marks that only one of two answers has."""
    return {(start, end, label) for start, end, label in one} ^ {(start, end, label) for start, end, label in other}


def submitted(task: Mapping[str, Any], suggested: Sequence[dict[str, Any]], answer: Answer) -> dict[str, Any]:
    """An annotation as the page submits it: suggested marks that are right are kept as they were, others are drawn."""
    wanted = {(start, end, label) for start, end, label in answer}
    kept = [one | {"origin": "prediction"} for one in suggested if region(one) in wanted]
    drawn_ = sorted(wanted - {region(one) for one in kept})
    made = {"result": [*kept, *results(task["data"]["text"], [list(one) for one in drawn_])]}
    return made | ({"parent_prediction": task["predictions"][0]["id"]} if suggested else {})


def as_decisions(
    said: Sequence[Said], known: Mapping[str, Known], asked: Mapping[str, Sequence[str]], task: Task
) -> list[dict[str, Any]]:
    """The same as lines of decisions, made without any tool; `asked` are the parts of each row that were asked for."""
    made = []
    for one in said:
        if one.answer is None:
            continue
        about = known[one.row]
        common = {"row": one.row, "who": one.who, "when": "2026-11-24T10:00:00Z", "why": "the second release"}
        common["act"] = f"played-{one.row}-{one.who}"
        found = differences(task, about.row, about.given, one.answer, asked=asked[one.row])
        for at, (part, was, becomes) in enumerate(found):
            judged = {"verdict": "fine"} if was == becomes else {"verdict": "wrong", "answer": becomes}
            timed = {"seconds": one.seconds} if at == 0 else {}
            made.append({**common, "part": part, "was": was, **judged, **timed, "text": task.shown(about.row)})
    return made
