"""WebAnno TSV 3: a document for every item, for INCEpTION and WebAnno, and their exports read back.

See `pipeline.tools.webanno_three` for what the format was checked against; no server of INCEpTION was at hand.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError, Unfit
from pipeline.readers.lines import chunks
from pipeline.tools import webanno_two
from pipeline.tools.bundle import INDEX, Names, Reading, decoded, merged, opened, record, refused, row_of
from pipeline.tools.webanno_page import ENTITY, RELATION, ROW, Page
from pipeline.tools.webanno_three import NOTHING, Document, Laid, Layer, Marked, laid, marked, parsed, related

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from pipeline.fetch import RawFile
    from pipeline.readers.record import Broken, ReadOptions, Record
    from pipeline.settings import Label
    from pipeline.tools.item import Item, Kind, Project

TASKS: frozenset[Kind] = frozenset({"spans", "relations"})
"""Labels of a document are no part of the format: INCEpTION's document metadata is not written to TSV."""
TSV = ".tsv"
CURATOR, BLANK = "CURATION_USER", "INITIAL_CAS"
SHOWN_PROBLEMS = 5
_OF_TOKENS = frozenset({"POS", "Lemma", "Stem", "MorphologicalFeatures", "SurfaceForm"})
_FAVOURED = ("value", "label")

# -- reading


def read(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    """The document of a .tsv file, or those of an export: a folder, a zip or a tar file.

    In `annotation/DOCUMENT/USER.tsv` and `curation/DOCUMENT/CURATION_USER.tsv`, as INCEpTION exports a project, the
    file is named after its annotator; the curated state is an annotator of its own, CURATION_USER, and what a document
    was before anybody worked on it (INITIAL_CAS, or `source/DOCUMENT`) is none. A document that we wrote is one record
    with its row's id; any other is one for each sentence, or with `row_per` for the document. The spans are those of
    the layer named in `names` ("NamedEntity", "NamedEntity|value"), else of NamedEntity, else of the first layer of
    spans; the relations are those between them. Other layers are told in the notes. Offsets are converted to code
    points and checked.
    """
    if raw.name.endswith(TSV):
        yield from _single(raw, options)
        return
    with opened(raw, (TSV,)) as bundle:
        documents: dict[str, list[str]] = defaultdict(list)
        for name in _answered(bundle.names):
            documents[_layout(name)[0]].append(name)
        for document in sorted(documents):
            read_ones = [
                one for name in documents[document] for one in _readings(bundle.where(name), bundle.read(name), options)
            ]
            yield from (one for one in read_ones if not isinstance(one, Reading))
            by_id: dict[str, list[Reading]] = defaultdict(list)
            for one in read_ones:
                if isinstance(one, Reading):
                    by_id[one.id].append(one)
            for several in by_id.values():
                yield from merged(several)


def _answered(names: list[str]) -> list[str]:
    """The names without the documents as they were imported, which a project's export holds as well."""
    told = any(_layout(name)[1] for name in names)
    return [name for name in names if not (told and PurePosixPath(name).parent.name == "source")]


def _single(raw: RawFile, options: ReadOptions) -> Iterator[Record | Broken]:
    where = raw.name if raw.members or raw.path is None else raw.path.absolute().as_posix()
    for one in _readings(raw.name, b"".join(chunks(raw)), options, where=where):
        yield record([one]) if isinstance(one, Reading) else one


def _layout(name: str) -> tuple[str, str | None]:
    """The document and the annotator that the place of a file tells."""
    *folders, file = name.replace("!", "/").split("/")
    stem = file.removesuffix(TSV)
    told = len(folders) > 1 and folders[-2] in ("annotation", "curation")
    if told or stem in (CURATOR, BLANK) or (folders and folders[-1].endswith(TSV)):
        return folders[-1].removesuffix(TSV) if folders else stem, stem
    return stem, None


def _readings(place: str, data: bytes, options: ReadOptions, *, where: str = "") -> Iterator[Reading | Broken]:
    """What one file says of its document, or of each of its sentences; `where` it lies tells more than its place."""
    try:
        text, notes = decoded(data, options)
        text = text.removeprefix("\ufeff")
        document = webanno_two.parsed(text) if webanno_two.is_two(text.partition("\n")[0]) else parsed(text)
        whole, more = laid(document)
    except Unfit as unfit:
        yield refused(f"{place}:1", unfit, data.decode("utf-8", "backslashreplace"))
        return
    name, annotator = _layout(where or place)
    folder = PurePosixPath(place.replace("!", "/")).parent.as_posix()
    told = Told(document, whole, options)
    said = told.annotation()
    notes = (*notes, *more, *told.notes, *(("before anybody worked on it",) if annotator == BLANK else ()))
    ids = {sentence.id for sentence in document.sentences}
    own = next(iter(ids)) if len(ids) == 1 else ""
    about: dict[str, Any] = {"folder": "" if folder == "." else folder, "annotator": annotator, "notes": notes}
    about["fixed"] = own.startswith(ROW)
    if own.startswith(ROW) or options.row_per == "document":
        row = own.removeprefix(ROW) if own.startswith(ROW) else row_of(name, {})
        yield Reading(f"{place}:1", row, whole.text, None if annotator == BLANK else said, **about)
        return
    for number, (line, start, end) in enumerate(_sentences(document, whole), 1):
        cut = None if annotator == BLANK else _cut(said, start, end)
        yield Reading(f"{place}:{line}", f"{row_of(name, {})}#{number}", whole.text[start:end], cut, **about)


def _sentences(document: Document, whole: Laid) -> Iterator[tuple[int, int, int]]:
    """The line and the edges of every sentence."""
    for sentence, start in zip(document.sentences, whole.starts, strict=True):
        yield sentence.units[0].line if sentence.units else 1, start, start + len(sentence.text)


def _cut(said: dict[str, Any], start: int, end: int) -> dict[str, Any]:
    """What is said of one sentence; a span that goes over its end is a problem of each sentence it touches."""
    order: dict[int, int] = {}
    spans: list[dict[str, Any]] = []
    problems = [said["problem"]] if "problem" in said else []
    for at, one in enumerate(said["spans"]):
        if start <= one["start"] and one["end"] <= end:
            order[at] = len(spans)
            spans.append(one | {"start": one["start"] - start, "end": one["end"] - start})
        elif one["start"] < end and start < one["end"]:
            problems.append(
                f"{one['label']} at [{one['start']}, {one['end']}) of the document goes over a sentence's end"
            )
    inside = [one for one in said["relations"] if one["head"] in order or one["tail"] in order]
    kept = [one for one in inside if one["head"] in order and one["tail"] in order]
    if len(kept) < len(inside):
        problems.append(f"{len(inside) - len(kept)} relations go to another sentence")
    relations = [one | {"head": order[one["head"]], "tail": order[one["tail"]]} for one in kept]
    return {"spans": spans, "relations": relations} | ({"problem": "; ".join(problems)} if problems else {})


class Told:
    """What the layers of a document say, in code points of its text."""

    def __init__(self, document: Document, whole: Laid, options: ReadOptions) -> None:
        self.document, self.whole = document, whole
        self.notes: list[str] = []
        self.problems: list[str] = []
        self.wanted = (options.names or ("",))[0]
        self.layer, self.feature = self._chosen()

    def _chosen(self) -> tuple[Layer | None, str]:
        wanted, _, feature = self.wanted.partition("|")
        spans = [layer for layer in self.document.layers if layer.kind == "SP" and layer.features]
        fitting = (
            [layer for layer in spans if wanted in (layer.name, layer.short)] if wanted else sorted(spans, key=_rank)
        )
        if not fitting:
            self.notes += [f"there is no layer {wanted} in the header, so no spans"] if wanted else []
            return None, ""
        layer = fitting[0]
        if feature and feature not in layer.features:
            self.notes.append(f"the layer {layer.short} has no feature {feature}, so there are no spans")
            return None, ""
        return layer, feature or favoured(layer)

    def annotation(self) -> dict[str, Any]:
        """Spans and relations, and what does not fit as a problem."""
        found = marked(self.document, self.layer, self.feature) if self.layer else []
        places = [self._place(one) for one in found]
        kept = sorted((place, at) for at, place in enumerate(places) if place)
        order = {at: new for new, (_, at) in enumerate(kept)}
        spans = [{"start": a, "end": b, "label": found[at].label} for (a, b), at in kept]
        relations = list(self._relations(found, order))
        self._tell_others()
        more = len(self.problems) - SHOWN_PROBLEMS
        said = "; ".join(self.problems[:SHOWN_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
        return {"spans": spans, "relations": relations} | ({"problem": said} if said else {})

    def _place(self, one: Marked) -> tuple[int, int] | None:
        ends = [self.whole.place(unit) for unit in (one.units[0], one.units[-1])]
        where = f"line {one.units[0].line}: {one.label or 'a span'}"
        if ends[0] is None or ends[1] is None:
            self.problems.append(f"{where} at {one.units[0].begin}: the text there is not {one.units[0].surface!r:.40}")
            return None
        start, end = ends[0][0], ends[1][1]
        if one.label is None or start >= end:
            self.problems.append(f"{where} {'has no value' if one.label is None else 'is empty'}")
            return None
        return start, end

    def _relations(self, found: list[Marked], order: dict[int, int]) -> Iterator[dict[str, Any]]:
        for layer in self.document.layers:
            if self.layer is None or layer.kind != "RL" or layer.base != self.layer.name:
                continue
            for line, head, tail, label in related(self.document, layer, favoured(layer), found):
                if head in order and tail in order and label:
                    yield {"head": order[head], "tail": order[tail], "label": label}
                else:
                    lacks = "an end of it is no span that is kept" if label else "it has no value"
                    self.problems.append(f"line {line}: a relation {label}: {lacks}")

    def _tell_others(self) -> None:
        taken = {self.layer.name} if self.layer else set()
        for layer in self.document.layers:
            if layer.name in taken or (layer.kind == "RL" and layer.base in taken):
                continue
            columns = range(layer.first, layer.first + len(layer.columns))
            lines = sum(any(unit.cells[at] != NOTHING for at in columns) for unit in self.document.units)
            if lines:
                self.notes.append(f"not taken: layer {layer.short}, on {lines} tokens (the layer is named in 'names')")
        if self.layer and self.layer.name != ENTITY and not self.wanted:
            self.notes.append(
                f"the spans are those of the layer {self.layer.short}, feature {self.feature or '(none)'}"
            )


def _rank(layer: Layer) -> tuple[bool, bool, bool, int]:
    return layer.name != ENTITY, layer.short in _OF_TOKENS, layer.features == [""], layer.first


def favoured(layer: Layer) -> str:
    """The feature that holds a layer's labels: `value`, `label`, else its first; "" where it has none."""
    named = [name for name in _FAVOURED if name in layer.features]
    return [*named, *layer.features, ""][0]


# -- writing


def write(project: Project, items: Iterable[Item], folder: Path) -> list[Path]:
    """A .tsv for every item, the layers with their tag set for INCEpTION, the guideline, and an index.

    Import layers.json first (Settings, Layers), then the documents as WebAnno TSV v3.x. Spans are those of the layer
    NamedEntity. The row's id is the id of every sentence, and stands in the file's name; reasons and confidence stand
    in the index, for the format has no place for them, and so does what it cannot hold.

    Raises:
        AssayError: the format cannot ask this kind of question, or a row goes out twice.
    """
    if project.kind not in TASKS:
        raise AssayError(f"project '{project.name}'", f"WebAnno TSV cannot ask for {project.kind}", "take another tool")
    folder.mkdir(parents=True, exist_ok=True)
    paths: list[Path] = []
    names = Names()
    with (folder / INDEX).open("w", encoding="utf-8", newline="\n") as index:
        for item in items:
            name = names.take(item.row)
            page = Page(item, relations=project.kind == "relations")
            if page.tokens:
                paths.append(folder / f"{name}{TSV}")
                paths[-1].write_bytes(page.written().encode("utf-8"))
            about = {"file": name, "row": item.row, "confidence": item.confidence, "reasons": item.reasons}
            index.write(json.dumps(about | {"problems": page.problems, "about": dict(item.about)}) + "\n")
    about_all = []
    for file, content in configuration(project).items():
        about_all.append(folder / file)
        about_all[-1].write_bytes(content.encode("utf-8"))
    return [*about_all, folder / INDEX, *paths]


HOW = """# For whoever sets this up in INCEpTION

1. Settings, Layers: import layers.json (it holds the tag set as well).
2. Settings, Documents: import the .tsv files in the format WebAnno TSV v3.3.
3. When the work is done, Settings, Export: a backup of the project with WebAnno TSV v3.3 as secondary format; read
   back the zip file, or its folders `annotation` and `curation`. Who curated is the annotator CURATION_USER.

`items.jsonl` tells which file is which row, why it is looked at, and what the format could not hold.
"""


def configuration(project: Project) -> dict[str, str]:
    """The files that give INCEpTION the layers, the tags and annotators the guideline."""
    spans = project.kind == "spans"
    tags = _tag_set(project, project.labels) if spans else _tag_set(project, [], project.entity_labels)
    layers = [
        _layer(ENTITY, "Named entity", "span", [_feature("identifier", "Identifier"), _feature("value", "Value", tags)])
    ]
    layers[0]["built_in"] = True
    if not spans:
        feature = _feature("label", "Label", _tag_set(project, project.labels))
        layers.append(_layer(RELATION, "Relation", "relation", [feature]) | {"attach_type": {"name": ENTITY}})
    said = [f"- **{_one_line(label.name)}**: {_one_line(label.definition)}" for label in project.labels]
    title = f"# {_one_line(project.title or project.name)} (guideline {project.guideline})"
    return {
        "README.md": HOW,
        "layers.json": json.dumps(layers, indent=1, ensure_ascii=False) + "\n",
        "tagset.json": json.dumps(tags, indent=1, ensure_ascii=False) + "\n",
        "GUIDELINE.md": "\n\n".join(line for line in (title, project.instructions, *said) if line) + "\n",
    }


def _layer(name: str, shown: str, kind: str, features: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": name, "uiName": shown, "type": kind, "description": "", "enabled": True, "built_in": False,
        "readonly": False, "allow_stacking": True, "cross_sentence": True, "anchoring_mode": "CHARACTERS",
        "overlap_mode": "ANY_OVERLAP", "validation_mode": "ALWAYS", "features": features,
    }  # fmt: skip


def _feature(name: str, shown: str, tags: dict[str, Any] | None = None) -> dict[str, Any]:
    plain = {"name": name, "uiName": shown, "type": "uima.cas.String", "enabled": True, "visible": True,
             "multi_value_mode": "NONE", "link_mode": "NONE"}  # fmt: skip
    return plain | ({"tag_set": tags} if tags else {})


def _tag_set(project: Project, labels: Iterable[Label], names: Iterable[str] = ()) -> dict[str, Any]:
    told = [(label.name, label.definition) for label in labels] + [(name, "") for name in names]
    tags = [{"tag_name": name, "tag_description": said} for name, said in told]
    about = f"guideline {project.guideline}"
    kinds = " kinds" if names else ""
    return {"name": f"{project.name}{kinds}", "description": about, "language": "", "tags": tags, "create_tag": False}


def _one_line(said: str) -> str:
    return " ".join(said.split())
