"""Blanking: what people wrote of erased rows becomes lines that say that it was erased, by whom and when decided."""

from __future__ import annotations

import csv
import io
import json
import os
from typing import TYPE_CHECKING, Any

from pipeline import journal
from pipeline.checks.plan import folder as checks_folder
from pipeline.checks.plan import verdict_file
from pipeline.checks.sheet import unguarded
from pipeline.decisions import line_id
from pipeline.erasing import quoting
from pipeline.erasing.proof import looked_into
from pipeline.exchange import rounds

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.erasing.search import Search
    from pipeline.recipe import Recipe

MARKER = "erased"


def quoted(recipe: Recipe) -> list[Path]:
    """The files that may quote rows beside the build: decisions, verdicts, lists to check, what went out to tools."""
    lists = sorted(path for path in checks_folder(recipe).glob("*") if path.suffix in (".csv", ".jsonl"))
    sent = sorted(rounds.folder(recipe).glob("*.jsonl"))
    return [path for path in (recipe.decisions, verdict_file(recipe), *lists, *sent) if path.is_file()]


def blank(recipe: Recipe, is_gone: Callable[[str], bool], search: Search) -> dict[str, int]:
    """Replace what people wrote of erased rows by a line that says that it was erased, keeping who and when; by file.

    Lines of decisions and verdicts stay, without row, texts and answers; those of lists to check go. Decisions on other
    rows, and rules, lose the words that they quote. What was half written when its writer was killed is removed.
    """
    found = {}
    for path in quoted(recipe):
        with journal.held(path):  # a page that is open writes its next line into what stands there afterwards
            if path.suffix == ".csv":
                count = _blank_csv(path, is_gone)
            else:
                keep = path in (recipe.decisions, verdict_file(recipe))
                count = _blank_jsonl(path, is_gone, marker=_marker if keep else None)
            if path == recipe.decisions:
                count += _unquoted(path, search)
        if count:
            found[path.relative_to(recipe.folder).as_posix()] = count
    return found | _torn(recipe, search)


def _unquoted(path: Path, search: Search) -> int:
    """Take the words of erased rows out of the decisions that still hold some; how many lines are other ones now."""
    if not looked_into(path, search).left:
        return 0
    lines, count = quoting.without(path.read_bytes().decode("utf-8-sig").split("\n"), search, _marker)
    _written(path, "\n".join(lines))
    return count


def _torn(recipe: Recipe, search: Search) -> dict[str, int]:
    """Remove what half a line was moved to, where it holds something; nobody was told that it was written."""
    folders = (recipe.folder, checks_folder(recipe), rounds.folder(recipe))
    found = {}
    for path in sorted(path for folder in folders for path in folder.glob("*.torn") if path.is_file()):
        if looked_into(path, search).left:
            found[path.relative_to(recipe.folder).as_posix()] = len(path.read_bytes().splitlines())
            path.unlink()
    return found


def _marker(entry: dict[str, Any]) -> dict[str, Any]:
    """What is left of a decision or a verdict: that there was one, by whom and when; it still reads as one."""
    kept = {"row": f"{MARKER}/row", MARKER: True, "verdict": "drop" if "why" in entry else entry.get("verdict")}
    kept |= {name: entry[name] for name in ("who", "when", "act", "lines") if name in entry}
    return kept | ({"why": quoting.WHY} if "why" in entry else {"text": "", "answer": ""})


def _blank_jsonl(
    path: Path, is_gone: Callable[[str], bool], *, marker: Callable[[dict[str, Any]], dict[str, Any]] | None
) -> int:
    lines, count = path.read_bytes().decode("utf-8-sig").split("\n"), 0
    kept = []
    named: dict[str, str] = {}
    for line in lines:
        entry = _entry(line)
        made = None if entry is None else _blanked(entry, is_gone, marker, named)
        if entry is None or made is entry:
            kept.append(line)
            continue
        count += 1
        if made is not None:
            kept.append(json.dumps(made, ensure_ascii=False))
    if count:
        _written(path, "\n".join(kept))
    return count


def _blanked(
    entry: dict[str, Any],
    is_gone: Callable[[str], bool],
    marker: Callable[[dict[str, Any]], dict[str, Any]] | None,
    named: dict[str, str],
) -> dict[str, Any] | None:
    """What is left of an entry, itself where it is about others; `named`: what was blanked, by its old and new name.

    A line that takes a blanked one back still does, and gives no reason.
    """
    if (target := str(entry.get("undo") or "")) in named:
        made = entry | {"undo": named[target], "why": quoting.WHY}
    elif not is_gone(str(entry.get("row", entry.get("id", "")))):
        return entry
    elif marker is None:
        return None
    else:
        made = marker(entry)
    named |= {line_id(entry): line_id(made)} | ({str(entry["act"]): str(entry["act"])} if entry.get("act") else {})
    return made


def _entry(line: str) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None


def _blank_csv(path: Path, is_gone: Callable[[str], bool]) -> int:
    raw = path.read_bytes()
    text = raw.decode("utf-8-sig", "replace")
    lines = list(csv.reader(io.StringIO(text, newline="")))
    at = lines[0].index("id") if lines and "id" in lines[0] else None
    if at is None:
        return 0
    kept = [
        line for number, line in enumerate(lines) if not number or len(line) <= at or not is_gone(unguarded(line[at]))
    ]
    if len(kept) < len(lines):
        out = io.StringIO(newline="")
        csv.writer(out).writerows(kept)
        _written(path, ("\ufeff" if raw.startswith(b"\xef\xbb\xbf") else "") + out.getvalue())
    return len(lines) - len(kept)


def _written(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(text.encode("utf-8", "backslashreplace"))
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
