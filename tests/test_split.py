"""The stage split: nothing parted that belongs together, shares as wanted, copies only in train."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.lock import SIDES
from pipeline.settings import Guideline
from pipeline.split import STAGE
from pipeline.tasks import task
from tests.builds import SPINE, a_recipe, a_text, kept_by, rows_of, run

if TYPE_CHECKING:
    from pipeline.tasks import Row

WORDS = ["river", "stone", "candle", "harbour", "meadow", "whistle"]
WORDS += ["copper", "lantern", "orchard", "thunder", "velvet", "compass"]


def a_sentence(number: int) -> str:
    """A text that is near no other."""
    chance = random.Random(number)
    return " ".join(f"{chance.choice(WORDS)}{chance.randrange(10**6)}" for _ in range(8))


def a_word(number: int) -> str:
    """A word that no other number has."""
    chance = random.Random(number)
    return "".join(chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(10))


def rows_with(count: int, *, group_of: int = 1, **columns: Any) -> list[Row]:
    chance = random.Random(count)
    return [
        a_text(
            f"{chance.choice(['film', 'product'])}/{number}",
            a_sentence(number),
            chance.choices(["positive", "negative", "neutral"], [5, 4, 1])[0],
            group=f"g{number // group_of}",
            language=chance.choice(["en", "zh"]),
            **columns,
        )
        for number in range(count)
    ]


def a_copy(parent: Row, number: int, *donors: Row, **columns: Any) -> Row:
    made = {
        "id": f"{parent['id']}~swap{number}",
        "parents": [parent["id"], *(d["id"] for d in donors)],
        "made_by": "swap:seed=1",
        "text": f"{parent['text']} again{number}",
    }
    return {**parent, **made, **columns}


def a_chat(name: str, *said: str, system: str = "", **columns: Any) -> Row:
    """A chat row: user and assistant in turn, the user first."""
    turns = [
        {"role": ("user", "assistant")[at % 2], "content": text, "learn": at % 2 == 1} for at, text in enumerate(said)
    ]
    before = [{"role": "system", "content": system, "learn": False}] if system else []
    return {**SPINE, "id": name, "group": name, "messages": [*before, *turns], "tools": None, **columns}


def split(
    folder: Path,
    rows: list[Row],
    made: list[Row] | None = None,
    *,
    task_name: str = "classification",
    how: dict[str, Any] | None = None,
    **of: Any,
) -> Any:
    """(side by id, rejected lines by id, report)"""
    recipe = a_recipe(folder, task=task_name, split=of)
    kept_by("augment", recipe, {"rows": rows, "made": made or []})
    report = run(STAGE, recipe, **(how or {}))
    sides = {row["id"]: side for side in SIDES for row in rows_of(recipe, "split", side)}
    for side in SIDES:
        assert all(row["split"] == side for row in rows_of(recipe, "split", side))
    return sides, {row["id"]: row for row in rows_of(recipe, "split", "rejected")}, report


rows_drawn = st.lists(
    st.tuples(
        st.integers(0, 12),  # group
        st.sampled_from(["film", "product"]),
        st.sampled_from(["positive", "negative"]),
        st.sampled_from([None, None, None, "train", "validation", "test"]),
        st.integers(0, 25),  # text: some are equal, some near
        st.booleans(),  # upper case
        st.integers(0, 2),  # copies
        st.sampled_from([None, None, None, 3, 5, 7]),  # the group of a row that was merged into it
        st.sampled_from([None, None, None, None, 100, 101, 3]),  # the other text of a pair
    ),
    max_size=40,
)


def drawn_rows(drawn: list[Any]) -> tuple[list[Row], list[Row]]:
    rows, made = [], []
    for number, (group, source, label, official, text, upper, copies, merged, pair) in enumerate(drawn):
        sentence = a_sentence(text).upper() if upper else a_sentence(text)
        rows.append(a_text(f"{source}/{number:02}", sentence, label, group=f"g{group}", split=official))
        rows[-1] |= {"also_in": [] if merged is None else [f"g{merged}"]}
        rows[-1] |= {"text_pair": None if pair is None else a_sentence(pair)}
        made += [
            a_copy(rows[-1], n, rows[(number * 7) % len(rows)], text=a_sentence(1000 + 10 * number + n))
            for n in range(copies)
        ]
    return rows, made


@settings(max_examples=30, deadline=None)
@given(drawn=rows_drawn, shuffle=st.randoms(use_true_random=False))
def test_laws_of_the_split(drawn: list[Any], shuffle: random.Random) -> None:
    rows, made = drawn_rows(drawn)
    with TemporaryDirectory() as folder:
        sides, rejected, report = split(Path(folder) / "a", rows, made)
        moved, moved_made = shuffle.sample(rows, len(rows)), shuffle.sample(made, len(made))
        again, rejected_again, report_again = split(Path(folder) / "b", moved, moved_made, how={"batch_rows": 7})
    assert sides == again
    assert {row: line["reason"] for row, line in rejected.items()} == {
        row: line["reason"] for row, line in rejected_again.items()
    }
    assert report["details"] == report_again["details"]
    assert sides.keys() | rejected.keys() == {row["id"] for row in (*rows, *made)}
    assert not sides.keys() & rejected.keys()
    hold_no_leak(rows, sides)
    hold_official(rows, sides, rejected)
    for row in made:
        in_train = all(sides.get(parent) == "train" for parent in row["parents"])
        assert (sides.get(row["id"]) == "train") == in_train
        assert in_train or rejected[row["id"]]["reason"] == "parent_held_out"


def hold_no_leak(rows: list[Row], sides: dict[str, str]) -> None:
    """No group, text or kin is on two sides, except where the official split put it into validation and test."""
    own = task("classification", Guideline())
    together: dict[str, set[str]] = {}
    for row in rows:
        ties = [f"group {name}" for name in (row["group"], *row["also_in"])]
        ties += [own.shown(row).casefold(), *(f"kin {key}" for key in own.kin(row))]
        for tie in ties if row["id"] in sides else ():
            together.setdefault(tie, set()).add(sides[row["id"]])
    for found in together.values():
        assert len(found) == 1 or found == {"validation", "test"}


def hold_official(rows: list[Row], sides: dict[str, str], rejected: dict[str, Any]) -> None:
    for row in rows:
        if row["split"] in ("validation", "test"):
            assert sides[row["id"]] == row["split"]
        elif row["id"] in rejected:
            wanted = "bridges_sides" if row["split"] is None else "leaks_into_held_out"
            assert rejected[row["id"]]["reason"] == wanted
            held = [other["id"] for other in rows if sides.get(other["id"]) in ("validation", "test")]
            assert any(f"{name} (" in rejected[row["id"]]["evidence"] for name in held)


def test_shares_and_strata_are_within_a_row_or_two(tmp_path: Path) -> None:
    rows = rows_with(1000)
    sides, rejected, report = split(tmp_path, rows)
    assert not rejected
    counts = [sum(side == name for side in sides.values()) for name in SIDES]
    assert counts == [800, 100, 100]
    for name, one in report["details"]["strata"].items():
        for side, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1)):
            assert abs(one["per_side"][side] - share * one["rows"]) <= 2, name
    assert report["details"]["max_deviation_points"] < 1


def test_groups_stay_whole_and_shares_near(tmp_path: Path) -> None:
    rows = rows_with(600, group_of=5)
    rows += [a_text(f"film/big{number}", a_sentence(5000 + number), group="big") for number in range(70)]
    sides, _, report = split(tmp_path, rows)
    hold_no_leak(rows, sides)
    details = report["details"]
    assert details["largest_group_rows"] == 70
    assert abs(details["sides"]["train"]["rows"] - 0.8 * 670) <= 5
    assert {sides[row["id"]] for row in rows[-70:]} != {None}


def test_near_duplicates_with_other_answers_stay_together(tmp_path: Path) -> None:
    rows = []
    for number in range(200):
        text = f"Honestly, everyone found chapter {a_word(number)} {a_word(number + 1000)} a delight to read"
        slip = text.replace(a_word(number), a_word(number)[:-1])
        rows += [a_text(f"film/{number}a", text), a_text(f"film/{number}b", slip, "negative")]
    sides, _, report = split(tmp_path / "a", rows)
    assert sum(report["details"]["near_pairs"].values()) >= 200
    assert all(sides[f"film/{number}a"] == sides[f"film/{number}b"] for number in range(200))
    parted, _, _ = split(tmp_path / "b", rows, near_duplicates=False)
    assert any(parted[f"film/{number}a"] != parted[f"film/{number}b"] for number in range(200))


def test_validation_is_carved_out_of_official_train(tmp_path: Path) -> None:
    rows = rows_with(300)
    for number, row in enumerate(rows):
        row["split"] = "test" if number % 3 == 0 else "train"
    sides, rejected, report = split(tmp_path, rows)
    assert not rejected
    assert {sides[row["id"]] for row in rows if row["split"] == "test"} == {"test"}
    dealt = [sides[row["id"]] for row in rows if row["split"] == "train"]
    assert dealt.count("test") == 0
    assert abs(dealt.count("validation") - 200 / 9) < 1
    assert report["details"]["max_deviation_points"] < 2


def test_no_row_joins_an_official_test_set_of_its_source(tmp_path: Path) -> None:
    rows = rows_with(400)
    for number, row in enumerate(rows):
        if row["id"].startswith("film/") and number % 4 == 0:
            row["split"] = "test"
    sides, _, _ = split(tmp_path, rows)
    free = [row["id"] for row in rows if row["split"] is None]
    assert not [name for name in free if name.startswith("film/") and sides[name] == "test"]
    assert [name for name in free if name.startswith("product/") and sides[name] == "test"]


def test_official_training_rows_that_leak_leave(tmp_path: Path) -> None:
    rows = rows_with(60, split="train")
    rows[0] |= {"split": "test"}
    rows[1] |= {"text": rows[0]["text"].upper()}
    rows[2] |= {"group": rows[0]["group"]}
    made = [a_copy(rows[1], 1, text="Something else entirely is said here about nothing"), a_copy(rows[3], 1)]
    sides, rejected, report = split(tmp_path, rows, made, validation=0, train=0.9, test=0.1)
    assert {name: line["reason"] for name, line in rejected.items()} == {
        rows[1]["id"]: "leaks_into_held_out",
        rows[2]["id"]: "leaks_into_held_out",
        made[0]["id"]: "parent_held_out",
    }
    assert rows[0]["id"] in rejected[rows[1]["id"]]["evidence"]
    assert sides[made[1]["id"]] == "train"
    assert report["details"]["official_leaks"] == 2


def test_a_copy_that_says_what_a_held_out_row_says_leaves(tmp_path: Path) -> None:
    rows = [*rows_with(30, split="train"), a_text("film/held", a_sentence(999), split="test")]
    made = [a_copy(rows[0], 1, text=a_sentence(999).upper()), a_copy(rows[1], 1)]
    sides, rejected, _ = split(tmp_path, rows, made, validation=0, train=0.9, test=0.1)
    assert sides[made[1]["id"]] == "train"
    assert rejected[made[0]["id"]]["reason"] == "leaks_into_held_out"
    assert "film/held" in rejected[made[0]["id"]]["evidence"]


def test_making_copies_moves_no_row(tmp_path: Path) -> None:
    rows = rows_with(200)
    plain, _, _ = split(tmp_path / "a", rows)
    made = [a_copy(row, n) for row in rows for n in (1, 2)]
    copied, rejected, report = split(tmp_path / "b", rows, made)
    assert {name: copied[name] for name in plain} == plain
    assert report["details"]["sides"]["train"]["made"] + len(rejected) == 400
    assert report["details"]["sides"]["train"]["made"] == 2 * sum(side == "train" for side in plain.values())


def test_the_bytes_are_the_same_however_it_is_run(tmp_path: Path) -> None:
    rows = rows_with(200, group_of=3)
    made = [a_copy(row, 1) for row in rows[::3]]
    *_, one = split(tmp_path / "a", rows, made)
    *_, four = split(tmp_path / "b", rows, made, how={"workers": 4, "batch_rows": 7})
    assert one == four


def test_sides_without_a_share_get_none(tmp_path: Path) -> None:
    sides, _, _ = split(tmp_path / "a", rows_with(50), train=1.0, validation=0, test=0)
    assert set(sides.values()) == {"train"}
    sides, rejected, _ = split(tmp_path / "b", [])
    assert not sides
    assert not rejected


def parted(sides: dict[str, str], *names: str, of: int = 200) -> int:
    """How many of the families stand on more than one side; the members of the first are film/0-<name>, ..."""
    return sum(len({sides[f"film/{at}-{name}"] for name in names}) > 1 for at in range(of))


def test_a_merged_row_is_not_parted_from_either_of_its_documents(tmp_path: Path) -> None:
    rows = []
    for at in range(200):
        one, other, third = (a_sentence(3 * at + step) for step in range(3))
        rows.append(a_text(f"film/{at}-a", one, group=f"A{at}", also_in=[f"B{at}"]))
        rows += [a_text(f"film/{at}-c", other, group=f"B{at}"), a_text(f"film/{at}-d", third, group=f"A{at}")]
    sides, rejected, _ = split(tmp_path / "a", rows)
    assert not rejected
    assert parted(sides, "a", "c", "d") == 0
    for row in rows:
        row["split"] = "test" if row["id"].endswith("-a") else "train"
    sides, rejected, _ = split(tmp_path / "b", rows)
    assert set(sides) == {f"film/{at}-a" for at in range(200)}
    assert {line["reason"] for line in rejected.values()} == {"leaks_into_held_out"}


def test_a_chat_and_what_it_goes_on_to_are_not_parted(tmp_path: Path) -> None:
    rows = []
    for at in range(200):
        asked, said, further, then = (a_sentence(4 * at + step) for step in range(4))
        greeted = ["Hi!", "Hello, how can I help?", asked, said] if at % 4 == 0 else [asked, said]
        rows.append(a_chat(f"film/{at}-short", *greeted))
        rows.append(a_chat(f"film/{at}-long", *greeted, further, then))
        rows.append(a_chat(f"film/{at}-told", *greeted, system="You are a ship's cook and answer at length."))
    sides, rejected, report = split(tmp_path, rows, task_name="chat")
    assert not rejected
    assert parted(sides, "short", "long", "told") == 0
    assert report["details"]["kin_joined"] == 200
    assert abs(report["details"]["sides"]["test"]["rows"] - 60) <= 6


def test_chats_that_open_with_a_greeting_only_are_dealt_apart(tmp_path: Path) -> None:
    rows = [
        a_chat(f"f/{at}", ("Hi", "你好")[at % 2], a_sentence(at), a_sentence(1000 + at), "Yes.") for at in range(100)
    ]
    sides, _, report = split(tmp_path, rows, task_name="chat")
    assert set(sides.values()) == set(SIDES)
    assert report["details"]["largest_group_rows"] == 1


def test_pairs_that_share_a_text_are_not_parted(tmp_path: Path) -> None:
    rows = []
    for at in range(200):
        one, other, third = (a_sentence(3 * at + step) for step in range(3))
        rows += [a_text(f"film/{at}-a", one, text_pair=other), a_text(f"film/{at}-swapped", other, text_pair=one)]
        rows.append(a_text(f"film/{at}-premise", one, "negative", text_pair=third))
    sides, _, _ = split(tmp_path / "a", rows)
    assert parted(sides, "a", "swapped", "premise") == 0
    rows = [a_text(f"film/{at}-a", f"yes {at}", text_pair="no") for at in range(200)]
    rows += [a_text(f"film/{at}-swapped", "no", text_pair=f"yes {at}") for at in range(200)]
    sides, _, report = split(tmp_path / "b", rows)
    assert parted(sides, "a", "swapped") == 0
    assert report["details"]["largest_group_rows"] == 2


def test_a_template_that_many_rows_share_joins_nothing_and_is_told(tmp_path: Path) -> None:
    rows = [a_text(f"f/{at:03}", a_sentence(at), text_pair="Is this sentence grammatical?") for at in range(51)]
    sides, _, report = split(tmp_path / "a", rows)
    assert set(sides.values()) == set(SIDES)
    told = {"key": "isthissentencegrammatical", "rows": 51}
    assert report["details"]["kin_not_joined"] == {"count": 1, "most_rows": 50, "examples": [told]}
    sides, _, report = split(tmp_path / "b", rows[:50])
    assert len(set(sides.values())) == 1
    assert report["details"]["kin_not_joined"]["count"] == 0


def test_official_training_rows_with_kin_held_out_leave_but_no_chain_of_them(tmp_path: Path) -> None:
    one, two, three, four = (a_sentence(1000 + at) for at in range(4))
    rows = [
        a_text("film/held", one, text_pair=two, split="test"),
        a_text("film/kin", two, text_pair=three, split="train"),
        a_text("film/chain", three, text_pair=four, split="train"),
        *rows_with(30, split="train"),
    ]
    sides, rejected, report = split(tmp_path / "a", rows, validation=0, train=0.9, test=0.1)
    assert {name: line["reason"] for name, line in rejected.items()} == {"film/kin": "leaks_into_held_out"}
    assert "film/held (test)" in rejected["film/kin"]["evidence"]
    assert sides["film/chain"] == "train"
    rows[1]["split"] = None
    sides, rejected, _ = split(tmp_path / "b", rows, validation=0, train=0.9, test=0.1)
    assert {name: line["reason"] for name, line in rejected.items()} == {"film/kin": "bridges_sides"}
    assert all(name in rejected["film/kin"]["evidence"] for name in ("film/held (test)", "film/chain (train)"))
    assert sides["film/chain"] == "train"
    assert report["details"]["official_leaks"] == 1


def test_a_copy_that_opens_like_a_held_out_chat_leaves(tmp_path: Path) -> None:
    rows = [a_chat(f"film/{at}", a_sentence(at), "Yes.", split="train") for at in range(30)]
    rows.append(a_chat("film/held", a_sentence(999), "No.", a_sentence(998), "No, no.", split="test"))
    made = [
        {**a_chat(f"film/{at}~swap1", text, "Yes."), "parents": [f"film/{at}"], "made_by": "swap"}
        for at, text in ((0, a_sentence(999).upper()), (1, a_sentence(500)))
    ]
    sides, rejected, _ = split(tmp_path, rows, made, task_name="chat", validation=0, train=0.9, test=0.1)
    assert {name: line["reason"] for name, line in rejected.items()} == {"film/0~swap1": "leaks_into_held_out"}
    assert "film/held" in rejected["film/0~swap1"]["evidence"]
    assert sides["film/1~swap1"] == "train"
