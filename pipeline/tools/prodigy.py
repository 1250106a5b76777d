"""Prodigy: tasks for its manual views with our answers set, and what db-out gives, all that was said of a text at once.

Written from its documentation (prodi.gy/docs/api-interfaces, 1.11 to 1.18) and its published example data sets; the
tool itself is not free to install. Offsets count code points. Binary answers judge one suggestion: accepted, they
say it; rejected, they say no more than that it is wrong.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError, Unfit
from pipeline.text import units
from pipeline.tools import entry as said
from pipeline.tools.prodigy_answers import told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from pipeline.fetch import RawFile
    from pipeline.readers.record import Broken, ReadOptions, Record
    from pipeline.tools.item import Item, Kind, Project

TASKS: frozenset[Kind] = frozenset(("labels", "spans", "relations", "rating", "text"))
REPLY = "reply"
MOST_RATINGS = 30
_OURS = frozenset(("text", "meta", "spans", "relations", "label", "answer", "row_id", "asked", "config", "html"))
_CHOICE = frozenset(("options", "accept", "field_id", "field_rows", "field_autofocus", "field_label"))


# -- out


def write(project: Project, items: Iterable[Item], folder: Path) -> list[Path]:
    """tasks.jsonl, prodigy.json with labels and what may be chosen, and the command to start with.

    Every task has its own tokens, so that all spans begin and end with one. Prodigy makes the hashes.

    Raises:
        AssayError: the ratings are not few whole numbers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    options = _options(project)
    tasks, config, readme = folder / "tasks.jsonl", folder / "prodigy.json", folder / "README.md"
    with tasks.open("w", encoding="ascii", newline="\n") as out:
        for item in items:
            out.write(said.line(_task(project, item, options)))
    config.write_text(json.dumps(_config(project), indent=2) + "\n", encoding="ascii", newline="\n")
    readme.write_text(_readme(project), encoding="utf-8", newline="\n")
    return [tasks, config, readme]


def _options(project: Project) -> list[dict[str, str]]:
    if project.kind == "labels":
        return [{"id": label.name, "text": label.name} for label in project.labels]
    return [{"id": str(number), "text": str(number)} for number in ratings(project)] if project.kind == "rating" else []


def ratings(project: Project, most: int = MOST_RATINGS) -> range:
    """The whole numbers that may be given; raises AssayError where they are not few."""
    low, high = project.low, project.high
    if low is None or high is None or low % 1 or high % 1 or high - low >= most:
        problem = f"ratings from {low} to {high} cannot be put up as buttons"
        raise AssayError(f"'{project.name}'", problem, f"give whole bounds less than {most} apart, or use a sheet")
    return range(int(low), int(high) + 1)


def _task(project: Project, item: Item, options: list[dict[str, str]]) -> dict[str, Any]:
    meta: dict[str, Any] = {**dict(item.about), "guideline": project.guideline}
    if project.round:
        meta[said.SENT_IN] = project.round
    if item.confidence is not None:
        meta["confidence"] = round(item.confidence, 3)
    if item.reasons:
        meta["why"] = "; ".join(item.reasons)
    task = {"text": item.text, "row_id": item.row, "asked": project.kind, "meta": meta}
    return {**task, **_asked(project, item, options)}


def _asked(project: Project, item: Item, options: list[dict[str, str]]) -> dict[str, Any]:
    answer = item.answer
    if project.kind in ("labels", "rating"):
        given = answer if isinstance(answer, list) else [] if answer is None else [_spelled(answer)]
        return {"options": options, "accept": given}
    if project.kind == "text":
        return {"field_id": REPLY, "field_rows": 5, "field_autofocus": True, REPLY: answer or ""}
    marked = item.entities if project.kind == "relations" else answer or []
    tokens = tokenised(item.text, marked)
    spans = [_span(tokens, start, end, label) for start, end, label in marked]
    if project.kind == "spans":
        return {"tokens": tokens, "spans": spans}
    links = [_relation(spans[head], spans[tail], label) for head, tail, label in answer or []]
    return {"tokens": tokens, "spans": spans, "relations": links}


def _spelled(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value % 1 == 0 else str(value)


def tokenised(text: str, spans: Iterable[Any]) -> list[dict[str, Any]]:
    """Tokens as Prodigy has them: words, characters of unspaced scripts and marks, cut where a span begins or ends.

    >>> [token["text"] for token in tokenised("Bonn/Rome", [[0, 6, "LOC"]])]
    ['Bonn', '/', 'R', 'ome']
    """
    marked = [(start, end) for start, end, _ in spans]
    begins, ends = {start for start, _ in marked}, {end for _, end in marked}
    cuts = sorted({0, len(text), *(edge for pair in (*marked, *units(text)) for edge in pair)})
    tokens: list[dict[str, Any]] = []
    for start, end in pairwise(cuts):
        is_gap = text[start:end] == " " and start not in begins and end not in ends
        if is_gap and tokens and not tokens[-1]["ws"]:
            tokens[-1]["ws"] = True
        else:
            tokens.append({"text": text[start:end], "start": start, "end": end, "id": len(tokens), "ws": False})
    return tokens


def _span(tokens: list[dict[str, Any]], start: int, end: int, label: str) -> dict[str, Any]:
    inside = [token["id"] for token in tokens if start <= token["start"] and token["end"] <= end]
    ends = {"token_start": inside[0], "token_end": inside[-1]}
    return {"start": start, "end": end, **ends, "label": label}


def _relation(head: dict[str, Any], tail: dict[str, Any], label: str) -> dict[str, Any]:
    ends = {"head": head["token_end"], "child": tail["token_end"], "head_span": head, "child_span": tail}
    return {**ends, "label": label}


def _config(project: Project) -> dict[str, Any]:
    names = [label.name for label in project.labels]
    config: dict[str, Any] = {"instructions": "README.md", "show_flag": True, "feed_overlap": True}
    if project.kind == "relations":
        return {**config, "labels": names, "relations_span_labels": list(project.entity_labels)}
    if project.kind == "spans":
        return {**config, "labels": names}
    if project.kind == "text":
        return {**config, "blocks": [{"view_id": "text"}, {"view_id": "text_input", "field_id": REPLY}]}
    return {**config, "choice_style": "multiple" if project.multiple else "single"}


def _readme(project: Project) -> str:
    names = ",".join(label.name for label in project.labels)
    ends = ",".join(project.entity_labels)
    recipes = {
        "spans": f"spans.manual {project.name} blank:xx tasks.jsonl --label {names!r}",
        "relations": f"rel.manual {project.name} blank:xx tasks.jsonl --label {names!r} --span-label {ends!r} --wrap",
    }
    view = "blocks" if project.kind == "text" else "choice"
    recipe = recipes.get(project.kind, f"mark {project.name} tasks.jsonl --view-id {view}")
    labels = "".join(f"* **{one.name}**: {one.definition}\n" for one in project.labels if one.definition)
    return (
        f"# {project.title or project.name}\n\nGuideline {project.guideline}.\n\n{project.instructions}\n\n{labels}\n"
        f"## In Prodigy\n\nIn this folder: `prodigy {recipe}`; each person opens `/?session=NAME`.\n"
        f"Give back what `prodigy db-out {project.name} > answers.jsonl` writes. The tasks have tokens of their\n"
        "own, so no language model is needed; where no spans overlap, `ner.manual` takes them too.\n"
    )


# -- in


def read(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """The texts of a db-out file, each once, with all that was said of it in the order of the file.

    `fields` have `id` (the row that went out, else the input hash), `text`, `annotations`, and the metadata beside
    them. An answer to one suggestion has `part` (a label, or start:end), `verdict` fine or wrong and, if it was
    rejected, `rejected`. Texts that nobody has answered have no annotations.
    """
    return said.grouped(lambda: said.shaped(said.json_records(raw, options), _shape))


def _shape(given: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    if "text" not in given:
        seen = ", ".join(list(map(str, given))[:8])
        kind = "a match pattern" if "pattern" in given else "no text, so no task about one"
        raise Unfit("wrong_columns", f"{kind} (it has {seen})")
    text = said.text_of(given)
    fields: dict[str, Any] = {"text": text, "annotations": []}
    meta = given["meta"] if isinstance(given.get("meta"), dict) else {}
    ids = (said.name_of(one) for one in (given.get("row_id"), meta.get("row_id"), given.get("_input_hash")))
    if id_ := next((one for one in ids if one), None):
        fields = {"id": id_, **fields}
    notes: list[str] = []
    if "answer" in given:
        who = said.name_of(given.get("_annotator_id")) or said.name_of(given.get("_session_id"))
        what = told(text, given)
        if what.get("status") == "skipped":
            notes.append(f"{given['answer']}ed: no answer" if given["answer"] == "reject" else "ignored: no answer")
        fields["annotations"] = [said.entry(who, time=_time(given.get("_timestamp")), **what)]
    about = {name: value for name, value in given.items() if not str(name).startswith("_")}
    hidden = {*_OURS, *_CHOICE, str(given.get("field_id"))}
    rest = {name: value for name, value in {**about, **meta}.items() if name not in hidden}
    return said.beside(fields, rest), tuple(notes)


def _time(stamp: Any) -> str | None:
    if not isinstance(stamp, int | float) or not 0 < stamp < 1e11:
        return None
    return datetime.fromtimestamp(stamp, tz=UTC).isoformat()
