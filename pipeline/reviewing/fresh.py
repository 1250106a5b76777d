"""Fresh: whether what a decision is about is still what was shown: nothing is decided on what nobody has seen."""

from __future__ import annotations

import json
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import AssayError, Unfit
from pipeline.tasks import canonical
from pipeline.tasks.parts import WHOLE, label_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipeline.reviewing.desk import Desk
    from pipeline.reviewing.shelf import Shelf
    from pipeline.tasks import Row, Task

SHOWN = ("line", "given", "likely", "text")
"""What a group shows of its lines."""


class Outdated(AssayError):
    """What was sent is about something that is another by now, or `is_gone`; what was written there is kept."""

    def __init__(self, place: str, problem: str, way_out: str = "", *, is_gone: bool = False) -> None:
        super().__init__(place, problem, way_out)
        self.is_gone = is_gone


def of_row(task: Task, row: Row | None, part: str, *, is_kept: bool) -> str:
    """A mark of what a row reads and what it answers at a part: another where either is another."""
    if row is None:
        return _marked("gone")
    answer = task.answer(row)
    try:
        said = canonical(answer) if part == WHOLE else label_at(task, answer, part)
    except Unfit:
        said = canonical(answer)
    return _marked(task.shown(row), said, "kept" if is_kept else "held back")


def of_group(desk: Desk, at: int) -> str:
    """A mark of what a group of the queue proposes, and of what its lines read."""
    members = desk.lines.select(list(SHOWN)).take(pa.array(desk.members(at)))
    return _marked(desk.groups["says"][at].as_py(), json.dumps(members.to_pydict(), ensure_ascii=True))


def _marked(*about: str) -> str:
    told = blake2b(digest_size=8)
    for part in about:
        spelled = part.encode("utf-8", "surrogatepass")
        told.update(len(spelled).to_bytes(8, "little") + spelled)
    return told.hexdigest()


def hold_seen(wanted: str, now: str, what: str) -> None:
    """See that what is decided on is what was shown; `wanted` is empty where that was not said.

    Raises:
        Outdated: it is another.
    """
    if wanted and wanted != now:
        problem = "is not what you were shown: the data set was built anew, and it reads or is answered otherwise now"
        raise Outdated(what, problem, "look again; what you wrote is kept")


def hold_current(desk: Desk, keys: Sequence[tuple[str, str]], rows: Mapping[str, Row]) -> None:
    """See that rows are in the last build what they are in the one that is shown, until its queue is there.

    Raises:
        Outdated: one reads or is answered otherwise, or is gone.
    """
    newest = desk.newest()
    if newest is desk.shelf:
        return
    now = newest.rows(list(dict.fromkeys(id_ for id_, _ in keys)))
    for id_, part in keys:
        if id_ not in now:
            problem = "is gone: the data set was built anew"
            raise Outdated(f"row '{id_:.60}'", problem, "go on: the new list is being made", is_gone=True)
        if _now(desk, desk.shelf, rows.get(id_), id_, part) != _now(desk, newest, now[id_], id_, part):
            problem = "reads or is answered otherwise since the data set was built anew"
            raise Outdated(f"row '{id_:.60}'", problem, "go on: the new list is being made")


def _now(desk: Desk, shelf: Shelf, row: Row | None, id_: str, part: str) -> str:
    return of_row(desk.task, row, part, is_kept=row is not None and shelf.is_kept(id_))


def of_line(desk: Desk, at: int, row: Row | None) -> str:
    """A mark of what a line of the queue is about, as it is shown."""
    id_, part = desk.key(at)
    return _now(desk, desk.shelf, row, id_, part)


def of_tables(*tables: pa.Table) -> str:
    """A mark of the content of tables of texts, lists of texts and numbers, however they are laid out in memory."""
    told = blake2b(digest_size=8)
    for table in tables:
        for column in table.columns:
            for content in _content(column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column):
                told.update(content)
    return told.hexdigest()


def _content(column: pa.Array) -> Iterator[Any]:
    """What tells one column from another, as bytes."""
    if pa.types.is_list(column.type):
        yield from _content(pc.list_value_length(column))
        yield from _content(pc.list_flatten(column))
    elif pa.types.is_string(column.type):
        yield from _content(pc.binary_length(column))
        if column.nbytes and column.buffers()[2] is not None:
            offsets = np.frombuffer(column.buffers()[1], dtype=np.int32)
            yield memoryview(column.buffers()[2])[offsets[column.offset] : offsets[column.offset + len(column)]]
    else:
        yield pc.fill_null(column, 0).to_numpy(zero_copy_only=False).tobytes()
