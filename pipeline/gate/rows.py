"""Frames of rows: a line for every row and every class of the finished split; texts are read once."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from pipeline import store
from pipeline.errors import AssayError
from pipeline.gate.facts import NO_LABEL, Facts, Reader
from pipeline.gate.frame import SPLITS, Frame
from pipeline.gate.mentions import Known, known
from pipeline.gate.overlaps import TRAIN, leaks, repeats
from pipeline.quality.splitting import searched
from pipeline.tasks import Task, task

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.tasks import Row

NO_TOKENIZER = "no tokenizer was given, so nothing is known of what is learned of a row"
_FACTS = (
    *("id", "split", "source_name", "language", "language_expected", "made", "weight", "chars", "blank"),
    *("replacement", "control", "mojibake", "rules", "unknown_labels", "tag_fault"),
)


def row_frames(recipe: Recipe, tokenizer: Any, *, no_tokenizer: str = NO_TOKENIZER) -> tuple[Frame, Frame, Known]:
    """The frames `rows` and `classes` of the finished split, and what train knows of the mentions held out.

    Texts are read once, shard by shard.

    `tokenizer`: what `Task.encode` takes, or None, and then the columns learned, tokens and cut are missing.
    """
    kind = task(recipe.settings.task, recipe.settings.guideline)
    reader = Reader.of(recipe, kind)
    folder = recipe.build / "split"
    facts = [reader.read(row, split) for split, row in _rows(folder)]
    rows = _rows_frame(recipe, facts, _kin_left_out(folder, kind))
    seen = sorted({label for row in facts if row.split == TRAIN for label in row.strata})
    _add_tokens(rows, _encoded(folder, kind, tokenizer, seen, recipe.settings.finetune.max_tokens), no_tokenizer)
    return rows, _classes_frame(facts, recipe.settings.guideline.names), known(facts)


def _rows(folder: Path) -> Iterable[tuple[str, Row]]:
    for split in SPLITS:
        for batch in store.batches(folder, split):
            for row in batch.to_pylist():
                yield split, row


def _kin_left_out(folder: Path, kind: Task) -> list[list[str]]:
    """The kin of every row that annotators saw and the split rejected."""
    lines = (line for batch in store.batches(folder, "rejected", columns=["row"]) for line in batch["row"].to_pylist())
    return [kind.kin(row) for row in map(json.loads, lines) if not row["parents"]]


def _rows_frame(recipe: Recipe, facts: Sequence[Facts], left_out: Sequence[Sequence[str]]) -> Frame:
    frame = Frame(pd.DataFrame({name: [getattr(row, name) for row in facts] for name in _FACTS}))
    for row in facts:
        for column, seen in row.evidence:
            frame.evidence.setdefault(column, {}).setdefault(row.id, seen)
    split = store.read_report(recipe.build / "split") or {"details": {}}
    pairs = searched.near(recipe) if split["details"].get("pairs_from") == "audit" else None
    given_away = leaks(facts, threshold=recipe.settings.split.near_threshold, left_out=left_out, pairs=pairs)
    for column, found in {**repeats(facts), **given_away}.items():
        frame.table[column] = [at in found for at in range(len(facts))]
        frame.evidence[column] = {
            facts[at].id: f"{facts[other].id} in {facts[other].split}" for at, other in found.items()
        }
    _add_parents(frame, facts)
    frame.why["language_expected"] = "the recipe names no languages (ingest.languages), so none is unexpected"
    frame.why["unknown_labels"] = "the guideline names no labels, so none can be unknown"
    return frame


def _add_parents(frame: Frame, facts: Sequence[Facts]) -> None:
    train = {row.id for row in facts if row.split == TRAIN}
    stray = [[parent for parent in row.parents if parent not in train] for row in facts]
    orphans = [row.made and not row.parents for row in facts]
    frame.table["made_outside_train"] = [row.made and row.split != TRAIN for row in facts]
    frame.table["parent_outside_train"] = [bool(lost) or orphan for lost, orphan in zip(stray, orphans, strict=True)]
    frame.evidence["made_outside_train"] = {row.id: f"made, in {row.split}" for row in facts if row.split != TRAIN}
    frame.evidence["parent_outside_train"] = {
        row.id: ", ".join(lost) or "names no parent" for row, lost in zip(facts, stray, strict=True)
    }


@dataclass(frozen=True)
class _Taught:
    """What the trainer gets of a row: targets learned, tokens, whether the limit cut it, why it cannot be encoded."""

    learned: int
    tokens: int
    cut: bool
    fault: str = ""


def _encoded(folder: Path, kind: Task, tokenizer: Any, seen: Sequence[str], max_tokens: int) -> list[_Taught] | None:
    """What the trainer gets of every row; None without a tokenizer. A row that cannot be encoded teaches nothing."""
    if tokenizer is None:
        return None
    classes = kind.classes(seen)
    return [_taught(kind, row, tokenizer, classes, max_tokens) for _, row in _rows(folder)]


def _taught(kind: Task, row: Row, tokenizer: Any, classes: Sequence[str], max_tokens: int) -> _Taught:
    try:
        encoded = kind.encode(row, tokenizer, classes=classes, max_tokens=max_tokens)
    except AssayError as error:
        return _Taught(0, 0, False, f"cannot be encoded: {error}")
    return _Taught(encoded.learned, len(encoded.inputs.get("input_ids", ())), encoded.cut)


def _add_tokens(frame: Frame, encoded: Sequence[_Taught] | None, no_tokenizer: str) -> None:
    for column in ("learned", "tokens", "cut"):
        values = [None] * len(frame.table) if encoded is None else [getattr(row, column) for row in encoded]
        frame.table[column] = pd.Series(values, dtype=object if encoded is None else None)
        frame.why[column] = no_tokenizer
    ids = frame.table["id"].tolist()
    frame.evidence["learned"] = {id_: row.fault for id_, row in zip(ids, encoded or (), strict=False) if row.fault}
    frame.evidence["cut"] = {id_: f"{row.tokens} tokens kept" for id_, row in zip(ids, encoded or (), strict=False)}


def _classes_frame(facts: Sequence[Facts], names: Sequence[str]) -> Frame:
    counts = Counter((label, row.split) for row in facts for label in set(row.strata))
    labels = sorted({*names, *(label for label, _ in counts)} - {NO_LABEL})
    table = pd.DataFrame({"id": labels} | {split: [counts[label, split] for label in labels] for split in SPLITS})
    return Frame(table)
