"""Twins: rows that were asked the same or nearly the same, what they answer, and what becomes of them."""

from pipeline.quality.duplicates import PAIRS
from pipeline.twinning.asked import laid_aside
from pipeline.twinning.copies import TEXT_RULES, pooled, read, spread
from pipeline.twinning.elsewhere import Known, known_elsewhere
from pipeline.twinning.embedding import inputs
from pipeline.twinning.guarding import guard
from pipeline.twinning.search import Found, Spoken, compare, told

__all__ = [
    "PAIRS", "TEXT_RULES", "Found", "Known", "Spoken", "compare", "guard", "inputs", "known_elsewhere", "laid_aside",
    "pooled", "read", "spread", "told",
]  # fmt: skip
