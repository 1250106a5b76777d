"""Doubts: what makes a written answer look wrong though it breaks no rule: false sums, loops, empty talk."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from pipeline.tasks import Doubt
from pipeline.text import UNSPACED, normalised

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG = 200
"""Characters from which on a reply is expected to end where a sentence does."""
LOOPS, LOOP_SHARE = 4, 0.3
"""A line that stands so often, and makes up so much of the reply, is a loop."""
LEAST_LETTERS = 20
"""Letters that a text must have before its script is compared."""

_NUMBER = r"-?\d{1,12}(?:,\d{3})*(?:\.\d{1,9})?"
_SIGN = "[-+*/x×÷−]"
# Not part of a longer sum, on either side, no percentage, no fraction (1/2), no unknown x, no time, no 3 000.
_SUM = re.compile(
    rf"(?<![\w.,:/*+×÷%^)-])(?<!{_SIGN} )(?<!\d )\$?({_NUMBER})(?: (/) |(?: ?)([-+*×÷−]|x(?! ?-))(?: ?))"
    rf"\$?({_NUMBER}) ?= ?\$?({_NUMBER})(?![\d.,]*[\w%]| ?{_SIGN}\s?[\w(]| 000| (?:cents?|thousand|million|万))"
)
_CALCULATED = re.compile(r"<<([-+*/(). \d]{1,60})=(" + _NUMBER + r")>>")
_PARTS = re.compile(r"\d+(?:\.\d+)?|[-+*/()]")
_FENCE = re.compile(r"^\s*```", re.MULTILINE)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]+`", re.DOTALL)
_HAN = re.compile(f"[{UNSPACED}]")
_LATIN = re.compile(r"[A-Za-z]")
_FOREIGN_WANTED = re.compile(
    r"(?i)translat|in (?:english|chinese|mandarin|japanese)|翻译|译[成为]|(?:英|中|日|韩|法|德)[文语]|英譯|中譯"
    r"|code|代码|程序|编程|sql|python"
)
_OTHER_TURN = re.compile(r"(?m)^\s*(?:#+ ?)?(?:Human|User|Assistant|### Instruction|### Response|用户|助手)\s*[:：]")
_SELF_TALK = re.compile(
    r"(?i)\bas an? (?:ai|artificial intelligence|large language|language model)|作为一?[个名]?(?:人工智能|AI|语言模型)|"
    r"我(?:只)?是一?[个名]?(?:人工智能|AI|语言模型)"
)
_ASKS_BACK = re.compile(
    r"(?i)you (?:have not|haven't|did not|didn't) (?:provide|specif|includ)"
    r"|please provide (?:the|me|more|a)\b|no (?:input|text|article) (?:was|is|has been) (?:provided|given)"
    r"|(?:没有|未)提供(?:任何|具体|相关)?[^，。]{0,8}(?:信息|文本|文章|内容|输入|句子)"
    r"|请(?:您|你)?(?:再)?提供(?:更多|具体|相关|相应|需要)"
)
_FILLER = re.compile(
    r"(?i)\b(?:sure|of course|certainly|great question|absolutely|i hope this helps|hope (?:this|that) helps"
    r"|let me know if[^.!?\n]*|feel free to[^.!?\n]*|here(?: is|'s| are)[^.:!?\n]{0,60}|thank you[^.!?\n]*"
    r"|happy to help|you're welcome)\b"
    r"|好的|当然(?:可以)?|没问题|希望(?:这|以上)[^。！\n]{0,20}(?:帮助|有用)|以下是[^。：:\n]{0,30}"
    r"|如果[您你]?(?:还)?有[^。！\n]{0,30}问题[^。！\n]{0,20}|感谢[^。！\n]{0,20}"
)
_CLOSERS = "\"'”’»)]}）】》」』*_`~"
_TERMINAL = ".!?。！？…:：;；|>"


def of_reply(asked: str, reply: str) -> Iterator[Doubt]:
    """Every doubt about a reply to what was asked last.

    >>> [doubt.evidence for doubt in of_reply("How much?", "3 + 4 = 8, so 8.")]
    ['3 + 4 = 8: it is 7']
    """
    prose = _CODE.sub(" ", reply)
    checks = {
        "false_sum": false_sum(prose),
        "loop": looped(reply),
        "cut_off": cut_off(reply),
        "wrong_script": wrong_script(asked, prose),
        "other_turn": _seen(_OTHER_TURN, prose),
        "self_talk": _seen(_SELF_TALK, prose),
        "asks_back": _seen(_ASKS_BACK, prose[:LONG]),
        "empty_talk": empty_talk(prose),
    }
    yield from (Doubt(kind, evidence) for kind, evidence in checks.items() if evidence)


def _seen(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return f"says {found[0].strip()!r:.60}" if found else ""


def false_sum(text: str) -> str:
    """The first sum of two numbers, or <<calculation>>, whose result is not what it comes to; empty if there is none.

    Results may be rounded. Powers, percentages and sums of more parts outside of << >> are left alone.
    """
    for left, over, other, right, result in _SUM.findall(text):
        sign = over or other
        value = _computed(_plain(left), sign, _plain(right))
        if value is not None and _differs(value, result):
            return f"{left} {sign} {right} = {result}: it is {_written(value)}"
    for formula, result in _CALCULATED.findall(text):
        value = calculated(formula)
        if value is not None and _differs(value, result):
            return f"{formula} = {result}: it is {_written(value)}"
    return ""


def _plain(number: str) -> float:
    return float(number.replace(",", ""))


def _computed(left: float, sign: str, right: float) -> float | None:
    if sign in "/÷":
        return left / right if right else None
    return {"+": left + right, "-": left - right, "−": left - right}.get(sign, left * right)


def _differs(value: float, written: str) -> bool:
    """Whether a result is not `value`, rounded, or, where it has decimals, cut to as many."""
    decimals = len(written.partition(".")[2])
    unit = 10.0**-decimals
    allowed = unit * (1 - 1e-9) if decimals else unit / 2 * (1 - 1e-9)
    return abs(value - _plain(written)) > allowed + 1e-9 * abs(value)


def _written(value: float) -> str:
    return f"{value:.6g}"


def calculated(formula: str) -> float | None:
    """The value of + - * / and brackets; None for what is none of these. Nothing is ever executed.

    >>> calculated("(5-2)*3/2"), calculated("5+"), calculated("1/0")
    (4.5, None, None)
    """
    tokens = _PARTS.findall(formula)
    if "".join(tokens) != re.sub(r"\s", "", formula):
        return None
    try:
        value, at = _summed(tokens, 0)
    except (IndexError, ValueError, ZeroDivisionError):
        return None
    return value if at == len(tokens) else None


def _summed(tokens: list[str], at: int) -> tuple[float, int]:
    value, at = _multiplied(tokens, at)
    while at < len(tokens) and tokens[at] in "+-":
        other, after = _multiplied(tokens, at + 1)
        value, at = (value + other if tokens[at] == "+" else value - other), after
    return value, at


def _multiplied(tokens: list[str], at: int) -> tuple[float, int]:
    value, at = _single(tokens, at)
    while at < len(tokens) and tokens[at] in "*/":
        other, after = _single(tokens, at + 1)
        value, at = (value * other if tokens[at] == "*" else value / other), after
    return value, at


def _single(tokens: list[str], at: int) -> tuple[float, int]:
    if tokens[at] in "+-":
        value, after = _single(tokens, at + 1)
        return (-value if tokens[at] == "-" else value), after
    if tokens[at] == "(":
        value, after = _summed(tokens, at + 1)
        if tokens[after] != ")":
            raise ValueError("a bracket is not closed")
        return value, after + 1
    return float(tokens[at]), at + 1


def looped(reply: str) -> str:
    """The line or sentence that a reply says over and over; empty if there is none."""
    lines = [normalised(part) for part in re.split(r"[\n.。!！?？]", reply)]
    counts = Counter(line for line in lines if len(line) >= 8)
    for line, count in counts.most_common(1):
        if count >= LOOPS and count * len(line) >= LOOP_SHARE * sum(map(len, lines)):
            return f"says {line!r:.60} {count} times"
    return ""


def cut_off(reply: str) -> str:
    """Why a long reply seems to end before its end; empty if it does not."""
    if len(_FENCE.findall(reply)) % 2:
        return "a block of code is not closed"
    bare = reply.rstrip()
    last = bare.rstrip(_CLOSERS)[-1:]
    lone = bare.rsplit("\n", 1)[-1].strip()
    listed = bool(re.match(r"(?:[-*•#|\d]|\W)", lone)) or len(lone) < 40
    if len(bare) < LONG or not last or last in _TERMINAL or "```" in bare[-8:] or listed:
        return ""
    return f"ends with {bare[-40:]!r}" if last.isalnum() or last in ",，、;-" else ""


def wrong_script(asked: str, reply: str) -> str:
    """That a reply is written in another script than the question, which asks for no other language; empty if not."""
    if _FOREIGN_WANTED.search(asked):
        return ""
    shares = [_han_share(text) for text in (asked, reply)]
    if shares[0] is None or shares[1] is None:
        return ""
    if shares[0] > 0.5 and shares[1] < 0.05:
        return "asked in Chinese characters, answered in Latin letters"
    return "asked in Latin letters, answered in Chinese characters" if shares[0] < 0.05 and shares[1] > 0.5 else ""


def _han_share(text: str) -> float | None:
    """Unspaced characters beside all letters; None where there are too few letters."""
    han, latin = len(_HAN.findall(text)), len(_LATIN.findall(text))
    return han / (han + latin) if 3 * han + latin >= LEAST_LETTERS else None


def empty_talk(reply: str) -> str:
    """That nothing is left of a reply without its courtesies; empty if something is."""
    rest = normalised(_FILLER.sub(" ", reply))
    return f"nothing but {reply.strip()!r:.60}" if _FILLER.search(reply) and len(rest) < 2 else ""
