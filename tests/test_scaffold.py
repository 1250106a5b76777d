"""`assay new`: what a look at a file tells, and that the recipe it writes works as it stands."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import recipe, scaffold
from pipeline.errors import AssayError
from tests.small import built, csv, jsonl, said, table

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

TURNS = [{"role": "user", "content": "how are you?"}, {"role": "assistant", "content": "well, thank you"}]
CONLL = "Anna B-PER\nlives O\nin O\nRome B-LOC\n\nShe O\nleft O\nRome B-LOC\n\n"


def looked(folder: Path, name: str, content: str | bytes, task: str) -> tuple[Recipe, dict[str, Any]]:
    """The recipe written for a file, checked, with the report of its ingest: no record may be lost on the way."""
    source = folder / name
    source.write_bytes(content.encode() if isinstance(content, str) else content)
    path, notes = scaffold.new("mine", task=task, source=source, data=folder / "data")
    assert notes
    one = recipe.load(path)
    return one, built(one, "ingest")["ingest"]


def test_a_csv_with_a_header(tmp_path: Path) -> None:
    one, report = looked(
        tmp_path, "t.csv", csv("uid,Sentence,intent", ["7,hello there,greet", "8,bye,leave"]), "classification"
    )
    assert one.settings.guideline.names == ("greet", "leave")
    assert report["counts"]["kept"] == 2
    assert said(one) == [("mine/7", "file", '["greet"]'), ("mine/8", "file", '["leave"]')]


@pytest.mark.parametrize("name", ["t.tsv", "t.txt.gz"])
def test_a_tsv_without_a_header_loses_no_first_row(tmp_path: Path, name: str) -> None:
    content = "好看的电影\t正面\n难看的电影\t负面\n非常好看\t正面\n".encode()
    one, report = looked(tmp_path, name, gzip.compress(content) if name.endswith("gz") else content, "classification")
    assert report["counts"]["kept"] == 3
    assert one.settings.guideline.names == ("正面", "负面")


def test_labels_that_other_formats_would_bend(tmp_path: Path) -> None:
    """TOML and JSON must hand back `no`, `on` and `010` as they stand."""
    one, _ = looked(tmp_path, "t.csv", csv("text,label", ["a b,no", "c d,on", "e f,010"]), "classification")
    assert one.settings.guideline.names == ("010", "no", "on")
    assert {answer for *_, answer in said(one)} == {'["010"]', '["no"]', '["on"]'}


@pytest.mark.parametrize("labels", [["joy,fear", "joy", "fear"], [["joy", "fear"], ["joy"], ["fear"]]])
def test_several_labels_a_row(tmp_path: Path, labels: list[Any]) -> None:
    records = [{"text": f"text {at}", "labels": label} for at, label in enumerate(labels)]
    one, _ = looked(tmp_path, "t.jsonl", jsonl(records), "classification")
    assert one.settings.guideline.multiple
    assert one.settings.guideline.names == ("fear", "joy")
    assert '["fear","joy"]' in {answer for *_, answer in said(one)}


def test_an_id_that_repeats_is_no_id(tmp_path: Path) -> None:
    one, report = looked(tmp_path, "t.csv", csv("id,text,label", ["1,a,x", "1,b,y"]), "classification")
    assert report["counts"]["kept"] == 2
    assert "id" not in one.settings.ingest.source[0].columns


@pytest.mark.parametrize("name", ["t.conll", "t.bio", "t.txt"])
def test_conll(tmp_path: Path, name: str) -> None:
    one, report = looked(tmp_path, name, CONLL, "tagging")
    assert one.settings.guideline.names == ("LOC", "PER")
    assert report["counts"]["kept"] == 2
    assert [row["text"] for row in table(one, "ingest")] == ["Anna lives in Rome", "She left Rome"]


def test_spans_of_several_annotators(tmp_path: Path) -> None:
    spans = [{"annotator": "ana", "spans": [[0, 4, "PER"]]}, {"annotator": "ben", "spans": []}]
    one, _ = looked(tmp_path, "t.jsonl", jsonl([{"text": "Anna left", "annotations": spans}]), "tagging")
    assert [(who, answer) for _, who, answer in said(one)] == [("ana", '[[0,4,"PER"]]'), ("ben", "[]")]


@pytest.mark.parametrize(
    ("record", "format"),
    [
        ({"messages": TURNS}, "messages"),
        ({"conversations": [{"from": "human", "value": "hi you"}, {"from": "gpt", "value": "hi"}]}, "sharegpt"),
        ({"instruction": "say hi", "input": "", "output": "hi"}, "alpaca"),
    ],
)
def test_chats(tmp_path: Path, record: dict[str, Any], format: str) -> None:
    for name, content in (("t.jsonl", jsonl([record])), ("t.json", json.dumps([record]))):
        folder = tmp_path / name
        folder.mkdir()
        one, report = looked(folder, name, content, "chat")
        assert one.settings.ingest.source[0].format == format
        assert report["counts"]["kept"] == 1


def test_a_spreadsheet_of_europe(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + "Text;Kategorie\r\nschön, aber teuer;gut\r\nkaputt;schlecht\r\n".encode()
    one, report = looked(tmp_path, "t.csv", content, "classification")
    assert report["counts"]["kept"] == 2
    assert one.settings.guideline.names == ("gut", "schlecht")


def test_wide_annotators_are_not_taken_for_one_truth(tmp_path: Path) -> None:
    rows = [
        f"{at},text {at},{'x' if at % 2 else 'y'},{'x' if at % 3 else 'y'},{'y' if at % 5 else 'x'}" for at in range(9)
    ]
    one, _ = looked(tmp_path, "t.csv", csv("id,text,ann_1,ann_2,ann_3", rows), "classification")
    assert {who for _, who, _ in said(one)} == {"ann_1", "ann_2", "ann_3"}
    assert len(said(one)) == 27


def test_a_task_that_the_file_does_not_hold(tmp_path: Path) -> None:
    table, odd = tmp_path / "t.csv", tmp_path / "t.jsonl"
    table.write_text(csv("text,label", ["a,x", "b,y"]))
    odd.write_text(jsonl([{"text": "a", "label": "x"}]))
    for file, task, message in (
        (table, "chat", "csv holds no dialogues"),
        (odd, "tagging", "the field 'label' holds no spans but 'x'"),
        (tmp_path, "classification", "is a folder"),
    ):
        with pytest.raises(AssayError, match=message):
            scaffold.new("mine", task=task, source=file, data=tmp_path / "data")


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    source = tmp_path / "t.csv"
    source.write_text(csv("text,label", ["a,x"]))
    other = tmp_path / "t.xlsx"
    other.write_bytes(b"PK")
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    for name, task, file, message in (
        ("mine", "classification", tmp_path / "none.csv", "no such file"),
        ("mine", "clasification", source, "did you mean 'classification'"),
        ("mine", "classification", other, r"no format for the ending '\.xlsx'"),
        ("mine", "classification", empty, "nothing could be read as csv: "),
        ("../mine", "classification", source, "holds more than letters"),
        ("build", "classification", source, "a folder of Assay's own"),
    ):
        with pytest.raises(AssayError, match=message):
            scaffold.new(name, task=task, source=file, data=tmp_path / "data")
    scaffold.new("mine", task="classification", source=source, data=tmp_path / "data")
    with pytest.raises(AssayError, match="is there already"):
        scaffold.new("mine", task="classification", source=source, data=tmp_path / "data")
