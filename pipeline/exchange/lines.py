"""Lines: what one answer of one person says of every part of a row that was asked about, as decisions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from pipeline.decisions import now
from pipeline.errors import AssayError, Unfit
from pipeline.exchange.leaving import Whole
from pipeline.exchange.shaping import inward, shown
from pipeline.reviewing.tables import RELABEL
from pipeline.tasks import canonical
from pipeline.tasks.parts import NO, WHOLE, YES, differences, label_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.exchange.rounds import Asked
    from pipeline.exchange.tracing import Trace
    from pipeline.exchange.words import Words
    from pipeline.recipe import Recipe
    from pipeline.tasks import Answer, Row, Task

Entry = dict[str, Any]
SAID = "decided in {tool}"
WITHOUT_ANSWER = ("ambiguous", "drop")


@dataclass(frozen=True)
class Lines:
    """Makes lines of decisions; `tool` is where the answers come from."""

    recipe: Recipe
    task: Task
    tool: str
    words: Words

    def of(self, said: Mapping[str, Any], text: str, row: Row, trace: Trace, *, is_kept: bool) -> list[Entry]:
        """The lines that an entry of a tool makes of a row; `trace` tells what went out of it, if anything.

        `text` is what the tool shows. An answer that leaves everything as it was is one line: fine. The first line on
        a part has the whole answer that was left, if there was one.

        Raises:
            AssayError: it is no answer to what is asked, or the row is another one by now.
        """
        asked = trace.asked
        if asked is not None and asked.text != shown(self.task, row):
            problem = f"{asked.text!r:.80} went out, the row reads {shown(self.task, row)!r:.80}"
            raise AssayError("its text", problem, "send the row again")
        common = self.common(said, row, trace)
        was = was_of(self.task, row, asked, is_kept=is_kept)
        verdict = said.get("verdict")
        if verdict in WITHOUT_ANSWER:
            return self._without_answer(common | {"verdict": verdict}, was, asked)
        if said.get("part"):
            return [common | self._on_part(said, row, was, asked)]
        answer = inward(self.task, row, said, text)
        if was is None:
            return [common | self._settling(asked, WHOLE, common) | {"verdict": "wrong", "answer": answer}]
        made = self._by_part(common, row, was, answer, asked)
        return [made[0] | {"whole": answer}, *made[1:]] if made[0].get("part") else made

    def whole(self, said: Mapping[str, Any], text: str, row: Row, trace: Trace, act: str) -> Whole:
        """A whole answer, to be held beside those of others; raises AssayError as `of` does."""
        return Whole(
            self.common(said, row, trace) | {"act": act},
            inward(self.task, row, said, text),
            partial(label_at, self.task),
        )

    def _without_answer(self, said: Entry, was: Answer | None, asked: Asked | None) -> list[Entry]:
        """A verdict on the row; of one on which people differ, on each part on which they do."""
        disputed = asked.settles if asked is not None else {}
        if not disputed or was is None:
            return [said | self._settling(asked, WHOLE, said) | ({} if was is None else {"was": was})]
        made = []
        for part in disputed:
            about: Entry = {"part": part, "was": label_at(self.task, was, part)} if part else {"was": was}
            made.append(said | self._settling(asked, part, said) | about)
        return made

    def _settling(self, asked: Asked | None, part: str, common: Entry, was: Any = None) -> Entry:
        """Which decisions of others the line of an adjudicator on a part has the last word on: those that he was shown.

        Of parts on which nobody differed, all that stand and judged what he did (`was`): what he judged may be what
        others made of it, and is so only as long as their lines hold.
        """
        if asked is None or not asked.settles:
            return {}
        others = self.words.others(common["row"], common["who"], part)
        shown_ = asked.settles.get(part)
        if shown_ is None and was is not None:
            others = [line for line in others if line.was in (None, canonical(was) if part == WHOLE else was)]
        ids = [line.id for line in others if shown_ is None or line.id in shown_]
        return {"settles": ids} if ids else {}

    def _by_part(self, common: Entry, row: Row, was: Answer, answer: Answer, asked: Asked | None) -> list[Entry]:
        lines = {line["part"]: line for line in (asked.lines if asked else ())}
        if WHOLE in lines and (self.task.head == "multilabel" or self.task.measure == "spans"):
            return [self._on_whole(common, was, answer, asked), *self._on_disputed(common, was, answer, asked)]
        found = differences(self.task, row, was, answer, asked=list(lines))
        if not found:
            return [common | {"verdict": "fine", "was": was}]
        made = []
        for part, before, after in found:
            about: Entry = {"was": was} if part == WHOLE else {"part": part, "was": before}
            said: Entry = {"verdict": "wrong", "answer": answer if part == WHOLE else after}
            said = said if before != after else {"verdict": "fine"}
            settled = self._settling(asked, part, common, about["was"])
            made.append(common | _as_asked(lines.get(part), asked) | settled | about | said)
        return made

    def _on_whole(self, common: Entry, was: Answer, answer: Answer, asked: Asked | None) -> Entry:
        """One line on the whole answer, where that is what was asked about of an answer with parts."""
        said: Entry = {"verdict": "fine"} if answer == was else {"verdict": "wrong", "answer": answer}
        line = next((line for line in (asked.lines if asked else ()) if line["part"] == WHOLE), None)
        return common | _as_asked(line, asked) | self._settling(asked, WHOLE, common, was) | {"was": was} | said

    def _on_disputed(self, common: Entry, was: Answer, answer: Answer, asked: Asked | None) -> Iterator[Entry]:
        """Beside the line on the whole, one for each part on which people differ: what that left there is fine."""
        for part in asked.settles if asked is not None else ():
            if part != WHOLE:
                settled = self._settling(asked, part, common)
                left = label_at(self.task, answer, part)
                yield common | settled | {"part": part, "was": left, "verdict": "fine"}

    def _on_part(self, said: Mapping[str, Any], row: Row, was: Answer | None, asked: Asked | None) -> Entry:
        """What was said of one part only: that its label is right, or that it is not."""
        part, is_fine = str(said["part"]), said.get("verdict") == "fine"
        now = label_at(self.task, was if was is not None else self.task.answer(row), part)
        line = next((line for line in (asked.lines if asked else ()) if line["part"] == part), None)
        about = _as_asked(line, asked) | {"part": part, "was": now}
        named = YES if self.task.head == "multilabel" else _label_of(said, part)
        if is_fine:
            return about | ({"verdict": "fine"} if now == named else {"verdict": "wrong", "answer": named})
        if self.task.head == "multilabel":
            return about | ({"verdict": "fine"} if now == NO else {"verdict": "wrong", "answer": NO})
        if now != named:
            return about | {"verdict": "fine"}
        raise Unfit("unanswered", f"{named} at {part} was rejected, but what is right instead is not said")

    def common(self, said: Mapping[str, Any], row: Row, trace: Trace) -> Entry:
        """What all lines of an answer have in common."""
        asked = trace.asked
        note = str(said.get("note") or "").strip()
        return {
            "row": row["id"],
            "who": str(said["annotator"]),
            "when": str(said.get("time") or now()),
            "why": note or SAID.format(tool=self.tool),
            "text": self.task.shown(row),
            "guideline": asked.guideline if asked else self.recipe.settings.guideline.version,
            "tool": self.tool,
            **({"round": trace.round} if trace.round else {}),
        }


def was_of(task: Task, row: Row, asked: Asked | None, *, is_kept: bool) -> Answer | None:
    """The answer that was judged; None where none was settled."""
    if asked is not None:
        return None if asked.was is None else json.loads(asked.was)
    return task.answer(row) if is_kept else None


def _as_asked(line: Mapping[str, Any] | None, asked: Asked | None) -> Entry:
    """What the decision on a line of the queue says of how it was asked."""
    if line is None or asked is None:
        return {}
    told: Entry = {} if line["score"] is None else {"score": round(line["score"], 6)}
    if line["likely"]:
        told["suggested"] = line["likely"]
    if line["kind"] == RELABEL:
        told["cause"] = "guideline"
    if line["group"]:
        told["group"] = line["group"]
    return told | ({"blind": True} if asked.blind else {})


def _label_of(said: Mapping[str, Any], part: str) -> str:
    """The label that stood on a stretch of text when it was judged."""
    given = said.get("spans") or (said.get("rejected") or {}).get("spans") or []
    for one in given:
        if f"{one['start']}:{one['end']}" == part:
            return str(one["label"])
    raise Unfit("wrong_type", f"nothing says which label was judged at {part}")


def worst(made: Sequence[Entry]) -> str:
    """What an answer comes to as a whole."""
    verdicts = {line["verdict"] for line in made}
    return next(one for one in ("drop", "ambiguous", "wrong", "fine") if one in verdicts)
