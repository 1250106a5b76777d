"""Leaves: every string that stands in a table or in JSON, however deep, with the column it stands in."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON_DEPTH = 4
"""JSON may hold JSON as text (a rejected record holds its annotations): so many times it is looked into."""


def of_batch(batch: pa.RecordBatch) -> Iterator[tuple[str, pa.Array]]:
    """(column, strings without nulls) for every string in a batch; JSON in strings is looked into as well."""
    for column in batch.schema.names:
        for array in _strings(batch[column]):
            yield column, array
            if inner := list(_unescaped(array)):
                yield column, pa.array(inner, pa.string())


def _strings(array: pa.Array) -> Iterator[pa.Array]:
    kind = array.type
    if pa.types.is_dictionary(kind):
        yield from _strings(array.dictionary)
    elif pa.types.is_struct(kind):
        for member in array.flatten():
            yield from _strings(member)
    elif pa.types.is_map(kind):
        yield from _strings(array.keys)
        yield from _strings(array.items)
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        yield from _strings(array.flatten())
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        yield array.drop_null().cast(pa.string())
    elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        values = (value for value in array.drop_null().to_pylist() if value)
        yield pa.array([value.decode("utf-8", "replace") for value in values], pa.string())


def _unescaped(array: pa.Array) -> Iterator[str]:
    """What stands in those strings that are JSON and escape some of it."""
    for text in array.filter(pc.match_substring(array, "\\")).to_pylist():
        with suppress(ValueError, RecursionError):
            yield from (leaf for _, leaf in of_json(json.loads(text)) if leaf != text)


def of_json(value: Any, key: str = "", depth: int = JSON_DEPTH) -> Iterator[tuple[str, str]]:
    """(key, string) for every string in a parsed JSON document, keys too."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield "", str(name)
            yield from of_json(member, str(name), depth)
    elif isinstance(value, list):
        for member in value:
            yield from of_json(member, key, depth)
    elif isinstance(value, str):
        yield key, value
        if depth and value[:1] in ("{", "[", '"') and "\\" in value:
            with suppress(ValueError, RecursionError):
                yield from of_json(json.loads(value), key, depth - 1)
