"""Contracts: the schemas in schemas/ as Arrow columns and rules."""

from __future__ import annotations

import pyarrow as pa
import pytest

from pipeline.contract import arrow_type, contract
from pipeline.errors import AssayError

TASKS = ["chat", "classification", "tagging"]
SPINE = [
    "id",
    "source",
    "also_at",
    "group",
    "also_in",
    "parents",
    "language",
    "split",
    "date",
    "weight",
    "confidence",
    "made_by",
]


@pytest.mark.parametrize("task", TASKS)
def test_spine_first_then_the_task(task: str) -> None:
    found = contract(task)
    assert found.schema.names[: len(SPINE)] == SPINE
    assert len(found.schema.names) > len(SPINE)
    assert set(found.meanings) == set(found.schema.names)
    assert [name for name in SPINE if found.schema.field(name).nullable] == ["split", "date", "confidence", "made_by"]


@pytest.mark.parametrize("task", TASKS)
def test_rules_say_where_they_hold(task: str) -> None:
    for name, rule in contract(task).rules.items():
        assert rule.name == name
        assert rule.stage in {"ingest", "audit", "augment", "split"}
        assert rule.says.endswith(".")


@pytest.mark.parametrize(
    ("spelling", "kind"),
    [
        ("string", pa.string()),
        ("double", pa.float64()),
        ("list<int32>", pa.list_(pa.int32())),
        ("struct<a:int32,b:bool>", pa.struct([("a", pa.int32()), ("b", pa.bool_())])),
        ("list<struct<a:string>>", pa.list_(pa.struct([("a", pa.string())]))),
    ],
)
def test_types(spelling: str, kind: pa.DataType) -> None:
    assert arrow_type(spelling) == kind


def test_unknown_task_names_the_nearest() -> None:
    with pytest.raises(AssayError, match=r"no task 'taging'; did you mean 'tagging'\?"):
        contract("taging")
    for other in ("spine", "gates", "../spine"):
        with pytest.raises(AssayError, match="no task"):
            contract(other)
