"""Where batches run: here, or on all cores; always in order, so that the number of workers changes no byte."""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import connection, get_context, parent_process
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Given = TypeVar("Given")
Made = TypeVar("Made")

# A pool costs about a second to start; work that fits into so few batches is done sooner here.
BATCHES_WORTH_A_POOL = 4


@dataclass(frozen=True)
class Engine:
    """How many processes work, and how many rows they are handed at a time."""

    workers: int = 1
    batch_rows: int = 4096

    def map(self, function: Callable[[Given], Made], batches: Iterable[Given]) -> Iterator[Made]:
        """`function` of every batch, in the order of the batches, with at most two batches per worker in flight.

        `function` must be picklable: a function of a module or a `functools.partial` of one.
        """
        stream = iter(batches)
        if self.workers > 1:
            head = list(islice(stream, BATCHES_WORTH_A_POOL + 1))
            if len(head) > BATCHES_WORTH_A_POOL:
                return self._pooled(function, _chained(head, stream))
            return map(function, head)
        return map(function, stream)

    def _pooled(self, function: Callable[[Given], Made], batches: Iterator[Given]) -> Iterator[Made]:
        with ProcessPoolExecutor(
            self.workers, mp_context=get_context("forkserver"), initializer=_die_with_parent
        ) as pool:
            waiting = deque(pool.submit(function, batch) for batch in islice(batches, 2 * self.workers))
            while waiting:
                made = waiting.popleft().result()
                waiting.extend(pool.submit(function, batch) for batch in islice(batches, 1))
                yield made


def cores() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _chained(head: list[Given], rest: Iterator[Given]) -> Iterator[Given]:
    yield from head
    yield from rest


def _die_with_parent() -> None:
    """Let no worker outlive a killed build: it would wait for ever for batches that nobody sends."""
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_wait_for_end, args=(parent.sentinel,), daemon=True).start()


def _wait_for_end(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
