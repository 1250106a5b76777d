"""Version folders, made on the spot; and a store that is S3 to those who ask it."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.cache import file_hash
from pipeline.settings import Guideline
from pipeline.store import Content
from pipeline.versions import keeping

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SCHEMA = pa.schema([("id", pa.string()), ("text", pa.string())])
TRAIN = [f"row {number}" for number in range(40)]


def written(folder: Path, name: str, texts: Sequence[str], *, compression: str = "zstd") -> dict[str, Any]:
    """One table of a version in one shard, as version.json tells of it."""
    ids = [f"s/{hashlib.sha256(text.encode()).hexdigest()[:8]}" for text in texts]
    table = pa.table({"id": ids, "text": list(texts)}, schema=SCHEMA)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, compression=compression)
    content = Content(SCHEMA)
    for batch in table.to_batches():
        content.add(batch)
    file = {"name": name, "bytes": path.stat().st_size, "sha256": file_hash(path)}
    return {"rows": len(texts), "content": content.digest(), "files": [file]}


def a_version(
    versions: Path, *, train: Sequence[str] = TRAIN, card: str = "# small\n", compression: str = "zstd"
) -> Path:
    """A whole version under the folder `versions`, named by its content."""
    folder = versions / "new"
    sides = {"train": train, "validation": ["a row held out"], "test": ["another row held out"]}
    tables = {
        side: written(folder, f"data/{side}-00000.parquet", texts, compression=compression)
        for side, texts in sides.items()
    }
    tables["rejected"] = written(folder, "rejected.parquet", [], compression=compression)
    (folder / "README.md").write_text(card)
    files = {"README.md": {"bytes": len(card), "sha256": file_hash(folder / "README.md")}}
    about = {
        **{"format": 1, "data_set": "small", "task": "classification", "edition": "1", "content": "c", "counts": {}},
        **{"guideline": Guideline().model_dump(mode="json"), "tables": tables, "files": files},
        **{"facts": {}, "told": {}, "recipe": {"text": "", "sha256": ""}},
    }
    return sealed(folder, about)


def sealed(folder: Path, about: dict[str, Any]) -> Path:
    """Write version.json with the id that fits it, and give the folder that name."""
    about["id"] = "v" + keeping._hash(keeping._basis(about))[:12]
    (folder / "version.json").write_text(json.dumps(about))
    final = folder.with_name(about["id"])
    folder.rename(final)
    return final


def about_of(folder: Path) -> dict[str, Any]:
    """What version.json says."""
    about: dict[str, Any] = json.loads((folder / "version.json").read_text())
    return about


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, by name."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@contextmanager
def s3_server() -> Iterator[Mapping[str, str]]:
    """An S3 of this process on a free port of the loopback; the environment that leads to it."""
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "not-a-secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    finally:
        server.stop()
