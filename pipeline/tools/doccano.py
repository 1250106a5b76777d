"""doccano: labels, spans, relations and texts as JSON Lines; exports of all its versions, one file for each annotator.

Checked against doccano 1.8.4 (its import and export code, and its server). It counts offsets in UTF-16 units, as the
browser does, unless a project counts grapheme clusters, which no export tells. An export does not say either whether
anybody looked at a text: what went out as a suggestion comes back as its importer's annotation, so export approved
texts only.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pipeline.archive import is_safe, member_names
from pipeline.errors import AssayError, Unfit
from pipeline.fetch import RawFile
from pipeline.readers.csv import read_csv
from pipeline.readers.lines import lines
from pipeline.readers.record import ReadOptions
from pipeline.tools import entry as said
from pipeline.tools.doccano_answers import Answers, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pipeline.readers.record import Broken, Record
    from pipeline.settings import Label
    from pipeline.tools.item import Item, Kind, Project

TASKS: frozenset[Kind] = frozenset(("labels", "spans", "relations", "text"))
PROJECTS = {"labels": "DocumentClassification", "spans": "SequenceLabeling", "text": "Seq2seq"}
LABEL_CHARS = 100
_COLOURS = (
    "#1f77b4",
    "#d62728",
    "#2ca02c",
    "#9467bd",
    "#8c564b",
    "#e377c2",
    "#7f7f7f",
    "#17becf",
    "#b15928",
    "#33691e",
)
_KEYS = "1234567890abcdefghijklmnopqrstuvwxyz"
_SHARE = (
    "Share annotations across all users: off to know who said what (suggestions are then seen by their importer only: "
    "have each person import the tasks), on to show them to everybody (and nobody's name comes back)"
)
_SHARED = re.compile(r"(all|export|example|data|dataset|annotations?|tasks|answers|train|test|dev)([_.\W\d].*)?")
"""Names of export files that are not those of people."""
_ANSWERS = ("label", "labels", "entities", "relations", "cats", "annotations")
_TOLD = ("id", "row_id", "asked", "suggested", "text", "data", "Comments", "comments", "meta")
_CATEGORY = re.compile(r"((?:__label__\S+ ?)*)(.*)", re.DOTALL)


# -- out


def write(project: Project, items: Iterable[Item], folder: Path) -> list[Path]:
    """tasks.jsonl to import, one label_config.json for each kind of label, and how to set the project up.

    Raises:
        AssayError: doccano has no such question, or cannot hold a text or a label.
    """
    if project.kind not in TASKS:
        raise AssayError(f"doccano, '{project.name}'", f"asks for no {project.kind}", "use another tool")
    folder.mkdir(parents=True, exist_ok=True)
    tasks = folder / "tasks.jsonl"
    overlaps = False
    with tasks.open("w", encoding="ascii", newline="\n") as out:
        for item in items:
            task = _task(project, item)
            overlaps = overlaps or said.overlap(_marked(project, item))
            out.write(said.line(task))
    made = [tasks, *_configs(project, folder), folder / "README.md"]
    made[-1].write_text(_readme(project, overlaps), encoding="utf-8", newline="\n")
    return made


def _task(project: Project, item: Item) -> dict[str, Any]:
    """One line to import. Every line has the same keys: doccano makes NaN of what some lines lack."""
    if not item.text.strip():
        raise AssayError(f"doccano, row '{item.row}'", "the text is empty", "leave the row out")
    about = "; ".join(f"{name}: {value}" for name, value in item.about.items())
    answer = _answer(project, item)
    sent = {said.SENT_IN: project.round} if project.round else {}
    return {
        "id": item.row,
        "row_id": item.row,
        **sent,
        "text": item.text,
        **answer,
        "asked": project.kind,
        "guideline": project.guideline,
        "suggested": "" if item.answer is None else fingerprint(answer),
        "confidence": "" if item.confidence is None else f"{item.confidence:.3f}",
        "why": "; ".join(item.reasons),
        "about": about,
    }


def _marked(project: Project, item: Item) -> Any:
    return item.entities if project.kind == "relations" else item.answer or () if project.kind == "spans" else ()


def _answer(project: Project, item: Item) -> dict[str, Any]:
    given = item.answer
    if project.kind == "relations":
        entities = [
            {"id": at, "start_offset": start, "end_offset": end, "label": label}
            for at, (start, end, label) in enumerate(_in_units(item.text, item.entities))
        ]
        links = [{"id": at, "from_id": h, "to_id": t, "type": kind} for at, (h, t, kind) in enumerate(given or [])]
        return {"entities": entities, "relations": links}
    if project.kind == "spans":
        return {"label": _in_units(item.text, sorted(given or []))}
    return {"label": [given] if isinstance(given, str) and given else list(given or [])}


def _in_units(text: str, spans: Iterable[Any]) -> list[list[Any]]:
    return [[said.units(text, start), said.units(text, end), label] for start, end, label in spans]


def _configs(project: Project, folder: Path) -> list[Path]:
    ends = [{"text": name} for name in project.entity_labels]
    kinds = {"label_config.json": _coloured([{"text": _named(label)} for label in project.labels])}
    if project.kind == "relations":
        kinds = {"relation_config.json": kinds["label_config.json"], "label_config.json": _coloured(ends)}
    made = []
    for name, config in sorted(kinds.items()):
        if config:
            path = folder / name
            path.write_text(json.dumps(config, indent=2) + "\n", encoding="ascii", newline="\n")
            made.append(path)
    return made


def _named(label: Label) -> str:
    if len(label.name) > LABEL_CHARS:
        raise AssayError(f"doccano, label {label.name!r:.40}", f"longer than {LABEL_CHARS} characters", "shorten it")
    return label.name


def _coloured(labels: list[dict[str, str]]) -> list[dict[str, Any]]:
    keys = (*_KEYS, *[None] * len(labels))
    return [
        {**label, "suffix_key": keys[at], "background_color": _COLOURS[at % len(_COLOURS)], "text_color": "#ffffff"}
        for at, label in enumerate(labels)
    ]


def _readme(project: Project, overlaps: bool) -> str:
    kind = PROJECTS.get(project.kind, "SequenceLabeling")
    ticks = [_SHARE]
    ticks += ["Allow single label: on"] if project.kind == "labels" and not project.multiple else []
    ticks += ["Use relation labeling: on"] if project.kind == "relations" else []
    if project.kind in ("spans", "relations"):
        ticks += ["Count grapheme clusters as one character: off (the offsets here count UTF-16 units)"]
        ticks += ["Allow overlapping spans: on (else doccano drops some of the suggestions)"] if overlaps else []
    labels = "".join(f"* **{one.name}**: {one.definition}\n" for one in project.labels if one.definition)
    return (
        f"# {project.title or project.name}\n\nGuideline {project.guideline}.\n\n{project.instructions}\n\n{labels}\n"
        f"## In doccano\n\nMake a project of the type {kind}:\n\n" + "".join(f"* {tick}\n" for tick in ticks) + "\n"
        "Import `label_config.json` under Labels (and `relation_config.json` under Relation), then `tasks.jsonl` as\n"
        "JSONL. Export as JSONL with *Export only approved documents* ticked: doccano does not say otherwise whether\n"
        "anybody has looked at a text. The zip file that it gives is read as it is.\n"
    )


# -- in


def read(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """The records of an export: JSON Lines, JSON, CSV or fastText, or the zip file of them that doccano gives.

    `fields` have `id`, `text`, `annotations`, `comments` if there are any, and the metadata beside them. The annotator
    is whom the record names, else the name of the file, if that is no usual one. Of texts that Assay sent, entries
    that hold nothing have the status "blank", and those that are what was suggested have `as_suggested`. Where a file
    does not say what was asked, an answer is told as `labels` and, where there is one only, as `reply`.
    """
    if raw.path is not None and _is_zip(raw):
        return said.grouped(lambda: _members(raw, options))
    return _file(raw, options)


def called(raw: RawFile) -> str:
    """The person whose name a file may have; empty for an archive, where doccano names people, and usual names."""
    name = PurePosixPath(raw.name.replace("\\", "/"))
    return "" if (raw.path is not None and _is_zip(raw)) or _SHARED.fullmatch(name.stem.casefold()) else name.stem


def _is_zip(raw: RawFile) -> bool:
    with raw.open() as stream:
        return stream.read(4) == b"PK\x03\x04" and not raw.name.lower().endswith((".xlsx", ".ods"))


def _members(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    path = raw.path
    if path is None:
        return
    for member in sorted(member_names(path, list(raw.members))):
        if member.endswith("/") or member.startswith("__MACOSX/"):
            continue
        place = f"{raw.name}!{member}"
        if not is_safe(member):
            raise AssayError(place, "the name leads out of the archive", "export it anew")
        yield from _file(RawFile(place, path, (*raw.members, member)), options)


def _file(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    name = PurePosixPath(raw.name.rsplit("!", 1)[-1].replace("\\", "/"))
    ending = name.suffix.lower()
    who = None if _SHARED.fullmatch(name.stem.casefold()) else name.stem
    if ending in (".csv", ".tsv"):
        table = replace(options, delimiter=options.delimiter or ("\t" if ending == ".tsv" else ","))
        return said.shaped(read_csv(raw, table), lambda fields: _shape(_row(fields), who))
    if ending == ".txt":
        if not raw.members and not any("__label__" in line.text for line in lines(raw, options)[1]):
            raise AssayError(raw.name, "no line has a '__label__', so it is no doccano export", "name its own format")
        # Its writer quotes as CSV does, and there is one column.
        table = ReadOptions(encoding=options.encoding, delimiter="\x01", names=("line",))
        return said.shaped(read_csv(raw, table), lambda fields: _shape(_fasttext(fields["line"]), who))
    if ending not in (".json", ".jsonl", ""):
        way_out = "save it as CSV" if ending in (".xlsx", ".xls", ".ods") else "name the format that it has"
        raise AssayError(raw.name, f"doccano exports no '{ending}'", way_out)
    return said.shaped(said.json_records(raw, options), lambda fields: _shape(fields, who))


def _row(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A row of a CSV export as a record of JSON: doccano joins several labels by `#`."""
    told = dict(fields)
    if "label" not in told:
        raise Unfit("wrong_columns", f"no column 'label' among {', '.join(told)}")
    label = told["label"]
    several = label.split("#") if told.get("asked") != "text" else [label]
    comments = told.pop("Comments", "")
    return {**told, "label": several if label else [], "Comments": comments.split("#") if comments else []}


def _fasttext(line: str) -> dict[str, Any]:
    """A line of a fastText export: `__label__A __label__B the text __comment__a comment`."""
    found = _CATEGORY.fullmatch(line)
    head, rest = (found[1], found[2]) if found else ("", line)
    text, *comments = rest.split(" __comment__")
    return {"text": text.strip(" "), "label": head.replace("__label__", "").split(), "Comments": comments}


def _shape(given: Mapping[str, Any], who: str | None) -> tuple[dict[str, Any], tuple[str, ...]]:
    meta = given["meta"] if isinstance(given.get("meta"), dict) else {}
    told = {**meta, **given}
    if "text" not in told and "filename" in told:
        raise Unfit("wrong_columns", f"about the file {told['filename']!r:.60}: an image or a sound, not a text")
    text = said.text_of(told, "data" if "text" not in told and "data" in told else "text")
    if not any(name in told for name in _ANSWERS):
        raise Unfit("wrong_columns", f"no answer ({', '.join(_ANSWERS)}) among {', '.join(map(str, given))}")
    found, notes = Answers(text, told, who).all()
    fields: dict[str, Any] = {"text": text, "annotations": found}
    if id_ := said.name_of(told.get("row_id")) or said.name_of(told.get("id")):
        fields = {"id": id_, **fields}
    comments = told.get("Comments") or told.get("comments")
    if isinstance(comments, list) and comments:
        fields["comments"] = [one.get("comment", "") if isinstance(one, dict) else str(one) for one in comments]
    rest = {name: value for name, value in told.items() if name not in (*_ANSWERS, *_TOLD)}
    return said.beside(fields, rest), notes
