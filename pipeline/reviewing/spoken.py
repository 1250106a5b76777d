"""Spoken of: which lines of the queue a rule speaks of, as far as the lines show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
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
    if rule.sources:
        found = pc.and_(found, pc.is_in(lines["source"], value_set=pa.array(rule.sources, pa.string())))
    if rule.given == NOTHING and not rule.surfaces:
        return np.zeros(0, dtype=np.int64)
    places = np.flatnonzero(np.asarray(found))
    if rule.surfaces and len(places):
        places = places[_covering(rule, lines["surface"].take(pa.array(places)))]
    if not rule.phrases or not len(places):
        return places
    texts = lines["text"].take(pa.array(places)).to_pylist()
    return places[[finder(rule.phrases).holds(text) for text in texts]]


def _covering(rule: Rule, surfaces: Any) -> NDArray[np.bool_]:
    """Which stretches of text a rule names; each spelling is looked at once."""
    wanted = set(map(folded, rule.surfaces))
    spelled = [one for one in pc.unique(surfaces).to_pylist() if folded(one) in wanted]
    return np.asarray(pc.is_in(surfaces, value_set=pa.array(spelled, pa.string())), dtype=bool)
