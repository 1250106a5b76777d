"""Finding: which rows decisions name, by their whole id or without its source."""

from __future__ import annotations

from bisect import bisect_left
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

_NEAR, _WINDOW = 2, 50


def found(names: Collection[str], ids: Sequence[str]) -> dict[str, tuple[int | None, str]]:
    """Where the rows that decisions name stand among `ids`: their position, or None and why there is none.

    A name is a whole id, or one without its source: `104` is `film/104` if no other id ends in `/104`.
    """
    if not names:
        return {}
    position = {id_: at for at, id_ in enumerate(ids)}
    wanted: dict[str, list[int]] = {name: [] for name in names if name not in position}
    for at, id_ in enumerate(ids) if wanted else ():
        for tail in _tails(id_):
            if tail in wanted:
                wanted[tail].append(at)
    known = sorted(ids) if not all(wanted.values()) else []
    sources = {id_.partition("/")[0] for id_ in known}
    return {
        name: (position[name], "") if name in position else _place(name, wanted[name], ids, known, sources)
        for name in names
    }


def _tails(id_: str) -> Iterator[str]:
    """What follows each slash of an id."""
    cut = id_.find("/")
    while cut >= 0:
        yield id_[cut + 1 :]
        cut = id_.find("/", cut + 1)


def _place(
    name: str, candidates: list[int], ids: Sequence[str], known: Sequence[str], sources: Collection[str]
) -> tuple[int | None, str]:
    """Where the only candidate stands; where there is none, or several, the ids that may have been meant."""
    if len(candidates) == 1:
        return candidates[0], ""
    if candidates:
        return None, f"several rows are called so: {', '.join(ids[at] for at in candidates[:5])}"
    near = _near(name, known, sources)
    return None, "no such row" + (f", near: {', '.join(near)}" if near else "")


def _near(name: str, known: Sequence[str], sources: Collection[str]) -> list[str]:
    """The ids nearest to a name: only those that sort beside it, as there may be millions."""
    around: set[str] = set()
    for spelling in (name, *(f"{source}/{name}" for source in sources)):
        at = bisect_left(known, spelling)
        around.update(known[max(0, at - _WINDOW) : at + _WINDOW])
    spelled = {spelling: id_ for id_ in sorted(around) for spelling in (id_, *_tails(id_))}
    return list(dict.fromkeys(spelled[spelling] for spelling in get_close_matches(name, sorted(spelled), n=_NEAR)))
