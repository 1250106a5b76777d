"""What a row of a task is: its Arrow columns and named rules, read from schemas/."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.errors import AssayError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas"

ANNOTATIONS = pa.schema(
    [
        pa.field("row", pa.string(), nullable=False),
        pa.field("annotator", pa.string()),
        pa.field("answer", pa.string()),
        pa.field("given", pa.string()),
        pa.field("time", pa.string()),
        pa.field("batch", pa.string()),
        pa.field("guideline", pa.string()),
        pa.field("problem", pa.string()),
    ]
)
"""One line per answer of one annotator to one row; `answer` is the task's answer as canonical JSON.

Where the answer cannot be read it is null, and `problem` says the rule it breaks and what was seen.
"""

REJECTED = pa.schema([pa.field(name, pa.string()) for name in ("id", "source", "stage", "reason", "evidence", "row")])
"""One line per record that went no further: where it stands, the rule it broke, what was seen, and the whole record."""


@dataclass(frozen=True)
class Rule:
    """A named rule, the stage that holds rows to it, and what it says."""

    name: str
    stage: str
    says: str


@dataclass(frozen=True)
class Contract:
    """The Arrow schema of a task's rows, the rules they keep, and what each column means."""

    task: str
    schema: pa.Schema
    rules: Mapping[str, Rule]
    meanings: Mapping[str, str]
    own: tuple[str, ...] = ()
    """The columns of the task itself: all that it looks at."""
    answers: tuple[str, ...] = ()
    """Those of them that change with the answer."""
    category: str = ""
    """What the hub calls that which can be done with the rows."""


@cache
def contract(task: str) -> Contract:
    """The contract of `task`: the spine's columns, then the task's own.

    Raises:
        AssayError: there is no schemas/<task>.toml; the known tasks are named.
    """
    path = SCHEMAS / f"{task}.toml"
    known = sorted(found.stem for found in SCHEMAS.glob("*.toml") if found.stem not in {"spine", "gates"})
    if task not in known:
        raise AssayError("task", f"no task '{task}'", nearest(task, known))
    parts = [tomllib.loads(part.read_text(encoding="utf-8")) for part in (SCHEMAS / "spine.toml", path)]
    columns = [column for part in parts for column in part["column"]]
    return Contract(
        task=task,
        schema=pa.schema([_field(column) for column in columns]),
        rules={name: Rule(name=name, **rule) for part in parts for name, rule in part["rule"].items()},
        meanings={column["name"]: column["says"] for column in columns},
        own=tuple(column["name"] for column in parts[1]["column"]),
        answers=tuple(column["name"] for column in parts[1]["column"] if column.get("answer")),
        category=parts[1]["hub_category"],
    )


def _field(column: dict[str, Any]) -> pa.Field:
    spelling = column["type"]
    return pa.field(column["name"], arrow_type(spelling.removesuffix("?")), nullable=spelling.endswith("?"))


def arrow_type(spelling: str) -> pa.DataType:
    """The Arrow type that `spelling` names: a primitive, `list<T>` or `struct<name:T,...>`.

    >>> arrow_type("list<struct<start:int32,text:string>>")
    ListType(list<item: struct<start: int32, text: string>>)
    """
    if inner := re.fullmatch(r"list<(.+)>", spelling):
        return pa.list_(arrow_type(inner[1]))
    if inner := re.fullmatch(r"struct<(.+)>", spelling):
        members = (member.split(":", 1) for member in inner[1].split(","))
        return pa.struct([(name, arrow_type(kind)) for name, kind in members])
    return pa.type_for_alias(spelling)
