"""Builds for the tests of the report: every stage's report and tables as the stages write them, with hostile rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline import store
from pipeline.contract import REJECTED, contract
from tests.builds import SPINE, a_recipe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipeline.recipe import Recipe

HOSTILE = (
    "<script>alert('owned')</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></svg></details></table><h1>broken out</h1>",
    "{{ 7 * 7 }}{% raw %}",
    "\u202egnirts\u202c \u2066isolated",
    "null\x00 escape\x1b[31m \u200bzero",
    "x" * 5000,
    "这家店的服务很好。\n第二行",
    "&lt;b&gt; & &amp; &#x3c;",
    "]]> --> <!--",
)
SUSPECTS = pa.schema([(name, pa.string()) for name in ("id", "given", "likely", "why")] + [("score", pa.float64())])
SIDES = ("train", "validation", "test")


def a_row(number: int, text: str, **columns: Any) -> dict[str, Any]:
    """A classification row that is called by its text, too."""
    own = {"id": f"film/{number}{text[:40]}", "group": f"g{number}", "text": text, "text_pair": None}
    return {**SPINE, **own, "labels": [text[:12] if number % 2 else "positive"], **columns}


def hostile_rows() -> list[dict[str, Any]]:
    """A row for every hostile text."""
    return [a_row(number, text) for number, text in enumerate(HOSTILE)]


def rejections(reasons: Sequence[str]) -> list[dict[str, str]]:
    """A rejected line for every hostile text, under each of the reasons."""
    return [
        {
            "id": row["id"],
            "source": f"raw{row['text'][:30]}.csv:1",
            "stage": "audit",
            "reason": reason,
            "evidence": row["text"],
            "row": json.dumps(row, ensure_ascii=False) if row["text"][0] != "x" else row["text"],
        }
        for reason in reasons
        for row in hostile_rows()
    ]


def whole(of: Recipe, stage: str, tables: Mapping[str, tuple[pa.Schema, list[dict[str, Any]]]], **told: Any) -> None:
    """Write a stage as a whole one."""
    with store.replacing(of.build / stage) as folder:
        written = {}
        for name, (schema, rows) in tables.items():
            table = store.Table(folder, name, schema, 50_000)
            table.write(pa.RecordBatch.from_pylist(rows, schema=schema))
            written[name] = table.close()
        report = {
            "stage": stage,
            "data_set": of.name,
            "task": "classification",
            "key": stage,
            "details": {},
            "counts": {},
        }
        store.write_report(folder, report | told | {"tables": written})


def contents(of: Recipe) -> dict[str, str]:
    """The content of the split as it stands."""
    report = store.read_report(of.build / "split") or {}
    return {side: report["tables"][side]["content"] for side in SIDES}


def counted(given: int, kept: int, *, joined: int = 0, made: int = 0, **reasons: int) -> dict[str, Any]:
    """The counts of a stage."""
    gone = sum(reasons.values())
    return {"in": given, "kept": kept, "made": made, "joined": joined, "rejected": gone, "reasons": reasons}


def built(folder: Path, *, last: str = "evaluate") -> Recipe:
    """A build up to the stage `last`, full of hostile names and texts."""
    of = a_recipe(folder, title=f"Title {HOSTILE[1]}", licence=HOSTILE[0], guideline={"label": [{"name": HOSTILE[2]}]})
    for stage, write in WRITERS.items():
        write(of)
        if stage == last:
            break
    return of


def _ingest(of: Recipe) -> None:
    rows = (contract("classification").schema, hostile_rows())
    gone = (REJECTED, rejections(["unreadable_record"]))
    details = {"notes": [HOSTILE[0], HOSTILE[4]], "notes_count": 30, "sources": {}}
    counts = counted(20, 10, unreadable_record=10)
    whole(of, "ingest", {"rows": rows, "rejected": gone}, counts=counts, details=details)


def _audit(of: Recipe) -> None:
    rows = (contract("classification").schema, hostile_rows())
    gone = (REJECTED, rejections(["conflict", "<b>reason</b>"]))
    suspects = [{"id": t[:40], "given": t, "likely": t, "why": t, "score": 0.5} for t in HOSTILE]
    alpha = {"alpha": 0.5, "low": 0.4, "high": 0.6, "rows": 10, "answers": 30, "note": HOSTILE[0]}
    nothing = {**alpha, "alpha": None, "low": None, "high": None}
    details = {
        "agreement": {"alpha": alpha, "by_label": {HOSTILE[0]: alpha, HOSTILE[4]: nothing}, "pairs_that_agree": 0.7},
        "annotators": {"count": 2, "answers": {HOSTILE[0]: 3, HOSTILE[7]: 2}},
        "annotations": {"counted": 5, "<i>odd</i>": 1},
        "consensus": {"method": "dawid-skene", "note": HOSTILE[1], "iterations": 3, "converged": False},
        "decisions": {"used": {"drop": 1}, "stale": [HOSTILE[2]]},
        "duplicates": {"merged": 1, "in_conflict": 2},
        "suspects": {"listed": 10, "checked": 10, "note": ""},
    }
    counts = counted(10, 10, conflict=10, **{"<b>reason</b>": 10})
    tables = {"rows": rows, "rejected": gone, "suspects": (SUSPECTS, suspects)}
    whole(of, "audit", tables, counts=counts, details=details)


def _augment(of: Recipe) -> None:
    examples = [{"edit": HOSTILE[0], "id": text[:40], "before": text, "after": text[::-1]} for text in HOSTILE]
    edits = {HOSTILE[0]: {"planned": 3, "made": 2, "refused": {HOSTILE[1]: 1}}}
    details = {"edits": edits, "classes": {HOSTILE[2]: {"rows": 1, "wanted": 2, "made": 3}}, "examples": examples}
    whole(of, "augment", {}, counts=counted(10, 12, made=2), details=details)


def _split(of: Recipe) -> None:
    schema = contract("classification").schema
    stratum = {"rows": 9, "per_side": {"train": 7, "test": 2}, "shares": {"train": 0.8}, "deviation_points": 1.5}
    details = {
        "sides": {"train": {"rows": 7, "groups": 3, "made": 1}},
        "strata": {"all": stratum, HOSTILE[0]: stratum, HOSTILE[6]: stratum},
        "near_pairs": {"similar": 2},
        "worst_stratum": HOSTILE[0],
        "official_leaks_listed": [{"id": HOSTILE[1], "evidence": HOSTILE[2]}],
    }
    tables = {side: (schema, hostile_rows()) for side in SIDES}
    whole(of, "split", {**tables, "rejected": (REJECTED, [])}, counts=counted(12, 30), details=details)


def a_result(gate: str, verdict: str, **told: Any) -> dict[str, Any]:
    """The result of a gate."""
    usual = {"value": 0.25, "bound": 0.1, "argument": "allowed_share", "unit": "share of rows", "n": 8, "offending": 12}
    said = {"means": f"means {HOSTILE[0]}", "remedy": f"remedy {HOSTILE[1]}", "note": "", "ids": [], "evidence": {}}
    return {"gate": gate, "verdict": verdict, "severity": "fail", **usual, **said, **told}


def _gate(of: Recipe) -> None:
    ids = [text[:40] for text in HOSTILE]
    results = [
        a_result("ids", "PASS"),
        a_result("blanks", "WARN", ids=ids, evidence={name: HOSTILE[0] for name in ids}),
        a_result("<u>leaks</u>", "FAIL"),
        a_result("tokens", "ERROR", value=None, note=HOSTILE[2]),
    ]
    counts = {"rows": dict.fromkeys(SIDES, 10), "verdicts": {}}
    whole(of, "gate", {}, counts=counts, results=results, off=["near"], split=contents(of))


def _finetune(of: Recipe) -> None:
    history = [
        {"step": n, "epoch": n / 10, "train_loss": 1 / n, "metric": "macro_f1", "value": n / 10} for n in (1, 2, 3)
    ]
    details = {
        "model": HOSTILE[0],
        "device": "cpu",
        "precision": "float32",
        "versions": {"torch": HOSTILE[1]},
        "split": contents(of),
        "sampled": {"why": "there is no GPU", "rows": 5, "of_rows": 10, "epochs": 1, "of_epochs": 3},
        "ledger": {"rows_learned_from": 5, "tokens": 100, "learned_targets": 5, "rows_cut": 0},
        "history": history,
        "best_step": 2,
    }
    whole(of, "finetune", {}, details=details)


def _evaluate(of: Recipe) -> None:
    figure = {"value": 0.7, "low": 0.6, "high": 0.8}
    label = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "gold": 5, "found": 4, "f1_interval": figure}
    errors = [{"id": row["id"], "gold": row["text"], "found": HOSTILE[0], "probability": 0.9} for row in hostile_rows()]
    test = {
        "headline": "macro_f1",
        "n": 10,
        "metrics": {"macro_f1": figure},
        "per_class": {HOSTILE[0]: label, HOSTILE[7]: {"f1": 0.0, "gold": 0}},
        "confusion": {HOSTILE[0]: {HOSTILE[0]: 3, HOSTILE[7]: 2}, HOSTILE[7]: {HOSTILE[0]: 1}},
        "majority": {"answer": HOSTILE[2], "metrics": {}, "difference": figure},
        "slices": {"source": {HOSTILE[0]: {"n": 9, **figure}, "few": {"n": 1}}},
        "calibration": {
            "ece": 0.1,
            "bins": [{"low": 0, "high": 0.1, "n": 0}, {"n": 10, "probability": 0.8, "right": 0.7}],
        },
        "errors": errors,
    }
    counts = {"test": {"rows": 5, "of_rows": 10}}
    details = {"scores": {"test": test, "validation": {"n": 0}}, "sampled": {"why": "there is no GPU", **counts}}
    details |= {"split": contents(of), "trained": "finetune"}
    whole(of, "evaluate", {}, counts=counts, details=details)


WRITERS = {
    "ingest": _ingest,
    "audit": _audit,
    "augment": _augment,
    "split": _split,
    "gate": _gate,
    "finetune": _finetune,
    "evaluate": _evaluate,
}
