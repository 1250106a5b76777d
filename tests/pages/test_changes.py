"""The report tells what changed since the last version, from the second one on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline import pages, versions
from pipeline.pages import changes
from pipeline.pages.blocks import Facts, Fold, Table, Text
from pipeline.pages.build import read
from tests.pages.stages import HOSTILE
from tests.versions.made import build, changed, kept, texts

if TYPE_CHECKING:
    from pathlib import Path


def test_with_one_version_there_is_nothing_to_tell(tmp_path: Path) -> None:
    recipe = build(tmp_path, texts())
    assert changes.changes(read(recipe)).blocks == ()
    versions.keep(recipe)
    assert changes.changes(read(recipe)).blocks == ()


def test_the_test_set_comes_first_and_the_command_that_tells_more_last(tmp_path: Path) -> None:
    first = kept(tmp_path, texts())
    rows = changed(texts(), "film/5", labels=[HOSTILE[0]])
    second = kept(tmp_path, rows)
    blocks = changes.changes(read(build(tmp_path, rows))).blocks
    assert blocks[0] == Text(
        "The test set changed (1 relabelled): scores before and after are not of the same rows.", "alarm"
    )
    assert isinstance(blocks[1], Facts)
    assert ("rows relabelled", "1") in blocks[1].items
    assert isinstance(blocks[2], Table)
    assert any(isinstance(block, Fold) and block.summary == "Relabelled: 1 of 1" for block in blocks)
    assert blocks[-1] == Text(f"assay diff tiny {first.id} {second.id} --all", "command")


def test_versions_that_cannot_be_compared_are_told(tmp_path: Path) -> None:
    first = kept(tmp_path, texts())
    rows = changed(texts(), "film/5", labels=["negative"])
    kept(tmp_path, rows)
    (first.folder / "version.json").write_text("{}", encoding="utf-8")
    (block,) = changes.changes(read(build(tmp_path, rows))).blocks
    assert isinstance(block, Text)
    assert (block.tone, "cannot be compared" in block.text) == ("alarm", True)


def test_the_page_is_written_anew_with_a_new_version_and_escapes_it(tmp_path: Path) -> None:
    kept(tmp_path, texts())
    recipe = build(tmp_path, texts())
    first = pages.write(recipe).read_text(encoding="utf-8")
    rows = changed(texts(), "film/5", labels=[HOSTILE[0]], text=HOSTILE[1])
    kept(tmp_path, rows)
    second = pages.write(recipe).read_text(encoding="utf-8")
    assert first != second
    assert changes.TITLE in second
    assert HOSTILE[0] not in second
    assert HOSTILE[1] not in second
