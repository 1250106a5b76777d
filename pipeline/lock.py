"""The split lock: which row went to which side, kept beside the recipe so that the past is an input of the build.

A text file for version control: a head of `# key: value` lines, then `side<TAB>id<TAB>mark` a line, sorted by id. Tabs,
line ends and backslashes of an id are written with a backslash. A row that is away (deleted, held back, leaking) keeps
its line: should it come back, it comes back to its side, under another id as well: eight letters of the mark stand for
what the row asks. A `+` after them says that the side was handed on by another row. Format 1 had no marks.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    Sides = NDArray[np.int64]
    Flags = NDArray[np.bool_]

SIDES = ("train", "validation", "test")
FORMAT, OLDER = "2", "1"
TEXT_BITS = 48
"""Of the hash of what a row asks: of a million rows each in two sets, three in a thousand times two meet by chance."""
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_MARK = r"^([A-Za-z0-9_-]{8})?\+?$"
_SHIFTS = np.arange(TEXT_BITS - 6, -1, -6, dtype=np.int64)
_WAY_OUT = "take the file from version control again, or delete it to have all rows dealt anew"
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_MERGE = (b"<<<<<<<", b"=======", b">>>>>>>")
_PLAIN = {f"\\{letter}": character for letter, character in zip("\\tnr", "\\\t\n\r", strict=True)}


@dataclass(frozen=True)
class Change:
    """What the last change of a lock was, told in its head: a build that changes nothing has the same report.

    Attributes:
        dealt: rows that got a line.
        moved: rows whose side is another than before: another edition, or an official split that says so.
        overruled: those of them that an official split moved.
        frozen: the sides that were closed to new rows.
    """

    dealt: int = 0
    moved: int = 0
    overruled: int = 0
    frozen: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lock:
    """The sides of rows.

    Attributes:
        edition: of the recipe that they were dealt for.
        ids: string[n], sorted, each once.
        sides: int64[n], places in `SIDES`.
        change: the last one.
        texts: int64[n], `TEXT_BITS` bits of a hash of what each row asks, -1 where that is not known.
        handed: bool[n], rows that have the side of another, which they were merged with or are by their text.
    """

    edition: str
    ids: pa.Array
    sides: Sides
    change: Change
    texts: Sides
    handed: Flags

    def places(self, ids: pa.Array) -> Sides:
        """The line of each of `ids`, -1 where there is none: int64[len(ids)]."""
        if ids.equals(self.ids):
            return np.arange(len(ids), dtype=np.int64)
        place = pc.fill_null(pc.index_in(ids, value_set=self.ids), -1)
        return np.asarray(place.to_numpy(zero_copy_only=False).astype(np.int64))

    def of(self, ids: pa.Array) -> Sides:
        """The side of each of `ids`, -1 where there is none: int64[len(ids)]."""
        return np.append(self.sides, -1)[self.places(ids)]

    def only(self, chosen: Flags) -> Lock:
        """Some of the lines: bool[n]."""
        ids = self.ids.filter(pa.array(chosen))
        return Lock(self.edition, ids, self.sides[chosen], self.change, self.texts[chosen], self.handed[chosen])

    def says(self, other: Lock | None) -> bool:
        """Whether both have the same edition and the same lines."""
        if other is None or self.edition != other.edition or not self.ids.equals(other.ids):
            return False
        columns = ((self.sides, other.sides), (self.texts, other.texts), (self.handed, other.handed))
        return all(bool((own == theirs).all()) for own, theirs in columns)


def lock_of(
    edition: str,
    ids: pa.Array,
    sides: Sides,
    change: Change,
    *,
    texts: Sides | None = None,
    handed: Flags | None = None,
) -> Lock:
    """A lock of rows in any order, each once."""
    order = np.asarray(pc.sort_indices(ids)).astype(np.int64)
    known = np.full(len(ids), -1, dtype=np.int64) if texts is None else texts[order]
    given = np.zeros(len(ids), dtype=bool) if handed is None else handed[order]
    return Lock(edition, ids.take(pa.array(order)), sides[order], change, known, given)


def text_mark(text_hash: bytes) -> int:
    """What a lock keeps of a hash of eight bytes or more of what a row asks."""
    return int.from_bytes(text_hash[: TEXT_BITS // 8], "big")


def read(path: Path) -> Lock | None:
    """The lock at `path`; None where there is none.

    Raises:
        AssayError: a line of the file cannot be read or names a row twice; the message has its number.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise AssayError(str(path), f"cannot be read: {error.strerror}", _WAY_OUT) from error
    head, body, skipped = _head(raw, path)
    ids, sides, marks = _lines(body, path, skipped, marked=head.get("format", "").strip() != OLDER)
    texts, handed = _read_marks(marks)
    return lock_of(head.get("edition", "1"), ids, sides, _change(head, path), texts=texts, handed=handed)


def write(path: Path, lock: Lock) -> None:
    """Put the lock in the place of the one at `path`, whole or not at all.

    Raises:
        AssayError: it cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as stream:
            stream.write(text(lock).encode())
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as error:
        way_out = "make the folder of the recipe writable, or set split.lock = false"
        raise AssayError(str(path), f"cannot be written: {error.strerror}", way_out) from error


def text(lock: Lock) -> str:
    """The lock as it stands in its file."""
    told = lock.change
    head = {"format": FORMAT, "edition": _escaped(lock.edition), "dealt": told.dealt, "moved": told.moved}
    head |= {"overruled": told.overruled, "frozen": " ".join(told.frozen)}
    names = pa.array(SIDES).take(pa.array(lock.sides))
    escaped = pa.array([_escaped(name) for name in lock.ids.to_pylist()], pa.string()) if _odd(lock.ids) else lock.ids
    lines: list[str] = pc.binary_join_element_wise(names, escaped, _marks(lock), "\t").to_pylist()
    return "\n".join(
        [*(f"# {key}: {value}" if value != "" else f"# {key}:" for key, value in head.items()), *lines, ""]
    )


def _marks(lock: Lock) -> pa.Array:
    """The third column: what each row asks, in letters, and whether its side was handed on."""
    letters = np.frombuffer(_LETTERS, dtype=np.uint8)[np.maximum(lock.texts, 0)[:, None] >> _SHIFTS & 63]
    found = pa.array(letters.reshape(-1).view(f"S{len(_SHIFTS)}").astype(str), pa.string())
    found = pc.if_else(pa.array(lock.texts < 0), "", found)
    return pc.binary_join_element_wise(found, pc.if_else(pa.array(lock.handed), "+", ""), "")


def _read_marks(marks: pa.Array) -> tuple[Sides, Flags]:
    """What each row asks (int64[n], -1 where it is not said), and whether its side was handed on (bool[n])."""
    texts = np.full(len(marks), -1, dtype=np.int64)
    known = np.asarray(pc.greater(pc.binary_length(marks), 1))
    letters = "".join(pc.utf8_slice_codeunits(marks.filter(pa.array(known)), 0, len(_SHIFTS)).to_pylist()).encode()
    value = np.zeros(128, dtype=np.int64)
    value[np.frombuffer(_LETTERS, dtype=np.uint8)] = np.arange(64)
    digits = value[np.frombuffer(letters, dtype=np.uint8)].reshape(-1, len(_SHIFTS))
    texts[known] = (digits << _SHIFTS).sum(axis=1)
    return texts, np.asarray(pc.ends_with(marks, "+"))


def _odd(ids: pa.Array) -> bool:
    return bool(pc.any(pc.match_substring_regex(ids, r"[\\\t\r\n]")).as_py())


def _escaped(name: str) -> str:
    return "".join(_ESCAPES.get(character, character) for character in name)


def _plain(name: str) -> str:
    return re.sub(r"\\[\\tnr]", lambda found: _PLAIN[found.group()], name)


def _head(raw: bytes, path: Path) -> tuple[dict[str, str], bytes, int]:
    """The head, what comes after it, and how many lines it has."""
    found: dict[str, str] = {}
    at = lines = 0
    while raw.startswith(b"#", at):
        end = raw.find(b"\n", at)
        end = len(raw) if end < 0 else end
        key, _, value = raw[at + 1 : end].decode("utf-8", "replace").partition(":")
        found[key.strip()] = _plain(value.removesuffix("\r").removeprefix(" "))
        at, lines = end + 1, lines + 1
    if raw and found.get("format", "").strip() not in (FORMAT, OLDER):
        problem = f"is no split lock of format {FORMAT}: its head must say '# format: {FORMAT}'"
        raise AssayError(f"{path}:1", problem, _WAY_OUT)
    return found, raw[at:], lines


def _change(head: dict[str, str], path: Path) -> Change:
    try:
        numbers = {name: int(head.get(name, "0")) for name in ("dealt", "moved", "overruled")}
    except ValueError as error:
        raise AssayError(str(path), f"its head does not hold numbers: {error}", _WAY_OUT) from error
    return Change(**numbers, frozen=tuple(name for name in head.get("frozen", "").split() if name in SIDES))


def _lines(body: bytes, path: Path, skipped: int, *, marked: bool) -> tuple[pa.Array, Sides, pa.Array]:
    """Ids, sides and marks of the lines; where they are not all as they should be, they are looked at one by one."""
    from pyarrow import csv

    if not body.strip():
        return pa.array([], pa.string()), np.zeros(0, dtype=np.int64), pa.array([], pa.string())
    names = ["side", "id", "mark"][: 2 + marked]
    options = {
        "read_options": csv.ReadOptions(column_names=names, use_threads=False),
        "parse_options": csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False),
        "convert_options": csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string())),
    }
    try:
        table = csv.read_csv(pa.BufferReader(body), **options)
    except pa.ArrowInvalid:
        raise next(_faults(body, path, skipped, marked=marked)) from None
    ids = table["id"].combine_chunks()
    marks = table["mark"].combine_chunks() if marked else pa.array([""] * len(ids), pa.string())
    sides = pc.index_in(table["side"].combine_chunks(), value_set=pa.array(SIDES))
    odd = pc.any(pc.equal(ids, "")).as_py() or not pc.all(pc.match_substring_regex(marks, _MARK)).as_py()
    if sides.null_count or odd or len(pc.unique(ids)) < len(ids):
        raise next(_faults(body, path, skipped, marked=marked))
    if pc.any(pc.match_substring(ids, "\\")).as_py():
        ids = pa.array([_plain(name) for name in ids.to_pylist()], pa.string())
    return ids, sides.to_numpy(zero_copy_only=False).astype(np.int64), marks


def _faults(body: bytes, path: Path, skipped: int, *, marked: bool) -> Iterator[AssayError]:
    """What is wrong with the lines, the first fault first."""
    seen: dict[bytes, int] = {}
    for number, line in enumerate(body.splitlines(), start=skipped + 1):
        whole, _, mark = line.rpartition(b"\t") if marked else (line, b"", b"")
        if problem := _fault(line, seen) if line[:7] in _MERGE else _mark_fault(line, mark) or _fault(whole, seen):
            yield AssayError(f"{path}:{number}", problem, _WAY_OUT)
        seen[whole.partition(b"\t")[2]] = number
    yield AssayError(str(path), "cannot be read as lines of side, id and mark", _WAY_OUT)


def _mark_fault(line: bytes, mark: bytes) -> str:
    if re.match(_MARK.encode(), mark):
        return ""
    return f"{line[:80].decode('utf-8', 'replace')!r} does not end with a tab and a mark: eight letters, a + or nothing"


def _fault(line: bytes, seen: dict[bytes, int]) -> str:
    side, _, name = line.partition(b"\t")
    if line[:7] in _MERGE:
        return (
            "is left over from a merge: keep the lines of both, and of a row that has two the one that was there first"
        )
    if side.decode("utf-8", "replace") not in SIDES or not name or b"\t" in name:
        return f"{line[:80].decode('utf-8', 'replace')!r} is not a side (train, validation, test), a tab and an id"
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return "is not UTF-8"
    return f"names the row of line {seen[name]} again" if name in seen else ""
