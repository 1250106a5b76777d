"""Entities and relations as files deliver them, and as a model reads and writes them."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from pipeline.errors import Unfit
from pipeline.tasks import Scores, delivered
from pipeline.tasks.spans import Edges
from pipeline.text import nfc, nfc_offsets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.tasks import Answer, Row

UNTYPED = "entity"
"""The kind of an entity that was marked without one."""
NOTHING = frozenset({"other", "none", "no relation", "no_relation", "norelation", "na", "n/a", "(none)"})
"""How files say that a pair is not related, unless the guideline has a label of that name."""
HEADS = ("head_span", "head", "from_id", "from", "subject", "source", "arg1", "e1", "h", "head_id")
TAILS = ("child_span", "tail", "to_id", "to", "object", "target", "arg2", "e2", "t", "tail_id", "child")
LABELS = ("label", "labels", "type", "relation", "predicate", "r", "name")
_MARK = re.compile(r"<(/?)e(\d+)>", re.IGNORECASE)
_DIRECTED = re.compile(r"(.+?)\(\s*e(\d+)\s*,\s*e(\d+)\s*\)", re.IGNORECASE | re.DOTALL)
_LINE = re.compile(r"(\d+) (.+) (\d+)")
_NONE = "none"

# -- as files deliver them


def unmarked(text: str) -> tuple[str, list[Edges]]:
    """A text without its marks <e1>..</e1>, and where what they marked stands in it, in the order of their numbers.

    >>> unmarked("The <e2>cat</e2> of <e1>Ann</e1>")
    ('The cat of Ann', [(11, 14), (4, 7)])

    Raises:
        Unfit: `broken_markup`.
    """
    bare, at, length = [], 0, 0
    places: dict[int, list[int]] = {}
    for mark in _MARK.finditer(text):
        bare.append(text[at : mark.start()])
        length, at = length + mark.start() - at, mark.end()
        edges = places.setdefault(int(mark[2]), [])
        edges.append(length)
        if len(edges) != 1 + bool(mark[1]):
            raise Unfit("broken_markup", f"{mark[0]} at character {mark.start()} of {text:.80}")
    if missing := [number for number, edges in places.items() if len(edges) == 1]:
        raise Unfit("broken_markup", f"<e{missing[0]}> is not closed in {text:.80}")
    return "".join([*bare, text[at:]]), [(first, last) for _, (first, last) in sorted(places.items())]


def entities(given: Sequence[Any], raw: str, tokens: Sequence[Edges] | None) -> list[tuple[int, int, str]]:
    """(start, end, kind) of entities in the text as stored, in the order in which they were given.

    Offsets count the characters of `raw`, or, with `tokens`, tokens.

    Raises:
        Unfit: `wrong_type`, `span_out_of_text` or `span_surface`.
    """
    made = []
    for one in given:
        start, end, kind, surface = delivered.parts(one)
        first, last = stretch(start, end, raw, tokens)
        if tokens is None and isinstance(surface, str) and surface != raw[start:end]:
            hint = delivered.utf16_hint(raw, start, end, surface)
            raise Unfit("span_surface", f"[{start}, {end}) is {raw[start:end]!r:.60}, not {surface!r:.60}{hint}")
        made.append((first, last, str(kind).strip() if kind else UNTYPED))
    return made


def stretch(start: Any, end: Any, raw: str, tokens: Sequence[Edges] | None) -> Edges:
    """Where a stretch of characters of `raw`, or of `tokens`, stands in the text as stored."""
    if not all(isinstance(edge, int) and not isinstance(edge, bool) for edge in (start, end)):
        raise Unfit("wrong_type", f"offsets are whole numbers, not {start!r:.40} and {end!r:.40}")
    size, unit = (len(raw), "characters") if tokens is None else (len(tokens), "tokens")
    if not 0 <= start < end <= size:
        raise Unfit("span_out_of_text", f"[{start}, {end}) in a text of {size} {unit}")
    if tokens is not None:
        return tokens[start][0], tokens[end - 1][1]
    moved = nfc_offsets(raw)
    return (start, end) if moved is None else (moved(start), moved(end))


def directed(given: str) -> tuple[str, int, int] | None:
    """Label, head and tail (from 0) of "Cause-Effect(e2,e1)"; None where no direction is told."""
    found = _DIRECTED.fullmatch(given.strip())
    return (found[1].strip(), int(found[2]) - 1, int(found[3]) - 1) if found else None


def parts(given: Any) -> tuple[Any, Any, Any, bool]:
    """Head, tail and label of a relation in any of its spellings, and whether the ends are told by their ids.

    Raises:
        Unfit: `wrong_type`.
    """
    if isinstance(given, list | tuple) and len(given) == 3:
        return given[0], given[1], given[2], False
    if not isinstance(given, dict):
        raise Unfit("wrong_type", f"a relation is [head, tail, label] or an object, not {given!r:.80}")
    names = [next((name for name in known if given.get(name) is not None), "") for known in (HEADS, TAILS, LABELS)]
    head, tail, label = (given.get(name) for name in names)
    if isinstance(label, list) and len(label) == 1:
        label = label[0]
    return head, tail, label, names[0].endswith("_id")


def ids(fields: Mapping[str, Any], count: int) -> list[str]:
    """The ids that a record gives its entities, in their order; empty where it gives none."""
    lists = (value for value in fields.values() if isinstance(value, list) and len(value) == count)
    named = (value for value in lists if all(isinstance(one, dict) and one.get("id") is not None for one in value))
    return [str(one["id"]) for one in next(named, [])]


def place(end: Any, fields: Mapping[str, Any], row: Row, known: Sequence[str]) -> int:
    """The place in the list of entities of one that is told by its place, by one of the `known` ids, or by offsets.

    Raises:
        Unfit: `unknown_entity`, `wrong_type` or `span_out_of_text`.
    """
    if known or isinstance(end, str):
        if str(end) not in known:
            raise Unfit("unknown_entity", f"no entity has the id {end!r:.40}")
        return known.index(str(end))
    if isinstance(end, int) and not isinstance(end, bool):
        return end
    start, last, *_ = delivered.parts([*end, ""] if isinstance(end, list) and len(end) == 2 else end)
    born = not any(isinstance(value, str) and nfc(value) == row["text"] for value in fields.values())
    tokens = [(token["start"], token["end"]) for token in row["tokens"]] if born and row["tokens"] else None
    edges = stretch(start, last, delivered.raw_text(fields, row["text"]), tokens)
    places = [at for at, one in enumerate(row["entities"]) if (one["start"], one["end"]) == edges]
    if not places:
        raise Unfit("unknown_entity", f"no entity stands at [{start}, {last})")
    return places[0]


# -- as a model reads and writes them


def marked(row: Row, *, kinds: bool) -> str:
    """The text with its entities marked and numbered from 1: with their kinds, as a model reads it, or without.

    >>> row = {"text": "Ann left", "entities": [{"start": 0, "end": 3, "label": "Person"}]}
    >>> marked(row, kinds=True), marked(row, kinds=False)
    ('[1 Person: Ann] left', '1[Ann] left')
    """
    opened: dict[int, list[str]] = {}
    closed: Counter[int] = Counter()
    # Of entities that begin together the longest is opened first, so that brackets nest.
    for number, one in sorted(enumerate(row["entities"], 1), key=lambda entry: (-entry[1]["end"], entry[0])):
        opened.setdefault(one["start"], []).append(f"[{number} {one['label']}: " if kinds else f"{number}[")
        closed[one["end"]] += 1
    text, out, at = row["text"], [], 0
    for place in sorted({*opened, *closed}):
        out += [text[at:place], "]" * closed[place], *opened.get(place, ())]
        at = place
    return "".join(out) + str(text[at:])


def written(answer: Answer) -> str:
    """Relations as a model writes them, a line each: head, label, tail; "none" where there are none.

    >>> written([[0, 1, "Live_In"]]), written([])
    ('1 Live_In 2', 'none')
    """
    return "\n".join(f"{head + 1} {label} {tail + 1}" for head, tail, label in answer) or _NONE


def read(reply: str) -> list[tuple[int, int, str]]:
    """The relations in a model's reply; a line that is no relation says nothing."""
    lines = (_LINE.fullmatch(line.strip()) for line in reply.splitlines())
    return [(int(line[1]) - 1, int(line[3]) - 1, line[2].strip()) for line in lines if line]


# -- how right


def scores(gold: Sequence[Answer], found: Sequence[Answer]) -> Scores:
    """Micro F1 of relations (headline): the same head, tail and label; precision, recall, macro F1 over the labels.

    `exact_match` is the share of rows whose relations are all right and none too many. Entities are given, so a
    relation is right or wrong as a whole, as in the strict evaluation of Taillé et al. 2020, arXiv 2009.10684.
    """
    pairs = [({tuple(one) for one in g}, {tuple(one) for one in f}) for g, f in zip(gold, found, strict=True)]
    right = Counter(label for g, f in pairs for *_, label in g & f)
    true = Counter(label for g, _ in pairs for *_, label in g)
    said = Counter(label for _, f in pairs for *_, label in f)
    per_class = {label: _prf(right[label], said[label], true[label]) for label in sorted(true | said)}
    scored = [values["f1"] for values in per_class.values() if values["gold"]]
    whole = _prf(right.total(), said.total(), true.total())
    metrics = {
        "micro_f1": whole["f1"],
        "precision": whole["precision"],
        "recall": whole["recall"],
        "macro_f1": sum(scored) / len(scored) if scored else 0.0,
        "exact_match": sum(g == f for g, f in pairs) / max(len(pairs), 1),
    }
    return Scores(headline="micro_f1", metrics=metrics, per_class=per_class)


def _prf(right: int, found: int, gold: int) -> dict[str, float]:
    precision, recall = right / found if found else 0.0, right / gold if gold else 0.0
    f1 = 2 * right / (found + gold) if found + gold else 0.0
    return {"precision": precision, "recall": recall, "f1": f1, "gold": gold, "found": found}
