"""A look at answers that stand in a file of their own: whose they are, and of which of the texts in another file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline import gauging, looking
from pipeline.errors import AssayError, Unfit
from pipeline.naming import candidates, fields, played
from pipeline.playing import accounted, answer_of, fewest, fitting, spine, take_gold, take_labels
from pipeline.prose import pair_of, text_of
from pipeline.shaping import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from pipeline.playing import Look

    Records = Sequence[Mapping[str, Any]]

TASKS = ("classification", "rating")


def texts(source: Path, task: str) -> Look:
    """What a file tells of the texts that others were asked about: which field holds them, and which their ids.

    Raises:
        AssayError: it has no text or no id, or answers of this task are not read apart.
    """
    if task not in TASKS:
        known = "write [[ingest.annotations]] by hand: what stands there is told by assay check-recipe --schema"
        raise AssayError(f"task '{task}'", f"--answers is for {' and '.join(TASKS)}", known)
    look = looking.opened(source, task)
    good = [record.fields for record in look.read]
    look.columns["text"] = text = text_of(good, look)
    if pair := pair_of(good, text=text):
        look.columns["text_pair"] = pair
    spine(good, look)
    for part in ("annotator", "time"):
        look.columns.pop(part, None)
    if "id" not in look.columns:
        raise AssayError(
            str(source), f"no column is an id: {', '.join(fields(good))}", "answers meet texts by their id"
        )
    look.notes += accounted(good, look, ())
    return look


def answers(source: Path, of: Look, task: str) -> Look:
    """What a file of answers tells; labels and scale go to the look at the texts, `of`.

    Raises:
        AssayError: none of its columns holds ids of the texts, or none an answer.
    """
    look = looking.opened(source, task)
    good = [record.fields for record in look.read]
    look.columns["row"] = row = _row(good, _ids([record.fields for record in of.read], of.columns["id"]), source)
    people = fitting(good, "annotator", taken=[row])
    if people:
        look.columns["annotator"] = people[0]
    gold = played(good, "gold")
    if answer := _answer(good, look, task):
        look.columns["answer"] = answer
        take_gold(good, look)
    elif gold:
        look.columns["gold"] = gold
    else:
        raise AssayError(str(source), f"no column holds an answer: {', '.join(fields(good))}", "name it in the recipe")
    moments = fitting(good, "time", taken=look.columns.values())
    look.columns |= {"time": moments[0]} if moments else {}
    _told(good, look, of, task)
    look.notes += accounted(good, look, ())
    return look


def _ids(good: Records, name: str) -> set[str]:
    return set(filter(None, (_id(record, name) for record in good)))


def _id(record: Mapping[str, Any], name: str) -> str | None:
    try:
        return identifier(record, name)
    except Unfit:
        return None


def _row(good: Records, ids: set[str], source: Path) -> str:
    """The column that holds most of the ids, of those that do not say who answered; one that is called so, if equal."""
    people = set(candidates(good, "annotator"))
    met = {name: len(_ids(good, name) & ids) for name in fields(good) if name not in people}
    called = {*candidates(good, "id"), played(good, "row")}
    best = max(met, key=lambda name: (met[name], name in called), default="")
    if not met.get(best):
        some = ", ".join(sorted(ids)[:3])
        raise AssayError(
            str(source), f"no column holds an id of the texts, such as {some}", "give the file of their texts"
        )
    return best


def _answer(good: Records, look: Look, task: str) -> str | None:
    """The column of the answers: by its name and its values; else the one with fewest values that is nothing else."""
    away = {*look.columns.values(), *(name for part in ("id", "time", "annotator") for name in candidates(good, part))}
    gold = played(good, "gold")
    left = [name for name in fields(good) if name not in away | {gold}]
    rest = [{name: record.get(name) for name in left} for record in good]
    if not left:
        return None
    if task == "rating":
        numbers = list(gauging.numeric(rest))
        return played([dict.fromkeys(numbers)], "rating") or next(iter(numbers), None)
    named = fitting(rest, "label")
    found = played([dict.fromkeys(named)], "label") or next(iter(named), None) or answer_of(rest, taken=())
    if found or "annotator" not in look.columns:
        return found
    found = fewest(rest, set())
    look.notes.append(f"no column is called an answer: '{found}' is taken, which has fewest values; that is a guess")
    return found


def _told(good: Records, look: Look, of: Look, task: str) -> None:
    """Note the labels or the scale, and how many of the texts the answers are of."""
    columns = [look.columns[part] for part in ("answer", "gold") if part in look.columns]
    given = [record.get(name) for name in columns for record in good]
    if task == "rating":
        of.scale = gauging.scale([*(of.scale or ()), *gauging.values(good, columns)])
        look.notes.append(f"scale {of.scale[0]:g} to {of.scale[1]:g}: a guess" if of.scale else "on no usual scale")
    else:
        several, counts = looking.counted(given)
        of.multiple |= several
        for label in of.labels:
            counts[label] += 0
        take_labels(counts, look)
        of.labels = look.labels
    ids = _ids([record.fields for record in of.read], of.columns["id"])
    met = _ids(good, look.columns["row"])
    lost = sum(_id(record, look.columns["row"]) not in ids for record in good)
    look.notes.append(f"of {len(ids):,} texts that were looked at, {len(ids & met):,} have answers here")
    if lost:
        look.notes.append(
            f"{lost:,} of {len(good):,} answers are of none of these texts: without one they are rejected"
        )
