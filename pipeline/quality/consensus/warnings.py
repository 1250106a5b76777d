"""What to look at before a consensus is trusted, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.quality.consensus.truth import Truth

_OFTEN = 0.1
_SOME = 0.05
_HEAVY = 0.15
_FEW_TWICE = 0.2


def warnings_of(
    truth: Truth, plain: Truth, methods: tuple[tuple[str, float, Truth], ...], lacking: str = ""
) -> tuple[str, ...]:
    """Warnings about a consensus; `methods` are (name, weight in the blend, what it says by itself)."""
    if not len(plain.label):
        return ()
    found = [f"nothing but the vote could be used: {lacking}"] if lacking else []
    found += [*_against_the_vote(truth, plain), *_among_methods(methods), *_overlap(plain)]
    if not truth.converged:
        found.append(
            f"{truth.method} did not come to rest in {truth.iterations} rounds: its posteriors are provisional"
        )
    return tuple(found)


def _against_the_vote(truth: Truth, plain: Truth) -> list[str]:
    clear = ~plain.tie
    other = int((truth.label != plain.label)[clear].sum())
    share = other / max(int(clear.sum()), 1)
    if share <= _SOME:
        return []
    loud = "WARNING: " if share > _OFTEN else ""
    return [
        f"{loud}{truth.method} overrules a clear majority on {other:,} of {int(clear.sum()):,} units ({share:.0%}): "
        "either annotators share a bias or the method is wrong about them; settle 20 of these by hand before you go on"
    ]


def _among_methods(methods: tuple[tuple[str, float, Truth], ...]) -> list[str]:
    heavy = [(name, truth) for name, weight, truth in methods if weight >= _HEAVY]
    worst, names = 0, ("", "")
    for at, (name, truth) in enumerate(heavy):
        for other, second in heavy[at + 1 :]:
            apart = int((truth.label != second.label).sum())
            worst, names = max((worst, names), (apart, (name, other)))
    units = len(methods[0][2].label) if methods else 1
    if worst <= _OFTEN * units:
        return []
    return [
        f"WARNING: {names[0]} and {names[1]}, both of which the held-out ballots speak for, disagree on {worst:,} of "
        f"{units:,} units ({worst / units:.0%}): the ballots alone do not tell what is true there; add annotators, or "
        "some units whose truth is known"
    ]


def _overlap(plain: Truth) -> list[str]:
    twice = float((plain.votes > 1).mean())
    if twice >= _FEW_TWICE:
        return []
    return [f"only {twice:.0%} of the units were labelled twice or more: what annotators are worth is hardly known"]
