"""Parts of tagged sentences: spans, places where one may be missing, and answers that nobody gave."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.quality.runs import KINDS, UNMARKED, Flips, Runs, covered, flipped, joined, marked, proposed, repeated
from pipeline.quality.sentences import Sentences, sentences_from
from pipeline.tagscheme import spans_from_tags
from tests.quality.tagged import row, tables, told, visits


def places(runs: Runs) -> list[tuple[int, int, int]]:
    return list(zip(runs.first.tolist(), runs.last.tolist(), runs.label.tolist(), strict=True))


def sure(words: Sentences) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """A tagger that gives the given tags .9."""
    found = np.full((len(words), len(words.tags)), 0.1 / max(len(words.tags) - 1, 1))
    found[np.arange(len(words)), words.tag] = 0.9
    return found


@given(st.lists(st.lists(st.sampled_from(["O", "B-a", "I-a", "B-b", "I-b"]), max_size=6), min_size=1, max_size=4))
def test_spans_are_those_of_the_scheme(tagged: list[list[str]]) -> None:
    made = [row(f"r{at}", ["w"] * len(tags), []) for at, tags in enumerate(tagged)]
    for one, tags in zip(made, tagged, strict=True):
        for word, tag in zip(one["words"], tags, strict=True):  # type: ignore[call-overload]
            word["tag"] = tag
    words, _ = sentences_from(tables(made))
    expected, before = [], 0
    for tags in tagged:
        spans, _ = spans_from_tags(tags, "iob2")
        expected += [(before + first, before + last, label) for first, last, label in spans]
        before += len(tags)
    found = [(first, last, words.labels[label]) for first, last, label in places(marked(words))]
    assert found == expected


def test_what_is_marked_elsewhere_is_proposed_as_long_as_it_goes() -> None:
    rows = [told(1, "at Oxford Street", (1, 3, "LOC")), told(2, "near Oxford street now")]
    rows.append(told(3, "in Oxford", (1, 2, "LOC")))
    words, _ = sentences_from(tables(rows))
    assert places(repeated(words, words.tag == 0)) == [(4, 6, UNMARKED)]


def test_what_is_hardly_ever_marked_is_not_proposed() -> None:
    rows = [told(1, "Will left", (0, 1, "PER")), *(told(at, f"will go {at}") for at in range(2, 9))]
    words, _ = sentences_from(tables(rows))
    assert len(repeated(words, words.tag == 0)) == 0


def test_every_row_with_unmarked_words_has_one_place_at_least_and_none_overlap() -> None:
    words, _ = sentences_from(tables([*visits(20), told(800, "nothing here"), told(801, "Anna", (0, 1, "PER"))]))
    found = sure(words)
    found[words.first[20] + 1, 0] = 0.85
    runs = proposed(words, found)
    assert sorted(set(runs.row.tolist())) == list(range(21))
    assert (runs.first[1:] >= runs.last[:-1]).all()
    assert not (covered(runs, len(words)) & (words.tag > 0)).any()
    assert runs.first[runs.row == 20].tolist() == [words.first[20] + 1]


def test_where_the_tagger_would_mark_is_proposed() -> None:
    words, _ = sentences_from(tables([told(1, "a b c d e"), told(2, "x", (0, 1, "PER"))]))
    found = sure(words)
    found[1:3] = [[0.3, 0.6, 0.1], [0.3, 0.1, 0.6]]
    assert places(proposed(words, found)) == [(1, 3, UNMARKED)]


def flips_of(rows: list[dict[str, object]], seed: int = 0) -> tuple[Sentences, Runs, Flips]:
    words, _ = sentences_from(tables(rows))
    parts = joined([marked(words), proposed(words, sure(words))])
    parts = parts.only(np.argsort(parts.first, kind="stable"))
    confusion = np.full((len(parts), len(words.labels) + 1), 0.3)
    return words, parts, flipped(words, parts, confusion, seed=seed)


def test_every_flip_is_another_answer_of_its_kind() -> None:
    words, parts, flips = flips_of(visits(40))
    seen = set()
    for at, (first, last, label) in enumerate(places(flips.runs)):
        was = places(parts)[flips.part[at]]
        kind = KINDS[flips.kind[at]]
        seen.add(kind)
        assert (first, last, label) != was
        assert (was[2] == UNMARKED) == (kind == "spurious")
        assert (label == UNMARKED) == kind.startswith("dropped")
        assert ((first, last) != was[:2]) == (kind == "shifted")
        assert (0 < flips.share[at] < 0.5) == kind.endswith("often")
        assert words.row[first] == words.row[last - 1] == flips.runs.row[at]
    assert seen == set(KINDS)


def test_chance_comes_from_the_seed_and_the_row_alone() -> None:
    def by_row(rows: list[dict[str, object]], seed: int = 0) -> set[tuple[str, int, int, int, int]]:
        words, _, flips = flips_of(rows, seed)
        kept = (flips.kind != KINDS.index("spurious")).nonzero()[0]
        begin = words.first[flips.runs.row]
        columns = (flips.runs.first - begin, flips.runs.last - begin, flips.runs.label, flips.kind)
        return {(words.ids[flips.runs.row[at]], *(int(column[at]) for column in columns)) for at in kept}

    rows = visits(30)
    assert by_row(rows) == by_row(rows[::-1])
    assert by_row(rows) != by_row(rows, seed=1)


def test_one_label_has_no_other_and_no_label_has_no_flip() -> None:
    _, _, flips = flips_of([told(at, "x Rome y", (1, 2, "LOC")) for at in range(8)])
    assert {KINDS[kind] for kind in flips.kind} == {"shifted", "spurious", "dropped", "dropped often"}
    _, _, none = flips_of([told(1, "nothing")])
    assert len(none.runs) == 0
