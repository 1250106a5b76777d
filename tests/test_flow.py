"""The way from raw files to splits, end to end, and the counts that must meet."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import flow, store
from pipeline.errors import AssayError
from tests.conftest import ROOT
from tests.small import ALONE, CSV, LABELS, adds_up, built, csv, made, rejected, table

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

LINES = [f"{n},{text},{label}" for n, (text, label) in enumerate(
    [(f"the {noun} was {how} on day {day}", label)
     for day in range(8) for noun in ("ferry", "museum") for how, label in (("a joy", "good"), ("a disaster", "bad"))]
)]  # fmt: skip
BROKEN = [
    "0,the ferry was a joy on day 0,good",
    "90,just two",
    "91,The museum was a disaster on day 3!,bad",
    "92,x,soso",
]
EDITS = '[augment]\nbudget = 0.3\n[[augment.edit]]\nkind = "swap"\n'


def small(folder: Path) -> Recipe:
    return made(folder, CSV + LABELS + EDITS, {"rows.csv": csv("id,text,label", [*LINES, *BROKEN])})


def test_from_raw_to_split(tmp_path: Path) -> None:
    one = small(tmp_path)
    reports = built(one, "split")
    assert list(reports) == list(flow.NAMES) == ["ingest", "audit", "suspect", "augment", "split"]
    deciding = [reports[name] for name in flow.DECIDING]
    assert all(adds_up(report) for report in deciding)
    assert reports["suspect"]["counts"]["in"] == reports["audit"]["counts"]["kept"]
    for before, after in pairwise(deciding):
        assert after["counts"]["in"] == before["counts"]["kept"]
    assert rejected(one, "ingest") == [
        ("record:rows.csv:34", "repeated_record"),
        ("record:rows.csv:35", "wrong_columns"),
    ]
    assert rejected(one, "audit") == [("s/91", "merged_duplicate"), ("s/92", "unknown_label")]
    dealt = [row for side in ("train", "validation", "test") for row in table(one, "split", side)]
    gone = {id_ for id_, _ in rejected(one, "split")}
    every = {row["id"] for name in ("rows", "made") for row in table(one, "augment", name)}
    assert {row["id"] for row in dealt} | gone == every
    assert len(dealt) + len(gone) == len(every)
    for side in ("train", "validation", "test"):
        assert {row["split"] for row in table(one, "split", side)} <= {side}


def test_made_rows_name_parents_that_are_in_train(tmp_path: Path) -> None:
    one = small(tmp_path)
    built(one, "split")
    train = {row["id"] for row in table(one, "split", "train")}
    copies = [row for side in ("train", "validation", "test") for row in table(one, "split", side) if row["parents"]]
    assert copies
    assert all(set(row["parents"]) <= train and row["split"] == "train" and row["made_by"] for row in copies)


def test_the_ledger_adds_up_line_by_line(tmp_path: Path) -> None:
    one = small(tmp_path)
    built(one, "split")
    total = 0
    lines = flow.ledger(one)
    for line in lines[:-3]:
        if line.total:
            assert total in (0, line.count)
            total = line.count
        else:
            total += line.count
    assert [line.what for line in lines[-3:]] == ["in validation", "in test", "in train"]
    assert sum(line.count for line in lines[-3:]) == total
    assert lines[0] == flow.Line("ingest", "records read", len(LINES) + len(BROKEN), True)
    assert flow.Line("ingest", "wrong_columns", -1) in lines


def test_the_ledger_ends_with_the_split_where_the_model_is_of_another(tmp_path: Path) -> None:
    """As many rows, other ones: what an earlier model learned from is no part of this ledger."""
    one = small(tmp_path)
    split = built(one, "split")["split"]
    rows = split["tables"]["train"]["rows"]
    counts = {"rows": rows, "sampled_out": 0, "rows_that_teach_nothing": 1, "rows_learned_from": rows - 1}
    contents = {side: split["tables"][side]["content"] for side in ("train", "validation", "test")}
    details = {"ledger": counts | {"tokens": 90, "learned_targets": 9}, "split": contents}
    folder = one.build / "finetune"
    folder.mkdir()
    store.write_report(folder, {"stage": "finetune", "key": "k", "tables": {}, "details": details})
    assert [line.count for line in flow.ledger(one) if line.stage == "finetune"] == [-1, rows - 1, 90, 9]
    details["split"] = contents | {"test": "of another deal"}
    store.write_report(folder, {"stage": "finetune", "key": "k", "tables": {}, "details": details})
    assert [line for line in flow.ledger(one) if line.stage == "finetune"] == []


def test_a_ledger_of_nothing_and_of_stages_that_do_not_meet(tmp_path: Path) -> None:
    one = small(tmp_path)
    with pytest.raises(AssayError, match=r"^data set 'small': nothing was built yet; assay run small$"):
        flow.ledger(one)
    built(one, "audit")
    path = one.build / "audit" / store.REPORT
    report: dict[str, Any] = json.loads(path.read_text())
    report["counts"]["in"] += 1
    path.write_text(json.dumps(report))
    with pytest.raises(AssayError, match="audit took in 35 rows, but the stage before kept 34"):
        flow.ledger(one)


def test_stages_only_up_to_the_last_and_progress_is_told(tmp_path: Path) -> None:
    one, told = small(tmp_path), {}

    def begin(name: str) -> Any:
        told[name] = 0
        return lambda rows: told.update({name: told[name] + rows})

    flow.build(one, ALONE, last="audit", begin=begin)
    assert told == {"ingest": 36, "audit": 34}
    assert list(flow.reports(one)) == ["ingest", "audit"]


@pytest.mark.parametrize("sample", ["tagging/en.jsonl", "tagging/zh.bmes", "chat/en.jsonl", "chat/zh.jsonl"])
def test_the_samples_of_every_task(tmp_path: Path, sample: str) -> None:
    task, name = sample.split("/")
    shape = {"en.jsonl": "jsonl", "zh.bmes": "conll", "chat/en.jsonl": "messages", "chat/zh.jsonl": "sharegpt"}
    format = shape.get(sample) or shape[name]
    key = "" if format == "conll" else 'columns = { id = "id" }\n'
    source = f'task = "{task}"\n[[ingest.source]]\nname = "s"\nfiles = ["{name}"]\nformat = "{format}"\n{key}'
    content = (ROOT / "data" / "samples" / sample).read_bytes()
    one = made(tmp_path, source + "[audit]\nbootstrap = 10\n", {name: content})
    reports = built(one, "split")
    assert all(adds_up(reports[name]) for name in flow.DECIDING)
    assert reports["audit"]["counts"]["kept"] >= 0.5 * reports["ingest"]["counts"]["kept"] > 5
