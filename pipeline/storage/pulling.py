"""Pull: a version from the far side, every hash checked, into a folder beside it that is renamed when it is whole."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from pipeline import store
from pipeline.cache import file_hash
from pipeline.errors import AssayError, nearest
from pipeline.storage.manifest import LATEST, Manifest, hold_file, hold_rows, parse
from pipeline.storage.pushing import pointed
from pipeline.storage.transfer import SENT, SKIPPED, Transfer
from pipeline.versions import log
from pipeline.versions.held import NAME, VERSION, read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.storage.remote import Remote
    from pipeline.storage.transfer import Tick

PULLING = ".pulling"


def listed(remote: Remote, name: str) -> list[dict[str, Any]]:
    """The versions that lie whole on the far side: id, rows, files, bytes, and which is the latest; by id.

    Raises:
        AssayError: a manifest there cannot be trusted, or nothing of that name is there.
    """
    latest = pointed(remote, name)
    found = []
    for id_ in _ids(remote, name):
        if (manifest := _manifest(remote, name, id_)) is not None:
            size = sum(file.bytes for file in manifest.files.values())
            told = {"id": id_, "rows": manifest.rows, "files": len(manifest.files), "bytes": size}
            found.append({**told, "latest": bool(latest) and latest is not None and latest["id"] == id_})
    if not found:
        raise AssayError(f"{remote.place}/{name}", "there is no version", f"assay push {name} URL puts one there")
    return found


def pull(
    remote: Remote,
    name: str,
    folder: Path,
    *,
    version: str = "",
    tick: Tick = lambda done: None,
    begin: Callable[[int], None] = lambda size: None,
    accept: Callable[[Path], None] = lambda folder: None,
) -> Transfer:
    """Pull a version (the latest, or the one whose id begins with `version`) into `folder/<id>`; what was done.

    `begin` is told how many bytes there are. `accept` is given the whole version before it gets its name, and may
    raise to refuse it. Files that an earlier, killed pull has fetched are not fetched again.

    Raises:
        AssayError: there is no such version, it is not what its name and its hashes say, or the disk is full.
    """
    id_ = _wanted(remote, name, version)
    manifest = _manifest(remote, name, id_)
    if manifest is None:
        raise AssayError(f"{remote.place}/{name}/{id_}", "is not whole: it was not pushed to the end", "push it again")
    begin(sum(file.bytes for file in manifest.files.values()))
    done = Transfer(name=name, version=id_, place=f"{remote.place}/{name}/{id_}")
    if (folder / id_).is_dir():
        _hold_same(folder / id_, manifest)
        done.fresh = False
        for file in manifest.files.values():
            done.count(SKIPPED, file.bytes)
            tick(file.bytes)
        return done
    partial = folder / (id_ + PULLING)
    with store.locked(partial):
        _fetch_all(remote, manifest, partial, done, tick=tick)
        hold_rows(partial, manifest)
        _accepted(partial, accept)
        (partial / VERSION).write_bytes(manifest.raw)
        read(partial)
        _named(partial, folder / id_)
    log.add(folder, {"id": id_, "what": "pulled", "when": log.now(), "from": remote.place, "rows": manifest.rows})
    return done


def _accepted(partial: Path, accept: Callable[[Path], None]) -> None:
    """Ask whether the version may stay; what is refused does not lie about."""
    try:
        accept(partial)
    except AssayError:
        shutil.rmtree(partial)
        raise


def _ids(remote: Remote, name: str) -> list[str]:
    return [id_ for id_ in remote.names(name) if NAME.fullmatch(id_)]


def _manifest(remote: Remote, name: str, id_: str) -> Manifest | None:
    raw = remote.read(name, id_, VERSION)
    return None if raw is None else parse(raw, f"{remote.place}/{name}/{id_}/{VERSION}", wanted=id_)


def _wanted(remote: Remote, name: str, version: str) -> str:
    """The id that is meant by its beginning; the latest where none is given."""
    place = f"{remote.place}/{name}"
    if NAME.fullmatch(version):
        return version
    if not version:
        if (found := pointed(remote, name)) is None:
            known = ", ".join(_ids(remote, name)) or "none"
            raise AssayError(place, f"there is no {LATEST}", f"name one with --version; there: {known}")
        return found["id"]
    ids = _ids(remote, name)
    begun = [id_ for id_ in ids if id_.startswith(version)]
    if len(begun) != 1:
        problem = f"several begin with '{version}'" if begun else f"there is no version '{version}'"
        raise AssayError(place, problem, nearest(version, begun or ids) if ids else "nothing was pushed there yet")
    return begun[0]


def _hold_same(folder: Path, manifest: Manifest) -> None:
    """Raise where what lies here under that name is damaged; other bytes for the same rows are as good."""
    found = parse((folder / VERSION).read_bytes(), str(folder / VERSION), wanted=manifest.id)
    for file in found.files.values():
        try:
            hold_file(folder / file.name, file)
        except AssayError as error:
            raise AssayError(error.place, error.problem, f"delete {folder} and pull again") from error


def _fetch_all(remote: Remote, manifest: Manifest, partial: Path, done: Transfer, *, tick: Tick) -> None:
    free, size = shutil.disk_usage(partial).free, sum(file.bytes for file in manifest.files.values())
    if size > free:
        raise AssayError(str(partial), f"{size:,} bytes are needed, {free:,} are free", "free some space")
    for left in partial.rglob("*"):
        if left.is_symlink() or (left.is_file() and left.relative_to(partial).as_posix() not in manifest.files):
            left.unlink()
    for file in manifest.files.values():
        target = partial / file.name
        if target.is_file() and target.stat().st_size == file.bytes and file_hash(target) == file.sha256:
            done.count(SKIPPED, file.bytes)
            tick(file.bytes)
            continue
        target.parent.mkdir(exist_ok=True)
        remote.fetch(target, file.bytes, tick, done.name, manifest.id, *file.name.split("/"))
        try:
            hold_file(target, file)
        except AssayError as error:
            target.unlink(missing_ok=True)
            raise AssayError(f"{done.place}/{file.name}", error.problem, error.way_out) from None
        done.count(SENT, file.bytes)


def _named(partial: Path, final: Path) -> None:
    """Give the folder its name, once all of it is on the disk."""
    (partial / ".lock").unlink(missing_ok=True)
    for path in [*sorted(partial.rglob("*")), partial]:
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    try:
        partial.rename(final)
    except OSError as error:
        if not final.is_dir():  # another pull of the same version was here first
            raise AssayError(str(final), f"cannot be written: {error.strerror}", "make the folder writable") from error
        shutil.rmtree(partial)
