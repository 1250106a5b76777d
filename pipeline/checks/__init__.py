"""Checks: which finished rows people look at, what they found, and what that shows of all of them."""

from __future__ import annotations

from pipeline.checks.facts import facts
from pipeline.checks.listing import write_list
from pipeline.checks.plan import plan_of, read_from, settle
from pipeline.checks.reading import read_verdicts

__all__ = ["facts", "plan_of", "read_from", "read_verdicts", "settle", "write_list"]
