"""The flat frames: one line per row, class, split and stage, and what is missing said with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from pipeline import store
from pipeline.contract import contract
from pipeline.gate.frame import Frame
from pipeline.gate.frames import frames
from pipeline.gate.lessons import Tokens
from pipeline.gate.sample import Case, Words, good

if TYPE_CHECKING:
    from pathlib import Path


def made(case: Case, folder: Path, tokenizer: Any = Words) -> dict[str, Frame]:
    recipe = case.write(folder)
    stages = ("ingest", "audit", "augment", "split")
    reports = {name: store.read_report(recipe.build / name) or {} for name in stages}
    return frames(recipe, reports, contract(case.task).schema, case.earlier, tokens=Tokens(tokenizer))


@pytest.mark.parametrize("task", ["classification", "tagging", "chat"])
def test_frames_are_flat_and_whole(tmp_path: Path, task: str) -> None:
    found = made(good(task), tmp_path)
    assert {name: len(frame.table) for name, frame in found.items() if name != "classes"} == {
        "rows": 42,
        "splits": 3,
        "stages": 4,
        "summary": 1,
        "checks": 1,
        "change": 1,
    }
    for frame in found.values():
        assert not any(isinstance(value, list | dict) for column in frame.table for value in frame.table[column])


def test_classes_count_rows_of_every_split_and_name_those_that_are_absent(tmp_path: Path) -> None:
    case = good("classification")
    case.raw["guideline"]["label"].append({"name": "unseen"})
    table = made(case, tmp_path)["classes"].table.set_index("id")
    assert table.to_dict("index")["unseen"] == {"train": 0, "validation": 0, "test": 0}
    assert {split: int(table[split].sum()) for split in table} == {"train": 30, "validation": 6, "test": 6}


def test_official_split_has_no_wanted_share_and_says_so(tmp_path: Path) -> None:
    case = good("classification")
    case.raw["ingest"]["source"][0]["split"] = "train"
    frame = made(case, tmp_path)["splits"]
    assert bool(frame.table["deviation"].isna().all())
    assert "official split" in frame.why["deviation"]


def test_schema_that_differs_breaks_the_row_frames_with_a_reason(tmp_path: Path) -> None:
    case = good("classification")
    schema = contract("classification").schema
    case.schemas["test"] = schema.remove(schema.get_field_index("group"))
    found = made(case, tmp_path)
    assert "no column 'group'" in found["rows"].broken
    assert found["splits"].table["schema_differences"].tolist() == ["", "", "no column 'group'"]


def test_row_that_cannot_be_encoded_teaches_nothing_and_is_told(tmp_path: Path) -> None:
    from pipeline.errors import AssayError

    class Picky(Words):
        def __call__(self, *texts: str | list[str], **options: Any) -> Any:
            if "unheard" in str(texts):
                raise AssayError("tokenizer", "unheard of")
            return super().__call__(*texts, **options)

    case = good("classification")
    case.rows["test"][0]["text"] = "an unheard word stands here"
    frame = made(case, tmp_path, Picky)["rows"]
    id_ = case.rows["test"][0]["id"]
    assert frame.table.set_index("id").loc[id_, "learned"] == 0
    assert frame.evidence["learned"] == {id_: "cannot be encoded: tokenizer: unheard of"}


def test_made_row_without_parents_is_an_orphan(tmp_path: Path) -> None:
    case = good("classification")
    case.rows["train"][-1]["parents"] = []
    table = made(case, tmp_path)["rows"].table.set_index("id")
    assert table["parent_outside_train"].sum() == 1
    assert bool(table.loc[case.rows["train"][-1]["id"], "parent_outside_train"])


def test_decisions_that_are_not_in_force_are_counted_and_named(tmp_path: Path) -> None:
    case = good("classification")
    case.reports["audit"]["details"]["decisions"] |= {"stale": ["d:1: a", "d:2: b"], "without_effect": ["d:3: c"]}
    frame = made(case, tmp_path / "a")["summary"]
    assert frame.table["decisions_misfit"].tolist() == [3.0]
    assert frame.evidence["decisions_misfit"] == {"selftest": "d:1: a; d:2: b; d:3: c"}
    del case.reports["audit"]["details"]["decisions"]["without_effect"]
    frame = made(case, tmp_path / "b")["summary"]
    assert bool(frame.table["decisions_misfit"].isna().all())
    assert "run it again" in frame.why["decisions_misfit"]


def test_stages_tell_what_is_unaccounted_and_why_rows_were_rejected(tmp_path: Path) -> None:
    case = good("classification")
    case.reports["ingest"]["counts"]["joined"] = 3
    frame = made(case, tmp_path)["stages"]
    assert frame.table["unaccounted"].tolist() == [3, 0, 0, 0]
    assert frame.evidence["rejected_share"]["audit"] == "tied 3"
    assert isinstance(frame.table, pd.DataFrame)


def test_without_a_plan_nothing_was_asked_and_that_is_said(tmp_path: Path) -> None:
    frame = made(good("classification"), tmp_path)["checks"]
    assert bool(frame.table["over"].isna().all())
    assert frame.why["over"] == "nobody has asked for a check (assay audit-plan selftest)"


def test_checks_have_a_line_for_overall_and_for_every_stratum(tmp_path: Path) -> None:
    case = good("classification")
    case.plan = {"at_most": 0.4, "by": ["label"]}
    frame = made(case, tmp_path)["checks"]
    assert frame.table["id"].tolist() == ["overall", "label cold", "label warm"]
    assert frame.table["over"].tolist() == [2.5, 2.5, 2.5]
    assert frame.evidence["over"]["overall"].startswith("overall: none of 40 rows is checked yet")


def test_checks_that_cannot_be_read_break_their_frame_and_no_other(tmp_path: Path) -> None:
    case = good("classification")
    case.plan, case.checks = {}, [{"row": "made/1"}]
    found = made(case, tmp_path)
    assert "checks.jsonl:1: the check has no verdict" in found["checks"].broken
    assert not found["rows"].broken
