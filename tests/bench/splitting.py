"""Splitting: rows per second, deviation beside the best possible, groups parted: real sets, and 1,000,000 planted rows.

`python -m tests.bench splitting` runs all; `splitting real`, `splitting planted [rows]` a part. Beside it: iterative
stratification (Sechidis et al. 2011) in a plain rewriting of our own, which knows no groups, and scikit-learn's
StratifiedGroupKFold, which knows one class a row: ten folds, of which one validates and one tests.
"""

from __future__ import annotations

import csv
import json
import random
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.lock import SIDES, text_mark
from pipeline.quality.duplicates import near_pairs
from pipeline.quality.splitting.evenness import Dealt, evenness, summary
from pipeline.quality.splitting.searched import PAIRS
from pipeline.quality.splitting.sides import decide
from pipeline.quality.splitting.strata import Strata
from pipeline.quality.splitting.ties import Ties, texts
from pipeline.settings import SplitSettings
from pipeline.split import FACTS, hashed
from pipeline.text import normalised
from tests.bench.measure import MILLION, apart, peak, real, timed, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

SHARES = np.array([0.8, 0.1, 0.1])
SLOW = 20_000
"""Rows above which the plain iterative stratification, quadratic in Python, is not waited for."""


@dataclass
class Set:
    """Rows to be dealt: their texts, strata and documents (each row its own where there are none)."""

    texts: list[str]
    strata: list[list[str]]
    groups: list[str]

    def facts(self) -> pa.Table:
        """What the split is told of the rows."""
        rows = len(self.texts)
        keys = pa.array([hashed(normalised(text) or text) for text in self.texts], pa.binary(16))
        columns = {
            "id": [f"r/{at:07}" for at in range(rows)],
            "group": self.groups,
            "source": ["r"] * rows,
            "strata": self.strata,
            "asked": [True] * rows,
            "mark": [text_mark(key) for key in keys.to_pylist()],
            **dict.fromkeys(("also_in", "kin", "parents"), [[]] * rows),
            **dict.fromkeys(("split", "seconds", "text"), [None] * rows),
        }
        arrays = [keys if field.name == "key" else pa.array(columns[field.name], field.type) for field in FACTS]
        return pa.Table.from_arrays(arrays, schema=FACTS)

    def pairs(self, facts: pa.Table) -> pa.Table:
        """The near duplicates among the rows."""
        found = near_pairs(self.texts, contained=True)
        ids = facts["id"]
        columns = [ids.take(pa.array(found.left)), ids.take(pa.array(found.right)), pa.array(found.kind, pa.string())]
        same = pa.array([True] * len(found.left)), pa.array([""] * len(found.left), pa.string())
        return pa.table([*columns, *same], names=list(PAIRS))


def conll(path: str) -> Iterator[tuple[str, set[str]]]:
    """Sentences of a CoNLL file: text and the types of their entities."""
    words: list[str] = []
    types: set[str] = set()
    for line in [*real(path).read_text(encoding="utf-8").splitlines(), ""]:
        parts = line.split("\t")
        if len(parts) > 1 and parts[0]:
            words.append(parts[0])
            types |= {kind for kind in parts[1].partition("-")[2].split(",") if kind}
        elif words:
            yield " ".join(words), types
            words, types = [], set()


def goemotions() -> Iterator[tuple[str, Sequence[str]]]:
    """Texts and their emotions."""
    for part in ("train", "dev", "test"):
        with real(f"multilabel_goemotions/{part}.tsv").open(encoding="utf-8", newline="") as lines:
            for text, labels, _ in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
                yield text, labels.split(",")


def wnut17() -> Iterator[tuple[str, Sequence[str]]]:
    """Tweets and comments and the kinds of entities in them."""
    folder = "ner_english/WNUT17/CONLL-format/data"
    for path in ("train/wnut17train.conll", "dev/emerging.dev.conll", "test/emerging.test.annotated"):
        for text, types in conll(f"{folder}/{path}"):
            yield text, sorted(types) or ["none"]


def banking77() -> Iterator[tuple[str, Sequence[str]]]:
    """Questions and their intents."""
    for part in ("train", "test"):
        with real(f"intents_banking77/{part}.csv").open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                yield row["text"], [row["category"]]


def clinc150() -> Iterator[tuple[str, Sequence[str]]]:
    """Requests and their intents."""
    whole = json.loads(real("intents_clinc150/data_full.json").read_text(encoding="utf-8"))
    for part in sorted(whole):
        for text, intent in whole[part]:
            yield text, [intent]


def conll04() -> Iterator[tuple[str, Sequence[str]]]:
    """Sentences and the kinds of entities and relations in them."""
    for part in ("train", "dev", "test"):
        for block in real(f"relations_conll04/{part}.txt").read_text(encoding="utf-8").split("\n#doc ")[0:]:
            words, kinds = [], set()
            for line in block.splitlines():
                parts = line.split("\t")
                if len(parts) >= 3 and parts[0].isdigit():
                    words.append(parts[1])
                    found = [
                        parts[2].partition("-")[2],
                        *(json.loads(parts[3].replace("'", '"')) if len(parts) > 3 else []),
                    ]
                    kinds |= {kind for kind in found if kind and kind != "N"}
            if words:
                yield " ".join(words), sorted(kinds) or ["none"]


REAL: dict[str, Callable[[], Iterator[tuple[str, Sequence[str]]]]] = {
    "goemotions": goemotions,
    "wnut17": wnut17,
    "banking77": banking77,
    "clinc150": clinc150,
    "conll04": conll04,
}


def real_set(name: str) -> Set:
    """A real set whose official split is forgotten; strata are classes and the octave of the length."""
    texts, strata = [], []
    for text, labels in REAL[name]():
        texts.append(text)
        strata.append([*(f"answer={label}" for label in labels), f"length={len(text).bit_length()}"])
    return Set(texts, strata, [str(at) for at in range(len(texts))])


def planted(rows: int, *, seed: int = 1) -> Set:
    """Rows of 30 strata: 12 classes, 15 kinds of entities, three languages; documents of very different sizes."""
    chance = np.random.default_rng(seed)
    classes = chance.zipf(1.5, rows) % 12
    languages = chance.choice(3, rows, p=[0.7, 0.25, 0.05])
    kinds = chance.random((rows, 15)) < 0.25 / (1 + np.arange(15))
    sizes: list[int] = []
    while sum(sizes) < rows:
        sizes += np.minimum(1 + (chance.pareto(1.3, 10_000) * 0.7).astype(np.int64), 2_000).tolist()
    document = np.repeat(np.arange(len(sizes)), sizes)[:rows]
    strata = [
        [f"answer={one}", f"language={language}", *(f"kind={kind}" for kind in np.flatnonzero(has).tolist())]
        for one, language, has in zip(classes.tolist(), languages.tolist(), kinds, strict=True)
    ]
    return Set([f"text {at}" for at in range(rows)], strata, [str(one) for one in document.tolist()])


def iterative(strata: Sequence[Sequence[str]], shares: Sequence[float], *, seed: int = 1) -> Ints:
    """Iterative stratification as in the paper: the rarest label first, each row to the side that lacks it most."""
    chance = random.Random(seed)
    totals = Counter(name for own in strata for name in set(own))
    lacks = {name: [share * count for share in shares] for name, count in totals.items()}
    room = [share * len(strata) for share in shares]
    rows_of: dict[str, set[int]] = {name: set() for name in totals}
    for row, own in enumerate(strata):
        for name in own:
            rows_of[name].add(row)
    found = np.full(len(strata), -1, dtype=np.int64)
    while rows_of:
        rarest = min(rows_of, key=lambda name: (len(rows_of[name]), name))
        for row in sorted(rows_of[rarest]):
            most = max(zip(lacks[rarest], room, strict=True))
            side = chance.choice([at for at in range(len(shares)) if (lacks[rarest][at], room[at]) == most])
            found[row] = side
            room[side] -= 1
            for name in set(strata[row]):
                lacks[name][side] -= 1
                if name != rarest and name in rows_of:
                    rows_of[name].discard(row)
        del rows_of[rarest]
        rows_of = {name: rows for name, rows in rows_of.items() if rows}
    return found


def grouped_folds(strata: Sequence[Sequence[str]], group: Ints) -> Ints:
    """scikit-learn's StratifiedGroupKFold on the rarest class of each row."""
    from sklearn.model_selection import StratifiedGroupKFold

    totals = Counter(name for own in strata for name in own)
    answers = [[name for name in own if name.startswith("answer=")] or own for own in strata]
    classes = np.array([min(own, key=lambda name: (totals[name], name)) for own in answers])
    fold = np.zeros(len(strata), dtype=np.int64)
    found = StratifiedGroupKFold(n_splits=10, shuffle=True, random_state=1).split(np.zeros(len(strata)), classes, group)
    for at, (_, held) in enumerate(found):
        fold[held] = at
    return np.select([fold == 8, fold == 9], [1, 2], 0).astype(np.int64)


def judged(facts: pa.Table, group: Ints, sides: Ints) -> dict[str, Any]:
    """How even sides are, beside the best possible under the groups, and rows whose group they part."""
    wanted = np.tile(SHARES, (len(sides), 1))
    dealt = Dealt(sides, group, np.full(len(sides), 7, dtype=np.int64), wanted, SIDES)
    strata = evenness(Strata.of(facts["strata"]), dealt)
    best = [one["best_points"] for one in strata.values() if one["rows"] >= 100]
    low, high = np.full(len(sides), 9), np.full(len(sides), -1)
    np.minimum.at(low, group, sides)
    np.maximum.at(high, group, sides)
    return summary(strata) | {"parted": int((low < high)[group].sum()), "largest_best": max(best, default=0.0)}


def groups_of(of: Set, facts: pa.Table, pairs: pa.Table) -> Ints:
    """The first row that each row must not be parted from."""
    from pipeline.quality import kin
    from pipeline.quality.kin import Keyed

    left, right, _ = kin.alike(facts, SplitSettings(), pairs)
    none = Keyed.of(facts["kin"])
    ties = Ties.of(kin.groups(facts["group"], facts["also_in"]), texts(facts["key"]), (left, right), none)
    return ties.components(np.ones(len(of.texts), dtype=bool))


def line(name: str, how: str, found: dict[str, Any], rows: int, seconds: float) -> str:
    """One line of the table."""
    cells = [name, how, f"{rows:,}", str(found["judged_strata"]), f"{found['max_deviation_points']:.2f}"]
    cells += [f"{found['max_excess_points'] or 0:.2f}", f"{found['largest_best']:.2f}", f"{found['parted']:,}"]
    return f"| {' | '.join([*cells, f'{seconds:.2f}', f'{rows / seconds:,.0f}'])} |"


HEAD = (
    "| set | method | rows | judged strata | largest deviation, points | over the best possible | largest best "
    "possible | rows in parted groups | seconds | rows/s |\n|---|---|---|---|---|---|---|---|---|---|"
)


def compare(name: str, of: Set, *, pairs: pa.Table | None = None) -> Iterator[str]:
    """Lines of the table for one set: ours, and the others where they can be waited for."""
    facts = of.facts()
    if pairs is None:
        pairs = of.pairs(facts)
    settings = SplitSettings(lock=False)
    decide(facts.slice(0, 10), settings, pairs=pairs)  # what is imported on the way is not timed
    verdicts, seconds = timed(lambda: decide(facts, settings, pairs=pairs))
    group = groups_of(of, facts, pairs)
    yield line(name, "Assay", judged(facts, group, verdicts.sides), len(of.texts), seconds)
    if len(of.texts) <= 10 * SLOW:
        sides, seconds = timed(lambda: grouped_folds(of.strata, group))
        yield line(name, "StratifiedGroupKFold", judged(facts, group, sides), len(of.texts), seconds)
        sides, seconds = timed(lambda: iterative(of.strata, SHARES.tolist()))
        yield line(name, "iterative stratification", judged(facts, group, sides), len(of.texts), seconds)


def growth(of: Set) -> Iterator[str]:
    """Seconds and moves when a tenth more rows come to a locked set, and when nothing comes."""
    facts = of.facts()
    nothing = pa.table({name: pa.array([], pa.bool_() if name == "accepted" else pa.string()) for name in PAIRS})
    old = facts.slice(0, len(of.texts) * 10 // 11)
    settings = SplitSettings()
    first, seconds = timed(lambda: decide(old, settings, pairs=nothing))
    yield f"first build, {len(old):,} rows: {seconds:.2f} s"
    then, seconds = timed(lambda: decide(facts, settings, pairs=nothing, lock=first.lock))
    moved = int((then.sides[: len(old)] != first.sides).sum())
    told_ = then.details
    yield (
        f"{len(of.texts) - len(old):,} rows more: {seconds:.2f} s, {moved} rows moved, largest deviation "
        f"{told_['max_deviation_points']:.2f} points ({told_['max_excess_points']:.2f} over the best possible)"
    )
    _, seconds = timed(lambda: decide(facts, settings, pairs=nothing, lock=then.lock))
    yield f"nothing more: {seconds:.2f} s"


def main(arguments: list[str]) -> None:
    """Print the tables."""
    if arguments[:1] == ["-one"]:
        if arguments[1] == "planted":
            of = planted(int(arguments[2]))
            nothing = pa.table(
                {name: pa.array([], pa.bool_() if name == "accepted" else pa.string()) for name in PAIRS}
            )
            print(*compare("planted", of, pairs=nothing), sep="\n")
            print(*growth(of), f"peak memory {peak():,} MiB", sep="\n")
        else:
            print(*compare(arguments[1], real_set(arguments[1])), sep="\n")
        return
    print(told())
    print(HEAD)
    wanted = arguments[:1] or ["real", "planted"]
    if "real" in wanted:
        for name in REAL:
            print(apart("splitting", "-one", name), end="", flush=True)
    if "planted" in wanted:
        for rows in arguments[1:] or ["100000", str(MILLION)]:
            print(apart("splitting", "-one", "planted", rows), end="", flush=True)
