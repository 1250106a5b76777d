"""Pairs are found with their evidence, whatever the order of the rows, and only across sides where sides are given."""

from __future__ import annotations

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality.duplicates import PAIRS, SHORTEST_SPACED, Found, pairs
from tests.quality.duplicates.seen import CHINESE, ENGLISH, accepted, search, signatures, whys

WORDS = [
    *("alarm", "morning", "parcel", "delivery", "weather", "tomorrow", "please", "the", "a", "not", "seven", "7"),
    *("Anna", "Paris", "card", "我", "们", "明", "天", "开", "会", "三", "不"),
]
SENTENCES = st.lists(st.sampled_from(WORDS), min_size=0, max_size=9).map(" ".join)


@pytest.mark.parametrize(
    ("one", "other", "kind", "why"),
    [
        (ENGLISH, ENGLISH, "exact", "the same text"),
        (ENGLISH, ENGLISH.title() + "!", "normalised", "case, width, spaces or punctuation only"),
        (ENGLISH, ENGLISH.replace("parcel", "pacrel"), "misspelt", "parcel / pacrel"),
        (ENGLISH, ENGLISH.replace("tell me", "me tell"), "reordered", "tell me / me tell"),
        (ENGLISH, ENGLISH.replace("please ", ""), "similar", "please / -"),
        (
            "i do not see why it is not here yet",
            "I don't see why it isn't here yet",
            "similar",
            "one is contracted, or marks only",
        ),
        (CHINESE, CHINESE.replace("时候", "时侯"), "misspelt", "候 / 侯"),
        (CHINESE, CHINESE.replace("冰箱", "冰箱箱"), "misspelt", "- / 箱"),
        (CHINESE, CHINESE + "呢", "similar", "- / 呢"),
    ],
)
def test_what_says_the_same_is_accepted_and_why(one: str, other: str, kind: str, why: str) -> None:
    found = search([one, "something quite different stands in this text", other])
    assert accepted(found) == {(0, 2, kind)}
    assert whys(found) == {(0, 2): why}


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        ("please set the alarm for 3 in the morning", "please set the alarm for 5 in the morning", "number 3 / 5"),
        (
            "i do want you to cancel the standing order",
            "i do not want you to cancel the standing order",
            "negation - / not",
        ),
        ("could you ask Anna for the new contract", "could you ask Bob for the new contract", "name anna / bob"),
        (
            "i have seen the cat on the roof of the house",
            "i have seen the dog on the roof of the house",
            "word cat / dog",
        ),
        ("the offer is down by 10 % since last week", "the offer is down by 10 # since last week", "sign % / #"),
        (
            "this is what i think of your work :)",
            "this is what i think of your work :(",
            "sign: a face or a mark of a number",
        ),
        (
            "then the dog bites the man in the park",
            "then the man bites the dog in the park",
            "order dog bites the man / man bites the dog",
        ),
        ("请把下午三点的会议改到明天再开吧", "请把下午五点的会议改到明天再开吧", "number 三 / 五"),
        ("长柄艾纳香的下部叶有什么特点呢", "长柄艾纳香的上部叶有什么特点呢", "word 下 / 上"),
    ],
)
def test_what_keeps_two_apart_is_named(one: str, other: str, why: str) -> None:
    found = search([one, other], threshold=0.5)
    assert accepted(found) == set()
    assert whys(found) == {(0, 1): why}


def test_a_slot_is_told_with_how_many_fill_it() -> None:
    fillers = ["marmalade", "telescopes", "umbrellas", "violins", "wardrobes", "xylophones"]
    found = search([f"we would like to hear about {filler} before the end of the month" for filler in fillers])
    assert accepted(found) == set()
    assert found.why[0] == "slot filled 6 times: marmalade / telescopes" or found.why[0].startswith(
        "slot filled 6 times: "
    )


@settings(deadline=None, max_examples=25)
@given(st.lists(SENTENCES, max_size=10), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_the_batches_change_nothing(texts: list[str], chance: random.Random) -> None:
    texts += [text + " please" for text in texts[:3]] + [ENGLISH, ENGLISH.replace("parcel", "pacrel"), ENGLISH.upper()]
    order = chance.sample(range(len(texts)), len(texts))
    tables = []
    for rows in (list(range(len(texts))), order):
        here = [texts[row] for row in rows]
        ids = [f"row-{row}" for row in rows]
        signed = signatures(here, at_once=chance.randint(1, 9))
        found = pairs(signed, lambda chosen, here=here: [here[row] for row in chosen.tolist()], ids=ids)  # type: ignore[misc]
        tables.append(found.table(pa.array(ids)))
    assert tables[0].equals(tables[1])
    assert tables[0].schema == PAIRS


@settings(deadline=None, max_examples=60)
@given(SENTENCES, SENTENCES)
def test_two_texts_say_the_same_whichever_comes_first(one: str, other: str) -> None:
    other = f"{one} {other}"[-len(one) - 7 :]
    assert accepted(search([one, other])) == accepted(search([other, one]))


@settings(deadline=None, max_examples=40)
@given(st.lists(SENTENCES, max_size=12))
def test_each_pair_stands_once_and_short_texts_are_only_equal(texts: list[str]) -> None:
    found = search(texts)
    both = {frozenset(pair) for pair in zip(found.left.tolist(), found.right.tolist(), strict=True)}
    assert len(both) == len(found) == len(found.kind) == len(found.why)
    assert all(len(pair) == 2 for pair in both)
    for one, other, kind in accepted(found):
        short = min(len(texts[row].replace(" ", "")) for row in (one, other)) < SHORTEST_SPACED
        spaced = all(texts[row].isascii() for row in (one, other))
        assert kind in ("exact", "normalised") or not (short and spaced)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(SENTENCES, st.integers(0, 2)), max_size=12))
def test_between_sides_all_pairs_are_of_two(rows: list[tuple[str, int]]) -> None:
    texts, sides = [text for text, _ in rows], np.array([side for _, side in rows], dtype=np.int64)
    found = search(texts, between=sides)
    assert (sides[found.left] != sides[found.right]).all()
    keys = signatures(texts)["key"].to_pylist()
    equal = {(one, other) for one, other, kind in accepted(found) if kind in ("exact", "normalised")}
    for row in range(len(texts)):
        elsewhere = {int(sides[at]) for at in range(len(texts)) if keys[at] == keys[row]} - {int(sides[row])}
        assert elsewhere == {int(sides[sum(pair) - row]) for pair in equal if row in pair}


def test_between_sides_every_copy_of_a_near_row_is_told() -> None:
    slip = ENGLISH.replace("parcel", "pacrel")
    found = search([slip, ENGLISH, ENGLISH.upper(), slip], between=[1, 0, 0, 1])
    assert {(one, other) for one, other, _ in accepted(found)} == {(0, 1), (0, 2), (1, 3)}


def test_a_few_rows_of_another_side_are_found_in_a_large_template() -> None:
    frame = "please tell me how the weather in {} will be over the whole of the weekend".format
    chance = random.Random(3)
    made = ["".join(chance.choices("bcdfglmnprstaeiou", k=7)) for _ in range(200)]
    texts = [*map(frame, made), frame(made[50]).replace("weather", "waether"), frame("seven"), frame("three")]
    sides = [0] * 200 + [1, 1, 1]
    found = search(texts, between=sides)
    assert accepted(found) == {(50, 200, "misspelt")}


def test_rejected_pairs_are_the_nearest_few_and_the_rest_are_counted() -> None:
    texts = [f"please set the alarm for {number} in the morning of the day" for number in range(30)]
    found = search(texts, nearest=2)
    assert len(found) <= 2 * len(texts)
    assert not found.accepted.any()
    assert found.not_listed.total() + len(found) >= len(texts) * (len(texts) - 1) // 2
    assert len(search(texts, nearest=0)) == 0


def test_a_mixed_text_is_read_in_both_its_scripts() -> None:
    mixed = "请帮我 restart the server 然后告诉大家 that the deployment is done"
    assert accepted(search([mixed, mixed.replace("restart", "restrat")])) == {(0, 1, "misspelt")}
    assert accepted(search([mixed, mixed.replace("大家", "家大")])) == {(0, 1, "reordered")}
    assert accepted(search([mixed, mixed.replace("server", "laptop")])) == set()
    assert accepted(search([mixed, mixed.replace("大家", "老板")])) == set()


def test_long_texts_are_compared_whole() -> None:
    words = [f"word{at}" for at in range(30)]
    chance = random.Random(5)
    long = " ".join(chance.choices(words, k=400))
    late = long[:-40] + " zebra " + long[-40:]
    assert accepted(search([long, long + "!", late.replace("zebra", "7")])) == {(0, 1, "normalised")}
    assert whys(search([long, late.replace("zebra", "7")])) == {(0, 1): "number - / 7"}


def test_nothing_gives_nothing() -> None:
    assert len(search([])) == 0
    found = Found.listed([])
    assert found.table(pa.array([], pa.string())).schema == PAIRS
    assert len(Found.joined([found, found])) == 0


def test_pages_of_lookalikes_do_not_hang() -> None:
    """Texts made to share every band and every word must not cost a comparison for every two of them."""
    texts = [f"{'the same words again and again ' * 3}{number:05d}" for number in range(3_000)]
    found = search(texts)
    assert not found.accepted.any()
    assert len(found) <= 2 * len(texts)


def test_a_slot_of_two_characters_is_one_whatever_is_in_it() -> None:
    fillers = ["叶的", "的叶", "风口", "水汽", "蒸汽", "热流"]
    found = search([f"定子由一系列类似的固定扇叶组成{filler}重新定向到下一个转子层级上" for filler in fillers])
    assert accepted(found) == set()
