"""Relations: the layouts that files have, rules, votes pair by pair, edits, and what a model reads and writes."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import recipe, scaffold
from pipeline.errors import AssayError, Unfit
from pipeline.settings import Guideline, Label
from pipeline.tagscheme import spans_from_tags
from pipeline.tasks import Row, Vote, triples
from pipeline.tasks.relations import Relations, make
from pipeline.text import normalised
from tests.conftest import DATA
from tests.small import built, csv, jsonl, said
from tests.tasks.examples import CAUSES, EXAMPLES, RELATIONS
from tests.tiny import CHATML, tiny_tokenizer

if TYPE_CHECKING:
    from collections.abc import Iterator

OPEN, TYPED, CAUSAL = make(Guideline()), make(RELATIONS), make(CAUSES)
TEXT = "Zoë of Acme lives in Rome."
ENTITIES = [
    {"id": "T7", "start": 0, "end": 3, "label": "PER"},
    {"id": "T2", "start": 7, "end": 11, "label": "ORG"},
    {"id": "T5", "start": 21, "end": 25, "label": "LOC"},
]
FIELDS = {"text": TEXT, "entities": ENTITIES}


def row_of(fields: dict[str, Any] = FIELDS, own: Relations = OPEN) -> Row:
    return own.shape(fields, {})


@pytest.mark.parametrize(
    "relation",
    [
        [0, 2, "Live_In"],
        ["T7", "T5", "Live_In"],
        [[0, 3], [21, 25], "Live_In"],
        {"head": 0, "tail": 2, "type": "Live_In"},
        {"head": "T7", "tail": "T5", "label": "Live_In"},
        {"from_id": "T7", "to_id": "T5", "labels": ["Live_In"]},
        {"h": 0, "t": 2, "r": "Live_In"},
        {"head": {"start": 0, "end": 3}, "tail": {"start": 21, "end": 25}, "relation": "Live_In"},
        {
            **{"head": 0, "child": 5, "label": "Live_In"},
            "head_span": {"start": 0, "end": 3, "label": "PER"},
            "child_span": {"start": 21, "end": 25, "label": "LOC"},
        },
    ],
)
def test_a_relation_is_read_in_every_layout(relation: Any) -> None:
    for given_relations in ([relation], json.dumps([relation]), [relation, relation]):
        assert OPEN.read_answer(given_relations, FIELDS, row_of()) == [[0, 2, "Live_In"]]


def test_ids_that_are_numbers_are_ids_where_they_are_called_so() -> None:
    entities = [{**one, "id": number} for one, number in zip(ENTITIES, (2, 0, 1), strict=True)]
    fields = {"text": TEXT, "entities": entities}
    assert OPEN.read_answer([{"from_id": 2, "to_id": 0, "type": "x"}], fields, row_of(fields)) == [[0, 1, "x"]]
    assert OPEN.read_answer([{"head": 2, "tail": 0, "type": "x"}], fields, row_of(fields)) == [[2, 0, "x"]]


@pytest.mark.parametrize(
    ("relations", "reason"),
    [
        ([[0, 3, "x"]], "unknown_entity"),
        ([[-1, 0, "x"]], "unknown_entity"),
        ([["T7", "T9", "x"]], "unknown_entity"),
        ([[[0, 3], [21, 24], "x"]], "unknown_entity"),
        ([[[0, 3], [21, 99], "x"]], "span_out_of_text"),
        ([[1, 1, "x"]], "self_relation"),
        ([[0, 1]], "wrong_type"),
        ([[True, 1, "x"]], "wrong_type"),
        ({"head": 0}, "wrong_type"),
        ("[0, 1", "wrong_type"),
        ("Live_In", "wrong_type"),
        ([[0, 1, ""]], "unknown_label"),
        ([[0, 1, None]], "unknown_label"),
    ],
)
def test_what_is_no_relation_is_refused(relations: Any, reason: str) -> None:
    with pytest.raises(Unfit) as caught:
        OPEN.read_answer(relations, FIELDS, row_of())
    assert caught.value.reason == reason


def test_the_guideline_says_which_labels_there_are_and_between_what() -> None:
    row = row_of(own=TYPED)
    assert TYPED.read_answer([[0, 2, "LIVES IN"]], FIELDS, row) == [[0, 2, "Live_In"]]
    for relations, reason in (([[0, 2, "Kill"]], "unknown_label"), ([[0, 1, "Live_In"]], "relation_types")):
        with pytest.raises(Unfit) as caught:
            TYPED.read_answer(relations, FIELDS, row)
        assert caught.value.reason == reason
    assert caught.value.evidence == "Live_In: the tail 'Acme' is ORG, not LOC"
    assert [problem.rule for problem in TYPED.problems(TYPED.with_answer(row, [[2, 1, "Work_For"]]))] == [
        "relation_types"
    ]


@pytest.mark.parametrize(
    ("label", "answer"),
    [
        ("Cause-Effect(e1,e2)", [[0, 1, "Cause-Effect"]]),
        ("Cause-Effect( e2 , e1 )", [[1, 0, "Cause-Effect"]]),
        ("cause-effect", [[0, 1, "Cause-Effect"]]),
        ("Other", []),
        ("no_relation", []),
        ([], []),
    ],
)
def test_a_marked_pair_has_a_label(label: Any, answer: Any) -> None:
    row = CAUSAL.shape({"text": '"The <e1>cat</e1> broke a <e2>cup</e2>."'}, {})
    assert row["text"] == '"The cat broke a cup."'
    assert [one["text"] for one in row["entities"]] == ["cat", "cup"]
    assert CAUSAL.read_answer(label, {}, row) == answer


def test_other_is_a_relation_where_the_guideline_says_so() -> None:
    own = make(Guideline(label=(Label(name="Other"),)))
    row = own.shape({"text": "<e2>a</e2> <e1>b</e1>"}, {})
    assert [(one["start"], one["text"]) for one in row["entities"]] == [(2, "b"), (0, "a")]
    assert own.read_answer("other", {}, row) == [[0, 1, "Other"]]


@pytest.mark.parametrize(
    "text", ["<e1>a", "a</e1>", "<e1>a</e1> <e1>b</e1>", "<e1>a</e1></e1>", "<e1>a<e1>b</e1></e1>", "</e2>a<e2>"]
)
def test_broken_marks_are_refused(text: str) -> None:
    with pytest.raises(Unfit) as caught:
        OPEN.shape({"text": text}, {})
    assert caught.value.reason == "broken_markup"


def test_marks_may_nest_and_cross() -> None:
    assert triples.unmarked("<e1>New <e2>York</e1> Times</e2>") == ("New York Times", [(0, 8), (4, 14)])


@pytest.mark.parametrize(
    ("entity", "reason"),
    [
        ([0, 99, "PER"], "span_out_of_text"),
        ([3, 3, "PER"], "span_out_of_text"),
        ([0, 3, "PER", "Joe"], "span_surface"),
        (["0", 3, "PER"], "wrong_type"),
        (7, "wrong_type"),
    ],
)
def test_entities_are_checked_against_the_text(entity: Any, reason: str) -> None:
    with pytest.raises(Unfit) as caught:
        OPEN.shape({"text": TEXT, "entities": [entity]}, {})
    assert caught.value.reason == reason
    with pytest.raises(Unfit, match="missing_field"):
        OPEN.shape({"text": TEXT}, {"entities": "marks"})


def test_offsets_follow_a_text_that_is_composed() -> None:
    fields = {"text": "Zoe\u0308 lives in Rome.", "entities": [[0, 4, "PER", "Zoe\u0308"], [14, 18, "LOC"]]}
    row = OPEN.shape(fields, {})
    assert [one["text"] for one in row["entities"]] == ["Zoë", "Rome"]
    assert OPEN.read_answer([[[0, 4], [14, 18], "in"]], fields, row) == [[0, 1, "in"]]


def test_offsets_of_a_record_of_tokens_count_tokens() -> None:
    fields = {"tokens": ["Mr.", "O'Neil", "left", "New", "York"], "entities": [[1, 2, "PER"], [3, 5, "LOC"]]}
    row = OPEN.shape(fields, {})
    assert [one["text"] for one in row["entities"]] == ["O'Neil", "New York"]
    assert OPEN.read_answer([[[1, 2], [3, 5], "left"]], fields, row) == [[0, 1, "left"]]
    with pytest.raises(Unfit, match="of 5 tokens"):
        OPEN.shape({**fields, "entities": [[4, 6, "LOC"]]}, {})


def test_a_row_is_held_to_every_rule() -> None:
    good = OPEN.with_answer(row_of(), [[0, 1, "x"]])
    first = good["entities"][0]
    broken = {
        "span_out_of_text": {**good, "entities": [{**first, "end": 99}, *good["entities"][1:]]},
        "span_surface": {**good, "entities": [{**first, "text": "Joe"}, *good["entities"][1:]]},
        "unknown_entity": OPEN.with_answer(good, [[0, 7, "x"]]),
        "self_relation": OPEN.with_answer(good, [[0, 0, "x"]]),
        "repeated_relation": OPEN.with_answer(good, [[0, 1, "x"], [0, 1, "x"]]),
    }
    assert not list(OPEN.problems(good))
    assert {name: [one.rule for one in OPEN.problems(row)] for name, row in broken.items()} == {
        name: [name] for name in broken
    }


def test_annotators_vote_on_every_pair_that_anybody_related() -> None:
    answers = [[[0, 1, "b"], [0, 1, "a"], [2, 0, "c"]], [[0, 1, "a"]], []]
    ballots = OPEN.ballots(row_of(), answers)
    assert ballots == {"0>1": ["a & b", "a", "(none)"], "2>0": ["c", "(none)", "(none)"]}
    votes = {"0>1": Vote("a & b", 0.6, True, {}), "2>0": Vote("(none)", 0.9, False, {})}
    settled = OPEN.elect(row_of(), answers, votes)
    assert (settled.answer, settled.confidence, settled.tied) == ([[0, 1, "a"], [0, 1, "b"]], 0.6, True)
    nothing = OPEN.elect(row_of(), [[], []], {})
    assert (nothing.answer, nothing.confidence) == ([], 1.0)


def test_how_far_answers_are_apart() -> None:
    assert OPEN.distance([], []) == 0.0
    assert OPEN.distance([[0, 1, "a"]], []) == 1.0
    assert OPEN.distance([[0, 1, "a"]], [[1, 0, "a"]]) == 1.0
    assert OPEN.distance([[0, 1, "a"], [1, 2, "b"]], [[0, 1, "a"], [1, 2, "c"]]) == 0.5


def test_one_sentence_with_other_marks_is_another_question_but_kin() -> None:
    one, other = (
        CAUSAL.shape({"text": text}, {}) for text in ("<e1>a</e1> b and <e2>a</e2>", "a <e1>b</e1> and <e2>a</e2>")
    )
    assert one["text"] == other["text"]
    assert normalised(CAUSAL.shown(one)) != normalised(CAUSAL.shown(other))
    typed = {**one, "entities": [{**entity, "label": "X"} for entity in one["entities"]]}
    assert CAUSAL.shown(one) == CAUSAL.shown(typed)
    assert CAUSAL.asked(one) != CAUSAL.asked(typed)
    long = row_of()
    assert OPEN.kin(long) == OPEN.kin(OPEN.shape({"text": TEXT, "entities": []}, {})) != []


def test_only_words_outside_of_the_entities_are_reworded() -> None:
    own, row = EXAMPLES["relations"].made()
    assert own.free_pieces(row) == ["Last year, sadly,", ", where she had lived for long."]
    moved = own.with_pieces(row, ["Once", "."])
    assert [one["text"] for one in moved["entities"]] == ["Anna", "Acme Corp.", "Rome"]
    assert not list(own.problems(moved))
    assert moved["text"] == "Once Anna of Acme Corp. left Rome."


def test_negations_stay() -> None:
    row = CAUSAL.shape({"text": "It is not so that the <e1>cat</e1> broke a <e2>cup</e2> yet."}, {})
    assert CAUSAL.free_pieces(row) == ["It is", "so that the", "yet."]


def test_what_a_model_reads() -> None:
    assert triples.marked(row_of(), kinds=True) == "[1 PER: Zoë] of [2 ORG: Acme] lives in [3 LOC: Rome]."
    assert OPEN.shown(row_of()) == "1[Zoë] of 2[Acme] lives in 3[Rome]."
    nested = OPEN.shape({"text": "New York Times", "entities": [[0, 8, "LOC"], [0, 14, "ORG"], [9, 14, "X"]]}, {})
    assert triples.marked(nested, kinds=True) == "[2 ORG: [1 LOC: New York] [3 X: Times]]"


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("1 Live_In 3", [[0, 2, "Live_In"]]),
        ("1 Live_In 3\n1 Work_For 2<|im_end|>\n2 Work_For 1", [[0, 1, "Work_For"], [0, 2, "Live_In"]]),
        ("none", []),
        ("1 Live_In 9\n1 Kill 3\n1 Live_In 2\nLive_In\n1 Live_In 1", []),
    ],
)
def test_what_a_model_writes(reply: str, answer: Any) -> None:
    assert TYPED.decode(reply, row_of(own=TYPED), None, classes=[], max_tokens=9)[0] == answer


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.from_regex(r"[a-zA-Z][\w ()/-]*[a-z]", fullmatch=True)))
)
def test_what_is_written_is_read(answer: list[tuple[int, int, str]]) -> None:
    assert triples.read(triples.written(answer)) == answer


def test_the_prompt_is_what_the_answer_is_learned_after() -> None:
    reader = tiny_tokenizer([TEXT, "1 Live_In 3"], "bytelevel", chat_template=CHATML)
    row = TYPED.with_answer(row_of(own=TYPED), [[0, 2, "Live_In"]])
    for limit in (400, 30, 9):
        encoded = TYPED.encode(row, reader, classes=[], max_tokens=limit)
        targets = [int(target) for target in encoded.targets]  # type: ignore[union-attr]
        first = next(at for at, target in enumerate(targets) if target >= 0)
        prompt = TYPED.prompt(row, reader, max_tokens=first)
        assert encoded.inputs["input_ids"][:first] == prompt
        assert encoded.cut == (limit < 400)
        assert encoded.learned == sum(target >= 0 for target in targets) > 0


def test_scores_count_whole_relations() -> None:
    gold = [[[0, 1, "a"], [1, 0, "b"]], [[0, 1, "a"]], []]
    found = [[[0, 1, "a"], [0, 1, "b"]], [], []]
    scores = OPEN.score(gold, found, [row_of()] * 3)
    assert scores.headline == "micro_f1"
    assert scores.metrics["micro_f1"] == pytest.approx(2 * 1 / (3 + 2))
    assert scores.metrics["precision"] == 0.5
    assert scores.metrics["recall"] == pytest.approx(1 / 3)
    assert scores.metrics["exact_match"] == pytest.approx(1 / 3)
    assert scores.per_class["a"] == {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "gold": 2, "found": 1}
    assert scores.metrics["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)


# -- from a file


def looked(folder: Path, name: str, content: str) -> recipe.Recipe:
    (folder / name).write_text(content, encoding="utf-8")
    path, _ = scaffold.new("mine", task="relations", source=folder / name, data=folder / "data")
    return recipe.load(path)


def test_a_file_of_entities_and_relations_is_understood(tmp_path: Path) -> None:
    record = {"id": 1, **FIELDS, "relations": [{"head": 0, "tail": 2, "type": "Live_In"}]}
    one = looked(tmp_path, "t.jsonl", jsonl([record, {**record, "id": 2, "relations": []}]))
    assert one.settings.guideline.names == ("Live_In",)
    assert one.settings.finetune.model.startswith("pypi:llm")
    assert built(one, "ingest")["ingest"]["counts"]["kept"] == 2
    assert said(one) == [("mine/1", "file", '[[0,2,"Live_In"]]'), ("mine/2", "file", "[]")]


def test_a_table_of_marked_texts_is_understood(tmp_path: Path) -> None:
    lines = ["1,A <e1>cat</e1> broke a <e2>cup</e2>,Cause(e2;e1)".replace(";", "|"), "2,<e1>a</e1> <e2>b</e2>,Other"]
    lines[0] = '1,A <e1>cat</e1> broke a <e2>cup</e2>,"Cause(e2,e1)"'
    one = looked(tmp_path, "t.csv", csv("id,sentence,relation", lines))
    assert one.settings.guideline.names == ("Cause",)
    assert built(one, "ingest")["ingest"]["counts"]["kept"] == 2
    assert said(one) == [("mine/1", "file", '[[1,0,"Cause"]]'), ("mine/2", "file", "[]")]


def test_a_file_without_relations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match=r"relations are read from the fields entities and relations, or <e1>"):
        looked(tmp_path, "t.jsonl", jsonl([{"text": "a", "label": "b"}]))


# -- real files, made JSON Lines


def semeval(path: Path) -> Iterator[dict[str, Any]]:
    """SemEval 2010 task 8: number and text in quotes, label, comment, blank line."""
    for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8").replace("\r", "").strip()):
        first, label, *_ = block.split("\n")
        number, text = first.split("\t", 1)
        yield {"id": number, "text": text, "label": label}


def conll04(path: Path) -> Iterator[dict[str, Any]]:
    """One line a token (number, token, BIO tag, relations, their tails); relations join the last tokens of entities."""
    for block in path.read_text(encoding="utf-8").split("#doc ")[1:]:
        name, *lines = block.strip().split("\n")
        cells = [line.split("\t") for line in lines]
        tags = [cell[2] for cell in cells]
        # A few entities begin with an I: spans_from_tags says so, and reads them as what was meant.
        stretches = spans_from_tags(tags, "iob2")[0]
        entities = [{"start": first, "end": last, "type": kind} for first, last, kind in stretches]
        last = {end - 1: at for at, (_, end, _) in enumerate(stretches)}
        told = [
            {"head": last[at], "tail": last[tail], "type": kind}
            for at, cell in enumerate(cells)
            for kind, tail in zip(ast.literal_eval(cell[3]), ast.literal_eval(cell[4]), strict=True)
            if kind != "N"
        ]
        yield {"id": name, "tokens": [cell[1] for cell in cells], "entities": entities, "relations": told}


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "read", "rows", "labels", "relations"),
    [
        ("relations_semeval2010/TRAIN_FILE.TXT", semeval, 8000, 9, 8000 - 1410),
        ("relations_conll04/train.txt", conll04, 910, 5, 1273),
    ],
)
def test_real_files_are_read_whole(name: str, read: Any, rows: int, labels: int, relations: int) -> None:
    if not (DATA / name).exists():
        pytest.skip(f"there is no {DATA / name}: set ASSAY_REAL_DATA")
    found, seen = 0, set()
    records = list(read(DATA / name))
    assert len(records) == rows
    for fields in records:
        row = OPEN.shape(fields, {})
        answer = OPEN.read_answer(OPEN.raw_answer(fields, {}), fields, row)
        settled = OPEN.with_answer(row, answer)
        assert not list(OPEN.problems(settled))
        assert OPEN.with_pieces(settled, OPEN.free_pieces(settled)) == settled
        assert triples.read(triples.written(answer)) == [tuple(one) for one in answer]
        found += len(answer)
        seen |= {label for *_, label in answer}
    assert (found, len(seen)) == (relations, labels)
