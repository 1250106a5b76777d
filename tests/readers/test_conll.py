from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.readers import Broken, Record
from pipeline.readers.conll import read_conll
from pipeline.readers.record import ReadOptions

from .memory import faults, got, held, rows, survives

WORD = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Zs"], exclude_characters="\ufeff"),
    min_size=1,
    max_size=4,
)


def test_sentences_with_their_lines_and_scheme() -> None:
    content = "EU B-ORG\nrejects O\n\n\n北 B-LOC\n京 I-LOC\n"
    assert got(content, "conll") == [
        Record(
            "f:1",
            {"file": "f", "sentence": "f#1", "tokens": ["EU", "rejects"], "tags": {"1": ["B-ORG", "O"]},
             "schemes": {"1": "iob2"}, "lines": [1, 2]},
        ),
        Record(
            "f:5",
            {"file": "f", "sentence": "f#2", "tokens": ["北", "京"], "tags": {"1": ["B-LOC", "I-LOC"]},
             "schemes": {"1": "iob2"}, "lines": [5, 6]},
        ),
    ]  # fmt: skip


def test_several_annotators_and_named_columns() -> None:
    content = "1\tEU\tNNP\tB-ORG\tO\n2\trejects\tVBZ\tO\tO\n"
    (row,) = rows(content, "conll", token_column=1, tag_columns=(3, -1), names=("anna", "ben"))
    assert row["tokens"] == ["EU", "rejects"]
    assert row["tags"] == {"anna": ["B-ORG", "O"], "ben": ["O", "O"]}


def test_documents_and_comments() -> None:
    content = "-DOCSTART- O\n\n# sent_id = s1\n# text = A b = c\n# nothing\nA O\nb O\n\n-DOCSTART- O\n\n# O\nc O\n"
    first, second = rows(content, "conll")
    assert (first["document"], first["sent_id"], first["text"]) == ("f#1", "s1", "A b = c")
    assert (second["document"], second["tokens"]) == ("f#2", ["#", "c"])
    assert "sent_id" not in second


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("answers/anna/doc1.txt", {"file": "doc1", "folder": "anna", "sentence": "doc1#2"}),
        ("crowd!answers/anna/doc.v2.conll.gz", {"file": "doc.v2", "folder": "anna", "sentence": "doc.v2#2"}),
        ("plain", {"file": "plain", "sentence": "plain#2"}),
        ("/.hidden", {"file": ".hidden", "sentence": ".hidden#2"}),
    ],
)
def test_where_a_sentence_comes_from(name: str, place: dict[str, str]) -> None:
    records = list(read_conll(held("a O\n\nb O\n", name), ReadOptions()))
    assert isinstance(records[1], Record)
    assert {
        part: records[1].fields.get(part) for part in ("file", "folder", "sentence") if part in records[1].fields
    } == place


def test_a_broken_sentence_is_counted() -> None:
    found = got("a O\n\nb\n\nc O\n", "conll")
    assert [one.fields["sentence"] for one in found if isinstance(one, Record)] == ["f#1", "f#3"]


def test_documents_as_records() -> None:
    content = "# by = anna\nJAPAN I-LOC\n\n\nJAPAN I-LOC\nwins O\n\n-DOCSTART- O\n\nx O\n"
    first, second = rows(content, "conll", row_per="document")
    assert (first["tokens"], first["tags"]) == (["JAPAN", "", "JAPAN", "wins"], {"1": ["I-LOC", "O", "I-LOC", "O"]})
    assert (first["lines"], first["document"], first["by"]) == ([2, 4, 5, 6], "f#0", "anna")
    assert (second["tokens"], second["document"], second["sentence"]) == (["x"], "f#1", "f#2")
    assert not [one for one in got(content, "conll", row_per="document") if isinstance(one, Broken) or one.notes]


def test_a_break_in_what_an_annotator_did_not_see_is_not_seen() -> None:
    (whole,) = rows("a O _\n\nb O _\n", "conll", tag_columns=(1, 2), row_per="document")
    assert whole["tags"] == {"1": ["O", "O", "O"], "2": ["_", "_", "_"]}


def test_a_bad_line_breaks_its_document() -> None:
    assert faults("a O\nb O\n\nc\n", "conll", row_per="document") == [("f:1", "wrong_columns")]


def test_a_token_that_looks_like_a_comment_is_a_token() -> None:
    assert [row["tokens"] for row in rows("#\tO\n#tag\tO\n# = x\tO\n", "conll")] == [["#", "#tag", "# = x"]]


def test_empty_tokens_are_kept_and_noted() -> None:
    (record,) = got("a\tO\n\tO\n \tB-X\nb\tO\n", "conll")
    assert isinstance(record, Record)
    assert record.fields["tokens"] == ["a", "", " ", "b"]
    assert record.notes == ("line 2: the token is empty", "line 3: the token is empty")


def test_one_bad_line_breaks_its_sentence_only() -> None:
    content = b"a\tO\nb\tO\n\nc\tO\nd\nf\tO\n\ng\xff\tO\n\nh\tO\n"
    found = got(content, "conll", encoding="utf-8")
    assert faults(content, "conll", encoding="utf-8") == [("f:4", "wrong_columns"), ("f:8", "invalid_encoding")]
    assert isinstance(found[1], Broken)
    assert found[1].evidence == "line 5: 1 columns where there are 2"
    assert found[1].raw == "c\tO\nd\nf\tO"
    assert [one.place for one in found] == ["f:1", "f:4", "f:8", "f:10"]


def test_the_scheme_may_show_in_the_last_sentence_only() -> None:
    content = "a I-X\n\n" * 3000 + "a I-X\nb B-X\n"
    assert rows(content, "conll")[0]["schemes"] == {"1": "iob1"}
    assert rows(content, "conll", scheme="iob2")[0]["schemes"] == {"1": "iob2"}


def test_columns_that_are_not_there() -> None:
    with pytest.raises(AssayError, match="there is no column 4"):
        got("a O\n", "conll", tag_columns=(4,))
    with pytest.raises(AssayError, match="taken twice"):
        got("a O\n", "conll", tag_columns=(0,))
    with pytest.raises(AssayError, match="2 names for 1"):
        got("a O\n", "conll", names=("x", "y"))
    with pytest.raises(AssayError, match="cut at"):
        got("a O\n", "conll", delimiter=",")
    assert got("", "conll") == []


@given(
    st.lists(
        st.lists(st.tuples(WORD, st.sampled_from(["O", "B-地点", "I-地点"])), min_size=1, max_size=5),
        min_size=1,
        max_size=6,
    )
)
def test_what_is_written_is_read(sentences: list[list[tuple[str, str]]]) -> None:
    content = "\n\n".join("\n".join(f"{token}\t{tag}" for token, tag in sentence) for sentence in sentences)
    found = rows(content, "conll", encoding="utf-8")
    assert [row["tokens"] for row in found] == [[token for token, _ in sentence] for sentence in sentences]
    assert [row["tags"]["1"] for row in found] == [[tag for _, tag in sentence] for sentence in sentences]


@given(
    st.lists(st.sampled_from(["", "a\tO", "b\tB-X", "# k = v", "-DOCSTART-\tO", "c", "\tO", "a\tb\tc"]), max_size=20)
)
def test_every_token_line_is_in_one_sentence(body: list[str]) -> None:
    found = survives(
        "\n".join(["w\tO", "w\tO", "w\tO", "w\tO", "", *body]).encode(), "conll", tag_columns=(1,), delimiter="\t"
    )
    if found is None:
        return
    told = sum(len(one.raw.split("\n")) if isinstance(one, Broken) else len(one.fields["lines"]) for one in found)
    assert told == 4 + sum(line not in ("", "# k = v", "-DOCSTART-\tO") for line in body)


@given(st.binary(max_size=120))
def test_hostile_bytes(content: bytes) -> None:
    survives(content, "conll")
    survives(b"a\tO\nb\tO\n" + content, "conll", encoding="utf-8")


def test_it_streams() -> None:
    content = "a O\nb O\n\n" * 10 + "c\n"
    assert next(iter(read_conll(held(content), ReadOptions()))).place == "f:1"
