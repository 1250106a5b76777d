from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline import recipe
from pipeline.errors import AssayError
from pipeline.scaffold import new

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.settings import RecipeSettings


def looked(folder: Path, task: str, name: str, content: str) -> RecipeSettings:
    """The recipe that is written for a file."""
    source = folder / name
    source.write_text(content, encoding="utf-8")
    new("made", task=task, source=source, data=folder / "data")
    return recipe.find("made", data=folder / "data").settings


def jsonl(*records: Mapping[str, object]) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


ANSWERS = [{"text": "Rome", "answer_start": 9}]


def test_squad_is_told_by_its_nesting(tmp_path: Path) -> None:
    qas = [
        {"id": "1", "question": "Where?", "answers": ANSWERS},
        {"id": "2", "question": "Who?", "is_impossible": True},
    ]
    whole = {"data": [{"title": "Ann", "paragraphs": [{"context": "Ann is in Rome.", "qas": qas}]}]}
    made = looked(tmp_path, "answering", "set.json", json.dumps(whole))
    source = made.ingest.source[0]
    assert source.format == "squad"
    assert source.columns == {
        "context": "context", "question": "question", "answers": "answers", "id": "id", "group": "title",
    }  # fmt: skip
    assert made.guideline.unanswerable
    assert made.finetune.max_tokens == 384


def test_answers_as_columns_of_texts_and_starts_are_one_answer(tmp_path: Path) -> None:
    line = {"passage": "Ann is in Rome.", "query": "Where?", "answers": {"text": ["Rome"], "answer_start": [10]}}
    made = looked(tmp_path, "answering", "set.jsonl", jsonl(line, line))
    assert made.ingest.source[0].columns == {"context": "passage", "question": "query", "answer": "answers"}
    assert not made.guideline.unanswerable


@pytest.mark.parametrize(
    ("record", "columns", "annotators", "kind"),
    [
        ({"src": "Hello.", "mt": "你好。"}, {"source": "src", "target": "mt"}, (), "translation"),
        ({"en": "Good morning to you all.", "zh": "大家早上好。"}, {"source": "en", "target": "zh"}, (), "translation"),
        ({"article": "Long text.", "summary": "Text."}, {"source": "article", "target": "summary"}, (), "summary"),
        (
            {"dialogue": "Long.", "summary1": "A.", "summary2": "B.", "topic1": "", "topic2": ""},
            {"source": "dialogue"}, ("summary1", "summary2"), "summary",
        ),
        (
            {"question": "Where?", "context": "In Rome.", "answer": "Rome."},
            {"source": "question", "context": "context", "target": "answer"}, (), "answer",
        ),
    ],
)  # fmt: skip
def test_sources_and_targets_are_told_by_their_names(
    tmp_path: Path, record: dict[str, object], columns: dict[str, str], annotators: tuple[str, ...], kind: str
) -> None:
    made = looked(
        tmp_path, "writing", "set.jsonl", jsonl(record, {name: f"{value} 又" for name, value in record.items()})
    )
    source = made.ingest.source[0]
    assert {part: name for part, name in source.columns.items() if part in (*columns, "context")} == columns
    assert source.annotator_columns == annotators
    assert made.guideline.kind == kind


def test_a_table_without_header_is_read_by_its_longest_columns(tmp_path: Path) -> None:
    lines = "".join(f"to title\tan abstract, with commas, of paper {at}, as it is\tpaper {at}\n" for at in range(9))
    source = looked(tmp_path, "writing", "set.tsv", lines).ingest.source[0]
    assert (source.delimiter, source.columns) == (None, {"source": "column2", "target": "column3"})


@pytest.mark.parametrize("task", ["answering", "writing"])
def test_a_file_without_the_parts_is_refused(tmp_path: Path, task: str) -> None:
    with pytest.raises(AssayError, match="name the fields of"):
        looked(tmp_path, task, "set.jsonl", jsonl({"only": "one"}))
