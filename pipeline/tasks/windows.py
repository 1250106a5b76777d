"""Windows: the part of a context that a model reads with a question, and the stretch of it that answers best."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.tasks.subwords import Subwords
from pipeline.text import units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.tasks.spans import Edges

    Floats = NDArray[np.float64]

LEAST = 1e-12
"""The least probability that is told apart from none: 32 bits say no more."""
NO_LIMIT = 1 << 30


@dataclass(frozen=True)
class Window:
    """What a model reads of a question and a context.

    `inputs` are lists of numbers by name; `heads` maps the position of a word's first token to the word, numbered as in
    the whole context; `cut` says whether the limit took something away.
    """

    inputs: dict[str, list[int]]
    heads: dict[int, int]
    cut: bool


def window(
    question: str,
    context: str,
    words: Sequence[Edges],
    tokenizer: Any,
    *,
    max_tokens: int,
    around: Edges | None = None,
) -> Window:
    """The whole, if it fits; else the part of the context that has most of the question's words, the rare ones first.

    Where a question takes more than half of the room its end is cut. `around` is a stretch that the window must hold:
    only what is learned from may say it, for whoever is to find the answer is not to be told where to look.
    """
    whole = Subwords(context, words, tokenizer, NO_LIMIT, before=question)
    if len(whole.inputs["input_ids"]) <= max_tokens:
        return Window(whole.inputs, whole.heads, cut=False)
    special = len(tokenizer("", "")["input_ids"])
    asked = _shortened(question, tokenizer, max((max_tokens - special) // 2, 1))
    cost = _costs(whole, len(words))
    beside = len(Subwords("", (), tokenizer, NO_LIMIT, before=asked).inputs["input_ids"])
    first, last = _best_part(asked, context, words, cost, room=max_tokens - beside, around=around)
    begin, end = words[first][0], words[last - 1][1]
    inside = [(start - begin, stop - begin) for start, stop in words[first:last]]
    read = Subwords(context[begin:end], inside, tokenizer, max_tokens, before=asked)
    return Window(read.inputs, {token: first + word for token, word in read.heads.items()}, cut=True)


def _shortened(question: str, tokenizer: Any, most: int) -> str:
    coded = tokenizer(question, return_offsets_mapping=True, verbose=False)
    ends = [end for start, end in coded["offset_mapping"] if start < end]
    return question if len(ends) <= most else question[: ends[most - 1]]


def _costs(whole: Subwords, count: int) -> list[int]:
    """How many tokens each word takes, those after it that begin no word among them."""
    cost = [0] * count
    heads = list(whole.heads.items())
    ends = [token for token, _ in heads[1:]] + [len(whole.inputs["input_ids"]) - 1]
    for (token, word), end in zip(heads, ends, strict=True):
        cost[word] = end - token
    return cost


def _best_part(
    question: str, context: str, words: Sequence[Edges], cost: Sequence[int], *, room: int, around: Edges | None
) -> tuple[int, int]:
    """First word, word after the last: of the parts that are as good, the one in the middle."""
    asked = {question[start:end].casefold() for start, end in units(question) if question[start:end].isalnum()}
    spelled = [context[start:end].casefold() for start, end in words]
    often = Counter(spelled)
    worth = [0.0, *accumulate(1 / often[word] if word in asked else 0.0 for word in spelled)]
    spent = [0, *accumulate(cost)]
    parts, last = [], 1
    for first in range(len(words)):
        while last < len(words) and spent[last + 1] - spent[first] <= room:
            last += 1
        last = max(last, first + 1)
        parts.append((first, last))
        if last == len(words):
            break
    held = [(a, b) for a, b in parts if around and words[a][0] <= around[0] and around[1] <= words[b - 1][1]] or parts
    best = max(round(worth[b] - worth[a], 9) for a, b in held)
    as_good = [(a, b) for a, b in held if round(worth[b] - worth[a], 9) == best]
    return as_good[len(as_good) // 2]


def stretch(probabilities: Floats, *, may_be_none: bool) -> tuple[tuple[int, int] | None, float]:
    """The run of words (first, last) that answers best, and its probability among all runs, and none if there may be.

    `probabilities`: float[words, 3], outside, begins, goes on. A run is as probable as the product of its words' tags,
    one of them begins and all others go on, beside that of the tags of all words outside: exact, in one pass (as the
    forward algorithm and Viterbi's are: Rabiner 1989, doi 10.1109/5.18626).
    """
    if not len(probabilities):
        return None, float(may_be_none)
    told = np.log(np.clip(np.asarray(probabilities, dtype=np.float64), LEAST, 1.0))
    begins, goes_on = told[:, 1] - told[:, 0], told[:, 2] - told[:, 0]
    best, run = (0.0, None) if may_be_none else (-np.inf, None)
    total, ending = (0.0, -np.inf) if may_be_none else (-np.inf, -np.inf)
    top, since = -np.inf, 0
    for at, (begin, on) in enumerate(zip(begins.tolist(), goes_on.tolist(), strict=True)):
        ending = np.logaddexp(begin, ending + on)
        total = np.logaddexp(total, ending)
        top, since = (begin, at) if begin >= top + on else (top + on, since)
        if top > best:
            best, run = top, (since, at)
    return run, float(np.exp(min(best - total, 0.0)))
