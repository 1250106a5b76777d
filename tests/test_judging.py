"""Judging: what becomes of rows that say the same or nearly the same, from raw files to the tables of the audit."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pipeline import audit, ingest, stage, twinning
from pipeline.engine import Engine
from pipeline.errors import AssayError
from pipeline.twinning import likeness
from tests.small import CSV, LABELS, Rows, adds_up, csv, jsonl, made, rejected, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.recipe import Recipe

LONG = CSV.replace('label" }', 'label", annotator = "who", time = "when", date = "date", split = "part" }') + LABELS
TEXT = "The delivery of my parcel from the northern warehouse took"
FRAMES = [  # one text in five wordings, and what is no copy of it
    f"{TEXT} about two weeks.",
    f"{TEXT} about two weeks!!",  # normalised
    f"{TEXT} abuot two weeks.",  # a slip
    f"{TEXT} about three weeks.",  # a number
    "快递从北方的仓库寄到我家里一共花了很长的时间，真的让人着急。",
    "快递从北方的仓库寄到我家里一共花了很长的时间,真的让人着急！",  # width
    "快递从北方的仓库寄到我家里一共花了很长的时间，真的不让人着急。",  # a negation
]


def audited(
    folder: Path,
    lines: Sequence[str] | None = None,
    *,
    toml: str = LONG,
    more: str = "",
    files: Mapping[str, str] | None = None,
    engine: Engine | None = None,
) -> tuple[Recipe, dict[str, Any]]:
    """A data set of lines `id,text,label,who,when,date,part`, or of other files, audited; its report."""
    own = dict(files or {})
    if lines is not None:
        own["rows.csv"] = csv("id,text,label,who,when,date,part", lines)
    one = made(folder, toml + "[audit]\nbootstrap = 20\n" + more, own)
    for each in (ingest.STAGE, audit.STAGE):
        report = stage.run(each, one, engine or Engine(), tick=lambda rows: None)
        assert adds_up(report)
    return one, report


def line(id_: object, text: str, label: str = "good", who: str = "ann", **more: str) -> str:
    return ",".join([str(id_), f'"{text}"', label, who, *(more.get(name, "") for name in ("when", "date", "part"))])


def kept(one: Recipe) -> dict[str, Any]:
    return {row["id"]: row["labels"] for row in table(one, "audit")}


def evidence(one: Recipe) -> dict[str, str]:
    return {row["id"]: row["evidence"] for row in table(one, "audit", "rejected")}


def pairs(one: Recipe) -> dict[tuple[str, str], tuple[str, bool, str]]:
    return {
        (pair["left"], pair["right"]): (pair["kind"], pair["accepted"], pair["outcome"])
        for pair in table(one, "audit", "pairs")
    }


# -- near duplicates, and what is none


def test_near_copies_are_merged_and_slots_that_matter_keep_rows_apart(tmp_path: Path) -> None:
    one, report = audited(tmp_path, [line(at, text) for at, text in enumerate(FRAMES)])
    assert set(kept(one)) == {"s/0", "s/3", "s/4", "s/6"}
    found = pairs(one)
    assert found["s/0", "s/1"] == ("normalised", True, "merged")
    assert found["s/0", "s/2"] == ("misspelt", True, "merged")
    assert found["s/4", "s/5"] == ("normalised", True, "merged")
    apart = [fate for pair, fate in found.items() if set(pair) & {"s/3", "s/6"}]
    assert apart
    assert {(accepted, outcome) for _, accepted, outcome in apart} == {(False, "kept both")}
    told = report["details"]["duplicates"]
    assert told["merged_by_kind"] == {"misspelt": 1, "normalised": 2}
    assert (told["clusters"], told["largest_cluster"]) == (2, 3)
    assert set(told["kept_both"]) >= {"number", "negation"}
    assert evidence(one)["s/2"].startswith("nearly the same (misspelt ")
    (example,) = (one for one in told["examples"]["merged"] if one["kind"] == "misspelt")
    assert (example["left_text"], example["right_text"]) == (FRAMES[0], FRAMES[2])


@pytest.mark.parametrize(("setting", "gone"), [("off", 0), ("exact", 0), ("normalised", 2), ("near", 3)])
def test_each_setting_looks_for_more(tmp_path: Path, setting: str, gone: int) -> None:
    one, _ = audited(tmp_path, [line(at, text) for at, text in enumerate(FRAMES)], more=f'duplicates = "{setting}"')
    assert len(rejected(one, "audit")) == gone
    assert setting != "off" or not table(one, "audit", "pairs")


def test_near_copies_that_answer_otherwise_are_held_back_with_evidence(tmp_path: Path) -> None:
    lines = [line(0, FRAMES[0]), line(1, FRAMES[2], "bad"), line(2, "another text altogether")]
    one, report = audited(tmp_path, lines)
    assert rejected(one, "audit") == [("s/0", "conflict"), ("s/1", "conflict")]
    assert 'answers ["bad"], but to nearly the same input (misspelt ' in evidence(one)["s/1"]
    assert evidence(one)["s/1"].endswith('s/0 answers ["good"]')
    assert report["details"]["duplicates"]["conflicts_by_kind"] == {"misspelt": 2}
    assert pairs(one)["s/0", "s/1"] == ("misspelt", True, "conflict")


def test_templates_survive(tmp_path: Path) -> None:
    cities = ["Oslo", "Rome", "Kyiv", "Lima", "Bern", "Cairo", "Quito", "Tunis"]
    lines = [line(at, f"please book me a flight to {city} on the next free day") for at, city in enumerate(cities)]
    chinese = [
        f"请帮我查一下从上海到{city}的高铁票还有没有" for city in ("北京", "南京", "武汉", "成都", "广州", "西安")
    ]
    lines += [line(20 + at, text, "bad") for at, text in enumerate(chinese)]
    one, _ = audited(tmp_path, lines)
    assert len(kept(one)) == len(lines)


def test_a_text_inside_another_is_kept_and_told(tmp_path: Path) -> None:
    whole = f"{FRAMES[0]} I called the hotline twice and nobody knew where it was."
    one, report = audited(tmp_path, [line(0, whole), line(1, FRAMES[0], "bad")])
    assert set(kept(one)) == {"s/0", "s/1"}
    assert pairs(one)["s/0", "s/1"] == ("contained", True, "same side")
    assert report["details"]["duplicates"]["same_side"] == {"contained": 1}


# -- rules


@pytest.mark.parametrize(
    ("rule", "more", "held"),
    [
        ("hold-back", "", {"a/1", "b/1"}),
        ("keep", "", set()),
        ("majority", "", {"a/1", "b/1"}),
        ("trusted", 'trusted_sources = ["b", "a"]', {"a/1"}),
        ("trusted", 'trusted_sources = ["c"]', {"a/1", "b/1"}),
        ("newest", "", {"a/1"}),
    ],
)
def test_the_rule_of_the_recipe_decides(tmp_path: Path, rule: str, more: str, held: set[str]) -> None:
    source = LONG[LONG.index("[[ingest") : LONG.index("[[guideline")].replace('"rows.csv"', '"a.csv"')
    toml = LONG.replace(LONG[LONG.index("[[ingest") : LONG.index("[[guideline")], "").replace(
        "\n[[guideline", "\n[[guideline", 1
    )
    first = source.replace('name = "s"', 'name = "a"')
    second = source.replace('name = "s"', 'name = "b"').replace('"a.csv"', '"b.csv"')
    third = source.replace('name = "s"', 'name = "c"').replace('"a.csv"', '"c.csv"')
    head = "id,text,label,who,when,date,part"
    files = {
        "a.csv": csv(head, [line(1, FRAMES[0], "good", when="2026-01-01")]),
        "b.csv": csv(head, [line(1, FRAMES[2], "bad", date="2026-02-01")]),
        "c.csv": csv(head, [line(1, "nothing to do with it")]),
    }
    one, _ = audited(tmp_path, toml=toml + first + second + third, files=files, more=f'conflicts = "{rule}"\n{more}')
    assert {id_ for id_, reason in rejected(one, "audit") if reason == "conflict"} == held


def test_the_newest_is_not_guessed(tmp_path: Path) -> None:
    rows = [line(0, "one text", "good", when="2026-01-01"), line(1, "One text!", "bad")]
    one, _ = audited(tmp_path, rows, more='conflicts = "newest"')
    assert rejected(one, "audit") == [("s/0", "conflict"), ("s/1", "conflict")]


def test_a_decision_wins_over_near_rows(tmp_path: Path) -> None:
    decision = {"row": "s/1", "verdict": "fine", "who": "mo", "when": "2026-01-05", "why": "seen"}
    rows = [line(0, FRAMES[0]), line(1, FRAMES[2], "bad"), line(2, FRAMES[1])]
    one, _ = audited(tmp_path, rows, files={"decisions.jsonl": json.dumps(decision)}, more='conflicts = "majority"')
    assert kept(one) == {"s/1": ["bad"]}


# -- copies are polled together


def test_annotators_of_copies_vote_together(tmp_path: Path) -> None:
    votes = [("0", "One text.", "good"), ("0", "One text.", "good"), ("0", "One text.", "bad")]
    votes += [("1", "one text", "bad"), ("1", "one text", "bad"), ("1", "one text", "bad")]
    rows = [line(id_, text, label, who=f"w{at}") for at, (id_, text, label) in enumerate(votes)]
    one, report = audited(tmp_path, rows, more='consensus = "majority"')
    assert kept(one) == {"s/0": ["bad"]}
    (row,) = table(one, "audit")
    assert row["confidence"] == pytest.approx(4 / 6)
    assert row["also_at"] == ["rows.csv:5"]
    assert report["details"]["annotations"] == {"counted": 6}
    said = table(one, "audit", "annotations")
    assert {one["row"] for one in said} == {"s/0", "s/1"}  # nothing of what was said is lost...
    assert {one["counts_for"] for one in said} == {"s/0"}  # ...and all of it counts for the row that stays


def test_gold_of_a_copy_is_gold_for_all(tmp_path: Path) -> None:
    toml = CSV.replace('label" }', 'label", annotator = "who", gold = "gold" }') + LABELS
    rows = ["0,One text.,good,w0,", "1,one text,good,w1,bad", "2,two text,good,w1,good", "3,Two text,bad,w2,bad"]
    one, _ = audited(tmp_path, toml=toml, files={"rows.csv": csv("id,text,label,who,gold", rows)})
    assert kept(one) == {"s/0": ["bad"]}
    assert dict(rejected(one, "audit")) == {"s/1": "merged_duplicate", "s/2": "conflict", "s/3": "conflict"}


def test_single_answers_that_differ_are_a_conflict_of_rows(tmp_path: Path) -> None:
    rows = [line(0, "one text", "good", "ann"), line(1, "One text!", "bad", "bob")]
    one, _ = audited(tmp_path, rows)
    assert rejected(one, "audit") == [("s/0", "conflict"), ("s/1", "conflict")]


# -- spans


TAGGED = """
task = "tagging"
[[ingest.source]]
name = "s"
files = ["rows.jsonl"]
format = "jsonl"
columns = { id = "id", text = "text", spans = "spans" }
"""


def tagged(folder: Path, rows: Sequence[tuple[str, str, str]]) -> Recipe:
    """Rows (text, surface, label), with the first place of the surface marked."""
    records = [
        {"id": at, "text": text, "spans": [[text.index(surface), text.index(surface) + len(surface), label]]}
        for at, (text, surface, label) in enumerate(rows)
    ]
    return audited(folder, toml=TAGGED, files={"rows.jsonl": jsonl(records)})[0]


def test_spans_move_with_the_wording(tmp_path: Path) -> None:
    text = "Yesterday evening the old harbour of Hamburg was closed because of the storm"
    rows = [
        (text, "Hamburg", "LOC"),
        (text.replace("evening", "evening,"), "Hamburg", "LOC"),
        (text.replace("Yesterday", "Yesteday"), "Hamburg", "LOC"),
    ]
    one = tagged(tmp_path / "a", rows)
    assert dict(rejected(one, "audit")) == {"s/1": "merged_duplicate", "s/2": "merged_duplicate"}
    two = tagged(tmp_path / "b", [*rows[:1], (rows[2][0], "harbour of Hamburg", "LOC")])
    assert dict(rejected(two, "audit")) == {"s/0": "conflict", "s/1": "conflict"}
    three = tagged(tmp_path / "c", [*rows[:1], (rows[2][0], "Hamburg", "ORG")])
    assert dict(rejected(three, "audit")) == {"s/0": "conflict", "s/1": "conflict"}


def test_chinese_spans_move_with_the_wording(tmp_path: Path) -> None:
    text = "昨天晚上汉堡的老港口因为暴风雨而关闭了很长时间"
    rows = [(text, "汉堡", "LOC"), (text.replace("晚上", "晚上，"), "汉堡", "LOC"), (text + "啊", "汉堡", "LOC")]
    one = tagged(tmp_path, rows)
    assert dict(rejected(one, "audit")) == {"s/1": "merged_duplicate", "s/2": "merged_duplicate"}


# -- free text


def test_another_reply_to_a_near_prompt_is_kept_and_one_to_the_same_is_not(tmp_path: Path) -> None:
    toml = TAGGED.replace("tagging", "writing").replace(
        'text = "text", spans = "spans"', 'source = "text", target = "out"'
    )
    records = [
        {"id": 0, "text": FRAMES[0], "out": "Two weeks for one parcel."},
        {"id": 1, "text": FRAMES[2], "out": "The customer waited long."},
        {"id": 2, "text": FRAMES[2], "out": "The customer waited long."},
        {"id": 3, "text": FRAMES[4], "out": "等了很久。"},
        {"id": 4, "text": FRAMES[5], "out": "不知道。"},
    ]
    one, _ = audited(tmp_path, toml=toml, files={"rows.jsonl": jsonl(records)})
    assert dict(rejected(one, "audit")) == {"s/2": "merged_duplicate", "s/3": "conflict", "s/4": "conflict"}
    assert pairs(one)["s/1", "s/0"] == ("misspelt", True, "same side")


# -- the same whatever the order, the batches, the number of runs


def many(seed: int = 5, rows: int = 90) -> list[str]:
    """Rows of which many are copies of others in several wordings, some with another answer."""
    drawn = random.Random(seed)
    nouns = ["parcel", "invoice", "contract", "account", "router", "ticket", "voucher", "receipt", "mandate", "licence"]
    made_of = [f"the {noun} that I asked your office about last month has still not come to me" for noun in nouns]
    ways: list[Callable[[str], str]] = [
        str,
        str.upper,
        lambda text: text + " !",
        lambda text: text.replace("still ", ""),
        str.title,
    ]
    return [
        line(at, drawn.choice(ways)(drawn.choice(made_of)), drawn.choice(["good"] * 9 + ["bad"]), f"w{at % 3}")
        for at in range(rows)
    ]


def told_of(one: Recipe) -> tuple[Any, ...]:
    """What the audit says of every row, without places, which are those of the lines."""
    rows = sorted((row["id"], row["labels"], len(row["also_at"]), row["weight"]) for row in table(one, "audit"))
    pairs_of: Rows = sorted(table(one, "audit", "pairs"), key=lambda pair: (pair["left"], pair["right"]))
    return rows, rejected(one, "audit"), pairs_of


def test_the_order_of_rows_and_the_size_of_batches_change_nothing(tmp_path: Path) -> None:
    lines = many()
    loose = 'conflicts = "majority"\n[audit.wipe_out]\nleast_rows = 1000'
    one, _ = audited(tmp_path / "a", lines, more=loose)
    shuffled = list(lines)
    random.Random(1).shuffle(shuffled)
    two, _ = audited(tmp_path / "b", shuffled, more=loose, engine=Engine(batch_rows=7))
    assert told_of(one) == told_of(two)
    assert len(table(one, "audit")) + len(rejected(one, "audit")) == len(lines)


def test_auditing_what_is_left_merges_nothing_more(tmp_path: Path) -> None:
    lines = many()
    loose = 'conflicts = "majority"\n[audit.wipe_out]\nleast_rows = 1000'
    one, _ = audited(tmp_path / "a", lines, more=loose)
    left = [each for each in lines if f"s/{each.partition(',')[0]}" in kept(one)]
    two, _ = audited(tmp_path / "b", left, more=loose)
    assert rejected(two, "audit") == []


# -- an existing set


EXISTING = """
[[against]]
name = "old"
kind = "existing"
files = ["old.csv"]
format = "csv"
columns = { text = "body", label = "topic" }
"""


def test_rows_of_an_existing_set_leave(tmp_path: Path) -> None:
    old = csv("body,topic", [f"{FRAMES[0]},good", f'"{FRAMES[4]}",bad', "something else,good", "no label for it,"])
    rows = [
        line(0, FRAMES[0]),
        line(1, FRAMES[2], "bad"),
        line(2, FRAMES[5]),
        line(3, FRAMES[3]),
        line(4, "something else"),
        line(5, "no label for it"),
    ]
    decision = {"row": "s/4", "verdict": "fine", "who": "mo", "when": "2026-01-05", "why": "seen"}
    files = {"old.csv": old, "decisions.jsonl": json.dumps(decision)}
    one, report = audited(tmp_path, rows, toml=LONG + EXISTING, files=files)
    assert set(kept(one)) == {"s/3", "s/4"}
    assert {reason for _, reason in rejected(one, "audit")} == {"known_elsewhere"}
    said = evidence(one)
    assert said["s/0"] == "exact duplicate of old!old.csv:2, which has the same answer"
    assert said["s/1"].startswith("misspelt ")
    assert "which has another answer" in said["s/1"]
    assert said["s/2"] == "normalised duplicate of old!old.csv:3, which has another answer"
    assert said["s/5"] == "exact duplicate of old!old.csv:5, which has no answer"
    told = report["details"]["duplicates"]["known_elsewhere"]["old"]
    assert (told["items"], told["rows"]) == (4, 4)
    assert told["by_answer"] == {"another answer": 2, "no answer": 1, "the same answer": 1}
    assert pairs(one)["s/0", "old!old.csv:2"] == ("exact", True, "known elsewhere")


def test_an_existing_set_that_cannot_be_read_stops_the_audit(tmp_path: Path) -> None:
    toml = LONG + EXISTING.replace('"body"', '"text"')
    with pytest.raises(AssayError, match=r"\[\[against\]\] 'old': no record has the field 'text'; known: body, topic"):
        audited(tmp_path, [line(0, "a")], toml=toml, files={"old.csv": "body,topic\nx,good\n"})


# -- contamination and wipe-out


def test_what_a_held_out_set_holds_leaves(tmp_path: Path) -> None:
    toml = LONG + EXISTING.replace('"existing"', '"held-out"').replace(
        'columns = { text = "body", label = "topic" }', ""
    )
    rows = [line(0, f"see here: {FRAMES[0]}"), line(1, "something else altogether")]
    one, report = audited(tmp_path, rows, toml=toml, files={"old.csv": csv("body", [FRAMES[0]])})
    assert rejected(one, "audit") == [("s/0", "contaminated")]
    assert report["details"]["contamination"]["rows"] == 1
    assert [row["id"] for row in table(one, "audit", "contaminated")] == ["s/0"]


@pytest.mark.parametrize(("copies", "stops"), [(9, False), (10, True)])
def test_a_wipe_out_stops_the_build(tmp_path: Path, copies: int, stops: bool) -> None:
    words = ["apple", "stone", "river", "candle", "mirror", "forest", "button", "harbour", "meadow"]
    rows = [line(at, f"a line about one {word}\u202e") for at, word in enumerate(words)]
    rows += [line(100 + at, words[0].upper() + "!" * at) for at in range(copies + 1)]
    more = "[audit.wipe_out]\nleast_rows = 3\ncluster_share = 1.0\nclass_share = 1.0"
    if not stops:
        one, _ = audited(tmp_path, rows, more=more)
        assert len(rejected(one, "audit")) == copies
        return
    with pytest.raises(AssayError) as caught:
        audited(tmp_path, rows, more=more.replace("least_rows = 3", "least_rows = 3\nsource_share = 0.49"))
    said = str(caught.value)
    assert "the source 's' loses 10 of 20 rows (10 merged duplicate), more than source_share = 0.49 lets them" in said
    assert said.count("merged, normalised 1.00") == 10
    assert "raise source_share in [audit.wipe_out]" in said


def test_rows_that_a_person_took_out_wipe_nothing_out(tmp_path: Path) -> None:
    decision = {"row": "s/0", "verdict": "drop", "who": "mo", "when": "2026-01-05", "why": "seen"}
    rows = [line(at, "One text" + "!" * at) for at in range(9)] + [line(20, "another")]
    more = "[audit.wipe_out]\nleast_rows = 2"
    with pytest.raises(AssayError, match=r"cluster_share = 0\.05|source_share|class_share"):
        audited(tmp_path / "a", rows, more=more)
    one, _ = audited(tmp_path / "b", rows, more=more, files={"decisions.jsonl": json.dumps(decision)})
    assert set(kept(one)) == {"s/20"}


# -- what texts mean


def by_words(batches: Iterable[list[str]], model: str) -> NDArray[np.float32]:
    """An encoder that knows which words a text has."""
    assert model == "some encoder"
    texts = [set(text.lower().replace(",", "").split()) for texts in batches for text in texts]
    words = sorted(set().union(*texts))
    return np.array([[word in text for word in words] for text in texts], dtype=np.float32)


def test_an_encoder_finds_what_reads_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "embedded", by_words)
    monkeypatch.setattr(twinning, "inputs", lambda recipe: {})
    rows = [
        line(0, "the parcel came late and the box was wet, so I was sad and sent it back to the shop"),
        line(1, "so I was sad and sent it back to the shop, the parcel came late and the box was wet indeed"),
        line(2, "please tell me how to open a second account for my two daughters by next week"),
    ]
    for name, gone in (("near", set()), ("semantic", {"s/1"})):
        more = f'duplicates = "{name}"\nsemantic_model = "some encoder"\nsemantic_threshold = 0.9'
        one, report = audited(tmp_path / name, rows, more=more)
        assert {id_ for id_, _ in rejected(one, "audit")} == gone
        assert ("semantic" in report["details"]["duplicates"]["searched"]) is (name == "semantic")


def test_polled_copies_do_not_depend_on_the_order_of_rows(tmp_path: Path) -> None:
    votes = random.Random(2)
    lines = [
        line(at, f"text number {at % 7}" + "!" * (at % 3), votes.choice(["good", "bad"]), f"w{who}")
        for at in range(21)
        for who in range(votes.randint(1, 4))
    ]
    loose = 'consensus = "majority"\nties = "keep"\n[audit.wipe_out]\nleast_rows = 1000'
    one, _ = audited(tmp_path / "a", lines, more=loose)
    two, _ = audited(tmp_path / "b", lines[::-1], more=loose)
    assert len(table(one, "audit")) == 7
    assert told_of(one) == told_of(two)
