"""The list of suspects: how long, in what order, with what verdicts and reasons, and what is said of every row."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.suspecting import DECIMALS, DOUBTED, LEAST_SCORE, SUSPECTS, Asking, by_row, suspects
from pipeline.suspecting.checked import CHECKED, checked
from tests.builds import a_recipe, a_tagged, a_text
from tests.heard import work_on

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.stage import Work
    from pipeline.suspecting import Suspected
    from pipeline.tasks import Row

JOY, RAIN = ["joyful sunny happy", "bright happy smile"], ["gloomy rainy sad", "grey sad storm"]
NAMES = ["Oslo", "Paris", "Lima", "Cairo"]


def reviews(count: int = 80, wrong: Sequence[int] = (6, 31)) -> list[Row]:
    """Half joy, half rain; those at `wrong` are labelled the other way."""
    labels = ["good" if (n % 2 == 0) != (n in wrong) else "bad" for n in range(count)]
    texts = [f"{(JOY, RAIN)[n % 2][n // 2 % 2]} number {n}" for n in range(count)]
    return [a_text(f"s/{n:03}", text, label) for n, (text, label) in enumerate(zip(texts, labels, strict=True))]


def places(count: int = 60, wrong: Sequence[int] = (5,)) -> list[Row]:
    """A place in every sentence; those at `wrong` are called persons."""
    return [
        a_tagged(
            f"t/{n:03}", f"we went to {NAMES[n % 4]} in year {n} .", [("PER" if n in wrong else "LOC", NAMES[n % 4])]
        )
        for n in range(count)
    ]


def looked(folder: Path, rows: Sequence[Row], task: str = "classification", **audit: Any) -> tuple[Work, Suspected]:
    one = a_recipe(folder, task=task, audit=audit)
    work = work_on(one)
    table = pa.Table.from_pylist([checked(row, work.task) for row in rows], schema=CHECKED)
    return work, suspects(work, table, Asking(one, work.task))


def lines(found: Suspected) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = found.lines.to_pylist()
    return listed


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5, 1.0])
def test_the_list_is_as_long_as_it_may_be_and_in_order(tmp_path: Path, share: float) -> None:
    _, found = looked(tmp_path, reviews(), suspect_share=share)
    listed, doubted = lines(found), found.doubted.to_pylist()
    assert found.lines.schema == SUSPECTS
    assert 0 < len({line["id"] for line in listed}) <= math.ceil(share * 80)
    assert found.details["listed"] == len({line["id"] for line in listed})
    wrong = {row["id"]: row["wrong"] for row in doubted}
    order = [(-wrong[line["id"]], line["id"]) for line in listed]
    assert order == sorted(order)
    # Nobody who is not on the list is more suspicious than anybody who is.
    rest = [value for id_, value in wrong.items() if id_ not in {line["id"] for line in listed}]
    assert max(rest, default=0) <= max(LEAST_SCORE, -order[-1][0])


def test_planted_errors_come_first_with_verdict_and_reasons(tmp_path: Path) -> None:
    _, found = looked(tmp_path, reviews(), suspect_share=0.05)
    first, second, *others = lines(found)
    assert {first["id"], second["id"]} == {"s/006", "s/031"}
    assert (first["verdict"], second["verdict"]) == ("wrong", "wrong")
    assert {line["verdict"] for line in others} <= {"ambiguous", "fine"}
    for line in lines(found):
        assert line["why"]
        assert all(reason.strip() for reason in line["why"])
        assert line["part"] == ""
        assert line["given"] != line["likely"]
        assert line["score"] >= LEAST_SCORE
        assert line["signals"]
        assert all(math.isfinite(signal["value"]) for signal in line["signals"])
    assert found.details["verdicts"]["wrong"] == 2
    assert found.details["model"].startswith("a quick model")


def test_every_row_has_a_probability(tmp_path: Path) -> None:
    rows = reviews()
    _, found = looked(tmp_path, rows, suspect_share=0.02)
    assert found.doubted.schema == DOUBTED
    assert found.doubted["id"].to_pylist() == [row["id"] for row in rows]
    wrong = found.doubted["wrong"].to_numpy()
    assert ((wrong >= 0) & (wrong <= 1)).all()
    assert np.array_equal(np.round(wrong, DECIMALS), wrong)
    rate = found.details["error_rate"]
    assert rate["low"] <= rate["value"] <= rate["high"]
    assert rate["value"] == pytest.approx(wrong.mean(), abs=1e-5)
    assert found.details["checked"] == 80


@pytest.mark.parametrize(("task", "rows"), [("classification", reviews()), ("tagging", places())])
def test_the_order_of_rows_changes_nothing(tmp_path: Path, task: str, rows: list[Row]) -> None:
    _, found = looked(tmp_path, rows, task, suspect_share=0.1)
    _, other = looked(tmp_path, rows[::-1], task, suspect_share=0.1)
    assert lines(found) == lines(other)
    assert found.details == other.details
    assert found.doubted.sort_by("id").to_pylist() == other.doubted.sort_by("id").to_pylist()


def test_of_equally_suspicious_rows_the_first_id_is_listed(tmp_path: Path) -> None:
    twins = [a_text(f"z/{n:03}", "joyful sunny happy", "bad") for n in range(3)]
    copies = [{**row, "group": "twins", "confidence": 0.6} for row in twins]
    _, found = looked(tmp_path, [*reviews(60, ()), *copies[::-1]], suspect_share=2 / 63)
    assert [line["id"] for line in lines(found)] == ["z/000", "z/001"]


def test_votes_speak_too(tmp_path: Path) -> None:
    """Two rows that are alike but for how many of their annotators gave the answer."""
    rows = [{**row, "confidence": 0.95} for row in reviews(wrong=())]
    rows[10]["confidence"] = 0.34
    _, found = looked(tmp_path, rows, suspect_share=1.0)
    wrong = dict(zip(*(found.doubted[name].to_pylist() for name in ("id", "wrong")), strict=True))
    assert max(wrong, key=lambda id_: wrong[id_]) == "s/010"


def test_a_marked_span_is_a_part_of_its_row(tmp_path: Path) -> None:
    rows = places()
    _, found = looked(tmp_path, rows, "tagging", suspect_share=0.02)
    first = lines(found)[0]
    start = rows[5]["text"].index(NAMES[1])
    assert (first["id"], first["part"]) == ("t/005", f"{start}:{start + len(NAMES[1])}")
    assert (first["given"], first["likely"], first["verdict"]) == ("PER", "LOC", "wrong")
    assert found.details["model"].startswith("a quick model")


def test_labels_of_a_set_are_parts_of_their_row(tmp_path: Path) -> None:
    rows = [{**row, "labels": [row["labels"][0], "any"][: 1 + n % 2]} for n, row in enumerate(reviews())]
    one = a_recipe(tmp_path, guideline={"multiple": True}, audit={"suspect_share": 0.03})
    work = work_on(one)
    table = pa.Table.from_pylist([checked(row, work.task) for row in rows], schema=CHECKED)
    listed = lines(suspects(work, table, Asking(one, work.task)))
    assert {line["id"] for line in listed} >= {"s/006", "s/031"}
    assert {line["part"] for line in listed} <= {"good", "bad", "any"}


def test_anything_wrong_in_a_row_makes_it_wrong() -> None:
    class Found:
        row = np.array([0, 0, 2, 2])

    class Joint:
        wrong = np.array([0.5, 0.5, 1.0, np.nan])

    told = by_row(Found(), Joint(), 3)  # type: ignore[arg-type]
    assert told == pytest.approx([0.75, 0, 1])
    assert (told <= 1).all()
