"""Entries: the open groups and lines of a queue one after another, the most worth a minute first, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.reviewing.opening import Open

GROUP, LINE = "group", "line"
"""The types of entries."""


def entries(left: Open, *, limit: int = 0) -> Iterator[dict[str, Any]]:
    """Each group followed by its lines, and each line that stands alone, in the order of the queue.

    Every entry has its `type`, and the columns of `GROUPS` or `QUEUE`; a line in a group names it. `limit` counts
    groups and lines that stand alone, 0 gives all.
    """
    groups = {one["group"]: one for one in left.groups.to_pylist()}
    shown, begun = 0, ""
    for batch in left.lines.to_batches(max_chunksize=1000):
        for line in batch.to_pylist():
            group = line["group"]
            if not group or group != begun:
                if limit and shown == limit:
                    return
                shown, begun = shown + 1, group
                if group:
                    yield {"type": GROUP} | groups[group]
            yield {"type": LINE} | line


def first_texts(left: Open) -> dict[str, str]:
    """What the first line of each group reads."""
    names = left.groups["group"].combine_chunks()
    places = pc.index_in(names, value_set=left.lines["group"].combine_chunks())
    texts = left.lines["text"].take(pa.array(places)).to_pylist() if len(names) else []
    return dict(zip(names.to_pylist(), map(str, texts), strict=True))
