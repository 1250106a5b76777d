"""What a push or a pull did: files sent, copied on the far side, skipped; and who is told of its progress."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

SENT, COPIED, SKIPPED = "sent", "copied there", "there already"
Tick = Callable[[int], None]
"""Called with the number of bytes that are done."""


@dataclass
class Transfer:
    """One version on its way.

    `files` and `bytes` count by what was done: `sent` (or fetched), `copied there` (by the store itself, from another
    version), `there already`.
    """

    name: str
    version: str
    place: str
    """The far side, without secrets."""
    latest: bool = False
    """Whether `latest.json` names this version now."""
    fresh: bool = True
    """Whether anything was done at all."""
    files: dict[str, int] = field(default_factory=lambda: dict.fromkeys((SENT, COPIED, SKIPPED), 0))
    bytes: dict[str, int] = field(default_factory=lambda: dict.fromkeys((SENT, COPIED, SKIPPED), 0))

    def count(self, how: str, size: int) -> None:
        """Take in one file."""
        self.files[how] += 1
        self.bytes[how] += size
