"""The gate: what is checked of a finished split, and whether it may be trained on."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import checks, store, versions
from pipeline.cache import file_hash
from pipeline.contract import contract
from pipeline.engine import few_collections
from pipeline.errors import AssayError
from pipeline.gate.change import base_name
from pipeline.gate.docs import write_docs
from pipeline.gate.frame import SPLITS, Frame
from pipeline.gate.frames import frames
from pipeline.gate.lessons import Tokens
from pipeline.gate.suite import GATES, Suite, suite
from pipeline.gate.verdict import ERROR, FAIL, PASS, WARN, Verdict, verdicts
from pipeline.memo import FOLDER, Memos
from pipeline.stage import code_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console

    from pipeline.recipe import Recipe

STAGES = ("ingest", "audit", "augment", "split")
CODE = Path(__file__).resolve().parent
COMPARING = Path(versions.__file__).resolve().parent
"""The code, beside that of the stages and the gates, that decides about verdicts."""
MATTERS = ("great_expectations", "tokenizers", "transformers")
"""Libraries, beside those of the stages, whose version may change a verdict."""
ROW_CHANGE = "row_count_change"
# Files of a model's folder that may make its tokenizer; a GGUF file holds it inside.
_TOKENIZER = {".json", ".txt", ".model", ".jinja", ".gguf"}


def gate(
    recipe: Recipe,
    *,
    tokenizer_loader: Callable[[], Any] | None = None,
    tokenizer_content: Callable[[], str] | None = None,
    fresh: bool = False,
) -> dict[str, Any]:
    """Hold the finished split to the gates, unless it was held to the very same already; the report.

    `tokenizer_loader` gives the tokenizer that the model will be trained with; without it, the gates that count tokens
    are ERROR. `tokenizer_content` gives a hash of what it is made of, by which what it makes of a row is remembered.
    `fresh`: check it whatever is there, and believe nothing that is remembered of rows.

    `results` of the report has one entry per gate (see `pipeline.gate.verdict.Verdict`), `split` the content hashes of
    the tables that were judged, `docs/` beside it the Data Docs. `counts.rows_last_passed` is what the row counts of
    the next build are held to: those of the last build that passed `row_count_change`, or of the first.

    Raises:
        AssayError: a stage before has not been run, or the recipe names a gate that there is not.
    """
    held = suite(recipe)
    reports = _reports(recipe)
    folder = recipe.build / "gate"
    earlier = store.read_report(folder)
    wanted = _key(recipe, reports, has_tokenizer=tokenizer_loader is not None)
    if earlier is not None and earlier["key"] == wanted and not fresh:
        return earlier | {"fresh": False}
    counts = earlier["counts"].get("rows_last_passed", earlier["counts"]["rows"]) if earlier else None
    tokens = Tokens(tokenizer_loader, tokenizer_content) if tokenizer_loader else None
    memos = Memos(recipe.build / FOLDER / "gate", _hash([code_version(), _code()]), believed=not fresh)
    with few_collections(), store.replacing(folder) as partial:
        found = examine(recipe, held, tokens=tokens, earlier=counts, memos=memos)
        report = _report(recipe, held, found, reports["split"], key=wanted, earlier=counts)
        write_docs(partial / "docs", found.validations, found.frames, found.verdicts, recipe.name)
        store.write_report(partial, report)
    memos.forget_others()
    return report | {"fresh": True}


@dataclass(frozen=True)
class Examined:
    """The verdicts in the order of the gates, the frames they are about, and the validations of Great Expectations."""

    verdicts: list[Verdict]
    frames: dict[str, Frame]
    validations: dict[str, Any]


def examine(
    recipe: Recipe,
    held: Suite,
    *,
    tokens: Tokens | None,
    earlier: Mapping[str, int] | None,
    memos: Memos | None = None,
) -> Examined:
    """The verdicts of the gates in `held` on a finished split; `earlier`: rows per split that its own are held to."""
    seen = frames(recipe, _reports(recipe), contract(recipe.settings.task).schema, earlier, tokens=tokens, memos=memos)
    found, validations = verdicts(held.gates, seen)
    return Examined(verdicts=found, frames=seen, validations=validations)


def _report(
    recipe: Recipe,
    held: Suite,
    found: Examined,
    split: Mapping[str, Any],
    *,
    key: str,
    earlier: Mapping[str, int] | None,
) -> dict[str, Any]:
    tables = {name: split["tables"][name] for name in SPLITS if name in split["tables"]}
    rows = {name: table["rows"] for name, table in tables.items()}
    passed = any(verdict.gate == ROW_CHANGE and verdict.verdict == PASS for verdict in found.verdicts)
    return {
        "stage": "gate",
        "data_set": recipe.name,
        "task": recipe.settings.task,
        "key": key,
        "tables": {},
        "split": {name: table["content"] for name, table in tables.items()},
        "counts": {
            "rows": rows,
            # Counts that were found odd, or not looked at, are no measure: the next rebuild would pass by them.
            "rows_last_passed": rows if passed or earlier is None else dict(earlier),
            "verdicts": dict(Counter(verdict.verdict for verdict in found.verdicts)),
        },
        "off": list(held.off),
        "results": [verdict.asdict() for verdict in found.verdicts],
    }


def selftest_command(console: Console) -> int:
    """Break a good build once for every gate, print what was caught; 0 if everything was."""
    from pipeline.gate.selftest import run

    return run(console)


def worst(report: Mapping[str, Any]) -> str:
    """The worst verdict of all gates: ERROR, FAIL, WARN or PASS; ERROR where nothing was checked."""
    found = {result["verdict"] for result in report["results"]}
    return next((verdict for verdict in (ERROR, FAIL, WARN, PASS) if verdict in found), ERROR)


def exit_code(report: Mapping[str, Any]) -> int:
    """0 if all is PASS or WARN, 1 if anything is FAIL, 3 if anything is ERROR or nothing was checked."""
    return {PASS: 0, WARN: 0, FAIL: 1, ERROR: 3}[worst(report)]


def _reports(recipe: Recipe) -> dict[str, dict[str, Any]]:
    found = {}
    for name in STAGES:
        report = store.read_report(recipe.build / name)
        if report is None:
            raise AssayError(
                f"gate of '{recipe.name}'", f"the stage '{name}' has not been run", f"assay run {recipe.name}"
            )
        found[name] = report
    return found


def _key(recipe: Recipe, reports: Mapping[str, Any], *, has_tokenizer: bool) -> str:
    """All that a verdict depends on: code, gates, settings, tokenizer, reports, what the change is measured from."""
    settings = recipe.settings.model_dump(mode="json", include={"task", "guideline", "ingest", "split", "gate", "plan"})
    chosen = recipe.settings.finetune
    model = [chosen.model, chosen.max_tokens, has_tokenizer, _tokenizer_files(chosen.model)]
    checked = {path.name: file_hash(path) for path in checks.read_from(recipe)}
    libraries = {name: metadata.version(name) for name in MATTERS}
    told = {
        name: [
            report["counts"],
            report["details"],
            {table: [entry["content"], entry["files"]] for table, entry in report["tables"].items()},
        ]
        for name, report in reports.items()
    }
    basis = [code_version(), _code(), libraries, GATES.read_text(encoding="utf-8"), settings, model, told, checked]
    basis.append(base_name(recipe))
    return _hash(basis)


def _code() -> list[dict[str, str]]:
    return [{path.name: file_hash(path) for path in sorted(one.glob("*.py"))} for one in (CODE, COMPARING)]


def _hash(basis: Any) -> str:
    return hashlib.sha256(json.dumps(basis, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


def _tokenizer_files(model: str) -> dict[str, str]:
    """The SHA-256 of the files that may make a model's tokenizer, where it is a folder; other models name a version."""
    folder = Path(model)
    if model == "tiny" or not folder.is_dir():
        return {}
    files = sorted(path for path in folder.iterdir() if path.suffix in _TOKENIZER and path.is_file())
    return {path.name: file_hash(path) for path in files}


__all__ = ["examine", "exit_code", "gate", "selftest_command", "worst"]
