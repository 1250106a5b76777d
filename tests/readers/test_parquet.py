from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.readers import Broken, Record

from .memory import got, survives


def written(table: pa.Table, rows: int = 10) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out, row_group_size=rows, compression="none")
    return out.getvalue()


TABLE = pa.table({"text": [f"文 {n}" for n in range(25)], "labels": [["a", "b"]] * 25})
FILE = written(TABLE)


def test_rows_in_order() -> None:
    found = got(FILE, "parquet")
    assert found[0] == Record("f:row 1", {"text": "文 0", "labels": ["a", "b"]})
    assert found[24] == Record("f:row 25", {"text": "文 24", "labels": ["a", "b"]})
    assert len(found) == 25


def test_text_that_is_not_utf8_costs_its_row() -> None:
    column = pa.array([b"ok", b"\xff", b"ok"]).view(pa.string())
    found = got(written(pa.table({"text": column})), "parquet")
    assert [type(one) for one in found] == [Record, Broken, Record]
    assert isinstance(found[1], Broken)
    assert (found[1].place, found[1].reason) == ("f:row 2", "invalid_encoding")


def test_what_is_no_parquet() -> None:
    with pytest.raises(AssayError, match="is not Parquet"):
        got(b"text,label\n", "parquet")


@given(st.integers(4, 400), st.binary(min_size=1, max_size=8))
def test_damage_costs_rows_and_none_goes_missing(at: int, damage: bytes) -> None:
    found = survives(FILE[:at] + damage + FILE[at + len(damage) :], "parquet")
    assert found is None or len(found) == 25
