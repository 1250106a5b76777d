"""The suspect engine for words: planted errors are found, said in words, and nothing depends on the order of rows."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pipeline.errors import AssayError
from pipeline.quality.evidence import MARKED, NAMES
from pipeline.quality.mixture import join_kinds
from pipeline.quality.runs import KINDS
from pipeline.quality.sentences import sentences_from
from pipeline.quality.signals import Signals
from pipeline.quality.words import row_scores, word_signals
from pipeline.tagscheme import spans_from_tags
from tests.conftest import DATA
from tests.quality.tagged import SCHEMA, row, tables, told, visits

PLANTED = [
    told(901, "Anna went to Rome on day 901", (0, 1, "PER"), (3, 4, "PER")),
    told(902, "Boris went to Paris on day 902", (0, 1, "PER")),
    told(903, "Clara went to Oslo on day 903", (0, 2, "PER"), (3, 4, "LOC")),
    told(904, "David went to Berlin on day 904", (0, 1, "PER"), (3, 4, "LOC"), (5, 6, "LOC")),
]


@pytest.fixture(scope="module")
def found() -> Signals:
    return word_signals(tables([*visits(120), *PLANTED]))


def test_planted_errors_stand_first_with_the_place_and_what_is_likely(found: Signals) -> None:
    wrong = join_kinds(found).wrong
    first = np.argsort(-wrong)[:4]
    assert {(found.row[at], found.part[at], found.given[at]) for at in first} == {
        (120, "13:17", "PER"), (121, "14:19", "O"), (122, "0:10", "PER"), (123, "24:27", "LOC")
    }  # fmt: skip
    likely = {found.row[at]: found.likely[at] for at in first}
    assert (likely[120], likely[121], likely[123]) == ("LOC", "LOC", "O")
    ranked = np.argsort(-row_scores(found.row, wrong, 124))
    assert set(ranked[:4].tolist()) == {120, 121, 122, 123}


def said(found: Signals, at_row: int, part: str) -> list[str]:
    at = next(at for at, name in enumerate(found.part) if (found.row[at], name) == (at_row, part))
    return found.said(at)


def test_reasons_are_in_words(found: Signals) -> None:
    assert "'Rome': LOC 16x" in said(found, 120, "13:17")
    assert any(one.startswith("model gives PER ") and one.endswith(" %") for one in said(found, 120, "13:17"))
    assert "'Paris' is marked LOC 16x elsewhere, not here" in said(found, 121, "14:19")
    assert any(one.startswith("model gives these edges ") for one in said(found, 122, "0:10"))
    assert not [one for one in said(found, 0, "0:4") if one.startswith(("model", "'Anna'", "its context"))]


def test_habits_are_said_with_their_counts() -> None:
    rows = [told(at, f"the Senate met {at} times", (1, 2, "ORG")) for at in range(11)]
    found = word_signals(tables([*rows, told(99, "the Senate met", (0, 2, "ORG"))]))
    expected = "'the Senate': of 11 ORG spans that could begin with \"the\", 11 leave it out"
    assert expected in said(found, 11, "0:10")


def test_chinese_is_read_by_characters() -> None:
    rows = [row(f"r{at:02d}", list(f"我在北京大学第{at}天"), [(2, 6, "ORG")]) for at in range(10)]
    found = word_signals(tables([*rows, row("r99", list("他去北京大学"), [])]))
    assert "'北京大学' is marked ORG 10x elsewhere, not here" in said(found, 10, "2:6")


def test_signals_are_asked_of_their_side_only(found: Signals) -> None:
    outside = np.array([given == "O" for given in found.given])
    asked = np.isfinite(found.actual)
    assert found.names == NAMES
    assert not asked[outside][:, : len(MARKED)].any()
    assert not asked[~outside][:, len(MARKED) :].any()
    assert found.flipped_kind is not None
    assert set(found.flipped_kind.tolist()) == set(range(len(KINDS)))
    assert np.nanmax(found.p_given + found.p_likely) <= 1 + 1e-9


def by_part(found: Signals, rows: list[dict[str, object]]) -> dict[tuple[object, str], tuple[object, ...]]:
    return {
        (rows[found.row[at]]["id"], found.part[at]): (found.given[at], found.actual[at].tobytes(), *found.said(at))
        for at in range(len(found.row))
    }


def test_the_order_of_the_rows_changes_nothing() -> None:
    rows = [*visits(16), *PLANTED]
    one, two = word_signals(tables(rows)), word_signals(tables(rows[::-1]))
    assert by_part(one, rows) == by_part(two, rows[::-1])
    assert one.flipped.tobytes() == two.flipped.tobytes()


def test_probabilities_from_elsewhere_take_the_place_of_the_taggers() -> None:
    rows = [*visits(12), *PLANTED][::-1]
    table = tables(rows)
    words, order = sentences_from(table)
    sure = np.full((len(words), 6), 0.02)
    classes = ["I-PER", "B-PER", "I-LOC", "B-LOC", "O", "B-MISC"]
    tags = [word["tag"] for one in table["words"].to_pylist() for word in one]
    sure[np.arange(len(tags)), [classes.index(tag) for tag in tags]] = 0.9
    at = tags.index("B-PER")
    sure[at] = [0.02, 0.3, 0.02, 0.6, 0.04, 0.02]
    found = word_signals(table, probabilities=sure, classes=classes)
    worst = found.actual[:, NAMES.index("tagger")]
    assert found.row[np.nanargmax(worst)] == next(
        n for n, one in enumerate(table["words"].to_pylist()) if at < len(one)
    )
    assert len(order) == len(rows)


def test_probabilities_that_do_not_fit_are_refused() -> None:
    table = tables(visits(2))
    with pytest.raises(AssayError, match="no probabilities of"):
        word_signals(table, probabilities=np.ones((14, 1)), classes=["O"])
    with pytest.raises(AssayError, match="words"):
        word_signals(table, probabilities=np.ones((3, 5)), classes=["O", "B-PER", "I-PER", "B-LOC", "I-LOC"])


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [told(1, "nothing is marked here"), told(2, "nor there")],
        [told(1, "Rome", (0, 1, "LOC"))],
        [told(1, "in Rome", (1, 2, "LOC")), told(2, "Rome", (0, 1, "LOC"))],
        [row("a", [], []), told(2, "Rome", (0, 1, "LOC"))],
    ],
)
def test_little_or_nothing_is_judged_without_failing(rows: list[dict[str, object]]) -> None:
    found = word_signals(tables(rows) if rows else SCHEMA.empty_table())
    wrong = join_kinds(found).wrong
    assert len(wrong) == len(found.row)
    assert np.isfinite(wrong).all()
    assert all(isinstance(found.said(at), list) for at in range(len(found.row)))


def test_row_scores_are_the_chance_that_something_is_wrong() -> None:
    found = row_scores(np.array([0, 0, 2]), np.array([0.5, 0.5, 0.1]), 3)
    np.testing.assert_allclose(found, [0.75, 0.0, 0.1])


@pytest.mark.realdata
@pytest.mark.skipif(not DATA.is_dir(), reason="no real data: set ASSAY_REAL_DATA to their folder")
def test_real_corrections_stand_first() -> None:
    """A third of the sentences were corrected, of the first forty more than twice that share."""
    text = (DATA / "ner_chinese_corrected" / "weibo_v1_v2_train.jsonl").read_text(encoding="utf-8")
    given = [json.loads(line) for line in text.splitlines()[:900]]
    marks = [spans_from_tags(one["given"], "iob2")[0] for one in given]
    found = word_signals(tables(row(f"{at:04d}", one["tokens"], marks[at]) for at, one in enumerate(given)))
    score = row_scores(found.row, join_kinds(found).wrong, len(given))
    changed = np.array([one["changed"] for one in given])[np.argsort(-score, kind="stable")]
    assert changed[:40].mean() > 2 * changed.mean()
