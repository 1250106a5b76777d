"""`assay new --answers`: texts in one file, and what people answered about them in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline import recipe, scaffold
from pipeline.answers import GOLD
from pipeline.errors import AssayError
from tests.small import built, csv, jsonl, said

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

HEADER = "!amt_annotation_ids\t!amt_worker_ids\torig_id\tresponse\tgold"
PAIRS = [f"{700 + at}\tThe cat number {at} sat there.\tA cat sat on {at}." for at in range(24)]
VOTES = [
    f"89KZPYX{at}Z{who}\tA{who}BSKTAB\t{700 + at}\t{(at + who) % 2}\t{at % 2}" for at in range(24) for who in range(3)
]


def tsv(folder: Path, name: str, header: str, lines: list[str]) -> Path:
    path = folder / name
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def new(folder: Path, texts: Path, *answers: Path, task: str = "classification") -> tuple[Recipe, str]:
    path, notes = scaffold.new("mine", task=task, source=texts, data=folder / "data", answers=answers)
    return recipe.load(path), "\n".join(notes)


def test_votes_of_workers_meet_the_texts_of_another_file(tmp_path: Path) -> None:
    texts = tsv(tmp_path, "texts.tsv", "id\ttext\thypothesis", PAIRS)
    one, notes = new(tmp_path, texts, tsv(tmp_path, "votes.tsv", HEADER, VOTES))
    assert one.settings.ingest.source[0].columns == {"id": "id", "text": "text", "text_pair": "hypothesis"}
    assert one.settings.ingest.annotations[0].columns == {
        "row": "orig_id", "annotator": "!amt_worker_ids", "answer": "response", "gold": "gold"
    }  # fmt: skip
    assert one.settings.guideline.names == ("0", "1")
    counts = built(one, "ingest")["ingest"]["counts"]
    assert (counts["kept"], counts["rejected"]) == (24, 0)
    assert {who for row, who, _ in said(one) if row == "mine/700"} == {"A0BSKTAB", "A1BSKTAB", "A2BSKTAB", GOLD}
    assert "of 24 texts that were looked at, 24 have answers here" in notes
    assert "of none of these texts" not in notes
    assert "'!amt_annotation_ids' (the id of an answer, not of a row)" in notes


def test_the_column_of_ids_is_known_by_the_ids_whatever_it_is_called(tmp_path: Path) -> None:
    texts = tsv(tmp_path, "texts.tsv", "id\ttext", [f"{at}\tcats are number {at}" for at in range(30)])
    votes = [f"{at}\t{at % 7}\t{'yn'[at % 2]}" for at in range(30)]
    one, _ = new(tmp_path, texts, tsv(tmp_path, "votes.tsv", "what\tworker\tlabel", votes))
    columns = one.settings.ingest.annotations[0].columns
    assert columns == {"row": "what", "annotator": "worker", "answer": "label"}
    assert built(one, "ingest")["ingest"]["counts"]["rejected"] == 0
    assert {answer for *_, answer in said(one)} == {'["n"]', '["y"]'}


def test_of_two_columns_that_hold_all_ids_the_one_that_is_called_so_is_taken(tmp_path: Path) -> None:
    texts = tsv(tmp_path, "texts.tsv", "id\ttext", [f"{at}\tcats are number {at}" for at in range(30)])
    votes = [f"{29 - at}\t{at}\t{at % 7}\t{'yn'[at % 2]}" for at in range(30)]
    one, _ = new(tmp_path, texts, tsv(tmp_path, "votes.tsv", "rank\titem\tworker\tlabel", votes))
    assert one.settings.ingest.annotations[0].columns["row"] == "item"


def test_answers_of_texts_that_are_not_there_are_counted(tmp_path: Path) -> None:
    texts = tsv(tmp_path, "texts.tsv", "id\ttext\thypothesis", PAIRS[:20])
    one, notes = new(tmp_path, texts, tsv(tmp_path, "votes.tsv", HEADER, VOTES))
    assert "12 of 72 answers are of none of these texts: without one they are rejected" in notes
    assert built(one, "ingest")["ingest"]["counts"]["rejected"] == 12


def test_truth_in_a_third_file_is_gold(tmp_path: Path) -> None:
    texts = tsv(tmp_path, "texts.tsv", "id\ttext", [f"{at}\tcats are number {at}" for at in range(30)])
    votes = tsv(tmp_path, "v.tsv", "item\tworker\tlabel", [f"{at}\t{at % 7}\t{at % 2}" for at in range(30)])
    truth = tsv(tmp_path, "t.tsv", "item\ttruth", [f"{at}\t{at % 3}" for at in range(30)])
    one, _ = new(tmp_path, texts, votes, truth)
    assert one.settings.ingest.annotations[1].columns == {"row": "item", "gold": "truth"}
    assert one.settings.guideline.names == ("0", "1", "2")
    assert built(one, "ingest")["ingest"]["counts"]["rejected"] == 0
    assert ("mine/5", GOLD, '["2"]') in said(one)


def test_ratings_apart(tmp_path: Path) -> None:
    texts = tsv(tmp_path, "texts.tsv", "id\theadline", [f"{at + 500}\tTrucks swallowed {at}" for at in range(24)])
    votes = [f"6YGZ{at}\tA1Z{at % 3}\t{at + 500}\t{at * 4}\t{at}" for at in range(24)]
    one, _ = new(tmp_path, texts, tsv(tmp_path, "anger.tsv", HEADER, votes), task="rating")
    assert (one.settings.guideline.low, one.settings.guideline.high) == (0, 100)
    counts = built(one, "ingest")["ingest"]["counts"]
    assert (counts["kept"], counts["joined"], counts["rejected"]) == (24, 24, 0)
    assert ("mine/505", "A1Z2", "20.0") in said(one)


@pytest.mark.parametrize("task", ["classification", "rating"])
@pytest.mark.parametrize("header", [HEADER, "unit\tworker\tx_id\tlabel\ttruth"])
def test_answers_alone_are_refused_with_the_way_to_give_their_texts(tmp_path: Path, task: str, header: str) -> None:
    votes = tsv(tmp_path, "votes.tsv", header, VOTES)
    with pytest.raises(AssayError, match="after --from, and this one after --answers"):
        new(tmp_path, votes, task=task)
    assert not (tmp_path / "data").exists()


def test_what_does_not_fit_together_is_said(tmp_path: Path) -> None:
    texts = tsv(tmp_path, "texts.tsv", "id\ttext\thypothesis", PAIRS)
    votes = tsv(tmp_path, "votes.tsv", HEADER, VOTES)
    strange = tsv(tmp_path, "strange.tsv", "item\tworker\tlabel", ["a\tw\tx", "b\tw\ty"])
    bare = tmp_path / "bare.csv"
    bare.write_text(csv("text,author", ["one of them,x", "two of them,x"]), encoding="utf-8")
    nothing = tsv(tmp_path, "nothing.tsv", "orig_id\tworker", ["700\tx", "701\ty"])
    for source, beside, task, message in (
        (texts, strange, "classification", "no column holds an id of the texts, such as 700"),
        (bare, votes, "classification", "no column is an id: text, author"),
        (texts, nothing, "classification", "no column holds an answer"),
        (texts, votes, "tagging", "--answers is for classification and rating"),
        (texts, tmp_path / "none.tsv", "classification", "no such file; give the path of your file after --answers"),
    ):
        with pytest.raises(AssayError, match=message):
            new(tmp_path, source, beside, task=task)


def test_a_long_table_with_texts_knows_workers_answers_and_gold(tmp_path: Path) -> None:
    records = [
        {"!amt_annotation_ids": f"9Z{at}{who}", "!amt_worker_ids": f"A{who}", "orig_id": at,
         "content": f"card {at} did not come", "response": (at + who) % 2,
         "gold": at % 2}
        for at in range(20) for who in range(2)
    ]  # fmt: skip
    source = tmp_path / "t.jsonl"
    source.write_text(jsonl(records), encoding="utf-8")
    one, _ = new(tmp_path, source)
    assert one.settings.ingest.source[0].columns == {
        "text": "content", "label": "response", "annotator": "!amt_worker_ids", "id": "orig_id", "gold": "gold"
    }  # fmt: skip
    counts = built(one, "ingest")["ingest"]["counts"]
    assert (counts["kept"], counts["joined"], counts["rejected"]) == (20, 20, 0)
