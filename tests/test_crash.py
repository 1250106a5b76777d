"""Killed at any moment, a build goes on to the same bytes, and no stage that says it is whole is not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import flow
from tests.conftest import ROOT
from tests.killing import EACH, data_set
from tests.small import contents

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

KILLS = 52
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def python(*arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | ONE_THREAD
    command = [sys.executable, "-m", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.mark.slow
def test_killed_at_many_moments_it_ends_with_the_same_bytes(tmp_path: Path) -> None:
    process = python("tests.killing", str(tmp_path), str(KILLS), "1")
    told, errors = process.communicate()
    assert process.returncode == 0, errors
    found: dict[str, Any] = json.loads(told)
    assert found["problems"] == []
    assert len(found["kills"]) >= KILLS
    hit = Counter(stage for _, _, stage in found["kills"])
    assert all(hit[name] >= EACH for name in flow.NAMES), hit
    kinds = Counter(kind for kind, _, _ in found["kills"])
    assert set(kinds) == {"begun", "shard", "report", "swap", "time"}


def split_of(one: Recipe, *, workers: int) -> subprocess.Popen[str]:
    engine = ("--workers", str(workers), "--batch-rows", "10")
    return python("pipeline", "split", str(one.folder / "recipe.toml"), *engine)


def told(process: subprocess.Popen[str]) -> str:
    out, errors = process.communicate()
    assert process.returncode == 0, errors
    return out


@pytest.mark.slow
def test_the_command_line_killed_with_its_workers(tmp_path: Path) -> None:
    calm, one = data_set(tmp_path / "calm", 0), data_set(tmp_path / "killed", 0)
    told(split_of(calm, workers=1))
    process = split_of(one, workers=2)
    while process.poll() is None and not (one.build / "audit.partial").exists():
        os.sched_yield()
    process.kill()
    # Its pipes close only when its workers, which inherited them, have ended too.
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert "kept" in told(split_of(one, workers=2))
    assert contents(one.build) == contents(calm.build)
