"""The record of an erasure: who had what erased, when and why, what was removed, and the proof that nothing is left.

`data/<name>/erasures/<when>.json` can be filed. It names sources; of rows it holds hashes under a key. The key, and the
hashes of the words that are looked for, lie in the Parquet files beside it: `assay erase NAME --check` needs them.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline.erasing import marks as marking
from pipeline.erasing.marks import KINDS, Marks, Target
from pipeline.erasing.traces import Hasher
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.erasing.proof import Proof
    from pipeline.recipe import Recipe

FOLDER, FORMAT = "erasures", 1


@dataclass
class Record:
    """One erasure, as far as it has come."""

    path: Path
    who: str
    when: str
    why: str
    marks: list[Marks]
    removed: list[str] = field(default_factory=list)
    lock_lines: int = 0
    quoted: dict[str, int] = field(default_factory=dict)
    """Lines of decisions and checks that were blanked, by file."""

    def write(self, proof: Proof | None = None, *, finished: str = "") -> None:
        """Write the record, whole or not at all; without a proof it says that the erasure has only begun."""
        about: dict[str, Any] = {
            "format": FORMAT,
            "who": self.who,
            "when": self.when,
            "why": self.why,
            "state": "begun" if proof is None else "nothing left" if not proof.left else "something left",
            "finished": finished,
            "erased": [_told(one) for one in self.marks],
            "removed": self.removed,
            "split_lock_lines": self.lock_lines,
            "blanked": self.quoted,
            "proof": proved(proof) if proof else None,
        }
        partial = self.path.with_name(f".{self.path.name}.partial")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("w", encoding="utf-8", newline="\n") as file:
                file.write(json.dumps(about, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.path)
        except OSError as error:
            raise AssayError(str(self.path), f"cannot be written: {error.strerror}", "make it writable") from error


def _told(marks: Marks) -> dict[str, Any]:
    target = marks.target
    named = {"source": target.name} if target.kind == "source" else {"row_hash": marks.hashed}
    return {**named, "rows": marks.rows, "made": marks.made, **{kind: len(marks.found[kind]) for kind in KINDS}}


def proved(proof: Proof) -> dict[str, Any]:
    """A proof as plain values."""
    looked = {
        area: {"files": one.files, "strings": one.strings, "found": dict(one.found)}
        for area, one in proof.looked.items()
    }
    return {
        "looked": looked,
        "left": [{"file": file, "found": found} for file, found in proof.findings],
        "shared_with_others": proof.shared,
        "too_short_to_tell": proof.too_short,
        "looked_for_by_id_only": proof.unmarked,
        "raw_files": proof.raw,
        "cannot_reach": proof.unreachable,
    }


def folder(recipe: Recipe) -> Path:
    """Where the records of a data set lie; they belong under version control, with the recipe."""
    return recipe.folder / FOLDER


def begun(recipe: Recipe, *, who: str, when: str, why: str) -> Record:
    """A new record, not yet written."""
    name = when.replace(":", "").replace("+0000", "Z")
    place, number = folder(recipe), 1
    while (path := place / f"{name}{'' if number == 1 else f'-{number}'}.json").exists():
        number += 1
    return Record(path=path, who=who, when=when, why=why, marks=[])


def marks_file(path: Path, at: int) -> Path:
    """The file of marks that belongs to the record at `path`."""
    return path.with_name(f"{path.stem}.{at + 1}.parquet")


def known(recipe: Recipe, targets: Sequence[Target]) -> dict[Target, Marks]:
    """What was marked of these targets in all erasures so far.

    Raises:
        AssayError: a file of marks that cannot be read.
    """
    found: dict[Target, Marks] = {}
    for path in sorted(folder(recipe).glob("[!.]*.parquet")):
        one = marking.read(path, targets)
        if one is not None and one.target in found:
            found[one.target].merge(one)
        elif one is not None:
            found[one.target] = one
    return found


def hasher(recipe: Recipe) -> Hasher:
    """The key of the data set's marks."""
    return Hasher(marking.key_of(sorted(folder(recipe).glob("[!.]*.parquet"))))
