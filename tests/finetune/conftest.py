"""A split on disk, made in a moment: rows of every task that a tiny model can learn."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from rich.console import Console

from pipeline import store
from pipeline.contract import contract
from pipeline.finetune.examples import chance
from pipeline.recipe import Recipe, check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

Row = dict[str, Any]

GOOD = ["lovely", "superb", "bright", "moving", "tender", "witty", "精彩", "感人"]
BAD = ["dull", "awful", "dreary", "clumsy", "boring", "hollow", "乏味", "拖沓"]
FILLER = ["the", "film", "was", "and", "its", "story", "with", "actors", "scene", "music", "plot", "电影", "故事"]
PLACES = ["Paris", "Oslo", "Lima", "Cairo", "北京", "上海"]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tests share the machine: one thread each."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def console() -> Console:
    """A console that prints into `console.file`."""
    return Console(file=io.StringIO(), width=200)


def spine(number: int, **columns: Any) -> Row:
    """A row's spine with its own columns."""
    return {
        "id": f"made/{number}",
        "source": f"made.csv:{number}",
        "also_at": [],
        "also_in": [],
        "group": f"made/{number}",
        "parents": [],
        "language": "en",
        "split": None,
        "weight": 1.0,
        "confidence": None,
        "made_by": None,
        **columns,
    }


def pick(words: Sequence[str], *seed: object) -> str:
    """A word, the same for the same seed."""
    return words[chance(*seed) % len(words)]


def filler(number: int, words: int) -> list[str]:
    """Words that say nothing."""
    return [pick(FILLER, number, place) for place in range(words)]


def review(number: int) -> Row:
    """A text with one word that decides its label."""
    good = chance(number, "good") % 3 != 0
    words = filler(number, 3 + chance(number, "words") % 6)
    words.insert(chance(number, "place") % len(words), pick(GOOD if good else BAD, number))
    return spine(number, text=" ".join(words), text_pair=None, labels=["good" if good else "bad"])


def topics(number: int) -> Row:
    """A text with any number of labels, each by a word of its own."""
    labels = [name for bit, name in enumerate(("good", "bad")) if number >> bit & 1]
    words = [*filler(number, 3), *(pick(GOOD if name == "good" else BAD, number) for name in labels)]
    return spine(number, text=" ".join(words), text_pair=None, labels=sorted(labels))


def rated(number: int) -> Row:
    """A text whose rating, 0 to 3, is how many of its words are good."""
    words = [pick(GOOD if chance(number, "good", at) % 2 else BAD, number, at) for at in range(3)]
    rating = sum(word in GOOD for word in words)
    return spine(number, text=" ".join([*filler(number, 1 + number % 4), *words]), text_pair=None, rating=float(rating))


def places(number: int) -> Row:
    """A text with a place in it."""
    before, place = " ".join(filler(number, 1 + number % 4)) + " in ", pick(PLACES, number)
    span = {"start": len(before), "end": len(before) + len(place), "label": "LOC", "text": place}
    return spine(number, text=f"{before}{place} and more", spans=[span], tokens=None)


def dialogue(number: int) -> Row:
    """A question whose answer is always of one form."""
    turns = [
        {"role": "user", "content": f"say {pick(GOOD, number)} {pick(FILLER, number, 1)}", "learn": False},
        {"role": "assistant", "content": f"I say {pick(GOOD, number)} again", "learn": True},
    ]
    return spine(number, messages=turns, tools=None)


def related(number: int) -> Row:
    """A text in which the words between two entities say how they are related, if they are."""
    verb, label = (("lives in", "Live_In"), ("works for", "Work_For"), ("saw", ""))[chance(number, "verb") % 3]
    who, where = pick(("Anna", "Bob", "Zoe"), number, "who"), pick(PLACES, number)
    before = " ".join(filler(number, 1 + number % 3)) + " "
    text = f"{before}{who} {verb} {where}"
    edges = (("PER", who, len(before)), ("LOC", where, len(text) - len(where)))
    entities = [{"start": start, "end": start + len(name), "label": kind, "text": name} for kind, name, start in edges]
    relations = [{"head": 0, "tail": 1, "label": label}] if label else []
    return spine(number, text=text, tokens=None, entities=entities, relations=relations)


MAKERS: dict[str, tuple[str, Callable[[int], Row]]] = {
    "sequence": ("classification", review),
    "multilabel": ("classification", topics),
    "number": ("rating", rated),
    "token": ("tagging", places),
    "causal": ("chat", dialogue),
    "relations": ("relations", related),
}


def write_split(folder: Path, task: str, tables: dict[str, list[Row]]) -> None:
    """A split stage with these tables."""
    schema = contract(task).schema
    written = {}
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        table = store.Table(folder, name, schema, 50_000)
        table.write(pa.RecordBatch.from_pylist(rows, schema=schema))
        written[name] = table.close()
    store.write_report(folder, {"stage": "split", "key": "made", "tables": written})


def recipe_at(folder: Path, head: str, **settings: Any) -> Recipe:
    """A recipe for a task with this head, with its own [finetune] settings."""
    tuned = {"model": "tiny", "learning_rate": 3e-3, "bootstrap": 20, "batch_rows": 16, "max_tokens": 64} | settings
    raw = {
        "task": MAKERS[head][0],
        "licence": "CC0",
        "guideline": {"multiple": head == "multilabel"},
        "ingest": {"source": [{"name": "made", "files": ["made.csv"], "format": "csv"}]},
        "finetune": tuned,
    }
    home = folder / "data" / "made"
    home.mkdir(parents=True, exist_ok=True)
    return Recipe(name="made", folder=home, settings=check(raw, name="made"))


def made(folder: Path, head: str, *, train: int = 160, held_out: int = 40, **settings: Any) -> Recipe:
    """A recipe with its split on disk: `train` rows to learn from and twice `held_out` others."""
    recipe, (task, row) = recipe_at(folder, head, **settings), MAKERS[head]
    cuts = {
        "train": (0, train),
        "validation": (train, train + held_out),
        "test": (train + held_out, train + 2 * held_out),
    }
    write_split(recipe.build / "split", task, {name: [row(n) for n in range(*cut)] for name, cut in cuts.items()})
    return recipe
