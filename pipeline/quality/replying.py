"""Suspects among written answers: replies that do not fit what was asked, or that others answered otherwise."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.exchanges import Exchanges, exchanges, written
from pipeline.quality.signals import Signals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

NAMES = ("off the question", "numbers not taken up", "length", "script", "answered otherwise")
LOSSES = ("loss", "worst token")
"""What a language model adds: the mean and the largest loss of a token of the reply."""
ODD_SHARE, ODD_MOST = 0.95, 3.0
"""A loss higher than that of this share of replies speaks against one, by at most these log-odds: a judgement."""
DOUBTS = {
    "false_sum": 3.0,
    "loop": 3.0,
    "wrong_script": 3.0,
    "empty_talk": 3.0,
    "not_translated": 3.0,
    "not_in_context": 2.0,
    "other_numbers": 2.0,
    "length_off": 2.0,
    "cut_word": 2.0,
    "loose_edge": 2.0,
    "other_kind": 2.0,
    "question_too_long": 2.0,
    "echo": 1.5,
    "answer_too_long": 1.5,
    "asks_back": 2.0,
    "other_turn": 2.0,
    "cut_off": 1.5,
    "self_talk": 1.0,
}
"""Log-odds that a sign adds, whatever the data set: a judgement, as there is no truth to learn them from."""

LEAST_PAIRS = 200
"""Pairs of answers to the same question that an error rate can be read off."""


def replies(table: pa.Table, *, seed: int = 0, losses: NDArray[np.float32] | None = None) -> Signals:
    """What speaks against every reply of a table, and what would speak against a reply to another question.

    `table` has id, text (what was asked), reply, said (what the reply comes to), doubts (list of kind and evidence).
    The answers that nobody gave are replies to other questions, drawn with `seed`, of about the same length or to
    questions that read alike; and, where others answered too, the reply as it stands, had it come to what nobody says:
    the likelier way to be wrong, so it counts as much as the other two. Memory: about 4 kB a row.

    `losses` is float[n, 2], the mean and the largest loss of a token of each reply, out of fold; nan where no model
    could be asked. What a model would lose on other replies is not known, so how much a loss says is not learned: only
    one among the highest speaks against a reply.
    """
    texts = exchanges(table)
    rows = np.arange(table.num_rows)
    strangers = np.concatenate(_strangers(texts, table["id"].to_pylist(), seed))
    expected = _expected(texts)
    actual = _features(texts, rows, rows, expected)
    apart = np.concatenate([rows, rows]) != strangers
    part = np.concatenate([rows, rows])[apart]
    alone, asked_again = _alone(texts, actual)
    doubts: list[list[dict[str, str]]] = table["doubts"].to_pylist()
    shown = [written(answer) for answer in table["answer"].to_pylist()]
    ranks = np.zeros((len(rows), 0)) if losses is None else _ranks(np.asarray(losses, dtype=np.float64))
    flipped = np.concatenate([_features(texts, part, strangers[apart], expected), alone])
    return Signals(
        row=rows,
        part=("",) * len(rows),
        given=tuple(f"{text:.200}" for text in shown),
        likely=_otherwise(texts, shown),
        names=NAMES if losses is None else (*NAMES, *LOSSES),
        actual=np.concatenate([actual, ranks], axis=1),
        flipped=np.concatenate([flipped, np.full((len(flipped), ranks.shape[1]), np.nan)], axis=1),
        flipped_part=np.concatenate([part, asked_again]),
        flipped_weight=np.concatenate([np.full(len(part), 0.5), np.ones(len(asked_again))]),
        error_rate=_disagreement(texts),
        p_given=np.full(len(rows), np.nan),
        p_likely=np.full(len(rows), np.nan),
        said=_reasons(texts, actual, doubts, ranks),
        added=np.array([sum(DOUBTS.get(doubt["kind"], 1.0) for doubt in mine) for mine in doubts]) + _odd(ranks),
    )


def _ranks(losses: Floats) -> Floats:
    """The share of replies whose loss is lower, half of those with the same: float64[n, 2]; nan where not asked."""
    made = np.full(losses.shape, np.nan)
    for column in range(losses.shape[1]):
        known = np.flatnonzero(np.isfinite(losses[:, column]))
        values = np.sort(losses[known, column])
        ends = [np.searchsorted(values, losses[known, column], side=side) for side in ("left", "right")]
        made[known, column] = (ends[0] + ends[1]) / 2 / max(len(known), 1)
    return made


def _odd(ranks: Floats) -> Floats:
    """Log-odds against replies whose loss is among the highest: float64[n]; 0 for all others."""
    if not ranks.shape[1]:
        return np.zeros(len(ranks))
    highest = np.nan_to_num(np.fmax(ranks[:, 0], ranks[:, 1]), nan=0.0)
    rest = np.maximum(1 - highest, 1e-9)
    return np.asarray(np.clip(np.log((1 - ODD_SHARE) / rest), 0.0, ODD_MOST))


def _expected(texts: Exchanges) -> tuple[float, float, float]:
    """A line through the lengths of replies by those of their questions, and how far replies lie from it."""
    x, y = texts.asked_length, texts.reply_length
    slope = float(np.cov(x, y)[0, 1] / max(np.var(x, ddof=1), 1e-9)) if len(x) > 2 else 0.0
    start = float(y.mean() - slope * x.mean()) if len(x) else 0.0
    spread = float(np.median(np.abs(y - start - slope * x))) * 1.4826 if len(x) else 1.0
    return start, slope, max(spread, 1e-3)


def _features(texts: Exchanges, asked: Ints, replied: Ints, expected: tuple[float, float, float]) -> Floats:
    """The signals `NAMES` of reply `replied[i]` to question `asked[i]`: float64[n, 5], higher is more suspicious."""
    start, slope, spread = expected
    near = np.asarray(texts.asked[asked].multiply(texts.replied[replied]).sum(axis=1)).reshape(-1)
    away = np.abs(texts.reply_length[replied] - start - slope * texts.asked_length[asked]) / spread
    script = np.abs(texts.asked_script[asked] - texts.reply_script[replied])
    columns = [-np.log(near + 0.01), _not_taken(texts, asked, replied), away, script, _against(texts, asked, replied)]
    return np.stack(columns, axis=1)


def _not_taken(texts: Exchanges, asked: Ints, replied: Ints) -> Floats:
    """Log-odds that a number of the question does not stand in the reply; nan where the question has none."""
    left = np.array([len(texts.asked_numbers[one]) for one in asked.tolist()])
    both = np.array(
        [
            len(texts.asked_numbers[one] & texts.reply_numbers[other])
            for one, other in zip(asked.tolist(), replied.tolist(), strict=True)
        ]
    )
    return np.where(left > 0, np.log((left - both + 0.5) / (both + 0.5)), np.nan)


def _against(texts: Exchanges, asked: Ints, replied: Ints) -> Floats:
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


def _alone(texts: Exchanges, actual: Floats) -> tuple[Floats, Ints]:
    """The signals of replies to questions that others answered too, as if each came to what nobody else says."""
    others = np.bincount(texts.groups, minlength=1)[texts.groups] - 1
    again = np.flatnonzero(others > 0)
    signals = actual[again].copy()
    signals[:, -1] = np.log((others[again] + 0.5) / 0.5)
    return signals, again


def _disagreement(texts: Exchanges) -> float:
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


def _strangers(texts: Exchanges, ids: Sequence[str], seed: int) -> tuple[Ints, Ints]:
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


def _otherwise(texts: Exchanges, shown: Sequence[str]) -> tuple[str, ...]:
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


def _of_losses(ranks: list[float]) -> list[str]:
    """What the losses of a reply say in words; empty where they are not among the highest."""
    names = ("the mean loss", "the loss of the worst token")
    told = zip(names, ranks, strict=False)  # no ranks where no model was asked
    return [f"{name} of a model is higher than in {rank:.1%} of replies" for name, rank in told if rank > ODD_SHARE]


def _reasons(
    texts: Exchanges, actual: Floats, doubts: list[list[dict[str, str]]], ranks: Floats
) -> Callable[[int], list[str]]:
    size = np.bincount(texts.groups, minlength=1)
    usual = float(np.median(actual[:, 0])) if len(actual) else 0.0

    def said(at: int) -> list[str]:
        told = [f"{doubt['kind'].replace('_', ' ')}: {doubt['evidence']}" for doubt in doubts[at]]
        near, numbers, away, script, against = actual[at]
        told += _of_losses(ranks[at].tolist())
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
