"""The far side: one door to fsspec, whose faults become errors with a way out, and whose secrets are never shown."""

from __future__ import annotations

import os
import re
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from fsspec import AbstractFileSystem

    from pipeline.storage.transfer import Tick

EXTRAS = {"s3": "pip install 'assay[s3]'", "s3a": "pip install 'assay[s3]'"}
# Stores whose objects appear whole or not at all; elsewhere a file is written under another name and then renamed.
ATOMIC = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "oci", "memory", "hf"})
# Packages under fsspec whose exceptions are not OSError: told by name, as none of them need be installed.
FOREIGN = frozenset(
    {
        *("botocore", "boto3", "aiobotocore", "aiohttp", "gcsfs", "google", "azure", "adlfs", "ossfs", "paramiko"),
        *(
            "sshfs",
            "asyncssh",
            "smbprotocol",
            "huggingface_hub",
            "httpx",
            "requests",
            "fsspec",
            "s3fs",
            "dvc",
            "webdav4",
        ),
    }
)
_USER = re.compile(r"(?<=://)[^/@\s]*@")
_QUERY = re.compile(r"(?<=[?])[^\s'\"]+")
_MANIFEST_BYTES = 64 << 20


def masked(text: str, url: str = "") -> str:
    """Text without the user, password or query of any URL in it, nor those of `url` wherever they stand.

    >>> masked("s3://key:secret@host/sets?token=x")
    's3://***@host/sets?***'
    """
    for found in (*_USER.findall(url), *_QUERY.findall(url)):
        for secret in _parts(found):
            text = text.replace(secret, "***")
    return _QUERY.sub("***", _USER.sub("***@", text))


def _parts(found: str) -> list[str]:
    """What is secret in the user part or the query of a URL, the longest first, as it stands and unquoted."""
    whole = found.removesuffix("@")
    parts = [whole, *re.split(r"[:&=;]", whole)]
    return sorted({part for one in parts for part in (one, unquote(one)) if len(part) > 3}, key=len, reverse=True)


class Remote:
    """A folder on the far side.

    Raises:
        AssayError: no such kind of place, or what it needs is not installed.
    """

    def __init__(self, url: str) -> None:
        if not url.strip():
            raise AssayError(
                "the URL of a store", "is empty", "a folder (. for this one), s3://BUCKET/FOLDER, gs://..."
            )
        self._url, self.place = url, masked(url, url)
        self.kind = url.partition("://")[0].rpartition("::")[2] if "://" in url else "file"
        with self.explained():
            import fsspec

            fs, root = fsspec.core.url_to_fs(url)
        self.fs: AbstractFileSystem = fs
        self._root = str(root).rstrip("/")

    def path(self, *parts: str) -> str:
        """Where something lies in there, as the file system calls it."""
        return "/".join([self._root, *parts])

    def explained(self, what: str = "") -> _Explained:
        """Turns what fsspec and its file systems raise into an AssayError that names the place."""
        return _Explained(self._url, self.kind, what)

    def size(self, *parts: str) -> int | None:
        """How many bytes a file has; None where there is none."""
        with self.explained():
            try:
                found = self.fs.info(self.path(*parts))
            except FileNotFoundError:
                return None
            return int(found["size"]) if found["type"] == "file" else None

    def names(self, *parts: str) -> list[str]:
        """What lies in a folder, by name, sorted; nothing where there is no such folder."""
        with self.explained():
            self.fs.invalidate_cache()
            try:
                return sorted(
                    path.rstrip("/").rpartition("/")[2] for path in self.fs.ls(self.path(*parts), detail=False)
                )
            except FileNotFoundError:
                return []

    def read(self, *parts: str) -> bytes | None:
        """A small file; None where there is none.

        Raises:
            AssayError: it is larger than any manifest.
        """
        if (size := self.size(*parts)) is None:
            return None
        if size > _MANIFEST_BYTES:
            place = f"{self.place}/{'/'.join(parts)}"
            raise AssayError(place, f"has {size:,} bytes, too many for what it should be", "do not trust it")
        with self.explained():
            return bytes(self.fs.cat_file(self.path(*parts)))

    def write(self, content: bytes, *parts: str) -> None:
        """Put a small file there, whole or not at all."""
        target = self.path(*parts)
        with self.explained("write there"):
            self._parent(target)
            if self.kind in ATOMIC:
                self.fs.pipe_file(target, content)
            else:
                partial = _partial(target)
                self.fs.pipe_file(partial, content)
                self._rename(partial, target)
            self.fs.invalidate_cache()

    def send(self, source: Path, tick: Tick, *parts: str) -> None:
        """Put a file there, whole or not at all, and see that it has arrived with all its bytes.

        Raises:
            AssayError: it cannot be sent, or what lies there now has another size.
        """
        target, size = self.path(*parts), source.stat().st_size
        with self.explained("write there"):
            self._parent(target)
            partial = target if self.kind in ATOMIC else _partial(target)
            with _progress(tick, size) as callback:
                self.fs.put_file(str(source), partial, callback=callback)
            if partial != target:
                self._rename(partial, target)
            self.fs.invalidate_cache()
        self._arrived(size, *parts)

    def copy(self, source: str, size: int, *parts: str) -> bool:
        """Have the store copy a file of its own; False where it cannot."""
        target = self.path(*parts)
        with self.explained("write there"):
            self._parent(target)
            try:
                self.fs.cp_file(source, target)
            except NotImplementedError:
                return False
            self.fs.invalidate_cache()
        self._arrived(size, *parts)
        return True

    def fetch(self, target: Path, size: int, tick: Tick, *parts: str) -> None:
        """Get a file of `size` bytes from there."""
        with self.explained("read there"), _progress(tick, size) as callback:
            self.fs.get_file(self.path(*parts), str(target), callback=callback)

    def remove(self, *parts: str) -> None:
        """Remove a file, if it is there."""
        with self.explained("delete there"):
            try:
                self.fs.rm_file(self.path(*parts))
            except FileNotFoundError:
                return
            self.fs.invalidate_cache()

    def _arrived(self, size: int, *parts: str) -> None:
        found = self.size(*parts)
        if found != size:
            told = "nothing" if found is None else f"{found:,} bytes"
            place, problem = f"{self.place}/{'/'.join(parts)}", f"{size:,} bytes were sent, but {told} arrived"
            raise AssayError(place, problem, "push again")

    def _parent(self, target: str) -> None:
        """Make the folder, where the store knows folders: in the others the bucket must be there, and is not made."""
        if self.kind not in ATOMIC:
            self.fs.makedirs(target.rpartition("/")[0], exist_ok=True)

    def _rename(self, partial: str, target: str) -> None:
        from fsspec.implementations.local import LocalFileSystem

        if isinstance(self.fs, LocalFileSystem):
            os.replace(self.fs._strip_protocol(partial), self.fs._strip_protocol(target))
            return
        if self.fs.exists(target):
            self.fs.rm_file(target)
        self.fs.mv(partial, target)


def _partial(target: str) -> str:
    folder, _, name = target.rpartition("/")
    return f"{folder}/.{name}.{secrets.token_hex(4)}.part"


@contextmanager
def _progress(tick: Tick, size: int) -> Iterator[Any]:
    """A callback of fsspec that tells of bytes; what a file system does not tell of is told at the end."""
    from fsspec.callbacks import Callback

    seen = 0

    class Told(Callback):  # type: ignore[misc]
        def relative_update(self, inc: int = 1) -> None:
            nonlocal seen
            step = max(0, min(inc, size - seen))
            seen += step
            tick(step)

    yield Told()
    tick(size - seen)


class _Explained:
    """Turns the faults of the far side into an AssayError without secrets; see FOREIGN."""

    def __init__(self, url: str, kind: str, what: str) -> None:
        self.url, self.kind, self.what = url, kind, what

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, Exception) or isinstance(error, AssayError):
            return
        foreign = type(error).__module__.partition(".")[0] in FOREIGN
        if foreign or isinstance(error, OSError | ImportError | ValueError | NotImplementedError):
            # The fault itself may hold the URL with its secrets: it is not chained.
            raise AssayError(masked(self.url, self.url), *self._said(error)) from None

    def _said(self, error: Exception) -> tuple[str, str]:
        told = masked(" ".join(str(error).split()) or type(error).__name__, self.url)[:300]
        if isinstance(error, ImportError):
            return f"needs a package that is not installed ({told})", EXTRAS.get(self.kind, "install that package")
        if isinstance(error, FileNotFoundError):
            return f"there is no such place ({told})", "make the bucket or folder first, or mend the URL"
        if isinstance(error, PermissionError):
            to = self.what or "look there"
            return f"you may not {to} ({told})", "ask for the right, or set the credentials in the environment"
        if "credential" in told.lower():
            return f"there are no credentials ({told})", "set them in the environment, as for any tool of that store"
        if isinstance(error, ValueError) and "rotocol" in told:
            return f"no such kind of place: {told}", "a folder, s3://, gs://, sftp://, or another that fsspec knows"
        return f"cannot be reached ({type(error).__name__}: {told})", "mend the URL or the connection, and run again"
