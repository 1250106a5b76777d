"""Phrases that tell a confusion from other rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.reviewing.candidates import Lines
from pipeline.reviewing.phrases import Held, mined, spelled
from pipeline.rules import Rule, keyed
from pipeline.settings import Guideline
from pipeline.tasks import task
from tests.builds import a_text
from tests.reviewing.queues import a_build, a_line, a_table, rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.reviewing.candidates import Candidate
    from pipeline.tasks import Row


def found(
    folder: Path, rows: Sequence[Row], suspicious: Sequence[str], likely: str, **guideline: object
) -> list[Candidate]:
    """The candidates of phrases and sources when these rows are suspects."""
    made = a_build(folder, rows, guideline=guideline)
    seen = [one for one in rows if one["id"] in suspicious]
    part = "joy" if guideline else ""
    lines = [a_line(one["id"], "no" if part else one["labels"][0], likely, text=one["text"], part=part) for one in seen]
    looked = rows_of(made, batch_rows=3)
    return list(mined(Lines.of(a_table(lines), looked.task), looked))


LABELS = task("classification", Guideline())
WORDS = ("where", "when", "please", "how", "thanks", "now")
SALARY = [a_text(f"bank/{at}", f"my salary {WORDS[at]} did not come", "transfer") for at in range(6)]
OTHERS = [a_text(f"bank/{at}", f"my money {WORDS[at % 6]} did not come", "transfer") for at in range(6, 18)]


def test_words_that_most_rows_of_a_confusion_hold_and_few_others(tmp_path: Path) -> None:
    candidates = found(tmp_path, [*SALARY, *OTHERS], [one["id"] for one in SALARY], "receiving")
    assert {one.phrases[0] for one in candidates} == {"salary", "my salary"}
    assert {(one.given, one.likely, one.touches, len(one.members)) for one in candidates} == {
        ("transfer", "receiving", 6, 6)
    }


def test_rows_of_another_answer_do_not_count(tmp_path: Path) -> None:
    others = [one | {"labels": ["another"], "text": one["text"].replace("money", "salary")} for one in OTHERS]
    plain = [one | {"id": f"bank/9{at}"} for at, one in enumerate(OTHERS)]
    candidates = found(tmp_path, [*SALARY, *others, *plain], [one["id"] for one in SALARY], "receiving")
    assert {one.touches for one in candidates if one.phrases == ("salary",)} == {6}


def test_a_phrase_that_many_other_rows_hold_is_none(tmp_path: Path) -> None:
    others = [one | {"text": one["text"].replace("money", "salary")} for one in OTHERS]
    assert found(tmp_path, [*SALARY, *others], [one["id"] for one in SALARY], "receiving") == []


def test_characters_of_chinese(tmp_path: Path) -> None:
    rows = [a_text(f"zh/{at}", f"{word}工资没到账", "转账") for at, word in enumerate("请问我的为何")]
    others = [a_text(f"zh/{at}", f"第{at}笔钱没到账", "转账") for at in range(10, 24)]
    candidates = found(tmp_path, [*rows, *others], [one["id"] for one in rows], "收款")
    assert "工资" in {one.phrases[0] for one in candidates}
    assert all(len(one.phrases[0]) > 1 for one in candidates)


def test_a_source_that_confuses(tmp_path: Path) -> None:
    rows = [a_text(f"bad/{at}", f"{'abcdef'[at]}x", "transfer") for at in range(6)]
    others = [a_text(f"good/{at}", f"{'ghijklmnopqr'[at]}y", "transfer") for at in range(12)]
    (one,) = found(tmp_path, [*rows, *others], [one["id"] for one in rows], "receiving")
    assert (one.kind, one.sources, one.touches) == ("source", ("bad",), 6)


def test_one_label_of_several(tmp_path: Path) -> None:
    rows = [one | {"labels": ["sad"] if at % 2 else []} for at, one in enumerate([*SALARY, *OTHERS])]
    candidates = found(tmp_path, rows, [one["id"] for one in SALARY], "yes", multiple=True)
    assert {(one.part, one.given, one.likely, one.touches) for one in candidates} == {("joy", "no", "yes", 6)}


TEXTS = st.lists(st.lists(st.sampled_from(["a b", "card", "lost", "的", "卡", "!", "x"]), max_size=6), max_size=5)


@settings(max_examples=60)
@given(TEXTS)
def test_every_phrase_stands_in_the_texts_that_are_said_to_hold_it(texts: list[list[str]]) -> None:
    joined = [" ".join(words) for words in texts] * 3
    held = Held.of(joined)
    for at in range(len(held.text)):
        phrase = spelled(keyed(held.texts[held.text[at]][held.start[at] : held.end[at]]))
        assert keyed(phrase) == keyed(held.texts[held.text[at]][held.start[at] : held.end[at]])
        row = a_text("a/1", joined[held.text[at]])
        assert Rule("positive", "b", phrases=(phrase,)).parts(row, LABELS) == [""]
