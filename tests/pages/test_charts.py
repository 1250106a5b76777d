"""Charts: what is drawn stands where its number says, and inside its frame."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from pipeline.pages import charts, marks

NUMBERS = st.floats(0, 1e9, allow_nan=False)
SHARES = st.floats(0, 1, allow_nan=False)


def places(picture: str, attribute: str) -> list[float]:
    return [float(value) for value in re.findall(rf' {attribute}="(-?[\d.]+)"', picture)]


def inside(picture: str) -> bool:
    root = ElementTree.fromstring(picture)
    svg = root if root.tag == "svg" else root.find("svg")
    assert svg is not None
    _, _, wide, high = map(float, svg.attrib["viewBox"].split())
    across = all(-0.1 <= x <= wide + 0.1 for name in ("x", "x1", "x2", "cx") for x in places(picture, name))
    return across and all(-0.1 <= y <= high + 0.1 for name in ("y", "y1", "y2", "cy") for y in places(picture, name))


def test_bars_are_as_long_as_their_numbers() -> None:
    picture = charts.bars("b", "Bars", [charts.Bar("a", 10, "10"), charts.Bar("b", 5, "5"), charts.Bar("c", 0, "0")])
    first, second, third = places(picture, "width")
    assert first == 2 * second
    assert third == 0


@given(st.lists(NUMBERS, max_size=8))
def test_bars_stay_inside(values: list[float]) -> None:
    assert inside(charts.bars("b", "Bars", [charts.Bar(f"<{v}>", v, f"{v:.0f}") for v in values]))


@given(st.lists(st.tuples(SHARES, SHARES, SHARES), max_size=8))
def test_intervals_stay_inside_and_in_order(values: list[tuple[float, float, float]]) -> None:
    dots = [charts.Dot("x", sorted(three)[1], sorted(three)[0], sorted(three)[2]) for three in values]
    picture = charts.intervals("i", "Dots", dots, reach=(0, 1))
    assert inside(picture)
    whiskers = re.findall(r'class="whisker" x1="([\d.]+)" y1="[\d.]+" x2="([\d.]+)"', picture)
    assert len(whiskers) == len(dots)
    centres = places(picture, "cx")
    assert all(float(a) - 0.1 <= c <= float(b) + 0.1 for (a, b), c in zip(whiskers, centres, strict=True))


def test_an_interval_that_is_not_known_is_not_drawn() -> None:
    assert "whisker" not in charts.intervals("i", "Dots", [charts.Dot("x", 0.5)])


@given(st.dictionaries(st.text(max_size=5), st.integers(0, 1000), max_size=3))
def test_stacked_parts_fill_their_row(counts: dict[str, int]) -> None:
    colours = dict.fromkeys(counts, "k1")
    picture = charts.stacked("s", "Parts", {"all": counts}, colours)
    drawn = [
        width for width, height in zip(places(picture, "width"), places(picture, "height"), strict=True) if height == 15
    ]
    room = marks.WIDTH - charts.LEFT - charts.RIGHT
    assert abs(sum(drawn) - (room if sum(counts.values()) else 0)) < 0.5


@given(st.lists(SHARES, min_size=1, max_size=9))
def test_columns_and_curves_stay_inside(shares: list[float]) -> None:
    steps = [str(n) for n in range(len(shares))]
    assert inside(charts.columns("c", "Columns", steps, {"a": shares, "b": shares[::-1]}, {"a": "k0", "b": "k1"}))
    assert inside(charts.curve("u", "Curve", list(enumerate(shares)), mark_x=0))


def test_reliability_puts_sure_and_right_in_the_upper_right() -> None:
    bins: list[dict[str, float]] = [
        {"n": 5, "probability": 0.1, "right": 0.1},
        {"n": 5, "probability": 0.9, "right": 0.9},
        {"n": 0},
    ]
    picture = charts.reliability("r", "Calibration", bins)
    (x1, x2), (y1, y2) = places(picture, "cx"), places(picture, "cy")
    assert x1 < x2
    assert y1 > y2
    assert inside(picture)


@given(st.floats(-1e6, 1e6), st.floats(0.001, 1e6))
def test_ticks_cover_and_are_few(low: float, span: float) -> None:
    found = marks.ticks(low, low + span)
    step = found[1] - found[0]
    assert found == sorted(found)
    assert found[0] <= low + step * 1e-6
    assert found[-1] >= low + span - step * 1e-6
    assert len(found) <= 8


def test_a_drop_is_seen_even_if_it_is_small() -> None:
    assert places(charts.drop(1000, 999, 1000, colour="lost"), "width") == [3]
    assert inside(charts.drop(1000, 999, 1000, colour="lost"))


def test_labels_are_escaped_and_cut() -> None:
    picture = charts.bars("b", "A & B", [charts.Bar("<script>" * 9, 1, "<1>")])
    assert "<script" not in picture
    ElementTree.fromstring(picture)


@given(
    st.floats(-2, 2),
    st.floats(-60, 60) | st.none(),
    st.floats(-60, 60) | st.none(),
    st.lists(st.floats(-60, 60), max_size=8),
)
def test_a_strip_stays_inside(value: float, low: float | None, high: float | None, others: list[float]) -> None:
    dot = charts.Dot("<b>", value, low, high)
    picture = charts.beside("a", "<i>", dot, others, reach=(-2, 2), ends=("worse", "better"))
    assert inside(picture)
    strokes = [float(x) for x in re.findall(r"M(-?[\d.]+) ", picture)]
    assert len(strokes) == len(others)
    assert all(0 <= x <= charts.STRIP for x in strokes)
