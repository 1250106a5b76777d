"""What a reader takes and gives: options in, records and broken records out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

EVIDENCE_CHARS = 200
RAW_CHARS = 100_000


@dataclass(frozen=True, slots=True)
class Record:
    """One raw record: `place` is `file:line`, `notes` say what was changed while reading."""

    place: str
    fields: dict[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Broken:
    """One raw record that cannot be read.

    `reason` is `unreadable_record`, `invalid_encoding` or `wrong_columns`; `raw` is the record as text, its invalid
    bytes written as `\\xNN`, at most 100,000 characters of it.
    """

    place: str
    reason: str
    evidence: str
    raw: str


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How raw files are read; each format looks at what concerns it."""

    encoding: str | None = None
    """Declared encoding; None detects it per file."""
    invalid_bytes: Literal["reject", "replace"] = "reject"
    """Bytes that are not in the encoding: reject the record, or put U+FFFD there and note it."""
    delimiter: str | None = None
    """CSV: `,` unless given; TSV: tab; CoNLL: tab or white space, whichever the file uses."""
    names: tuple[str, ...] | None = None
    """Column names of a file without header row, of JSON records that are lists, and of CoNLL tag columns."""
    quote: bool | None = None
    """Whether `"` quotes a field: None means yes in CSV, no in TSV."""
    token_column: int = 0
    tag_columns: tuple[int, ...] = (-1,)
    scheme: str = "auto"
    row_per: Literal["sentence", "document"] = "sentence"
    """CoNLL: what is one record; a document goes from one `-DOCSTART-` to the next, or is the whole file."""
    json_path: str | None = None
    """Dotted keys from the top of a JSON file to the array of records."""
    messages_field: str | None = None
    """The field that holds the turns of a chat, where it is none of the usual names."""
    hub: bool = False
    """Whether the file is a hub data set, whose rows are to be brought into the shape of the format."""
    hub_split: str | None = None


@dataclass(slots=True)
class Origin:
    """Where the records of one file come from, and the notes that its first record is to carry."""

    name: str
    pending: list[str] = field(default_factory=list)

    def place(self, line: int) -> str:
        """The place of a record that starts in a line."""
        return f"{self.name}:{line}"

    def record(self, line: int, fields: dict[str, Any], notes: tuple[str, ...] = ()) -> Record:
        """A record that starts in a line."""
        if self.pending:
            notes = (*self.pending, *notes)
            self.pending.clear()
        return Record(f"{self.name}:{line}", fields, notes)

    def broken(self, line: int, reason: str, evidence: str, raw: str) -> Broken:
        """A broken record that starts in a line."""
        return broken(f"{self.name}:{line}", reason, evidence, raw)


def broken(place: str, reason: str, evidence: str, raw: str) -> Broken:
    """A broken record, its texts bounded and free of lone surrogates."""
    return Broken(place, reason, clean(evidence[:EVIDENCE_CHARS]), clean(raw[:RAW_CHARS]))


def clean(text: str) -> str:
    """Text that can be written as UTF-8: bytes that were escaped to surrogates become `\\xNN`, others `\\uNNNN`."""
    if text.isascii():
        return text
    return "".join(_shown(char) if "\ud800" <= char <= "\udfff" else char for char in text)


def _shown(char: str) -> str:
    code = ord(char)
    return f"\\x{code - 0xDC00:02x}" if 0xDC00 <= code <= 0xDCFF else f"\\u{code:04x}"
