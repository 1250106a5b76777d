"""Questioning: what a question asks for, and what makes an extract look like no answer to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.tasks import Doubt
from pipeline.tasks.extracts import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG_SHARE, LONG_CHARS = 0.5, 60
"""An answer of more than this share of a context that is longer than so many characters is no extract."""

KINDS = {
    "how many": r"\bhow (?:many|much)\b|多少|(?<!哪)[几幾][个個人次种種年天位名部支条座家所只首届]",
    "when": r"\b(?:when|(?:what|which) (?:year|date|day|month|century|decade))\b|何[时時]|什么时[候间]|哪一?[年天日]",
    "who": r"\b(?:who|whom|whose)\b|谁|誰|何人|哪位",
    "where": r"\bwhere\b|哪里|哪裡|哪儿|何处|何地|什么地[方点]|在哪(?![个個一些种種年几幾])",
    "why": r"\bwhy\b|为什么|為什麼|为何|何故",
    "how": r"\bhow\b|如何|怎[么样麼樣]",
    "which": r"\bwhich\b|哪[个些种一几部家所种]?",
    "what": r"\bwhat\b|什么|什麼|何",
}
"""What a question asks for, the most telling first; a question of another language is "other"."""
KEPT = (
    *("how", "many", "much", "when", "what", "which", "year", "who", "whom", "whose", "where", "why"),
    *("多少", "谁", "何", "什么", "哪", "几", "怎么", "如何"),
)
"""The words that say what is asked for, which no edit may touch."""
_KINDS = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in KINDS.items()}
_YEAR = re.compile(r"\b(?:what|which) year\b|哪一?年", re.IGNORECASE)

_WORDS_OF_NUMBER = (
    "zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\\w+teen|twenty|thirty|forty|fifty|sixty"
    "|seventy|eighty|ninety|hundreds?|thousands?|millions?|billions?|trillions?|dozens?|half|halves|thirds?|quarters?"
    "|once|twice|both|none|no|a|an|few|several|many|most|all|some|little|single|couple|pair|double|triple|never|more"
    "|less|every|each|too|enough|much|any|countless|numerous|first|second|\\w+fold|majority|minority|just|only|zeros?"
)
_NUMBER = re.compile(
    rf"\d|\b(?:{_WORDS_OF_NUMBER})\b|[一二三四五六七八九十百千万亿两零〇半几数多少无每全壹贰叁]|¼|½|¾", re.IGNORECASE
)
_DIGIT = re.compile(r"\d|[一二三四五六七八九十〇零]")
_ONLY_NUMBER = re.compile(r"[\W\d_]*\d[\W\d_]*")
_CHOICE = re.compile(r"\bor\b|还是|或|哪|是否|吗", re.IGNORECASE)
_BRACKETS = ("()", "（）", "《》", "〈〉", "「」", "『』", "“”", "【】", "[]")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_MARKS = "，。；：、！？,;!?"


def kind(question: str) -> str:
    """What a question asks for.

    >>> kind("How many people live there?"), kind("这部电影是谁拍的？"), kind("Name one.")
    ('how many', 'who', 'other')
    """
    return next((name for name, pattern in _KINDS.items() if pattern.search(question)), "other")


def of_extract(question: str, context: str, start: int, end: int) -> Iterator[Doubt]:
    """Every doubt about the characters from `start` to `end` of a context as the answer to a question."""
    answer = context[start:end]
    checks = {
        "question_too_long": _too_long(question, context),
        "answer_too_long": _most_of(answer, context),
        "echo": _echoed(question, answer),
        "cut_word": _cut(context, start) or _cut(context, end),
        "loose_edge": _loose(answer, context, start, end),
        "other_kind": _other_kind(question, answer),
    }
    yield from (Doubt(name, evidence) for name, evidence in checks.items() if evidence)


def _too_long(question: str, context: str) -> str:
    longer = len(question) > max(len(context), LONG_CHARS)
    return f"the question has {len(question)} characters, its context {len(context)}" if longer else ""


def _most_of(answer: str, context: str) -> str:
    if len(context) <= LONG_CHARS or len(answer) <= LONG_SHARE * len(context):
        return ""
    return f"the answer is {len(answer)} of the context's {len(context)} characters"


def _echoed(question: str, answer: str) -> str:
    """That the answer is a run of the question's own words, where that does not offer answers to choose from."""
    said, asked = tokens(answer), tokens(question)
    runs = any(asked[at : at + len(said)] == said for at in range(len(asked) - len(said) + 1))
    return f"{answer!r:.60} stands in the question" if said and runs and not _CHOICE.search(question) else ""


def _cut(context: str, at: int) -> str:
    """That an edge stands in the middle of a Latin word or a number; scripts that add endings to names may be cut."""
    before, after = context[at - 1 : at], context[at : at + 1]
    inside = (before.isdigit() and after.isdigit()) or (_LATIN.fullmatch(before) and _LATIN.fullmatch(after))
    decimal = before in tuple(".,") and after.isdigit() and context[at - 2 : at - 1].isdigit()
    decimal = decimal or (before.isdigit() and after in tuple(".,") and context[at + 1 : at + 2].isdigit())
    if not (inside or decimal) or not before or not after:
        return ""
    return f"an edge cuts {context[max(at - 12, 0) : at]!r} from {context[at : at + 12]!r}"


def _loose(answer: str, context: str, start: int, end: int) -> str:
    """That the answer begins or ends with a mark, or has one half of a pair of brackets that stands right outside."""
    if len(answer) > 1 and (answer[0] in _MARKS or answer[-1] in "，；：、,;"):
        return f"{answer!r:.60} begins or ends with a mark"
    for opening, closing in map(tuple, _BRACKETS):
        lacks = answer.count(opening) - answer.count(closing)
        if (lacks == 1 and context[end : end + 1] == closing) or (
            lacks == -1 and context[start - 1 : start] == opening
        ):
            return f"{answer!r:.60} lacks a half of {opening}{closing}"
    return ""


def _other_kind(question: str, answer: str) -> str:
    """That a question for a number or a year is answered without one, or a question for a person with a number."""
    asked = kind(question)
    if asked == "how many" and not _NUMBER.search(answer):
        return f"asks how many, but {answer!r:.60} has no number"
    if asked == "when" and _YEAR.search(question) and not _DIGIT.search(answer):
        return f"asks for a year, but {answer!r:.60} has none"
    if asked in ("who", "where", "why") and _ONLY_NUMBER.fullmatch(answer):
        return f"asks {asked}, but {answer!r:.60} is a number"
    return ""
