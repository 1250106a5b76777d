"""Units: words and characters, folded; n-grams without a seam between scripts; hashes of nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quality.contamination.units import (
    LINE,
    SENTENCE,
    Size,
    folded,
    local_sums,
    parts,
    spelled,
    stretch_of,
    units,
)

SIZE = Size(5, 8)
WORDS = st.text(alphabet=st.sampled_from("ab Ａ1中文，。.-'\n\u200b é😀"), max_size=30)


def words(text: str) -> list[str]:
    whole, places = spelled(text, SIZE)
    return [whole[start:end] for start, end in places]


def hashes(text: str) -> list[int]:
    return [int(one) for one in units([text], SIZE).hashes]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Janet\u2019s ducks, lay 16 eggs.", ["janets", "ducks", "lay", "16", "eggs"]),
        ("GPT用户，你好。", ["gpt", "用", "户", "你", "好"]),
        ("Ｈello\u3000ⅧＷ", ["hello", "viiiw"]),
        ("has_close(elements)", ["has", "close", "elements"]),
        ("5 -3, 1/2 and 2 * 3", ["5", "-", "3", "1", "/", "2", "and", "2", "*", "3"]),
        ("- a list -", ["a", "list"]),
        ("w-2 and 3-1", ["w", "2", "and", "3", "-", "1"]),
        ("x<y 😀", ["x", "<", "y", "😀"]),
        ("soft\u00adhyphen zero\u200bwidth", ["softhyphen", "zerowidth"]),
        ("naïve café", ["naïve", "café"]),
        (" ...!? ", []),
        ("", []),
    ],
)
def test_units(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_what_is_told_apart_and_what_is_not() -> None:
    assert hashes("Don't PANIC, now!") == hashes("don\u2019t panic　now")
    assert hashes("2002\u20132005") == hashes("2002-2005")
    assert hashes("5 -3") != hashes("5 3")
    assert hashes("1.5") != hashes("15")
    assert hashes("ab") != hashes("ba")


@given(st.lists(WORDS, max_size=6))
def test_a_text_has_the_same_units_whatever_stands_beside_it(texts: list[str]) -> None:
    together = units(texts, SIZE)
    for at, text in enumerate(texts):
        alone = units([text], SIZE)
        start, end = together.starts[at], together.starts[at + 1]
        assert together.hashes[start:end].tolist() == alone.hashes.tolist()
        assert together.opens[start:end].tolist() == alone.opens[:-1].tolist()
        assert together.weights()[at] == alone.weights()[0]
        assert together.wholes()[at] == alone.wholes()[0]
        assert together.joined[at] == alone.joined[0]
        here = [int(one) for one, at_unit in zip(*together.grams(SIZE)[:2], strict=True) if start <= at_unit < end]
        assert here == alone.grams(SIZE)[0].tolist()


def test_texts_are_known_without_their_spaces() -> None:
    first, second, third, fourth = units(["my pay-day", "MY payday!", "my pay days", "mypayday"], SIZE).joined.tolist()
    assert first == second == fourth
    assert first != third


def test_n_grams_reach_over_scripts_by_weight() -> None:
    _, start, end = units(["one two three four five six"], SIZE).grams(SIZE)
    assert list(zip(start.tolist(), end.tolist(), strict=True)) == [(0, 5), (1, 6)]
    _, start, end = units(["一二三四五六七八九"], SIZE).grams(SIZE)
    assert list(zip(start.tolist(), end.tolist(), strict=True)) == [(0, 8), (1, 9)]
    _, start, end = units(["用GPT写一首诗 about it"], SIZE).grams(SIZE)
    assert list(zip(start.tolist(), end.tolist(), strict=True)) == [(0, 7), (1, 8)]
    assert not len(units(["too short"], SIZE).grams(SIZE)[0])


def test_numbers_symbols_and_single_letters_weigh_a_quarter() -> None:
    assert np.diff(units(["word 15 x = 3rd 字 😀 a1"], SIZE).before).tolist() == [8, 2, 2, 1, 2, 5, 1, 8]


def test_sentences_begin_after_marks_and_at_lines() -> None:
    made = units(["one two. three\nfour, five：六七。八"], SIZE)
    assert made.opens.tolist() == [LINE, 0, SENTENCE, LINE, 0, SENTENCE, 0, SENTENCE, LINE]


@given(st.lists(WORDS, max_size=4))
def test_a_stretch_is_known_by_the_sums_of_its_own_text_as_well(texts: list[str]) -> None:
    made = units(texts, SIZE)
    sums, place = local_sums(made.hashes, made.starts)
    start, end = np.triu_indices(len(made.hashes))
    same = stretch_of(sums, place[start], start, end + 1) == made.stretch(start, end + 1)
    within = np.searchsorted(made.starts, start, side="right") == np.searchsorted(made.starts, end, side="right")
    assert same[within].all()


def test_a_stretch_is_known_wherever_it_stands() -> None:
    made = units(["the red fox ran", "a fox: the RED fox sat"], SIZE)
    start, end = np.array([0, 6]), np.array([3, 9])
    first, second = made.stretch(start, end).tolist()
    assert first == second
    assert first != int(made.stretch(np.array([1]), np.array([4]))[0])


@given(st.lists(st.text(max_size=5), max_size=20))
def test_parts_are_all_texts_in_order(texts: list[str]) -> None:
    assert [text for part in parts(texts) for text in part] == texts


def test_folding_keeps_what_plain_letters_are() -> None:
    assert folded("ABC") == "abc"
    assert folded("ＡＢＣ") == "abc"
