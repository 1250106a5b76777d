"""Shares of labels from the tables of the audit: by people, by votes, for copies, and into training and versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline import decisions, recipe, store, versions
from pipeline import finetune as stages
from pipeline.errors import AssayError
from pipeline.finetune import shares
from pipeline.tasks import canonical
from pipeline.tasks import task as task_named
from tests.finetune.conftest import BAD, FILLER, GOOD, pick
from tests.finetune.conftest import made as made_split
from tests.small import built, contents, csv, made, table

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from pipeline.recipe import Recipe

TOML = """
task = "classification"
[[ingest.source]]
name = "s"
files = ["rows.csv"]
format = "csv"
columns = {{ id = "id", text = "text", label = "label", annotator = "who" }}
[guideline]
multiple = {multiple}
[[guideline.label]]
name = "good"
[[guideline.label]]
name = "bad"
[audit]
consensus = "majority"
ambiguous = "keep"
ties = "keep"
suspects = "off"
[augment]
budget = {budget}
[[augment.edit]]
kind = "keyboard"
share = 0.3
[finetune]
model = "tiny"
learning_rate = 3e-3
bootstrap = 20
soft_labels = "{soft}"
"""


def toml(soft: str = "votes", *, multiple: bool = False, budget: float = 0.0) -> str:
    return TOML.format(soft=soft, multiple=str(multiple).lower(), budget=budget)


def line(row: str, verdict: str, **more: Any) -> dict[str, Any]:
    return {"row": row, "verdict": verdict, "who": "mo", "when": "2026-01-05", "why": "seen"} | more


def sides(one: Recipe) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for side in shares.SIDES for row in table(one, "split", side)}


def found(one: Recipe, asked: str = "votes") -> dict[str, dict[str, float]]:
    settings = one.settings
    lines = shares.read(one, task_named(settings.task, settings.guideline), asked).to_pylist()
    assert lines == sorted(lines, key=lambda each: (each["id"], -each["share"], each["label"]))
    known: dict[str, dict[str, float]] = {}
    for each in lines:
        known.setdefault(each["id"], {})[each["label"]] = each["share"]
    return known


FEW = [
    *("1,a fine day out,good,a", "1,a fine day out,good,b", "1,a fine day out,bad,c"),
    *("2,an awful thing indeed,bad,a", "2,an awful thing indeed,bad,b"),
    "3,nobody else read this,good,a",
    *("4,what a strange film,good,a", "4,what a strange film,bad,b"),
    *("5,they settled this one,good,a", "5,they settled this one,bad,b", "5,they settled this one,bad,c"),
    *("6,it may be either way,good,a", "6,it may be either way,good,b"),
    *("7,take this one out please,good,a", "7,take this one out please,bad,b", "7,take this one out please,bad,c"),
]


def test_shares_are_those_of_the_votes_but_for_what_people_decided(tmp_path: Path) -> None:
    one = made(tmp_path, toml(), {"rows.csv": csv("id,text,label,who", FEW)})
    told = [
        line("s/4", "ambiguous", shares={"bad": 0.75, "good": 0.25}),
        line("s/5", "wrong", answer=["good"]),
        line("s/6", "ambiguous"),
        line("s/7", "drop"),
    ]
    decisions.add(one.decisions, told)
    built(one, "split")
    assert found(one, "ambiguous") == {"s/4": {"bad": 0.75, "good": 0.25}}
    # Somebody called 6 ambiguous, and all its annotators say the same: that is its one answer.
    assert found(one) == {
        "s/1": {"good": 0.666667, "bad": 0.333333},
        "s/2": {"bad": 1.0},
        "s/4": {"bad": 0.75, "good": 0.25},
    }
    assert found(one, "off") == {}


def test_several_labels_have_a_share_each(tmp_path: Path) -> None:
    lines = ['1,a fine day out,"good,bad",a', "1,a fine day out,good,b", "2,nothing in it at all,,a"]
    lines += ['3,what a strange film,"good,bad",a', "3,what a strange film,good,b"]
    one = made(tmp_path, toml(multiple=True), {"rows.csv": csv("id,text,label,who", lines)})
    decisions.add(one.decisions, [line("s/3", "ambiguous", part="bad", shares={"yes": 0.4, "no": 0.6})])
    built(one, "split")
    assert found(one) == {"s/1": {"good": 1.0, "bad": 0.5}, "s/3": {"bad": 0.4}}


def test_gold_is_no_matter_of_votes(tmp_path: Path) -> None:
    text = toml().replace("annotator =", 'gold = "gold", annotator =')
    lines = [one + ("," if "1," in one[:2] else ",good") for one in FEW[:5]]
    one = made(tmp_path, text, {"rows.csv": csv("id,text,label,who,gold", lines)})
    built(one, "split")
    assert set(found(one)) == {"s/1"}


def test_duplicates_vote_together_and_a_decision_holds_for_what_they_became(tmp_path: Path) -> None:
    twin = ["8,A fine day out!,good,d", "9,an awful thing INDEED,bad,d"]
    one = made(tmp_path, toml(), {"rows.csv": csv("id,text,label,who", [*FEW[:5], *twin])})
    decisions.add(one.decisions, [line("s/9", "fine")])
    built(one, "split")
    assert found(one) == {"s/1": {"good": 0.75, "bad": 0.25}}


DOUBTED = tuple(f"/{number}" for number in range(2, 240, 3))


def crowd(number: int) -> list[str]:
    """A text that says good, bad, or both; three people voted on it."""
    kind = number % 3
    words = [pick(FILLER, number, place) for place in range(5)]
    words[1] = pick(BAD[:6] if kind == 1 else GOOD[:6], number)
    words[3] = pick(BAD[:6] if kind else GOOD[:6], number, "second")
    said = {0: ("good",) * 3, 1: ("bad",) * 3, 2: ("good", "good", "bad")}[kind]
    return [f"{number},{' '.join(words)} {number},{label},{who}" for who, label in zip("abc", said, strict=True)]


def crowded(folder: Path, soft: str, *, budget: float = 0.0, rows: int = 240, epochs: int = 8) -> Recipe:
    text = "\n".join(entry for number in range(rows) for entry in crowd(number))
    told = toml(soft, budget=budget) + f"cpu_epochs = {epochs}\nepochs = {epochs}\nevaluations_per_epoch = 1\n"
    told = told.replace('suspects = "off"', 'suspects = "off"\nduplicates = "exact"')
    told += "[split]\nnear_duplicates = false\n"
    return made(folder, told, {"rows.csv": csv("id,text,label,who", [text])})


def test_copies_have_the_shares_of_the_row_they_were_made_of(tmp_path: Path) -> None:
    one = crowded(tmp_path, "votes", budget=0.5, rows=60)
    built(one, "split")
    known, rows = found(one), sides(one)
    copies = [row for row in rows.values() if row["made_by"]]
    assert len(copies) > 10
    assert all(known[row["id"]] == known[row["parents"][0]] for row in copies)
    assert set(known) == set(rows)
    assert shares.copies(one.build / "split") == {row["id"] for row in copies}


def test_a_copy_with_another_answer_inherits_nothing(tmp_path: Path) -> None:
    one = crowded(tmp_path, "votes", budget=0.5, rows=60)
    built(one, "split")
    rows = table(one, "split", "train")
    changed = next(row for row in rows if row["made_by"])
    changed["labels"] = ["bad"] if changed["labels"] == ["good"] else ["good"]
    schema = store.whole_table(one.build / "split", "train").schema
    report = store.read_report(one.build / "split")
    assert report is not None
    for file in report["tables"]["train"]["files"]:
        (one.build / "split" / file["name"]).unlink()
    again = store.Table(one.build / "split", "train", schema, 50_000)
    again.write(pa.RecordBatch.from_pylist(rows, schema=schema))
    again.close()
    known = found(one)
    assert changed["id"] not in known
    assert changed["parents"][0] in known


def test_soft_training_comes_nearer_to_the_votes_and_says_what_it_learned(tmp_path: Path, console: Console) -> None:
    near = {}
    for soft in ("off", "votes"):
        one = crowded(tmp_path / soft, soft)
        built(one, "split")
        trained, scored = stages.finetune(one, console=console), stages.evaluate(one, console=console)
        test = scored["details"]["scores"]["test"]
        near[soft] = test["shares"]
        told = trained["details"]["soft_labels"]
        card = (one.build / "finetune" / "model" / "README.md").read_text(encoding="utf-8")
        assert ("Soft labels (`votes`)" in card) == (soft == "votes")
        assert "How near the probabilities come to the shares" in card
        if soft == "off":
            assert told is None
            continue
        assert told["rows"] == trained["counts"]["rows_encoded"] == told["by"]["votes"]
        assert told["in_doubt"] == sum(row["id"].endswith(DOUBTED) for row in table(one, "split", "train"))
        assert "0 by what people said" in console.file.getvalue()  # type: ignore[attr-defined]
    assert near["off"]["n"] == near["votes"]["n"] == test["n"]
    assert near["votes"]["metrics"]["cross_entropy"]["value"] < near["off"]["metrics"]["cross_entropy"]["value"]
    assert near["votes"]["metrics"]["cross_entropy"]["value"] > near["votes"]["entropy"]
    assert near["votes"]["metrics"]["brier"]["low"] < near["votes"]["metrics"]["brier"]["high"]


def test_shares_that_change_no_row_make_a_soft_model_old_and_no_hard_one(tmp_path: Path, console: Console) -> None:
    for soft, fresh in (("off", False), ("ambiguous", True)):
        one = crowded(tmp_path / soft, soft, rows=30, epochs=1)
        reports = built(one, "split")
        stages.finetune(one, console=console)
        row = table(one, "split", "train")[0]["id"]
        decisions.add(one.decisions, [line(row, "ambiguous", shares={"bad": 0.5, "good": 0.5})])
        assert built(one, "split")["split"]["tables"] == reports["split"]["tables"]
        again = stages.finetune(one, console=console)
        assert again["fresh"] == fresh
        assert (again["details"]["soft_labels"] or {}).get("by") == ({"people": 1, "votes": 0} if fresh else None)


def test_a_build_without_the_tables_trains_on_its_answers(tmp_path: Path, console: Console) -> None:
    one = made_split(tmp_path, "sequence", train=40, held_out=10, epochs=1, soft_labels="votes")
    told = stages.finetune(one, console=console)["details"]["soft_labels"]
    assert told == {
        "rows": 0,
        "in_doubt": 0,
        "by": {"people": 0, "votes": 0},
        "copies": 0,
        "with_unknown_labels": 0,
    }
    assert stages.evaluate(one, console=console)["details"]["scores"]["test"]["shares"] is None


def test_several_labels_are_learned_as_their_shares(tmp_path: Path, console: Console) -> None:
    one = made_split(tmp_path, "multilabel", train=40, held_out=10, epochs=1, soft_labels="votes")
    said = [("made/1", ["good"]), ("made/1", []), ("made/2", ["bad"]), ("made/2", ["bad"]), ("made/3", ["good"])]
    said += [(f"made/{number}", labels) for number in range(50, 60) for labels in (["bad"], ["bad", "good"], [])]
    lines = [{"counts_for": row, "answer": canonical(labels), "verdict": "counted"} for row, labels in said]
    (one.build / "audit").mkdir()
    voted = store.Table(one.build / "audit", "annotations", shares.VOTED, 50_000)
    voted.write(pa.RecordBatch.from_pylist(lines, schema=shares.VOTED))
    store.write_report(one.build / "audit", {"tables": {"annotations": voted.close()}})
    told = stages.finetune(one, console=console)["details"]["soft_labels"]
    assert (told["rows"], told["in_doubt"], told["with_unknown_labels"]) == (2, 1, 0)
    near = stages.evaluate(one, console=console)["details"]["scores"]["test"]["shares"]
    assert (near["n"], near["in_doubt"], near["by"]) == (10, 10, {"people": 0, "votes": 10})
    assert near["entropy"] == pytest.approx(-(np.log(2 / 3) * 2 + np.log(1 / 3)) / 3, abs=1e-5)


@pytest.mark.parametrize("head", ["token", "causal", "number"])
def test_shares_are_for_labels_of_whole_rows(tmp_path: Path, console: Console, head: str) -> None:
    one = made_split(tmp_path, head, train=8, held_out=2, soft_labels="ambiguous")
    with pytest.raises(AssayError, match=r"\[finetune\].*labels of whole rows.*soft_labels = \"off\""):
        stages.finetune(one, console=console)


def test_a_version_carries_the_shares_beside_its_rows(tmp_path: Path) -> None:
    from datasets import load_dataset

    text = toml() + "[split]\ntrain = 0.5\nvalidation = 0.25\ntest = 0.25\n"
    one = made(tmp_path, text, {"rows.csv": csv("id,text,label,who", FEW)})
    decisions.add(one.decisions, [line("s/4", "ambiguous", shares={"bad": 0.75, "good": 0.25})])
    built(one, "split")
    held = versions.keep(one)
    rows = load_dataset(str(held.folder), cache_dir=str(tmp_path / "cache"))
    names = {row["id"] for side in rows.values() for row in side}
    told = load_dataset(str(held.folder), "shares", split="shares", cache_dir=str(tmp_path / "cache"))
    assert {(each["id"], each["label"]): each["share"] for each in told}["s/4", "bad"] == 0.75
    assert {each["id"] for each in told} < names
    assert "## Shares of labels" in (held.folder / "README.md").read_text(encoding="utf-8")
    before = contents(held.folder)
    assert contents(versions.keep(one).folder) == before
    path = one.folder / "recipe.toml"
    path.write_text(path.read_text().replace('soft_labels = "votes"', 'soft_labels = "off"'))
    other = versions.keep(recipe.load(path))
    lines = load_dataset(str(other.folder), "shares", split="shares", cache_dir=str(tmp_path / "cache2"))
    assert set(lines["id"]) == {"s/4"}
