"""Sides: what people say with and without the proposed answer, and what several say of the same line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.reviewed import agreement, bias, dealt
from pipeline.reviewing.tables import SUSPECT, named
from pipeline.tasks import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.decisions import Decision
    from pipeline.reviewing.judged import Judged, Key
    from pipeline.settings import ReviewSettings


def swayed(judged: Judged, settings: ReviewSettings) -> dict[str, Any]:
    """Whether the proposal sways people: `Bias.told()`.

    Only lines that were judged one by one count, not by an adjudicator, and with a proposal. A line that was dealt
    without it and was then judged with it (its group had been seen) belongs to neither side.
    """
    numbers: dict[Key, int] = {}
    told: list[tuple[int, bool, bool, bool]] = []
    for key, one in _single(judged):
        if one.suggested is not None and not _is_spoiled(key, one, settings):
            line = numbers.setdefault(key, len(numbers))
            told.append((line, one.blind, says(one) in spellings(one.suggested), one.verdict in ("wrong", "drop")))
    columns = np.array(told, dtype=np.int64).reshape(-1, 4).T
    return bias(columns[0], *(column.astype(bool) for column in columns[1:])).told()


def agreed(judged: Judged, seed: int) -> dict[str, Any]:
    """How far people agree who judged the same line one by one: by what they say, and by their verdicts alone."""
    keys = sorted({key for key, _ in _single(judged)})
    number = {key: at for at, key in enumerate(keys)}
    voices = sorted((number[key], one.who, _words(one), one.verdict) for key, one in _single(judged))
    lines = np.array([voice[0] for voice in voices], dtype=np.int64)
    who = [voice[1] for voice in voices]
    return {
        "answers": agreement(lines, who, [voice[2] for voice in voices], seed=seed),
        "verdicts": agreement(lines, who, [voice[3] for voice in voices], seed=seed),
    }


def _single(judged: Judged) -> Iterator[tuple[Key, Decision]]:
    """What a person said of one line alone, having looked at it, and not as the one who settles."""
    for key, said in judged.voices.items():
        for one in said.values():
            if judged.acts[one.act or one.id].scope == "line" and not one.settles:
                yield key, one


def _is_spoiled(key: Key, one: Decision, settings: ReviewSettings) -> bool:
    shares = {"blind_share": settings.blind_share, "double_share": settings.double_share}
    return not one.blind and dealt(settings.seed, named("q", *key, SUSPECT), one.who, **shares)[0]


def says(one: Decision) -> str | None:
    """The answer that a decision comes to; None where it is none."""
    if one.verdict == "wrong":
        return one.answer
    return one.was if one.verdict == "fine" else None


def spellings(answer: str) -> set[str]:
    """How an answer may be spelled: as a label, as JSON, as the answer of a row.

    >>> sorted(spellings('"good"')), sorted(spellings("good"))
    (['"good"', '["good"]', 'good'], ['["good"]', 'good'])
    """
    try:
        read = json.loads(answer)
    except ValueError:
        return {answer, canonical([answer])}
    return {answer, canonical([read]), read if isinstance(read, str) else canonical([answer])}


def _words(one: Decision) -> str:
    return f"{one.verdict} {one.answer}" if one.verdict == "wrong" else one.verdict
