"""An item as a document of WebAnno TSV 3.3: its tokens, and the cells that its spans and relations fill."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from itertools import accumulate
from typing import TYPE_CHECKING

from pipeline.tasks.spans import words
from pipeline.tools.webanno_three import NO_VALUE, NOTHING, escape_text, escape_value

if TYPE_CHECKING:
    from pipeline.tools.item import Item

ENTITY = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
RELATION = "webanno.custom.AssayRelation"
ROW = "row:"
"""What the ids of our sentences begin with: the row's id travels in them, whatever a document is called."""
_ENDS, _ENDS_BEFORE_SPACE = frozenset("。！？"), frozenset(".!?")

Edges = tuple[int, int]


class Page:
    """An item's document: words of spaced scripts and characters of others are tokens.

    A span that begins or ends within a token has a part of a token. `problems` say what the format cannot hold.
    """

    def __init__(self, item: Item, *, relations: bool) -> None:
        self.item, self.text, self.relations = item, item.text, relations
        self.problems: list[str] = []
        self.tokens = words(item.text)
        self._starts = [start for start, _ in self.tokens]
        given = item.entities if relations else item.answer or ()
        self.spans = [(start, end, label) for start, end, label in given]
        self.units = [self._units(*span) for span in self.spans]
        self._tell()
        self.sentences = self._sentences()
        self.names = self._named()
        self.numbers = self._numbered()

    def _units(self, start: int, end: int, label: str) -> list[Edges]:
        """The tokens of a span, the first and the last cut to it."""
        touched = self.tokens[max(0, bisect_right(self._starts, start) - 1) : bisect_right(self._starts, end - 1)]
        units = [(max(start, a), min(end, b)) for a, b in touched if a < end and start < b]
        if not units or (units[0][0], units[-1][1]) != (start, end):
            self.problems.append(f"{label} at [{start}, {end}) begins or ends in white space, which is left out")
        return units

    def _tell(self) -> None:
        if not self.tokens:
            self.problems.append("holds no word that could be marked: no document is written")
        elif self.text[: self._starts[0]].strip(" "):
            self.problems.append("white space before the first word comes back as spaces")

    def _sentences(self) -> list[tuple[Edges, list[Edges]]]:
        """Edges and tokens of the sentences: cut after lines and full stops, but not within a span."""
        inside = sorted((units[0][0], units[-1][1]) for units in self.units if units)
        cuts, reach, at = [0], 0, 0
        for number in range(1, len(self.tokens)):
            here = self._starts[number]
            while at < len(inside) and inside[at][0] < here:
                reach, at = max(reach, inside[at][1]), at + 1
            if reach <= here and self._parts(self.tokens[number - 1], here):
                cuts.append(number)
        runs = [self.tokens[a:b] for a, b in zip(cuts, [*cuts[1:], len(self.tokens)], strict=True)]
        edges = [run[0][0] for run in runs if run] + [len(self.text)]
        return [((edges[at], edges[at + 1]), run) for at, run in enumerate(runs) if run]

    def _parts(self, before: Edges, here: int) -> bool:
        gap, mark = self.text[before[1] : here], self.text[before[0] : before[1]]
        return "\n" in gap or mark in _ENDS or (bool(gap) and mark in _ENDS_BEFORE_SPACE)

    def _named(self) -> list[dict[Edges, str]]:
        """The ids of the tokens of each sentence and of their parts, in the order of the file."""
        parts: dict[int, set[Edges]] = defaultdict(set)
        for start, end in {unit for units in self.units for unit in units}:
            parts[bisect_right(self._starts, start) - 1].add((start, end))
        names: list[dict[Edges, str]] = []
        token = 0
        for number, (_, tokens) in enumerate(self.sentences, 1):
            names.append({})
            for at, edges in enumerate(tokens, 1):
                names[-1][edges] = f"{number}-{at}"
                for part, piece in enumerate(sorted(parts[token] - {edges}), 1):
                    names[-1][piece] = f"{number}-{at}.{part}"
                token += 1
        return names

    def _numbered(self) -> dict[int, int]:
        """The disambiguation ids: of spans over several units, and of those that share one."""
        crowd = Counter(unit for units in self.units for unit in units)
        several = (at for at, units in enumerate(self.units) if len(units) > 1 or any(crowd[one] > 1 for one in units))
        return {at: number for number, at in enumerate(several, 1)}

    def written(self) -> str:
        """The document; offsets count UTF-16 units. No blank line may stand at its end."""
        head = ["#FORMAT=WebAnno TSV 3.3", f"#T_SP={ENTITY}|identifier|value"]
        head += [f"#T_RL={RELATION}|label|BT_{ENTITY}"] if self.relations else []
        cells = self._cells()
        offsets = list(accumulate((1 + (char > "\uffff") for char in self.text), initial=0))
        pages = []
        for (edges, _), names in zip(self.sentences, self.names, strict=True):
            lines = [f"#Sentence.id={escape_text(ROW + self.item.row)}"]
            lines += [f"#Text={escape_text(line)}" for line in self.text[slice(*edges)].split("\n")]
            for (start, end), name in names.items():
                said = "\t".join(cells[start, end])
                lines.append(f"{name}\t{offsets[start]}-{offsets[end]}\t{self.text[start:end]}\t{said}\t")
            pages.append("".join(f"{line}\n" for line in lines))
        return "".join(f"{line}\n" for line in head) + "\n\n" + "\n".join(pages)

    def _cells(self) -> dict[Edges, list[str]]:
        """Identifier and value of the spans on each unit; label and head of the relations that end there."""
        stacks: dict[Edges, list[list[str]]] = {
            unit: [[] for _ in range(4 if self.relations else 2)] for names in self.names for unit in names
        }
        for at, units in enumerate(self.units):
            number = f"[{self.numbers[at]}]" if at in self.numbers else ""
            for unit in units:
                stacks[unit][0].append(NO_VALUE + number)
                stacks[unit][1].append(escape_value(self.spans[at][2]) + number)
        for head, tail, label in (self.item.answer or ()) if self.relations else ():
            if not (self.units[head] and self.units[tail]):
                self.problems.append(f"{label} of {head} and {tail}: an end of it is left out")
                continue
            unit = self.units[tail][0]
            stacks[unit][2].append(escape_value(label))
            stacks[unit][3].append(self._reference(head, tail))
        return {unit: ["|".join(values) or NOTHING for values in several] for unit, several in stacks.items()}

    def _reference(self, head: int, tail: int) -> str:
        """The unit in which the head begins, and the ids of both ends where one has an id."""
        unit = self.units[head][0]
        name = next(names[unit] for names in self.names if unit in names)
        numbers = self.numbers.get(head, 0), self.numbers.get(tail, 0)
        return f"{name}[{numbers[0]}_{numbers[1]}]" if any(numbers) else name
