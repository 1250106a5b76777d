from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.tagscheme import SCHEMES, Span, detect_scheme, spans_from_tags, tags_from_spans


@st.composite
def sentences(draw: st.DrawFn) -> tuple[list[Span], int]:
    spans: list[Span] = []
    at = 0
    for _ in range(draw(st.integers(0, 5))):
        start = at + draw(st.integers(0, 2))
        at = start + draw(st.integers(1, 4))
        spans.append((start, at, draw(st.sampled_from(["PER", "creative-work", "地点", "B-X"]))))
    return spans, at + draw(st.integers(0, 2))


@given(sentences(), st.sampled_from([scheme for scheme in SCHEMES if scheme != "io"]))
def test_spans_come_back_from_their_tags(sentence: tuple[list[Span], int], scheme: str) -> None:
    spans, n = sentence
    tags = tags_from_spans(spans, n, scheme)
    assert len(tags) == n
    assert spans_from_tags(tags, scheme) == (spans, [])


@given(sentences())
def test_io_keeps_spans_or_refuses_them(sentence: tuple[list[Span], int]) -> None:
    spans, n = sentence
    if any(one[1:] == two[0:1] + two[2:] for one, two in pairwise(spans)):
        with pytest.raises(AssayError, match="adjoins"):
            tags_from_spans(spans, n, "io")
    else:
        assert spans_from_tags(tags_from_spans(spans, n, "io"), "io") == (spans, [])


@given(st.lists(sentences(), min_size=1, max_size=4), st.sampled_from(["iob2", "bioes", "bmes", "bilou"]))
def test_the_detected_scheme_reads_the_corpus_as_written(corpus: list[tuple[list[Span], int]], scheme: str) -> None:
    written = [tags_from_spans(spans, n, scheme) for spans, n in corpus]
    found = detect_scheme(written)
    letters = {tag[0] for tags in written for tag in tags}
    if scheme == "iob2" or letters & set("ESLUM"):
        assert [spans_from_tags(tags, found)[0] for tags in written] == [spans for spans, _ in corpus]


def test_schemes_are_told_apart() -> None:
    assert detect_scheme([["I-PER", "I-PER", "O"], ["I-LOC", "B-LOC"]]) == "iob1"
    assert detect_scheme([["B-PER", "I-PER", "O", "B-LOC"]]) == "iob2"
    assert detect_scheme([["I-PER", "O", "I-LOC"]]) == "io"
    assert detect_scheme([["PER", "PER", "O"]]) == "io"
    assert detect_scheme([["B-PER", "M-PER", "E-PER", "S-LOC"]]) == "bmes"
    assert detect_scheme([["B-PER", "E-PER", "S-LOC"]]) == "bioes"
    assert detect_scheme([["O", "O"]]) == "iob2"


@pytest.mark.parametrize(
    ("tags", "scheme", "spans", "reports"),
    [
        (["O", "I-PER"], "iob2", [(1, 2, "PER")], 1),
        (["B-PER", "I-LOC"], "iob2", [(0, 1, "PER"), (1, 2, "LOC")], 1),
        (["B-PER", "O"], "bioes", [(0, 1, "PER")], 1),
        (["B-PER"], "bioes", [(0, 1, "PER")], 1),
        (["E-PER"], "bioes", [(0, 1, "PER")], 1),
        (["S-PER", "I-PER", "E-PER"], "bioes", [(0, 1, "PER"), (1, 3, "PER")], 1),
        (["B-PER", "S-PER"], "bmes", [(0, 1, "PER"), (1, 2, "PER")], 1),
        (["S-PER"], "iob2", [(0, 1, "PER")], 1),
        (["I-PER", "B-PER"], "iob1", [(0, 1, "PER"), (1, 2, "PER")], 0),
        (["O", "B-PER"], "iob1", [(1, 2, "PER")], 1),
        (["PER", "", "O"], "iob2", [], 2),
        (["PER", "PER", "LOC"], "io", [(0, 2, "PER"), (2, 3, "LOC")], 0),
        (["B_PER", "I_PER"], "iob2", [(0, 2, "PER")], 0),
    ],
)
def test_illegal_tags_are_read_and_reported(tags: list[str], scheme: str, spans: list[Span], reports: int) -> None:
    found, repaired = spans_from_tags(tags, scheme)
    assert found == spans
    assert len(repaired) == reports


@given(
    st.lists(st.sampled_from(["O", "B-A", "I-A", "E-A", "S-A", "M-B", "I-B", "B-B", "x", ""])), st.sampled_from(SCHEMES)
)
def test_any_tags_give_spans_that_can_be_written(tags: list[str], scheme: str) -> None:
    spans, repaired = spans_from_tags(tags, scheme)
    assert sorted(spans) == spans
    assert spans_from_tags(tags_from_spans(spans, len(tags), "iob2"), "iob2") == (spans, [])
    if scheme != "io" and not repaired:
        assert tags_from_spans(spans, len(tags), scheme) == tags


def test_spans_that_no_tags_can_say_are_refused() -> None:
    for spans in ([(0, 2, "A"), (1, 3, "B")], [(0, 0, "A")], [(2, 4, "A")], [(-1, 1, "A")]):
        with pytest.raises(AssayError, match="overlaps"):
            tags_from_spans(spans, 3, "iob2")


def test_an_unknown_scheme_is_answered_with_the_nearest() -> None:
    with pytest.raises(AssayError, match="did you mean 'iob2'"):
        spans_from_tags([], "iob3")
