"""The list of what is erased: read to the letter or not at all, and what it means for records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import erased, flow
from pipeline.errors import AssayError
from pipeline.readers import Broken, Record
from tests.small import ALONE, CSV, LABELS, adds_up, built, csv, made, rejected, table

if TYPE_CHECKING:
    from pathlib import Path

SAID = {"who": "ann", "when": "2026-01-02"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["source", "row", "who", "keep"]), inner)
    ),
    max_leaves=8,
)


def written(folder: Path, *entries: Any) -> Path:
    path = folder / erased.FILE
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
LINES = st.builds(
    erased.Line,
    kind=st.just("source"), name=NAMES, who=NAMES, when=NAMES, why=st.text(max_size=9), keep=st.booleans(),
) | st.builds(
    erased.Line, kind=st.just("row"), name=st.tuples(NAMES, NAMES).map("/".join).filter(lambda name: name[0] != "/"),
    who=NAMES, when=NAMES,
    keep=st.booleans(),
)  # fmt: skip


@given(lines=st.lists(LINES, max_size=4), cut=st.booleans())
@settings(max_examples=40)
def test_what_is_added_is_read_again(
    lines: list[erased.Line], cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("erased") / erased.FILE
    for line in lines:
        if cut and path.exists():
            path.write_bytes(path.read_bytes().rstrip(b"\n"))
        erased.add(path, [line])
    assert [line.entry() for line in erased.lines(path)] == [
        json.loads(json.dumps(line.entry()).encode("utf-8", "backslashreplace")) for line in lines
    ]


@given(entry=JSON)
def test_a_line_is_understood_or_refused_with_its_place(entry: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = written(tmp_path_factory.mktemp("erased"), {"source": "s", **SAID}, entry)
    fault = ""
    try:
        (_, line) = erased.lines(path)
    except AssayError as error:
        fault = str(error)
    if fault:
        assert fault.startswith("erased.jsonl:2: ")
        assert fault.endswith("so that nothing comes back")
    else:
        assert entry[line.kind] == line.name


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"source": "s", "row": "s/1", **SAID}, "both a source and a row"),
        (SAID, "neither a source nor a row"),
        ({"row": "17", **SAID}, "ids are SOURCE/ID"),
        ({"source": "s", "who": "ann"}, "does not say when"),
        ({"source": "s", "sourse": "t", **SAID}, "knows no 'sourse'"),
        ({"source": "s", "keep": "yes", **SAID}, "keep is 'yes', not true"),
        (["source"], "is no JSON object"),
    ],
)
def test_a_line_that_could_be_meant_otherwise_is_refused(entry: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(AssayError, match=said):
        erased.lines(written(tmp_path, entry))


def test_the_last_line_counts_and_takes_back_only_itself(tmp_path: Path) -> None:
    one = made(tmp_path, CSV + LABELS, {"rows.csv": "id,text,label\n"})
    lines: list[dict[str, Any]] = [{"source": "s"}, {"row": "s/1"}, {"row": "s/1", "keep": True}, {"row": "s/2"}]
    written(one.folder, *(line | SAID for line in lines))
    gone = erased.of(one)
    assert (list(gone.sources), list(gone.rows)) == (["s"], ["s/2"])
    assert gone.holds("source", "s")
    assert not gone.holds("row", "s/1")


def test_records_of_an_erased_source_keep_their_place_alone() -> None:
    gone = erased.Erased(sources={"s": erased.Line("source", "s", "ann", "now", place="erased.jsonl:1")})
    records: list[Record | Broken] = [
        Record("a:1", {"id": "1", "text": "secret"}),
        Broken("a:2", "wrong_columns", "secret", "secret"),
    ]
    found = list(erased.passed_over(records, gone, "s", None))
    assert [record.place for record in found] == ["a:1", "a:2"]
    assert "secret" not in repr(found)
    assert list(erased.passed_over(records, gone, "t", None)) == records


ANNOTATIONS = """
[[ingest.annotations]]
source = "s"
files = ["said.csv"]
format = "csv"
columns = { row = "row", annotator = "who", answer = "said" }
"""


def test_counts_add_up_and_annotations_of_erased_rows_go_too(tmp_path: Path) -> None:
    rows = csv("id,text,label", [f"{at},a text that is number {at},good" for at in range(6)])
    said = csv("row,who,said", [f"{at},bob,bad" for at in (1, 2, 2, 3)])
    one = made(tmp_path, CSV + ANNOTATIONS + LABELS, {"rows.csv": rows, "said.csv": said})
    before = built(one, "ingest")["ingest"]
    written(one.folder, {"row": "s/2", **SAID}, {"row": "s/7", **SAID})
    report = built(one, "ingest")["ingest"]
    assert report["fresh"]
    assert adds_up(report)
    assert report["counts"]["in"] == before["counts"]["in"]
    assert rejected(one, "ingest") == [
        ("record:rows.csv:4", "erased"), ("record:said.csv:3", "erased"), ("record:said.csv:4", "erased")
    ]  # fmt: skip
    assert {row["row"] for row in table(one, "ingest", "rejected")} == {""}
    assert "s/2" not in {row["row"] for row in table(one, "ingest", "annotations")}
    (one.folder / erased.FILE).unlink()
    assert {row["id"] for row in table_of(one)} == {f"s/{at}" for at in range(6)}


def table_of(one: Any) -> list[dict[str, Any]]:
    flow.build(one, ALONE, last="ingest")
    return table(one, "ingest")
