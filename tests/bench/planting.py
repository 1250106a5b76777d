"""Duplicates planted on purpose: texts with slips, swaps and other marks, and texts that only look like one another."""

from __future__ import annotations

import random
import re
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

KINDS = ("exact", "case", "width", "punctuation", "typo", "swap", "word more", "contained")
"""What a planted copy may be; "word more" is a common word more or less, or a contraction."""
APART = ("base", "short", "changed", "template")
"""Rows that are nobody's copy: "changed" differs in a number or a negation, "template" in a slot and its answer."""
# A slip in a shorter text may make another text of it.
SHORTEST = {"en": 30, "zh": 14}
_SMALL_EN = (
    "please",
    "just",
    "really",
    "also",
    "so",
    "then",
    "now",
    "the",
    "a",
    "very",
    "well",
    "actually",
    "kindly",
    "maybe",
)
_SMALL_ZH = ("的", "了", "请", "就", "吗", "也", "呢", "都", "啊")
_CONTRACTED = {
    "do not": "don't", "i am": "i'm", "it is": "it's", "is not": "isn't", "cannot": "can't", "i would": "i'd",
    "i have": "i've", "does not": "doesn't", "that is": "that's", "did not": "didn't", "what is": "what's",
    "you are": "you're", "will not": "won't",
}  # fmt: skip
_MARKS = {"en": (".", "!", "?", "...", " !!", ",", ";"), "zh": ("。", "！", "？", "……", "!", "?", "，")}
_SENTENCE_END = re.compile(r"[.!?。！？…\s]+$")


@dataclass(frozen=True)
class Row:
    """A text, its language, what it is (one of KINDS or APART), and the number of the text that it is a copy of."""

    text: str
    language: str
    kind: str
    origin: int


def plant(texts: dict[str, list[str]], rows: int, seed: int) -> list[Row]:
    """`rows` rows in any order: about 30 % Chinese, a quarter planted copies, a tenth templates.

    `texts`: distinct ones by language, "en" and "zh"; where they are not enough, more are put together of their words.
    """
    chance = random.Random(seed)
    found: list[Row] = []
    for language, share in (("en", 0.7), ("zh", 0.3)):
        found += _planted(texts[language], language, int(rows * share), chance, len(found))
    chance.shuffle(found)
    return found


def _planted(texts: Sequence[str], language: str, rows: int, chance: random.Random, first: int) -> list[Row]:
    number = iter(range(first * 10, 10**12))
    base = _enough(texts, language, int(rows * 0.58), chance)
    found = [Row(text, language, "base", next(number)) for text in base]
    long = [row for row in found if len(row.text) >= SHORTEST[language]]
    found += _copies(long, language, rows // 4, chance)
    found += [Row(text, language, "short", next(number)) for text in _short(base, language, rows // 25, chance)]
    found += [Row(text, language, "changed", next(number)) for text in _changed(long, language, rows // 25, chance)]
    fill = _templates(long, language, rows - len(found), chance)
    return found + [Row(text, language, "template", next(number)) for text in fill]


def _copies(origins: Sequence[Row], language: str, wanted: int, chance: random.Random) -> list[Row]:
    """One copy of each of many origins, all kinds in turn."""
    found: list[Row] = []
    order = chance.sample(range(len(origins)), len(origins))
    makers = _makers(language)
    others = _words([row.text for row in origins[:2000]], language)
    for at in order:
        if len(found) == wanted:
            break
        kind = KINDS[len(found) % len(KINDS)]
        text = makers[kind](origins[at].text, chance, others)
        if text is not None and (kind == "exact" or text != origins[at].text):
            found.append(Row(text, language, kind, origins[at].origin))
    return found


def _makers(language: str) -> dict[str, Callable[[str, random.Random, Sequence[str]], str | None]]:
    chinese = language == "zh"
    return {
        "exact": lambda text, chance, others: text,
        "case": lambda text, chance, others: chance.choice([text.upper(), text.title(), text.swapcase()]),
        "width": lambda text, chance, others: _wide(text) if chance.random() < 0.5 or not chinese else _narrow(text),
        "punctuation": lambda text, chance, others: _marked(text, language, chance),
        "typo": lambda text, chance, others: (_slip_zh if chinese else _slip)(text, chance),
        "swap": lambda text, chance, others: (_swap_zh if chinese else _swap)(text, chance),
        "word more": lambda text, chance, others: (_more_zh if chinese else _more)(text, chance),
        "contained": lambda text, chance, others: _held(text, chance, others, language),
    }


def _wide(text: str) -> str:
    return "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)


def _narrow(text: str) -> str:
    return "".join(chr(ord(one) - 0xFEE0) if "！" <= one <= "～" else one for one in text).replace("。", ".")


def _marked(text: str, language: str, chance: random.Random) -> str:
    bare = _SENTENCE_END.sub("", text)
    if chance.random() < 0.3 and language == "en":
        bare = bare.replace(" ", "  ", 2)
    return bare + chance.choice(_MARKS[language])


def _slip(text: str, chance: random.Random) -> str | None:
    """A letter of a word left out, doubled, changed, or swapped with the next; of any word of four letters or more."""
    spots = [found for found in re.finditer(r"[^\W\d_]{4,}", text) if found[0].isascii()]
    if not spots:
        return None
    spot = chance.choice(spots)
    at = chance.randrange(spot.start() + 1, spot.end() - 1)
    one, other = text[at], text[at + 1]
    changed = chance.choice([one, one * 2 + other, other + one, chance.choice(string.ascii_lowercase) + other])
    return text[:at] + changed + text[at + 2 :] if changed != one else text[:at] + text[at + 1 :]


def _slip_zh(text: str, chance: random.Random) -> str | None:
    """A character left out, written twice, or another one in its place; not a number or a negation."""
    spots = [
        at for at, one in enumerate(text) if "一" <= one <= "鿿" and one not in "不没无未非别一二三四五六七八九十百千万"
    ]
    if not spots:
        return None
    at = chance.choice(spots)
    changed = chance.choice(
        ["", text[at] * 2, chr(chance.randrange(0x4E00, 0x8000)), chance.choice("候侯做作在再那哪以已")]
    )
    return text[:at] + changed + text[at + 1 :]


def _swap(text: str, chance: random.Random) -> str | None:
    words = text.split(" ")
    spots = [at for at in range(len(words) - 1) if words[at].islower() and words[at + 1].islower()]
    spots = [at for at in spots if words[at].isalpha() and words[at + 1].isalpha()]
    if not spots:
        return None
    at = chance.choice(spots)
    return " ".join([*words[:at], words[at + 1], words[at], *words[at + 2 :]])


def _swap_zh(text: str, chance: random.Random) -> str | None:
    """Two neighbouring pairs of characters change places."""
    spots = [found.start() for found in re.finditer(r"(?=[一-鿿]{4})", text)]
    spots = [at for at in spots if not set(text[at : at + 4]) & set("不没无未非别一二三四五六七八九十百千万")]
    if not spots:
        return None
    at = chance.choice(spots)
    return text[:at] + text[at + 2 : at + 4] + text[at : at + 2] + text[at + 4 :]


def _more(text: str, chance: random.Random) -> str | None:
    for whole, short in chance.sample(sorted(_CONTRACTED.items()), len(_CONTRACTED)):
        if re.search(rf"\b{whole}\b", text.lower()):
            return re.sub(rf"\b{whole}\b", short, text.lower(), count=1)
    words = text.split(" ")
    small = [at for at, word in enumerate(words) if word in _SMALL_EN]
    if small and chance.random() < 0.5:
        at = chance.choice(small)
        return " ".join([*words[:at], *words[at + 1 :]])
    at = chance.randrange(len(words) + 1)
    return " ".join([*words[:at], chance.choice(_SMALL_EN), *words[at:]])


def _more_zh(text: str, chance: random.Random) -> str | None:
    small = [at for at, one in enumerate(text) if one in _SMALL_ZH]
    if small and chance.random() < 0.5:
        at = chance.choice(small)
        return text[:at] + text[at + 1 :]
    spots = [at for at in range(1, len(text)) if all("一" <= one <= "鿿" for one in text[at - 1 : at + 1])]
    at = chance.choice(spots or [len(text)])
    return text[:at] + chance.choice(_SMALL_ZH) + text[at:]


def _held(text: str, chance: random.Random, words: Sequence[str], language: str) -> str:
    """The text with another sentence before or after it, one that stands nowhere else."""
    chosen = chance.choices(words, k=chance.randint(4, 9))
    other = "".join(chosen) if language == "zh" else " ".join(chosen).capitalize()
    gap, mark = " " * (language == "en"), _MARKS[language][0]
    bare = text if _SENTENCE_END.search(text) else text + mark
    return chance.choice([f"{bare}{gap}{other}{mark}", f"{other}{mark}{gap}{text}"])


def _short(base: Sequence[str], language: str, wanted: int, chance: random.Random) -> list[str]:
    """Short texts, all different, of one to three words: many differ in a letter or a word only."""
    words = _words(base[:2000], language)
    there = {re.sub(r"[\W_]+", "", text.lower()) for text in base}
    found: dict[str, None] = {}
    while len(found) < wanted:
        made = ("" if language == "zh" else " ").join(chance.choices(words, k=chance.randint(1, 3)))
        if len(made) < (18 if language == "en" else 7) and made.replace(" ", "") not in there:
            there.add(made.replace(" ", ""))
            found[made] = None
    return list(found)


def _words(texts: Sequence[str], language: str) -> list[str]:
    """Words as often as they stand in texts; of Chinese, pairs of neighbouring characters."""
    if language == "zh":
        return [found[0] for text in texts for found in re.finditer(r"[一-鿿]{2}", text)]
    return [word for text in texts for word in re.findall(r"[a-z]+", text.lower())]


def _changed(long: Sequence[Row], language: str, wanted: int, chance: random.Random) -> list[str]:
    """Rows that differ from one another in a number, and rows that deny what a base text says."""
    found: list[str] = []
    for row in chance.sample(list(long), min(len(long), wanted)):
        if len(found) >= wanted:
            break
        bare = _SENTENCE_END.sub("", row.text)
        if chance.random() < 0.5:
            one, other = chance.sample(range(2, 90), 2)
            frame = "{} within {} days" if language == "en" else "{}共{}天"
            found += [frame.format(bare, one), frame.format(bare, other)]
        else:
            found.append(
                f"it is not so that {bare}"
                if language == "en"
                else f"{bare[: len(bare) // 2]}没{bare[len(bare) // 2 :]}"
            )
    return found[:wanted]


def _templates(long: Sequence[Row], language: str, wanted: int, chance: random.Random) -> list[str]:
    """Families of 20 to 60 rows of one frame each: one word of a text gives way to names, numbers, and other words."""
    fillers = sorted(set(_words([row.text for row in long[:5000]], language)))
    found: dict[str, None] = {}
    while len(found) < wanted:
        text = _SENTENCE_END.sub("", chance.choice(long).text)
        cut = [match.span() for match in re.finditer(r"[一-鿿]{2}" if language == "zh" else r"[^\W\d_]{3,}", text)]
        if not cut:
            continue
        begin, end = chance.choice(cut)
        kind = chance.randrange(3)
        for _ in range(chance.randint(20, 60)):
            filler = chance.choice(fillers)
            named = filler.title() if kind == 1 else filler
            slot = str(chance.randrange(2, 5000)) if kind == 2 else named
            found[f"{text[:begin]}{slot}{text[end:]}"] = None
    return list(found)[:wanted]


def _enough(texts: Sequence[str], language: str, wanted: int, chance: random.Random) -> list[str]:
    """So many of the texts, by chance; and if they are too few, others put together of their words."""
    found = chance.sample(list(texts), min(wanted, len(texts)))
    words = _words(texts[:20_000], language)
    while len(found) < wanted:
        sentence = chance.choices(words, k=chance.randint(7, 22))
        found.append("".join(sentence) + "。" if language == "zh" else " ".join(sentence).capitalize() + ".")
    return found
