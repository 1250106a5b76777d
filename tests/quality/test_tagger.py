"""The quick tagger: what it learns, and that it never learns from the row it is asked about."""

from __future__ import annotations

import numpy as np

from pipeline.quality.sentences import Sentences, sentences_from
from pipeline.quality.softmax import folds_of
from pipeline.quality.tagger import shape, sticking, tag_probabilities
from tests.quality.tagged import row, tables, told, visits


def words_of(rows: list[dict[str, object]]) -> Sentences:
    return sentences_from(tables(rows))[0]


def test_it_tags_unseen_names_by_their_place() -> None:
    words = words_of([*visits(64), told(900, "Zoe went to Quito on day 900", (0, 1, "PER"), (3, 4, "LOC"))])
    found = tag_probabilities(words)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    assert (found.argmax(axis=1) == words.tag).all()


def test_the_order_of_the_rows_changes_no_bit() -> None:
    rows = visits(24)
    np.testing.assert_array_equal(tag_probabilities(words_of(rows)), tag_probabilities(words_of(rows[::-1])))


def test_a_row_does_not_learn_from_its_own_group() -> None:
    """What one group is tagged must not move what is said of that group, apart from the one temperature of all."""
    right = visits(32)
    odd = [told(800 + at, "Xyzzy went to Plugh", (0, 1, "LOC"), group="odd") for at in range(4)]
    other = [told(800 + at, "Xyzzy went to Plugh", (0, 1, "PER"), group="odd") for at in range(4)]
    one, two = words_of([*right, *odd]), words_of([*right, *other])
    assert one.tags == two.tags
    asked = one.row >= 32
    first, second = tag_probabilities(one)[asked], tag_probabilities(two)[asked]
    assert (first.argsort(axis=1) == second.argsort(axis=1)).all()


def test_nothing_to_learn_is_no_answer() -> None:
    assert np.isnan(tag_probabilities(words_of([told(1, "all of it outside")]))).all()
    assert tag_probabilities(words_of([])).shape == (0, 1)


def test_folds_are_decided_by_the_name_of_the_group_alone() -> None:
    assert folds_of(["a", "b", "c"], seed=1, folds=5)[1] == folds_of(["b"], seed=1, folds=5)[0]
    names = [str(at) for at in range(500)]
    assert np.bincount(folds_of(names, seed=1, folds=5)).min() > 60
    assert (folds_of(names, seed=1, folds=5) != folds_of(names, seed=2, folds=5)).any()


def test_shape() -> None:
    assert shape("McDonald's 4x4") == "AaAaaaaa'a 0a0"
    assert shape("北京2008") == "文文0000"


def test_what_always_stands_together_sticks() -> None:
    rows = [row(f"r{at}", list("去北京玩" if at % 2 else "在家中看"), []) for at in range(20)]
    rows += [row(f"x{at}", list(one), []) for at, one in enumerate(("看玩", "玩家", "中去", "家看"))]
    words = words_of(rows)
    stuck = {words.surface(at - 1, at + 1): value for at, value in enumerate(sticking(words)) if at and value}
    assert stuck["北京"] > stuck["玩家"]
    assert sticking(words)[words.first[:-1]].tolist() == [0.0] * len(words.ids)
