"""assay versions and assay diff: what they print, for people, programs and pull requests, and how they end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner, Result

from pipeline import versions
from pipeline.commands import versioning
from pipeline.commands.app import app
from pipeline.errors import AssayError
from tests.versions.made import build, changed, texts

if TYPE_CHECKING:
    from pathlib import Path

TOML = 'task = "classification"\n[[ingest.source]]\nname = "film"\nfiles = ["raw.csv"]\nformat = "csv"\n'


def assay(*arguments: str, data: Path) -> Result:
    assert versioning.versions is not None  # its commands are on the app
    return CliRunner().invoke(app, [*arguments, "--data", str(data)])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data set called tiny with two versions; a row of test was relabelled in the newer one."""
    for rows in (texts(), changed(texts(), "film/5", labels=["negative"])):
        recipe = build(tmp_path, rows)
        (recipe.folder / "recipe.toml").write_text(TOML, encoding="utf-8")
        versions.keep(recipe)
    versions.told(recipe, "FAIL")
    return tmp_path


def test_versions_are_listed(data: Path) -> None:
    told = assay("versions", "tiny", data=data)
    assert told.exit_code == 0
    found = json.loads(assay("versions", "tiny", "--json", data=data).stdout)
    assert [entry["verdict"] for entry in found] == ["", "FAIL"]
    assert all(entry["id"] in told.stdout for entry in found)


def test_the_two_newest_are_compared_unless_others_are_named(data: Path) -> None:
    older, newer = (entry["id"] for entry in versions.listing(build(data, texts())))
    for names in (
        (),
        (older,),
        (older[:7], newer[:7]),
        ("previous", "latest"),
        (str(data / "build/tiny/versions" / older),),
    ):
        found = json.loads(assay("diff", "tiny", *names, "--json", data=data).stdout)
        assert (found["before"]["id"], found["after"]["id"]) == (older, newer)
        assert found["rows"]["relabelled"] == 1
    assert "The test set changed (1 relabelled)" in " ".join(assay("diff", "tiny", data=data).stdout.split())
    assert assay("diff", "tiny", "--markdown", data=data).stdout.startswith(f"### tiny: {older} → {newer}\n")


def test_the_exit_code_tells_of_a_change_only_when_asked(data: Path) -> None:
    assert assay("diff", "tiny", data=data).exit_code == 0
    assert assay("diff", "tiny", "--exit-code", data=data).exit_code == 1
    assert assay("diff", "tiny", "latest", "latest", "--exit-code", data=data).exit_code == 0


def test_examples_are_as_many_as_asked_for(data: Path) -> None:
    build(data, {side: [] for side in texts()})
    versions.keep(build(data, {side: [] for side in texts()}))
    counts = [
        len(json.loads(assay("diff", "tiny", *some, "--json", data=data).stdout)["examples"]["removed"])
        for some in (("--limit", "0"), ("--limit", "3"), ("--all",))
    ]
    assert counts == [0, 3, 12]


def test_mistakes_are_told(data: Path, tmp_path: Path) -> None:
    for arguments in (("diff", "tiny", "--json", "--markdown"), ("diff", "tiny", "v9"), ("versions", "nothing")):
        assert isinstance(assay(*arguments, data=data).exception, AssayError)
