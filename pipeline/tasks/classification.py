"""Text classification: one label of several, or any number of them, for a text or a pair of texts.

An example: {"text": "A film to watch twice.", "text_pair": None, "labels": ["positive"]}
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import Unfit
from pipeline.tasks import (
    Answer,
    Doubt,
    Encoded,
    Mark,
    Problem,
    Row,
    Scores,
    Settled,
    Vote,
    canonical,
    masi,
    pairs,
)
from pipeline.text import nfc

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.settings import Guideline
    from pipeline.tasks import Measure


def make(guideline: Guideline) -> Classification:
    """The task under a guideline."""
    return Classification(guideline)


@dataclass(frozen=True)
class Classification:
    """See `pipeline.tasks.Task`; an answer is a sorted list of labels."""

    guideline: Guideline
    name: str = "classification"
    free_text: bool = False

    @property
    def head(self) -> str:
        """A softmax over the labels, or a sigmoid for each."""
        return "multilabel" if self.guideline.multiple else "sequence"

    def shape(self, fields: Mapping[str, Any], columns: Mapping[str, str]) -> Row:
        """The text, and its pair where the recipe maps one."""
        return {**pairs.shaped(fields, columns), "labels": []}

    def raw_answer(self, fields: Mapping[str, Any], columns: Mapping[str, str]) -> Any:
        """The field mapped as label or labels; by default the first of these names that is there."""
        named = columns.get("labels") or columns.get("label")
        return (
            fields.get(named) if named else next((fields[name] for name in ("labels", "label") if name in fields), None)
        )

    def read_answer(self, given: Any, fields: Mapping[str, Any], row: Row) -> Answer:
        """Labels by name, alias or rating; a multi-label answer is a list or a comma-separated text."""
        parts = _parts(given) if self.guideline.multiple or _is_single(given) else [given]
        labels = sorted({self._label(part) for part in parts})
        return labels

    def _label(self, given: Any) -> str:
        if isinstance(given, list | dict) or given is None:
            raise Unfit("wrong_type", f"a label cannot be {given!r:.80}")
        spelling = _spelling(given)
        if not self.guideline.label:
            return nfc(spelling)
        if found := self._spellings.get(spelling) or self._spellings.get(spelling.casefold()):
            return found
        if (rated := self._rated(spelling)) is not None:
            return rated
        raise Unfit(
            "unknown_label", f"{spelling!r:.80} is no label, alias or rating of guideline {self.guideline.version}"
        )

    def _rated(self, spelling: str) -> str | None:
        """The label whose scale holds the number that `spelling` is."""
        try:
            number = float(spelling) if self._scales else float("nan")
        except ValueError:
            return None
        for name, low, high in self._scales:
            if low <= number <= high:
                return name
        return None

    @cached_property
    def _scales(self) -> list[tuple[str, float, float]]:
        return [(label.name, *label.scale) for label in self.guideline.label if label.scale]

    @cached_property
    def _spellings(self) -> dict[str, str]:
        named = {word.casefold(): label.name for label in self.guideline.label for word in (*label.aliases, label.name)}
        return named | {word: label.name for label in self.guideline.label for word in (*label.aliases, label.name)}

    def shown(self, row: Row) -> str:
        """The text, and its pair on a line of its own."""
        return pairs.shown(row)

    def asked(self, row: Row) -> str:
        """What was read."""
        return self.shown(row)

    def answer(self, row: Row) -> Answer:
        """The labels."""
        return row["labels"]

    def meaning(self, row: Row) -> str:
        """The labels."""
        return canonical(row["labels"])

    def marks(self, row: Row) -> list[Mark] | None:
        """None: labels are of the whole."""
        return None

    def spoken(self, meaning: str) -> list[tuple[str, str]] | None:
        """None: labels do not depend on how the text is spelled."""
        return None

    def with_answer(self, row: Row, answer: Answer) -> Row:
        """The row with other labels."""
        return {**row, "labels": sorted(answer)}

    def ballots(self, row: Row, answers: Sequence[Answer]) -> dict[str, list[str | None]]:
        """One vote on the row, or one yes-or-no vote on every label that anybody gave."""
        if not self.guideline.multiple:
            return {"": [answer[0] if answer else None for answer in answers]}
        named = sorted({label for answer in answers for label in answer} | set(self.guideline.names))
        return {label: ["yes" if label in answer else "no" for answer in answers] for label in named}

    @property
    def measure(self) -> Measure:
        """Sets of labels where there may be several, ranks where the guideline orders them, else labels."""
        if self.guideline.multiple:
            return "sets"
        return "ordinal" if self.guideline.ordered else "nominal"

    def values(self, labels: Sequence[str]) -> list[float]:
        """The place of each label in a guideline that orders its labels."""
        ranks = {name: float(rank) for rank, name in enumerate(self.guideline.names)}
        return [ranks[label] for label in labels] if self.measure == "ordinal" else []

    def distance(self, one: Answer, other: Answer) -> float:
        """MASI, the distance of sets (Passonneau 2006): 0 for the same, 1 for sets with nothing in common."""
        return masi(one, other)

    def elect(self, row: Row, answers: Sequence[Answer], votes: Mapping[str, Vote]) -> Settled:
        """The winning label, or all labels that won a yes; the confidence is that of the least sure vote."""
        confidence = min((vote.posterior for vote in votes.values()), default=1.0)
        tied = any(vote.tie for vote in votes.values())
        if not self.guideline.multiple:
            return Settled(answer=[vote.label for vote in votes.values()], confidence=confidence, tied=tied)
        answer = sorted(unit for unit, vote in votes.items() if vote.label == "yes")
        return Settled(answer=answer, confidence=confidence, tied=tied)

    def problems(self, row: Row) -> Iterator[Problem]:
        """Exactly one label, unless the guideline says multiple."""
        if not self.guideline.multiple and len(row["labels"]) != 1:
            yield Problem("not_one_label", f"{len(row['labels'])} labels: {', '.join(row['labels'])}")

    def tagged(self, row: Row) -> list[tuple[int, int, str]]:
        """None: no word has a tag."""
        return []

    def doubts(self, row: Row) -> Iterator[Doubt]:
        """None: what speaks against a label stands in other rows."""
        return iter(())

    def strata(self, row: Row) -> list[str]:
        """The labels."""
        return row["labels"] or ["(none)"]

    def kin(self, row: Row) -> list[str]:
        """Each text of a pair, or, where both are short, the pair in either order; a single text has none."""
        return pairs.kin(row)

    def free_pieces(self, row: Row) -> list[str]:
        """The text between negations and the guideline's keep_words; a text pair stays as it is."""
        return pairs.free_pieces(row, self._kept)

    def with_pieces(self, row: Row, pieces: Sequence[str]) -> Row:
        """The text put together again around what was kept."""
        return pairs.with_pieces(row, pieces, self._kept)

    @cached_property
    def _kept(self) -> re.Pattern[str]:
        return pairs.kept(self.guideline.keep_words)

    def mentions(self, row: Row) -> list[tuple[str, str]]:
        """None: no part of a label stands in the text."""
        return []

    def with_mentions(self, row: Row, surfaces: Sequence[str]) -> Row:
        """The row as it is."""
        return row

    def classes(self, seen: Sequence[str]) -> list[str]:
        """The guideline's labels, or those seen in training."""
        return list(self.guideline.names) or sorted(set(seen) - {"(none)"})

    def encode(self, row: Row, tokenizer: Any, *, classes: Sequence[str], max_tokens: int) -> Encoded:
        """The tokens of the text (pair); the class index, or 0.0/1.0 for every class."""
        inputs, cut = pairs.encoded(row, tokenizer, max_tokens=max_tokens)
        known = [label for label in row["labels"] if label in classes]
        targets: int | list[float] = (
            [float(label in known) for label in classes]
            if self.guideline.multiple
            else (classes.index(known[0]) if known else -100)
        )
        learned = len(classes) if self.guideline.multiple else int(bool(known))
        return Encoded(inputs=inputs, targets=targets, cut=cut, learned=learned)

    def prompt(self, row: Row, tokenizer: Any, *, max_tokens: int) -> list[int]:
        """Nothing: this head does not generate."""
        return []

    def decode(
        self, output: Any, row: Row, tokenizer: Any, *, classes: Sequence[str], max_tokens: int
    ) -> tuple[Answer, float]:
        """The most probable class, or all with a probability of at least one half."""
        if self.guideline.multiple:
            found = sorted(label for label, probability in zip(classes, output, strict=True) if probability >= 0.5)
            return found, float(min((max(p, 1 - p) for p in output), default=1.0))
        best = int(output.argmax())
        return [classes[best]], float(output[best])

    def by_word(self, output: Any, row: Row, tokenizer: Any, *, max_tokens: int) -> NDArray[np.float32]:
        """Nothing: no word has outputs of its own."""
        return np.zeros((0, 0), dtype=np.float32)

    def score(self, gold: Sequence[Answer], found: Sequence[Answer], rows: Sequence[Row]) -> Scores:
        """Macro F1 (headline), micro F1, accuracy of whole answers; precision, recall and F1 per label."""
        right = Counter(label for g, f in zip(gold, found, strict=True) for label in set(g) & set(f))
        in_gold, in_found = Counter(label for g in gold for label in g), Counter(label for f in found for label in f)
        per_class = {label: _prf(right[label], in_found[label], in_gold[label]) for label in sorted(in_gold | in_found)}
        scored = [values["f1"] for values in per_class.values() if values["gold"]]
        micro = _prf(right.total(), in_found.total(), in_gold.total())
        metrics = {
            "macro_f1": sum(scored) / len(scored) if scored else 0.0,
            "micro_f1": micro["f1"],
            "accuracy": sum(sorted(g) == sorted(f) for g, f in zip(gold, found, strict=True)) / max(len(gold), 1),
        }
        return Scores(headline="macro_f1", metrics=metrics, per_class=per_class, confusion=self._confusion(gold, found))

    def _confusion(self, gold: Sequence[Answer], found: Sequence[Answer]) -> dict[str, dict[str, int]]:
        pairs = Counter((g[0], f[0]) for g, f in zip(gold, found, strict=True) if len(g) == len(f) == 1)
        table: dict[str, dict[str, int]] = {}
        for (true, said), count in sorted(pairs.items()):
            table.setdefault(true, {})[said] = count
        return table


def _prf(right: int, found: int, gold: int) -> dict[str, float]:
    precision, recall = right / found if found else 0.0, right / gold if gold else 0.0
    f1 = 2 * right / (found + gold) if found + gold else 0.0
    return {"precision": precision, "recall": recall, "f1": f1, "gold": gold, "found": found}


def _spelling(given: Any) -> str:
    """A label as text: 3.0 and 3 are the same rating, and true is true."""
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, float) and given.is_integer():
        return str(int(given))
    return str(given).strip()


def _is_single(given: Any) -> bool:
    """Whether it is a label in a list of its own, as answers are written."""
    return isinstance(given, list) and len(given) == 1


def _parts(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [part for part in str(given).split(",") if part.strip()]
