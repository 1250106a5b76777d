"""Annotators: how good each is beside the others, and what speaks for answers given blindly, copied or in a hurry."""

from __future__ import annotations

from pipeline.quality.annotators.cards import MOST_CARDS, Card, Study, cards, study
from pipeline.quality.annotators.measures import Columns

__all__ = ["MOST_CARDS", "Card", "Columns", "Study", "cards", "study"]
