"""Relabelling: what another guideline touches is listed, each part for one reason, and nothing else is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import decisions, flow, recipe, reviewing, stage, store, versions
from pipeline.errors import AssayError
from pipeline.relabelling import changes, is_unchanged, needed
from pipeline.relabelling.losing import labels_in
from pipeline.reviewing.desk import Desk
from pipeline.settings import Guideline, Label
from pipeline.suspecting import SUSPECTS
from tests.reviewing.queues import a_suspect
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


BIO = """
task = "tagging"
[ingest]
[[ingest.source]]
name = "s"
files = ["rows.jsonl"]
format = "jsonl"
columns = {{ id = "id", tokens = "tokens", tags = "tags", annotator = "who" }}
[audit]
consensus = "majority"
duplicates = "off"
suspects = "off"
[guideline]
version = "{version}"
"""


def twice(folder: Path, toml: str, rows: list[dict[str, Any]], old: str, new: str) -> Recipe:
    """A data set that was built and kept under one guideline, and built under another."""
    one = made(folder, toml.format(version=1) + old, {"rows.jsonl": jsonl(rows)})
    flow.build(one, ALONE)
    versions.keep(one)
    one = made(folder, toml.format(version=2) + new, {"rows.jsonl": jsonl(rows)})
    flow.build(one, ALONE)
    return one


def test_labels_that_are_gone_are_found_in_tags(tmp_path: Path) -> None:
    tagged = [("1", "B-PER O B-BAR I-BAR", "a"), ("2", "O O O B-PER", "a")]
    rows = [
        {"id": id_, "tokens": ["Ann", "saw", "New", "😀Pub"], "tags": tags.split(), "who": who}
        for id_, tags, who in tagged
    ]
    old, new = guideline(label("PER"), label("BAR")), guideline(label("PER"))
    one = twice(tmp_path, BIO, rows, old, new)
    (line,) = needed(one).lines.to_pylist()
    assert (line["id"], line["part"], line["label"], line["kind"]) == ("s/1", "", "BAR", "gone")
    assert json.loads(line["given"]) == [[0, 3, "PER"], [8, 16, "BAR"]]
    assert "“New 😀Pub” at 8:16 was BAR" in line["why"]
    told = {"row": "s/1", "verdict": "wrong", "answer": [[0, 3, "PER"]], "who": "mo", "when": "2026-01-05", "why": "x"}
    decisions.add(one.decisions, [told | {"guideline": "2"}])
    assert needed(one).lines.num_rows == 0
    flow.build(one, ALONE)
    assert needed(one).lines.num_rows == 0


def test_an_annotator_who_gave_what_is_gone_is_told_where_the_others_are_followed(tmp_path: Path) -> None:
    rows = [
        {"id": "1", "tokens": ["Ann", "Pub"], "tags": ["B-PER", tag], "who": who}
        for who, tag in (("a", "O"), ("b", "O"), ("c", "B-BAR"))
    ]
    one = twice(tmp_path, BIO, rows, guideline(label("PER"), label("BAR")), guideline(label("PER")))
    (line,) = needed(one).lines.to_pylist()
    assert (line["id"], line["kind"], line["why"]) == ("s/1", "lost", "c gave BAR: there is no such label any more")


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ('["B-LOC", "I-LOC", "O"]', ["LOC"]),
        ("O B-LOC E-LOC", ["LOC"]),
        ('[[0, 4, "LOC"], [5, 6, "PER"]]', ["LOC"]),
        ('[{"start": 0, "end": 4, "label": "place"}]', ["LOC"]),
        ('{"labels": ["x", "very bad"]}', ["very bad"]),
        ("very bad", ["very bad"]),
        ("x|very bad", ["very bad"]),
        ('{"LOC": 0.4, "PER": 0.6}', ["LOC"]),
        ("Cause-Effect(e2,e1)", ["Cause-Effect"]),
        ('[[0, 1, "Cause-Effect"]]', ["Cause-Effect"]),
        ("PERLOC", []),
        ('["B-LOCAL"]', []),
        ("[" * 5000, []),
    ],
)
def test_labels_that_are_gone_are_found_however_they_were_delivered(given: str, found: list[str]) -> None:
    spelled = {"LOC": "LOC", "place": "LOC", "very bad": "very bad", "Cause-Effect": "Cause-Effect"}
    assert list(dict.fromkeys(labels_in(given, spelled))) == found


MULTIPLE = (
    HEAD.replace('{answer} = "{answer}"', 'labels = "labels"')
    .replace("{task}", "classification")
    .replace('version = "{version}"', 'multiple = true\nversion = "{version}"')
)


def test_labels_of_many_are_asked_about_one_by_one_and_what_is_gone_as_a_whole(tmp_path: Path) -> None:
    told = [("1", ["club", "city"]), ("2", ["bar", "city"]), ("3", ["city"]), ("4", ["city"])]
    rows = [{"id": id_, "text": f"a text {id_} at the anchor" if id_ == "3" else f"text {id_}", "labels": labels,
             "who": "a", "guideline": "1"} for id_, labels in told]  # fmt: skip
    one = twice(tmp_path, MULTIPLE, rows, guideline(*OLD), guideline(*NEW))
    found = sorted(needed(one).lines.to_pylist(), key=lambda line: str(line["id"]))
    assert [(line["id"], line["part"], line["given"], line["likely"], line["kind"]) for line in found] == [
        ("s/1", "club", "yes", "", "redefined"),
        ("s/2", "", '["bar","city"]', "", "gone"),
        ("s/3", "pub", "no", "yes", "example"),
    ]
    fine = {
        "row": "s/1",
        "part": "club",
        "was": "yes",
        "verdict": "fine",
        "who": "mo",
        "when": "2026-01-05",
        "why": "x",
    }
    decisions.add(one.decisions, [fine | {"guideline": "2"}])
    assert sorted(line["id"] for line in needed(one).lines.to_pylist()) == ["s/2", "s/3"]
    left = reviewing.open_lines(reviewing.queue(one), decisions.read(one.decisions)).lines
    assert "s/1" not in left["id"].to_pylist()


RELATING = """
task = "relations"
[ingest]
[[ingest.source]]
name = "s"
files = ["rows.jsonl"]
format = "jsonl"
columns = {{ id = "id", text = "text", entities = "entities", relations = "relations" }}
[audit]
duplicates = "off"
suspects = "off"
[guideline]
version = "{version}"
"""


def test_relations_are_touched_as_a_whole(tmp_path: Path) -> None:
    ends = [{"start": 0, "end": 3, "label": "PER"}, {"start": 7, "end": 11, "label": "ORG"}]
    names_ = ("works", "owns", "owns", "left")
    rows = [
        {"id": str(at), "text": f"Zoe of Acme {at}", "entities": ends, "relations": [[0, 1, name]]}
        for at, name in enumerate(names_)
    ]
    old = guideline(label("works", "is paid"), label("owns", "has it"), label("left"))
    new = guideline(label("works", "is paid or helps"), label("owns", "has it"))
    one = twice(tmp_path, RELATING, rows, old, new)
    found = sorted((line["id"], line["part"], line["label"], line["kind"]) for line in needed(one).lines.to_pylist())
    assert found == [("s/0", "", "works", "redefined"), ("s/3", "", "left", "gone")]


TWO = [("Arsenal", "club"), ("Leeds", "club")]


def two_spans(folder: Path) -> Recipe:
    """Rows with two spans, both of a label that means something else now."""
    text = "Arsenal beat Leeds"
    spans = [{"start": text.index(what), "end": text.index(what) + len(what), "label": name} for what, name in TWO]
    rows = [{"id": str(at), "text": f"{text} {at}", "spans": spans, "who": "a", "guideline": "1"} for at in range(3)]
    return built(folder, "tagging", rows)


def parts_of(one: Recipe) -> list[tuple[str, str]]:
    return sorted((line["id"], line["part"]) for line in needed(one).lines.to_pylist())


SEEN = {"who": "mo", "when": "2026-01-05", "why": "seen", "guideline": "2"}
ALL = [(f"s/{at}", part) for at in range(3) for part in ("0:7", "13:18")]


def test_a_decision_takes_its_part_off_the_list_and_one_on_the_row_all_of_it(tmp_path: Path) -> None:
    one = two_spans(tmp_path)
    assert parts_of(one) == ALL
    part = {"row": "s/0", "part": "0:7", "was": "club", "verdict": "fine"}
    whole = {"row": "1", "verdict": "fine"}
    old = {"row": "s/2", "part": "0:7", "was": "club", "verdict": "fine", "guideline": "1"}
    stale = {"row": "s/2", "part": "13:18", "was": "city", "verdict": "fine"}
    other = {"row": "s/2", "part": "0:7", "was": "club", "verdict": "fine", "text": "another text"}
    decisions.add(one.decisions, [SEEN | part, SEEN | whole, SEEN | old, SEEN | stale, SEEN | other | {"who": "bo"}])
    assert parts_of(one) == [("s/0", "13:18"), ("s/2", "0:7"), ("s/2", "13:18")]
    assert needed(one).new_already == 2


@pytest.mark.parametrize("verdict", ["fine", "wrong"])
@pytest.mark.parametrize("version", ["1", "2"])
def test_a_rule_takes_the_parts_off_that_it_speaks_of_if_it_was_made_under_the_new_guideline(
    tmp_path: Path, version: str, verdict: str
) -> None:
    one = two_spans(tmp_path)
    rule = {"given": "club", "becomes": "pub", "surfaces": ["ARSENAL"]}
    decisions.add(one.decisions, [SEEN | {"rule": rule, "verdict": verdict, "guideline": version}])
    left = ALL if version == "1" else [key for key in ALL if key[1] == "13:18"]
    assert parts_of(one) == left
    flow.build(one, ALONE)
    assert parts_of(one) == left
    waiting = reviewing.queue(one)
    still = reviewing.open_lines(waiting, decisions.read(one.decisions)).lines
    asked = {(line["id"], line["part"]) for line in still.to_pylist() if line["kind"] == "relabel"}
    assert asked == set(left)
    desk = Desk(one, waiting)
    undone = ~desk.done("anna")
    kinds = desk.lines["kind"].to_pylist()
    assert {desk.key(at) for at in range(len(kinds)) if undone[at] and kinds[at] == "relabel"} == set(left)


def test_a_new_label_is_found_by_texts_like_its_examples_and_by_what_its_definition_quotes(tmp_path: Path) -> None:
    rows = [
        said(1, "we drank cold beer there until late on Friday", "city"),
        said(2, "they sell 啤酒 here", "city"),
        said(3, "we drank cold water at home", "city"),
        *(said(number, f"nothing to see {number}", "city") for number in range(10, 22)),
    ]
    old = (label("city"), label("bar"))
    new = (label("city"), label("bar"), label("pub", "where “啤酒” is sold", "we drank cold beer there on a Friday"))
    one = run(tmp_path, "classification", rows, "1", old)
    versions.keep(one)
    one = run(tmp_path, "classification", rows, "2", new)
    found = {line["id"]: line for line in needed(one).lines.to_pylist()}
    assert {id_: (line["kind"], line["likely"], line["given"]) for id_, line in found.items()} == {
        "s/1": ("alike", "pub", "city"),
        "s/2": ("example", "pub", "city"),
    }
    assert found["s/1"]["why"].startswith("70% of its words are those of “we drank cold beer")


def test_a_new_label_is_found_where_other_rows_speak_for_it(tmp_path: Path) -> None:
    one = built(tmp_path, "classification", ROWS)
    with store.replacing(one.build / "suspect") as place:
        table = store.Table(place, "suspects", SUSPECTS, 50_000)
        doubted = [a_suspect("s/10", "city", "pub", 0.8), a_suspect("s/11", "city", "club", 0.8)]
        table.write(stage.batch_of(doubted, SUSPECTS))
        store.write_report(place, {"stage": "suspect", "key": "x", "tables": {"suspects": table.close()}})
    found = [line for line in needed(one).lines.to_pylist() if line["kind"] == "model"]
    assert [(line["id"], line["likely"]) for line in found] == [
        ("s/10", "pub")
    ]  # of redefined ones it knows the old sense
    assert "80% likely" in found[0]["why"]
    kinds = [line["kind"] for line in reviewing.queue(one).lines.to_pylist() if line["id"] == "s/10"]
    assert kinds == ["suspect"]


def test_a_boundary_that_moved_touches_rows_of_both_labels(tmp_path: Path) -> None:
    old = (label("club", "plays"), label("city", "a place in a city"), label("bar"))
    new = (
        label("club", "plays"),
        label("city", "a place in a city, no club"),
        label("bar"),
        label("inn", "a bar with beds"),
    )
    found = changes(Guideline(label=old), Guideline(label=new))
    assert [(one.label, one.what, one.says) for one in found] == [
        ("city", "redefined", "definition: “a place in a city” became “a place in a city, no club”"),
        ("inn", "added", "a bar with beds"),
        ("club", "bordering", "is told apart from city, which means something else now"),
        ("bar", "bordering", "is told apart from inn, which is new"),
    ]
    one = run(tmp_path, "classification", ROWS[:4], "1", (*old, label("team")))
    versions.keep(one)
    one = run(tmp_path, "classification", ROWS[:4], "2", (*new, label("team")))
    assert [line[0::4] for line in lines(one)] == [("s/1", "bordering"), ("s/2", "redefined"), ("s/4", "bordering")]


def test_without_a_version_to_compare_with_it_says_so(tmp_path: Path) -> None:
    one = run(tmp_path, "classification", ROWS, "1", OLD)
    with pytest.raises(AssayError, match=r"none was kept; `assay run small` keeps a version"):
        needed(one)
    assert not is_unchanged(one)
    versions.keep(one)
    assert is_unchanged(one)
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
