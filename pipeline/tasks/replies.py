"""Replies: whether their tool calls can be read, how near two are, and how right they are."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from pipeline.text import normalised, units

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NGRAMS = range(1, 7)
MOST_CHARS = 4000
"""How much of a reply likeness looks at."""

# -- tool calls

_TAGGED = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.DOTALL)
_THOUGHT = re.compile(r"<think>.*?</think>", re.DOTALL)
_CALL_LIKE = re.compile(r'\s*\[?\s*\{\s*"(?:name|arguments)"\s*:')


def looks_like_call(content: str) -> bool:
    """Whether an assistant turn means to call a tool."""
    bare = _THOUGHT.sub("", content)
    return "<tool_call>" in bare or bool(_CALL_LIKE.match(bare) and '"arguments"' in bare)


def broken_call(content: str) -> str:
    """What is wrong with the tool calls of an assistant turn; empty if each is JSON with a name and arguments."""
    bare = _THOUGHT.sub("", content)
    if bare.count("<tool_call>") != bare.count("</tool_call>"):
        return "a <tool_call> is not closed"
    tagged = _TAGGED.findall(bare)
    try:
        calls = [call for text in tagged or [bare] for call in _calls(text)]
    except ValueError as error:
        return f"no JSON: {error}"
    if not calls:
        return f"no tool call before a tool's turn: {content:.60}"
    wrong = [call for call in calls if not _is_call(call)]
    return f"no name or no arguments: {wrong[0]!r:.80}" if wrong else ""


def _calls(text: str) -> Iterable[Any]:
    """The JSON values that stand one after another in a text that may begin with words."""
    at = next((place for place, character in enumerate(text) if character in "[{"), len(text))
    while at < len(text):
        value, at = json.JSONDecoder().raw_decode(text, at)
        yield from value if isinstance(value, list) else [value]
        at += len(text[at:]) - len(text[at:].lstrip())


def _is_call(call: Any) -> bool:
    if not isinstance(call, dict) or not isinstance(call.get("name"), str) or not call["name"]:
        return False
    arguments = call.get("arguments", call.get("parameters"))
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            return False
    return isinstance(arguments, dict)


# -- what a reply comes to

_FINAL = re.compile(
    r"####\s*(?P<hashes>[^\n]{1,80})"
    r"|\\boxed\{(?P<boxed>[^{}\n]{1,80})\}"
    r"|^(?:\**(?:final |the )?answer(?: is)?|a|答案是?|最终答案是?|因此答案是?)\**\s*[:：是]\**\s*"
    r"(?P<said>[^\n]{1,80})$",
    re.IGNORECASE | re.MULTILINE,
)


def final(reply: str) -> str | None:
    """The answer that a worked reply comes to, in the normal form of duplicates; None where it marks none.

    Marked are `#### 42`, `\\boxed{42}`, and a line `A: 42`, `Answer: 42` or `答案：42`, the last one of a reply.

    >>> final("3 + 4 = 7\\n#### 7"), final("First, A: B.")
    ('7', None)
    """
    found = list(_FINAL.finditer(reply))
    if not found:
        return None
    said = next(value for value in found[-1].groupdict().values() if value is not None)
    return normalised(said.strip(" .。$*")) or None


FINAL = "= "
"""How the key of a reply begins that comes to a final answer."""


def key(reply: str) -> str:
    """What replies that say the same have in common: the answer that they come to, else all their words."""
    said = final(reply)
    return normalised(reply) if said is None else f"{FINAL}{said}"


# -- how near, how right


def medoid(said: Sequence[tuple[str, str]]) -> tuple[str, float, bool]:
    """Of (key, reply) pairs: the key whose reply is on average most like the others, that likeness, and if two are.

    A reply that somebody else gave too is wholly like that one. Needs two pairs or more.
    """
    grams = [_grams(reply) for _, reply in said]
    likeness: dict[str, float] = {}
    for at, (key, _) in enumerate(said):
        others = [
            1.0 if key == other else likeness_of(grams[at], grams[index])
            for index, (other, _) in enumerate(said)
            if index != at
        ]
        likeness[key] = max(likeness.get(key, 0.0), sum(others) / max(len(others), 1))
    best = max(likeness.values())
    near = sorted(key for key, value in likeness.items() if value >= best - 1e-9)
    return near[0], best, len(near) > 1


def likeness(one: str, other: str) -> float:
    """How like two replies are, 0 to 1 (see `likeness_of`)."""
    return likeness_of(_grams(one), _grams(other))


def _grams(reply: str) -> list[Counter[str]]:
    text = "".join(reply[:MOST_CHARS].split())
    return [Counter(text[at : at + size] for at in range(len(text) - size + 1)) for size in NGRAMS]


def likeness_of(one: Sequence[Counter[str]], other: Sequence[Counter[str]]) -> float:
    """Mean F1 of shared character n-grams, 0 to 1, the same both ways round.

    chrF with beta 1: Popović 2015, doi:10.18653/v1/W15-3049.
    """
    shares = [
        2 * sum((a & b).values()) / (a.total() + b.total())
        for a, b in zip(one, other, strict=True)
        if a.total() + b.total()
    ]
    return sum(shares) / len(shares) if shares else 1.0


def scores(gold: Sequence[str], found: Sequence[str]) -> dict[str, float]:
    """chrF of the corpus (0 to 100); the share of exact replies, mean ROUGE-L F and mean length ratio.

    ROUGE-L (Lin 2004, aclanthology W04-1013) is over words where a script has them, over characters where not.
    """
    if not gold:
        return {"chrf": 0.0, "exact_match": 0.0, "rouge_l": 0.0, "length_ratio": 0.0}
    from sacrebleu.metrics import CHRF

    pairs = [(true.strip(), said.strip()) for true, said in zip(gold, found, strict=True)]
    chrf = CHRF().corpus_score([said for _, said in pairs], [[true for true, _ in pairs]]).score
    return {
        "chrf": float(chrf),
        "exact_match": sum(true == said for true, said in pairs) / len(pairs),
        "rouge_l": sum(rouge_l(true, said) for true, said in pairs) / len(pairs),
        "length_ratio": sum(len(said) / max(len(true), 1) for true, said in pairs) / len(pairs),
    }


def rouge_l(gold: str, found: str) -> float:
    """F of the longest common subsequence of words (characters where a script has no spaces), 0 to 1.

    >>> rouge_l("北京是首都", "北京是首都"), round(rouge_l("the cat sat", "the dog sat"), 3)
    (1.0, 0.667)
    """
    one, other = ([text[start:end].casefold() for start, end in units(text)] for text in (gold, found))
    if not one or not other:
        return float(gold == found)
    return 2 * _common(one, other) / (len(one) + len(other))


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence, a bit per word of `one` (Hyyrö 2004): long replies stay cheap."""
    places: dict[str, int] = {}
    for at, word in enumerate(one):
        places[word] = places.get(word, 0) | 1 << at
    full = (1 << len(one)) - 1
    row = full
    for word in other:
        hit = row & places.get(word, 0)
        row = ((row + hit) | (row - hit)) & full
    return len(one) - row.bit_count()
