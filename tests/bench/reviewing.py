"""Errors confirmed a minute of review, with and without groups: real corrections, and errors planted on purpose.

    python -m tests.bench reviewing [weibo | btc | banking ...] [--keep FOLDER]
    python -m tests.bench reviewing --large | --million    # 100,000 suspects among 200,000 rows, or so many

A reviewer who knows the truth is played. A line takes `seconds_per_line`. Of a group the examples are read first: where
all are as proposed, or none is wrong, the decision holds for the whole group; at the first that differs reading ends,
each has taken the time of a line, and the others are looked at one by one later. `made wrong` are lines that a decision
on a group spoiled. weibo: the first release, the second is the truth; btc: mentions of sports teams ORG -> LOC and of
web sites and papers unmarked, two in five each; banking: the ten labels that five phrases are about, with each of which
two rows in five got another of them. Beside these a tenth of all answers is wrong at random. wikigold, wnut, conll04
with -missed, -habit or -mixed: errors planted in these sets. Lines that no list shows (echoes) count once open.
"""

from __future__ import annotations

import csv
import heapq
import json
import shutil
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from pipeline import flow, recipe, reviewing, store, tasks
from pipeline.chance import draw
from pipeline.engine import Engine
from pipeline.readers import ReadOptions, Record, read
from pipeline.reviewing.minutes import DECIDE_LINES, EXAMPLE_LINES, alone, examples
from pipeline.reviewing.tables import ECHO
from pipeline.tasks.parts import label_at
from tests.bench.measure import apart, real, show
from tests.bench.missed import SETS as ENGLISH
from tests.bench.missed import world
from tests.bench.reviewed import crowded
from tests.readers.memory import held

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pipeline.recipe import Recipe
    from pipeline.reviewing import Queue

MOST_LINES = 3000
"""Putting more in order anew after each decision takes too long for a bench."""
MINUTES = (5, 10, 20, 40, 80)
TEAMS = {
    *("arsenal", "liverpool", "manchester united", "everton", "mufc", "chelsea", "united", "perth glory"),
    *("north melbourne", "fulham", "nufc", "city", "man utd", "spurs", "barcelona", "real madrid"),
}
SITES = {
    *("twitter", "facebook", "youtube", "instagram", "snapchat"),
    *("independent", "irish news", "guardian", "reuters", "bbc", "cnn", "getty", "telegraph"),
}
PHRASES = (
    ("receiving_money", "salary", "transfer_not_received_by_recipient"),
    ("pin_blocked", "unblock", "passcode_forgotten"),
    ("terminate_account", "delete", "edit_personal_details"),
    ("card_about_to_expire", "expires", "card_linking"),
    ("apple_pay_or_google_pay", "watch", "contactless_not_working"),
)
LABELS = sorted({label for of, _, to in PHRASES for label in (of, to)})
SUSPECT_SHARE = 0.5
PLANTED = 0.4
"""The share of what a planted rule speaks of that is wrong: where most of it is, no model can tell."""

Truth = dict[str, Any]
"""The right answer by the id that the row has in its file."""


def drawn(share: float, *about: str | int) -> bool:
    """Chance, by what it is about."""
    return draw(1, *about) < share * 2**64


def written(folder: Path, records: Sequence[dict[str, Any]], sections: dict[str, Any], task: str) -> Recipe:
    """A recipe of these records, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records)
    (folder / "rows.jsonl").write_text(text, encoding="utf-8")
    source = {"name": "set", "files": ["rows.jsonl"], "format": "jsonl", "columns": {"id": "id"}, **sections}
    audit = {"duplicates": "off", "suspect_share": SUSPECT_SHARE}
    settings = recipe.check({"task": task, "ingest": {"source": [source]}, "audit": audit}, name=folder.name)
    return recipe.Recipe(folder.name, folder, settings)


def weibo(folder: Path) -> tuple[Recipe, Truth]:
    """The first release of the Weibo entities, and the second."""
    lines = real("ner_chinese_corrected/weibo_v1_v2_train.jsonl").read_text(encoding="utf-8").splitlines()
    told = [json.loads(line) for line in lines]
    records = [{"id": one["sentence_index"], "tokens": one["tokens"], "tags": one["given"]} for one in told]
    truth = {str(one["sentence_index"]): (one["tokens"], one["corrected"]) for one in told}
    return written(folder, records, {"language": "zh"}, "tagging"), truth


def btc(folder: Path) -> tuple[Recipe, Truth]:
    """The Broad Twitter Corpus with teams as places, sites unmarked, and noise."""
    records: list[dict[str, Any]] = []
    truth: Truth = {}
    for path in sorted(real("ner_english/BTC/CONLL-format/data").glob("*.conll")):
        for record in read(held(path.read_bytes(), path.name), format="conll", options=ReadOptions()):
            if isinstance(record, Record):
                name = str(len(records))
                tokens, tags = record.fields["tokens"], next(iter(record.fields["tags"].values()))
                truth[name] = (tokens, tags)
                records.append({"id": name, "tokens": tokens, "tags": spoiled(name, tokens, tags)})
    return written(folder, records, {"language": "en"}, "tagging"), truth


def spoiled(name: str, tokens: Sequence[str], tags: Sequence[str]) -> list[str]:
    """Tags with the planted errors."""
    found, at = list(tags), 0
    while at < len(tags):
        end = at + 1
        while end < len(tags) and tags[end].startswith("I-") and tags[at] != "O":
            end += 1
        if tags[at] != "O":
            label = _mistaken(name, at, " ".join(tokens[at:end]).casefold(), tags[at][2:])
            found[at:end] = ["O" if not label else f"{'I' if one > at else 'B'}-{label}" for one in range(at, end)]
        at = end
    return found


def _mistaken(name: str, at: int, surface: str, label: str) -> str:
    if label == "ORG" and surface in TEAMS and drawn(PLANTED, "team", name, at):
        return "LOC"
    if surface in SITES and drawn(PLANTED, "site", name, at):
        return ""
    if drawn(0.1, "noise", name, at):
        others = [one for one in ("PER", "LOC", "ORG", "") if one != label]
        return others[draw(2, name, at) % len(others)]
    return label


def banking(folder: Path) -> tuple[Recipe, Truth]:
    """Banking77 with five phrase errors, and noise."""
    with real("intents_banking77/train.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["category"] in LABELS]
    records: list[dict[str, Any]] = []
    truth: Truth = {}
    for at, row in enumerate(rows):
        text, label = row["text"], row["category"]
        truth[str(at)] = [label]
        given = next((to for of, has, to in PHRASES if of == label and has in text.lower()), label)
        given = given if drawn(PLANTED, "phrase", at) else label
        if drawn(0.1, "noise", at):
            given = LABELS[draw(2, at) % len(LABELS)]
        records.append({"id": str(at), "text": text, "label": given})
    return written(folder, records, {"language": "en"}, "classification"), truth


def planted(folder: Path, name: str, how: str) -> tuple[Recipe, Truth]:
    """An English set of entities with one kind of error planted (`tests.bench.missed`)."""
    rows = list(world(name, how))
    records = [{"id": str(at), "tokens": tokens, "tags": given} for at, (tokens, given, _) in enumerate(rows)]
    truth = {str(at): (tokens, is_right) for at, (tokens, _, is_right) in enumerate(rows)}
    return written(folder, records, {"language": "en"}, "tagging"), truth


SETS: dict[str, Callable[[Path], tuple[Recipe, Truth]]] = {"weibo": weibo, "btc": btc, "banking": banking}
SETS |= {
    f"{name}-{how}": partial(planted, name=name, how=how) for name in ENGLISH for how in ("missed", "habit", "mixed")
}


def right(queue: Queue, made: Recipe, truth: Truth) -> list[str]:
    """What the reviewer would say of every line: its right label."""
    task = tasks.task(made.settings.task, made.settings.guideline)
    said = {}
    for batch in store.batches(made.build / "audit", "rows"):
        for row in batch.to_pylist():
            given = truth[row["id"].rpartition("/")[2]]
            fields: dict[str, Any] = {}
            if task.head == "token":
                fields, given = {"tokens": given[0], "tags": given[1]}, given[1]
            said[row["id"]] = task.read_answer(given, fields, row)
    parts = zip(queue.lines["id"].to_pylist(), queue.lines["part"].to_pylist(), strict=True)
    return [label_at(task, said[id_], part) for id_, part in parts]


@dataclass
class Review:
    """A reviewer at work: seconds so far, decisions, errors settled, lines spoiled, and the curve of both."""

    seconds: float = 0.0
    acts: int = 0
    settled: int = 0
    spoiled: int = 0
    missed: int = 0
    curve: list[tuple[float, int, int]] = field(default_factory=list)
    verdicts: dict[str, str] = field(default_factory=dict)
    accepted: int = 0
    mixed: int = 0

    def took(self, seconds: float) -> None:
        """An act has ended."""
        self.seconds += seconds
        self.acts += 1
        self.curve.append((self.seconds / 60, self.settled, self.acts))

    def at(self, minutes: float) -> int:
        """Errors settled by then."""
        return max((settled for when, settled, _ in self.curve if when <= minutes), default=0)


@dataclass(frozen=True)
class Played:
    """What is reviewed: the queue, and the truth of each line by its name: what is given, proposed and right."""

    queue: Queue
    truth: dict[str, tuple[str, str, str]]
    seconds: float = 8.0
    example: float = EXAMPLE_LINES

    def one(self, review: Review, line: str) -> None:
        """Look at a line."""
        given, _, is_right = self.truth[line]
        review.settled += given != is_right
        review.verdicts[line] = "wrong" if given != is_right else "fine"
        review.took(self.seconds)

    def group(self, review: Review, lines: Sequence[str]) -> list[str]:
        """Look at a group; the lines that are still to be looked at."""
        count = examples(len(lines))
        # Spread over the scores; the extremes first, as they differ soonest.
        spread = [lines[at] for at in np.linspace(0, len(lines) - 1, count).astype(int)]
        read_ = [spread[at // 2] if at % 2 == 0 else spread[-1 - at // 2] for at in range(count)]
        fates: set[str] = set()
        for number, line in enumerate(read_):
            fates.add(self.fate(line))
            if len(fates) > 1 or "other" in fates:
                return self._mixed(review, lines, read_[: number + 1])
        review.accepted += 1
        is_wrong = fates == {"proposed"}
        for line in lines:
            review.verdicts[line] = "wrong" if is_wrong else "fine"
            fate = self.fate(line)
            review.settled += is_wrong and fate == "proposed"
            review.spoiled += is_wrong and fate != "proposed"
            review.missed += not is_wrong and fate != "fine"
        review.took((DECIDE_LINES + count * self.example) * self.seconds)
        return []

    def _mixed(self, review: Review, lines: Sequence[str], read_: Sequence[str]) -> list[str]:
        """Only what was read is settled."""
        review.mixed += 1
        for line in read_:
            review.settled += self.fate(line) != "fine"
            review.verdicts[line] = "wrong" if self.fate(line) != "fine" else "fine"
        review.took((DECIDE_LINES + len(read_)) * self.seconds)
        return [line for line in lines if line not in review.verdicts]

    def fate(self, line: str) -> str:
        """Whether the line is fine, wrong as proposed, or wrong otherwise."""
        given, likely, is_right = self.truth[line]
        return "fine" if given == is_right else "proposed" if likely == is_right else "other"


def listed(queue: Queue) -> Any:
    """The lines without the echoes, which nobody sees before one like them was found wrong."""
    return queue.lines.filter(pc.not_equal(queue.lines["kind"], ECHO))


def by_line(played: Played) -> Review:
    """Line by line, the most suspicious first."""
    review = Review()
    lines = listed(played.queue)
    scored = zip(lines["score"].to_pylist(), lines["line"].to_pylist(), strict=True)
    for _, line in sorted(scored, key=lambda one: (-one[0], one[1])):
        played.one(review, line)
    return review


@dataclass(frozen=True)
class Said:
    """A decision of the played reviewer."""

    row: str
    part: str
    verdict: str
    was: str | None = None
    answer: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class Book:
    """His decisions."""

    standing: list[Said]
    rules: tuple[()] = ()


def by_group(played: Played) -> Review:
    """In the order of the queue, groups at once; the lines of a mixed group take their own place in it."""
    review = Review()
    worth = dict(zip(*(played.queue.groups[name].to_pylist() for name in ("group", "value")), strict=True))
    scores = dict(zip(*(played.queue.lines[name].to_pylist() for name in ("line", "score")), strict=True))
    heap = []
    for name, lines in _agenda(listed(played.queue), set()):
        heap.append((-worth[name] if name else -alone(scores[lines[0]], played.seconds), lines[0], name, lines))
    heapq.heapify(heap)
    while heap:
        *_, name, lines = heapq.heappop(heap)
        if not name:
            played.one(review, lines[0])
            continue
        for line in played.group(review, lines):
            heapq.heappush(heap, (-alone(scores[line], played.seconds), line, "", [line]))
    return review


def learning(played: Played) -> Review:
    """As `by_group`, but what is left is put in order anew after each decision."""
    review = Review()
    names = ("line", "id", "part")
    where = {
        line: about for line, *about in zip(*(played.queue.lines[name].to_pylist() for name in names), strict=True)
    }
    tried: set[str] = set()
    table = played.queue.lines
    while table.num_rows:
        name, lines = _agenda(table.slice(0, MOST_LINES), tried)[0]
        if name:
            tried.add(name)
            inside = table.filter(pc.equal(table["group"], name))["line"].to_pylist()
            played.group(review, inside)
        else:
            played.one(review, lines[0])
        said = [_said(played, line, where[line], verdict) for line, verdict in review.verdicts.items()]
        table = reviewing.open_lines(played.queue, Book(said), seconds=played.seconds).lines
    return review


def _said(played: Played, line: str, where: Sequence[str], verdict: str) -> Said:
    """A decision as it is written down; what begins or ends elsewhere is no label of this stretch."""
    given, _, is_right = played.truth[line]
    return Said(where[0], where[1], verdict, given, "O" if " at " in is_right else is_right)


def _agenda(table: Any, tried: set[str]) -> list[tuple[str, list[str]]]:
    """Groups with their lines, and lines, in the order of a queue; groups that were mixed fall apart."""
    found: list[tuple[str, list[str]]] = []
    for line, group in zip(table["line"].to_pylist(), table["group"].to_pylist(), strict=True):
        name = "" if group in tried else group
        if name and found and found[-1][0] == name:
            found[-1][1].append(line)
        else:
            found.append((name, [line]))
    return found


COLUMNS = (*(f"{at} min" for at in MINUTES), "errors", "decisions", "errors/decision", "groups", "mixed", "made wrong")


def reviewed(name: str, folder: Path) -> Iterator[list[str]]:
    """The lines of the table for a set."""
    made, truth = SETS[name](folder / name)
    flow.build(made, Engine(), last="suspect")
    queue = reviewing.queue(made)
    lines = zip(
        *(queue.lines[column].to_pylist() for column in ("line", "given", "likely")),
        right(queue, made, truth),
        strict=True,
    )
    told = {line: (given, likely, is_right) for line, given, likely, is_right in lines}
    seen = set(listed(queue)["line"].to_pylist())
    errors, unseen = (
        sum(one[0] != one[2] for line, one in told.items() if (line in seen) == is_) for is_ in (True, False)
    )
    print(f"\n{name}: {len(seen):,} lines, {errors} of them wrong, {queue.details['kinds']}", flush=True)
    print(f"{len(told) - len(seen):,} echoes, {unseen} of them wrong", flush=True)
    for example in (EXAMPLE_LINES, 1.0):
        played = Played(queue, told, example=example)
        about = "" if example == EXAMPLE_LINES else ", examples as slow as lines"
        if not about:
            yield _told(f"{name}, line by line", by_line(played))
        yield _told(f"{name}, groups{about}", by_group(played))
        if len(told) <= MOST_LINES:
            yield _told(f"{name}, groups, learning{about}", learning(played))


def _told(title: str, review: Review) -> list[str]:
    share = f"{review.settled / review.acts:.2f}"
    facts = (review.settled, review.acts, share, review.accepted + review.mixed, review.mixed, review.spoiled)
    return [title, *(str(review.at(minutes)) for minutes in MINUTES), *map(str, facts)]


COSTS = ("lines", "groups", "seconds", "again", "open lines", "MiB before", "MiB at the peak")


def _cost(rows: str, kind: str) -> list[str]:
    return [kind, *apart("reviewing", "--cost", rows, "100000", kind).strip().split("\t")]


def main(arguments: list[str]) -> None:
    """Print the curves; with `--large` seconds and memory, in a process of its own."""
    asked = [each for each in arguments if not each.startswith("-")]
    if "--cost" in arguments:
        return print(crowded(int(asked[0]), int(asked[1]), asked[2]))
    if "--large" in arguments or "--million" in arguments:
        rows = "1000000" if "--million" in arguments else "200000"
        return show(f"suspects among {int(rows):,} rows", COSTS, map(partial(_cost, rows), ("spans", "labels")))
    folder = Path(tempfile.mkdtemp()) if "--keep" not in arguments else Path(asked.pop())
    try:
        for name in asked or ("weibo", "btc", "banking"):
            show("set and way", COLUMNS, list(reviewed(name, folder)))
    finally:
        if "--keep" not in arguments:
            shutil.rmtree(folder, ignore_errors=True)
    return None
