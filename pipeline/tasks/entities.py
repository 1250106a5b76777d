"""How right entities are: whole ones as the literature counts them, and word by word."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipeline.tasks import Answer, Scores, spans

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.tasks.spans import Edges


def scores(gold: Sequence[Answer], found: Sequence[Answer], words: Sequence[Sequence[Edges]]) -> Scores:
    """Strict micro precision, recall and F1 of entities (same edges, same label), as seqeval has them in strict IOB2.

    `words` are the words of each row. Per label also the figures of the words in its entities; the confusion is that of
    words, O included.
    """
    right, in_found, in_gold = Counter[str](), Counter[str](), Counter[str]()
    pairs: Counter[tuple[str, str]] = Counter()
    for true, said, pieces in zip(gold, found, words, strict=True):
        one, other = _as_set(true), _as_set(said)
        right.update(label for _, _, label in one & other)
        in_gold.update(label for _, _, label in one)
        in_found.update(label for _, _, label in other)
        pairs.update(zip(_word_labels(pieces, true), _word_labels(pieces, said), strict=True))
    whole = _prf(right.total(), in_found.total(), in_gold.total())
    by_word = {label: _word_prf(pairs, label) for label in sorted(in_gold | in_found)}
    inside = _pooled(pairs)
    metrics = {"entity_f1": whole["f1"], "entity_precision": whole["precision"], "entity_recall": whole["recall"]}
    metrics["word_accuracy"] = sum(n for (a, b), n in pairs.items() if a == b) / max(pairs.total(), 1)
    metrics["word_f1"] = inside["f1"]
    per_class = {
        label: _prf(right[label], in_found[label], in_gold[label])
        | {f"word_{name}": value for name, value in figures.items()}
        for label, figures in by_word.items()
    }
    return Scores(headline="entity_f1", metrics=metrics, per_class=per_class, confusion=_table(pairs))


def _as_set(answer: Answer) -> set[tuple[int, int, str]]:
    return {(start, end, label) for start, end, label in answer}


def _word_labels(words: Sequence[Edges], answer: Answer) -> list[str]:
    """The label, without B or I, of every word that has characters; `(part)` where a span begins or ends inside it."""
    words = [word for word in words if word[0] < word[1]]
    cells = spans.tags(words, answer)
    partly = {at for at, tag in enumerate(cells) if tag is None}
    return ["(part)" if at in partly else str(tag).split("-", 1)[-1] for at, tag in enumerate(cells)]


def _word_prf(words: Mapping[tuple[str, str], int], label: str) -> dict[str, float]:
    said = sum(count for (_, found), count in words.items() if found == label)
    true = sum(count for (gold, _), count in words.items() if gold == label)
    return _prf(words.get((label, label), 0), said, true)


def _pooled(words: Mapping[tuple[str, str], int]) -> dict[str, float]:
    """Precision, recall and F1 of the words inside entities, all labels together."""
    right = sum(count for (gold, found), count in words.items() if gold == found != "O")
    said = sum(count for (_, found), count in words.items() if found != "O")
    return _prf(right, said, sum(count for (gold, _), count in words.items() if gold != "O"))


def _table(words: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    table: dict[str, dict[str, int]] = {}
    for (gold, found), count in sorted(words.items()):
        table.setdefault(gold, {})[found] = count
    return table


def _prf(right: int, found: int, gold: int) -> dict[str, float]:
    precision, recall = right / found if found else 0.0, right / gold if gold else 0.0
    f1 = 2 * right / (found + gold) if found + gold else 0.0
    return {"precision": precision, "recall": recall, "f1": f1, "gold": gold, "found": found}
