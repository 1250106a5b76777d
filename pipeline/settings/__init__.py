"""The settings of every stage as a recipe spells them: frozen, unknown keys refused, units in the names."""

from __future__ import annotations

from pydantic import Field

from pipeline.settings.deciding import AuditSettings, AugmentSettings, EditSettings, SplitSettings, WipeOutSettings
from pipeline.settings.finishing import FinetuneSettings, GateSettings, PlanSettings, ReviewSettings, VersionSettings
from pipeline.settings.guideline import Guideline, Label
from pipeline.settings.reading import (
    ABOUT,
    ANSWER_PARTS,
    ROW_PARTS,
    Against,
    AnswerSource,
    Format,
    IngestSettings,
    Reading,
    RowSource,
    Source,
)
from pipeline.settings.section import Name, Settings, Share


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
    review: ReviewSettings = ReviewSettings()
    versions: VersionSettings = VersionSettings()


__all__ = [
    "ABOUT",
    "ANSWER_PARTS",
    "ROW_PARTS",
    "Against",
    "AnswerSource",
    "AuditSettings",
    "AugmentSettings",
    "EditSettings",
    "FinetuneSettings",
    "Format",
    "GateSettings",
    "Guideline",
    "IngestSettings",
    "Label",
    "Name",
    "PlanSettings",
    "Reading",
    "RecipeSettings",
    "ReviewSettings",
    "RowSource",
    "Settings",
    "Share",
    "Source",
    "SplitSettings",
    "VersionSettings",
    "WipeOutSettings",
]
