"""What holds for every method of consensus: never nan, known units stay, the order of ballots says nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings

from pipeline.quality.ballots import ballots_from
from pipeline.quality.consensus import choose, dawid_skene, kinds, majority, one_coin, ordinal, shared_errors
from tests.quality.consensus.crowds import VOTES, Vote, ballots_of, crowd, right

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.quality.consensus import Truth
    from pipeline.quality.consensus.table import Rates

RANKED = partial(ordinal, values=np.arange(3.0))
METHODS: dict[str, Callable[..., Truth]] = {
    "one-coin": one_coin, "shared-errors": shared_errors, "dawid-skene": dawid_skene, "kinds": kinds, "ordinal": RANKED,
}  # fmt: skip
SKILLS = [0.95, 0.9, 0.85, 0.6, 0.45, 0.4]


@settings(deadline=None, max_examples=12)
@given(VOTES)
def test_no_posterior_is_nan_and_every_unit_is_answered(votes: list[Vote]) -> None:
    ballots = ballots_from(
        [v[0] for v in votes], [""] * len(votes), [v[1] for v in votes], [v[2] for v in votes], known_labels="xyz"
    )
    truths = [method(ballots) for method in METHODS.values()] + [majority(ballots), choose(ballots).truth]
    for found in truths:
        assert ((found.posterior > 0) & (found.posterior <= 1 + 1e-12)).all()
        assert found.votes.sum() == len(ballots)
        assert found.shares is not None
        assert found.shares.sum(axis=1) == pytest.approx(1)
        if found.method != "ordinal":
            assert found.shares.max(axis=1) == pytest.approx(found.posterior)


@pytest.mark.parametrize("name", METHODS)
def test_skill_counts(name: str) -> None:
    ballots, truth = crowd(SKILLS, each=5)
    assert right(METHODS[name](ballots).label, truth) > right(majority(ballots).label, truth) + 0.02


@pytest.mark.parametrize("name", METHODS)
def test_one_label_only_is_certain(name: str) -> None:
    if name != "ordinal":
        found = METHODS[name](ballots_of([(0, "a", "x"), (0, None, "x"), (1, "a", "x")]))
        assert found.posterior.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("name", METHODS)
def test_known_units_stay_and_teach(name: str) -> None:
    """Three of five annotators are wrong together, always: only known units can tell who is right."""
    votes: list[Vote] = []
    truth = np.arange(90) % 3
    for row in range(90):
        votes += [(row, who, str(truth[row])) for who in "ab"]
        votes += [(row, who, str((truth[row] + 1) % 3)) for who in "cde"]
    ballots = ballots_of(votes)
    known = np.where(np.arange(90) < 30, truth, -1)
    assert right(METHODS[name](ballots).label, truth) < 0.1
    found = METHODS[name](ballots, known=known)
    assert found.posterior[:30].tolist() == pytest.approx([1.0] * 30)
    assert right(found.label, truth) == 1.0
    assert right(choose(ballots, known=known).truth.label, truth) == 1.0


@pytest.mark.parametrize("method", ["auto", *METHODS])
def test_the_order_of_rows_and_ballots_says_nothing(method: str) -> None:
    ballots, _ = crowd(SKILLS, rows=120)
    turned = np.random.Generator(np.random.PCG64(4)).permutation(120)
    order = np.random.Generator(np.random.PCG64(5)).permutation(len(ballots))
    names = [ballots.annotators[each] for each in ballots.annotator[order]]
    labels = [ballots.labels[each] for each in ballots.label[order]]
    other = ballots_from(turned[ballots.row[order]], [""] * len(order), names, labels)
    values = np.arange(3.0) if method == "ordinal" else None
    one, two = (choose(each, method=method, values=values) for each in (ballots, other))
    assert one.truth.label.tolist() == two.truth.label[turned].tolist()
    assert one.truth.posterior == pytest.approx(two.truth.posterior[turned], abs=1e-9)
    assert [score.weight for score in one.scores] == pytest.approx([score.weight for score in two.scores], abs=1e-9)


def test_anonymous_and_named_ballots_mix() -> None:
    ballots, truth = crowd(SKILLS, each=5)
    names = [None if who > 2 else ballots.annotators[who] for who in ballots.annotator]
    labels = [ballots.labels[each] for each in ballots.label]
    mixed = ballots_from(ballots.row, [""] * len(labels), names, labels)
    for method in METHODS.values():
        assert right(method(mixed).label, truth) > right(majority(mixed).label, truth)


RATES: tuple[Rates, Rates] = ("named", "drawn")


def test_base_rates_by_name_help_where_labels_differ_in_how_common_they_are() -> None:
    """Two labels of a label set, one nearly always there, one hardly ever; annotators are hardly better than chance."""
    chance = np.random.Generator(np.random.PCG64(3))
    common = np.stack([chance.random(400) < 0.92, chance.random(400) < 0.08], axis=1)
    rows, names, who, said = [], [], [], []
    for row, column, at in np.ndindex(400, 2, 3):
        rows.append(row)
        names.append(("often", "rare")[column])
        who.append(f"w{(row + at) % 7}")
        said.append("yes" if common[row, column] == (chance.random() < 0.7) else "no")
    ballots = ballots_from(rows, names, who, said)
    truth = common.reshape(-1).astype(np.int64)[ballots.unit_row * 2 + ballots.unit_name]
    apart, together = (choose(ballots, rates=each).truth.label for each in RATES)
    assert right(apart, truth) > right(together, truth) + 0.05
