"""A frame: a flat table of what gates look at, with why values are missing and what was seen."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

SPLITS = ("train", "validation", "test")


@dataclass
class Frame:
    """A flat table with an `id` column.

    Attributes:
        why: column to the reason that (some of) its values are missing.
        evidence: column to what was seen, by id.
        broken: why the frame could not be computed at all; empty if it was.
    """

    table: pd.DataFrame
    why: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, dict[str, str]] = field(default_factory=dict)
    broken: str = ""
