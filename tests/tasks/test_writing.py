from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import Unfit
from pipeline.settings import Guideline
from pipeline.tasks import Vote, figures, parallels, task
from tests.conftest import DATA
from tests.tiny import CHATML, tiny_tokenizer

TRANSLATION, SUMMARY, ANSWER, OTHER = (
    task("writing", Guideline(kind=kind)) for kind in ("translation", "summary", "answer", "other")
)
SOURCE = "In the early morning of the third day, all of the boats left the harbour again."
ZH = "第三天一大早，所有的船又离开了港口。"


def row_of(own: Any, text: str, target: str, context: str | None = None) -> dict[str, Any]:
    fields = {"source": text, "context": context}
    return dict(own.with_answer(own.shape(fields, {}), target))


# -- ingest


def test_records_are_shaped_by_the_parts_of_the_recipe_or_by_usual_names() -> None:
    fields = {"en": "Hello.", "zh": "你好。", "more": ["您好。", ""], "text": "another"}
    columns = {"source": "en", "target": "zh", "references": "more"}
    row = OTHER.shape(fields, columns)
    assert row == {"text": "Hello.", "context": None, "target": "", "references": ["您好。"]}
    assert OTHER.raw_answer(fields, columns) == "你好。"
    assert OTHER.shape({"text": "Hello."}, {})["text"] == "Hello."
    assert OTHER.shape({"source": "Hello.", "text": "No."}, {})["text"] == "Hello."
    assert OTHER.raw_answer({"source": "Hello.", "answer": "Hi."}, {}) == "Hi."


@pytest.mark.parametrize("fields", [{}, {"source": ["a"]}, {"source": "a", "references": [1]}, {"source": None}])
def test_a_record_without_its_parts_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(Unfit):
        OTHER.shape(fields, {"source": "source"})
    with pytest.raises(Unfit, match="wrong_type"):
        OTHER.read_answer(["a"], {}, {})


# -- rules


@pytest.mark.parametrize(
    ("own", "text", "target", "rule"),
    [
        (TRANSLATION, SOURCE, " \n", "no_target"),
        (TRANSLATION, " ", "你好", "no_source"),
        (TRANSLATION, SOURCE, SOURCE.upper(), "copied_source"),
        (TRANSLATION, ZH, ZH, "copied_source"),
        (ANSWER, "Where is Rome?", "I'm sorry, but I can't help with that.", "refusal"),
    ],
)
def test_rules_that_a_row_breaks(own: Any, text: str, target: str, rule: str) -> None:
    assert [problem.rule for problem in own.problems(row_of(own, text, target))] == [rule]


def test_names_may_stay_and_refusals_may_be_translated() -> None:
    assert not list(TRANSLATION.problems(row_of(TRANSLATION, "Los Angeles", "Los Angeles")))
    refusal = "I'm sorry, but I can't help with that."
    assert not list(TRANSLATION.problems(row_of(TRANSLATION, refusal, "很抱歉，我无法回答这个问题。")))


# -- several annotators


def elected(own: Any, *targets: str) -> Any:
    row = row_of(own, SOURCE, "")
    keys = own.ballots(row, targets)[""]
    label, count = Counter(key for key in keys if key).most_common(1)[0]
    return own.elect(row, targets, {"": Vote(label, count / len(keys), False, {})})


def test_the_target_nearest_to_all_others_wins_without_a_majority() -> None:
    found = elected(SUMMARY, "The boats left again.", "The boats left the harbour again.", "Boats left the harbour.")
    assert found.answer == "The boats left the harbour again."
    assert 0 < found.confidence < 1
    assert not found.tied
    assert elected(SUMMARY, "The boats left.", "Nobody stayed.").tied
    assert elected(SUMMARY, "The boats left.", "the boats left", "Nobody.").answer.casefold().startswith("the boats")


def test_worked_answers_agree_in_what_they_come_to() -> None:
    ways = ("3 + 4 = 7\n#### 7", "It is 4 + 3.\n#### 7", "#### 8")
    assert elected(ANSWER, *ways).answer in ways[:2]
    assert len(set(SUMMARY.ballots({}, ways)[""])) == 3
    assert ANSWER.ballots({}, ["", " "])[""] == [None, None]


# -- numbers


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1,234,567 people", "1234567人"),
        ("12,000 people", "1.2万人"),
        ("5.6 million", "560万"),
        ("1.2 billion", "12亿"),
        ("in 1998", "一九九八年"),
        ("the 1930s", "20世纪30年代"),
        ("in 1995", "95年"),
        ("on 12 December", "12月12日"),
        ("at 15:30", "at 3:30 pm"),
        ("25 percent", "a quarter"),
        ("三百二十人", "320 people"),
        ("twenty-five boats", "25艘船"),
        ("nineteen eighty-four", "1984年"),
        ("two hundred and fifty thousand", "25万"),
        ("45,000 acres", "4万5千英亩"),
        ("３０人", "30 people"),
        ("the 21st century", "二十一世纪"),
        ("batted .241", "打出0.241"),
        ("15 , 000", "15000"),
        ("1 100 men", "1100人"),
        ("1/10 of them", "十分之一"),
        ("World War II of 1945", "1945年第二次世界大战"),
        ("3.5 km", "三点五公里"),
        ("12 months", "a dozen months"),
        ("6 ½ points", "6.5分"),
        ("11.20am", "11时20分"),
        ("400 kPa", "400千帕"),
        ("over 30,000 men", "3万多人"),
    ],
)
def test_the_same_numbers_are_told_in_many_ways(one: str, other: str) -> None:
    assert figures.missing(one, other, least_digits=1) == []
    assert figures.missing(other, one) == []


@pytest.mark.parametrize(
    ("one", "other", "lacking"),
    [
        ("in 1998", "1989年", ["1998"]),
        ("12,000 people", "1200人", ["12,000"]),
        ("37 boats and 37 men", "许多船", ["37"]),
        ("up to 4.5 million", "45万", ["4.5"]),
        ("about 64", "sixty-three", ["64"]),
        ("3,000 men", "3,000多万人", ["3,000"]),
    ],
)
def test_numbers_that_are_told_in_no_way_are_missing(one: str, other: str, lacking: list[str]) -> None:
    assert figures.missing(one, other) == lacking


@given(st.text(max_size=60), st.text(alphabet="0123456789.,/ 万亿十百千点分之XVI thousand", max_size=30))
def test_a_text_lacks_none_of_its_own_numbers(text: str, numbers: str) -> None:
    for one in (text, numbers, f"{text} {numbers}"):
        assert figures.missing(one, one, least_digits=1) == []


# -- doubts


@pytest.mark.parametrize(
    ("own", "text", "target", "context", "kind"),
    [
        (TRANSLATION, SOURCE, SOURCE.replace("third", "3rd"), None, "not_translated"),
        (TRANSLATION, ZH, f"《{ZH}》等", None, "not_translated"),
        (TRANSLATION, SOURCE, "第三天一大早, all of the boats left the harbour again", None, "not_translated"),
        (TRANSLATION, f"{SOURCE} It was 1998.", f"{ZH}那是1989年。", None, "other_numbers"),
        (TRANSLATION, f"{SOURCE} {SOURCE}", "船离开了。", None, "length_off"),
        (TRANSLATION, SOURCE, ZH + "他们在海上又走了很久，很久。" * 5, None, "length_off"),
        (SUMMARY, SOURCE, "All 17 boats left.", None, "other_numbers"),
        (SUMMARY, SOURCE, f"The boats left. {SOURCE} And so on, as they do.", None, "length_off"),
        (ANSWER, "When?", "In 1998.", "It was built in 1989.", "not_in_context"),
        (ANSWER, "Why?", "Because winter storms destroyed every bridge", "The trains ran late.", "not_in_context"),
        (ANSWER, "为什么？", "因为暴风雨毁坏了所有桥梁", "火车晚点了很久。", "not_in_context"),
        (ANSWER, "How much?", "3 + 4 = 8", None, "false_sum"),
    ],
)
def test_signs_of_a_wrong_target(own: Any, text: str, target: str, context: str | None, kind: str) -> None:
    doubts = list(own.doubts(row_of(own, text, target, context)))
    assert kind in [doubt.kind for doubt in doubts]
    assert all(doubt.evidence for doubt in doubts)


@pytest.mark.parametrize(
    ("own", "text", "target", "context"),
    [
        (TRANSLATION, SOURCE, ZH, None),
        (TRANSLATION, ZH, SOURCE, None),
        (TRANSLATION, SOURCE, "三日目の早朝、すべての船が再び港を出た。", None),
        (TRANSLATION, SOURCE, "셋째 날 이른 아침, 모든 배가 다시 항구를 떠났다.", None),
        (TRANSLATION, SOURCE, "Am frühen Morgen des dritten Tages verließen alle Boote wieder den Hafen.", None),
        (TRANSLATION, "Sam Roberts and The Old Poets sang.", "Sam Roberts 和 The Old Poets 唱。", None),
        (TRANSLATION, "OK", "好", None),
        (SUMMARY, SOURCE, "The boats left.", None),
        (ANSWER, "How many?", "There were 2 of them, as far as anybody knows.", "Anna and Bob left."),
        (ANSWER, "Why?", "Because the bridges were destroyed", "Storms destroyed all bridges of the town."),
        (OTHER, SOURCE, "37 boats", None),
    ],
)  # fmt: skip
def test_what_only_looks_odd_is_no_sign(own: Any, text: str, target: str, context: str | None) -> None:
    assert not list(own.doubts(row_of(own, text, target, context)))


# -- finetune and evaluate


def reader(*texts: str) -> Any:
    return tiny_tokenizer([*texts, "Summarise:"], "bytelevel", chat_template=CHATML)


def test_the_instruction_is_the_guideline_s_or_that_of_the_kind() -> None:
    own = task("writing", Guideline(kind="translation", instruction="Into French:"))
    for task_, told in (
        (own, "Into French:"),
        (TRANSLATION, "Translate:"),
        (SUMMARY, "Summarise:"),
        (OTHER, "user\nIn"),
    ):
        row, tokens = row_of(task_, SOURCE, "x"), reader(SOURCE)
        assert told in tokens.decode(task_.prompt(row, tokens, max_tokens=400))
    row = row_of(ANSWER, "他在哪里？", "杭州", "马云住在杭州。")
    tokens = reader("他在哪里？", "马云住在杭州。", "回答：")
    assert "回答：\n\n他在哪里？\n\n马云住在杭州。" in tokens.decode(ANSWER.prompt(row, tokens, max_tokens=400))


def test_a_long_source_loses_its_end_and_neither_its_instruction_nor_the_way_to_the_reply() -> None:
    row = row_of(SUMMARY, " ".join(f"word{at}" for at in range(200)), "All words.")
    tokens = reader(row["text"])
    shortened = tokens.decode(SUMMARY.prompt(row, tokens, max_tokens=60))
    assert shortened.startswith("<|im_start|>user\nSummarise:\n\nword0 word1")
    assert shortened.endswith("<|im_end|>\n<|im_start|>assistant\n")
    made = SUMMARY.encode(row, tokens, classes=[], max_tokens=60)
    assert made.cut
    assert len(made.inputs["input_ids"]) == 60
    assert isinstance(made.targets, list)
    learned = [int(target) for target in made.targets if target >= 0]
    assert tokens.decode(learned) == "All words.<|im_end|>"
    until = len(made.targets) - len(learned)
    assert made.inputs["input_ids"][:until] == SUMMARY.prompt(row, tokens, max_tokens=until)


def test_a_model_s_text_is_scored_against_the_nearest_right_one() -> None:
    rows: list[dict[str, Any]] = [{"references": ["A wholly different text."]}, {"references": []}]
    told = SUMMARY.score(["The boats left.", "Rome"], ["A wholly different text.", "Rome"], rows)
    assert told.headline == "chrf"
    assert told.metrics["chrf"] == pytest.approx(100)
    assert SUMMARY.score([], [], []).metrics["chrf"] == 0


def test_questions_about_one_context_are_kin() -> None:
    one, other = (
        row_of(ANSWER, text, "x", "Anna stayed in Rome, as the trains did not run.") for text in ("Who?", "Why?")
    )
    assert ANSWER.kin(one) == ANSWER.kin(other) != []
    assert TRANSLATION.kin(row_of(TRANSLATION, SOURCE, ZH)) == TRANSLATION.kin(row_of(TRANSLATION, SOURCE.upper(), "x"))


# -- real sets


@pytest.mark.realdata
@pytest.mark.skipif(not DATA.is_dir(), reason="no real data: set ASSAY_REAL_DATA to their folder")
@pytest.mark.parametrize(
    "name", ["summaries_dialogsum/dialogsum.test.jsonl", "chinese_csl/ts/dev.tsv", "reasoning_gsm8k/test.jsonl"]
)
def test_real_targets_are_hardly_doubted(name: str) -> None:
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    if name.endswith("tsv"):
        own, pairs = SUMMARY, [line.split("\t")[1:3] for line in lines]
    elif "gsm8k" in name:
        own, pairs = ANSWER, [[one["question"], one["answer"]] for one in map(json.loads, lines)]
    else:
        own, pairs = (
            SUMMARY,
            [[one["dialogue"], one[key]] for one in map(json.loads, lines) for key in one if key[:3] == "sum"],
        )
    assert len(pairs) > 900
    doubted = sum(bool(list(own.doubts(row_of(own, text, target)))) for text, target in pairs)
    assert doubted < 0.02 * len(pairs)


def test_lengths_are_counted_alike_in_all_scripts() -> None:
    assert parallels.extent("abc") == parallels.extent("中") == 3
    assert parallels.extent("한") == 2
    assert parallels.extent("สวัสดี") <= 6
