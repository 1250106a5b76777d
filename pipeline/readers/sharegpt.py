"""ShareGPT: `conversations` of `from` and `value`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import Unfit
from pipeline.readers.chat import chats, turns, with_tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.fetch import RawFile
    from pipeline.readers.record import Broken, ReadOptions, Record


def read_sharegpt(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """Records with `messages`: function calls are the assistant's, observations the tool's; other keys as they are."""
    return chats(raw, options, shaped)


def shaped(fields: Mapping[str, Any], options: ReadOptions) -> dict[str, Any]:
    """The fields of a record with `messages` made of its turns; raises Unfit where there are none."""
    key = options.messages_field or next(
        (name for name in ("conversations", "conversation") if name in fields), "conversations"
    )
    if key not in fields:
        raise Unfit("unreadable_record", f"no {key!r} among {', '.join(sorted(fields)[:8])}")
    messages = turns(fields[key], role_key="from", content_key="value")
    system = fields.get("system")
    if isinstance(system, str) and system:
        messages.insert(0, {"role": "system", "content": system})
    elif system:
        raise Unfit("unreadable_record", "'system' is not text")
    return with_tools(
        {"messages": messages, **{name: value for name, value in fields.items() if name not in (key, "system")}}
    )
