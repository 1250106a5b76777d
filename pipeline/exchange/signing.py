"""Signing: whose answers stand in a file that names nobody, where its own name may be a person's or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.errors import AssayError
from pipeline.readers.record import Record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from pipeline.readers.record import Broken


def signed(
    records: Iterable[Record | Broken], called: str, *, who: str, known: Collection[str]
) -> Iterator[Record | Broken]:
    """The records, their answers by `who` where nothing but the file's name, `called`, says whose they are.

    A file may be called as a person: one whose name is `known`, who has decided before or whom a round went out to.

    Raises:
        AssayError: `who` is not said, and nobody is known by the name of the file.
    """
    for record in records:
        if isinstance(record, Record) and called:
            for said in record.fields.get("annotations") or ():
                if said.get("annotator") == called:
                    said["annotator"] = who or _known(called, known, record.place)
        yield record


def _known(called: str, known: Collection[str], place: str) -> str:
    if called not in known:
        problem = f"an answer names nobody, and nobody is known as '{called}', which is only what the file is called"
        raise AssayError(place, problem, f"say who answered: --who NAME (--who {called!r} if that is the name)")
    return called
