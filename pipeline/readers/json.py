"""JSON files: an array of records, or an object that holds one, parsed as it streams by."""

from __future__ import annotations

import json
import re
from codecs import getincrementaldecoder
from typing import TYPE_CHECKING

from pipeline.errors import AssayError, Unfit, nearest
from pipeline.readers.lines import chunks, head
from pipeline.readers.record import Origin, clean
from pipeline.readers.values import as_fields, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.fetch import RawFile
    from pipeline.readers.record import Broken, ReadOptions, Record

ELEMENT_CHARS = 64 << 20
_MARGIN = 16
"""An error this near to the end of what was read may only mean that a token is cut there."""
LOST_CHARS = 256 << 20
KNOWN_BEGINNINGS = 8
_FIRST_KEY = re.compile(r'\{\s*("(?:[^"\\]|\\.)*")\s*:')
_LAST_BRACKET = re.compile(r"\][\s}]*\Z")
_SPACE = re.compile(r"[ \t\n\r]*")
_SURROGATES = re.compile("[\ud800-\udfff]+")
_scan = json.JSONDecoder().raw_decode


class Text:
    """A window over the decoded text that grows at its end and is dropped at its start."""

    def __init__(self, raw: RawFile, options: ReadOptions) -> None:
        about = head(raw, options)
        self.name, self.notes = raw.name, list(about.notes)
        self.window, self.at, self.ended = "", 0, False
        self._line, self._counted = 1, 0
        self._skip = about.bom_bytes
        self._pieces = chunks(raw)
        self._decode = getincrementaldecoder(about.encoding)("assay_bytes").decode

    def grow(self) -> bool:
        """Reads on, as much again as there is; False at the end of the file."""
        wanted = max(1, len(self.window) - self.at)
        parts = [self.window[self.at :]]
        self.here()
        while wanted > 0 and not self.ended:
            piece = next(self._pieces, b"")
            self.ended = not piece
            parts.append(self._decode(piece[self._skip :], self.ended))
            wanted -= len(parts[-1])
            self._skip = max(0, self._skip - len(piece))
        self.window, self.at, self._counted = "".join(parts), 0, 0
        return len(parts) > 1 and any(parts[1:])

    def peek(self) -> str:
        """The next character that is not white space, and "" at the end."""
        while True:
            found = _SPACE.match(self.window, self.at)
            self.at = found.end() if found else self.at
            if self.at < len(self.window):
                return self.window[self.at]
            if not self.grow():
                return ""

    def take(self) -> str:
        """Takes the character that `peek` gives."""
        char = self.peek()
        self.at += len(char)
        return char

    def value(self) -> str:
        """Takes one whole JSON value and gives its text; raises ValueError with the text still untaken.

        A value is whole once something follows it that cannot belong to it.
        """
        self.peek()
        while True:
            try:
                end = self._end()
            except json.JSONDecodeError as error:
                if not self._may_be_cut(error):
                    raise
            else:
                if end < len(self.window) or self.ended:
                    text, self.at = self.window[self.at : end], end
                    return text
            if not self.grow() and self.ended:
                end = self._end()
                text, self.at = self.window[self.at : end], end
                return text

    def _end(self) -> int:
        try:
            return int(_scan(self.window, self.at)[1])
        except RecursionError:
            raise json.JSONDecodeError("nested too deeply", "", 0) from None
        except json.JSONDecodeError:
            raise
        except ValueError as error:  # an integer of more than 4,300 digits
            raise json.JSONDecodeError(str(error), self.window[self.at : self.at + 1], 0) from None

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        if self.ended or error.msg == "nested too deeply" or len(self.window) - self.at > ELEMENT_CHARS:
            return False
        return error.pos >= len(self.window) - _MARGIN or error.msg.startswith("Unterminated string")

    def here(self) -> int:
        """The line of the next character, from 1."""
        self._line += self.window.count("\n", self._counted, self.at)
        self._counted = self.at
        return self._line


def read_json(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """The records of the array at the top, at `json_path`, or the only array in the object at the top.

    Memory grows with the largest record, not with the file. A record that cannot be parsed is given as broken up to
    where the next one can be told by its first key; raises AssayError where no array is found or the file ends early.
    """
    text = Text(raw, options)
    origin = Origin(raw.name, text.notes)
    if text.peek() == "":
        return
    path = options.json_path.split(".") if options.json_path else []
    _enter(text, path)
    yield from _elements(text, origin, options)
    if text.take() != "]":
        raise AssayError(
            origin.place(text.here()), "the file ends within the array of records", "fetch it again: it is cut off"
        )
    if not path:
        _refuse_more(text, origin)


def _enter(text: Text, path: list[str]) -> None:
    """Goes to just behind the bracket that opens the array of records."""
    for key in path:
        if text.take() != "{":
            raise AssayError(text.name, f"there is no object to look for {key!r} in", "mend 'json_path'")
        _to_key(text, key)
    opening = text.take()
    if opening == "{" and not path:
        opening = _to_first_array(text)
    if opening != "[":
        raise AssayError(
            text.name, f"{'.'.join(path) or 'the top'} is not an array of records", "name one in 'json_path'"
        )


def _to_key(text: Text, wanted: str) -> None:
    seen: list[str] = []
    for key in _keys(text):
        if key == wanted:
            return
        seen.append(key)
        _skipped(text)
    raise AssayError(text.name, f"no key {wanted!r}", nearest(wanted, seen) if seen else "the object is empty")


def _to_first_array(text: Text) -> str:
    for _ in _keys(text):
        if text.peek() == "[":
            return text.take()
        _skipped(text)
    return ""


def _keys(text: Text) -> Iterator[str]:
    """The keys of the object that was just entered; whoever asks for the next has taken the value."""
    while text.peek() == '"':
        key = _skipped(text)
        if text.take() != ":":
            break
        yield str(json.loads(key))
        if text.peek() == ",":
            text.take()
    if text.take() != "}":
        raise AssayError(f"{text.name}:{text.here()}", "not a JSON object", "mend the file")


def _skipped(text: Text) -> str:
    try:
        return text.value()
    except ValueError as error:
        raise AssayError(
            f"{text.name}:{text.here()}", f"not JSON: {error}", "mend the file, or cut out its array of records"
        ) from None


def _refuse_more(text: Text, origin: Origin) -> None:
    """Another array beside the one that was read would go missing without a word."""
    while text.peek() == ",":
        text.take()
        key = _skipped(text)
        if text.take() != ":":
            break
        if text.peek() == "[":
            raise AssayError(text.name, f"more than one array of records (another is {key})", "name one in 'json_path'")
        _skipped(text)
    if text.peek() == "}":
        text.take()
    if text.peek():
        raise AssayError(origin.place(text.here()), f"{text.peek()!r} after the end of the records", "mend the file")


def _elements(text: Text, origin: Origin, options: ReadOptions) -> Iterator[Record | Broken]:
    beginnings: dict[str, None] = {}
    comma = True
    while text.peek() not in ("]", ""):
        line, beginning = text.here(), _beginning(text)
        try:
            element = text.value()
        except ValueError as error:
            lost = _resynchronised(text, [*beginnings, beginning])
            yield origin.broken(line, "unreadable_record", f"not JSON: {error}", lost)
        else:
            if len(beginnings) < KNOWN_BEGINNINGS:
                beginnings[beginning] = None
            yield _record(origin, line, element, options, () if comma else ("no comma before this record",))
        comma = text.peek() == ","
        text.at += comma


def _record(origin: Origin, line: int, element: str, options: ReadOptions, notes: tuple[str, ...]) -> Record | Broken:
    replace = options.invalid_bytes == "replace"
    if bad := _SURROGATES.search(element):
        evidence = f"bytes {clean(bad[0][:8])} at character {bad.start()} of the record"
        if not replace:
            return origin.broken(line, "invalid_encoding", evidence, element)
        element, notes = _SURROGATES.sub("\ufffd", element), (*notes, f"replaced by U+FFFD: {evidence}")
    try:
        value, more = parsed(element, replace=replace)
        return origin.record(line, as_fields(value, options.names), notes + more)
    except Unfit as unfit:
        return origin.broken(line, unfit.reason, unfit.evidence, element)


def _beginning(text: Text) -> str:
    """A pattern of the comma before a record that begins as this one: with the same first key, or also with a list."""
    if key := _FIRST_KEY.match(text.window, text.at):
        return rf",\s*(?=\{{\s*{re.escape(key[1])}\s*:)"
    return r"(?<=\])\s*,\s*(?=\[)" if text.peek() == "[" else ","


def _resynchronised(text: Text, beginnings: list[str]) -> str:
    """Takes the text up to the comma before the next record that begins as one before did, else to the last bracket."""
    known = [pattern for pattern in beginnings if pattern != ","] or [","]
    following = re.compile("|".join(dict.fromkeys(known)))
    while not (found := following.search(text.window, text.at)) and text.grow():
        if len(text.window) > LOST_CHARS:
            raise AssayError(
                f"{text.name}:{text.here()}", "a broken record after which no next one is found", "mend the file"
            )
    found = found or _LAST_BRACKET.search(text.window, text.at)
    end = found.start() if found else len(text.window)
    lost, text.at = text.window[text.at : end], end
    return lost
