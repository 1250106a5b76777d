"""Weighing: how much each judged line counts as evidence, where lines were decided together or are of one kind.

Who decides on a group has looked at a few of its lines and said one thing of all: that is one piece of evidence,
however many lines it settles. Lines of one group that were looked at one by one are likely to be right or wrong
together, and count for less than as many lines of different groups.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

LIKENESS = 0.5
"""How alike lines of one group are taken to be (the correlation of right and wrong within it).

Half of the way from lines that know nothing of one another to a group that is right or wrong as a whole; it is set, not
estimated: what would be needed to estimate it, many groups that were judged line by line, is what groups save.
"""


def weights(cluster: Ints, act: Ints, *, likeness: float = LIKENESS) -> Floats:
    """How much each line counts: float64[lines], at most 1.

    `act`: int64[lines], lines decided by one act have the same number; an act counts as one line in all. `cluster`:
    int64[lines], what acts belong to; of k acts in one cluster each counts 1 / (1 + (k - 1) likeness), the design
    effect of a cluster sample (Kish 1965, Survey Sampling). Numbers are 0 or more.
    """
    if not len(act):
        return np.zeros(0)
    _, first, of_act, lines = np.unique(act, return_index=True, return_inverse=True, return_counts=True)
    _, of_cluster, acts = np.unique(cluster[first], return_inverse=True, return_counts=True)
    each = 1 / (1 + (acts[of_cluster.reshape(-1)] - 1) * likeness)
    return np.asarray((each / lines)[of_act.reshape(-1)], dtype=np.float64)
