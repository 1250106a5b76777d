"""Against: rows that hold words of a named held-out set are found, put down to the item, and what is held out stays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import against, heldout, ingest, recipe, stage
from pipeline.against import CONTAMINATED, contaminated, texts_of
from pipeline.contract import contract
from pipeline.engine import Engine
from pipeline.errors import AssayError
from pipeline.stage import Work
from pipeline.tasks import task
from tests.quality.contamination.texts import chinese, english
from tests.small import csv, jsonl, made

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

ROWS = """
[[ingest.source]]
name = "s"
files = ["rows.csv"]
format = "csv"
columns = { id = "id", text = "text", label = "label", split = "split" }
"""
BENCH = """
[[against]]
name = "bench"
files = ["bench.jsonl"]
format = "jsonl"
"""
ITEM, OTHER, LONG = english(1, 30), chinese(2, 40), english(3, 60)
ITEMS = [
    {"id": "a1", "question": ITEM, "answer": "positive", "meta": {"note": "n"}},
    {"id": "a2", "question": OTHER, "answer": "positive", "meta": {"note": "m"}},
]
LINES = [
    ("r1", LONG, "good", ""),
    ("r2", ITEM.upper(), "bad", ""),
    ("r3", f"{LONG} {OTHER} {LONG[:80]}", "good", "train"),
    ("r4", ITEM, "good", "test"),
    ("r5", "positive", "bad", ""),
]


def a_set(
    folder: Path, sets: str = BENCH, *, rows: Any = LINES, items: Any = ITEMS, task: str = "classification"
) -> Recipe:
    lines = [f"{name},{text},{label},{split}" for name, text, label, split in rows]
    files = {"rows.csv": csv("id,text,label,split", lines), "bench.jsonl": jsonl(items)}
    return made(folder, f'task = "{task}"\n{ROWS}{sets}', files)


def work_on(one: Recipe, *, workers: int = 1, batch_rows: int = 4096) -> Work:
    """What the audit is given once the rows were read."""
    engine = Engine(workers=workers, batch_rows=batch_rows)
    stage.run(ingest.STAGE, one, engine, tick=lambda rows: None)
    told = task(one.settings.task, one.settings.guideline)
    before = one.build / "ingest"
    return Work(one, told, contract(one.settings.task), engine, before, tick=lambda rows: None)


def found(one: Recipe, **options: int) -> against.Contamination:
    work = work_on(one, **options)
    return contaminated(work, work.narrow(["id", "split"]))


def evidence(one: Recipe, **options: int) -> dict[str, str | None]:
    work = work_on(one, **options)
    rows = work.narrow(["id", "split"])
    return dict(zip(rows["id"].to_pylist(), contaminated(work, rows).evidence, strict=True))


def test_no_held_out_set_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = a_set(tmp_path, BENCH + 'kind = "existing"\n')
    work = work_on(one)
    monkeypatch.setattr(Work, "each", None)
    result = contaminated(work, work.narrow(["id", "split"]))
    assert result.evidence == [None] * 5
    assert result.table.schema == CONTAMINATED
    assert result.details == {}
    assert against.inputs(one) == {}


def test_rows_are_put_down_to_the_item_and_held_out_ones_stay(tmp_path: Path) -> None:
    one = a_set(tmp_path, BENCH + 'columns = { id = "id" }\n')
    told = evidence(one)
    assert {name for name, said in told.items() if said} == {"s/r2", "s/r3", "s/r5"}
    assert told["s/r2"] == (
        f"holds 100% of 'question' of bench.jsonl:1 (a1) (held-out set 'bench'), {len(ITEM)} characters in a row: "
        f"{ITEM[:159]}…"
    )
    result = found(one)
    lines = {line["id"]: line for line in result.table.to_pylist()}
    assert list(lines) == ["s/r2", "s/r3", "s/r5"]
    assert lines["s/r3"] == {
        "id": "s/r3", "set": "bench", "item": "bench.jsonl:2 (a2)", "field": "question", "share": 1.0,
        "run_chars": 40, "words": OTHER,
    }  # fmt: skip
    assert result.details["rows"] == 3
    assert result.details["sets"]["bench"] == {
        "records": 2, "broken": 0, "items": 7, "repeated": 1, "wording": 0, "blank": 0,
        "items_hit": 3, "rows_hit": 3, "rows_hit_that_stay": 1,
    }  # fmt: skip
    assert result.details["examples"] == result.table.to_pylist()
    json.dumps(result.details)


def test_of_very_many_items_in_a_row_the_first_few_are_listed(tmp_path: Path) -> None:
    items = [{"q": english(50 + at, 20 + at)} for at in range(7)]
    result = found(a_set(tmp_path, rows=[("r1", " ".join(one["q"] for one in items), "good", "")], items=items))
    assert [line["item"] for line in result.table.to_pylist()] == [f"bench.jsonl:{at}" for at in (7, 6, 5, 4, 3)]
    assert result.details["sets"]["bench"]["items_hit"] == 7


def test_only_the_named_fields_are_looked_for(tmp_path: Path) -> None:
    assert {name for name, said in evidence(a_set(tmp_path, BENCH + 'fields = ["question"]\n')).items() if said} == {
        "s/r2",
        "s/r3",
    }
    assert not any(evidence(a_set(tmp_path, BENCH + 'fields = ["meta"]\n')).values())


def test_a_field_that_is_not_there_is_refused_with_the_nearest(tmp_path: Path) -> None:
    one = a_set(tmp_path, BENCH + 'fields = ["questions"]\n')
    with pytest.raises(
        AssayError, match=r"\[\[against\]\] 'bench'.*no record has a text in the field 'questions'.*'question'"
    ):
        found(one)


def test_a_set_without_a_text_or_a_file_is_refused(tmp_path: Path) -> None:
    one = a_set(tmp_path, items=[{"n": 1}])
    with pytest.raises(AssayError, match="there is no text in it to look for"):
        found(one)
    missing = a_set(tmp_path, BENCH.replace("bench.jsonl", "bunch.jsonl"))
    with pytest.raises(AssayError, match="no such file"):
        against.inputs(missing)


def test_records_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    one = a_set(tmp_path)
    (one.folder / "bench.jsonl").write_text(jsonl(ITEMS) + "{broken\n", encoding="utf-8")
    assert found(one).details["sets"]["bench"]["broken"] == 1


def test_sets_with_other_settings_are_searched_by_theirs(tmp_path: Path) -> None:
    other = BENCH.replace('"bench"', '"strict"') + "least_share = 0.9\n"
    half = [("r1", f"and so {' '.join(ITEM.split()[:16])}", "good", "")]
    result = found(a_set(tmp_path, BENCH + other, rows=half))
    assert [(line["set"], line["share"]) for line in result.table.to_pylist()] == [("bench", 0.5333)]
    assert {name: told["rows_hit"] for name, told in result.details["sets"].items()} == {"bench": 1, "strict": 0}


def test_the_content_of_the_sets_is_an_input(tmp_path: Path) -> None:
    one = a_set(tmp_path)
    before = against.inputs(one)
    assert list(before) == ["bench: bench.jsonl"]
    (one.folder / "bench.jsonl").write_text(jsonl(ITEMS[:1]), encoding="utf-8")
    assert against.inputs(one) != before


def test_neither_batches_nor_workers_nor_order_change_a_verdict(tmp_path: Path) -> None:
    rows = [(f"r{at}", ITEM if at % 7 == 0 else english(100 + at, 20), "good", "") for at in range(40)]
    alone = evidence(a_set(tmp_path / "a", rows=rows))
    assert evidence(a_set(tmp_path / "b", rows=rows), batch_rows=3) == alone
    assert evidence(a_set(tmp_path / "c", rows=rows), workers=2, batch_rows=3) == alone
    assert evidence(a_set(tmp_path / "d", rows=rows[::-1], items=ITEMS[::-1]))["s/r7"] == alone["s/r7"].replace(  # type: ignore[union-attr]
        "bench.jsonl:1", "bench.jsonl:2"
    )
    assert sum(said is not None for said in alone.values()) == 6


def test_the_items_of_two_sets_are_told_apart(tmp_path: Path) -> None:
    other = BENCH.replace('"bench"', '"again"')
    result = found(a_set(tmp_path, BENCH + other))
    assert [line["set"] for line in result.table.to_pylist()[:2]] == ["again", "bench"]
    (held_out,) = heldout.read(a_set(tmp_path, BENCH + other))
    assert len(held_out.items.texts) == 14


def test_what_is_said_in_turns_is_read_and_what_is_marked_is_not() -> None:
    chat = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}], "tools": None}
    assert texts_of(chat) == ["Hi", "Ho"]
    tagged = {"text": "Rome fell", "spans": [{"start": 0, "end": 4, "label": "LOC", "text": "Rome"}], "tokens": None}
    assert texts_of(tagged) == ["Rome fell"]
    assert texts_of({"text": "a", "references": ["b", "c"], "rating": 1.0}) == ["a", "b", "c"]


def test_a_reply_in_a_chat_is_found(tmp_path: Path) -> None:
    chat = '[[ingest.source]]\nname = "s"\nfiles = ["rows.jsonl"]\nformat = "messages"\n'
    turns = [{"role": "user", "content": "What says the book?"}, {"role": "assistant", "content": f"It says: {OTHER}"}]
    rows = jsonl([{"messages": turns}, {"messages": [turns[0], {"role": "assistant", "content": "positive"}]}])
    one = made(tmp_path, f'task = "chat"\n{chat}{BENCH}', {"rows.jsonl": rows, "bench.jsonl": jsonl(ITEMS)})
    assert sorted(said is not None for said in evidence(one).values()) == [False, True]


WRITING = """
task = "writing"
[[ingest.source]]
name = "s"
files = ["rows.csv"]
format = "csv"
columns = { id = "id", source = "text", target = "label" }
"""


def test_what_was_written_is_searched_though_it_is_not_settled_yet(tmp_path: Path) -> None:
    rows = csv("id,text,label", [f"r1,{LONG},{ITEM}", f"r2,{LONG},positive", f"r3,{ITEM},{ITEM}"])
    one = made(tmp_path, WRITING + BENCH, {"rows.csv": rows, "bench.jsonl": jsonl(ITEMS)})
    assert {name for name, said in evidence(one).items() if said} == {"s/r1", "s/r3"}
    assert [line["id"] for line in found(one).table.to_pylist()] == ["s/r1", "s/r3"]


@pytest.mark.realdata
def test_gsm8k_is_found_among_model_solutions_and_hardly_in_its_own_train_set(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REAL", str(real_data))
    source = '[[ingest.source]]\nname = "{0}"\nfiles = ["${{REAL}}/reasoning_gsm8k/{1}.jsonl"]\nformat = "jsonl"\n'
    solved = (
        source.format("sol", "example_model_solutions") + 'columns = { source = "question", target = "ground_truth" }\n'
    )
    train = source.format("train", "train") + 'columns = { source = "question", target = "answer" }\n'
    bench = BENCH.replace("bench.jsonl", "${REAL}/reasoning_gsm8k/test.jsonl")
    one = made(tmp_path, f'task = "writing"\n{train}{solved}{bench}', {})
    told = evidence(one)
    hit = {name for name, said in told.items() if said}
    assert sum(name.startswith("sol/") for name in hit) == sum(name.startswith("sol/") for name in told) == 1319
    assert sum(name.startswith("train/") for name in hit) <= 10


def test_settings_of_a_set_are_checked() -> None:
    base = {"name": "b", "files": ["b.csv"], "format": "csv"}
    with pytest.raises(AssayError, match="ngram_words"):
        recipe.check({"task": "chat", "ingest": {"source": [base]}, "against": [{**base, "ngram_words": 1}]}, name="x")
