"""gates.toml and what a recipe may change of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.contract import contract
from pipeline.errors import AssayError
from pipeline.gate.sample import good
from pipeline.gate.suite import GATES, Gate, declared, suite
from pipeline.tasks import KNOWN
from tests.builds import a_recipe

if TYPE_CHECKING:
    from pathlib import Path


def test_every_task_is_gated_and_rules_are_those_of_the_contract(tmp_path: Path) -> None:
    for task in KNOWN:
        held = suite(good(task).write(tmp_path / task))
        assert len(held.gates) > 25
        for gate in held.gates:
            if task in gate.tasks:
                assert set(gate.rules) <= set(contract(task).rules)


@pytest.mark.parametrize("task", ["tagging", "chat", "classification"])
def test_every_rule_a_task_is_audited_by_is_gated(task: str) -> None:
    rules, others = contract(task).rules, [contract(other).rules for other in KNOWN if other != task]
    own = {name for name, rule in rules.items() if rule.stage == "audit" and not all(name in other for other in others)}
    gated = {rule for gate in declared() if task in gate.tasks for rule in gate.rules}
    assert own - gated <= {"broken_tags"}  # held to by tag_sequences, over the offsets of the tokens


def test_unknown_gate_in_a_recipe_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    case = good("classification")
    case.raw["gate"] = {"bounds": {"leak_exactt": 0.1}}
    with pytest.raises(AssayError, match=r"no gate 'leak_exactt'.*did you mean 'leak_exact'"):
        suite(case.write(tmp_path))


def test_gate_of_another_task_is_refused(tmp_path: Path) -> None:
    case = good("classification")
    case.raw["gate"] = {"severity": {"chat_turns": "off"}}
    with pytest.raises(AssayError, match="no gate 'chat_turns' for this task"):
        suite(case.write(tmp_path))


@pytest.mark.parametrize("bound", [1.0, -0.1, 5.0])
def test_bound_that_is_no_share_is_refused(tmp_path: Path, bound: float) -> None:
    case = good("classification")
    case.raw["gate"] = {"bounds": {"token_budget": bound}}
    with pytest.raises(AssayError, match="'token_budget'"):
        suite(case.write(tmp_path))


def test_changed_bound_reaches_the_expectation(tmp_path: Path) -> None:
    case = good("classification")
    case.raw["gate"] = {"bounds": {"token_budget": 0.25, "class_floor_train": 3, "row_count_change": 0.5}}
    made = {gate.name: gate.expectation()["kwargs"] for gate in suite(case.write(tmp_path)).gates}
    assert made["token_budget"]["mostly"] == 0.75
    assert made["class_floor_train"]["min_value"] == 3
    assert made["row_count_change"]["max_value"] == 0.5
    assert "mostly" not in made["leak_exact"]


@pytest.mark.parametrize("text", ["gate = 3", "[[gate]]\nname = 'x'", "[[gate", "\xff"])
def test_broken_gates_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gates.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(AssayError, match=r"gates\.toml: cannot be read as gates"):
        declared(path)


def test_name_used_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gates.toml"
    path.write_bytes(2 * GATES.read_bytes())
    with pytest.raises(AssayError, match="declared twice"):
        declared(path)


def test_every_gate_says_what_why_and_what_to_do() -> None:
    for gate in declared():
        assert min(len(gate.means), len(gate.why), len(gate.remedy)) > 10, gate.name


def test_rules_become_a_pattern_of_whole_names() -> None:
    import re

    given = {"frame": "rows", "column": "rules", "type": "t", "bound": 0.0, "argument": "allowed_share", "unit": "u"}
    said = {"severity": "fail", "means": "m", "why": "w", "remedy": "r"}
    pattern = Gate.model_validate({"name": "x", "rules": ["echo"], **given, **said}).expectation()["kwargs"]["regex"]
    assert [bool(re.search(pattern, text)) for text in ("echo", "a|echo|b", "echoes", "an_echo", "")] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_gate_that_is_off_is_held_to_where_the_recipe_bounds_it(tmp_path: Path) -> None:
    name = "labels_flipped_rows"
    usual = suite(a_recipe(tmp_path))
    assert name not in {gate.name for gate in usual.gates}
    assert usual.off == ()  # the recipe turned nothing off
    (bound,) = (gate for gate in suite(a_recipe(tmp_path, gate={"bounds": {name: 3}})).gates if gate.name == name)
    assert (bound.bound, bound.severity) == (3, "fail")
    silenced = suite(a_recipe(tmp_path, gate={"bounds": {name: 3}, "severity": {name: "off"}}))
    assert silenced.off == (name,)
