"""Questions: how many rows of the whole data set answer something and hold a phrase, all asked in one look."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.reviewing.counting import as_counts
from pipeline.rules import Finder
from pipeline.tasks.parts import WHOLE, label_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from pipeline.tasks import Row, Task


@dataclass(frozen=True)
class Asked:
    """What the whole data set is asked: of rows that are answered `given` (as to `part`), how many hold the phrase.

    Where the phrase is empty, how many there are of the source; where that is empty too, how many there are at all.
    """

    given: str
    part: str
    phrase: str = ""
    source: str = ""


class Questions:
    """All that is asked, looked up by what a row answers and holds."""

    def __init__(self, asked: Sequence[Asked], task: Task) -> None:
        self._task = task
        self._number = {(one.phrase, one.source, one.given, one.part): at for at, one in enumerate(asked)}
        self._labels = {(one.part, one.given) for one in asked}
        self._parts = sorted({one.part for one in asked})
        self._finder = Finder(one.phrase for one in asked if one.phrase)

    def answered(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """How many rows of the batch each of what is asked speaks of."""
        count: Counter[int] = Counter()
        for row in batch.to_pylist():
            given = [one for one in _given(row, self._parts, self._task) if one in self._labels]
            if given:
                count.update(self._of(row, given))
        return as_counts(count)

    def _of(self, row: Row, given: Sequence[tuple[str, str]]) -> Iterator[int]:
        about = [("", ""), ("", str(row["id"]).partition("/")[0])]
        about += [(phrase, "") for phrase in self._finder.all(self._task.shown(row))]
        for part, label in given:
            for phrase, source in about:
                number = self._number.get((phrase, source, label, part))
                if number is not None:
                    yield number


def _given(row: Row, parts: Sequence[str], task: Task) -> Iterator[tuple[str, str]]:
    answer = task.answer(row)
    for part in parts if task.head == "multilabel" else (WHOLE,):
        yield part, label_at(task, answer, part)
