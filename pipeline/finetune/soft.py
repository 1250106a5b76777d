"""Soft labels: rows learned as the shares of their labels instead of as one answer.

Method: cross entropy against the annotators' distribution, Peterson et al. 2019, "Human uncertainty makes
classification more robust", arXiv 1908.07086; surveyed by Uma et al. 2021, "Learning from Disagreement",
DOI 10.1613/jair.1.12752.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.finetune.shares import PEOPLE, VOTES
from pipeline.tasks.parts import WHOLE

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from pipeline.finetune.examples import Example
    from pipeline.tasks import Encoded, Row

    Vector = NDArray[np.float64]

NO_CLASS, NO_LABEL = -1, -2


@dataclass(frozen=True)
class Soft:
    """The shares of rows as vectors over the classes of a model.

    `begins` says where the lines of each row start in the other columns: label (a class, -1 for one that is none,
    -2 where no label was given), share, whole.
    """

    classes: Sequence[str]
    head: str
    begins: dict[str, tuple[int, int]]
    label: NDArray[np.int64]
    share: Vector
    whole: NDArray[np.bool_]
    by: Sequence[str]

    @classmethod
    def of(cls, table: pa.Table, classes: Sequence[str], *, head: str) -> Soft:
        """From a table of shares (columns: `shares.SHARES`), sorted by id."""
        place = {"": NO_LABEL} | {name: at for at, name in enumerate(classes)}
        ids = table["id"].to_pylist()
        starts = [at for at, name in enumerate(ids) if not at or ids[at - 1] != name]
        begins = {ids[at]: (at, end) for at, end in pairwise([*starts, len(ids)])}
        label = np.array([place.get(name, NO_CLASS) for name in table["label"].to_pylist()], dtype=np.int64)
        whole = np.array([part == WHOLE for part in table["part"].to_pylist()], dtype=bool)
        return cls(classes, head, begins, label, np.asarray(table["share"]), whole, table["by"].to_pylist())

    def vector(self, row_id: str, answer: Iterable[float]) -> Vector | None:
        """The shares of a row: float64[classes]; None where nothing is known of them.

        `answer` is the row's own answer as 0/1 for every class: what nobody called ambiguous stays as it says. What is
        said for labels that are no classes is left out, and the rest of one label of several made to sum to 1.
        """
        if row_id not in self.begins:
            return None
        here = slice(*self.begins[row_id])
        label, share = self.label[here], self.share[here]
        made = np.zeros(len(self.classes)) if self.whole[here].any() else np.asarray(list(answer), dtype=np.float64)
        known = label >= 0
        made[label[known]] = share[known]
        if self.head == "multilabel":
            return np.clip(made, 0.0, 1.0)
        return made / made.sum() if made.sum() > 0 else None

    def encoder(self, encoder: Callable[[Row], Encoded]) -> Callable[[Row], Encoded]:
        """The encoding of a task with shares as targets; rows without shares have their answer's, 1 and 0."""

        def encode(row: Row) -> Encoded:
            encoded = encoder(row)
            hard = self.hard(encoded.targets)
            soft = self.vector(row["id"], hard)
            learned = encoded.learned if soft is None or self.head == "multilabel" else 1
            return replace(encoded, targets=(hard if soft is None else soft).tolist(), learned=learned)

        return encode

    def hard(self, targets: Any) -> Vector:
        """The targets of an answer as 1 and 0 for every class; nan where there is nothing to learn."""
        if self.head == "multilabel":
            return np.asarray(targets, dtype=np.float64)
        made = np.zeros(len(self.classes))
        if targets < 0:
            return np.full(len(self.classes), np.nan)
        made[targets] = 1.0
        return made

    def told(self, taught: Sequence[Example], copies: Container[str]) -> dict[str, Any]:
        """How many rows were learned as shares: by whom these are, how many of them are copies, how many in doubt."""
        soft = [one for one in taught if one.id in self.begins]
        by = [self.by[self.begins[one.id][0]] for one in soft]
        left_out = sum(bool((self.label[slice(*self.begins[one.id])] == NO_CLASS).any()) for one in soft)
        return {
            "rows": len(soft),
            "in_doubt": sum(bool(((one.targets > 0) & (one.targets < 1)).any()) for one in soft),
            "by": {name: by.count(name) for name in (PEOPLE, VOTES)},
            "copies": sum(one.id in copies for one in soft),
            "with_unknown_labels": left_out,
        }
