"""Answers: whole answers of annotators, as they are compared where labels of units do not say enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import AssayError
from pipeline.quality.ballots import Ballots, ballots_from

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Answers:
    """One line for every answer that counts.

    Attributes:
        row: int64[n], the row it was given to.
        annotator: int64[n], an index into `annotators`; -1 is anonymous.
        text: the answer in canonical JSON.
        annotators: names, sorted.
        rows: number of rows, with or without answers.
        origin: int64[n], which annotation it is; -1 where none was named.
    """

    row: Ints
    annotator: Ints
    text: tuple[str, ...]
    annotators: tuple[str, ...]
    rows: int
    origin: Ints

    @staticmethod
    def of(
        rows: ArrayLike,
        annotators: Sequence[str | None],
        texts: Sequence[str],
        *,
        row_count: int | None = None,
        origin: ArrayLike | None = None,
    ) -> Answers:
        """From columns of one length: row, annotator (None: anonymous), canonical JSON, and what annotation it is.

        Raises:
            AssayError: the columns differ in length.
        """
        row = np.asarray(rows, dtype=np.int64).reshape(-1)
        number = np.full(len(row), -1) if origin is None else np.asarray(origin, dtype=np.int64).reshape(-1)
        if len({len(row), len(annotators), len(texts), len(number)}) > 1:
            lengths = [len(row), len(annotators), len(texts), len(number)]
            raise AssayError("agreement", f"rows, annotators, answers and origins have {lengths} entries")
        names = tuple(sorted({name for name in annotators if name is not None}))
        code = {name: at for at, name in enumerate(names)}
        who = np.array([-1 if name is None else code[name] for name in annotators], dtype=np.int64)
        count = (int(row.max(initial=-1)) + 1) if row_count is None else row_count
        return Answers(row, who, tuple(texts), names, count, number)

    def __len__(self) -> int:
        return len(self.row)

    def ballots(self) -> Ballots:
        """Every whole answer a label, every row a unit."""
        who = [None if at < 0 else self.annotators[at] for at in self.annotator.tolist()]
        texts = list(self.text)
        return ballots_from(self.row, [""] * len(self), who, texts, row_count=self.rows, origin=self.origin)

    def only(self, kept: NDArray[np.bool_]) -> Answers:
        """The answers where `kept` (bool[n]) holds."""
        text = tuple(self.text[at] for at in np.flatnonzero(kept).tolist())
        return Answers(self.row[kept], self.annotator[kept], text, self.annotators, self.rows, self.origin[kept])
