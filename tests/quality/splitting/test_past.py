"""The lock in the split: whatever is done to the data, rows keep their side, nothing leaks, a build repeats itself."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import lock
from pipeline.contract import contract
from pipeline.lock import SIDES
from pipeline.quality.splitting.sides import Verdicts, decide
from pipeline.settings import Guideline, SplitSettings
from pipeline.split import STAGE, facts
from pipeline.stage import batch_of
from pipeline.tasks import task
from tests import small
from tests.builds import a_recipe, a_text, kept_by, rows_of, run
from tests.test_split import a_copy, a_sentence, rows_with

if TYPE_CHECKING:
    from pipeline.recipe import Recipe
    from pipeline.tasks import Row


def build(
    recipe: Recipe, rows: list[Row], made: list[Row] | None = None, **how: Any
) -> tuple[dict[str, str], dict[str, Any], Any]:
    """(side by id, rejected lines by id, report)"""
    kept_by("augment", recipe, {"rows": rows, "made": made or []})
    report = run(STAGE, recipe, **how)
    sides = {row["id"]: side for side in SIDES for row in rows_of(recipe, "split", side)}
    return sides, {row["id"]: row for row in rows_of(recipe, "split", "rejected")}, report


def elsewhere(recipe: Recipe, folder: Path) -> Recipe:
    """The same recipe and lock in a folder where nothing was built."""
    other = a_recipe(folder, split=recipe.settings.split.model_dump())
    other.folder.mkdir(parents=True)
    other.lock.write_bytes(recipe.lock.read_bytes())
    return other


def repeats(recipe: Recipe, rows: list[Row], made: list[Row], report: dict[str, Any], folder: Path) -> None:
    """Building again runs nothing, and a fresh folder with the lock has the same tables and report, byte by byte."""
    before = recipe.lock.read_bytes()
    assert run(STAGE, recipe) == {**report, "fresh": False, "anew": 0}
    other = elsewhere(recipe, folder)
    build(other, rows, made, batch_rows=3)
    assert recipe.lock.read_bytes() == other.lock.read_bytes() == before
    written = [{path.name: path.read_bytes() for path in (one.build / "split").iterdir()} for one in (recipe, other)]
    assert written[0] == written[1]


def no_leak(rows: list[Row], sides: dict[str, str], *, but: frozenset[str] = frozenset()) -> None:
    own = task("classification", Guideline())
    together: dict[str, set[str]] = {}
    for row in rows:
        ties = [f"group {name}" for name in (row["group"], *row["also_in"])]
        ties += [own.shown(row).casefold(), *(f"kin {key}" for key in own.kin(row))]
        for tie in ties if row["id"] in sides else ():
            together.setdefault(tie, set()).add(sides[row["id"]])
    assert all(len(found) == 1 or found == but for found in together.values())


DRAWN = st.tuples(
    st.integers(0, 9),  # group
    st.sampled_from(["film", "product"]),
    st.sampled_from(["positive", "negative"]),
    st.integers(0, 15),  # text
    st.sampled_from([None, None, None, 3, 5]),  # a group of a row that was merged into it
    st.sampled_from([None, None, None, 100, 3]),  # the other text of a pair
    st.sampled_from([None] * 8 + ["train", "validation", "test"]),  # an official side, in the second test
)
ROWS = st.dictionaries(st.integers(0, 40), DRAWN, min_size=1, max_size=25)


def rows_from(drawn: dict[int, Any], *, with_official: bool = False) -> list[Row]:
    rows = []
    for number, (group, source, label, text, merged, pair, official) in drawn.items():
        rows.append(a_text(f"{source}/{number:02}", a_sentence(text), label, group=f"g{group}"))
        rows[-1] |= {"also_in": [] if merged is None else [f"g{merged}"]}
        rows[-1] |= {"text_pair": None if pair is None else a_sentence(pair)}
        rows[-1] |= {"split": official if with_official else None}
    return rows


FROZEN = st.sampled_from([("test",), (), ("validation",)])


def dealt(
    rows: list[Row], made: list[Row], how: SplitSettings, before: lock.Lock | None, merged: pa.Table | None = None
) -> tuple[dict[str, str], dict[str, tuple[str, str]], Verdicts]:
    """(side by id, why not by id, verdicts), without a build."""
    schema = contract("classification").schema
    batch = batch_of([{**row, "date": row.get("date")} for row in (*rows, *made)], schema)
    own = task("classification", Guideline())
    found = decide(pa.Table.from_batches([facts(own, how.strata, True, batch)]), how, lock=before, merged=merged)
    ids = [row["id"] for row in (*rows, *made)]
    sides = {name: SIDES[at] for name, at in zip(ids, found.sides.tolist(), strict=True) if at >= 0}
    return sides, {ids[at]: reason for at, reason in found.reasons.items()}, found


def is_settled(rows: list[Row], made: list[Row], how: SplitSettings, found: Verdicts) -> None:
    """With the lock that it left, and whatever the order of the rows, all is decided the same again."""
    ids = [row["id"] for row in (*rows, *made)]
    moved, moved_made = (random.Random(1).sample(part, len(part)) for part in (rows, made))
    sides, reasons, again = dealt(moved, moved_made, how, found.lock)
    assert again.lock is found.lock
    assert again.details == found.details
    assert sides == {name: SIDES[at] for name, at in zip(ids, found.sides.tolist(), strict=True) if at >= 0}
    assert reasons == {ids[at]: reason for at, reason in found.reasons.items()}


SHARES = {"train": 0.6, "validation": 0.2, "test": 0.2}


@settings(max_examples=60, deadline=None)
@given(first=ROWS, then=st.lists(ROWS, min_size=1, max_size=2), gone=st.sets(st.integers(0, 40)), frozen=FROZEN)
def test_rows_keep_their_side_whatever_is_edited(
    first: dict[int, Any], then: list[dict[int, Any]], gone: set[int], frozen: tuple[str, ...]
) -> None:
    """Rows are added, changed in text, group and label, deleted, and change places."""
    how = SplitSettings.model_validate({"frozen": frozen, **SHARES, "folds": 3})
    sides, left, found = dealt(rows_from(first), [], how, None)
    assert not left
    known = dict(sides)
    asked = {row["id"]: (row["text"], row["text_pair"]) for row in rows_from(first)}
    for at, more in enumerate(then):
        first = {number: row for number, row in {**first, **more}.items() if number not in gone or at}
        rows = rows_from(first)
        made = [a_copy(row, 1, text=a_sentence(500 + n)) for n, row in enumerate(rows[::3])]
        sides, left, found = dealt(rows, made, how, found.lock)
        originals = {row["id"]: sides[row["id"]] for row in rows if row["id"] in sides}
        closed = [name for name in frozen if name in known.values()]
        for name, side in originals.items():
            assert known.get(name, side) == side
        entered = [row for row in rows if sides.get(row["id"]) in closed and row["id"] not in known]
        here = {row["id"] for row in rows}
        away = [what for name, what in asked.items() if name not in here and known.get(name) in closed]
        assert all((row["text"], row["text_pair"]) in away for row in entered)
        for row in rows:
            assert row["id"] in sides or known.get(row["id"]) not in closed
            assert row["id"] in sides or left[row["id"]][0] in ("leaks_into_held_out", "bridges_sides")
        no_leak(rows, sides)
        is_settled(rows, made, how, found)
        known = {**originals, **known}
        asked |= {row["id"]: (row["text"], row["text_pair"]) for row in rows if row["id"] in sides}


@settings(max_examples=60, deadline=None)
@given(first=ROWS, then=ROWS, by=st.sampled_from(["chance", "time", "source"]), named=st.booleans())
def test_a_build_repeats_itself_with_official_rows_by_time_and_by_source(
    first: dict[int, Any], then: dict[int, Any], by: str, named: bool
) -> None:
    how = SplitSettings.model_validate(
        {"by": by, **SHARES, "test_sources": ["film"] if by == "source" and named else []}
    )
    before = None
    for drawn in (first, {**first, **then}):
        rows = rows_from(drawn, with_official=True)
        for row in rows:
            row["date"] = [None, "2024", "2024-05-01", "1714521600", "2023-1-9"][len(row["text"]) % 5]
        sides, _, found = dealt(rows, [], how, before)
        no_leak(rows, sides, but=frozenset({"validation", "test"}))
        assert all(sides.get(row["id"]) == row["split"] for row in rows if row["split"] in ("validation", "test"))
        is_settled(rows, [], how, found)
        before = found.lock


def test_building_again_runs_nothing_and_a_fresh_folder_gives_the_same_bytes(tmp_path: Path) -> None:
    rows = rows_with(120, group_of=2)
    recipe = a_recipe(tmp_path / "a", split={"folds": 4})
    sides, _, report = build(recipe, rows[:90], [a_copy(rows[0], 1)])
    repeats(recipe, rows[:90], [a_copy(rows[0], 1)], report, tmp_path / "b")
    of = {side: [row for row in rows[:90] if sides[row["id"]] == side] for side in SIDES}
    of["train"][3]["group"], of["train"][9]["text"] = of["test"][0]["group"], of["validation"][0]["text"]
    _, rejected, report = build(recipe, rows[2:], [a_copy(rows[4], 1)])
    assert rejected
    repeats(recipe, rows[2:], [a_copy(rows[4], 1)], report, tmp_path / "c")


def test_a_row_that_comes_back_comes_back_to_its_side(tmp_path: Path) -> None:
    rows = rows_with(60)
    recipe = a_recipe(tmp_path)
    sides, _, _ = build(recipe, rows)
    fewer, _, report = build(recipe, [row for row in rows if sides[row["id"]] == "train"])
    assert set(fewer.values()) == {"train"}
    assert report["details"]["lock"]["rows"] == 60
    again, _, report = build(recipe, rows)
    assert again == sides
    assert report["details"]["lock"]["last_change"] == {"dealt": 60, "moved": 0, "overruled": 0, "frozen": []}


def test_new_rows_leave_the_frozen_test_set_alone_and_keep_the_other_shares(tmp_path: Path) -> None:
    recipe = a_recipe(tmp_path)
    rows = rows_with(400)
    before, _, _ = build(recipe, rows[:300])
    after, rejected, report = build(recipe, rows)
    assert not rejected
    counts = {side: list(after.values()).count(side) for side in SIDES}
    assert counts["test"] == 30
    assert abs(counts["validation"] - 370 / 9) <= 1
    assert {name: after[name] for name in before} == before
    told = report["details"]["lock"]["last_change"]
    assert told == {"dealt": 100, "moved": 0, "overruled": 0, "frozen": ["test"]}
    assert report["details"]["max_excess_points"] < 1
    thawed = a_recipe(tmp_path / "thawed", split={"frozen": []})
    build(thawed, rows[:300])
    sides, _, _ = build(thawed, rows)
    assert list(sides.values()).count("test") == 40


def test_another_edition_deals_everything_anew_and_tells_how_many_moved(tmp_path: Path) -> None:
    rows = rows_with(400)
    before, _, _ = build(a_recipe(tmp_path), rows[:300])
    recipe = a_recipe(tmp_path, split={"edition": "2", "seed": 7})
    after, _, report = build(recipe, rows)
    moved = sum(after[name] != side for name, side in before.items())
    assert moved > 50
    assert report["details"]["lock"]["last_change"] == {"dealt": 400, "moved": moved, "overruled": 0, "frozen": []}
    assert list(after.values()).count("test") == 40
    found = lock.read(recipe.lock)
    assert found is not None
    assert found.edition == "2"


def test_new_rows_tied_to_held_out_ones(tmp_path: Path) -> None:
    rows = rows_with(200)
    recipe = a_recipe(tmp_path)
    sides, _, _ = build(recipe, rows)
    of = {side: next(row for row in rows if sides[row["id"]] == side) for side in SIDES}
    new = [
        a_text("film/near", of["test"]["text"].upper()),
        a_text("film/group", a_sentence(901), group=of["validation"]["group"]),
        a_text("film/chain", a_sentence(902), group=of["train"]["group"]),
        a_text("film/bridge", a_sentence(903), group=of["train"]["group"], also_in=[of["validation"]["group"]]),
    ]
    after, rejected, report = build(recipe, [*rows, *new])
    assert {name: line["reason"] for name, line in rejected.items()} == {
        "film/near": "leaks_into_held_out",
        "film/bridge": "bridges_sides",
    }
    assert f"says the same as {of['test']['id']} (test)" in rejected["film/near"]["evidence"]
    assert all(f" ({side})" in rejected["film/bridge"]["evidence"] for side in ("train", "validation"))
    assert (after["film/group"], after["film/chain"]) == ("validation", "train")
    assert report["details"]["leaks"] == {"official": 0, "locked": 0, "new": 2}


def test_a_training_row_that_was_edited_into_a_copy_of_a_held_out_one_leaves(tmp_path: Path) -> None:
    rows = rows_with(200)
    recipe = a_recipe(tmp_path)
    sides, _, _ = build(recipe, rows)
    of = {side: next(row for row in rows if sides[row["id"]] == side) for side in SIDES}
    plain = of["train"]["text"]
    of["train"]["text"] = of["test"]["text"] + "!"
    after, rejected, report = build(recipe, rows)
    assert set(rejected) == {of["train"]["id"]}
    assert of["test"]["id"] in rejected[of["train"]["id"]]["evidence"]
    assert report["details"]["leaks"]["locked"] == 1
    assert report["details"]["lock"]["left_out"] == 1
    of["train"]["text"] = plain
    assert build(recipe, rows)[0] == sides
    of["validation"]["text"] = of["test"]["text"]
    after, rejected, _ = build(recipe, rows)
    assert set(rejected) == {of["validation"]["id"]}
    assert after[of["test"]["id"]] == "test"


def test_an_official_split_wins_over_the_lock_and_that_is_told(tmp_path: Path) -> None:
    rows = rows_with(200)
    recipe = a_recipe(tmp_path)
    sides, _, _ = build(recipe, rows)
    trained = [row for row in rows if sides[row["id"]] == "train"][:5]
    for row in trained:
        row["split"] = "test"
    after, rejected, report = build(recipe, rows)
    assert not rejected
    assert {after[row["id"]] for row in trained} == {"test"}
    assert report["details"]["lock"]["last_change"] == {"dealt": 0, "moved": 5, "overruled": 5, "frozen": ["test"]}
    repeats(recipe, rows, [], report, tmp_path / "b")


def test_a_row_that_another_was_merged_into_takes_its_side(tmp_path: Path) -> None:
    """The audit keeps one of two rows that say the same, and next week it may be the other one."""
    from pipeline.quality.duplicates.evidence import PAIRS
    from tests.pages.stages import whole

    rows = rows_with(100)
    recipe = a_recipe(tmp_path)
    sides, _, _ = build(recipe, rows)
    tested = [row for row in rows if sides[row["id"]] == "test"]
    pairs = []
    for at, row in enumerate(tested):
        line = {"left": f"film/new{at}", "right": row["id"], "kind": "exact", "similarity": 1.0, "accepted": True}
        pairs.append(line | {"why": "", "outcome": "merged"})
        row["id"] = f"film/new{at}"
    told = {"duplicates": {"searched": ["exact", "normalised", "near", "contained"]}}
    whole(recipe, "audit", {"pairs": (PAIRS, pairs)}, details=told)
    after, rejected, _ = build(recipe, rows)
    assert not rejected
    assert {after[row["id"]] for row in tested} == {"test"}


def renamed(rows: list[Row], old: str, new: str) -> list[Row]:
    return [{**row, "id": row["id"].replace(f"{old}/", f"{new}/")} for row in rows]


@pytest.mark.parametrize("chinese", [False, True])
def test_rows_of_a_source_that_gets_another_name_keep_their_sides(tmp_path: Path, chinese: bool) -> None:
    rows = rows_with(200)
    for at, row in enumerate(rows if chinese else ()):
        row["text"] = "".join(chr(0x4E00 + ord(sign) * 7 + at) for sign in row["text"][::3])
    recipe = a_recipe(tmp_path / "a")
    before, _, _ = build(recipe, rows)
    moved = renamed(rows, "film", "电影")
    for row in moved[::2]:
        row["text"] = f" {row['text'].upper()}！"  # what is asked is the same, however it is written
    after, rejected, report = build(recipe, moved)
    assert not rejected
    assert {name.replace("电影/", "film/"): side for name, side in after.items()} == before
    assert sum(name.startswith("电影/") for name in after) > 50
    repeats(recipe, moved, [], report, tmp_path / "b")
    assert build(recipe, rows)[0] == before


def test_no_more_rows_take_a_side_by_their_text_than_went(tmp_path: Path) -> None:
    """Or rows that were added would enter a frozen side behind one that was moved."""
    rows = rows_with(200)
    recipe = a_recipe(tmp_path / "a", split={"near_duplicates": False})
    before, _, _ = build(recipe, rows)
    gone, stays = [row for row in rows if before[row["id"]] == "test"][:2]
    new = [{**gone, "id": f"product/new{at}", "group": f"n{at}"} for at in range(3)]
    new.append({**stays, "id": "product/copy", "group": "n4"})
    now = [*(row for row in rows if row is not gone), *new]
    after, rejected, report = build(recipe, now)
    assert after["product/new0"] == "test"
    assert {name: line["reason"] for name, line in rejected.items()} == dict.fromkeys(
        ["product/new1", "product/new2", "product/copy"], "leaks_into_held_out"
    )
    repeats(recipe, now, [], report, tmp_path / "b")


def test_a_row_takes_the_side_of_what_it_asks_now_not_of_what_it_was_before_it_was_mended(tmp_path: Path) -> None:
    rows = rows_with(200)
    recipe = a_recipe(tmp_path)
    before, _, first = build(recipe, rows)
    tested = next(row for row in rows if before[row["id"]] == "test")
    old, tested["text"] = tested["text"], a_sentence(901)
    _, _, report = build(recipe, rows)
    assert report["details"]["lock"] == first["details"]["lock"]
    rows.remove(tested)
    new = [{**tested, "id": "film/mended"}, {**tested, "id": "film/old", "text": old, "group": "other"}]
    after, _, _ = build(recipe, [*rows, *new])
    assert after["film/mended"] == "test"
    assert after["film/old"] != "test"


def test_a_lock_of_the_format_before_keeps_all_sides_and_gets_its_marks(tmp_path: Path) -> None:
    rows = rows_with(120)
    recipe = a_recipe(tmp_path / "a")
    before, _, report = build(recipe, rows)
    whole = recipe.lock.read_bytes()
    head, *lines = whole.decode().splitlines()
    older = [line.rpartition("\t")[0] if "\t" in line else line for line in lines]
    recipe.lock.write_text("\n".join([head.replace("2", "1"), *older, ""]), encoding="utf-8")
    after, rejected, again = build(recipe, rows)
    assert (after, rejected) == (before, {})
    assert recipe.lock.read_bytes() == whole
    assert again["details"] == report["details"]
    repeats(recipe, rows, [], again, tmp_path / "b")


def test_without_a_lock_nothing_is_kept(tmp_path: Path) -> None:
    recipe = a_recipe(tmp_path, split={"lock": False})
    rows = rows_with(100)
    _, _, report = build(recipe, rows)
    assert not recipe.lock.exists()
    assert report["details"]["lock"] is None
    recipe.folder.mkdir(exist_ok=True)
    recipe.lock.write_text("not a lock", encoding="utf-8")
    assert run(STAGE, recipe)["fresh"] is False


def test_a_kill_between_lock_and_tables_costs_only_the_work(tmp_path: Path, monkeypatch: Any) -> None:
    rows = rows_with(100)
    recipe, other = a_recipe(tmp_path / "a"), a_recipe(tmp_path / "b")
    build(other, rows)
    written = lock.write

    def killed(*args: Any) -> None:
        written(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("pipeline.lock.write", killed)
        with suppress(KeyboardInterrupt):
            build(recipe, rows)
    assert recipe.lock.is_file()
    assert not (recipe.build / "split").exists()
    build(recipe, rows)
    files = [{path.name: path.read_bytes() for path in (one.build / "split").iterdir()} for one in (recipe, other)]
    assert files[0] == files[1]
    assert recipe.lock.read_bytes() == other.lock.read_bytes()


NAMED = """
task = "classification"
[[ingest.source]]
name = "s"
files = ["rows.jsonl"]
format = "jsonl"
columns = { id = "id", text = "text", label = "label" }
[audit]
suspects = "off"
"""


@pytest.mark.parametrize(
    "settings",
    [
        'duplicates = "exact"',
        'duplicates = "normalised"',
        "near_threshold = 0.7",
        'conflicts = "keep"',
        "[split]\nnear_duplicates = false",
    ],
)
def test_a_row_that_is_merged_into_a_new_one_hands_its_side_on(tmp_path: Path, settings: str) -> None:
    """Whoever finds the near pairs: a frozen text must not come back on another side under a shorter id."""
    rows = [{"id": f"row{n:02}", "text": a_sentence(n), "label": "ab"[n % 2]} for n in range(40)]
    one = small.made(tmp_path, NAMED + settings, {"rows.jsonl": "".join(f"{json.dumps(row)}\n" for row in rows)})
    small.built(one, "split")
    before = {row["text"]: side for side in SIDES for row in small.table(one, "split", side)}
    rows += [{**row, "id": f"t{n}"} for n, row in enumerate(rows)]
    small.made(tmp_path, NAMED + settings, {"rows.jsonl": "".join(f"{json.dumps(row)}\n" for row in rows)})
    small.built(one, "split")
    assert {row["text"]: side for side in SIDES for row in small.table(one, "split", side)} == before
    assert {row["id"][:3] for side in SIDES for row in small.table(one, "split", side)} == {"s/t"}


def test_a_side_is_handed_on_through_rows_that_left_as_well() -> None:
    """The pairs of three rows that became one need not name the one that stays beside the one that had a side."""
    rows = rows_with(30)
    how = SplitSettings.model_validate(SHARES)
    sides, _, found = dealt(rows, [], how, None)
    gone = next(row for row in rows if sides[row["id"]] == "test")
    stays = {**gone, "id": "film/a"}
    pairs = [("film/a", "film/b"), ("film/b", gone["id"])]
    merged = pa.table({"left": [one for one, _ in pairs], "right": [other for _, other in pairs]})
    merged = merged.append_column("outcome", pa.array(["merged"] * 2)).append_column("kind", pa.array(["similar"] * 2))
    then = [*(row for row in rows if row is not gone), stays]
    sides, _, _ = dealt(then, [], how, found.lock, merged)
    assert sides["film/a"] == "test"


def test_a_row_that_wins_over_a_locked_one_takes_its_side(tmp_path: Path) -> None:
    """The text that was tested on must not be learned from, because another row now answers it."""
    other = """[[ingest.source]]
name = "u"
files = ["more.jsonl"]
format = "jsonl"
columns = { id = "id", text = "text", label = "label" }
[audit]
conflicts = "trusted"
trusted_sources = ["u"]
wipe_out.least_rows = 100
"""
    toml = NAMED.replace("[audit]\n", other)
    rows = [{"id": f"row{n:02}", "text": a_sentence(n), "label": "ab"[n % 2]} for n in range(40)]
    better = [{"id": "own", "text": a_sentence(99), "label": "a"}]
    files = {"rows.jsonl": "".join(f"{json.dumps(row)}\n" for row in rows)}
    one = small.made(tmp_path, toml, {**files, "more.jsonl": json.dumps(better[0])})
    small.built(one, "split")
    before = {row["text"]: side for side in SIDES for row in small.table(one, "split", side)}
    better += [{**row, "label": "ba"[n % 2]} for n, row in enumerate(rows)]
    small.made(tmp_path, toml, {**files, "more.jsonl": "".join(f"{json.dumps(row)}\n" for row in better)})
    small.built(one, "split")
    after = {row["id"]: (row["text"], side) for side in SIDES for row in small.table(one, "split", side)}
    assert {name[:2] for name in after} == {"u/"}
    assert dict(after.values()) == before
