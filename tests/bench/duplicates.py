"""Duplicates: recall on planted copies, distinct and template rows lost, speed and memory, beside other tools.

`python -m tests.bench duplicates [--rows 20000] [--seed 1] [--against NAME=PYTHON ...]`. `rensa` as its pages say, and
`loose`, the same made to find more, always run, as the environment of Assay has them. NAME is one of `datasketch`,
`datatrove`, `textdedup`, `datajuicer`; PYTHON an interpreter that has it:

    python -m venv sketch && sketch/bin/pip install datasketch
    python -m tests.bench duplicates --against datasketch=sketch/bin/python

(`datatrove` needs `spacy`, `regex` and `xxhash<4` beside it, `textdedup` is `text-dedup`, `datajuicer` is
`py-data-juicer`, which needs `aiohttp`.) Every tool runs in
a process of its own over the same rows, one after another. Texts come from the real sets where they are there (see
`tests.bench.measure`), from made-up words otherwise. Recall counts a copy as found if not both it and its origin are
kept. A distinct row is lost if nothing of what it says is kept; what is distinct is told by a plain count of word
triples (`corpora.distinct`), not by a tool. Rows a second are of CPU time, so that other work on the machine does not
show. Ours does what the audit would: one canonical row, and its direct neighbours leave; a text that stands whole
inside a longer one is found, but not taken out, as the longer one may say otherwise. The evidence of the nearest
rejected pairs is written as well, as no other tool does.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench.corpora import distinct_texts
from tests.bench.measure import ROOT, peak, show
from tests.bench.planting import APART, KINDS, Row, plant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

OURS = "assay"
_AT_ONCE = 2_000


def main(arguments: list[str]) -> None:
    """Plant, let every tool take duplicates out, and tell what each found and lost."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench duplicates", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--against", action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument(
        "--base",
        choices=["tuned", "fresh"],
        default="tuned",
        help="texts of the sets that were looked at while the tool was made, or of others",
    )
    parser.add_argument("--only", nargs=2, metavar=("TEXTS", "FOUND"), help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.only:
        _ours(Path(asked.only[0]), Path(asked.only[1]))
        return
    rows = plant(distinct_texts(asked.base), asked.rows, asked.seed)
    tools = {
        OURS: sys.executable,
        "rensa": sys.executable,
        "loose": sys.executable,
        **dict(one.split("=", 1) for one in asked.against),
    }
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder, "texts.jsonl")
        with given.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps({"text": row.text}) + "\n" for row in rows)
        found = {name: _run(name, python, given, Path(folder, name)) for name, python in tools.items()}
    _tell(rows, {name: one for name, one in found.items() if one is not None})


def _run(name: str, python: str, given: Path, answer: Path) -> dict[str, Any] | None:
    """What one tool takes out, or None where it fails, which is told."""
    other = [python, str(ROOT / "tests" / "bench" / "removers.py"), name, str(given), str(answer)]
    ours = [python, "-m", "tests.bench", "duplicates", "--only", str(given), str(answer)]
    ran = subprocess.run(ours if name == OURS else other, capture_output=True, text=True, cwd=ROOT, check=False)
    if ran.returncode:
        print(f"{name}: failed: {(ran.stderr.strip().splitlines() or ['no word said'])[-1]}", flush=True)
        return None
    return dict(json.loads(answer.read_text()))


def _ours(given: Path, answer: Path) -> None:
    """Take duplicates out as the audit does: sign batch by batch, find pairs, keep canonical rows."""
    import numpy as np
    import pyarrow as pa

    from pipeline.quality.duplicates import SIGNED, clusters, pairs, signed

    texts = pa.array([json.loads(line)["text"] for line in given.open(encoding="utf-8")])
    before, begun = time.process_time(), time.perf_counter()
    batches = pa.table({"text": texts}).to_batches(max_chunksize=_AT_ONCE)
    lines = pa.Table.from_batches([signed(batch) for batch in batches], schema=SIGNED)
    signing = time.process_time() - before
    found = pairs(lines, lambda rows: texts.take(pa.array(rows)).to_pylist())
    stands = clusters(found, np.arange(len(texts)))
    gone = np.flatnonzero(stands != np.arange(len(texts))).tolist()
    spent = {"cpu": time.process_time() - before, "seconds": time.perf_counter() - begun}
    inside = found.accepted & (np.array(found.kind) == "contained")
    linked = np.stack([found.left[inside], found.right[inside]], axis=1).tolist()
    told = {
        "gone": gone,
        "linked": linked,
        **spent,
        "peak": peak(),
        "signing": signing,
        "rejected": int((~found.accepted).sum()),
    }
    answer.write_text(json.dumps(told))


def _tell(rows: Sequence[Row], found: dict[str, dict[str, Any]]) -> None:
    names = list(found)
    gone = {name: set(found[name]["gone"]) for name in names}
    linked = {name: {frozenset(pair) for pair in found[name].get("linked", ())} for name in names}
    origins = {row.origin: at for at, row in enumerate(rows) if row.kind in APART}
    lines: list[list[str]] = []
    for language in ("en", "zh"):
        copies = {kind: [] for kind in KINDS}  # type: dict[str, list[tuple[int, int]]]
        for at, row in enumerate(rows):
            if row.language == language and row.kind in KINDS:
                copies[row.kind].append((at, origins[row.origin]))
        copies["all copies"] = [pair for kind in KINDS for pair in copies[kind]]
        for kind, its in copies.items():
            hits = [sum(bool(gone[name] & {*pair}) or {*pair} in linked[name] for pair in its) for name in names]
            lines.append([f"{language} {kind} ({len(its)})", *(f"{hit / max(len(its), 1):.3f}" for hit in hits)])
    show(f"{len(rows):,} rows: recall", names, lines)
    show("lost, share (rows)", names, _lost(rows, gone))
    show("cost", names, _cost(len(rows), found))


def _lost(rows: Sequence[Row], gone: dict[str, set[int]]) -> Iterator[list[str]]:
    """Per kind of row that is nobody's copy, how many leave with nothing kept that says the same."""
    members: dict[int, list[int]] = {}
    for at, row in enumerate(rows):
        members.setdefault(row.origin, []).append(at)
    for language in ("en", "zh"):
        for kind in APART:
            here = [row.origin for row in rows if (row.language, row.kind) == (language, kind)]
            counts = [sum(gone[name].issuperset(members[origin]) for origin in here) for name in gone]
            yield [
                f"{language} {kind} ({len(here)})",
                *(f"{count / max(len(here), 1):.2%} ({count})" for count in counts),
            ]


def _cost(rows: int, found: dict[str, dict[str, Any]]) -> Iterator[list[str]]:
    yield ["rows per CPU second", *(f"{rows / one['cpu']:,.0f}" for one in found.values())]
    yield ["CPU seconds", *(f"{one['cpu']:.1f}" for one in found.values())]
    yield [
        "of them signing, cached by row",
        *(f"{one['signing']:.1f}" if "signing" in one else "" for one in found.values()),
    ]
    yield ["peak memory, MiB", *(f"{one['peak']:,}" for one in found.values())]
    yield ["rows taken out", *(f"{len(one['gone']):,}" for one in found.values())]
