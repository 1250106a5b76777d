"""Text from data as a page may show it: nothing hidden, nothing that turns its neighbours around, nothing endless."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from markupsafe import Markup

from pipeline import text as texts

LONGEST_CHARS = 600
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def visible(value: Any) -> Any:
    """The value, its hidden characters spelled out if it is text of ours to show (`pipeline.text.visible`)."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else texts.visible(value)


def cut(text: str, limit_chars: int) -> str:
    """The text, or its beginning and how many characters more there are.

    >>> cut("abcdef", 4), cut("abcd", 4)
    ('abcd … (2 more characters)', 'abcd')
    """
    more = len(text) - limit_chars
    return text if more <= 0 else f"{text[:limit_chars]} … ({more:,} more characters)"


def shown(value: Any) -> Any:
    """The value as it may stand anywhere on the page: nothing hidden, and no longer than a reader would read."""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return cut(visible(value), LONGEST_CHARS)


def fitted(text: str, room: int) -> str:
    """The text cut to `room` columns; characters of East Asian width take two.

    >>> fitted("negative", 5), fitted("负面评价", 5)
    ('nega…', '负面…')
    """
    line = str(visible(" ".join(text.split()[:room])))
    if _columns(line) <= room and len(text.split()) <= room:
        return line
    line = line[:room]
    while line and _columns(line) > room - 1:
        line = line[:-1]
    return f"{line}…"


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def language_tag(value: Any) -> str:
    """The value where it may stand in a `lang` attribute, else nothing."""
    known = isinstance(value, str) and value != "und" and _LANGUAGE.fullmatch(value)
    return value if known else ""
