"""Changing: what became of each label from one guideline to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.rules import finder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.settings import Guideline, Label


GONE = "there is no such label any more"


@dataclass(frozen=True)
class Change:
    """What became of a label: gone, renamed, redefined, added or bordering; `says` is what is different, in words.

    Bordering is one that is as it was, but that another names which is new, or that now names it where it did not, or
    no longer does: where one ends and the other begins may have moved.
    """

    label: str
    what: str
    says: str


def changes(before: Guideline, after: Guideline) -> list[Change]:
    """What became of the labels from one guideline to another, in the order of the old and then of the new one."""
    old, new = ({label.name: label for label in guideline.label} for guideline in (before, after))
    spelled = {alias: label.name for label in after.label for alias in label.aliases}
    found = []
    for name, label in old.items():
        if name in new:
            if said := _difference(label, new[name]):
                found.append(Change(name, "redefined", said))
        elif name in spelled:
            found.append(Change(name, "renamed", f"is called {spelled[name]} now"))
        else:
            found.append(Change(name, "gone", GONE))
    renamed = {spelled[name] for name in old if name in spelled and name not in new}
    found += [
        Change(name, "added", label.definition or "new") for name, label in new.items() if name not in {*old, *renamed}
    ]
    return [*found, *_bordering(found, old, new)]


def _bordering(found: Sequence[Change], old: Mapping[str, Label], new: Mapping[str, Label]) -> Iterator[Change]:
    """The labels that did not change, but that one which did tells itself apart from."""
    moved = {change.label for change in found}
    for change in found:
        if change.what not in ("redefined", "added"):
            continue
        before = _words(old[change.label]) if change.label in old else ""
        after = _words(new[change.label])
        for name, label in new.items():
            names = finder((name, *label.aliases))
            if name not in moved and names.holds(before) != names.holds(after):
                moved.add(name)
                yield Change(name, "bordering", f"is told apart from {change.label}, which {_HOW[change.what]}")


_HOW = {"redefined": "means something else now", "added": "is new"}


def _words(label: Label) -> str:
    """What a label says of itself, where it may name others."""
    return "\n".join((label.definition, *label.counter_examples))


def _difference(old: Label, new: Label) -> str:
    """What two definitions of a label differ in, in words; empty where they mean the same."""
    fields = ("definition", "examples", "counter_examples", "scale", "head", "tail")
    differing = [name for name in fields if getattr(old, name) != getattr(new, name)]
    both = ((name.replace("_", "-"), _told(getattr(old, name)), _told(getattr(new, name))) for name in differing)
    return "; ".join(f"{name}: {was} became {now}" for name, was, now in both)


def _told(value: Any) -> str:
    return "nothing" if not value else f"“{value}”" if isinstance(value, str) else ", ".join(map(str, value))
