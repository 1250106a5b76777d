"""Dates of rows: what people write, as seconds that can be compared."""

from __future__ import annotations

import pytest

from pipeline.dates import seconds

NINTH_OF_MAY = 1715212800.0


@pytest.mark.parametrize(
    "written",
    [
        *("2024-05-09", "2024-5-9", "2024/5/9", "2024.05.09", "20240509", "2024年5月9日", " 2024-05-09 "),
        *("2024-05-09T00:00:00Z", "2024-05-09 00:00", "2024-05-09T08:00:00+08:00"),
        *("1715212800", "1715212800.0", "1715212800000"),
    ],
)
def test_one_day_however_it_is_written(written: str) -> None:
    assert seconds(written) == NINTH_OF_MAY


def test_a_year_and_a_month_are_their_beginning() -> None:
    assert seconds("2024") == seconds("2024-01") == seconds("2024-01-01")
    assert seconds("2024-05") == seconds("2024-05-01")


@pytest.mark.parametrize(
    "written", [None, "", "last week", "2024-13-40", "05/09/2024", "nan", "1e9", "2024-05-09 25:00"]
)
def test_what_cannot_be_read_is_not_guessed(written: str | None) -> None:
    assert seconds(written) is None


def test_eight_digits_that_are_no_day_are_seconds() -> None:
    assert seconds("20249999") == 20249999.0
