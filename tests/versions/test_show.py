"""Diffs in the terminal: whatever rows say, they are shown as they are and break nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from pipeline.versions import diff, show
from tests.versions.made import changed, kept, texts

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("edge", ["\\", "\\\\", "x\\\\\\", "[/]", "[red]", "\\[red]", "[/red]\\\\\\"])
def test_what_rows_say_is_no_markup(tmp_path: Path, edge: str) -> None:
    before, after = (changed(texts(), "film/0", text=f"what stays {edge} {word}") for word in ("early", "late"))
    found = diff(kept(tmp_path / "a", before), kept(tmp_path / "b", after))
    console = Console(width=200, no_color=True)
    with console.capture() as shown:
        console.print(show.compared(found, limit=None))
    assert f"what stays {edge} [-early-]{{+late+}}" in shown.get()
