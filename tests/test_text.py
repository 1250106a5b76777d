"""Normal forms, offsets, units and languages, over text that is hard on all of them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text import is_unspaced, language, nfc, nfc_offsets, normalised, same_key, units

# Letters that compose, Hangul jamo, marks of several classes, singletons, astral and full-width characters.
HARD = "aeo\u0301\u0308\u0327\u0323\u1100\u1161\u11a8\uac00\u212b\u0958\u093c\u0915中，Ａ\U0001f600\U0002f800 q"
texts = st.one_of(st.text(st.sampled_from(HARD), max_size=20), st.text(max_size=20))


def boundaries(text: str) -> list[int]:
    """Offsets that part nothing which composes: the start, the end, and every starter that stays by itself."""
    inner = [
        at
        for at in range(1, len(text))
        if not unicodedata.combining(text[at]) and nfc(text[:at]) + nfc(text[at:]) == nfc(text)
    ]
    return [0, *inner, len(text)]


@given(texts)
def test_mapped_slices_are_the_nfc_of_the_slices(text: str) -> None:
    moved = nfc_offsets(text)
    if moved is None:
        assert nfc(text) == text
        return
    edges = boundaries(text)
    for start in edges:
        for end in (edge for edge in edges if edge >= start):
            assert nfc(text)[moved(start) : moved(end)] == nfc(text[start:end])


@given(texts)
def test_offsets_never_run_backwards_or_out(text: str) -> None:
    moved = nfc_offsets(text) or (lambda at: at)
    places = [moved(at) for at in range(len(text) + 1)]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0, len(nfc(text)))


def test_an_offset_inside_a_composed_character_maps_to_its_start() -> None:
    moved = nfc_offsets("e\u0301te\u0301 \u1112\u1161\u11ab")
    assert moved is not None
    assert [moved(at) for at in range(9)] == [0, 0, 1, 2, 2, 3, 4, 4, 4]


def test_nfc_leaves_full_width_punctuation() -> None:
    assert nfc("他说：“好，走！”") == "他说：“好，走！”"


@given(texts)
def test_normalised_is_a_fixed_point(text: str) -> None:
    once = normalised(text)
    assert normalised(once) == once


@given(st.text(st.sampled_from("abcÄ中文0189 "), min_size=1, max_size=20), st.sampled_from("，。！？、,;!?“” \n"))
def test_normalised_ignores_width_case_and_punctuation(text: str, mark: str) -> None:
    wide = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in text)
    assert normalised(wide) == normalised(text) == normalised(text.upper()) == normalised(f"{mark}{text}{mark}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("costs 1.5", "costs 15"),
        ("1.5", "1,5"),
        ("1/2 cup", "1.2 cup"),
        ("at 10:30", "at 10.30"),
        ("won 3-0", "won 30"),
        ("pages 1–5", "pages 15"),
        ("-5 degrees", "5 degrees"),
        ("−5 degrees", "5 degrees"),
        ("up 5 %", "up 5"),
        ("good 👍", "good 👎"),
        ("a + b", "a b"),
        ("C#", "C"),
        ("涨了1.5元", "涨了15元"),
    ],
)
def test_normalised_keeps_what_changes_the_meaning(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ｈｅｌｌｏ，　Ｗｏｒｌｄ！", "hello world"),
        ("他说：“好”。", "他说好"),
        ("ﬁne", "fine"),
        ("STRASSE", "straße"),
        ("１．５", "1.5"),
        ("−5", "-5"),
        ("e\u0301", "é"),
        ("zero\u200bwidth", "zerowidth"),
    ],
)
def test_normalised_sees_through_spelling(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@given(st.text(max_size=60))
def test_units_come_in_order_and_leave_out_only_white_space(text: str) -> None:
    at = 0
    for start, end in units(text):
        assert at <= start < end
        assert not text[at:start].strip()
        at = end
    assert not text[at:].strip()


def test_units_of_mixed_text() -> None:
    text = "Don't说GPT-4好，ok 3.5"
    assert [text[start:end] for start, end in units(text)] == [
        "Don't", "说", "GPT", "-", "4", "好", "，", "ok", "3", ".", "5",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("好", "zh"),
        ("这个电影很好看", "zh"),
        ("我用 iPhone 拍照", "zh"),
        ("これは本です", "ja"),
        ("안녕하세요", "ko"),
        ("สวัสดี", "th"),
        ("The film was a pleasure from the first minute to the last.", "en"),
        ("Der Film war von der ersten bis zur letzten Minute ein Vergnügen.", "de"),
        ("", "und"),
        ("12 + 30 = 42", "und"),
        ("a", "und"),
    ],
)
def test_language(text: str, code: str) -> None:
    assert language(text) == code


def test_unspaced() -> None:
    assert is_unspaced("这部 film 很好看")
    assert not is_unspaced("the 长城 is long")
    assert not is_unspaced("...")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("now here", "nowhere", False),
        ("a b", "ab", False),
        ("Now  here!", "now here", True),
        ("e-mail", "email", True),
        ("你 好", "你好", True),
        ("GPT 用户", "GPT用户", True),
        ("now here, there, everywhere", "nowhere there everywhere", True),
    ],
)
def test_a_short_text_of_other_words_is_another(one: str, other: str, same: bool) -> None:
    assert (same_key(one) == same_key(other)) == same
