from __future__ import annotations

import pytest

from pipeline.errors import AssayError
from pipeline.readers import FORMATS, read

from .memory import got, held


def test_an_unknown_format_is_answered_with_the_known_ones() -> None:
    with pytest.raises(AssayError, match="no format 'jsnol'; did you mean 'jsonl'"):
        read(held(""), format="jsnol")
    with pytest.raises(AssayError, match="known: alpaca, conll, csv"):
        read(held(""), format="???")


@pytest.mark.parametrize("format", sorted(set(FORMATS) - {"hub", "parquet"}))
def test_an_empty_file_has_no_records(format: str) -> None:
    assert got("", format) == []
    assert got("\ufeff", format) == []
    assert got("\n\n", format) == []
