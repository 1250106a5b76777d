"""Surfaces: the same words elsewhere, in other groups and in other rows of the group, exactly counted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quality.runs import Runs, marked
from pipeline.quality.sentences import sentences_from
from pipeline.quality.surfaces import Seen, Surfaces, Windows
from tests.quality.tagged import row, tables, told


def asked(rows: list[dict[str, object]], *, nearby: bool = False) -> tuple[list[str], Seen]:
    words, _ = sentences_from(tables(rows))
    spans = marked(words)
    found = Surfaces(words, spans, spans)
    names = [words.surface(int(first), int(last)) for first, last in zip(spans.first, spans.last, strict=True)]
    return names, found.nearby(spans) if nearby else found.elsewhere(spans)


def test_counts_are_those_of_other_groups_by_label_outside_and_in_part() -> None:
    rows = [
        told(1, "in Kent today", (1, 2, "LOC")),
        told(2, "Kent won", (0, 1, "ORG")),
        told(3, "KENT lost", (0, 1, "ORG")),
        told(4, "of Kent"),
        told(5, "the Kent County Council", (1, 4, "ORG")),
        told(6, "to Kent and Kent", (1, 2, "LOC"), group="r0001"),
    ]
    names, seen = asked(rows)
    at = names.index("Kent")
    assert seen.marked[at].tolist() == [0, 2]  # LOC in its own group does not count, nor does case
    assert (seen.outside[at], seen.partly[at]) == (1, 1)


def test_nearby_counts_other_rows_of_the_group_only() -> None:
    rows = [told(1, "Kent won", (0, 1, "ORG"), group="d"), told(2, "Kent", (0, 1, "LOC"), group="d"), told(3, "Kent")]
    _, seen = asked(rows, nearby=True)
    assert seen.marked.tolist() == [[1, 0], [0, 1]]
    assert seen.outside.tolist() == [0, 0]


def test_a_span_that_goes_on_is_no_whole_span_of_its_beginning() -> None:
    rows = [row("a", list("在北京"), [(1, 3, "GPE")]), row("b", list("去北京大学"), [(1, 5, "ORG")])]
    names, seen = asked(rows)
    at = names.index("北京")
    assert (seen.marked[at].sum(), seen.outside[at], seen.partly[at]) == (0, 0, 1)


texts = st.lists(st.sampled_from("abc"), min_size=1, max_size=7)


@given(st.lists(st.tuples(texts, st.integers(0, 6), st.integers(1, 3)), min_size=1, max_size=6))
def test_every_count_is_what_looking_shows(given: list[tuple[list[str], int, int]]) -> None:
    rows, places = [], []
    for at, (tokens, start, length) in enumerate(given):
        first, last = min(start, len(tokens) - 1), min(start + length, len(tokens))
        rows.append(row(f"r{at}", tokens, [(first, max(last, first + 1), "X")]))
        places.append((tokens, first, max(last, first + 1)))
    _, seen = asked(rows)
    for at, (tokens, first, last) in enumerate(places):
        counts = {"whole": 0, "outside": 0, "partly": 0}
        for other, (their, begin, end) in enumerate(places):
            for place in range(len(their) - (last - first) + 1):
                if other == at or their[place : place + last - first] != tokens[first:last]:
                    continue
                inside = range(max(place, begin), min(place + last - first, end))
                whole = (place, place + last - first) == (begin, end)
                counts["whole" if whole else "partly" if inside else "outside"] += 1
        assert [seen.marked[at].sum(), seen.outside[at], seen.partly[at]] == list(counts.values())


@given(texts, texts)
def test_a_window_has_one_hash_wherever_it_stands(one: list[str], other: list[str]) -> None:
    words, _ = sentences_from(tables([row("a", [*one, *other], []), row("b", [*other, *one], [])]))
    windows = Windows(words)
    total = len(one) + len(other)
    first = windows.hashed(np.array([0]), np.array([len(one)]))
    second = windows.hashed(np.array([total + len(other)]), np.array([2 * total]))
    assert first == second
    rest = windows.hashed(np.array([len(one)]), np.array([total]))
    assert (first == rest) == (one == other)


def test_nothing_is_counted_of_what_was_not_asked_for() -> None:
    words, _ = sentences_from(tables([told(1, "in Rome", (1, 2, "LOC")), told(2, "in Rome", (1, 2, "LOC"))]))
    spans = marked(words)
    none = Runs(*(np.zeros(0, dtype=np.int64) for _ in range(4)))
    assert Surfaces(words, spans, none).elsewhere(spans).marked.sum() == 0
