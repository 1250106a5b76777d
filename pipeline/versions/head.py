"""The head of a data card: what the hub and `datasets.load_dataset` read of a version, as YAML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.contract import contract
from pipeline.versions import shared
from pipeline.versions.held import SIDES
from pipeline.versions.markdown import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

# The hub's identifiers of licences that data sets carry, as far as their names leave no doubt.
LICENCES = frozenset(
    {
        *("apache-2.0", "mit", "cc", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0"),
        *("cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0"),
        *("cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "odbl", "odc-by", "pddl"),
        *("bsd", "bsd-2-clause", "bsd-3-clause", "gpl", "gpl-2.0", "gpl-3.0", "lgpl-2.1", "lgpl-3.0", "agpl-3.0"),
        *("mpl-2.0", "isc", "unlicense", "wtfpl", "artistic-2.0", "bsl-1.0", "epl-2.0", "gfdl", "openrail"),
        *("cdla-permissive-1.0", "cdla-permissive-2.0", "cdla-sharing-1.0", "c-uda", "zlib", "ecl-2.0"),
    }
)
_ALSO = {"cc0": "cc0-1.0", "apache2": "apache-2.0", "apache2.0": "apache-2.0", "apache-license-2.0": "apache-2.0"}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_MORE = ((10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"))


def head(
    *, title: str, licence: str, task: str, facts: Mapping[str, Mapping[str, Any]], schema: pa.Schema, files: list[str]
) -> str:
    """The YAML between the two lines of dashes; `files` are those of the sides and of the shares, by name."""
    from huggingface_hub.utils import yaml_dump

    sides = [side for side in SIDES if facts[side]["rows"]]
    rows = {side: facts[side]["rows"] for side in sides}
    entries: dict[str, Any] = {
        "language": _languages(facts),
        **_licence(licence),
        "task_categories": [contract(task).category],
        "size_categories": [_size(sum(rows.values()))],
        "pretty_name": plain(title),
        "tags": ["assay", task],
        "configs": [
            {"config_name": "default", "data_files": [_of_side(side, files) for side in sides]},
            *shared.config(files),
        ],
        "dataset_info": {
            "features": [_feature(column.name, column.type) for column in schema],
            "splits": [{"name": side, "num_bytes": facts[side]["bytes"], "num_examples": rows[side]} for side in sides],
        },
    }
    told: str = yaml_dump({name: value for name, value in entries.items() if value})
    return told


def _of_side(side: str, files: list[str]) -> dict[str, Any]:
    """The files one by one: a pattern would take in what a later version leaves beside them."""
    return {"split": side, "path": [name for name in files if name.startswith(f"data/{side}-")]}


def _languages(facts: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The languages of the rows, the commonest first; those of less than one row in 100 are mostly guesses."""
    counts: dict[str, int] = {}
    for side in SIDES:
        for code, rows in facts[side]["languages"].items():
            counts[code] = counts.get(code, 0) + rows
    whole = sum(counts.values())
    told = [code for code, rows in counts.items() if code != "und" and rows >= whole / 100]
    known = [code for code in told if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*", code)]
    return sorted(known, key=lambda code: (-counts[code], code))


def _licence(text: str) -> dict[str, str]:
    """The licence as the hub names it where that is sure, else as `other` under its own name."""
    if not text.strip():
        return {"license": "unknown"}
    slug = re.sub(r"[\s_]+", "-", re.sub(r"\b(the|licen[cs]e|version)\b,?", " ", plain(text).lower()).strip())
    slug = re.sub(r"-v(?=\d)", "-", slug)
    known = _ALSO.get(slug, slug)
    if known in LICENCES:
        return {"license": known}
    # The hub wants a name of small letters, digits, points and dashes; the full words stand in the page.
    name = re.sub(r"[^a-z0-9.]+", "-", slug).strip("-.")[:60] or "see-the-page"
    return {"license": "other", "license_name": name}


def _size(rows: int) -> str:
    return next((name for limit, name in (*_SIZES, *_MORE) if rows < limit), "n>1B")


def _feature(name: str, kind: pa.DataType) -> dict[str, Any]:
    """A column as the hub describes it."""
    return {"name": name, **_kind(kind)}


def _kind(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_struct(kind):
        return {"struct": [_feature(member.name, member.type) for member in kind]}
    if pa.types.is_list(kind):
        inner = _kind(kind.value_type)
        return {"list": inner.get("struct") or inner.get("dtype") or inner}
    return {"dtype": {"double": "float64", "float": "float32"}.get(str(kind), str(kind))}
