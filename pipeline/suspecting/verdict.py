"""Three verdicts on a suspect: wrong, ambiguous, fine."""

from __future__ import annotations

import math

WRONG = 0.5
"""From this probability on an answer is more likely wrong than not."""
CLEARER = 2.0
"""How many times likelier another answer must be than the given one, or both could be meant."""
OPEN = 0.15
"""Two answers that are each this likely leave open which is meant; so does a probability of being wrong of as much."""


FINE = "fine"
SPLIT = 0.75
"""Annotators whose posterior is under this have themselves left open which answer is meant."""


def verdict(wrong: float, given: float, likely: float, sure: float = math.nan) -> str:
    """What a suspect looks like, from the probabilities that it is wrong, and of the given and the likeliest answer.

    `wrong`: another answer is clearly likelier. `ambiguous`: both could be meant, or it cannot be told: most flags in
    the wild are of this kind, so a person who looks should not expect an error. `fine`: nothing much speaks against it.
    `given` and `likely` may be nan, where no model knows other answers: then only how probably it is wrong decides.
    `sure` is the posterior that annotators give the answer, nan where it was not measured.

    >>> verdict(0.9, 0.02, 0.9), verdict(0.6, 0.4, 0.5), verdict(0.05, 0.8, 0.1)
    ('wrong', 'ambiguous', 'fine')
    >>> verdict(0.9, 0.02, 0.9, sure=0.6)
    'ambiguous'
    """
    known = math.isfinite(given) and math.isfinite(likely)
    apart = not known or likely >= CLEARER * given
    if wrong >= WRONG and apart and not sure < SPLIT:
        return "wrong"
    return "ambiguous" if wrong >= OPEN or (known and min(given, likely) >= OPEN) else FINE
