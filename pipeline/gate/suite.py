"""The gates of a data set: schemas/gates.toml with the bounds and severities of its recipe."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.contract import SCHEMAS
from pipeline.errors import AssayError, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.settings import GateSettings

GATES = SCHEMAS / "gates.toml"
Severity = Literal["fail", "warn", "off"]
FRAMES = ("rows", "classes", "splits", "stages", "summary", "checks", "change")


class Gate(BaseModel):
    """One gate: an expectation on a column of a frame, its bound, how hard it is, and what to say of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    tasks: tuple[str, ...] = ()
    """The tasks it applies to; none named: all."""
    frame: Literal["rows", "classes", "splits", "stages", "summary", "checks", "change"]
    column: str
    type: str
    arguments: dict[str, Any] = {}
    rules: tuple[str, ...] = ()
    """Rules of schemas/ that offend here: they become the regular expression of the expectation."""
    bound: float
    argument: Literal["allowed_share", "min_value", "max_value"]
    unit: str
    severity: Severity
    missing: Literal["error", "warn", "pass"] = "error"
    means: str
    why: str
    remedy: str

    def expectation(self) -> dict[str, Any]:
        """The gate as Great Expectations reads it."""
        given: dict[str, Any] = {"column": self.column, **self.arguments}
        if self.rules:
            given["regex"] = rf"(?:^|\|)(?:{'|'.join(map(re.escape, self.rules))})(?:\||$)"
        if self.argument != "allowed_share":
            given[self.argument] = self.bound
        elif self.bound:
            given["mostly"] = round(1 - self.bound, 12)
        return {"type": self.type, "kwargs": given, "meta": {"gate": self.name, "notes": [self.means, self.why]}}


@dataclass(frozen=True)
class Suite:
    """The gates that are held to, and the names of those that the recipe turned off."""

    gates: tuple[Gate, ...]
    off: tuple[str, ...]

    def of(self, frame: str) -> tuple[Gate, ...]:
        """The gates on one frame."""
        return tuple(gate for gate in self.gates if gate.frame == frame)


def declared(path: Path = GATES) -> tuple[Gate, ...]:
    """All gates of the file, whatever their task.

    Raises:
        AssayError: not TOML, an unknown key, or a name that is used twice.
    """
    return _declared(path.read_bytes(), str(path))


@lru_cache(maxsize=4)
def _declared(content: bytes, place: str) -> tuple[Gate, ...]:
    try:
        gates = tuple(Gate.model_validate(entry) for entry in tomllib.loads(content.decode())["gate"])
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, ValidationError) as error:
        raise AssayError(place, f"cannot be read as gates: {error}") from error
    names = [gate.name for gate in gates]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise AssayError(place, f"gates declared twice: {', '.join(twice)}", "give each its own name")
    return gates


def suite(recipe: Recipe, gates: tuple[Gate, ...] | None = None) -> Suite:
    """The gates for a recipe's task, with the recipe's bounds and severities.

    Raises:
        AssayError: the recipe names a gate that there is not, or not for its task.
    """
    settings, task = recipe.settings.gate, recipe.settings.task
    fitting = [gate for gate in gates or declared() if not gate.tasks or task in gate.tasks]
    for section, named in (("bounds", settings.bounds), ("severity", settings.severity)):
        _hold_known(recipe.name, section, set(named), {gate.name for gate in fitting})
    bound = [
        gate.model_copy(
            update={
                "bound": settings.bounds.get(gate.name, gate.bound),
                "severity": _severity(gate, settings),
            }
        )
        for gate in fitting
    ]
    for gate in bound:
        _hold_range(recipe.name, gate)
    return Suite(
        gates=tuple(gate for gate in bound if gate.severity != "off"),
        off=tuple(gate.name for gate in bound if settings.severity.get(gate.name) == "off"),
    )


def _severity(gate: Gate, settings: GateSettings) -> Severity:
    """How hard a gate is held to; one that no bound fits everywhere is off until the recipe sets one."""
    usual: Severity = "fail" if gate.severity == "off" and gate.name in settings.bounds else gate.severity
    return settings.severity.get(gate.name, usual)


def _hold_known(recipe: str, section: str, named: set[str], known: set[str]) -> None:
    for name in sorted(named - known):
        raise AssayError(f"recipe '{recipe}' [gate.{section}]", f"no gate '{name}' for this task", nearest(name, known))


def _hold_range(recipe: str, gate: Gate) -> None:
    if gate.argument == "allowed_share" and not 0 <= gate.bound < 1:
        raise AssayError(
            f"recipe '{recipe}' [gate.bounds]",
            f"'{gate.name}' = {gate.bound:g} is no {gate.unit}",
            f'shares go from 0 to below 1; to turn it off: [gate.severity] {gate.name} = "off"',
        )
