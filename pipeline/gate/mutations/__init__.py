"""Mutations: for every gate one fault that must trip it."""

from pipeline.gate.mutations import builds, rows, sides
from pipeline.gate.mutations.fault import FURTHER, MUTATIONS, Mutation

__all__ = ["FURTHER", "MUTATIONS", "Mutation", "builds", "rows", "sides"]
