"""JSON values to fields: what a record may be, and what is refused or mended in it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pipeline.errors import Unfit

if TYPE_CHECKING:
    from collections.abc import Sequence

_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parsed(text: str, *, replace: bool) -> tuple[Any, tuple[str, ...]]:
    """The value of a JSON text and notes of what was mended; raises Unfit.

    NaN and infinities, which JSON does not have, become null and are noted; a key given twice and half a surrogate
    pair are refused.
    """
    constants: list[str] = []
    try:
        try:
            value = _STRICT.decode(text)
        except _NotJson:
            value = json.JSONDecoder(parse_constant=constants.append, object_pairs_hook=_object).decode(text)
    except RecursionError:
        raise Unfit("unreadable_record", "nested too deeply") from None
    except ValueError as error:
        raise Unfit("unreadable_record", f"not JSON: {error}") from None
    notes = [f"{name} read as null" for name in constants]
    if _ESCAPED_SURROGATE.search(text):
        value = _whole(value, replace, notes)
    return value, tuple(notes)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} is given twice")
    return made


def _whole(value: Any, replace: bool, notes: list[str]) -> Any:
    try:
        text = json.dumps(value, ensure_ascii=False)
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        half = f"U+{ord(error.object[error.start]):04X}, half of a surrogate pair"
        if not replace:
            raise Unfit("invalid_encoding", half) from None
        notes.append(f"replaced by U+FFFD: {half}")
        return json.loads(re.sub("[\ud800-\udfff]", "\ufffd", text))
    except RecursionError:
        raise Unfit("unreadable_record", "nested too deeply") from None
    return value


def as_fields(value: Any, names: Sequence[str] | None) -> dict[str, Any]:
    """The fields of a record: an object as it is, a list or single value by the names; raises Unfit.

    >>> as_fields(["hi", "greet"], ("text", "label"))
    {'text': 'hi', 'label': 'greet'}
    """
    if isinstance(value, dict):
        return value
    values = value if isinstance(value, list) else [value]
    if names is None:
        kind = "a list" if isinstance(value, list) else "a single value"
        raise Unfit("wrong_columns", f"{kind} and not an object: name its columns in 'names'")
    if len(values) != len(names):
        raise Unfit(
            "wrong_columns", f"{len(values)} values where there are {len(names)} names ({', '.join(names[:8])})"
        )
    return dict(zip(names, values, strict=True))


class _NotJson(Exception):
    """NaN or an infinity was met."""


def _refuse(constant: str) -> None:
    raise _NotJson(constant)


_STRICT = json.JSONDecoder(
    parse_constant=_refuse, object_pairs_hook=_object
)  # made once: making it costs a record's time
