"""Sources: the records of a part of a recipe, and what its content is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline import sources
from pipeline.errors import AssayError
from pipeline.readers import Record
from tests.small import CSV, csv, made

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe


def a_set(folder: Path, files: str) -> Recipe:
    return made(folder, CSV.replace('["rows.csv"]', files), {"rows.csv": csv("id,text,label", ["1,a,good", "2,b,bad"])})


def test_records_come_in_order_with_their_places(tmp_path: Path) -> None:
    one = a_set(tmp_path, '["rows.csv"]')
    found = list(sources.records(one, one.settings.ingest.source[0]))
    assert [(record.place, record.fields["text"]) for record in found if isinstance(record, Record)] == [
        ("rows.csv:2", "a"),
        ("rows.csv:3", "b"),
    ]


def test_content_is_known_by_name_and_hash(tmp_path: Path) -> None:
    one = a_set(tmp_path, '["rows.csv"]')
    reading = one.settings.ingest.source[0]
    before = sources.content(one, reading)
    assert list(before) == ["rows.csv"]
    (one.folder / "rows.csv").write_text("id,text,label\n", encoding="utf-8")
    assert sources.content(one, reading) != before


def test_a_file_that_is_named_twice_is_refused_in_its_section(tmp_path: Path) -> None:
    one = a_set(tmp_path, '["rows.csv", "*.csv"]')
    with pytest.raises(AssayError, match=r"\[elsewhere\] files.*rows.csv is named twice"):
        sources.raw_files(one, one.settings.ingest.source[0], section="elsewhere")
    with pytest.raises(AssayError, match=r"\[ingest\] files"):
        sources.raw_files(one, one.settings.ingest.source[0])


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    one = a_set(tmp_path, '["${NOWHERE_AT_ALL}/rows.csv"]')
    with pytest.raises(AssayError, match="needs the environment variable NOWHERE_AT_ALL"):
        list(sources.records(one, one.settings.ingest.source[0]))
