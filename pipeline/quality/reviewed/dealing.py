"""Dealing: which lines of the queue are judged without the proposed answer, and which by two people."""

from __future__ import annotations

from pipeline.chance import draw

_WHOLE = 2.0**64


def dealt(seed: int, line: str, who: str, *, blind_share: float = 0.1, double_share: float = 0.1) -> tuple[bool, bool]:
    """Whether the person `who` judges the line without the proposed answer, and whether two people judge it.

    Whoever asks (the page, an export, a report) is answered the same: it depends on these names alone. `seed` and the
    shares are those of [review] in the recipe, `line` is the queue's name of the line. That a line is for two does not
    depend on who asks. Half of the blind share goes to the lines for two, each person dealt for himself: so as many
    lines as can be are judged by one person who saw the proposal and one who did not. The blind share holds of all.

    >>> dealt(1, "q0123456789", "mo") == dealt(1, "q0123456789", "mo")
    True
    """
    is_double = draw(seed, "double", line) / _WHOLE < double_share
    on_double, on_single = _blind_shares(blind_share, double_share)
    share = on_double if is_double else on_single
    return draw(seed, "blind", line, who) / _WHOLE < share, is_double


def _blind_shares(blind: float, double: float) -> tuple[float, float]:
    """The blind share among lines for two and among the others, which together make `blind`.

    >>> _blind_shares(0.1, 0.1), _blind_shares(0.1, 0.0), _blind_shares(0.3, 1.0)
    ((0.5, 0.05555555555555556), (0.0, 0.1), (0.3, 0.0))
    """
    if double <= 0 or double >= 1:
        return (blind, 0.0) if double >= 1 else (0.0, blind)
    on_double = max(min(0.5, blind / (2 * double)), (blind - (1 - double)) / double, 0.0)
    return on_double, min(1.0, (blind - double * on_double) / (1 - double))
