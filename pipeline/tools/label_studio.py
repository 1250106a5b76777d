"""Label Studio: a project with its labels, tasks with suggestions, and its exports with every annotator's answers.

Checked against Label Studio 1.23.2: its server, its page in a browser, and its own converter. JSON is the export that
holds everything; JSON_MIN, CSV and TSV leave out what was skipped and all relations.
"""

from __future__ import annotations

import json
import re
from html import escape
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from pipeline.errors import AssayError
from pipeline.text import visible
from pipeline.tools.label_studio_export import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from pipeline.settings import Label
    from pipeline.tools.item import Item, Kind, Project

__all__ = ["TASKS", "config", "instructions", "read", "task", "vocabulary", "write"]

TASKS: frozenset[Kind] = frozenset(("labels", "spans", "relations", "rating", "text"))
MODEL = "assay"
"""Whose suggestions they are, as the page shows it."""
STARS = 10
"""Scales from 1 up to this number are asked for with stars, others with a number."""
CONTROLS: dict[Kind, str] = {
    "labels": "assay_labels",
    "spans": "assay_spans",
    "relations": "assay_spans",
    "rating": "assay_rating",
    "text": "assay_reply",
}
"""What the answers to each kind of question are called in a project."""
FILTERED_LABELS = 12
"""From this many labels on, there is a field to search them."""
_BELOW = "margin-top: 1.5em; padding-top: 0.5em; border-top: 1px solid #999; font-size: 90%"
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FIELD = re.compile(r"\$(?=[\w[\].{}])")


def write(project: Project, items: Iterable[Item], folder: Path) -> list[Path]:
    """config.xml (the labeling interface), tasks.json (to import) and instructions.html, for a new project.

    Raises:
        AssayError: a label that no configuration can hold.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in ("tasks.json", "config.xml", "instructions.html")]
    seen: set[str] = set()
    with paths[0].open("w", encoding="utf-8", newline="\n") as out:
        before = "["
        for item in items:
            seen |= vocabulary(project, item)
            out.write(f"{before}\n{json.dumps(task(project, item), ensure_ascii=False)}")
            before = ","
        out.write("[]\n" if before == "[" else "\n]\n")
    paths[1].write_text(config(project, seen), encoding="utf-8", newline="\n")
    paths[2].write_text(instructions(project), encoding="utf-8", newline="\n")
    return paths


# -- the labeling interface


def config(project: Project, seen: Iterable[str] = ()) -> str:
    """The labeling interface as XML; `seen` are the labels of the answers, for a guideline that names none."""
    controls = _CONTROLS[project.kind](project, sorted(seen))
    above = controls if project.kind in ("spans", "relations") else []
    inside = [
        f'<Header value={_quoted(_unread(project.title or project.name))} size="5"/>',
        *above,
        '<Text name="text" value="$text" valueType="text" saveTextResult="yes"/>',
        *([] if above else controls),
        f'<View style="{_BELOW}">',
        '  <Text name="assay_why" value="$assay_why" valueType="text"/>',
        "</View>",
    ]
    return "\n".join(["<View>", *(f"  {line}" for line in inside), "</View>", ""])


def _labels(project: Project, seen: list[str]) -> list[tuple[str, str]]:
    """Labels with what is told of them: those of the guideline, or the ones that were seen."""
    return [(label.name, _told(label)) for label in project.labels] or [(name, "") for name in seen]


def _told(label: Label) -> str:
    parts = [label.definition]
    parts += ["yes: " + "; ".join(label.examples)] if label.examples else []
    parts += ["no: " + "; ".join(label.counter_examples)] if label.counter_examples else []
    return "\n".join(part for part in parts if part)


def _choices(project: Project, seen: list[str]) -> list[str]:
    labels = _labels(project, seen)
    search = '<Filter name="assay_filter" toName="assay_labels" minlength="0" placeholder="find a label"/>'
    how, must = ("multiple", "") if project.multiple else ("single", ' required="true"')
    return [
        *([search] if len(labels) > FILTERED_LABELS else []),
        f'<Choices name="assay_labels" toName="text" choice="{how}"{must}>',
        *("  " + _one(label, "Choice") for label in labels),
        "</Choices>",
    ]


def _relations(project: Project, seen: list[str]) -> list[str]:
    kinds = [(label.name, "") for label in project.labels] or [(name[1:], "") for name in seen if name[:1] == ">"]
    ends = [(name, "") for name in project.entity_labels or sorted(marks(project, seen))]
    related = ["<Relations>", *("  " + _one(kind, "Relation") for kind in kinds), "</Relations>"]
    return [*_marks(ends), *related]


def _marks(labels: list[tuple[str, str]]) -> list[str]:
    search = '<Filter name="assay_filter" toName="assay_spans" minlength="0" placeholder="find a label"/>'
    return [
        *([search] if len(labels) > FILTERED_LABELS else []),
        '<Labels name="assay_spans" toName="text">',
        *("  " + _one(label, "Label") for label in labels),
        "</Labels>",
    ]


def _one(label: tuple[str, str], tag: str) -> str:
    """A label; where its name would be read as a field of the task ($x), what is shown is kept apart from it."""
    name, told = label
    if not name or _ILLEGAL.search(name):
        raise AssayError(f"label {name!r:.60}", "XML cannot hold it", "give it another name in the guideline")
    shown = _unread(name)
    parts = [f"value={_quoted(shown)}", *([f"alias={_quoted(name)}"] if shown != name else [])]
    parts += [f"hint={_quoted(told)}"] if told else []
    return f"<{tag} {' '.join(parts)}/>"


def _unread(text: str) -> str:
    """Text that is shown as it is, with an invisible mark after each `$` that would be read as a field of the task."""
    return _FIELD.sub("$\u2060", text)


def _rating(project: Project, _: list[str]) -> list[str]:
    if stars := _stars(project):
        return [f'<Rating name="assay_rating" toName="text" maxRating="{stars}" required="true"/>']
    ends = (("min", project.low), ("max", project.high))
    bounds = "".join(f' {name}="{value:g}"' for name, value in ends if value is not None)
    return [f'<Number name="assay_rating" toName="text"{bounds} required="true"/>']


def _stars(project: Project) -> int:
    """How many stars stand for the scale, 0 where a number is asked for."""
    high = project.high or 0
    return int(high) if project.low == 1 and high == int(high) and high <= STARS else 0


def _reply(*_: object) -> list[str]:
    return ['<TextArea name="assay_reply" toName="text" rows="6" maxSubmissions="1" editable="true"/>']


def _spans(project: Project, seen: list[str]) -> list[str]:
    return _marks(_labels(project, seen))


def _quoted(text: str) -> str:
    return quoteattr(_ILLEGAL.sub("\ufffd", text), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


_CONTROLS: dict[Kind, Callable[[Project, list[str]], list[str]]] = {
    "labels": _choices,
    "spans": _spans,
    "relations": _relations,
    "rating": _rating,
    "text": _reply,
}


def instructions(project: Project) -> str:
    """The guideline as HTML that shows when a person begins: what it says, and each label with its examples."""
    paragraphs = [part for part in re.split(r"\n\s*\n", project.instructions) if part.strip()]
    parts = [f"<h3>{escape(project.title or project.name)}</h3>", f"<p>Guideline {escape(project.guideline)}</p>"]
    parts += [f"<p>{escape(visible(part)).replace(chr(10), '<br>')}</p>" for part in paragraphs]
    told = [(label.name, _told(label)) for label in project.labels]
    listed = [
        f"<li><b>{escape(visible(name))}</b> {escape(visible(said)).replace(chr(10), '<br>')}</li>"
        for name, said in told
    ]
    return "\n".join([*parts, *(["<ul>", *listed, "</ul>"] if listed else []), ""])


# -- tasks


def marks(project: Project, seen: Iterable[str]) -> set[str]:
    """The labels that texts or stretches of them are given in this project: of relations, those of their ends."""
    if project.kind == "relations":
        return set(project.entity_labels) or {name for name in seen if not name.startswith(">")}
    return {label.name for label in project.labels} or set(seen)


def vocabulary(project: Project, item: Item) -> set[str]:
    """The labels that an item uses; kinds of relation begin with `>`."""
    if project.kind == "labels":
        return set(item.answer or ())
    if project.kind == "spans":
        return {label for _, _, label in item.answer or ()}
    if project.kind == "relations":
        return {label for _, _, label in item.entities} | {f">{label}" for _, _, label in item.answer or ()}
    return set()


def task(project: Project, item: Item) -> dict[str, Any]:
    """One task as Label Studio imports it; the row's id, the round and what is asked travel in its data."""
    results, left = _suggested(project, item)
    sure = item.confidence if item.answer is not None else None
    why = [*item.reasons, *left, *(f"{name}: {value}" for name, value in sorted(item.about.items()))]
    why += [f"confidence: {sure:.2f}"] if sure is not None else []
    data = {
        "text": item.text,
        "assay_row": item.row,
        "assay_round": project.name,
        "assay_asked": project.kind,
        "assay_guideline": project.guideline,
        "assay_reasons": "; ".join(item.reasons),
        "assay_confidence": sure,
        "assay_why": "\n".join(visible(line) for line in why),
    }
    if project.round:
        data["assay_sent"] = project.round
    if item.answer is None and not item.entities:
        return {"data": data}
    return {"data": data, "predictions": [{"model_version": MODEL, "score": sure, "result": results}]}


def _suggested(project: Project, item: Item) -> tuple[list[dict[str, Any]], list[str]]:
    """The suggestion as results, and in words what of it the guideline or the text has no place for."""
    known = {label.name for label in project.labels}
    if project.kind == "relations":
        return _related(project, item, known)
    if item.answer is None:
        return [], []
    if project.kind == "spans":
        return _regions(item.answer, item.text, known)
    if project.kind == "labels":
        named = [label for label in item.answer if not known or label in known]
        results = [_result("assay_labels", "choices", {"choices": named})] if named else []
        return results, [f"suggested but not in the guideline: {label}" for label in item.answer if label not in named]
    if project.kind == "rating":
        return _rated(project, item.answer)
    return [_result("assay_reply", "textarea", {"text": [item.answer]})], []


def _rated(project: Project, answer: float) -> tuple[list[dict[str, Any]], list[str]]:
    if not _stars(project):
        return [_result("assay_rating", "number", {"number": answer})], []
    if answer != int(answer):
        return [], [f"suggested: {answer:g}"]
    return [_result("assay_rating", "rating", {"rating": int(answer)})], []


def _related(project: Project, item: Item, known: set[str]) -> tuple[list[dict[str, Any]], list[str]]:
    ends = set(project.entity_labels)
    regions, left = _regions(item.entities, item.text, ends)
    there = {one["id"] for one in regions}
    for head, tail, label in item.answer or ():
        if {f"a{head}", f"a{tail}"} <= there and (not known or label in known):
            told = {"from_id": f"a{head}", "to_id": f"a{tail}", "direction": "right", "labels": [label]}
            regions.append({"type": "relation", **told})
        else:
            left.append(f"suggested but not shown: {label} between {head} and {tail}")
    return regions, left


def _regions(spans: Iterable[Any], text: str, known: set[str]) -> tuple[list[dict[str, Any]], list[str]]:
    results, left = [], []
    for at, (start, end, label) in enumerate(spans):
        if 0 <= start < end <= len(text) and (not known or label in known):
            value = {"start": start, "end": end, "text": text[start:end], "labels": [label]}
            results.append(_result("assay_spans", "labels", value, f"a{at}"))
        else:
            left.append(f"suggested but not shown: {label} at {start}:{end}")
    return results, left


def _result(name: str, type: str, value: dict[str, Any], id: str = "a0") -> dict[str, Any]:
    return {"id": id, "from_name": name, "to_name": "text", "type": type, "value": value}
