"""Twins in real sets: figures that were counted by hand or by others, and texts in Chinese."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import audit, ingest, stage
from pipeline.engine import Engine
from tests.conftest import DATA
from tests.small import adds_up, made, table

if TYPE_CHECKING:
    from pipeline.recipe import Recipe

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not DATA.is_dir(), reason="no real data: set ASSAY_REAL_DATA to their folder"),
]
BANKING = """
task = "classification"
[[ingest.source]]
name = "test"
files = ["${ASSAY_REAL_DATA}/intents_banking77/test.csv"]
format = "csv"
columns = { text = "text", label = "category" }
[[against]]
name = "train"
kind = "existing"
files = ["${ASSAY_REAL_DATA}/intents_banking77/train.csv"]
format = "csv"
columns = { text = "text", label = "category" }
"""
WEIBO = """
task = "tagging"
[[ingest.source]]
name = "first"
files = ["${ASSAY_REAL_DATA}/ner_chinese_corrected/weiboNER.conll.train"]
format = "conll"
invalid_bytes = "replace"
"""


def audited(folder: Path, toml: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Recipe, dict[str, Any]]:
    monkeypatch.setenv("ASSAY_REAL_DATA", str(DATA))
    one = made(folder, toml + "[audit]\nbootstrap = 20\n", {})
    for each in (ingest.STAGE, audit.STAGE):
        report = stage.run(each, one, Engine(), tick=lambda rows: None)
    assert adds_up(report)
    return one, report


def test_what_banking77_tests_on_stands_in_what_it_trains_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, report = audited(tmp_path, BANKING, monkeypatch)
    told = report["details"]["duplicates"]["known_elsewhere"]["train"]
    assert told["items"] == 10_003
    assert told["by_kind"].get("exact", 0) + told["by_kind"]["normalised"] == 29  # as counted before we began
    assert 29 < told["rows"] < 150
    texts = {row["id"]: row["text"] for row in table(one, "ingest")}
    near = [pair for pair in table(one, "audit", "pairs") if pair["outcome"] == "known elsewhere"]
    assert all(len(texts[pair["left"]]) >= 8 for pair in near if pair["kind"] not in ("exact", "normalised"))


def test_chinese_posts_are_merged_only_where_they_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, report = audited(tmp_path, WEIBO, monkeypatch)
    told = report["details"]["duplicates"]
    # Posts that were annotated twice: 52 the same both times, 93 not.
    assert (told["merged_by_kind"]["exact"], told["conflicts_by_kind"]["exact"]) == (52, 93)
    assert told["merged"] + told["in_conflict"] < 160
    texts = {row["id"]: row["text"] for row in table(one, "ingest")}
    for pair in table(one, "audit", "pairs"):
        if pair["outcome"] == "merged":
            short, long = sorted((texts[pair["left"]], texts[pair["right"]]), key=len)
            assert len(long) - len(short) <= 0.2 * len(long) + 4
