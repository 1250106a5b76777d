"""A line of signatures is made of its own text alone, and does not grow with it."""

from __future__ import annotations

import pickle
from functools import partial

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality.duplicates import SIGNED, signed
from pipeline.quality.duplicates.signing import BANDS, WORDS_KEPT
from tests.quality.duplicates.seen import CHINESE, ENGLISH, signatures

TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=30), st.sampled_from([ENGLISH, CHINESE, "？！"])), max_size=6)


@settings(deadline=None)
@given(TEXTS)
def test_a_line_is_that_of_its_text_alone(texts: list[str | None]) -> None:
    together = signatures(texts)
    assert together.schema == SIGNED
    assert together.to_pylist() == [line for text in texts for line in signatures([text]).to_pylist()]


def test_the_column_is_named_and_the_function_can_be_sent_to_a_worker() -> None:
    batch = pa.RecordBatch.from_pydict({"asked": [ENGLISH, None], "text": ["no", "no"]})
    named = pickle.loads(pickle.dumps(partial(signed, texts="asked")))
    assert named(batch).to_pylist() == signatures([ENGLISH, ""]).to_pylist()


def test_equal_keys_are_equal_normalised_texts() -> None:
    lines = signatures(["Ｈello,  World!", "hello world", "hello word", "?", "!"]).to_pylist()
    assert lines[0]["key"] == lines[1]["key"]
    assert lines[0]["exact"] != lines[1]["exact"]
    assert len({line["key"] for line in lines}) == 4


def test_short_texts_have_no_bands_and_long_ones_no_more_than_short_ones() -> None:
    lengths = {
        "ok thanks": 0,
        "可以": 0,
        ENGLISH: BANDS,
        CHINESE: BANDS,
        "订票 to Rome 谢": 0,
        "帮我订一张票 to Rome 谢谢你": BANDS,
    }
    lines = signatures(list(lengths)).to_pylist()
    assert [len(line["bands"]) for line in lines] == list(lengths.values())
    long = signatures([" ".join(f"word{at}" for at in range(20_000)), "很长的一句话没有完" * 9_000])
    for line in long.to_pylist():
        assert len(line["words"]) == WORDS_KEPT < line["units"]
        assert len(line["fingerprints"]) <= 512
    assert long.nbytes < 10_000


def test_the_same_hashes_on_every_machine() -> None:
    """They are cached: a change of the method must be seen here, and the version of the function be raised."""
    line = signatures([ENGLISH]).to_pylist()[0]
    assert line["key"].hex() == "e57afbf941f084f4b8b339513072434c"
    assert (line["bag"], line["bands"][0], line["lowest"]) == (10996757644090274892, 3431406611, 205407026536463148)
