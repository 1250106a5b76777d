"""Turns of a chat, whatever words a file has for roles and contents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.errors import Unfit
from pipeline.readers.hub import read_hub
from pipeline.readers.json import read_json
from pipeline.readers.jsonl import read_jsonl
from pipeline.readers.lines import lines
from pipeline.readers.record import Broken, Record, broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pipeline.fetch import RawFile
    from pipeline.readers.record import ReadOptions

Message = dict[str, Any]
"""`role` (system, user, assistant, tool), `content`, and `learn` where the file says whether the turn is trained on."""

ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "bard": "assistant",
    "bing": "assistant",
    "model": "assistant",
    "function_call": "assistant",
    "tool_call": "assistant",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
    "ipython": "tool",
}


def chats(
    raw: RawFile, options: ReadOptions, shape: Callable[[Mapping[str, Any], ReadOptions], dict[str, Any]]
) -> Iterator[Record | Broken]:
    """The records of a JSON or JSON Lines file (told apart by the first line) or a hub data set, shaped or broken."""
    read = read_hub if options.hub else read_jsonl if _is_lines(raw, options) else read_json
    for record in read(raw, options):
        yield _shaped(record, options, shape) if isinstance(record, Record) else record


def _is_lines(raw: RawFile, options: ReadOptions) -> bool:
    if options.json_path:
        return False
    first = next((line.text.strip() for line in lines(raw, options)[1] if line.text.strip()), "")
    return first.startswith("{") and first.endswith("}")


def _shaped(
    record: Record, options: ReadOptions, shape: Callable[[Mapping[str, Any], ReadOptions], dict[str, Any]]
) -> Record | Broken:
    try:
        return Record(record.place, shape(record.fields, options), record.notes)
    except Unfit as unfit:
        return broken(record.place, unfit.reason, unfit.evidence, json.dumps(record.fields, ensure_ascii=False))


def with_tools(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields, with `tools` as JSON text where it is given as JSON values."""
    tools = fields.get("tools")
    if tools is None or isinstance(tools, str):
        return fields
    return {**fields, "tools": json.dumps(tools, ensure_ascii=False)}


def turns(value: Any, *, role_key: str, content_key: str) -> list[Message]:
    """The messages of a list of turns; raises Unfit for what is not one."""
    if not isinstance(value, list):
        raise Unfit("unreadable_record", "the turns are not a list")
    return [turn(item, number, role_key, content_key) for number, item in enumerate(value, 1)]


def turn(item: Any, number: int, role_key: str, content_key: str) -> Message:
    """One message; raises Unfit where its role is unknown or its content is no text."""
    if not isinstance(item, dict):
        raise Unfit("unreadable_record", f"turn {number} is not an object")
    spoken = item.get(role_key)
    role = ROLES.get(spoken) if isinstance(spoken, str) else None
    if role is None:
        raise Unfit("unreadable_record", f"turn {number}: no role {spoken!r}; known: {', '.join(ROLES)}")
    message = {"role": role, "content": _content(item, number, content_key)}
    learn = _learn(item)
    return message if learn is None else {**message, "learn": learn}


def _learn(item: Mapping[str, Any]) -> bool | None:
    """Whether the file says that a turn is trained on: `loss_weight`, `weight` (OpenAI), `train` (axolotl)."""
    said = next((item[key] for key in ("loss_weight", "weight", "train") if item.get(key) is not None), None)
    return said > 0 if isinstance(said, bool | int | float) else None


def _content(item: Mapping[str, Any], number: int, content_key: str) -> str:
    parts = [_reasoning(item.get("reasoning_content")), _text(item.get(content_key), number)]
    parts += [_call(call) for call in item.get("tool_calls") or []] if isinstance(item.get("tool_calls"), list) else []
    if not any(parts) and content_key not in item:
        raise Unfit("unreadable_record", f"turn {number} has no {content_key!r}")
    return "\n".join(part for part in parts if part)


def _text(content: Any, number: int) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, list):
        return "\n".join(_part(part, number) for part in content)
    raise Unfit("unreadable_record", f"turn {number}: the content is a {type(content).__name__} and not text")


def _part(part: Any, number: int) -> str:
    """One part of a content in parts: text, reasoning, or a tool call as its JSON."""
    if isinstance(part, str):
        return part
    kind = part.get("type") if isinstance(part, dict) else None
    value = next((part[key] for key in ("value", "text") if isinstance(part.get(key), str)), None) if kind else None
    if kind not in ("text", "reasoning", "tool_call", "tools") or value is None:
        raise Unfit("unreadable_record", f"turn {number}: a part of kind {kind!r} cannot be read as text")
    return _reasoning(value) if kind == "reasoning" else str(value)


def _reasoning(text: Any) -> str:
    return f"<think>\n{text}\n</think>\n" if isinstance(text, str) and text else ""


def _call(call: Any) -> str:
    function = call.get("function", call) if isinstance(call, dict) else call
    return json.dumps(function, ensure_ascii=False)
