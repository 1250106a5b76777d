"""Messages: `messages` of `role` and `content`, as chat interfaces have them; a content may be a list of parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import Unfit
from pipeline.readers.chat import chats, turns, with_tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.fetch import RawFile
    from pipeline.readers.record import Broken, ReadOptions, Record


def read_messages(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """Records with `messages`: parts and tool calls as text; other keys as they are."""
    return chats(raw, options, shaped)


def shaped(fields: Mapping[str, Any], options: ReadOptions) -> dict[str, Any]:
    """The fields of a record with plain `messages`; raises Unfit where there are none."""
    key = options.messages_field or "messages"
    if key not in fields:
        raise Unfit("unreadable_record", f"no {key!r} among {', '.join(sorted(fields)[:8])}")
    messages = turns(fields[key], role_key="role", content_key="content")
    return with_tools({**{name: value for name, value in fields.items() if name != key}, "messages": messages})
