"""What is counted of the rows of a build, and what is remembered of them for the next report."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import AssayError
from pipeline.gate.sample import Case, good
from pipeline.pages import build as building
from pipeline.pages.build import Build, Tally, octave, read
from pipeline.tasks import KNOWN, task
from pipeline.text import units

if TYPE_CHECKING:
    from pathlib import Path


def tally(build: Build) -> Tally:
    found = build.tally("split", "train")
    build.forget_others()
    assert found is not None
    return found


def by_hand(case: Case, build: Build) -> Tally:
    settings = build.recipe.settings
    kind, rows = task(settings.task, settings.guideline), case.rows["train"]
    return Tally(
        Counter(name for row in rows for name in set(kind.strata(row))),
        Counter(octave(len(units(kind.shown(row)))) for row in rows),
        Counter(row["language"] for row in rows),
        len(rows),
        len(rows),
    )


@pytest.mark.parametrize("name", KNOWN)
def test_a_report_of_an_update_counts_new_rows_alone_and_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    asked: list[str] = []

    def counting(text: str) -> list[Any]:
        asked.append(text)
        return list(units(text))

    monkeypatch.setattr(building, "units", counting)
    case = good(name)
    first = read(case.write(tmp_path / "one"))
    assert tally(first) == by_hand(case, first)
    everything = len(asked)
    case.rows["train"][2] = {**case.rows["test"][0], "id": "made/new", "split": "train"}
    case.rows["train"][1]["language"] = "fr"
    case.rows["train"].reverse()
    second = read(case.write(tmp_path / "two"))
    (tmp_path / "one" / "build" / "selftest" / "memo").rename(second.recipe.build / "memo")
    asked.clear()
    assert tally(second) == by_hand(case, second)
    assert len(asked) <= 2 < everything


def test_classes_that_a_row_names_twice_count_once(tmp_path: Path) -> None:
    case = good("classification")
    case.raw["guideline"]["multiple"] = True
    case.rows["train"][0]["labels"] = ["warm", "warm", "cold"]
    case.rows["train"][1]["labels"] = []
    build = read(case.write(tmp_path))
    assert tally(build) == by_hand(case, build)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    build = read(good("classification").write(tmp_path))
    (build.recipe.build / "memo").write_text("a file")
    with pytest.raises(AssayError, match="cannot be written"):
        tally(build)
