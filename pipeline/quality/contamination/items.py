"""Items: the texts of held-out records, each once a set, without those that many records of the set have in common."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.quality.contamination.units import Size, parts, units

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REPEATED_RECORDS, REPEATED_SHARE = 10, 0.01
"""A text that more records of a set have is its wording (an instruction, a label) and no item.

More than the questions that a passage usually has, which are fewer than ten, or one in a hundred in a small set.
"""


@dataclass
class Items:
    """The items of all sets, one after another: columns of equal length."""

    sets: list[int] = field(default_factory=list)
    """The number of the set that each is from."""
    places: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, text) of every text in a JSON-like value; the tokens of a sentence are one text.

    >>> list(leaves({"q": "How?", "turns": [{"content": "So."}], "tokens": ["a", "b", "c", "d"], "n": 3}))
    [('q', 'How?'), ('turns.content', 'So.'), ('tokens', 'a b c d')]
    """
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and _are_tokens(value):
        yield path, " ".join(value)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)


def _are_tokens(values: list[Any]) -> bool:
    return len(values) > 3 and all(isinstance(one, str) and not any(map(str.isspace, one)) for one in values)


def is_named(path: str, names: Sequence[str]) -> bool:
    """Whether a field is one of those named, or stands within one (`answers.text`); all are where none is named."""
    return not names or any(path == name or path.startswith(f"{name}.") for name in names)


def add(items: Items, number: int, found: Sequence[tuple[str, str, str]], *, records: int, size: Size) -> Counter[str]:
    """Add the (place, field, text) of a set of so many records, and count what was made of them.

    Texts without a word are blank, those that many records have are wording, others are items once and then repeated.
    """
    wholes = _wholes([text for _, _, text in found], size)
    times = Counter(wholes)
    most = max(REPEATED_RECORDS, REPEATED_SHARE * records)
    counts: Counter[str] = Counter()
    seen: set[int] = set()
    for whole, (place, name, text) in zip(wholes, found, strict=True):
        if whole is None or times[whole] > most:
            counts["blank" if whole is None else "wording"] += 1
        elif whole in seen:
            counts["repeated"] += 1
        else:
            seen.add(whole)
            counts["items"] += 1
            items.sets.append(number)
            items.places.append(place)
            items.fields.append(name)
            items.texts.append(text)
    return counts


def _wholes(texts: Sequence[str], size: Size) -> list[int | None]:
    found: list[int | None] = []
    for part in parts(texts):
        made = units(part, size)
        hashes, lengths = made.wholes().tolist(), made.lengths().tolist()
        found += [whole if length else None for whole, length in zip(hashes, lengths, strict=True)]
    return found
