"""Journals: files under version control that lines of JSON are added to; read whole or refused, never rewritten."""

from __future__ import annotations

import fcntl
import json
import os
from codecs import BOM_UTF8
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_BLOCK = 1 << 16


def numbered(path: Path) -> list[tuple[str, str]]:
    """(place, line) of every line that is not blank, in order; none where there is no file.

    UTF-8, with or without a byte-order mark. A line ends at a line feed only: U+2028, U+0085 and the like may stand
    inside a JSON string.

    Raises:
        AssayError: the file cannot be read or is not UTF-8, with the byte.
    """
    try:
        text = _decoded(path.read_bytes().removeprefix(BOM_UTF8), path.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise AssayError(path.name, f"cannot be read: {error.strerror}", "mend the file") from error
    return [(f"{path.name}:{number}", line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        byte = error.start - (before.rfind(b"\n") + 1) + 1
        what = f"byte 0x{content[error.start]:02x} at byte {byte} of the line is not UTF-8"
        raise AssayError(f"{name}:{line}", what, "save the file as UTF-8") from error


def add(path: Path, entries: Iterable[Mapping[str, Any]]) -> None:
    """Add JSON lines at the end of a file, which may lack its last line end, and see them to the disk.

    Processes that add to the same file wait for one another. Half a line that a killed one left is set aside first.

    Raises:
        AssayError: the file cannot be written.
    """
    told = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
    if not told:
        return
    try:
        with held(path, "ab+") as file:
            told = told if _is_ended(file, path) else "\n" + told
            _write(file, told.encode("utf-8", "backslashreplace"))
    except OSError as error:
        problem = f"cannot be written: {error.strerror}"
        raise AssayError(str(path), problem, "make room, or the file writable") from error


@contextmanager
def held(path: Path, mode: Literal["rb+", "ab+"] = "rb+") -> Iterator[BinaryIO]:
    """The file, opened, which nobody else adds to or replaces until it is let go.

    It is the one that stands there now: where another was put in its place while this one was waited for, that one.

    Raises:
        OSError: it cannot be opened.
    """
    while True:
        with path.open(mode) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists() and path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                yield file
                return


def _write(file: BinaryIO, content: bytes) -> None:
    """Write at the end and see it to the disk, whole or not at all: where there is no room, what was written goes."""
    before = file.seek(0, os.SEEK_END)
    try:
        at = 0
        while at < len(content):
            at += os.write(file.fileno(), content[at:])
        os.fsync(file.fileno())
    except OSError:
        file.truncate(before)
        raise


def mend(path: Path) -> bool:
    """Set aside half a line at the end of a file, as a process that was killed while it wrote leaves it; whether so.

    It is moved to `NAME.torn` beside the file: nobody was told that it is written, and it cannot be read.

    Raises:
        AssayError: the file cannot be written.
    """
    if not path.exists():
        return False
    try:
        before = path.stat().st_size
        with held(path) as file:
            _is_ended(file, path)
            return file.seek(0, os.SEEK_END) < before
    except OSError as error:
        raise AssayError(
            str(path), f"cannot be written: {error.strerror}", "make it a file that is writable"
        ) from error


def _is_ended(file: BinaryIO, path: Path) -> bool:
    """Whether the file ends with a whole line; a last line that lacks its end stays, if it can be read."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        return True
    begin, last = _last_line(file, size)
    if last.endswith(b"\n"):
        return True
    try:
        json.loads(last)
    except ValueError:
        with path.with_name(f"{path.name}.torn").open("ab") as torn:
            torn.write(last + b"\n")
            os.fsync(torn.fileno())
        file.truncate(begin)
        os.fsync(file.fileno())
        return True
    return False


def _last_line(file: BinaryIO, size: int) -> tuple[int, bytes]:
    """Where the last line begins, and its bytes."""
    begin, tail = size, b""
    while begin and b"\n" not in tail[:-1]:
        step = min(begin, _BLOCK)
        begin -= step
        file.seek(begin)
        tail = file.read(step) + tail
    cut = tail[:-1].rfind(b"\n") + 1
    return begin + cut, tail[cut:]
