"""CSV and TSV: rows by column name; quoted fields may hold line ends, a stray quote costs one row and not the file."""

from __future__ import annotations

import csv
from collections import deque
from typing import TYPE_CHECKING

from pipeline.errors import AssayError
from pipeline.readers.lines import LINE_BYTES, Line, lines
from pipeline.readers.record import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.fetch import RawFile
    from pipeline.readers.record import Broken, Origin, ReadOptions, Record

QUOTED_LINES = 2_000
"""How many lines one quoted field may go on for, before its opening quote counts as a stray one."""

csv.field_size_limit(LINE_BYTES)  # the module's limit is process-wide and 128 KiB, fewer than a long document has


def read_csv(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """Rows of a comma-separated file, with a header row unless names are given; blank lines are no rows."""
    return _rows(raw, options, options.delimiter or ",", quote=options.quote is not False)


def read_tsv(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """Rows of a tab-separated file; a quote is a character like any other unless `quote` is set."""
    return _rows(raw, options, options.delimiter or "\t", quote=options.quote is True)


def _rows(raw: RawFile, options: ReadOptions, delimiter: str, *, quote: bool) -> Iterator[Record | Broken]:
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise AssayError(raw.name, f"the delimiter {delimiter!r} is not one character", "give ',' ';' or '\\t'")
    origin, source = lines(raw, options)
    rows = (_Quoted(source, delimiter) if quote else _Plain(source, delimiter)).rows()
    names = options.names or _header(origin, rows)
    _refuse_twins(raw.name, names)
    for row in rows:
        yield _judged(origin, row, names)


class Row:
    """The fields of one row and the lines they stand in, or why there are none."""

    __slots__ = ("evidence", "fields", "line", "note", "reason", "text")

    def __init__(self, line: Line, fields: Sequence[str] = (), text: str | None = None) -> None:
        self.line, self.fields, self.text = line.number, fields, line.text if text is None else text
        self.reason, self.evidence, self.note = line.reason, line.evidence, line.note


def _header(origin: Origin, rows: Iterator[Row]) -> tuple[str, ...]:
    for row in rows:
        if row.reason:
            raise AssayError(
                origin.place(row.line), f"the header row cannot be read: {row.evidence}", "name the columns in 'names'"
            )
        return tuple(name.strip() for name in row.fields)
    return ()


def _refuse_twins(name: str, names: Sequence[str]) -> None:
    twins = sorted({column for column in names if names.count(column) > 1})
    if twins:
        raise AssayError(
            name,
            f"several columns are called {', '.join(map(repr, twins))}",
            "rename them, or name all columns in 'names'",
        )


def _judged(origin: Origin, row: Row, names: Sequence[str]) -> Record | Broken:
    if row.reason:
        return origin.broken(row.line, row.reason, row.evidence, row.text)
    if len(row.fields) != len(names):
        evidence = f"{len(row.fields)} columns where there are {len(names)} ({', '.join(names[:8])})"
        return origin.broken(row.line, "wrong_columns", evidence, row.text)
    return origin.record(row.line, dict(zip(names, row.fields, strict=True)), (row.note,) if row.note else ())


class _Plain:
    """Lines cut at the delimiter."""

    def __init__(self, source: Iterator[Line], delimiter: str) -> None:
        self.source, self.delimiter = source, delimiter

    def rows(self) -> Iterator[Row]:
        for line in self.source:
            if line.text or line.reason:
                yield Row(line, () if line.reason else line.text.split(self.delimiter))


class _Quoted:
    """Lines cut at delimiters outside quotes (RFC 4180), with a look ahead that can be taken back."""

    def __init__(self, source: Iterator[Line], delimiter: str) -> None:
        self.source, self.delimiter = source, delimiter
        self.ahead: deque[Line] = deque()
        self.width = 0
        self.no_close_before = 0

    def rows(self) -> Iterator[Row]:
        while (line := self._next()) is not None:
            if line.reason:
                yield Row(line)
            elif line.text:
                yield self._row(line) if '"' in line.text else Row(line, line.text.split(self.delimiter))

    def _next(self) -> Line | None:
        return self.ahead.popleft() if self.ahead else next(self.source, None)

    def _row(self, line: Line) -> Row:
        fields, problem = self._cut(line.text)
        taken: list[Line] = []
        if problem == _OPEN and line.number >= self.no_close_before:
            fields, problem, taken = self._continued(line)
        if fields is not None and (not taken or not self.width or len(fields) == self.width):
            self.width = self.width or len(fields)
            notes = [part.note for part in (line, *taken) if part.note]
            joined = line._replace(note="; ".join(notes))
            return Row(joined, fields, "\n".join([line.text, *(part.text for part in taken)]))
        self.ahead.extendleft(reversed(taken))
        return Row(line._replace(reason="unreadable_record", evidence=problem or _STRAY))

    def _continued(self, line: Line) -> tuple[list[str] | None, str, list[Line]]:
        """Goes on until the quote closes: a line with an odd number of quotes is where it can."""
        taken: list[Line] = []
        while len(taken) < QUOTED_LINES:
            more = self._next()
            if more is None:
                break
            taken.append(more)
            if more.reason:
                break
            if more.text.count('"') % 2:
                fields, problem = self._cut("\n".join([line.text, *(part.text for part in taken)]))
                return fields, _STRAY if problem else "", taken
        self.no_close_before = line.number + len(taken)  # no line up to there can close a quote: do not look again
        return None, _STRAY, taken

    def _cut(self, text: str) -> tuple[list[str] | None, str]:
        try:
            rows = list(csv.reader([text], delimiter=self.delimiter, strict=True))
        except csv.Error as error:
            return None, _OPEN if "unexpected end" in str(error) else f"bad quoting: {clean(str(error))}"
        return (rows[0], "") if len(rows) == 1 else (None, "a line end within a row")


_OPEN = "a quote that is not closed on its line"
_STRAY = "a quote that does not close"
