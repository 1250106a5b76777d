"""Taken: one answer that came back from a tool, and what came of all of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.exchange.lines import WITHOUT_ANSWER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.exchange.returning import Key, Standing
    from pipeline.exchange.tracing import Trace
    from pipeline.readers.record import Record
    from pipeline.tasks import Row


@dataclass
class Taken:
    """What came of reading back rounds.

    `acts` counts answers by what they came to: fine, wrong, ambiguous, drop; `known` were taken in before, `superseded`
    were answered again by the same person, `skipped` were left without an answer there. `problems` are (place, why) of
    everything else: nothing is passed over without a word.
    """

    acts: Counter[str] = field(default_factory=Counter)
    people: Counter[str] = field(default_factory=Counter)
    belongs: Counter[str] = field(default_factory=Counter)
    """Answers by the round that they belong to, empty where no round asked of their row."""
    known: int = 0
    as_proposed: int = 0
    """Answers that are what went out with their rows."""
    superseded: int = 0
    skipped: int = 0
    lines: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)
    rounds: list[Standing] = field(default_factory=list)
    """How every round stands after it."""


@dataclass(frozen=True)
class Heard:
    """One answer of one person, with the record that it stands in, its row, if there is one, and its round."""

    record: Record
    said: Mapping[str, Any]
    row: Row | None
    trace: Trace

    @property
    def id(self) -> str:
        """The row as the record names it."""
        return str(self.record.fields.get("id"))

    @property
    def text(self) -> str:
        """The text as the tool shows it."""
        return str(self.record.fields.get("text", ""))

    @property
    def who(self) -> str:
        """The person."""
        return str(self.said["annotator"])

    @property
    def part(self) -> str:
        """The part that was answered, empty for the whole row."""
        return str(self.said.get("part") or "")

    @property
    def time(self) -> str | None:
        """When it was answered, where the tool tells."""
        return str(self.said["time"]) if self.said.get("time") else None

    @property
    def is_whole(self) -> bool:
        """Whether it is an answer to the whole row."""
        return not self.part and self.said.get("verdict") not in WITHOUT_ANSWER

    @property
    def key(self) -> Key:
        """What it comes back as."""
        return self.trace.round, self.id, self.who, self.part
