"""doccano: what goes out comes back as it was answered, and every form that it ever exported is read."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.fetch import RawFile
from pipeline.readers import Broken, ReadOptions, Record
from pipeline.tools import doccano
from pipeline.tools.item import Item, Kind
from tests.conftest import DATA
from tests.readers.memory import held
from tests.tools.asked import answered, as_answer, items, project, read_all, read_text, said, triples

if TYPE_CHECKING:
    from pathlib import Path

FIXTURES = DATA / "annotation_exports" / "doccano"


def exported(folder: Path, *, name: str = "mo.jsonl") -> Path:
    """The export of a project that was imported: metadata beside the text, answers in doccano's own order and ids."""
    lines = []
    for line in (folder / "tasks.jsonl").read_text(encoding="ascii").splitlines():
        task = json.loads(line)
        if "relations" in task:
            task["entities"] = [{**one, "id": one["id"] + 40} for one in task["entities"]]
            moved = [{**one, "from_id": one["from_id"] + 40, "to_id": one["to_id"] + 40} for one in task["relations"]]
            task["relations"] = moved
        else:
            task["label"] = sorted(task["label"])
        lines.append(json.dumps(task | {"Comments": ["was # hard"]}, ensure_ascii=False))
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return path


@settings(max_examples=60)
@given(st.data(), st.sampled_from(sorted(doccano.TASKS)))
def test_what_went_out_comes_back(data: st.DataObject, kind: Kind) -> None:
    multiple = kind == "labels" and data.draw(st.booleans())
    item = data.draw(items(kind, multiple=multiple))
    (record,) = answered(doccano, project(kind, multiple=multiple), [item], exported)
    assert (record.fields["id"], record.fields["text"]) == (item.row, item.text)
    assert record.fields["comments"] == ["was # hard"]
    entry = said(record)
    assert entry["annotator"] == "mo"
    assert "problem" not in entry
    given_ = sorted(item.answer) if kind == "labels" else item.answer
    assert as_answer(entry, kind) == given_
    if kind == "relations":
        assert triples(entry) == [list(one) for one in item.entities]
    assert (entry.get("status"), entry.get("as_suggested")) in (("blank", None), (None, True))


def test_offsets_count_utf16_units_on_both_ways(tmp_path: Path) -> None:
    doccano.write(project("spans"), [Item("a", "😀 Anna", [[2, 6, "PER"]])], tmp_path)
    task = json.loads((tmp_path / "tasks.jsonl").read_text(encoding="ascii"))
    assert task["label"] == [[3, 7, "PER"]]
    (record,) = read_text(doccano, json.dumps(task | {"label": [[3, 7, "PER"], [1, 7, "PER"]]}))
    assert triples(said(record)) == [[2, 6, "PER"]]
    assert said(record)["problem"] == "[1, 7) is no stretch of 6 characters in UTF-16 units"
    assert "offsets read as UTF-16 units" in record.notes


def test_what_doccano_needs_to_set_a_project_up(tmp_path: Path) -> None:
    made = doccano.write(project("relations", title="Who is where"), [], tmp_path)
    names = {path.name: path for path in made}
    kinds = json.loads(names["relation_config.json"].read_text(encoding="ascii"))
    assert [one["text"] for one in kinds] == ["PER", "地点", "a b", "1", "TRUE"]
    ends = json.loads(names["label_config.json"].read_text(encoding="ascii"))
    assert [(one["text"], one["suffix_key"]) for one in ends] == [("PER", "1"), ("地点", "2")]
    assert set(ends[0]) == {"text", "suffix_key", "background_color", "text_color"}
    readme = names["README.md"].read_text(encoding="utf-8")
    assert "Use relation labeling: on" in readme
    assert "Allow overlapping" not in readme


def test_overlapping_suggestions_need_a_project_that_allows_them(tmp_path: Path) -> None:
    doccano.write(project("spans"), [Item("a", "New York", [[0, 8, "PER"], [4, 8, "PER"]])], tmp_path)
    assert "Allow overlapping spans: on" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_every_line_has_the_same_keys_and_the_bytes_repeat(tmp_path: Path) -> None:
    sent = [Item("a", "x", None), Item("b", "y", ["PER"], 0.5, reasons=("why",), about={"k": "v"})]
    first = [path.read_bytes() for path in doccano.write(project("labels"), sent, tmp_path / "1")]
    assert first == [path.read_bytes() for path in doccano.write(project("labels"), sent, tmp_path / "2")]
    lines = [json.loads(line) for line in first[0].splitlines()]
    assert set(lines[0]) == set(lines[1])
    assert lines[0]["suggested"] == ""


@pytest.mark.parametrize(
    ("asked", "sent", "problem"),
    [
        (project("rating"), [], "asks for no rating"),
        (project("spans"), [Item("a", " \n")], "the text is empty"),
    ],
)
def test_what_doccano_cannot_take_is_refused(tmp_path: Path, asked: Any, sent: list[Item], problem: str) -> None:
    with pytest.raises(AssayError, match=problem):
        doccano.write(asked, sent, tmp_path)


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ({"label": [[0, 2, "ORG"]]}, {"spans": [{"start": 0, "end": 2, "label": "ORG"}]}),
        ({"labels": [[0, 2, "ORG"]]}, {"spans": [{"start": 0, "end": 2, "label": "ORG"}]}),
        ({"label": ["a", "b"]}, {"labels": ["a", "b"]}),
        ({"label": ["a"]}, {"labels": ["a"], "reply": "a"}),
        ({"label": "a"}, {"labels": ["a"], "reply": "a"}),
        ({"label": [], "asked": "spans"}, {"status": "blank", "spans": []}),
        ({"label": [], "asked": "labels"}, {"status": "blank", "labels": []}),
        ({"label": []}, {"labels": [], "spans": []}),
        ({"label": ["x"], "asked": "text"}, {"reply": "x"}),
        ({"label": ["x", "y"], "asked": "text"}, {"problem": "2 texts, and one was asked for"}),
        (
            {"entities": [[0, 2, "ORG"]], "cats": ["c"]},
            {"spans": [{"start": 0, "end": 2, "label": "ORG"}], "labels": ["c"]},
        ),
        ({"label": [{"x": 1}]}, {"spans": [], "problem": "no span: {'x': 1}"}),
        ({"label": [1.5]}, {"problem": "neither labels nor spans: [1.5]"}),
    ],
)
def test_forms_of_answers(line: dict[str, Any], answer: dict[str, Any]) -> None:
    (record,) = read_text(doccano, json.dumps({"text": "EU rejects", **line}), "all.jsonl")
    assert said(record) == {"annotator": None, "time": None, "seconds": None, **answer}


def test_nothing_comes_of_a_text_that_nobody_wrote() -> None:
    (record,) = read_text(doccano, '{"text": "x", "label": [], "asked": "text"}')
    assert record.fields["annotations"] == []
    assert record.notes == ("nothing is marked: doccano does not tell whether anybody looked",)


def test_relations_whose_ends_are_gone_are_told() -> None:
    entities = [{"id": 7, "start_offset": 0, "end_offset": 2, "label": "A"}]
    line = {"text": "ab", "entities": entities, "relations": [{"id": 1, "from_id": 7, "to_id": 8, "type": "r"}]}
    entry = said(*read_text(doccano, json.dumps(line)))
    assert (entry["relations"], entry["problem"]) == ([], "1 relations without their ends")


def test_the_form_of_doccano_1_names_every_person() -> None:
    spans = [{"label": 2, "start_offset": 0, "end_offset": 2, "user": user, "created_at": f"2020-01-0{user}T00:00:00Z"}
             for user in (1, 3)]  # fmt: skip
    (record,) = read_text(doccano, json.dumps({"id": 5, "text": "EU", "meta": {"source": "s"}, "annotations": spans}))
    assert record.fields["id"] == "5"
    assert record.fields["source"] == "s"
    told = [(one["annotator"], one["time"], triples(one)) for one in record.fields["annotations"]]
    assert told == [("1", "2020-01-01T00:00:00Z", [[0, 2, "2"]]), ("3", "2020-01-03T00:00:00Z", [[0, 2, "2"]])]


def test_csv_and_fasttext_of_a_classification_project() -> None:
    (one, two) = read_text(doccano, 'id,text,label,Comments,row_id\n3,"a, ""b""\nc",x#y,,r/1\n4,d,,hm,r/2\n', "jo.csv")
    assert (one.fields["id"], one.fields["text"]) == ("r/1", 'a, "b"\nc')
    assert (said(one)["annotator"], said(one)["labels"]) == ("jo", ["x", "y"])
    assert (said(two)["labels"], two.fields["comments"]) == ([], ["hm"])
    lines = '__label__a __label__b text one \n"__label__a with ""quotes"", and __label__ in it __comment__why? "\n'
    (one, two) = read_text(doccano, lines, "mo.txt")
    assert (said(one)["labels"], one.fields["text"]) == (["a", "b"], "text one")
    assert two.fields["text"] == 'with "quotes", and __label__ in it'
    assert two.fields["comments"] == ["why? "]


def test_unlabelled_lines_of_fasttext_count_only_where_others_are_labelled() -> None:
    (_, two) = read_text(doccano, "__label__a x\n y \n", "mo.txt")
    assert (two.fields["text"], said(two)["labels"]) == ("y", [])
    with pytest.raises(AssayError, match="no doccano export"):
        read_text(doccano, "x\ny\n", "mo.txt")


def zipped(files: dict[str, list[dict[str, Any]]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, lines in files.items():
            archive.writestr(name, "".join(json.dumps(line) + "\n" for line in lines))
    return out.getvalue()


def test_a_zip_of_one_file_for_each_person_is_one_record_for_each_text(tmp_path: Path) -> None:
    files = {
        who: [{"id": row, "text": f"text {row}", "label": [label], "asked": "labels"} for row, label in said_]
        for who, said_ in (("mo.jsonl", [("1", "a"), ("2", "b")]), ("jo li.jsonl", [("2", "c"), ("3", "d")]))
    }
    (tmp_path / "export.zip").write_bytes(zipped(files))
    found = {record.fields["id"]: record for record in read_all(doccano, tmp_path / "export.zip")}
    told = {
        row: [(one["annotator"], one["labels"]) for one in record.fields["annotations"]]
        for row, record in found.items()
    }
    assert told == {"1": [("mo", ["a"])], "2": [("jo li", ["c"]), ("mo", ["b"])], "3": [("jo li", ["d"])]}
    assert found["2"].place == "export.zip!jo li.jsonl:1"
    assert "2 records of this text are joined" in found["2"].notes


def test_an_archive_that_leads_out_of_its_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"../mo.jsonl": [{"text": "x", "label": []}]}))
    with pytest.raises(AssayError, match="leads out of the archive"):
        read_all(doccano, tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("content", "evidence"),
    [
        ('{"text": "", "label": []}', "'text': no text"),
        ('{"label": []}', "no 'text' among label"),
        ('{"text": 3, "label": []}', "'text': int, not text"),
        ('{"text": "x"}', "no answer"),
        ('{"filename": "a.png", "label": []}', "an image or a sound"),
        ('{"text": "x", "annotations": [3]}', "'annotations' is no list of objects"),
        ("what?", "not JSON"),
    ],
)
def test_what_cannot_be_read_says_why(content: str, evidence: str) -> None:
    (found,) = doccano.read(held(content, "f.jsonl"), ReadOptions())
    assert isinstance(found, Broken)
    assert evidence in found.evidence
    assert found.place == "f.jsonl:1"


def test_a_workbook_is_refused_with_the_way_out() -> None:
    with pytest.raises(AssayError, match="save it as CSV"):
        list(doccano.read(held(b"PK", "a.xlsx"), ReadOptions()))


@pytest.mark.realdata
@pytest.mark.skipif(not FIXTURES.is_dir(), reason="no real data: set ASSAY_REAL_DATA to their folder")
def test_every_file_of_its_own_repository_is_read_or_says_why() -> None:
    counts: Counter[str] = Counter()
    for path in sorted(FIXTURES.rglob("*.*")):
        try:
            found = list(doccano.read(RawFile(path.relative_to(FIXTURES).as_posix(), path), ReadOptions()))
        except AssayError:
            counts[f"refused {path.suffix}"] += 1
            continue
        assert found, path
        if "data_export" in path.parts and not {"bounding_box", "segmentation"} & set(path.parts):
            about_files = "filename" in path.read_text(encoding="utf-8")
            assert {isinstance(one, Broken) for one in found} == {about_files}, path
        assert all(one.evidence for one in found if isinstance(one, Broken))
        entries = [one for record in found if isinstance(record, Record) for one in record.fields["annotations"]]
        assert not [one for one in entries if "problem" in one], path
        counts["records"] += sum(isinstance(one, Record) for one in found)
        counts["broken"] += sum(isinstance(one, Broken) for one in found)
    refused = {"refused .jpeg": 1, "refused .ico": 1, "refused .xlsx": 3, "refused .conll": 3, "refused .txt": 6}
    assert counts == {"records": 64, "broken": 47, **refused}
