"""Classification: labels in every spelling, votes, and scores that agree with the reference."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.errors import Unfit
from pipeline.settings import Guideline, Label
from pipeline.tasks import Row, Vote
from pipeline.tasks.classification import make
from tests.tiny import tiny_tokenizer

RATED = Guideline(
    label=(
        Label(name="bad", scale=(1, 2), aliases=("neg", "差")),
        Label(name="good", scale=(4, 5), aliases=("1.0e", "true")),
    )
)
ONE, SEVERAL, OPEN = make(RATED), make(RATED.model_copy(update={"multiple": True})), make(Guideline())


def row_of(text: str = "a text", *labels: str) -> Row:
    return ONE.with_answer(ONE.shape({"text": text}, {}), list(labels))


@pytest.mark.parametrize(
    ("given_label", "label"),
    [
        ("good", "good"),
        ("GOOD ", "good"),
        ("neg", "bad"),
        ("差", "bad"),
        (5, "good"),
        (4.0, "good"),
        ("4.5", "good"),
        ("1", "bad"),
        (True, "good"),
        (["bad"], "bad"),
    ],
)
def test_a_label_is_read_by_name_alias_or_rating(given_label: Any, label: str) -> None:
    assert ONE.read_answer(given_label, {}, row_of()) == [label]


@pytest.mark.parametrize(
    ("given_label", "reason"),
    [
        (3, "unknown_label"),
        ("fine", "unknown_label"),
        ("", "unknown_label"),
        (None, "wrong_type"),
        ({"a": 1}, "wrong_type"),
        (["bad", "good"], "wrong_type"),
        ("nan", "unknown_label"),
    ],
)
def test_what_is_no_label_is_refused(given_label: Any, reason: str) -> None:
    with pytest.raises(Unfit) as caught:
        ONE.read_answer(given_label, {}, row_of())
    assert caught.value.reason == reason


def test_several_labels_are_a_list_or_parted_by_commas() -> None:
    assert SEVERAL.read_answer("good, neg", {}, row_of()) == ["bad", "good"]
    assert SEVERAL.read_answer(["good", "good"], {}, row_of()) == ["good"]
    assert SEVERAL.read_answer([], {}, row_of()) == []


def test_an_open_guideline_takes_every_label_as_it_is() -> None:
    assert OPEN.read_answer("e\u0301te\u0301", {}, row_of()) == ["été"]
    assert OPEN.read_answer(3.0, {}, row_of()) == ["3"]


@pytest.mark.parametrize(
    ("fields", "columns", "reason"),
    [
        ({"text": None}, {}, "missing_field"),
        ({"text": ["a"]}, {}, "wrong_type"),
        ({"text": "a"}, {"text_pair": "b"}, "missing_field"),
    ],
)
def test_what_is_no_text_is_refused(fields: dict[str, Any], columns: dict[str, str], reason: str) -> None:
    with pytest.raises(Unfit) as caught:
        ONE.shape(fields, columns)
    assert caught.value.reason == reason


def test_the_answer_in_the_record_is_found() -> None:
    assert ONE.raw_answer({"label": "good", "stars": 1}, {}) == "good"
    assert ONE.raw_answer({"label": "good", "stars": 1}, {"label": "stars"}) == 1
    assert ONE.raw_answer({}, {}) is None


@pytest.mark.parametrize("labels", [[], ["bad", "good"]])
def test_a_row_has_exactly_one_label_unless_it_may_have_several(labels: list[str]) -> None:
    assert [problem.rule for problem in ONE.problems(row_of("a", *labels))] == ["not_one_label"]
    assert not list(SEVERAL.problems(row_of("a", *labels)))


def test_every_label_is_voted_on_where_there_may_be_several() -> None:
    answers = [["good"], ["bad", "good"], []]
    assert SEVERAL.ballots(row_of(), answers) == {"bad": ["no", "yes", "no"], "good": ["yes", "yes", "no"]}
    won = {"bad": Vote("no", 0.7, False, {"no": 0.7}), "good": Vote("yes", 0.6, True, {"yes": 0.6})}
    settled = SEVERAL.elect(row_of(), answers, won)
    assert (settled.answer, settled.confidence, settled.tied) == (["good"], 0.6, True)


def test_a_text_as_long_as_the_limit_is_not_cut() -> None:
    reader = tiny_tokenizer(["a text"])
    lengths = {
        limit: ONE.encode(row_of("a text", "bad"), reader, classes=["bad"], max_tokens=limit) for limit in (4, 3)
    }
    assert [(len(e.inputs["input_ids"]), e.cut) for e in lengths.values()] == [(4, False), (3, True)]


def test_a_text_pair_is_two_segments() -> None:
    reader = tiny_tokenizer(["a text or two"])
    row = ONE.shape({"a": "a text", "b": "or two"}, {"text": "a", "text_pair": "b"})
    encoded = ONE.encode(row, reader, classes=["bad"], max_tokens=99)
    assert reader.decode(encoded.inputs["input_ids"]) == "[CLS] a text [SEP] or two [SEP]"
    assert (encoded.targets, encoded.learned) == (-100, 0)


def test_kin_of_a_pair_is_each_of_its_texts() -> None:
    pair = row_of("A man sleeps on the sofa.") | {"text_pair": "Nobody is awake."}
    turned = row_of("nobody is awake") | {"text_pair": "A man sleeps on the sofa"}
    assert make(Guideline()).kin(pair) == make(Guideline()).kin(turned) == ["amansleepsonthesofa", "nobodyisawake"]
    alike = row_of("A man sleeps long.") | {"text_pair": "a man sleeps long"}
    assert make(Guideline()).kin(alike) == ["amansleepslong"]
    assert make(Guideline()).kin(row_of("A man sleeps on the sofa.")) == []


def test_short_texts_of_a_pair_are_kin_only_together() -> None:
    kin = [
        make(Guideline()).kin(row_of(one) | {"text_pair": other})
        for one, other in (("Yes.", "no"), ("No", "yes"), ("yes", "maybe"), ("?", "!"), ("...", "!"))
    ]
    assert kin[0] == kin[1] == ["no|yes"]
    assert len({*map(tuple, kin)}) == 4


@pytest.mark.parametrize("word", ["isn't", "isn’t", "never", "NOT", "并非"])
def test_negations_are_left_alone(word: str) -> None:
    text = f"It {word} so, 她说{word}的" if word == "并非" else f"It {word} so"
    row = row_of(text)
    assert not [piece for piece in ONE.free_pieces(row) if word in piece]
    assert ONE.with_pieces(row, ["" for _ in ONE.free_pieces(row)])["text"].count(word) >= 1


def test_scores_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import accuracy_score, f1_score

    chance = np.random.default_rng(1)
    gold, found = ([str(label) for label in chance.choice(["a", "b", "c"], size=80, p=[0.6, 0.3, 0.1])] for _ in "12")
    scores = OPEN.score([[g] for g in gold], [[f] for f in found], [{}] * 80)
    assert scores.metrics["macro_f1"] == pytest.approx(f1_score(gold, found, average="macro"))
    assert scores.metrics["accuracy"] == pytest.approx(accuracy_score(gold, found))
    assert sum(count for row in scores.confusion.values() for count in row.values()) == 80
    assert scores.per_class["a"]["f1"] == pytest.approx(f1_score(gold, found, labels=["a"], average=None)[0])
