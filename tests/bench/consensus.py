"""How right consensus is on real crowds, against majority and crowd-kit, and what a million labels cost.

    python -m tests.bench consensus [sets | ratings | size]

crowd-kit's methods are run beside ours where it can be imported, on the same ballots; MACE with one restart, or it
takes minutes. Accuracy in percent, a tie between k labels counting as 1/k right; emotions of Snow et al. cut at 20 and
50 of 100, valence at -33 and 33 (their `rte` stands among `crowd_labels`). ECE is the expected calibration error in
points; `differs` the share of units (%) with a clear majority whose label is another one.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.quality.ballots import Ballots, ballots_from
from pipeline.quality.consensus import choose, dawid_skene, kinds, majority, one_coin, ratings, shared_errors
from tests.bench import crowds
from tests.bench.crowds import EMOTIONS
from tests.bench.measure import MILLION, apart, peak, show, timed
from tests.quality.consensus.crowds import accuracy, real_crowd

if TYPE_CHECKING:
    from collections.abc import Iterator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Crowd = tuple[Ballots, Ints]

OURS: dict[str, Callable[[Ballots], Any]] = {
    "majority": majority, "one-coin": one_coin, "shared": shared_errors, "DS": dawid_skene, "kinds": kinds,
}  # fmt: skip
PEERS = {"ck DS": "DawidSkene", "ck coin": "OneCoinDawidSkene", "ck GLAD": "GLAD", "ck MACE": "MACE"}


def snow(name: str, cut: Callable[[str], str] = str) -> Crowd:
    """A set of Snow et al. 2008 and its gold labels."""
    given = crowds.snow(name)
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


def sets() -> dict[str, dict[str, Crowd]]:
    """Every set, by where it is from."""
    nine = {path.name[:12]: real_crowd(path) for path in crowds.nine()}
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


def table(title: str, given: dict[str, Crowd]) -> None:
    """One line per set: accuracy of every method, and what was chosen."""
    peers = PEERS if importlib.util.find_spec("crowdkit") else {}
    columns = [*OURS, "chosen", *PEERS, "ECE DS", "ECE chosen", "differs", "seconds"]
    show(title, columns, _lines(given, peers))


def _lines(given: dict[str, Crowd], peers: dict[str, str]) -> Iterator[list[str]]:
    rows = []
    for name, (ballots, truth) in given.items():
        found = {each: method(ballots).shares for each, method in OURS.items()}
        choice, took = timed(lambda ballots=ballots: choose(ballots))  # type: ignore[misc]
        theirs = [accuracy(peer(each, ballots), truth) for each in peers.values()] or [np.nan] * len(PEERS)
        ours = [accuracy(shares, truth) for shares in (*found.values(), choice.truth.shares)]
        assert choice.truth.shares is not None
        end = [calibration(found["DS"], truth), calibration(choice.truth.shares, truth), 100 * choice.differs, took]
        rows.append([*ours, *theirs, *end])
        yield [name, *_shown(rows[-1])]
    yield ["**mean**", *_shown(np.mean(rows, axis=0).tolist())]


def _shown(numbers: list[float]) -> list[str]:
    return [*("n/a" if np.isnan(number) else f"{number:.1f}" for number in numbers[:-1]), f"{numbers[-1]:.2f}"]


def numbers() -> Iterator[list[str]]:
    """Correlation with the experts' ratings, and root mean square error."""
    for name in (*EMOTIONS, "valence", "wordsim"):
        ballots, _ = snow(name)
        items = {line["orig_id"]: float(line["gold"]) for line in crowds.snow(name)}
        gold = np.array([items[item] for item in sorted(items)])
        found = ratings(ballots, np.array([float(label) for label in ballots.labels]))
        ways = (found.mean, found.median, found.estimate)
        together = [f"{np.corrcoef(each, gold)[0, 1]:.3f}" for each in ways]
        away = [f"{np.sqrt(np.mean((each - gold) ** 2)):.2f}" for each in (found.mean, found.estimate)]
        yield [name, *together, *away, " ".join(f"{weight:.2f}" for weight in found.weights)]


def cost(name: str) -> None:
    """Print what one method takes on a million labels: 200,000 units, five annotators of 500 each, four labels."""
    ballots = crowds.made_up(MILLION // 5, 5, 4)
    before = peak()
    method: Callable[[Ballots], Any] = choose if name == "chosen" else OURS[name]
    found, took = timed(lambda: method(ballots))
    why = found.why.partition(":")[0] if name == "chosen" else f"{found.iterations} rounds"
    print("\t".join([name, f"{took:.2f}", str(before), str(peak()), why]))


def main(arguments: list[str]) -> None:
    """Print the tables asked for."""
    if arguments[:1] == ["--cost"]:
        return cost(arguments[1])
    asked = arguments or ["sets", "ratings", "size"]
    if "sets" in asked:
        for title, given in sets().items():
            table(title, given)
    if "ratings" in asked:
        show("ratings", ["r mean", "r median", "r estimate", "RMSE mean", "RMSE estimate", "weights"], numbers())
    if "size" in asked:
        told = (apart("consensus", "--cost", name).strip().split("\t") for name in (*OURS, "chosen"))
        show("a million labels", ["seconds", "MiB before", "MiB at the peak", "how"], told)
    return None
