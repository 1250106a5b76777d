"""What can be typed: the command line, a file for each kind of command, in the order in which they are listed."""

# isort: off
from pipeline.commands import building
from pipeline.commands import asking
from pipeline.commands import deciding
from pipeline.commands import reviewing
from pipeline.commands import exchanging
from pipeline.commands import decontaminating
from pipeline.commands import versioning
from pipeline.commands import storing
# isort: on

__all__ = [
    "asking", "building", "deciding", "decontaminating", "exchanging", "reviewing", "storing", "versioning"
]  # fmt: skip
