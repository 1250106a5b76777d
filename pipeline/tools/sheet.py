"""The sheet: a table that people fill in with any spreadsheet, or as JSON Lines, and nothing in it runs.

One line an item: its id, text and answer so far; people fill in verdict, right_answer, who, when and note. `judged` is
a hash of what they judge and `item` holds it as data, so that whatever a spreadsheet does to ids, dates and spaces is
noticed or undone. Answers are written as words: labels one after the other, spans as [surface|LABEL] in the text.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from hashlib import blake2b
from math import isclose
from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError, Unfit, nearest
from pipeline.readers.csv import read_csv
from pipeline.readers.jsonl import read_jsonl
from pipeline.readers.lines import lines
from pipeline.tools import entry as said
from pipeline.tools.cells import CELL_CHARS, CUT, NONE, WORKBOOKS, cell, cell_text, delimiter, table
from pipeline.tools.marks import are_apart, marked, related
from pipeline.tools.sheet_answers import Answer, day_of, number_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pipeline.fetch import RawFile
    from pipeline.readers.record import Broken, ReadOptions, Record
    from pipeline.tools.item import Item, Kind, Project

TASKS: frozenset[Kind] = frozenset(("labels", "spans", "relations", "rating", "text"))
COLUMNS = (
    *("id", "text", "entities", "answer", "confidence", "why", "about"),
    *("verdict", "right_answer", "who", "when", "note", "judged", "item"),
)
BLANK = dict.fromkeys(("verdict", "right_answer", "who", "when", "note"), "")
SHORT_CHARS = 40
"""Texts up to this length may be numbers or dates to a spreadsheet, and are kept as data too."""


# -- out


def write(project: Project, items: Iterable[Item], folder: Path) -> list[Path]:
    """sheet.csv and the same as sheet.jsonl, with answers as data, and how to fill them in."""
    folder.mkdir(parents=True, exist_ok=True)
    made = [folder / "sheet.csv", folder / "sheet.jsonl", folder / "README.md"]
    with made[0].open("wb") as out, made[1].open("wb") as machine:
        for piece in table(COLUMNS, _rows(project, items, machine)):
            out.write(piece)
    made[2].write_text(_readme(project), encoding="utf-8", newline="\n")
    return made


def _rows(project: Project, items: Iterable[Item], machine: Any) -> Iterator[dict[str, Any]]:
    for item in items:
        data = _data(project, item)
        confidence = None if item.confidence is None else round(item.confidence, 3)
        about = "; ".join(f"{name}: {value}" for name, value in item.about.items())
        shown = {"confidence": confidence, "why": "; ".join(item.reasons), "about": about, **BLANK}
        machine.write(said.line({**data, **shown, "judged": _judged(data)}).encode())
        words = "" if item.answer is None else _words(data, item.answer)
        named = "; ".join(f"{at + 1} {item.text[s:e]} ({kind})" for at, (s, e, kind) in enumerate(item.entities))
        row = {"id": item.row, "text": item.text, "entities": named, "answer": words, **shown}
        yield {**row, "judged": _judged(data), "item": _packed(data)}


def _data(project: Project, item: Item) -> dict[str, Any]:
    """What is judged. Label names go along where a spreadsheet might take one for a number or a truth value."""
    data: dict[str, Any] = {"id": item.row, "kind": project.kind, "text": item.text, "answer": item.answer}
    if project.round:
        data[said.SENT_IN] = project.round
    if item.entities:
        data["entities"] = [list(one) for one in item.entities]
    if project.kind == "labels":
        names = [label.name for label in project.labels]
        mangled = [name for name in names if re.fullmatch(r"[\d.,:/ -]+|true|false", name, re.IGNORECASE)]
        data |= {"many": True} if project.multiple else {}
        data |= {"names": names} if mangled else {}
    return data


def _judged(data: Mapping[str, Any]) -> str:
    told = json.dumps([data.get(name) for name in ("id", "kind", "text", "answer", "entities")], sort_keys=True)
    return "j" + blake2b(told.encode(), digest_size=8).hexdigest()


def _packed(data: dict[str, Any]) -> str:
    """What is judged as JSON, with its text only where the text cell might not give it back."""
    text = data["text"]
    if len(text) > SHORT_CHARS and cell_text(cell(text)) == text:
        data = {name: value for name, value in data.items() if name != "text"}
    packed = json.dumps(data, ensure_ascii=True)
    return packed if len(packed) <= CELL_CHARS else ""


def _words(data: Mapping[str, Any], answer: Any) -> str:
    """An answer as a person reads it."""
    kind, text = data["kind"], data["text"]
    if kind == "spans" and are_apart(answer):
        return marked(text, answer)
    if kind == "relations" and answer and not any(re.search(r"[();\n]", one[2]) for one in answer):
        return related([text[start:end] for start, end, _ in data.get("entities", ())], answer)
    if kind in ("labels", "relations") and not answer:
        return NONE
    if kind == "labels" and isinstance(answer, list):
        return json.dumps(answer, ensure_ascii=False) if any(map(_is_odd, answer)) else ", ".join(answer)
    return answer if isinstance(answer, str) else json.dumps(answer, ensure_ascii=False)


def _is_odd(label: str) -> bool:
    return label != label.strip() or label == NONE or re.search(r'[,;，；、\n"\[]', label) is not None


def _readme(project: Project) -> str:
    labels = "".join(f"* **{one.name}**: {one.definition}\n" for one in project.labels)
    form = {
        "labels": f"labels with commas between them, or {NONE}" if project.multiple else "the label",
        "spans": f"the whole text with spans marked as [surface|LABEL], or {NONE}; a bracket of the text is \\\\[",
        "relations": f"LABEL(1 head → 2 tail), with the numbers of the entities and ; between them, or {NONE}",
        "rating": "the number",
        "text": "the text",
    }[project.kind]
    return (
        f"# {project.title or project.name}\n\nGuideline {project.guideline}.\n\n{project.instructions}\n\n{labels}\n"
        "## How to fill in the sheet\n\nOpen `sheet.csv`. In each line give a verdict: `fine` (the answer is right),\n"
        "`wrong` (and what is right under right_answer), `ambiguous` or `drop`; your name under who. Where no answer\n"
        f"is shown, give yours under right_answer. A right answer is {form}.\n\n"
        "Leave the columns id, text, judged and item as they are; hide the last two. Save as CSV (UTF-8). Texts\n"
        "longer than a cell are cut in the sheet: fill in `sheet.jsonl` for them.\n"
    )


# -- in


def read(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """The lines of a filled-in sheet, CSV in any way that spreadsheets save it or JSON Lines, each item once.

    Entries have `verdict` (fine, wrong, ambiguous, drop), `note`, and the answer: the one that was judged if it is
    fine, the right one if it is wrong. Lines that nobody filled in have no annotations. What cannot be understood is
    a `problem`; a line that is not the one that was sent is broken.

    Raises:
        AssayError: a workbook, or no columns `id` and `verdict`.
    """
    if raw.name.casefold().endswith(WORKBOOKS):
        raise AssayError(raw.name, "is a workbook", "save the sheet as CSV (UTF-8) and read that")
    return said.grouped(lambda: said.shaped(_filled(raw, options), _shape))


def _filled(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    _, rows = lines(raw, options)
    first = next((row.text for row in rows if row.text.strip()), "")
    if first.lstrip().startswith("{"):
        yield from read_jsonl(raw, options)
        return
    parted = replace(options, delimiter=options.delimiter or delimiter(raw), quote=True)
    for record in read_csv(raw, parted):
        fields = getattr(record, "fields", None)
        if fields is None or any(cell_text(value) for value in fields.values()):
            yield record


def numbered(raw: RawFile, options: ReadOptions) -> dict[str, str]:
    """Which record each place of a sheet is, and which row it names: a text in a cell may go over many lines."""
    found = {}
    for number, record in enumerate(_filled(raw, options), 1):
        cells = {str(name).strip("\ufeff ").casefold(): one for name, one in getattr(record, "fields", {}).items()}
        row = cell_text(cells.get("id"))
        found[record.place] = f"record {number}" + (f", row {row}" if row else "")
    return found


def _shape(given: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    cells = {str(name).strip().strip("\ufeff").casefold(): value for name, value in given.items()}
    for name in ("id", "verdict"):
        if name not in cells:
            raise Unfit("wrong_columns", f"no column '{name}'; {nearest(name, cells)}")
    data, notes = _sent(cells)
    fields = {"id": data["id"], "text": data["text"], "annotations": []}
    if data.get(said.SENT_IN):
        fields[said.SENT_IN] = data[said.SENT_IN]
    told = {name: cell_text(cells.get(name)) for name in BLANK}
    right = cells.get("right_answer") if "kind" in cells else told["right_answer"]
    if told["verdict"] or right not in (None, ""):
        time, note = day_of(told["when"])
        notes += [note] if note else []
        answer = Answer(data).of(told["verdict"], right)
        fields["annotations"] = [said.entry(told["who"], time=time, **answer, note=told["note"] or None)]
    elif any(told.values()):
        notes.append("neither a verdict nor a right answer: nothing is taken from this line")
    return fields, tuple(notes)


def _sent(cells: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """What the line is about, as it was sent; raises Unfit where it is something else now."""
    if "kind" in cells:
        names = ("id", "kind", "text", "answer", "entities", "many", "names", said.SENT_IN)
        data = {name: cells.get(name) for name in names}
        return _verified(data, str(cells.get("judged") or "")), []
    id_, text, packed = cell_text(cells["id"]), cell_text(cells.get("text")), cell_text(cells.get("item"))
    if not packed:
        if text.endswith(CUT.strip()):
            raise Unfit("unreadable_record", "the text is cut: fill in the JSONL file for this line")
        note = "no column 'item': id, text and answer are taken as they stand"
        return {"id": id_, "kind": None, "text": said.text_of({"text": text}), "answer": cells.get("answer")}, [note]
    try:
        data = json.loads(packed)
    except ValueError:
        raise Unfit("unreadable_record", f"the cell 'item' is no longer what it was: {packed!r:.60}") from None
    if not isinstance(data, dict) or not _is_same(id_, str(data.get("id"))):
        raise Unfit("wrong_columns", f"id {id_!r:.40} beside the item of {data!r:.80}: were columns sorted alone?")
    data = {"text": text, **data}
    if len(text) > SHORT_CHARS and cell_text(cell(data["text"])) != text:
        raise Unfit("wrong_columns", "the text is not the one that was sent: was it edited, or sorted alone?")
    return _verified(data, cell_text(cells.get("judged"))), []


def _verified(data: dict[str, Any], judged: str) -> dict[str, Any]:
    if judged and judged != _judged(data):
        raise Unfit("wrong_columns", "text or answer are not those that were sent: were they edited, or sorted alone?")
    said.text_of(data)
    return data


def _is_same(seen: str, sent: str) -> bool:
    """Whether an id may be the one that was sent, whatever a spreadsheet made of it: it makes 1E5 of 100000."""
    shown, number = number_of(seen), number_of(sent)
    if shown is not None and number is not None:
        return isclose(shown, number, rel_tol=1e-5)
    return seen == cell_text(cell(sent))
