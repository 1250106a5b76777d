"""Every edit: what it may touch, what it leaves, and that nothing but its seed decides."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.edits import KNOWN, MENTION_SWAP, Edit, edit
from pipeline.edits.words import cut
from pipeline.errors import AssayError

NAMES = [name for name in KNOWN if name != MENTION_SWAP]
ENGLISH = [
    "Alice O'Neil went to the fair, and she really liked the big red wheel; see https://x.com/abc or @bob in 2024. ",
    " but the food was ",
    " awful and café prices were insane (truly) for #foodies on <br/> [MASK] at 5pm ",
]
CHINESE = [
    "我昨天在北京的电影院看了这部电影，觉得剧情",
    "精彩，演员的表演也",
    "到位！推荐大家去看@小明 #电影推荐# 2024年春天的《再见》。",
]
EVERY = [(name, language) for name in NAMES for language in sorted(edit(name).languages)]
FIXED = re.compile(r"https://x\.com/abc|@bob|2024|#foodies|<br/>|\[MASK\]|5pm|@小明|#电影推荐#|《再见》")
mixed_text = st.text(alphabet="abcdE 'é-.,!?，。@#1\n\t\x1f我在的再电影好看", max_size=60)


def pieces_in(language: str) -> list[str]:
    return ENGLISH if language == "en" else CHINESE


def marks(text: str) -> list[str]:
    return [character for character in text if unicodedata.category(character)[0] in "PS" and character not in "'’-"]


def test_unknown_edits_are_answered_with_the_known() -> None:
    with pytest.raises(AssayError, match="did you mean 'keyboard'"):
        edit("keybord")


@pytest.mark.parametrize("name", NAMES)
def test_edits_keep_the_protocol_and_their_names(name: str) -> None:
    assert isinstance(edit(name), Edit)
    assert edit(name).name == name


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_edits_change_words_and_leave_all_else(name: str, language: str) -> None:
    before = pieces_in(language)
    changed = 0
    for seed in range(40):
        after = edit(name).reword(before, language=language, share=0.2, seed=seed)
        if after is None:
            continue
        changed += 1
        assert len(after) == len(before)
        assert after != before
        assert FIXED.findall("".join(after)) == FIXED.findall("".join(before))
        for old, new in zip(before, after, strict=True):
            assert old[: len(old) - len(old.lstrip())] == new[: len(new) - len(new.lstrip())]
            assert old[len(old.rstrip()) :] == new[len(new.rstrip()) :]
            if name != "ocr":  # which reads s as @ and &
                assert marks(old) == marks(new)
    assert changed > 20


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_only_the_seed_decides(name: str, language: str) -> None:
    def reworded() -> list[str] | None:
        return edit(name).reword(pieces_in(language), language=language, share=0.2, seed=2**63 + 5)

    random.seed(1)
    np.random.seed(1)
    first = reworded()
    state, state_numpy = random.getstate(), np.random.get_state(legacy=False)
    random.seed(2)
    np.random.seed(2)
    edit(name).reword(["Something quite different happened here, 我们在那里"], language=language, share=0.9, seed=3)
    assert reworded() == first
    random.seed(1)
    np.random.seed(1)
    reworded()
    assert random.getstate() == state
    assert str(np.random.get_state(legacy=False)) == str(state_numpy)


@pytest.mark.parametrize(("name", "language"), EVERY)
@settings(max_examples=40)
@given(pieces=st.lists(mixed_text, max_size=4), share=st.floats(0, 1), seed=st.integers(0, 2**64 - 1))
def test_edits_bear_any_text(name: str, language: str, pieces: list[str], share: float, seed: int) -> None:
    after = edit(name).reword(pieces, language=language, share=share, seed=seed)
    assert after is None or (len(after) == len(pieces) and after != pieces)


@given(pieces=st.lists(mixed_text, max_size=4), language=st.sampled_from(["en", "zh"]))
def test_what_is_cut_can_be_joined_again(pieces: list[str], language: str) -> None:
    text = cut(pieces, language=language)
    assert text.joined(text.runs) == pieces


def test_words_that_are_no_free_words_are_in_no_run() -> None:
    text = cut(ENGLISH, language="en")
    words = {word for run in text.runs for word in run.words}
    assert {"O'Neil", "café", "wheel"} <= words
    assert not words & {"https", "x", "com", "abc", "bob", "br", "MASK", "pm", "foodies"}
    words = {word for run in cut(CHINESE, language="zh").runs for word in run.words}
    assert "电影院" in words
    assert not words & {"小明", "再见", "推荐#", "，", "！"}


def test_swap_and_delete_do_what_they_say() -> None:
    assert edit("swap").reword(["好看电影"], language="zh", share=0.1, seed=1) == ["电影好看"]
    assert edit("delete").reword(["one two"], language="en", share=0.1, seed=1) in (["One"], ["one"], ["two"])
    assert edit("delete").reword(["one, two."], language="en", share=1, seed=1) is None
    assert edit("swap").reword(["one, two."], language="en", share=1, seed=1) is None


def test_a_misspelt_word_is_one_letter_off() -> None:
    after = edit("keyboard").reword(["wonderful"], language="en", share=0.1, seed=4)
    assert after is not None
    assert len(after[0]) == 9
    assert sum(a != b for a, b in zip(after[0], "wonderful", strict=True)) == 1


def test_an_edit_by_nlpaug_loads_no_language_models() -> None:
    loaded = "door.characters(); door.words('random'); print('torch' in sys.modules)"
    code = f"import sys; from pipeline.edits import door; {loaded}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]
