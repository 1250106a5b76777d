"""Chat: turns in order, what is learned of them, and replies that answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import AssayError, Unfit
from pipeline.settings import Guideline
from pipeline.tasks import Row, Vote, refusals, replies
from pipeline.tasks.chat import make
from tests.tiny import CHATML, tiny_tokenizer

TASK = make(Guideline(keep_words=("haiku",)))
TEXTS = ["Hello there, how are you?", "你好，北京在哪里？", "system user assistant tool"]
LETTERS = {"s": "system", "u": "user", "a": "assistant", "t": "tool", "x": "wizard"}
CALL = '{"name": "f", "arguments": {}}'


def chat(*turns: tuple[str, str], **fields: Any) -> Row:
    """A row of turns: a role's first letter and what is said."""
    messages = [{"role": LETTERS[letter], "content": content} for letter, content in turns]
    return TASK.shape({"messages": messages, **fields}, {})


def rules(row: Row) -> list[str]:
    return [problem.rule for problem in TASK.problems(row)]


# -- shape


def test_roles_are_ours_and_replies_are_learned() -> None:
    said = [
        ("developer", "s"),
        ("human", "u"),
        ("function_call", CALL),
        ("observation", "1"),
        ("gpt", "a"),
        ("Elf", "?"),
    ]
    row = TASK.shape({"turns": [{"role": r, "content": c} for r, c in said]}, {"messages": "turns"})
    assert [turn["role"] for turn in row["messages"]] == ["system", "user", "assistant", "tool", "assistant", "Elf"]
    assert [turn["learn"] for turn in row["messages"]] == [False, False, True, False, True, False]


def test_what_the_file_does_not_want_learned_is_not() -> None:
    turns = [{"role": "assistant", "content": "a", "learn": False}, {"role": "assistant", "content": "b", "weight": 0}]
    turns += [{"role": "assistant", "content": " "}, {"role": "assistant", "content": "c", "weight": 1}]
    row = TASK.shape({"messages": turns}, {})
    assert [turn["learn"] for turn in row["messages"]] == [False, False, False, True]


def test_contents_are_text_in_composed_form() -> None:
    parts = [{"type": "text", "text": "e\u0301"}, {"type": "text", "text": "b"}]
    row = TASK.shape({"messages": [{"role": "user", "content": parts}, {"role": "assistant"}], "tools": [{"a": 1}]}, {})
    assert [turn["content"] for turn in row["messages"]] == ["é\nb", ""]
    assert row["tools"] == '[{"a": 1}]'


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "missing_field"),
        ({"messages": "hello"}, "wrong_type"),
        ({"messages": ["hello"]}, "wrong_type"),
        ({"messages": [{"role": "user", "content": 3}]}, "wrong_type"),
        ({"messages": [{"role": "user", "content": [{"type": "image"}]}]}, "wrong_type"),
    ],
)
def test_what_is_no_chat_is_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unfit) as caught:
        TASK.shape(fields, {})
    assert caught.value.reason == reason


# -- answers


def test_the_answer_is_the_last_reply() -> None:
    row = chat(("u", "q"), ("a", "one"), ("u", "r"), ("a", "two"))
    assert TASK.answer(row) == "two"
    assert TASK.shown(row) == "q\none\nr"
    assert TASK.raw_answer({"messages": row["messages"]}, {}) == "two"
    assert TASK.answer(TASK.with_answer(row, "three")) == "three"
    assert TASK.with_answer(row, "two") == row


def test_a_question_without_a_reply_gets_one() -> None:
    row = chat(("u", "q"))
    assert TASK.raw_answer({"messages": row["messages"]}, {}) is None
    answered = TASK.with_answer(row, "one")
    assert rules(answered) == []
    assert TASK.shown(answered) == TASK.shown(row) == "q"


def test_an_answer_that_is_no_text_is_refused() -> None:
    assert TASK.read_answer({"content": "e\u0301"}, {}, {}) == "é"
    with pytest.raises(Unfit, match="wrong_type"):
        TASK.read_answer(3, {}, {})


# -- several annotators


def elected(*answers: str) -> tuple[str, float, bool]:
    settled = TASK.elect(chat(("u", "q")), list(answers), {"": Vote("?", 0.9, True, {})})
    return settled.answer, round(settled.confidence, 3), settled.tied


def test_the_reply_of_most_annotators_wins() -> None:
    assert TASK.ballots({}, ["Rome.", "rome", ""]) == {"": ["rome", "rome", None]}
    assert elected("Rome.", "rome", "Paris") == ("rome", 0.667, False)  # of equally common spellings the shortest
    assert elected("rome", "Rome.", "rome", "Paris") == ("rome", 0.75, False)
    assert TASK.elect({}, ["Rome"], {"": Vote("rome", 0.8, False, {})}).confidence == 0.8


def test_else_the_one_nearest_to_the_others_does() -> None:
    answer, confidence, tied = elected("It is Rome", "It is Rome, Italy", "It is in Italy", "No idea whatsoever")
    assert (answer, tied) == ("It is Rome, Italy", False)
    assert 0.2 < confidence < 0.8


def test_two_who_differ_are_a_tie() -> None:
    assert elected("Rome", "Paris")[2]
    assert elected("罗马", "巴黎")[2]
    assert elected("", " ") == ("", 0.0, False)


# -- rules


@pytest.mark.parametrize(
    ("turns", "broken"),
    [
        ("ua", []),
        ("sua", []),
        ("uaua", []),
        ("suatta", []),
        ("xua", ["unknown_role"]),
        ("au", ["turn_order", "no_reply"]),
        ("usa", ["turn_order"]),
        ("uua", ["turn_order"]),
        ("uaa", ["turn_order"]),
        ("uta", ["turn_order"]),
        ("uau", ["no_reply"]),
        ("sa", ["turn_order"]),
        ("", ["no_reply"]),
    ],
)
def test_turns_follow_an_order(turns: str, broken: list[str]) -> None:
    said = [
        (letter, CALL if letter == "a" and turns[at + 1 : at + 2] == "t" else f"{at}!")
        for at, letter in enumerate(turns)
    ]
    assert rules(chat(*said)) == broken


@pytest.mark.parametrize(
    ("asked", "reply", "rule"),
    [
        (" \n", "Yes, it is.", "blank_turn"),
        ("Is it?", "It is.<|im_end|>", "control_tokens"),
        ("[INST] Is it?", "It is.", "control_tokens"),
        ("<s>Is it?", "It is.", "control_tokens"),
        ("Is it?", "It is <｜end▁of▁sentence｜>", "control_tokens"),
        ("Is it?<|endoftext|>", "It is.", "control_tokens"),
        ("Weather?", '<tool_call>{"name": "f"}</tool_call>', "broken_tool_call"),
        ("Weather?", '<tool_call>{"name": "f", "arguments": {}}', "broken_tool_call"),
        ("Weather?", "<tool_call>f(x)</tool_call>", "broken_tool_call"),
        ("Weather?", '{"name": "f", "arguments": "x"}', "broken_tool_call"),
        ("Write a poem.", "I'm sorry, but I cannot assist with that.", "refusal"),
        ("Write a long poem.", "write a long poem", "echo"),
        ("请写一首关于春天的诗", "请写一首关于春天的诗。", "echo"),
    ],
)
def test_a_broken_rule_is_a_problem(asked: str, reply: str, rule: str) -> None:
    assert rules(chat(("u", asked), ("a", reply))) == [rule]


def test_a_blank_reply_is_blank_and_nothing_to_learn() -> None:
    assert rules(chat(("u", "q"), ("a", ""))) == ["blank_turn", "no_reply"]


def test_a_call_that_a_tool_answers_must_be_one() -> None:
    assert rules(chat(("u", "q"), ("a", CALL), ("t", "1"), ("a", "It is 1."))) == []
    assert rules(chat(("u", "q"), ("a", f"Let me see. [{CALL}]"), ("t", "1"), ("a", "It is 1."))) == []
    assert rules(chat(("u", "q"), ("a", "Let me see."), ("t", "1"), ("a", "It is 1."))) == ["broken_tool_call"]
    assert rules(chat(("u", "q"), ("a", "It is 1."), tools="{")) == ["broken_tool_call"]


@pytest.mark.parametrize(
    "reply", ["a <b> [i] <|> x", "if a < s > b", "Sorry! Here it is: 4.", "Hello!", "你好！", "if (a<s) b"]
)
def test_what_only_looks_like_a_problem_passes(reply: str) -> None:
    assert rules(chat(("u", "Hello!"), ("a", reply))) == []


@pytest.mark.parametrize(
    "reply",
    [
        "I'm sorry, but I can't assist with that request.",
        "I’m really sorry, but I can’t help with that.",
        "Sorry.",
        "As an AI language model, I don't have personal opinions.",
        "I cannot provide medical advice. Please consult a doctor.",
        "I am unable to answer. Is there anything else I can help you with?",
        "I don't know.",
        "N/A",
        "<noinput>",
        "…",
        "很抱歉，我无法回答这个问题。",
        "对不起，我不能帮助您。",
        "作为一个人工智能语言模型，我无法提供个人意见。",
        "抱歉，我无法访问互联网。如果您有其他问题，请告诉我。",
        "我不知道",
    ],
)
def test_a_bare_refusal_is_one(reply: str) -> None:
    assert refusals.is_refusal(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "42",
        "😀",
        "Yes",
        "None",
        "Sorry for the wait! The answer is 42.",
        "I'm sorry, I cannot do that. But here is another way: use a loop.",
        "I cannot help but admire the view.",
        "I don't know who wrote it, but the style is Tang.",
        "I can't find my keys.",
        "We cannot offer a refund after thirty days.",
        "How may I help you?",
        "抱歉久等了，答案是四十二。",
        "我无法忘记那天的夜晚。",
        "对不起是一句道歉的话。",
        "他说他不知道。",
        "无",
    ],
)
def test_a_reply_that_says_something_is_none(reply: str) -> None:
    assert not refusals.is_refusal(reply)


# -- rewording


def test_only_what_users_say_is_free_and_neither_code_nor_quotations() -> None:
    asked = 'Explain `x = 1` and "two words" at https://a.b/c?d in 3 lines, never as a haiku.\n```py\nfor all\n```'
    row = chat(("s", "Be kind."), ("u", asked), ("a", "An explanation in lines."))
    free = TASK.free_pieces(row)
    for kept in ("x = 1", "two words", "https", "3", "never", "haiku", "for all", "lines", "kind"):
        assert not [piece for piece in free if kept in piece]
    assert "Explain " in free
    edited = TASK.with_pieces(row, [piece.upper() for piece in free])
    assert edited["messages"][1]["content"].startswith("EXPLAIN `x = 1` AND ")
    assert [edited["messages"][0], edited["messages"][2]] == [row["messages"][0], row["messages"][2]]


def test_names_that_the_reply_takes_up_are_left_alone() -> None:
    assert (
        "".join(TASK.free_pieces(chat(("u", "请介绍一下北京大学的历史"), ("a", "北京大学创立于1898年。"))))
        == "请介绍一下的历史"
    )
    assert "Einstein" not in "".join(
        TASK.free_pieces(chat(("u", "Who was Einstein?"), ("a", "EINSTEIN was a physicist.")))
    )


def test_kin_is_how_the_user_begins() -> None:
    asked = ("u", "What does one eat in Rome?")
    bare = TASK.kin(chat(asked, ("a", "Pasta.")))
    longer = chat(("s", "Be brief."), ("u", "what does one eat in rome"), ("a", "Fish."), ("u", "Why?"))
    assert bare == TASK.kin(longer) == ["whatdoesoneeatinrome"]
    greeted = chat(("u", "Hi!"), ("a", "Hello."), asked, ("a", "Pasta."))
    assert TASK.kin(greeted) == ["hi|whatdoesoneeatinrome"]


@pytest.mark.parametrize("opener", ["Hi", "Hello there", "👋", "...", "你好", "你好！"])
def test_anybodys_opener_is_no_kin(opener: str) -> None:
    assert TASK.kin(chat(("u", opener), ("a", "What would you like to know about Rome?"))) == []
    assert TASK.kin(chat(("s", "Speak of Rome and nothing else."))) == []


def test_short_chinese_openers_say_enough() -> None:
    assert TASK.kin(chat(("u", "写一首诗。"), ("a", "好。"))) == ["写一首诗"]


def test_long_openers_are_told_apart_by_all_of_them() -> None:
    one, other = (TASK.kin(chat(("u", "word " * 5000 + end))) for end in ("one", "other"))
    assert one != other
    assert len(one[0]) < 200


def test_a_row_counts_by_length_and_tools() -> None:
    assert TASK.strata(chat(("u", "q"), ("a", "x" * 60))) == ["replies 1", "reply chars <200"]
    row = chat(("u", "q"), ("a", CALL), ("t", "1"), ("a", "y"), tools="[]")
    assert TASK.strata(row) == ["replies 2-4", "reply chars <50", "tools"]


# -- models

THINKING = CHATML.replace(
    "message['content'].strip()",
    "(message['content'].split('</think>')[-1].strip() if not loop.last else message['content'].strip())",
)
ENDING = (
    "{{ bos_token or '' }}{% for m in messages %}{% if m['role'] == 'user' %}[Q] {{ m['content'].strip() }} [A]"
    "{% else %} {{ m['content'].strip() }}</s>{% endif %}{% endfor %}"
)
TEMPLATES = {"chatml": CHATML, "none": None, "thinking": THINKING, "no prompt": ENDING}


def reader(template: str) -> Any:
    return tiny_tokenizer(TEXTS, "bytelevel", chat_template=TEMPLATES[template])


def learned(row: Row, tokenizer: Any, max_tokens: int = 4096) -> tuple[str, Any]:
    encoded = TASK.encode(row, tokenizer, classes=[], max_tokens=max_tokens)
    assert isinstance(encoded.targets, list)
    ids = encoded.inputs["input_ids"]
    assert all(target in (-100, token) for target, token in zip(encoded.targets, ids, strict=True))
    return tokenizer.decode([target for target in encoded.targets if target >= 0]), encoded


@pytest.mark.parametrize("template", ["chatml", "none", "thinking"])
def test_replies_and_what_ends_them_are_learned_and_nothing_else(template: str) -> None:
    row = chat(("s", "Hello"), ("u", "Hello"), ("a", " Hello\n"), ("u", "你好"), ("a", "北京。"))
    assert learned(row, reader(template))[0] == "Hello<|im_end|>北京。<|im_end|>"
    row["messages"][2]["learn"] = False
    assert learned(row, reader(template))[0] == "北京。<|im_end|>"


def test_a_template_with_another_end_token_is_followed() -> None:
    text, _ = learned(chat(("u", "one"), ("a", "Hello"), ("u", "two"), ("a", "Hello")), reader("no prompt"))
    assert text == " Hello</s> Hello</s>"


def test_a_template_that_rewrites_earlier_turns_still_teaches_what_it_shows() -> None:
    row = chat(("u", "one"), ("a", "<think>hm</think>Hello"), ("u", "two"), ("a", "<think>so</think>Hello you"))
    assert learned(row, reader("thinking"))[0].endswith("<think>so</think>Hello you<|im_end|>")


def test_a_template_that_refuses_is_an_error_of_the_set_up() -> None:
    refusing = tiny_tokenizer(TEXTS, "bytelevel", chat_template="{{ raise_exception('no system turns') }}")
    with pytest.raises(AssayError, match="no system turns"):
        learned(chat(("u", "one"), ("a", "two")), refusing)


@pytest.mark.parametrize("template", ["none", "chatml"])
@pytest.mark.parametrize("system", ["", "Be brief."])
def test_tools_are_told_where_the_template_does_not_show_them(template: str, system: str) -> None:
    said = [("u", "one"), ("a", "two")]
    row = chat(*([("s", system)] if system else []), *said, tools='[{"name": "f"}]')
    text, encoded = learned(row, reader(template))
    whole = reader(template).decode(encoded.inputs["input_ids"])
    assert text == "two<|im_end|>"
    assert whole.startswith(f"<|im_start|>system\n{system}")
    assert whole.count('Tools: [{"name": "f"}]') == 1


def test_tools_are_left_to_the_template_that_shows_them() -> None:
    showing = tiny_tokenizer(
        TEXTS, "bytelevel", chat_template="{% if tools %}{{ tools[0]['name'] }}!{% endif %}" + CHATML
    )
    row = chat(("u", "one"), ("a", "two"), tools='[{"name": "f"}]')
    text, encoded = learned(row, showing)
    assert showing.decode(encoded.inputs["input_ids"]).startswith("f!<|im_start|>user")
    assert text == "two<|im_end|>"


@pytest.mark.parametrize("template", ["chatml", "none", "no prompt"])
def test_a_reply_is_generated_from_what_it_is_learned_after(template: str) -> None:
    row = chat(("u", "Hello"), ("a", "Hello"), ("u", "你好"), ("a", "北京。"))
    tokenizer = reader(template)
    _, encoded = learned(row, tokenizer)
    prompt = TASK.prompt(row, tokenizer, max_tokens=4096)
    rest = encoded.targets[len(prompt) :]
    assert encoded.inputs["input_ids"][: len(prompt)] == prompt
    assert tokenizer.decode([target for target in rest if target >= 0]).strip().startswith("北京。")
    assert encoded.targets[len(prompt)] >= 0
    assert len(TASK.prompt(row, tokenizer, max_tokens=10)) <= 10


@given(
    turns=st.lists(st.sampled_from(["Hello", "你好，北京", "how are you? " * 9]), min_size=2, max_size=6),
    system=st.booleans(),
    limit=st.integers(16, 220),
    template=st.sampled_from(["chatml", "none", "no prompt"]),
)
def test_whatever_the_limit_something_of_the_last_reply_is_learned(
    turns: list[str], system: bool, limit: int, template: str
) -> None:
    said = [("ua"[at % 2], content) for at, content in enumerate(turns[: len(turns) // 2 * 2])]
    row = chat(*([("s", "Hello")] if system else []), *said)
    tokenizer = reader(template)
    text, encoded = learned(row, tokenizer, limit)
    assert len(encoded.inputs["input_ids"]) <= limit
    assert encoded.learned > 0
    whole, everything = learned(row, tokenizer)
    assert encoded.cut == (len(everything.inputs["input_ids"]) > limit)
    if not encoded.cut:
        assert text == whole
    if 2 * len(tokenizer(said[-1][1])["input_ids"]) + 16 < limit:
        assert said[-1][1].strip() in text, "a reply that takes less than half is never cut"


def test_what_is_too_long_loses_whole_exchanges_first() -> None:
    row = chat(("s", "Hello"), ("u", "one one one"), ("a", "two two two"), ("u", "你好"), ("a", "北京。"))
    tokenizer = reader("chatml")
    _, whole = learned(row, tokenizer)
    _, encoded = learned(row, tokenizer, len(whole.inputs["input_ids"]) - 1)
    kept = tokenizer.decode(encoded.inputs["input_ids"])
    assert encoded.cut
    assert kept.startswith("<|im_start|>system\nHello<|im_end|>\n<|im_start|>user\n你好")


# -- scores


def test_identical_replies_score_full_marks_in_every_script() -> None:
    said = ["Hello there.", "北京是中国的首都。", "42"]
    scores = TASK.score(said, said, [{}] * 3)
    assert scores.metrics == pytest.approx({"chrf": 100, "exact_match": 1, "rouge_l": 1, "length_ratio": 1})
    assert scores.headline == "chrf"
    assert TASK.score(["北京"], ["上海"], [{}]).metrics["chrf"] == 0


@given(st.lists(st.sampled_from("abc"), max_size=9), st.lists(st.sampled_from("abc"), max_size=9))
def test_the_longest_common_subsequence_is_counted(one: list[str], other: list[str]) -> None:
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    common, length = table[-1][-1], len(one) + len(other)
    expected = 2 * common / length if one and other else float(one == other)
    assert replies.rouge_l(" ".join(one), " ".join(other)) == pytest.approx(expected)


# -- real data


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "at_most"), [("alpaca_en_demo", 0.03), ("alpaca_zh_demo", 0.03), ("glaive_toolcall_zh_demo", 0.05)]
)
def test_few_real_rows_break_a_rule(real_data: Path, name: str, at_most: float) -> None:
    records = json.loads((real_data / "chat_llamafactory" / f"{name}.json").read_text(encoding="utf-8"))
    rows = [TASK.shape({**record, "messages": _messages(record)}, {}) for record in records]
    broken = [rules(row) for row in rows if rules(row)]
    assert len(rows) > 100
    assert len(broken) <= at_most * len(rows), broken
    for row in rows[:50]:
        assert TASK.with_pieces(row, TASK.free_pieces(row)) == row


def _messages(record: dict[str, Any]) -> list[dict[str, Any]]:
    if "conversations" in record:
        return [{"role": turn["from"], "content": turn["value"]} for turn in record["conversations"]]
    asked = "\n".join(filter(None, (record["instruction"], record["input"])))
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": record["output"]}]
