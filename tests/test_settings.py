"""Settings: every number has its bounds, every default passes them."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline import settings
from pipeline.settings import AuditSettings, Settings, SplitSettings

SECTIONS = [
    settings.AuditSettings,
    settings.AugmentSettings,
    settings.SplitSettings,
    settings.GateSettings,
    settings.FinetuneSettings,
    settings.Guideline,
]


@pytest.mark.parametrize("section", SECTIONS)
def test_defaults_pass_their_own_checks(section: type[Settings]) -> None:
    one = section()
    assert section.model_validate(one.model_dump()) == one


@pytest.mark.parametrize("section", SECTIONS)
def test_unknown_settings_are_refused(section: type[Settings]) -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        section.model_validate({"nonsense": 1})


@pytest.mark.parametrize("shares", [(0.8, 0.1, 0.1), (1.0, 0.0, 0.0), (0.7, 0.2, 0.1), (0.34, 0.33, 0.33)])
def test_shares_that_make_a_whole(shares: tuple[float, float, float]) -> None:
    split = SplitSettings(train=shares[0], validation=shares[1], test=shares[2])
    assert (split.train, split.validation, split.test) == shares


@pytest.mark.parametrize("field", ["min_confidence", "suspect_share"])
@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_shares_lie_between_nothing_and_all(field: str, value: float) -> None:
    with pytest.raises(ValidationError):
        AuditSettings.model_validate({field: value})
