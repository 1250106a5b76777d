"""Where two texts differ: both texts can be read back from the pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.versions import wording
from pipeline.versions.wording import pieces, shortened

TEXTS = st.text(alphabet="ab 中文，. \n", max_size=30)


@given(TEXTS, TEXTS)
def test_both_texts_are_in_the_pieces(one: str, other: str) -> None:
    found = pieces(one, other)
    assert "".join(text for sign, text in found if sign != "+") == one
    assert "".join(text for sign, text in found if sign != "-") == other


def test_unspaced_text_is_told_by_character() -> None:
    assert pieces("我喜欢红茶", "我喜欢绿茶") == [("=", "我喜欢"), ("-", "红"), ("+", "绿"), ("=", "茶")]


def test_very_long_texts_are_told_by_what_they_share_at_the_ends() -> None:
    one, other = "a " * wording.LONGEST + "x", "b " * wording.LONGEST + "x"
    assert [sign for sign, _ in pieces(one, other)] == ["-", "+", "="]


def test_the_middle_of_what_stayed_is_left_out() -> None:
    found = shortened(pieces("one " + "word " * 50 + "end", "two " + "word " * 50 + "last"))
    assert sum(len(text) for _, text in found) < 120
    assert [text for sign, text in found if sign != "="] == ["one", "two", "end", "last"]
