"""Near pairs find what was copied with slips and keep apart what says something else."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality.duplicates import NearPairs, canonical, near_pairs

ENGLISH = "could you please tell me when the next delivery of my parcel will arrive at home"
CHINESE = "请问我上周购买的那台冰箱什么时候能够送到家里来"


def found(pairs: NearPairs) -> set[tuple[int, int]]:
    return set(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (ENGLISH, ENGLISH.upper() + "!!", "normalised"),
        (CHINESE, CHINESE + "？", "normalised"),
        ("my card ends in ABC", "my　card ends in ＡＢＣ。", "normalised"),
        (ENGLISH, ENGLISH.replace("delivery", "delivrey"), "misspelt"),
        (ENGLISH, ENGLISH.replace("parcel", "parsel"), "misspelt"),
        (ENGLISH, ENGLISH.replace("parcel will", "will parcel"), "reordered"),
        (CHINESE, CHINESE.replace("什么时候", "什么时侯"), "misspelt"),
        (CHINESE, CHINESE.replace("能够", "够能"), "reordered"),
        (CHINESE, CHINESE.replace("那台", "台"), "misspelt"),
    ],
)
def test_the_same_said_with_a_slip_is_found(one: str, other: str, kind: str) -> None:
    pairs = near_pairs([one, "something quite different stands in this text", other])
    assert found(pairs) == {(0, 2)}
    assert pairs.kind == (kind,)
    assert 0 < pairs.similarity[0] <= 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "please set the alarm for 7 in the morning of tomorrow",
            "please set the alarm for 8 in the morning of tomorrow",
        ),
        ("the invoice is about 1.5 percent too high this time", "the invoice is about 15 percent too high this time"),
        (
            "i do want you to cancel my standing order right now",
            "i do not want you to cancel my standing order right now",
        ),
        ("could you book a flight from Paris to Rome for me", "could you book a flight from Rome to Paris for me"),
        ("what will the weather be like in berlin tomorrow", "what will the weather be like in madrid tomorrow"),
        ("I would like to talk with Maria about the contract", "I would like to talk with Marie about the contract"),
        ("play three songs of this album and then stop it", "play seven songs of this album and then stop it"),
        ("帮我预订一张明天上午去北京的高铁票谢谢", "帮我预订一张明天上午去上海的高铁票谢谢"),
        ("帮我预订一张明天上午去南京的高铁票谢谢", "帮我预订一张明天上午去济南的高铁票谢谢"),
        ("我已经收到了你们寄来的那个包裹", "我没有收到了你们寄来的那个包裹"),
        ("请把下午三点的会议改到明天再开吧", "请把下午五点的会议改到明天再开吧"),
        ("is it on?", "is it of?"),
        ("他来了没有吗", "她来了没有吗"),
    ],
)
def test_what_says_something_else_is_kept_apart(one: str, other: str) -> None:
    assert found(near_pairs([one, other], threshold=0.5)) == set()


def test_copies_are_paired_with_the_first_only() -> None:
    pairs = near_pairs([ENGLISH] * 4 + [ENGLISH.replace("parcel", "parsle")])
    assert found(pairs) == {(0, 1), (0, 2), (0, 3)} | ({(0, 4)} if (0, 4) in found(pairs) else set())
    assert found(near_pairs([ENGLISH] * 4 + [ENGLISH.replace("parcel", "parecl")])) == {(0, 1), (0, 2), (0, 3), (0, 4)}


def test_similarity_is_exact_jaccard_of_normalised_grams() -> None:
    other = ENGLISH.replace("delivery", "delivrey")
    grams = [
        {text[at : at + 5] for at in range(len(text) - 4)}
        for text in (ENGLISH.replace(" ", ""), other.replace(" ", ""))
    ]
    pairs = near_pairs([ENGLISH, other])
    assert pairs.similarity[0] == pytest.approx(len(grams[0] & grams[1]) / len(grams[0] | grams[1]))


def planted(rows: int, seed: int) -> tuple[list[str], set[tuple[int, int]]]:
    """Sentences of made-up words, a slip of the pen in a copy of every fourth, and the pairs to be found."""
    chance = random.Random(seed)
    words = ["".join(chance.choice("bcdfglmnprst") + chance.choice("aeiou") for _ in range(4)) for _ in range(300)]
    texts = [" ".join(chance.choices(words, k=8)) for _ in range(rows)]
    pairs = set()
    for row in range(0, rows, 4):
        at = chance.randrange(1, len(texts[row]) - 2)
        pairs.add((row, len(texts)))
        texts.append(texts[row][:at] + "z" + texts[row][at + 1 :] if texts[row][at] != " " else texts[row] + "?")
    return texts, pairs


def test_planted_slips_are_found_and_nothing_else() -> None:
    texts, pairs = planted(800, seed=1)
    result = found(near_pairs(texts))
    assert len(pairs & result) >= 0.97 * len(pairs)
    assert result <= pairs


def test_templates_stay_apart_and_a_slip_in_one_is_found() -> None:
    chance = random.Random(4)
    slots = ["".join(chance.choice("bcdfglmnprst") + chance.choice("aeiou") for _ in range(3)) for _ in range(300)]
    texts = [f"please tell me how the weather in {slot} will be over the weekend" for slot in dict.fromkeys(slots)]
    rows = len(texts)
    result = found(near_pairs([*texts, texts[77].replace("weather", "waether")]))
    assert (77, rows) in result
    assert {pair for pair in result if pair[1] < rows} == set()


@settings(deadline=None, max_examples=5)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_pair(chance: random.Random) -> None:
    texts, _ = planted(60, seed=2)
    order = list(range(len(texts)))
    chance.shuffle(order)
    straight = {frozenset(pair) for pair in found(near_pairs(texts))}
    turned = {frozenset((order[one], order[other])) for one, other in found(near_pairs([texts[at] for at in order]))}
    assert straight == turned


def test_pairs_stand_in_order_each_once() -> None:
    pairs = near_pairs(pa.array(planted(200, seed=3)[0]))
    both = list(zip(pairs.left.tolist(), pairs.right.tolist(), strict=True))
    assert all(one < other for one, other in pairwise(both))
    assert len(pairs.kind) == len(pairs.similarity) == len(both)


def test_nothing_and_very_little_are_no_pairs() -> None:
    for texts in ([], [""], ["a"], ["", "b"]):
        assert found(near_pairs(texts)) == set()
    assert found(near_pairs(["ok", "OK!"])) == {(0, 1)}
    assert found(near_pairs(["?", "!", "?", "", ""])) == {(0, 2), (3, 4)}
    assert np.array_equal(canonical([]), [])
