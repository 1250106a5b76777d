"""The ledger: decisions as they come in, by the part of the row that they are about, read on from where it stopped."""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING
from zlib import crc32

from pipeline import decisions, journal
from pipeline.decisions.acting import Acts
from pipeline.decisions.line import parsed
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from pipeline.decisions import Decision

    Key = tuple[str, str]
    """A row and a part of its answer."""
    Stamp = tuple[int, int, int]


class Ledger:
    """What is in force in the file of decisions, kept up with it however many people and processes add to it.

    Attributes:
        voices: for every part that somebody judged, the last word of each person.
        rules: rule decisions in force, in order.
        version: rises whenever something has changed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.version = 0
        self._lock = RLock()
        self._stamp: Stamp | None = None
        self._next, self._is_anew = (0, 0, 0), False
        journal.mend(path)
        self._forget()
        self.refresh(ended=True)

    def _forget(self) -> None:
        self.voices: dict[Key, dict[str, Decision]] = {}
        self.rules: list[Decision] = []
        self._held: dict[Key, list[Decision]] = {}
        self._parts: dict[str, set[str]] = {}
        self._acts: dict[str, list[str]] = {}
        self._named: dict[str, list[Decision]] = {}
        self._undone: set[str] = set()
        self._whole = Acts()
        self._read, self._lines, self._sum = 0, 0, 0

    def refresh(self, *, ended: bool = False) -> set[Key] | None:
        """Read what was added since; the parts of which something else holds now, None where that may be all of them.

        A line without its end is still being written, unless the file has `ended`. Where the file was changed before
        what was added, by hand or by version control, all of it is read again.

        Raises:
            AssayError: a line that is no decision, with its place: until it is mended, every time.
        """
        with self._lock:
            stamp = self._stamped()
            if stamp == self._stamp:
                return set()
            told = [line for place, text in self._more(ended=ended) if (line := parsed(text, place))]
            self._stamp, self._read, self._lines, self._sum = stamp, *self._next
            is_anew, self._is_anew = self._is_anew, False
            changed: set[Key] | None = None if is_anew else set()
            for line in (one for read in told for one in self._whole.take(read)):
                keys = self._take(line)
                changed = None if changed is None or keys is None else changed | keys
            self.version += len(told) + is_anew
            return changed

    def _stamped(self) -> Stamp | None:
        """What tells that the file is another than it was."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns

    def _more(self, *, ended: bool) -> list[tuple[str, str]]:
        """(place, line) of the whole lines that were added; what they lead to stands in `_next`."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            content = b""
        except OSError as error:
            raise AssayError(str(self.path), f"cannot be read: {error.strerror}", "mend the file") from error
        if crc32(memoryview(content)[: self._read]) != self._sum or len(content) < self._read:
            self._forget()
            self._is_anew = True
        added = memoryview(content)[self._read :]
        whole = bytes(added if ended else added[: content.rfind(b"\n", self._read) + 1 - self._read])
        first = self._lines + 1
        try:
            told = whole.decode("utf-8" if self._read else "utf-8-sig").split("\n")
        except UnicodeDecodeError as error:
            raise AssayError(self.path.name, "is not UTF-8", "save the file as UTF-8") from error
        self._next = self._read + len(whole), self._lines + whole.count(b"\n"), crc32(whole, self._sum)
        return [(f"{self.path.name}:{first + at}", line) for at, line in enumerate(told) if line.strip()]

    def _take(self, line: Decision) -> set[Key] | None:
        """Enter one line; None where all has to be looked at again."""
        if line.undo:
            self._named.setdefault(line.id, []).append(line)
            return self._take_back(line.undo)
        for name in {line.id, line.act} - {""}:
            self._named.setdefault(name, []).append(line)
        acts = self._acts.setdefault(line.who, [])
        if not acts or acts[-1] != (line.act or line.id):
            acts.append(line.act or line.id)
        if line.rule is not None:
            self.rules.append(line)
            return None
        key = (line.row, line.part)
        self._held.setdefault(key, []).append(line)
        self._parts.setdefault(line.row, set()).add(line.part)
        self._speak(key)
        return {key}

    def _take_back(self, target: str) -> set[Key] | None:
        gone = self._named.get(target, [])
        if any(line.undo for line in gone):
            self._anew(gone)
            return None
        self._undone |= {line.id for line in gone}
        keys = {(line.row, line.part) for line in gone if line.rule is None}
        for key in keys:
            self._held[key] = [line for line in self._held.get(key, []) if line.id not in self._undone]
            self._speak(key)
        self.rules = [line for line in self.rules if line.id not in self._undone]
        return None if any(line.rule is not None for line in gone) else keys

    def _anew(self, restored: Sequence[Decision]) -> None:
        """What an undoing took back holds again, as that was itself taken back."""
        for line in [one for undoing in restored for one in self._named.get(undoing.undo, [])]:
            if line.undo or line.id not in self._undone:
                continue
            self._undone.discard(line.id)
            if line.rule is not None:
                self.rules.append(line)
                continue
            self._held.setdefault((line.row, line.part), []).append(line)
            self._speak((line.row, line.part))

    def _speak(self, key: Key) -> None:
        """The last word of each person on a part."""
        said: dict[str, Decision] = {}
        for line in self._held.get(key, []):
            said.pop(line.who, None)
            said[line.who] = line
        if said:
            self.voices[key] = said
        else:
            self.voices.pop(key, None)

    def of_act(self, act: str) -> list[Decision]:
        """The lines that one act, or one line, put down, those that were taken back among them."""
        return list(self._named.get(act, []))

    def is_undone(self, act: str) -> bool:
        """Whether all that an act put down was taken back."""
        lines = self._named.get(act, [])
        return bool(lines) and all(line.id in self._undone for line in lines)

    def on_row(self, row: str) -> list[Decision]:
        """All that is in force on the parts of a row, in order of its parts."""
        return [line for part in sorted(self._parts.get(row, ())) for line in self._held.get((row, part), [])]

    def last_act(self, who: str) -> str:
        """What a person did last and did not take back; empty if there is nothing."""
        return next((act for act in reversed(self._acts.get(who, [])) if not self.is_undone(act)), "")

    def conflict(self, key: Key) -> bool:
        """Whether the last words on a part differ and nobody settled it."""
        said = self.voices.get(key, {})
        return len(said) > 1 and bool(decisions.book(tuple(said.values())).conflicts)

    def add(self, entries: Sequence[Mapping[str, Any]], *, act: str) -> tuple[list[str], bool]:
        """Write the lines of one act, once however often it is sent; their ids, and whether they were written now.

        The lines are on the disk when this returns. Of an act that was cut off all lines are written anew.

        Raises:
            AssayError: an entry is no decision, or the file cannot be written.
        """
        with self._lock:
            if known := self.of_act(act):
                return [line.id for line in known], False
            return decisions.add(self.path, entries, again=self._whole.is_cut(act)), True

    def undo(self, act: str, *, who: str, when: str, why: str) -> bool:
        """Take an act back by a new line; False where it was taken back before.

        Raises:
            AssayError: there is no such act, or it is another person's.
        """
        with self._lock:
            lines = self.of_act(act)
            if not lines or any(line.who != who for line in lines):
                raise AssayError(f"act '{act:.40}'", "is none of yours", "undo takes back what you decided yourself")
            if self.is_undone(act):
                return False
            decisions.add(self.path, [{"undo": act, "who": who, "when": when, "why": why}])
            return True
