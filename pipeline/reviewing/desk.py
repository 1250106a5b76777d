"""The desk: the queue as reviewers sit before it: what comes next, what is judged and by whom, group by group."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import AssayError
from pipeline.reviewing import fresh
from pipeline.reviewing.dealing import blinded, doubled
from pipeline.reviewing.fitting import fits, ruled
from pipeline.reviewing.ledger import Ledger
from pipeline.reviewing.listing import Listing
from pipeline.reviewing.shelf import Shelf, stamp
from pipeline.tasks import task
from pipeline.tasks.parts import WHOLE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.decisions import Decision
    from pipeline.recipe import Recipe
    from pipeline.reviewing.tables import Queue

    Bools = NDArray[np.bool_]
    Ints = NDArray[np.int64]

VIEWS = {
    "value": "By value per minute",
    "lines": "Line by line",
    "double": "Judged by two",
    "conflicts": "People differ",
    "judged": "Judged so far",
}


@dataclass(frozen=True)
class Item:
    """One entry of a list: a group, or a line, by its position."""

    is_group: bool
    at: int


class Desk:
    """The queue and the decisions on it; texts stay in Arrow columns, what is judged is kept as bits.

    Attributes:
        waiting: the queue; lines, groups: its tables; version: what tells it from that of another build.
        ledger: the decisions in force.
    """

    def __init__(self, recipe: Recipe, waiting: Queue) -> None:
        self.recipe = recipe
        self.settings = recipe.settings.review
        self.task = task(recipe.settings.task, recipe.settings.guideline)
        self.waiting = waiting
        self.lines, self.groups = waiting.lines.combine_chunks(), waiting.groups.combine_chunks()
        self.ledger = Ledger(recipe.decisions)
        self.shelf = Shelf(recipe)
        self.lock = RLock()
        self._by_row: dict[str, Bools] = {}
        self._by_rule: dict[str, Bools] = {}
        self._seen: dict[str, Bools] = {}
        self._newest = self.shelf
        self._enter(None)

    # -- what there is
    @cached_property
    def content(self) -> str:
        """What tells the queue from that of another build."""
        return fresh.of_tables(self.lines, self.groups)

    @property
    def version(self) -> str:
        """A name of the lists: that of others is another, of another build, or since more lines are asked about."""
        asked = self.asked
        return self.content if asked.all() else f"{self.content}.{crc32(np.packbits(asked).tobytes()):08x}"

    @cached_property
    def _tails(self) -> pa.Array:
        """The ids without their sources, by which people may name rows as well."""
        return pc.replace_substring_regex(_whole(self.lines["id"]), "^[^/]*/?", "")

    @cached_property
    def double(self) -> Bools:
        """Which lines two people judge."""
        return doubled(self.lines["line"], self.settings)

    @cached_property
    def _group_of(self) -> Ints:
        """The group of every line, -1 for none."""
        found = pc.index_in(_whole(self.lines["group"]), value_set=_whole(self.groups["group"]))
        return np.asarray(found.fill_null(-1).to_numpy(), dtype=np.int64)

    @cached_property
    def _members(self) -> tuple[Ints, Ints]:
        """Lines in the order of their groups, and where each group begins among them."""
        order = np.argsort(self._group_of, kind="stable")
        return order, np.searchsorted(self._group_of[order], np.arange(self.groups.num_rows + 1))

    def members(self, group: int) -> Ints:
        """The lines of a group, the most suspicious first."""
        order, starts = self._members
        return order[starts[group] : starts[group + 1]]

    def line_at(self, name: str) -> int:
        """Where a line of the queue stands.

        Raises:
            AssayError: there is none with this name.
        """
        return _at(self.lines["line"], name, "line")

    def group_at(self, name: str) -> int:
        """Where a group of the queue stands.

        Raises:
            AssayError: there is none with this name.
        """
        return _at(self.groups["group"], name, "group")

    def find_line(self, name: str) -> int:
        """Where a line of the queue stands, -1 where there is none."""
        return _find(self.lines["line"], name)

    def find_group(self, name: str) -> int:
        """Where a group of the queue stands, -1 where there is none."""
        return _find(self.groups["group"], name)

    def group_of(self, line: int) -> int:
        """The group that a line belongs to, -1 for none."""
        return int(self._group_of[line])

    # -- what is judged
    def refresh(self) -> None:
        """Take in what was decided since, here or in other processes.

        Raises:
            AssayError: the file of decisions cannot be read.
        """
        with self.lock:
            version = self.ledger.version
            changed = self.ledger.refresh()
            if self.ledger.version != version:
                self._enter(changed)

    def newest(self) -> Shelf:
        """The rows as the last build left them, which may be a later one than that whose queue this is."""
        if stamp(self.recipe) != self._newest.stamp:
            self._newest = Shelf(self.recipe)
        return self._newest

    def _enter(self, changed: set[tuple[str, str]] | None) -> None:
        """Mark the lines on which something else holds now; all of them where nothing is named."""
        if changed is None:
            self._by_row, self._by_rule = {}, self._ruled()
            changed = set(self.ledger.voices)
        if not changed:
            return
        names = sorted({row for row, _ in changed})
        wanted = pa.array(names, pa.string())
        for column in (self.lines["id"], self._tails):
            found = pc.index_in(_whole(column), value_set=wanted).fill_null(-1).to_numpy()
            for at in np.flatnonzero(found >= 0).tolist():
                self._mark(at, names[found[at]])

    def _mark(self, line: int, row: str) -> None:
        """Mark who judged a line: its part, or the whole row that it is a part of."""
        part = self.lines["part"][line].as_py()
        heard = {**self.ledger.voices.get((row, WHOLE), {}), **self.ledger.voices.get((row, part), {})}
        said = {who: one for who, one in heard.items() if self._fits(one, line)}
        for who in said:
            self._by_row.setdefault(who, np.zeros(self.lines.num_rows, dtype=bool))
        for who, marks in self._by_row.items():
            marks[line] = who in said

    def _fits(self, said: Decision, line: int) -> bool:
        """Whether a decision is about what a line shows now."""
        about = {name: self.lines[name][line].as_py() for name in ("kind", "part", "given")}
        version = self.recipe.settings.guideline.version
        return fits(said, text=self.lines["text"][line].as_py, guideline=version, **about)

    def _ruled(self) -> dict[str, Bools]:
        """Lines that a rule decision settled, by person."""
        found: dict[str, Bools] = {}
        for said in self.ledger.rules:
            marks = found.setdefault(said.who, np.zeros(self.lines.num_rows, dtype=bool))
            if said.group and (group := _find(self.groups["group"], said.group)) >= 0:
                marks[self.members(group)] = True
            if said.rule is not None:
                marks[ruled(said, self.lines, self.recipe.settings.guideline.version)] = True
        return found

    def by(self, who: str) -> Bools:
        """Which lines a person has judged: bool[lines]."""
        none = np.zeros(self.lines.num_rows, dtype=bool)
        return self._by_row.get(who, none) | self._by_rule.get(who, none)

    def done(self, who: str) -> Bools:
        """Which lines need nothing more of a person: judged by anyone, or, where two are to judge, by this person."""
        own, others = self.by(who), np.zeros(self.lines.num_rows, dtype=bool)
        for name in {*self._by_row, *self._by_rule} - {who}:
            others |= self.by(name)
        return own | (others & ~self.double)

    def people(self) -> list[str]:
        """Everybody who has judged a line of the queue."""
        return sorted({*self._by_row, *self._by_rule})

    def key(self, line: int) -> tuple[str, str]:
        """The row and the part that a line is about."""
        return self.lines["id"][line].as_py(), self.lines["part"][line].as_py()

    def voices(self, line: int) -> dict[str, Decision]:
        """The last word of each person on the part that a line is about."""
        return self.ledger.voices.get(self.key(line), {})

    def see(self, group: int, who: str) -> None:
        """Note that a person was shown what a group proposes: its lines are not judged without it any more."""
        self._seen.setdefault(who, np.zeros(self.lines.num_rows, dtype=bool))[self.members(group)] = True

    def inherit(self, earlier: Desk) -> None:
        """Remember what people were shown of these lines before the data set was built anew."""
        at = pc.index_in(_whole(self.lines["line"]), value_set=_whole(earlier.lines["line"]))
        place = np.asarray(at.fill_null(-1).to_numpy(), dtype=np.int64)
        self._seen = {who: np.append(seen, False)[place] for who, seen in earlier._seen.items()}

    def is_blind(self, line: int, who: str) -> bool:
        """Whether a person is to judge a line without the proposal: so it was dealt, and they have not seen it yet.

        Nor what others made of it.
        """
        if (who in self._seen and self._seen[who][line]) or self.by(who)[line]:
            return False
        if self.voices(line).keys() - {who} and self.may_see(line, who):
            return False
        return blinded(self.lines["line"][line].as_py(), who, self.settings)

    def may_see(self, line: int, who: str) -> bool:
        """Whether a person may know what others said of a line: not before judging it, where two are to."""
        if not self.double[line]:
            return True
        others = len(self.voices(line).keys() - {who})
        return bool(self.by(who)[line]) or others > 1

    def may_see_row(self, line: int, who: str) -> bool:
        """Whether a person may know all that others said of a row: no part of it is still theirs to judge."""
        same = np.flatnonzero(np.asarray(pc.equal(self.lines["id"], self.lines["id"][line])))
        return all(self.may_see(at, who) for at in same.tolist())

    # -- lists
    @cached_property
    def _listing(self) -> Listing:
        return Listing(self.lines, self.groups, self._group_of, self._members, self.settings.seconds_per_line)

    @property
    def asked(self) -> Bools:
        """Lines that people are asked about by now: all but echoes of which none like them was found wrong yet."""
        return self._listing.asked(self.ledger)

    def view(self, name: str, who: str) -> Ints:
        """The entries of a list: lines by position, groups as -1 - position.

        Raises:
            AssayError: there is no such list.
        """
        if name == "value":
            return self._listing.shown(self._listing.by_value, self.ledger)
        if name == "lines":
            return self._listing.shown(np.arange(self.lines.num_rows), self.ledger)
        if name == "double":
            return self._listing.shown(np.flatnonzero(self.double), self.ledger)
        if name == "judged":
            return np.flatnonzero(self.by(who))
        if name == "conflicts":
            return self._conflicts(who)
        raise AssayError(f"view '{name:.40}'", "there is none", f"known: {', '.join(VIEWS)}")

    def _conflicts(self, who: str) -> Ints:
        """Lines on which people differ, as far as this person may know."""
        several = sum(
            (self.by(name).astype(np.int64) for name in self.people()), np.zeros(self.lines.num_rows, np.int64)
        )
        found = [at for at in np.flatnonzero(several > 1).tolist() if self.may_see(at, who) and self.is_conflict(at)]
        return np.array(found, dtype=np.int64)

    def is_conflict(self, line: int) -> bool:
        """Whether people differ on the part that a line is about, and nobody settled it."""
        return self.ledger.conflict(self.key(line))

    def is_open(self, entry: Ints, who: str) -> Bools:
        """Which entries of a list still need this person: bool[entries]."""
        done = self.done(who)
        order, starts = self._members
        left = np.concatenate([[0], np.cumsum(~done[order])])
        open_groups = left[starts[1:]] > left[starts[:-1]]
        found = np.zeros(len(entry), dtype=bool)
        is_group = entry < 0
        found[~is_group] = ~done[entry[~is_group]]
        found[is_group] = open_groups[-1 - entry[is_group]]
        return found

    def place(self, name: str, who: str, line: int) -> int:
        """Where a line, or the group that it belongs to, stands in a list; -1 where it does not."""
        entries, group = self.view(name, who), self.group_of(line)
        found = np.flatnonzero((entries == line) | ((group >= 0) & (entries == -1 - group)))
        return int(found[0]) if len(found) else -1

    def line_of(self, said: Decision) -> int:
        """The line that a decision is about, of a rule the first of its group; -1 where there is none."""
        if said.rule is not None:
            group = _find(self.groups["group"], said.group)
            return int(self.members(group)[0]) if group >= 0 else -1
        same = pc.and_(pc.equal(self.lines["id"], said.row), pc.equal(self.lines["part"], said.part))
        found = np.asarray(same, dtype=bool)
        return int(np.argmax(found)) if found.any() else -1

    def next_open(self, name: str, who: str, after: int) -> int:
        """The place in a list of the first entry after one that needs this person, from the top again; -1 for none."""
        entries = self.view(name, who)
        is_open = (
            np.array([self.is_conflict(at) for at in entries]) if name == "conflicts" else self.is_open(entries, who)
        )
        places = np.flatnonzero(is_open)
        if not len(places):
            return -1
        later = places[places > after]
        return int(later[0] if len(later) else places[0])


def _whole(column: Any) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _find(column: Any, name: str) -> int:
    return int(pc.index(column, pa.scalar(name, pa.string())).as_py())


def _at(column: Any, name: str, what: str) -> int:
    if (found := _find(column, name)) < 0:
        way_out = "go on to the next one"
        raise fresh.Outdated(f"{what} '{name:.40}'", "is not in the queue (any more)", way_out, is_gone=True)
    return found


def entries(found: Ints) -> list[Item]:
    """Entries of a list by what they are."""
    return [Item(number < 0, -1 - number if number < 0 else number) for number in found.tolist()]
