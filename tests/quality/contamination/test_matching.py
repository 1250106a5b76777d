"""Matching: copies are found whole, in part and changed; topics, frames, phrases and quotations are not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quality.contamination import judged, search
from pipeline.quality.contamination.matching import EQUAL, INSIDE, PART, WHOLE
from tests.quality.contamination.texts import LEAST, chinese, english, found, indexed, pairs

ITEMS = [english(1, 40), chinese(2, 60), english(3, 9), chinese(4, 14), "Where is my card?", "好的"]
OTHER = [english(seed, 60) for seed in range(10, 14)]


@pytest.mark.parametrize("at", range(6))
def test_an_item_is_found_as_it_is_and_in_other_case_width_and_punctuation(at: int) -> None:
    item = ITEMS[at]
    loud = "，".join(item.upper().split()).replace("?", "")
    wide = "".join(chr(ord(sign) + 0xFEE0) if "a" <= sign <= "z" else sign for sign in item)
    assert pairs(ITEMS, [item, loud, wide]) == [(0, at), (1, at), (2, at)]


@pytest.mark.parametrize("at", range(4))
def test_an_item_of_eight_words_is_found_inside_a_longer_text(at: int) -> None:
    assert pairs(ITEMS, [f"{OTHER[0]}: {ITEMS[at]}\n{OTHER[1]}"]) == [(0, at)]


def test_a_text_is_an_item_however_its_words_are_joined() -> None:
    texts = ["i cannot find my cardPIN", "I can not find my card pin!", "can i not find my card pin"]
    assert pairs(["I can not find my card PIN"], texts) == [(0, 0), (1, 0)]


def test_a_phrase_is_an_item_only_as_most_of_a_text_and_by_itself() -> None:
    phrase = "what are you talking about"
    texts = [phrase, f"So. {phrase}?", f"{phrase}? {OTHER[0]}", f"so {phrase} then"]
    assert pairs([phrase], texts) == [(0, 0), (1, 0)]
    assert pairs(
        ["法国的首都是哪里呢"], ["问：法国的首都是哪里呢？答：巴黎。", f"法国的首都是哪里呢？{chinese(1, 30)}"]
    ) == [(0, 0)]


def test_less_than_an_n_gram_counts_only_where_it_is_all_there_is() -> None:
    index = indexed(["yes", ITEMS[0]])
    texts, rows = ["yes", "Yes!", "yes and no", ITEMS[0]], np.array([0, 1, 1, 2])
    hits = search(texts, index, least_share=LEAST, rows=rows, sole=np.array([True, False, False, False]))
    assert list(zip(hits.text.tolist(), hits.item.tolist(), hits.kind.tolist(), strict=True)) == [
        (0, 0, EQUAL),
        (2, 1, EQUAL),
    ]


def test_parts_are_found_with_where_they_stand() -> None:
    words = ITEMS[0].split()
    half, changed = " ".join(words[:20]), " ".join("other" if at in (9, 22) else one for at, one in enumerate(words))
    made = found(ITEMS, [f"{OTHER[0]} {half}", changed])
    assert made.text.tolist() == [0, 1]
    assert made.item.tolist() == [0, 0]
    assert made.share.tolist() == [0.5, 38 / 40]
    assert (made.start.tolist(), made.end.tolist()) == ([0, 23], [20, 40])


def test_short_pieces_that_are_little_of_an_item_are_not_it() -> None:
    words = ITEMS[0].split()
    quotation = f"{OTHER[0]} {' '.join(words[10:22])} {OTHER[1]}"
    scattered = " ".join(f"{' '.join(words[at : at + 6])} {OTHER[0][:40]}" for at in range(0, 36, 8))
    shuffled = " ".join(sorted(words))
    assert pairs(ITEMS, [quotation, scattered, shuffled, *OTHER]) == []


def test_sums_are_much_the_same_everywhere() -> None:
    solved = "Jean has 30 - 2 = <<30-2=28>>28 sweets\nJean can fill up 28 / 2 = <<28/2=14>>14 bags with sweets\n#### 14"
    other = "Robert is 30 - 2 = <<30-2=28>>28 years old.\nSo Patrick is 28 / 2 = <<28/2=14>>14 years old.\n#### 14"
    assert pairs([solved], [other, f"{OTHER[0]}\n{solved}"]) == [(1, 0)]


def test_fifty_words_count_whatever_their_share() -> None:
    long = english(5, 400)
    piece = " ".join(long.split()[100:150])
    assert pairs([long], [piece, piece[:-10]]) == [(0, 0)]


def test_a_frame_that_many_items_have_is_not_theirs() -> None:
    frame = english(6, 15)
    items = [f"{frame}\n{english(100 + at, 4)}" for at in range(12)]
    assert pairs(items, [f"{frame}\n{english(200, 4)}", items[3], f"{OTHER[0]}\n{items[5]}"]) == [(1, 3), (2, 5)]
    few = items[:10]
    assert (0, 0) in pairs(few, [f"{frame}\n{english(200, 4)}"])


def test_a_frame_is_told_in_its_own_set() -> None:
    frame = english(6, 15)
    items = [*(f"{frame}\n{english(100 + at, 4)}" for at in range(12)), frame]
    index = indexed(items, [0] * 12 + [1])
    hits = search([f"{frame} {english(9, 4)}"], index, least_share=LEAST)
    assert hits.item.tolist() == [12]


def test_words_that_very_many_rows_hold_are_anybodys() -> None:
    frame = english(6, 20)
    item = f"{frame}\n{english(7, 12)}"
    rows = [f"{frame}\n{english(1000 + at, 12)}" for at in range(30)]
    assert len(found([item], rows[:20]).text) == 20
    assert pairs([item], [*rows, item]) == [(30, 0)]


def test_copies_of_an_item_in_many_rows_are_no_sign_that_its_words_are_anybodys() -> None:
    cut = " ".join(ITEMS[0].split()[:36])
    assert len(found(ITEMS, [f"{english(100 + at, 9)} {cut}" for at in range(30)]).text) == 30


def test_words_that_a_few_items_of_each_of_two_sets_have_are_theirs() -> None:
    frame = english(6, 15)
    items = [f"{frame}\n{english(100 + at, 4)}" for at in range(16)]
    one, two = (
        search([frame], indexed(items, sets), least_share=LEAST) for sets in ([0] * 16, [at // 8 for at in range(16)])
    )
    assert (len(one.item), len(two.item)) == (0, 16)


def test_a_short_item_that_very_many_rows_hold_is_a_phrase_but_not_where_it_is_the_text() -> None:
    index = indexed([ITEMS[2]])
    texts = [f"{english(at, 3)}. {ITEMS[2]}." for at in range(21)]
    hits = search([*texts, ITEMS[2]], index, least_share=LEAST)
    assert sorted(set(hits.kind.tolist())) == [EQUAL, WHOLE]
    verdict = judged(hits, index, texts=22, least_share=LEAST)
    assert verdict.found.text.tolist() == [21]
    assert verdict.common_items == 1


def test_an_item_that_stands_in_two_texts_of_a_row_counts_once() -> None:
    index = indexed(ITEMS)
    half = f"{OTHER[1]} {' '.join(ITEMS[0].split()[:20])}"
    hits = search([half, half, ITEMS[0]], index, least_share=LEAST, rows=np.array([0, 0, 1]))
    assert list(zip(hits.text.tolist(), hits.kind.tolist(), strict=True)) == [(0, PART), (1, EQUAL)]


QUESTIONS = [
    ("Which river runs through Vienna?", "A. the old Rhine B. the Danube C. the river Elbe D. the Vistula"),
    ("莱茵河流经哪些城市？", "A. 巴塞尔和科隆 B. 里昂和马赛 C. 柏林 D. 华沙"),
]


@pytest.mark.parametrize(("question", "answers"), QUESTIONS)
def test_a_question_is_found_that_stands_beside_its_answers_in_an_item(question: str, answers: str) -> None:
    items = [*ITEMS, f"Question:\n{question}\n{answers}"]
    assert pairs(items, [question, question.upper().replace("?", ""), f"{question} {OTHER[0]}"]) == [(0, 6), (1, 6)]
    hits = search([question], indexed(items), least_share=LEAST)
    assert hits.kind.tolist() == [INSIDE]


@pytest.mark.parametrize("at", [0, 1])
def test_a_text_of_eight_words_is_found_wherever_it_stands_in_an_item(at: int) -> None:
    words, between = (ITEMS[at].split(), " ") if at == 0 else (list(ITEMS[at]), "")
    least = 8 if at == 0 else 13
    for begin in (0, 7, len(words) - least):
        part = words[begin : begin + least]
        made = found(ITEMS, [between.join(part), between.join(part[::-1]), between.join(part[:-1])])
        assert (made.text.tolist(), made.item.tolist()) == ([0], [at])
        assert (made.start.tolist(), made.end.tolist()) == ([begin], [begin + least])
        assert made.share.tolist() == [pytest.approx(least / len(words))]


def test_a_longer_text_that_stands_whole_in_an_item_is_found_though_it_is_little_of_it() -> None:
    long = english(5, 400)
    part = " ".join(long.split()[100:120])
    assert pairs([long], [part, f"{OTHER[0]} {part}"]) == [(0, 0)]


def test_a_phrase_tells_of_an_item_only_as_half_of_it_or_as_a_line() -> None:
    phrase = "what are you talking about"
    for item, there in (
        (f"So. {phrase}?", True),
        (f"so {phrase} then", False),
        (f"{english(1, 3)}. {phrase}? {english(2, 3)}", False),
        (f"{english(1, 9)}\n{phrase}?\n{english(2, 9)}", True),
        (f"{english(1, 20)}\n{phrase}?\n{english(2, 20)}", False),
        (f"{english(1, 9)}. {phrase}? {english(2, 9)}", False),
    ):
        assert bool(pairs([item], [phrase])) == there


def test_less_than_an_n_gram_tells_of_no_item_that_it_stands_in() -> None:
    assert (
        pairs(["What is the answer?\nA. this B. that", "答案是什么？\n甲、乙"], ["What is the answer?", "答案是什么？"])
        == []
    )


def test_what_many_items_say_tells_of_none_that_says_it() -> None:
    wording = "Which of the following statements about these words is true?"
    items = [f"{wording}\n{english(100 + at, 12)}" for at in range(12)]
    assert pairs(items, [wording]) == []
    assert pairs(items[:10], [wording]) == [(0, at) for at in range(10)]
    own = f"{wording} {english(105, 3)}"  # with words of one item it is that item's
    assert pairs([one.replace("\n", " ") for one in items], [own]) == [(0, 5)]


def test_a_text_that_too_many_rows_are_is_anybodys() -> None:
    phrase = "please answer the question below in your own words"
    item = f"{phrase}\n{ITEMS[0]}"
    assert len(found([item], [phrase] * 20).text) == 20
    verdict = judged(
        search([phrase] * 21, indexed([item]), least_share=LEAST), indexed([item]), texts=21, least_share=0.4
    )
    assert not len(verdict.found.text)
    assert verdict.common_units == 9


def test_nothing_in_and_nothing_out() -> None:
    index = indexed(ITEMS)
    assert not len(search([], index, least_share=LEAST).text)
    assert not len(search(["", " ", "?"], index, least_share=LEAST).text)


@given(st.permutations(range(8)), st.integers(1, 7))
def test_neither_order_nor_batches_change_what_is_found(order: list[int], cut: int) -> None:
    texts = [
        ITEMS[0],
        OTHER[0],
        f"{OTHER[1]}\n{ITEMS[1]}",
        ITEMS[4],
        ITEMS[0][: len(ITEMS[0]) // 2],
        OTHER[2],
        "",
        "好的",
    ]
    index = indexed(ITEMS)
    whole = {
        (int(a), int(b), int(c), int(d)) for a, b, c, d, _ in zip(*search(texts, index, least_share=LEAST), strict=True)
    }
    moved = [texts[at] for at in order]
    seen = set()
    for begin, part in ((0, moved[:cut]), (cut, moved[cut:])):
        hits = search(part, index, least_share=LEAST)
        seen |= {(order[int(a) + begin], int(b), int(c), int(d)) for a, b, c, d, _ in zip(*hits, strict=True)}
    assert seen == whole
    assert {text for text, *_ in whole} == {0, 2, 3, 4, 7}


@given(st.text(min_size=1, max_size=60), st.text(max_size=40), st.text(max_size=40))
def test_a_planted_item_is_always_found_when_it_is_long_enough(item: str, before: str, after: str) -> None:
    index = indexed([item, ITEMS[0]])
    texts = [item] if not index.weights[0] else [item, f"{before}\n{item}\n{after}"]
    hits = search(texts, index, least_share=LEAST)
    at = set(zip(hits.text.tolist(), hits.item.tolist(), strict=True))
    assert ((0, 0) in at) == bool(index.weights[0])
    if not index.phrases[0]:
        assert (1, 0) in at
