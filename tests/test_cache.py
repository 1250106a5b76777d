"""Two processes that fetch the same package at once, and a cache that cannot be written."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipeline.cache import cache_folder, section
from pipeline.errors import AssayError
from tests.test_archive import zipped

if TYPE_CHECKING:
    from pathlib import Path


def test_two_processes_fetch_one_package(tmp_path: Path) -> None:
    members = {
        "one-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: one\nVersion: 1.0\n",
        "one-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
    }
    content = zipped(members)
    (tmp_path / "one-1.0-py3-none-any.whl").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    code = f"from pipeline.cache import package; print(package('one==1.0', sha256='{digest}'))"
    environment = {
        **os.environ,
        "ASSAY_CACHE": str(tmp_path / "cache"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    running = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=120)[0].strip() for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert answers == [str(tmp_path / "cache" / "packages" / "one-1.0-py3-none-any.whl")] * 2
    assert [path.name for path in (tmp_path / "cache" / "packages").iterdir()] == ["one-1.0-py3-none-any.whl"]


def test_the_cache_folder_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("ASSAY_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "assay"


def test_a_cache_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AssayError, match="set ASSAY_CACHE"):
        section("packages", tmp_path / "file")
