"""Suspects among marked spans against the truth: run by `python -m tests.bench_spans`, never by the tests.

Real corrections: both releases of the same Chinese sentences, of which 429 of 1,349 were truly changed. Injected noise:
a tenth of the spans of three English sets made wrong, each in one of four ways ("mixed"), or the label of a third to
two thirds of the places of some surfaces changed to one other label ("habit"), as a rule misread would. Every method
gets the same out-of-fold probabilities; figures are of sentences: average precision / precision at 100.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.fetch import RawFile
from pipeline.quality.mixture import join_kinds
from pipeline.quality.sentences import sentences_from
from pipeline.quality.tagger import tag_probabilities
from pipeline.quality.words import row_scores, word_signals
from pipeline.readers import ReadOptions, Record, read
from pipeline.tagscheme import spans_from_tags
from tests.quality.tagged import Marks, row, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipeline.quality.signals import Signals

    Floats = NDArray[np.float64]

DATA = Path(os.environ.get("ASSAY_REAL_DATA") or Path(__file__).parents[1] / ".." / "shared" / "data").resolve()
SHARE = 0.1  # of the spans that are made wrong
Sentence = tuple[str, list[str], Marks]
"""Group, tokens, spans."""


def corrected() -> tuple[list[Sentence], list[bool]]:
    """The first release, and which sentences the second one changed."""
    lines = (DATA / "ner_chinese_corrected/weibo_v1_v2_train.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    told = [(f"s{at}", one["tokens"], spans_from_tags(one["given"], "iob2")[0]) for at, one in enumerate(rows)]
    return told, [bool(one["changed"]) for one in rows]


def conll(name: str) -> list[Sentence]:
    """A CoNLL file; sentences of one document are one group."""
    found = read(RawFile(name, DATA / name), format="conll", options=ReadOptions())
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
        text = (DATA / f"relations_conll04/{part}.txt").read_text(encoding="utf-8")
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


def figures(score: Floats, bad: list[bool]) -> str:
    """Average precision / precision at 100; the order of equal scores is that of the rows."""
    order = np.argsort(-score, kind="stable")
    hit = np.array(bad)[order]
    precision = np.cumsum(hit) / np.arange(1, len(hit) + 1)
    return f"{float(precision[hit].mean()):.3f}/{float(hit[:100].mean()):.2f}"


def alone(signals: Signals, at: int, rows: int) -> Floats:
    """The highest value of one signal in each row."""
    best = np.full(rows, -np.inf)
    np.maximum.at(best, signals.row, np.nan_to_num(signals.actual[:, at], nan=-50.0))
    return best


def measured(sentences: list[Sentence], bad: list[bool]) -> dict[str, str]:
    """The figures of every method."""
    table = tables(row(f"{at:06d}", tokens, marks, group=group) for at, (group, tokens, marks) in enumerate(sentences))
    began = time.perf_counter()
    words, _ = sentences_from(table)
    known = np.asarray(tag_probabilities(words), dtype=np.float64)
    signals = word_signals(table, probabilities=known, classes=words.tags)
    joined = join_kinds(signals)
    seconds = time.perf_counter() - began
    worst = np.zeros(len(bad))
    np.maximum.at(worst, words.row, 1 - known[np.arange(len(words)), words.tag])
    chance = np.random.default_rng(0).random(len(bad))
    single = {name: figures(alone(signals, at, len(bad)), bad) for at, name in enumerate(signals.names)}
    best = sorted(single.items(), key=lambda one: one[1], reverse=True)[:3]
    return {
        "joined": figures(row_scores(signals.row, joined.wrong, len(bad)), bad),
        "worst token (cleanlab)": figures(worst, bad),
        "random": figures(chance, bad),
        "best single signals": ", ".join(f"{name} {value}" for name, value in best),
        "wrong parts, estimated": f"{joined.rate:.3f}",
        "seconds": f"{seconds:.1f}",
    }


def main() -> None:
    """Print the figures of every set."""
    for name, sentences, bad in sets():
        print(f"\n{name}: {sum(bad)} of {len(bad)} sentences wrong")
        for method, value in measured(sentences, bad).items():
            print(f"  {method:24s} {value}", flush=True)


if __name__ == "__main__":
    main()
