"""Suspects among labels: what a model, the neighbours and the habits of the set say against each label given."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.errors import AssayError
from pipeline.quality.signals import Signals
from pipeline.quality.suspects import sets
from pipeline.quality.suspects.evidence import Evidence
from pipeline.quality.suspects.flips import flipped, luck, share
from pipeline.quality.suspects.neighbours import Neighbours, nearest
from pipeline.quality.suspects.quick import asked, pictured

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pipeline.quality.suspects.linear import Link

    Floats = NDArray[np.float64]
    Floats32 = NDArray[np.float32]
    Ints = NDArray[np.int64]

# Up to here every row is asked for its neighbours; beyond, the most suspicious rows and as many at random.
_ALL_ASKED, _SUSPICIOUS_ASKED, _CHOSEN_ASKED = 200_000, 100_000, 50_000
# The model has seen all rows, the neighbours are ten: two parts of belief to one.
_MODEL_SHARE = 2 / 3


def labels(
    table: pa.Table,
    *,
    names: Sequence[str] | None = None,
    multiple: bool = False,
    probabilities: Floats32 | None = None,
    vectors: Floats32 | None = None,
    embeddings: Floats32 | None = None,
    seed: int = 0,
    folds: int = 5,
) -> Signals:
    """What speaks against the label of every row, or against every label that a row carries or should carry.

    `table`: columns id, group, text (what the annotator read), answer (canonical JSON list of labels). `names`: the
    labels, in the order of the columns of `probabilities`; those that stand in the answers, sorted, if left out.
    `probabilities`: float[n, labels], out of fold, from a model that did not see a row's group, nan where it could not
    be asked; the quick model's if left out. `vectors`: float32[n, d], rows of length 1, alike for texts that mean
    alike; made of n-grams if left out.
    `embeddings`: float32[n, d] of length 1, by an encoder: the quick model learns from them as well, and they are the
    vectors.
    The result does not depend on the order of the rows, if their ids differ.

    Raises:
        AssayError: an answer is no list of known labels, or not of exactly one where `multiple` is false.
    """
    if not table.num_rows:
        return _nothing(sets.SetEvidence.NAMES if multiple else Evidence.NAMES)
    order = np.asarray(pc.sort_indices(table["id"]), dtype=np.int64)
    table = table.take(pa.array(order))
    known, answers = _answers(table["answer"], names, multiple)
    texts, groups = table["text"].to_pylist(), table["group"].to_pylist()
    if probabilities is None:
        link: Link = "sigmoid" if multiple else "softmax"
        known_by = None if embeddings is None else embeddings[order]
        probabilities, made = asked(texts, answers, groups, seed=seed, folds=folds, link=link, embeddings=known_by)
        vectors = made if vectors is None else vectors[order]
    else:
        probabilities = np.asarray(probabilities, dtype=np.float32)[order]
        vectors = pictured(texts, seed=seed) if vectors is None else vectors[order]
    _check(probabilities, vectors, answers)
    numbers = luck(table["id"].to_pylist(), seed=seed)
    rows, fair = _rows_to_ask(probabilities, answers, numbers)
    near = nearest(vectors, rows, apart=_codes(table["group"]), alike=_alike(table), seed=seed)
    place = np.full(len(order), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    if multiple:
        evidence = sets.SetEvidence(probabilities, answers.toarray() > 0, near, place)
        return sets.signals(
            evidence, order=order, fair=fair, numbers=numbers, names=known, near=_said_near(table, near, place)
        )
    evidence_of_one = Evidence(probabilities, answers.indices.astype(np.int64), near, place)
    return _signals(evidence_of_one, order=order, fair=fair, numbers=numbers, names=known, table=table)


def _nothing(names: tuple[str, ...]) -> Signals:
    rows, numbers, signals = np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros((0, len(names)))
    return Signals(rows, (), (), (), names, signals, signals, rows, numbers, numbers, lambda at: [])


def _check(probabilities: Floats32, vectors: Floats32, answers: Any) -> None:
    if probabilities.shape != answers.shape or len(vectors) != answers.shape[0]:
        shapes = f"probabilities {probabilities.shape} and vectors {vectors.shape} for answers {answers.shape}"
        raise AssayError("suspects", shapes, "give a row for each row and a column for each label")


def _answers(column: pa.ChunkedArray, names: Sequence[str] | None, multiple: bool) -> tuple[list[str], Any]:
    """The labels, and which row carries which: scipy sparse float32[n, labels]."""
    from scipy import sparse

    coded = column.combine_chunks().dictionary_encode()
    spelled = [_parsed(text, multiple) for text in coded.dictionary.to_pylist()]
    seen = sorted({label for each in spelled for label in each})
    known = list(names) if names is not None else seen
    code = {label: at for at, label in enumerate(known)}
    unknown = [label for label in seen if label not in code]
    if unknown:
        raise AssayError("suspects", f"label {unknown[0]!r} is not among the {len(known)} known ones", "name it too")
    columns = [np.array(sorted({code[label] for label in each}), dtype=np.int64) for each in spelled]
    which = coded.indices.to_numpy(zero_copy_only=False)
    ends = np.cumsum([0, *(len(each) for each in columns)])
    flat = np.concatenate([np.zeros(0, dtype=np.int64), *columns])
    small = sparse.csr_matrix((np.ones(len(flat), dtype=np.float32), flat, ends), shape=(len(columns), len(known)))
    return known, small[which]


def _parsed(text: str, multiple: bool) -> list[str]:
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, list) or not all(isinstance(label, str) for label in answer):
        raise AssayError("suspects", f"answer {text[:80]!r} is no list of labels")
    if not multiple and len(answer) != 1:
        raise AssayError("suspects", f"answer {text[:80]!r} has {len(answer)} labels, not one")
    return answer


def _rows_to_ask(probabilities: Floats32, answers: Any, numbers: NDArray[np.uint64]) -> tuple[Ints, NDArray[np.bool_]]:
    """The rows to be asked for their neighbours, and those of all rows that are a fair sample of the set."""
    count = len(numbers)
    if count <= _ALL_ASKED:
        return np.arange(count, dtype=np.int64), np.ones(count, dtype=bool)
    fair = np.zeros(count, dtype=bool)
    fair[np.argsort(share(numbers, 9), kind="stable")[:_CHOSEN_ASKED]] = True
    given = np.asarray(answers.multiply(np.nan_to_num(probabilities, nan=1.0)).sum(axis=1)).ravel()
    given = given / np.maximum(np.asarray(answers.sum(axis=1)).ravel(), 1)
    doubtful = np.zeros(count, dtype=bool)
    doubtful[np.argsort(given, kind="stable")[:_SUSPICIOUS_ASKED]] = True
    return np.flatnonzero(fair | doubtful), fair


def _codes(column: pa.ChunkedArray) -> Ints:
    return np.asarray(
        column.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False), dtype=np.int64
    )


def _alike(table: pa.Table) -> Ints:
    """A number for each text with its answer."""
    texts, answers = _codes(table["text"]), _codes(table["answer"])
    return np.asarray(texts * (answers.max(initial=0) + 1) + answers)


def _signals(
    evidence: Evidence,
    *,
    order: Ints,
    fair: NDArray[np.bool_],
    numbers: NDArray[np.uint64],
    names: list[str],
    table: pa.Table,
) -> Signals:
    every = np.arange(len(order), dtype=np.int64)
    part, label, kind = flipped(evidence, np.flatnonzero(fair), numbers)
    likely = evidence.likely()
    return Signals(
        row=order,
        part=("",) * len(order),
        given=tuple(names[code] for code in evidence.label.tolist()),
        likely=tuple(names[code] if code >= 0 else "" for code in likely.tolist()),
        names=evidence.NAMES,
        actual=evidence.against(every, evidence.label),
        flipped=evidence.against(part, label),
        flipped_part=part,
        flipped_kind=kind,
        p_given=_blended(evidence, every, evidence.label),
        p_likely=_blended(evidence, every, likely),
        said=_said(evidence, likely, names, _said_near(table, evidence.near, evidence.place)),
        fair=fair,
    )


def _blended(evidence: Evidence, rows: Ints, label: Ints) -> Floats:
    """Probability of a label by the model and by the neighbours' votes: float64[n]; nan where no model was asked."""
    known = np.flatnonzero(label >= 0)
    found = np.full(len(rows), np.nan)
    model = evidence.probabilities[rows[known], label[known]].astype(np.float64)
    votes = evidence.shares(rows[known], label[known])
    found[known] = np.where(np.isfinite(votes), _MODEL_SHARE * model + (1 - _MODEL_SHARE) * votes, model)
    return found


def _said(
    evidence: Evidence, likely: Ints, names: list[str], near: Callable[[int, Callable[[int], bool]], str]
) -> Callable[[int], list[str]]:
    def said(at: int) -> list[str]:
        own, other = int(evidence.label[at]), int(likely[at])
        told = []
        if other >= 0:
            own_share, other_share = (float(evidence.probabilities[at, code]) for code in (own, other))
            told.append(f"model gives '{names[own]}' {own_share:.0%}, '{names[other]}' {other_share:.0%}")
        carried = [int(evidence.label[row]) for row in evidence.rows_near(at)]
        if carried:
            top = max(sorted(set(carried)), key=carried.count)
            told.append(f"neighbours: {carried.count(top)} of {len(carried)} say '{names[top]}'")
        told.append(near(at, lambda row: int(evidence.label[row]) != own))
        if other >= 0:
            told.append(_habit(evidence, own, other, names))
        return [each for each in told if each]

    return said


def _habit(evidence: Evidence, own: int, other: int, names: list[str]) -> str:
    mistaken = float(evidence.stands_for[other, own])
    usual = (1 - float(evidence.stands_for[other, other])) / max(len(names) - 1, 1)
    if mistaken < 2 * usual or mistaken < 0.01:
        return ""
    return f"about {mistaken:.0%} of what should be '{names[other]}' seems to be labelled '{names[own]}'"


def _said_near(table: pa.Table, near: Neighbours, place: Ints) -> Callable[[int, Callable[[int], bool]], str]:
    """Says which nearly same text was answered otherwise, if the nearest row that was is very near."""
    ids, answers = table["id"], table["answer"]

    def said(at: int, otherwise: Callable[[int], bool]) -> str:
        spot = int(place[at])
        for row, likeness in zip(near.row[spot], near.likeness[spot], strict=True) if spot >= 0 else ():
            if row >= 0 and likeness >= sets.NEARLY_SAME and otherwise(int(row)):
                told = ", ".join(f"'{label}'" for label in json.loads(answers[int(row)].as_py())) or "nothing"
                return f"nearly the same text ({ids[int(row)].as_py()}) is {told}"
        return ""

    return said
