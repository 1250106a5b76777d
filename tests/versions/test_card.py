"""The data card: what loads it, what the hub reads of it, and that nothing in it comes from data unescaped."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from pipeline.contract import contract
from pipeline.tasks import KNOWN
from pipeline.versions.facts import size
from pipeline.versions.head import head
from pipeline.versions.markdown import code, plain, safe
from tests.pages.stages import HOSTILE
from tests.versions.made import build, gone, kept, texts, without

if TYPE_CHECKING:
    from pathlib import Path

FACTS: dict[str, Any] = {
    side: {"rows": 700, "made": 0, "bytes": 9, "languages": {"en": 400, "zh": 299, "und": 0, "xx": 1}}
    for side in ("train", "validation", "test")
}


def headed(**told: Any) -> dict[str, Any]:
    """The head as `datasets` reads it."""
    from huggingface_hub import DatasetCard

    usual: dict[str, Any] = {"title": "t", "licence": "", "task": "tagging", "facts": FACTS, "files": []}
    usual |= {"schema": contract("tagging").schema, **told}
    found: dict[str, Any] = DatasetCard(f"---\n{head(**usual)}---\n").data.to_dict()
    return found


def loaded(folder: Path, cache: Path) -> Any:
    from datasets import load_dataset
    from datasets.utils.logging import disable_progress_bar

    disable_progress_bar()
    return load_dataset(str(folder), cache_dir=str(cache))


def test_a_version_loads_as_it_stands_with_its_splits_and_features(tmp_path: Path) -> None:
    rows = texts()
    version = kept(tmp_path / "a", rows, rejected=[gone("film/99", "tied")], shard_rows=3)
    found = loaded(version.folder, tmp_path / "cache")
    assert {side: found[side].num_rows for side in found} == version.rows
    assert found["train"]["id"][:] == [row["id"] for row in rows["train"]]
    assert found["train"].features.arrow_schema.field("labels").type == pa.list_(pa.string())
    assert found["train"].column_names == contract("classification").schema.names
    assert found["test"][0]["text"] == "text number 5 第5句。"


def test_a_version_without_test_rows_loads(tmp_path: Path) -> None:
    rows = {**texts(), "test": []}
    found = loaded(kept(tmp_path / "a", rows).folder, tmp_path / "cache")
    assert sorted(found) == ["train", "validation"]


@pytest.mark.parametrize("task", KNOWN)
def test_features_are_those_that_datasets_makes_of_the_columns(task: str) -> None:
    from datasets import DatasetInfo, Features

    schema = contract(task).schema
    told = headed(task=task, schema=schema)["dataset_info"]
    assert told["features"] == DatasetInfo(features=Features.from_arrow_schema(schema))._to_yaml_dict()["features"]
    assert DatasetInfo._from_yaml_dict(told).features == Features.from_arrow_schema(schema)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("CC BY-SA 3.0", {"license": "cc-by-sa-3.0"}),
        ("Apache License, Version 2.0", {"license": "apache-2.0"}),
        ("MIT License", {"license": "mit"}),
        ("", {"license": "unknown"}),
        ("CC BY 4.0, text by others", {"license": "other", "license_name": "cc-by-4.0-text-by-others"}),
        ("专有\n: x", {"license": "other", "license_name": "x"}),
    ],
)
def test_licences_are_named_as_the_hub_does_only_where_that_is_sure(text: str, told: dict[str, str]) -> None:
    found = headed(licence=text)
    assert {name: found[name] for name in ("license", "license_name") if name in found} == told


def test_the_head_says_languages_sizes_and_tasks() -> None:
    found = headed(title="a: [b] #c 'd' \U0001f600 中文")
    assert found["language"] == ["en", "zh"]  # one row in 700 in xx is a guess; und is no language
    assert found["size_categories"] == ["1K<n<10K"]
    assert found["task_categories"] == ["token-classification"]
    assert found["pretty_name"] == "a: [b] #c 'd' \U0001f600 中文"


def test_a_hostile_recipe_breaks_out_of_nothing(tmp_path: Path) -> None:
    label = {"name": HOSTILE[0], "definition": HOSTILE[2] + " | x", "examples": ["```\n# top", "@you #1 www.evil.com"]}
    recipe: dict[str, Any] = {"title": "---\nlicense: mit\n---", "licence": HOSTILE[1]}
    version = kept(tmp_path, texts(), guideline={"label": [label]}, **recipe)
    text = (version.folder / "README.md").read_text(encoding="utf-8")
    _, yaml, body = text.split("---\n", 2)
    assert "license: other" in yaml
    assert yaml.count("\nlicense") == 2  # and its name
    outside = "".join(part for at, part in enumerate(body.replace("\\`", "").split("`")) if at % 2 == 0)
    assert "<" not in outside.replace("&lt;", "")
    assert not any(call in body for call in ("@you", "#1 ", "www.evil"))
    assert body.count("\n# ") == 1


def test_what_is_told_of_a_build_stands_in_the_card(tmp_path: Path) -> None:
    figure = {"name": "alpha (nominal)", "value": 0.71, "low": 0.6, "high": 0.8, "rows": 9}
    label = {"name": "positive", "definition": "liked it", "examples": ["good"]}
    version = kept(
        tmp_path,
        without(texts(), "film/5"),
        rejected=[gone("film/5", "conflict")],
        details={"agreement": {"all": [figure]}, "annotators": {"cards": [{}, {}]}},
        guideline={"label": [label]},
        licence="CC BY 4.0",
    )
    text = (version.folder / "README.md").read_text(encoding="utf-8")
    for said in (
        "| `positive` | liked it | “good” |",
        "| audit | `conflict` | 1 |",
        "| alpha (nominal) | 0.710 | 0.600 to 0.800 | 9 |",
        "2 annotators",
        "load_dataset(",
        "CC BY 4.0.",
        "11 rows for classification: 8 train, 2 validation, 1 test.",
    ):
        assert said in text


def test_the_card_tells_how_many_are_probably_wrong(tmp_path: Path) -> None:
    from pipeline import store, versions

    recipe = build(tmp_path, texts())
    (recipe.build / "suspect").mkdir()
    store.write_report(recipe.build / "suspect", {"tables": {}, "details": {"error_rate": {"value": 0.031}}})
    text = (versions.keep(recipe).folder / "README.md").read_text(encoding="utf-8")
    assert "About 3.1 % of the answers are probably wrong" in text


@pytest.mark.parametrize("text", [*HOSTILE, "a`b", "``", "`", "| a", "- a", "# a"])
def test_text_is_said_and_does_nothing(text: str) -> None:
    told = code(text)
    assert "\n" not in told + safe(text)
    fence = told[: len(told) - len(told.lstrip("`"))]
    runs = [len(run) for run in re.findall("`+", told)]
    assert runs.count(len(fence)) == 2  # no run inside ends the code
    assert not set("<>") & set(safe(text))
    assert plain(text) == " ".join(plain(text).split())


def test_sizes_are_those_of_the_values_whatever_the_slice() -> None:
    array = pa.array([["ab", "c"], None, ["中文"]], pa.list_(pa.string()))
    assert size(array) == 3 * 4 + 3 * 4 + 3 + 6
    assert size(array.slice(2)) == 4 + 4 + 6
    assert size(pa.array([1.0, None])) == 16
