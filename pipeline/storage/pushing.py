"""Push: a version to the far side, its manifest last, so that its presence there means that the copy is whole."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.errors import AssayError
from pipeline.storage.manifest import LATEST, Manifest, hold_file, parse
from pipeline.storage.transfer import COPIED, SENT, SKIPPED, Transfer
from pipeline.versions import log
from pipeline.versions.held import NAME, VERSION

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.storage.remote import Remote
    from pipeline.storage.transfer import Tick

CLAIM = ".pushing-"
KEPT = ".kept"
"""Beside the files of a version: when it was kept, so that the pointer can be told anew from what is there."""
ATTEMPTS = 8
"""How often the pointer is written anew where another push has just moved it: each needs another push to lose to."""


@dataclass
class _Push:
    """One push: what goes where, and what was found there."""

    remote: Remote
    folder: Path
    name: str
    manifest: Manifest
    tick: Tick
    done: Transfer
    claimed: bool = False
    """Whether a push of the very same files has begun before: what it left there in full may stay."""
    others: dict[tuple[str, int], str] = field(default_factory=dict)
    """Where files of other versions lie on the far side, by (sha256, bytes)."""


def push(remote: Remote, folder: Path, name: str, *, kept: str = "", tick: Tick = lambda done: None) -> Transfer:
    """Push the version in `folder` to `<remote>/<name>/<id>/`; what was done.

    Files that are there already are not sent again, and those that another version there has are copied by the store.
    Run again after a kill it goes on. `kept` is when the version was kept: `latest.json` is moved to it unless it
    names one that was kept later, so that pushes in any order, or at once, agree.

    Raises:
        AssayError: a file is not what the version says, the far side cannot be written, or another machine is pushing
            the same rows in files with other bytes.
    """
    manifest = parse((folder / VERSION).read_bytes(), str(folder / VERSION))
    for file in manifest.files.values():
        hold_file(folder / file.name, file)
    done = Transfer(name=name, version=manifest.id, place=f"{remote.place}/{name}/{manifest.id}")
    one = _Push(remote, folder, name, manifest, tick, done)
    if _is_whole(one):
        done.fresh = False
        for file in manifest.files.values():
            done.count(SKIPPED, file.bytes)
            tick(file.bytes)
    else:
        _send_all(one)
    done.latest = _point(one, kept)
    return done


def _is_whole(one: _Push) -> bool:
    """Whether the version lies there whole, perhaps in files with other bytes, as another library writes them."""
    raw = one.remote.read(one.name, one.manifest.id, VERSION)
    if raw is None:
        return False
    try:
        found = parse(raw, f"{one.done.place}/{VERSION}", wanted=one.manifest.id)
    except AssayError:
        return False
    return all(
        one.remote.size(one.name, found.id, *file.name.split("/")) == file.bytes for file in found.files.values()
    )


def _send_all(one: _Push) -> None:
    """Send what is missing, then the manifest, then give up the claim."""
    remote, id_ = one.remote, one.manifest.id
    remote.remove(one.name, id_, VERSION)  # where one is there, it is of a copy that is not whole
    claim = CLAIM + hashlib.sha256(one.manifest.raw).hexdigest()[:16]
    one.claimed = claim in remote.names(one.name, id_)
    remote.write(b"", one.name, id_, claim)
    _hold_alone(one, claim)
    one.others = _elsewhere(one)
    for name in one.manifest.files:
        _send(one, name)
    remote.write(one.manifest.raw, one.name, id_, VERSION)
    remote.remove(one.name, id_, claim)


def _hold_alone(one: _Push, mine: str) -> None:
    """Raise where a push of the same rows in other files is on its way: mixed, they would fit neither manifest."""
    for name in one.remote.names(one.name, one.manifest.id):
        if name.startswith(CLAIM) and name != mine:
            one.remote.remove(one.name, one.manifest.id, mine)
            problem = "another machine, with other libraries, is pushing the same rows, or was stopped while it did"
            raise AssayError(one.done.place, problem, f"wait for it; if it was stopped, delete {name} there")


def _elsewhere(one: _Push) -> dict[tuple[str, int], str]:
    """Where the files of the other versions lie; versions that cannot be read have none."""
    found: dict[tuple[str, int], str] = {}
    for id_ in one.remote.names(one.name):
        raw = one.remote.read(one.name, id_, VERSION) if NAME.fullmatch(id_) and id_ != one.manifest.id else None
        try:
            other = parse(raw, id_, wanted=id_) if raw is not None else None
        except AssayError:
            continue
        for file in other.files.values() if other else ():
            found[file.sha256, file.bytes] = one.remote.path(one.name, id_, file.name)
    return found


def _send(one: _Push, name: str) -> None:
    """Have one file there: it is already, the store has its bytes elsewhere, or it is sent."""
    file, parts = one.manifest.files[name], (one.name, one.manifest.id, *name.split("/"))
    if one.claimed and one.remote.size(*parts) == file.bytes:
        one.done.count(SKIPPED, file.bytes)
        one.tick(file.bytes)
        return
    source = one.others.get((file.sha256, file.bytes))
    if source and one.remote.copy(source, file.bytes, *parts):
        one.done.count(COPIED, file.bytes)
        one.tick(file.bytes)
        return
    one.remote.send(one.folder / name, one.tick, *parts)
    one.done.count(SENT, file.bytes)


def _point(one: _Push, kept: str) -> bool:
    """Have the pointer name the version there that was kept last; whether that is this one.

    Whoever writes it looks again, after that, at what every version says of itself. So of several pushes at once the
    last to write has seen the marks of all that wrote before, and leaves the right name.
    """
    remote, id_ = one.remote, one.manifest.id
    if _kept(remote, one.name, id_) is None or kept > (_kept(remote, one.name, id_) or ""):
        remote.write(kept.encode(), one.name, id_, KEPT)
    for _ in range(ATTEMPTS):
        newest = max(_whole(remote, one.name))
        found = pointed(remote, one.name)
        if found and found["id"] == newest[1]:
            break
        told = {"id": newest[1], "kept": newest[0], "pushed": log.now()}
        remote.write((json.dumps(told, indent=1, sort_keys=True) + "\n").encode(), one.name, LATEST)
    return newest[1] == id_


def _whole(remote: Remote, name: str) -> list[tuple[str, str]]:
    """(when it was kept, id) of the versions that lie there whole; those of one second are ordered by name."""
    ids = [id_ for id_ in remote.names(name) if NAME.fullmatch(id_) and remote.size(name, id_, VERSION) is not None]
    return [(_kept(remote, name, id_) or "", id_) for id_ in ids]


def _kept(remote: Remote, name: str, id_: str) -> str | None:
    raw = remote.read(name, id_, KEPT)
    return None if raw is None else raw.decode("utf-8", "replace")[:40]


def pointed(remote: Remote, name: str) -> dict[str, str] | None:
    """What `latest.json` says; None where there is none that can be read, and so none that could be relied on."""
    raw = remote.read(name, LATEST)
    try:
        found = json.loads(raw) if raw is not None else None
    except ValueError:
        return None
    return found if isinstance(found, dict) and NAME.fullmatch(str(found.get("id"))) else None
