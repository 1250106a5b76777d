"""The cache of fetched files: packages and URLs, checked by SHA-256 before they are used, whole or absent."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK_BYTES = 1 << 20
DOWNLOAD_BYTES = 64 << 30
PIP_SECONDS = 1800
log = logging.getLogger("assay")


def cache_folder() -> Path:
    """Where fetched files lie: the environment's ASSAY_CACHE, else ~/.cache/assay."""
    return Path(os.environ.get("ASSAY_CACHE") or Path.home() / ".cache" / "assay")


def file_hash(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return stream_hash(stream)


def stream_hash(stream: BinaryIO) -> str:
    """The SHA-256 of what is left of a stream, in hex."""
    digest = hashlib.sha256()
    while piece := stream.read(CHUNK_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def section(kind: str, cache: Path | None = None) -> Path:
    """One folder of the cache, made if need be."""
    folder = (cache or cache_folder()) / kind
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AssayError(
            str(folder), f"cannot be made: {error.strerror}", "set ASSAY_CACHE to a folder you can write"
        ) from error
    return folder


@contextmanager
def workplace(folder: Path) -> Iterator[Path]:
    """A folder of this process alone beside the finished files, so that a rename finishes the work."""
    work = Path(tempfile.mkdtemp(prefix=".work-", dir=folder))
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def checked(path: Path, expected: str, way_out: str) -> Path:
    """The file, if its hash is the expected one; raises AssayError naming both hashes."""
    found = file_hash(path)
    if found != expected.lower():
        raise AssayError(path.name, f"SHA-256 is {found} where {expected} was expected", way_out)
    return path


def synced(path: Path) -> None:
    """Returns once the content of a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _kept(path: Path, at: Path) -> Path:
    """Moves a checked file to its place; whoever comes second replaces it by the same bytes."""
    synced(path)
    path.replace(at)
    synced(at.parent)
    return at


# -- packages


def package(
    requirement: str, *, sha256: str, kind: Literal["wheel", "sdist"] = "wheel", cache: Path | None = None
) -> Path:
    """The wheel or source distribution of `name==version`, from the cache or by `pip download`, its hash checked.

    pip itself is given the hash, so that it builds no metadata of (runs no code from) a file that was not checked.
    """
    name, _, version = requirement.partition("==")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) or not re.fullmatch(
        r"[A-Za-z0-9][A-Za-z0-9.+!_-]*", version
    ):
        raise AssayError(requirement, "is not one package of one version", "write it as name==version")
    folder = section("packages", cache)
    for path in sorted(folder.iterdir()):
        if _is_file_of(path.name, name, version, kind):
            return checked(path, sha256, f"delete {path} to have it fetched again, or mend the hash")
    with workplace(folder) as work:
        _pip_download(requirement, sha256, kind, work)
        got = [path for path in work.iterdir() if _is_file_of(path.name, name, version, kind)]
        if len(got) != 1:
            raise AssayError(requirement, f"pip brought no {kind}", f"put it into {folder} by hand")
        return _kept(checked(got[0], sha256, "mend the hash or the version"), folder / got[0].name)


def _is_file_of(file: str, name: str, version: str, kind: str) -> bool:
    ending = re.search(r"(\.whl)$" if kind == "wheel" else r"(\.tar\.gz|\.zip|\.tar\.bz2)$", file)
    if not ending:
        return False
    stem = file[: ending.start()]
    got, _, rest = stem.partition("-") if kind == "wheel" else stem.rpartition("-")
    return _plain(got) == _plain(name) and rest.split("-")[0] == version


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pip_download(requirement: str, sha256: str, kind: str, into: Path) -> None:
    wanted = into / "requirement.txt"
    wanted.write_text(f"{requirement} --hash=sha256:{sha256}\n")
    only = ["--only-binary", ":all:"] if kind == "wheel" else ["--no-binary", _plain(requirement.partition("==")[0])]
    options = ["--no-deps", "--require-hashes", "--disable-pip-version-check", "--no-input", *only]
    command = [sys.executable, "-m", "pip", "download", *options, "-d", str(into), "-r", str(wanted)]
    log.info("fetching %s", requirement)
    by_hand = f"without a network, put the {kind} into {into.parent} by hand"
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise AssayError(requirement, f"pip brought nothing within {PIP_SECONDS} seconds", by_hand) from None
    if ran.returncode:
        raise AssayError(requirement, _pip_problem(ran.stdout + ran.stderr, sha256), by_hand)


def _pip_problem(output: str, expected: str) -> str:
    if got := re.search(r"Got\s+([0-9a-f]{64})", output):
        return f"SHA-256 is {got[1]} where {expected} was expected"
    said = [line.strip() for line in output.splitlines() if line.strip()] or ["nothing"]
    return f"pip says: {([line for line in said if line.startswith('ERROR')] or said)[-1]}"


# -- URLs


def download(url: str, *, sha256: str, cache: Path | None = None) -> Path:
    """The file behind an https URL, from the cache or fetched now, its hash checked."""
    if not url.startswith("https://"):
        raise AssayError(url, "is not https", "give an https URL, or fetch it by hand and name the file")
    last = url.partition("?")[0].rstrip("/").rpartition("/")[2]
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", last).lstrip(".") or "file"
    folder = section("urls", cache)
    kept = folder / f"{sha256[:12]}-{name}"
    if kept.exists():
        return checked(kept, sha256, f"delete {kept} to have it fetched again")
    with workplace(folder) as work:
        _stream(url, work / name, f"without a network, put the file at {kept} by hand")
        return _kept(checked(work / name, sha256, "the file behind the URL is not the one that was meant"), kept)


def _stream(url: str, into: Path, by_hand: str) -> None:
    from urllib.request import urlopen

    try:
        with urlopen(url, timeout=60) as answer, into.open("wb") as out:
            if not answer.geturl().startswith("https://"):
                raise AssayError(url, f"leads to {answer.geturl()}, which is not https", by_hand)
            log.info("fetching %s (%s bytes)", url, answer.headers.get("Content-Length", "unknown number of"))
            while piece := answer.read(CHUNK_BYTES):
                out.write(piece)
                if out.tell() > DOWNLOAD_BYTES:
                    raise AssayError(url, f"is larger than {DOWNLOAD_BYTES >> 30} GiB", by_hand)
    except (OSError, ValueError) as error:
        raise AssayError(url, f"cannot be fetched ({error})", by_hand) from error
