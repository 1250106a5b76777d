"""Taking: what people answered in a tool, held to what was asked, and written down as decisions."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from pipeline import decisions, store, tools
from pipeline.dates import moment
from pipeline.errors import AssayError
from pipeline.exchange.leaving import Leaving
from pipeline.exchange.lines import WITHOUT_ANSWER, Entry, Lines, worst
from pipeline.exchange.rounds import Asked, every, exports
from pipeline.exchange.sending import key_of
from pipeline.exchange.shaping import inward
from pipeline.fetch import RawFile
from pipeline.readers.record import Broken, ReadOptions, Record
from pipeline.reviewing.shelf import Shelf
from pipeline.tasks import canonical, task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.tasks import Row, Task

OF_DOCUMENTS = ("brat", "webanno")
"""Tools whose exports are folders with a file for each document."""


@dataclass
class Taken:
    """What came of reading back a round.

    `acts` counts answers by what they came to: fine, wrong, ambiguous, drop; `known` were taken in before, `superseded`
    were answered again by the same person, `skipped` were left without an answer there. `problems` are (place, why) of
    everything else: nothing is passed over without a word.
    """

    acts: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    known: int = 0
    as_proposed: int = 0
    """Answers that are what went out with their rows."""
    superseded: int = 0
    skipped: int = 0
    lines: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)


def take(
    recipe: Recipe,
    tool: str,
    files: Sequence[Path],
    *,
    who: str = "",
    changed_only: bool = False,
    dry: bool = False,
) -> Taken:
    """Take in what a tool exported; `who` answered where an answer names nobody.

    Of several answers of a person to a row the latest counts. The same file taken in twice changes nothing. With
    `changed_only`, answers that are what went out are left out: for tools that do not tell who looked at what.

    Raises:
        AssayError: a file is not there or is none of the tool's, or an answer names nobody and `who` is not said.
    """
    one = tools.of(tool)
    raws = [raw for path in files for raw in _raw(path, tool)]
    reader = _Reader.of(recipe, tool, who, changed_only=changed_only)
    entries = list(reader.entries(record for raw in raws for record in one.read(raw, ReadOptions())))
    if entries and not dry:
        _written(recipe, entries)
    reader.taken.lines = len(entries)
    return reader.taken


def _raw(path: Path, tool: str) -> list[RawFile]:
    """The files that are meant; a tool of documents takes a folder of them as it is."""
    if not path.is_dir() or tool in OF_DOCUMENTS:
        return [RawFile(path.name, path)]
    return [RawFile(one.relative_to(path).as_posix(), one) for one in sorted(path.rglob("*")) if one.is_file()]


def fetched(
    recipe: Recipe,
    url: str,
    *,
    project_id: int | None = None,
    who: str = "",
    changed_only: bool = False,
    dry: bool = False,
) -> Taken:
    """As `take`, from a project of the Label Studio server at `url`: the data set's, if none is named."""
    from pipeline.tools import label_studio_server

    server = label_studio_server.Server(url or None)
    found = server.project_of(key_of(recipe)) if project_id is None else project_id
    if found is None:
        problem = f"there is no project for {key_of(recipe)}"
        raise AssayError(server.url, problem, f"assay export {recipe.name} --tool label-studio --url URL makes it")
    path = exports(recipe) / f"fetched-{found}.json"
    server.fetch(found, path)
    return take(recipe, "label-studio", [path], who=who, changed_only=changed_only, dry=dry)


def _written(recipe: Recipe, entries: Sequence[Entry]) -> None:
    with store.locked(recipe.build):
        decisions.add(recipe.decisions, entries)


@dataclass
class _Reader:
    """Reads records of a tool beside what went out and what the build holds."""

    recipe: Recipe
    task: Task
    tool: str
    who: str
    changed_only: bool
    asked: dict[str, Asked]
    acts: set[str]
    shelf: Shelf
    lines: Lines
    leaving: Leaving
    taken: Taken = field(default_factory=Taken)

    @classmethod
    def of(cls, recipe: Recipe, tool: str, who: str, *, changed_only: bool) -> _Reader:
        """The reader of a data set and a tool; what went out last stands for a row."""
        asked = {row: one for each in every(recipe) if each.tool == tool for row, one in each.asked.items()}
        book = decisions.read(recipe.decisions)
        acts = {line.act for line in book.lines if line.act}
        kind = task(recipe.settings.task, recipe.settings.guideline)
        lines, leaving = Lines(recipe, kind, tool), Leaving.of(book, recipe.settings.guideline.version)
        return cls(recipe, kind, tool, who, changed_only, asked, acts, Shelf(recipe), lines, leaving)

    def entries(self, records: Iterable[Record | Broken]) -> Iterator[Entry]:
        """The lines of decisions that the records make."""
        good = []
        for record in records:
            if isinstance(record, Broken):
                self.taken.problems.append((record.place, f"{record.reason}: {record.evidence}"))
            else:
                good.append(record)
                self.taken.notes += [(record.place, note) for note in record.notes]
        rows = self.shelf.rows(list({str(record.fields.get("id")) for record in good}))
        for record, said in self._latest(good):
            row = rows.get(str(record.fields.get("id")))
            yield from self._decided(record, said, row)
        yield from self.leaving.lines()

    def _latest(self, records: Sequence[Record]) -> Iterator[tuple[Record, Mapping[str, Any]]]:
        """Of each person's answers to a row, or a part of it, the last: by time where all tell it, else as listed."""
        by_person: dict[tuple[str, str, str], list[tuple[Record, Mapping[str, Any]]]] = {}
        for record in records:
            for said in record.fields.get("annotations") or ():
                if self._is_skipped(record, said):
                    continue
                who = str(said.get("annotator") or self.who)
                if not who:
                    raise AssayError(record.place, "an answer names nobody", "say who answered: --who NAME")
                key = (str(record.fields.get("id")), who, str(said.get("part") or ""))
                by_person.setdefault(key, []).append((record, {**said, "annotator": who}))
        for several in by_person.values():
            self.taken.superseded += len(several) - 1
            yield several[_last([said.get("time") for _, said in several])]

    def _is_skipped(self, record: Record, said: Mapping[str, Any]) -> bool:
        if said.get("problem"):
            self.taken.problems.append((record.place, str(said["problem"])))
            return True
        if said.get("status") and said.get("verdict") is None:
            self.taken.skipped += 1
            return True
        return False

    def _decided(self, record: Record, said: Mapping[str, Any], row: Row | None) -> Iterator[Entry]:
        act = self._act(record, said)
        if act in self.acts:
            self.taken.known += 1
            self._heard(record, said, row, act)
            return
        if row is None:
            self.taken.problems.append((record.place, f"no row {record.fields.get('id')!r:.80} in the build"))
            return
        try:
            made = self._made(record, said, row)
        except AssayError as error:
            self.taken.problems.append((record.place, f"{said['annotator']}: {error}"))
            return
        if not made:
            return
        self.acts.add(act)
        self._heard(record, said, row, act)
        self.taken.people[str(said["annotator"])] += 1
        self.taken.acts[worst(made)] += 1
        seconds = said.get("seconds")
        for at, line in enumerate(made):
            timed = {"seconds": round(float(seconds), 1)} if at == 0 and isinstance(seconds, int | float) else {}
            self.leaving.add(line)
            yield line | {"act": act} | timed

    def _heard(self, record: Record, said: Mapping[str, Any], row: Row | None, act: str) -> None:
        """Note a whole answer: what it leaves as it was matters where others change it."""
        asked = self.asked.get(str(record.fields.get("id")))
        if row is None or said.get("part") or said.get("verdict") in WITHOUT_ANSWER:
            return
        with suppress(AssayError):  # an answer from before, to what the row no longer reads
            self.leaving.whole.append(self.lines.whole(said, str(record.fields.get("text", "")), row, asked, act))

    def _act(self, record: Record, said: Mapping[str, Any]) -> str:
        """One name for one answer of one person, the same whenever it is read."""
        told = {name: value for name, value in said.items() if name != "seconds"}
        spelled = json.dumps(
            [self.tool, record.fields.get("id"), told], ensure_ascii=False, sort_keys=True, default=str
        )
        return "x" + blake2b(spelled.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

    def _made(self, record: Record, said: Mapping[str, Any], row: Row) -> list[Entry]:
        text, is_kept = str(record.fields.get("text", "")), self.shelf.is_kept(row["id"])
        if self._is_as_proposed(said, text, row):
            self.taken.as_proposed += 1
            if self.changed_only:
                return []
        return self.lines.of(said, text, row, self.asked.get(row["id"]), is_kept=is_kept)

    def _is_as_proposed(self, said: Mapping[str, Any], text: str, row: Row) -> bool:
        """Whether a whole answer is what went out with the row."""
        asked = self.asked.get(row["id"])
        if asked is None or asked.blind or asked.suggested is None or said.get("part") or said.get("verdict"):
            return False
        return canonical(inward(self.task, row, said, text)) == asked.suggested


def _last(times: Sequence[str | None]) -> int:
    """Which of several answers is the latest: by their times where all can be compared, else the last one."""
    told = [moment(time) for time in times]
    known = [time for time in told if time is not None]
    if len(known) < len(told) or len({everywhere for everywhere, _ in known}) > 1:
        return len(told) - 1
    return max(range(len(known)), key=lambda at: (known[at], at))


__all__ = ["Taken", "fetched", "take"]
