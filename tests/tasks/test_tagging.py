"""Tagging: offsets that hold, tags that are legal, votes of annotators whose spans and tokens differ."""

from __future__ import annotations

import itertools
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import Unfit
from pipeline.settings import Guideline, Label
from pipeline.tagscheme import detect_scheme, spans_from_tags, tags_from_spans
from pipeline.tasks import Row, Vote, spans
from pipeline.tasks.align import Partly
from pipeline.tasks.subwords import Subwords
from pipeline.tasks.tagging import Tagging, make
from pipeline.text import nfc
from tests.tiny import tiny_tokenizer

OWN = Guideline(label=(Label(name="LOC"), Label(name="ORG", aliases=("COMPANY",)), Label(name="PER")))
TASK = make(OWN)
FREE = make(Guideline())


def row_of(text: str, *answer: list[Any]) -> Row:
    return TASK.with_answer(TASK.shape({"text": text}, {}), list(answer))


def token_row(*tokens: str) -> Row:
    return TASK.shape({"tokens": list(tokens)}, {})


def read(given: Any, text: str, task: Tagging = TASK, **fields: Any) -> Any:
    fields = {"text": text, **fields}
    return task.read_answer(given, fields, task.shape(fields, {}))


# -- texts and tokens


def test_tokens_are_parted_by_spaces_only_where_the_script_has_them() -> None:
    row = token_row("GPT", "和", "北京", "，", "and", "Rome")
    assert row["text"] == "GPT 和北京， and Rome"
    assert [row["text"][t["start"] : t["end"]] for t in row["tokens"]] == ["GPT", "和", "北京", "，", "and", "Rome"]


def test_single_characters_of_a_chinese_sentence_stand_together() -> None:
    assert token_row(*"在2012年看NBA")["text"] == "在2012年看NBA"
    assert token_row("a", "b")["text"] == "a b"


@given(st.lists(st.text("aé e\u0301\u3099か北。-1👩\u200d\u200b", max_size=4), max_size=8))
def test_tokens_stand_where_their_edges_say(tokens: list[str]) -> None:
    text, edges = spans.laid(tokens)
    assert text == nfc(text)
    assert len(edges) == len(tokens)
    assert all(a[1] <= b[0] or a[0] == a[1] or b[0] == b[1] for a, b in itertools.pairwise(edges))
    if not any(token[:1] in "\u0301\u3099" for token in tokens if token):
        assert [text[start:end] for start, end in edges] == [nfc(token) for token in tokens]


def test_an_empty_token_stands_nowhere_and_moves_nothing() -> None:
    with_empty, without = token_row("", "In", "", "Rome", ""), token_row("In", "Rome")
    assert with_empty["text"] == without["text"] == "In Rome"
    assert [t for t in with_empty["tokens"] if t["start"] < t["end"]] == without["tokens"]
    answer = TASK.read_answer(["O", "O", "B-LOC", "I-LOC", "I-LOC"], {}, with_empty)
    assert answer == [[3, 7, "LOC"]]


def test_an_empty_token_is_not_learned_and_shifts_no_target() -> None:
    reader = tiny_tokenizer(["In Rome"])
    names = TASK.classes([])
    encoded = [
        TASK.encode(TASK.with_answer(row, [[3, 7, "LOC"]]), reader, classes=names, max_tokens=99)
        for row in (token_row("", "In", "", "Rome", ""), token_row("In", "Rome"))
    ]
    assert encoded[0] == encoded[1]
    assert encoded[0].learned == 2


def test_text_with_tokens_keeps_both() -> None:
    fields = {"text": "Rome , 2 km", "tokens": ["Rome,", "2km"]}
    row = TASK.shape(fields, {})
    assert row["tokens"] == [{"start": 0, "end": 6}, {"start": 7, "end": 11}]
    with pytest.raises(Unfit, match="span_surface"):
        TASK.shape({"text": "Rome", "tokens": ["Rom", "a"]}, {})


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({}, "missing_field"),
        ({"text": None}, "missing_field"),
        ({"text": 3}, "wrong_type"),
        ({"tokens": "Rome"}, "wrong_type"),
        ({"tokens": ["Rome", None]}, "wrong_type"),
    ],
)
def test_what_is_no_text_is_refused(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unfit) as caught:
        TASK.shape(fields, {})
    assert caught.value.reason == reason


# -- answers as delivered


@pytest.mark.parametrize(
    "given_answer",
    [
        [[8, 12, "LOC"], [0, 3, "PER"]],
        [{"start": 0, "end": 3, "label": "PER"}, {"start": 8, "end": 12, "label": "LOC", "text": "Rome"}],
        [{"start_offset": 0, "end_offset": 3, "label": "PER"}, {"start": 8, "end": 12, "labels": ["LOC"]}],
        '[[0, 3, "PER"], [8, 12, "LOC"]]',
        [[0, 3, "PER"], [0, 3, "PER"], [8, 12, "LOC", "Rome"]],
    ],
)
def test_spans_are_read_in_all_their_spellings(given_answer: Any) -> None:
    assert read(given_answer, "Bob saw Rome") == [[0, 3, "PER"], [8, 12, "LOC"]]


def test_labels_are_those_of_the_guideline() -> None:
    assert read([[0, 4, "company"]], "Acme") == [[0, 4, "ORG"]]
    assert read([[0, 4, "Anything"]], "Acme", FREE) == [[0, 4, "Anything"]]


@pytest.mark.parametrize(
    ("given_answer", "reason", "seen"),
    [
        ([[0, 4, "CAR"]], "unknown_label", "CAR"),
        ([[0, 4, None]], "unknown_label", "None"),
        ([[0, 99, "PER"]], "span_out_of_text", "[0, 99) in a text of 12"),
        ([[3, 3, "PER"]], "span_out_of_text", "[3, 3)"),
        ([[-1, 3, "PER"]], "span_out_of_text", "[-1, 3)"),
        ([["0", 3, "PER"]], "wrong_type", "'0'"),
        ([[True, 3, "PER"]], "wrong_type", "True"),
        ([[0, 3]], "wrong_type", "[0, 3]"),
        ("no JSON", "wrong_type", "no JSON"),
        ('{"a": 1}', "wrong_type", "a"),
        ([{"start": 0, "end": 3, "label": "PER", "text": "Bib"}], "span_surface", "'Bob', not 'Bib'"),
        ([[0, 4, "PER"]], "span_edges", "Bob "),
        ([[0, 7, "PER"], [4, 12, "LOC"]], "spans_overlap", "[0, 7) PER"),
        (["B-PER", "O"], "wrong_type", "tokens"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_its_evidence(given_answer: Any, reason: str, seen: str) -> None:
    with pytest.raises(Unfit) as caught:
        read(given_answer, "Bob saw Rome")
    assert caught.value.reason == reason
    assert seen in caught.value.evidence


@pytest.mark.parametrize(("start", "end"), [(11, 15), (5, 9)])
def test_offsets_in_utf16_units_are_named_as_such(start: int, end: int) -> None:
    text = "😀 In 😀 Rome" if start == 11 else "😀 - Rome"
    at = text.index("Rome")
    units = len(text[:at].encode("utf-16-le")) // 2
    with pytest.raises(Unfit) as caught:
        read([{"start": units, "end": units + 4, "label": "LOC", "text": "Rome"}], text)
    assert caught.value.reason in ("span_surface", "span_out_of_text")
    assert f"UTF-16 units: in characters it is [{at}, {at + 4})" in caught.value.evidence
    assert read([{"start": at, "end": at + 4, "label": "LOC", "text": "Rome"}], text) == [[at, at + 4, "LOC"]]


@given(
    st.lists(st.sampled_from(["a", "e\u0301", "한", "\u1112\u1161\u11ab", "か\u3099", "😀", " x", "北"]), min_size=1),
    st.data(),
)
def test_offsets_survive_composition(letters: list[str], data: st.DataObject) -> None:
    edges = [0, *itertools.accumulate(map(len, letters))]
    first = data.draw(st.integers(0, len(letters) - 1))
    last = data.draw(st.integers(first + 1, len(letters)))
    raw = "".join(letters)
    surface = raw[edges[first] : edges[last]]
    if surface != surface.strip():
        return
    answer = read([[edges[first], edges[last], "PER", surface]], raw)
    assert nfc(raw)[slice(*answer[0][:2])] == nfc(surface)


# -- tags as delivered


def test_tags_are_read_under_the_scheme_of_their_file() -> None:
    tokens = ["Rome", "Paris", "and", "Bob"]
    fields = {"tokens": tokens, "tags": {"0": ["I-LOC", "B-LOC", "O", "I-PER"]}, "schemes": {"0": "iob1"}}
    row = TASK.shape(fields, {})
    answer = TASK.read_answer(TASK.raw_answer(fields, {}), fields, row)
    assert answer == [[0, 4, "LOC"], [5, 10, "LOC"], [15, 18, "PER"]]


def test_tags_that_break_their_scheme_are_refused() -> None:
    fields = {"tokens": ["a", "b"], "tags": {"0": ["O", "I-LOC"]}, "schemes": {"0": "iob2"}}
    with pytest.raises(Unfit, match="broken_tags"):
        TASK.read_answer(["O", "I-LOC"], fields, TASK.shape(fields, {}))
    with pytest.raises(Unfit, match="1 tags for 2 tokens"):
        TASK.read_answer(["O"], fields, TASK.shape(fields, {}))


def test_annotators_may_have_other_tokens() -> None:
    row = token_row("Bob", "'s", "car", "in", "New", "York")
    answer = TASK.read_answer(["B-PER", "O", "O", "O", "B-LOC"], {"tokens": ["Bob", "'s", "car", "in", "NewYork"]}, row)
    assert answer == [[0, 3, "PER"], [14, 22, "LOC"]]
    with pytest.raises(Unfit, match="span_surface") as caught:
        TASK.read_answer(["O"], {"tokens": ["Other"]}, row)
    assert not isinstance(caught.value, Partly)


def test_annotators_may_spell_tokens_otherwise() -> None:
    row = row_of("“Anna” (of Rome) lives in New York.")
    tokens = ["``", "anna", "''", "-LRB-", "of", "rome", "-RRB-", "lives", "in", "New-York"]
    tags = ["O", "B-PER", "O", "O", "O", "B-LOC", "O", "O", "O", "B-LOC"]
    answer = TASK.read_answer(tags, {"tokens": tokens}, row)
    assert [row["text"][start:end] for start, end, _ in answer] == ["Anna", "Rome", "New York"]


def test_where_tokens_are_missing_tags_may_be_too() -> None:
    row = row_of("Anna lives in New York City with Bob")
    tokens, tags = (
        ["Anna", "lives", "in", "York", "City", "with", "8ob"],
        ["B-PER", "O", "O", "I-LOC", "I-LOC", "O", "B-PER"],
    )
    with pytest.raises(
        Partly, match="broken_tags: token 3: 'I-LOC' does not follow a LOC, read as its start"
    ) as caught:
        TASK.read_answer(tags, {"tokens": tokens}, row)
    assert caught.value.answer == [[0, 4, "PER"], [18, 27, "LOC"], [33, 36, "PER"]]


def test_what_cannot_be_aligned_is_told_and_the_rest_is_read() -> None:
    row = row_of("Anna lives in the old town of Rome with Bob.")
    tokens = ["Anna", "xyzzy", "lives", "in", "the", "old", "town", "of", "Rome", "with", "Bob", "."]
    tags = ["B-PER", "B-ORG", *["O"] * 6, "B-LOC", "O", "B-PER", "O"]
    with pytest.raises(Partly, match="span_surface: 1 of 12 tokens stand nowhere in the text: 'xyzzy'") as caught:
        TASK.read_answer(tags, {"tokens": tokens}, row)
    assert caught.value.answer == [[0, 4, "PER"], [30, 34, "LOC"], [40, 43, "PER"]]
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_the_answer_in_the_record_is_found() -> None:
    tags = {"first": ["O"], "second": ["B-LOC"]}
    assert TASK.raw_answer({"tokens": ["a"], "tags": tags}, {}) == ["O"]
    assert TASK.raw_answer({"tokens": ["a"], "tags": tags}, {"label": "second"}) == ["B-LOC"]
    assert TASK.raw_answer({"text": "a", "entities": []}, {}) == []
    assert TASK.raw_answer({"text": "a", "gold": [[0, 1, "x"]]}, {"spans": "gold"}) == [[0, 1, "x"]]
    assert TASK.raw_answer({"text": "a"}, {}) is None


# -- rules of settled rows


@pytest.mark.parametrize(
    ("span", "rule"),
    [
        ((-1, 3, "Bob"), "span_out_of_text"),
        ((9, 13, "Rome"), "span_out_of_text"),
        ((2, 2, ""), "span_out_of_text"),
        ((0, 3, "bob"), "span_surface"),
        ((3, 7, " saw"), "span_edges"),
    ],
)
def test_a_span_that_breaks_a_rule_is_a_problem(span: tuple[int, int, str], rule: str) -> None:
    start, end, text = span
    row = {**row_of("Bob saw Rome"), "spans": [{"start": start, "end": end, "label": "PER", "text": text}]}
    assert [problem.rule for problem in TASK.problems(row)] == [rule]


def test_spans_that_share_a_character_are_a_problem() -> None:
    assert [p.rule for p in TASK.problems(row_of("Bob saw Rome", [0, 7, "PER"], [4, 12, "LOC"]))] == ["spans_overlap"]
    assert not list(TASK.problems(row_of("BobRome", [0, 3, "PER"], [3, 7, "LOC"])))


# -- several annotators


def votes_of(row: Row, answers: list[Any]) -> dict[str, Vote]:
    """By majority; the lowest label of the most common ones."""
    voted = {}
    for unit, votes in TASK.ballots(row, answers).items():
        shares = {vote: votes.count(vote) / len(votes) for vote in sorted(map(str, votes))}
        best = max(shares.values())
        leading = [vote for vote, share in shares.items() if share == best]
        voted[unit] = Vote(leading[0], best, len(leading) > 1, shares)
    return voted


def test_annotators_vote_on_the_finest_cells() -> None:
    row = row_of("New Yorkers met")
    answers = [[[0, 8, "LOC"]], [[4, 8, "LOC"]], []]
    marked = {"0:3": ["B-LOC", "O", "O"], "4:8": ["I-LOC", "B-LOC", "O"]}
    ballots = TASK.ballots(row, answers)
    assert {unit: votes for unit, votes in ballots.items() if set(votes) != {"O"}} == marked


def test_what_all_leave_outside_is_not_voted_on() -> None:
    assert TASK.ballots(row_of("Bob saw Rome"), [[], []]) == {}
    settled = TASK.elect(row_of("Bob"), [[], []], {})
    assert (settled.answer, settled.confidence, settled.tied) == ([], 1.0, False)


@pytest.mark.parametrize(
    ("answers", "settled"),
    [
        ([[[0, 8, "LOC"]], [[0, 8, "LOC"]], [[4, 8, "LOC"]]], [[0, 8, "LOC"]]),
        ([[[0, 8, "LOC"]], [[0, 8, "ORG"]], [[0, 8, "LOC"]]], [[0, 8, "LOC"]]),
        ([[[0, 3, "PER"], [4, 8, "PER"]], [[0, 3, "PER"], [4, 8, "PER"]], []], [[0, 3, "PER"], [4, 8, "PER"]]),
        ([[], [], [[0, 3, "PER"]]], []),
    ],
)
def test_winning_tags_become_spans(answers: list[Any], settled: list[Any]) -> None:
    row = row_of("New York calls")
    elected = TASK.elect(row, answers, votes_of(row, answers))
    assert elected.answer == settled
    assert not elected.tied


@given(st.data())
def test_whatever_annotators_mark_the_settled_row_keeps_the_rules(data: st.DataObject) -> None:
    text = "New York 在北京市 O'Neil x2"
    row = row_of(text)
    solid = [at for at, character in enumerate(text) if not character.isspace()]
    answers = [data.draw(_answers(solid)) for _ in range(3)]
    settled = TASK.elect(row, answers, votes_of(row, answers))
    assert not list(TASK.problems(TASK.with_answer(row, settled.answer)))


@st.composite
def _answers(draw: st.DrawFn, solid: list[int]) -> list[list[Any]]:
    edges = draw(st.lists(st.sampled_from(range(len(solid))), max_size=6, unique=True).map(sorted))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return [[solid[a], solid[b - 1] + 1, draw(st.sampled_from(["LOC", "PER"]))] for a, b in pairs]


# -- rewording


def test_spans_and_tokens_move_with_the_words_around_them() -> None:
    row = TASK.with_answer(token_row("He", "saw", "Rome", "once", "."), [[7, 11, "LOC"]])
    assert TASK.free_pieces(row) == ["He saw", "once ."]
    edited = TASK.with_pieces(row, ["She has", "again !"])
    assert edited["text"] == "She has Rome again !"
    assert TASK.mentions(edited) == [("LOC", "Rome")]
    assert [edited["text"][t["start"] : t["end"]] for t in edited["tokens"]] == ["She", "has", "Rome", "again", "!"]


@pytest.mark.parametrize("piece", ["She", "He just saw", "\u0301He saw"])
def test_an_edit_that_changes_the_number_of_tokens_is_refused(piece: str) -> None:
    row = TASK.with_answer(token_row("He", "saw", "Rome", "once", "."), [[7, 11, "LOC"]])
    if piece.startswith("\u0301"):
        row = TASK.with_answer(token_row("Rome", "e", "saw"), [[0, 4, "LOC"]])
        assert TASK.with_pieces(row, ["e saw"]) == row
        return
    with pytest.raises(Unfit, match="tokens_changed"):
        TASK.with_pieces(row, [piece, "once ."])


def test_chinese_tokens_are_exchanged_character_for_character() -> None:
    row = TASK.with_answer(token_row(*"他住在北京市"), [[3, 6, "LOC"]])
    edited = TASK.with_pieces(row, ["我站在"])
    assert edited["text"] == "我站在北京市"
    assert edited["tokens"] == row["tokens"]
    with pytest.raises(Unfit, match="tokens_changed"):
        TASK.with_pieces(row, ["我们住在"])


def test_a_word_that_a_span_ends_in_is_not_free() -> None:
    assert TASK.free_pieces(row_of("the pre-GPTs era", [8, 11, "ORG"])) == ["the pre-", "era"]


def test_mentions_are_exchanged_and_their_tokens_cut_anew() -> None:
    row = TASK.with_answer(token_row("In", "Rome", "live", "Bob", "Ray"), [[3, 7, "LOC"], [13, 20, "PER"]])
    swapped = TASK.with_mentions(row, ["New York City", "Al"])
    assert swapped["text"] == "In New York City live Al"
    assert TASK.mentions(swapped) == [("LOC", "New York City"), ("PER", "Al")]
    assert len(swapped["tokens"]) == 6
    chinese = TASK.with_answer(token_row(*"他住在北京。"), [[3, 5, "LOC"]])
    assert len(TASK.with_mentions(chinese, ["哈尔滨"])["tokens"]) == 7


# -- models


@pytest.fixture(scope="module")
def reader() -> Any:
    return tiny_tokenizer(["the un believ able tale", "of ny"], "wordpiece", vocabulary=45)


def test_only_the_first_piece_of_a_word_is_learned(reader: Any) -> None:
    row = row_of("unbelievable tale", [0, 12, "ORG"])
    encoded = TASK.encode(row, reader, classes=TASK.classes([]), max_tokens=99)
    pieces = reader.convert_ids_to_tokens(encoded.inputs["input_ids"])
    assert isinstance(encoded.targets, list)
    begins = [not piece.startswith("##") and not piece.startswith("[") for piece in pieces]
    assert sum(begins) == 2
    assert len(pieces) > 6
    assert [target != -100 for target in encoded.targets] == begins
    assert [TASK.classes([])[int(target)] for target in encoded.targets if target >= 0] == ["B-ORG", "O"]


def test_a_word_that_the_limit_cuts_is_not_learned(reader: Any) -> None:
    row = row_of("tale unbelievable", [0, 4, "PER"], [5, 17, "ORG"])
    whole = Subwords(row["text"], spans.words(row["text"]), reader, 99)
    limit = list(whole.heads)[1] + 2
    encoded = TASK.encode(row, reader, classes=TASK.classes([]), max_tokens=limit)
    assert encoded.cut
    assert encoded.learned == 1
    output = np.full((limit, 7), 1 / 7)
    output[:, 5] = 1.0
    answer, _ = TASK.decode(output, row, reader, classes=TASK.classes([]), max_tokens=limit)
    assert answer == [[0, 4, "PER"]]


def test_a_space_that_a_token_counts_as_its_own_belongs_to_no_word() -> None:
    reader = tiny_tokenizer(["in in in Rome Rome"], "metaspace")
    row = row_of("in Rome", [3, 7, "LOC"])
    offsets = reader("in Rome", return_offsets_mapping=True)["offset_mapping"]
    assert any("in Rome"[start:end].startswith(" ") for start, end in offsets), "the example must show the case"
    encoded = TASK.encode(row, reader, classes=TASK.classes([]), max_tokens=9)
    assert isinstance(encoded.targets, list)
    assert [target for target in encoded.targets if target >= 0] == [0, 1]


def test_a_label_that_the_model_does_not_know_is_not_learned(reader: Any) -> None:
    encoded = TASK.encode(row_of("tale", [0, 4, "PER"]), reader, classes=["O", "B-LOC", "I-LOC"], max_tokens=9)
    assert encoded.learned == 0


def test_a_word_that_a_span_halves_is_not_learned(reader: Any) -> None:
    encoded = TASK.encode(row_of("unbelievable tale", [0, 2, "PER"]), reader, classes=TASK.classes([]), max_tokens=99)
    assert encoded.learned == 1


@given(st.integers(1, 4), st.randoms(use_true_random=False))
def test_the_legal_path_is_the_best_of_all_legal_ones(length: int, chance: Any) -> None:
    names = ["O", "B-A", "I-A", "B-B", "I-B"]
    given_output = np.array([[chance.random() + 1e-6 for _ in names] for _ in range(length)])

    def legal(path: tuple[int, ...]) -> bool:
        tags = ["O", *(names[at] for at in path)]
        return all(tag[0] != "I" or before[1:] == tag[1:] for before, tag in itertools.pairwise(tags))

    def worth(path: tuple[int, ...]) -> float:
        return float(sum(np.log(given_output[at, choice]) for at, choice in enumerate(path)))

    paths: list[tuple[int, ...]] = list(itertools.product(range(len(names)), repeat=length))
    best = max(filter(legal, paths), key=worth)
    assert tuple(spans.legal_path(given_output, names)) == best


# -- scores


def test_entity_f1_is_that_of_seqeval() -> None:
    from seqeval.metrics import f1_score, precision_score, recall_score
    from seqeval.scheme import IOB2

    chance = np.random.default_rng(3)
    rows, gold, found = [], [], []
    for _ in range(60):
        rows.append(token_row(*("w" for _ in range(12))))
        gold.append(_random_answer(chance))
        found.append(gold[-1] if chance.random() < 0.4 else _random_answer(chance))
    scores = TASK.score(gold, found, rows)
    true, said = (
        [tags_from_spans(_token_spans(answer), 12, "iob2") for answer in answers] for answers in (gold, found)
    )
    for name, metric in (("f1", f1_score), ("precision", precision_score), ("recall", recall_score)):
        assert scores.metrics[f"entity_{name}"] == pytest.approx(metric(true, said, mode="strict", scheme=IOB2))
    assert 0.2 < scores.metrics["entity_f1"] < 0.9
    right = sum(a == b for t, s in zip(true, said, strict=True) for a, b in zip(_bare(t), _bare(s), strict=True))
    assert scores.metrics["word_accuracy"] == pytest.approx(right / (60 * 12))


def _random_answer(chance: Any) -> list[list[Any]]:
    edges = sorted(chance.choice(12, size=int(chance.integers(0, 3)) * 2, replace=False).tolist())
    return [
        [2 * a, 2 * b - 1, str(chance.choice(["LOC", "PER"]))] for a, b in zip(edges[::2], edges[1::2], strict=True)
    ]


def _token_spans(answer: list[list[Any]]) -> list[tuple[int, int, str]]:
    return [(start // 2, (end + 1) // 2, label) for start, end, label in answer]


def _bare(tags: list[str]) -> list[str]:
    return [tag.split("-")[-1] for tag in tags]


def test_a_wrong_edge_is_a_wrong_entity_but_half_right_words() -> None:
    row = token_row("New", "York", "calls")
    scores = TASK.score([[[0, 8, "LOC"]]], [[[4, 8, "LOC"]]], [row])
    assert scores.metrics["entity_f1"] == 0
    assert scores.per_class["LOC"]["word_recall"] == 0.5
    assert scores.per_class["LOC"]["word_precision"] == 1
    assert scores.metrics["word_accuracy"] == pytest.approx(2 / 3)
    assert scores.confusion == {"LOC": {"LOC": 1, "O": 1}, "O": {"O": 1}}


# -- real data


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["ner_english/wikigold", "ner_english/WNUT17", "ner_chinese_corrected"])
def test_real_tags_survive_as_spans(real_data: Path, name: str) -> None:
    sentences = list(itertools.islice(_sentences(real_data / name), 3000))
    scheme = detect_scheme(tags for _, tags in sentences)
    broken = 0
    for tokens, tags in sentences:
        fields = {"tokens": tokens, "tags": {"0": tags}, "schemes": {"0": scheme}}
        row = FREE.shape(fields, {})
        whole, repaired = spans_from_tags(tags, scheme)
        if repaired:
            broken += 1
            continue
        answer = FREE.read_answer(tags, fields, row)
        edges = [(token["start"], token["end"]) for token in row["tokens"]]
        assert spans.tags(edges, answer) == tags_from_spans(whole, len(tags), "iob2")
        assert not list(FREE.problems(FREE.with_answer(row, answer)))
    assert len(sentences) > 1000
    assert broken < 0.01 * len(sentences)


def _sentences(folder: Path) -> Any:
    for path in sorted(file for file in folder.rglob("*") if file.is_file() and _is_conll(file)):
        sentence: list[list[str]] = []
        for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
            if line.strip() and not line.startswith("-DOCSTART-"):
                sentence.append(line.rstrip("\r").split())
            elif sentence:
                if all(len(parts) >= 2 for parts in sentence):
                    yield [parts[0] for parts in sentence], [parts[-1] for parts in sentence]
                sentence = []


def _is_conll(path: Path) -> bool:
    return path.suffix in (".conll", ".train", ".txt", ".dev", ".test", "") or ".conll" in path.name
