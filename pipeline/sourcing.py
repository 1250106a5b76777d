"""A look at sources in a user's file: which fields hold questions and contexts, sources and what is written of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError
from pipeline.naming import plain, played
from pipeline.playing import given, longest, spine
from pipeline.prose import are_codes, texts_apart
from pipeline.text import is_unspaced

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.playing import Look

KINDS = {
    "translation": ("translation", "mt", "pe", "译文"),
    "summary": ("summary", "summaries", "highlights", "headline", "abstract", "title", "摘要", "标题"),
    "answer": ("answer", "answers", "答案"),
}
"""What a target is to its source, by what the field is called."""
LOOKED_AT = 200
QUESTION_TOKENS = 384
"""What published models read of a question and its context: most paragraphs fit."""


def answering(good: list[dict[str, Any]], look: Look) -> None:
    """Note which fields hold the question, the context and the answers, and whether there are questions without one."""
    found = {part: played(good, part) for part in ("question", "context", "answers")}
    missing = [part for part, name in found.items() if name is None]
    if missing:
        way_out = f"name the fields of {' and '.join(missing)} in the recipe's columns"
        raise AssayError("the file", f"its records hold {', '.join(good[0])}", way_out)
    look.columns |= {part: str(found[part]) for part in ("question", "context")}
    name = str(found["answers"])
    told = [record.get(name) for record in good]
    several = any(isinstance(value, list) and value and isinstance(value[0], dict | list) for value in told)
    look.columns["answers" if several else "answer"] = name
    spine(good, look)
    if "group" not in look.columns and "title" in good[0]:
        look.columns["group"] = "title"
    if any(record.get("is_impossible") is True or _is_none(value) for record, value in zip(good, told, strict=True)):
        look.guideline["unanswerable"] = True
    look.max_tokens = QUESTION_TOKENS
    look.notes.append(f"question is '{found['question']}', context '{found['context']}', answers '{name}'")


def _is_none(value: Any) -> bool:
    """Whether a field says that there is no answer, and not only that nobody has given one."""
    if isinstance(value, list):
        return any(isinstance(one, dict) and not one.get("text") for one in value)
    return isinstance(value, dict) and value.get("text") == []


def writing(good: list[dict[str, Any]], look: Look) -> None:
    """Note which fields hold the source and the target, or several annotators' targets, and what these seem to be."""
    targets = [] if look.options.names else _family(good)
    target = played(good, "target") or _second(good)
    several = played(good, "references")
    if not targets and several and isinstance(good[0][several], list):
        look.columns["answers"] = several
        targets = [several]
    elif targets:
        look.annotator_columns = targets
    elif target:
        look.columns["target"] = target
        targets = [target]
    rest = [{name: value for name, value in record.items() if name not in targets} for record in good]
    if not targets or not any(rest):
        raise AssayError(
            "the file", f"its records hold {', '.join(good[0])}", "name the fields of source and target in the recipe"
        )
    look.columns["source"] = source = _source(rest, look)
    kind = _kind(good, source, targets[0])
    others = [{name: value for name, value in record.items() if name != source} for record in rest]
    if kind == "answer" and (context := played(others, "context")):
        look.columns["context"] = context
    spine([{name: value for name, value in record.items() if name not in targets} for record in good], look)
    look.guideline["kind"] = kind
    look.notes.append(f"source is '{source}', target {', '.join(targets)}: taken for {kind}")


def _source(rest: Sequence[Mapping[str, Any]], look: Look) -> str:
    """The field that is called a source, if it is not blank mostly; else the text with most characters.

    Raises:
        AssayError: there is no text but codes and numbers.
    """
    named = None if look.options.names else played(rest, "source")
    if named and 2 * len(given(rest, named)) >= len(rest) and not are_codes(given(rest, named)):
        return named
    found = longest(rest)
    if are_codes(given(rest, found)):
        raise AssayError("the file", f"none of its columns is a text: {', '.join(rest[0])}", texts_apart(rest))
    return found


def _family(good: Sequence[Mapping[str, Any]]) -> list[str]:
    """The columns that are called the same but for a number at the end, and hold most text: one annotator each."""
    families: dict[str, list[str]] = {}
    for name in good[0]:
        if ended := re.fullmatch(r"(.*?)[\s_-]*\d+", name):
            families.setdefault(ended[1], []).append(name)
    most = {stem: _chars(good, names) for stem, names in families.items() if len(names) > 1}
    return families[max(most, key=lambda stem: most[stem])] if most else []


def _second(good: Sequence[Mapping[str, Any]]) -> str | None:
    """The text field with most characters but one: what is written of a text is mostly shorter."""
    seen = {name: {record.get(name) for record in good[:LOOKED_AT] if _is_text(record.get(name))} for name in good[0]}
    rest = sorted({name for name, texts in seen.items() if len(texts) > 1 or len(good) == 1} - {longest(good)})
    return max(rest, key=lambda name: _chars(good, [name])) if rest else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _chars(good: Sequence[Mapping[str, Any]], names: Sequence[str]) -> int:
    return sum(len(str(record.get(name) or "")) for record in good[:LOOKED_AT] for name in names)


def _kind(good: Sequence[Mapping[str, Any]], source: str, target: str) -> str:
    """What the target is to the source: by its name, or by its script where that is another one."""
    called = plain(re.sub(r"\d+$", "", target))
    by_name = next((kind for kind, names in KINDS.items() if called in names), None)
    if by_name:
        return by_name
    pairs = [(str(record.get(source) or ""), str(record.get(target) or "")) for record in good[:LOOKED_AT]]
    other = sum(is_unspaced(one) != is_unspaced(two) for one, two in pairs)
    return "translation" if 2 * other > len(pairs) else "other"
