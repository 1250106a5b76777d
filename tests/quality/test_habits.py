"""Habits at the edges of spans, and spans that are odd by themselves."""

from __future__ import annotations

import numpy as np

from pipeline.quality.habits import ODDITIES, Edge, edges, odd, rareness
from pipeline.quality.runs import marked
from pipeline.quality.sentences import sentences_from
from tests.quality.tagged import row, tables, told


def of_rows(rows: list[dict[str, object]]) -> list[Edge]:
    words, _ = sentences_from(tables(rows))
    spans = marked(words)
    return edges(words, spans, spans)


def test_the_one_that_takes_the_article_in_is_odd() -> None:
    rows = [told(at, f"the Senate of {at} met", (1, 2, "ORG")) for at in range(11)]
    begins = of_rows([*rows, told(99, "the Senate met", (0, 2, "ORG"))])[0]
    assert (begins.takes[11], begins.leaves[11]) == (0, 11)
    assert begins.oddity[11] > 2
    assert np.isnan(begins.oddity[:11]).all()


def test_the_one_that_leaves_the_bracket_out_is_odd_in_chinese() -> None:
    rows = [row(f"r{at:02d}", list(f"看《书{at}》"), [(1, 4 + len(str(at)), "WORK")]) for at in range(6)]
    found = of_rows([*rows, row("r99", list("看《诗》"), [(2, 3, "WORK")])])
    assert [edge.oddity[6] > 2 for edge in found] == [False, True, False, True]
    assert found[1].takes[6] == found[3].takes[6] == 6


def test_other_labels_and_the_own_row_do_not_count() -> None:
    rows = [told(at, f"the Alps {at}", (1, 2, "LOC")) for at in range(5)]
    rows.append(told(9, "the Senate and the House and the Court", (0, 2, "ORG"), (4, 5, "ORG"), (7, 8, "ORG")))
    begins = of_rows(rows)[0]
    assert begins.takes.sum() == begins.leaves[5:].sum() == 0


def test_oddities_are_seen() -> None:
    rows = [
        told(1, "at ( Rome", (1, 3, "X")),
        told(2, "( Rome )", (0, 3, "X")),
        told(3, "in Rome ,", (1, 3, "X")),
        told(4, "in 1999 2000", (1, 3, "X")),
        told(5, "a b " * 20, (0, 39, "X")),
        *(told(at, "in Rome", (1, 2, "X")) for at in range(10, 20)),
    ]
    words, _ = sentences_from(tables(rows))
    names = ["brackets", "begins", "ends", "digits", "long"]
    spans = marked(words)
    found = [{name for name, has in zip(names, one, strict=True) if has} for one in odd(words, spans, spans)]
    assert found[:5] == [{"brackets", "begins"}, {"begins", "ends"}, {"ends"}, {"digits"}, {"long"}]
    assert not any(found[5:])
    assert len(ODDITIES) == len(names)


def test_what_is_common_in_a_label_is_not_odd() -> None:
    learned = np.array([[True], [True], [True], [False]] + [[False]] * 40)
    label = np.array([0, 0, 0] + [1] * 41)
    common, rare = rareness(np.array([[True], [True]]), np.array([0, 1]), learned, label)
    assert common < 0.2
    assert rare > 4
    assert rareness(np.array([[True]]), np.array([-1]), learned, label).tolist() == [0.0]
