"""The narrow columns that are looked at, of rows of every task."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from pipeline.suspecting.checked import CHECKED, checked
from tests.builds import SPINE
from tests.tasks.examples import EXAMPLES


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_they_say_what_the_row_says(name: str) -> None:
    own, row = EXAMPLES[name].made()
    whole = {**SPINE, "id": "s/1", "group": "g", **row, "confidence": 0.75}
    line = checked(whole, own)
    assert pa.RecordBatch.from_pylist([line], schema=CHECKED).to_pylist() == [line]
    assert (line["id"], line["group"], line["given_share"]) == ("s/1", "g", 0.75)
    assert (line["text"], json.loads(line["answer"])) == (own.shown(whole), own.answer(whole))
    assert bool(line["words"]) == (own.head == "token")
    assert (line["said"] is None) or own.measure == "texts"
    for word in line["words"]:
        assert 0 <= word["start"] < word["end"] <= len(line["text"])
        assert word["tag"] == "O" or word["tag"][:2] in ("B-", "I-")
    assert [doubt["kind"] for doubt in line["doubts"]] == [doubt.kind for doubt in own.doubts(whole)]


def test_answers_that_say_the_same_come_to_the_same() -> None:
    own, row = next(
        example.made()
        for example in EXAMPLES.values()
        if example.task == "answering" and example.made()[0].answer(example.made()[1])
    )
    whole = {**SPINE, "id": "s/1", "group": "g", **row}
    assert checked(whole, own)["said"] == next(iter(own.ballots(whole, [own.answer(whole)]).values()))[0]
