"""Ties: what may not stand on two sides, as rows that meet in nodes: a group, a text, a key of their task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipeline.quality.kin import Keyed

    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

NOBODY = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Ties:
    """Rows are tied where they are linked to one node, or to two nodes that are near one another.

    Attributes:
        rows: how many there are.
        row, node: int64[links].
        left, right: int64[edges], nodes (texts) that are near one another.
        group, text: the first nodes that are texts and keys; those before are groups.
        names: of the groups and of the keys, by node.
    """

    rows: int
    row: Ints
    node: Ints
    left: Ints
    right: Ints
    text: int
    key: int
    nodes: int
    groups: pa.Array
    keys: pa.Array

    @classmethod
    def of(cls, groups: Keyed, text: Ints, near: tuple[Ints, Ints], keys: Keyed) -> Ties:
        """The ties of rows by the names of their groups, the first row that has their text (int64[rows]), pairs of
        rows whose texts are near, and keys."""
        rows, first_text = len(text), len(groups.names)
        first_key = first_text + rows
        row = np.concatenate([groups.row, np.arange(rows), keys.row])
        node = np.concatenate([groups.code, first_text + text, first_key + keys.code])
        edges = np.unique(
            np.stack([np.minimum(text[near[0]], text[near[1]]), np.maximum(text[near[0]], text[near[1]])]), axis=1
        )
        left, right = first_text + edges[:, edges[0] != edges[1]]
        nodes = first_key + len(keys.names)
        # A node of one row that is near no other ties nothing: most are, and need not be looked at again.
        met = np.bincount(node, minlength=nodes) > 1
        met[left], met[right] = True, True
        kept = met[node]
        return cls(rows, row[kept], node[kept], left, right, first_text, first_key, nodes, groups.names, keys.names)

    def touched(self, mask: Ints) -> Ints:
        """Per row the bits (of `mask`, int64[rows]) of all rows that it is tied to, itself among them: int64[rows]."""
        at_node = np.zeros(self.nodes, dtype=np.int64)
        np.bitwise_or.at(at_node, self.node, mask[self.row])
        around = at_node.copy()
        np.bitwise_or.at(around, self.left, at_node[self.right])
        np.bitwise_or.at(around, self.right, at_node[self.left])
        found = mask.copy()
        np.bitwise_or.at(found, self.row, around[self.node])
        return found

    def components(self, active: Flags) -> Ints:
        """The lowest row that each row hangs together with over tied rows that are `active` (bool[rows]): int64[rows].

        Rows that are not active stand for themselves.
        """
        kept = active[self.row]
        there = np.zeros(self.nodes, dtype=bool)
        there[self.node[kept]] = True
        between = there[self.left] & there[self.right]
        one = np.concatenate([self.row[kept], self.rows + self.left[between]])
        other = np.concatenate([self.rows + self.node[kept], self.rows + self.right[between]])
        # Rows come before nodes, so the first member of a component is a row, wherever it has one.
        return joined(self.rows + self.nodes, one, other)[: self.rows]

    def witnesses(self, rows: Ints, among: Flags) -> list[tuple[int, str]]:
        """For each of `rows` the first row of those `among` (bool[rows]) that it is tied to, and by what, in words.

        (-1, "") where it is tied to none.
        """
        first = np.full(self.nodes, NOBODY)
        chosen = among[self.row]
        np.minimum.at(first, self.node[chosen], self.row[chosen])
        around = np.full(self.nodes, NOBODY)
        np.minimum.at(around, self.left, first[self.right])
        np.minimum.at(around, self.right, first[self.left])
        order = np.argsort(self.row, kind="stable")
        starts = np.searchsorted(self.row[order], [rows, rows + 1])
        return [
            self._witness(self.node[order[start:end]].tolist(), first, around)
            for start, end in zip(*starts.tolist(), strict=True)
        ]

    def _witness(self, nodes: Sequence[int], first: Ints, around: Ints) -> tuple[int, str]:
        direct = min(((int(first[node]), node) for node in nodes), default=(NOBODY, 0))
        if direct[0] < NOBODY:
            return direct[0], self._words(direct[1])
        near = min((int(around[node]) for node in nodes), default=NOBODY)
        return (near, "says nearly the same as") if near < NOBODY else (-1, "")

    def _words(self, node: int) -> str:
        if node < self.text:
            return f"is of the group '{self.groups[node].as_py()}' like"
        return "says the same as" if node < self.key else f"shares '{self.keys[node - self.key].as_py()}' with"


def joined(rows: int, left: Ints, right: Ints) -> Ints:
    """The lowest row that each row hangs together with over any chain of pairs: int64[rows]."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(left), dtype=np.int8), (left, right)), shape=(rows, rows))
    _, component = connected_components(graph, directed=False)
    _, first, place = np.unique(component, return_index=True, return_inverse=True)
    return np.asarray(first[place.reshape(-1)], dtype=np.int64)


def texts(keys: pa.ChunkedArray) -> Ints:
    """The first row that has the same key as each row: int64[rows]."""
    encoded = pc.dictionary_encode(keys.combine_chunks())
    codes = np.asarray(encoded.indices).astype(np.int64)
    _, first, place = np.unique(codes, return_index=True, return_inverse=True)
    return np.asarray(first[place.reshape(-1)], dtype=np.int64)
