"""Ahead: what is left to look at, how many errors it holds, and what the next of them cost."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import store
from pipeline.chance import draw
from pipeline.quality.reviewed import Block, Left, left, recalibrate, weights
from pipeline.quality.reviewed.recalibrating import DRAWS
from pipeline.quality.reviewed.remaining import NONE, rows_share
from pipeline.quality.reviewed.sampled import held_to
from pipeline.reviewing.tables import ECHO, RELABEL, SUSPECT
from pipeline.reviewing.unlisted import Sample, sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from pipeline.quality.reviewed import Pace, Recalibrated
    from pipeline.recipe import Recipe
    from pipeline.reviewing.judged import Judged
    from pipeline.reviewing.tables import Queue
    from pipeline.settings import ReviewSettings

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

BLOCK_LINES, MOST_GROUPS = 50, 20
"""How many lines are looked ahead, and how many groups, the most valuable ones."""
UNSEEN_SPREAD = 1.0
"""Rows that no list shows are those in which the instruments saw nothing: what was found on the list need not hold of
them. So much may the log odds of all of them be off besides, as a standard deviation."""


@dataclass(frozen=True)
class Ahead:
    """What nobody has judged.

    Attributes:
        lines: of the queue (`QUEUE`), with the scores that it had at first; groups: as they stand (`GROUPS`).
        models: what scores mean, by kind of line.
    """

    lines: pa.Table
    groups: pa.Table
    models: Mapping[str, Recalibrated]

    @property
    def kinds(self) -> list[str]:
        """The kinds of lines that are about errors."""
        return sorted(set(self.lines["kind"].to_pylist()) - {RELABEL})

    def of(self, kind: str) -> pa.Table:
        """The lines of one kind."""
        return self.lines.filter(pc.equal(self.lines["kind"], kind))


def ahead(judged: Judged, queue: Queue, still: Any, settings: ReviewSettings) -> Ahead:
    """What is left of a queue; `still` is what `open_lines` gives.

    The scores that it has moved by what was decided are not used: what people found is held against the first scores.
    """
    is_open = pc.is_in(queue.lines["line"], value_set=still.lines["line"].combine_chunks())
    lines = queue.lines.filter(is_open)
    kinds = {SUSPECT, *lines["kind"].to_pylist()} - {RELABEL}
    return Ahead(lines, still.groups, {kind: _model(judged, kind, settings.seed) for kind in sorted(kinds)})


def _model(judged: Judged, kind: str, seed: int) -> Recalibrated:
    """What the scores of one kind of line mean, from those that were judged, disputed ones left out."""
    usable = [line.kind == kind and line.verdict != "disputed" and np.isfinite(line.score) for line in judged.lines]
    here = np.flatnonzero(np.array(usable, dtype=bool))
    weight = weights(judged.cluster[here], judged.act[here])
    return recalibrate(judged.score[here], judged.wrong[here], weight, seed=draw(seed, kind))


def in_queue(coming: Ahead, seed: int) -> tuple[Left, dict[str, Left]]:
    """The errors among the open lines, and by kind of line."""
    by_kind = {}
    for kind in coming.kinds:
        lines = coming.of(kind)
        by_kind[kind] = left(
            _scores(lines), _codes(lines["group"]), coming.models[kind], seed=seed, about=f"queue {kind}"
        )
    return sum(by_kind.values(), NONE), by_kind


def _scores(lines: pa.Table) -> Floats:
    return np.asarray(lines["score"].to_numpy(), dtype=np.float64)


def _codes(names: Any) -> Ints:
    """Numbers of names, -1 for none."""
    names = names.combine_chunks() if isinstance(names, pa.ChunkedArray) else names
    coded = names.dictionary_encode()
    codes = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    blank = pc.index(coded.dictionary, pa.scalar("", pa.string())).as_py()
    return np.where(codes == blank, -1, codes)


@dataclass(frozen=True)
class Below:
    """Rows that the queue does not list and nobody judged: the errors among them; `rows` are all that were doubted.

    `sample`: those of them that were drawn by chance and checked.
    """

    left: Left
    rows: int
    sample: Sample = field(default_factory=Sample)


def below(recipe: Recipe, judged: Judged, queue: Queue, coming: Ahead) -> Below:
    """Errors that the list of suspects does not reach; none where no row was doubted.

    From the doubt about every row, and from what was found in those of them that were drawn by chance and checked.
    """
    folder = recipe.build / "suspect"
    if store.read_report(folder) is None:
        return Below(NONE, 0)
    doubted = store.whole_table(folder, "doubted")
    listed = [queue.lines.filter(pc.equal(queue.lines["kind"], SUSPECT))["id"], coming.of(ECHO)["id"]]
    unlisted = _without(doubted, [*listed[0].to_pylist(), *listed[1].to_pylist()])
    found = sample(recipe, unlisted["id"].to_pylist())
    unseen = _without(unlisted, [*judged.rows, *found.rows])
    scores = np.asarray(unseen["wrong"].to_numpy(), dtype=np.float64)
    none = np.full(len(scores), -1, dtype=np.int64)
    seed = recipe.settings.review.seed
    model = coming.models[SUSPECT].apart(UNSEEN_SPREAD, seed=seed)
    guess = left(scores, none, model, seed=seed, about="below")
    told = {"checked": len(found.rows), "wrong": found.wrong, "left": len(scores)}
    held = replace(guess, draws=held_to(guess.draws, len(scores), seed=seed, **told))
    return Below(held, doubted.num_rows, found)


def _without(rows: pa.Table, ids: Iterable[str]) -> pa.Table:
    return rows.filter(pc.invert(pc.is_in(rows["id"], value_set=pa.array(sorted(ids), pa.string()))))


def rows_left(coming: Ahead, suspects: Left, kind: str = SUSPECT) -> Floats:
    """How many rows hold the errors of the open suspects, or of other lines: float64[draws]."""
    lines = coming.of(kind)
    share = rows_share(_scores(lines), _codes(lines["id"]), coming.models[kind])
    return np.asarray(suspects.draws * share)


def blocks(coming: Ahead, speed: Pace, settings: ReviewSettings) -> list[Block]:
    """What could be looked at next: the best lines one by one, and each of the most valuable groups.

    Lines that two people judge take twice the time. Of a group counts what it is expected to settle in its minutes,
    which is less than all its errors where it may turn out to be mixed (`GROUPS.value`).
    """
    chance = np.random.Generator(np.random.PCG64(draw(settings.seed, "pace")))
    quick = speed.draws(DRAWS, chance) / 60
    found = [*_lines_next(coming, quick * (1 + settings.double_share))]
    for group in coming.groups.slice(0, MOST_GROUPS).to_pylist():
        members = coming.lines.filter(pc.equal(coming.lines["group"], group["group"]))
        if members.num_rows and group["expected"] > 0:
            part = group["value"] * group["minutes"] / group["expected"]
            errors = min(part, 1.0) * _errors(coming, members)
            minutes = group["minutes"] * quick * 60 / settings.seconds_per_line
            found.append(Block(f"group {group['group']}", members.num_rows, errors, minutes))
    return found


def _lines_next(coming: Ahead, quick: Floats) -> list[Block]:
    lines = coming.lines.filter(pc.not_equal(coming.lines["kind"], RELABEL))
    if not lines.num_rows:
        return []
    likely = np.zeros(lines.num_rows)
    kinds = np.array(lines["kind"].to_pylist())
    for kind in coming.kinds:
        likely[kinds == kind] = coming.models[kind].middle(_scores(lines)[kinds == kind])
    best = np.lexsort((np.array(lines["line"].to_pylist()), -likely))[:BLOCK_LINES]
    chosen = lines.take(pa.array(best))
    return [Block("lines", chosen.num_rows, _errors(coming, chosen), quick * chosen.num_rows)]


def _errors(coming: Ahead, lines: pa.Table) -> Floats:
    """The expected errors among some lines: float64[draws]."""
    by_kind: dict[str, list[float]] = defaultdict(list)
    for kind, score in zip(lines["kind"].to_pylist(), lines["score"].to_pylist(), strict=True):
        by_kind[kind].append(score)
    sums = [coming.models[kind].sums(np.array(scores)) for kind, scores in by_kind.items() if kind in coming.models]
    return np.sum(sums, axis=0) if sums else np.zeros(DRAWS)
