"""Which field of a user's file holds the text that was read, and which a second one that was read with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pipeline import naming
from pipeline.errors import AssayError
from pipeline.naming import candidates, fields, played
from pipeline.playing import are_texts, fitting, given, longest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipeline.playing import Look

CODE = re.compile(r"^[^\u2e80-\uffff]*(\d|[A-Z]{2})[^\u2e80-\uffff]*$")
NUMBER = re.compile(r"[-+]?[\d.,\s]*%?")
PAIRED = ("textpair", "text2", "sentence2", "hypothesis", "question2")
"""What is called so is read with another text, whatever that is called; an answer or a passage with a question only."""
ALONE = ("sentence1", "premise", "question", "text1", "question1")
RIVAL_SHARE = 0.5
"""Another column with half as long texts, most of them different, could be the text that was read as well."""


def are_codes(values: Sequence[Any]) -> bool:
    """Whether most are numbers, or one word that holds digits or capitals side by side, as ids do."""
    some = [str(value).strip() for value in values[:500]]
    codes = [one for one in some if NUMBER.fullmatch(one) or (not re.search(r"\s", one) and CODE.search(one))]
    return 2 * len(codes) > len(some)


def _are_words(values: Sequence[Any], records: int) -> bool:
    return are_texts(values, records) and not are_codes(values)


def text_of(good: Sequence[Mapping[str, Any]], look: Look) -> str:
    """The field that holds the text that was read; which others could be it is noted."""
    named = fitting(good, "text") or [name for name in candidates(good, "text") if _holds_text(good, name)]
    exact = played([dict.fromkeys(named)], "text")
    text = exact or max(named, key=lambda name: _mean_chars(good, name), default="") or _longest_words(good)
    if text not in named:
        look.notes.append(f"no column is called a text: '{text}' is taken, which has most characters; that is a guess")
    different = {name: {str(value) for value in given(good, name)} for name in fields(good) if name != text}
    for name, seen in different.items():
        many = len(seen) > len(good) / 2 and are_texts(given(good, name), len(good))
        if many and (name in named or _mean_chars(good, name) >= RIVAL_SHARE * _mean_chars(good, text)):
            look.why[name] = f"could be the text as well as '{text}'"
    return text


def _holds_text(good: Sequence[Mapping[str, Any]], name: str) -> bool:
    """Whether any value is a text: numbers and lists never are."""
    return any(isinstance(value, str) and not NUMBER.fullmatch(value) for value in given(good, name)[:500])


def _longest_words(good: Sequence[Mapping[str, Any]]) -> str:
    """The field of words with most characters, of those whose names do not say that they are something else."""
    others = {name for part in ("id", "annotator", "date", "time") for name in candidates(good, part)}
    others |= {*fitting(good, "label"), *(name for name in fields(good) if naming.plain(name) in naming.NAMES["gold"])}
    read = [name for name in fields(good) if name not in others and _are_words(given(good, name), len(good))]
    if not read:
        raise AssayError("the file", f"none of its columns is a text: {', '.join(fields(good))}", texts_apart(good))
    return longest([{name: record.get(name) for name in read} for record in good])


def texts_apart(good: Sequence[Mapping[str, Any]]) -> str:
    """What to do where there is no text: answers often stand in a file of their own."""
    if not candidates(good, "annotator"):
        return "give a file whose records hold the texts; where a column is one after all, name it in a recipe of yours"
    return (
        "it seems to hold answers alone: give the file of the texts, each with its id, after --from, "
        "and this one after --answers"
    )


def pair_of(good: Sequence[Mapping[str, Any]], *, text: str, taken: Iterable[str] = ()) -> str | None:
    """The field that holds a second text, which is read with the first."""
    there = {naming.plain(name): name for name in fields(good) if name not in {text, *taken}}
    known = naming.NAMES["text_pair"] if naming.plain(text) in ALONE else PAIRED
    named = [there[name] for name in known if name in there]
    return next((name for name in named if are_texts(given(good, name), len(good))), None)


def _mean_chars(good: Sequence[Mapping[str, Any]], name: str) -> float:
    return sum(len(str(record.get(name) or "")) for record in good[:500]) / min(500, len(good))
