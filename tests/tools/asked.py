"""What the tests of tools ask: texts of every sort, projects of every kind, and answers to them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from pipeline.fetch import RawFile
from pipeline.readers import Broken, ReadOptions, Record
from pipeline.settings import Label
from pipeline.tools.item import Item, Kind, Project
from tests.readers.memory import held

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

LABELS = tuple(Label(name=name, definition=f"what {name} is") for name in ("PER", "地点", "a b", "1", "TRUE"))
NAMES = [label.name for label in LABELS]
HARD = "ab \n\t\r\n中é👍🏽e\u0301<b>&amp;\"',;#=@[|]\\`*_{}\u200b\u00a00-🇨🇳"
TEXTS = st.text(st.sampled_from(HARD), min_size=1, max_size=60).filter(lambda text: bool(text.strip()))
ROWS = st.text(st.sampled_from("ab/.:-_0中 e1"), min_size=1, max_size=12).map(str.strip).filter(bool)


def project(kind: Kind, **about: Any) -> Project:
    """A project that asks for this kind, with labels whose names spreadsheets and tools may spoil."""
    ends = {"entity_labels": ("PER", "地点")} if kind == "relations" else {}
    bounds = {"low": 1.0, "high": 5.0} if kind == "rating" else {}
    return Project("trial", kind, LABELS, **{**ends, **bounds, **about})


@st.composite
def spans(draw: st.DrawFn, text: str) -> list[list[Any]]:
    """Spans that are apart, anywhere in the text but between the two characters of a line end, which cells make one."""
    ends = [at for at in range(len(text) + 1) if text[max(0, at - 1) : at + 1] != "\r\n"]
    cuts = sorted(draw(st.sets(st.sampled_from(ends), max_size=6)))
    pairs = zip(cuts[::2], cuts[1::2], strict=False)
    return [[start, end, draw(st.sampled_from(NAMES))] for start, end in pairs]


@st.composite
def items(draw: st.DrawFn, kind: Kind, *, multiple: bool = False) -> Item:
    """An item with an answer."""
    text = draw(TEXTS)
    entities: list[list[Any]] = []
    answer: Any = None
    if kind == "labels":
        answer = draw(
            st.lists(st.sampled_from(NAMES), min_size=0 if multiple else 1, max_size=3 if multiple else 1, unique=True)
        )
    elif kind == "spans":
        answer = draw(spans(text))
    elif kind == "relations":
        entities = draw(spans(text))
        count = len(entities)
        ends = st.integers(0, max(0, count - 1))
        links = st.lists(st.tuples(ends, ends, st.sampled_from(NAMES)).map(list), max_size=3)
        answer = draw(links) if count else []
    else:
        answer = draw(st.integers(1, 5)) if kind == "rating" else draw(TEXTS)
    return Item(
        draw(ROWS), text, answer, 0.75, tuple(tuple(one) for one in entities), ("two differ",), {"source": "f:1"}
    )


def read_all(tool: ModuleType, path: Path, **options: Any) -> list[Record]:
    """The records of a file, none of which may be broken."""
    return whole(tool.read(RawFile(path.name, path), ReadOptions(**options)))


def read_text(tool: ModuleType, content: str | bytes, name: str = "f.jsonl", **options: Any) -> list[Record]:
    """The records of a content, none of which may be broken."""
    return whole(tool.read(held(content, name), ReadOptions(**options)))


def whole(found: Any) -> list[Record]:
    """Records, none of which may be broken."""
    records = list(found)
    assert [one for one in records if isinstance(one, Broken)] == []
    return records


def answered(
    tool: ModuleType, asked: Project, sent: Sequence[Item], answer: Callable[[Path], Path], **options: Any
) -> list[Record]:
    """What comes back when `answer` has made the tool's export of the folder that the tool's file wrote."""
    with tempfile.TemporaryDirectory() as folder:
        tool.write(asked, sent, Path(folder) / "out")
        return read_all(tool, answer(Path(folder) / "out"), **options)


def said(record: Record) -> dict[str, Any]:
    """The only entry of a record."""
    (one,) = record.fields["annotations"]
    return dict(one)


def as_answer(entry: dict[str, Any], kind: Kind) -> Any:
    """The answer of an entry in the form of items."""
    if kind == "relations":
        return [[one["head"], one["tail"], one["label"]] for one in entry["relations"]]
    if kind == "spans":
        return triples(entry)
    return entry[{"labels": "labels", "rating": "rating", "text": "reply"}[kind]]


def triples(entry: dict[str, Any]) -> list[list[Any]]:
    """The spans of an entry in the form of items."""
    return [[one["start"], one["end"], one["label"]] for one in entry["spans"]]
