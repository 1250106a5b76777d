"""What was asked, laid aside: any rows in any order, over batches, and nothing is left behind."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pipeline.engine import Engine
from pipeline.twinning import laid_aside
from tests.heard import LABELLED, read, record, work_on

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("batch_rows", [1, 3, 100])
def test_texts_come_back_by_position(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch_rows: int) -> None:
    texts = ["one", "二", "", "four\u0000", "five" * 100]
    one = read(tmp_path, LABELLED, [record(at, [("a", "x")], text=text) for at, text in enumerate(texts)])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with laid_aside(work_on(one, Engine(batch_rows=batch_rows))) as asked:
        assert asked.of(range(5)) == texts
        assert asked.of(np.array([4, 0, 4, 1])) == [texts[at] for at in (4, 0, 4, 1)]
        assert asked.of([]) == []
        assert [text for batch in asked.batches(2) for text in batch] == texts
        assert list(tmp_path.glob("assay-asked-*"))
    assert not list(tmp_path.glob("assay-asked-*"))
