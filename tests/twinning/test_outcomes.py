"""Outcomes: what is told of every pair, by the rows that go on."""

from __future__ import annotations

from pipeline.quality.merging import Merging
from pipeline.twinning.likeness import Near
from pipeline.twinning.outcomes import Compared, chosen, kinds, lines, table, told

IDS = ["a", "b", "c", "d", "e"]


def compared(merging: Merging, near: Near, same: str = "abcde", exact: str = "abcde") -> Compared:
    return Compared(range(5), [one.encode() for one in exact], [one.encode() for one in same], near, merging)


def near(*pairs: tuple[int, int, str, bool, str]) -> Near:
    left, right, kind, accepted, why = (list(column) for column in zip(*pairs, strict=True))
    return Near(left, right, kind, [0.9] * len(pairs), accepted, why)


def test_each_pair_has_its_outcome() -> None:
    merging = Merging({1: 0}, {0: [1]}, {3: [2]}, {3: "majority"}, {1: 0, 3: 2})
    found = near(
        (0, 1, "misspelt", True, "x"),
        (2, 3, "similar", True, "y"),
        (0, 2, "contained", True, "z"),
        (1, 4, "similar", True, "w"),
        (0, 4, "similar", False, "number 3 / 5"),
    )
    done = {(one["left"], one["right"]): one["outcome"] for one in lines(compared(merging, found), IDS)}
    assert done == {
        ("a", "b"): "merged",
        ("c", "d"): "conflict",
        ("a", "c"): "same side",
        ("b", "e"): "kept both",
        ("a", "e"): "kept both",
    }


def test_what_is_near_to_a_copy_that_leaves_is_told_of_the_one_that_stays() -> None:
    # b lost to c, which reads the same; what is near to both is told of c.
    merging = Merging(conflicts={1: [2]}, rules={1: "majority"}, cluster={1: 1})
    found = near((1, 4, "similar", False, "word"), (0, 1, "contained", True, "z"))
    done = {(one["left"], one["right"]) for one in lines(compared(merging, found, same="abbde"), IDS)}
    assert done == {("c", "e"), ("a", "c"), ("c", "b")}


def test_how_a_row_is_like_the_other() -> None:
    merging = Merging({1: 0, 2: 0}, {0: [1, 2]}, {4: [3]}, {4: "decided"}, {1: 0, 2: 0, 4: 3})
    found = compared(merging, near((0, 2, "misspelt", True, "slip"), (3, 4, "similar", True, "")), "aacde", "abcde")
    how = kinds(found)
    assert how == {1: ("normalised", 1.0, ""), 2: ("misspelt", 0.9, "slip"), 4: ("similar", 0.9, "")}
    pairs = table(list(lines(found, IDS)))
    report = told(pairs, found, ["exact"], how)
    assert report["merged_by_kind"] == {"misspelt": 1, "normalised": 1}
    assert (report["conflicts_by_kind"], report["conflicts_by_rule"]) == ({"similar": 1}, {"decided": 1})
    assert (report["clusters"], report["largest_cluster"]) == (2, 3)
    assert [one["kind"] for one in chosen(pairs)["merged"]] == ["misspelt", "normalised"]  # near ones first
