"""Keys of raw records: by value and type, and never by what is not understood."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from pipeline.memo.records import Records, record_key


def test_equal_records_have_one_key_whichever_objects_they_are() -> None:
    text = "".join(["sh", "ared"])
    one = {"a": text, "b": [text, text], "when": date(2026, 1, 2)}
    other = {"a": "shared", "b": ["shared", "".join(["shar", "ed"])], "when": date(2026, 1, 2)}
    assert record_key(one) == record_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1}, {"a": 1.0}),
        ({"a": 1}, {"a": True}),
        ({"a": "1"}, {"a": 1}),
        ({"a": ["x"]}, {"a": "x"}),
        ({"a": None}, {}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"a": date(2026, 1, 2)}, {"a": date(2026, 1, 3)}),
        ({"a": date(2026, 1, 2)}, {"a": datetime(2026, 1, 2)}),
        ({"a": Decimal("1.0")}, {"a": Decimal("1.00")}),
        ({"a": date(2026, 1, 2)}, {"a": ["date", "datetime.date(2026, 1, 2)"]}),
    ],
)
def test_other_records_have_other_keys(one: Any, other: Any) -> None:
    assert record_key(one) != record_key(other)


def test_what_is_not_understood_is_never_found_again() -> None:
    strange = {"a": object()}
    assert record_key(strange) != record_key(strange)
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    assert record_key(deep) != record_key(deep)


def test_lists_of_records_are_taken_apart_and_put_together() -> None:
    sort: Records[int] = Records(lambda item: item)
    assert sort.join([sort.pick([1, 2, 3], np.array([2, 0])), [4]]) == [3, 1, 4]
    assert sort.keys([1, 2, 1])[[0, 2]].tolist() == [sort.keys([1]).tolist()[0]] * 2
    assert sort.keys([]).shape == (0, 2)
