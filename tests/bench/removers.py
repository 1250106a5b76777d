"""Tools that take near duplicates out, each used as its own pages say.

`python removers.py TOOL TEXTS.jsonl FOUND.json` runs with any Python that has the tool, and needs nothing of Assay. It
writes which rows (their numbers) are taken out, the CPU seconds of the process and its children from the texts in
memory on, and the peak memory of the process in MiB.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
import unicodedata
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

THRESHOLD, PERMUTATIONS, SIZE = 0.8, 128, 5


def _grams(text: str) -> list[str]:
    folded = text.lower()
    return [folded[at : at + SIZE] for at in range(max(len(folded) - SIZE + 1, 1))]


def rensa(texts: list[str], threshold: float = THRESHOLD, bands: int = 16) -> list[int]:
    """rensa and a plain script: character 5-grams of the lower-cased text, MinHash, LSH, the estimate decides."""
    from rensa import RMinHash, RMinHashLSH

    index = RMinHashLSH(threshold=threshold, num_perm=PERMUTATIONS, num_bands=bands)
    signatures: dict[int, Any] = {}
    gone = []
    for row, text in enumerate(texts):
        mine = RMinHash(num_perm=PERMUTATIONS, seed=42)
        mine.update(_grams(text))
        if any(mine.jaccard(signatures[other]) >= threshold for other in index.query(mine)):
            gone.append(row)
            continue
        signatures[row] = mine
        index.insert(row, mine)
    return gone


def loose(texts: list[str]) -> list[int]:
    """rensa again, made to find more: texts in NFKC and folded case, letters and digits only, from .6 on."""
    folded = (unicodedata.normalize("NFKC", text).casefold() for text in texts)
    return rensa(["".join(filter(str.isalnum, text)) for text in folded], threshold=0.6, bands=32)


def datasketch(texts: list[str]) -> list[int]:
    """datasketch: character 5-grams of the lower-cased text, MinHashLSH; what the index answers is a duplicate."""
    tool: Any = import_module("datasketch")

    index = tool.MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS)
    gone = []
    for row, text in enumerate(texts):
        mine = tool.MinHash(num_perm=PERMUTATIONS)
        mine.update_batch([gram.encode("utf-8") for gram in set(_grams(text))])
        if index.query(mine):
            gone.append(row)
        else:
            index.insert(row, mine)
    return gone


def datatrove(texts: list[str]) -> list[int]:
    """datatrove: its four MinHash steps with their defaults, English word tokens, one task."""
    local: Any = import_module("datatrove.executor.local").LocalPipelineExecutor
    dedup: Any = import_module("datatrove.pipeline.dedup")
    reader: Any = import_module("datatrove.pipeline.readers").JsonlReader
    writer: Any = import_module("datatrove.pipeline.writers.jsonl").JsonlWriter
    buckets: Any = import_module("datatrove.pipeline.dedup.minhash").MinhashDedupBuckets
    config: Any = import_module("datatrove.pipeline.dedup.minhash").MinhashConfig()

    with tempfile.TemporaryDirectory() as folder:
        _written(texts, Path(folder, "in", "texts.jsonl"))
        given = reader(f"{folder}/in")
        steps: list[list[Any]] = [
            [given, dedup.MinhashDedupSignature(f"{folder}/signed", config=config)],
            [buckets(f"{folder}/signed", f"{folder}/buckets", config=config)],
            [dedup.MinhashDedupCluster(f"{folder}/buckets", f"{folder}/removed", config=config)],
            [
                given,
                dedup.MinhashDedupFilter(f"{folder}/removed"),
                writer(f"{folder}/out", output_filename="${rank}.jsonl", compression=None),
            ],
        ]
        for number, pipeline in enumerate(steps):
            tasks = config.num_buckets if number == 1 else 1
            local(pipeline, tasks=tasks, workers=1, logging_dir=f"{folder}/log{number}").run()
        kept = {
            int(json.loads(line)["id"])
            for file in Path(folder, "out").glob("*")
            for line in file.read_text().splitlines()
        }
    return [row for row in range(len(texts)) if row not in kept]


def textdedup(texts: list[str]) -> list[int]:
    """text-dedup: its MinHash command with its defaults, on a local JSON Lines file."""
    with tempfile.TemporaryDirectory() as folder:
        _written(texts, Path(folder, "in", "texts.jsonl"))
        command = [
            sys.executable,
            "-m",
            "text_dedup.minhash",
            "--path",
            "json",
            "--data_files",
            f"{folder}/in/texts.jsonl",
        ]
        command += ["--split", "train", "--column", "text", "--output", f"{folder}/out", "--num_proc", "1"]
        command += ["--cache_dir", f"{folder}/cache", "--threshold", str(THRESHOLD)]
        subprocess.run(command, check=True, capture_output=True, cwd=folder)
        load: Any = import_module("datasets").load_from_disk
        kept = {int(row) for row in load(f"{folder}/out")["id"]}
    return [row for row in range(len(texts)) if row not in kept]


def datajuicer(texts: list[str]) -> list[int]:
    """Data-Juicer: document_minhash_deduplicator with its defaults through its own command."""
    with tempfile.TemporaryDirectory() as folder:
        _written(texts, Path(folder, "in", "texts.jsonl"))
        recipe = {
            "dataset_path": f"{folder}/in/texts.jsonl",
            "export_path": f"{folder}/out/texts.jsonl",
            "np": 1,
            "process": [{"document_minhash_deduplicator": {}}],
        }
        Path(folder, "recipe.yaml").write_text(json.dumps(recipe))
        program = Path(sys.executable).with_name("dj-process")
        subprocess.run([str(program), "--config", f"{folder}/recipe.yaml"], check=True, capture_output=True, cwd=folder)
        kept = {int(json.loads(line)["id"]) for line in Path(folder, "out", "texts.jsonl").read_text().splitlines()}
    return [row for row in range(len(texts)) if row not in kept]


def _written(texts: list[str], path: Path) -> None:
    path.parent.mkdir()
    with path.open("w", encoding="utf-8") as file:
        for row, text in enumerate(texts):
            file.write(json.dumps({"id": str(row), "text": text}) + "\n")


TOOLS: dict[str, Callable[[list[str]], list[int]]] = {
    tool.__name__: tool for tool in (rensa, loose, datasketch, datatrove, textdedup, datajuicer)
}


def main(arguments: list[str]) -> None:
    """Run one tool."""
    tool, given, answer = arguments
    texts = [json.loads(line)["text"] for line in Path(given).read_text(encoding="utf-8").split("\n") if line]
    before = _spent()
    begun = time.perf_counter()
    gone = TOOLS[tool](texts)
    seconds = time.perf_counter() - begun
    peaks = [resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    found = {"gone": gone, "cpu": _spent() - before, "seconds": seconds, "peak": max(peaks)}
    Path(answer).write_text(json.dumps(found))


def _spent() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


if __name__ == "__main__":
    main(sys.argv[1:])
