"""What became of marks: each before and after is told once, and what stayed is not told."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from pipeline.settings import Guideline
from pipeline.tasks import Mark, task
from pipeline.versions.marks import edits

MARKS = st.lists(
    st.builds(
        lambda label, start, length: Mark(label, f"w{start}", (start, start + length)),
        st.sampled_from("AB"),
        st.integers(0, 6),
        st.integers(1, 3),
    ),
    max_size=5,
)


@given(MARKS, MARKS, st.booleans())
def test_every_mark_that_differs_is_in_one_edit(one: list[Mark], other: list[Mark], same_text: bool) -> None:
    found = edits(one, other, same_text=same_text)
    before = sum(edit.what != "added" for edit in found)
    after = sum(edit.what != "removed" for edit in found)
    assert len(one) - before == len(other) - after  # those that stayed
    if same_text:
        places = [Counter((mark.label, mark.at) for mark in side) for side in (one, other)]
        assert len(one) - before == (places[0] & places[1]).total()
    assert edits(one, one, same_text=same_text) == []


def test_relations_are_marks_of_two_stretches() -> None:
    entities = [
        {"start": 0, "end": 3, "label": "PER", "text": "Ann"},
        {"start": 9, "end": 11, "label": "LOC", "text": "Ulm"},
    ]
    own = task("relations", Guideline())
    row = {"entities": entities, "relations": [{"head": 0, "tail": 1, "label": "born in"}]}
    assert own.marks(row) == [Mark("born in", "Ann … Ulm", (0, 3, 9, 11))]
    other = own.marks({"entities": entities, "relations": [{"head": 0, "tail": 1, "label": "died in"}]})
    assert [edit.told for edit in edits(own.marks(row) or [], other or [], same_text=True)] == [
        "born in → died in “Ann … Ulm”"
    ]


def test_answers_without_marks_have_none() -> None:
    assert task("classification", Guideline()).marks({"text": "a", "labels": ["b"]}) is None
