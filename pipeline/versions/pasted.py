"""The diff as Markdown that can be pasted into a pull request: all that comes from data is code or escaped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pipeline.versions import saying
from pipeline.versions.markdown import code, safe, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_CHARS = 160
_FIGURE = re.compile(r"[-+0-9.,% \[\]]*( (negligible|small|medium|large))?|not measured")
_KINDS = {"relabelled": "Relabelled", "retexted": "Re-texted", "resplit": "On another side"}
_KINDS |= {"removed": "Removed", "added": "Added"}


def markdown(found: Mapping[str, Any]) -> str:
    """The whole diff, the test set first, examples folded away."""
    lines = [
        f"### {safe(saying.title(found))}",
        "",
        f"**{safe(saying.verdict(found))}**",
        "",
        safe(saying.counts(found)),
        "",
    ]
    for part in saying.parts(found):
        lines += [f"#### {safe(part.title)}", "", *(line for one in part.sentences for line in (safe(one), ""))]
        if part.lines:
            rows = [[code(name) if name else "", *map(_cell, rest)] for name, *rest in part.lines]
            lines += [*table([safe(one) for one in part.head], rows, right=len(part.head) - 1), ""]
    for kind, title in _KINDS.items():
        lines += _folded(title, found["examples"][kind], found["rows"][kind])
    if found["recipe"]["lines"]:
        lines += _recipe(found["recipe"]["lines"])
    return "\n".join(lines).rstrip() + "\n"


def _cell(text: str) -> str:
    """A figure as it is; what is no figure comes from data."""
    return text if _FIGURE.fullmatch(text) else code(text) if text else ""


def _folded(title: str, examples: Sequence[Mapping[str, Any]], whole: int) -> list[str]:
    if not examples:
        return []
    some = f"{len(examples):,} of {whole:,}" if len(examples) < whole else f"{whole:,}"
    head = [f"<details><summary>{title}: {some}</summary>", ""]
    return [*head, *(line for one in examples for line in _example(one)), "", "</details>", ""]


def _example(one: Mapping[str, Any]) -> Iterator[str]:
    if "from" in one:
        yield f"- {code(one['id'])} {one['from']} → {one['to']}"
        return
    reason = f", {code(one['reason'])}" if one.get("reason") else ""
    yield f"- {code(one['id'])} ({one['side']}{reason}) {code(one['text'], most=_CHARS)}"
    if "text_pieces" in one:
        yield f"  - text: {_pieces(one['text_pieces'])}"
    if one.get("marks"):
        yield f"  - {'; '.join(code(mark, most=_CHARS) for mark in one['marks'])}"
    elif "answer_pieces" in one:
        yield f"  - answer: {_pieces(one['answer_pieces'])}"
    elif "before" in one:
        yield f"  - {code(one['before'], most=_CHARS)} → {code(one['after'], most=_CHARS)}"


def _pieces(pieces: Sequence[Sequence[str]]) -> str:
    """A text with what went struck through and what came in bold."""
    marks = {"=": "", "-": "~~", "+": "**"}
    told_ = (
        f"{marks[sign]}{code(text, most=_CHARS)}{marks[sign]}" for sign, text in pieces if text.strip() or sign != "="
    )
    return " ".join(told_)


def _recipe(lines: Sequence[str]) -> list[str]:
    """The changed lines of the recipe, in a fence longer than any that stands in them."""
    fence = "`" * max(3, 1 + max(_run(line) for line in lines))
    head = ["<details><summary>The recipe</summary>", "", f"{fence}diff"]
    return [*head, *(_line(line) for line in lines), fence, "", "</details>", ""]


def _run(line: str) -> int:
    longest = run = 0
    for character in line:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest


def _line(line: str) -> str:
    return line[:1] + "".join(" " if ord(character) < 32 else character for character in line[1:300])
