"""How right consensus is on real crowds, and what a million labels cost: `python -m tests.bench_consensus`.

The sets are looked for in the folder ASSAY_REAL_DATA (default: `../shared/data` beside the project). crowd-kit's
methods are run beside ours where it can be imported, on the same ballots; MACE with one restart, or it takes minutes.
Accuracy in percent, a tie between k labels counting as 1/k right; emotions of Snow et al. cut at 20 and 50 of 100.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.quality.ballots import Ballots, ballots_from
from pipeline.quality.consensus import choose, dawid_skene, kinds, majority, one_coin, ratings, shared_errors
from tests.quality.consensus.crowds import accuracy, lines, real_crowd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Crowd = tuple[Ballots, Ints]

DATA = Path(os.environ.get("ASSAY_REAL_DATA") or Path(__file__).parents[1] / ".." / "shared" / "data").resolve()
EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
OURS: dict[str, Callable[[Ballots], Any]] = {
    "majority": majority, "one-coin": one_coin, "shared": shared_errors, "DS": dawid_skene, "kinds": kinds,
}  # fmt: skip
PEERS = {"ck DS": "DawidSkene", "ck coin": "OneCoinDawidSkene", "ck GLAD": "GLAD", "ck MACE": "MACE"}
MILLION = 1_000_000


def snow(name: str, cut: Callable[[str], str] = str) -> Crowd:
    """A set of Snow et al. 2008 and its gold labels."""
    given = lines(DATA / "crowd_snow2008" / f"{name}.standardized.tsv", delimiter="\t")
    items = sorted({line["orig_id"] for line in given})
    place = {item: at for at, item in enumerate(items)}
    rows = [place[line["orig_id"]] for line in given]
    who = [line["!amt_worker_ids"] for line in given]
    ballots = ballots_from(rows, [""] * len(rows), who, [cut(line["response"]) for line in given])
    truth = np.full(len(items), -2)
    for line in given:
        if cut(line["gold"]) in ballots.labels:
            truth[place[line["orig_id"]]] = ballots.labels.index(cut(line["gold"]))
    return ballots, truth


def thirds(low: float, high: float) -> Callable[[str], str]:
    """Which of three parts a number lies in: under `low`, under `high`, or above."""
    return lambda number: str(int(float(number) >= low) + int(float(number) >= high))


def crowds() -> dict[str, dict[str, Crowd]]:
    nine = {path.name[:12]: real_crowd(path) for path in sorted((DATA / "crowd_labels").iterdir()) if path.is_dir()}
    others = {name: snow(name) for name in ("temp", "wsd")} | {"valence": snow("valence", thirds(-33, 33))}
    return {"crowd_labels": nine, "Snow 2008": others | {name: snow(name, thirds(20, 50)) for name in EMOTIONS}}


def peer(name: str, ballots: Ballots) -> Floats:
    """One-hot float64[units, labels] of what a method of crowd-kit gives."""
    import pandas as pd  # type: ignore[import-untyped, unused-ignore]
    from crowdkit import aggregation  # type: ignore[import-not-found, unused-ignore]

    columns = {"task": ballots.unit, "worker": ballots.annotator, "label": ballots.label}
    options: dict[str, Any] = {"n_restarts": 1} if name == "MACE" else {"n_iter": 100} if name != "GLAD" else {}
    found = getattr(aggregation, name)(**options).fit_predict(pd.DataFrame(columns))
    return np.asarray(np.eye(len(ballots.labels))[found.reindex(range(ballots.units)).to_numpy().astype(int)])


def calibration(shares: Floats, truth: Ints) -> float:
    """Expected calibration error in points, over ten parts of equal size."""
    units = np.flatnonzero(truth != -1)
    units = units[np.argsort(shares[units].max(axis=1), kind="stable")]
    hit = shares[units].argmax(axis=1) == truth[units]
    parts = zip(np.array_split(shares[units].max(axis=1), 10), np.array_split(hit, 10), strict=True)
    return float(
        100 * sum(len(sure) * abs(sure.mean() - right.mean()) for sure, right in parts if len(sure)) / len(units)
    )


def table(title: str, sets: dict[str, Crowd], peers: dict[str, str]) -> None:
    """One line per set: accuracy of every method, and what was chosen."""
    print(
        f"\n| {title} | {' | '.join([*OURS, 'chosen', *peers, 'ECE of DS', 'ECE of chosen', 'differs', 'seconds'])} |"
    )
    print("|---" * (len(OURS) + len(peers) + 6) + "|")
    rows = []
    for name, (ballots, truth) in sets.items():
        found = {each: method(ballots).shares for each, method in OURS.items()}
        begun = time.perf_counter()
        choice = choose(ballots)
        took = time.perf_counter() - begun
        given = [*found.values(), choice.truth.shares, *(peer(each, ballots) for each in peers.values())]
        assert choice.truth.shares is not None
        end = [calibration(found["DS"], truth), calibration(choice.truth.shares, truth), 100 * choice.differs, took]
        rows.append([*(accuracy(shares, truth) for shares in given), *end])
        print(f"| {name} | " + " | ".join(f"{number:.1f}" for number in rows[-1][:-1]) + f" | {took:.2f} |", flush=True)
    print("| **mean** | " + " | ".join(f"{number:.2f}" for number in np.mean(rows, axis=0)) + " |")


def numbers() -> None:
    """Correlation with the experts' ratings, and root mean square error."""
    print("\n| ratings | r of mean | r of median | r of estimate | RMSE of mean | RMSE of estimate | weights |")
    print("|---" * 7 + "|")
    for name in (*EMOTIONS, "valence", "wordsim"):
        given = lines(DATA / "crowd_snow2008" / f"{name}.standardized.tsv", delimiter="\t")
        ballots, _ = snow(name)
        items = {line["orig_id"]: float(line["gold"]) for line in given}
        gold = np.array([items[item] for item in sorted(items)])
        found = ratings(ballots, np.array([float(label) for label in ballots.labels]))
        ways = (found.mean, found.median, found.estimate)
        together = [f"{np.corrcoef(each, gold)[0, 1]:.3f}" for each in ways]
        away = [f"{np.sqrt(np.mean((each - gold) ** 2)):.2f}" for each in (found.mean, found.estimate)]
        print(f"| {name} | {' | '.join([*together, *away])} | {np.round(found.weights, 2).tolist()} |")


def million() -> Ballots:
    """A million labels on 200,000 units by 500 annotators, four labels; a quarter of the units hard for everybody."""
    chance = np.random.Generator(np.random.PCG64(0))
    units, people, classes = MILLION // 5, 500, 4
    truth, unit = chance.integers(classes, size=units), np.repeat(np.arange(units), 5)
    who, hard = chance.integers(people, size=MILLION), chance.random(units) < 0.25
    skill = chance.beta(6, 2.5, size=people)[who] * np.where(hard[unit], 0.6, 1)
    wrong = (truth[unit] + np.where(hard[unit], 1, 1 + chance.integers(classes - 1, size=MILLION))) % classes
    label = np.where(chance.random(MILLION) < skill, truth[unit], wrong)

    def coded(codes: Ints, names: list[str]) -> pa.Array:
        return pa.DictionaryArray.from_arrays(codes.astype(np.int32), pa.array(names))

    nameless = coded(np.zeros(MILLION, dtype=np.int64), [""])
    people_names, labels = [f"w{each:03}" for each in range(people)], [str(each) for each in range(classes)]
    return ballots_from(unit, nameless, coded(who, people_names), coded(label, labels))


def cost(name: str) -> None:
    """Seconds of one method on a million labels, and the peak memory of the process, with the ballots being made."""
    ballots = million()
    method: Callable[[Ballots], Any] = choose if name == "chosen" else OURS[name]
    begun = time.perf_counter()
    found = method(ballots)
    took, peak = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = found.why if name == "chosen" else f"{found.iterations} rounds"
    print(f"| {name} | {took:.2f} | {peak / 1024:.0f} | {told} |", flush=True)


def main() -> None:
    if len(sys.argv) > 2 and sys.argv[1] == "--cost":
        return cost(sys.argv[2])
    peers = PEERS if importlib.util.find_spec("crowdkit") else {}
    if not peers:
        print("crowd-kit: n/a (not installed here)")
    if DATA.is_dir():
        for title, sets in crowds().items():
            table(title, sets, peers)
        numbers()
    else:
        print(f"no real data at {DATA}: set ASSAY_REAL_DATA to their folder")
    print("\n| a million labels | seconds | MB at the peak | |\n|---|---|---|---|", flush=True)
    for name in (*OURS, "chosen"):
        subprocess.run([sys.executable, "-m", "tests.bench_consensus", "--cost", name], check=True)
    return None


if __name__ == "__main__":
    main()
