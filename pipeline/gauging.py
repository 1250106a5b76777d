"""A look at numbers in a user's file: which fields hold ratings, and on which scale they seem to be."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError, Unfit
from pipeline.naming import candidates, played
from pipeline.playing import longest, spine, take_gold
from pipeline.prose import pair_of, text_of, texts_apart
from pipeline.tasks.scales import number, spelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipeline.playing import Look

# The scales that people are asked to rate on, narrow ones first.
USUAL = (
    (0, 1), (-1, 1), (0, 2), (1, 3), (0, 3), (1, 4), (0, 4), (1, 5), (-2, 2), (0, 5), (1, 6), (1, 7), (0, 6), (-3, 3),
    (1, 9), (1, 10), (0, 10), (-5, 5), (-10, 10), (0, 100), (-50, 50), (-100, 100),
)  # fmt: skip
RATED = "a rating is a number for a text"
LEAST_USED = 0.5
"""Ratings that use less than this of a usual scale are not said to be on it."""


def numbers(value: Any) -> list[float] | None:
    """The number in a field, or the numbers of a list or of its JSON text; None where there is anything else."""
    if isinstance(value, str) and value.lstrip().startswith("["):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    try:
        return [number(one) for one in (value if isinstance(value, list) else [value])]
    except Unfit:
        return None


def numeric(good: Sequence[Mapping[str, Any]]) -> dict[str, bool]:
    """The columns that hold nothing but numbers (blank fields aside), and whether they hold lists of them."""
    found = {}
    for name in good[0]:
        given = [record[name] for record in good if record.get(name) not in (None, "")]
        read = [numbers(value) for value in given]
        if read and all(one is not None for one in read):
            found[name] = any(isinstance(value, list | str) and str(value).lstrip()[:1] == "[" for value in given)
    return found


def raters(names: Iterable[str]) -> list[str]:
    """Columns that are called the same but for a number at the end: one rater each; the largest such family.

    >>> raters(["id", "rater_1", "rater_2", "x3"])
    ['rater_1', 'rater_2']
    """
    families: dict[str, list[str]] = {}
    for name in names:
        if ended := re.fullmatch(r"(.*?)[\s_-]*\d+", name):
            families.setdefault(ended[1], []).append(name)
    most = max(families.values(), key=len, default=[])
    return most if len(most) > 1 else []


def values(good: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[float]:
    """Every number in these columns."""
    for record in good:
        for name in columns:
            if record.get(name) not in (None, ""):
                yield from numbers(record[name]) or ()


def scale(seen: Iterable[float]) -> tuple[float, float] | None:
    """The narrowest usual scale that holds all numbers, if they use at least half of it; else None.

    >>> scale([2, 5, 4]), scale([-100, 33.5]), scale([12, 4999])
    ((1, 5), (-100, 100), None)
    """
    every = list(seen)
    low, high = min(every, default=0.0), max(every, default=0.0)
    holding = [one for one in USUAL if one[0] <= low and high <= one[1]]
    best = min(holding, key=lambda one: one[1] - one[0], default=None)
    return best if best and high - low >= LEAST_USED * (best[1] - best[0]) else None


def rating(good: list[dict[str, Any]], look: Look) -> None:
    """Note which fields hold the text and the ratings, and the scale that these seem to be on."""
    columns = numeric(good)
    read = [{name: value for name, value in record.items() if name not in columns} for record in good]
    text = text_of(read, look) if read[0] else ""
    pair = pair_of(read, text=text) or played(read, "translation")
    if not text:
        raise AssayError("the file", "has no column of text", texts_apart(good))
    if not columns:
        raise AssayError("the file", "has no column of numbers", RATED)
    if text == pair:
        text = longest([{name: value for name, value in record.items() if name != pair} for record in read])
    look.columns["text"] = text
    if pair:
        look.columns["text_pair"] = pair
    rated = _rated(good, columns, look)
    spine([{name: value for name, value in record.items() if name not in rated} for record in good], look)
    take_gold(good, look)
    seen = list(values(good, rated))
    if not seen:
        raise AssayError("the file", f"no number stands in {', '.join(rated)}", RATED)
    look.scale = scale(seen)
    span = f"ratings from {spelled(min(seen))} to {spelled(max(seen))} were seen"
    guess = f": the scale {spelled(look.scale[0])} to {spelled(look.scale[1])} is a guess" if look.scale else ""
    look.notes.append(f"text is '{text}', rating is {', '.join(rated)}; {span}{guess or ', on no usual scale'}")


def _rated(good: list[dict[str, Any]], columns: Mapping[str, bool], look: Look) -> list[str]:
    """The columns that hold the ratings: one of them, a list of several raters' numbers, or one for each rater."""
    named = played([{name: record.get(name) for name in columns} for record in good], "rating")
    lists = [name for name, several in columns.items() if several]
    if found := named if named in lists else next(iter(lists), None) if named is None else None:
        look.columns["answers"] = found
        return [found]
    if named is None and (several := raters(columns)):
        look.annotator_columns = several
        return several
    others = {name for part in ("id", "group", "time", "annotator") for name in candidates(good, part)}
    others.add(played(good, "gold") or "")
    named = named or next((name for name in columns if name not in others), None)
    if named is None:
        raise AssayError(
            "the file", f"no column holds ratings: {', '.join(good[0])}", "a rating is a number for a text"
        )
    look.columns["rating"] = named
    return [named]
