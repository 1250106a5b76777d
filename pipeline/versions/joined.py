"""Two moments of a data set side by side: one join of ids and hashes finds what came, went and changed."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.errors import AssayError
from pipeline.shaping import ERASED
from pipeline.versions.held import SIDES, Held
from pipeline.versions.spine import own, spine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import duckdb

# Where a row stands in its file says nothing of the row: a line that was added above moves all others.
PLACES = ("id", "source", "also_at", "split")
BATCH_ROWS = 4096
_CAME, _WENT, _BOTH = "side_a IS NULL", "side_b IS NULL", "side_a IS NOT NULL AND side_b IS NOT NULL"
WHICH = {
    "added": _CAME,
    "removed": _WENT,
    "changed": f"{_BOTH} AND own_changed",
    "resplit": f"{_BOTH} AND side_a <> side_b",
    "stayed": f"{_BOTH} AND own_changed AND side_a = side_b",
    "touched": f"{_BOTH} AND (own_changed OR side_a <> side_b)",
}
"""What a row may be found to be: `changed` where its own columns differ at all, `stayed` where it kept its side then,
`touched` where its own columns or its side differ."""


class Joined:
    """The rows of two versions matched by id, in a database in memory that holds ids, sides and hashes only."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, before: Held, after: Held) -> None:
        self.connection, self.before, self.after = connection, before, after
        names = [set(_columns(one)) for one in (before, after)]
        self.columns = [name for name in [*spine(), *own(after.about["task"])] if name in names[0] & names[1]]
        self.new_columns, self.gone_columns = sorted(names[1] - names[0]), sorted(names[0] - names[1])
        self.spine = [name for name in self.columns if name in spine() and name not in PLACES]
        for letter, held in (("a", before), ("b", after)):
            self._narrow(letter, held)
            self._rejected(letter, held)
        self._erased(after.about.get("erased", ()))
        changed = ", ".join(
            f"a.{_quoted(name)} IS DISTINCT FROM b.{_quoted(name)} AS {_quoted(name)}" for name in self.spine
        )
        self.connection.execute(
            "CREATE TEMP MACRO rank(side) AS CASE side WHEN 'test' THEN 0 WHEN 'validation' THEN 1 ELSE 2 END"
        )
        self.connection.execute(
            "CREATE TEMP TABLE joined AS SELECT coalesce(a.id, b.id) AS id, a.side AS side_a, b.side AS side_b,"
            " a.is_made AS made_a, b.is_made AS made_b, a.own IS DISTINCT FROM b.own AS own_changed,"
            f" {changed} FROM a FULL OUTER JOIN b ON a.id = b.id"
        )

    def _narrow(self, letter: str, held: Held) -> None:
        """The table `a` or `b`: id, side, and a hash of every column, read batch by batch."""
        from pyarrow.dataset import dataset

        hashed = ", ".join(f"hash({_quoted(name)}) AS {_quoted(name)}" for name in self.spine)
        whole = ", ".join(_quoted(name) for name in self.columns if name not in spine())
        values = f"hash(source) AS source, made_by IS NOT NULL AS is_made, hash({whole}) AS own, {hashed}"
        parts = []
        for side in SIDES:
            view = f"{letter}_{side}"
            self.connection.register(view, dataset([str(path) for path in held.tables[side]], format="parquet"))
            parts.append(f"SELECT id, '{side}' AS side, {values} FROM {view}")
        self.connection.execute(f"CREATE TEMP TABLE {letter} AS {' UNION ALL '.join(parts)}")
        twice = self.rows(f"SELECT id FROM {letter} GROUP BY id HAVING count(*) > 1 ORDER BY id LIMIT 1")
        if twice:
            place, problem = f"{held.name} of '{held.data_set}'", f"two rows have the id '{twice[0][0]:.80}'"
            raise AssayError(place, problem, "rows are matched by id: build it again")

    def _rejected(self, letter: str, held: Held) -> None:
        """The table `gone_a` or `gone_b`: the first reason for which an id was rejected."""
        from pyarrow.dataset import dataset

        files = [str(path) for path in held.tables["rejected"]]
        view = f"all_gone_{letter}"
        names = ["id", "source", "stage", "reason", "evidence"]
        empty = pa.table({name: pa.array([], pa.string()) for name in names})
        self.connection.register(view, dataset(files, format="parquet") if files else empty)
        self.connection.execute(
            f"CREATE TEMP TABLE gone_{letter} AS SELECT id, min(reason) AS reason FROM {view}"
            " WHERE id IS NOT NULL AND id <> '' GROUP BY id"
        )

    def _erased(self, names: Sequence[str]) -> None:
        """Count rows among those rejected as erased: the line of such a record has only its place, and no id."""
        self.connection.register("erased", pa.table({"name": pa.array(names, pa.string())}))
        self.connection.execute(
            f"INSERT INTO gone_b SELECT id, '{ERASED}' FROM a WHERE id NOT IN (SELECT id FROM gone_b)"
            " AND (id IN (SELECT name FROM erased) OR split_part(id, '/', 1) || '/' IN (SELECT name FROM erased))"
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The lines that a query gives."""
        found: list[tuple[Any, ...]] = self.connection.execute(query).fetchall()
        return found

    def count(self, which: str) -> int:
        """How many rows are `which` (of WHICH)."""
        return int(self.rows(f"SELECT count(*) FROM joined WHERE {WHICH[which]}")[0][0])

    def moved(self) -> list[tuple[str, str, int]]:
        """(side before, side after, rows) of the rows that changed sides."""
        query = f"SELECT side_a, side_b, count(*) FROM joined WHERE {WHICH['resplit']} GROUP BY ALL ORDER BY ALL"
        return [(str(a), str(b), int(count)) for a, b, count in self.rows(query)]

    def by_side(self, which: str, column: str) -> dict[str, int]:
        """How many rows are `which`, by the side in `column`."""
        found = self.rows(f"SELECT {column}, count(*) FROM joined WHERE {WHICH[which]} GROUP BY 1")
        return {str(side): int(count) for side, count in found}

    def reasons(self, which: str, letter: str) -> dict[str, int]:
        """For what the rows that are `which` stand rejected in the other version, by reason."""
        made = "made_a" if which == "removed" else "made_b"
        return self._counts(
            f"SELECT coalesce(g.reason, CASE WHEN {made} THEN 'not made' ELSE 'not delivered' END), count(*)"
            f" FROM joined j LEFT JOIN gone_{letter} g ON g.id = j.id WHERE {WHICH[which]} GROUP BY 1"
        )

    def lost(self) -> dict[str, dict[str, int]]:
        """Of the rows that annotators saw, how many are gone from each side, by why they stand rejected."""
        found: dict[str, dict[str, int]] = {}
        query = (
            "SELECT j.side_a, coalesce(g.reason, 'not delivered') AS why, count(*) FROM joined j LEFT JOIN gone_b g"
            f" ON g.id = j.id WHERE {WHICH['removed']} AND NOT made_a GROUP BY ALL ORDER BY ALL"
        )
        for side, reason, count in self.rows(query):
            found.setdefault(str(side), {})[str(reason)] = int(count)
        return found

    def other_reasons(self) -> dict[str, int]:
        """How many rows that were rejected both times were so for another reason."""
        return self._counts(
            "SELECT a.reason || ' → ' || b.reason, count(*) FROM gone_a a JOIN gone_b b ON a.id = b.id"
            " WHERE a.reason <> b.reason AND a.id NOT IN (SELECT id FROM joined) GROUP BY 1"
        )

    def only_rejected(self, letter: str, other: str) -> dict[str, int]:
        """Rows that are rejected in one version and neither kept nor rejected in the other, by reason."""
        return self._counts(
            f"SELECT g.reason, count(*) FROM gone_{letter} g WHERE g.id NOT IN (SELECT id FROM gone_{other})"
            " AND g.id NOT IN (SELECT id FROM joined) GROUP BY 1"
        )

    def conflicts(self, letter: str, other: str) -> list[str]:
        """The rows that are held back for a conflict in one version and not in the other."""
        query = (
            f"SELECT id FROM gone_{letter} WHERE reason = 'conflict' AND id NOT IN"
            f" (SELECT id FROM gone_{other} WHERE reason = 'conflict') ORDER BY id"
        )
        return [str(id_) for (id_,) in self.rows(query)]

    def at_one_place(self, most: int) -> list[tuple[str, str]]:
        """(id of a row removed, id of a row added) that stand at the same place of the same file; no made rows."""
        gone = f"SELECT a.id, a.source FROM a JOIN joined j ON a.id = j.id WHERE {WHICH['removed']} AND NOT a.is_made"
        come = f"SELECT b.id, b.source FROM b JOIN joined j ON b.id = j.id WHERE {WHICH['added']} AND NOT b.is_made"
        query = f"SELECT x.id, y.id FROM ({gone}) x JOIN ({come}) y ON x.source = y.source ORDER BY 1, 2 LIMIT {most:d}"
        return [(str(old), str(new)) for old, new in self.rows(query)]

    def why(self, ids: Sequence[str], letter: str) -> dict[str, str]:
        """For what some rows stand rejected in a version."""
        self.connection.register("asked_for", pa.table({"id": pa.array(ids, pa.string())}))
        query = f"SELECT g.id, g.reason FROM gone_{letter} g JOIN asked_for w ON g.id = w.id"
        return {str(id_): str(reason) for id_, reason in self.rows(query)}

    def _counts(self, query: str) -> dict[str, int]:
        return {str(name): int(count) for name, count in sorted(self.rows(query), key=lambda one: (-one[1], one[0]))}

    def other_columns(self) -> dict[str, int]:
        """In how many rows that stayed a column of the spine differs, for those where it does in any."""
        counts = ", ".join(f"count(*) FILTER ({_quoted(name)})" for name in self.spine)
        found = self.rows(f"SELECT {counts} FROM joined WHERE {_BOTH}")[0]
        return {name: int(count) for name, count in zip(self.spine, found, strict=True) if count}

    def ids(self, which: str, *, limit: int | None = None) -> list[tuple[str, str | None, str | None]]:
        """(id, side before, side after) of the rows that are `which`, those in test first, then by id."""
        some = "" if limit is None else f" LIMIT {limit:d}"
        first = "least(rank(side_a), rank(side_b))"
        return self.rows(f"SELECT id, side_a, side_b FROM joined WHERE {WHICH[which]} ORDER BY {first}, id{some}")

    def pairs(self) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
        """(side before, side after, row before, row after) of the rows whose own columns differ, in no order."""
        query = (
            "SELECT w.side_a, w.side_b, a.row AS before, b.row AS after FROM wanted w JOIN"
            f" ({self._whole('a')}) a ON a.id = w.id JOIN ({self._whole('b')}) b ON b.id = w.id"
        )
        for line in self._streamed(f"SELECT id, side_a, side_b FROM joined WHERE {WHICH['changed']}", query):
            yield line["side_a"], line["side_b"], line["before"], line["after"]

    def whole_rows(self, letter: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Some rows of the version before (`a`) or after (`b`), by id."""
        self.connection.register("asked_for", pa.table({"id": pa.array(ids, pa.string())}))
        query = f"SELECT r.row AS found FROM wanted w JOIN ({self._whole(letter)}) r ON r.id = w.id"
        found = [line["found"] for line in self._streamed("SELECT id FROM asked_for", query)]
        return {row["id"]: row for row in found}

    def _whole(self, letter: str) -> str:
        named = ", ".join(f"{_quoted(name)} := {_quoted(name)}" for name in ["id", *self._own()])
        return " UNION ALL ".join(f"SELECT id, struct_pack({named}) AS row FROM {letter}_{side}" for side in SIDES)

    def _own(self) -> list[str]:
        return [name for name in self.columns if name not in PLACES]

    def _streamed(self, wanted: str, query: str) -> Iterator[dict[str, Any]]:
        self.connection.execute(f"CREATE OR REPLACE TEMP TABLE wanted AS {wanted}")
        if not self.rows("SELECT 1 FROM wanted LIMIT 1"):
            return
        for batch in self.connection.sql(query).to_arrow_reader(BATCH_ROWS):
            yield from batch.to_pylist()


@contextmanager
def joined(before: Held, after: Held) -> Iterator[Joined]:
    """The two matched by id.

    Raises:
        AssayError: they are of different tasks, or an id stands twice in one of them.
    """
    import duckdb

    if before.about["task"] != after.about["task"]:
        told = f"{before.name} holds rows for {before.about['task']}, {after.name} for {after.about['task']}"
        raise AssayError("diff", told, "only versions of one task can be told apart row by row")
    with duckdb.connect() as connection:
        yield Joined(connection, before, after)


def _columns(held: Held) -> list[str]:
    import pyarrow.parquet as pq

    return list(pq.read_schema(held.tables["train"][0]).names)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
