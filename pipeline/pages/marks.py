"""Marks: the lines, bars, letters and scales that charts are drawn from, and the frame about them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from pipeline.pages.visible import fitted, visible

if TYPE_CHECKING:
    from collections.abc import Iterable

WIDTH = 360
_ROOM = {"name": 15, "long": 26}
"""Columns of text that fit where names stand."""


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers that cover low..high, `most` or fewer steps.

    >>> ticks(0.42, 0.71)
    [0.4, 0.5, 0.6, 0.7, 0.8]
    """
    if not math.isfinite(low) or not math.isfinite(high) or high <= low:
        return [low, low + 1.0]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * at, 12) for at in range(first, last + 1)]


class Scale:
    """From values to places, linear."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.span = low, (high - low) or 1.0
        self.start, self.wide = start, end - start

    def __call__(self, value: float) -> float:
        return self.start + self.wide * (value - self.low) / self.span


def in_words(pairs: Iterable[tuple[str, str]]) -> str:
    """The numbers of a picture as they are read out."""
    return "; ".join(f"{fitted(label, 60)}: {said}" for label, said in pairs)


def short(value: float) -> str:
    """A place with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


def rect(x: float, y: float, wide: float, high: float, colour: str) -> Markup:
    """A bar of a colour."""
    frame = Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>')
    return frame.format(colour, short(x), short(y), short(wide), short(high))


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    """A straight line; `kind` is its class."""
    frame = Markup('<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>')
    return frame.format(kind, short(x1), short(y1), short(x2), short(y2))


def lettering(x: float, y: float, text: str, anchor: str, kind: str = "name") -> Markup:
    """Text, cut where it would run into its neighbours."""
    shown = Markup('<text class="{}" x="{}" y="{}" text-anchor="{}">{}</text>')
    return shown.format(kind, short(x), short(y), anchor, fitted(text, _ROOM.get(kind, 40)))


def figure(name: str, title: str, told: str, high: float, parts: Iterable[Markup]) -> Markup:
    """A figure with its caption; `title` and `told` (the numbers in words) are what a screen reader says."""
    frame = Markup("<figure><figcaption>{}</figcaption>{}</figure>")
    return frame.format(visible(title), drawing(name, title, told, high, parts))


def drawing(name: str, title: str, told: str, high: float, parts: Iterable[Markup], *, wide: int = WIDTH) -> Markup:
    """A picture with its title and `told`, without a caption."""
    frame = Markup(
        '<svg role="img" viewBox="0 0 {wide} {high}" aria-labelledby="{name}-title {name}-told">'
        '<title id="{name}-title">{title}</title><desc id="{name}-told">{told}</desc>{parts}</svg>'
    )
    return frame.format(
        title=visible(title), wide=wide, high=short(high), name=name, told=visible(told), parts=Markup("").join(parts)
    )
