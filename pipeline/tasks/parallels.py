"""Parallels: what a written target must keep of its source, and what makes it look as if it did not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.tasks import Doubt, doubting, figures
from pipeline.text import UNSPACED, is_unspaced, units

if TYPE_CHECKING:
    from collections.abc import Iterator

DENSE = {
    "\u1100-\u11ff\uac00-\ud7af\u3040-\u30ff": 2.0,
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af": 3.0,
}
"""Letters of an alphabet that a syllable sign of Korean or Japanese, and a Chinese character, stands for: about what
English takes for the same."""
LEAST_LENGTH = 30
"""Letters (see `DENSE`) from which on lengths are compared, and copies are told from names."""
LONGEST, SHORTEST = 3.0, 1 / 3
"""How much longer or shorter than its source a translation may be: far outside what is seen in good ones (English to
Chinese, 99 of 100 lie between 0.6 and 1.75), so that other pairs of languages have room."""
COPIED, LEAST_ORDINARY = 0.7, 4
"""A text of which this share of the ordinary words, at least so many, stands in its translation, is not translated."""
RUN, RUN_LOWER = 7, 5
"""Words in a row that stand untranslated, and how many of them must begin with a small letter: no name, no title."""
STEM = 5
LEAST_WORDS, STRANGE = 4, 0.75
"""An answer with so many words of its own, of which this share stands nowhere, is not from the context."""
SAID = {
    "translation": ("asks_back", "loop"),
    "summary": ("asks_back", "loop", "self_talk", "empty_talk", "wrong_script"),
    "answer": ("asks_back", "loop", "self_talk", "empty_talk", "wrong_script", "false_sum", "other_turn", "cut_off"),
    "other": ("asks_back", "loop", "self_talk", "empty_talk"),
}
"""What speaks against a reply and also against a target, by its kind; what the source does too is no sign."""
_LETTER = re.compile(r"[^\W\d_]")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_WORD = re.compile(f"[^\\W\\d_{UNSPACED}]+")
_MENTION = re.compile(r"#\w+#|https?://\S+|\S+@\S+")


def of_target(kind: str, source: str, target: str, context: str | None) -> Iterator[Doubt]:
    """Every doubt about a target of a kind (see `Guideline.kind`)."""
    checks: dict[str, str] = {}
    if kind == "translation":
        checks["not_translated"] = not_translated(source, target)
    if kind in ("translation", "summary"):
        checks["other_numbers"] = other_numbers(kind, source, target)
        checks["length_off"] = length_off(kind, source, target)
    if kind == "answer" and context:
        checks["not_in_context"] = not_in_context(target, f"{source}\n{context}")
    yield from (Doubt(name, evidence) for name, evidence in checks.items() if evidence)
    read = source if not context else f"{source}\n{context}"
    wanted = SAID.get(kind, ())
    said = [doubt for doubt in doubting.of_reply(read, target) if doubt.kind in wanted]
    known = {doubt.kind for doubt in doubting.of_reply("", read)} if said else set()
    yield from (doubt for doubt in said if doubt.kind not in known)


def extent(text: str) -> float:
    """How long a text is, in letters of an alphabet."""
    return len(_LETTER.findall(text)) + sum(
        (worth - 1) * len(re.findall(f"[{signs}]", text)) for signs, worth in DENSE.items()
    )


def not_translated(source: str, target: str) -> str:
    """That most of the source's ordinary words, or a run of them, stand in its translation; empty if not.

    Words in small letters count, and pairs of unspaced characters: names and titles may stay as they are.
    """
    if extent(source) < LEAST_LENGTH:
        return ""
    words, there = _ordinary(source), set(_ordinary(target))
    kept = [word for word in words if word in there]
    if len(words) >= LEAST_ORDINARY and len(kept) >= COPIED * len(words):
        return f"{len(kept)} of the {len(words)} ordinary words of the source stand in it: {' '.join(kept)!r:.60}"
    run = _copied_run(source, target)
    return f"left as it was: {' '.join(run)!r:.80}" if run else ""


def _ordinary(text: str) -> list[str]:
    """The words of a text that begin with a small letter, and pairs of unspaced neighbours, each once."""
    small = [word for word in _WORD.findall(text) if word[0].islower() and len(word) > 1]
    return list(dict.fromkeys([*small, *_pairs(text)]))


def _pairs(text: str) -> list[str]:
    return [text[at : at + 2] for at in range(len(text) - 1) if all(map(_UNSPACED.match, text[at : at + 2]))]


def _copied_run(source: str, target: str) -> list[str]:
    """The first `RUN` words of the target that stand in the source in a row, most of them in small letters."""
    mine, theirs = _WORD.findall(target), _WORD.findall(source)
    known = {tuple(theirs[at : at + RUN]) for at in range(len(theirs) - RUN + 1)}
    for at in range(len(mine) - RUN + 1):
        run = mine[at : at + RUN]
        if tuple(run) in known and sum(word[0].islower() for word in run) >= RUN_LOWER:
            return run
    return []


def other_numbers(kind: str, source: str, target: str) -> str:
    """That numbers of the target stand nowhere in the source, or, in a translation, the other way round."""
    added = figures.missing(_MENTION.sub(" ", target), source)
    lost = figures.missing(_MENTION.sub(" ", source), target) if kind == "translation" else []
    told = [
        f"{', '.join(some[:4])} only in the {where}" for some, where in ((added, "target"), (lost, "source")) if some
    ]
    return "; ".join(told)


def length_off(kind: str, source: str, target: str) -> str:
    """That a translation is far shorter or longer than its source, or a summary longer than what it sums up.

    The limits need no other rows and are wide: what is outside is cut off, padded, or of another source.
    """
    one, other = extent(source), extent(target)
    if max(one, other) < LEAST_LENGTH or (kind == "summary" and one < 2 * LEAST_LENGTH):
        return ""
    ratio = other / max(one, 1.0)
    if ratio > (LONGEST if kind == "translation" else 1.0) or (kind == "translation" and ratio < SHORTEST):
        return f"{other:.0f} letters for {one:.0f} of the source, {ratio:.2g} times as many"
    return ""


def not_in_context(target: str, read: str) -> str:
    """That an answer has numbers that what was read does not have, or that few of its own words stand there."""
    strange = figures.missing(target, read)
    if strange and "=" not in target:
        return f"{', '.join(strange[:4])} stands nowhere in what was read"
    words = _own_words(target)
    if len(words) < LEAST_WORDS:
        return ""
    known = set(_own_words(read))
    away = [word for word in words if word not in known]
    if len(away) >= STRANGE * len(words):
        return f"{len(away)} of its {len(words)} words stand nowhere in what was read: {', '.join(away[:5])}"
    return ""


def _own_words(text: str) -> list[str]:
    """The longer words by their beginnings, and pairs of unspaced characters: what an answer is about, each once."""
    spelled = (text[start:end].casefold() for start, end in units(text))
    long = [word[:STEM] for word in spelled if len(word) >= STEM and word.isalpha()]
    return list(dict.fromkeys([*long, *(_pairs(text) if is_unspaced(text) else [])]))
