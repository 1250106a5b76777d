"""Hearing: the records of a tool beside what went out and what was said before, as lines of decisions."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from pipeline import decisions
from pipeline.dates import moment
from pipeline.errors import AssayError
from pipeline.exchange.leaving import Leaving
from pipeline.exchange.lines import Entry, Lines, was_of, worst
from pipeline.exchange.returning import Returned
from pipeline.exchange.rounds import CONFLICTS
from pipeline.exchange.shaping import inward
from pipeline.exchange.taken import Heard, Taken
from pipeline.exchange.tracing import Trace, Tracing
from pipeline.exchange.words import Words, is_exact
from pipeline.readers.record import Broken, Record
from pipeline.reviewing.shelf import Shelf
from pipeline.tasks import canonical, task
from pipeline.tasks.parts import label_at

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from pipeline.exchange.rounds import Asked
    from pipeline.recipe import Recipe
    from pipeline.tasks import Row, Task


@dataclass
class Hearing:
    """Makes lines of decisions of records, each answer held to its round and to what its person said before."""

    recipe: Recipe
    task: Task
    tool: str
    who: str
    changed_only: bool
    acts: set[str]
    shelf: Shelf
    tracing: Tracing
    returned: Returned
    words: Words
    lines: Lines
    leaving: Leaving
    taken: Taken = field(default_factory=Taken)

    @classmethod
    def of(cls, recipe: Recipe, tool: str, who: str, *, changed_only: bool) -> Hearing:
        """With what stands in the book and in the rounds of a data set."""
        book, returned = decisions.read(recipe.decisions), Returned.of(recipe)
        kind = task(recipe.settings.task, recipe.settings.guideline)
        words, tracing = Words.of(book, kind), Tracing.of(recipe, tool, returned.closed)
        adjudicating = {one.id for one in tracing.rounds.values() if one.what == CONFLICTS}
        return cls(
            recipe=recipe,
            task=kind,
            tool=tool,
            who=who,
            changed_only=changed_only,
            acts={line.act for line in book.lines if line.act},
            shelf=Shelf(recipe),
            tracing=tracing,
            returned=returned,
            words=words,
            lines=Lines(recipe, kind, tool, words),
            leaving=Leaving.of(book, recipe.settings.guideline.version, kind, adjudicating),
        )

    def entries(self, files: Iterable[Iterable[Record | Broken]]) -> list[Entry]:
        """The lines of decisions that the records of these files make, and those that take earlier ones back."""
        good = [self._legible(records) for records in files]
        ids = {str(record.fields.get("id")) for records in good for record in records}
        rows = self.shelf.rows(sorted(ids))
        heard = [one for records in good for one in self._answers(records, rows)]
        made = [line for one in self._latest(heard) for line in self._decided(one)]
        return self._with_left(made)

    def _with_left(self, made: Sequence[Entry]) -> list[Entry]:
        """The lines with those on parts that were left as they were.

        One of an adjudicator has the last word on what others said, and stands before his others, which may speak of
        what touches the part. None is needed where he judged what others had made of it.
        """
        before: dict[str, list[Entry]] = {}
        after = []
        for line in self.leaving.lines():
            if line.get("round") not in self.leaving.adjudicating:
                after.append(line)
            elif self._is_judged(line):
                ids = [one.id for one in self.words.others(line["row"], line["who"], line["part"])]
                before.setdefault(line["act"], []).append(line | {"settles": ids})
        found = []
        for one in made:
            found += [*before.pop(one.get("act", ""), ()), one]
        return [*found, *(line for lines in before.values() for line in lines), *after]

    def _is_judged(self, line: Entry) -> bool:
        """Whether what a line says of a part is what stood there when its round went out."""
        sent = self.tracing.rounds.get(line["round"])
        asked = sent.asked.get(line["row"]) if sent else None
        if asked is None or asked.was is None:
            return True
        return label_at(self.task, json.loads(asked.was), line["part"]) == str(line["was"])

    def _legible(self, records: Iterable[Record | Broken]) -> list[Record]:
        good = []
        for record in records:
            if isinstance(record, Broken):
                self.taken.problems.append((record.place, f"{record.reason}: {record.evidence}"))
            else:
                good.append(record)
                self.taken.notes += [(record.place, note) for note in record.notes]
        return good

    def _answers(self, records: Sequence[Record], rows: Mapping[str, Row]) -> Iterator[Heard]:
        """Every answer in the records of one file; what was skipped, or cannot be read, is counted."""
        beside = {str(record.fields.get("id")) for record in records}
        for record in records:
            row = rows.get(str(record.fields.get("id")))
            for said in record.fields.get("annotations") or ():
                if self._is_skipped(record, said):
                    continue
                who = str(said.get("annotator") or self.who)
                if not who:
                    raise AssayError(record.place, "an answer names nobody", "say who answered: --who NAME")
                one = self._heard(record, {**said, "annotator": who}, row, beside)
                is_proposed = self._is_as_proposed(one)
                self.taken.as_proposed += is_proposed
                if not (is_proposed and self.changed_only):
                    yield one

    def _is_skipped(self, record: Record, said: Mapping[str, Any]) -> bool:
        if said.get("problem"):
            self.taken.problems.append((record.place, str(said["problem"])))
            return True
        if said.get("status") and said.get("verdict") is None:
            self.taken.skipped += 1
            return True
        return False

    def _heard(self, record: Record, said: Mapping[str, Any], row: Row | None, beside: Collection[str]) -> Heard:
        def like(round_: str, asked: Asked) -> tuple[bool, bool]:
            one = Heard(record, said, row, Trace(round_, asked))
            return self.returned.last.get(one.key) == self._act(one), self._is_shown(one, asked)

        return Heard(record, said, row, self.tracing.trace(record.fields, beside, like))

    def _is_as_proposed(self, one: Heard) -> bool:
        """Whether a whole answer is what went out with the row."""
        asked = one.trace.asked
        if asked is None or asked.blind or one.part or one.said.get("verdict"):
            return False
        return self._is_shown(one, asked)

    def _is_shown(self, one: Heard, asked: Asked) -> bool:
        """Whether an answer is the one that was proposed."""
        if one.row is None or asked.suggested is None or not one.is_whole:
            return False
        with suppress(AssayError):
            return canonical(inward(self.task, one.row, one.said, one.text)) == asked.suggested
        return False

    def _latest(self, heard: Sequence[Heard]) -> Iterator[Heard]:
        """Of each person's answers to a row, or a part of it, the last: by time where all tell it, else as listed."""
        by_person: dict[tuple[str, str, str], list[Heard]] = {}
        for one in heard:
            by_person.setdefault(one.key[1:], []).append(one)
        for several in by_person.values():
            self.taken.superseded += len(several) - 1
            last = several[_last([one.time for one in several])]
            for one in several:
                if one.trace.round != last.trace.round:
                    self._came_back(one)
            yield last

    def _came_back(self, one: Heard) -> None:
        self.taken.belongs[one.trace.round] += 1
        self.returned.add(one.key, self._act(one))

    def _decided(self, one: Heard) -> list[Entry]:
        """The lines that an answer makes; it is counted for what it comes to."""
        if self._is_known(one):
            self.taken.known += 1
            self.taken.belongs[one.trace.round] += 1
            if one.key not in self.returned.last:
                self.returned.add(one.key, self._act(one))
            if one.row is not None and one.who not in self.leaving.whole.get(one.row["id"], {}):
                self._left(one, one.row, self._act(one))
            return []
        if one.row is None:
            self.taken.problems.append((one.record.place, f"no row {one.id!r:.80} in the build"))
            return []
        try:
            made = self._made(one, one.row)
        except AssayError as error:
            self.taken.problems.append((one.record.place, f"{one.who}: {error}"))
            return []
        self._came_back(one)
        if not made:
            self.taken.superseded += 1
            return []
        return self._written_down(one, one.row, made)

    def _is_known(self, one: Heard) -> bool:
        """Whether it was taken in before: it is what the person said last in its round, or has a time that is known."""
        act, last = self._act(one), self.returned.last.get(one.key)
        if last is None or is_exact(one.time):
            return last == act or act in self.acts or self._act(one, apart=False) in self.acts
        return last == act

    def _made(self, one: Heard, row: Row) -> list[Entry]:
        """The lines on the row, none if the person has said another thing of all of it since."""
        if self.words.is_superseded(row["id"], one.who, one.part, one.time):
            return []
        is_kept = self.shelf.is_kept(row["id"])
        made = self.lines.of(one.said, one.text, row, one.trace, is_kept=is_kept)
        left = self.words.unsaid_since(made, one.time)
        if not left or one.part:
            return left
        if whole := made[0].get("whole"):
            left[0] = left[0] | {"whole": whole}
        was = was_of(self.task, row, one.trace.asked, is_kept=is_kept)
        answer = inward(self.task, row, one.said, one.text) if one.is_whole else None
        common = self.lines.common(one.said, row, one.trace)
        return [*left, *self.words.giving_way(common, made, was, answer, since=one.time)]

    def _written_down(self, one: Heard, row: Row, made: Sequence[Entry]) -> list[Entry]:
        """The lines with the name of their act, and those that take back what no longer fits beside them."""
        act = self._fresh_act(one)
        self.acts.add(act)
        said = [line for line in made if "undo" not in line]
        self.taken.people[one.who] += 1
        self.taken.acts[worst(said)] += 1
        timed = one.said.get("seconds")
        lines = [line if "undo" in line else line | {"act": act} for line in made]
        if isinstance(timed, int | float):
            lines[0] |= {"seconds": round(float(timed), 1)}
        common = self.lines.common(one.said, row, one.trace)
        found = []
        for line in lines:
            back = [] if "undo" in line else list(self.words.out_of_step(common, [line]))
            for each in (*back, line):
                found.append(each)
                self._noted(one.id, each)
        self._left(one, row, act)
        return found

    def _left(self, one: Heard, row: Row, act: str) -> None:
        """Note a whole answer: what it leaves as it was matters where others change it."""
        if one.is_whole:
            with suppress(AssayError):  # an answer from before, to what the row no longer reads
                self.leaving.heard(self.lines.whole(one.said, one.text, row, one.trace, act))

    def _noted(self, row: str, line: Entry) -> None:
        gone = self.words.add(row, line)
        if gone is not None:
            self.leaving.forget(gone)
        elif "undo" not in line:
            self.leaving.add(line)

    def _fresh_act(self, one: Heard) -> str:
        """The name of the answer; another one where a person came back to what he had said once."""
        act = self._act(one)
        return next(name for at in range(len(self.acts) + 1) if (name := f"{act}-{at}" if at else act) not in self.acts)

    def _act(self, one: Heard, *, apart: bool = True) -> str:
        """One name for one answer of one person, the same whenever it is read; `apart` in each round."""
        told = {name: value for name, value in one.said.items() if name != "seconds"}
        about = [self.tool, one.id, told, *([one.trace.round] if apart and one.trace.round else [])]
        spelled = json.dumps(about, ensure_ascii=False, sort_keys=True, default=str)
        return "x" + blake2b(spelled.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _last(times: Sequence[str | None]) -> int:
    """Which of several answers is the latest: by their times where all can be compared, else the last one."""
    told = [moment(time) for time in times]
    known = [time for time in told if time is not None]
    if len(known) < len(told) or len({everywhere for everywhere, _ in known}) > 1:
        return len(told) - 1
    return max(range(len(known)), key=lambda at: (known[at], at))
