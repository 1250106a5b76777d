"""The tables of the queue: a line for each part to look at, and the groups of lines that one decision settles."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import pyarrow as pa

QUEUE = pa.schema(
    [
        ("line", pa.string()),
        ("id", pa.string()),
        ("part", pa.string()),
        ("kind", pa.string()),
        ("verdict", pa.string()),
        ("score", pa.float64()),
        ("given", pa.string()),
        ("likely", pa.string()),
        ("why", pa.list_(pa.string())),
        ("surface", pa.string()),
        ("text", pa.string()),
        ("language", pa.string()),
        ("source", pa.string()),
        ("group", pa.string()),
    ]
)
"""A line for each part to look at, in the order in which looking is worth most.

`line` is `q` and ten hex digits of the row, the part and the kind, which is one of suspect, conflict, tied,
low_confidence, relabel, echo. `score` is the probability that the part is wrong. `surface` is the text of a part that
is a stretch of it, `text` what is read, `source` the name of the row's source, `group` one of `GROUPS`, or empty.
"""

GROUPS = pa.schema(
    [
        ("group", pa.string()),
        ("kind", pa.string()),
        ("says", pa.string()),
        ("rule", pa.string()),
        ("given", pa.string()),
        ("likely", pa.string()),
        ("lines", pa.int64()),
        ("rows", pa.int64()),
        ("expected", pa.float64()),
        ("doubtful", pa.int64()),
        ("touches", pa.int64()),
        ("minutes", pa.float64()),
        ("value", pa.float64()),
    ]
)
"""A group of lines that one decision settles, those of the highest value first.

`kind`: surface, spelling, confusion, phrase, source, alike, echo, conflict. `says` is the proposal in words, `rule` the
same as JSON (`pipeline.rules.Rule`), empty where it cannot be replayed on other rows. `expected` are the errors that
are expected in it, the sum of its scores; `doubtful` its lines with the verdict ambiguous; `touches` the parts in the
whole data set that the rule would change, listed or not; `minutes` what one decision takes, examples read; `value` how
many errors it is expected to settle in a minute, seeing that a mixed group settles only the examples that were read.
"""

SUSPECT, CONFLICT, TIED, LOW, RELABEL = "suspect", "conflict", "tied", "low_confidence", "relabel"
ECHO = "echo"
"""A part that reads and is answered as a suspect does, and is none: nobody is asked about it until one like it was
found wrong as proposed, for then `score` holds (`pipeline.reviewing.echoes`). Groups of such lines are of that kind."""
HELD = (CONFLICT, TIED, LOW)
"""Reasons for which the audit holds a row back until a person has looked."""


@dataclass(frozen=True)
class Queue:
    """What people are to look at: `lines` (columns `QUEUE`), `groups` (columns `GROUPS`), and what is told of both."""

    lines: pa.Table
    groups: pa.Table
    details: dict[str, Any] = field(default_factory=dict)


def named(letter: str, *about: str) -> str:
    """A short name made of what is named: a letter and ten hex digits.

    >>> named("q", "film/1", "", "suspect") == named("q", "film/1", "", "tied")
    False
    """
    hashed = blake2b(digest_size=5)
    for part in about:
        spelled = part.encode("utf-8", "surrogatepass")
        hashed.update(len(spelled).to_bytes(8, "little") + spelled)
    return letter + hashed.hexdigest()
