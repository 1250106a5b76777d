"""The consensus on the page: warnings are loud, methods stand by how well they foretell, tags are read as labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.pages import overview, settled
from pipeline.pages.blocks import Fold, Table, Text
from pipeline.pages.build import Build
from tests.builds import a_recipe
from tests.pages import stages


def _build(folder: Path, *, recipe: dict[str, Any] | None = None, **details: Any) -> Build:
    told = {"consensus": stages.a_consensus()} | details
    return Build(a_recipe(folder, **(recipe or {})), {"audit": {"details": told}})


def _blocks(build: Build, kind: type) -> list[Any]:
    return [block for block in settled.consensus(build).blocks if isinstance(block, kind)]


def test_warnings_are_alarms_at_the_beginning_and_a_line_at_the_top_of_the_page(tmp_path: Path) -> None:
    build = _build(tmp_path)
    first, second, *_ = settled.consensus(build).blocks
    assert isinstance(first, Text)
    assert isinstance(second, Text)
    assert (first.tone, second.tone) == ("alarm", "alarm")
    assert first.text.startswith("The methods differ")
    (notice,) = overview.notices(build)
    assert notice.text.startswith("The methods differ")
    assert notice.text.endswith("(and 1 more)")
    assert notice.key == settled.consensus(build).key


def test_no_warning_no_line(tmp_path: Path) -> None:
    build = _build(tmp_path, consensus=stages.a_consensus() | {"warnings": []})
    assert overview.notices(build) == []
    assert [block.tone for block in _blocks(build, Text) if block.tone] == []


def test_the_best_method_stands_first(tmp_path: Path) -> None:
    scores = [{"method": name, "likelihood": at, "error": 0.1, "weight": 0.5, "differs": 0.0} for at, name in
              ((-0.9, "majority"), (-0.2, "kinds"), (-0.4, "one-coin"))]  # fmt: skip
    (table,) = _blocks(_build(tmp_path, consensus={"method": "blend", "methods": scores, "best": "kinds"}), Table)
    assert [row[0].value for row in table.rows] == ["kinds (best)", "one-coin", "majority"]
    assert table.rows[0][1].value == "−0.200 ± 0.100"


def test_a_method_that_was_not_compared_has_a_dash(tmp_path: Path) -> None:
    score = {"method": "majority", "likelihood": -0.9, "error": 0.1, "weight": 0.0, "differs": None}
    (table,) = _blocks(_build(tmp_path, consensus={"method": "blend", "methods": [score], "best": ""}), Table)
    assert table.rows[0][3].value == "–"


def test_tags_of_words_are_added_up_to_the_labels_of_spans(tmp_path: Path) -> None:
    recipe = {"task": "tagging", "guideline": {"label": [{"name": "ORG"}]}}
    confusion = {"labels": ["O", "B-ORG", "I-ORG"], "counts": [[5, 1, 1], [2, 3, 0], [1, 1, 4]]}
    (table,) = [
        one for one in _blocks(_build(tmp_path, recipe=recipe, confusion=confusion), Table) if one.head[0] == "settled"
    ]
    assert table.head == ("settled", "(no span)", "ORG")
    assert [[cell.value.split()[0] for cell in row] for row in table.rows] == [["(no", "5", "2"], ["ORG", "3", "8"]]


def test_labels_that_have_an_order_stand_in_it(tmp_path: Path) -> None:
    labels = [{"name": name} for name in ("bad", "fair", "good")]
    recipe = {"guideline": {"label": labels, "ordered": True}}
    confusion = {"labels": ["good", "bad", "fair"], "counts": [[9, 1, 2], [0, 5, 1], [1, 0, 3]]}
    table = _blocks(_build(tmp_path, recipe=recipe, confusion=confusion), Table)[-1]
    assert table.head == ("settled", "bad", "fair", "good")
    assert [row[0].value for row in table.rows] == ["bad", "fair", "good"]
    assert [cell.value.split()[0] for cell in table.rows[2][1:]] == ["1", "2", "9"]


def test_many_labels_are_folded(tmp_path: Path) -> None:
    labels = [f"label {number:02}" for number in range(30)]
    counts = [[3 if row == column else 0 for column in range(30)] for row in range(30)]
    build = _build(tmp_path, confusion={"labels": labels, "counts": counts})
    assert "All 30 labels" in [block.summary for block in _blocks(build, Fold)]
    assert len(_blocks(build, Table)[-1].rows) == 16


def test_free_text_is_not_confused(tmp_path: Path) -> None:
    confusion = {"labels": ["a", "b"], "counts": [[1, 0], [0, 1]]}
    build = _build(tmp_path, recipe={"task": "chat"}, confusion=confusion)
    assert [table for table in _blocks(build, Table) if table.head[0] == "settled"] == []


def test_labels_of_sets_are_questions_and_other_labels_may_look_like_tags(tmp_path: Path) -> None:
    sets = {"guideline": {"multiple": True, "label": [{"name": "joy"}]}}
    build = _build(tmp_path, recipe=sets, confusion={"labels": ["no", "yes"], "counts": [[5, 1], [2, 3]]})
    assert _blocks(build, Table)[-1].head == ("settled", "label is not there", "label is there")
    build = _build(tmp_path, confusion={"labels": ["B-movie", "I-movie"], "counts": [[5, 1], [2, 3]]})
    assert _blocks(build, Table)[-1].head == ("settled", "B-movie", "I-movie")
