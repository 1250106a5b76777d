"""Many texts folded at once are what each of them is alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.quality.duplicates.folding import CHARACTER, DIGIT, NUMERIC, SIGN, UPPER, Folded, classes, keys
from pipeline.text import same_key

HARD = "aAßİŉſ Ａ１，。:;=-'()1.5,/ \u0301\u0300ཀཱི한\u1112\u1161中文三什😀❤\ufe0f\u200d\0\udc80\ue000\ue013’"
TEXTS = st.lists(st.one_of(st.text(alphabet=HARD, max_size=12), st.text(max_size=8)), max_size=6)


@settings(deadline=None, max_examples=300)
@given(TEXTS)
@example(["\u0301a", "ok :)", "1 000", "-5", "a\0b", ""])
def test_keys_are_those_of_each_text_alone(texts: list[str]) -> None:
    assert keys(texts, Folded.of(texts)) == [same_key(text) for text in texts]


@settings(deadline=None)
@given(TEXTS)
def test_every_text_has_its_place(texts: list[str]) -> None:
    folded = Folded.of(texts)
    assert len(folded.ends) == len(texts)
    assert len(folded.text) == len(folded.points) == len(folded.classes) == len(folded.rows())
    assert folded.starts().tolist() == [0, *(folded.ends[:-1] + 1).tolist()][: len(texts)]


@pytest.mark.parametrize(
    ("character", "flags"),
    [
        ("三", CHARACTER | NUMERIC),
        ("什", CHARACTER),
        ("参", CHARACTER),
        ("7", DIGIT | NUMERIC),
        ("%", SIGN),
        ("A", UPPER),
    ],
)
def test_what_a_character_is(character: str, flags: int) -> None:
    found = int(classes(np.array([ord(character)], dtype=np.uint32))[0])
    assert found & flags == flags
    assert not (character in "什参" and found & NUMERIC)


def test_capitals_are_told_where_folding_makes_two_letters_of_one() -> None:
    folded = Folded.of(["straße Anna", "ẞ B"])
    capitals = [folded.text[at] for at in range(len(folded.text)) if folded.classes[at] & UPPER]
    assert folded.text == "strasse anna\0ss b\0"
    assert capitals == ["a", "b"]
