"""Chosen: one of several written answers, by majority of what they say, else the one nearest to all the others."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipeline.tasks import Settled, canonical, replies

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.tasks import Answer, Vote

_SAME = 1e-9
"""Likenesses that differ by less are the same: rounding must not choose between equals."""


def chosen(
    answers: Sequence[Answer],
    keys: Sequence[str | None],
    vote: Vote | None,
    *,
    likeness: Callable[[Answer, Answer], float],
) -> Settled | None:
    """The answer of more than half of the annotators; else the one that is on average most like those of the others.

    `keys` say which answers are the same (None: says nothing, and does not count); None if none counts. The confidence
    is the posterior of the winner where it has a majority, else its mean likeness to the others, 0 to 1. Answers that
    are equally near are a tie; so are any two annotators who differ. Worked answers that come to one final answer each
    (`replies.final`) are no nearer for their words: most votes win, and as many for two are a tie.
    """
    said = [(key, answer) for key, answer in zip(keys, answers, strict=True) if key is not None]
    if not said:
        return None
    counts = Counter(key for key, _ in said)
    (key, count), *_ = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    if 2 * count > len(said):
        sure = vote.posterior if vote is not None and vote.label == key else count / len(said)
        return Settled(spelled(said, key), sure, tied=False)
    if all(key.startswith(replies.FINAL) for key, _ in said):
        tied = [other for other, votes in counts.items() if votes == count] != [key]
        return Settled(spelled(said, key), count / len(said), tied=tied)
    near, mean, tied = _nearest(said, likeness)
    return Settled(spelled(said, near), mean, tied=tied)


def _nearest(
    said: Sequence[tuple[str, Answer]], likeness: Callable[[Answer, Answer], float]
) -> tuple[str, float, bool]:
    """The key nearest to the others, its mean likeness to them, and whether another is as near."""
    mean: dict[str, float] = {}
    for at, (key, answer) in enumerate(said):
        others = [
            1.0 if key == theirs else likeness(answer, other)
            for index, (theirs, other) in enumerate(said)
            if index != at
        ]
        mean[key] = max(mean.get(key, 0.0), sum(others) / len(others))
    best = max(mean.values())
    near = sorted(key for key, value in mean.items() if value >= best - _SAME)
    return near[0], best, len(near) > 1


def spelled(said: Sequence[tuple[str, Answer]], key: str) -> Answer:
    """The commonest spelling of the answers with this key; of equally common ones the shortest, then the first."""
    known = {canonical(answer): answer for own, answer in said if own == key}
    often = Counter(canonical(answer) for own, answer in said if own == key)
    return known[min(often, key=lambda spelling: (-often[spelling], len(spelling), spelling))]
