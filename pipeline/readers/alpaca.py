"""Alpaca: an instruction, perhaps an input and a history, and the output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import Unfit
from pipeline.readers.chat import Message, chats, with_tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.fetch import RawFile
    from pipeline.readers.record import Broken, ReadOptions, Record

_TAKEN = frozenset({"instruction", "prompt", "input", "query", "output", "response", "system", "history"})


def read_alpaca(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """Records with `messages`: system, history, instruction + line end + input, output; other keys as they are."""
    return chats(raw, options, shaped)


def shaped(fields: Mapping[str, Any], options: ReadOptions) -> dict[str, Any]:
    """The fields of a record with `messages` made of it; raises Unfit where a part is not text."""
    if not {"instruction", "prompt"} & fields.keys():
        raise Unfit("unreadable_record", f"no 'instruction' among {', '.join(sorted(fields)[:8])}")
    messages = [_message("system", system)] if (system := _text(fields, "system")) else []
    messages += _history(fields.get("history"))
    asked = [part for part in (_text(fields, "instruction", "prompt"), _text(fields, "input", "query")) if part]
    messages.append(_message("user", "\n".join(asked)))
    if {"output", "response"} & fields.keys():
        messages.append(_message("assistant", _text(fields, "output", "response")))
    return with_tools({"messages": messages, **{key: value for key, value in fields.items() if key not in _TAKEN}})


def _text(fields: Mapping[str, Any], *keys: str) -> str:
    value = next((fields[key] for key in keys if fields.get(key) is not None), "")
    if not isinstance(value, str):
        raise Unfit("unreadable_record", f"{keys[0]!r} is a {type(value).__name__} and not text")
    return value


def _history(pairs: Any) -> list[Message]:
    if pairs is None:
        return []
    if not isinstance(pairs, list) or not all(_is_pair(pair) for pair in pairs):
        raise Unfit("unreadable_record", "'history' is not a list of [question, answer]")
    return [_message(role, text) for pair in pairs for role, text in zip(("user", "assistant"), pair, strict=True)]


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(text, str) for text in pair)


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}
