"""Text as a page may show it."""

from __future__ import annotations

import doctest
import unicodedata
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from pipeline.pages.visible import LONGEST_CHARS, fitted, language_tag, shown, visible


@pytest.mark.parametrize("module", ["visible", "blocks", "build", "marks", "training", "cards", "doubts"])
def test_the_examples_in_the_docstrings_hold(module: str) -> None:
    tried = doctest.testmod(import_module(f"pipeline.pages.{module}"))
    assert tried.attempted
    assert not tried.failed


@given(st.text())
def test_what_is_shown_hides_nothing_and_can_be_written(text: str) -> None:
    shown = visible(text)
    shown.encode("utf-8")
    assert not [c for c in shown if unicodedata.bidirectional(c) in {"RLO", "LRO", "RLE", "LRE", "RLI", "LRI", "FSI"}]
    assert not [c for c in shown if unicodedata.category(c) == "Cc" and c not in "\t\n"]


@given(st.text(alphabet=st.characters(categories=["L", "N", "P"]), max_size=40), st.integers(2, 20))
def test_fitted_text_fits(text: str, room: int) -> None:
    line = fitted(text, room)
    assert sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line) <= room


def test_plain_text_emoji_and_markup_stay_as_they_are() -> None:
    assert visible("père 👩\u200d🔬 中文，\n") == "père 👩\u200d🔬 中文，\n"
    assert visible(Markup("<b>\u202e</b>")) == "<b>\u202e</b>"
    assert visible(3) == 3


@pytest.mark.parametrize(
    ("value", "tag"), [("zh", "zh"), ("zh-Hans", "zh-Hans"), ("und", ""), ('en" x', ""), (None, "")]
)
def test_only_a_language_tag_may_stand_in_lang(value: object, tag: str) -> None:
    assert language_tag(value) == tag


def test_nothing_on_the_page_is_endless() -> None:
    assert len(shown("x" * 10**6)) < LONGEST_CHARS + 40
    assert shown("x" * LONGEST_CHARS) == "x" * LONGEST_CHARS
