"""The card of one annotator: verdict in words, skill beside the others, known answers, confusions, speed, change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.pages import charts
from pipeline.pages.blocks import Block, Card, Cell, Fold, Points, Table, number, signed, written
from pipeline.pages.visible import cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from markupsafe import Markup

NAME_CHARS, LABEL_CHARS, MARKS = 48, 60, 60
TONES = {"below the others": "warn", "above the others": "pass"}
UNLIKELY = 0.01
"""A change over the work that chance makes this seldom or less often is worth a line."""


@dataclass(frozen=True)
class Scale:
    """The axis that all cards share: in points of right answers, or of numbers in typical distances.

    `marks` are the others: at most `MARKS`, evenly from the least to the greatest.
    """

    in_points: bool
    reach: tuple[float, float]
    marks: tuple[float, ...]

    @classmethod
    def over(cls, cards: Sequence[Mapping[str, Any]], *, in_points: bool) -> Scale:
        """The axis over all cards."""
        told = [one.get("beside_others") or {} for one in cards]
        values = sorted(float(one["value"]) for one in told if one.get("value") is not None)
        ends = [abs(float(one[end])) for one in told for end in ("value", "low", "high") if one.get(end) is not None]
        widest = min(max([*ends, 0.1]), 1.0 if in_points else 4.0)
        step = max((len(values) - 1) / (MARKS - 1), 1) if values else 1
        marks = tuple(dict.fromkeys(values[min(round(at * step), len(values) - 1)] for at in range(MARKS) if values))
        return cls(in_points, (-widest, widest), marks)

    def said(self, value: float | None) -> str:
        """A difference in the unit of the axis."""
        if value is None:
            return "–"
        return signed(100 * value) if self.in_points else signed(value, 2)

    @property
    def unit(self) -> str:
        """What the differences are counted in."""
        return "points" if self.in_points else "typical distances"


def name_of(one: Mapping[str, Any]) -> str:
    """The name of an annotator, not too long for a sentence."""
    return cut(" ".join(str(one.get("name", "")).split()) or "(no name)", NAME_CHARS)


def of_hundred(told: Mapping[str, Any] | None) -> str:
    """A share and its interval in per cent.

    >>> of_hundred({"value": 0.5, "low": 0.4, "high": 0.6}), of_hundred({"value": 0.5}), of_hundred(None)
    ('50 % [40, 60]', '50 %', '–')
    """
    if not told or told.get("value") is None:
        return "–"
    middle = f"{100 * told['value']:.0f} %"
    if told.get("low") is None or told.get("high") is None:
        return middle
    return f"{middle} [{100 * told['low']:.0f}, {100 * told['high']:.0f}]"


def card(one: Mapping[str, Any], at: int, scale: Scale, *, is_text: bool) -> Card:
    """The card of one annotator; `at` is its place, `is_text` whether answers are free text, which nobody confuses."""
    verdict = str(one.get("verdict", ""))
    is_suspect = bool(one.get("suspect"))
    reasons = [f"{str(line)[:1].upper()}{str(line)[1:]}." for line in one.get("reasons") or []]
    return Card(
        name=name_of(one),
        tone="fail" if is_suspect else TONES.get(verdict, ""),
        verdict=(f"suspicious, {verdict}" if verdict in TONES else "suspicious") if is_suspect else verdict,
        said=_said(one, scale),
        picture=_picture(one, at, scale),
        facts=list(_facts(one, in_points=scale.in_points)),
        reasons=reasons + list(_fairly(one)),
        folded=list(_folded(one, scale, is_text=is_text)),
    )


def _said(one: Mapping[str, Any], scale: Scale) -> str:
    told = one.get("beside_others") or {}
    value = told.get("value")
    if value is None:
        return "Cannot be judged by the others: there are too few of them, or none shares an item."
    word = ("fewer" if value < 0 else "more") if scale.in_points else ("farther off" if value < 0 else "nearer")
    amount = scale.said(abs(value)).lstrip("+")
    ends = f"[95 %: {scale.said(told.get('low'))} to {scale.said(told.get('high'))}]"
    if scale.in_points:
        return f"{amount} points {word} right than the others on the same items {ends}."
    return f"{amount} typical distances {word} than the others on the same items {ends}."


def _picture(one: Mapping[str, Any], at: int, scale: Scale) -> Markup | None:
    told = one.get("beside_others") or {}
    if told.get("value") is None:
        return None
    ends = ("worse", "better")
    dot = charts.Dot(name_of(one), told["value"], told.get("low"), told.get("high"))
    title = f"{name_of(one)} beside the others, {scale.unit}"
    return charts.beside(f"skill-{at}", title, dot, scale.marks, reach=scale.reach, ends=ends)


def _facts(one: Mapping[str, Any], *, in_points: bool) -> Iterator[tuple[str, str]]:
    judged = one.get("judged")
    beside = f", {written(judged)} of them with others" if judged != one.get("answers") else ""
    yield "answers", f"{written(one.get('answers'))}{beside}"
    if in_points:
        usual = of_hundred({"value": one.get("usual_accuracy")})
        yield "right, as the others see it", f"{of_hundred(one.get('accuracy'))}; the others there {usual}"
    elif scale := one.get("scale"):
        follows = scale.get("follows") or {}
        usual = written(scale.get("usual_follows"), 2)
        yield "follows the others (correlation)", f"{written(follows.get('value'), 2)}; usual {usual}"
        yield "runs high or low by", signed((scale.get("bias") or {}).get("value"))
        yield "spread beside theirs", f"{written((scale.get('spread') or {}).get('value'), 2)} times"
    if gold := one.get("gold"):
        yield (
            "known answers",
            (
                f"{written(gold.get('right'))} of {written(gold.get('asked'))} right "
                f"[{of_hundred({'value': gold.get('low')})} to {of_hundred({'value': gold.get('high')})}]"
            ),
        )
    if (speed := one.get("speed")) and speed.get("median") is not None:
        yield "time an answer", f"{_time(speed['median'])}; usual {_time(speed.get('usual'))}"


def _time(seconds: float | None) -> str:
    """Seconds as a person says them.

    >>> _time(4.25), _time(90.0), _time(5400.0), _time(None)
    ('4.2 s', '1.5 min', '1.5 h', '–')
    """
    if seconds is None:
        return "–"
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.1f} s"


def _fairly(one: Mapping[str, Any]) -> Iterator[str]:
    """What is not held against the annotator."""
    split, whole = one.get("disagreements_contested") or 0, one.get("disagreements") or 0
    if split:
        yield (
            f"{split:,} of the {whole:,} disagreements fell on items on which the others are split themselves: they "
            "hardly count."
        )


def _folded(one: Mapping[str, Any], scale: Scale, *, is_text: bool) -> Iterator[Block]:
    confused = [] if is_text or one.get("scale") else [_confused(found) for found in one.get("confusions") or []]
    if confused:
        yield Fold("Main confusions", [Points(confused)])
    lines = [*_drift(one.get("drift") or {}, scale), *_speed(one.get("speed") or {}), *_spam(one.get("spam") or {})]
    batches = (one.get("drift") or {}).get("batches") or []
    blocks: list[Block] = [Points(lines)] if lines else []
    if batches:
        blocks.append(_batches(batches, (one.get("drift") or {}).get("batches_left_out") or 0, scale))
    if blocks:
        yield Fold("Over time, speed and habits", blocks)


def _confused(found: Mapping[str, Any]) -> str:
    usual = of_hundred({"value": found.get("usual")})
    return (
        f"{_label(found.get('given'))} where the others say {_label(found.get('true'))}: "
        f"{written(found.get('count'))} of {written(found.get('of'))} times; others do that in {usual}"
    )


def _label(label: Any) -> str:
    return f"‘{cut(str(label), LABEL_CHARS)}’"


def _drift(drift: Mapping[str, Any], scale: Scale) -> Iterator[str]:
    if not drift.get("rows"):
        return
    chance = [drift[name] for name in ("trend_p", "change_p", "batch_p") if drift.get(name) is not None]
    if not chance:
        return
    if min(chance) > UNLIKELY:
        yield f"No change over {written(drift['rows'])} rows that chance would not make."
    if drift.get("change_p") is not None and drift["change_p"] <= UNLIKELY:
        yield (
            f"After {written(drift.get('cut'))} of {written(drift['rows'])} rows: {scale.said(drift.get('before'))} "
            f"{scale.unit} beside the others before, {scale.said(drift.get('after'))} after (by chance in "
            f"{drift['change_p']:.1%})"
        )
    if drift.get("trend_p") is not None and drift["trend_p"] <= UNLIKELY:
        yield f"From first to last: {scale.said(drift.get('trend'))} {scale.unit} (by chance in {drift['trend_p']:.1%})"


def _speed(speed: Mapping[str, Any]) -> Iterator[str]:
    if speed.get("hasty") is not None and speed.get("floor") is not None:
        share, gaps, burst = (
            of_hundred({"value": speed["hasty"]}),
            written(speed.get("gaps")),
            written(speed.get("burst")),
        )
        yield f"{share} of {gaps} answers came within {_time(speed['floor'])}, at most {burst} in a row."


def _spam(spam: Mapping[str, Any]) -> Iterator[str]:
    if spam.get("label") is not None and spam.get("share") is not None:
        usual = of_hundred({"value": spam.get("usual_share")})
        share = of_hundred({"value": spam["share"]})
        yield f"Favours {_label(spam['label'])}: {share} of the answers; the others give it there in {usual}."
    if spam.get("steps"):
        longest, expected = written(spam.get("longest_run")), written(spam.get("repeats_expected"), 0)
        yield (
            f"{written(spam.get('repeats'))} of {written(spam['steps'])} answers repeat the one before, {expected} "
            f"would be expected; the longest run is {longest}."
        )


def _batches(batches: Sequence[Mapping[str, Any]], left_out: int, scale: Scale) -> Table:
    rows = [
        (
            Cell(cut(str(one.get("batch")), NAME_CHARS), "quote"),
            number(one.get("count")),
            Cell(of_hundred({"value": one.get("right")}), "number"),
            Cell(scale.said(one.get("beside_others")), "number"),
        )
        for one in batches
    ]
    more = f"; {left_out:,} more" if left_out else ""
    return Table(
        f"By batch, the worst first{more}", ("batch", "answers", "right", f"beside others, {scale.unit}"), rows
    )
