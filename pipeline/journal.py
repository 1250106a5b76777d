"""Journals: files under version control that lines of JSON are added to; read whole or refused, never rewritten."""

from __future__ import annotations

import json
import os
from codecs import BOM_UTF8
from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path


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

    Raises:
        AssayError: the file cannot be written.
    """
    told = "".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries)
    if not told:
        return
    try:
        with path.open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                told = told if file.read(1) == b"\n" else "\n" + told
            file.write(told.encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        problem = f"cannot be written: {error.strerror}"
        raise AssayError(str(path), problem, "make room, or the file writable") from error
