"""Verdicts: four different things, and no silence where nothing was measured."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from pipeline.gate.frame import Frame
from pipeline.gate.suite import Gate
from pipeline.gate.verdict import Verdict, verdicts


def gate(**changed: Any) -> Gate:
    given: dict[str, Any] = {
        "name": "flag",
        "frame": "rows",
        "column": "flag",
        "type": "expect_column_values_to_be_in_set",
        "arguments": {"value_set": [False]},
        "bound": 0.0,
        "argument": "allowed_share",
        "unit": "share of rows",
        "severity": "fail",
        "means": "A flag is set.",
        "why": "Because.",
        "remedy": "Take it down.",
    }
    return Gate.model_validate(given | changed)


def judged(one: Gate, values: list[Any], **frame: Any) -> Verdict:
    table = pd.DataFrame({"id": [f"r{at}" for at in range(len(values))], "flag": pd.Series(values)})
    found, _ = verdicts([one], {"rows": Frame(table, **frame)})
    assert [verdict.gate for verdict in found] == [one.name]
    return found[0]


def test_pass_and_fail_and_warn() -> None:
    assert judged(gate(), [False, False]).verdict == "PASS"
    assert judged(gate(), [False, True]).verdict == "FAIL"
    assert judged(gate(severity="warn"), [False, True]).verdict == "WARN"


def test_bound_of_a_share_is_inclusive() -> None:
    values = [True] + [False] * 9
    assert judged(gate(bound=0.1), values).verdict == "PASS"
    assert judged(gate(bound=0.09), values).verdict == "FAIL"
    assert judged(gate(bound=0.1), values).value == pytest.approx(0.1)


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.7, 0.01, 0.07])
def test_exactly_the_allowed_share_passes(share: float) -> None:
    values = [True] * round(share * 100) + [False] * (100 - round(share * 100))
    assert judged(gate(bound=share), values).verdict == "PASS"


def test_extreme_values() -> None:
    floor = gate(type="expect_column_values_to_be_between", arguments={}, bound=3.0, argument="min_value")
    low = judged(floor, [5, 2, 9])
    assert (low.verdict, low.value, low.ids, low.n) == ("FAIL", 2.0, ["r1"], 3)
    assert judged(floor, [5, 3]).verdict == "PASS"


@pytest.mark.parametrize(("missing", "wanted"), [("error", "ERROR"), ("warn", "WARN"), ("pass", "PASS")])
def test_unmeasured_values_are_never_silent(missing: str, wanted: str) -> None:
    one = gate(missing=missing)
    for values in ([None, None], [False, None]):
        found = judged(one, values, why={"flag": "nobody looked"})
        assert found.verdict == wanted
        assert "nobody looked" in found.note


def test_fault_beside_unmeasured_values_is_a_fail() -> None:
    found = judged(gate(missing="pass"), [True, None])
    assert (found.verdict, found.n, found.offending) == ("FAIL", 1, 1)


def test_crash_is_an_error() -> None:
    crashing = gate(type="expect_column_values_to_match_regex", arguments={"regex": "(["})
    found = judged(crashing, ["a"])
    assert found.verdict == "ERROR"
    assert "the check crashed" in found.note


@pytest.mark.parametrize(
    "changed",
    [{"type": "expect_column_values_to_be_inset"}, {"arguments": {"value_sett": [1]}}, {"column": "flagg"}],
)
def test_misspelt_gate_is_an_error_and_leaves_the_others_alone(changed: dict[str, Any]) -> None:
    broken, sound = gate(name="broken", **changed), gate()
    table = pd.DataFrame({"id": ["r0"], "flag": [True]})
    found, _ = verdicts([broken, sound], {"rows": Frame(table)})
    assert [verdict.verdict for verdict in found] == ["ERROR", "FAIL"]


def test_empty_broken_and_absent_frames_are_errors() -> None:
    empty = Frame(pd.DataFrame({"id": [], "flag": []}))
    assert verdicts([gate()], {"rows": empty})[0][0].verdict == "ERROR"
    broken = Frame(pd.DataFrame({"id": ["r"], "flag": [False]}), broken="no such column")
    assert "no such column" in verdicts([gate()], {"rows": broken})[0][0].note
    assert verdicts([gate()], {})[0][0].verdict == "ERROR"


def test_two_gates_of_one_expectation_both_get_a_verdict() -> None:
    table = pd.DataFrame({"id": ["r0"], "flag": [True]})
    found, _ = verdicts([gate(), gate(name="twin", severity="warn")], {"rows": Frame(table)})
    assert [verdict.verdict for verdict in found] == ["FAIL", "WARN"]


def test_said_names_value_bound_and_lines() -> None:
    found = judged(gate(), [True, False, True, True, True])
    assert found.said == "A flag is set. 0.8 (at most 0) share of rows; 4 of 5: r0, r2, r3, ..."
