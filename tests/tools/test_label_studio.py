"""What is sent to Label Studio, and its exports as its page and its converter write them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.fetch import RawFile
from pipeline.readers.record import Broken, ReadOptions, Record
from pipeline.settings import Label
from pipeline.tools.item import Item, Project
from pipeline.tools.label_studio import TASKS, config, instructions, read, task, write

PIECES = [
    "a",
    " ",
    "🙂",
    "👍🏽",
    "e\u0301",
    "北京，",
    "<b>",
    "&amp;",
    "\"'",
    "$x",
    "\\n",
    "\t",
    "\r\n",
    "\r",
    "\n",
    "**",
    "=1+1",
    "@",
]
TEXTS = (
    st.lists(st.sampled_from(PIECES) | st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
    .map("".join)
    .filter(lambda text: bool(text.strip()))
)
NAMES = ("PER", "地点", "$cash", 'a "<b>" & c')


def project(**more: Any) -> Project:
    labels = tuple(Label(name=name, definition=f"what <{name}> is") for name in NAMES)
    return Project(**{"name": "round 1", "kind": "spans", "labels": labels} | more)


def read_bytes(content: bytes, folder: Path, name: str = "export.json", **options: Any) -> list[Record | Broken]:
    path = folder / name
    path.write_bytes(content)
    return list(read(RawFile(name, path), ReadOptions(**options)))


def records(value: Any, folder: Path) -> list[Record]:
    found = read_bytes(json.dumps(value).encode(), folder)
    assert all(isinstance(one, Record) for one in found), found
    return [one for one in found if isinstance(one, Record)]


def only(value: Any, folder: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The only annotation of the only record, without who, when and how long; and the record's notes."""
    [record] = records([value], folder)
    [entry] = record.fields["annotations"]
    return {name: said for name, said in entry.items() if name not in ("annotator", "time", "seconds")}, record.notes


def page(start: int, end: int, text: str, label: str, id: str = "r", *, stored: str = "") -> dict[str, Any]:
    """A mark as the page of Label Studio stores it."""
    shown = stored or text[start:end].replace("\r", "\\n").replace("\n", "\\n")
    value = {"start": start, "end": end, "text": shown, "labels": [label]}
    return {"id": id, "from_name": "assay_spans", "to_name": "text", "type": "labels", "value": value}


def annotated(sent: dict[str, Any], results: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    about = {"completed_by": {"id": 3, "email": "a@x.org"}, "updated_at": "2026-11-24T15:00:00.5Z", "lead_time": 2.5}
    return {"id": 7, "data": sent["data"], "annotations": [{"id": 1, "result": results, **about, **more}]}


def minimal(whole: dict[str, Any]) -> dict[str, Any]:
    """A row of JSON_MIN, as Label Studio's converter makes it of an annotation."""
    [annotation] = whole["annotations"]
    columns: dict[str, Any] = {}
    for one in annotation["result"]:
        if "from_name" in one:
            value = one["value"]
            single = value.get("choices", value.get("text")) if one["type"] in ("choices", "textarea") else None
            plain = single[0] if isinstance(single, list) and len(single) == 1 else value
            columns.setdefault(one["from_name"], []).append((one["type"], plain))
    for name, cells in columns.items():
        values = [value for _, value in cells]
        columns[name] = values[0] if len(values) == 1 and cells[-1][0] in ("choices", "textarea") else values
    about = {"annotator": "a@x.org", "annotation_id": 1, "lead_time": 2.5, "updated_at": annotation["updated_at"]}
    return {**whole["data"], "id": whole["id"], **columns, **about}


def table(rows: list[dict[str, Any]], delimiter: str) -> bytes:
    """CSV or TSV as Label Studio's converter writes it."""
    out = io.StringIO(newline="")
    names = sorted({name for row in rows for name in row})
    writer = csv.DictWriter(out, names, quoting=csv.QUOTE_NONNUMERIC, delimiter=delimiter)
    writer.writeheader()
    for row in rows:
        cells = {
            name: value
            if isinstance(value, str | int | float) or value is None
            else json.dumps(value, ensure_ascii=False)
            for name, value in row.items()
        }
        writer.writerow(cells)
    return out.getvalue().encode()


# -- both ways


@st.composite
def marked(draw: st.DrawFn) -> tuple[str, list[list[Any]]]:
    text = draw(TEXTS)
    ends = st.integers(0, len(text))
    pairs = draw(st.lists(st.tuples(ends, ends, st.sampled_from(NAMES)), max_size=4))
    return text, [[min(a, b), max(a, b), label] for a, b, label in pairs if a != b]


@given(marked())
def test_suggestions_that_a_person_submits_as_they_are_come_back_equal(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[str, list[list[Any]]]
) -> None:
    text, spans = drawn
    folder = tmp_path_factory.mktemp("ls")
    write(project(), [Item("row 1", text, answer=spans, confidence=0.5)], folder)
    [sent] = json.loads((folder / "tasks.json").read_bytes())
    assert sent["data"]["text"] == text
    [record] = records([annotated(sent, sent["predictions"][0]["result"])], folder)
    assert (record.fields["id"], record.fields["text"]) == ("row 1", text)
    [entry] = record.fields["annotations"]
    assert [[one["start"], one["end"], one["label"]] for one in entry["spans"]] == spans
    assert (entry["annotator"], entry["seconds"]) == ("a@x.org", 2.5)


@given(marked(), st.sampled_from(["json", "min", "csv", "tsv", "jsonl"]))
def test_marks_of_the_page_come_back_from_every_export(
    tmp_path_factory: pytest.TempPathFactory, drawn: tuple[str, list[list[Any]]], format: str
) -> None:
    text, spans = drawn
    sent = task(project(), Item("row 1", text))
    whole = annotated(sent, [page(start, end, text, label) for start, end, label in spans])
    content = {
        "json": lambda: json.dumps([whole], ensure_ascii=False).encode(),
        "jsonl": lambda: json.dumps(whole).encode() + b"\n",
        "min": lambda: json.dumps([minimal(whole)], indent=2, ensure_ascii=False).encode(),
        "csv": lambda: table([minimal(whole)], ","),
        "tsv": lambda: table([minimal(whole)], "\t"),
    }[format]()
    [record] = read_bytes(content, tmp_path_factory.mktemp("ls"), "export")
    assert isinstance(record, Record)
    assert (record.fields["id"], record.fields["text"]) == ("row 1", text)
    assert record.fields["annotations"] == [
        {
            "annotator": "a@x.org",
            "time": "2026-11-24T15:00:00.5Z",
            "seconds": 2.5,
            "spans": [{"start": start, "end": end, "label": label} for start, end, label in spans],
        }
    ]


@pytest.mark.parametrize("format", ["json", "min", "csv"])
@pytest.mark.parametrize(
    ("asked", "answer", "told"),
    [
        ({"kind": "labels"}, ["地点"], {"labels": ["地点"]}),
        ({"kind": "labels", "multiple": True}, ["$cash", "PER"], {"labels": ["$cash", "PER"]}),
        ({"kind": "rating", "low": 1, "high": 5}, 4, {"rating": 4}),
        ({"kind": "rating", "low": 0, "high": 1}, 0.25, {"rating": 0.25}),
        ({"kind": "text"}, '[{"labels": 1}]\r\n🙂 <b>', {"reply": '[{"labels": 1}]\r\n🙂 <b>'}),
        ({"kind": "text"}, '{"text": ["x"]', {"reply": '{"text": ["x"]'}),
    ],
)
def test_every_other_kind_comes_back(
    tmp_path: Path, asked: dict[str, Any], answer: Any, told: dict[str, Any], format: str
) -> None:
    sent = task(project(**asked), Item("1", "two\r\nlines", answer=answer))
    whole = annotated(sent, sent["predictions"][0]["result"])
    row = minimal(whole)
    content = {"json": json.dumps([whole]).encode(), "min": json.dumps([row]).encode(), "csv": table([row], ",")}
    [record] = read_bytes(content[format], tmp_path)
    assert isinstance(record, Record)
    assert record.fields["annotations"][0].items() >= told.items()


def test_relations_come_back_with_the_marks_they_join(tmp_path: Path) -> None:
    entities = ((0, 3, "PER"), (7, 9, "地点"))
    asked = project(kind="relations", labels=(Label(name="lives in"),), entity_labels=("PER", "地点"))
    item = Item("1", "Ann in 北京", answer=[[1, 0, "lives in"]], entities=entities)
    sent = task(asked, item)
    whole = annotated(sent, sent["predictions"][0]["result"])
    spans = [{"start": start, "end": end, "label": label} for start, end, label in entities]
    relations = [{"head": 1, "tail": 0, "label": "lives in"}]
    assert only(whole, tmp_path)[0] == {"spans": spans, "relations": relations}
    assert only(minimal(whole), tmp_path)[0] == {
        "problem": "unanswered: this export carries no relations: export JSON from Label Studio"
    }


@pytest.mark.parametrize(
    ("direction", "pairs"), [("right", [(0, 1)]), ("left", [(1, 0)]), ("bi", [(0, 1), (1, 0)]), (None, [(0, 1)])]
)
def test_a_relation_goes_the_way_it_was_drawn(tmp_path: Path, direction: Any, pairs: list[tuple[int, int]]) -> None:
    marks = [page(0, 1, "a b", "PER", "x"), page(2, 3, "a b", "PER", "y")]
    drawn = {"type": "relation", "from_id": "x", "to_id": "y", "direction": direction, "labels": ["of"]}
    said, _ = only(annotated({"data": {"text": "a b"}}, [*marks, drawn]), tmp_path)
    assert [(one["head"], one["tail"]) for one in said["relations"]] == pairs


# -- places


def test_line_ends_that_the_page_spelled_out_are_no_other_words(tmp_path: Path) -> None:
    text = "one\r\ntwo\\n"
    mark = page(0, len(text), text, "PER")
    assert mark["value"]["text"] == "one\\n\\ntwo\\n"
    assert only(annotated({"data": {"text": text}}, [mark]), tmp_path)[0]["spans"][0]["end"] == len(text)


def test_places_in_utf_16_units_of_old_versions_are_converted_and_told(tmp_path: Path) -> None:
    text = "🙂🙂 Ann sees Bob"
    marks = [page(5, 8, text, "PER", stored="Ann"), page(14, 17, text, "PER", stored="Bob")]
    said, notes = only(annotated({"data": {"text": text}}, marks), tmp_path)
    assert [text[one["start"] : one["end"]] for one in said["spans"]] == ["Ann", "Bob"]
    assert notes == ("places counted in UTF-16 units, converted to characters",)


def test_one_way_of_counting_holds_for_all_marks_of_an_annotation(tmp_path: Path) -> None:
    """The first mark fits both ways ("a" stands everywhere): the second one settles it."""
    text = "🙂 aaaa Bob"
    marks = [page(4, 5, text, "PER", stored="a"), page(8, 11, text, "PER", stored="Bob")]
    said, _ = only(annotated({"data": {"text": text}}, marks), tmp_path)
    assert [(one["start"], one["end"]) for one in said["spans"]] == [(3, 4), (7, 10)]


def test_line_ends_counted_as_one_are_converted(tmp_path: Path) -> None:
    text = "one\r\ntwo\r\nBob"
    said, notes = only(annotated({"data": {"text": text}}, [page(8, 11, text, "PER", stored="Bob")]), tmp_path)
    assert [text[one["start"] : one["end"]] for one in said["spans"]] == ["Bob"]
    assert notes == ("places counted with CR LF as one character, converted",)


@pytest.mark.parametrize(
    ("mark", "problem"),
    [
        ({"start": 0, "end": 3, "text": "Bob"}, "span_surface: 0:3 is 'Ann' and not 'Bob'"),
        ({"start": 2, "end": 30, "text": "n"}, "span_out_of_text: 2:30 of 8 characters"),
        ({"start": 2, "end": 2, "text": ""}, "span_out_of_text: 2:2 of 8 characters"),
        ({"start": -3, "end": -1, "text": "Bo"}, "span_out_of_text: -3:-1 of 8 characters"),
        (
            {"start": "/p[1]/text()[1]", "end": "/p[1]/text()[1]"},
            "wrong_type: the places of a mark are those of a text",
        ),
        ({"start": 0, "end": 3, "labels": []}, "unknown_label: a mark without label"),
        ({"start": True, "end": 3}, "wrong_type: the places of a mark"),
    ],
)
def test_a_mark_that_does_not_fit_is_a_problem_of_its_annotation(
    tmp_path: Path, mark: dict[str, Any], problem: str
) -> None:
    text = "Ann Bob!"
    good = page(4, 7, text, "PER")
    bad = page(0, 1, text, "PER")
    bad["value"] = {"labels": ["PER"]} | mark
    said, _ = only(annotated({"data": {"text": text}}, [good, bad]), tmp_path)
    assert set(said) == {"problem"}
    assert said["problem"].startswith(problem)


# -- everybody's annotations


def test_everybody_is_heard_in_the_order_of_time_and_skips_are_told(tmp_path: Path) -> None:
    def one(who: Any, when: Any, **more: Any) -> dict[str, Any]:
        value = {"choices": ["yes"]}
        result = [{"from_name": "q", "to_name": "t", "type": "choices", "value": value}]
        return {"completed_by": who, "updated_at": when, "lead_time": 1, "result": result} | more

    given = [
        one({"id": 4, "email": "b@x.org"}, "2026-01-02T00:00:00Z"),
        one(9, "2026-01-01T00:00:00.25Z"),
        one({"id": 4, "email": "b@x.org"}, "2026-01-01T00:00:00Z", was_cancelled=True),
        one(None, "2026-01-03T00:00:00Z", lead_time=None),
    ]
    whole = {
        "id": 5,
        "data": {"text": "hi", "source": "web"},
        "annotations": given,
        "drafts": [{}],
        "predictions": given,
    }
    [record] = records([whole], tmp_path)
    assert record.fields["id"] == "5"
    assert record.fields["source"] == "web"
    heard = [
        (one["annotator"], one["seconds"], one.get("labels"), one.get("status")) for one in record.fields["annotations"]
    ]
    assert heard == [
        ("b@x.org", 1.0, None, "skipped"),
        ("9", 1.0, ["yes"], None),
        ("b@x.org", 1.0, ["yes"], None),
        (None, None, ["yes"], None),
    ]
    assert record.notes == ("annotations skipped: 1", "drafts left out: 1")


def test_completions_of_old_versions(tmp_path: Path) -> None:
    result = [{"from_name": "q", "type": "choices", "value": {"choices": ["yes"]}}]
    old = {"created_at": 1609789589, "created_username": " ann@x.org, 2", "result": result, "skipped": False}
    [record] = records([{"id": 1, "data": {"text": "hi"}, "completions": [old]}], tmp_path)
    assert record.fields["annotations"] == [
        {"annotator": "ann@x.org", "time": "2021-01-04T19:46:29+00:00", "seconds": None, "labels": ["yes"]}
    ]


def test_rows_of_one_task_become_one_record_in_the_order_of_time(tmp_path: Path) -> None:
    sent = task(project(kind="labels"), Item("r", "hi", answer=["PER"]))
    row = minimal(annotated(sent, sent["predictions"][0]["result"]))
    rows = [row | {"annotator": who, "updated_at": f"2026-01-0{day}T00:00:00Z"} for who, day in (("b", 3), ("a", 1))]
    other = row | {"id": 8, "assay_row": "s", "annotation_id": None, "annotator": None}
    for content in (json.dumps([*rows, other]).encode(), table([*rows, other], "\t")):
        first, second = read_bytes(content, tmp_path)
        assert isinstance(first, Record)
        assert isinstance(second, Record)
        assert [one["annotator"] for one in first.fields["annotations"]] == ["a", "b"]
        assert second.fields["annotations"] == []


def test_annotations_that_a_storage_was_synced_with(tmp_path: Path) -> None:
    result = [{"from_name": "q", "type": "choices", "value": {"choices": ["yes"]}}]
    lines = [
        {"id": at, "result": result, "completed_by": at, "task": {"id": 1, "data": {"text": "hi"}}} for at in (1, 2)
    ]
    [record] = read_bytes("\n".join(map(json.dumps, lines)).encode(), tmp_path)
    assert isinstance(record, Record)
    assert [one["annotator"] for one in record.fields["annotations"]] == ["1", "2"]


def test_an_empty_annotation_means_what_the_file_asks_for(tmp_path: Path) -> None:
    full = annotated({"data": {"text": "hi"}}, [page(0, 2, "hi", "PER")])
    empty = annotated({"data": {"text": "ho"}}, [])
    _, record = records([full, empty], tmp_path)
    assert record.fields["annotations"][0]["spans"] == []
    said, _ = only(empty, tmp_path)
    assert said == {"problem": "unanswered: it is empty, and what was asked is not told"}
    asked = task(project(), Item("1", "ho"))
    assert only(annotated(asked, []), tmp_path)[0] == {"spans": []}


# -- what is no answer


@pytest.mark.parametrize(
    ("results", "problem"),
    [
        ([{"type": "rectanglelabels", "value": {"x": 1}}], "unanswered: no answer on a text: rectanglelabels"),
        ([{"type": "hypertextlabels", "value": {"start": "/p"}}], "unanswered: no answer on a text: hypertextlabels"),
        ("x", "wrong_type: the result is no list"),
        ([3], "wrong_type: the result is no list"),
        ([{"value": {}}], "missing_field: a result without type"),
        ([{"type": "choices"}], "missing_field: a result without value"),
        ([{"type": "choices", "value": {"choices": [["a", "b"]]}}], "wrong_type: choices are a list of labels"),
        ([{"type": "rating", "value": {"rating": "5"}}], "wrong_type: a rating is a number"),
        ([{"type": "textarea", "value": {"text": [1]}}], "wrong_type: a written answer is text"),
        (
            [{"type": "choices", "from_name": name, "value": {"choices": ["a"]}} for name in ("tone", "topic")],
            "answer_ambiguous: answers to several questions (tone, topic)",
        ),
        (
            [page(0, 1, "hi", "PER", "x"), {"type": "relation", "from_id": "x", "to_id": "z", "labels": ["of"]}],
            "unknown_entity: a relation of a mark that is not there",
        ),
        (
            [page(0, 1, "hi", "PER", "x"), {"type": "relation", "from_id": "x", "to_id": "x", "labels": []}],
            "unknown_label: a relation that says no kind",
        ),
    ],
)
def test_what_cannot_be_an_answer_is_a_problem(tmp_path: Path, results: Any, problem: str) -> None:
    said, _ = only(annotated({"data": {"text": "hi"}}, results), tmp_path)
    assert set(said) == {"problem"}
    assert said["problem"].startswith(problem)


def test_what_is_said_of_a_mark_is_left_out_and_told(tmp_path: Path) -> None:
    mark = page(0, 2, "hi", "PER", "x")
    sure = {"id": "x", "from_name": "sure", "type": "choices", "value": mark["value"] | {"choices": ["very"]}}
    said, notes = only(annotated({"data": {"text": "hi"}}, [mark, sure]), tmp_path)
    assert said == {"spans": [{"start": 0, "end": 2, "label": "PER"}]}
    assert notes == ("left out beside the answer: choices",)


@pytest.mark.parametrize(
    ("element", "evidence"),
    [
        ({"id": 1, "data": {"image": "https://x.org/a.png"}, "annotations": []}, "no text, only 'image'"),
        ({"id": 1, "data": {"a": "one", "b": "two"}, "annotations": []}, "which of a, b people read is not told"),
        ({"id": 1, "data": "x", "annotations": []}, "neither a task nor an annotation"),
        ({"id": 1, "data": {"text": "x"}, "annotations": {}}, "annotations are a list"),
        ({"result": [], "task": 5}, "neither a task nor an annotation"),
    ],
)
def test_what_is_no_task_with_a_text_is_broken(tmp_path: Path, element: Any, evidence: str) -> None:
    [one] = read_bytes(json.dumps([element]).encode(), tmp_path)
    assert isinstance(one, Broken)
    assert (one.place, one.reason) == ("export.json:1", "wrong_columns")
    assert evidence in one.evidence


def test_the_text_is_the_field_that_holds_what_was_marked(tmp_path: Path) -> None:
    data = {"title": "News", "body": "Ann went", "link": "https://x.org/1"}
    [record] = records([annotated({"data": data}, [page(0, 3, "Ann went", "PER")])], tmp_path)
    assert (record.fields["text"], record.fields["title"]) == ("Ann went", "News")


@pytest.mark.parametrize("content", [b"<View/>", b"\xff\xd8\xff\xe0", b"a,b\n1,2\n", b"x", b'"annotator"\t"id"\n'])
def test_a_file_that_is_no_export_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(AssayError, match="is no export of Label Studio"):
        read_bytes(content, tmp_path)


def test_rows_of_other_widths_and_other_encodings_are_broken(tmp_path: Path) -> None:
    head = b'"annotation_id","annotator","assay_asked","assay_labels","id","text"\r\n'
    rows = [b'1,"a","labels","PER",1,"hi"\r\n', b'1,"a"\r\n', b'2,"a","labels","PER",2,"h\xffi"\r\n']
    good, short, bad = read_bytes(head + b"".join(rows), tmp_path, encoding="utf-8")
    assert isinstance(good, Record)
    assert good.fields["annotations"][0]["labels"] == ["PER"]
    assert isinstance(short, Broken)
    assert (short.place, short.reason) == ("export.json:3", "wrong_columns")
    assert isinstance(bad, Broken)
    assert bad.reason == "invalid_encoding"


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 10**20)
    | st.floats()
    | st.sampled_from(["", "hi", "labels", "relation"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "value", "start", "end", "labels", "choices", "from_id", "id"]), inner
        )
    ),
    max_leaves=12,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "id": VALUES,
            "data": VALUES | st.fixed_dictionaries({"text": st.just("hi")}, optional={"assay_asked": VALUES}),
            "annotations": st.lists(
                VALUES
                | st.fixed_dictionaries(
                    {"result": st.lists(VALUES, max_size=3)},
                    optional={
                        name: VALUES for name in ("completed_by", "updated_at", "lead_time", "was_cancelled", "skipped")
                    },
                ),
                max_size=2,
            ),
            "drafts": VALUES,
            "task": VALUES,
            "result": VALUES,
            "annotator": VALUES,
            "annotation_id": VALUES,
            "labels": VALUES,
        },
    )
)
def test_whatever_an_element_holds_it_is_read_or_broken(
    tmp_path_factory: pytest.TempPathFactory, element: dict[str, Any]
) -> None:
    content = json.dumps([element, {"id": 1, "data": {"text": "last"}}]).encode()
    found = read_bytes(content, tmp_path_factory.mktemp("ls"))
    last = found[-1]
    assert isinstance(last, Record)
    assert last.fields["text"] == "last"
    for one in found:
        if isinstance(one, Record):
            json.dumps(one.fields)
            assert all(
                entry["annotator"] is None or isinstance(entry["annotator"], str) for entry in one.fields["annotations"]
            )


# -- out


def test_the_same_items_make_the_same_bytes(tmp_path: Path) -> None:
    items = [Item("1", "🙂 Ann", answer=[[2, 5, "PER"]], reasons=("rare",)), Item("2", "x")]
    one, two = (write(project(), iter(items), tmp_path / name) for name in ("one", "two"))
    assert [path.name for path in one] == ["tasks.json", "config.xml", "instructions.html"]
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


@pytest.mark.parametrize("kind", sorted(TASKS))
def test_the_interface_names_every_label_as_it_is_stored(kind: Any) -> None:
    asked = project(kind=kind, title='<x> "$text" & y', entity_labels=NAMES, low=1, high=5)
    root = ElementTree.fromstring(config(asked))
    stored = {one.get("alias") or one.get("value") for one in root.iter() if one.tag in ("Label", "Choice", "Relation")}
    assert stored == (set(NAMES) if kind not in ("rating", "text") else set())
    shown = [one.get("value") or "" for one in root.iter() if one.tag in ("Label", "Choice", "Header", "Relation")]
    assert not [value for value in shown if "$c" in value or "$t" in value]
    assert [one.get("valueType") for one in root.iter("Text")] == ["text", "text"]
    hints = {one.get("hint") for one in root.iter() if one.tag == ("Label" if kind == "spans" else "Choice")}
    assert hints == ({f"what <{name}> is" for name in NAMES} if kind in ("spans", "labels") else set())


def test_labels_of_the_answers_stand_in_where_the_guideline_has_none(tmp_path: Path) -> None:
    write(project(labels=()), [Item("1", "ab", answer=[[0, 1, "B"], [1, 2, "A"]])], tmp_path)
    root = ElementTree.fromstring((tmp_path / "config.xml").read_text())
    assert [one.get("value") for one in root.iter("Label")] == ["A", "B"]


def test_a_blind_item_has_no_suggestion_and_no_confidence() -> None:
    sent = task(project(), Item("1", "ab", confidence=0.9))
    assert set(sent) == {"data"}
    assert sent["data"]["assay_confidence"] is None
    assert "0.9" not in json.dumps(sent)
    entities = task(project(kind="relations"), Item("1", "ab", entities=((0, 1, "PER"),), confidence=0.9))
    assert entities["predictions"][0]["score"] is None


def test_what_a_suggestion_cannot_show_is_said_in_words() -> None:
    sent = task(project(), Item("1", "ab", answer=[[0, 9, "PER"], [0, 1, "other"], [1, 2, "PER"]]))
    assert [one["value"]["start"] for one in sent["predictions"][0]["result"]] == [1]
    assert "PER at 0:9\nsuggested but not shown: other at 0:1" in sent["data"]["assay_why"]
    half = task(project(kind="rating", low=1, high=5), Item("1", "ab", answer=3.5))
    assert half["predictions"][0]["result"] == []
    assert half["data"]["assay_why"] == "suggested: 3.5"


def test_hostile_words_stay_words() -> None:
    label = Label(name="x", definition='"/><script>alert(1)</script>\x00')
    asked = project(labels=(label,), instructions="<script>alert(1)</script>\n\n<b>", title="<script>")
    assert "<script" not in config(asked)
    assert "<script" not in instructions(asked)
    with pytest.raises(AssayError, match="XML cannot hold it"):
        config(project(labels=(Label(name="a\x00"),)))


# -- real files


@pytest.mark.realdata
def test_every_published_file_is_read_or_refused_with_a_reason(real_data: Path) -> None:
    folder = real_data / "annotation_exports" / "label_studio"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert len(files) >= 25
    told: dict[str, str] = {}
    for path in files:
        try:
            found = list(read(RawFile(path.name, path), ReadOptions()))
        except AssayError as error:
            told[path.name] = error.problem
            continue
        assert found
        for one in found:
            assert isinstance(one, Broken) or one.fields["text"] in path.read_text("utf-8")
            if isinstance(one, Record):
                assert all({"labels", "problem"} & set(entry) for entry in one.fields["annotations"])
        told[path.name] = "; ".join(one.evidence for one in found if isinstance(one, Broken))
    assert told["csv_test_history.json"] == ""
    assert "no text, only 'image'" in told["data_polygons.json"]
    assert "which of " in told["csv_test2_result.csv"]
    assert "is no export" in told["img_6.jpeg"]
