"""What an erasure shows in the terminal: where it was looked, what was found there, and what cannot be reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from pipeline.show import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.erasing.marks import Marks
    from pipeline.erasing.proof import Proof
    from pipeline.erasing.record import Record

FILES_SHOWN = 20


def marked(marks: Sequence[Marks]) -> Table:
    """What is looked for, target by target."""
    table = Table(title="what is erased", title_justify="left", header_style="bold")
    for column in ("", "rows", "copies made of them", "ids", "places", "stretches of their words"):
        table.add_column(column, justify="left" if not column else "right")
    for one in marks:
        counts = (one.rows, one.made, *(len(one.found[kind]) for kind in ("id", "place", "words")))
        table.add_row(plain(str(one.target)), *(f"{count:,}" for count in counts))
    return table


def proof(found: Proof, name: str, *, title: str = "") -> Table:
    """Where it was looked, and what was found."""
    table = Table(title=title or f"{name}: what is left of what was erased", title_justify="left", header_style="bold")
    for column in ("where", "files", "strings", "found", "what"):
        table.add_column(column, justify="right" if column in ("files", "strings", "found") else "left")
    for area, looked in sorted(found.looked.items()):
        what = ", ".join(f"{kind} {count:,}" for kind, count in sorted(looked.found.items()))
        table.add_row(
            plain(area), f"{looked.files:,}", f"{looked.strings:,}", f"{looked.left:,}", what,
            style="red" if looked.left else "",
        )  # fmt: skip
    return table


def findings(found: Proof) -> Iterator[str]:
    """The files that something is left in."""
    for path, kinds in found.findings[:FILES_SHOWN]:
        yield f"[red]{plain(path)}[/red]: " + ", ".join(f"{kind} {count:,}" for kind, count in sorted(kinds.items()))
    if (more := len(found.findings) - FILES_SHOWN) > 0:
        yield f"... and {more:,} files more"


def limits(found: Proof) -> Iterator[str]:
    """What the proof does not show."""
    if found.shared:
        yield f"{found.shared:,} stretches of words also stand in records of others, and may stay there"
    if found.too_short:
        yield f"{found.too_short:,} texts are too short to be told from the words of others: looked for by id and place"
    for target in found.unmarked:
        yield f"{plain(target)}: no build held it when it was erased, so only its ids are looked for"
    if found.raw:
        yield "raw files are yours, and were left as they are; ingest passes over what is erased in them:"
        yield from (f"  {plain(path)}" for path in found.raw)
    yield "out of reach of this proof:"
    yield from (f"  {plain(place)}" for place in found.unreachable)


def done(record: Record) -> Iterator[str]:
    """What an erasure removed."""
    if record.removed:
        yield f"removed, as it was made of them: {plain(', '.join(record.removed))}"
    if record.lock_lines:
        yield f"{record.lock_lines:,} lines taken out of split.lock"
    for path, count in record.quoted.items():
        yield f"{count:,} lines of {plain(path)} blanked"
