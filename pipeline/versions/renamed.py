"""Rows that are probably the same under another id: an id that is made from content changes with the text.

They are told beside the counts and change none of them: a row that went and one that came stay what they are.
"""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from pipeline.versions.wording import pieces, shortened

if TYPE_CHECKING:
    from pipeline.versions.joined import Joined

PAIRS = 2000
"""At most so many pairs are compared: whoever changed the scheme of all ids needs no list to see it."""
# From here on difflib calls two sequences close matches; what stands at one place and is less alike is another text
# that moved there when lines were added above.
LIKENESS = 0.6
_CHARS = 1000


def renamed(both: Joined, *, limit: int | None) -> dict[str, Any]:
    """Rows removed and rows added that stand at the same place in the same file and read nearly the same."""
    pairs = both.at_one_place(PAIRS)
    before = both.whole_rows("a", [pair[0] for pair in pairs])
    after = both.whole_rows("b", [pair[1] for pair in pairs])
    found = []
    for old, new in pairs:
        texts = both.before.task.asked(before[old]), both.after.task.asked(after[new])
        if _alike(*texts):
            found.append({"before": old, "after": new, "text_pieces": [list(one) for one in shortened(pieces(*texts))]})
    return {"rows": len(found), "compared": len(pairs), "examples": found[:limit]}


def _alike(one: str, other: str) -> bool:
    matcher = SequenceMatcher(None, one[:_CHARS], other[:_CHARS], autojunk=False)
    return matcher.real_quick_ratio() >= LIKENESS and matcher.quick_ratio() >= LIKENESS and matcher.ratio() >= LIKENESS
