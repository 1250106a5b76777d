"""The log of versions: which was kept when, and what the gates said of it; lines that are only added."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LOG = "log.jsonl"
PASSED = frozenset({"PASS", "WARN"})
"""The verdicts under which a version is one that a change may be measured from."""


def now() -> str:
    """The time, to the second, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def lines(folder: Path) -> list[dict[str, Any]]:
    """The entries of the log in order; a last line that a kill or a full disk cut off is none."""
    try:
        text = (folder / LOG).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    found = []
    for line in text.split("\n")[:-1]:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            found.append(entry)
    return found


def add(folder: Path, entry: dict[str, Any]) -> None:
    """Add an entry, whole or not at all: what a cut-off line left behind goes first."""
    told = (json.dumps(entry, ensure_ascii=False, sort_keys=True) + "\n").encode()
    with (folder / LOG).open("ab+") as file:
        _mend(file)
        file.write(told)
        file.flush()
        os.fsync(file.fileno())


def _mend(file: Any) -> None:
    """Cut what stands after the last line end: an entry that was never whole."""
    file.seek(0)
    content = file.read()
    whole = content.rfind(b"\n") + 1
    if whole != len(content):
        file.truncate(whole)
    file.seek(0, os.SEEK_END)


def kept(entries: Iterable[dict[str, Any]], *, what: str = "kept") -> list[dict[str, Any]]:
    """The last time that each version was kept (or, `what`: pulled), oldest first."""
    last = {entry["id"]: (place, entry) for place, entry in enumerate(entries) if entry.get("what") == what}
    return [entry for _, entry in sorted(last.values(), key=lambda found: found[0])]


def verdicts(entries: Iterable[dict[str, Any]]) -> dict[str, str]:
    """What the gates said last of each version."""
    return {entry["id"]: str(entry["verdict"]) for entry in entries if entry.get("what") == "gated"}
