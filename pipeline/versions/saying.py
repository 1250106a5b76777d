"""The diff as lines of words and as tables: what the terminal, Markdown and the report all say, told once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST = 12
_KINDS = ("added", "removed", "moved_in", "moved_out", "relabelled", "retexted")
_SAYS = {"added": "added", "removed": "removed", "moved_in": "moved in", "moved_out": "moved out"}
_SAYS |= {"relabelled": "relabelled", "retexted": "re-texted"}


@dataclass(frozen=True)
class Part:
    """A part of the diff: a heading, a sentence or two, and a table.

    What comes from data, names and ids, is not safe for any page yet.
    """

    title: str
    sentences: Sequence[str] = ()
    head: Sequence[str] = ()
    lines: Sequence[Sequence[str]] = ()


def verdict(found: Mapping[str, Any]) -> str:
    """The whole diff in a sentence, the test side first: whether scores before and after can be compared."""
    test = found["sides"]["test"]
    changed = [f"{test[kind]:,} {_SAYS[kind]}" for kind in _KINDS if test[kind]]
    if touches_test(found):
        changed = changed or [f"{test['differs']:,} written otherwise"]
        return f"The test set changed ({', '.join(changed)}): scores before and after are not of the same rows."
    if found["is_same"]:
        return "Nothing changed." if not found["recipe"]["is_changed"] else "No row changed; the recipe did."
    return "The test set is untouched."


def touches_test(found: Mapping[str, Any]) -> bool:
    """Whether any row of the test side came, went or is not what it was."""
    return any(count for kind, count in found["sides"]["test"].items() if kind not in ("before", "after"))


def counts(found: Mapping[str, Any]) -> str:
    """Rows before and after, and what lies between."""
    rows = found["rows"]
    told = [
        f"{rows[kind]:,} {_SAYS.get(kind, kind)}"
        for kind in ("added", "removed", "relabelled", "retexted")
        if rows[kind]
    ]
    if rows["resplit"]:
        told.append(f"{rows['resplit']:,} on another side")
    if rows["rewritten"]:
        told.append(f"{rows['rewritten']:,} written otherwise with the same text and answer")
    between = ", ".join(told) or "no row added, removed or changed"
    names = "; ".join(f"{one['from']} → {one['to']}, {one['count']:,} times" for one in found.get("new_names", ()))
    renamed = f" Of these, a label is only called otherwise (renamed): {names}." if names else ""
    return f"{rows['before']:,} rows before, {rows['after']:,} after: {between}.{renamed}"


def parts(found: Mapping[str, Any]) -> Iterator[Part]:
    """The parts that have something to say, in the order of how much they matter."""
    yield Part("Sides", [], ("side", "before", "after", *(_SAYS[kind] for kind in _KINDS)), list(_sides(found)))
    if found["resplit"]:
        lines = [(f"{one['from']} → {one['to']}", f"{one['rows']:,}") for one in found["resplit"]]
        yield Part("Moved to another side", [], ("from → to", "rows"), lines)
    if found["labels"]:
        yield _labels(found)
    if same := found["renamed"]["rows"]:
        said = f"{same:,} of the rows removed stand, hardly changed, at the place of one that was added."
        ids = [(one["before"], one["after"]) for one in found["renamed"]["examples"][:MOST]]
        yield Part("Probably the same rows under another id", [said], ("id before", "id after"), ids)
    yield from _reasons(found)
    yield from _agreement(found)
    yield from _drift(found["drift"])
    if found["other_columns"]:
        lines = [(name, f"{rows:,}") for name, rows in found["other_columns"].items()]
        yield Part("Other columns that differ", [], ("column", "rows"), lines)
    named = [f"{kind} columns: {', '.join(names)}" for kind, names in found["columns"].items() if names]
    if named:
        yield Part("The contract changed", named)


def _sides(found: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for side, one in found["sides"].items():
        yield (
            side,
            f"{one['before']:,}",
            f"{one['after']:,}",
            *(f"{one[kind]:,}" if one[kind] else "" for kind in _KINDS),
        )


def _labels(found: Mapping[str, Any]) -> Part:
    marks = found["marks"]
    told = ", ".join(f"{marks[kind]:,} {kind}" for kind in ("added", "removed", "retyped", "moved") if marks.get(kind))
    lines = [(_flow(one), f"{one['count']:,}") for one in found["labels"][:MOST]]
    more = len(found["labels"]) - MOST
    sentences = [f"Marks: {told}; moved ones kept their label and have other edges."] if told else []
    if more > 0:
        sentences.append(f"{more:,} rarer flows are in the JSON.")
    return Part("From which label to which", sentences, ("from → to", "times"), lines)


def _flow(one: Mapping[str, Any]) -> str:
    return f"{one['from']}, other edges" if one["from"] == one["to"] else f"{one['from']} → {one['to']}"


def _reasons(found: Mapping[str, Any]) -> Iterator[Part]:
    titles = {
        "removed_because": "Why rows were removed",
        "added_though": "What rows that were added were before",
        "other_reason": "Rejected for another reason than before",
        "newly_rejected": "Rejected now, and not there before",
        "no_longer_rejected": "Rejected before, and not there now",
    }
    for name, title in titles.items():
        if reasons := found["rejections"][name]:
            lines = [(reason, f"{rows:,}") for reason, rows in list(reasons.items())[:MOST]]
            yield Part(title, [], ("reason", "rows"), lines)
    one = found["conflicts"]
    if one["new"] or one["gone"]:
        some = one["new_ids"][:5]
        ids = f": {', '.join([*some, *(['...'] if one['new'] > len(some) else [])])}" if some else ""
        yield Part("Conflicts", [f"{one['new']:,} rows are newly in conflict{ids}.", f"{one['gone']:,} no longer are."])


def _agreement(found: Mapping[str, Any]) -> Iterator[Part]:
    before, after = ({one["name"]: one for one in found["agreement"][when]} for when in ("before", "after"))
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if names:
        lines = [(name, _figure(before.get(name)), _figure(after.get(name))) for name in names[:MOST]]
        yield Part("Agreement, with 95 % intervals", [], ("measure", "before", "after"), lines)


def _figure(one: Mapping[str, Any] | None) -> str:
    if one is None:
        return "not measured"
    low, high = one.get("low"), one.get("high")
    return f"{one['value']:.3f}" + ("" if low is None or high is None else f" [{low:.3f}, {high:.3f}]")


def _drift(found: Mapping[str, Any]) -> Iterator[Part]:
    """What moved; mixtures whose shares are what they were, and lengths that are as before, have nothing to say."""
    for name in ("classes", "sources", "languages"):
        one = found[name]
        lines = [_moved(line) for line in one["lines"][:MOST] if line["cohens_h"]]
        if lines and one["cramers_v"] is not None:
            said = (
                f"Cramér's V {one['cramers_v']:.3f} ({one['size']}; .1 is small, .3 medium, .5 large), total variation"
                f" distance {one['total_variation']:.3f}."
            )
            head = (name, "before", "after", "share before", "share after", "Cohen's h")
            yield Part(f"Drift of {name}", [said], head, lines)
    chars = found["chars"]
    if chars["cliffs_delta"] and chars["before"] != chars["after"]:
        said = (
            f"Cliff's delta {chars['cliffs_delta']:+.3f} ({chars['size']}; .147 is small, .33 medium, .474 large);"
            " above 0 the later texts are longer."
        )
        lengths = [(name, *(f"{chars[when][name]:,}" for when in ("before", "after"))) for name in chars["before"]]
        yield Part("Drift of lengths, in characters", [said], ("", "before", "after"), lengths)


def _moved(line: Mapping[str, Any]) -> tuple[str, ...]:
    counts = [f"{line[when]:,}" for when in ("before", "after")]
    h = f"{line['cohens_h']:+.3f} {line['size']}"
    return (line["name"], *counts, _share(line["share_before"]), _share(line["share"]), h)


def _share(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.1f} %"


def title(found: Mapping[str, Any]) -> str:
    """Which two are compared."""
    before, after = found["before"], found["after"]
    other = f" of {before['data_set']}" if before["data_set"] != after["data_set"] else ""
    return f"{after['data_set']}: {before['id'] or 'the build'}{other} → {after['id'] or 'the build'}"
