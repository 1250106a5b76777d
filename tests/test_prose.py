"""Which field is the text, which the second one, and which is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline import recipe, scaffold
from pipeline.errors import AssayError
from pipeline.prose import are_codes
from tests.small import built, jsonl

if TYPE_CHECKING:
    from pathlib import Path


def columns_of(folder: Path, records: list[dict[str, Any]], task: str = "classification") -> dict[str, str]:
    source = folder / "t.jsonl"
    source.write_text(jsonl(records), encoding="utf-8")
    path, _ = scaffold.new("mine", task=task, source=source, data=folder / "data")
    one = recipe.load(path)
    assert built(one, "ingest")["ingest"]["counts"]["kept"] == len(records)
    return one.settings.ingest.source[0].columns


def records(**fields: str) -> list[dict[str, Any]]:
    """Thirty records of the same fields; `@` in a value is the record's number."""
    return [
        {"label": "yn"[at % 2]} | {name: value.replace("@", str(at)) for name, value in fields.items()}
        for at in range(30)
    ]


@pytest.mark.parametrize(
    ("text", "pair"),
    [("text", "hypothesis"), ("premise", "hypothesis"), ("sentence1", "sentence2"), ("question1", "question2"),
     ("question", "answer"), ("text", "text_pair")],
)  # fmt: skip
def test_two_texts_are_a_pair(tmp_path: Path, text: str, pair: str) -> None:
    found = columns_of(tmp_path, records(**{text: "the cat @ sat there", pair: "a cat sat, @"}))
    assert found == {"text": text, "text_pair": pair, "label": "label"}


@pytest.mark.parametrize(("name", "value"), [("answer", "a cat sat, @"), ("hypothesis", "@"), ("other", "a cat sat @")])
def test_not_every_second_field_is_a_pair(tmp_path: Path, name: str, value: str) -> None:
    assert columns_of(tmp_path, records(text="the cat @ sat there", **{name: value})) == {
        "text": "text",
        "label": "label",
    }


def test_numbers_and_ids_are_no_texts_whatever_they_are_called(tmp_path: Path) -> None:
    folder = tmp_path / "found"
    folder.mkdir()
    fields = {"sentence_index": "@", "code": "89KZPYXSTGTJ0CZY2Y1ZB28YQ9GBT88Z2W1@", "what": "a cat @"}
    assert columns_of(folder, records(**fields))["text"] == "what"
    for name, value in (("sentence_index", "@"), ("code", "89KZPYXSTGTJ0CZY2Y1ZB28@"), ("text", "@")):
        with pytest.raises(AssayError, match=f"none of its columns is a text: label, {name}"):
            columns_of(tmp_path, records(**{name: value}))


def test_what_looks_like_codes() -> None:
    assert are_codes(["A1AVJRFM6L0RN8", "42_0", "7"])
    assert not are_codes(["好看的电影2", "OK then", "fine"])


def test_free_text_is_not_taken_for_labels(tmp_path: Path) -> None:
    source = tmp_path / "t.jsonl"
    source.write_text(
        jsonl([{"question": f"what is {at}?", "reply": f"it is {at}"} for at in range(30)]), encoding="utf-8"
    )
    with pytest.raises(AssayError, match="no column holds labels: 'reply' has fewest different values"):
        scaffold.new("mine", task="classification", source=source, data=tmp_path / "data")


def test_a_source_that_is_blank_mostly_is_none(tmp_path: Path) -> None:
    rows = [
        {"instruction": f"say {at} twice", "input": "" if at else "now", "output": f"{at} and {at} again"}
        for at in range(9)
    ]
    assert columns_of(tmp_path, rows, task="writing") == {"source": "instruction", "target": "output"}


def test_dialogues_without_a_reply_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="no dialogue ends in a reply"):
        columns_of(tmp_path, [{"messages": [{"role": "user", "content": "hi"}]}], task="chat")


def test_faults_of_some_records_are_told(tmp_path: Path) -> None:
    source = tmp_path / "t.jsonl"
    rows = [{"text": "Anna left", "spans": [[0, 4, "PER"]]}, {"text": "Ben", "spans": [[0, 9, "PER"]]}]
    source.write_text(jsonl(rows), encoding="utf-8")
    _, notes = scaffold.new("mine", task="tagging", source=source, data=tmp_path / "data")
    assert notes[-1].startswith("of the first 2 records, 1 have a fault, as span_out_of_text: [0, 9)")


def test_a_file_of_which_most_cannot_be_read_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "t.tsv"
    source.write_text("".join(f"{at}\tit is {at}\nCause\nComment:\n" for at in range(9)), encoding="utf-8")
    with pytest.raises(AssayError, match="only 9 of 27 records could be read as tsv"):
        scaffold.new("mine", task="writing", source=source, data=tmp_path / "data")


def test_an_id_of_many_texts_is_no_id_of_rows(tmp_path: Path) -> None:
    rows = [
        {"view_id": "blocks", "worker": f"w{at % 2}", "text": f"a cat {at}", "label": "yn"[at % 3 > 0]}
        for at in range(30)
    ]
    assert columns_of(tmp_path, rows) == {"text": "text", "label": "label", "annotator": "worker"}


def test_numbers_that_are_all_missing_are_no_ratings(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match=r"no number stands in scores|no column holds ratings"):
        columns_of(tmp_path, [{"text": f"a cat {at}", "scores": "[]"} for at in range(9)], task="rating")
