"""Reviewed: what the lines that people have judged so far show of those that nobody has looked at yet."""

from __future__ import annotations

from pipeline.quality.reviewed.agreeing import agreement
from pipeline.quality.reviewed.bias import Bias, bias
from pipeline.quality.reviewed.dealing import dealt
from pipeline.quality.reviewed.pace import Cost, Pace, cost_so_far, pace
from pipeline.quality.reviewed.precision import Point, always, curve, wilson
from pipeline.quality.reviewed.recalibrating import Recalibrated, recalibrate
from pipeline.quality.reviewed.remaining import Left, left, rate
from pipeline.quality.reviewed.stopping import Block, Next, Stop, next_cost, stop
from pipeline.quality.reviewed.weighing import weights

__all__ = [
    "Bias", "Block", "Cost", "Left", "Next", "Pace", "Point", "Recalibrated", "Stop", "agreement", "always", "bias",
    "cost_so_far", "curve", "dealt", "left", "next_cost", "pace", "rate", "recalibrate", "stop", "weights", "wilson",
]  # fmt: skip
