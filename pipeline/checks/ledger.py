"""The ledger of checks: who found what in which answer, and when; lines of a file that is only added to."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from pipeline import journal
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

Finding = Literal["wrong", "ambiguous", "fine"]
NEEDED = ("row", "verdict", "who", "when", "text", "answer")


@dataclass(frozen=True, slots=True)
class Check:
    """What a person found in the answer of a row: `answer` and `right_answer` are canonical, `text` is what was
    read and what else the answer depends on (see `Task.asked`).

    `groups` are the strata that the row counted towards when it was checked, `plan` is what was to be shown.
    """

    row: str
    verdict: Finding
    who: str
    when: str
    text: str
    answer: str
    right_answer: str | None = None
    note: str = ""
    guideline: str = ""
    groups: tuple[tuple[str, str], ...] = ()
    plan: dict[str, Any] = field(default_factory=dict, compare=False)

    @property
    def judged(self) -> str:
        """A short name of what was judged."""
        return judged(self.text, self.answer)

    def says_as(self, other: Check) -> bool:
        """Whether both say the same of the same answer by the same person."""
        mine = (self.row, self.judged, self.who, self.verdict, self.right_answer)
        return mine == (other.row, other.judged, other.who, other.verdict, other.right_answer)


def judged(text: str, answer: str) -> str:
    """A short name of a text with its answer, that no spreadsheet takes for a number or a date."""
    spelled = f"{len(text)}\0{text}\0{answer}".encode("utf-8", "surrogatepass")
    return "j" + blake2b(spelled, digest_size=8).hexdigest()


def lines(path: Path) -> list[Check]:
    """All checks in a JSONL file, in order; none where there is no file.

    Raises:
        AssayError: a line that is no check, with its place: none is skipped over.
    """
    return [_check(line, place) for place, line in journal.numbered(path)]


def _check(line: str, place: str) -> Check:
    try:
        entry: dict[str, Any] = json.loads(line)
        missing = [name for name in NEEDED if not isinstance(entry.get(name), str)]
        groups = tuple((str(kind), str(name)) for kind, name in entry.get("groups") or ())
    except (ValueError, AttributeError, TypeError) as error:
        raise AssayError(place, f"no check: {line[:80]}", "mend the line") from error
    if missing:
        raise AssayError(place, f"the check has no {', '.join(missing)}", "mend the line")
    if entry["verdict"] not in get_args(Finding):
        raise AssayError(place, f"verdict '{entry['verdict']}'", f"known: {', '.join(get_args(Finding))}")
    known = {name: entry[name] for name in (*NEEDED, "right_answer", "note", "guideline", "plan") if name in entry}
    return Check(**known, groups=groups)


def append(path: Path, checks: Iterable[Check]) -> None:
    """Add checks at the end of the file, each on a line of its own, and see them to the disk."""
    journal.add(path, [asdict(check) for check in checks])


def voices(checks: Iterable[Check]) -> dict[str, Check]:
    """By person the last that he or she said; later lines win."""
    return {check.who: check for check in checks}


def together(checks: Iterable[Check]) -> Finding | None:
    """What several people found: the verdict of more than half of them, else the worst that any of them gave."""
    counts = Counter(check.verdict for check in voices(checks).values())
    if not counts:
        return None
    verdict, most = counts.most_common(1)[0]
    if 2 * most > counts.total():
        return verdict
    return cast("Finding", next(one for one in get_args(Finding) if counts[one]))
