"""Keeping versions: named by content, whole or not there, nothing of time or place in them, old ones pruned."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from pipeline import store, versions
from pipeline.errors import AssayError
from pipeline.versions import keeping, log
from tests.small import contents
from tests.versions.made import build, changed, gone, kept, texts, with_row

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe


def lines(recipe: Recipe) -> list[dict[str, Any]]:
    return log.lines(versions.versions_folder(recipe))


def test_a_version_holds_rows_reasons_recipe_and_the_hash_of_every_file(tmp_path: Path) -> None:
    recipe = build(tmp_path, texts(), rejected=[gone("film/99", "blank_text")])
    (recipe.folder / "split.lock").write_text("# format: 1\ntest\tfilm/5\n", encoding="utf-8")
    version = versions.keep(recipe)
    files = contents(version.folder)
    assert sorted(files) == [
        "README.md",
        "data/test-00000.parquet",
        "data/train-00000.parquet",
        "data/validation-00000.parquet",
        "recipe.json",
        "rejected.parquet",
        "split.lock",
        "version.json",
    ]
    told = {name: file["sha256"] for name, file in version.about["files"].items()}
    told |= {file["name"]: file["sha256"] for table in version.about["tables"].values() for file in table["files"]}
    assert told == {
        name: hashlib.sha256(content).hexdigest() for name, content in files.items() if name != "version.json"
    }
    rejected = pq.read_table(version.folder / "rejected.parquet")
    assert rejected.column_names == ["id", "source", "stage", "reason", "evidence"]
    assert rejected.to_pylist() == [
        {"id": "film/99", "source": "raw.csv:9", "stage": "audit", "reason": "blank_text", "evidence": "saw blank_text"}
    ]


def test_equal_builds_are_one_version_and_nothing_tells_time_or_place(tmp_path: Path) -> None:
    one, other = kept(tmp_path / "a", texts()), kept(tmp_path / "b", texts())
    assert one.id == other.id
    assert contents(one.folder) == contents(other.folder)
    whole = b"".join(content for name, content in contents(one.folder).items() if not name.endswith(".parquet"))
    assert str(tmp_path).encode() not in whole
    assert not re.search(rb"\d{4}-\d\d-\d\dT", whole)


def test_the_same_build_is_not_kept_twice_and_one_that_comes_back_is_the_newest_again(tmp_path: Path) -> None:
    first = kept(tmp_path, texts())
    inode = (first.folder / "README.md").stat().st_ino
    again = kept(tmp_path, texts())
    recipe = build(tmp_path, texts())
    assert (again.id, len(lines(recipe))) == (first.id, 1)
    assert (again.folder / "README.md").stat().st_ino == inode
    second = kept(tmp_path, changed(texts(), "film/1", labels=["negative"]))
    kept(tmp_path, texts())
    assert [entry["id"] for entry in versions.listing(recipe)] == [second.id, first.id]
    assert versions.find(recipe, "latest").id == first.id


@pytest.mark.parametrize(
    "change",
    [
        {"rows": changed(texts(), "film/1", text="another")},
        {"rows": changed(texts(), "film/5", weight=0.5)},
        {"rows": texts(), "rejected": [gone("film/77", "tied")]},
        {"rows": texts(), "licence": "CC BY 4.0"},
        {"rows": texts(), "details": {"agreement": {"all": [{"name": "alpha", "value": 0.5}]}}},
    ],
)
def test_whatever_is_in_the_folder_is_in_the_name(tmp_path: Path, change: dict[str, Any]) -> None:
    first = kept(tmp_path, texts())
    assert kept(tmp_path, **change).id != first.id


def test_the_name_does_not_depend_on_shards(tmp_path: Path) -> None:
    one, other = kept(tmp_path / "a", texts()), kept(tmp_path / "b", texts(), shard_rows=3)
    assert one.content == other.content
    assert len(other.tables["train"]) == 3
    assert one.about["tables"]["train"]["content"] == other.about["tables"]["train"]["content"]


def test_shards_are_linked_and_copied_where_links_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = build(tmp_path / "a", texts())
    linked = versions.keep(recipe)
    assert os.path.samefile(linked.tables["train"][0], recipe.build / "split" / "train-00000.parquet")

    def refuse(source: Path, target: Path) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    recipe = build(tmp_path / "b", texts())
    copied = versions.keep(recipe)
    assert not os.path.samefile(copied.tables["train"][0], recipe.build / "split" / "train-00000.parquet")
    assert copied.id == linked.id


class Killed(BaseException):
    """The process ends here: nothing after it runs."""


@pytest.mark.parametrize("at", ["_card", "_recipe", "_named", "add"])
def test_a_kill_leaves_no_half_version_and_the_next_build_keeps_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    first = kept(tmp_path, texts())
    recipe = build(tmp_path, changed(texts(), "film/1", text="another"))

    def kill(*args: Any, **options: Any) -> Any:
        raise Killed

    with monkeypatch.context() as broken:
        broken.setattr(log if at == "add" else keeping, at, kill)
        # What a finally would tidy up stays as kill -9 leaves it.
        broken.setattr(shutil, "rmtree", lambda *args, **options: None)
        with pytest.raises(Killed):
            versions.keep(recipe)
    assert [entry["id"] for entry in versions.listing(recipe)] == [first.id]
    assert versions.find(recipe, "latest").id == first.id
    second = versions.keep(recipe)
    assert [entry["id"] for entry in versions.listing(recipe)] == [first.id, second.id]
    folder = versions.versions_folder(recipe)
    assert sorted(path.name for path in folder.iterdir()) == sorted([".lock", "log.jsonl", first.id, second.id])
    assert versions.read(second.folder).id == second.id


def test_a_version_that_was_cut_is_written_anew(tmp_path: Path) -> None:
    first = kept(tmp_path, texts())
    whole = contents(first.folder)
    (first.folder / "rejected.parquet").write_bytes(b"cut")
    assert kept(tmp_path, texts()).id == first.id
    assert contents(first.folder) == whole


def test_nothing_is_kept_of_a_build_that_is_not_whole(tmp_path: Path) -> None:
    recipe = build(tmp_path, texts())
    shutil.rmtree(recipe.build / "split")
    with pytest.raises(AssayError, match="'split' has not been run"):
        versions.keep(recipe)
    assert versions.listing(recipe) == []


def test_keeping_waits_for_no_other_process(tmp_path: Path) -> None:
    recipe = build(tmp_path, texts())
    with store.locked(recipe.build), pytest.raises(AssayError, match="another assay process"):
        versions.keep(recipe)


def many(tmp_path: Path, count: int, **sections: Any) -> tuple[Recipe, list[str]]:
    """Versions one after the other, each with other rows."""
    ids = [kept(tmp_path, changed(texts(), "film/1", text=f"text {at}"), **sections).id for at in range(count)]
    return build(tmp_path, texts(), **sections), ids


def test_prune_keeps_the_newest_and_what_a_change_is_measured_from(tmp_path: Path) -> None:
    recipe, ids = many(tmp_path, 7, versions={"keep": 2})
    versions.told(recipe, "PASS", version=ids[1])
    versions.told(recipe, "FAIL", version=ids[3])
    named = build(tmp_path, texts(), versions={"keep": 2}, gate={"base": ids[2][:8]})
    assert versions.prune(named) == [ids[0], ids[3], ids[4]]
    assert [entry["id"] for entry in versions.listing(recipe)] == [ids[1], ids[2], ids[5], ids[6]]
    assert [entry["id"] for entry in lines(recipe) if entry["what"] == "kept"] == ids
    assert versions.prune(named) == []


def test_prune_of_nothing(tmp_path: Path) -> None:
    assert versions.prune(build(tmp_path, texts())) == []


def test_the_verdict_is_told_once_and_a_new_one_again(tmp_path: Path) -> None:
    recipe = build(tmp_path, texts())
    versions.told(recipe, "PASS")
    assert lines(recipe) == []
    versions.keep(recipe)
    for verdict in ("FAIL", "FAIL", "PASS"):
        versions.told(recipe, verdict)
    assert [entry["verdict"] for entry in lines(recipe) if entry["what"] == "gated"] == ["FAIL", "PASS"]
    assert versions.listing(recipe)[-1]["verdict"] == "PASS"


def test_the_log_tells_the_change_against_the_version_before(tmp_path: Path) -> None:
    kept(tmp_path, texts())
    rows = with_row(changed(texts(), "film/1", text="another"), "train", {**texts()["train"][0], "id": "film/90"})
    second = kept(tmp_path, rows)
    (entry,) = versions.listing(build(tmp_path, rows))[-1:]
    assert entry["id"] == second.id
    assert {name: entry["change"][name] for name in ("added", "removed", "touched")} == {
        "added": 1,
        "removed": 0,
        "touched": 1,
    }


def test_the_recipe_is_kept_as_it_was_written(tmp_path: Path) -> None:
    recipe = build(tmp_path, texts())
    text = '# 注释\ntask = "classification"\n[[ingest.source]]\nname = "film"\nfiles = ["raw.csv"]\nformat = "csv"\n'
    (recipe.folder / "recipe.toml").write_text(text, encoding="utf-8")
    version = versions.keep(recipe)
    assert (version.folder / "recipe.toml").read_text(encoding="utf-8") == text
    assert version.about["recipe"]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert json.loads((version.folder / "version.json").read_text(encoding="utf-8"))["id"] == version.id


def test_versions_can_be_dropped_and_nothing_else_is(tmp_path: Path) -> None:
    first, second = kept(tmp_path, texts()), kept(tmp_path, changed(texts(), "film/1", text="another"))
    recipe = build(tmp_path, texts())
    assert versions.drop(recipe, [second.id, "../../split", "v000000000000"]) == [second.id]
    assert (recipe.build / "split").is_dir()
    assert [entry["id"] for entry in versions.listing(recipe)] == [first.id]


def test_the_id_is_that_of_what_stands_in_version_json(tmp_path: Path) -> None:
    about = json.loads((kept(tmp_path, texts()).folder / "version.json").read_text(encoding="utf-8"))
    assert keeping.id_of(about) == about["id"]
    assert keeping.id_of({**about, "edition": "2"}) != about["id"]
