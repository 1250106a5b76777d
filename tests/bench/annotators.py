"""Annotators: who is found among planted ones who do not read or who copy, and what a million labels cost.

    python -m tests.bench annotators [planted | size]

Planted: ten crowds of 40 people, five on each of 600 or of 3,000 units with four labels. In each, two answer at random,
two give one label in 98 % of their answers, two copy nine answers of ten from a neighbour who sees the same units, one
is honest but right in half of the answers only, and all others in 60 to 95 %; a quarter of the units misleads all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.quality.annotators import study
from pipeline.quality.ballots import ballots_from
from pipeline.quality.consensus import choose
from tests.bench import crowds
from tests.bench.measure import MILLION, apart, peak, show, timed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.quality.ballots import Ballots

SEEDS, PEOPLE, SIZES, EACH, LABELS = 10, 40, (600, 3000), 5, 4
PLANTED = {"at random": (0, 1), "one label": (2, 3), "copies": (4, 6), "poor but honest": (8,)}
"""Who does what, by number; who copies does so from the next one."""


def crowd(units: int, seed: int) -> Ballots:
    """One crowd; people 4 and 5, and 6 and 7, work on the same units."""
    chance = np.random.default_rng(seed)
    truth, hard = chance.integers(LABELS, size=units), chance.random(units) < 0.25
    skill = chance.uniform(0.6, 0.95, size=PEOPLE)
    skill[list(PLANTED["poor but honest"])] = 0.5
    lines = []
    for unit in range(units):
        some = chance.choice(PEOPLE - 2, size=EACH - 1, replace=False)
        some = np.where(some >= 5, some + 1, some)  # 5 and 7 come along with 4 and 6 only
        some = np.where(some >= 7, some + 1, some)
        everyone = sorted({*some.tolist(), *(who + 1 for who in PLANTED["copies"] if who in some)}, reverse=True)
        said: dict[int, int] = {}
        for who in everyone:
            right = chance.random() < skill[who] * (0.6 if hard[unit] else 1)
            away = 1 if hard[unit] else 1 + int(chance.integers(LABELS - 1))
            said[who] = int(truth[unit]) if right else int(truth[unit] + away) % LABELS
            if who in PLANTED["at random"]:
                said[who] = int(chance.integers(LABELS))
            if who in PLANTED["one label"] and chance.random() < 0.98:
                said[who] = who % LABELS
            if who in PLANTED["copies"] and chance.random() < 0.9:
                said[who] = said[who + 1]
        lines += [(unit, f"{who:02}", str(label)) for who, label in said.items()]
    return ballots_from([one[0] for one in lines], [""] * len(lines), [o[1] for o in lines], [o[2] for o in lines])


def planted(units: int) -> Iterator[list[object]]:
    """For each kind: how many there were, how many are suspects, and how many are called below the others."""
    cards: list[dict[int, Any]] = []
    for seed in range(SEEDS):
        ballots = crowd(units, seed)
        cards.append({int(card.name): card for card in study(ballots, choose(ballots).truth).cards})
    whose = {**PLANTED, "copied from": tuple(who + 1 for who in PLANTED["copies"])}
    whose["all others"] = tuple(sorted(set(range(PEOPLE)) - {who for some in whose.values() for who in some}))
    for name, some in whose.items():
        found = [card[who] for card in cards for who in some]
        low = sum(card.verdict == "below the others" for card in found)
        yield [name, len(found), sum(card.suspect for card in found), low]


def cost() -> None:
    """Print what the cards of 500 annotators take, a million labels being there."""
    ballots = crowds.made_up(MILLION // 5, 5, 4)
    truth = choose(ballots, method="dawid-skene").truth
    before = peak()
    _, seconds = timed(lambda: study(ballots, truth))
    print(f"{seconds:.2f}\t{before}\t{peak()}")


def main(arguments: list[str]) -> None:
    """Print the tables asked for."""
    if arguments == ["--cost"]:
        return cost()
    asked = arguments or ["planted", "size"]
    if "planted" in asked:
        for units in SIZES:
            show(f"planted, {units:,} units", ["people", "suspects", "below the others"], planted(units))
    if "size" in asked:
        told = apart("annotators", "--cost").strip().split("\t")
        show("a million labels", ["seconds", "MiB before", "MiB at the peak"], [["cards of 500 annotators", *told]])
    return None
