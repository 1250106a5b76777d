"""Cells: the pieces of a text on which annotators of spans vote, and how what they voted becomes spans again."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from itertools import product
from typing import TYPE_CHECKING, Any

from pipeline.tasks import Settled, spans

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.tasks import Answer, Vote

_TOGETHER = 0.5
"""How much it counts that two edges were drawn together; on simulated crowds 0.1 and 1 differ by half a point of F1."""
_UNDRAWN = 0.2
"""Annotators that an extent counts for of which one drew the beginning, another the end, and nobody both."""
_MOST_CROSSED = 30
"""Of more extents that hang together, only those that somebody drew are weighed."""
_LEAST = 1e-6
"""Probability of a tag without a share: what nobody said is not impossible, so that no logarithm is infinite."""
_SAME = 1e-9
"""Log-probabilities that differ by less are the same: rounding must not choose between equals."""


def ballots(words: Sequence[spans.Edges], answers: Sequence[Answer], *, beside: int) -> dict[str, list[str]]:
    """Everybody's tag of every cell in a span of anybody, and of the `beside` cells before and after.

    Cells are words, cut wherever anybody's span begins or ends: annotators whose tokens differ vote on the same
    characters. `words` are sorted; a cell is called "start:end", and its tags are B-X, I-X or O.
    """
    if not any(answers):
        return {}
    near = _near(words, answers, beside)
    cells = spans.cells(near, {edge for answer in answers for start, end, _ in answer for edge in (start, end)})
    told = [_tags(cells, answer) for answer in answers]
    cast = list(zip(*told, strict=True))
    marked = [at for at, votes in enumerate(cast) if any(vote != "O" for vote in votes)]
    kept = {at + step for at in marked for step in range(-beside, beside + 1)}
    return {f"{cells[at][0]}:{cells[at][1]}": list(cast[at]) for at in sorted(kept) if 0 <= at < len(cells)}


def _near(words: Sequence[spans.Edges], answers: Sequence[Answer], beside: int) -> list[spans.Edges]:
    """The words with characters in a span of anybody, and `beside` words around them."""
    solid = [word for word in words if word[0] < word[1]]
    starts, ends = [start for start, _ in solid], [end for _, end in solid]
    kept: set[int] = set()
    for answer in answers:
        for start, end, _ in answer:
            first, last = bisect_right(ends, start) - beside, bisect_left(starts, end) + beside
            kept.update(range(max(first, 0), min(last, len(solid))))
    return [solid[at] for at in sorted(kept)]


def _tags(cells: Sequence[spans.Edges], answer: Answer) -> list[str]:
    """`spans.tags` of cells, which no span of the answer halves."""
    return [tag or "O" for tag in spans.tags(cells, answer)]


def elected(answers: Sequence[Answer], votes: Mapping[str, Vote]) -> Settled:
    """The most probable spans that do not overlap, each beginning and ending where some annotator's span does.

    The probability of an answer is the product of those of its tags over all cells, so whatever is elected is legal:
    nothing goes on that did not begin. Cells do not know which edges were drawn together: of extents that overlap,
    those drawn by fewer annotators count a little less (`_TOGETHER`). Exact, by dynamic programming over the cells (as
    in semi-Markov decoding: Sarawagi and Cohen 2004). It is tied where other spans are as probable.

    The confidence is the probability that the whole answer is right. Cells of overlapping spans stand or fall together:
    the least sure of them counts for all; such clusters are independent of one another.
    """
    cells = sorted((int(start), int(end)) for start, end in (unit.split(":") for unit in votes))
    if not cells:
        return Settled(answer=[], confidence=1.0, tied=False)
    shares = [votes[f"{start}:{end}"].shares for start, end in cells]
    drawn = _drawn(cells, answers)
    path, tied = _best(shares, _extents(drawn))
    return Settled(
        answer=[[cells[first][0], cells[last - 1][1], label] for first, last, label in path],
        confidence=_confidence(shares, drawn, path),
        tied=tied,
    )


Run = tuple[int, int]
"""First cell, cell after the last."""


def _drawn(cells: Sequence[spans.Edges], answers: Sequence[Answer]) -> dict[Run, list[str]]:
    """The runs of cells that somebody drew as one span, in order, with the labels given to them."""
    begins, ends = ({cell[side]: at for at, cell in enumerate(cells)} for side in (0, 1))
    drawn: dict[Run, list[str]] = {}
    for answer in answers:
        for start, end, label in answer:
            if start in begins and end in ends:
                drawn.setdefault((begins[start], ends[end] + 1), []).append(label)
    return dict(sorted(drawn.items()))


def _extents(drawn: Mapping[Run, Sequence[str]]) -> dict[Run, tuple[float, set[str]]]:
    """The runs that may be spans: what they weigh for how often they were drawn (log, 0 at most), and their labels."""
    found: dict[Run, tuple[float, set[str]]] = {}
    for cluster in _clusters(list(drawn)):
        pairs = product(cluster, cluster) if len(cluster) <= _MOST_CROSSED else zip(cluster, cluster, strict=True)
        for run in {(one[0], other[1]) for one, other in pairs if _overlap(one, other)}:
            rivals = [drawn[other] for other in cluster if _overlap(run, other)]
            weight = math.log(len(drawn.get(run, ())) or _UNDRAWN) - math.log(max(map(len, rivals)))
            found[run] = _TOGETHER * weight, {label for labels in rivals for label in labels}
    return dict(sorted(found.items()))


def _overlap(one: Run, other: Run) -> bool:
    return max(one[0], other[0]) < min(one[1], other[1])


def _clusters(runs: Sequence[Run]) -> list[list[Run]]:
    """Sorted runs in groups of which no two overlap."""
    groups: list[list[Run]] = []
    reach = -1
    for run in runs:
        if run[0] >= reach:
            groups.append([])
        groups[-1].append(run)
        reach = max(reach, run[1])
    return groups


Span = tuple[int, int, str]


def _best(
    shares: Sequence[Mapping[str, float]], extents: Mapping[Run, tuple[float, set[str]]]
) -> tuple[list[Span], bool]:
    """The most probable sequence of spans, and whether another is as probable; of equals, the one with more spans."""
    ending: list[list[tuple[float, int, str]]] = [[] for _ in range(len(shares) + 1)]
    for (first, last), (weight, given) in extents.items():
        # A label that confusions make probable counts even if nobody gave it.
        probable = {tag[2:] for tag in shares[first] if tag[:2] == "B-"}
        for label in sorted(given | probable):
            ending[last].append((weight + _likely(shares, first, last, label), first, label))
    best, ways, back = [0.0], [False], list[tuple[int, str] | None]([None])
    for at, share in enumerate(shares, 1):
        top, tied, step = best[-1] + _log(share, "O"), ways[-1], None
        for weight, first, label in ending[at]:
            total = best[first] + weight
            if total > top + _SAME or (step is None and total > top - _SAME):
                tied, top, step = ways[first] or total < top + _SAME, total, (first, label)
            elif total > top - _SAME:
                tied = True
        best.append(top)
        ways.append(tied)
        back.append(step)
    return _followed(back), ways[-1]


def _followed(back: Sequence[tuple[int, str] | None]) -> list[Span]:
    path: list[Span] = []
    at = len(back) - 1
    while at > 0:
        step = back[at]
        if step:
            path.append((step[0], at, step[1]))
        at = step[0] if step else at - 1
    return path[::-1]


def _likely(shares: Sequence[Mapping[str, float]], first: int, last: int, label: str) -> float:
    return _log(shares[first], f"B-{label}") + sum(_log(share, f"I-{label}") for share in shares[first + 1 : last])


def _log(share: Mapping[str, float], tag: str) -> float:
    return math.log(max(_share(share, tag), _LEAST))


def _share(share: Mapping[str, float], tag: str) -> float:
    """The posterior of a tag; all that is not accounted for where it has no share."""
    found = share.get(tag)
    return 1.0 - sum(share.values()) if found is None else found


def _confidence(shares: Sequence[Mapping[str, float]], drawn: Mapping[Run, Any], path: Sequence[Span]) -> float:
    """The product over the clusters; what nobody marked is not in doubt."""
    tags = ["O"] * len(shares)
    for first, last, label in path:
        tags[first:last] = [f"B-{label}", *[f"I-{label}"] * (last - first - 1)]
    sure = 1.0
    for cluster in _clusters(list(drawn)):
        reach = range(cluster[0][0], max(last for _, last in cluster))
        sure *= min(min(max(_share(shares[at], tags[at]), 0.0), 1.0) for at in reach)
    return sure
