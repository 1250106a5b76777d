"""Real sets dealt anew: nothing parted that belongs together, every stratum as near its share as its groups allow."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.quality.splitting.sides import decide
from pipeline.settings import SplitSettings
from tests.bench.measure import DATA
from tests.bench.splitting import groups_of, judged, real_set

FOLDERS = {
    "wnut17": "ner_english/WNUT17",
    "banking77": "intents_banking77",
    "conll04": "relations_conll04",
}


@pytest.mark.realdata
@pytest.mark.parametrize("name", FOLDERS)
def test_no_stratum_is_a_point_off_and_no_group_is_parted(name: str) -> None:
    if not (DATA / FOLDERS[name]).is_dir():
        pytest.skip(f"no {FOLDERS[name]} under {DATA}: set ASSAY_REAL_DATA")
    of = real_set(name)
    facts = of.facts()
    pairs = of.pairs(facts)
    settings = SplitSettings()
    first = decide(facts, settings, pairs=pairs)
    found = judged(facts, groups_of(of, facts, pairs), first.sides)
    assert found["parted"] == 0
    assert found["judged_strata"] >= 12
    assert found["max_deviation_points"] < 1
    assert found["max_excess_points"] < 0.5
    assert found["max_excess_points"] == first.details["max_excess_points"]
    # A tenth of the rows come later: nobody who was there moves.
    old = np.sort(np.random.default_rng(1).permutation(len(facts))[: len(facts) * 9 // 10])
    before = decide(facts.take(old), settings, pairs=pairs)
    then = decide(facts, settings, pairs=pairs, lock=before.lock)
    assert (then.sides[old] == before.sides).all()
    assert then.details["max_excess_points"] < 1
