"""Suspects among written answers: replies that do not fit what was asked, or that others answered otherwise."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.shingles import code_points, grams
from pipeline.quality.signals import Signals
from pipeline.text import UNSPACED, normalised

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

NAMES = ("off the question", "numbers not taken up", "length", "script", "answered otherwise")
DOUBTS = {
    "false_sum": 3.0,
    "loop": 3.0,
    "wrong_script": 3.0,
    "empty_talk": 3.0,
    "not_translated": 3.0,
    "not_in_context": 2.0,
    "other_numbers": 2.0,
    "asks_back": 2.0,
    "other_turn": 2.0,
    "cut_off": 1.5,
    "self_talk": 1.0,
}
"""Log-odds that a sign adds, whatever the data set: a judgement, as there is no truth to learn them from."""

FEATURES = 2**18
LEAST_PAIRS = 200
"""Pairs of answers to the same question that an error rate can be read off."""
_SIZE = 3  # characters in a shingle: within a word of any spaced script, about a phrase of an unspaced one
_MOST_CHARS = 4000
_DIGITS = "0123456789"


@dataclass(frozen=True)
class _Texts:
    """Questions and replies as numbers: TF-IDF of shingles, numbers as hashes, lengths, share of unspaced letters."""

    asked: Any
    replied: Any
    asked_numbers: list[frozenset[str]]
    reply_numbers: list[frozenset[str]]
    asked_length: Floats
    reply_length: Floats
    asked_script: Floats
    reply_script: Floats
    groups: Ints
    said: Ints


def replies(table: pa.Table, *, seed: int = 0) -> Signals:
    """What speaks against every reply of a table, and what would speak against a reply to another question.

    `table` has id, text (what was asked), reply, said (what the reply comes to), doubts (list of kind and evidence).
    The answers that nobody gave are replies to other questions, drawn with `seed`, of about the same length or to
    questions that read alike; and, where others answered too, the reply as it stands, had it come to what nobody says:
    the likelier way to be wrong, so it counts as much as the other two. Memory: about 4 kB a row.
    """
    texts = _read(table)
    rows = np.arange(table.num_rows)
    strangers = np.concatenate(_strangers(texts, table["id"].to_pylist(), seed))
    expected = _expected(texts)
    actual = _features(texts, rows, rows, expected)
    apart = np.concatenate([rows, rows]) != strangers
    part = np.concatenate([rows, rows])[apart]
    alone, asked_again = _alone(texts, actual)
    doubts: list[list[dict[str, str]]] = table["doubts"].to_pylist()
    shown = [json.loads(answer) for answer in table["answer"].to_pylist()]
    return Signals(
        row=rows,
        part=("",) * len(rows),
        given=tuple(f"{text:.200}" for text in shown),
        likely=_otherwise(texts, shown),
        names=NAMES,
        actual=actual,
        flipped=np.concatenate([_features(texts, part, strangers[apart], expected), alone]),
        flipped_part=np.concatenate([part, asked_again]),
        flipped_weight=np.concatenate([np.full(len(part), 0.5), np.ones(len(asked_again))]),
        error_rate=_disagreement(texts),
        p_given=np.full(len(rows), np.nan),
        p_likely=np.full(len(rows), np.nan),
        said=_reasons(texts, actual, doubts),
        added=np.array([sum(DOUBTS.get(doubt["kind"], 1.0) for doubt in mine) for mine in doubts]),
    )


def _read(table: pa.Table) -> _Texts:
    asked = [text[:_MOST_CHARS] for text in table["text"].to_pylist()]
    replied = [json.loads(answer)[:_MOST_CHARS] for answer in table["answer"].to_pylist()]
    weights = _inverse_frequency(_counts(asked), _counts(replied))
    return _Texts(
        asked=_unit(_counts(asked), weights),
        replied=_unit(_counts(replied), weights),
        asked_numbers=[_numbers(text) for text in asked],
        reply_numbers=[_numbers(text) for text in replied],
        asked_length=np.log1p([len(text) for text in asked]),
        reply_length=np.log1p([len(text) for text in replied]),
        asked_script=_script(asked),
        reply_script=_script(replied),
        groups=_coded([normalised(text) or text for text in asked]),
        said=_coded(table["said"].to_pylist()),
    )


def _coded(values: Sequence[str | None]) -> Ints:
    return np.unique(np.array(["" if value is None else value for value in values]), return_inverse=True)[1].reshape(-1)


def _counts(texts: list[str]) -> Any:
    """Which shingles stand in which text: sparse float32[n, FEATURES] of ones."""
    from scipy import sparse

    points, starts = code_points([f" {' '.join(text.casefold().split())} " for text in texts])
    hashes, row = grams(points, starts, _SIZE)
    place = (row, (hashes % np.uint64(FEATURES)).astype(np.int64))
    made = sparse.csr_matrix((np.ones(len(row), dtype=np.float32), place), shape=(len(texts), FEATURES))
    made.data[:] = 1.0
    return made


def _inverse_frequency(*counts: Any) -> NDArray[np.float32]:
    rows = sum(one.shape[0] for one in counts)
    found = sum(np.asarray(one.sum(axis=0)).reshape(-1) for one in counts)
    return np.asarray(np.log((1 + rows) / (1 + np.asarray(found))), dtype=np.float32)


def _unit(counts: Any, weights: NDArray[np.float32]) -> Any:
    """TF-IDF rows of length 1."""
    made = counts.multiply(weights).tocsr()
    length = np.sqrt(np.asarray(made.multiply(made).sum(axis=1)).reshape(-1))
    made.data /= np.repeat(np.maximum(length, 1e-9), np.diff(made.indptr)).astype(np.float32)
    return made


def _numbers(text: str) -> frozenset[str]:
    return frozenset("".join(part if part in _DIGITS else " " for part in text).split())


def _script(texts: Sequence[str]) -> Floats:
    """The share of unspaced characters among the letters of each text; nan where there are few."""
    import re

    unspaced, latin = re.compile(f"[{UNSPACED}]"), re.compile("[A-Za-z]")
    counts = np.array([(len(unspaced.findall(text)), len(latin.findall(text))) for text in texts], dtype=np.float64)
    total = counts.sum(axis=1).reshape(-1) if len(counts) else np.zeros(0)
    return np.where(total >= 10, counts[:, 0] / np.maximum(total, 1), np.nan) if len(counts) else np.zeros(0)


def _expected(texts: _Texts) -> tuple[float, float, float]:
    """A line through the lengths of replies by those of their questions, and how far replies lie from it."""
    x, y = texts.asked_length, texts.reply_length
    slope = float(np.cov(x, y)[0, 1] / max(np.var(x, ddof=1), 1e-9)) if len(x) > 2 else 0.0
    start = float(y.mean() - slope * x.mean()) if len(x) else 0.0
    spread = float(np.median(np.abs(y - start - slope * x))) * 1.4826 if len(x) else 1.0
    return start, slope, max(spread, 1e-3)


def _features(texts: _Texts, asked: Ints, replied: Ints, expected: tuple[float, float, float]) -> Floats:
    """The signals `NAMES` of reply `replied[i]` to question `asked[i]`: float64[n, 5], higher is more suspicious."""
    start, slope, spread = expected
    near = np.asarray(texts.asked[asked].multiply(texts.replied[replied]).sum(axis=1)).reshape(-1)
    away = np.abs(texts.reply_length[replied] - start - slope * texts.asked_length[asked]) / spread
    script = np.abs(texts.asked_script[asked] - texts.reply_script[replied])
    columns = [-np.log(near + 0.01), _not_taken(texts, asked, replied), away, script, _against(texts, asked, replied)]
    return np.stack(columns, axis=1)


def _not_taken(texts: _Texts, asked: Ints, replied: Ints) -> Floats:
    """Log-odds that a number of the question does not stand in the reply; nan where the question has none."""
    left = np.array([len(texts.asked_numbers[one]) for one in asked.tolist()])
    both = np.array(
        [
            len(texts.asked_numbers[one] & texts.reply_numbers[other])
            for one, other in zip(asked.tolist(), replied.tolist(), strict=True)
        ]
    )
    return np.where(left > 0, np.log((left - both + 0.5) / (both + 0.5)), np.nan)


def _against(texts: _Texts, asked: Ints, replied: Ints) -> Floats:
    """Log-odds that others answer the same question otherwise; nan where nobody else does."""
    width = int(texts.said.max(initial=0)) + 1
    cells, counts = np.unique(texts.groups * width + texts.said, return_counts=True)
    size = np.bincount(texts.groups, minlength=1)
    wanted = texts.groups[asked] * width + texts.said[replied]
    place = np.minimum(np.searchsorted(cells, wanted), max(len(cells) - 1, 0))
    same = np.where(cells[place] == wanted, counts[place], 0)
    others = size[texts.groups[asked]] - 1
    own = asked == replied
    agree = np.where(own, same - 1, np.minimum(same, others))
    return np.where(others > 0, np.log((others - agree + 0.5) / (agree + 0.5)), np.nan)


def _alone(texts: _Texts, actual: Floats) -> tuple[Floats, Ints]:
    """The signals of replies to questions that others answered too, as if each came to what nobody else says."""
    others = np.bincount(texts.groups, minlength=1)[texts.groups] - 1
    again = np.flatnonzero(others > 0)
    signals = actual[again].copy()
    signals[:, -1] = np.log((others[again] + 0.5) / 0.5)
    return signals, again


def _disagreement(texts: _Texts) -> float:
    """The share of wrong replies that would make two to the same question agree as often as they do; nan if few do.

    Two agree where both are right; that wrong ones come to the same is left out, so this is rather too low.
    """
    size = np.bincount(texts.groups, minlength=1).astype(np.float64)
    pairs = float((size * (size - 1)).sum())
    if pairs < LEAST_PAIRS:
        return float("nan")
    width = int(texts.said.max(initial=0)) + 1
    same = np.unique(texts.groups * width + texts.said, return_counts=True)[1].astype(np.float64)
    return float(np.clip(1 - np.sqrt((same * (same - 1)).sum() / pairs), 0.001, 0.95))


def _strangers(texts: _Texts, ids: Sequence[str], seed: int) -> tuple[Ints, Ints]:
    """For every question two replies to others: one of about the same length, one to a question that reads alike."""
    chance = np.array([_drawn(f"reply {seed} {id_}") for id_ in ids])
    by_length = np.lexsort((chance, np.round(texts.reply_length, 1)))
    alike = np.lexsort((chance, texts.said, np.asarray(texts.asked.argmax(axis=1)).reshape(-1)))
    return tuple(_next(order) for order in (by_length, alike))  # type: ignore[return-value]


def _drawn(key: str) -> float:
    return int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=7).digest(), "big") / 2**56


def _next(order: Ints) -> Ints:
    """The one after each in an order, the first after the last."""
    following = np.empty(len(order), dtype=np.int64)
    following[order] = np.roll(order, -1)
    return following


def _otherwise(texts: _Texts, shown: Sequence[str]) -> tuple[str, ...]:
    """What most others answer to the same question, where that is not what this reply says; else nothing."""
    order = np.lexsort((texts.said, texts.groups))
    likely = [""] * len(shown)
    for members in np.split(order, np.flatnonzero(np.diff(texts.groups[order])) + 1):
        if len(members) > 1:
            said, counts = np.unique(texts.said[members], return_counts=True)
            usual = int(said[counts.argmax()])
            example = shown[int(members[texts.said[members] == usual][0])]
            for at in members[texts.said[members] != usual].tolist():
                likely[at] = f"{example:.200}"
    return tuple(likely)


def _reasons(texts: _Texts, actual: Floats, doubts: list[list[dict[str, str]]]) -> Callable[[int], list[str]]:
    size = np.bincount(texts.groups, minlength=1)
    usual = float(np.median(actual[:, 0])) if len(actual) else 0.0

    def said(at: int) -> list[str]:
        told = [f"{doubt['kind'].replace('_', ' ')}: {doubt['evidence']}" for doubt in doubts[at]]
        near, numbers, away, script, against = actual[at]
        if np.isfinite(against):
            others = int(size[texts.groups[at]]) - 1
            same = int(((texts.groups == texts.groups[at]) & (texts.said == texts.said[at])).sum()) - 1
            told.append(f"{same} of {others} other answers to the same question come to the same")
        if np.isfinite(numbers) and numbers > 0:
            taken = texts.asked_numbers[at] & texts.reply_numbers[at]
            told.append(f"{len(taken)} of the question's {len(texts.asked_numbers[at])} numbers stand in the answer")
        if near > usual + 1:
            told.append("has few of the question's words")
        if away > 3:
            told.append(f"its length lies {away:.1f} usual spreads from what such questions get")
        if script > 0.5:
            told.append("is written in another script than the question")
        return told

    return said
