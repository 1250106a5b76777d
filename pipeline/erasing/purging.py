"""Purging: what was made of erased rows before is removed: caches, models, gates, pages, versions, lock lines."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import flow, lock, store, versions
from pipeline.erasing.proof import looked_into
from pipeline.errors import AssayError
from pipeline.finetune import keys
from pipeline.versions import log
from pipeline.versions.held import NAME

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.erasing.marks import Marks
    from pipeline.erasing.search import Search
    from pipeline.recipe import Recipe

CACHES = ("memo", "outputs")
"""What stages remember between builds: keyed by content, so that it would outlive the rows it was made of."""
MODEL = ("finetune", "evaluate", "finetune.run", "finetune.events")


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
