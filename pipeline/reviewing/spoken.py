"""Spoken of: which lines of the queue a rule speaks of, as far as the lines show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from pipeline.rules import finder, folded
from pipeline.tasks.parts import NOTHING

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.rules import Rule


def spoken_of(rule: Rule, lines: Any) -> NDArray[np.int64]:
    """The positions of the lines (columns `QUEUE`) on which all conditions of a rule hold; a text is read last."""
    found = pc.equal(lines["given"], rule.given)
    if rule.part:
        found = pc.and_(found, pc.equal(lines["part"], rule.part))
    places = np.flatnonzero(np.asarray(found))
    return np.array([at for at in places.tolist() if _speaks(rule, lines, at)], dtype=np.int64)


def _speaks(rule: Rule, lines: Any, at: int) -> bool:
    if rule.sources and lines["source"][at].as_py() not in rule.sources:
        return False
    if rule.surfaces and folded(lines["surface"][at].as_py()) not in set(map(folded, rule.surfaces)):
        return False
    if rule.given == NOTHING and not rule.surfaces:
        return False
    return not rule.phrases or finder(rule.phrases).holds(lines["text"][at].as_py())
