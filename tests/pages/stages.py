"""Builds for the tests of the report: every stage's report and tables as the stages write them, with hostile rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline import store
from pipeline.contract import REJECTED, contract
from pipeline.suspecting import SUSPECTS
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


def a_figure(name: str = "alpha (nominal)", **told: Any) -> dict[str, Any]:
    """A measure of agreement."""
    return {"name": name, "value": 0.5, "low": 0.4, "high": 0.6, "rows": 10, "answers": 30, "note": "", **told}


def an_agreement() -> dict[str, Any]:
    """All that is said of agreement, under hostile names."""
    nothing = a_figure(HOSTILE[1], value=None, low=None, high=None, note=HOSTILE[0])
    pair = {"one": HOSTILE[0], "other": HOSTILE[7], "met": 9, **a_figure("kappa (Cohen)")}
    return {
        "headline": a_figure(note=HOSTILE[0]),
        "all": [a_figure(), a_figure("percentage of agreement", value=0.7), nothing],
        "by_label": {HOSTILE[0]: {**a_figure(), "also": [nothing]}, HOSTILE[4]: {**nothing, "also": []}},
        "by_batch": {HOSTILE[5]: a_figure()},
        "by_guideline": {HOSTILE[2]: nothing},
        "pairs": [pair],
        "pairs_of_annotators": 12,
        "annotators": {HOSTILE[3]: a_figure("alpha with the others")},
        "notes": [HOSTILE[0], "only 3 rows were answered twice"],
    }


def a_consensus() -> dict[str, Any]:
    """How answers were settled, with warnings."""
    method = {"method": HOSTILE[0], "likelihood": -0.5, "error": 0.01, "weight": 0.9, "differs": 0.1}
    return {
        "method": "blend", "asked_for": "auto", "note": HOSTILE[1], "units": 10, "ties_by_majority": 2, "ties_left": 1,
        "other_than_majority": 3, "mean_posterior": 0.9, "iterations": 3, "converged": False,
        "methods": [method, {**method, "method": "majority", "likelihood": -0.7}], "best": HOSTILE[0],
        "warnings": [f"WARNING: the methods differ {HOSTILE[0]}", "only 3 rows"], "model": HOSTILE[2],
    }  # fmt: skip


def a_card(name: str, **told: Any) -> dict[str, Any]:
    """The card of an annotator, as `pipeline.quality.annotators` tells it."""
    figure = {"value": 0.5, "low": 0.4, "high": 0.6}
    drift = {
        "rows": 40, "trend": -0.2, "trend_p": 0.001, "cut": 20, "before": 0.1, "after": -0.1, "change_p": 0.001,
        "batch_p": None, "batches": [{"batch": name, "count": 9, "right": 0.5, "beside_others": -0.1}],
        "batches_left_out": 2,
    }  # fmt: skip
    copy = {"with": HOSTILE[0], "shared": 50, "same": 49, "expected": 20.0, "odd": 7, "odd_expected": 0.5, "rows": [1]}
    return {
        "name": name, "verdict": "below the others", "suspect": False, "reasons": [f"as if at random: {name}"],
        "answers": 60, "judged": 50, "rows": 50, "accuracy": figure, "usual_accuracy": 0.8, "kappa": figure,
        "beside_others": {"value": -0.3, "low": -0.4, "high": -0.2, "raw": -0.3, "error": 0.05}, "disagreements": 9,
        "disagreements_contested": 4,
        "confusions": [{"true": name, "given": HOSTILE[7], "count": 4, "of": 9, "usual": 0.1}],
        "gold": {"asked": 10, "right": 4, "low": 0.15, "high": 0.7, "missed": 6, "missed_rows": [1]},
        "spam": {"label": name, "share": 0.9, "usual_share": 0.5, "steps": 49, "repeats": 40, "repeats_expected": 20.0},
        "copying": [copy], "drift": drift, "scale": None,
        "speed": {"gaps": 40, "sessions": 2, "median": 4.5, "usual": 60.0, "floor": 2.0, "hasty": 0.2, "burst": 5},
        **told,
    }  # fmt: skip


def a_suspect(id_: str, text: str, at: int) -> dict[str, Any]:
    """A line of the table of suspects."""
    verdict = ("wrong", "ambiguous", "fine")[at % 3]
    signals = [{"name": text, "value": 1.5}]
    return {
        "id": id_, "part": text if at % 2 else "", "verdict": verdict, "score": 0.5, "given": text, "likely": text,
        "why": [text, "model gives 3 %"], "signals": signals,
    }  # fmt: skip


def _audit(of: Recipe) -> None:
    rows = (contract("classification").schema, hostile_rows())
    gone = (REJECTED, rejections(["conflict", "<b>reason</b>"]))
    suspects = [a_suspect(row["id"], HOSTILE[at % 10], at) for at, row in enumerate(hostile_rows())]
    details = {
        "agreement": an_agreement(),
        "annotators": {
            "annotators": 700,
            "anonymous_answers": 3,
            "without_card": 1,
            "notes": [HOSTILE[0], HOSTILE[4]],
            "cards": [a_card(name, suspect=at < 2) for at, name in enumerate(HOSTILE)],
        },
        "annotations": {"counted": 5, "<i>odd</i>": 1},
        "confusion": {"labels": [HOSTILE[0], HOSTILE[6], "B-X"], "counts": [[5, 1, 0], [2, 7, 0], [0, 0, 0]]},
        "consensus": a_consensus(),
        "decisions": {"used": {"drop": 1}, "stale": [HOSTILE[2]]},
        "duplicates": {"merged": 1, "in_conflict": 2},
    }
    counts = counted(10, 10, conflict=10, **{"<b>reason</b>": 10})
    whole(of, "audit", {"rows": rows, "rejected": gone}, counts=counts, details=details)
    looked = {
        "listed": 10,
        "checked": 500,
        "note": "",
        "model": HOSTILE[0],
        "verdicts": {"wrong": 4, "ambiguous": 3, "fine": 3},
        "error_rate": {"value": 0.02, "low": 0.01, "high": 0.03, "note": HOSTILE[1]},
        "weights": {HOSTILE[2]: 1.5, "other": 0.0},
    }
    whole(of, "suspect", {"suspects": (SUSPECTS, suspects)}, counts=counted(10, 0), details=looked)


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
        "official_overlaps": {"test in train": {"exact": 2, "near": 1}},
        "leaks": {"official": 1, "locked": 2, "new": 3},
        "leaks_listed": [{"id": HOSTILE[3], "reason": "bridges_sides", "evidence": HOSTILE[4]}],
        "lock": {
            "edition": HOSTILE[5],
            "rows": 12,
            "in_build": 9,
            "left_out": 2,
            "last_change": {"dealt": 3, "moved": 1, "overruled": 1, "frozen": ["test"]},
        },
        "folds": {"folds": 2, "rows": [4, 5], "max_deviation_points": 0.5},
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
