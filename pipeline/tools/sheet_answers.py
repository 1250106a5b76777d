"""What a filled-in line of a sheet says: its verdict, the right answer in words, and the day, however it is shown."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.dates import seconds
from pipeline.errors import Unfit
from pipeline.tools import entry as said
from pipeline.tools.cells import NONE, WORDS, cell_text
from pipeline.tools.marks import unmarked, unrelated

if TYPE_CHECKING:
    from collections.abc import Mapping

_HIDDEN = re.compile(r"(\\.)|\[U\+([0-9A-F]{4,6})\]", re.DOTALL)
_DAY_FIRST = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})(.*)")
_SERIAL = re.compile(r"([2-7]\d{4})(?:[.,]\d+)?")


def number_of(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


def day_of(when: str) -> tuple[str | None, str]:
    """The date that a cell holds, in ISO form, however the spreadsheet shows it; else None and why."""
    if serial := _SERIAL.fullmatch(when):
        return (date(1899, 12, 30) + timedelta(days=int(serial[1]))).isoformat(), ""
    if found := _DAY_FIRST.fullmatch(when):
        first, mark, second, year, rest = found.groups()
        if mark != "." and int(first) <= 12 and int(second) <= 12 and first != second:
            return None, f"when {when!r:.40} may be two days: write {year}-MM-DD"
        day, month = (second, first) if int(second) > 12 else (first, second)
        when = f"{year}-{month:0>2}-{day:0>2}{rest}"
    if not when or seconds(when) is None:
        return None, f"when {when!r:.40} is no date" if when else ""
    return re.sub(r"^(\d{4})[/.](\d{1,2})[/.](\d{1,2})", lambda d: f"{d[1]}-{d[2]:0>2}-{d[3]:0>2}", when), ""


class Answer:
    """What a filled-in line says, beside what it is about."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data

    def of(self, given: str, right: Any) -> dict[str, Any]:
        verdict, has_right = WORDS.get(given.casefold()), right not in (None, "")
        blind = self.data.get("answer") in (None, "")
        if given and verdict is None:
            return {"problem": f"verdict {given!r:.40} is not clear: say wrong, fine, ambiguous or drop"}
        if has_right and (verdict in ("fine", "ambiguous", "drop") or (verdict is None and not blind)):
            return {"problem": f"{verdict or 'no verdict'}, and yet a right answer: {right!r:.40}"}
        if verdict == "fine" and blind:
            return {"problem": "fine, and no answer was shown"}
        told = {} if verdict is None else {"verdict": verdict}
        if verdict == "fine":
            return {**told, **self._keyed(self._judged_answer())}
        try:
            return {**told, **(self._keyed(self._read(right)) if has_right else {})}
        except Unfit as unfit:
            return {**told, "problem": f"the right answer cannot be read: {unfit}"}

    def _judged_answer(self) -> Any:
        answer = self.data["answer"]
        return answer if self.data.get("kind") else self._read(cell_text(answer))

    def _keyed(self, answer: Any) -> dict[str, Any]:
        """An answer under the name that its kind has in entries."""
        kind = self.data.get("kind")
        if kind in ("spans", "relations"):
            marks = answer if kind == "spans" else self.data.get("entities") or []
            spans, problem = said.checked_spans(self.data["text"], marks)
            links = [{"head": h, "tail": t, "label": label} for h, t, label in answer] if kind == "relations" else None
            return {"spans": spans, "relations": links, "problem": problem or None}
        if kind in ("rating", "text"):
            return {"rating" if kind == "rating" else "reply": answer}
        labels = answer if isinstance(answer, list) else [answer]
        if kind is None and isinstance(answer, list) and answer and isinstance(answer[0], list):
            return {"spans": said.checked_spans(self.data["text"], answer)[0]}
        return {"labels": labels} if kind or len(labels) != 1 else {"labels": labels, "reply": labels[0]}

    def _read(self, words: Any) -> Any:
        """The answer that a person wrote; raises Unfit."""
        kind = self.data.get("kind")
        if not isinstance(words, str) or kind == "text":
            return words
        if kind == "rating":
            return _rating(words)
        if words == NONE:
            return []
        found = _json(words) if words.startswith("[") else None
        return self._worded(words) if found is None else found

    def _worded(self, words: str) -> Any:
        kind, text = self.data.get("kind"), self.data["text"]
        if kind == "spans" or (kind is None and re.search(r"\[[^\[\]]+\|[^\[\]]+\]", words)):
            return unmarked(_unhidden(words), text)
        return self._relations(words, text) if kind == "relations" else self._labels(words)

    def _relations(self, words: str, text: str) -> list[list[Any]]:
        found = unrelated(_unhidden(words), [text[s:e] for s, e, _ in self.data.get("entities") or []])
        if not found:
            raise Unfit("wrong_type", f"no relation as LABEL(1 head → 2 tail): {words!r:.60}")
        return found

    def _labels(self, words: str) -> list[str]:
        several = re.split(r"\s*[,;，；、]\s*", words) if self.data.get("many") else [words]
        return [self._label(one) for one in several if one]

    def _label(self, word: str) -> str:
        """A label as the guideline spells it, where a spreadsheet took it for a number or a truth value."""
        names = self.data.get("names") or []
        if word in names or not names:
            return word
        number = number_of(word)
        same = [
            one
            for one in names
            if one.casefold() == word.casefold() or (number is not None and number_of(one) == number)
        ]
        return str(same[0]) if len(same) == 1 else word


def _rating(words: str) -> float | int:
    number = number_of(words)
    if number is None or not abs(number) < 1e15:
        raise Unfit("wrong_type", f"no number: {words!r:.40}")
    return int(number) if number % 1 == 0 else number


def _json(words: str) -> list[Any] | None:
    try:
        found = json.loads(words)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


def _unhidden(words: str) -> str:
    """Characters that `visible` spelled out, as they were; what follows a backslash is the text's own."""
    return _HIDDEN.sub(lambda found: found[1] or chr(int(found[2], 16)), words)
