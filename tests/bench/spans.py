"""Suspects among marked spans: real corrections, and noise put into real sets, against the worst token.

    python -m tests.bench spans [weibo | wikigold | WNUT17 | conll04 ...]

Real corrections: both releases of the same Chinese sentences, of which 429 of 1,349 were truly changed. Injected noise:
a tenth of the spans of three English sets made wrong, each in one of four ways ("mixed"), or the label of a third to
two thirds of the places of some surfaces changed to one other label ("habit"), as a rule misread would. Every method
gets the same out-of-fold probabilities; figures are of sentences: average precision / precision at 100. The worst token
is what cleanlab's `token_classification` ranks by; it is asked itself where it is installed.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.fetch import RawFile
from pipeline.quality.sentences import sentences_from
from pipeline.quality.tagger import tag_probabilities
from pipeline.quality.words import word_signals
from pipeline.readers import ReadOptions, Record, read
from pipeline.suspecting import by_row, joined_by
from pipeline.suspecting.rate import error_rate
from pipeline.tagscheme import spans_from_tags
from tests.bench.measure import real, show
from tests.bench.precision import figures
from tests.quality.tagged import Marks, row, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.quality.sentences import Sentences
    from pipeline.quality.signals import Signals

    Floats = NDArray[np.float64]

SHARE = 0.1  # of the spans that are made wrong
Sentence = tuple[str, list[str], Marks]
"""Group, tokens, spans."""


def corrected() -> tuple[list[Sentence], list[bool]]:
    """The first release, and which sentences the second one changed."""
    lines = real("ner_chinese_corrected/weibo_v1_v2_train.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    told = [(f"s{at}", one["tokens"], spans_from_tags(one["given"], "iob2")[0]) for at, one in enumerate(rows)]
    return told, [bool(one["changed"]) for one in rows]


def conll(name: str) -> list[Sentence]:
    """A CoNLL file; sentences of one document are one group."""
    found = read(RawFile(name, real(name)), format="conll", options=ReadOptions())
    records = [one for one in found if isinstance(one, Record)]
    made = []
    for at, record in enumerate(records):
        column, tags = next(iter(record.fields["tags"].items()))
        spans, _ = spans_from_tags(tags, record.fields["schemes"][column])
        made.append((str(record.fields.get("document") or f"s{at}"), record.fields["tokens"], spans))
    return made


def relations() -> list[Sentence]:
    """The entities of relations_conll04: a line a token and relation, numbered within its sentence."""
    made: list[Sentence] = []
    for part in ("train", "dev", "test"):
        text = real(f"relations_conll04/{part}.txt").read_text(encoding="utf-8")
        for block in text.split("#doc")[1:]:
            lines = {line.split("\t")[0]: line.split("\t") for line in reversed(block.splitlines()[1:]) if line.strip()}
            ordered = [lines[number] for number in sorted(lines, key=int)]
            spans, _ = spans_from_tags([line[2] for line in ordered], "iob2")
            made.append((f"{part}{len(made)}", [line[1] for line in ordered], spans))
    return made


def spoilt(sentences: list[Sentence], how: str, seed: int = 1) -> tuple[list[Sentence], list[bool]]:
    """The sentences with a tenth of their spans made wrong, and which of them were."""
    chance = random.Random(seed)
    labels = [label for _, _, marks in sentences for _, _, label in marks]
    rules = _rules(sentences, labels, chance) if how == "habit" else {}
    made, bad = [], []
    for group, tokens, marks in sentences:
        fresh: Marks = []
        for mark in marks:
            if how == "habit":
                share, other = rules.get(_named(tokens, mark), (0.0, ""))
                fresh.append((*mark[:2], other) if chance.random() < share else mark)
            elif chance.random() >= SHARE:
                fresh.append(mark)
            else:
                fresh += _broken(mark, marks, len(tokens), labels, chance)
        fresh = _apart(fresh)
        made.append((group, tokens, fresh))
        bad.append(sorted(fresh) != sorted(marks))
    return made, bad


def _named(tokens: list[str], mark: tuple[int, int, str]) -> tuple[str, str]:
    return " ".join(tokens[mark[0] : mark[1]]).casefold(), mark[2]


def _rules(sentences: list[Sentence], labels: list[str], chance: random.Random) -> dict[Any, tuple[float, str]]:
    """Surfaces that stand three times or more, in how many of their places they get which other label."""
    seen = Counter(_named(tokens, mark) for _, tokens, marks in sentences for mark in marks)
    often = sorted(name for name, count in seen.items() if count >= 3)
    chance.shuffle(often)
    rules: dict[Any, tuple[float, str]] = {}
    room = SHARE * len(labels)
    for name in often:
        if room > 0:
            rules[name] = (chance.uniform(1 / 3, 2 / 3), chance.choice(sorted(set(labels) - {name[1]})))
            room -= seen[name] * rules[name][0]
    return rules


def _broken(mark: tuple[int, int, str], marks: Marks, size: int, labels: list[str], chance: random.Random) -> Marks:
    """What stands in place of a span: other type, nothing, a moved edge, or the span and one more."""
    start, end, label = mark
    kind = chance.randrange(4)
    if kind == 0:
        return [(start, end, chance.choice(sorted(set(labels) - {label})))]
    if kind == 1:
        return []
    if kind == 2:
        left, right = chance.choice([(-1, 0), (1, 0), (0, -1), (0, 1)])
        moved = (max(start + left, 0), min(end + right, size), label)
        return [moved if moved[0] < moved[1] and not _overlaps(moved, [one for one in marks if one != mark]) else mark]
    first = chance.randrange(size)
    extra = (first, min(first + chance.choice([1, 1, 2]), size), chance.choice(labels))
    return [mark] if _overlaps(extra, marks) else [mark, extra]


def _overlaps(mark: tuple[int, int, str], marks: Marks) -> bool:
    return any(mark[0] < end and start < mark[1] for start, end, _ in marks)


def _apart(marks: Marks) -> Marks:
    kept: Marks = []
    for mark in sorted(marks):
        if not _overlaps(mark, kept):
            kept.append(mark)
    return kept


def sets() -> Iterator[tuple[str, list[Sentence], list[bool]]]:
    """Name, sentences, and which are wrong."""
    yield "weibo, real corrections", *corrected()
    english = {
        "wikigold": conll("ner_english/wikigold/CONLL-format/data/wikigold.conll.txt"),
        "WNUT17": conll("ner_english/WNUT17/CONLL-format/data/train/wnut17train.conll"),
        "conll04": relations(),
    }
    for name, sentences in english.items():
        for how in ("mixed", "habit"):
            yield f"{name}, {how}", *spoilt(sentences, how)


def alone(signals: Signals, at: int, rows: int) -> Floats:
    """The highest value of one signal in each row."""
    best = np.full(rows, -np.inf)
    np.maximum.at(best, signals.row, np.nan_to_num(signals.actual[:, at], nan=-50.0))
    return np.asarray(np.maximum(best, -100.0))


def by_cleanlab(words: Sentences, known: Floats, rows: int) -> Floats | None:
    """cleanlab's scores of sentences, where it is installed; sentences without words are fine."""
    if find_spec("cleanlab") is None:
        return None
    rank = import_module("cleanlab.token_classification.rank").get_label_quality_scores
    some = np.unique(words.row)
    ends = np.searchsorted(words.row, some, side="right")[:-1]
    tags = [part.tolist() for part in np.split(words.tag, ends)]
    scores, _ = rank(tags, np.split(known, ends))
    found = np.zeros(rows)
    found[some] = 1 - np.asarray(scores)
    return found


def line(sentences: list[Sentence], bad: list[bool]) -> list[str]:
    """The figures of every method."""
    wrong = np.array(bad)
    table = tables(row(f"{at:06d}", tokens, marks, group=group) for at, (group, tokens, marks) in enumerate(sentences))
    began = time.perf_counter()
    words, _ = sentences_from(table)
    known = np.asarray(tag_probabilities(words), dtype=np.float64)
    signals = word_signals(table, probabilities=known, classes=words.tags)
    rows = by_row(signals, joined_by(signals), len(bad))
    seconds = time.perf_counter() - began
    worst = np.zeros(len(bad))
    np.maximum.at(worst, words.row, 1 - known[np.arange(len(words)), words.tag])
    single = {name: figures(wrong, alone(signals, at, len(bad))) for at, name in enumerate(signals.names)}
    best = max(single, key=lambda name: single[name])
    theirs = by_cleanlab(words, known, len(bad))
    peer = "n/a" if theirs is None else figures(wrong, theirs)
    rate = error_rate(rows, [group for group, _, _ in sentences])
    between = f"{rate['value']:.3f} [{rate['low']:.3f}, {rate['high']:.3f}]"
    told = [figures(wrong, rows), figures(wrong, worst), peer, f"{best} {single[best]}"]
    return [*told, f"{wrong.mean():.3f}", between, f"{seconds:.1f}"]


def main(arguments: list[str]) -> None:
    """Print the figures of every set."""
    columns = ["joined", "worst token", "cleanlab", "best single signal", "wrong", "estimate", "seconds"]
    chosen = (each for each in sets() if not arguments or each[0].split()[0].rstrip(",") in arguments)
    show("set", columns, ([name, *line(sentences, bad)] for name, sentences, bad in chosen))
