from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers import Broken, Record

from .memory import faults, got, rows, survives

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab中", max_size=3), inner, max_size=3),
    max_leaves=6,
)


def test_one_record_a_line() -> None:
    assert got('{"a": 1}\n\n  {"a": "二"}\r\n', "jsonl") == [Record("f:1", {"a": 1}), Record("f:3", {"a": "二"})]


def test_lists_and_values_need_names() -> None:
    assert rows('["hi", "greet"]\n', "jsonl", names=("text", "label")) == [{"text": "hi", "label": "greet"}]
    assert rows('"hi"\n', "jsonl", names=("text",)) == [{"text": "hi"}]
    assert faults('["hi"]\n"hi"\n["a", "b", "c"]\n', "jsonl") == [(f"f:{n}", "wrong_columns") for n in (1, 2, 3)]


def test_what_is_not_json_is_broken() -> None:
    content = '{"a": 1\n{"a": 1} x\n{"a": 1, "a": 2}\n' + "[" * 100_000 + "\n" + '{"a": ' + "9" * 5000 + "}\n"
    assert faults(content, "jsonl") == [(f"f:{n}", "unreadable_record") for n in range(1, 6)]


def test_numbers_that_json_does_not_have_are_noted() -> None:
    assert got('{"a": NaN, "b": [-Infinity]}', "jsonl") == [
        Record("f:1", {"a": None, "b": [None]}, ("NaN read as null", "-Infinity read as null"))
    ]


def test_half_a_surrogate_pair_cannot_be_written_and_is_refused() -> None:
    (broken,) = got(r'{"a": "\ud83d"}', "jsonl")
    assert isinstance(broken, Broken)
    assert (broken.reason, broken.evidence) == ("invalid_encoding", "U+D83D, half of a surrogate pair")
    assert rows(r'{"a": "\ud83d\ude00"}', "jsonl") == [{"a": "😀"}]
    (record,) = got(r'{"a": "\ud83d!", "\udc00": 1}', "jsonl", invalid_bytes="replace")
    assert isinstance(record, Record)
    assert record.fields == {"a": "\ufffd!", "\ufffd": 1}
    assert record.notes == ("replaced by U+FFFD: U+D83D, half of a surrogate pair",)


def test_bad_bytes_are_broken_with_their_place() -> None:
    assert faults(b'{"a": "ok"}\n{"a": "\xff"}\n', "jsonl", encoding="utf-8") == [("f:2", "invalid_encoding")]


@given(st.lists(st.dictionaries(st.text("ab中", max_size=3), JSON, max_size=3), max_size=6), st.booleans())
def test_what_is_written_is_read(records: list[dict[str, object]], ascii_only: bool) -> None:
    content = "\n".join(json.dumps(record, ensure_ascii=ascii_only) for record in records)
    assert rows(content, "jsonl", encoding="utf-8") == records


@given(st.binary(max_size=150))
def test_every_line_that_is_not_blank_gives_one_record(content: bytes) -> None:
    found = survives(content, "jsonl", encoding="utf-8")
    if found is None or content.startswith((b"\xef\xbb\xbf", b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"(\xb5/\xfd")):
        return
    ended = content.split(b"\n" if b"\n" in content else b"\r")
    texts = [line.removesuffix(b"\r").decode("utf-8", "replace") for line in ended]
    assert len(found) == sum(bool(text) and not text.isspace() for text in texts)


@given(st.integers(0, 60), st.binary(min_size=1, max_size=3))
def test_a_damaged_line_leaves_the_others(at: int, damage: bytes) -> None:
    line = b'{"text": "good words", "label": "x", "n": [1, {"m": null}]}'
    damaged = (line[:at] + damage + line[at + 1 :]).replace(b"\n", b" ")
    found = survives(b"\n".join([line, damaged, line]), "jsonl", encoding="utf-8")
    assert found is not None
    assert len(found) == 3
    assert isinstance(found[0], Record)
    assert isinstance(found[2], Record)
