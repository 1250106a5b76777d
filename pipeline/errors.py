"""What is said to a user: the place, what is wrong there, and the way out."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class AssayError(Exception):
    """Something in the user's files, recipe or machine that Assay cannot go on with.

    >>> str(AssayError("recipe 'news' [audit]", "no setting 'lenght'", "did you mean 'length'?"))
    "recipe 'news' [audit]: no setting 'lenght'; did you mean 'length'?"
    """

    def __init__(self, place: str, problem: str, way_out: str = "") -> None:
        super().__init__(f"{place}: {problem}" + (f"; {way_out}" if way_out else ""))
        self.place, self.problem, self.way_out = place, problem, way_out

    def __reduce__(self) -> tuple[type[AssayError], tuple[str, str, str]]:
        return type(self), (self.place, self.problem, self.way_out)


class Unfit(AssayError):
    """A record, row or answer that cannot be used: the rule it breaks (`reason`), and what was seen (`evidence`)."""

    def __init__(self, reason: str, evidence: str) -> None:
        super().__init__(reason, evidence)
        self.reason, self.evidence = reason, evidence

    def __reduce__(self) -> tuple[type[Unfit], tuple[str, str]]:  # type: ignore[override]
        return type(self), (self.reason, self.evidence)


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint that names the known word nearest to `word`, or all the known ones.

    >>> nearest("adit", ["audit", "split"])
    "did you mean 'audit'?"
    >>> nearest("zzz", ["audit", "split"])
    'known: audit, split'
    """
    names = sorted(known)
    close = get_close_matches(word, names, n=1)
    return f"did you mean '{close[0]}'?" if close else "known: " + ", ".join(names)
