"""Rounds: what went out to a tool, so that what comes back is held to what was judged."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from pipeline.dates import seconds
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.recipe import Recipe

FOLDER = "rounds"
CONFLICTS = "conflicts"
"""What went out in a round of rows on which people differ."""
DISPUTED = "disputed"
"""The kind of line that stands for a part on which people differ."""


@dataclass(frozen=True)
class Asked:
    """One row as it went out.

    `was` is its canonical answer, None where it had none that was settled; `suggested` the one that was shown, None for
    a blind row. `lines` are those of the queue that it stands for, with part, given, likely, score and group; one for
    an adjudicator has the decisions that it `settles` as well.
    """

    row: str
    text: str
    was: str | None
    suggested: str | None
    blind: bool
    guideline: str
    lines: tuple[dict[str, Any], ...] = ()

    @property
    def settles(self) -> dict[str, tuple[str, ...]]:
        """Of each part on which people differ, the ids of what they said."""
        return {line["part"]: tuple(line["settles"]) for line in self.lines if line["kind"] == DISPUTED}


@dataclass(frozen=True)
class Round:
    """One sending: its name, which is made of its content, and what went out, by row."""

    id: str
    tool: str
    asked: dict[str, Asked]
    sent: str = ""
    """When it went out; empty in rounds of earlier versions."""
    who: str = ""
    what: str = ""


def name_of(tool: str, asked: Sequence[Asked], who: str = "") -> str:
    """`r` and eight hex digits of what went out, and to whom."""
    told = [tool, *([who] if who else []), *(asdict(one) for one in asked)]
    spelled = json.dumps(told, ensure_ascii=False, sort_keys=True)
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
    head = {"round": one.id, "tool": one.tool, "sent": one.sent, "who": one.who, "what": one.what}
    head = {name: value for name, value in head.items() if value or name in ("round", "tool")}
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
    found = [(_read(path), path) for path in sorted(folder(recipe).glob("r*.jsonl"))]
    return [one for one, _ in sorted(found, key=lambda pair: (_time(*pair), pair[0].id))]


def _time(one: Round, path: Path) -> tuple[float, float]:
    """When it went out, as told in it to the second, and as its file was written."""
    told, written = seconds(one.sent), path.stat().st_mtime
    return (int(written) if told is None else told), written


def _read(path: Path) -> Round:
    try:
        head, *lines = (json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line)
        asked = [Asked(**{**line, "lines": tuple(line["lines"])}) for line in lines]
        about = {name: str(head.get(name, "")) for name in ("sent", "who", "what")}
        return Round(head["round"], head["tool"], {one.row: one for one in asked}, **about)
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise AssayError(str(path), f"cannot be read as a round: {error}", "send the round again") from error
