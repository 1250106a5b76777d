"""Marks: what an answer points at in its text, and what became of each mark from one version to the next."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipeline.tasks import Mark

if TYPE_CHECKING:
    from collections.abc import Sequence


What = Literal["added", "removed", "retyped", "moved"]
Place = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """What became of one mark; `before` or `after` is empty where there was, or is, none."""

    what: What
    before: str
    after: str
    text: str
    text_after: str = ""

    @property
    def told(self) -> str:
        """In words."""
        if self.what == "added":
            return f"+ {self.after} “{self.text}”"
        if self.what == "removed":
            return f"- {self.before} “{self.text}”"
        if self.what == "retyped":
            return f"{self.before} → {self.after} “{self.text}”"
        return f"{self.before} “{self.text}” → “{self.text_after}”"


def edits(before: Sequence[Mark], after: Sequence[Mark], *, same_text: bool) -> list[Edit]:
    """What became of the marks: first those that stay, then other labels at the same place, then other edges.

    Places are offsets where the text is the same, else the words covered and how often they were marked before.
    """
    gone, come = _placed(before, same_text), _placed(after, same_text)
    _drop_same(gone, come)
    found = [*_retyped(gone, come), *(_moved(gone, come) if same_text else ())]
    found += [Edit("removed", mark.label, "", mark.text) for mark, _ in gone]
    found += [Edit("added", "", mark.label, mark.text) for mark, _ in come]
    return found


_Placed = list[tuple[Mark, Place]]


def _placed(found: Sequence[Mark], same_text: bool) -> _Placed:
    if same_text:
        return [(mark, mark.at) for mark in found]
    seen: Counter[tuple[str, str]] = Counter()
    placed: _Placed = []
    for mark in sorted(found, key=lambda mark: (mark.at, mark.label)):
        placed.append((mark, (mark.text, seen[mark.label, mark.text])))
        seen[mark.label, mark.text] += 1
    return placed


def _drop_same(gone: _Placed, come: _Placed) -> None:
    """Take those out that are in both, each as often as it is in both."""
    left = Counter((mark.label, place) for mark, place in come) & Counter((mark.label, place) for mark, place in gone)
    for side in (gone, come):
        room = Counter(left)
        kept = []
        for mark, place in side:
            if room[mark.label, place]:
                room[mark.label, place] -= 1
            else:
                kept.append((mark, place))
        side[:] = kept


def _retyped(gone: _Placed, come: _Placed) -> list[Edit]:
    found = []
    for old in list(gone):
        new = next((one for one in come if one[1] == old[1]), None)
        if new is not None:
            gone.remove(old)
            come.remove(new)
            found.append(Edit("retyped", old[0].label, new[0].label, old[0].text))
    return found


def _moved(gone: _Placed, come: _Placed) -> list[Edit]:
    found = []
    for old in list(gone):
        new = next((one for one in come if one[0].label == old[0].label and _touch(one[1], old[1])), None)
        if new is not None:
            gone.remove(old)
            come.remove(new)
            found.append(Edit("moved", old[0].label, new[0].label, old[0].text, new[0].text))
    return found


def _touch(one: Place, other: Place) -> bool:
    """Whether two places have a character in common, stretch by stretch."""
    stretches = [(one[at], one[at + 1], other[at], other[at + 1]) for at in range(0, min(len(one), len(other)), 2)]
    return all(left < right_end and right < left_end for left, left_end, right, right_end in stretches)
