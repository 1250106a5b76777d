"""Wipe-out: what stops a build, at its border and beyond."""

from __future__ import annotations

import pytest

from pipeline.quality.wipeout import Limits, worst

LIMITS = Limits(cluster_share=0.3, source_share=0.5, class_share=0.5, least_rows=3)


def rows(kept: int, gone: int) -> list[str | None]:
    return [None] * kept + ["merged_duplicate"] * gone


@pytest.mark.parametrize(
    ("kept", "gone", "stops"),
    [(3, 3, False), (2, 3, True), (4, 4, False), (3, 4, True), (0, 2, False), (0, 3, True)],
)
def test_a_source_may_lose_its_share_and_no_more(kept: int, gone: int, stops: bool) -> None:
    total = kept + gone
    found = worst(rows(kept, gone), {}, ["s"] * total, [[f"c{at}"] for at in range(total)], LIMITS)
    assert (found is not None) is stops
    if found:
        assert (found.kind, found.name, found.lost, found.of, found.share) == ("source", "s", gone, total, 0.5)
        assert found.rows == list(range(kept, total))


@pytest.mark.parametrize(("of", "stops"), [(10, False), (9, True)])
def test_a_cluster_is_measured_by_all_rows(of: int, stops: bool) -> None:
    reasons: list[str | None] = ["conflict", "merged_duplicate", "merged_duplicate", *[None] * (of - 3)]
    found = worst(reasons, dict.fromkeys(range(3), "first"), ["s"] * of, [[]] * of, LIMITS)
    assert (found is not None) is stops
    if found:
        assert (found.kind, found.name, found.reasons) == ("cluster", "first", {"conflict": 1, "merged_duplicate": 2})


def test_a_class_counts_each_row_once_and_the_worst_is_told() -> None:
    classes = [["joy", "joy"]] * 3 + [["joy", "awe"]] + [["awe"]] * 6
    reasons: list[str | None] = ["merged_duplicate"] * 3 + [None] * 7
    found = worst(reasons, {}, ["s"] * 10, classes, LIMITS)
    assert found is not None
    assert (found.kind, found.name, found.lost, found.of) == ("class", "joy", 3, 4)
    assert worst([None] * 10, {}, ["s"] * 10, classes, LIMITS) is None
