from __future__ import annotations

import re
import string
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import Unfit
from pipeline.fetch import RawFile
from pipeline.readers import Record, read
from pipeline.settings import Guideline
from pipeline.tasks import Vote, extracts, questioning, task, windows
from tests.conftest import DATA
from tests.tiny import tiny_tokenizer

OWN = task("answering", Guideline())
SOME = task("answering", Guideline(unanswerable=True))
FIELDS = {"context": "Ann met Bob in Rome. Bob left Rome in 1999, in May.", "question": "When did Bob leave?"}
ROW = OWN.shape(FIELDS, {})
CHINESE = {"context": "马云在杭州创办了阿里巴巴，员工有20人。", "question": "他在哪里？"}


# -- as files spell answers


@pytest.mark.parametrize(
    "given",
    [
        [{"text": "1999", "answer_start": 38}],
        {"text": ["1999"], "answer_start": [38]},
        {"text": "1999", "answer_start": 38},
        {"start": 38, "end": 42},
        {"start": 37, "end": 43, "text": " 1999,"[:-1] + ","},
        [38, 42],
        [[38, 42]],
        [[38, 42, "1999"]],
        "1999",
        " 1999 ",
        '[{"text": "1999", "answer_start": 38}]',
        "[[38, 42]]",
        {"text": "1999"},
        {"text": ["1999", "1999"]},
    ],
)
def test_answers_are_read_in_any_spelling(given: Any) -> None:
    if isinstance(given, dict) and given.get("start") == 37:
        assert OWN.read_answer(given, FIELDS, ROW) == [[38, 43, "1999,"]]
    else:
        assert OWN.read_answer(given, FIELDS, ROW) == [[38, 42, "1999"]]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"text": "1998", "answer_start": 38}, "answer_not_there"),
        ({"text": "1999", "answer_start": 37}, "answer_not_there"),
        ({"text": "1999", "answer_start": 380}, "answer_not_there"),
        ({"text": "1999", "answer_start": -1}, "answer_not_there"),
        ([38, 38], "answer_not_there"),
        ([3, 4], "answer_not_there"),
        ("Paris", "answer_not_there"),
        ("[what", "answer_not_there"),
        ("Rome", "answer_ambiguous"),
        ([], "no_answer"),
        ("", "no_answer"),
        ({"text": [], "answer_start": []}, "no_answer"),
        ({"text": "", "answer_start": -1}, "no_answer"),
        (7, "wrong_type"),
        ({"text": 7, "answer_start": 0}, "wrong_type"),
        ({"text": ["1999"], "answer_start": 38}, "wrong_type"),
        ({"text": "1999", "answer_start": "38"}, "wrong_type"),
        ([True, 3, "x"], "wrong_type"),
    ],
)
def test_what_is_no_answer_is_refused(given: Any, reason: str) -> None:
    with pytest.raises(Unfit) as refused:
        OWN.read_answer(given, FIELDS, ROW)
    assert refused.value.reason == reason


def test_a_question_without_answer_needs_a_guideline_that_says_so() -> None:
    assert SOME.read_answer([], FIELDS, ROW) == []
    assert SOME.read_answer({"text": "", "answer_start": -1}, FIELDS, ROW) == []
    assert OWN.raw_answer({**FIELDS, "is_impossible": True, "answers": [[0, 3]]}, {}) == []
    assert [problem.rule for problem in OWN.problems(ROW)] == ["no_answer"]
    assert not list(SOME.problems(ROW))


def test_wrong_offsets_are_told_with_what_would_be_right() -> None:
    with pytest.raises(Unfit, match=re.escape("it stands at [38, 42)")):
        OWN.read_answer({"text": "1999", "answer_start": 37}, FIELDS, ROW)
    fields = {"context": "😀 Rome", "question": "Where?"}
    with pytest.raises(Unfit, match="UTF-16 units: in characters it is"):
        OWN.read_answer({"text": "Rome", "answer_start": 3}, fields, OWN.shape(fields, {}))


def test_offsets_count_the_characters_of_the_record() -> None:
    fields = {"context": "Zoe\u0308 met Andre\u0301.", "question": "Whom?"}
    row = OWN.shape(fields, {})
    assert OWN.read_answer({"text": "Andre\u0301", "answer_start": 9}, fields, row) == [[8, 13, "Andr\u00e9"]]
    assert OWN.read_answer("Andre\u0301", fields, row) == [[8, 13, "Andr\u00e9"]]


def test_several_right_extracts_are_kept_the_commonest_first() -> None:
    given = {"text": ["in 1999", "1999", "1999"], "answer_start": [35, 38, 38]}
    assert OWN.read_answer(given, FIELDS, ROW) == [[38, 42, "1999"], [35, 42, "in 1999"]]


@given(st.text(max_size=40), st.integers(-2, 42), st.integers(-2, 42))
def test_what_is_read_stands_in_the_context_and_is_read_again(context: str, start: int, end: int) -> None:
    fields = {"context": context, "question": "?"}
    row = OWN.shape(fields, {})
    try:
        answer = OWN.read_answer([start, end], fields, row)
    except Unfit:
        return
    (first, last, text), *_ = answer
    assert row["context"][first:last] == text == text.strip() != ""
    assert OWN.read_answer(answer, {}, row) == answer


# -- several annotators


def settled(*texts: str | None, own: Any = SOME) -> Any:
    answers = [[] if text is None else OWN.read_answer(text, FIELDS, ROW) for text in texts]
    keys = own.ballots(ROW, answers)[""]
    best = Counter(keys).most_common(1)[0]
    vote = Vote(best[0], best[1] / len(keys), False, {})
    return own.elect(ROW, answers, {"": vote})


def test_annotators_who_differ_in_articles_and_marks_agree() -> None:
    fields = {"context": "He saw the Army.", "question": "What?"}
    row = OWN.shape(fields, {})
    answers = [OWN.read_answer(text, fields, row) for text in ("the Army", "Army", "Army.")]
    assert set(OWN.ballots(row, answers)[""]) == {"army"}
    assert OWN.elect(row, answers, {"": Vote("army", 0.9, False, {})}).answer == [[11, 15, "Army"]]


def test_without_a_majority_the_nearest_to_all_wins() -> None:
    found = settled("1999", "in 1999", "in 1999, in May")
    assert found.answer == [[35, 42, "in 1999"]]
    assert not found.tied
    assert 0.5 < found.confidence < 1


def test_two_who_differ_are_tied_and_none_is_an_answer() -> None:
    assert settled("1999", "Ann").tied
    assert settled("1999", None, None).answer == []
    found = settled("in 1999", "1999", None)
    assert found.answer[0][2] in ("1999", "in 1999")


def test_distance_is_that_of_words() -> None:
    one, other = ([[0, 1, text]] for text in ("in May 1999", "May 1999"))
    assert OWN.distance(one, other) == pytest.approx(1 - 0.8)
    assert OWN.distance([[0, 2, "北京"]], [[5, 7, "北京"]]) == 0
    assert OWN.distance([[0, 2, "北京"]], [[0, 3, "北京市"]]) == pytest.approx(1 - 0.8)
    assert (OWN.distance([], []), OWN.distance([], one)) == (0, 1)


# -- scores, against the published evaluation of SQuAD 2.0


def squad_normalised(text: str) -> str:
    bare = "".join(character for character in text.lower() if character not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


def squad_f1(gold: str, found: str) -> float:
    left, right = squad_normalised(gold).split(), squad_normalised(found).split()
    same = sum((Counter(left) & Counter(right)).values())
    if not left or not right:
        return float(left == right)
    if not same:
        return 0.0
    precision, recall = same / len(right), same / len(left)
    return 2 * precision * recall / (precision + recall)


WORDS = st.lists(st.sampled_from(["the", "U.S.", "army", "An", "a", "1,000", "(x)", "-", "well-known", "it's"])).map(
    " ".join
)


@given(WORDS, WORDS)
def test_f1_and_exact_match_are_those_of_squad(gold: str, found: str) -> None:
    assert extracts.f1(gold, found) == pytest.approx(squad_f1(gold, found))
    right = squad_normalised(gold) == squad_normalised(found)
    assert extracts.exact([[0, 1, gold]], [[0, 1, found]]) == right


def test_scores_take_the_best_of_several_and_tell_kinds_apart() -> None:
    rows = [{"question": "When?"}, {"question": "Who?"}, {"question": "谁？"}]
    gold = [[[0, 4, "1999"], [0, 7, "in 1999"]], [[0, 3, "Ann"]], []]
    found = [[[0, 7, "in 1999"]], [[5, 8, "Bob"]], [[0, 3, "Ann"]]]
    told = SOME.score(gold, found, rows)
    assert told.headline == "f1"
    assert told.metrics == pytest.approx({"f1": 1 / 3, "exact_match": 1 / 3, "answered": 2 / 3})
    assert (told.per_class["when"]["f1"], told.per_class["who"]["gold"]) == (1.0, 2)
    assert SOME.score([], [], []).metrics["f1"] == 0.0


# -- what the model reads and finds


CONTEXT = " ".join(f"word{at} thing{at}" for at in range(120)) + " and the vault was built in 1887 by Smith of Leeds."
LONG = {"context": CONTEXT, "question": "When was the vault built?"}


def encoded(split: str | None, question: str, *, limit: int = 48) -> tuple[Any, dict[str, Any], Any]:
    reader = tiny_tokenizer([CONTEXT, question], "wordpiece")
    row = {**OWN.shape({**LONG, "question": question}, {}), "split": split}
    row = OWN.with_answer(row, OWN.read_answer("1887", {}, row))
    return OWN.encode(row, reader, classes=OWN.classes([]), max_tokens=limit), row, reader


def test_a_long_context_is_read_where_the_question_s_words_are() -> None:
    for split in ("train", "test", None):
        made, row, reader = encoded(split, "When was the vault built?")
        assert made.cut
        assert len(made.inputs["input_ids"]) <= 48
        assert made.targets.count(1) == 1
        output = np.eye(3)[np.clip(made.targets, 0, 2)]
        found, sure = OWN.decode(output, row, reader, classes=OWN.classes([]), max_tokens=48)
        assert found == OWN.answer(row)
        assert sure == pytest.approx(1.0)


def test_only_a_training_row_is_read_where_its_answer_is() -> None:
    question = "Where is word3, thing3 and word5?"
    assert encoded("train", question)[0].targets.count(1) == 1
    made, row, reader = encoded("test", question)
    assert set(made.targets) == {0, -100}
    other = OWN.with_answer(row, OWN.read_answer("Leeds", {}, row))
    assert OWN.encode(other, reader, classes=OWN.classes([]), max_tokens=48).inputs == made.inputs


def test_words_that_were_not_read_have_no_outputs() -> None:
    made, row, reader = encoded("test", "When was the vault built?")
    output = np.full((len(made.targets), 3), 1 / 3, dtype=np.float32)
    words = OWN.by_word(output, row, reader, max_tokens=48)
    assert len(words) == len(OWN.tagged(row))
    assert np.isnan(words).any()
    assert np.isfinite(words).any()
    shown = OWN.shown(row)
    assert [shown[start:end] for start, end, tag in OWN.tagged(row) if tag == "B-ANSWER"] == ["1887"]


def every_run(table: Any, *, none: bool) -> tuple[Any, float]:
    """Brute force: the best run, and its share of all."""
    count = len(table)
    runs: dict[Any, float] = {None: float(np.prod(table[:, 0]))} if none else {}
    for first in range(count):
        for last in range(first, count):
            inside = table[first, 1] * np.prod(table[first + 1 : last + 1, 2])
            runs[first, last] = float(np.prod(table[:first, 0]) * inside * np.prod(table[last + 1 :, 0]))
    best = max(runs, key=lambda run: runs[run])
    return best, runs[best] / sum(runs.values())


@given(st.integers(1, 7), st.integers(0, 10_000), st.booleans())
def test_the_best_stretch_is_the_best_of_all(count: int, seed: int, none: bool) -> None:
    table = np.random.default_rng(seed).dirichlet([0.4, 0.4, 0.4], size=count).clip(1e-6)
    run, sure = windows.stretch(table, may_be_none=none)
    wanted, share = every_run(table, none=none)
    assert run == wanted
    assert sure == pytest.approx(share, rel=1e-6)


def test_nothing_is_answered_only_where_that_is_allowed() -> None:
    table = np.tile([0.9, 0.05, 0.05], (4, 1))
    assert windows.stretch(table, may_be_none=True)[0] is None
    assert windows.stretch(table, may_be_none=False)[0] is not None


# -- doubts

LONG_ANSWER = "Because of winters so cold and nights so long"


@pytest.mark.parametrize(
    ("question", "context", "answer", "kind"),
    [
        ("How many people live there?", "Few know that the old town lies by the sea.", "the old town", "other_kind"),
        ("这里有多少人？", "这座老城在海边，很美。", "老城", "other_kind"),
        ("In what year was it built?", "It was built by Anna in 1901, they say.", "Anna", "other_kind"),
        ("谁创办了它？", "马云在1999年创办了它。", "1999", "other_kind"),
        ("When was it?", "It was in 1901, they say.", "190", "cut_word"),
        ("How much was it?", "It was 7,000 in all.", "7", "cut_word"),
        ("Who left?", "The old Ann Smith left.", "n Smith", "cut_word"),
        ("他毕业于哪里？", "他毕业于法商学院(今大学)，很好。", "法商学院(今大学", "loose_edge"),
        ("他住在哪？", "他住在杭州，很好。", "杭州，", "loose_edge"),
        ("Who was Anna Smith?", "Anna Smith was a nurse.", "Anna Smith", "echo"),
        ("旧富国银行后来叫什么？", "旧富国银行后来叫新行。", "富国银行", "echo"),
        ("Why " + "so " * 40 + "?", "Because.", "Because", "question_too_long"),
        ("Why?", "Because of winters so cold and nights so long, or so we hear.", LONG_ANSWER, "answer_too_long"),
    ],
)  # fmt: skip
def test_signs_of_a_wrong_answer(question: str, context: str, answer: str, kind: str) -> None:
    at = context.index(answer)
    found = list(questioning.of_extract(question, context, at, at + len(answer)))
    assert [doubt.kind for doubt in found] == [kind]
    assert found[0].evidence


@pytest.mark.parametrize(
    ("question", "context", "answer"),
    [
        ("How many live there?", "Only a few live there now, they say.", "a few"),
        ("有几个？", "那里有两个。", "两个"),
        ("有哪几个？", "那里有甲和乙。", "甲和乙"),
        ("Who won, Ann or Bob?", "It was Bob.", "Bob"),
        ("What is it?", "A 5-time winner, they say.", "5"),
        ("언제?", "서울에서 만났다.", "서울"),
        ("What is it called?", 'It is called "the Rock" there.', "the Rock"),
    ],
)
def test_what_only_looks_odd_is_no_sign(question: str, context: str, answer: str) -> None:
    at = context.index(answer)
    assert not list(questioning.of_extract(question, context, at, at + len(answer)))


# -- real sets


@pytest.mark.realdata
@pytest.mark.skipif(not DATA.is_dir(), reason="no real data: set ASSAY_REAL_DATA to their folder")
@pytest.mark.parametrize(
    ("name", "faults"),
    [
        ("qa_xquad/xquad.en", {}),
        ("qa_xquad/xquad.zh", {}),
        ("qa_cmrc2018_trial/cmrc2018_trial", {"answer_not_there": 5, "blank_part": 2}),
    ],
)
def test_real_answers_are_read_and_hardly_doubted(name: str, faults: dict[str, int]) -> None:
    refused: Counter[str] = Counter()
    doubted = rows = 0
    for record in read(RawFile(name, DATA / f"{name}.json"), format="squad"):
        assert isinstance(record, Record)
        row = OWN.shape(record.fields, {})
        rows += 1
        try:
            row = OWN.with_answer(row, OWN.read_answer(record.fields["answers"], record.fields, row))
        except Unfit as one:
            refused[one.reason] += 1
            continue
        refused.update(problem.rule for problem in OWN.problems(row))
        doubted += bool(list(OWN.doubts(row)))
    assert refused == faults
    assert doubted < 0.02 * rows
