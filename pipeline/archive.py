"""Members of zip and tar files, nested or not, read in place: nothing is unpacked to disk."""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from contextlib import ExitStack
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from pipeline.errors import AssayError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from typing_extensions import Buffer

NESTED_BYTES = 4 << 30
"""A zip file within an archive is held in memory, because its directory stands at its end; a larger one is refused."""
DAMAGE = (
    OSError,
    EOFError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,  # what zipfile raises for a compression that it does not know
    RuntimeError,
    ValueError,
    struct.error,
)


class Member(io.RawIOBase):
    """The bytes of a member; closing it closes the archives it lies in."""

    def __init__(self, stream: IO[bytes], around: ExitStack[None], place: str) -> None:
        self._stream, self._around, self._place = stream, around, place

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._stream.seekable()

    def seek(self, offset: int, whence: int = 0, /) -> int:
        with _damage(self._place):
            return self._stream.seek(offset, whence)

    def tell(self) -> int:
        return self._stream.tell()

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        with _damage(self._place):
            piece = self._stream.read(len(view))
        view[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._around.close()
        super().close()


def open_member(path: Path, members: Sequence[str]) -> BinaryIO:
    """The bytes of a file (no members), of a member of an archive, or of a member of a member.

    Raises AssayError for what is no archive, an unknown member, a link, and a name that leaves the archive.
    """
    with ExitStack[None]() as around:
        stream: IO[bytes] = around.enter_context(_opened(path))
        for depth, member in enumerate(members):
            place = "!".join([path.name, *members[:depth]])
            with _damage(place):
                stream = around.enter_context(_Archive(stream, place, around).open(member))
        return cast("BinaryIO", io.BufferedReader(Member(stream, around.pop_all(), "!".join([path.name, *members]))))


def member_names(path: Path, members: Sequence[str]) -> list[str]:
    """The names of all regular files in an archive, sorted."""
    with ExitStack[None]() as around:
        stream: IO[bytes] = around.enter_context(open_member(path, members))
        place = "!".join([path.name, *members])
        with _damage(place):
            return sorted(set(_Archive(stream, place, around).names()))


def is_safe(name: str) -> bool:
    """Whether a member's name stays within its archive.

    >>> is_safe("a/b.txt"), is_safe("../b.txt"), is_safe("/b.txt"), is_safe("c:\\\\b.txt")
    (True, False, False, False)
    """
    path = PurePosixPath(name)
    return not (path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or name == "")


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise AssayError(path.name, f"cannot be opened: {error.strerror}", "mend the path") from error


class _damage:
    """Turns what damaged archives raise into an AssayError."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DAMAGE):
            said = str(error) or type(error).__name__
            raise AssayError(self.place, f"the archive cannot be read ({said})", "fetch it again") from error


class _Archive:
    """A zip or tar file, told apart by content."""

    def __init__(self, stream: IO[bytes], place: str, around: ExitStack[None]) -> None:
        self.place = place
        start = stream.read(4)
        stream.seek(0)
        self.zip: zipfile.ZipFile | None = None
        if start.startswith(b"PK"):
            self.zip = around.enter_context(zipfile.ZipFile(_held(stream, place)))
            return
        try:
            self.tar = around.enter_context(tarfile.open(fileobj=stream, mode="r:*"))  # noqa: SIM115
        except tarfile.ReadError:
            raise AssayError(place, "is neither a zip nor a tar file", "name the file itself, without '!'") from None

    def names(self) -> Iterator[str]:
        if self.zip is not None:
            yield from (info.filename for info in self.zip.infolist() if _is_plain(info))
        else:
            yield from (member.name for member in self.tar if member.isreg())

    def open(self, name: str) -> IO[bytes]:
        if not is_safe(name):
            raise AssayError(f"{self.place}!{name}", "the name leads out of the archive", "members have relative names")
        if name not in (known := set(self.names())):
            raise AssayError(f"{self.place}!{name}", "no such file in the archive", nearest(name, sorted(known)[:500]))
        if self.zip is not None:
            return self.zip.open(name)
        return cast("IO[bytes]", self.tar.extractfile(name))


def _is_plain(info: zipfile.ZipInfo) -> bool:
    kind = info.external_attr >> 28
    return not info.is_dir() and kind in (0, 8)


def _held(stream: IO[bytes], place: str) -> IO[bytes]:
    if (
        isinstance(stream, io.BufferedReader)
        and not isinstance(stream.raw, Member)
        and not isinstance(stream, tarfile.ExFileObject)
    ):
        return stream
    content = stream.read(NESTED_BYTES + 1)
    if len(content) > NESTED_BYTES:
        raise AssayError(place, f"a nested zip file of more than {NESTED_BYTES >> 30} GiB", "unpack the outer archive")
    return io.BytesIO(content)
