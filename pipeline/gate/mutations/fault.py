"""Faults: what a mutation is, and the list of them that the kinds of faults fill."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.gate.sample import Case
    from pipeline.tasks import Row


@dataclass(frozen=True)
class Mutation:
    """A fault: the gate that must see it, the task of the build it is made in, and what it does."""

    gate: str
    task: str
    says: str
    break_: Callable[[Case], None]


MUTATIONS: dict[str, Mutation] = {}
FURTHER: list[Mutation] = []
"""More faults for gates that look at several things."""


def mutation(gate: str, task: str = "classification") -> Callable[[Callable[[Case], None]], Callable[[Case], None]]:
    """Makes a function that breaks a good build of `task` the fault that `gate` must see."""

    def keep(break_: Callable[[Case], None]) -> Callable[[Case], None]:
        MUTATIONS[gate] = Mutation(gate=gate, task=task, says=(break_.__doc__ or "").rstrip("."), break_=break_)
        return break_

    return keep


def further(gate: str, task: str = "classification") -> Callable[[Callable[[Case], None]], Callable[[Case], None]]:
    """The same for one more fault of a gate."""

    def keep(break_: Callable[[Case], None]) -> Callable[[Case], None]:
        FURTHER.append(Mutation(gate=gate, task=task, says=(break_.__doc__ or "").rstrip("."), break_=break_))
        return break_

    return keep


def first(case: Case, split: str = "train") -> Row:
    """The first row of a side."""
    return case.rows[split][0]


def copied(case: Case, **changed: Any) -> Row:
    """A copy of the first row of train under an id and group of its own, added to train."""
    row = copy.deepcopy(first(case)) | {"id": "made/copy", "group": "a copy"} | changed
    case.rows["train"].append(row)
    return row
