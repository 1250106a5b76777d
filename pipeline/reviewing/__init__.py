"""Reviewing: what people are to look at, in the order in which it is worth most, and what they have said of it."""

from __future__ import annotations

from pipeline.reviewing.opening import Open, open_lines
from pipeline.reviewing.queue import queue
from pipeline.reviewing.tables import GROUPS, QUEUE, Queue

__all__ = ["GROUPS", "QUEUE", "Open", "Queue", "open_lines", "queue"]
