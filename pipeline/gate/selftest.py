"""The self-test of the gates: a good build passes them all, and every fault is caught by the gate meant for it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.gate import examine
from pipeline.gate.lessons import Tokens
from pipeline.gate.mutations import FURTHER, MUTATIONS, Mutation
from pipeline.gate.sample import Case, Words, good
from pipeline.gate.suite import Gate, Suite, declared, suite
from pipeline.gate.verdict import ERROR, FAIL, PASS, WARN, Verdict
from pipeline.tasks import KNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console


@dataclass(frozen=True)
class Caught:
    """One fault: the gate that should see it, what was done, the verdict that was wanted and the one that came."""

    gate: str
    mutation: str
    wanted: str
    got: str

    @property
    def caught(self) -> bool:
        """Whether the gate gave the verdict that was wanted."""
        return self.got == self.wanted


def selftest(gates: Sequence[Gate] | None = None) -> list[Caught]:
    """One line per task (good builds pass), per gate (its fault trips it), and per way in which a check can break.

    A gate without a mutation is a line that is not caught, and so is a mutation without a gate.
    """
    held = tuple(gates or declared())
    faults = [(gate, MUTATIONS.get(gate.name)) for gate in held]
    faults += [(gate, mutation) for gate in held for mutation in FURTHER if mutation.gate == gate.name]
    return [*map(_good, KNOWN), *(_tripped(*fault) for fault in faults), *_unknown(held), *_broken_checks()]


def run(console: Console) -> int:
    """Print every fault with the verdict it got, and `caught N/N`; 0 if all were caught."""
    from rich.markup import escape

    lines = selftest()
    for line in lines:
        mark = "[green]caught[/]" if line.caught else "[bold red]MISSED[/]"
        wanted = "" if line.caught else f", wanted {line.wanted}"
        console.print(f"{mark} {line.gate}: {escape(line.mutation)} -> {escape(line.got)}{wanted}", highlight=False)
    faults = [line for line in lines if line.wanted != PASS]
    console.print(f"caught {sum(line.caught for line in faults)}/{len(faults)}", highlight=False)
    return 0 if all(line.caught for line in lines) else 1


def _good(task: str) -> Caught:
    """All gates of a task on a good build; what is not PASS is named."""
    found = _verdicts(good(task))
    others = [f"{verdict.gate} {verdict.verdict}" for verdict in found if verdict.verdict != PASS]
    got = ", ".join(others) or (PASS if found else "no gates")
    return Caught(gate=f"all of {task}", mutation="nothing is wrong", wanted=PASS, got=got)


def _tripped(gate: Gate, mutation: Mutation | None) -> Caught:
    wanted = WARN if gate.severity == "warn" else FAIL
    if mutation is None:
        return Caught(gate=gate.name, mutation="there is no mutation for it", wanted=wanted, got="nothing")
    case = good(mutation.task)
    mutation.break_(case)
    found = _verdicts(case, _only(gate.name))
    got = found[0].verdict if found else "not checked"
    return Caught(gate=gate.name, mutation=mutation.says, wanted=wanted, got=got)


def _unknown(gates: Sequence[Gate]) -> list[Caught]:
    extra = sorted(MUTATIONS.keys() - {gate.name for gate in gates})
    return [Caught(gate=name, mutation="there is no such gate", wanted=FAIL, got="nothing") for name in extra]


def _verdicts(case: Case, held: Callable[[Suite], Suite] = lambda held: held, tokenizer: Any = Words) -> list[Verdict]:
    with tempfile.TemporaryDirectory() as folder:
        recipe = case.write(Path(folder))
        tokens = Tokens(tokenizer) if tokenizer else None
        return examine(recipe, held(suite(recipe)), tokens=tokens, earlier=case.earlier).verdicts


def _broken_checks() -> list[Caught]:
    """A check that crashed, was never made, or had nothing to look at is not a pass."""
    one, nothing = good("classification"), good("classification")
    one.reports["audit"]["details"]["agreement"]["all"][0].update(value=None, low=None)
    nothing.rows = {split: [] for split in nothing.rows}
    illegible = good("classification")
    illegible.plan, illegible.checks = {}, [{"row": "made/1"}]
    return [
        _one("blank_text", "the check crashes", ERROR, changed={"column": "id", "type": _REGEX, "arguments": _CRASH}),
        _one("blank_text", "its expectation is misspelt", ERROR, changed={"type": "expect_column_values_to_be_inset"}),
        _one("blank_text", "its arguments are misspelt", ERROR, changed={"arguments": {"value_sett": [False]}}),
        _one("blank_text", "its column is not there", ERROR, changed={"column": "blnk"}),
        _one("blank_text", "there is no row at all", ERROR, case=nothing),
        _one("learned_tokens", "there is no tokenizer", ERROR, tokenizer=None),
        _one("agreement_floor", "nobody answered twice", WARN, case=one),
        _one("checked_bound", "a line of the verdicts cannot be read", ERROR, case=illegible),
    ]


_REGEX = "expect_column_values_to_match_regex"
_CRASH = {"regex": "(["}


def _one(
    name: str,
    mutation: str,
    wanted: str,
    *,
    changed: dict[str, Any] | None = None,
    case: Case | None = None,
    tokenizer: Any = Words,
) -> Caught:
    """The verdict of one gate, itself `changed`, on a build."""
    found = _verdicts(case or good("classification"), _only(name, changed), tokenizer)
    return Caught(gate=name, mutation=mutation, wanted=wanted, got=found[0].verdict)


def _only(name: str, changed: dict[str, Any] | None = None) -> Callable[[Suite], Suite]:
    """Of a suite only one gate, perhaps changed."""

    def only(held: Suite) -> Suite:
        kept = [gate.model_copy(update=changed or {}) for gate in held.gates if gate.name == name]
        return Suite(gates=tuple(kept), off=())

    return only
