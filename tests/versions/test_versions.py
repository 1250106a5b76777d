"""Versions by name, and which one a change is measured from."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import versions
from pipeline.errors import AssayError
from pipeline.versions import log
from tests.versions.made import build, changed, kept, texts

if TYPE_CHECKING:
    from pathlib import Path


def test_a_version_is_found_by_id_beginning_place_and_folder(tmp_path: Path) -> None:
    first, second = kept(tmp_path, texts()), kept(tmp_path, changed(texts(), "film/1", text="another"))
    recipe = build(tmp_path, texts())
    for name, wanted in (
        ("latest", second),
        ("previous", first),
        (first.id, first),
        (second.id[:6], second),
        (str(first.folder), first),
    ):
        assert versions.find(recipe, name).id == wanted.id
    elsewhere = shutil.copytree(first.folder, tmp_path / "pulled")
    shutil.rmtree(first.folder)
    assert versions.find(recipe, str(elsewhere)).id == first.id
    with pytest.raises(AssayError, match="no previous one: 1 kept"):
        versions.find(recipe, "previous")


@pytest.mark.parametrize("name", ["v", "", "v99", "../x", "nothing"])
def test_what_is_not_there_or_not_one_is_told(tmp_path: Path, name: str) -> None:
    kept(tmp_path, texts())
    kept(tmp_path, changed(texts(), "film/1", text="another"))
    with pytest.raises(AssayError, match="several begin with" if name == "v" else "there is no version"):
        versions.find(build(tmp_path, texts()), name)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": 2}, "format 2"),
        ({"id": "../../etc"}, "format 1"),
        ({"tables": {}}, "cannot be read as a version"),
        ({"guideline": {"odd": 1}}, "cannot be read as a version"),
        ([], "cannot be read as a version"),
    ],
)
def test_a_folder_that_is_no_version_is_refused(tmp_path: Path, change: Any, told: str) -> None:
    folder = kept(tmp_path, texts()).folder
    about = json.loads((folder / "version.json").read_text(encoding="utf-8"))
    (folder / "version.json").write_text(json.dumps({**about, **change} if change else change), encoding="utf-8")
    with pytest.raises(AssayError, match=told):
        versions.read(folder)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "data/../../x", ".hidden", "data\\x"])
def test_a_version_that_names_files_outside_its_folder_is_refused(tmp_path: Path, name: str) -> None:
    folder = kept(tmp_path, texts()).folder
    about = json.loads((folder / "version.json").read_text(encoding="utf-8"))
    about["tables"]["train"]["files"][0]["name"] = name
    (folder / "version.json").write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(AssayError, match="outside its folder"):
        versions.read(folder)


def test_a_file_that_is_gone_or_cut_is_told(tmp_path: Path) -> None:
    folder = kept(tmp_path, texts()).folder
    (folder / "rejected.parquet").write_bytes(b"PAR1")
    with pytest.raises(AssayError, match="has 4 bytes where"):
        versions.read(folder)
    (folder / "rejected.parquet").unlink()
    with pytest.raises(AssayError, match=r"rejected\.parquet: is missing"):
        versions.read(folder)


def test_a_change_is_measured_from_the_last_that_passed_and_holds_other_rows(tmp_path: Path) -> None:
    recipe = build(tmp_path, texts())
    assert versions.base(recipe) is None
    ids = []
    for text, verdict in (("one", "PASS"), ("two", "WARN"), ("three", "FAIL"), ("four", "ERROR")):
        ids.append(kept(tmp_path, changed(texts(), "film/1", text=text)).id)
        versions.told(recipe, verdict)
    standing = build(tmp_path, changed(texts(), "film/1", text="five"))
    assert getattr(versions.base(standing), "id", None) == ids[1]
    same_rows = build(tmp_path, changed(texts(), "film/1", text="two"))
    assert getattr(versions.base(same_rows), "id", None) == ids[0]
    named = build(tmp_path, texts(), gate={"base": ids[2]})
    assert getattr(versions.base(named), "id", None) == ids[2]
    with pytest.raises(AssayError, match="there is no version 'v99'"):
        versions.base(build(tmp_path, texts(), gate={"base": "v99"}))


def test_a_version_that_was_pulled_is_found_and_is_no_latest_one(tmp_path: Path) -> None:
    first = kept(tmp_path, texts())
    recipe = build(tmp_path, texts())
    other = kept(tmp_path / "elsewhere", changed(texts(), "film/1", text="another"))
    folder = versions.versions_folder(recipe)
    shutil.copytree(other.folder, folder / other.id)
    log.add(folder, {"id": other.id, "what": "pulled", "when": log.now(), "rows": other.rows})
    assert versions.find(recipe, other.id[:8]).id == other.id
    assert versions.find(recipe, "latest").id == first.id
    assert [entry["id"] for entry in versions.listing(recipe)] == [first.id]
    assert [entry["id"] for entry in versions.listing(recipe, pulled=True)] == [other.id, first.id]
    assert versions.prune(recipe) == []
