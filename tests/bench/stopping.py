"""Stopping: how often the errors left lie in their interval, and how often review stops too early; played queues.

`python -m tests.bench stopping [RUNS]` prints both tables and how often the mean is ever outside of its interval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tests.quality.reviewed.queues import AS_SCORED, WORLDS, coverage, ever_out, stopping

if TYPE_CHECKING:
    from collections.abc import Iterator


def covered(runs: int) -> Iterator[str]:
    """A line for each world and number of judged lines."""
    for world in WORLDS:
        for number in (0, 50, 150, 400):
            for by_group in (False, True) if world.sizes and number else (False,):
                got = coverage(world, number, runs=runs, by_group=by_group)
                name = f"{world.name}{', by group' if by_group else ''}"
                yield (
                    f"| {name} | {number} | {got.truth:.0f} | {got.value:.0f} | {got.low:.0f} to {got.high:.0f} | "
                    f"{got.share:.3f} | {got.below} | {got.above} |"
                )


def stopped(runs: int) -> Iterator[str]:
    """A line for each world, and for bad luck at the start."""
    for world in WORLDS:
        for bad in (0, 20) if world in (AS_SCORED, WORLDS[2]) else (0,):
            got = [stopping(world, seed, unlucky=bad) for seed in range(runs)]
            early = [one for one in got if one.too_early]
            cost = f"{np.median([one.cost for one in early]):.1f}" if early else "-"
            yield (
                f"| {world.name}{f', first {bad} fine' if bad else ''} | {len(early)} of {runs} | {cost} | "
                f"{np.median([one.at for one in got]):.0f} | {np.median([one.best for one in got]):.0f} | "
                f"{np.mean([one.found for one in got]):.2f} |"
            )


def main(arguments: list[str]) -> None:
    """Print the tables; the number of runs may be given."""
    runs = int(arguments[0]) if arguments else 500
    print("| world | judged | left | told | from-to | inside | below | above |\n|---|---|---|---|---|---|---|---|")
    for line in covered(runs):
        print(line, flush=True)
    print("| world | too early | at a cost of | stopped at | in truth at | found |\n|---|---|---|---|---|---|")
    for line in stopped(max(20, runs // 5)):
        print(line, flush=True)
    always, once = ever_out(lambda at: 0.8 * 0.98**at + 0.02, looks=400, runs=runs)
    print(f"ever outside of the interval for all looks: {always:.3f}; of Wilson's: {once:.3f}")
