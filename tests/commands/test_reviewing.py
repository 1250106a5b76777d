"""`assay review` prints a link for each reviewer and serves until it is told to end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from pipeline import reviewing
from pipeline.commands.app import app
from pipeline.errors import AssayError
from pipeline.reviewing import server
from tests.reviewing.seats import feeling

if TYPE_CHECKING:
    from pathlib import Path

RECIPE = 'task = "classification"\n[[ingest.source]]\nname = "film"\nfiles = ["raw.csv"]\nformat = "csv"\n'


def reviewed(folder: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> str:
    """What the command prints where nobody opens the page."""
    desk = feeling(folder, ["good", "bad"])
    (desk.recipe.folder / "recipe.toml").write_text(RECIPE)
    monkeypatch.setattr(reviewing, "queue", lambda recipe: desk.waiting)
    monkeypatch.setattr(server, "serve", lambda *about: None)
    asked = ["review", "tiny", "--data", str(folder), "--no-open", *more]
    return CliRunner().invoke(app, asked, catch_exceptions=False).output


def test_each_reviewer_has_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = reviewed(tmp_path, monkeypatch, "--who", "anna", "--who", "ben").splitlines()
    links = {line.partition(": ")[0]: line.partition(": ")[2] for line in told if "token=" in line}
    assert set(links) == {"anna", "ben"}
    assert len(set(links.values())) == 2
    assert all(link.startswith("http://127.0.0.1:") for link in links.values())
    assert told[0] == "2 lines to look at; Ctrl-C ends it."


def test_a_reviewer_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "--who" in reviewed(tmp_path, monkeypatch)
    with pytest.raises(AssayError, match="nam"):
        reviewed(tmp_path, monkeypatch, "--who", " ")
