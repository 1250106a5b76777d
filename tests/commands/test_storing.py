"""Pushing, pulling and erasing as they are typed: what is said, and the exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

import pipeline.commands.storing  # noqa: F401 - what is typed here stands there
from pipeline.commands.app import app
from pipeline.errors import AssayError
from pipeline.versions import log
from tests.small import CSV, LABELS, csv, made
from tests.storage.folders import a_version

if TYPE_CHECKING:
    from pathlib import Path


def typed(*words: object) -> Result:
    """What a command gives."""
    return CliRunner().invoke(app, [str(word) for word in words])


def a_set(folder: Path) -> Path:
    """A data set called small with twelve rows, not built; the folder of all data sets."""
    rows = [f"{at},the text that has the number {at} in it,{('good', 'bad')[at % 2]}" for at in range(12)]
    made(folder, CSV + LABELS + '[audit]\nsuspects = "off"\n', {"rows.csv": csv("id,text,label", rows)})
    return folder


def test_a_version_goes_and_comes_back(tmp_path: Path) -> None:
    data, far = a_set(tmp_path / "data"), tmp_path / "far"
    version = a_version(data / "build" / "small" / "versions")
    kept = {"id": version.name, "what": "kept", "when": "2026-01-02", "rows": {}}
    log.add(version.parent, kept)
    pushed = typed("push", "small", far, "--data", data)
    assert pushed.exit_code == 0, pushed.output
    assert f"pushed {version.name} of small: {far}/small/{version.name}" in pushed.output.replace("\n", "")
    assert log.lines(version.parent)[-1]["to"] == str(far)
    assert json.loads((far / "small" / "latest.json").read_text())["kept"] == "2026-01-02"
    told = typed("pull", "small", far, "--list", "--data", tmp_path / "other")
    assert version.name in told.output
    assert "latest" in told.output
    assert not (tmp_path / "other").exists()
    pulled = typed("pull", "small", far, "--data", tmp_path / "other")
    assert pulled.exit_code == 0, pulled.output
    assert (tmp_path / "other" / "build" / "small" / "versions" / version.name / "version.json").is_file()


@pytest.mark.parametrize("name", ["..", "a/../../b", "/etc", ".hidden"])
def test_a_pulled_data_set_stays_in_its_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="is no name of a data set"):
        raise typed("pull", name, tmp_path / "far", "--data", tmp_path).exception or ValueError


def test_a_data_set_named_by_its_recipe_is_pulled_by_its_name(tmp_path: Path) -> None:
    data, far = a_set(tmp_path / "data"), tmp_path / "far"
    version = a_version(data / "build" / "small" / "versions")
    log.add(version.parent, {"id": version.name, "what": "kept", "when": "2026-01-02", "rows": {}})
    recipe = data / "small" / "recipe.toml"
    assert typed("push", recipe, far, "--data", data).exit_code == 0
    pulled = typed("pull", recipe, far, "--data", data)
    assert pulled.exit_code == 0, pulled.exception
    assert f"{far}/small/{version.name}" in pulled.output.replace("\n", "")
    assert version.name in typed("pull", recipe, far, "--list", "--data", data).output


@pytest.mark.parametrize("name", ["..", "a/../../b"])
def test_nothing_is_listed_beside_the_store(name: str, tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="is no name of a data set"):
        raise typed("pull", name, tmp_path / "far", "--list", "--data", tmp_path).exception or ValueError


def test_no_url_is_not_this_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = a_set(tmp_path / "data")
    version = a_version(data / "build" / "small" / "versions")
    log.add(version.parent, {"id": version.name, "what": "kept", "when": "2026-01-02", "rows": {}})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(AssayError, match="is empty"):
        raise typed("push", "small", "", "--data", data).exception or ValueError
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


@pytest.mark.parametrize("options", [[], ["--check", "--source", "s"], ["--check", "--dry-run"], ["--dry-run"]])
def test_erase_wants_to_know_what(options: list[str], tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="say what is erased"):
        raise typed("erase", "small", *options, "--data", a_set(tmp_path)).exception or ValueError


def test_erasing_says_what_was_done_and_whether_any_is_left(tmp_path: Path) -> None:
    from pipeline import flow, recipe
    from tests.small import ALONE

    data = a_set(tmp_path)
    one = recipe.find("small", data=data)
    flow.build(one, ALONE)
    seen = typed("erase", "small", "--row", "s/3", "--dry-run", "--data", data)
    assert (seen.exit_code, one.folder.joinpath("erased.jsonl").exists()) == (0, False)
    assert "row s/3" in seen.output
    done = typed("erase", "small", "--row", "s/3", "--who", "ann", "--data", data, "--workers", 1)
    assert done.exit_code == 0, done.output
    assert "nothing is left in" in done.output
    assert typed("erase", "small", "--check", "--data", data).exit_code == 0
    (one.build / "note.txt").write_text("see s/3")
    left = typed("erase", "small", "--check", "--data", data)
    assert left.exit_code == 1
    assert "build/small/note.txt" in left.output
