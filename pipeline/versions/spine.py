"""Which columns are the spine that every row has, and which are a task's own."""

from __future__ import annotations

import tomllib
from functools import cache

from pipeline.contract import SCHEMAS, contract


@cache
def spine() -> tuple[str, ...]:
    """The columns of the spine, in order."""
    told = tomllib.loads((SCHEMAS / "spine.toml").read_text(encoding="utf-8"))
    return tuple(column["name"] for column in told["column"])


@cache
def own(task: str) -> tuple[str, ...]:
    """The columns that only the rows of `task` have.

    >>> own("tagging")
    ('text', 'spans', 'tokens')
    """
    return tuple(name for name in contract(task).schema.names if name not in spine())
