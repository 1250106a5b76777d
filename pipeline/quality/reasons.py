"""Reasons: in words, why a span looks wrong or missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.quality.habits import ODDITIES
from pipeline.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pipeline.quality.evidence import Measured
    from pipeline.quality.habits import Edge
    from pipeline.quality.sentences import Sentences

    Floats = NDArray[np.float64]

_BEGIN, _BEFORE = 0, 1  # the first two of the four places of `habits.edges`


@dataclass(frozen=True)
class Reasons:
    """Says of part `at` what speaks against it, the strongest first; see `Signals.said`."""

    words: Sentences
    found: Measured
    signals: Floats
    names: Sequence[str]

    def __call__(self, at: int) -> list[str]:
        """The reasons whose signals speak against the answer; none where nothing does."""
        told = self._marked(at) if self.found.runs.label[at] >= 0 else self._missed(at)
        found = sorted(((-strength, text) for strength, text in told if strength > 0 and text), key=lambda one: one[0])
        return list(dict.fromkeys(text for _, text in found))

    def _signal(self, at: int, *names: str) -> float:
        values = [self.signals[at, self.names.index(name)] for name in names]
        return float(np.nan_to_num(np.array(values), nan=-np.inf).max())

    def _marked(self, at: int) -> Iterator[tuple[float, str]]:
        label = self._label(at)
        yield self._signal(at, "surface type", "surface outside", "surface partly"), self._counts(at)
        yield self._signal(at, "tagger", "tagger type", "tagger outside"), self._model(at)
        yield self._signal(at, "context"), f"its context gives {self._best(self.found.context[at], label)}"
        yield self._signal(at, "form"), f"names of such words give {self._best(self.found.form[at], label)}"
        yield self._signal(at, "nearby"), self._nearby(at)
        for place, edge in enumerate(self.found.edges):
            yield float(np.nan_to_num(edge.oddity[at], nan=-1.0)), self._habit(at, place, edge)
        if self.found.odd[at].any():
            kinds = [kind for kind, has in zip(ODDITIES, self.found.odd[at], strict=True) if has]
            yield float(self.found.rareness[at]), f"{self._surface(at)} {', '.join(kinds)}, rare among {label} spans"

    def _missed(self, at: int) -> Iterator[tuple[float, str]]:
        told = _times(self.words.labels, self.found.elsewhere.marked[at])
        yield self._signal(at, "missed surface"), told and f"{self._surface(at)} is marked {told} elsewhere, not here"
        near = _times(self.words.labels, self.found.nearby.marked[at])
        yield (
            self._signal(at, "missed nearby"),
            near and f"{self._surface(at)} is marked {near} in the same group, not here",
        )
        yield self._signal(at, "missed tagger", "missed run"), f"model gives {self._best(self.found.tagger[at], 'O')}"
        yield self._signal(at, "missed context"), f"its context gives {self._best(self.found.context[at], 'O')}"
        yield self._signal(at, "missed form"), f"names of such words give {self._best(self.found.form[at], 'O')}"

    def _surface(self, at: int) -> str:
        return f"'{visible(self.words.surface(int(self.found.runs.first[at]), int(self.found.runs.last[at])))}'"

    def _label(self, at: int) -> str:
        label = int(self.found.runs.label[at])
        return self.words.labels[label] if label >= 0 else "O"

    def _counts(self, at: int) -> str:
        seen = self.found.elsewhere
        kinds = (*self.words.labels, "not marked", "marked in part")
        told = _times(kinds, np.concatenate([seen.marked[at], seen.outside[at : at + 1], seen.partly[at : at + 1]]))
        return told and f"{self._surface(at)}: {told}"

    def _nearby(self, at: int) -> str:
        near = self.found.nearby
        told = _times((*self.words.labels, "not marked"), np.append(near.marked[at], near.outside[at]))
        return told and f"{self._surface(at)} in the same group: {told}"

    def _model(self, at: int) -> str:
        """The given label's share; or that of the span as it is cut, where the label is not what the model doubts."""
        label = self._label(at)
        share = self.found.tagger[at, self.words.labels.index(label)]
        if share >= 0.3 and share == self.found.tagger[at, :-1].max():
            return f"model gives these edges {_percent(self.found.worst[at])}"
        return f"model gives {label} {_percent(share)}"

    def _best(self, given: Floats, label: str) -> str:
        """The likeliest answer other than `label` in a distribution."""
        names = (*self.words.labels, "O")
        others = [(share, name) for share, name in zip(given, names, strict=True) if name != label]
        share, best = max(others, default=(0.0, "O"))
        return f"{'no span' if best == 'O' else best} {_percent(share)}"

    def _habit(self, at: int, place: int, edge: Edge) -> str:
        """What other spans of the label do with the word at stake."""
        if edge.word[at] >= len(self.words.vocabulary):
            return ""
        total = round(edge.takes[at] + edge.leaves[at])
        other = round(edge.leaves[at] if edge.inside[at] else edge.takes[at])
        does = "leave it out" if edge.inside[at] else "take it in"
        where = "begin" if place in (_BEGIN, _BEFORE) else "end"
        word = visible(self.words.vocabulary[edge.word[at]])
        label = self._label(at)
        return f'{self._surface(at)}: of {total} {label} spans that could {where} with "{word}", {other} {does}'


def _times(names: Sequence[str], counts: Floats) -> str:
    """`ORG 14x, LOC 2x`, the most frequent first."""
    found = sorted(((-count, name) for name, count in zip(names, counts, strict=True) if count > 0))
    return ", ".join(f"{name} {round(-count)}x" for count, name in found)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
