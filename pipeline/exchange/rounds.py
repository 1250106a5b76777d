"""Rounds: what went out to a tool, so that what comes back is held to what was judged."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.recipe import Recipe

FOLDER = "rounds"


@dataclass(frozen=True)
class Asked:
    """One row as it went out.

    `was` is its canonical answer, None where it had none that was settled; `suggested` the one that was shown, None for
    a blind row. `lines` are those of the queue that it stands for, with part, given, likely, score and group.
    """

    row: str
    text: str
    was: str | None
    suggested: str | None
    blind: bool
    guideline: str
    lines: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Round:
    """One sending: its name, which is made of its content, and what went out, by row."""

    id: str
    tool: str
    asked: dict[str, Asked]


def name_of(tool: str, asked: Sequence[Asked]) -> str:
    """`r` and eight hex digits of what went out."""
    spelled = json.dumps([tool, *(asdict(one) for one in asked)], ensure_ascii=False, sort_keys=True)
    return "r" + blake2b(spelled.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()


def folder(recipe: Recipe) -> Path:
    """Where the rounds of a data set are kept: beside the recipe, for people may be at work on them for weeks."""
    return recipe.folder / FOLDER


def exports(recipe: Recipe) -> Path:
    """Where files for a tool are written, and fetched from one, if no other folder is named."""
    return recipe.build / "exports"


def keep(recipe: Recipe, one: Round) -> Path:
    """Write down what went out."""
    place = folder(recipe)
    place.mkdir(parents=True, exist_ok=True)
    head = {"round": one.id, "tool": one.tool}
    told = [json.dumps(line, ensure_ascii=False) for line in (head, *map(asdict, one.asked.values()))]
    partial = place / f".{one.id}.partial"
    partial.write_bytes("".join(line + "\n" for line in told).encode("utf-8", "backslashreplace"))
    partial.replace(place / f"{one.id}.jsonl")
    return place / f"{one.id}.jsonl"


def every(recipe: Recipe) -> list[Round]:
    """The rounds that went out, the oldest first.

    Raises:
        AssayError: one cannot be read.
    """
    paths = sorted(folder(recipe).glob("r*.jsonl"), key=lambda path: (path.stat().st_mtime, path.name))
    return [_read(path) for path in paths]


def _read(path: Path) -> Round:
    try:
        head, *lines = (json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line)
        asked = [Asked(**{**line, "lines": tuple(line["lines"])}) for line in lines]
        return Round(head["round"], head["tool"], {one.row: one for one in asked})
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise AssayError(str(path), f"cannot be read as a round: {error}", "send the round again") from error
