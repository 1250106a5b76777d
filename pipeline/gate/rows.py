"""Frames of rows: a line for every row and every class of the finished split; texts are read once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pipeline import store
from pipeline.gate.facts import NO_LABEL, SIGNS
from pipeline.gate.frame import SPLITS, Frame
from pipeline.gate.known import Known, Looking, codes, members
from pipeline.gate.lessons import LESSONS, Tokens, Unloadable
from pipeline.gate.mentions import Learned, learned
from pipeline.gate.overlaps import Found, leaks, repeats
from pipeline.quality.splitting import searched

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pipeline.memo import Memos
    from pipeline.recipe import Recipe

    Flags = NDArray[np.bool_]

NO_TOKENIZER = "no tokenizer was given, so nothing is known of what is learned of a row"
UNDETERMINED = "und"


def row_frames(
    recipe: Recipe, tokens: Tokens | None = None, memos: Memos | None = None
) -> tuple[Frame, Frame, Learned]:
    """The frames `rows` and `classes` of the finished split, and what train knows of the mentions held out.

    Texts are read shard by shard, and only those of rows that `memos` does not hold. Without `tokens`, or where the
    tokenizer cannot be loaded, the columns learned, tokens and cut are missing.
    """
    looking = Looking.at(recipe, memos)
    known = looking.known()
    rows = _rows_frame(looking, known)
    counts = _class_counts(known)
    seen = [label for label, of_sides in counts.items() if of_sides[0]]
    _add_tokens(rows, *_lessons(looking, tokens, seen))
    return rows, _classes_frame(counts, recipe.settings.guideline.names), learned(known)


def _lessons(looking: Looking, tokens: Tokens | None, seen: Sequence[str]) -> tuple[pa.Table | None, str]:
    """What the trainer gets of every row, or why that is not known."""
    if tokens is None:
        return None, NO_TOKENIZER
    try:
        return looking.lessons(tokens, seen), NO_TOKENIZER
    except Unloadable as error:
        return None, f"the tokenizer could not be loaded: {error}"


def _rows_frame(looking: Looking, known: Known) -> Frame:
    recipe = looking.recipe
    frame = Frame(_table(known, frozenset(recipe.settings.ingest.languages)))
    _add_seen(frame, known)
    split = store.read_report(recipe.build / "split") or {"details": {}}
    given_away = leaks(
        known,
        texts=looking.texts,
        threshold=recipe.settings.split.near_threshold,
        left_out=list(_kin_left_out(looking)),
        pairs=searched.near(recipe) if split["details"].get("pairs_from") == "audit" else None,
        recall=looking.work.recalled,
    )
    for column, found in {**repeats(known), **given_away}.items():
        _add_found(frame, known, column, found)
    _add_parents(frame, known)
    frame.why["language_expected"] = "the recipe names no languages (ingest.languages), so none is unexpected"
    frame.why["unknown_labels"] = "the guideline names no labels, so none can be unknown"
    return frame


def _table(known: Known, languages: frozenset[str]) -> pd.DataFrame:
    """The columns that are read off each row alone; a column of which nothing is known holds only None."""
    columns: dict[str, Any] = {name: _text(known.column(name)) for name in ("id", "rules", "tag_fault")}
    columns |= {name: np.asarray(known.column(name)) for name in (*SIGNS, "weight")}
    nothing = pd.Series([None] * len(known), dtype=object)
    labels = known.column("unknown_labels")
    columns["unknown_labels"] = nothing if labels.null_count else _text(labels)
    # Undetermined is no other language: too short to say.
    wanted = pa.array(sorted({*languages, UNDETERMINED}), pa.string())
    expected = pc.is_in(known.column("language"), value_set=wanted)
    columns["language_expected"] = np.asarray(expected) if languages else nothing
    return pd.DataFrame(columns)


def _text(column: pa.Array) -> Any:
    """A column of texts as pandas holds it, over the same bytes."""
    return pd.array(column.cast(pa.large_string()), dtype=pd.StringDtype(na_value=np.nan))


def _add_seen(frame: Frame, known: Known) -> None:
    """What was seen of rows that offend, of rows of one id the first."""
    row, seen = members(known.column("seen"))
    lines = zip(known.names(row), seen.to_pylist(), strict=True)
    for name, one in lines:
        frame.evidence.setdefault(one["column"], {}).setdefault(name, one["said"])
    if frame.table["language_expected"].dtype == bool:
        odd = np.flatnonzero(~frame.table["language_expected"].to_numpy())
        languages = known.column("language").take(pa.array(odd)).to_pylist()
        frame.evidence["language_expected"] = dict(zip(known.names(odd)[::-1], languages[::-1], strict=True))


def _kin_left_out(looking: Looking) -> Iterator[list[str]]:
    """The kin of every row that annotators saw and the split rejected."""
    for batch in looking.work.batches("rejected", ["row"]):
        for row in map(json.loads, batch["row"].to_pylist()):
            if not row["parents"]:
                yield looking.work.task.kin(row)


def _add_found(frame: Frame, known: Known, column: str, found: Found) -> None:
    """Which rows another one gives away, and which one that is."""
    frame.table[column] = _flags(len(known), found.row)
    sides = (SPLITS[side] for side in known.side[found.twin].tolist())
    twins = (f"{name} in {side}" for name, side in zip(known.names(found.twin), sides, strict=True))
    frame.evidence[column] = dict(zip(known.names(found.row), twins, strict=True))


def _flags(rows: int, at: NDArray[np.int64]) -> Flags:
    flags = np.zeros(rows, dtype=bool)
    flags[at] = True
    return flags


def _add_parents(frame: Frame, known: Known) -> None:
    made = known.made & ~known.train
    row, parents = members(known.column("parents"))
    train = known.column("id").filter(pa.array(known.train))
    lost = ~np.asarray(pc.is_in(parents, value_set=train))
    frame.table["made_outside_train"] = made
    frame.table["parent_outside_train"] = _flags(len(known), row[lost]) | (known.made & ~known.copied)
    at = np.flatnonzero(made)
    sides = (SPLITS[side] for side in known.side[at].tolist())
    frame.evidence["made_outside_train"] = {
        name: f"made, in {side}" for name, side in zip(known.names(at), sides, strict=True)
    }
    frame.evidence["parent_outside_train"] = _strays(frame, known)


def _strays(frame: Frame, known: Known) -> dict[str, str]:
    """Of rows whose parents are not in train those parents."""
    at = np.flatnonzero(frame.table["parent_outside_train"])
    parents = known.column("parents").take(pa.array(at)).to_pylist()
    train = known.column("id").filter(pa.array(known.train))
    named = pa.array([one for some in parents for one in some or ()], pa.string())
    there = set(named.filter(pc.is_in(named, value_set=train)).to_pylist())
    lost = (", ".join(one for one in some or () if one not in there) for some in parents)
    return {name: told or "names no parent" for name, told in zip(known.names(at), lost, strict=True)}


def _add_tokens(frame: Frame, lessons: pa.Table | None, why: str) -> None:
    for column in LESSONS.names[:3]:
        nothing = pd.Series([None] * len(frame.table), dtype=object)
        frame.table[column] = nothing if lessons is None else np.asarray(lessons[column])
        frame.why[column] = why
    if lessons is not None:
        ids = frame.table["id"]
        faults = np.flatnonzero(np.asarray(lessons["fault"].is_valid()))
        said = lessons["fault"].take(pa.array(faults)).to_pylist()
        frame.evidence["learned"] = dict(zip(ids.iloc[faults], said, strict=True))
        cut = np.flatnonzero(frame.table["cut"])
        kept = frame.table["tokens"].iloc[cut]
        frame.evidence["cut"] = {name: f"{count} tokens kept" for name, count in zip(ids.iloc[cut], kept, strict=True)}


def _class_counts(known: Known) -> dict[str, list[int]]:
    """Of every class how many rows of each side have it."""
    row, strata = members(known.column("strata"))
    encoded: Any = pc.dictionary_encode(strata)
    names = encoded.dictionary.to_pylist()
    once = np.unique(row * max(len(names), 1) + codes(encoded))
    at = known.side[once // max(len(names), 1)] + len(SPLITS) * (once % max(len(names), 1))
    counts = np.bincount(at, minlength=len(names) * len(SPLITS)).reshape(-1, len(SPLITS))
    return dict(sorted(zip(names, counts.tolist(), strict=True)))


def _classes_frame(counts: dict[str, list[int]], names: Sequence[str]) -> Frame:
    labels = sorted({*names, *counts} - {NO_LABEL})
    of_sides = [counts.get(label, [0] * len(SPLITS)) for label in labels]
    columns = {split: [counted[at] for counted in of_sides] for at, split in enumerate(SPLITS)}
    return Frame(pd.DataFrame({"id": labels, **columns}))
