"""Alpaca, ShareGPT and messages, which share their turns."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers import Broken

from .memory import got, rows, survives
from .test_jsonl import JSON


def both(records: list[Any], format: str, **options: Any) -> list[dict[str, Any]]:
    """The fields of records, which must be the same out of a JSON array and out of lines."""
    lines = rows("\n".join(json.dumps(record, ensure_ascii=False) for record in records), format, **options)
    assert rows(json.dumps(records, indent=2), format, **options) == lines
    return lines


def test_alpaca() -> None:
    record = {
        "instruction": "翻译",
        "input": "Hello",
        "output": "你好",
        "system": "Be brief.",
        "history": [["hi", "hi!"]],
        "source": "x",
    }
    assert both([record, {"instruction": "a", "input": "", "output": "b"}, {"prompt": "a"}], "alpaca") == [
        {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "hi"},
                {"role": "assistant", "content": "hi!"},
                {"role": "user", "content": "翻译\nHello"},
                {"role": "assistant", "content": "你好"},
            ],
            "source": "x",
        },
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
        {"messages": [{"role": "user", "content": "a"}]},
    ]


def test_sharegpt_with_tools() -> None:
    call = '{"name": "f", "arguments": {}}'
    record = {
        "conversations": [
            {"from": "human", "value": "q"},
            {"from": "function_call", "value": call},
            {"from": "observation", "value": "42"},
            {"from": "gpt", "value": "a"},
        ],
        "system": "S",
        "tools": [{"name": "f"}],
        "id": 7,
    }
    assert both([record], "sharegpt") == [
        {
            "messages": [
                {"role": "system", "content": "S"},
                {"role": "user", "content": "q"},
                {"role": "assistant", "content": call},
                {"role": "tool", "content": "42"},
                {"role": "assistant", "content": "a"},
            ],
            "tools": '[{"name": "f"}]',
            "id": 7,
        }
    ]


def test_messages_with_parts_calls_and_weights() -> None:
    record = {
        "messages": [
            {"role": "system", "content": [{"type": "text", "value": "S"}], "loss_weight": 0.0},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "weight": 0},
            {"role": "assistant", "content": [{"type": "reasoning", "value": "r"}, {"type": "text", "value": "x"}]},
            {"role": "assistant", "content": None, "tool_calls": [{"type": "function", "function": {"name": "f"}}]},
            {"role": "tool", "content": "42", "train": True},
        ],
        "label": True,
    }
    assert both([record], "messages") == [
        {
            "label": True,
            "messages": [
                {"role": "system", "content": "S", "learn": False},
                {"role": "user", "content": "a\nb", "learn": False},
                {"role": "assistant", "content": "<think>\nr\n</think>\n\nx"},
                {"role": "assistant", "content": '{"name": "f"}'},
                {"role": "tool", "content": "42", "learn": True},
            ],
        }
    ]


@pytest.mark.parametrize(
    ("format", "record", "evidence"),
    [
        ("alpaca", {"output": "x"}, "no 'instruction' among output"),
        ("alpaca", {"instruction": ["x"]}, "'instruction' is a list and not text"),
        ("alpaca", {"instruction": "x", "history": ["x"]}, "'history' is not a list"),
        ("sharegpt", {"messages": []}, "no 'conversations' among messages"),
        ("sharegpt", {"conversations": "x"}, "the turns are not a list"),
        ("sharegpt", {"conversations": [1]}, "turn 1 is not an object"),
        ("sharegpt", {"conversations": [{"from": "alien", "value": "x"}]}, "turn 1: no role 'alien'"),
        ("sharegpt", {"conversations": [{"from": "gpt"}]}, "turn 1 has no 'value'"),
        ("messages", {"messages": [{"role": "user", "content": 7}]}, "turn 1: the content is a int"),
        (
            "messages",
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "a part of kind 'image_url'",
        ),
    ],
)
def test_what_is_no_chat_is_broken(format: str, record: dict[str, Any], evidence: str) -> None:
    (broken,) = got(json.dumps([record]), format)
    assert isinstance(broken, Broken)
    assert broken.reason == "unreadable_record"
    assert broken.evidence.startswith(evidence) or evidence in broken.evidence
    assert json.loads(broken.raw) == record


KEYS = st.sampled_from(["messages", "conversations", "instruction", "output", "history", "system", "tools"])
TURN = st.dictionaries(
    st.sampled_from(["role", "from", "content", "value", "weight", "tool_calls"]), JSON | st.just("user")
)


@given(st.lists(st.dictionaries(KEYS, JSON | st.lists(TURN, max_size=3)) | JSON, max_size=4))
def test_any_json_gives_one_answer_a_record(records: list[Any]) -> None:
    for format in ("alpaca", "sharegpt", "messages"):
        found = survives(json.dumps(records).encode(), format)
        assert found is not None
        assert len(found) == len(records)


@given(st.binary(max_size=100))
def test_hostile_bytes(content: bytes) -> None:
    for format in ("alpaca", "sharegpt", "messages"):
        survives(content, format)
