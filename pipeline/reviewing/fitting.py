"""Fitting: whether a decision speaks of a line of the queue as that is now: its answer, its text, its guideline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.relabelling import held_by
from pipeline.reviewing.spoken import spoken_of
from pipeline.reviewing.tables import RELABEL
from pipeline.tasks import canonical
from pipeline.text import normalised

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.decisions import Decision


def fits(said: Any, *, kind: str, part: str, given: str, text: Callable[[], str], guideline: str) -> bool:
    """Whether a decision (`pipeline.decisions.Decision`) is about what a line shows.

    It is about the same answer, or was followed since; about the same text; and, where the guideline is why the line is
    asked about, made under this version of it. `text` is asked only where the decision has one.
    """
    if kind == RELABEL and said.guideline != guideline:
        return False
    if said.part == part and said.was is not None:
        spelled = {given, canonical([given]), canonical(given)}
        if not {said.was, said.answer} & spelled:
            return False
    if said.text is None:
        return True
    shown = text()
    return bool(said.text == shown or normalised(said.text) == normalised(shown))


def ruled(said: Decision | Any, lines: Any, guideline: str) -> list[int]:
    """The lines (columns `QUEUE`) that a rule decision settles: all that its rule speaks of.

    Of those that are asked about because of the guideline, only where it was made under this version; and also those
    that say what the rule makes of them, as they do once it was followed.
    """
    if said.rule is None:
        return []
    spoken, turned = (spoken_of(rule, lines).tolist() for rule in held_by(said.rule))
    kinds = lines["kind"]
    is_new = {at: kinds[at].as_py() == RELABEL for at in {*spoken, *turned}} if spoken or turned else {}
    found = [at for at in spoken if not is_new[at] or said.guideline == guideline]
    return found + [at for at in turned if is_new[at] and said.guideline == guideline]
