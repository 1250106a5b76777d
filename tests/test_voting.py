"""The poll: every answer that counts becomes ballots, gold becomes what is known, whatever the batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pipeline.engine import Engine
from pipeline.quality.ballots import Ballots
from pipeline.voting import Answers, cast_batch, poll, read_answers, with_answers
from tests.heard import ASKED, LABELLED, MARKED, TOPICS, heard_of, read, record, work_on

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.hearing import Said
    from pipeline.stage import Work
    from pipeline.voting import Poll

Vote = tuple[int, str, str | None, str]


def polled(folder: Path, toml: str, records: Sequence[dict[str, Any]]) -> tuple[Work, Said, Poll]:
    work = work_on(read(folder, toml, records))
    heard = heard_of(work)
    return work, heard, poll(work, heard)


def votes(ballots: Ballots) -> list[Vote]:
    """(row, unit, annotator, label) of every ballot."""
    who = [*ballots.annotators, None]
    return [
        (int(row), ballots.names[ballots.unit_name[unit]], who[one], ballots.labels[label])
        for row, unit, one, label in zip(ballots.row, ballots.unit, ballots.annotator, ballots.label, strict=True)
    ]


def known(found: Poll) -> dict[tuple[int, str], str]:
    """What gold says, by (row, unit)."""
    ballots = found.ballots
    return {
        (int(ballots.unit_row[unit]), ballots.names[ballots.unit_name[unit]]): ballots.labels[found.known[unit]]
        for unit in np.flatnonzero(found.known >= 0)
    }


def test_every_answer_is_a_ballot_of_its_annotator(tmp_path: Path) -> None:
    records = [record(1, [("ann", "x"), ("bob", "y")]), record(2, []), record(3, [(None, "x"), (None, "x")])]
    _, _, found = polled(tmp_path, LABELLED, records)
    assert votes(found.ballots) == [
        (0, "", "ann", "x"), (0, "", "bob", "y"), (2, "", None, "x"), (2, "", None, "x"),
    ]  # fmt: skip
    assert found.ballots.rows == 3
    assert not (found.known >= 0).any()


def test_what_was_superseded_or_cannot_be_read_does_not_vote(tmp_path: Path) -> None:
    later, sooner = ({"answer": label, "time": time} for label, time in (("x", "2026-02-01"), ("y", "2026-01-01")))
    records = [record(1, [("ann", later), ("ann", sooner), ("bob", ["no", "label"])])]
    _, heard, found = polled(tmp_path, LABELLED, records)
    assert votes(found.ballots) == [(0, "", "ann", "x")]
    assert sorted(heard.table["verdict"].to_pylist()) == ["counted", "superseded", "wrong_type"]


def test_gold_casts_no_vote_and_is_known(tmp_path: Path) -> None:
    records = [
        record(1, [("ann", "x"), ("bob", "y")], gold="z"),
        record(2, [("ann", "x")]),
        record(3, [], gold="x"),
        record(4, [("bob", "y")], gold="y"),
    ]
    _, _, found = polled(tmp_path, LABELLED, records)
    assert votes(found.ballots) == [(0, "", "ann", "x"), (0, "", "bob", "y"), (1, "", "ann", "x"), (3, "", "bob", "y")]
    # What nobody ever voted for teaches nothing of anybody, and a row that nobody answered has no unit to be known of.
    assert known(found) == {(3, ""): "y"}


def test_sets_are_voted_on_label_by_label(tmp_path: Path) -> None:
    records = [record(1, [("ann", ["x", "y"]), ("bob", ["y"])], gold=["y", "z"]), record(2, [("ann", [])])]
    _, _, found = polled(tmp_path, TOPICS, records)
    assert votes(found.ballots) == [
        (0, "x", "ann", "yes"), (0, "x", "bob", "no"),
        (0, "y", "ann", "yes"), (0, "y", "bob", "yes"),
        (0, "z", "ann", "no"), (0, "z", "bob", "no"),
        # Who gave no label said no to all that anybody ever gave.
        (1, "x", "ann", "no"), (1, "y", "ann", "no"), (1, "z", "ann", "no"),
    ]  # fmt: skip
    assert known(found) == {(0, "x"): "no", (0, "y"): "yes", (0, "z"): "yes"}


def test_marks_are_voted_on_piece_by_piece(tmp_path: Path) -> None:
    text = "Ann Lee saw Oslo"
    said = [("p", [[0, 7, "PER"], [12, 16, "LOC"]]), ("q", [[0, 3, "PER"]])]
    records = [record(1, said, text=text, gold=[[0, 7, "PER"]])]
    _, _, found = polled(tmp_path, MARKED, records)
    ballots, place = found.ballots, {text.index(word): word for word in ("Ann", "Lee", "Oslo")}
    named = {place[int(name.split(":")[0])]: name for name in ballots.names if int(name.split(":")[0]) in place}
    by = {(unit, who): label for _, unit, who, label in votes(ballots)}
    assert by[named["Ann"], "p"] == by[named["Ann"], "q"] == "B-PER"
    assert (by[named["Lee"], "p"], by[named["Lee"], "q"]) == ("I-PER", "O")
    assert (by[named["Oslo"], "p"], by[named["Oslo"], "q"]) == ("B-LOC", "O")
    told = known(found)
    assert [told[0, named[word]] for word in ("Ann", "Lee", "Oslo")] == ["B-PER", "I-PER", "O"]


def test_gold_says_something_of_every_unit_that_was_voted_on(tmp_path: Path) -> None:
    """Gold cuts the text where no annotator did: its pieces are units too, on which all others voted."""
    records = [record(1, [("p", [[0, 7, "PER"]])], text="Ann Lee saw Oslo", gold=[[0, 3, "PER"], [12, 16, "LOC"]])]
    _, _, found = polled(tmp_path, MARKED, records)
    assert found.ballots.units == 4
    assert [found.ballots.labels[at] for at in found.known if at >= 0] == ["B-PER", "O", "O"]  # nobody voted B-LOC


RECORDS: dict[str, list[dict[str, Any]]] = {
    LABELLED: [
        record(n, [(who, "xyz"[(n * k) % 3]) for k, who in enumerate(("a", "b", None), 1) if (n + k) % 4])
        | ({"gold": "xyzw"[n % 4]} if n % 5 == 0 else {})
        for n in range(23)
    ],
    TOPICS: [
        record(n, [(who, sorted({"xyz"[n % 3], "xyz"[(n * k) % 3]})) for k, who in enumerate("ab", 1) if (n + k) % 3])
        | ({"gold": ["x"]} if n % 5 == 0 else {})
        for n in range(17)
    ],
    MARKED: [
        record(n, [("a", [[0, 4, "A"]]), ("b", [[5, 11, "BA"[n % 2]]] if n % 3 else [])])
        | ({"gold": [[0, 4, "A"]]} if n % 4 == 0 else {})
        for n in range(13)
    ],
}


@pytest.mark.parametrize("toml", list(RECORDS), ids=["labelled", "topics", "marked"])
def test_batches_change_no_ballot(tmp_path: Path, toml: str) -> None:
    one = read(tmp_path, toml, RECORDS[toml])
    whole, *others = [poll(work, heard_of(work)) for work in (work_on(one, Engine(1, size)) for size in (1000, 1, 7))]
    assert len(whole.ballots) > 20
    assert (whole.known >= 0).any()
    for other in others:
        assert np.array_equal(other.known, whole.known)
        for name, value in vars(whole.ballots).items():
            assert np.array_equal(getattr(other.ballots, name), value), name


def test_the_origin_of_a_ballot_is_its_annotation(tmp_path: Path) -> None:
    work, heard, found = polled(tmp_path, TOPICS, RECORDS[TOPICS])
    table, ballots, ids = heard.table, found.ballots, work.narrow(["id"])["id"].to_pylist()
    for at, (row, unit, who, label) in zip(ballots.origin.tolist(), votes(ballots), strict=True):
        line = table.slice(at, 1).to_pylist()[0]
        assert (line["row"], line["annotator"], line["verdict"]) == (ids[row], who, "counted")
        assert (f'"{unit}"' in line["answer"]) == (label == "yes")


def test_answers_stand_with_their_rows(tmp_path: Path) -> None:
    work = work_on(read(tmp_path, LABELLED, RECORDS[LABELLED]), Engine(1, 5))
    told: dict[str, list[list[list[str]]]] = {"_heard": [], "_gold": []}
    said = (Answers.of(heard_of(work), verdict) for verdict in ("counted", "gold"))
    for batch in with_answers(work, *said):
        for verdict in told:
            told[verdict] += read_answers(batch[verdict])
    wanted = [[[one["answer"]] for one in each["annotations"]] for each in RECORDS[LABELLED]]
    assert told["_heard"] == wanted
    assert told["_gold"] == [[[each["gold"]]] if each["gold"] else [] for each in RECORDS[LABELLED]]


def test_who_said_nothing_of_a_unit_casts_no_ballot(tmp_path: Path) -> None:
    """A label that nobody can read as one (an empty set, where there is one label a row) is no vote."""
    work = work_on(read(tmp_path, LABELLED, [record(1, [("a", "x"), ("b", "y"), ("c", "x")], gold="y")]))
    heard = heard_of(work)
    (given,) = with_answers(work, Answers.of(heard, "counted"), Answers.of(heard, "gold"))

    class Silent:
        def ballots(self, row: Any, said: list[Any]) -> dict[str, list[str | None]]:
            assert len(said) == 4
            return {"u": ["x", None, "y", None], "v": [None, None, None, "x"]}

    (line,) = cast_batch(given, task=Silent()).to_pylist()  # type: ignore[arg-type]
    assert line["votes"] == [{"unit": "u", "said": 0, "label": "x"}, {"unit": "u", "said": 2, "label": "y"}]
    assert line["known"] == [{"unit": "v", "said": -1, "label": "x"}]


def test_an_empty_poll(tmp_path: Path) -> None:
    for toml in (LABELLED, TOPICS, MARKED):
        _, _, found = polled(tmp_path / str(len(toml)), toml, [record(1, []), record(2, [])])
        assert (len(found.ballots), found.ballots.units, found.ballots.rows, len(found.known)) == (0, 0, 2, 0)


def test_texts_are_voted_on_as_what_they_come_to(tmp_path: Path) -> None:
    said = [("a", "Oslo"), ("b", "oslo"), ("c", "Rome")]
    _, _, found = polled(tmp_path, ASKED, [record(1, said, text="From Oslo to Rome, oslo!", question="Where?")])
    labels = [label for _, _, _, label in votes(found.ballots)]
    assert labels[0] == labels[1] != labels[2]
