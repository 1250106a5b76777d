"""The life of a row, whatever became of it, by its id or its raw place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from pipeline import decisions, store
from pipeline.errors import AssayError
from pipeline.finetune.judge import PREDICTIONS
from pipeline.lives import Event, life
from tests.small import CSV, LABELS, built, csv, made, table

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

LINES = [f"{n},the boat left harbour {n} on time,{('good', 'bad')[n % 2]},ann" for n in range(20)]
MORE = [
    "1,the boat left harbour 1 on time,good,bob", "21,The boat left harbour 4 on time!,good,ann",
    "22,[red]not markup[/red] 'quoted',soso,ann", "23,only three",
]  # fmt: skip
TOML = CSV.replace('label" }', 'label", annotator = "who" }') + LABELS
EDITS = '[audit]\nties = "keep"\n[augment]\nbudget = 0.5\n[[augment.edit]]\nkind = "swap"\n'


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    decision = {"row": "s/2", "verdict": "wrong", "was": ["good"], "answer": ["bad"]}
    decision |= {"who": "mo", "when": "2026-01-05", "why": "late after all"}
    files = {"rows.csv": csv("id,text,label,who", [*LINES, *MORE]), "decisions.jsonl": json.dumps(decision)}
    made_one = made(tmp_path_factory.mktemp("lives"), TOML + EDITS, files)
    built(made_one, "split")
    return made_one


def told(events: list[Event]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for event in events:
        found.setdefault(event.stage, []).append("\n".join([event.what, *event.more]))
    return found


def test_a_kept_row_from_raw_to_side(one: Recipe) -> None:
    events = told(life(one, "s/1"))
    assert list(events) == [name for name in ("ingest", "annotations", "audit", "augment", "split") if name in events]
    assert events["ingest"][0].startswith("read from rows.csv:3\ntext: the boat left harbour 1 on time")
    assert events["annotations"] == ["2 answers\nann: bad\nbob: good"]
    assert events["split"][0].startswith("dealt to ")


def test_a_decision_says_who_and_why(one: Recipe) -> None:
    assert told(life(one, "s/2"))["decisions"] == [
        "mo decided 'wrong', good became bad on 2026-01-05: late after all\ndecisions.jsonl:1"
    ]


def test_stale_decisions_are_marked_and_who_settled_is_said_by_surface(tmp_path: Path) -> None:
    text = "🙂 新浪网 is here"
    about = {"row": "s/1", "part": "2:5", "was": "LOC", "when": "2026-01-05", "why": "seen", "text": text}
    two = [about | {"verdict": "wrong", "answer": "ORG", "who": "ada"}, about | {"verdict": "fine", "who": "ben"}]
    settles = [decisions.line_id(line) for line in two]
    last = about | {"verdict": "wrong", "answer": "PER", "who": "carl", "settles": settles}
    toml = """task = "tagging"
    [[ingest.source]]
    name = "s"
    files = ["rows.jsonl"]
    format = "jsonl"
    columns = { id = "id", text = "text", spans = "spans" }
    """

    def lives(now: str) -> list[str]:
        spans = [{"start": 2, "end": 5, "label": "LOC"}]
        told_of = "\n".join(json.dumps(line) for line in (*two, last))
        files = {"rows.jsonl": json.dumps({"id": "1", "text": now, "spans": spans}), "decisions.jsonl": told_of}
        one = made(tmp_path, toml, files)
        built(one, "audit")
        return told(life(one, "s/1"))["decisions"]

    ada, ben, carl = lives(text)
    assert ada.startswith("ada decided 'wrong' on 2:5 “新浪网”, LOC became ORG")
    assert [each.splitlines()[1:] for each in (ada, ben)] == [
        [f"decisions.jsonl:{n}", "settled by carl"] for n in (1, 2)
    ]
    assert carl.splitlines()[1:] == ["decisions.jsonl:3", "settles what ada, ben said"]
    stale = "stale, not followed: the text is another"
    assert [each.splitlines()[-1] for each in lives(text + ", they say")] == [stale] * 3


def test_a_row_that_was_merged_or_rejected_and_why(one: Recipe) -> None:
    compared, gone = told(life(one, "s/21"))["audit"]
    assert compared.startswith("compared, merged: 1\ns/4 (normalised 1.00")
    assert "REJECTED: merged_duplicate\nsame input and answer as s/4 (rows.csv:6)" in gone
    stays = told(life(one, "s/4"))
    assert "stands also for rows.csv:23" in stays["audit"][0]
    assert stays["audit"][1].startswith("compared, merged: 1\ns/21 (normalised 1.00")
    assert stays["annotations"][1].startswith("1 answers of rows that were merged into it\nof s/21: ann: ")
    odd = told(life(one, "s/22"))
    assert odd["annotations"] == [
        "1 answers\nann: 'soso': unknown_label: 'soso' is no label, alias or rating of guideline 1 [unknown_label]"
    ]
    assert odd["audit"][0].startswith("REJECTED: unknown_label")


def test_a_record_that_made_no_row_is_found_by_its_place(one: Recipe) -> None:
    (event,) = life(one, "rows.csv:25")
    assert (event.stage, event.what) == ("ingest", "REJECTED: wrong_columns")
    assert life(one, "rows.csv:3") == life(one, "s/1")


def test_a_copy_and_its_parent_know_one_another(one: Recipe) -> None:
    copy = table(one, "augment", "made")[0]
    (parent,) = copy["parents"]
    assert told(life(one, copy["id"]))["augment"][0].startswith(f"made from {parent} by swap")
    assert f"copy {copy['id']} made by " in "\n".join(told(life(one, parent))["augment"])


def test_an_unknown_row_names_those_alike(one: Recipe) -> None:
    assert life(one, "19") == life(one, "s/19")
    with pytest.raises(AssayError, match=r"^data set 'small': no row '/19'; perhaps s/19"):
        life(one, "/19")
    with pytest.raises(AssayError, match=r"no row '' OR 1=1 --'; ids stand in"):
        life(one, "' OR 1=1 --")


def evaluated(one: Recipe, *, split: dict[str, str], trained: str, **line: Any) -> None:
    """A trained model `k`, and what it is said to have answered to s/1."""
    said = {"id": "s/1", "split": "test", "gold": '["bad"]', "found": '["good"]', "right": False, "probability": 0.75}
    with store.replacing(one.build / "finetune") as folder:
        store.write_report(folder, {"stage": "finetune", "key": "k", "tables": {}, "details": {"split": split}})
    with store.replacing(one.build / "evaluate") as folder:
        predictions = store.Table(folder, "predictions", PREDICTIONS, 100)
        predictions.write(pa.RecordBatch.from_pylist([said | {"loss": 1.5} | line], schema=PREDICTIONS))
        details = {"split": split, "trained": trained}
        tables = {"predictions": predictions.close()}
        store.write_report(folder, {"stage": "evaluate", "key": "e", "tables": tables, "details": details})


def test_what_an_earlier_model_said_is_not_said_of_this_one(tmp_path: Path) -> None:
    one = made(tmp_path, TOML, {"rows.csv": csv("id,text,label,who", LINES)})
    tables = built(one, "split")["split"]["tables"]
    split = {side: tables[side]["content"] for side in ("train", "validation", "test")}
    evaluated(one, split=split, trained="k")
    assert told(life(one, "s/1"))["evaluate"] == ["the model says good: wrong, gold is bad\nprobability 0.750"]
    for of, trained in ((split | {"test": "another"}, "k"), (split, "another")):
        evaluated(one, split=of, trained=trained)
        (event,) = told(life(one, "s/1"))["evaluate"]
        assert event.startswith("an earlier model said good: wrong, gold was bad\n")
        assert event.endswith("the split or the model has changed since: assay finetune small, assay evaluate small")
    evaluated(one, split=split, trained="k", found=None, right=None, probability=None)
    assert told(life(one, "s/1"))["evaluate"] == ["the model was not asked for an answer\nloss 1.500"]
