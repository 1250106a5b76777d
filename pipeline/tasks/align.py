"""Alignment: where the tokens of an annotator's file stand in a text that they spell otherwise, by characters.

Files come back with quotes as `` and '', brackets as -LRB-, escaped entities, other widths and dashes, lower-cased,
with marks dropped or doubled, tokens missing, the end cut off. Both sides are folded to what they have in common; what
then still differs is aligned. Each token gets [start, end) of the text or is lost, and what is lost is counted.
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pipeline.errors import Unfit
from pipeline.tasks.pairing import Edges, paired

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LEAST_SHARE = 0.8
"""Less of an annotator's characters in the text than this is another text, not another spelling."""
_JUMP = 3  # characters of the text inside a token that the token lacks, at most

_BRACKETS = {"LRB": "(", "RRB": ")", "LSB": "[", "RSB": "]", "LCB": "{", "RCB": "}"}
_WRITTEN = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z]{2,8});|-(?:[LR][RSC]B)-|``|''|.", re.DOTALL)
_LOOKS = str.maketrans(
    dict.fromkeys("“”„‟«»「」『』〝〞", '"')
    | dict.fromkeys("‘’‚‛`´′", "'")
    | dict.fromkeys("‐‑‒–—―−", "-")
    | {"。": ".", "、": ","}
)  # fmt: skip


class Partly(Unfit):
    """An answer that was read but for a part: `answer` is what there is of it, the evidence what is lacking."""

    def __init__(self, reason: str, evidence: str, answer: Any = None) -> None:
        super().__init__(reason, evidence)
        self.answer = answer

    def __reduce__(self) -> tuple[type[Partly], tuple[str, str, Any]]:  # type: ignore[override]
        return type(self), (self.reason, self.evidence, self.answer)


def aligned(tokens: Sequence[str], text: str, words: Sequence[Edges]) -> tuple[list[Edges], str]:
    """Where each token stands in the text, and in words what could not be placed ("" where all was).

    A lost token is an empty stretch. A token takes in characters of its word (`words`: sorted, of the text) that it
    lacks and no other token has, so that "8ob" is all of "Bob". Time grows with the texts and with the square of what
    lies between two runs of characters that they share.

    Raises:
        Unfit: `span_surface`, less than `LEAST_SHARE` of the characters of the tokens stand in the text.
    """
    bare = ["".join(token.split()) for token in tokens]
    said, read = folded("".join(bare)), folded(text)
    owner = [at for at, token in enumerate(bare) for _ in token]
    held: list[list[tuple[int, bool]]] = [[] for _ in bare]
    for at, (to, (start, end)) in enumerate(zip(paired(said.text, read.text), said.sources, strict=True)):
        for token in sorted(set(owner[start:end])):
            held[token].append((to, to >= 0 and said.text[at] == read.text[to]))
    places = [_stretch(found) for found in held]
    known = [None if place is None else (read.sources[place[0]][0], read.sources[place[1]][1]) for place in places]
    _check(bare, held, known, text)
    covered = len({to for found, place in zip(held, known, strict=True) if place for to, _ in found if to >= 0})
    return list(_widened(known, words)), _remark(bare, known, covered / max(len(read.text), 1))


@dataclass(frozen=True)
class Folded:
    """A text without white space, case, width and ways of writing, and where each character of it comes from."""

    text: str
    sources: list[Edges]


def folded(text: str) -> Folded:
    """What texts that look alike have in common.

    >>> folded("-LRB- “Ａ&amp;B” ``c'' )").text
    '("a&b""c")'
    """
    characters: list[str] = []
    sources: list[Edges] = []
    for found in _WRITTEN.finditer(text):
        for character in _plain(found[0]):
            characters.append(character)
            sources.append(found.span())
    return Folded("".join(characters), sources)


@lru_cache(maxsize=16384)
def _plain(written: str) -> str:
    r"""One written mark as the characters that it stands for: none for spaces, what cannot be seen, the \ of \/."""
    if len(written) > 1:
        known = _BRACKETS.get(written[1:-1])
        written = known or ('"' if written in ("``", "''") else html.unescape(written))
    if written == "\\":
        return ""
    plain = unicodedata.normalize("NFKC", written.translate(_LOOKS)).casefold().translate(_LOOKS)
    return "".join(one for one in plain if not one.isspace() and unicodedata.category(one) not in ("Cf", "Cc"))


def _stretch(found: Sequence[tuple[int, bool]]) -> Edges | None:
    """The first and last character that a token has in the text; None where it has too few.

    Of characters far apart only the largest group counts: the rest are chance likenesses. Half of a token must be
    spelled alike; a mark or two may be all altered (their neighbours decide whether they are paired at all).
    """
    groups: list[list[tuple[int, bool]]] = []
    for to, same in found:
        if to < 0:
            continue
        if not groups or to - groups[-1][-1][0] > _JUMP:
            groups.append([])
        groups[-1].append((to, same))
    if not groups:
        return None
    largest = max(groups, key=len)
    alike = sum(same for _, same in largest)
    if 2 * alike < len(found) and not len(found) == len(largest) <= 2:
        return None
    return largest[0][0], largest[-1][0]


def _check(bare: Sequence[str], held: Sequence[Sequence[Any]], known: Sequence[Edges | None], text: str) -> None:
    whole = sum(map(len, held))
    placed = sum(len(found) for found, place in zip(held, known, strict=True) if place)
    if placed < LEAST_SHARE * whole:
        shown = " ".join(token for token in bare if token)
        raise Unfit(
            "span_surface",
            f"{placed} of {whole} characters of the tokens {shown:.60} ... stand in the text {text:.60} ...",
        )


def _widened(known: Sequence[Edges | None], words: Sequence[Edges]) -> Iterator[Edges]:
    """The stretches, widened to the characters of their words that no other token has; lost tokens as empty ones."""
    starts, ends = [start for start, _ in words], [end for _, end in words]
    before = 0
    following = [place[0] for place in known if place]
    following.append(ends[-1] if ends else 0)
    seen = 0
    for place in known:
        if place is None:
            yield before, before
            continue
        seen += 1
        start, end = place
        first, last = bisect_left(ends, start + 1), bisect_left(ends, end)
        if first < len(words) and starts[first] < start:
            start = max(starts[first], min(before, start))
        if last < len(words) and starts[last] < end < ends[last]:
            end = max(end, min(ends[last], following[seen]))
        before = max(before, end)
        yield start, end


def _remark(bare: Sequence[str], known: Sequence[Edges | None], covered: float) -> str:
    lost = [token for token, place in zip(bare, known, strict=True) if token and place is None]
    remarks = []
    if lost:
        shown = ", ".join(f"{token!r:.20}" for token in lost[:5]) + (" ..." if len(lost) > 5 else "")
        remarks.append(f"{len(lost)} of {sum(map(bool, bare))} tokens stand nowhere in the text: {shown}")
    if covered < LEAST_SHARE:
        remarks.append(f"the tokens make up {covered:.0%} of the text, the rest is taken for outside")
    return "; ".join(remarks)
