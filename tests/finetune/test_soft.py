"""Soft labels as vectors over the classes of a model, and as targets of encoded rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.finetune.examples import Example, encode
from pipeline.finetune.shares import SHARES
from pipeline.finetune.soft import Soft
from pipeline.tasks import Encoded
from tests.finetune.conftest import spine


def soft(*lines: tuple[str, str, str, float], classes: str = "abc", head: str = "sequence") -> Soft:
    """From (id, part, label, share) of rows that stand together."""
    told = [dict(zip(SHARES.names, (*line, "people"), strict=True)) for line in lines]
    return Soft.of(pa.Table.from_pylist(told, schema=SHARES), list(classes), head=head)


def vector(one: Soft, row: str, *answer: float) -> list[float] | None:
    found = one.vector(row, answer)
    return None if found is None else found.round(6).tolist()


def test_one_label_of_several() -> None:
    one = soft(("r", "", "c", 0.7), ("r", "", "a", 0.3), ("s", "", "b", 1.0))
    assert vector(one, "r", 0, 1, 0) == [0.3, 0, 0.7]
    assert vector(one, "s", 0, 1, 0) == [0, 1, 0]
    assert vector(one, "t", 0, 1, 0) is None


def test_labels_that_are_no_classes_are_left_out() -> None:
    one = soft(("r", "", "a", 0.3), ("r", "", "x", 0.6), ("r", "", "b", 0.1), ("s", "", "x", 1.0))
    assert vector(one, "r", 0, 1, 0) == [0.75, 0.25, 0]
    assert vector(one, "s", 0, 1, 0) is None


def test_a_label_of_several_that_is_in_doubt_leaves_the_others_as_they_are() -> None:
    lines = ("r", "b", "b", 0.4), ("s", "", "a", 0.5), ("s", "", "c", 1.0), ("t", "", "", 0.0)
    one = soft(*lines, head="multilabel")
    assert vector(one, "r", 1, 1, 0) == [1, 0.4, 0]
    assert vector(one, "s", 1, 1, 1) == [0.5, 0, 1]
    assert vector(one, "t", 0, 0, 1) == [0, 0, 0]


@given(st.dictionaries(st.sampled_from("abcxyz"), st.floats(1e-6, 1), min_size=1))
def test_one_label_has_shares_that_sum_to_one(said: dict[str, float]) -> None:
    found = soft(*(("r", "", label, share) for label, share in said.items())).vector("r", (1, 0, 0))
    if found is None:
        assert not set(said) & set("abc")
    else:
        assert found.sum() == pytest.approx(1)
        assert {"abc"[at] for at in np.flatnonzero(found)} == set(said) & set("abc")


def encoded(one: Soft, targets: Any, *, learned: int) -> list[Example]:
    row = spine(1) | {"id": "r"}
    encoder = one.encoder(lambda row: Encoded({"input_ids": [1, 2]}, targets, cut=False, learned=learned))
    return encode([row], encoder, head=one.head)[0]


def test_targets_are_shares_and_without_any_those_of_the_answer() -> None:
    known = soft(("r", "", "c", 0.7), ("r", "", "a", 0.3))
    (example,) = encoded(known, 1, learned=1)
    assert example.targets.dtype == np.float32
    assert example.targets.tolist() == pytest.approx([0.3, 0, 0.7])
    other = soft(("s", "", "c", 1.0))
    assert encoded(other, 1, learned=1)[0].targets.tolist() == [0, 1, 0]
    (nothing,) = encoded(other, -100, learned=0)
    assert (nothing.learned, np.isnan(nothing.targets).all()) == (0, True)
    # An answer that is no class teaches nothing, but its shares do.
    assert encoded(known, -100, learned=0)[0].learned == 1


def test_it_tells_how_many_rows_were_learned_so() -> None:
    one = soft(("r", "", "c", 0.7), ("r", "", "a", 0.3), ("s", "", "x", 0.5), ("s", "", "b", 0.5), ("t", "", "a", 1.0))
    taught = [
        Example(name, {"input_ids": np.arange(2)}, np.array(values, dtype=np.float32), 1.0, 1)
        for name, values in (("r", [0.3, 0, 0.7]), ("s", [0, 1, 0]), ("u", [1, 0, 0]))
    ]
    told = one.told(taught, {"s", "u"})
    assert told == {"rows": 2, "in_doubt": 1, "by": {"people": 2, "votes": 0}, "copies": 1, "with_unknown_labels": 1}
