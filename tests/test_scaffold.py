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


def columns_of(folder: Path, rows: list[dict[str, Any]], task: str = "classification") -> tuple[dict[str, str], str]:
    """Which field plays which part, and what is said."""
    source = folder / "t.csv"
    body = [",".join(str(value) for value in row.values()) for row in rows]
    source.write_text(csv(",".join(rows[0]), body), encoding="utf-8")
    path, notes = scaffold.new("mine", task=task, source=source, data=folder / "data")
    one = recipe.load(path)
    assert built(one, "ingest")["ingest"]["counts"]["kept"] > 0
    return one.settings.ingest.source[0].columns, "\n".join(notes)


def tickets(**more: Any) -> list[dict[str, Any]]:
    """Thirty rows: fields called as here, of which texts are called `body`, and labels `queue`."""
    rows = [{"body": f"my card number {at} did not arrive", "queue": "ab"[at % 2]} for at in range(30)]
    return [row | {name: make(at) for name, make in more.items()} for at, row in enumerate(rows)]


def called(rows: list[dict[str, Any]], **names: str) -> list[dict[str, Any]]:
    return [{names.get(name, name): value for name, value in row.items()} for row in rows]


TICKET = {
    "ticket": lambda at: f"T-{at}",
    "who": lambda at: "xy"[at % 3 == 0],
    "when": lambda at: f"2024-05-{1 + at % 9}",
}


@pytest.mark.parametrize(
    ("names", "time"),
    [
        (
            {
                "ticket": "ticket_id",
                "body": "Ticket Text",
                "queue": "sentiment",
                "who": "annotator_name",
                "when": "created_at",
            },
            "time",
        ),
        (
            {
                "ticket": "Ticket ID",
                "body": "messageBody",
                "queue": "issue-category",
                "who": "Labeler",
                "when": "Created",
            },
            "time",
        ),
        ({"ticket": "工单编号", "body": "工单内容", "queue": "问题类别", "who": "标注员", "when": "创建时间"}, "time"),
        ({"ticket": "编号", "body": "文本", "queue": "标签", "who": "标注人员", "when": "时间"}, "time"),
        ({"ticket": "uid", "body": "comment", "queue": "GoldIntent", "who": "channel", "when": "posted"}, "date"),
        (
            {"ticket": "qid", "body": "review_text", "queue": "final_label", "who": "agent", "when": "review_date"},
            "date",
        ),
    ],
)
def test_fields_are_known_by_usual_spellings(tmp_path: Path, names: dict[str, str], time: str) -> None:
    found, notes = columns_of(tmp_path, called(tickets(**TICKET), **names))
    wanted = {"text": names["body"], "label": names["queue"], "id": names["ticket"], time: names["when"]}
    assert found == (wanted | {"annotator": names["who"]} if time == "time" else wanted)
    assert ("not used" in notes) == (time == "date")


def test_every_field_is_accounted_for(tmp_path: Path) -> None:
    rows = called(tickets(**TICKET, source=lambda at: "forum", note=lambda at: at), who="agent")
    found, notes = columns_of(tmp_path, called(rows, ticket="ticket_id", when="created", queue="category"))
    assert found == {"text": "body", "label": "category", "id": "ticket_id", "date": "created"}
    assert "used: 'body' as text, 'category' as label, 'ticket_id' as id, 'created' as date" in notes
    assert "not used: 'agent' (if it says who labelled a row, make it the annotator), 'source' (files of" in notes
    assert notes.endswith("'note'")


@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        ("ticket_id", lambda at: at // 2, "it repeats or is missing"),
        ("created", lambda at: f"{at} days ago", "no dates that can be read, such as '0 days ago'"),
        ("response_time", lambda at: at, "no dates that can be read, such as '0'"),
        ("fold", lambda at: at % 5, "no names of splits, such as '0'"),
        ("sentiment", lambda at: f"s{at}", "too many different values for a label"),
        ("sentiment", lambda at: at % 3, "could be the label as well as 'category'"),
        ("subject", lambda at: f"number {at} did not arrive", "could be the text as well as 'body'"),
        ("message", lambda at: f"no {at}", "could be the text as well as 'body'"),
        ("message_count", lambda at: at, "'message_count'"),
        ("content_type", lambda at: "mail", "'content_type'"),
        ("user_id", lambda at: at, "if it says who labelled a row"),
        ("comment_id", lambda at: at % 3, "it repeats"),
    ],
)
def test_a_name_is_not_believed_against_what_stands_there(tmp_path: Path, name: str, make: Any, said: str) -> None:
    found, notes = columns_of(tmp_path, called(tickets(**{name: make}), queue="category"))
    assert found == {"text": "body", "label": "category"}
    assert f"not used: '{name}'" in notes
    assert said in notes


def test_moments_as_numbers_are_dates(tmp_path: Path) -> None:
    rows = tickets(createdAt=lambda at: 1714521600 + at, day=lambda at: at)
    assert columns_of(tmp_path, called(rows, queue="label"))[0]["date"] == "createdAt"


def test_an_id_of_documents_is_the_id_where_each_has_one_row_else_the_group(tmp_path: Path) -> None:
    for each, part in ((1, "id"), (3, "group")):
        folder = tmp_path / part
        folder.mkdir()
        rows = called(tickets(doc_id=lambda at, each=each: at // each), queue="label")
        assert columns_of(folder, rows)[0] == {"text": "body", "label": "label", part: "doc_id"}


def test_a_guess_is_called_one(tmp_path: Path) -> None:
    rows = called(tickets(agent=lambda at: "x", state=lambda at: "pqr"[at % 3], lang=lambda at: "en"), body="what")
    found, notes = columns_of(tmp_path, rows)
    assert found == {"text": "what", "label": "queue", "language": "lang"}
    assert "no column is called a text: 'what' is taken, which has most characters; that is a guess" in notes
    assert "no column is called a label: 'queue' is taken, which has fewest values; that is a guess" in notes
    assert "'state' (could be the label as well as 'queue')" in notes


def test_what_a_task_looks_for_by_itself_is_not_told_as_unused(tmp_path: Path) -> None:
    source = tmp_path / "t.jsonl"
    source.write_text(jsonl([{"messages": TURNS, "model": "m"}]), encoding="utf-8")
    _, notes = scaffold.new("mine", task="chat", source=source, data=tmp_path / "data")
    assert [note for note in notes if "used" in note] == ["not used: 'model'"]


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
