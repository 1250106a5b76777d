"""Dates: when a row was written or collected, as a number that can be compared."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

MILLISECONDS = 1e11
"""Later numbers than this, which as seconds would be the year 5138, are taken for milliseconds."""

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_UNPADDED = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})(?:[T ]+([0-9]{1,2})(:.*)?)?")
# 2024, 2024-05, 2024/5/9, 2024.05.09, 20240509, 2024年5月9日: what people write where a whole day is meant, or less.
_DAY = re.compile(
    r"([12][0-9]{3})(?:[-/.年]([0-9]{1,2})(?:[-/.月]([0-9]{1,2}))?)?[年月日]?|([12][0-9]{3})([0-9]{2})([0-9]{2})"
)


def moment(time: str | None) -> tuple[bool, Decimal] | None:
    """(whether it is one moment everywhere, seconds): numbers since 1970 and times with a zone are, others are local.

    ISO 8601 is read, with or without leading zeros: 2024-1-9 9:00 is 2024-01-09T09:00. None: it cannot be read.
    """
    text = (time or "").strip()
    if _NUMBER.fullmatch(text):
        return True, Decimal(text)
    if unpadded := _UNPADDED.fullmatch(text):
        year, month, day, hour, rest = unpadded.groups()
        text = f"{year}-{month:0>2}-{day:0>2}" + (f"T{hour:0>2}{(rest or '').replace(' ', '')}" if hour else "")
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    since = read - datetime(1970, 1, 1, tzinfo=UTC if read.tzinfo else None)
    return read.tzinfo is not None, Decimal(since // timedelta(microseconds=1)) / 1_000_000


def seconds(date: str | None) -> float | None:
    """The date of a row in seconds since 1970, local times as if they were UTC; None where it cannot be read.

    A year, a month or a day stands for its beginning; other numbers are seconds, or milliseconds if they are large.

    >>> seconds("2024-05-09") == seconds("2024/5/9") == seconds("20240509") == seconds("1715212800000")
    True
    >>> seconds("1970-01-02T00:00:00+00:00"), seconds("1971"), seconds("last week")
    (86400.0, 31536000.0, None)
    """
    text = (date or "").strip()
    if found := _DAY.fullmatch(text):
        parts = [int(part) for part in found.groups() if part]
        whole = _midnight(*parts)
        if whole is not None:
            return whole
    known = moment(text)
    if known is None:
        return None
    number = float(known[1])
    return number / 1000 if _NUMBER.fullmatch(text) and abs(number) > MILLISECONDS else number


def _midnight(year: int, month: int = 1, day: int = 1) -> float | None:
    try:
        return (datetime(year, month, day, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    except ValueError:
        return None
