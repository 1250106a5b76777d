"""Lessons: what the trainer gets of a row under the model's tokenizer, which is loaded where a row is new."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.tasks import Row, Task

LESSONS = pa.schema(
    [("learned", pa.int64()), ("tokens", pa.int64()), ("cut", pa.bool_()), pa.field("fault", pa.string())]
)
"""Targets learned, tokens, whether the length limit cut the row, and why it cannot be encoded (null: it can)."""


@dataclass(frozen=True)
class Tokens:
    """The tokenizer that the model will be trained with.

    `load` gives what `Task.encode` takes. `content` gives a hash of all that it is made of, by which what it made of a
    row is remembered; without it, nothing is.
    """

    load: Callable[[], Any]
    content: Callable[[], str] | None = None

    @cached_property
    def loaded(self) -> Any:
        """The tokenizer.

        Raises:
            Unloadable: with the reason.
        """
        with _explained():
            return self.load()

    @property
    def made_of(self) -> str:
        """The hash of what it is made of; empty where that is not known.

        Raises:
            Unloadable: there is no such model.
        """
        with _explained():
            return self.content() if self.content else ""


class Unloadable(Exception):
    """The tokenizer cannot be loaded, and why."""


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except AssayError as error:
        raise Unloadable(str(error)) from error


def taught(
    task: Task, tokens: Tokens, classes: Sequence[str], max_tokens: int, batch: pa.RecordBatch
) -> pa.RecordBatch:
    """What the trainer gets of every row of a batch: `LESSONS`. A row that cannot be encoded teaches nothing."""
    lines = [_taught(task, row, tokens.loaded, classes, max_tokens) for row in batch.to_pylist()]
    columns = [pa.array([line[at] for line in lines], field.type) for at, field in enumerate(LESSONS)]
    return pa.RecordBatch.from_arrays(columns, schema=LESSONS)


def _taught(
    task: Task, row: Row, tokenizer: Any, classes: Sequence[str], max_tokens: int
) -> tuple[int, int, bool, str | None]:
    try:
        encoded = task.encode(row, tokenizer, classes=classes, max_tokens=max_tokens)
    except AssayError as error:
        return 0, 0, False, f"cannot be encoded: {error}"
    return encoded.learned, len(encoded.inputs.get("input_ids", ())), encoded.cut, None
