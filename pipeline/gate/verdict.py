"""Verdicts: Great Expectations runs a suite over a frame, and every gate ends as PASS, WARN, FAIL or ERROR."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from pipeline.gate.frame import Frame
    from pipeline.gate.suite import Gate

PASS, WARN, FAIL, ERROR = "PASS", "WARN", "FAIL", "ERROR"
IDS_SHOWN = 100
_MISSED = {"fail": FAIL, "warn": WARN}
_UNMEASURED = {"error": ERROR, "warn": WARN, "pass": PASS}


@dataclass(frozen=True)
class Verdict:
    """What became of one gate.

    Attributes:
        verdict: PASS, WARN, FAIL, or ERROR where it could not be checked.
        value: the share of lines that offend, or the worst value of the column; None where nothing was measured.
        n: lines of the frame that were looked at.
        offending: how many lines offend; `ids` names at most 100 of them, `evidence` says what was seen at most at ten.
        note: what else there is to say: why a value is missing, why the gate crashed.
    """

    gate: str
    verdict: str
    severity: str
    value: float | None
    bound: float
    argument: str
    unit: str
    n: int
    offending: int
    ids: list[str]
    evidence: dict[str, str]
    note: str
    means: str
    why: str
    remedy: str

    def asdict(self) -> dict[str, Any]:
        """The verdict for report.json, with what it says in one sentence."""
        return {**asdict(self), "said": self.said}

    @property
    def said(self) -> str:
        """What a miss means, the value beside its bound, and some of the lines; only the value of what passed."""
        if self.value is None:
            return self.note
        sign = "at least" if self.argument == "min_value" else "at most"
        told = f"{self.value:.4g} ({sign} {self.bound:.4g}) {self.unit}"
        if self.verdict == PASS:
            return told
        more = ", ..." if self.offending > len(self.ids[:3]) else ""
        lines = f"; {self.offending} of {self.n}: {', '.join(self.ids[:3])}{more}" if self.ids else ""
        return f"{self.means} {told}{lines}" + (f" ({self.note})" if self.note else "")


def verdicts(gates: Sequence[Gate], frames: Mapping[str, Frame]) -> tuple[list[Verdict], dict[str, Any]]:
    """The verdict of every gate in order, and the validation result of Great Expectations by frame, for Data Docs."""
    found: dict[str, Verdict] = {}
    validations = {}
    source: Any = None
    for name, frame in frames.items():
        held = [gate for gate in gates if gate.frame == name]
        if not held:
            continue
        if frame.broken or not len(frame.table):
            reason = frame.broken or f"the frame '{name}' has no lines: there is nothing to check"
            found |= {gate.name: _error(gate, reason) for gate in held}
            continue
        source = source or _pandas_source()
        validations[name], results = _validate(source, name, frame.table, held)
        found |= {gate.name: _judge(gate, results.get(gate.name), frame) for gate in held}
    unseen = {gate.name: _error(gate, f"no frame '{gate.frame}' was computed") for gate in gates}
    return [(unseen | found)[gate.name] for gate in gates], validations


def _validate(source: Any, name: str, table: pd.DataFrame, gates: Sequence[Gate]) -> tuple[Any, dict[str, Any]]:
    """One validation of one frame: the whole result, and by gate its result, or why it could not be made a check.

    Great Expectations by itself only logs and drops an expectation that it does not know: here every gate is made on
    its own, and one that the suite does not keep is told by its absence.
    """
    from great_expectations.core.expectation_suite import ExpectationSuite

    made = {gate.name: _expectation(gate) for gate in gates}
    with _quiet():
        batch = (
            source.add_dataframe_asset(name)
            .add_batch_definition_whole_dataframe("whole")
            .get_batch({"dataframe": table})
        )
        suite = ExpectationSuite(
            name=name, expectations=[check for check in made.values() if not isinstance(check, str)]
        )
        shape = {"result_format": "COMPLETE", "unexpected_index_column_names": ["id"]}
        whole: Any = batch.validate(suite, result_format=shape)
    results = {result.expectation_config.meta["gate"]: result for result in whole.results}
    return whole, results | {gate: check for gate, check in made.items() if isinstance(check, str)}


def _expectation(gate: Gate) -> Any:
    """The expectation of a gate, or in words why there is none."""
    from great_expectations.exceptions import GreatExpectationsError
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    try:
        return ExpectationConfiguration(**gate.expectation()).to_domain_obj()
    except (GreatExpectationsError, ValueError, TypeError) as error:
        said = " ".join(str(error).split())
        return f"schemas/gates.toml declares no check that Great Expectations knows: {said}"


def _pandas_source() -> Any:
    """A source of frames in a context in memory: no files, no progress bars, no usage statistics."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

    stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    context = gx.get_context(
        mode="ephemeral", project_config=DataContextConfig(store_backend_defaults=stores, analytics_enabled=False)
    )
    context.variables.progress_bars = {"globally": False}
    return context.data_sources.add_pandas("frames")


@contextmanager
def _quiet() -> Iterator[None]:
    """What Great Expectations logs (whole tracebacks) is in the verdicts already."""
    logger = logging.getLogger("great_expectations")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def _judge(gate: Gate, result: Any, frame: Frame) -> Verdict:
    if result is None:
        return _error(gate, "Great Expectations dropped it without a word")
    if isinstance(result, str):
        return _error(gate, result)
    if crash := _crash(result.exception_info):
        return _error(gate, f"the check crashed: {crash}")
    ids = _offenders(result.result)
    missing = int(result.result.get("missing_count") or 0)
    seen = frame.evidence.get(gate.column, {})
    if not result.success:
        kind, note = _MISSED[gate.severity], _missing_note(gate, frame, missing)
    elif missing:
        kind, note = _UNMEASURED[gate.missing], _missing_note(gate, frame, missing)
    else:
        kind, note = PASS, ""
    return _verdict(
        gate,
        verdict=kind,
        value=_value(gate, result.result, frame),
        n=int(result.result.get("element_count", len(frame.table))) - missing,
        offending=int(result.result.get("unexpected_count") or 0),
        ids=ids[:IDS_SHOWN],
        evidence={id_: seen[id_] for id_ in ids[:10] if seen.get(id_)},
        note=note,
    )


def _crash(info: Mapping[str, Any]) -> str:
    """What an expectation raised, if it did: one message, or one for each of its metrics."""
    parts = [info] if "raised_exception" in info else list(info.values())
    return "; ".join(sorted({str(part["exception_message"]) for part in parts if part.get("raised_exception")}))


def _offenders(result: Mapping[str, Any]) -> list[str]:
    lines = result.get("unexpected_index_list") or []
    return list(dict.fromkeys(str(line["id"]) for line in lines))


def _missing_note(gate: Gate, frame: Frame, missing: int) -> str:
    if not missing:
        return ""
    why = frame.why.get(gate.column, "the value could not be measured")
    return f"not measured: {why}" if missing == len(frame.table) else f"not measured in {missing} lines: {why}"


def _value(gate: Gate, result: Mapping[str, Any], frame: Frame) -> float | None:
    """What is compared with the bound: the share of lines that offend, or the worst value of the column."""
    looked_at = int(result.get("element_count", 0)) - int(result.get("missing_count") or 0)
    if not looked_at:
        return None
    if gate.argument == "allowed_share":
        return float(result["unexpected_count"]) / looked_at
    column = frame.table[gate.column].dropna()
    return float(column.min() if gate.argument == "min_value" else column.max())


def _error(gate: Gate, note: str) -> Verdict:
    return _verdict(gate, verdict=ERROR, value=None, n=0, offending=0, ids=[], evidence={}, note=note)


def _verdict(gate: Gate, **found: Any) -> Verdict:
    said = gate.model_dump(include={"severity", "bound", "argument", "unit", "means", "why", "remedy"})
    return Verdict(gate=gate.name, **said, **found)
