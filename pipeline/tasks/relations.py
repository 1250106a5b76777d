"""Relations: typed relations between marked entities of a text; the entities are given, the relations are the answer.

An example: {"text": "Anna lives in Rome.", "tokens": None,
             "entities": [{"start": 0, "end": 4, "label": "Person", "text": "Anna"},
                          {"start": 14, "end": 18, "label": "Place", "text": "Rome"}],
             "relations": [{"head": 0, "tail": 1, "label": "Live_In"}]}
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import Unfit
from pipeline.tasks import (
    Answer,
    Doubt,
    Encoded,
    Mark,
    Problem,
    Row,
    Scores,
    Settled,
    Vote,
    canonical,
    delivered,
    kin_key,
    naming,
    pairs,
    spans,
    triples,
    turns,
)
from pipeline.text import nfc, normalised

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.settings import Guideline
    from pipeline.tasks import Measure

PLACES = ("relations", "relation", "label")
"""Where the relations stand in a record if the recipe does not say."""
NONE, SEVERAL = "(none)", " & "
NOT_LEARNED = -100


def make(guideline: Guideline) -> Relations:
    """The task under a guideline."""
    return Relations(guideline)


@dataclass(frozen=True)
class Relations:
    """See `pipeline.tasks.Task`; an answer is a sorted list of [head, tail, label], places in the row's entities.

    A model reads the text with its entities marked and numbered, and writes the relations, a line each (see `triples`):
    the linearised triples of Huguet Cabot and Navigli 2021, "REBEL", with numbers for names.
    """

    guideline: Guideline
    name: str = "relations"
    head: str = "causal"
    free_text: bool = False

    # -- ingest
    def shape(self, fields: Mapping[str, Any], columns: Mapping[str, str]) -> Row:
        """The text and its entities: those of a field, or those that <e1>..</e1> mark.

        In a record that is born as tokens the offsets of entities count tokens.
        """
        text, tokens = delivered.text_in(fields, columns), delivered.tokens_in(fields, columns)
        born = text is None
        edges = None if tokens is None else spans.laid(tokens)[1] if text is None else spans.found(tokens, nfc(text))
        raw = spans.laid(tokens or [])[0] if text is None else text
        name = columns.get("entities", "entities")
        if fields.get(name) is not None:
            found = triples.entities(delivered.parsed(fields[name]), raw, edges if born else None)
        elif "entities" in columns:
            raise Unfit("missing_field", f"no field '{name}' among {', '.join(map(str, fields))}")
        else:
            raw, places = triples.unmarked(raw)
            found = triples.entities([[start, end, triples.UNTYPED] for start, end in places], raw, None)
        stored = nfc(raw)
        return {
            "text": stored,
            "tokens": None if edges is None else [{"start": start, "end": end} for start, end in edges],
            "entities": [
                {"start": start, "end": end, "label": kind, "text": stored[start:end]} for start, end, kind in found
            ],
            "relations": [],
        }

    def raw_answer(self, fields: Mapping[str, Any], columns: Mapping[str, str]) -> Any:
        """The field mapped as relations, label or labels; by default the first of `PLACES` that is there."""
        wanted = [columns[part] for part in ("relations", "label", "labels") if part in columns] or PLACES
        return next((fields[name] for name in wanted if fields.get(name) is not None), None)

    def read_answer(self, given: Any, fields: Mapping[str, Any], row: Row) -> Answer:
        """Relations as lists or objects, or the JSON text of these; or one label for a text with two entities.

        The ends of a relation are told by place in the list of entities, by id, or by offsets. A label may tell the
        direction, "Cause-Effect(e2,e1)"; else the first entity is the head. "Other" and "none" are no relation, unless
        the guideline knows them.

        Raises:
            Unfit: `wrong_type`, `unknown_label`, or a rule that a relation breaks.
        """
        if isinstance(given, str) and given.strip()[:1] not in ("[", "{"):
            found = self._from_label(given.strip(), row)
        else:
            known = triples.ids(fields, len(row["entities"]))
            found = [self._from_object(one, fields, row, known) for one in delivered.parsed(given)]
        answer = [list(one) for one in sorted(set(found))]
        for problem in self._faults(row, answer):
            raise Unfit(problem.rule, problem.evidence)
        return answer

    def _from_label(self, given: str, row: Row) -> list[tuple[int, int, str]]:
        if told := triples.directed(given):
            return [(told[1], told[2], self._label(told[0]))]
        if given.casefold() in triples.NOTHING and given.casefold() not in self._spellings:
            return []
        if len(row["entities"]) != 2:
            raise Unfit("wrong_type", f"one label, {given!r:.40}, for {len(row['entities'])} entities")
        return [(0, 1, self._label(given))]

    def _from_object(
        self, given: Any, fields: Mapping[str, Any], row: Row, known: Sequence[str]
    ) -> tuple[int, int, str]:
        head, tail, label, by_id = triples.parts(given)
        first, last = (
            triples.place(end, fields, row, known if by_id or isinstance(end, str) else ()) for end in (head, tail)
        )
        return first, last, self._label(label)

    def _label(self, given: Any) -> str:
        return naming.label(given, self.guideline, self._spellings)

    @cached_property
    def _spellings(self) -> dict[str, str]:
        return naming.spellings(self.guideline)

    # -- what was read, what was answered
    def shown(self, row: Row) -> str:
        """The text with its entities marked by number: with other marks the same words are another question."""
        return triples.marked(row, kinds=False)

    def asked(self, row: Row) -> str:
        """The text with its marks, and the kinds of the entities."""
        return "\n".join([self.shown(row), *(one["label"] for one in row["entities"])])

    def answer(self, row: Row) -> Answer:
        """The relations as lists."""
        return sorted([one["head"], one["tail"], one["label"]] for one in row["relations"])

    def meaning(self, row: Row) -> str:
        """Where head and tail of every relation stand, in the normal form of duplicates, and its label."""
        places = _places(row)
        return canonical(sorted([places[head], places[tail], label] for head, tail, label in self.answer(row)))

    def marks(self, row: Row) -> list[Mark] | None:
        """Every relation, over both of its entities."""
        return [_mark(row["entities"], one) for one in row["relations"]]

    def spoken(self, meaning: str) -> list[tuple[str, str]] | None:
        """None: a relation is of places, which are the same or not."""
        return None

    def with_answer(self, row: Row, answer: Answer) -> Row:
        """The row with other relations."""
        told = [{"head": head, "tail": tail, "label": label} for head, tail, label in sorted(answer)]
        return {**row, "relations": told}

    # -- audit
    def ballots(self, row: Row, answers: Sequence[Answer]) -> dict[str, list[str | None]]:
        """For every ordered pair of entities that anybody related: the relation, or "(none)".

        Pairs that nobody relates are not voted on: their winner is none whatever anybody's skill.
        """
        told = [_by_pair(answer) for answer in answers]
        return {unit: [SEVERAL.join(one.get(unit, (NONE,))) for one in told] for unit in sorted(set().union(*told))}

    @property
    def measure(self) -> Measure:
        """Labels, pair by pair."""
        return "nominal"

    def values(self, labels: Sequence[str]) -> list[float]:
        """None: relations have no order."""
        return []

    def distance(self, one: Answer, other: Answer) -> float:
        """1 - F1 of the relations that are the same in head, tail and label; two answers without any are the same."""
        same = {tuple(relation) for relation in one} & {tuple(relation) for relation in other}
        return 1 - 2 * len(same) / (len(one) + len(other)) if one or other else 0.0

    def elect(self, row: Row, answers: Sequence[Answer], votes: Mapping[str, Vote]) -> Settled:
        """The relations that won their pair; the confidence is that of the least sure pair."""
        told = [_by_pair(answer) for answer in answers]
        meant = {SEVERAL.join(labels): labels for one in told for labels in one.values()}
        answer = []
        for unit, vote in votes.items():
            head, tail = map(int, unit.split(">"))
            answer += [[head, tail, label] for label in meant.get(vote.label, ())]
        return Settled(
            answer=sorted(answer),
            confidence=min((vote.posterior for vote in votes.values()), default=1.0),
            tied=any(vote.tie for vote in votes.values()),
        )

    def problems(self, row: Row) -> Iterator[Problem]:
        """Entities stand in the text; relations relate two of them, of kinds that the guideline allows, and once."""
        text = row["text"]
        for one in row["entities"]:
            start, end = one["start"], one["end"]
            if not 0 <= start < end <= len(text):
                yield Problem("span_out_of_text", f"[{start}, {end}) in a text of {len(text)} characters")
            elif one["text"] != text[start:end]:
                yield Problem("span_surface", f"[{start}, {end}) is {text[start:end]!r:.60}, not {one['text']!r:.60}")
        yield from self._faults(row, self.answer(row))

    def _faults(self, row: Row, answer: Answer) -> Iterator[Problem]:
        entities = row["entities"]
        for at, (head, tail, label) in enumerate(answer):
            if not (0 <= head < len(entities) and 0 <= tail < len(entities)):
                yield Problem("unknown_entity", f"{label} from {head} to {tail}, of {len(entities)} entities")
            elif head == tail:
                yield Problem("self_relation", f"{label} from {entities[head]['text']!r:.60} to itself")
            elif wrong := self._kinds_refused(label, entities[head], entities[tail]):
                yield Problem("relation_types", wrong)
            elif [head, tail, label] in answer[:at]:
                yield Problem("repeated_relation", f"{label} from {head} to {tail}")

    def _kinds_refused(self, label: str, head: Mapping[str, Any], tail: Mapping[str, Any]) -> str:
        """Why the guideline does not allow these kinds of entity the relation; empty if it does."""
        rule = next((one for one in self.guideline.label if one.name == label), None)
        if rule is None:
            return ""
        for end, one, kinds in (("head", head, rule.head), ("tail", tail, rule.tail)):
            if kinds and one["label"] not in kinds:
                return f"{label}: the {end} {one['text']!r:.40} is {one['label']}, not {' or '.join(kinds)}"
        return ""

    def tagged(self, row: Row) -> list[tuple[int, int, str]]:
        """None: no word has a tag."""
        return []

    def doubts(self, row: Row) -> Iterator[Doubt]:
        """None: what speaks against a relation stands in other rows."""
        return iter(())

    # -- split and augment
    def strata(self, row: Row) -> list[str]:
        """The labels of the relations."""
        return sorted({one["label"] for one in row["relations"]}) or [NONE]

    def kin(self, row: Row) -> list[str]:
        """The text: one sentence with several pairs marked is one."""
        key = kin_key(row["text"])
        return [] if key is None else [key]

    def free_pieces(self, row: Row) -> list[str]:
        """The words before the first entity and after the last; what stands between them tells how they are related."""
        return [row["text"][start:end] for start, end in self._free(row)]

    def with_pieces(self, row: Row, pieces: Sequence[str]) -> Row:
        """The row in other words; raises Unfit `tokens_changed` where a sentence of tokens would get more or fewer."""
        change = spans.Change(row["text"], tuple(self._free(row)), tuple(nfc(piece) for piece in pieces))
        tokens = row["tokens"]
        if tokens is not None:
            moved = change.tokens([(token["start"], token["end"]) for token in tokens], keep_count=True)
            tokens = [{"start": start, "end": end} for start, end in moved]
        entities = [
            {**one, "start": change.moved(one["start"]), "end": change.moved(one["end"])} for one in row["entities"]
        ]
        return {**row, "text": change.text, "tokens": tokens, "entities": entities}

    def _free(self, row: Row) -> list[spans.Edges]:
        """Runs of whole words outside what the entities span, without negations and the guideline's keep_words."""
        text, entities = row["text"], row["entities"]
        first = min((one["start"] for one in entities), default=len(text))
        last = max((one["end"] for one in entities), default=len(text))
        taken = [(first, last), *(found.span() for found in self._kept.finditer(text))]
        runs: list[spans.Edges] = []
        grows = False
        for start, end in _words(row):
            free = start < end and not any(start < stop and begin < end for begin, stop in taken)
            if free and grows and not text[runs[-1][1] : start].strip():
                runs[-1] = (runs[-1][0], end)
            elif free:
                runs.append((start, end))
            grows = free
        return runs

    @cached_property
    def _kept(self) -> re.Pattern[str]:
        return pairs.kept(self.guideline.keep_words)

    def mentions(self, row: Row) -> list[tuple[str, str]]:
        """None: another name could belie the relation."""
        return []

    def with_mentions(self, row: Row, surfaces: Sequence[str]) -> Row:
        """The row as it is."""
        return row

    # -- finetune and evaluate
    def classes(self, seen: Sequence[str]) -> list[str]:
        """None: the model's classes are its vocabulary."""
        return []

    def encode(self, row: Row, tokenizer: Any, *, classes: Sequence[str], max_tokens: int) -> Encoded:
        """The text with its entities marked, then the relations, which are learned, and the token that ends them.

        What is too long loses the beginning of the text and the end of the relations, so that each has at least half of
        the room that it needs.
        """
        said = [*_exchange(row), {"role": "assistant", "content": triples.written(self.answer(row)), "learn": True}]
        parts = turns.stretches(said, tokenizer, tools=None)
        at = max((number for number, part in enumerate(parts) if part.learned), default=len(parts))
        before = [token for part in parts[:at] for token in part.ids]
        reply = parts[at].ids if at < len(parts) else []
        room = turns.prompt_room(len(reply), max_tokens)
        kept, learned = before[-room:], reply[: max_tokens - min(room, len(before))]
        ids = kept + learned
        targets = [NOT_LEARNED] * len(kept) + learned
        cut = len(ids) < len(before) + len(reply)
        return Encoded({"input_ids": ids, "attention_mask": [1] * len(ids)}, targets, cut=cut, learned=len(learned))

    def prompt(self, row: Row, tokenizer: Any, *, max_tokens: int) -> list[int]:
        """The ids after which the relations are generated."""
        parts = turns.stretches(_exchange(row), tokenizer, tools=None, answering=True)
        return [token for part in parts for token in part.ids][-max_tokens:]

    def decode(
        self, output: Any, row: Row, tokenizer: Any, *, classes: Sequence[str], max_tokens: int
    ) -> tuple[Answer, float]:
        """The relations that the generated lines tell; a line that tells none, or breaks a rule, is left out."""
        found = sorted(set(triples.read(str(output).split("<|im_end|>", 1)[0])))
        known = set(self.guideline.names)
        told = [[head, tail, label] for head, tail, label in found if not known or label in known]
        return [one for one in told if not any(self._faults(row, [one]))], 1.0

    def by_word(self, output: Any, row: Row, tokenizer: Any, *, max_tokens: int) -> NDArray[np.float32]:
        """Nothing: no word has outputs of its own."""
        return np.zeros((0, 0), dtype=np.float32)

    def score(self, gold: Sequence[Answer], found: Sequence[Answer], rows: Sequence[Row]) -> Scores:
        """Micro F1 of relations (headline), precision, recall, macro F1, wholly right rows; figures per label."""
        return triples.scores(gold, found)


def _words(row: Row) -> list[spans.Edges]:
    """The tokens of a row that was born as tokens, else the words of its text."""
    if row["tokens"] is not None:
        return [(token["start"], token["end"]) for token in row["tokens"]]
    return spans.words(row["text"])


def _places(row: Row) -> list[str]:
    """Between how many letters and digits, in the normal form of duplicates, each entity stands."""
    text = row["text"]
    return [f"{len(normalised(text[: one['start']]))} {len(normalised(text[: one['end']]))}" for one in row["entities"]]


def _by_pair(answer: Answer) -> dict[str, tuple[str, ...]]:
    """The labels of every pair that is related, by "head>tail"."""
    told: dict[str, tuple[str, ...]] = {}
    for head, tail, label in sorted(answer):
        told[f"{head}>{tail}"] = (*told.get(f"{head}>{tail}", ()), label)
    return told


def _exchange(row: Row) -> turns.Turns:
    """What the model is asked."""
    return [{"role": "user", "content": triples.marked(row, kinds=True), "learn": False}]


def _mark(entities: Sequence[Row], one: Row) -> Mark:
    ends = [entities[one[end]] if 0 <= one[end] < len(entities) else {} for end in ("head", "tail")]
    text = " … ".join(str(end.get("text", "?")) for end in ends)
    return Mark(one["label"], text, tuple(end.get(edge, -1) for end in ends for edge in ("start", "end")))
