"""Counting what rules touch, all rules at once, as each counts on its own."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.reviewing.counting import touched
from pipeline.rules import Rule
from tests.builds import a_tagged
from tests.reviewing.queues import a_build, rows_of

WORD = st.sampled_from(["new", "New", "york", "city", "女", "人", "中国", "x"])
SURFACE = st.lists(WORD, min_size=1, max_size=3).map(" ".join)
RULE = st.builds(
    lambda given_, surfaces: Rule(given_, "MISC", surfaces=tuple(surfaces)),
    st.sampled_from(["O", "PER", "LOC"]),
    st.lists(SURFACE, min_size=1, max_size=3),
)
TEXT = st.lists(WORD, min_size=1, max_size=7)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(TEXT, st.integers(0, 6), st.sampled_from(["PER", "LOC"])), max_size=6),
    st.lists(RULE, max_size=4),
)
def test_all_rules_at_once_touch_what_each_speaks_of(
    texts: list[tuple[list[str], int, str]], rules: list[Rule]
) -> None:
    rows = []
    for at, (words, marked, label) in enumerate(texts):
        mentions = [(label, words[0])] if marked < len(words) else []
        rows.append(a_tagged(f"film/{at}", " ".join(words), mentions))
    with tempfile.TemporaryDirectory() as folder:
        looked = rows_of(a_build(Path(folder), rows, task="tagging"), batch_rows=2)
        found = touched(rules, [-1] * len(rules), looked)
    assert found == [sum(len(rule.parts(row, looked.task)) for row in rows) for rule in rules]


def test_what_is_counted_already_stays() -> None:
    with tempfile.TemporaryDirectory() as folder:
        looked = rows_of(a_build(Path(folder), [a_tagged("film/1", "Rome", [("PER", "Rome")])], task="tagging"))
        rules = [Rule("PER", "LOC", surfaces=("rome",)), None, Rule("PER", "LOC", surfaces=("rome",))]
        assert touched(rules, [7, -1, -1], looked) == [7, 0, 1]
