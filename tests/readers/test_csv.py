from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.readers import Broken, Record

from .memory import faults, got, rows, survives

CELL = st.text(st.sampled_from('ab,"\n\t 中，;'), max_size=6)


def test_columns_by_header_and_place_by_line() -> None:
    assert got("text,label\n\nhi,greet\n", "csv") == [Record("f:3", {"text": "hi", "label": "greet"})]


def test_names_take_the_place_of_a_header() -> None:
    assert rows("to title\t文\t题\n", "tsv", names=("task", "text", "title")) == [
        {"task": "to title", "text": "文", "title": "题"}
    ]


def test_quoted_line_ends_commas_and_quotes() -> None:
    content = 'text,label\r\n"a ""quoted"" word,\r\nsecond line",x\r\nplain,y\r\n'
    assert got(content, "csv") == [
        Record("f:2", {"text": 'a "quoted" word,\nsecond line', "label": "x"}),
        Record("f:4", {"text": "plain", "label": "y"}),
    ]


def test_a_stray_quote_costs_one_row_and_not_the_rest() -> None:
    content = 'text,label\n"never closed,x\n' + "row,y\n" * 3000
    found = got(content, "csv")
    assert [one.place for one in found if isinstance(one, Broken)] == ["f:2"]
    assert sum(isinstance(one, Record) for one in found) == 3000


def test_a_stray_quote_does_not_take_the_next_quoted_row_with_it() -> None:
    content = 'text,label\n"never closed,x\nrow,y\n"good, one",z\nlast,w\n'
    found = got(content, "csv")
    assert [(one.place, one.reason) for one in found if isinstance(one, Broken)] == [("f:2", "unreadable_record")]
    assert [one.fields["label"] for one in found if isinstance(one, Record)] == ["y", "z", "w"]


def test_a_quote_within_a_word_is_a_quote() -> None:
    assert rows('text,label\n5" disk,x\nsay "hi",y\n', "csv") == [
        {"text": '5" disk', "label": "x"},
        {"text": 'say "hi"', "label": "y"},
    ]


def test_many_stray_quotes_do_not_take_quadratic_time() -> None:
    found = got("text,label\n" + '"open,x\nrow,y\n' * 3000, "csv")
    assert len(found) >= 3000


def test_wrong_columns_are_counted() -> None:
    (broken,) = got("text,label\na,b,c\n", "csv")
    assert isinstance(broken, Broken)
    assert broken.reason == "wrong_columns"
    assert broken.evidence == "3 columns where there are 2 (text, label)"
    assert broken.raw == "a,b,c"
    assert faults("a\tb\n1\n1\t2\n", "tsv") == [("f:2", "wrong_columns")]


def test_tabs_leave_quotes_alone_unless_told() -> None:
    assert rows('a\tb\n"x\ty"\n', "tsv") == [{"a": '"x', "b": 'y"'}]
    assert rows('a\tb\n"x\ty"\tz\n', "tsv", quote=True) == [{"a": "x\ty", "b": "z"}]


def test_errors_of_the_file() -> None:
    with pytest.raises(AssayError, match="several columns are called 'a'"):
        got("a,b,a\n1,2,3\n", "csv")
    with pytest.raises(AssayError, match="not one character"):
        got("a\n", "csv", delimiter="ab")
    with pytest.raises(AssayError, match="f:1: the header row cannot be read"):
        got(b"a,\xff\n", "csv", encoding="utf-8")


def test_notes_of_the_file_stand_on_its_first_record() -> None:
    first, second = got("a\n1\n2\n".encode("utf-8-sig"), "csv")
    assert isinstance(first, Record)
    assert isinstance(second, Record)
    assert (first.fields, first.notes) == ({"a": "1"}, ("byte-order mark removed",))
    assert second.notes == ()


def test_long_fields_are_read() -> None:
    assert len(rows('a,b\n"' + "x" * 300_000 + '",y\n', "csv")[0]["a"]) == 300_000


@given(st.lists(st.tuples(CELL, CELL), max_size=8))
def test_what_the_csv_module_writes_is_read_back(cells: list[tuple[str, str]]) -> None:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows([("left", "right"), *cells])
    assert [(row["left"], row["right"]) for row in rows(out.getvalue(), "csv")] == cells


@given(st.lists(st.text(st.sampled_from('ab,"\t 中'), max_size=8), max_size=20))
def test_every_line_that_is_not_blank_is_accounted_for(body: list[str]) -> None:
    content = "\n".join(["left,right", *body])
    found = survives(content.encode(), "csv")
    assert found is not None
    told = sum((one.raw if isinstance(one, Broken) else "".join(one.fields.values())).count("\n") + 1 for one in found)
    blank = sum(not line for line in body)
    assert len(body) - blank <= told <= len(body)


@given(st.binary(max_size=120), st.sampled_from(["csv", "tsv"]))
def test_hostile_bytes(content: bytes, format: str) -> None:
    survives(content, format)
    survives(b"a,b\n" + content, format, names=("a", "b"), quote=True)
