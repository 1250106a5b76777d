"""The law that no row goes missing: counts that must add up, and fingerprints of ids."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.law import Ids, hold_ids, hold_law


@given(st.tuples(*[st.integers(0, 5)] * 5))
def test_the_law_is_an_equation(numbers: tuple[int, ...]) -> None:
    counts = dict(zip(("in", "made", "kept", "rejected", "joined"), numbers, strict=True))
    if counts["in"] + counts["made"] == counts["kept"] + counts["rejected"] + counts["joined"]:
        hold_law("audit", counts)
    else:
        with pytest.raises(AssayError, match="accounted for"):
            hold_law("audit", counts)


@given(st.lists(st.text(max_size=4), max_size=10), st.integers(0, 10), st.randoms(use_true_random=False))
def test_fingerprints_ignore_order_and_batches_and_see_a_swap(ids: list[str], cut: int, random: Any) -> None:
    one, other = Ids(), Ids()
    one.add(pa.array(ids, pa.string()), side="in")
    shuffled = random.sample(ids, len(ids))
    for part in (shuffled[:cut], shuffled[cut:]):
        other.add(pa.array(part, pa.string()), side="a")
    assert one.sum("in") == other.sum("a")
    other.add(pa.array(["another id"]), side="b")
    assert one.sum("in") != other.sum("a", "b")


def test_ids_that_were_swapped_are_a_fault() -> None:
    hold_ids("audit", 3, 3)
    with pytest.raises(AssayError, match="not those that came in"):
        hold_ids("audit", 3, 4)
