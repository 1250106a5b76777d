"""The choice: a blend by foresight, never without the vote, loud where methods disagree."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.errors import AssayError
from pipeline.quality.consensus import METHODS, choice, choose, majority
from tests.quality.consensus.crowds import Vote, ballots_of, crowd, right

SKILLS = [0.97, 0.95, 0.9, 0.6, 0.5, 0.45, 0.4]


def test_the_blend_beats_the_vote_where_skills_differ_and_says_why() -> None:
    ballots, truth = crowd(SKILLS, rows=400, each=5)
    found = choose(ballots)
    assert right(found.truth.label, truth) > right(found.plain.label, truth) + 0.03
    assert found.truth.method == "blend"
    assert [score.method for score in found.scores] == list(METHODS[:-1])
    assert sum(score.weight for score in found.scores) == pytest.approx(1)
    assert min(score.behind for score in found.scores) == 0
    assert found.best != "majority"
    assert found.why.startswith("blend of ")
    assert found.differs == pytest.approx(np.mean((found.truth.label != found.plain.label)[~found.plain.tie]))


def test_where_all_are_alike_the_vote_stands() -> None:
    ballots, _ = crowd([0.8] * 30, rows=300, each=3)
    found = choose(ballots)
    assert found.best == "majority"
    assert found.differs < 0.02
    assert found.warnings == ()


def test_overruling_the_vote_often_is_said_loudly() -> None:
    ballots, _ = crowd([0.97, 0.97, 0.2, 0.15, 0.1], rows=300, each=5)
    found = choose(ballots)
    assert found.differs > 0.1
    count = int((found.truth.label != found.plain.label)[~found.plain.tie].sum())
    assert f"overrules a clear majority on {count:,} of" in found.warnings[0]
    assert found.warnings[0].startswith("WARNING: ")


def test_the_belief_is_not_higher_than_it_is_right_and_not_much_lower() -> None:
    ballots, truth = crowd(SKILLS, rows=600, each=3)
    found = choose(ballots).truth
    share = right(found.label, truth)
    assert share - 0.1 < found.posterior.mean() < share + 0.01


@pytest.mark.parametrize("name", METHODS)
def test_a_method_that_is_asked_for_is_used_alone(name: str) -> None:
    ballots, truth = crowd(SKILLS, each=5)
    found = choose(ballots, method=name, values=np.arange(3.0))
    assert (found.truth.method, found.scores, found.why) == (name, (), f"{name}, because it was asked for")
    assert right(found.truth.label, truth) >= right(majority(ballots).label, truth)


@pytest.mark.parametrize("name", ["nonsense", "ordinal"])
def test_a_method_that_cannot_be_used_is_refused(name: str) -> None:
    with pytest.raises(AssayError, match=name):
        choose(ballots_of([(0, "a", "x"), (0, "b", "y")]), method=name)


@pytest.mark.parametrize(
    ("votes", "reason"),
    [
        ([(0, "a", "x"), (1, "b", "y")], "no unit was labelled twice"),
        ([(0, "a", "x"), (0, "b", "x")], "there are not two labels"),
    ],
)
def test_where_nothing_can_be_learned_the_vote_is_given(votes: list[Vote], reason: str) -> None:
    found = choose(ballots_of(votes))
    assert (found.truth.method, found.scores) == ("majority", ())
    assert reason in found.why
    assert reason in found.warnings[0]


def test_no_ballots_are_no_units() -> None:
    found = choose(ballots_of([]))
    assert (len(found.truth.label), found.warnings) == (0, ())


def test_too_many_labels_leave_the_vote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "_FEW_CELLS", 10)
    assert "too many" in choose(crowd(SKILLS)[0]).why


def test_known_units_stay_even_where_only_the_vote_is_left() -> None:
    found = choose(ballots_of([(0, "a", "x"), (1, "a", "y")]), known=np.array([1, -1]))
    assert (found.truth.label.tolist(), found.truth.posterior.tolist()) == ([1, 1], [1.0, 1.0])


def test_anonymous_crowds_are_told_apart_by_units_only() -> None:
    ballots, truth = crowd([0.8] * 5, rows=200, each=5)
    votes: list[Vote] = [
        (int(row), None, ballots.labels[label]) for row, label in zip(ballots.row, ballots.label, strict=True)
    ]
    found = choose(ballots_of(votes))
    assert [score.method for score in found.scores] == ["majority", "dawid-skene", "kinds"]
    assert right(found.truth.label, truth) >= right(found.plain.label, truth) - 0.01


def test_ranked_labels_err_by_fewer_steps() -> None:
    """Errors fall on neighbours: the median of the posterior lies nearer to the truth than the vote does."""
    chance = np.random.Generator(np.random.PCG64(6))
    truth = chance.integers(7, size=400)
    votes: list[Vote] = []
    for row in range(400):
        for who in chance.permutation(12)[:3]:
            away = int(np.rint(chance.normal(0, 0.4 + 0.12 * who)))
            votes.append((row, f"w{who:02}", str(np.clip(truth[row] + away, 0, 6))))
    ballots = ballots_of(votes)
    found = choose(ballots, values=np.arange(7.0))
    assert "ordinal" in [score.method for score in found.scores]
    assert np.abs(found.truth.label - truth).mean() < np.abs(found.plain.label - truth).mean() - 0.05


def test_labels_do_not_change_names_where_a_fifth_always_says_the_opposite() -> None:
    """Exchanging the two labels explains the ballots as well; a crowd that is right more often than not decides."""
    ballots, truth = crowd([0.05] * 8 + [0.7] * 22, classes=2, rows=250, seed=10)
    alone, found = choose(ballots, method="one-coin"), choose(ballots)
    assert right(alone.truth.label, truth) < 0.2
    assert next(score.weight for score in found.scores if score.method == "one-coin") == 0
    assert right(found.truth.label, truth) > right(found.plain.label, truth) + 0.2


def test_of_very_many_ballots_light_methods_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    ballots, truth = crowd(SKILLS, rows=400, each=5)
    monkeypatch.setattr(choice, "MOST_BALLOTS", 100)
    found = choose(ballots)
    assert sum(score.weight for score in found.scores) == pytest.approx(1)
    assert all(score.weight == 0 or score.weight >= 0.05 for score in found.scores)
    assert right(found.truth.label, truth) > right(found.plain.label, truth)
