"""CoNLL columns: one token a line, sentences parted by blank lines, several tag columns are several annotators."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import count, islice
from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError
from pipeline.readers.lines import Line, lines
from pipeline.tagscheme import SchemeEvidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.fetch import RawFile
    from pipeline.readers.record import Broken, Origin, ReadOptions, Record

SAMPLE_LINES = 2_000
_COMMENT = re.compile(r"#\s*([^=\s][^=]*?)\s*=\s*(.*)|#\s.*|#")
_DOCUMENT = "-DOCSTART-"


@dataclass(frozen=True)
class Layout:
    """How the lines of one file are cut (tabs or white space), into how many columns, and the tag columns' schemes."""

    tabs: bool
    width: int
    token: int
    columns: dict[str, int]
    schemes: dict[str, str]
    documents: bool

    def cut(self, text: str) -> list[str]:
        """The columns of a line."""
        if self.tabs:
            return text.split("\t")
        parts = text.split()
        return parts if len(parts) == self.width else text.split(" ")

    def is_comment(self, text: str) -> bool:
        """Whether a line beginning with # is a comment and not the token #."""
        return text[0] == "#" and len(self.cut(text)) != self.width and _COMMENT.fullmatch(text) is not None


@dataclass
class Sentence:
    """The lines of one sentence, or of one document, as far as read."""

    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    breaks: set[int] = field(default_factory=set)
    """Before which rows another sentence of the document begins."""
    texts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    fault: tuple[str, str] | None = None
    first: int = 0

    def add(self, line: Line, layout: Layout) -> None:
        """Take in a token's line."""
        self.first = self.first or line.number
        self.texts.append(line.text)
        columns = [] if line.reason else layout.cut(line.text)
        if line.reason:
            self.fault = self.fault or (line.reason, f"line {line.number}: {line.evidence}")
        elif len(columns) != layout.width:
            seen = f"line {line.number}: {len(columns)} columns where there are {layout.width}"
            self.fault = self.fault or ("wrong_columns", seen)
        if line.note:
            self.notes.append(f"line {line.number}: {line.note}")
        self.rows.append((line.number, columns))

    def parted(self, layout: Layout) -> list[tuple[int, list[str]]]:
        """The rows, an empty token between two sentences: outside in a tag column, unseen where its neighbour is."""
        parted = self.rows[:1]
        for at, row in enumerate(self.rows[1:], 1):
            if at in self.breaks:
                between = [""] * layout.width
                for column in layout.columns.values():
                    between[column] = "_" if row[1][column] == "_" else "O"
                parted.append((row[0] - 1, between))
            parted.append(row)
        return parted


def read_conll(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """The sentences of a file, or with `row_per` its documents, at the line of their first token.

    Fields: `tokens` (list of str), `tags` (tag column -> list of str as written; a column is called by `names` or
    its number), `schemes` (tag column -> scheme, detected over the whole file unless declared), `lines` (line of every
    token), `document` (`file#N` after the N-th `-DOCSTART-` line; absent where no line is one), every
    `# key = value` comment, and where the record comes from: `file` (the file's name without its ending), `folder`
    (that of the folder it lies in, if any), `sentence` (`file#N`, the N-th record of the file).
    Between two sentences of a document stands an empty token outside all spans: no span goes on over it.
    A sentence with a line of other columns or of invalid bytes is broken as a whole: a token less would move its tags.
    """
    layout = _layout(raw, options)
    origin, source = lines(raw, options)
    place, number = _place(raw.name), count(1)
    documents, sentence = 0, Sentence()
    document = {"document": f"{raw.name}#0"} if layout.documents else {}
    comments: dict[str, str] = {}

    def finished() -> Iterator[Record | Broken]:
        if sentence.rows:
            own = place | {"sentence": f"{place['file']}#{next(number)}"}
            yield _finished(origin, sentence, layout, own | comments | document)

    for line in source:
        if not line.reason and not line.text.strip():
            if options.row_per == "document":
                sentence.breaks.add(len(sentence.rows))
                continue
            yield from finished()
            sentence, comments = Sentence(), {} if sentence.rows else comments
        elif not line.reason and layout.is_comment(line.text):
            comments.update(_comment(line.text))
        elif not line.reason and line.text.startswith(_DOCUMENT):
            yield from finished()
            sentence, comments, documents = Sentence(), {}, documents + 1
            document = {"document": f"{raw.name}#{documents}"}
        else:
            sentence.add(line, layout)
    yield from finished()


def _place(name: str) -> dict[str, str]:
    """What the file, and the folder it lies in, are called."""
    *folders, file = name.replace("!", "/").split("/")
    stem = file.removesuffix(".gz").rpartition(".")[0] or file
    return {"file": stem} | ({"folder": folders[-1]} if folders and folders[-1] else {})


def _comment(text: str) -> dict[str, str]:
    found = _COMMENT.fullmatch(text)
    return {found[1]: found[2]} if found and found[1] else {}


def _finished(origin: Origin, sentence: Sentence, layout: Layout, around: dict[str, str]) -> Record | Broken:
    if sentence.fault:
        return origin.broken(sentence.first, *sentence.fault, "\n".join(sentence.texts))
    rows = sentence.parted(layout)
    fields: dict[str, Any] = {**around, "tokens": [columns[layout.token] for _, columns in rows]}
    fields["tags"] = {name: [columns[at] for _, columns in rows] for name, at in layout.columns.items()}
    fields["schemes"] = layout.schemes
    fields["lines"] = [number for number, _ in rows]
    empty = [f"line {at}: the token is empty" for at, columns in sentence.rows if not columns[layout.token].strip()]
    return origin.record(sentence.first, fields, (*sentence.notes, *empty))


def _layout(raw: RawFile, options: ReadOptions) -> Layout:
    tabs, width = _shape(raw, options)
    columns = _columns(raw.name, options, width)
    layout = Layout(tabs, width, options.token_column, columns, dict.fromkeys(columns, options.scheme), False)
    schemes, documents = _survey(raw, options, layout)
    return replace(layout, documents=documents, schemes=schemes if options.scheme == "auto" else layout.schemes)


def _shape(raw: RawFile, options: ReadOptions) -> tuple[bool, int]:
    """Whether the columns are cut at tabs, and how many there are: as in most of the first lines."""
    if options.delimiter not in (None, "\t", " "):
        raise AssayError(raw.name, f"CoNLL columns cut at {options.delimiter!r}", "give '\\t' or ' '")
    texts = [line.text for line in islice(lines(raw, options)[1], SAMPLE_LINES) if line.text.strip()]
    with_tab = sum("\t" in text for text in texts)
    tabs = options.delimiter == "\t" or (options.delimiter is None and 2 * with_tab > len(texts))
    widths = Counter(len(text.split("\t") if tabs else text.split()) for text in texts)
    return tabs, widths.most_common(1)[0][0] if widths else 0


def _columns(name: str, options: ReadOptions, width: int) -> dict[str, int]:
    """The tag columns by name; raises AssayError for a column that the file does not have."""
    if not width:
        return {}
    wanted = (options.token_column, *options.tag_columns)
    if beyond := [at for at in wanted if not -width <= at < width]:
        raise AssayError(
            name, f"there is no column {beyond[0]}, the lines have {width} (counted from 0)", "mend 'tag_columns'"
        )
    places = [at % width for at in options.tag_columns]
    if len({options.token_column % width, *places}) <= len(places):
        raise AssayError(
            name, f"one column is taken twice, the lines have {width}", "mend 'token_column' or 'tag_columns'"
        )
    names = options.names or tuple(map(str, places))
    if len(names) != len(places):
        raise AssayError(name, f"{len(names)} names for {len(places)} tag columns", "name every tag column once")
    return dict(zip(names, places, strict=True))


def _survey(raw: RawFile, options: ReadOptions, layout: Layout) -> tuple[dict[str, str], bool]:
    """The scheme of every tag column and whether documents are marked, from all the file.

    Both may show in a single place: IOB1 where two spans adjoin, and `-DOCSTART-` at the end of the first document.
    """
    evidence = {name: SchemeEvidence() for name in layout.columns}
    documents = False
    run: list[list[str]] = []
    for line in lines(raw, options)[1]:
        marked = not line.reason and line.text.startswith(_DOCUMENT)
        documents = documents or marked
        columns = [] if line.reason or marked else layout.cut(line.text)
        if len(columns) == layout.width:
            run.append(columns)
        elif run:
            _weigh(evidence, run, layout)
            run = []
    _weigh(evidence, run, layout)
    return {name: seen.scheme() for name, seen in evidence.items()}, documents


def _weigh(evidence: dict[str, SchemeEvidence], run: list[list[str]], layout: Layout) -> None:
    for name, at in layout.columns.items():
        evidence[name].add([columns[at] for columns in run])
