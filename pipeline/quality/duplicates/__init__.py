"""Duplicates: which texts say the same thing, by exact keys and by near pairs with their evidence."""

from pipeline.quality.duplicates.clustering import SAME, canonical, clusters, components
from pipeline.quality.duplicates.evidence import KINDS, PAIRS, Found
from pipeline.quality.duplicates.near import NearPairs, near_pairs
from pipeline.quality.duplicates.pairing import pairs
from pipeline.quality.duplicates.semantic import semantic_pairs
from pipeline.quality.duplicates.signing import SHORTEST_SPACED, SHORTEST_UNSPACED, SIGNED, signed

__all__ = [
    "KINDS",
    "PAIRS",
    "SAME",
    "SHORTEST_SPACED",
    "SHORTEST_UNSPACED",
    "SIGNED",
    "Found",
    "NearPairs",
    "canonical",
    "clusters",
    "components",
    "near_pairs",
    "pairs",
    "semantic_pairs",
    "signed",
]
