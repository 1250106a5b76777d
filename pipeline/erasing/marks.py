"""Marks: by what an erased row is known when its words are gone: hashes of ids, places and stretches of its texts."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.erasing.traces import Hasher, folded, stretches
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

KEY_BYTES = 32
KINDS = ("id", "place", "words")
SCHEMA = pa.schema([("kind", pa.string()), ("hash", pa.uint64()), ("chars", pa.int32())])


@dataclass(frozen=True, order=True)
class Target:
    """What is erased: a source or a row, by name."""

    kind: str
    name: str

    @property
    def prefix(self) -> str:
        """How the ids of an erased source begin; the id itself of a row."""
        return f"{self.name}/" if self.kind == "source" else self.name

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass
class Marks:
    """The marks of one target: hash by hash the number of characters (ids, places) or of code points (words)."""

    target: Target
    hasher: Hasher
    found: dict[str, dict[int, int]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    rows: int = 0
    made: int = 0
    too_short: set[int] = field(default_factory=set)
    """Texts that are too short to be told from the words of others, by hash."""

    @property
    def hashed(self) -> str:
        """The target without its name."""
        return f"{int(self.hasher.names([str(self.target)])[0]):016x}"

    def add_names(self, kind: str, names: Sequence[str]) -> None:
        """Take in ids or places."""
        for hashed, name in zip(self.hasher.names(names).tolist(), names, strict=True):
            self.found[kind][hashed] = len(name)

    def add_texts(self, texts: Iterable[str]) -> None:
        """Take in what rows say."""
        pieces: list[str] = []
        for text in texts:
            own = stretches(whole := folded(text))
            pieces += own
            if whole and not own:
                self.too_short.add(hash(whole))
        for hashed, piece in zip(self.hasher.wholes(pieces).tolist(), pieces, strict=True):
            self.found["words"][hashed] = len(piece)

    def merge(self, other: Marks) -> None:
        """Take in the marks that were made of the same target before, under the same key."""
        for kind in KINDS:
            self.found[kind] |= other.found[kind]
        self.rows, self.made = max(self.rows, other.rows), max(self.made, other.made)

    def write(self, path: Path) -> None:
        """Write them, whole or not at all."""
        rows = [(kind, hashed, chars) for kind in KINDS for hashed, chars in sorted(self.found[kind].items())]
        columns = list(zip(*rows, strict=True)) or [(), (), ()]
        about = {"assay.key": self.hasher.key.hex(), "assay.target": self.hashed}
        about |= {f"assay.{name}": str(getattr(self, name)) for name in ("rows", "made")}
        schema = SCHEMA.with_metadata(about)
        arrays = [pa.array(values, column.type) for values, column in zip(columns, SCHEMA, strict=True)]
        partial = path.with_name(f".{path.name}.partial")
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_arrays(arrays, schema=schema), partial, compression="zstd")
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)


def read(path: Path, targets: Iterable[Target]) -> Marks | None:
    """The marks in a file; None where they are of none of these targets.

    Raises:
        AssayError: it is no such file.
    """
    try:
        table = pq.read_table(path)
        about = {key.decode(): value.decode() for key, value in (table.schema.metadata or {}).items()}
        hasher = Hasher(bytes.fromhex(about["assay.key"]))
        every = (Marks(target, hasher) for target in targets)
        marks = next((one for one in every if one.hashed == about["assay.target"]), None)
        if marks is None:
            return None
        marks.rows, marks.made = int(about["assay.rows"]), int(about["assay.made"])
        for kind, hashed, chars in zip(*(table[name].to_pylist() for name in SCHEMA.names), strict=True):
            marks.found[kind][hashed] = chars
    except (OSError, pa.ArrowInvalid, KeyError, ValueError) as error:
        problem = f"cannot be read as the marks of an erasure: {' '.join(str(error).split())[:100]}"
        raise AssayError(str(path), problem, "take it from version control again, or delete it") from error
    return marks


def key_of(paths: Iterable[Path]) -> bytes:
    """The key of marks that were written before, so that all can be looked for at once; a new one where none were."""
    for path in paths:
        key = (pq.read_schema(path).metadata or {}).get(b"assay.key", b"").decode()
        if len(key) == 2 * KEY_BYTES:
            return bytes.fromhex(key)
    return os.urandom(KEY_BYTES)
