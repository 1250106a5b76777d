from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pipeline.readers.lines as lines_module
from pipeline.errors import AssayError
from pipeline.readers import Broken, ReadOptions, Record
from pipeline.readers.json import Text

from .memory import got, held, rows, survives
from .test_jsonl import JSON

RECORD = st.fixed_dictionaries(
    {"id": st.integers(0, 9), "kids": st.lists(JSON, max_size=3), "text": st.text(max_size=5)}
)


def test_an_array_at_the_top_and_the_line_of_every_record() -> None:
    content = '[\n  {"a": 1},\n\n  {"a":\n 2}, {"a": 3}\n]\n'
    assert got(content, "json") == [Record("f:2", {"a": 1}), Record("f:4", {"a": 2}), Record("f:5", {"a": 3})]


def test_the_only_array_of_an_object() -> None:
    content = '{"version": "1", "meta": {"x": [1]}, "data": [{"a": 1}], "n": 1}'
    assert rows(content, "json") == [{"a": 1}]
    with pytest.raises(AssayError, match="more than one array"):
        got('{"train": [{"a": 1}], "test": [{"a": 2}]}', "json")
    with pytest.raises(AssayError, match="not an array of records"):
        got('{"a": 1}', "json")


def test_a_path_to_the_array() -> None:
    content = '{"x": {"train": [{"a": 1}], "test": [["b", 2]]}}'
    assert rows(content, "json", json_path="x.train") == [{"a": 1}]
    assert rows(content, "json", json_path="x.test", names=("k", "v")) == [{"k": "b", "v": 2}]
    with pytest.raises(AssayError, match="did you mean 'train'"):
        got(content, "json", json_path="x.trian")
    with pytest.raises(AssayError, match="not an array"):
        got(content, "json", json_path="x")
    with pytest.raises(AssayError, match="no object to look for"):
        got(content, "json", json_path="x.train.y")


@pytest.mark.parametrize(
    "damage",
    [
        '{"id": 2, "turns": [{"from": "x"}, {"from": "y"}, "text": "b"}',
        '{"id": 2, "text": "b}',
        '{"id": 2, "text": b"}',
        '{"id": 2, "turns": [{"from": "x", "text": "b"}',
        '{"id": 2 "text": "b"}',
        '{"id": 2, "text": "a\nb"}',
        "@",
    ],
)
def test_one_broken_record_does_not_lose_the_others(damage: str) -> None:
    content = f'[{{"id": 1, "text": "a"}},\n{damage},\n{{"id": 3, "text": "c"}}]'
    found = got(content, "json")
    assert [one.place for one in found] == ["f:1", "f:2", f"f:{content.count(chr(10)) + 1}"]
    assert [one.fields["id"] for one in found if isinstance(one, Record)] == [1, 3]
    assert isinstance(found[1], Broken)
    assert found[1].raw == damage


def test_a_broken_first_or_last_record() -> None:
    first = got('[{"id": 1 "t": 2}, {"id": 2}]', "json")
    assert [type(one) for one in first] == [Broken, Record]
    last = got('{"data": [{"id": 1}, {"id": 2 "t": 2}]}', "json")
    assert [type(one) for one in last] == [Record, Broken]


def test_records_that_are_lists_resynchronise_too() -> None:
    found = got('[["a", "x"], ["b" "y"], ["c", "z"]]', "json", names=("text", "label"))
    assert [type(one) for one in found] == [Record, Broken, Record]


def test_a_missing_comma_is_noted_and_a_file_that_is_cut_off_is_an_error() -> None:
    assert got('[{"a": 1} {"a": 2}]', "json")[1] == Record("f:1", {"a": 2}, ("no comma before this record",))
    with pytest.raises(AssayError, match="ends within the array"):
        got('[{"a": 1}, {"a": 2},', "json")
    with pytest.raises(AssayError, match="after the end"):
        got('[{"a": 1}] [{"a": 2}]', "json")


def test_bad_bytes_cost_one_record() -> None:
    content = '[{"a": "一"}, {"a": "二"}, {"a": "三"}]'.encode().replace("二".encode(), b"\xe4\xba")
    found = got(content, "json")
    assert [type(one) for one in found] == [Record, Broken, Record]
    assert isinstance(found[1], Broken)
    assert (found[1].reason, found[1].evidence) == ("invalid_encoding", r"bytes \xe4\xba at character 7 of the record")
    mended = got(content, "json", invalid_bytes="replace")[1]
    assert isinstance(mended, Record)
    assert mended.fields == {"a": "\ufffd"}
    assert mended.notes == (r"replaced by U+FFFD: bytes \xe4\xba at character 7 of the record",)


def test_the_window_does_not_grow_with_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "CHUNK_BYTES", 1000)
    text = Text(held(json.dumps([{"a": "x" * 50}] * 2000)), ReadOptions())
    text.take()
    largest = 0
    while text.peek() != "]":
        text.value()
        largest = max(largest, len(text.window))
        if text.peek() == ",":
            text.take()
    assert largest < 4000


@given(
    st.lists(RECORD, max_size=6), st.integers(1, 60), st.sampled_from([None, 1]), st.sampled_from(["utf-8", "utf-16"])
)
def test_what_is_written_is_read_whatever_the_chunks(
    records: list[dict[str, object]], chunk: int, indent: int | None, encoding: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines_module, "CHUNK_BYTES", chunk)
        content = json.dumps({"n": 12, "all": records}, indent=indent).encode(encoding)
        assert rows(content, "json") == records


@given(st.lists(RECORD, min_size=3, max_size=5), st.integers(1, 60), st.data())
def test_a_damaged_record_is_broken_and_those_before_it_are_read(
    records: list[dict[str, object]], chunk: int, data: st.DataObject
) -> None:
    texts = [json.dumps(record) for record in records]
    hurt = data.draw(st.integers(0, len(texts) - 1))
    at = data.draw(st.integers(0, len(texts[hurt]) - 1))
    texts[hurt] = (
        texts[hurt][:at] + data.draw(st.sampled_from(["", "@", '"', "{", "}", "]", ","])) + texts[hurt][at + 1 :]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines_module, "CHUNK_BYTES", chunk)
        found = survives(f"[{','.join(texts)}]".encode(), "json")
    if found is not None and len(found) >= hurt:
        assert [one.fields for one in found[:hurt] if isinstance(one, Record)] == records[:hurt]


@given(st.binary(max_size=100) | st.text(st.sampled_from('[]{},:"a1\\ n'), max_size=40).map(str.encode))
def test_hostile_bytes(content: bytes) -> None:
    survives(content, "json")
    survives(b"[" + content + b"]", "json")
    survives(content, "json", json_path="a.b")
