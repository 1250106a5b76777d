"""Agreement: how far annotators agree, by every measure that fits, with intervals, and what to make of it."""

from __future__ import annotations

from pipeline.quality.agreement.alpha import alpha, alpha_by_label, by, by_unit_name
from pipeline.quality.agreement.answers import Answers
from pipeline.quality.agreement.distances import interval, nominal, ordinal, ratio
from pipeline.quality.agreement.duos import duos, linear_weights
from pipeline.quality.agreement.figures import Agreement, Figure
from pipeline.quality.agreement.kappas import kappas, percent_agreement
from pipeline.quality.agreement.measured import Measured, measure
from pipeline.quality.agreement.others import against_others
from pipeline.quality.agreement.tables import Sets

__all__ = [
    "Agreement", "Answers", "Figure", "Measured", "Sets", "against_others", "alpha", "alpha_by_label", "by",
    "by_unit_name", "duos", "interval", "kappas", "linear_weights", "measure", "nominal", "ordinal",
    "percent_agreement", "ratio",
]  # fmt: skip
