"""Agreement on the page: the headline in words with its interval, and why where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.pages import agreed
from pipeline.pages.blocks import Charts, Fold, Table, Text
from pipeline.pages.build import Build
from tests.builds import a_recipe
from tests.pages import stages


def _section(folder: Path, **told: Any) -> Any:
    audit = {"details": {"agreement": stages.an_agreement() | told}}
    return agreed.agreement(Build(a_recipe(folder), {"audit": audit}))


def test_the_headline_is_read_out() -> None:
    said = agreed.sentence(stages.a_figure("alpha (nominal)"))
    assert said.startswith("Measured by alpha (nominal): 0.50 (95 % interval 0.40 to 0.60). 1 is perfect agreement")


def test_no_figure_says_why() -> None:
    nothing = stages.a_figure(value=None, low=None, high=None, note="no row was answered twice")
    assert agreed.sentence(nothing) == "Agreement could not be measured: no row was answered twice."
    assert "by two annotators" in agreed.sentence({})


def test_a_figure_without_interval_claims_none() -> None:
    assert "interval" not in agreed.sentence(stages.a_figure("F1 (exact spans)", low=None, high=None))


def test_what_would_mislead_stands_before_the_tables(tmp_path: Path) -> None:
    blocks = _section(tmp_path).blocks
    notes = [at for at, block in enumerate(blocks) if isinstance(block, Text) and block.tone == "note"]
    assert [blocks[at].text for at in notes][-1] == "Only 3 rows were answered twice."
    assert max(notes) < min(at for at, block in enumerate(blocks) if isinstance(block, Fold))


def test_every_kind_of_table_is_there_and_folded(tmp_path: Path) -> None:
    folds = [block.summary for block in _section(tmp_path).blocks if isinstance(block, Fold)]
    assert folds == [
        "All measures",
        "Label by label",
        "Batch by batch",
        "Version by version of the guideline",
        "Each annotator with the others",
        "Pairs of annotators: the 1 that met most, of 12",
    ]


def test_a_label_that_could_not_be_measured_is_in_the_table_not_in_the_chart(tmp_path: Path) -> None:
    nothing = stages.a_figure(value=None, low=None, high=None, note="given once")
    blocks = _section(tmp_path, by_label={"rare": nothing, "usual": stages.a_figure()}).blocks
    (chart,) = next(block for block in blocks if isinstance(block, Charts)).items
    assert "usual" in chart
    assert "rare" not in chart
    table: Any = next(block for block in blocks if isinstance(block, Fold) and block.summary == "Label by label")
    assert isinstance(table.blocks[0], Table)
    assert {row[0].value.partition(":")[0] for row in table.blocks[0].rows} == {"rare", "usual"}


def test_long_lists_are_cut_and_say_so(tmp_path: Path) -> None:
    many = {f"annotator {number:03}": stages.a_figure() for number in range(300)}
    blocks = _section(tmp_path, annotators=many).blocks
    fold: Any = next(block for block in blocks if isinstance(block, Fold) and block.summary.startswith("Each"))
    assert len(fold.blocks[0].rows) == agreed.ROWS
    assert fold.blocks[0].caption == "alpha (nominal); the first 100 of 300"
