"""Keeping a version: a folder that can be published as it stands, named by its content, whole or not there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline import store
from pipeline.cache import file_hash
from pipeline.contract import REJECTED, contract
from pipeline.errors import AssayError
from pipeline.tasks import task
from pipeline.versions import log, shared
from pipeline.versions.card import card
from pipeline.versions.facts import counted
from pipeline.versions.held import FORMAT, NAME, SIDES, STAGES, VERSION, Held, content, read, reports
from pipeline.versions.joined import joined
from pipeline.versions.spine import own

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.recipe import Recipe

FOLDER = "versions"
GONE = pa.schema([field for field in REJECTED if field.name != "row"])
"""The columns of rejected.parquet: why each record is not here, and nothing that it said as a whole."""


def versions_folder(recipe: Recipe) -> Path:
    """Where the versions of a data set lie."""
    return recipe.build / FOLDER


def keep(recipe: Recipe) -> Held:
    """Keep the build that stands as a version; where the very same is kept already, that one, and nothing is written.

    Raises:
        AssayError: a stage has not been run, another process is building, or the disk is full.
    """
    folder = versions_folder(recipe)
    with store.locked(recipe.build), store.locked(folder):
        with store.replacing(folder / "new") as partial:
            about = _written(recipe, partial)
        version = _named(folder, about["id"])
        earlier = log.kept(log.lines(folder))
        if not earlier or earlier[-1]["id"] != version.id:
            log.add(folder, _line(version, _before(folder, earlier)))
    return version


def _before(folder: Path, earlier: list[dict[str, Any]]) -> Held | None:
    """The version that was kept last, if it is still there to be compared with."""
    try:
        return read(folder / earlier[-1]["id"]) if earlier else None
    except AssayError:
        return None


def _line(version: Held, before: Held | None) -> dict[str, Any]:
    """The line of the log: what was kept when, and how far it is from the version before."""
    made = sum(version.about["facts"][side]["made"] for side in SIDES)
    gone = version.about["tables"]["rejected"]["rows"]
    told = {"id": version.id, "what": "kept", "when": log.now(), "rows": version.rows, "made": made, "rejected": gone}
    if before is None or before.about["task"] != version.about["task"]:
        return told
    with joined(before, version) as both:
        counts = {which: both.count(which) for which in ("added", "removed", "touched")}
    return {**told, "change": {"from": before.id, **counts}}


def _named(folder: Path, name: str) -> Held:
    """Give the folder that was just written its name, unless it stands there whole already."""
    new, final = folder / "new", folder / name
    if final.exists():
        try:
            found = read(final)
        except AssayError:
            shutil.rmtree(final)
        else:
            shutil.rmtree(new)
            return found
    new.rename(final)
    return read(final)


def _written(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Write all files of a version; what stands in version.json. Nothing in them tells the time or the machine."""
    found, settings = reports(recipe), recipe.settings
    (folder / "data").mkdir()
    tables = {side: _linked(recipe.build / "split", folder, found["split"]["tables"][side]) for side in SIDES}
    tables["rejected"] = _rejected(recipe, folder)
    kind = task(settings.task, settings.guideline)
    tables |= shared.written(recipe, kind, folder)
    paths = {side: [folder / file["name"] for file in tables[side]["files"]] for side in SIDES}
    facts = counted(kind, own(settings.task), paths)
    files = [file["name"] for side in SIDES for file in tables[side]["files"]]
    _card(recipe, folder, found, facts, [*files, *([shared.FILE] if shared.TABLE in tables else [])])
    recipe_text = _recipe(recipe, folder)
    if (recipe.folder / "split.lock").is_file():
        shutil.copyfile(recipe.folder / "split.lock", folder / "split.lock")
    about = {
        "format": FORMAT,
        "data_set": recipe.name,
        "task": settings.task,
        "guideline": settings.guideline.model_dump(mode="json"),
        "edition": settings.split.edition,
        "tables": tables,
        "files": {
            name: _told(folder / name) for name in sorted(path.name for path in folder.iterdir() if path.is_file())
        },
        "content": content(tables),
        "counts": {stage: found[stage]["counts"] for stage in STAGES},
        "facts": facts,
        "told": _summary(found),
        "recipe": {"text": recipe_text, "sha256": hashlib.sha256(recipe_text.encode()).hexdigest()},
    }
    about["id"] = id_of(about)
    text = json.dumps(about, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    (folder / VERSION).write_text(text, encoding="utf-8", newline="\n")
    return about


def id_of(about: Mapping[str, Any]) -> str:
    """The id that what stands in version.json must have: another one was changed since."""
    return "v" + _hash(_basis({name: value for name, value in about.items() if name != "id"}))[:12]


def _basis(about: Mapping[str, Any]) -> dict[str, Any]:
    """All that a version holds, tables by their rows: their bytes change with the library that wrote them."""
    tables = {name: table["content"] for name, table in about["tables"].items()}
    files = {name: file["sha256"] for name, file in about["files"].items() if not name.endswith(".parquet")}
    return {**about, "tables": tables, "files": files}


def _hash(basis: Any) -> str:
    return hashlib.sha256(json.dumps(basis, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _linked(split: Path, folder: Path, table: Mapping[str, Any]) -> dict[str, Any]:
    """The shards of one side, the same files where the file system has hard links, else copies."""
    for file in table["files"]:
        source, target = split / file["name"], folder / "data" / file["name"]
        try:
            os.link(source, target)
        except OSError:
            shutil.copyfile(source, target)
    files = [{**file, "name": f"data/{file['name']}"} for file in table["files"]]
    return {"rows": table["rows"], "content": table["content"], "files": files}


def _rejected(recipe: Recipe, folder: Path) -> dict[str, Any]:
    """Write rejected.parquet: all that was rejected, stage by stage, without the rows themselves."""
    path, content = folder / "rejected.parquet", store.Content(GONE)
    with pq.ParquetWriter(path, GONE, compression="zstd") as writer:
        for stage in STAGES:
            for batch in store.batches(
                recipe.build / stage, "rejected", columns=GONE.names, batch_rows=store.ROW_GROUP_ROWS
            ):
                content.add(batch)
                writer.write_batch(batch)
    return {"rows": content.rows, "content": content.digest(), "files": [{"name": path.name, **_told(path)}]}


def _told(path: Path) -> dict[str, Any]:
    return {"bytes": path.stat().st_size, "sha256": file_hash(path)}


def _card(
    recipe: Recipe, folder: Path, found: dict[str, dict[str, Any]], facts: Mapping[str, Any], files: list[str]
) -> None:
    kind = contract(recipe.settings.task)
    seen = store.read_report(recipe.build / "suspect")
    known = {**found, "suspect": seen} if seen else found
    text = card(recipe, known, facts, schema=kind.schema, meanings=kind.meanings, files=files)
    (folder / "README.md").write_text(text, encoding="utf-8", errors="replace", newline="\n")


def _recipe(recipe: Recipe, folder: Path) -> str:
    """The recipe as it was written, or its settings as JSON where no file says the same."""
    from pipeline.recipe import load

    path = recipe.folder / "recipe.toml"
    try:
        text = path.read_text(encoding="utf-8") if load(path).settings == recipe.settings else ""
    except (OSError, AssayError):
        text = ""
    name = "recipe.toml" if text else "recipe.json"
    text = text or json.dumps(recipe.settings.model_dump(mode="json"), indent=1, ensure_ascii=False, sort_keys=True)
    (folder / name).write_text(text, encoding="utf-8", newline="")
    return text


def _summary(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What the audit measured, in few lines."""
    details = found["audit"]["details"]
    figures = details.get("agreement", {}).get("all", [])
    names = ("name", "value", "low", "high", "rows", "answers", "note")
    return {
        "agreement": [{name: figure.get(name) for name in names} for figure in figures],
        "duplicates": {name: count for name, count in details.get("duplicates", {}).items() if isinstance(count, int)},
        "decisions": details.get("decisions", {}).get("used", {}),
    }


def told(recipe: Recipe, verdict: str, *, version: str = "") -> None:
    """Write into the log what the gates said (PASS, WARN, FAIL or ERROR) of the newest version, or of `version`.

    Where they said the same of it before, nothing is written.
    """
    folder = versions_folder(recipe)
    if not folder.is_dir():
        return
    with store.locked(folder):
        entries = log.lines(folder)
        newest = log.kept(entries)
        name = version or (newest[-1]["id"] if newest else "")
        if name and log.verdicts(entries).get(name) != verdict:
            log.add(folder, {"id": name, "what": "gated", "when": log.now(), "verdict": verdict})


def prune(recipe: Recipe) -> list[str]:
    """Remove the oldest versions above `versions.keep`, but none that a change is measured from; those removed."""
    folder = versions_folder(recipe)
    if not folder.is_dir():
        return []
    with store.locked(folder):
        entries = [entry for entry in log.kept(log.lines(folder)) if (folder / entry["id"]).is_dir()]
        passed = log.verdicts(log.lines(folder))
        needed = {entry["id"] for entry in entries[-recipe.settings.versions.keep :]}
        # Two: where the newest holds the very rows that stand, the change is measured from the one before.
        needed |= set([entry["id"] for entry in entries if passed.get(entry["id"]) in log.PASSED][-2:])
        named = recipe.settings.gate.base or ""
        gone = [one["id"] for one in entries if one["id"] not in needed and not (named and one["id"].startswith(named))]
        return drop(recipe, gone)


def drop(recipe: Recipe, names: list[str]) -> list[str]:
    """Remove versions, each whole or not at all; those that were there. The log keeps their lines."""
    folder, gone = versions_folder(recipe), []
    for name in names:
        if NAME.fullmatch(name) and (folder / name).is_dir():
            leaving = folder / f"{name}{store.OLD}"
            (folder / name).rename(leaving)
            shutil.rmtree(leaving)
            gone.append(name)
    return gone
