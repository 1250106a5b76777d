"""Raw files that are never on a disk, and what all readers must keep to."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from pipeline.errors import AssayError
from pipeline.fetch import RawFile
from pipeline.readers import Broken, ReadOptions, Record, read

REASONS = {"unreadable_record", "invalid_encoding", "wrong_columns"}


@dataclass(frozen=True)
class Held(RawFile):
    """A raw file whose content is given."""

    content: bytes = b""

    def open(self) -> BinaryIO:
        return cast("BinaryIO", io.BufferedReader(io.BytesIO(self.content)))


def held(content: bytes | str, name: str = "f") -> RawFile:
    """A raw file with this content."""
    return Held(name, content=content.encode() if isinstance(content, str) else content)


def got(content: bytes | str, format: str, **options: Any) -> list[Record | Broken]:
    """All that a reader gives of a content."""
    return list(read(held(content), format=format, options=ReadOptions(**options)))


def rows(content: bytes | str, format: str, **options: Any) -> list[dict[str, Any]]:
    """The fields of all records, none of which may be broken."""
    found = got(content, format, **options)
    assert not [record for record in found if isinstance(record, Broken)]
    return [record.fields for record in found if isinstance(record, Record)]


def faults(content: bytes | str, format: str, **options: Any) -> list[tuple[str, str]]:
    """Place and reason of everything broken."""
    return [(one.place, one.reason) for one in got(content, format, **options) if isinstance(one, Broken)]


def survives(content: bytes, format: str, **options: Any) -> list[Record | Broken] | None:
    """All that a reader gives of hostile bytes; None for an AssayError, and nothing else may come out."""
    try:
        found = got(content, format, **options)
    except AssayError:
        return None
    for one in found:
        assert one.place.startswith("f:")
        if isinstance(one, Broken):
            assert one.reason in REASONS
            assert one.evidence
            (one.evidence + one.raw).encode("utf-8")
    return found
