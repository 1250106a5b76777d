"""Rules: one decision for all parts of answers that are given the same and meet the same conditions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pipeline.errors import Unfit, nearest
from pipeline.tasks.parts import NOTHING, WHOLE, label_at
from pipeline.text import nfc, units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pipeline.tasks import Row, Task

LISTS = ("surfaces", "phrases", "sources")
_SHOWN, _SHOWN_CHARS = 6, 60


@dataclass(frozen=True, slots=True)
class Rule:
    """What is `given` becomes something else wherever all the conditions hold that are named.

    Attributes:
        given, becomes: labels, "O" for no span; of `part`, where rows may carry several labels, "yes" and "no".
        surfaces: what the span covers, one of these, case aside; of "O", words that are marked nowhere.
        phrases: what the text holds as whole words (in unspaced scripts, as characters), one of these, case aside.
        sources: where the row comes from, one of these.
        part: the label that is put on or taken off, where rows may carry several.
    """

    given: str
    becomes: str
    surfaces: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    part: str = ""

    @classmethod
    def read(cls, entry: Mapping[str, Any]) -> Rule:
        """The rule that a JSON object says.

        Raises:
            Unfit: `wrong_type`, with what is wrong: a name that rules do not have, or a value that is no text.
        """
        if not isinstance(entry, dict):
            raise Unfit("wrong_type", f"a rule is an object, not {entry!r:.80}")
        known = ("given", "becomes", *LISTS, "part")
        if unknown := sorted(set(entry) - set(known)):
            raise Unfit("wrong_type", f"a rule has no {unknown[0]!r:.40}; {nearest(unknown[0], known)}")
        for name in ("given", "becomes", "part"):
            if not isinstance(entry.get(name, "" if name == "part" else None), str):
                raise Unfit("wrong_type", f"'{name}' of a rule is a text, not {entry.get(name)!r:.40}")
        lists = {name: _texts(name, entry.get(name, [])) for name in LISTS}
        if not entry["given"] or entry["given"] == entry["becomes"]:
            raise Unfit("wrong_type", f"a rule that makes {entry['becomes']!r:.40} of {entry['given']!r:.40}")
        return cls(entry["given"], entry["becomes"], **lists, part=entry.get("part", ""))

    def told(self) -> dict[str, Any]:
        """The rule as a JSON object, without what it does not name."""
        named: dict[str, Any] = {"given": self.given, "becomes": self.becomes}
        named |= {name: list(getattr(self, name)) for name in LISTS if getattr(self, name)}
        return named | ({"part": self.part} if self.part else {})

    def words(self, language: str = "en") -> str:
        """The rule in English words, whatever language is asked for so far.

        >>> Rule("LOC", "ORG", surfaces=("arsenal",)).words()
        'Wherever “arsenal” is marked LOC, make it ORG.'
        >>> Rule("O", "PER", surfaces=("女人",)).words()
        'Wherever “女人” is not marked, mark it PER.'
        >>> Rule("card_arrival", "lost_card", phrases=("lost",)).words()
        'Where the answer is card_arrival and the text has “lost”, make it lost_card.'
        """
        where = f" and the text has {_listed(self.phrases)}" if self.phrases else ""
        where += f" and the row is from {_listed(self.sources)}" if self.sources else ""
        if self.part:
            return f"{_on_label(self, where)}."
        if self.surfaces or NOTHING in (self.given, self.becomes):
            return f"{_on_spans(self, where)}."
        return f"Where the answer is {self.given}{where}, make it {self.becomes}."

    def parts(self, row: Row, task: Task, source: str = "") -> list[str]:
        """The parts of the row's answer that the rule speaks of, in order.

        `source`: the name of the source of the row; where it is not told, what stands before the slash in its id.
        """
        if self.sources and (source or str(row["id"]).partition("/")[0]) not in self.sources:
            return []
        text = task.shown(row)
        if self.phrases and not finder(self.phrases).holds(text):
            return []
        if task.head == "token":
            return list(self._stretches(text, task.answer(row)))
        if self.surfaces:
            return []
        part = self.part if task.head == "multilabel" else WHOLE
        if (part == WHOLE) != (task.head != "multilabel"):
            return []
        return [part] if label_at(task, task.answer(row), part) == self.given else []

    def _stretches(self, text: str, spans: Iterable[Any]) -> Iterator[str]:
        if self.given == NOTHING:
            held = [(start, end) for start, end, _ in spans]
            for start, end, _ in finder(self.surfaces).found(text):
                if all(end <= left or right <= start for left, right in held):
                    yield f"{start}:{end}"
            return
        wanted = _folded(self.surfaces)
        for start, end, label in spans:
            if label == self.given and (not self.surfaces or folded(text[start:end]) in wanted):
                yield f"{start}:{end}"


class Finder:
    """Finds many phrases in a text at once, as whole words, case aside; a phrase is a run of `text.units`.

    A text is looked through once, however many the phrases: at every unit one look-up, and one more for each length
    that phrases with this first unit have.
    """

    def __init__(self, phrases: Iterable[str]) -> None:
        self._phrases: dict[tuple[str, ...], str] = {}
        for phrase in phrases:
            if key := keyed(phrase):
                self._phrases.setdefault(key, phrase)
        lengths: dict[str, set[int]] = {}
        for key in self._phrases:
            lengths.setdefault(key[0], set()).add(len(key))
        self._lengths = {first: sorted(sizes, reverse=True) for first, sizes in lengths.items()}

    def holds(self, text: str) -> bool:
        """Whether any phrase stands in the text."""
        return next(self._hits(_cut(text)[1]), None) is not None

    def all(self, text: str) -> set[str]:
        """The phrases that stand in the text, also where they overlap."""
        return {phrase for _, _, phrase in self._hits(_cut(text)[1])}

    def hits(self, text: str) -> Iterator[tuple[int, int, str]]:
        """(start, end, phrase) wherever a phrase stands, from left to right, longer ones first."""
        places, words = _cut(text)
        for first, size, phrase in self._hits(words):
            yield places[first][0], places[first + size - 1][1], phrase

    def found(self, text: str) -> list[tuple[int, int, str]]:
        """(start, end, phrase) from left to right, the longest where several begin, none inside another; code points.

        >>> Finder(["new york", "york"]).found("New  York or York")
        [(0, 9, 'new york'), (13, 17, 'york')]
        """
        found: list[tuple[int, int, str]] = []
        for start, end, phrase in self.hits(text):
            if not found or start >= found[-1][1]:
                found.append((start, end, phrase))
        return found

    def _hits(self, words: list[str]) -> Iterator[tuple[int, int, str]]:
        """(first unit, units, phrase) of all places, the longest of those that begin at the same one first."""
        for first, word in enumerate(words):
            for size in self._lengths.get(word, ()):
                phrase = self._phrases.get(tuple(words[first : first + size]))
                if phrase is not None and first + size <= len(words):
                    yield first, size, phrase


@lru_cache(maxsize=4096)
def finder(phrases: tuple[str, ...]) -> Finder:
    """The finder of these phrases, made once."""
    return Finder(phrases)


def folded(text: str) -> str:
    """The text with case and ways of composing letters aside.

    >>> folded("Ａrsenal") == folded("ａRSENAL"), folded("É") == folded("e\u0301")
    (True, True)
    """
    return nfc(nfc(text).casefold())


@lru_cache(maxsize=4096)
def _folded(surfaces: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(folded, surfaces))


def keyed(text: str) -> tuple[str, ...]:
    """The words of a text as they are compared; single characters of unspaced scripts."""
    return tuple(_cut(text)[1])


def _cut(text: str) -> tuple[list[tuple[int, int]], list[str]]:
    places = units(text)
    if text.isascii():
        lower = text.lower()
        return places, [lower[start:end] for start, end in places]
    return places, [folded(text[start:end]) for start, end in places]


def _texts(name: str, given: Any) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) and one for one in given):
        raise Unfit("wrong_type", f"'{name}' of a rule is a list of texts, not {given!r:.60}")
    return tuple(given)


def _listed(texts: tuple[str, ...]) -> str:
    named = [f"“{text[:_SHOWN_CHARS]}{'…' if len(text) > _SHOWN_CHARS else ''}”" for text in texts[:_SHOWN]]
    if len(texts) > _SHOWN:
        return f"{', '.join(named)} or one of {len(texts) - _SHOWN} more"
    return " or ".join([", ".join(named[:-1]), named[-1]] if named[1:] else named)


def _on_label(rule: Rule, where: str) -> str:
    has = "carries" if rule.given == "yes" else "does not carry"
    return f"Where the row {has} {rule.part}{where}, {'take it off' if rule.becomes == 'no' else 'put it on'}"


def _on_spans(rule: Rule, where: str) -> str:
    what = _listed(rule.surfaces) if rule.surfaces else "anything"
    if rule.given == NOTHING:
        return f"Wherever {what} is not marked{where}, mark it {rule.becomes}"
    made = "take the mark away" if rule.becomes == NOTHING else f"make it {rule.becomes}"
    return f"Wherever {what} is marked {rule.given}{where}, {made}"


__all__ = ["LISTS", "Finder", "Rule", "finder", "folded", "keyed"]
