from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from datasets import ClassLabel, Features, IterableDataset, Sequence, Value

from pipeline.errors import AssayError
from pipeline.fetch import RawFile
from pipeline.readers import ReadOptions, Record, hub_revision, read


def test_rows_with_the_names_of_their_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    features = Features(
        {
            "text": Value("string"),
            "label": ClassLabel(names=["no", "yes"]),
            "many": Sequence(ClassLabel(names=["x", "y"])),
        }
    )
    asked: list[Any] = []

    def load(*path: Any, **options: Any) -> IterableDataset:
        asked.append((path, options))
        made = [{"text": "a", "label": 1, "many": [0, 1]}, {"text": "b", "label": -1, "many": []}]
        return IterableDataset.from_generator(lambda: iter(made), features=features)

    monkeypatch.setattr("datasets.load_dataset", load)
    found = list(read(RawFile("who/what:en"), format="hub", options=ReadOptions(hub_split="test")))
    assert asked == [(("who/what", "en"), {"split": "test", "streaming": True})]
    assert found == [
        Record("who/what:en:test:row 1", {"text": "a", "label": "yes", "many": ["x", "y"]}),
        Record("who/what:en:test:row 2", {"text": "b", "label": -1, "many": []}),
    ]


def test_without_a_network_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: Any, **__: Any) -> IterableDataset:
        raise ConnectionError("Couldn't reach the hub\nlong story")

    monkeypatch.setattr("datasets.load_dataset", load)
    with pytest.raises(
        AssayError, match=r"who/what:train: the hub gives no rows \(Couldn't reach the hub\); .*'files'"
    ):
        list(read(RawFile("who/what"), format="hub"))


def test_the_commit_of_a_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def info(_: Any, name: str) -> Any:
        asked.append(name)
        if name == "who/gone":
            raise ConnectionError("offline")
        return SimpleNamespace(sha="abc123")

    monkeypatch.setattr("huggingface_hub.HfApi.dataset_info", info)
    assert hub_revision("who/what:en") == "abc123"
    assert asked == ["who/what"]
    with pytest.raises(AssayError, match=r"who/gone: the hub gives no rows \(offline\)"):
        hub_revision("who/gone")


def test_a_hub_name_is_no_file() -> None:
    with pytest.raises(AssayError, match="format 'hub'"):
        list(read(RawFile("who/what"), format="csv"))
