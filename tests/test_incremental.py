"""A rebuild after any change gives the bytes of a full build, and makes again only what is made of changed rows."""

from __future__ import annotations

import os
import signal
import tempfile
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import flow, settling, shaping, stage
from pipeline.engine import Engine
from tests.living import DONE, KINDS, Living
from tests.small import built, contents

if TYPE_CHECKING:
    from pipeline.recipe import Recipe

SMALL = Engine(workers=1, batch_rows=7)
SHARD_ROWS = 20
ROWS = 24
happenings = st.lists(st.lists(st.sampled_from(DONE), min_size=1, max_size=3), min_size=1, max_size=3)


def whole(living: Living, folder: Path) -> dict[str, bytes]:
    """All files of a build in a folder where nothing was built before, the split lock among them."""
    other = living.elsewhere(folder)
    built(other, "split", engine=SMALL, shard_rows=SHARD_ROWS)
    return all_of(other)


def all_of(one: Recipe) -> dict[str, bytes]:
    lock = one.lock.read_bytes() if one.lock.is_file() else b""
    return contents(one.build) | {"split.lock": lock}


def lives(kind: str, seed: int, changes: list[list[str]]) -> None:
    """Build a data set, and again after each of the changes, which may be several things at once."""
    with tempfile.TemporaryDirectory() as folder:
        living = Living.begun(Path(folder) / "lives", kind, seed, ROWS)
        built(living.written(), "split", engine=SMALL, shard_rows=SHARD_ROWS)
        for several in changes:
            for what in several:
                living.happens(what)
            one = living.written()
            expected = whole(living, Path(folder) / "anew")
            built(one, "split", engine=SMALL, shard_rows=SHARD_ROWS)
            assert all_of(one) == expected


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=2, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6), changes=happenings)
def test_whatever_happens_a_rebuild_gives_the_bytes_of_a_full_build(
    kind: str, seed: int, changes: list[list[str]]
) -> None:
    lives(kind, seed, changes)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 10**6), changes=happenings)
def test_whatever_happens_for_years(kind: str, seed: int, changes: list[list[str]]) -> None:
    lives(kind, seed, changes)


@pytest.mark.parametrize("kind", KINDS)
def test_several_workers_remember_the_same(tmp_path: Path, kind: str) -> None:
    living = Living.begun(tmp_path / "lives", kind, 5, 60)
    built(living.written(), "split", engine=Engine(2, 7), shard_rows=SHARD_ROWS)
    for what in DONE:
        living.happens(what)
    one = living.written()
    expected = whole(living, tmp_path / "anew")
    built(one, "split", engine=Engine(2, 5), shard_rows=SHARD_ROWS)
    assert all_of(one) == expected


def test_fresh_believes_nothing_and_gives_the_same(tmp_path: Path) -> None:
    living = Living.begun(tmp_path, "labelled", 1, ROWS)
    one = living.written()
    built(one, "split", engine=SMALL)
    first = all_of(one)
    reports = flow.build(one, SMALL, fresh=True)
    assert all(report["fresh"] for report in reports)
    assert all_of(one) == first


class Counted:
    """How many rows a function of a batch was given."""

    def __init__(self, function: Any) -> None:
        self.function, self.rows = function, 0
        self.__name__, self.__module__, self.__qualname__ = function.__name__, function.__module__, "counted"

    def __call__(self, batch: Any, **more: Any) -> Any:
        self.rows += len(batch) if isinstance(batch, list) else batch.num_rows
        return self.function(batch, **more)


def test_only_what_changed_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One row is written otherwise, and another added at the very top, which moves the place of every row."""
    from pipeline import lining

    read, ruled = Counted(shaping.lines_of), Counted(settling.ruled_batch)
    monkeypatch.setattr(lining, "lines_of", read)
    monkeypatch.setattr(settling, "ruled_batch", ruled)
    # Any other consensus weighs annotators by all rows: an answer more can change what is settled of other rows.
    monkeypatch.setitem(KINDS, "labelled", KINDS["labelled"].replace("[audit]", '[audit]\nconsensus = "majority"'))
    living = Living.begun(tmp_path, "labelled", 2, 200)
    built(living.written(), "audit", engine=Engine(1, 64))
    whole = (read.rows, ruled.rows)
    assert whole == (len(living.records), len({record["id"] for record in living.records}))
    living.change()
    living.add()
    living.records.insert(0, living.records.pop())
    built(living.written(), "audit", engine=Engine(1, 64))
    # Each is asked for the first row it meets as well, to see that what is remembered can be believed.
    assert read.rows - whole[0] <= 3 + 3 + 1
    assert 2 <= ruled.rows - whole[1] <= 2 + 1


def killed_in(one: Recipe, stage_name: str) -> bool:
    """Whether a build could be killed while a stage was being written."""
    process = os.fork()
    if process == 0:
        code = 70
        try:
            built(one, "split", engine=SMALL, shard_rows=SHARD_ROWS)
            code = 0
        finally:
            os._exit(code)
    while not (one.build / f"{stage_name}.partial").exists():
        if os.waitpid(process, os.WNOHANG)[0]:
            return False
        os.sched_yield()
    os.kill(process, signal.SIGKILL)
    return os.waitpid(process, 0)[1] == signal.SIGKILL


@pytest.mark.parametrize("kind", KINDS)
def test_killed_while_it_is_updated_it_ends_with_the_same_bytes(tmp_path: Path, kind: str) -> None:
    living = Living.begun(tmp_path / "lives", kind, 3, ROWS)
    built(living.written(), "split", engine=SMALL, shard_rows=SHARD_ROWS)
    kills: Counter[bool] = Counter()
    for name in ("ingest", "audit", "augment", "split"):
        for what in DONE:
            living.happens(what)
        kills[killed_in(living.written(), name)] += 1
    one = living.written()
    expected = whole(living, tmp_path / "anew")
    built(one, "split", engine=SMALL, shard_rows=SHARD_ROWS)
    assert all_of(one) == expected
    assert kills[True] >= 2


def files_of(one: Recipe) -> list[Path]:
    return sorted((one.build / "memo").rglob("*.arrow"))


@pytest.mark.parametrize("harm", ["cut", "emptied", "changed", "swapped", "foreign"])
def test_a_memo_that_cannot_be_believed_is_passed_over(tmp_path: Path, harm: str) -> None:
    living = Living.begun(tmp_path / "lives", "labelled", 4, ROWS)
    one = living.written()
    built(one, "split", engine=SMALL, shard_rows=SHARD_ROWS)
    paths = files_of(one)
    assert len(paths) >= 5
    bodies = [path.read_bytes() for path in paths]
    for at, (path, body) in enumerate(zip(paths, bodies, strict=True)):
        middle = len(body) // 2
        path.write_bytes(
            {
                "cut": body[:middle],
                "emptied": b"",
                "changed": body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :],
                "swapped": bodies[at - 1],
                "foreign": b"ARROW1 of somebody else" * 100,
            }[harm]
        )
    living.change()
    changed = living.written()
    expected = whole(living, tmp_path / "anew")
    built(changed, "split", engine=SMALL, shard_rows=SHARD_ROWS)
    assert all_of(changed) == expected


def test_what_no_row_says_any_more_is_forgotten(tmp_path: Path) -> None:
    living = Living.begun(tmp_path / "lives", "labelled", 6, 120)
    built(living.written(), "split", engine=SMALL, shard_rows=SHARD_ROWS)
    before = {path.name: path.stat().st_size for path in files_of(living.written())}
    kept = {record["id"] for record in living.records[:40]}
    living.records = [record for record in living.records if record["id"] in kept]
    one = living.written()
    built(one, "split", engine=SMALL, shard_rows=SHARD_ROWS)
    after = {path.name: path.stat().st_size for path in files_of(one)}
    assert after.keys() == before.keys()
    assert sum(after.values()) < 0.8 * sum(before.values())


@pytest.mark.parametrize("said", ['duplicates = "exact"', "near_threshold = 0.9", 'duplicates = "off"'])
def test_how_the_audit_looks_is_known_to_the_split_though_it_finds_the_same(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    living = Living.begun(tmp_path / "lives", "labelled", 9, 12)
    built(living.written(), "split", engine=SMALL, shard_rows=SHARD_ROWS)
    monkeypatch.setitem(KINDS, "labelled", KINDS["labelled"].replace("[audit]", f"[audit]\n{said}"))
    one = living.written()
    expected = whole(living, tmp_path / "anew")
    built(one, "split", engine=SMALL, shard_rows=SHARD_ROWS)
    assert all_of(one) == expected


def test_other_code_remembers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    living = Living.begun(tmp_path, "labelled", 7, ROWS)
    built(living.written(), "audit", engine=SMALL)
    before = files_of(living.written())
    monkeypatch.setattr(stage, "code_version", lambda: "other code")
    one = living.written()
    built(one, "audit", engine=SMALL)
    assert not {path.name for path in before} & {path.name for path in files_of(one)}


def upper(batch: pa.RecordBatch, *, by: str) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"text": [f"{by} {text}" for text in batch["text"].to_pylist()]})


def test_settings_are_part_of_what_is_remembered(tmp_path: Path) -> None:
    from pipeline.memo import Memos
    from tests.heard import work_on

    living = Living.begun(tmp_path, "labelled", 8, ROWS)
    built(living.written(), "ingest", engine=SMALL)
    work = work_on(living.written(), SMALL)
    for by in ("one", "other", "one"):
        remembering = stage.Work(**{**vars(work), "memos": Memos(tmp_path / "memo", "code")})
        made = list(remembering.each(partial(upper, by=by), version=by, columns=["text"]))
        plain = list(work.each(partial(upper, by=by), version=by, columns=["text"]))
        assert pa.Table.from_batches(made) == pa.Table.from_batches(plain)
        assert np.concatenate([batch["text"].to_pylist() for batch in made])[0].startswith(by)
