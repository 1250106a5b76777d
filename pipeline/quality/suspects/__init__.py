"""Suspects: which answers look wrong to models that never saw them, and to the rows most like them."""

from __future__ import annotations

from pipeline.quality.suspects.confident import Suspicion, suspicion
from pipeline.quality.suspects.quick import out_of_fold, out_of_fold_sets

__all__ = ["Suspicion", "out_of_fold", "out_of_fold_sets", "suspicion"]
