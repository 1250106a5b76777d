"""Relabelling: what another guideline touches is listed, each part for one reason, and nothing else is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import decisions, flow, recipe, reviewing, versions
from pipeline.errors import AssayError
from pipeline.relabelling import changes, needed
from pipeline.settings import Guideline, Label
from tests.small import ALONE, jsonl, made

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

HEAD = """
task = "{task}"
[ingest]
[[ingest.source]]
name = "s"
files = ["rows.jsonl"]
format = "jsonl"
columns = {{ id = "id", text = "text", {answer} = "{answer}", annotator = "who", guideline = "guideline" }}
[audit]
consensus = "majority"
duplicates = "off"
suspects = "off"
[guideline]
version = "{version}"
"""


def guideline(*labels: Label) -> str:
    told = []
    for label in labels:
        told.append(f'[[guideline.label]]\nname = "{label.name}"\ndefinition = "{label.definition}"')
        told.append(f"examples = {json.dumps(label.examples)}\naliases = {json.dumps(label.aliases)}")
    return "\n".join(told)


def label(name: str, definition: str = "", *examples: str, aliases: tuple[str, ...] = ()) -> Label:
    return Label(name=name, definition=definition, examples=examples, aliases=aliases)


OLD = (label("club", "a sports club"), label("city", "a place"), label("team"), label("bar"))
NEW = (
    label("club", "a club of any kind"),
    label("city", "a place"),
    label("side", aliases=("team",)),
    label("pub", "x", "the anchor"),
)


def test_what_became_of_each_label() -> None:
    found = changes(Guideline(label=OLD), Guideline(label=NEW))
    assert [(one.label, one.what) for one in found] == [
        ("club", "redefined"), ("team", "renamed"), ("bar", "gone"), ("pub", "added")
    ]  # fmt: skip
    assert found[0].says == "definition: “a sports club” became “a club of any kind”"
    assert changes(Guideline(label=OLD), Guideline(label=tuple(reversed(OLD)))) == []


def run(folder: Path, kind: str, rows: list[dict[str, Any]], version: str, labels: tuple[Label, ...]) -> Recipe:
    answer = "spans" if kind == "tagging" else "label"
    toml = HEAD.format(task=kind, version=version, answer=answer) + guideline(*labels)
    one = made(folder, toml, {"rows.jsonl": jsonl(rows)})
    flow.build(one, ALONE)
    return one


def built(folder: Path, kind: str, rows: list[dict[str, Any]]) -> Recipe:
    one = run(folder, kind, rows, "1", OLD)
    versions.keep(one)
    return run(folder, kind, rows, "2", NEW)


def lines(one: Recipe) -> list[tuple[str, str, str, str, str]]:
    told = needed(one).lines.to_pylist()
    return sorted((line["id"], line["part"], line["given"], line["label"], line["kind"]) for line in told)


def said(number: int, text: str, label_: str, **more: Any) -> dict[str, Any]:
    return {"id": str(number), "text": text, "label": label_, "who": "a", "guideline": "1"} | more


ROWS = [
    said(1, "they play on Sundays", "club"),
    said(2, "a big town", "city"),
    said(3, "eleven of them", "team"),
    said(4, "we drank there", "bar"),
    said(5, "they read books", "club", guideline="2"),
    said(6, "met at The Anchor again", "city"),
    said(7, "or so they say", "city"), said(7, "or so they say", "city", who="b"),
    said(7, "or so they say", "club", who="c"),
    *(said(number, f"nothing to see {number}", "city") for number in range(10, 24)),
]  # fmt: skip


def test_answers_that_the_change_touches_and_no_others(tmp_path: Path) -> None:
    one = built(tmp_path, "classification", ROWS)
    assert lines(one) == [
        ("s/1", "", "club", "club", "redefined"),
        ("s/4", "", "bar", "bar", "gone"),
        ("s/6", "", "city", "pub", "example"),
        ("s/7", "", "city", "club", "rival"),
    ]
    found = needed(one)
    assert (found.before, found.after, found.new_already) == ("1", "2", 1)
    assert found.counts() == {"gone": 1, "redefined": 1, "rival": 1, "example": 1}


def test_what_was_decided_under_the_new_guideline_is_done(tmp_path: Path) -> None:
    one = built(tmp_path, "classification", ROWS)
    told = {"verdict": "fine", "who": "mo", "when": "2026-01-05", "why": "seen", "guideline": "2", "cause": "guideline"}
    decisions.add(one.decisions, [told | {"row": "s/1"}, told | {"row": "7"}])
    assert [line[0] for line in lines(one)] == ["s/4", "s/6"]
    assert needed(one).new_already == 3


def test_spans_are_touched_one_by_one(tmp_path: Path) -> None:
    def spans(text: str, *marks: tuple[str, str]) -> list[dict[str, Any]]:
        at = [(text.index(what), what, label_) for what, label_ in marks]
        return [{"start": start, "end": start + len(what), "label": label_} for start, what, label_ in at]

    texts: list[tuple[str, tuple[tuple[str, str], ...]]] = [
        ("😀 Arsenal in London", (("Arsenal", "club"), ("London", "city"))),
        ("at The Anchor with Ann", ()),
        *((f"nothing {number} to see", ()) for number in range(12)),
    ]
    rows = [
        {"id": str(at), "text": text, "spans": spans(text, *marks), "who": "a", "guideline": "1"}
        for at, (text, marks) in enumerate(texts)
    ]
    one = built(tmp_path, "tagging", rows)
    assert lines(one) == [("s/0", "2:9", "club", "club", "redefined"), ("s/1", "3:13", "O", "pub", "example")]


def test_a_guideline_that_changed_under_the_same_number_is_refused(tmp_path: Path) -> None:
    one = run(tmp_path, "classification", ROWS, "1", OLD)
    versions.keep(one)
    one = run(tmp_path, "classification", ROWS, "1", NEW)
    with pytest.raises(AssayError, match="still called version 1"):
        needed(one)


def test_without_a_version_to_compare_with_it_says_so(tmp_path: Path) -> None:
    one = run(tmp_path, "classification", ROWS, "1", OLD)
    with pytest.raises(AssayError, match="no version that was kept has another guideline"):
        needed(one)
    versions.keep(one)
    with pytest.raises(AssayError, match="no version that was kept has another guideline"):
        needed(recipe.load(one.folder / "recipe.toml"))


def test_what_is_to_be_labelled_again_stands_in_the_queue_until_it_is_decided(tmp_path: Path) -> None:
    one = built(tmp_path, "classification", ROWS)
    found = [line for line in reviewing.queue(one).lines.to_pylist() if line["kind"] == "relabel"]
    assert sorted((line["id"], line["given"], line["verdict"]) for line in found) == [
        ("s/1", "club", "ambiguous"),
        ("s/4", "bar", "wrong"),
        ("s/6", "city", "ambiguous"),
        ("s/7", "city", "ambiguous"),
    ]
    told = {"verdict": "fine", "who": "mo", "when": "2026-01-05", "why": "seen", "guideline": "2", "cause": "guideline"}
    decisions.add(one.decisions, [told | {"row": "s/1", "was": ["club"]}, told | {"row": "s/7"}])
    left = reviewing.open_lines(reviewing.queue(one), decisions.read(one.decisions)).lines
    assert set(left["id"].to_pylist()) & {"s/1", "s/4", "s/6", "s/7"} == {"s/4", "s/6"}


def test_what_was_decided_under_the_old_guideline_is_asked_again(tmp_path: Path) -> None:
    one = run(tmp_path, "classification", ROWS, "1", OLD)
    versions.keep(one)
    told = {"verdict": "fine", "who": "mo", "when": "2026-01-05", "why": "seen", "guideline": "1", "row": "s/1"}
    decisions.add(one.decisions, [told | {"was": ["club"]}])
    one = run(tmp_path, "classification", ROWS, "2", NEW)
    left = reviewing.open_lines(reviewing.queue(one), decisions.read(one.decisions)).lines
    assert "s/1" in left["id"].to_pylist()


@pytest.mark.parametrize(("version", "is_asked"), [("1", True), ("2", False)])
def test_a_rule_settles_what_a_guideline_touches_only_if_it_was_made_under_it(
    tmp_path: Path, version: str, *, is_asked: bool
) -> None:
    one = built(tmp_path, "classification", ROWS)
    rule = {"given": "club", "becomes": "pub", "phrases": ["play"]}
    told = {"verdict": "fine", "who": "mo", "when": "2026-01-05", "why": "seen", "guideline": version, "rule": rule}
    decisions.add(one.decisions, [told])
    left = reviewing.open_lines(reviewing.queue(one), decisions.read(one.decisions)).lines
    assert ("s/1" in left["id"].to_pylist()) == is_asked
