"""Heard: which echoes people are asked about by now, since one like them was found wrong as proposed."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.reviewing.echoes import MARKED, MISSED, WEIGHT, read_at
from pipeline.reviewing.tables import ECHO, SUSPECT
from pipeline.rules import folded
from pipeline.tasks.parts import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa
    from numpy.typing import NDArray

    from pipeline.reviewing.echoes import Alike


class Echoing:
    """The echoes among the lines of a queue (`QUEUE`), by what is given and what they read.

    Attributes:
        is_echo: which lines are echoes: bool[lines].
    """

    def __init__(self, lines: pa.Table) -> None:
        self._lines = lines
        self.is_echo: NDArray[np.bool_] = np.array([kind == ECHO for kind in lines["kind"].to_pylist()], dtype=bool)
        at = np.flatnonzero(self.is_echo)
        given, likely, surface = (lines[name].take(at).to_pylist() for name in ("given", "likely", "surface"))
        self._like: dict[Alike, list[tuple[int, str]]] = defaultdict(list)
        for place, *about in zip(at.tolist(), given, likely, surface, strict=True):
            self._like[about[0], folded(about[2])].append((place, about[1]))

    def opened(self, decided: Iterable[Any]) -> dict[int, float]:
        """By position of every echo that is open after these decisions, how probably it is wrong."""
        told = self._told(decided) if self._like else {}
        found = {}
        for (given, surface), said in told.items():
            usual = MISSED if given == NOTHING else MARKED
            for at, likely in self._like[given, surface]:
                if wrong := said[likely]:
                    believed = WEIGHT + wrong - 1
                    found[at] = (usual * WEIGHT + wrong - 1) / (believed + said.total() - wrong)
        return found

    def _told(self, decided: Iterable[Any]) -> dict[Alike, Counter[str]]:
        """By what echoes are like, how often which answer was given; an empty one where it was fine."""
        told: dict[Alike, Counter[str]] = defaultdict(Counter)
        silent = []
        for one in decided:
            if isinstance(one.was, str) and ":" in one.part:
                if surface := read_at(one):
                    self._hear(told, one, surface)
                else:
                    silent.append(one)
        known = self._surfaces() if silent else {}
        for one in silent:
            self._hear(told, one, known.get((one.row, one.part), ""))
        return told

    def _hear(self, told: dict[Alike, Counter[str]], one: Any, surface: str) -> None:
        if (alike := (one.was, folded(surface))) in self._like:
            told[alike][one.answer if one.verdict == "wrong" and isinstance(one.answer, str) else ""] += 1

    def _surfaces(self) -> dict[tuple[str, str], str]:
        ids, parts, surfaces = (self._lines[name].to_pylist() for name in ("id", "part", "surface"))
        return dict(zip(zip(ids, parts, strict=True), surfaces, strict=True))

    def behind(self) -> dict[int, int]:
        """By position of an echo, that of the most suspicious line that it is like; only of those that are like one."""
        best: dict[Alike, tuple[float, int]] = {}
        columns = (self._lines[name].to_pylist() for name in ("kind", "given", "surface", "score"))
        for at, (kind, given, surface, score) in enumerate(zip(*columns, strict=True) if self._like else ()):
            alike = given, folded(surface)
            if kind == SUSPECT and alike in self._like and best.get(alike, (1.0, -1))[0] > -score:
                best[alike] = -score, at
        return {at: best[alike][1] for alike, echoes in self._like.items() if alike in best for at, _ in echoes}


__all__ = ["Echoing"]
