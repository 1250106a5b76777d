"""Confusion: which label an annotator gives where the others believe in another, and how often others do that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.annotators.beliefs import tally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.annotators.judged import Judged

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SHOWN = 5
_SURE = 0.5  # where the others are less sure, nobody can say what was confused


@dataclass(frozen=True)
class Confusions:
    """Up to `SHOWN` confusions per annotator, those first that exceed what others do by most; arrays of one length.

    Attributes:
        annotator, true, given: int64[k]; `true` is the label of the others' belief.
        count: int64[k], how often; of: int64[k], on how many of the annotator's units the others believe in `true`.
        usual: float64[k], 0..1, how often all other annotators give `given` there.
    """

    annotator: Ints
    true: Ints
    given: Ints
    count: Ints
    of: Ints
    usual: Floats


def confusions(judged: Judged, classes: int) -> Confusions:
    """The main confusions of every annotator, on units where the others are more sure than not."""
    sure = judged.sure >= _SURE
    annotator, best, label = judged.annotator[sure], judged.best[sure], judged.label[sure]
    code, count = tally((annotator * classes + best) * classes + label, judged.annotators * classes**2)
    seen, size = tally(annotator * classes + best, judged.annotators * classes)
    of = size[np.searchsorted(seen, code // classes)]
    pair, everybody = tally(best * classes + label, classes**2)
    there, total = tally(best, classes)
    who, rest = np.divmod(code, classes * classes)
    true, given = np.divmod(rest, classes)
    others = total[np.searchsorted(there, true)] - of
    usual = (everybody[np.searchsorted(pair, rest)] - count) / np.maximum(others, 1)
    wrong = np.flatnonzero(true != given)
    excess = (count - of * usual)[wrong]
    order = wrong[np.lexsort((code[wrong], -excess, who[wrong]))]
    first = np.searchsorted(who[order], who[order])
    order = order[np.arange(len(order)) - first < SHOWN]
    return Confusions(who[order], true[order], given[order], count[order], of[order], usual[order])
