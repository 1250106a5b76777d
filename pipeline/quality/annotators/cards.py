"""Cards: one per named annotator, numbers and words, worst first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.annotators import words
from pipeline.quality.annotators.measures import Columns, Measures, measure

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.quality.annotators.skill import Estimate
    from pipeline.quality.ballots import Ballots
    from pipeline.quality.consensus import Truth

MOST_CARDS = 500
_SHOWN_BATCHES, _SHOWN_MISSED = 10, 20


@dataclass(frozen=True)
class Card:
    """What is known of one annotator.

    Attributes:
        name: as in the data; text that nobody has checked.
        verdict: "below the others", "above the others", "like the others" or "too few answers to say".
        suspect: something speaks for answers given without reading, or copied.
        reasons: that, and everything else worth saying, in sentences.
        figures: plain numbers, texts, lists and mappings for a report: floats rounded to 6 places, None for not known.
    """

    name: str
    verdict: str
    suspect: bool
    reasons: tuple[str, ...]
    figures: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values that JSON can hold."""
        plainly = {"name": self.name, "verdict": self.verdict, "suspect": self.suspect, "reasons": list(self.reasons)}
        return {**plainly, **self.figures}


@dataclass(frozen=True)
class Study:
    """All annotators: at most `MOST_CARDS` cards, worst first, how many annotators there are, and notes in words."""

    cards: tuple[Card, ...]
    annotators: int
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values that JSON can hold."""
        return {
            "annotators": self.annotators,
            "without_card": self.annotators - len(self.cards),
            "notes": list(self.notes),
            "cards": [card.to_json() for card in self.cards],
        }


def study(ballots: Ballots, truth: Truth, columns: Columns | None = None, *, most: int = MOST_CARDS) -> Study:
    """Every named annotator judged by the others, with notes on all together.

    Nobody is judged by a truth that the own ballot made, where the others are split evenly hardly at all, by
    speed alone never. The order and the verdicts do not depend on the order of the ballots.

    Raises:
        AssayError: a column does not have the length it must have.
    """
    beside = columns or Columns()
    measures = measure(ballots, truth, beside)
    named = np.bincount(ballots.annotator[ballots.annotator >= 0], minlength=len(ballots.annotators))
    present = np.flatnonzero(named)
    suspect = _suspects(measures)
    worst = np.nan_to_num(np.round(measures.adjusted.shrunk.high, 9), nan=np.inf)
    order = present[np.lexsort((present, worst[present], ~suspect[present]))]
    made = tuple(
        _card(ballots, measures, beside, int(who), answers=int(named[who]), suspect=suspect[who])
        for who in order[:most]
    )
    return Study(made, len(present), _notes(measures, present, len(made), suspect))


def cards(ballots: Ballots, truth: Truth, columns: Columns | None = None, *, most: int = MOST_CARDS) -> list[Card]:
    """The cards of `study` alone."""
    return list(study(ballots, truth, columns, most=most).cards)


def _suspects(measures: Measures) -> NDArray[np.bool_]:
    found = measures.random | measures.lines.found
    blamed = ~words.both_above(measures)
    found[measures.copies.one[blamed]] = True
    found[measures.copies.other[blamed]] = True
    # Long runs may be how the work was sorted: they count beside poor answers only.
    below = measures.adjusted.far & (np.nan_to_num(measures.adjusted.shrunk.high) < 0)
    return found | (measures.runs.found & below) | (measures.scale.loose if measures.scale is not None else False)


def _card(ballots: Ballots, measures: Measures, columns: Columns, who: int, *, answers: int, suspect: bool) -> Card:
    verdict = words.verdict(measures, who)
    doubted = bool(suspect) or verdict == words.BELOW
    reasons = (
        *words.spam_words(ballots, measures, who),
        *words.copy_words(ballots, measures, who, columns),
        *words.gold_words(measures, who),
        *words.speed_words(measures, who, suspect=doubted),
        *words.drift_words(measures, who, columns),
        *words.scale_words(measures, who),
    )
    return Card(
        ballots.annotators[who],
        verdict,
        bool(suspect),
        reasons,
        _figures(ballots, measures, columns, who, answers=answers),
    )


def _figures(ballots: Ballots, measures: Measures, columns: Columns, who: int, *, answers: int) -> dict[str, Any]:
    counts = measures.counts
    return {
        "answers": answers,
        "judged": int(counts.judged[who]),
        "rows": int(counts.rows[who]),
        "accuracy": _interval(measures.accuracy, who),
        "usual_accuracy": _plain(measures.usual[who]),
        "kappa": _interval(measures.kappa, who),
        "beside_others": {}
        if words.verdict(measures, who) == words.UNRANKED
        else {
            **_interval(measures.adjusted.shrunk, who),
            "raw": _plain(measures.adjusted.raw[who]),
            "error": _plain(measures.adjusted.error[who]),
        },
        "disagreements": int(counts.against[who]),
        "disagreements_contested": int(counts.contested[who]),
        "confusions": _confusions(ballots, measures, who),
        "gold": _gold(ballots, measures, who),
        "spam": _spam(ballots, measures, who),
        "copying": _copying(ballots, measures, who),
        "speed": _speed(measures, who),
        "drift": _drift(measures, columns, who),
        "scale": _scale(measures, who),
    }


def _plain(value: Any) -> float | None:
    number = float(value)
    return round(number, 6) + 0.0 if np.isfinite(number) else None


def _interval(found: Estimate, who: int) -> dict[str, float | None]:
    return {"value": _plain(found.value[who]), "low": _plain(found.low[who]), "high": _plain(found.high[who])}


def _confusions(ballots: Ballots, measures: Measures, who: int) -> list[dict[str, Any]]:
    found = measures.confusions
    return [
        {
            "true": ballots.labels[found.true[at]], "given": ballots.labels[found.given[at]],
            "count": int(found.count[at]), "of": int(found.of[at]), "usual": _plain(found.usual[at]),
        }
        for at in np.flatnonzero(found.annotator == who)
    ]  # fmt: skip


def _gold(ballots: Ballots, measures: Measures, who: int) -> dict[str, Any] | None:
    gold = measures.gold
    if not gold.asked[who]:
        return None
    missed = np.unique(ballots.row[gold.missed[ballots.annotator[gold.missed] == who]])
    return {
        "asked": int(gold.asked[who]), "right": int(gold.right[who]), "low": _plain(gold.low[who]),
        "high": _plain(gold.high[who]), "missed_rows": [int(row) for row in missed[:_SHOWN_MISSED]],
        "missed": len(missed),
    }  # fmt: skip


def _spam(ballots: Ballots, measures: Measures, who: int) -> dict[str, Any]:
    lines, runs = measures.lines, measures.runs
    label = int(lines.label[who])
    return {
        "random": bool(measures.random[who]), "chance_accuracy": _plain(measures.chance[who]),
        "one_label": bool(lines.found[who]), "label": ballots.labels[label] if label >= 0 else None,
        "share": _plain(lines.share[who]), "usual_share": _plain(lines.usual[who]),
        "blind_least": _plain(lines.least[who]), "runs": bool(runs.found[who]), "repeats": int(runs.repeats[who]),
        "steps": int(runs.steps[who]), "repeats_expected": _plain(runs.expected[who]),
        "longest_run": int(runs.longest[who]),
    }  # fmt: skip


def _copying(ballots: Ballots, measures: Measures, who: int) -> list[dict[str, Any]]:
    found = measures.copies
    return [
        {
            "with": ballots.annotators[found.other[at] if found.one[at] == who else found.one[at]],
            "shared": int(found.shared[at]), "same": int(found.same[at]), "expected": _plain(found.expected[at]),
            "odd": int(found.odd[at]), "odd_expected": _plain(found.odd_expected[at]),
            "chance": float(f"{found.chance[at]:.3g}"), "rows": [int(row) for row in found.rows[at]],
        }
        for at in np.flatnonzero((found.one == who) | (found.other == who))[:_SHOWN_BATCHES]
    ]  # fmt: skip


def _speed(measures: Measures, who: int) -> dict[str, Any] | None:
    speed = measures.speed
    if speed is None or not speed.gaps[who]:
        return None
    return {
        "gaps": int(speed.gaps[who]), "sessions": int(speed.sessions[who]), "median": _plain(speed.median[who]),
        "usual": _plain(speed.group), "floor": _plain(speed.floor), "hasty": _plain(speed.hasty[who]),
        "burst": int(speed.burst[who]),
    }  # fmt: skip


def _drift(measures: Measures, columns: Columns, who: int) -> dict[str, Any]:
    drift, batches = measures.drift, measures.batches
    mine = np.flatnonzero(batches.annotator == who) if batches is not None else np.zeros(0, dtype=np.int64)
    shown = []
    if batches is not None:
        names, order = columns.batch_names, mine[np.lexsort((batches.batch[mine], np.round(batches.excess[mine], 9)))]
        shown = [
            {
                "batch": names[batches.batch[at]] if batches.batch[at] < len(names) else str(batches.batch[at]),
                "count": int(batches.count[at]), "right": _plain(batches.right[at]),
                "beside_others": _plain(batches.excess[at]),
            }
            for at in order[:_SHOWN_BATCHES]
        ]  # fmt: skip
    return {
        "rows": int(drift.rows[who]), "trend": _plain(drift.trend[who]), "trend_p": _plain(drift.trend_chance[who]),
        "cut": int(drift.cut[who]), "before": _plain(drift.before[who]), "after": _plain(drift.after[who]),
        "change_p": _plain(drift.change_chance[who]),
        "batch_p": _plain(batches.chance[who]) if batches is not None else None,
        "batches": shown, "batches_left_out": max(len(mine) - _SHOWN_BATCHES, 0),
    }  # fmt: skip


def _scale(measures: Measures, who: int) -> dict[str, Any] | None:
    scale = measures.scale
    if scale is None:
        return None
    found = {"bias": scale.bias, "spread": scale.spread, "follows": scale.follows}
    return {name: _interval(estimate, who) for name, estimate in found.items()} | {"usual_follows": _plain(scale.group)}


def _notes(measures: Measures, present: Any, shown: int, suspect: NDArray[np.bool_]) -> tuple[str, ...]:
    judged, notes = measures.judged, []
    if not len(present):
        return ("no ballot names its annotator: nobody can be judged",)
    if not len(judged):
        return ("no unit has ballots of two people: nobody can be judged by the others",)
    alone = len(present) - len(np.unique(judged.annotator))
    if alone:
        notes.append(f"{alone} of {len(present)} annotators share no unit with anybody: they cannot be judged")
    verdicts = [words.verdict(measures, int(who)) for who in present]
    count = {word: verdicts.count(word) for word in (words.BELOW, words.ABOVE, words.ALIKE, words.UNKNOWN)}
    notes.append("; ".join(f"{number} {word}" for word, number in count.items() if number))
    if suspect.any():
        notes.append(f"{int(suspect.sum())} may have answered without reading, or copied: see their reasons")
    against = judged.label != judged.best
    if against.any():
        share = float(judged.contested[against].mean())
        notes.append(f"{share:.0%} of all disagreements fell on units where the others are split themselves")
    if measures.copies.tested:
        notes.append(f"{measures.copies.tested:,} pairs tested for copying, {len(measures.copies.one)} named")
    if shown < len(present):
        notes.append(f"cards of the {shown} worst of {len(present)} annotators")
    return tuple(notes)
