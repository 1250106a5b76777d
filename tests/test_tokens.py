"""`assay new --task tagging` on tokens and tags in JSON, and on files that hold none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline import recipe, scaffold
from pipeline.errors import AssayError
from tests.small import built, jsonl, said

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

TOKENS = [["我", "在", "北", "京"], ["她", "走", "了"]]
GIVEN = [["O", "O", "B-GPE", "I-GPE"], ["O", "O", "O"]]
BETTER = [["B-PER", "O", "B-GPE", "I-GPE"], ["B-PER", "O", "O"]]


def new(folder: Path, records: list[dict[str, Any]], *, name: str = "t.jsonl") -> tuple[Recipe, str]:
    (folder / name).write_text(jsonl(records), encoding="utf-8")
    path, notes = scaffold.new("mine", task="tagging", source=folder / name, data=folder / "data")
    return recipe.load(path), "\n".join(notes)


@pytest.mark.parametrize(("tokens", "tags"), [("tokens", "given"), ("words", "ner_tags")])
def test_tokens_with_lists_of_tags(tmp_path: Path, tokens: str, tags: str) -> None:
    records = [
        {"sentence_index": at, tokens: TOKENS[at], tags: GIVEN[at], "corrected": BETTER[at], "changed": bool(at)}
        for at in range(2)
    ]
    one, notes = new(tmp_path, records)
    assert one.settings.ingest.source[0].columns == {"tokens": tokens, "tags": tags}
    assert one.settings.guideline.names == ("GPE",)
    assert f"'corrected' (tags as well as '{tags}'" in notes
    assert built(one, "ingest")["ingest"]["counts"]["kept"] == 2
    assert sorted(str(answer) for *_, answer in said(one)) == ['[[2,4,"GPE"]]', "[]"]


def test_tags_that_are_called_so_come_first(tmp_path: Path) -> None:
    records = [{"tokens": TOKENS[at], "bio": BETTER[at], "tags": GIVEN[at], "pos": TOKENS[at]} for at in range(2)]
    one, notes = new(tmp_path, records)
    assert one.settings.ingest.source[0].columns["tags"] == "tags"
    assert "'pos'" in notes


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([{"tokens": TOKENS[0], "ner_tags": [0, 0, 1, 2]}], "the tags in 'ner_tags' are numbers"),
        ([{"sentence_index": 1, "tokens": TOKENS[0], "given": ["O"]}], "no field holds spans or tags"),
        ([{"text": "a b", "note": "x"}], "no field holds spans or tags"),
        ([{"sentence_index": 1, "spans": []}], "none of its columns is a text"),
        ([{"text": "Anna", "spans": [[0, 9, "PER"]]}], "no answer can be read: span_out_of_text"),
        (
            [{"text": 3, "content": "Anna", "tokens": "x", "spans": [[0, 4, "PER"]]}],
            "no record makes a row: wrong_type",
        ),
    ],
)
def test_a_recipe_that_could_not_run_is_not_written(
    tmp_path: Path, records: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(AssayError, match=message):
        new(tmp_path, records)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("content", "names"),
    [("Anna I-PER\nleft O\n\nRome I-LOC\n\n", ("LOC", "PER")), ("Anna PER\nleft O\n\nRome LOC\n\n", ("LOC", "PER"))],
)
def test_labels_of_schemes_without_a_beginning(tmp_path: Path, content: str, names: tuple[str, ...]) -> None:
    source = tmp_path / "t.conll"
    source.write_text(content, encoding="utf-8")
    path, _ = scaffold.new("mine", task="tagging", source=source, data=tmp_path / "data")
    assert recipe.load(path).settings.guideline.names == names


@pytest.mark.parametrize("task", ["tagging", "rating", "writing"])
def test_a_table_is_not_taken_for_what_it_is_not(tmp_path: Path, task: str) -> None:
    source = tmp_path / "t.tsv"
    source.write_text("id\tkind\n1\tA1\n2\tB2\n3\tA1\n", encoding="utf-8")
    with pytest.raises(AssayError, match=r"no tags|no column of text|none of its columns is a text"):
        scaffold.new("mine", task=task, source=source, data=tmp_path / "data")
