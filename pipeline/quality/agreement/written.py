"""Written: the measures that fit free text: alpha by the distance of answers, and how often two are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError
from pipeline.quality.agreement.counting import part_of
from pipeline.quality.agreement.kappas import percentage
from pipeline.quality.agreement.labelled import Seen
from pipeline.quality.agreement.texts import MOST_PAIRS, comparisons, measured, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipeline.quality.agreement.answers import Answers
    from pipeline.quality.agreement.figures import Figure
    from pipeline.quality.agreement.labelled import Parts
    from pipeline.quality.agreement.resampling import Draws
    from pipeline.quality.ballots import Ballots

    Apart = Callable[[Any, Any], float]

NAME = "alpha (texts)"
LEAST_PAIRS = 500


def texts_seen(
    ballots: Ballots, answers: Answers, distance: Apart | None, parts: Mapping[str, Parts], draws: Draws
) -> Seen:
    """Free texts; what is the same is what was voted for as the same.

    Raises:
        AssayError: there is no distance.
    """
    if distance is None:
        raise AssayError("agreement", "no distance of two texts", "give distance=")
    options: dict[str, Any] = {"seed": draws.seed, "resamples": draws.resamples, "level": draws.level}
    equal = percentage(ballots, name="percentage of equal answers", **options)
    headline = _alpha(answers, distance, MOST_PAIRS, draws)
    told = {kind: _parts(answers, given, distance, draws) for kind, given in parts.items()}
    return Seen(answers.ballots(), None, [headline, equal], {}, told, [], {}, [])


def _parts(answers: Answers, given: Parts, distance: Apart, draws: Draws) -> dict[str, Figure]:
    """All parts together cost about as much as the whole."""
    codes, names = given
    part = part_of(answers.origin, codes)
    most = max(MOST_PAIRS // max(len(names), 1), LEAST_PAIRS)
    return {name: _alpha(answers.only(part == at), distance, most, draws) for at, name in enumerate(names)}


def _alpha(answers: Answers, distance: Apart, most: int, draws: Draws) -> Figure:
    found = comparisons(answers, seed=draws.seed, most=most)
    apart = measured(found, answers, distance)
    return texts(found, apart, seed=draws.seed, resamples=draws.resamples, level=draws.level).figure(NAME)
