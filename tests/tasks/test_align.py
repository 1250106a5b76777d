"""Alignment: tokens find their place in a text that they spell otherwise, or are counted as lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import Unfit
from pipeline.tasks import align, pairing, spans
from pipeline.text import nfc


def surfaces(tokens: list[str], text: str) -> list[str]:
    """What each token is in the text; all of them are."""
    edges, remark = align.aligned(tokens, text, spans.words(text))
    assert not remark
    return [text[start:end] for start, end in edges]


@pytest.mark.parametrize(
    ("tokens", "text", "expected"),
    [
        ("-LRB- Bob -RRB- `` hi ''", '(Bob) "hi"', '( Bob ) " hi "'),
        ('" 你好 " , -- x', "“你好”，—x", "“ 你好 ” ， — x"),
        ("Ｂｏｂ １２ ｋｍ", "Bob 12km", "Bob 12 km"),
        ("AT&amp;T 's", "AT&T's", "AT&T 's"),
        ("1\\/2 of it", "1/2 of it", "1/2 of it"),
        ("bob saw rome", "BOB saw Rome", "BOB saw Rome"),
        ("Bob saw . . Rome", "Bob saw. Rome", "Bob saw . . Rome"),
        ("8ob saw R0me", "Bob saw Rome", "Bob saw Rome"),
        ("Bob Rome", "Bob saw once, and once more, Rome", "Bob Rome"),
        ("他 在 北 亰 市", "他住在：北京市。", "他 在 北 京 市"),
        ("Thatcher won the vote", "Thomas lost. Thatcher won the vote.", "Thatcher won the vote"),
    ],
)
def test_other_spellings(tokens: str, text: str, expected: str) -> None:
    edges, _ = align.aligned(tokens.split(), text, spans.words(text))
    wanted = [word for word in expected.split() if word != "."]
    assert [text[start:end] for start, end in edges if text[start:end] not in ("", ".")] == wanted


def test_an_entity_cut_into_tokens_is_one_character() -> None:
    assert surfaces(["Bob", "&", "amp", ";", "Co"], "Bob & Co") == ["Bob", "&", "&", "&", "Co"]


def test_a_token_of_the_row_is_taken_whole() -> None:
    text = "the U.S. army"
    assert align.aligned(["the", "US", "army"], text, [(0, 3), (4, 8), (9, 13)])[0] == [(0, 3), (4, 8), (9, 13)]


def test_what_is_lost_is_told() -> None:
    text = "Bob lives in the old town of Rome."
    edges, remark = align.aligned(["Bob", "qq", *text.split()[1:]], text, spans.words(text))
    assert remark == "1 of 9 tokens stand nowhere in the text: 'qq'"
    assert edges[1] == (3, 3)
    assert [text[start:end] for start, end in edges[2:]] == text.split()[1:]


def test_a_text_of_which_the_end_is_missing_is_told() -> None:
    text = "Bob lives in Rome. Anna lives in Paris with him."
    edges, remark = align.aligned(["bob", "lives", "in", "rome"], text, spans.words(text))
    assert [text[start:end] for start, end in edges] == ["Bob", "lives", "in", "Rome"]
    assert remark == "the tokens make up 36% of the text, the rest is taken for outside"


@pytest.mark.parametrize("tokens", [["An", "other", "text"], ["Bob", "qqqqqqqq"]])
def test_another_text_is_refused(tokens: list[str]) -> None:
    with pytest.raises(Unfit, match=r"span_surface: \d+ of \d+ characters of the tokens"):
        align.aligned(tokens, "Bob & Co", spans.words("Bob & Co"))


def test_texts_that_repeat_themselves_end_in_time() -> None:
    with pytest.raises(Unfit, match="span_surface"):
        align.aligned(["ba" * 4_999], "ab" * 5_000 + "c", [(0, 10_001)])


WORDS = ["the", "of", "Rome", "Bob", "parliament", "went", "1997", "Leicestershire", ",", "(", ")", "北京", "é"]


@given(st.lists(st.tuples(st.sampled_from(WORDS), st.integers(0, 9)), min_size=8, max_size=120))
def test_a_few_missing_tokens_move_no_others(drawn: list[tuple[str, int]]) -> None:
    words = [nfc(f"{word}{at}") if word.isalpha() else word for at, (word, _) in enumerate(drawn)]
    text = " ".join(words)
    starts = [len(" ".join(words[:at])) + bool(at) for at in range(len(words))]
    places = [(start, start + len(word)) for start, word in zip(starts, words, strict=True)]
    kept = [at for at, (_, fault) in enumerate(drawn) if fault != 0 or at % 7]
    edges, _ = align.aligned([words[at] for at in kept], text, places)
    assert all(one[1] <= other[0] for one, other in pairwise(edges))
    wrong = [at for at, edge in zip(kept, edges, strict=True) if edge != places[at]]
    # Only next to a hole may a token be taken for another that is spelled like it.
    gone = {at for at in range(len(words)) if at not in kept}
    assert all(gone & {at - 2, at - 1, at + 1, at + 2} for at in wrong)


@given(st.text("ab", max_size=30), st.text("ab", max_size=30))
def test_pairs_rise_and_cost_no_more_than_they_must(one: str, other: str) -> None:
    pairs = [to for to in pairing.paired(one, other) if to >= 0]
    assert pairs == sorted(set(pairs))
    assert len(pairing.paired(one, one)) == len(one)
    assert pairing.paired(one, one) == list(range(len(one)))


@given(st.text(max_size=60), st.lists(st.text(max_size=8), max_size=12))
def test_hostile_texts(text: str, tokens: list[str]) -> None:
    text = nfc(text)
    try:
        edges, _ = align.aligned(tokens, text, spans.words(text))
    except Unfit:
        return
    assert len(edges) == len(tokens)
    assert all(0 <= start <= end <= len(text) for start, end in edges)
