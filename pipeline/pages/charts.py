"""Charts as inline SVG: pure functions of a few numbers, drawn 360 units wide so that phones can read them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from pipeline.pages.marks import WIDTH, Scale, drawing, figure, in_words, lettering, line, rect, short, ticks
from pipeline.pages.visible import fitted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LEFT, RIGHT = 124, 66
"""Room for names on the left of a chart, and for figures on its right."""
LINE = 24
STRIP = 280
"""The width of a picture that stands on a card."""
_DOT_LINE = 38
_PLOT = WIDTH - LEFT - RIGHT


@dataclass(frozen=True)
class Bar:
    """A named quantity (0 or more), how it is written, and the class of its colour."""

    label: str
    value: float
    said: str
    colour: str = "k1"


@dataclass(frozen=True)
class Dot:
    """A named figure with its interval, if it has one."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None


def bars(name: str, title: str, rows: Sequence[Bar]) -> Markup:
    """Horizontal bars from 0, each with its name and figure."""
    top = max((row.value for row in rows), default=0) or 1
    parts = []
    for at, row in enumerate(rows):
        y = at * LINE
        wide = max(_PLOT * row.value / top, 1 if row.value else 0)
        parts += [
            lettering(LEFT - 8, y + 16, row.label, "end"),
            rect(LEFT, y + 5, wide, LINE - 9, row.colour),
            lettering(LEFT + wide + 6, y + 16, row.said, "start", "figure"),
        ]
    return figure(name, title, in_words((row.label, row.said) for row in rows), len(rows) * LINE + 2, parts)


def intervals(
    name: str, title: str, dots: Sequence[Dot], *, reach: tuple[float, float] | None = None, digits: int = 3
) -> Markup:
    """Dots with a line for the interval, over a common axis; `reach` is the least the axis covers."""
    ends = [end for dot in dots for end in (dot.value, dot.low, dot.high) if end is not None] + list(reach or ())
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    marks = ticks(low, high)
    place = Scale(min(low, marks[0]), max(high, marks[-1]), 10, WIDTH - 10)
    parts = []
    for at, dot in enumerate(dots):
        y = at * _DOT_LINE + 26
        parts += [lettering(0, y - 12, dot.label, "start", "long"), line(10, y, WIDTH - 10, y, "grid")]
        parts.append(lettering(WIDTH, y - 12, _dot_said(dot, digits), "end", "figure"))
        parts += [line(place(mark), y - 4, place(mark), y + 4, "grid") for mark in marks]
        parts += _whisker(dot, y, place)
    bottom = len(dots) * _DOT_LINE
    parts += [lettering(place(mark), bottom + 12, f"{mark:g}", "middle", "tick") for mark in marks]
    return figure(name, title, in_words((dot.label, _dot_said(dot, digits)) for dot in dots), bottom + 18, parts)


def _whisker(dot: Dot, y: float, place: Scale) -> list[Markup]:
    parts = []
    if dot.low is not None and dot.high is not None:
        parts.append(line(place(dot.low), y, place(dot.high), y, "whisker"))
    return [*parts, Markup('<circle class="dot" cx="{}" cy="{}" r="4"/>').format(short(place(dot.value)), short(y))]


def _dot_said(dot: Dot, digits: int) -> str:
    if dot.low is None or dot.high is None:
        return f"{dot.value:.{digits}f}"
    return f"{dot.value:.{digits}f} [{dot.low:.{digits}f}, {dot.high:.{digits}f}]"


def beside(
    name: str, title: str, dot: Dot, others: Sequence[float], *, reach: tuple[float, float], ends: tuple[str, str]
) -> Markup:
    """One dot with its interval on a line on which 0 is marked, over thin marks for all `others`; no caption.

    `reach` is what the axis covers, so that several such pictures can be held side by side; `ends` say which end is
    which.
    """
    place, y = Scale(*reach, 8, STRIP - 8), 20.0
    marks = "".join(f"M{short(place(min(max(other, reach[0]), reach[1])))} 13v14" for other in others)
    low, high = (
        place(min(max(end if end is not None else dot.value, reach[0]), reach[1])) for end in (dot.low, dot.high)
    )
    parts = [
        line(8, y, STRIP - 8, y, "grid"),
        Markup('<path class="mark" d="{}"/>').format(marks) if marks else Markup(""),
        line(place(0), 5, place(0), 35, "ideal"),
        line(low, y, high, y, "whisker"),
        Markup('<circle class="dot" cx="{}" cy="{}" r="5.5"/>').format(short(place(dot.value)), short(y)),
        lettering(8, 48, ends[0], "start", "tick"),
        lettering(place(0), 48, "the others", "middle", "tick"),
        lettering(STRIP - 8, 48, ends[1], "end", "tick"),
    ]
    return drawing(name, title, _dot_said(dot, 3), 52, parts, wide=STRIP)


def stacked(name: str, title: str, rows: Mapping[str, Mapping[str, int]], colours: Mapping[str, str]) -> Markup:
    """One bar of full width for every row, parted by share; `colours` gives the class of each part, in order."""
    parts: list[Markup] = list(_legend(colours))
    told = []
    for at, (label, counts) in enumerate(rows.items()):
        y, x, whole = 20 + at * LINE, float(LEFT), sum(counts.values())
        parts.append(lettering(LEFT - 8, y + 16, label, "end"))
        for part, colour in colours.items():
            wide = (WIDTH - LEFT - RIGHT) * counts.get(part, 0) / whole if whole else 0
            parts.append(rect(x, y + 5, wide, LINE - 9, colour))
            x += wide
        parts.append(lettering(WIDTH - RIGHT + 6, y + 16, f"{whole:,}", "start", "figure"))
        told.append((label, ", ".join(f"{part} {counts.get(part, 0):,}" for part in colours)))
    return figure(name, title, in_words(told), 22 + len(rows) * LINE, parts)


def _legend(colours: Mapping[str, str]) -> Iterable[Markup]:
    step = WIDTH / max(len(colours), 1)
    for at, (label, colour) in enumerate(colours.items()):
        yield rect(at * step, 3, 11, 11, colour)
        yield lettering(at * step + 16, 13, fitted(label, int(step / 6.6) - 2), "start")


def columns(
    name: str, title: str, steps: Sequence[str], series: Mapping[str, Sequence[float]], colours: Mapping[str, str]
) -> Markup:
    """Upright columns, one group for every step: shares of each series, 0 to 1; `series` has one share per step."""
    tall, foot = 96, 20
    top = max((share for shares in series.values() for share in shares), default=0) or 1
    group = WIDTH / max(len(steps), 1)
    wide = group * 0.8 / max(len(series), 1)
    base = foot + tall
    parts: list[Markup] = [*_legend(colours), line(0, base, WIDTH, base, "axis")]
    for at, step in enumerate(steps):
        parts.append(lettering(at * group + group / 2, base + 14, step, "middle", "tick"))
        for number, (label, shares) in enumerate(series.items()):
            high = tall * shares[at] / top
            parts.append(rect(at * group + group * 0.1 + number * wide, base - high, wide, high, colours[label]))
    said = [
        (label, ", ".join(f"{s} {share:.1%}" for s, share in zip(steps, v, strict=True))) for label, v in series.items()
    ]
    return figure(name, title, in_words(said), base + 20, parts)


def reliability(name: str, title: str, bins: Sequence[Mapping[str, float]]) -> Markup:
    """How often the model was right at each probability it gave; dots are as large as the rows they stand for.

    `bins`: {"n", "probability", "right"}; those without rows are left out.
    """
    filled = [one for one in bins if one.get("n") and "right" in one]
    side, left, whole = 230, 44, sum(one["n"] for one in filled) or 1
    across, up = Scale(0, 1, left, left + side), Scale(0, 1, side + 8, 8)
    parts = [line(across(0), up(0), across(1), up(1), "ideal")]
    for mark in (0.0, 0.5, 1.0):
        parts += [
            line(across(0), up(mark), across(1), up(mark), "grid"),
            lettering(left - 6, up(mark) + 4, f"{mark:g}", "end", "tick"),
            lettering(across(mark), side + 24, f"{mark:g}", "middle", "tick"),
        ]
    for one in filled:
        radius = 3 + 12 * math.sqrt(one["n"] / whole)
        circle = '<circle class="dot soft" cx="{}" cy="{}" r="{}"/>'
        parts.append(Markup(circle).format(short(across(one["probability"])), short(up(one["right"])), short(radius)))
    parts.append(lettering(left + side / 2, side + 40, "probability the model gave", "middle", "tick"))
    parts.append(lettering(left + side + 10, up(0.5) - 4, "share", "start", "tick"))
    parts.append(lettering(left + side + 10, up(0.5) + 10, "right", "start", "tick"))
    told = ((f"{one['probability']:.2f}", f"{one['right']:.2f} right of {one['n']:,}") for one in filled)
    return figure(name, title, in_words(told), side + 46, parts)


def curve(name: str, title: str, points: Sequence[tuple[float, float]], *, mark_x: float | None = None) -> Markup:
    """A line through points (x, y) with its ends written beside it; `mark_x` is where the kept weights are."""
    tall, left = 110, 44
    xs, ys = [x for x, _ in points] or [0.0], [y for _, y in points] or [0.0]
    marks = ticks(min(ys), max(ys), most=4)
    across = Scale(min(xs), max(xs), left, WIDTH - 16)
    up = Scale(min(*ys, marks[0]), max(*ys, marks[-1]), tall, 10)
    parts = []
    for mark in marks:
        parts += [
            line(left, up(mark), WIDTH - 10, up(mark), "grid"),
            lettering(left - 6, up(mark) + 4, f"{mark:g}", "end", "tick"),
        ]
    path = " ".join(f"{short(across(x))},{short(up(y))}" for x, y in points)
    parts.append(Markup('<polyline class="curve" points="{}"/>').format(path))
    for x, y in points:
        kind = "dot" if x == mark_x else "dot hollow"
        circle = Markup('<circle class="{}" cx="{}" cy="{}" r="3.5"/>')
        parts.append(circle.format(kind, short(across(x)), short(up(y))))
    for x, anchor in ((xs[0], "start"), (xs[-1], "end")):
        parts.append(lettering(across(x), tall + 18, f"step {x:g}", anchor, "tick"))
    return figure(name, title, in_words((f"step {x:g}", f"{y:.4g}") for x, y in points), tall + 24, parts)


def band(name: str, title: str, points: Sequence[tuple[float, float, float, float]], *, unit: str) -> Markup:
    """A line of shares (0 to 1) with the band of their intervals: points are (place, share, low, high), two or more."""
    tall, left = 120, 34
    across = Scale(points[0][0], points[-1][0], left, WIDTH - 10)
    up = Scale(0.0, 1.0, tall, 8)
    parts: list[Markup] = []
    for mark in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts += [
            line(left, up(mark), WIDTH - 10, up(mark), "grid"),
            lettering(left - 6, up(mark) + 4, f"{mark:.0%}", "end", "tick"),
        ]
    ends = [*((x, low) for x, _, low, _ in points), *((x, high) for x, _, _, high in reversed(points))]
    hull, path = (_places(some, across, up) for some in (ends, [(x, share) for x, share, _, _ in points]))
    parts.append(Markup('<polygon class="band" points="{}"/>').format(hull))
    parts.append(Markup('<polyline class="curve" points="{}"/>').format(path))
    for x, anchor in ((points[0][0], "start"), (points[-1][0], "end")):
        parts.append(lettering(across(x), tall + 18, f"{x:,g} {unit}", anchor, "tick"))
    said = ((f"{x:,g} {unit}", f"{share:.0%} [{low:.0%}, {high:.0%}]") for x, share, low, high in points)
    return figure(name, title, in_words(said), tall + 24, parts)


def _places(points: Iterable[tuple[float, float]], across: Scale, up: Scale) -> str:
    return " ".join(f"{short(across(x))},{short(up(y))}" for x, y in points)


def drop(start: float, end: float, whole: float, *, colour: str) -> Markup:
    """A bar from `start` to `end` on a scale that ends at `whole`, to stand in a waterfall beside a written figure."""
    place = Scale(0, whole or 1, 0, 160)
    low, high = sorted((place(start), place(end)))
    bar = rect(min(low, 157), 3, max(high - low, 3), 10, colour)
    return Markup('<svg class="drop" viewBox="0 0 160 16" aria-hidden="true">{}</svg>').format(bar)
