"""A text that stands whole inside a longer one is found there, a phrase and boilerplate are not."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality.duplicates import containing, signed
from pipeline.quality.duplicates.proposing import flat
from tests.quality.duplicates.seen import CHINESE, ENGLISH, accepted, search

MORE = "Besides that i have got another question about the invoice of last month."


@pytest.mark.parametrize(
    ("short", "long"),
    [
        (ENGLISH, f"{ENGLISH.upper()}?! {MORE}"),
        (ENGLISH, f"{MORE} {ENGLISH}"),
        (CHINESE, f"你好，{CHINESE}？另外我还有一个关于上个月发票的问题。"),
        ("please restart 服务器 and tell 大家", "now please restart 服务器 and tell 大家 when it is done"),
    ],
)
def test_it_is_found_with_its_share(short: str, long: str) -> None:
    found = search([short, "nothing of the kind is said in this text", long])
    assert accepted(found) == {(0, 2, "contained")}
    assert (found.left[0], found.right[0]) == (2, 0)
    assert 0 < found.similarity[0] < 1
    assert "words more" in found.why[0]


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("how are you", f"{ENGLISH} how are you {MORE}"),
        (
            "please tell me when it will arrive at home",
            "please tell me when it will arrive at homebound stations, thank you",
        ),
        (ENGLISH.replace("parcel", "letter"), f"{ENGLISH} {MORE}"),
        ("我们明天见", CHINESE + "我们明天见"),
    ],
)
def test_a_phrase_half_a_word_and_another_word_are_not(short: str, long: str) -> None:
    assert accepted(search([short, long])) == set()


def test_boilerplate_is_counted_only() -> None:
    boilerplate = "you are a helpful assistant and answer all questions politely"
    topics = [
        f"{one} {other} {third}"
        for one in ("red", "blue", "wide")
        for other in ("cats", "cars")
        for third in ("swim", "sing")
    ]
    found = search([boilerplate, *(f"{boilerplate} today we talk of {topic} for a while" for topic in topics)])
    assert {pair for pair in accepted(found) if pair[2] == "contained"} == set()
    assert found.not_listed["boilerplate"] == len(topics)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 400), st.integers(0, 400))
def test_it_is_found_wherever_it_stands_in_a_long_text(before: int, after: int) -> None:
    long = (
        f"{' '.join(f'before{at}' for at in range(before))} {ENGLISH} {' '.join(f'after{at}' for at in range(after))}"
    )
    assert accepted(search([ENGLISH, long + " and more of it"])) == {(0, 1, "contained")}


def test_between_sides_only_the_other_side_counts() -> None:
    texts = [ENGLISH, f"{ENGLISH} {MORE}", f"{MORE} {ENGLISH}"]
    assert accepted(search(texts, between=[0, 0, 1])) == {(0, 2, "contained")}


@given(st.lists(st.lists(st.sampled_from("ab"), min_size=6, max_size=40), min_size=2, max_size=2), st.data())
@settings(max_examples=60)
def test_fingerprints_rule_out_no_text_that_is_held(texts: list[list[str]], data: st.DataObject) -> None:
    longer = [*texts[0], *texts[1]]
    first = data.draw(st.integers(0, len(longer) - 6))
    last = data.draw(st.integers(first + 6, len(longer)))
    words = [" ".join(f"word{letter}" for letter in part) for part in (longer, longer[first:last])]
    told = pa.Table.from_batches([signed(pa.RecordBatch.from_pydict({"text": pa.array(words)}))])
    hashes, starts = flat(told["fingerprints"])
    units = told["units"].to_numpy()
    assert containing._may_hold(hashes, starts, units, np.array([0]), np.array([1])).all()


def test_fingerprints_rule_out_a_text_that_only_begins_alike() -> None:
    words = [f"{ENGLISH} {MORE}", ENGLISH.replace("parcel", "letter") + " and nothing else that was said before"]
    told = pa.Table.from_batches([signed(pa.RecordBatch.from_pydict({"text": pa.array(words)}))])
    hashes, starts = flat(told["fingerprints"])
    units = told["units"].to_numpy()
    assert not containing._may_hold(hashes, starts, units, np.array([0]), np.array([1])).any()
