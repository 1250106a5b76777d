"""Made-up crowds with known faults, for the tests of annotators."""

from __future__ import annotations

import numpy as np

from pipeline.quality.ballots import Ballots, ballots_from
from pipeline.quality.consensus import Truth, majority


def crowd(
    seed: int,
    *,
    items: int = 400,
    people: int = 20,
    votes: int = 6,
    classes: int = 3,
    hard: float = 0.2,
    copy: int = 0,
    blind: int = 0,
    lined: int = 0,
    skill: tuple[float, float] = (0.75, 0.95),
    late: int = 0,
) -> Ballots:
    """Ballots of `people` on `items`; hard items lure everybody to one same wrong label.

    The first `copy` people copy nine in ten answers from the last ones, the next `blind` answer at random, the next
    `lined` always give the first label, the next `late` do so at random from the middle of the work on. `origin` is the
    order of work.
    """
    chance = np.random.default_rng(seed)
    truth = chance.integers(classes, size=items)
    lure = (truth + chance.integers(1, classes, size=items)) % classes
    is_hard = chance.random(items) < hard
    skills = chance.uniform(*skill, size=people)
    rows, names, labels = [], [], []
    for item in range(items):
        who = chance.permutation(people)[:votes].tolist()
        answer = {}
        for person in who:
            right = chance.random() < (0.55 if is_hard[item] else skills[person])
            wrong = lure[item] if is_hard[item] else (truth[item] + chance.integers(1, classes)) % classes
            answer[person] = int(truth[item] if right else wrong)
            kind = person - copy
            if 0 <= kind < blind or (blind + lined <= kind < blind + lined + late and item >= items // 2):
                answer[person] = int(chance.integers(classes))
            elif blind <= kind < blind + lined:
                answer[person] = 0
        for person in who:
            source = people - 1 - person
            if person < copy and source in answer and chance.random() < 0.9:
                answer[person] = answer[source]
        rows += [item] * len(who)
        names += [f"p{person:02}" for person in who]
        labels += ["abcdef"[answer[person]] for person in who]
    return ballots_from(rows, [""] * len(rows), names, labels, origin=np.arange(len(rows)))


def told(ballots: Ballots) -> Truth:
    """The truth by majority: the tests do not depend on how the consensus is found."""
    return majority(ballots)
