"""Consensus: one label or number per unit out of several annotators' ballots, with how sure that is."""

from pipeline.quality.consensus.blend import calibrated
from pipeline.quality.consensus.choice import METHODS, Choice, Score, choose
from pipeline.quality.consensus.dawid_skene import dawid_skene
from pipeline.quality.consensus.kinds import kinds
from pipeline.quality.consensus.majority import majority
from pipeline.quality.consensus.model import Joined, with_model
from pipeline.quality.consensus.one_coin import one_coin, shared_errors
from pipeline.quality.consensus.ordinal import ordinal
from pipeline.quality.consensus.ratings import Ratings, ratings
from pipeline.quality.consensus.straight import straight_liners
from pipeline.quality.consensus.truth import Truth

__all__ = [
    "METHODS",
    "Choice",
    "Joined",
    "Ratings",
    "Score",
    "Truth",
    "calibrated",
    "choose",
    "dawid_skene",
    "kinds",
    "majority",
    "one_coin",
    "ordinal",
    "ratings",
    "shared_errors",
    "straight_liners",
    "with_model",
]
