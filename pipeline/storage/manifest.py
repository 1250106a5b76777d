"""The manifest of a version, version.json: which files it has, and whether it is what its name says."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from pipeline.cache import file_hash
from pipeline.errors import AssayError
from pipeline.settings import Guideline
from pipeline.store import Content
from pipeline.versions import keeping
from pipeline.versions.held import NAME, SIDES, VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

LATEST = "latest.json"
FORGED = "do not trust it; push the version again from where it was made"
# What a version may be made of: files of its own folder and of data/, none hidden, none a way out.
_FILE = re.compile(r"(?:data/)?[A-Za-z0-9][A-Za-z0-9_.-]{0,200}")
_SET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,100}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TABLES = (*SIDES, "rejected")


@dataclass(frozen=True)
class File:
    """A file of a version: how many bytes it has, and their SHA-256."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What version.json says; `files` are all others of the version, by name."""

    id: str
    raw: bytes = field(repr=False)
    about: Mapping[str, Any] = field(repr=False)
    files: Mapping[str, File]

    @property
    def data_set(self) -> str:
        """The data set that it is a version of."""
        return str(self.about["data_set"])

    @property
    def rows(self) -> dict[str, int]:
        """Rows by side."""
        return {side: int(self.about["tables"][side]["rows"]) for side in SIDES}


def parse(raw: bytes, place: str, *, wanted: str = "") -> Manifest:
    """The manifest in the bytes of a version.json.

    Raises:
        AssayError: it is none, names files outside its folder, or is not what its id (or `wanted`) says.
    """
    try:
        about = json.loads(raw)
        id_ = keeping.id_of(about)
        files = _files(about)
        Guideline.model_validate(about["guideline"])
        said, rows = str(about["id"]), [int(about["tables"][name]["rows"]) for name in _TABLES]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ValidationError) as error:
        said = " ".join(str(error).split())[:100] or type(error).__name__
        raise AssayError(place, f"cannot be read as a version: {said}", FORGED) from error
    if not NAME.fullmatch(said) or said != id_ or min(rows) < 0:
        raise AssayError(place, f"says that it is {said[:40]!r}, but by its content it is {id_}", FORGED)
    if wanted and said != wanted:
        raise AssayError(place, f"is {said}, where {wanted} was looked for", FORGED)
    return Manifest(id=said, raw=raw, about=about, files={file.name: file for file in _named(files, place)})


def _files(about: Mapping[str, Any]) -> list[tuple[str, int, str]]:
    """(name, bytes, sha256) of all files: those of the tables, and the others."""
    listed = [file for name in _TABLES for file in about["tables"][name]["files"]]
    others = [{"name": name, **file} for name, file in about["files"].items()]
    return [(str(file["name"]), int(file["bytes"]), str(file["sha256"])) for file in [*listed, *others]]


def _named(files: list[tuple[str, int, str]], place: str) -> list[File]:
    """The files, each once.

    Raises:
        AssayError: a name that leads out of the folder or that two files have, also where case is not told apart.
    """
    found: dict[str, File] = {}
    for name, size, sha256 in files:
        if not is_safe(name):
            raise AssayError(place, f"names a file outside its folder: {name!r:.80}", FORGED)
        if size < 0 or not _SHA256.fullmatch(sha256):
            raise AssayError(place, f"has no size and SHA-256 for {name}", FORGED)
        file = File(name, size, sha256)
        if found.setdefault(name.casefold(), file) != file:
            raise AssayError(place, f"names {name} twice", FORGED)
    return list(found.values())


def is_safe(name: str) -> bool:
    """Whether a name is that of a file of a version's own folder, whatever the operating system.

    >>> [is_safe(name) for name in ("data/train-00000.parquet", "../x", "/x", "data/../x", ".git", "version.json")]
    [True, False, False, False, False, False]
    """
    return bool(_FILE.fullmatch(name)) and ".." not in name and not name.endswith(".") and name.casefold() != VERSION


def is_name(name: str) -> bool:
    """Whether a data set may be called so: its name becomes a folder.

    >>> [is_name(name) for name in ("films-2", "..", "a/b", ".hidden", "")]
    [True, False, False, False, False]
    """
    return bool(_SET.fullmatch(name)) and ".." not in name


def hold_file(path: Path, file: File) -> None:
    """Raise unless the file at `path` has the bytes that the manifest says."""
    size = path.stat().st_size if path.is_file() else None
    if size is None:
        raise AssayError(str(path), "is missing", "keep the version again: assay run NAME")
    if size != file.bytes or file_hash(path) != file.sha256:
        problem = f"is not the file of the version: SHA-256 {file.sha256[:12]} with {file.bytes:,} bytes was expected"
        raise AssayError(str(path), problem, "push the version again from where it was made")


def hold_rows(folder: Path, manifest: Manifest) -> None:
    """Raise unless the rows in the tables are those that the version's id was made of.

    The id holds the rows, not the bytes of their files: so a manifest whose hashes were changed along with the files
    is found out here.
    """
    import pyarrow.parquet as pq

    for name in (*_TABLES, *({"shares"} & set(manifest.about["tables"]))):
        told = manifest.about["tables"][name]
        content: Content | None = None
        for entry in told["files"]:
            with pq.ParquetFile(folder / str(entry["name"])) as file:
                content = content or Content(file.schema_arrow)
                for batch in file.iter_batches():
                    content.add(batch)
        if content is None or content.digest() != told["content"] or content.rows != told["rows"]:
            raise AssayError(str(folder), f"the rows of '{name}' are not those of {manifest.id}", FORGED)
