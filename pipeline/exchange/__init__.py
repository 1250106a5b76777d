"""Exchange: the queue goes out to the tools that people use, and what they decided there comes back."""

from __future__ import annotations

from pipeline.exchange.returning import Standing, close, standings
from pipeline.exchange.rounds import CONFLICTS, Asked, Round
from pipeline.exchange.sending import WHATS, Sent, send, sent_to_server
from pipeline.exchange.taking import Taken, fetched, take

__all__ = [
    "CONFLICTS",
    "WHATS",
    "Asked",
    "Round",
    "Sent",
    "Standing",
    "Taken",
    "close",
    "fetched",
    "send",
    "sent_to_server",
    "standings",
    "take",
]
