"""Ingest: every layout that annotations come in, small; and every record kept, joined or rejected once."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from pipeline import store
from pipeline.engine import Engine
from pipeline.errors import AssayError
from pipeline.ingest import chunked
from tests.small import CSV, LABELS, adds_up, built, contents, csv, jsonl, made, rejected, said, table

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

GOOD, BAD = '["good"]', '["bad"]'


def toml(format: str, *, file: str = "rows", task: str = "classification", labels: str = "", **more: Any) -> str:
    """A recipe with one source; `more` are its settings, already as TOML."""
    settings = "\n".join(f"{name} = {value}" for name, value in more.items())
    source = f'[[ingest.source]]\nname = "s"\nfiles = ["{file}"]\nformat = "{format}"\n{settings}\n'
    return f'task = "{task}"\n{labels}\n{source}'


def ingested(folder: Path, recipe: str, content: str | bytes, **files: str | bytes) -> tuple[Recipe, dict[str, Any]]:
    one = made(folder, recipe, {"rows": content, **files})
    report = built(one, "ingest")["ingest"]
    assert adds_up(report)
    return one, report["counts"]


def ids(one: Recipe) -> list[str]:
    return [row["id"] for row in table(one, "ingest")]


def told(one: Recipe) -> dict[str, Any]:
    """What the report of ingest says beside its counts."""
    report = store.read_report(one.build / "ingest")
    assert report is not None
    return dict(report["details"])


# -- ids


def test_own_ids_places_and_languages(tmp_path: Path) -> None:
    one, _ = ingested(
        tmp_path, CSV.replace("rows.csv", "rows"), csv("id,text,label", ["7,hello there,good", "b,你好,bad"])
    )
    first, second = table(one, "ingest")
    assert (first["id"], first["source"], first["group"], first["split"]) == ("s/7", "rows:2", "s/7", None)
    assert (second["id"], second["source"], second["language"], second["weight"]) == ("s/b", "rows:3", "zh", 1.0)
    assert (first["also_at"], first["parents"], first["made_by"], first["confidence"]) == ([], [], None, None)
    assert said(one) == [("s/7", "file", GOOD), ("s/b", "file", BAD)]


def test_duplicate_ids_and_repeated_records(tmp_path: Path) -> None:
    lines = ["1,aa,good", "1,aa,good", "1,other,bad", "2,aa,good", "1,aa,good"]
    one, counts = ingested(tmp_path, CSV.replace("rows.csv", "rows"), csv("id,text,label", lines))
    assert ids(one) == ["s/1", "s/2"]
    assert counts["reasons"] == {"duplicate_id": 1, "repeated_record": 2}
    assert told(one)["sources"] == {"s": {"annotations": 2, "records": 5, "rows": 2}}
    assert rejected(one, "ingest") == [
        ("record:rows:3", "repeated_record"), ("record:rows:4", "duplicate_id"), ("record:rows:6", "repeated_record"),
    ]  # fmt: skip
    assert len(said(one)) == 2


def test_without_ids_repeats_stay_apart_and_ids_come_from_content(tmp_path: Path) -> None:
    recipe = toml("csv")
    one, counts = ingested(
        tmp_path / "a", recipe, csv("text,label", ["same,good", "other,bad", "same,good", "same,bad"])
    )
    first, other, again, third = ids(one)
    assert (again, third) == (f"{first}-2", f"{first}-3")
    assert counts["kept"] == 4
    later, _ = ingested(tmp_path / "b", recipe, csv("text,label", ["new,bad", "other,bad", "same,good"]))
    assert ids(later)[1:] == [other, first]
    assert [row["group"] for row in table(one, "ingest")] == ids(one)


def test_a_blank_id_is_a_missing_field(tmp_path: Path) -> None:
    one, _ = ingested(tmp_path, CSV.replace("rows.csv", "rows"), csv("id,text,label", [",aa,good", "2,bb,bad"]))
    assert rejected(one, "ingest") == [("record:rows:2", "missing_field")]


# -- layouts of annotations


def test_wide_annotators_and_blank_cells(tmp_path: Path) -> None:
    recipe = toml("csv", columns='{ id = "id", text = "text" }', annotator_columns='["ann", "bob"]')
    one, _ = ingested(tmp_path, recipe, csv("id,text,ann,bob", ["1,aa,good,bad", "2,bb,, ", "3,cc,bad,"]))
    assert said(one) == [("s/1", "ann", GOOD), ("s/1", "bob", BAD), ("s/3", "ann", BAD)]
    assert ids(one) == ["s/1", "s/2", "s/3"]


@pytest.mark.parametrize("key", ['id = "id", ', ""])
def test_long_annotations_join_their_row(tmp_path: Path, key: str) -> None:
    recipe = toml("csv", columns=f'{{ {key}text = "text", label = "label", annotator = "who", time = "when" }}')
    lines = ["1,aa,good,ann,t1", "2,bb,bad,ann,t2", "1,aa,bad,bob,t3", "1,aa,good,ann,t1", "1,aa,good,,t4"]
    one, counts = ingested(tmp_path, recipe, csv("id,text,label,who,when", lines))
    first, second = ids(one)
    expected = [(first, "ann", GOOD), (first, "bob", BAD), (first, None, GOOD), (second, "ann", BAD)]
    assert said(one) == sorted(expected, key=repr)
    assert (counts["in"], counts["kept"], counts["joined"], counts["reasons"]) == (5, 2, 2, {"repeated_record": 1})
    assert {line["time"] for line in table(one, "ingest", "annotations")} == {"t1", "t2", "t3", "t4"}


def test_long_annotations_with_another_text_are_a_duplicate_id(tmp_path: Path) -> None:
    recipe = toml("csv", columns='{ id = "id", text = "text", label = "label", annotator = "who" }')
    one, counts = ingested(tmp_path, recipe, csv("id,text,label,who", ["1,aa,good,ann", "1,changed,bad,bob"]))
    assert counts["reasons"] == {"duplicate_id": 1}
    assert said(one) == [("s/1", "ann", GOOD)]


def test_nested_annotations(tmp_path: Path) -> None:
    record = {
        "id": 1,
        "text": "aa",
        "annotations": [
            {"annotator": "ann", "label": "good", "time": "t1", "guideline": "2"},
            {"annotator": "bob", "answer": "bad"},
            {"label": None, "annotator": "eve"},
        ],
    }
    broken = [{"id": 2, "text": "bb", "annotations": "none"}, {"id": 3, "text": "cc", "annotations": ["bad"]}]
    one, _ = ingested(tmp_path, toml("jsonl", columns='{ id = "id" }'), jsonl([record, *broken]))
    assert said(one) == [("s/1", "ann", GOOD), ("s/1", "bob", BAD)]
    assert table(one, "ingest", "annotations")[0]["guideline"] == "2"
    assert rejected(one, "ingest") == [("record:rows:2", "wrong_type"), ("record:rows:3", "wrong_type")]


def test_listed_ratings_by_the_scale_of_the_guideline(tmp_path: Path) -> None:
    recipe = toml("jsonl", labels=LABELS, columns='{ id = "id", answers = "ratings" }')
    records: list[dict[str, Any]] = [
        {"id": 1, "text": "aa", "ratings": [1, 4, -4, 2.0]},
        {"id": 2, "text": "bb", "ratings": "[-1, 0]"},
        {"id": 3, "text": "cc", "ratings": 5},
    ]
    one, _ = ingested(tmp_path, recipe, jsonl(records))
    assert [answer for row, _, answer in said(one) if row == "s/1"] == [BAD, GOOD, GOOD, GOOD]
    unread = [line for line in table(one, "ingest", "annotations") if line["answer"] is None]
    assert [(line["row"], line["given"], line["problem"]) for line in unread] == [
        ("s/2", "0", "unknown_label: '0' is no label, alias or rating of guideline 1")
    ]
    assert rejected(one, "ingest") == [("record:rows:3", "wrong_type")]


def test_aliases_and_cases(tmp_path: Path) -> None:
    lines = ["1,aa,fine", "2,bb,-", "3,cc,GOOD", "4,dd, Poor ", "5,ee,soso"]
    recipe = CSV.replace("rows.csv", "rows") + LABELS
    one, _ = ingested(tmp_path, recipe, csv("id,text,label", lines))
    assert [answer for _, _, answer in said(one)] == [GOOD, BAD, GOOD, BAD, None]
    assert [line["given"] for line in table(one, "ingest", "annotations")][:2] == ["fine", "-"]


def test_annotations_in_a_file_of_their_own(tmp_path: Path) -> None:
    recipe = (
        toml("csv", columns='{ id = "id", text = "text" }')
        + '[[ingest.annotations]]\nsource = "s"\nfiles = ["said"]\nformat = "csv"\n'
        + 'columns = { row = "row", answer = "label", annotator = "who" }\n'
    )
    answers = csv("row,label,who", ["1,good,ann", "9,bad,ann", "2,bad,bob", "1,bad,bob", ",bad,bob", "2,good"])
    one, counts = ingested(tmp_path, recipe, csv("id,text", ["1,aa", "2,bb", "3,cc"]), said=answers)
    assert said(one) == [("s/1", "ann", GOOD), ("s/1", "bob", BAD), ("s/2", "bob", BAD)]
    assert (counts["in"], counts["kept"], counts["joined"], counts["rejected"]) == (9, 3, 3, 3)
    assert rejected(one, "ingest") == [
        ("annotation:said:3", "annotation_without_row"), ("record:said:6", "missing_field"),
        ("record:said:7", "wrong_columns"),
    ]  # fmt: skip


def test_annotations_of_a_row_that_is_rejected_stay_with_it(tmp_path: Path) -> None:
    recipe = (
        toml("jsonl", columns='{ id = "id" }')
        + '[[ingest.annotations]]\nsource = "s"\nfiles = ["said"]\nformat = "jsonl"\ncolumns = { annotator = "who" }\n'
    )
    answers = jsonl([{"row": 1, "answer": "good", "who": "ann"}])
    one, counts = ingested(tmp_path, recipe, jsonl([{"id": 1, "txt": "aa"}]), said=answers)
    assert (counts["in"], counts["joined"], counts["reasons"]) == (2, 1, {"missing_field": 1})
    kept = json.loads(table(one, "ingest", "rejected")[0]["row"])
    assert kept["annotations"][0]["answer"] == "good"
    assert kept["record"] == {"id": 1, "txt": "aa"}


# -- other columns


def test_group_pattern_and_group_column(tmp_path: Path) -> None:
    content = csv("id,text,label,doc", ["7_1,aa,good,x1", "7_2,bb,bad,x2", "8_1,cc,bad,"])
    columns = '{ id = "id", group = "doc" }'
    grouped, _ = ingested(tmp_path / "a", toml("csv", columns='{ id = "id" }', group_pattern=r"'^(\d+)_'"), content)
    assert [row["group"] for row in table(grouped, "ingest")] == ["s/7", "s/7", "s/8"]
    by_column, _ = ingested(tmp_path / "b", toml("csv", columns=columns), content)
    assert [row["group"] for row in table(by_column, "ingest")] == ["s/x1", "s/x2", "s/8_1"]
    both, _ = ingested(tmp_path / "c", toml("csv", columns=columns, group_pattern="'^([a-z])'"), content)
    assert [row["group"] for row in table(both, "ingest")] == ["s/x", "s/x", "s/8_1"]


def test_split_names(tmp_path: Path) -> None:
    names = ["train", "Dev", "TEST", "", "dry run", "unheard"]
    content = csv("id,text,label,part", [f"{n},t{n},good,{name}" for n, name in enumerate(names)])
    recipe = toml("csv", columns='{ id = "id", split = "part" }', split_names='{ "dry run" = "test" }')
    one, _ = ingested(tmp_path / "a", recipe, content)
    assert [row["split"] for row in table(one, "ingest")] == ["train", "validation", "test", None, "test"]
    assert rejected(one, "ingest") == [("record:rows:7", "wrong_type")]
    assert "map it under split_names" in table(one, "ingest", "rejected")[0]["evidence"]
    fixed, _ = ingested(tmp_path / "b", toml("csv", columns='{ id = "id" }', split='"test"'), content)
    assert {row["split"] for row in table(fixed, "ingest")} == {"test"}


@pytest.mark.parametrize(
    ("weight", "stays"), [("2.5", 2.5), ("", 1.0), ("x", None), ("-1", None), ("nan", None), ("inf", None)]
)
def test_weights(tmp_path: Path, weight: str, stays: float | None) -> None:
    recipe = toml("csv", columns='{ id = "id", weight = "w" }')
    one, counts = ingested(tmp_path, recipe, csv("id,text,label,w", [f"1,aa,good,{weight}"]))
    assert [row["weight"] for row in table(one, "ingest")] == ([] if stays is None else [stays])
    assert counts["reasons"] == ({"wrong_type": 1} if stays is None else {})


def test_short_texts_take_the_expected_language(tmp_path: Path) -> None:
    lines = ["1,ok la,good", "2,好的,good"]
    recipe = '[ingest]\nlanguages = ["en"]\n' + CSV.replace("rows.csv", "rows").replace('task = "classification"', "")
    one, _ = ingested(tmp_path, 'task = "classification"\n' + recipe, csv("id,text,label", lines))
    assert next(row["language"] for row in table(one, "ingest")) == "en"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"id": 1, "label": "good"}', "missing_field"),
        ('{"id": 1, "text": null, "label": "good"}', "missing_field"),
        ('{"id": 1, "text": ["aa"], "label": "good"}', "wrong_type"),
        ('{"id": 1, "text": "aa"', "unreadable_record"),
        ("[1, 2]", "wrong_columns"),
    ],
)
def test_records_that_make_no_row(tmp_path: Path, line: str, reason: str) -> None:
    content = line + "\n" + jsonl([{"id": 2, "text": "bb", "label": "good"}])
    one, _ = ingested(tmp_path, toml("jsonl", columns='{ id = "id" }'), content)
    assert rejected(one, "ingest") == [("record:rows:1", reason)]
    assert table(one, "ingest", "rejected")[0]["row"]
    assert ids(one) == ["s/2"]


def test_bad_bytes_reject_one_record(tmp_path: Path) -> None:
    content = b"id,text,label\n1,caf\xc3\xa9 long enough to be utf-8,good\n2,\xff\xfe broken,bad\n3,cc,bad\n"
    one, _ = ingested(tmp_path, toml("csv", columns='{ id = "id" }', encoding='"utf-8"'), content)
    assert ids(one) == ["s/1", "s/3"]
    assert rejected(one, "ingest") == [("record:rows:3", "invalid_encoding")]


# -- other formats and tasks


CONLL = "-DOCSTART- O O O\n\nAnna B-PER B-PER _\nlives O O _\n. O O _\n\nRome B-LOC O B-LOC\n\nin O B-PER\n"


def test_conll_with_several_tag_columns(tmp_path: Path) -> None:
    recipe = toml("conll", task="tagging", tag_columns="[1, 2, 3]", names='["ann", "bob", "eve"]')
    one, counts = ingested(tmp_path, recipe, CONLL)
    rome, anna = sorted(table(one, "ingest"), key=lambda row: len(row["text"]))
    assert (anna["text"], anna["tokens"][1]) == ("Anna lives .", {"start": 5, "end": 10})
    assert said(one) == sorted(
        [
            (anna["id"], "ann", '[[0,4,"PER"]]'), (anna["id"], "bob", '[[0,4,"PER"]]'),
            (rome["id"], "ann", '[[0,4,"LOC"]]'), (rome["id"], "bob", "[]"), (rome["id"], "eve", '[[0,4,"LOC"]]'),
        ],
        key=repr,
    )  # fmt: skip
    assert counts["reasons"] == {"wrong_columns": 1}


def test_spans_over_text_that_is_not_normal_form(tmp_path: Path) -> None:
    raw = "Le cafe\u0301 de Zoe\u0308"
    record = {"id": 1, "text": raw, "spans": [[raw.index("Z"), len(raw), "PER"]]}
    one, _ = ingested(tmp_path, toml("jsonl", task="tagging", columns='{ id = "id" }'), jsonl([record]))
    row = table(one, "ingest")[0]
    ((_, _, answer),) = said(one)
    start, end, label = json.loads(answer or "")[0]
    assert (row["text"][start:end], label) == ("Zoë", "PER")


def packed(content: str, kind: str) -> bytes:
    if kind == "gz":
        return gzip.compress(content.encode(), mtime=0)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        info = tarfile.TarInfo("in/rows.csv")
        info.size = len(content.encode())
        archive.addfile(info, io.BytesIO(content.encode()))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "spec", "kind"), [("a.csv.gz", "a.csv.gz", "gz"), ("a.tar.gz", "a.tar.gz!in/*.csv", "tar")]
)
def test_compressed_files(tmp_path: Path, name: str, spec: str, kind: str) -> None:
    recipe = toml("csv", file=spec, columns='{ id = "id" }')
    one = made(tmp_path, recipe, {name: packed(csv("id,text,label", ["1,aa,good", "2,bb,bad"]), kind)})
    built(one, "ingest")
    assert ids(one) == ["s/1", "s/2"]
    assert table(one, "ingest")[1]["source"].endswith(":3")


def test_a_glob_takes_files_in_order_of_their_names(tmp_path: Path) -> None:
    files = {f"part-{n}.csv": csv("id,text,label", [f"{n},text {n},good"]) for n in (2, 0, 1)}
    one = made(tmp_path, toml("csv", file="part-*.csv", columns='{ id = "id" }'), files)
    built(one, "ingest")
    assert ids(one) == ["s/0", "s/1", "s/2"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    one = made(tmp_path, CSV, {"row.csv": "id\n"})
    with pytest.raises(AssayError, match=r"^rows\.csv: no such file .*did you mean 'row\.csv'\?$"):
        built(one, "ingest")


# -- the law, over files of any kind

cells = st.sampled_from(["", "1", "2", "good", "bad", "long text", "é", '"', "a,b", "\n"])
files = st.lists(st.lists(cells, min_size=1, max_size=5), max_size=8)


@limits(max_examples=30)
@given(files, st.booleans(), st.integers(1, 4))
def test_no_record_goes_missing(
    tmp_path_factory: pytest.TempPathFactory, lines: list[list[str]], long: bool, batch_rows: int
) -> None:
    more = ', annotator = "who"' if long else ""
    recipe = toml("csv", labels=LABELS, columns=f'{{ id = "id", text = "text", label = "label"{more} }}')
    content = csv("id,text,label,who", [",".join(line) for line in lines])
    one = made(tmp_path_factory.mktemp("law"), recipe, {"rows": content})
    report = built(one, "ingest", engine=Engine(batch_rows=batch_rows))["ingest"]
    counts = report["counts"]
    assert counts["in"] == counts["kept"] + counts["joined"] + counts["rejected"]
    assert len(set(ids(one))) == len(ids(one)) == counts["kept"]
    assert {line["row"] for line in table(one, "ingest", "annotations")} <= set(ids(one))


@given(st.lists(st.integers()), st.integers(1, 9))
def test_chunks_hold_everything_in_order(items: list[int], size: int) -> None:
    chunks = list(chunked(items, size))
    assert [item for chunk in chunks for item in chunk] == items
    assert all(len(chunk) == size for chunk in chunks[:-1])
    assert all(chunks)


# -- what an independent review broke


def columns(**parts: str) -> str:
    return "{ " + ", ".join(f'{part} = "{field}"' for part, field in parts.items()) + " }"


def test_a_column_cannot_play_an_unknown_part(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match=r"cannot play the part 'spllit'; did you mean 'split'\?"):
        made(tmp_path, toml("csv", columns=columns(text="text", spllit="fold")), {})


@pytest.mark.parametrize("mapped", [columns(text="text", group="dokument"), columns(text="text", split="fold")])
def test_a_mapped_field_that_no_record_has_is_refused(tmp_path: Path, mapped: str) -> None:
    """Groups and official splits must not be lost by a misspelt name."""
    with pytest.raises(AssayError, match=r"\[\[ingest\.source\]\] 's': no record has the field '(dokument|fold)'"):
        ingested(tmp_path, toml("csv", columns=mapped), csv("text,label,document", ["a,good,d1"]))


def test_an_annotator_that_no_record_has_is_refused(tmp_path: Path) -> None:
    recipe = toml("csv", columns=columns(text="text"), annotator_columns='["ana", "bne"]')
    with pytest.raises(AssayError, match="no record has the field 'bne'; did you mean 'ben'"):
        ingested(tmp_path, recipe, csv("text,ana,ben", ["a,good,bad"]))


def test_a_weight_of_zero_is_zero_and_a_truth_is_no_weight(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [{"text": "a", "w": 0}, {"text": "b", "w": True}, {"text": "c"}]
    one, counts = ingested(tmp_path, toml("jsonl", columns=columns(text="text", weight="w")), jsonl(records))
    assert [row["weight"] for row in table(one, "ingest")] == [0.0, 1.0]
    assert counts["reasons"] == {"wrong_type": 1}


def test_a_file_is_not_read_twice(tmp_path: Path) -> None:
    recipe = toml("csv", columns=columns(text="text")).replace('["rows"]', '["rows", "./row*"]')
    with pytest.raises(AssayError, match="is named twice"):
        ingested(tmp_path, recipe, csv("text,label", ["a,good"]))


def test_places_do_not_tell_where_the_data_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = toml("csv", columns=columns(text="text")).replace('["rows"]', '["${ELSEWHERE}/far.csv"]')
    builds = []
    for home in ("here", "there"):
        (tmp_path / home).mkdir()
        (tmp_path / home / "far.csv").write_text(csv("text,label", ["a,good", "b,bad,too many"]))
        monkeypatch.setenv("ELSEWHERE", str(tmp_path / home))
        one = made(tmp_path / home, recipe, {})
        built(one, "ingest")
        assert [row["source"] for row in table(one, "ingest")] == ["${ELSEWHERE}/far.csv:2"]
        builds.append(contents(one.build))
    assert builds[0] == builds[1]


def test_what_pandas_writes_for_missing_is_missing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [1.0, float("nan"), 3.0], "text": ["a", "b", "c"], "label": [2.0, 1.0, float("nan")]})
    out = io.BytesIO()
    frame.to_parquet(out)
    one, counts = ingested(tmp_path, toml("parquet", columns=columns(id="id", text="text")), out.getvalue())
    assert said(one) == [("s/1", "file", '["2"]')]
    assert ids(one) == ["s/1", "s/3"]
    assert counts["reasons"] == {"missing_field": 1}


def test_a_rejected_repeat_keeps_the_answer_that_it_brought(tmp_path: Path) -> None:
    recipe = CSV.replace("rows.csv", "rows")
    one, _ = ingested(tmp_path, recipe, csv("id,text,label", ["1,aa,good", "1,other,bad"]))
    (line,) = table(one, "ingest", "rejected")
    assert [said["answer"] for said in json.loads(line["row"])["annotations"]] == [BAD]


def test_long_annotations_of_another_split_do_not_join(tmp_path: Path) -> None:
    recipe = toml("csv", columns=columns(id="id", text="text", label="label", annotator="who", split="fold"))
    lines = ["1,aa,good,ana,train", "1,aa,good,ben,train", "1,aa,good,cho,test"]
    one, counts = ingested(tmp_path, recipe, csv("id,text,label,who,fold", lines))
    assert [who for _, who, _ in said(one)] == ["ana", "ben"]
    assert counts["reasons"] == {"duplicate_id": 1}
