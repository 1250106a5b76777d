"""Two texts say the same only where every difference is a slip, a swap or of no weight."""

from __future__ import annotations

import pytest

from pipeline.quality.wording import Wordings

FRAME = "we would like to hear about {} before the end of the month"


def verdict(one: str, other: str, *, similar: bool = False, others: tuple[str, ...] = ()) -> str:
    wordings = Wordings.of([one, other, *others])
    found = wordings.verdict(0, 1, similar=similar)
    assert wordings.plausible(0, 1) or not found
    return found


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("transfer", "tarnsfer", "misspelt"),
        ("transfer", "transfers", "misspelt"),
        ("transfer", "payment", ""),
        ("route 12a", "route 12b", ""),
        ("don't", "do", ""),
        ("10 %", "10 #", ""),
        ("the A380 plane", "the A38O plane", ""),
    ],
)
def test_one_word_for_another(one: str, other: str, expected: str) -> None:
    assert verdict(FRAME.format(one), FRAME.format(other)) == expected


def test_two_words_that_are_both_used_are_no_slip_of_one_another() -> None:
    others = ("lost and found",) * 3, ("last and first",) * 3
    assert verdict(FRAME.format("lost"), FRAME.format("last"), others=others[0] + others[1]) == ""
    assert verdict(FRAME.format("lost"), FRAME.format("lsot"), others=others[0] * 2) == "misspelt"


def test_a_place_that_many_texts_fill_otherwise_is_a_slot() -> None:
    others = tuple(FRAME.format(word) for word in ("marmalade", "telescope"))
    assert verdict(FRAME.format("mexina"), FRAME.format("mexima"), others=others[:1]) == "misspelt"
    assert verdict(FRAME.format("mexina"), FRAME.format("mexima"), others=others) == ""


def test_a_common_word_more_needs_likeness() -> None:
    others = ("please do come in",) * 30
    longer = "please " + FRAME.format("it")
    assert verdict(FRAME.format("it"), longer, similar=True, others=others) == "similar"
    assert verdict(FRAME.format("it"), longer, similar=False, others=others) == ""
    assert verdict(FRAME.format("it"), longer, similar=True) == ""
    asked = ("why not come in",) * 30
    assert verdict(FRAME.format("it"), "why " + FRAME.format("it"), similar=True, others=asked) == ""


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("we met at noon there", "we at met noon there", "reordered"),
        ("then dog bites man again", "then man bites dog again", ""),
        ("go from 3 to 5 now", "go from 5 to 3 now", ""),
        ("then Ann saw Ben leave the house", "then Ben saw Ann leave the house", ""),
        ("我们明天上午开会", "我们上午明天开会", "reordered"),
    ],
)
def test_words_that_changed_places(one: str, other: str, expected: str) -> None:
    assert verdict(one, other) == expected
