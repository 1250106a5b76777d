"""What goes out to people, whatever tool they use: a project with its labels, and items with the best answer so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from pipeline.settings import Label

Kind = Literal["labels", "spans", "relations", "rating", "text"]
"""What is asked: labels of a text, marked spans, relations between marked spans, a number, a written answer."""


@dataclass(frozen=True, slots=True)
class Project:
    """What every item of one round has in common.

    `labels` are those of the guideline, with their definitions (of relations: the kinds of relation, where
    `entity_labels` are the kinds of their ends). `multiple` says whether several labels may be given; `low` and `high`
    bound a rating where the guideline does.
    """

    name: str
    kind: Kind
    labels: tuple[Label, ...] = ()
    entity_labels: tuple[str, ...] = ()
    title: str = ""
    multiple: bool = False
    low: float | None = None
    high: float | None = None
    guideline: str = "1"
    instructions: str = ""
    round: str = ""
    """The name of the sending, which travels with every item where the tool carries what it does not show."""


@dataclass(frozen=True, slots=True)
class Item:
    """One text that a person is asked about; offsets are half-open and count code points of `text`.

    `answer` is the best answer so far, None where the person is to judge without one: a list of labels; spans as
    [start, end, label]; relations as [head, tail, label], positions in `entities`; a number; a text. `confidence` is
    how probably it is right. `reasons` say why the item is looked at, `about` holds more that may be shown with it.
    """

    row: str
    text: str
    answer: Any = None
    confidence: float | None = None
    entities: tuple[tuple[int, int, str], ...] = ()
    reasons: tuple[str, ...] = ()
    about: Mapping[str, str] = field(default_factory=dict)
