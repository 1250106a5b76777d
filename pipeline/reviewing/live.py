"""Live: the desk of now; it takes in what was built anew while people sit before it, without a restart."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline import recipe as recipes
from pipeline.errors import AssayError
from pipeline.reviewing.desk import Desk
from pipeline.reviewing.queue import queue
from pipeline.reviewing.shelf import stamp

if TYPE_CHECKING:
    from pipeline.recipe import Recipe

REMEMBERED = 4
"""Of so many queues before this one it is known which lines they had."""


class Live:
    """The desk that is served. Every request looks for a later build, whose queue is made beside the answers.

    Until that is there the earlier one goes on being served, whole: its rows stay readable. While a build is running
    nothing is taken in.

    Attributes:
        desk: the one of now.
        trouble: why a later build could not be taken in; empty where it could.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk, self.trouble = desk, ""
        self._lock = Lock()
        self._stamp = desk.shelf.stamp
        self._thread: Thread | None = None
        self._before: deque[tuple[str, pa.Array]] = deque(maxlen=REMEMBERED)

    def look(self) -> Desk:
        """The desk of now; where the data set was built anew, the next one is begun to be made."""
        now = stamp(self.desk.recipe)
        if now != self._stamp and now[0] is not None and not is_building(self.desk.recipe.build):
            with self._lock:
                if self._thread is None and now != self._stamp:
                    self._thread = Thread(target=self._renew, args=(now,), daemon=True)
                    self._thread.start()
        return self.desk

    def wait(self, seconds: float = 60.0) -> None:
        """Until what is being made is there."""
        if (thread := self._thread) is not None:
            thread.join(seconds)

    def _renew(self, seen: tuple[Any, ...]) -> None:
        earlier, trouble, made = self.desk, "it cannot be taken in", None
        try:
            made, trouble = desk_of(_anew(earlier.recipe)), ""
        except (AssayError, OSError, pa.ArrowInvalid) as error:  # a recipe being edited, a build being replaced
            trouble = str(error)
        finally:
            with self._lock:
                self._thread = None
                if stamp(earlier.recipe) == seen:  # else it was built once more: the next look begins again
                    self._stamp, self.trouble = seen, trouble
                    if made is not None:
                        self._take(made, earlier)

    def _take(self, made: Desk, earlier: Desk) -> None:
        made.inherit(earlier)
        if made.content != earlier.content:
            self._before.append((earlier.content, earlier.lines["line"].filter(pa.array(earlier.asked))))
        self.desk = made

    def news(self, since: str) -> dict[str, Any]:
        """What is other in the queue than in that of a version: lines that are new and gone, None where not known.

        `rebuilt`: it is of another build, and not only longer or shorter by what people decided.
        """
        desk, content = self.desk, since.partition(".")[0]
        told = {"version": desk.version, "rebuilt": content != desk.content, "new": None, "gone": None}
        told |= {"trouble": self.trouble}
        for version, names in self._before:
            if version == content:
                now = desk.lines["line"].filter(pa.array(desk.asked))
                told |= {"new": _missing(now, names), "gone": _missing(names, now)}
        return told


def desk_of(recipe: Recipe) -> Desk:
    """The desk of a data set as it is built now."""
    return Desk(recipe, queue(recipe))


def _anew(recipe: Recipe) -> Recipe:
    """The recipe as it is written now."""
    path = recipe.folder / "recipe.toml"
    return recipes.load(path) if path.is_file() else recipe


def _missing(names: Any, others: Any) -> int:
    """How many of the names are none of the others."""
    known = pc.is_in(names, value_set=others.combine_chunks() if isinstance(others, pa.ChunkedArray) else others)
    return len(names) - int(pc.sum(known).as_py() or 0)


def is_building(build: Path) -> bool:
    """Whether an Assay process holds the build, as far as this machine tells; asking does not get in its way."""
    try:
        file = (build / ".lock").stat()
        held = Path("/proc/locks").read_text(encoding="ascii")
    except OSError:
        return False
    place = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:{file.st_ino}"
    return any("FLOCK" in line and place in line.split() for line in held.splitlines())
