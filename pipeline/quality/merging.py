"""Same input: rows with the same answer are merged into one, rows with different answers are a conflict."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

# The official held-out copy stays, so that what leaves is the copy that would have leaked into training.
_KEPT_FIRST = {"test": 0, "validation": 1, "train": 2, None: 3}


@dataclass(frozen=True)
class Merging:
    """What becomes of rows that say the same.

    Attributes:
        merged: position of a row that goes -> position of the row that stays and stands for it.
        copies: position of a row that stays -> positions of the rows it stands for.
        conflicts: position of a row that is held back -> positions of the rows that answer otherwise.
    """

    merged: dict[int, int] = field(default_factory=dict)
    copies: dict[int, list[int]] = field(default_factory=dict)
    conflicts: dict[int, list[int]] = field(default_factory=dict)


def merge(
    keys: Sequence[bytes],
    answers: Sequence[str],
    splits: Sequence[str | None],
    positions: Sequence[int],
    *,
    conflicts: Literal["hold-back", "majority", "keep"],
    decided: Collection[int] = frozenset(),
) -> Merging:
    """Decide over rows given by parallel columns; `keys` are equal where the inputs are the same.

    `majority` keeps the answer that most rows of a key give, if one answer has more rows than any other; else all
    rows of the key are held back, as with `hold-back`. The answer of a row that a person `decided` (positions) wins
    over all of them, whatever their number; if decided rows disagree, all are held back. With `keep` nothing is held
    back. The first row of those that stand for the same stays: an official held-out row before all others, then a
    decided one.
    """
    result = Merging()
    for members in _same(keys).values():
        by_answer: dict[str, list[int]] = {}
        for member in members:
            by_answer.setdefault(answers[member], []).append(member)
        chosen = {answers[member] for member in members if positions[member] in decided}
        kept = set(by_answer) if len(by_answer) == 1 or conflicts == "keep" else _winner(by_answer, chosen, conflicts)
        for answer, rows in by_answer.items():
            if answer in kept:
                _stand_in(rows, splits, positions, decided, result)
            else:
                against = [member for member in members if answers[member] != answer]
                others = sorted((positions[row] for row in against), key=lambda at: at not in decided)
                result.conflicts.update({positions[row]: others for row in rows})
    return result


def _same(keys: Sequence[bytes]) -> dict[bytes, list[int]]:
    """The members of every key that several rows have."""
    counts = Counter(keys)
    groups: dict[bytes, list[int]] = {}
    for at, key in enumerate(keys):
        if counts[key] > 1:
            groups.setdefault(key, []).append(at)
    return groups


def _winner(by_answer: dict[str, list[int]], chosen: set[str], conflicts: str) -> set[str]:
    if chosen:
        return chosen if len(chosen) == 1 else set()
    ranked = sorted(by_answer, key=lambda answer: -len(by_answer[answer]))
    clear = len(by_answer[ranked[0]]) > len(by_answer[ranked[1]])
    return {ranked[0]} if conflicts == "majority" and clear else set()


def _stand_in(
    rows: list[int],
    splits: Sequence[str | None],
    positions: Sequence[int],
    decided: Collection[int],
    result: Merging,
) -> None:
    stays, *go = sorted(rows, key=lambda row: (_KEPT_FIRST[splits[row]], positions[row] not in decided, positions[row]))
    if go:
        result.copies[positions[stays]] = [positions[row] for row in go]
        result.merged.update({positions[row]: positions[stays] for row in go})
