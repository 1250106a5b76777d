"""What files call a text, its tokens, spans and tags, and in which units they count."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pipeline.errors import Unfit
from pipeline.tagscheme import detect_scheme
from pipeline.tasks import align, spans
from pipeline.text import nfc

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.tasks import Row

STARTS, ENDS = ("start", "start_offset", "begin"), ("end", "end_offset")
LABELS, SURFACES = ("label", "labels", "type", "entity", "tag"), ("text", "surface", "word")


def text_in(fields: Mapping[str, Any], columns: Mapping[str, str]) -> str | None:
    """The text of the record as it came; None where it is born as tokens."""
    name = columns.get("text", "text")
    given = fields.get(name)
    if given is None and ("text" in columns or fields.get(columns.get("tokens", "tokens")) is None):
        raise Unfit("missing_field", f"no field '{name}' among {', '.join(map(str, fields))}")
    if given is not None and not isinstance(given, str):
        raise Unfit("wrong_type", f"the field '{name}' is no text but {given!r:.80}")
    return given


def tokens_in(fields: Mapping[str, Any], columns: Mapping[str, str]) -> list[str] | None:
    """The tokens of the record; None where it has none."""
    given = fields.get(columns.get("tokens", "tokens"))
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(token, str) for token in given):
        raise Unfit("wrong_type", f"tokens are a list of texts, not {given!r:.80}")
    return given


def tagged(fields: Mapping[str, Any], row: Row, words: list[spans.Edges]) -> tuple[list[spans.Edges], str | None]:
    """Where the tokens that an annotator tagged stand in the row's text, even if they are not those of the row.

    With it None where they are the text's characters, else in words what of them stands nowhere, which may be nothing.
    `words` are the tokens or words of the row.
    """
    tokens = tokens_in(fields, {})
    if tokens is None:
        if row["tokens"] is None:
            raise Unfit("wrong_type", "tags were given, but neither the row nor the annotation has tokens")
        return words, None
    text, edges = spans.laid(tokens)
    if text == row["text"]:
        return edges, None
    with suppress(Unfit):
        return spans.found(tokens, row["text"]), None
    return align.aligned([nfc(token) for token in tokens], row["text"], words)


def scheme(given: list[str], fields: Mapping[str, Any]) -> str:
    """The scheme that the reader found over the whole file, else the one these tags are legal in."""
    schemes, columns = fields.get("schemes"), fields.get("tags")
    if isinstance(schemes, dict) and isinstance(columns, dict):
        known = [schemes[name] for name, tags in columns.items() if tags == given and name in schemes]
        if known:
            return str(known[0])
    return detect_scheme([given])


def raw_text(fields: Mapping[str, Any], text: str) -> str:
    """The record's own spelling of the row's text, which offsets were counted in; else the row's."""
    spellings = (value for value in fields.values() if isinstance(value, str) and value != text and nfc(value) == text)
    return next(spellings, text)


def parsed(given: Any) -> list[Any]:
    """The list that was given, perhaps as JSON text."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError as error:
            raise Unfit("wrong_type", f"neither spans nor tags: {given!r:.80}") from error
    if not isinstance(given, list):
        raise Unfit("wrong_type", f"neither spans nor tags: {given!r:.80}")
    return given


def parts(given: Any) -> tuple[Any, Any, Any, Any]:
    """Start, end, label and surface (or None) of a span in any of its spellings."""
    if isinstance(given, list | tuple) and len(given) in (3, 4):
        return given[0], given[1], given[2], given[3] if len(given) == 4 else None
    if not isinstance(given, dict):
        raise Unfit("wrong_type", f"a span is [start, end, label] or an object, not {given!r:.80}")
    start, end, label, surface = (
        next((given[name] for name in names if given.get(name) is not None), None)
        for names in (STARTS, ENDS, LABELS, SURFACES)
    )
    if isinstance(label, list) and len(label) == 1:
        label = label[0]
    return start, end, label, surface


def utf16_hint(raw: str, start: int, end: int, surface: Any) -> str:
    """What to say where offsets are right once counted in UTF-16 units, as JavaScript, Java and C# do."""
    if not isinstance(surface, str) or raw.isascii() or max(raw) <= "\uffff" or not 0 <= start < end:
        return ""
    units = raw.encode("utf-16-le", "surrogatepass")
    before, inside = units[: 2 * start], units[2 * start : 2 * end]
    if inside.decode("utf-16-le", "replace") != surface:
        return ""
    first = len(before.decode("utf-16-le", "replace"))
    return f"; the offsets count UTF-16 units: in characters it is [{first}, {first + len(surface)})"
