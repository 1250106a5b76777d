"""A row leaves only for a canonical row that it is itself a duplicate of, whatever the order of the rows."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality.duplicates import Found, canonical, clusters, components

KEYS = st.lists(st.one_of(st.none(), st.sampled_from("abc")), max_size=20)
EDGES = st.lists(
    st.tuples(
        st.integers(0, 9), st.integers(0, 9), st.sampled_from(["similar", "misspelt", "contained"]), st.booleans()
    ),
    max_size=14,
)


def found(edges: list[tuple[int, int, str, bool]]) -> Found:
    return Found.listed([(a, b, kind, 0.1 + (a + b) / 20, said, "") for a, b, kind, said in edges if a != b])


@settings(deadline=None)
@given(KEYS)
def test_canonical_is_the_first_with_the_key(keys: list[str | None]) -> None:
    expected = [at if key is None else keys.index(key) for at, key in enumerate(keys)]
    assert canonical(pa.array(keys, pa.string())).tolist() == expected
    assert canonical(pa.chunked_array([keys[:3], keys[3:]], pa.string())).tolist() == expected


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=12))
def test_components_are_joined_by_chains_and_nothing_else(pairs: list[tuple[int, int]]) -> None:
    result = components(pairs, 10)
    assert all(result[one] == result[other] for one, other in pairs)
    assert all(result[row] <= row and result[result[row]] == result[row] for row in range(10))
    merges = 10 - len(set(result.tolist()))
    assert merges <= len({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})


@settings(deadline=None)
@given(EDGES, st.permutations(range(10)))
def test_only_direct_neighbours_leave(edges: list[tuple[int, int, str, bool]], rank: list[int]) -> None:
    stands = clusters(found(edges), np.array(rank)).tolist()
    near = {frozenset((a, b)) for a, b, kind, said in edges if said and kind != "contained" and a != b}
    for row, other in enumerate(stands):
        assert stands[other] == other
        assert row == other or frozenset((row, other)) in near
    kept = {row for row in range(10) if stands[row] == row}
    assert not any(pair <= kept for pair in near)


@settings(deadline=None)
@given(EDGES, st.permutations(range(10)), st.permutations(range(10)))
def test_the_order_of_rows_changes_nothing(
    edges: list[tuple[int, int, str, bool]], rank: list[int], moved: list[int]
) -> None:
    straight = clusters(found(edges), np.array(rank))
    there = [(moved[a], moved[b], kind, said) for a, b, kind, said in edges if a != b]
    lines = zip(there, found(edges).similarity.tolist(), strict=True)
    turned_rank = np.empty(10, dtype=np.int64)
    turned_rank[moved] = rank
    again = Found.listed([(a, b, kind, value, said, "") for (a, b, kind, said), value in lines])
    turned = clusters(again, turned_rank)
    assert [int(turned[moved[row]]) for row in range(10)] == [moved[int(other)] for other in straight]


def test_a_chain_is_cut_and_copies_go_with_their_text() -> None:
    chain = [(0, 1, "similar", 0.9, True, ""), (1, 2, "similar", 0.9, True, ""), (2, 3, "similar", 0.9, True, "")]
    copies = [(1, 4, "exact", 1.0, True, ""), (3, 5, "normalised", 1.0, True, "")]
    stands = clusters(Found.listed([*chain, *copies]), np.arange(6))
    assert stands.tolist() == [0, 0, 2, 2, 0, 2]
    assert clusters(Found.listed(copies), np.array([5, 4, 3, 2, 1, 0])).tolist() == [0, 4, 2, 5, 4, 5]


def test_the_most_similar_canonical_row_is_stood_for() -> None:
    lines = [(0, 2, "similar", 0.8, True, ""), (1, 2, "similar", 0.9, True, "")]
    assert clusters(Found.listed(lines), np.arange(3)).tolist() == [0, 1, 1]
    contained = [(0, 1, "contained", 0.9, True, "")]
    assert clusters(Found.listed(contained), np.arange(2)).tolist() == [0, 1]
    assert clusters(Found.listed(contained), np.arange(2), kinds={"contained"}).tolist() == [0, 0]
