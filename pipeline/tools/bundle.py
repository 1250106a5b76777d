"""Exports that are folders or archives of many files: their documents one by one, and file names that tell row ids."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
import zipfile
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any, cast

from pipeline.archive import DAMAGE, is_safe
from pipeline.errors import AssayError, Unfit
from pipeline.readers.lines import bad_bytes
from pipeline.readers.record import Record, broken, clean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from pipeline.fetch import RawFile
    from pipeline.readers.record import Broken, ReadOptions

INDEX = "items.jsonl"
"""Beside the files that go out: a line for each, with its name and its row."""
NAME_CHARS = 120
FILE_BYTES, HELD_BYTES = 64 << 20, 4 << 30
"""The largest file of an export, and how much of a tar file, which can only be read from its start, is held."""
# Percent-encoding with another sign: brat's page decodes the per cent sign, INCEpTION allows none in names.
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")
_ESCAPED = re.compile("(?:~[0-9A-F]{2})+")
_HASHED = "~~"


def named(row: str) -> str:
    """A file name, without ending, that stands for a row id; a long one ends in a hash and needs the index.

    >>> named("news/1:2"), named("..")
    ('news~2F1~3A2', '~2E.')
    """
    name = _UNSAFE.sub(lambda found: "".join(f"~{byte:02X}" for byte in found[0].encode("utf-8", "replace")), row)
    name = "~2E" + name[1:] if name.startswith(".") else name or "~"
    return name if len(name) <= NAME_CHARS else shortened(row, name)


def shortened(row: str, name: str) -> str:
    """The beginning of a name and a hash of its row."""
    return f"{name[: NAME_CHARS // 2]}{_HASHED}{hashlib.sha256(row.encode('utf-8', 'replace')).hexdigest()[:20]}"


def row_of(name: str, index: dict[str, str]) -> str:
    """The row id that a file name stands for: by the index, else decoded; a name that `named` cannot make stays."""
    if name in index or name == "~":
        return index.get(name, "")
    told = _ESCAPED.sub(lambda found: bytes.fromhex(found[0].replace("~", "")).decode("utf-8", "replace"), name)
    return told if named(told) == name else name


class Names:
    """File names given out so far; those of two rows differ also where capital letters do not count."""

    def __init__(self) -> None:
        self._rows: set[str] = set()
        self._taken: set[str] = set()

    def take(self, row: str) -> str:
        """A name for a row; raises AssayError where it has one already."""
        if row in self._rows:
            raise AssayError(f"row {row!r:.60}", "goes out twice", "give each row once")
        name = named(row)
        if name.casefold() in self._taken:
            name = shortened(row, name)
        self._rows.add(row)
        self._taken.add(name.casefold())
        return name


# -- files


@dataclass(frozen=True)
class Bundle:
    """The files of an export by their paths in it."""

    place: str
    names: list[str]
    read: Callable[[str], bytes]

    def where(self, name: str) -> str:
        """The place of a file of the export."""
        return f"{self.place}!{name}"


@contextmanager
def opened(raw: RawFile, endings: tuple[str, ...]) -> Iterator[Bundle]:
    """The files with these endings in a folder, a zip or a tar file, of which nothing is unpacked.

    Raises:
        AssayError: it is none of these, is damaged, holds no such file, or a name that leads out of it.
    """
    if raw.path is not None and not raw.members and raw.path.is_dir():
        yield _filled(_folder(raw.name, raw.path, endings), endings)
        return
    with raw.open() as stream:
        try:
            start = stream.read(4)
            stream.seek(0)
            bundle = (_zip if start.startswith(b"PK") else _tar)(raw.name, cast("IO[bytes]", stream), endings)
        except DAMAGE as error:
            way_out = f"name its files ({', '.join('*' + ending for ending in endings)}), or fetch it again"
            raise AssayError(raw.name, f"is no folder, zip or tar file that can be read ({error})", way_out) from error
        yield _filled(bundle, endings)


def _filled(bundle: Bundle, endings: tuple[str, ...]) -> Bundle:
    if all(PurePosixPath(name).name == INDEX for name in bundle.names):
        wanted = ", ".join("*" + ending for ending in endings if ending != INDEX)
        raise AssayError(bundle.place, f"holds no file {wanted}", "name the export itself")
    return bundle


def _folder(place: str, path: Path, endings: tuple[str, ...]) -> Bundle:
    inside = (file for file in sorted(path.rglob("*")) if file.is_file() and file.name.endswith(endings))
    root = path.resolve()
    names = [file.relative_to(path).as_posix() for file in inside if file.resolve().is_relative_to(root)]
    return Bundle(place, names, lambda name: _limited((path / name).open, "rb", f"{place}!{name}"))


def _zip(place: str, stream: IO[bytes], endings: tuple[str, ...]) -> Bundle:
    archive = zipfile.ZipFile(stream)
    plain = (info.filename for info in archive.infolist() if not info.is_dir() and info.external_attr >> 28 in (0, 8))
    names = _checked(place, plain, endings)
    return Bundle(place, sorted(names), lambda name: _limited(archive.open, names[name], f"{place}!{name}"))


def _tar(place: str, stream: IO[bytes], endings: tuple[str, ...]) -> Bundle:
    held: dict[str, bytes] = {}
    size = 0
    with tarfile.open(fileobj=stream, mode="r:*") as archive:
        for member in archive:
            for name in _checked(place, [member.name] if member.isreg() else [], endings):
                held[name] = _limited(archive.extractfile, member, f"{place}!{name}")
                size += len(held[name])
            if size > HELD_BYTES:
                raise AssayError(place, f"holds more than {HELD_BYTES >> 30} GiB", "unpack it, or give it as zip")
    return Bundle(place, sorted(held), held.__getitem__)


def _checked(place: str, names: Iterable[str], endings: tuple[str, ...]) -> dict[str, str]:
    """The names with these endings as paths, by which they are known in the archive; none of what macOS adds."""
    found = [name for name in names if name.endswith(endings)]
    if unsafe := sorted(name for name in found if not is_safe(name)):
        raise AssayError(f"{place}!{unsafe[0]}", "the name leads out of the archive", "have the archive made anew")
    paths = {PurePosixPath(name): name for name in found}
    return {path.as_posix(): name for path, name in paths.items() if not path.name.startswith("._")}


def _limited(opening: Callable[[Any], Any], what: Any, place: str) -> bytes:
    try:
        with opening(what) as stream:
            data: bytes = stream.read(FILE_BYTES + 1)
    except DAMAGE as error:
        raise AssayError(place, f"cannot be read to its end ({error})", "fetch it again") from error
    if len(data) > FILE_BYTES:
        raise AssayError(place, f"a file of more than {FILE_BYTES >> 20} MiB", "cut it into documents")
    return data


def decoded(data: bytes, options: ReadOptions) -> tuple[str, tuple[str, ...]]:
    """The text of a file in the declared encoding, else UTF-8, line ends as they are, and what was replaced in it.

    Raises:
        Unfit: `invalid_encoding`.
    """
    encoding = options.encoding or "utf-8"
    try:
        return data.decode(encoding), ()
    except LookupError:
        raise AssayError("encoding", f"there is none called {encoding!r}", "use a name such as 'utf-8'") from None
    except UnicodeDecodeError:
        evidence = bad_bytes(data, encoding).replace("of the line", "of the file")
        if options.invalid_bytes == "replace":
            return data.decode(encoding, "replace"), (f"replaced by U+FFFD: {evidence}",)
        raise Unfit("invalid_encoding", evidence) from None


# -- documents


@dataclass(frozen=True)
class Reading:
    """What one file says of one document: in which folder it lies, and whose it is, if the file's place tells that."""

    place: str
    id: str
    text: str
    annotation: dict[str, Any] | None
    folder: str = ""
    annotator: str | None = None
    fixed: bool = False
    """Whether the id is known to be a row's, and not only the name of a file."""
    notes: tuple[str, ...] = ()


def merged(readings: Iterable[Reading]) -> Iterator[Record]:
    """The readings of documents of one name as records, those of one text together.

    Where several folders hold the same text, a folder is an annotator; where their texts differ, each is a document of
    its own, and its folder is part of its id.
    """
    by_text: dict[tuple[str, str], list[Reading]] = defaultdict(list)
    texts: dict[str, set[str]] = defaultdict(set)
    for one in readings:
        by_text[one.id, one.text].append(one)
        texts[one.id].add(one.text)
    for (name, _), several in by_text.items():
        apart = len(texts[name]) > 1 and several[0].folder and not any(one.fixed for one in several)
        own = f"{PurePosixPath(several[0].folder).name}/{name}" if apart else name
        shared = len({one.folder for one in several}) > 1
        yield record([replace(one, id=own, annotator=_whose(one, shared)) for one in several])


def _whose(one: Reading, shared: bool) -> str | None:
    return one.annotator or (PurePosixPath(one.folder).name or None if shared else None)


def record(several: list[Reading]) -> Record:
    """One record of all readings of a document."""
    first = several[0]
    given = [
        {"annotator": one.annotator, "time": None, "seconds": None} | one.annotation
        for one in several
        if one.annotation is not None
    ]
    fields = {"id": first.id, "text": first.text, "annotations": given}
    notes = dict.fromkeys(note for one in several for note in one.notes)
    return Record(first.place, fields, tuple(notes))


def refused(place: str, unfit: Unfit, raw: str) -> Broken:
    """A file that cannot be read."""
    return broken(place, unfit.reason, unfit.evidence, clean(raw))


def index_of(data: bytes) -> dict[str, str]:
    """The rows by the names of their files, as an index tells them; a line that is none is passed over.

    >>> index_of(b'{"file": "a", "row": "r"}' + bytes([10]) + b"x")
    {'a': 'r'}
    """
    rows = {}
    for line in data.decode("utf-8", "replace").split("\n"):
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict) and isinstance(told.get("file"), str) and isinstance(told.get("row"), str):
            rows[told["file"]] = told["row"]
    return rows
