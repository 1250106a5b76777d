"""The search: which rows are compared, which of them stand for others, and what the recipe's rule makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from pipeline.dates import seconds
from pipeline.quality.merging import UNTRUSTED, Members, merge, standing
from pipeline.twinning import outcomes
from pipeline.twinning.answers import Agreeing
from pipeline.twinning.likeness import EQUAL, NEAR, Near, near, usual
from pipeline.twinning.outcomes import Compared

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from pipeline.hearing import Said
    from pipeline.stage import Work
    from pipeline.twinning.asked import Asked
    from pipeline.twinning.elsewhere import Known

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SEARCHED = {
    "off": (),
    "exact": ("exact",),
    "normalised": ("exact", "normalised"),
    "near": ("exact", "normalised", "near", "contained"),
    "semantic": ("exact", "normalised", "near", "contained", "semantic"),
}
"""What each setting of `duplicates` looks for."""
SIDES = ("left", "right")


@dataclass(frozen=True)
class Found:
    """What came of the search."""

    compared: Compared
    how: Mapping[int, tuple[str, float, str]]
    """How each row that goes or is held back is like the other: kind, similarity, what differs."""

    def likeness(self, row: int) -> str:
        """How the input of a row that goes is like that of the row that stays, in words."""
        kind, similarity, why = self.how[row]
        if kind in EQUAL:
            return "same"
        return f"nearly the same ({kind} {similarity:.2f}{f': {why}' if why else ''})"

    def apart(self, row: int) -> str:
        """What is to be known of a row that is held back before it is told what others answer; empty for equal ones."""
        kind, similarity, why = self.how[row]
        return (
            "" if kind in EQUAL else f"to nearly the same input ({kind} {similarity:.2f}{f': {why}' if why else ''}) "
        )


@dataclass(frozen=True)
class Spoken:
    """What speaks for a row when rows are compared, by position.

    Attributes:
        ids, splits, weights: as in the row.
        votes: int64[rows], how many annotations of the row itself count.
        times: float64[rows], when it was last answered, else when it was written; nan where neither is known.
        exact, same: the keys of what was asked.
    """

    ids: Sequence[str]
    splits: Sequence[str | None]
    weights: Sequence[float]
    votes: Sequence[int]
    times: Sequence[float]
    exact: Sequence[bytes]
    same: Sequence[bytes]

    @classmethod
    def of(cls, work: Work, rows: pa.Table, heard: Said, keys: pa.Table) -> Spoken:
        """`rows` has id, split, weight and date; `heard` is what was said of each row by itself."""
        counted = np.flatnonzero(pc.equal(heard.table["verdict"], "counted").to_numpy(zero_copy_only=False))
        votes = np.bincount(heard.row[counted], minlength=len(rows))
        exact = keys["exact"].to_pylist()
        is_exact = work.recipe.settings.audit.duplicates == "exact"
        ids, splits, weights = (rows[name].to_pylist() for name in ("id", "split", "weight"))
        times = _times(heard, rows, counted) if work.recipe.settings.audit.conflicts == "newest" else votes * np.nan
        same = exact if is_exact else keys["same"].to_pylist()
        return cls(ids, splits, weights, votes.tolist(), times.tolist(), exact, same)


def _times(heard: Said, rows: pa.Table, counted: Ints) -> Floats:
    """The latest of the times of the answers that count; where one of them is unknown, the date of the row."""
    dates = [seconds(date) for date in rows["date"].to_pylist()]
    told = np.array([np.nan if date is None else date for date in dates])
    row, when = heard.row[counted], heard.seconds()[counted]
    last, unknown = np.full(len(rows), -np.inf), np.zeros(len(rows), dtype=bool)
    np.maximum.at(last, row, np.nan_to_num(when, nan=-np.inf))
    np.logical_or.at(unknown, row, np.isnan(when))
    return np.where(np.isfinite(last) & ~unknown, last, told)


def compare(
    work: Work,
    spoken: Spoken,
    alive: Sequence[int],
    *,
    told: pa.Table,
    asked: Asked,
    answers: Sequence[str | None],
    meanings: Sequence[str | None],
    decided: Collection[int],
) -> Found:
    """What becomes of the rows that nothing else speaks against (`alive`); `told` is what `copies.read` gives.

    `answers` and `meanings` are what is settled of all rows, by position; `decided` those that a person decided.
    """
    settings = work.recipe.settings.audit
    by_person = [row in decided for row in alive]
    common = usual(told) if settings.duplicates in NEAR else [0] * len(spoken.ids)
    order = standing(
        [spoken.splits[row] for row in alive],
        by_person,
        [spoken.votes[row] for row in alive],
        [spoken.weights[row] for row in alive],
        usual=[common[row] for row in alive],
        ids=[spoken.ids[row] for row in alive],
    )
    rows = [alive[at] for at in order]
    heads = list({spoken.same[row]: row for row in reversed(rows)}.values())[::-1]
    is_near = heads and settings.duplicates in NEAR
    found = near(heads, spoken.ids, told, asked.of, settings, recall=work.recalled) if is_near else Near()
    place = {row: at for at, row in enumerate(rows)}
    merging = merge(
        _members(rows, spoken, meanings, decided, settings.trusted_sources),
        [(place[left], place[right]) for left, right in found.alike()],
        rule=settings.conflicts,
        agree=Agreeing(work.task, rows, answers, meanings, asked),
        is_open=work.task.free_text,
    )
    compared = Compared(rows, spoken.exact, spoken.same, found, merging)
    return Found(compared, outcomes.kinds(compared))


def told(work: Work, spoken: Spoken, found: Found, known: Known, asked: Asked) -> tuple[pa.Table, dict[str, Any]]:
    """The evidence of every pair (columns: `PAIRS`), and what the report tells of them."""
    pairs = outcomes.table([*outcomes.lines(found.compared, spoken.ids), *known.lines(spoken.ids)])
    searched = SEARCHED[work.recipe.settings.audit.duplicates]
    details = outcomes.told(pairs, found.compared, searched, found.how)
    chosen = outcomes.chosen(pairs)
    wanted = {line[side] for of in chosen.values() for line in of for side in SIDES}
    place = {id_: at for at, id_ in enumerate(spoken.ids) if id_ in wanted}
    whole = dict(zip(place, asked.of(place.values()), strict=True)) | known.texts(wanted)
    texts = {name: outcomes.short(text) for name, text in whole.items()}
    details["examples"] = {
        outcome: [line | {f"{side}_text": texts.get(line[side], "") for side in SIDES} for line in of]
        for outcome, of in sorted(chosen.items())
    }
    return pairs, details | {"known_elsewhere": known.told()}


def _members(
    rows: Sequence[int],
    spoken: Spoken,
    meanings: Sequence[str | None],
    decided: Collection[int],
    trusted: Sequence[str],
) -> Members:
    place = {source: at for at, source in enumerate(trusted)}
    trust = [place.get(source_of(spoken.ids[row]), UNTRUSTED) for row in rows] if trusted else [UNTRUSTED] * len(rows)
    return Members(
        position=rows,
        same=[spoken.same[row] for row in rows],
        answer=[meanings[row] or "" for row in rows],
        decided=[row in decided for row in rows],
        trust=trust,
        time=[spoken.times[row] for row in rows],
    )


def source_of(id_: str) -> str:
    """The name of the source in the recipe: what stands before the stroke in the id."""
    return id_.partition("/")[0]
