"""Argilla 2: a data set folder that its client loads at once, and records as JSON in any form that it writes.

Checked against argilla 2.8.0 (the classes of its client). Its page counts offsets in UTF-16 units, and its server
refuses spans that end after as many units as the text has code points (argilla-io/argilla#5729). `to_json` leaves out
whether a response was submitted, is a draft or was discarded: export with `to_list(flatten=True)`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError, Unfit
from pipeline.tools import entry as said
from pipeline.tools.argilla_responses import NONE, NOTE, Responses, columns, metadata_of, nested
from pipeline.tools.prodigy import ratings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pipeline.fetch import RawFile
    from pipeline.readers.record import Broken, ReadOptions, Record
    from pipeline.tools.item import Item, Kind, Project

TASKS: frozenset[Kind] = frozenset(("labels", "spans", "rating", "text"))
QUESTIONS = {"labels": "labels", "spans": "spans", "rating": "rating", "text": "reply"}
"""The name of the question, by what is asked; what comes back is read by that name."""
RATINGS = 11
"""Argilla rates from 0 to 10."""
_TYPES = {"spans": "span", "rating": "rating", "text": "text"}
_ENVELOPE = frozenset(
    ("id", "external_id", "fields", "metadata", "suggestions", "responses", "vectors", "status", "_server_id", "score")
)
"""What is not a field of the record: in flat rows the fields stand beside these."""


# -- out


def write(project: Project, items: Iterable[Item], folder: Path) -> list[Path]:
    """records.json, .argilla/settings.json and .argilla/dataset.json: what `rg.Dataset.from_disk(folder)` loads.

    Raises:
        AssayError: Argilla has no such question, or rates in other numbers.
    """
    if project.kind not in TASKS:
        raise AssayError(f"argilla, '{project.name}'", f"asks for no {project.kind}", "use another tool")
    (folder / ".argilla").mkdir(parents=True, exist_ok=True)
    records, readme, overlaps = folder / "records.json", folder / "README.md", False
    with records.open("w", encoding="ascii", newline="\n") as out:
        out.write("[")
        for at, item in enumerate(items):
            overlaps = overlaps or (project.kind == "spans" and said.overlap(item.answer or ()))
            out.write((",\n" if at else "\n") + said.line(_record(project, item)).rstrip("\n"))
        out.write("\n]\n")
    readme.write_text(_readme(project), encoding="utf-8", newline="\n")
    settings = _settings(project, overlaps)
    shared = {name: settings[name] for name in ("guidelines", "allow_extra_metadata", "distribution")}
    made = [records, readme]
    for name, config in {"settings": settings, "dataset": {"name": project.name, **shared}}.items():
        made.append(folder / ".argilla" / f"{name}.json")
        made[-1].write_text(json.dumps(config, indent=2) + "\n", encoding="ascii", newline="\n")
    return made


def _settings(project: Project, overlaps: bool) -> dict[str, Any]:
    properties = [
        {"name": "confidence", "title": "confidence", "settings": {"type": "float", "min": None, "max": None}},
        {"name": "row_id", "title": "row", "settings": {"type": "terms", "values": None}},
    ]
    return {
        "guidelines": _guidelines(project),
        "questions": [
            _question(project, overlaps),
            _asked(NOTE, "Remark", {"type": "text", "use_markdown": False}, False),
        ],
        "fields": [_field("text", "Text", required=True), _field("why", "Why this is asked", required=False)],
        "vectors": [],
        "metadata": properties,
        "allow_extra_metadata": True,
        "distribution": {"strategy": "overlap", "min_submitted": 1},
        "mapping": None,
    }


def _guidelines(project: Project) -> str:
    labels = "".join(f"* **{one.name}**: {one.definition}\n" for one in project.labels if one.definition)
    head = f"Guideline {project.guideline}"
    return "\n\n".join(part for part in (head, project.instructions, labels.strip()) if part)


def _question(project: Project, overlaps: bool) -> dict[str, Any]:
    kind = _TYPES.get(project.kind, "multi_label_selection" if project.multiple else "label_selection")
    settings: dict[str, Any] = {"type": kind}
    names = [(label.name, label.definition) for label in project.labels]
    if project.kind == "rating":
        settings["options"] = [{"value": number} for number in _numbers(project)]
    elif project.kind == "text":
        settings["use_markdown"] = False
    else:
        names += [(NONE, "no label fits")] if kind == "multi_label_selection" else []
        settings["options"] = [_option(name, definition) for name, definition in names]
        settings["visible_options"] = len(names) if len(names) > 2 else None
    if project.kind == "spans":
        settings |= {"field": "text", "allow_overlapping": overlaps}
    if kind == "multi_label_selection":
        settings["options_order"] = "natural"
    return _asked(QUESTIONS[project.kind], project.title or project.name, settings, True)


def _option(name: str, definition: str) -> dict[str, str]:
    return {"value": name, "text": name, **({"description": definition[:1000]} if definition else {})}


def _numbers(project: Project) -> range:
    numbers = ratings(project, RATINGS)
    if numbers.start < 0 or numbers.stop > RATINGS:
        raise AssayError(f"argilla, '{project.name}'", "rates in whole numbers from 0 to 10", "use another tool")
    return numbers


def _asked(name: str, title: str, settings: dict[str, Any], required: bool) -> dict[str, Any]:
    return {"name": name, "title": title, "description": None, "required": required, "settings": settings}


def _field(name: str, title: str, *, required: bool) -> dict[str, Any]:
    return {"name": name, "title": title, "required": required, "settings": {"type": "text", "use_markdown": False}}


def _record(project: Project, item: Item) -> dict[str, Any]:
    about = [f"{name}: {value}" for name, value in item.about.items()]
    why = "\n".join([*item.reasons, *about])
    metadata: dict[str, Any] = {"row_id": item.row, "guideline": project.guideline, "asked": project.kind}
    if project.round:
        metadata[said.SENT_IN] = project.round
    if item.confidence is not None:
        metadata["confidence"] = round(item.confidence, 6)
    value = None if item.answer is None else _suggested(project, item)
    if value is None and item.answer is not None:
        metadata["not_shown"] = "the answer so far: it ends after what the server counts as the text's end"
    suggestion = {"value": value, "score": item.confidence, "agent": "assay", "type": "model"}
    return {
        "id": item.row,
        "fields": {"text": item.text, **({"why": why} if why else {})},
        "metadata": metadata,
        "suggestions": {} if value is None else {QUESTIONS[project.kind]: suggestion},
        "responses": {},
        "vectors": {},
    }


def _suggested(project: Project, item: Item) -> Any:
    """The answer so far as a suggestion; None where the server would refuse it."""
    answer = item.answer
    if project.kind == "spans":
        text = item.text
        spans = [{"start": said.units(text, s), "end": said.units(text, e), "label": label} for s, e, label in answer]
        return None if any(one["end"] > len(text) for one in spans) else spans
    if project.kind == "labels" and not project.multiple:
        return (answer[0] if answer else None) if isinstance(answer, list) else answer
    if project.kind == "labels":
        return list(answer) or [NONE]
    return int(answer) if project.kind == "rating" else answer


def _readme(project: Project) -> str:
    return (
        f"# {project.title or project.name}\n\n{_guidelines(project)}\n\n## In Argilla\n\n```python\n"
        "import argilla as rg, json\n"
        'client = rg.Argilla(api_url="...", api_key="...")\n'
        'dataset = rg.Dataset.from_disk("this folder", workspace="...", client=client)\n'
        "# ... and when people have answered:\n"
        "answers = dataset.records(with_responses=True).to_list(flatten=True)\n"
        'json.dump(answers, open("answers.json", "w"))\n```\n\n'
        "`flatten=True` matters: without it nothing tells what was submitted from what was discarded.\n"
    )


# -- in


def read(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """The records of an export: `to_list(flatten=True)` or the hub's rows, `to_json`, or the server's `items`.

    `fields` have `id` (the row that went out, else the record's own), `text`, `annotations`, the metadata and other
    fields beside them. An entry stands for one person's response to one question; where there are several questions
    it has the name of its `question`. A text answer to a question of unknown kind is told as `labels` and as `reply`.
    """
    return said.shaped(said.json_records(raw, options), _shape)


def _shape(given: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    flat = "fields" not in given
    fields = {} if flat else given["fields"]
    if not isinstance(fields, dict):
        raise Unfit("wrong_columns", f"'fields': {fields!r:.60}")
    found = columns(given) if flat else nested(given)
    asked = {name for name, *_ in found}
    if flat:
        hidden = {
            *_ENVELOPE,
            "query_score",
            *(name for name in given if name.partition(".")[0] in asked and "." in name),
        }
        fields = {name: value for name, value in given.items() if name not in hidden and ".suggestion" not in name}
    metadata = metadata_of(given)
    others = {name: value for name, value in fields.items() if name not in ("text", *asked)}
    texts = [key for key, value in others.items() if isinstance(value, str)]
    name = "text" if "text" in fields or not texts else texts[0]
    text = said.text_of(fields, name)
    told = Responses(text, str(given.get("status") or ""))
    told.add(found)
    # What the client calls id is the server's external_id.
    named = (metadata.get("row_id"), fields.get("row_id"), given.get("external_id"), given.get("id"))
    kept: dict[str, Any] = {"text": text, "annotations": told.entries}
    if id_ := next((name for name in map(said.name_of, named) if name), None):
        kept = {"id": id_, **kept}
    rest = {key: value for key, value in {**others, **metadata}.items() if key not in ("row_id", "asked", "why", name)}
    return said.beside(kept, rest), tuple(told.notes)
