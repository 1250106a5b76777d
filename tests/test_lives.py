"""The life of a row, whatever became of it, by its id or its raw place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import AssayError
from pipeline.lives import Event, life
from tests.small import CSV, LABELS, built, csv, made, table

if TYPE_CHECKING:
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
    assert events["annotations"] == ['2 answers\nann: ["bad"]\nbob: ["good"]']
    assert events["split"][0].startswith("dealt to ")


def test_a_decision_says_who_and_why(one: Recipe) -> None:
    assert told(life(one, "s/2"))["decisions"] == [
        'mo decided \'wrong\', ["good"] became ["bad"] on 2026-01-05: late after all\ndecisions.jsonl:1'
    ]


def test_a_row_that_was_merged_or_rejected_and_why(one: Recipe) -> None:
    assert (
        "REJECTED: merged_duplicate\nsame input and answer as s/4 (rows.csv:6)" in told(life(one, "s/21"))["audit"][0]
    )
    assert "stands also for rows.csv:23" in told(life(one, "s/4"))["audit"][0]
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
