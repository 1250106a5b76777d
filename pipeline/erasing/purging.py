"""Purging: what was made of erased rows before is removed: caches, models, gates, pages, versions, lock lines."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import flow, lock, store, versions
from pipeline.checks.plan import folder as checks_folder
from pipeline.checks.plan import verdict_file
from pipeline.checks.sheet import unguarded
from pipeline.erasing.proof import looked_into
from pipeline.errors import AssayError
from pipeline.exchange import rounds
from pipeline.finetune import keys
from pipeline.versions import log
from pipeline.versions.held import NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from pipeline.erasing.marks import Marks
    from pipeline.erasing.search import Search
    from pipeline.recipe import Recipe

CACHES = ("memo", "outputs")
"""What stages remember between builds: keyed by content, so that it would outlive the rows it was made of."""
MODEL = ("finetune", "evaluate", "finetune.run", "finetune.events")
MARKER = "erased"


def caches(recipe: Recipe) -> list[str]:
    """Remove what stages remember, before they are run again; what was removed."""
    return [name for name in CACHES if _removed(recipe.build / name)]


def lock_lines(recipe: Recipe, marks: Sequence[Marks]) -> int:
    """Take the erased rows out of the split lock; how many lines that were.

    Raises:
        AssayError: the lock cannot be read or written.
    """
    held = lock.read(recipe.lock)
    if held is None:
        return 0
    gone = pa.array([False] * len(held.ids), pa.bool_())
    for one in marks:
        named = set(one.found["id"])
        hashes = one.hasher.names(held.ids.to_pylist()).tolist()
        known = pa.array([hashed in named for hashed in hashes], pa.bool_())
        own = (
            pc.starts_with(held.ids, one.target.prefix)
            if one.target.kind == "source"
            else pc.equal(held.ids, one.target.name)
        )
        gone = pc.or_(gone, pc.or_(known, own))
    count = int(pc.sum(gone).as_py() or 0)
    if count:
        lock.write(recipe.lock, held.only(pc.invert(gone).to_numpy(zero_copy_only=False)))
    return count


def derived(recipe: Recipe, search: Search) -> list[str]:
    """Remove everything beside the stages that is of the build before, and the versions that hold something; names.

    A model and its scores stay where they are of the split that stands: then they have seen nothing that was erased.
    """
    keep = {*flow.NAMES, versions.versions_folder(recipe).name, ".lock", *CACHES, *_current_model(recipe)}
    removed = [path.name for path in sorted(recipe.build.iterdir()) if path.name not in keep and _removed(path)]
    return removed + [f"versions/{name}" for name in _versions(recipe, search)]


def _current_model(recipe: Recipe) -> tuple[str, ...]:
    trained, dealt = (store.read_report(recipe.build / name) for name in ("finetune", "split"))
    return MODEL if trained and dealt and keys.is_of(trained, dealt) else ()


def _versions(recipe: Recipe, search: Search) -> list[str]:
    """Remove the versions that hold something, and what was never whole; those that were versions are named."""
    folder = versions.versions_folder(recipe)
    if not folder.is_dir():
        return []
    with store.locked(folder):
        for path in folder.iterdir():
            if path.is_dir() and not NAME.fullmatch(path.name):
                shutil.rmtree(path)
        held = [path for path in sorted(folder.iterdir()) if NAME.fullmatch(path.name) and _holds(path, search)]
        gone = versions.drop(recipe, [path.name for path in held])
        for name in gone:
            log.add(folder, {"id": name, "what": "erased", "when": log.now(), "why": "it held rows that were erased"})
    return gone


def _holds(folder: Path, search: Search) -> bool:
    return any(looked_into(path, search).left for path in sorted(folder.rglob("*")) if path.is_file())


def stages(recipe: Recipe) -> list[str]:
    """Remove all stages: what cannot be built anew without the erased rows must not stay as it was."""
    return [name for name in flow.NAMES if _removed(recipe.build / name)]


def _removed(path: Path) -> bool:
    """Remove a file or folder, which is gone at once under its name; whether there was one."""
    if not path.exists() and not path.is_symlink():
        return False
    try:
        leaving = path.with_name(f"{path.name}{store.OLD}")
        path.rename(leaving)
        if leaving.is_dir() and not leaving.is_symlink():
            shutil.rmtree(leaving)
        else:
            leaving.unlink()
    except OSError as error:
        raise AssayError(str(path), f"cannot be removed: {error.strerror}", "make it writable and run again") from error
    return True


def quoted(recipe: Recipe) -> list[Path]:
    """The files that may quote rows beside the build: decisions, verdicts, lists to check, what went out to tools."""
    lists = sorted(path for path in checks_folder(recipe).glob("*") if path.suffix in (".csv", ".jsonl"))
    sent = sorted(rounds.folder(recipe).glob("*.jsonl"))
    return [path for path in (recipe.decisions, verdict_file(recipe), *lists, *sent) if path.is_file()]


def blank(recipe: Recipe, is_gone: Callable[[str], bool]) -> dict[str, int]:
    """Replace what people wrote of erased rows by a line that says that it was erased, keeping who and when; by file.

    Lines of decisions and verdicts stay, without row, texts and answers; those of lists to check go.
    """
    found = {}
    for path in quoted(recipe):
        if path.suffix == ".csv":
            count = _blank_csv(path, is_gone)
        else:
            keep = path in (recipe.decisions, verdict_file(recipe))
            count = _blank_jsonl(path, is_gone, marker=_marker if keep else None)
        if count:
            found[path.relative_to(recipe.folder).as_posix()] = count
    return found


def _marker(entry: dict[str, Any]) -> dict[str, Any]:
    """What is left of a decision or a verdict: that there was one, by whom and when; it still reads as one."""
    kept = {"row": f"{MARKER}/row", MARKER: True, "verdict": "drop" if "why" in entry else entry.get("verdict")}
    kept |= {name: entry[name] for name in ("who", "when", "act", "lines") if name in entry}
    return kept | ({"why": "the row was erased"} if "why" in entry else {"text": "", "answer": ""})


def _blank_jsonl(
    path: Path, is_gone: Callable[[str], bool], *, marker: Callable[[dict[str, Any]], dict[str, Any]] | None
) -> int:
    lines, count = path.read_bytes().decode("utf-8-sig").split("\n"), 0
    kept = []
    for line in lines:
        entry = _entry(line)
        if entry is None or not is_gone(str(entry.get("row", entry.get("id", "")))):
            kept.append(line)
            continue
        count += 1
        if marker is not None:
            kept.append(json.dumps(marker(entry), ensure_ascii=False))
    if count:
        _written(path, "\n".join(kept))
    return count


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
