"""Doubts: false sums, loops, cut replies, empty talk, wrong scripts; and what must not be doubted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tasks.doubting import calculated, cut_off, false_sum, of_reply

LONG = "The committee met on Monday and talked about the budget for the coming year at great length. " * 3


def kinds(asked: str, reply: str) -> list[str]:
    return [doubt.kind for doubt in of_reply(asked, reply)]


@pytest.mark.parametrize(
    ("asked", "reply", "kind"),
    [
        ("How many?", "3 + 4 = 8", "false_sum"),
        ("How many?", "12 × 5 = 50 pears", "false_sum"),
        ("How many?", "11 ÷ 4 = 2", "false_sum"),
        ("How many?", "She has <<(5-2)*3=8>>8.", "false_sum"),
        ("Tell me.", "It was fun all day. " * 5, "loop"),
        ("Write it.", "```python\nprint(1)\n", "cut_off"),
        ("Go on.", LONG + "and then the chairman said that", "cut_off"),
        ("请介绍一下北京的历史和文化，谢谢。", "Beijing has a long history and a rich culture.", "wrong_script"),
        ("What is the tallest mountain on Earth?", "珠穆朗玛峰是地球上最高的山峰，海拔八千多米。", "wrong_script"),
        ("Who?", "It was Ann.\nUser: and then?", "other_turn"),
        ("Who?", "As an AI language model I have no opinion, but Ann did.", "self_talk"),
        ("概括这篇文章。", "您没有提供文章，请提供相关内容。", "asks_back"),
        ("Sum it up.", "Sure! I hope this helps.", "empty_talk"),
        ("谢谢", "好的，希望以上内容对您有帮助！", "empty_talk"),
    ],
)
def test_what_is_doubted(asked: str, reply: str, kind: str) -> None:
    assert kind in kinds(asked, reply)


@pytest.mark.parametrize(
    ("asked", "reply"),
    [
        ("How many?", "3 + 4 = 7, and 2 * 3.5 = 7"),
        ("How many?", "10 / 3 = 3.33 and 2 / 3 = 0.67 and 1,000 - 1 = 999"),
        ("How many?", "1 + 2 + 3 = 6"),
        ("How much?", "20% of 50 = 10, so 100 - 20% = 80"),
        ("How much?", "2 + 3 = 5 * 1"),
        ("When?", "2020-05-06 = a day"),
        ("Translate to Chinese: good morning, my dear friends", "早上好，我亲爱的朋友们，祝你们一切顺利。"),
        ("把下面的句子翻译成英文：今天天气很好，我们去公园。", "The weather is fine today; let us go to the park."),
        ("用 Python 写一个打印的函数，谢谢你了。", "def show(text):\n    print(text)"),
        ("List some.", "1. Apples\n2. Pears\n" + LONG + "\n- Plums"),
        ("Go on.", LONG + "That was all."),
        ("Say hello.", "Hello!"),
        ("Is it?", "Of course it is."),
        ("", ""),
    ],
)
def test_what_is_not(asked: str, reply: str) -> None:
    assert kinds(asked, reply) == []


@given(st.integers(-999, 999), st.sampled_from("+-*"), st.integers(-999, 999))
def test_true_sums_are_never_doubted(left: int, sign: str, right: int) -> None:
    value = {"+": left + right, "-": left - right, "*": left * right}[sign]
    assert false_sum(f"so {left} {sign} {right} = {value}") == ""
    assert calculated(f"{left}{sign}({right})") == value


@given(st.integers(1, 999), st.integers(1, 999), st.integers(2, 99))
def test_false_ones_always_are(left: int, right: int, off: int) -> None:
    assert false_sum(f"{left} + {right} = {left + right + off}")


@given(st.text(alphabet="0123456789+-*/(). ", max_size=30))
def test_any_formula_is_read_or_left(formula: str) -> None:
    value = calculated(formula)
    assert value is None or isinstance(value, float)


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_can_be_asked_about(asked: str, reply: str) -> None:
    assert all(doubt.evidence for doubt in of_reply(asked, reply))


def test_a_closed_block_of_code_is_not_cut() -> None:
    assert cut_off(f"{LONG}\n```\ncode\n```") == ""
