"""Where batches run: the same answers in the same order, here or in other processes, and errors come home."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pipeline.engine import BATCHES_WORTH_A_POOL, Engine, cores
from pipeline.errors import AssayError, Unfit

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = range(3 * BATCHES_WORTH_A_POOL)


def squared(number: int) -> int:
    return number * number


def where(number: int) -> int:
    return os.getpid()


def unfit_at_five(number: int) -> int:
    if number == 5:
        raise Unfit("blank_text", "five")
    return number


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, BATCHES_WORTH_A_POOL, BATCHES_WORTH_A_POOL + 1, len(MANY)])
def test_in_order(workers: int, count: int) -> None:
    assert list(Engine(workers=workers).map(squared, range(count))) == [number**2 for number in range(count)]


def test_few_batches_stay_here_and_many_do_not() -> None:
    two = Engine(workers=2)
    assert set(two.map(where, range(BATCHES_WORTH_A_POOL))) == {os.getpid()}
    assert os.getpid() not in set(two.map(where, MANY))


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_of_workers_come_home_whole(workers: int) -> None:
    with pytest.raises(AssayError) as caught:
        list(Engine(workers=workers).map(unfit_at_five, MANY))
    assert isinstance(caught.value, Unfit)
    assert (caught.value.reason, caught.value.evidence) == ("blank_text", "five")


def test_only_a_few_batches_are_read_ahead() -> None:
    taken: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    stream = Engine(workers=2).map(squared, numbers())
    assert next(stream) == 0
    assert len(taken) <= BATCHES_WORTH_A_POOL + 2
    stream.close()  # type: ignore[attr-defined]


def test_cores() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)
