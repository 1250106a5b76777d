"""What `assay new --task rating` makes of a file of numbers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import recipe, scaffold
from pipeline.errors import AssayError
from pipeline.gauging import numbers, scale
from tests.small import built, csv, jsonl, said

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe


def new(folder: Path, name: str, content: str) -> Recipe:
    """The recipe written for a file, checked; no record may be lost on the way."""
    (folder / name).write_text(content, encoding="utf-8")
    path, notes = scaffold.new("mine", task="rating", source=folder / name, data=folder / "data")
    assert any("ratings from" in note for note in notes)
    return recipe.load(path)


def test_one_rating_a_line_of_several_raters(tmp_path: Path) -> None:
    lines = ["1,the first headline,a,-60", "1,the first headline,b,100", "2,the second one,a,0", "2,the second one,b,5"]
    one = new(tmp_path, "t.csv", csv("id,headline,worker_id,response", lines))
    columns = one.settings.ingest.source[0].columns
    assert columns == {"text": "headline", "rating": "response", "id": "id", "annotator": "worker_id"}
    assert (one.settings.guideline.low, one.settings.guideline.high) == (-100, 100)
    assert built(one, "ingest")["ingest"]["counts"]["kept"] == 2
    assert said(one)[0] == ("mine/1", "a", "-60.0")


@pytest.mark.parametrize("as_text", [True, False])
def test_lists_of_ratings_of_a_pair(tmp_path: Path, as_text: bool) -> None:
    records: list[dict[str, Any]] = [
        {"index": at, "original": f"line {at} of it", "translation": f"第{at}行的文字", "scores": scores, "mean": 1.5}
        for at, scores in enumerate([[34, 38, 42], [51, 2], [0, 99.5, 3]])
    ]
    for record in records:
        record["scores"] = json.dumps(record["scores"]) if as_text else record["scores"]
    one = new(tmp_path, "t.jsonl", jsonl(records))
    assert one.settings.ingest.source[0].columns == {
        "text": "original", "text_pair": "translation", "answers": "scores"
    }  # fmt: skip
    assert (one.settings.guideline.low, one.settings.guideline.high) == (0, 100)
    assert built(one, "ingest")["ingest"]["counts"]["kept"] == 3
    assert [answer for _, who, answer in said(one) if who is None][:3] == ["34.0", "38.0", "42.0"]


def test_a_column_for_each_rater(tmp_path: Path) -> None:
    lines = [f"{at},text number {at},{at % 5 + 1},{(at + 1) % 5 + 1}" for at in range(9)]
    one = new(tmp_path, "t.csv", csv("id,text,rater_1,rater_2", lines))
    assert one.settings.ingest.source[0].annotator_columns == ("rater_1", "rater_2")
    assert (one.settings.guideline.low, one.settings.guideline.high) == (1, 5)
    assert built(one, "ingest")["ingest"]["counts"]["kept"] == 9
    assert said(one)[0] == ("mine/0", "rater_1", "1.0")


def test_a_scale_that_nobody_knows_is_left_open(tmp_path: Path) -> None:
    one = new(tmp_path, "t.csv", csv("text,value", ["a boat for sale,1250", "a house for sale,230000.5"]))
    assert (one.settings.guideline.low, one.settings.guideline.high) == (None, None)
    assert built(one, "ingest")["ingest"]["counts"]["kept"] == 2


def test_a_file_without_numbers_or_without_text_holds_no_ratings(tmp_path: Path) -> None:
    for name, content in (("w.csv", csv("text,label", ["one,good", "two,bad"])), ("n.csv", csv("a,score", ["1,2"]))):
        (tmp_path / name).write_text(content, encoding="utf-8")
        with pytest.raises(AssayError, match=r"has no column of (numbers|text)"):
            scaffold.new("mine", task="rating", source=tmp_path / name, data=tmp_path / "data")


@pytest.mark.parametrize(
    ("seen", "found"),
    [
        *[([1, 5], (1, 5)), ([2, 5], (1, 5)), ([0, 5], (0, 5)), ([0.0, 0.93], (0, 1)), ([-80, 100], (-100, 100))],
        *[([1, 1], None), ([0, 101], None), ([], None), ([48, 52], None)],
    ],
)
def test_a_usual_scale_that_is_used(seen: list[float], found: tuple[float, float] | None) -> None:
    assert scale(seen) == found


def test_numbers_in_a_field() -> None:
    assert numbers("[1, 2.5]") == [1.0, 2.5]
    assert numbers([1, "2,5"]) == [1.0, 2.5]
    assert numbers("7") == [7.0]
    assert numbers("[1, ") is None
    assert numbers("seven") is None
