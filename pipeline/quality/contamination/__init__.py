"""Contamination: which held-out items stand in which texts, by their n-grams, and which n-grams are nobody's own."""

from __future__ import annotations

from pipeline.quality.contamination.index import Index, build, opened
from pipeline.quality.contamination.items import Items, add, is_named, leaves
from pipeline.quality.contamination.matching import Hits, best, search
from pipeline.quality.contamination.selftest import LEAST, Proof, prove
from pipeline.quality.contamination.units import Size
from pipeline.quality.contamination.verdict import Finding, Verdict, judged, words

__all__ = [
    "LEAST",
    "Finding",
    "Hits",
    "Index",
    "Items",
    "Proof",
    "Size",
    "Verdict",
    "add",
    "best",
    "build",
    "is_named",
    "judged",
    "leaves",
    "opened",
    "prove",
    "search",
    "words",
]
