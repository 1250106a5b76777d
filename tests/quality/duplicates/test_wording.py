"""Words are found, hashed and told apart the same whatever stands around their text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality.duplicates.wording import (
    NEGATION,
    NUMBER,
    QUESTION,
    SYMBOL,
    UNSPACED,
    Wordings,
    bags,
)

TEXTS = st.lists(st.text(alphabet="abAB'’ 中文12.,-%\u0301", max_size=14), max_size=5)


def words(text: str) -> list[str]:
    return Wordings.of([text]).words(0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I don't know, Anna!", ["i", "do", "not", "know", "anna"]),
        ("It’s 1.5 % of 12a", ["it", "is", "1.5", "%", "of", "12", "a"]),
        ("GPT-4什么时候发布？", ["gpt", "4", "什", "么", "时", "候", "发", "布"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("O'Neil's dog's", ["o'neil's", "dog's"]),
        ("... !!", []),
    ],
)
def test_words_of_a_text(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@settings(deadline=None)
@given(TEXTS)
def test_a_text_has_the_words_it_has_alone(texts: list[str]) -> None:
    together = Wordings.of(texts)
    for at, text in enumerate(texts):
        alone = Wordings.of([text])
        assert together.words(at) == alone.words(0)
        here = slice(together.starts[at], together.starts[at + 1])
        assert together.codes[here].tolist() == alone.codes.tolist()
        assert together.named[here].tolist() == alone.named.tolist()


@settings(deadline=None)
@given(TEXTS)
def test_equal_codes_are_equal_words(texts: list[str]) -> None:
    together = Wordings.of(texts)
    spelled = [word for at in range(len(texts)) for word in together.words(at)]
    assert len(set(together.codes.tolist())) == len(set(spelled))
    assert len(set(zip(together.codes.tolist(), spelled, strict=True))) == len(set(spelled))


def test_what_words_are() -> None:
    known = {
        "seven": NUMBER,
        "7": NUMBER,
        "三": NUMBER | UNSPACED,
        "不": NEGATION | UNSPACED,
        "not": NEGATION,
        "why": QUESTION,
    }
    for word, flags in {**known, "card": 0, "%": SYMBOL, "卡": UNSPACED}.items():
        assert int(Wordings.of([word]).codes[0]) & 31 == flags, word


def test_names_are_capitals_inside_a_sentence() -> None:
    texts = ["Did you see Anna? No", "SHOUTING IS ALL I DO", "call [Bob] or ask 'Tom' or Ida's dog for it"]
    found = Wordings.of(texts)
    named = [
        [word for word, name in zip(found.words(at), found.named[found.starts[at] :], strict=False) if name]
        for at in range(3)
    ]
    assert named == [["anna"], [], ["ida's"]]


@settings(deadline=None)
@given(st.permutations(["the", "cat", "the", "mat", "中"]))
def test_the_bag_is_that_of_any_order(order: list[str]) -> None:
    found = Wordings.of([" ".join(order), "the cat the mat 中", "the cat mat mat 中"])
    one, other, another = bags(found.codes, found.starts).tolist()
    assert one == other != another


def test_words_are_split_as_a_plain_expression_would() -> None:
    text = "we'll meet at 10:30, room 4b (2nd floor); bring 3,000 or 50% off"
    plain = re.findall(r"\d+(?:[.,:]\d+)*|[a-z]+(?:'[a-z]+)*|%", text)
    assert words(text) == ["we", "will", *plain[1:]]
