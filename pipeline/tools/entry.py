"""What tools have in common when they are read: records of any JSON file, entries, checked offsets, a text at once."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pipeline.errors import Unfit
from pipeline.readers.json import Text, read_json
from pipeline.readers.jsonl import read_jsonl
from pipeline.readers.lines import lines
from pipeline.readers.record import Broken, Origin, Record, broken
from pipeline.readers.values import as_fields, parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pipeline.fetch import RawFile
    from pipeline.readers.record import ReadOptions

Entry = dict[str, Any]
"""One person's word on a text: annotator, time, seconds, an answer or a status, and the problem it has, if any."""

SENT_IN = "sent_in"
"""The field of a record that names the round in which its text went out, where the tool carries it."""
_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def entry(annotator: Any = None, *, time: Any = None, seconds: float | None = None, **said: Any) -> Entry:
    """An entry with what was said, which is left out where it is None."""
    who = None if annotator in (None, "") else str(annotator)
    time = time if isinstance(time, str) else None
    told = {name: value for name, value in said.items() if value is not None}
    return {"annotator": who, "time": time, "seconds": seconds, **told}


def line(value: Any) -> str:
    """A JSON line in ASCII, which no tool can take for another encoding than it has."""
    return json.dumps(value, ensure_ascii=True) + "\n"


# -- offsets


def units(text: str, offset: int) -> int:
    """An offset in code points, counted in the UTF-16 units of browsers.

    >>> units("😀 ok", 2)
    3
    """
    return offset + len(_ASTRAL.findall(text, 0, offset))


def points(text: str, offset: int) -> int | None:
    """An offset in UTF-16 units, counted in code points; None inside a character and outside the text.

    >>> points("😀 ok", 3), points("😀 ok", 1), points("😀 ok", 9)
    (2, None, None)
    """
    if not _ASTRAL.search(text):
        return offset if 0 <= offset <= len(text) else None
    before = text.encode("utf-16-le", "surrogatepass")[: max(0, 2 * offset)]
    found = len(before.decode("utf-16-le", "ignore"))
    return found if units(text, found) == offset else None


def has_astral(text: str) -> bool:
    """Whether code points and UTF-16 units are not the same in this text."""
    return _ASTRAL.search(text) is not None


def checked_spans(text: str, given: Any, *, utf16: bool = False) -> tuple[list[dict[str, Any]], str]:
    """The spans that fit the text, as start, end and label, and what is wrong with the others, "" if nothing.

    Each is a triple or an object with `start`, `end` and `label` (or `start_offset`, `end_offset`), and `text` or
    `surface` where the tool says what stands there.
    """
    if not isinstance(given, list):
        return [], f"spans are a list, not {given!r:.60}"
    kept, problems = [], []
    for one in given:
        span, problem = _checked(text, one, utf16)
        problems += [problem] if problem else []
        kept += [span] if span else []
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return kept, problems[0] + more if problems else ""


def _checked(text: str, one: Any, utf16: bool) -> tuple[dict[str, Any] | None, str]:
    start, end, label, surface = _parts(one)
    if not (_is_offset(start) and _is_offset(end) and isinstance(label, str) and label):
        return None, f"no span: {one!r:.80}"
    first, last = (points(text, start), points(text, end)) if utf16 else (start, end)
    if first is None or last is None or not 0 <= first < last <= len(text):
        counted = " in UTF-16 units" if utf16 and has_astral(text) else ""
        return None, f"[{start}, {end}) is no stretch of {len(text)} characters{counted}"
    if isinstance(surface, str) and text[first:last] != surface:
        return None, f"[{start}, {end}) reads {text[first:last]!r:.40}, not {surface!r:.40}"
    return {"start": first, "end": last, "label": label}, ""


def _parts(one: Any) -> tuple[Any, Any, Any, Any]:
    if isinstance(one, list | tuple) and len(one) == 3:
        return one[0], one[1], one[2], None
    if not isinstance(one, dict):
        return None, None, None, None
    ends = one.get("start", one.get("start_offset")), one.get("end", one.get("end_offset"))
    return *ends, one.get("label"), one.get("text", one.get("surface"))


def _is_offset(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def overlap(spans: Iterable[Any]) -> bool:
    """Whether two of the spans share a character: [start, end, ...] each."""
    ends = sorted((one[0], one[1]) for one in spans)
    return any(start < before for (_, before), (start, _) in pairwise(ends))


# -- records


def json_records(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """The objects of JSON Lines, of a JSON array (or the one array of an object), or one after another."""
    first = next((one.text.strip() for one in lines(raw, options)[1] if one.text.strip()), "")
    if options.json_path or first.startswith("[") or (first.startswith("{") and _holds_array(raw, options)):
        return read_json(raw, options)
    if not first.startswith("{") or first.endswith("}"):
        return read_jsonl(raw, options)
    return _one_by_one(raw, options)


def _holds_array(raw: RawFile, options: ReadOptions) -> bool:
    """Whether the file begins with an object whose first key holds a list of objects, as answers of servers do."""
    text = Text(raw, options)
    text.peek()
    return re.match(r'\{\s*"(items|data|records|results)"\s*:\s*\[', text.window[text.at :][:200]) is not None


def _one_by_one(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """Objects that go over several lines; after one that is none, nobody knows where the next begins."""
    text = Text(raw, options)
    origin = Origin(raw.name, text.notes)
    while text.peek():
        at = text.here()
        try:
            element = text.value()
            value, notes = parsed(element, replace=options.invalid_bytes == "replace")
            yield origin.record(at, as_fields(value, options.names), notes)
        except Unfit as unfit:
            yield origin.broken(at, unfit.reason, unfit.evidence, element)
        except ValueError as error:
            while text.grow():
                pass
            yield origin.broken(at, "unreadable_record", f"not JSON: {error}", text.window[text.at :])
            return


def shaped(
    records: Iterable[Record | Broken], shape: Callable[[Mapping[str, Any]], tuple[dict[str, Any], tuple[str, ...]]]
) -> Iterator[Record | Broken]:
    """The records, each with the fields and notes that `shape` makes of its own, or broken where it raises Unfit."""
    for record in records:
        if isinstance(record, Broken):
            yield record
            continue
        try:
            fields, notes = shape(record.fields)
        except Unfit as unfit:
            raw = json.dumps(record.fields, ensure_ascii=False, default=str)
            yield broken(record.place, unfit.reason, unfit.evidence, raw)
        else:
            yield Record(record.place, fields, (*record.notes, *notes))


def text_of(fields: Mapping[str, Any], name: str = "text") -> str:
    """The text of a record; raises Unfit where there is none."""
    value = fields.get(name)
    if name not in fields:
        raise Unfit("wrong_columns", f"no '{name}' among {', '.join(list(map(str, fields))[:12])}")
    if not isinstance(value, str) or not value.strip():
        seen = "no text" if value is None or isinstance(value, str) else f"{type(value).__name__}, not text"
        raise Unfit("wrong_columns", f"'{name}': {seen}")
    return value


def objects(value: Any, name: str) -> list[dict[str, Any]]:
    """A list of objects, which may be left out; raises Unfit where it is something else."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise Unfit("unreadable_record", f"'{name}' is no list of objects: {value!r:.80}")
    return value


def name_of(value: Any) -> str | None:
    """A text or a number as a name; None where it is nothing, or something else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value) or None


def grouped(again: Callable[[], Iterator[Record | Broken]]) -> Iterator[Record | Broken]:
    """One record for each text: records of the same id, text and round are joined, their entries as the file has them.

    `again` gives the records from the start, and is asked twice: a text is held only from its first record to its
    last. Broken records stand where they stood.
    """
    last: dict[tuple[str, str, str], int] = {}
    counts: Counter[tuple[str, str, str]] = Counter()
    for at, record in enumerate(again()):
        if isinstance(record, Record):
            last[_key(record)] = at
            counts[_key(record)] += 1
    held: dict[tuple[str, str, str], Record] = {}
    for at, record in enumerate(again()):
        if isinstance(record, Broken):
            yield record
            continue
        key = _key(record)
        held[key] = _joined(held[key], record) if key in held else record
        if last[key] == at:
            whole = held.pop(key)
            joined = (f"{counts[key]} records of this text are joined",) if counts[key] > 1 else ()
            yield replace(whole, notes=(*whole.notes, *joined))


def _key(record: Record) -> tuple[str, str, str]:
    return str(record.fields.get("id", "")), record.fields["text"], str(record.fields.get(SENT_IN, ""))


def _joined(one: Record, other: Record) -> Record:
    one.fields["annotations"].extend(other.fields["annotations"])
    new = tuple(note for note in other.notes if note not in one.notes)
    return replace(one, notes=(*one.notes, *new)) if new else one


def beside(fields: dict[str, Any], meta: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a record with what else the tool knows of the text beside them, where no field has that name."""
    return {**{str(name): value for name, value in meta.items() if value not in (None, "")}, **fields}
