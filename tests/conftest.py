"""What all tests stand on: examples that repeat, no network, a cache of their own, and the folder of real data."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("ASSAY_REAL_DATA") or ROOT.parent / "shared" / "data").resolve()
"""The folder of real data sets, which need not be there."""

# The same examples on every run and machine; time limits would fail on a busy machine.
settings.register_profile(
    "assay",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("assay")

# A hub that is missing must fail at once; what is fetched must come from what the test made.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_DATASETS_OFFLINE", "1")


@pytest.fixture(autouse=True, scope="session")
def _cache_of_its_own() -> Iterator[None]:
    """ASSAY_CACHE is an empty folder, unless the environment names one."""
    if "ASSAY_CACHE" in os.environ:
        yield
        return
    folder = tempfile.mkdtemp(prefix="assay-cache-")
    os.environ["ASSAY_CACHE"] = folder
    yield
    del os.environ["ASSAY_CACHE"]
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets; the test is skipped where there is none."""
    folder = DATA
    if not folder.is_dir():
        pytest.skip(f"no real data at {folder}: set ASSAY_REAL_DATA to their folder")
    return folder
