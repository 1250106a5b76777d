"""Two releases of the same Chinese sentences: every sentence that the authors corrected is found, and no other."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pipeline import recipe, versions
from pipeline.versions import diff
from tests.small import built

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.versions import Held

TOML = """
task = "tagging"
[[ingest.source]]
name = "weibo"
files = ["{file}"]
format = "jsonl"
language = "zh"
columns = {{ id = "sentence_index", tokens = "tokens", tags = "{tags}" }}
[audit]
duplicates = "off"
suspects = "off"
"""


def released(folder: Path, file: Path, tags: str) -> Held:
    """A release as a version of the data set `weibo`."""
    home = folder / "weibo"
    home.mkdir(exist_ok=True)
    (home / "recipe.toml").write_text(TOML.format(file=file.as_posix(), tags=tags), encoding="utf-8")
    one = recipe.load(home / "recipe.toml")
    built(one, "split")
    return versions.keep(one)


@pytest.mark.realdata
def test_the_corrected_sentences_of_weibo_are_found(tmp_path: Path, real_data: Path) -> None:
    file = real_data / "ner_chinese_corrected" / "weibo_v1_v2_train.jsonl"
    if not file.is_file():
        pytest.skip(f"no {file}")
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    corrected = {f"weibo/{line['sentence_index']}" for line in lines if line["given"] != line["corrected"]}
    found = diff(released(tmp_path, file, "given"), released(tmp_path, file, "corrected"), limit=None)
    assert len(corrected) == 429
    assert {one["id"] for one in found["examples"]["relabelled"]} == corrected
    assert {name: count for name, count in found["rows"].items() if count} == {
        "before": 1349,
        "after": 1349,
        "changed": 429,
        "relabelled": 429,
    }  # the split lock keeps every sentence on its side
    assert sum(found["marks"].values()) == sum(len(one["marks"]) for one in found["examples"]["relabelled"])
