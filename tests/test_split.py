"""The stage split: nothing parted that belongs together, shares as wanted, copies only in train."""

from __future__ import annotations

import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.quality.sides import SIDES
from pipeline.split import STAGE
from tests.builds import a_recipe, a_text, kept_by, rows_of, run

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


def split(
    folder: Path, rows: list[Row], made: list[Row] | None = None, *, how: dict[str, Any] | None = None, **of: Any
) -> Any:
    """(side by id, rejected lines by id, report)"""
    recipe = a_recipe(folder, split=of)
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
    ),
    max_size=40,
)


def drawn_rows(drawn: list[Any]) -> tuple[list[Row], list[Row]]:
    rows, made = [], []
    for number, (group, source, label, official, text, upper, copies) in enumerate(drawn):
        sentence = a_sentence(text).upper() if upper else a_sentence(text)
        rows.append(a_text(f"{source}/{number:02}", sentence, label, group=f"g{group}", split=official))
        made += [
            a_copy(rows[-1], n, rows[(number * 7) % len(rows)], text=a_sentence(1000 + 10 * number + n))
            for n in range(copies)
        ]
    return rows, made


@settings(max_examples=60, deadline=None)
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
    """No group and no text is on two sides, except where the official split put it into validation and test."""
    for column in ("group", "text"):
        together: dict[str, set[str]] = {}
        for row in rows:
            if row["id"] in sides:
                together.setdefault(str(row[column]).casefold(), set()).add(sides[row["id"]])
        for found in together.values():
            assert len(found) == 1 or found == {"validation", "test"}


def hold_official(rows: list[Row], sides: dict[str, str], rejected: dict[str, Any]) -> None:
    for row in rows:
        if row["split"] in ("validation", "test"):
            assert sides[row["id"]] == row["split"]
        elif row["split"] is None:
            assert row["id"] in sides
        elif row["id"] in rejected:
            assert rejected[row["id"]]["reason"] == "leaks_into_held_out"


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
