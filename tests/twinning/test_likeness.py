"""Likeness: a word with a slip in it is rare, and its row does not stand for the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline.twinning.likeness import USUAL_ROWS, signed_texts, usual
from tests.heard import LABELLED, read, record
from tests.small import built, table

if TYPE_CHECKING:
    from pathlib import Path

RIGHT, SLIP = "please tell me when the parcel will arrive", "please tell me when the pacrel will arrive"


def test_the_rarest_word_tells_how_usual_a_row_is() -> None:
    texts = [SLIP, *[RIGHT] * 9, "", "包裹到了吗"]
    assert usual(pa.Table.from_batches([signed_texts(texts)])) == [1, *[USUAL_ROWS] * 10, 1]


def test_the_row_without_the_slip_stays_though_its_id_comes_later(tmp_path: Path) -> None:
    others = [f"what does the parcel number {n} say" for n in range(4)]
    records = [record(at, [("a", "x")], text=text) for at, text in enumerate([SLIP, RIGHT, *others])]
    one = read(tmp_path, LABELLED, records)
    built(one, "audit")
    assert [row["text"] for row in table(one, "audit")] == [RIGHT, *others]
    assert [row["id"] for row in table(one, "audit", "rejected")] == ["s/0"]
