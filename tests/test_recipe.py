"""Recipes: what is refused, and the words in which it is."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import recipe
from pipeline.errors import AssayError
from tests.small import CSV, made

if TYPE_CHECKING:
    from pathlib import Path

WAY_OUT = "mend the recipe"


def refused(more: str, toml: str = CSV) -> str:
    """What is said of a recipe that cannot be."""
    with pytest.raises(AssayError) as caught:
        recipe.check(tomllib.loads(toml + more), name="news")
    return str(caught.value)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("[adit]", "recipe 'news': no setting 'adit'; did you mean 'audit'?"),
        (
            "[audit]\nmin_text_char = 5",
            "recipe 'news' [audit]: no setting 'min_text_char'; did you mean 'min_text_chars'?",
        ),
        ("[guideline]\nverson = '2'", "recipe 'news' [guideline]: no setting 'verson'; did you mean 'version'?"),
        (
            "[[guideline.label]]\nname = 'a'\nalias = ['b']",
            "recipe 'news' [guideline.label.0]: no setting 'alias'; did you mean 'aliases'?",
        ),
        (
            "[[augment.edit]]\nkind = 'swap'\ncopys = 2",
            "recipe 'news' [augment.edit.0]: no setting 'copys'; did you mean 'copies'?",
        ),
        (
            "[fetch.f]\nurl = 'u'\nsha265 = 'x'",
            "recipe 'news' [fetch.f]: no setting 'sha265'; did you mean 'sha256'?",
        ),
        ("[split]\nzzzz = 1", "recipe 'news' [split]: no setting 'zzzz'; known: "),
        (
            "[audit]\nmin_confidence = 1.5",
            "recipe 'news' [audit]: 'min_confidence' = 1.5: Input should be less than or equal to 1; " + WAY_OUT,
        ),
        (
            "[audit]\nconflicts = 'maybe'",
            "recipe 'news' [audit]: 'conflicts' = 'maybe': "
            "Input should be 'hold-back', 'majority', 'newest', 'trusted' or 'keep'; " + WAY_OUT,
        ),
        (
            "[split]\ntrain = 0.5",
            "recipe 'news': 'split' = {'train': 0.5}: train + validation + test must be 1; " + WAY_OUT,
        ),
        ("[split]\ntrain = 0.0\ntest = 0.9", "'train' must be more than 0: there would be nothing to learn from"),
        (
            "[[augment.edit]]\nkind = 'swap'\n[[augment.edit]]\nkind = 'swap'",
            "edits named twice: swap; ask for more copies instead",
        ),
        (
            "[[guideline.label]]\nname = 'a'\n[[guideline.label]]\nname = 'b'\naliases = ['a']",
            "these spellings stand for more than one label: a",
        ),
        (
            "[[guideline.label]]\nname = 'a '\naliases = ['b', '']",
            "labels are read without the spaces around them, so no row can have these: 'a ', ''",
        ),
        ("[fetch.f]\nurl = 'u'", "needs 'sha256': nothing is read that was not checked"),
        ("[fetch.f]\nsha256 = 'x'", "needs exactly one of 'package' and 'url'"),
        ("[[ingest.source]]\nname = 's'\nfiles = ['x']\nformat = 'csv'", "two sources have the same name"),
        (
            "[[ingest.annotations]]\nsource = 'z'\nfiles = ['x']\nformat = 'csv'",
            "annotations name unknown sources: z",
        ),
        ("[[ingest.source]]\nname = 'a/b'\nfiles = ['x']\nformat = 'csv'", "'name' = 'a/b': String should match"),
        ("[[ingest.source]]\nname = 't'\nformat = 'csv'", "needs exactly one of 'files' and 'hub'"),
    ],
)
def test_refusals(more: str, said: str) -> None:
    assert said in refused("\n" + more)


@pytest.mark.parametrize("known", ["delimiter", "hub_split", "group_pattern", "split_names"])
def test_unknown_setting_of_a_source_names_the_nearest(known: str) -> None:
    wrong = known + "s"
    assert refused(f"\n{wrong} = 'x'") == (
        f"recipe 'news' [ingest.source.0]: no setting '{wrong}'; did you mean '{known}'?"
    )


def test_missing_setting() -> None:
    assert refused("", "task = 'chat'\n") == (
        "recipe 'news': the setting 'ingest' is missing; assay check-recipe --schema lists every setting"
    )


def test_every_fault_is_told() -> None:
    told = refused("\n[audit]\nbootstrap = -1\nsed = 2\n")
    assert "'bootstrap' = -1" in told
    assert "no setting 'sed'; did you mean 'seed'?" in told


@pytest.mark.parametrize("content", ["task = ", "labels = [no]", b"title = '\xff'"])
def test_not_toml(tmp_path: Path, content: str | bytes) -> None:
    with pytest.raises(
        AssayError, match=r"^recipe 'small' \(.*recipe\.toml\): not valid TOML: .*; see https://toml\.io$"
    ):
        made(tmp_path, "", {"recipe.toml": content})


def test_find_by_name_and_by_path(tmp_path: Path) -> None:
    one = made(tmp_path, CSV, {})
    assert recipe.find("small", data=tmp_path) == recipe.find(str(one.folder / "recipe.toml"), data=tmp_path) == one
    assert recipe.names(tmp_path) == ["small"]
    assert one.build == tmp_path / "build" / "small"
    with pytest.raises(AssayError, match=r"did you mean 'small'\?"):
        recipe.find("smal", data=tmp_path)


def test_a_label_that_yaml_would_change_stays_text(tmp_path: Path) -> None:
    labels = "".join(f"[[guideline.label]]\nname = '{name}'\n" for name in ("no", "on", "010"))
    assert made(tmp_path, CSV + labels, {}).settings.guideline.names == ("no", "on", "010")


def test_settings_are_frozen(tmp_path: Path) -> None:
    settings: Any = made(tmp_path, CSV, {}).settings
    with pytest.raises(ValueError, match="frozen"):
        settings.audit.seed = 2


def test_schema_knows_every_section() -> None:
    schema = json.loads(recipe.json_schema())
    assert {"task", "guideline", "ingest", "audit", "augment", "split", "gate", "finetune"} <= set(schema["properties"])
    assert schema["additionalProperties"] is False


def test_a_source_that_another_section_names_must_be_there() -> None:
    said = refused("\n[audit]\nconflicts = 'trusted'\ntrusted_sources = ['nobody']")
    assert "recipe 'news' [audit] trusted_sources: there is no source nobody" in said
    assert "needs 'trusted_sources', the most trusted first" in refused("\n[audit]\nconflicts = 'trusted'")
