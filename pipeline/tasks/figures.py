"""Figures: the numbers that a text tells, in digits or words of English and Chinese, and which another lacks."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SCALES = {
    "hundred": 1e2, "thousand": 1e3, "million": 1e6, "mln": 1e6, "mil": 1e6, "billion": 1e9, "bn": 1e9,
    "trillion": 1e12, "k": 1e3, "m": 1e6, "b": 1e9, "lakh": 1e5, "crore": 1e7,
    "十": 1e1, "百": 1e2, "千": 1e3, "万": 1e4, "萬": 1e4, "亿": 1e8, "億": 1e8, "兆": 1e12,
}  # fmt: skip
_SCALE = "|".join(sorted(SCALES, key=len, reverse=True))
# An integer with its groups and decimals, a scale, and what stands under a fraction bar.
_DIGITS = re.compile(
    r"(?<!\d)(?<!\d[.,])(\.?\d+(?:[.,']\d+| ?[.,]? ?\d{3}(?!\d))*)"
    rf"(?:[\s-]{{0,2}}[多余餘]?([百千]?[万萬亿億]|{_SCALE})(?![A-Za-z分]))?(?:\s?/\s?(\d+)(?![.,]?\d))?",
    re.IGNORECASE,
)
_OF_UNITS = frozenset("kKmMbB十百千兆")
_FRACTIONS = {"½": "5", "¼": "25", "¾": "75"}
_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = ("first", "second", "third", "fifth", "eighth", "ninth", "twelfth")
_SMALL = {
    **{word: at for at, word in enumerate(_UNITS)},
    **{f"{word}th": at for at, word in enumerate(_UNITS)},
    **dict(zip(_ORDINALS, (1, 2, 3, 5, 8, 9, 12), strict=True)),
    **{word: 10 * at for at, word in enumerate(_TENS, 2)},
    **{f"{word[:-1]}{end}": 10 * at for at, word in enumerate(_TENS, 2) for end in ("ieth", "ies")},
}
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october"),
    *("november", "december"),
)
_MEANT: dict[str, tuple[float, ...]] = {
    **{month[:length]: (at,) for at, month in enumerate(_MONTHS, 1) for length in (3, len(month))}, "sept": (9,),
    "half": (0.5, 50, 30, 2), "halves": (0.5, 2), "quarter": (0.25, 25, 4, 15), "quarters": (0.25, 25, 4, 15),
    "third": (1 / 3, 3), "thirds": (1 / 3, 2 / 3, 3), "dozen": (12,), "dozens": (12,), "score": (20,),
    "decade": (10,), "decades": (10,), "century": (100,), "centuries": (100,), "millennium": (1000,),
    "week": (7,), "weeks": (7,), "fortnight": (14, 2), "noon": (12,), "midnight": (0, 12, 24),
    "a": (1,), "an": (1,), "single": (1,), "once": (1,), "twice": (2,), "twofold": (2,), "pair": (2,), "both": (2,),
    "couple": (2,), "duo": (2,), "trio": (3,), "hat": (3,), "double": (2, 200), "doubled": (2, 200),
    "triple": (3, 300), "tripled": (3, 300), "quadruple": (4,),
    "半": (0.5, 50, 30), "双": (2,), "对": (2,), "元": (1,), "正": (1,), "腊": (12,), "刻": (15,), "周": (7,),
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z]+|[半双对元正腊刻周]")
_ROMAN = re.compile(r"\b(X{0,3})(IX|IV|V?I{0,3})\b")
_HAN_DIGITS = {
    **{sign: at for at, sign in enumerate("零一二三四五六七八九")},
    **{sign: at for at, sign in enumerate("壹贰叁肆伍陆柒捌玖", 1)},
    **{"〇": 0, "○": 0, "两": 2, "兩": 2, "廿": 20, "卅": 30},
}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000, "拾": 10, "佰": 100, "仟": 1000}
_HAN_GROUPS = {"万": 1e4, "萬": 1e4, "亿": 1e8, "億": 1e8, "兆": 1e12}
_HAN = re.compile(f"[{''.join((*_HAN_DIGITS, *_HAN_UNITS, *_HAN_GROUPS))}点]+")
_PART_OF = re.compile("([零一二两三四五六七八九十百千\\d.]+)分之([零一二两三四五六七八九十百千\\d.]+)")
LEAST = 2
"""Digits from which on a number is missed: small ones are told in too many ways."""


def missing(text: str, other: str, *, least_digits: int = LEAST) -> list[str]:
    """The numbers that `text` tells in digits and `other` tells in no way, as they are spelled, each once.

    A number is told in digits, with any separators and with a scale (million, 万), in words of English or Chinese, as
    the name of a month, in Roman letters; as a year, hour (3 pm, 15 o'clock), decade or century, or share of a hundred.

    >>> missing("It cost 12,000 in 1999.", "1999年花了1.2万"), missing("in 1999", "in 1998")
    ([], ['1999'])
    """
    plainly = set(in_digits(other))
    lacking = [one for one in in_digits(text) if len(re.sub(r"\D", "", one[0])) >= least_digits and one not in plainly]
    told = _told(other) if lacking else frozenset()
    return list(dict.fromkeys(spelling for spelling, values in lacking if not _among(values, told, other)))


def _among(values: frozenset[float], told: frozenset[float], other: str) -> bool:
    meant = {one for value in values for one in _ways(value)}
    return bool(values & told or meant & told or values & _loosely(other))


@lru_cache(maxsize=4096)
def _told(text: str) -> frozenset[float]:
    found = [value for _, values in in_digits(text) for value in values]
    return frozenset(map(_rounded, [*found, *_added_up(text), *in_words(text)]))


@lru_cache(maxsize=4096)
def _loosely(text: str) -> frozenset[float]:
    """What the numbers of a text may be told as."""
    return frozenset(one for value in _told(text) for one in _ways(value))


def _ways(value: float) -> Iterator[float]:
    """The numbers by which the same may be told: two digits of a year, hours of the other half of the day, ..."""
    yield value
    if value.is_integer():
        if 100 <= value <= 2100:
            yield from (value % 100, value // 100, value // 100 + 1, value % 100 // 10)
        if 10 <= value <= 99:
            yield from (1900 + value, 2000 + value, 1800 + value, value // 10)
        if 0 < value <= 24:
            yield from (value + 12, abs(value - 12), 100 * (value - 1))
    if value <= 100:
        yield _rounded(value / 100)
    if value <= 1:
        yield _rounded(value * 100)


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def in_digits(text: str) -> Iterator[tuple[str, frozenset[float]]]:
    """Every number in digits: how it is spelled, and what it may be."""
    for found in _DIGITS.finditer(_plain(text)):
        spelling, scale, under = found.groups()
        values = set(_readings(spelling))
        if scale:
            times = 1.0
            for part in re.findall(_SCALE, scale.lower()):
                times *= SCALES[part]
            # "5 m" may be metres as well as millions, 千 the kilo and 兆 the mega of a unit.
            values = {value * times for value in values} | (values if scale in _OF_UNITS else set())
        if under and float(under):
            values |= {float(under), *(value / float(under) for value in values)}
        yield spelling, frozenset(map(_rounded, values))


def _plain(text: str) -> str:
    """The text in NFKC, white space as single spaces, 6 ½ as 6.5."""
    for sign, decimals in _FRACTIONS.items():
        if sign in text:
            text = re.sub(rf"(?<=\d)\s*{sign}", f".{decimals}", text).replace(sign, f"0.{decimals}")
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _added_up(text: str) -> Iterator[float]:
    """What numbers with scales that follow one another come to: 4万5千."""
    sum_, end = 0.0, -1
    for found in _DIGITS.finditer(_plain(text)):
        if not found[2]:
            continue
        value = float(re.sub(r"\D", "", found[1])) * SCALES.get(found[2].lower(), 1.0)
        sum_ = sum_ + value if 0 <= found.start() - end <= 1 else value
        end = found.end()
        yield sum_


def _readings(spelling: str) -> Iterator[float]:
    """1,234 as a thousand, 1.234 also as a decimal; 1.2.3, 11.20 and 1 100 also as their parts; .5 as 0.5 and 5."""
    parts = re.findall(r"\d+", spelling)
    grouped = all(len(part) == 3 for part in parts[1:])
    if grouped or len(parts[-1]) == 3:
        yield float("".join(parts))
    if spelling[0] == ".":
        yield float(f"0.{''.join(parts)}")
    if len(parts) > 1 and not (grouped and "," in spelling):
        yield float("".join(parts[:-1]) + "." + parts[-1])
    if len(parts) > 1 and (not grouped or " " in spelling) and (len(parts) > 2 or len(parts[-1]) != 1):
        yield from map(float, parts)


def in_words(text: str) -> Iterator[float]:
    """Every number that words, Chinese numerals and Roman letters tell, and what parts of compound ones tell."""
    text = _plain(text)
    yield from _english(text)
    for found in _ROMAN.finditer(text):
        if value := _roman(found[0]):
            yield value
    for run in _HAN.findall(text):
        yield from _chinese(run)
    for under, over in _PART_OF.findall(text):
        whole, part = (max(_any(one), default=0.0) for one in (under, over))
        if whole:
            yield part / whole


def _any(spelling: str) -> list[float]:
    return [float(spelling)] if re.fullmatch(r"\d+(?:\.\d+)?", spelling) else list(_chinese(spelling))


def _english(text: str) -> Iterator[float]:
    whole = group = 0.0
    open_ = False
    for word in [*_WORD.findall(text.lower()), ""]:
        yield from map(float, _MEANT.get(word, ()))
        if word in _SMALL:
            # "nineteen eighty": a year in two halves.
            if group >= 10 and _SMALL[word] >= 10:
                yield group * 100 + _SMALL[word]
            group, open_ = group + _SMALL[word], True
            yield from (group, float(_SMALL[word]))
        elif open_ and word in SCALES and len(word) > 1:
            group *= SCALES[word]
            yield group
            if SCALES[word] >= 1e3:
                whole, group = whole + group, 0.0
        elif open_ and word not in ("and", "a"):
            yield whole + group
            whole, group, open_ = 0.0, 0.0, False
        elif word in SCALES and len(word) > 1:
            yield SCALES[word]


def _chinese(run: str) -> Iterator[float]:
    """What a run of Chinese numerals comes to: 三百二十, 一九九八, 三点五."""
    before, _, after = run.partition("点")
    if all(character in _HAN_DIGITS for character in before) and before:
        yield float("".join(str(_HAN_DIGITS[character] % 10) for character in before))
        yield from (float(_HAN_DIGITS[character]) for character in before)
    whole = section = digit = 0.0
    for character in before:
        if character in _HAN_DIGITS:
            digit = float(_HAN_DIGITS[character])
        elif character in _HAN_UNITS:
            section, digit = section + (digit or 1.0) * _HAN_UNITS[character], 0.0
        elif character in _HAN_GROUPS:
            whole, section, digit = (whole + section + digit) * _HAN_GROUPS[character], 0.0, 0.0
    yield whole + section + digit
    if after and all(character in _HAN_DIGITS for character in after):
        decimals = "".join(str(_HAN_DIGITS[character]) for character in after)
        yield float(f"{int(whole + section + digit)}.{decimals}")


def _roman(letters: str) -> float:
    values = {"I": 1, "V": 5, "X": 10}
    numbers = [values[letter] for letter in letters]
    return float(sum(-one if one < max(numbers[at:]) else one for at, one in enumerate(numbers)))
