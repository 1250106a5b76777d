"""Decontamination: copies and lookalikes of real held-out sets, what stands in their train sets, rows a second."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline import readers
from pipeline.fetch import RawFile
from pipeline.quality.contamination import Size, build, judged, opened, prove, search
from pipeline.quality.contamination.matching import EQUAL, PART
from pipeline.readers import ReadOptions, Record
from tests.bench.measure import MILLION, apart, peak, real, show, timed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from pipeline.quality.contamination import Index

    Files = Sequence[tuple[str, str, dict[str, object], tuple[str, ...]]]

SIZE, LEAST = Size(5, 8), 0.4
BATCH, ITEMS = 4096, 100_000
CSL, EMOTIONS, CLINC = ("task", "text", "label"), ("text", "labels", "id"), ("text", "label")
SETS: dict[str, Files] = {
    "GSM8K test": [("reasoning_gsm8k/test.jsonl", "jsonl", {}, ("question", "answer"))],
    "HumanEval": [("code_humaneval/HumanEval.jsonl.gz", "jsonl", {}, ("prompt", "canonical_solution"))],
    "Banking77 test": [("intents_banking77/test.csv", "csv", {}, ("text",))],
    "CLINC150 test": [("intents_clinc150/data_full.json", "json", {"json_path": "test", "names": CLINC}, ("text",))],
    "GoEmotions test": [("multilabel_goemotions/test.tsv", "tsv", {"names": EMOTIONS}, ("text",))],
    "CSL titles, test": [("chinese_csl/cls_ctg/test.tsv", "tsv", {"names": CSL}, ("text",))],
    "CSL abstracts, test": [("chinese_csl/ts/test.tsv", "tsv", {"names": CSL}, ("text",))],
    "XQuAD zh": [("qa_xquad/xquad.zh.json", "squad", {}, ("context", "question"))],
    "XQuAD en": [("qa_xquad/xquad.en.json", "squad", {}, ("context", "question"))],
}
TRAIN: dict[str, Files] = {
    "GSM8K train": [("reasoning_gsm8k/train.jsonl", "jsonl", {}, ("question", "answer"))],
    "GSM8K model solutions": [
        ("reasoning_gsm8k/example_model_solutions.jsonl", "jsonl", {}, ("question", "ground_truth"))
    ],
    "Banking77 train": [("intents_banking77/train.csv", "csv", {}, ("text",))],
    "CLINC150 train": [("intents_clinc150/data_full.json", "json", {"json_path": "train", "names": CLINC}, ("text",))],
    "GoEmotions train": [("multilabel_goemotions/train.tsv", "tsv", {"names": EMOTIONS}, ("text",))],
    "CSL titles, train": [("chinese_csl/cls_ctg/train.tsv", "tsv", {"names": CSL}, ("text",))],
    "CSL abstracts, dev": [("chinese_csl/ts/dev.tsv", "tsv", {"names": CSL}, ("text",))],
    "CMRC 2018": [("qa_cmrc2018_trial/cmrc2018_trial.json", "squad", {}, ("context", "question"))],
}
AGAINST = [
    ("GSM8K train", "GSM8K test"),
    ("GSM8K model solutions", "GSM8K test"),
    ("GSM8K train", "HumanEval"),
    ("Banking77 train", "Banking77 test"),
    ("CLINC150 train", "CLINC150 test"),
    ("GoEmotions train", "GoEmotions test"),
    ("CSL titles, train", "CSL titles, test"),
    ("CSL abstracts, dev", "CSL abstracts, test"),
    ("CMRC 2018", "XQuAD zh"),
    ("GoEmotions train", "XQuAD en"),
]


def main(arguments: list[str]) -> None:
    """All tables; `real`, `selftest` or `speed [ROWS]` for one; `look TRAIN TEST` lists what is found, to be read."""
    if arguments[:1] == ["stream"]:
        stream(int(arguments[1]))
        return
    if arguments[:1] == ["look"]:
        look(arguments[1], arguments[2])
        return
    parts = {"real": real_sets, "selftest": selftests}
    for name, part in parts.items():
        if not arguments or arguments == [name]:
            part()
    if not arguments or arguments[0] == "speed":
        speed(int(arguments[1]) if len(arguments) > 1 else MILLION)


def texts(of: Files) -> list[list[str]]:
    """The texts of every record of some files."""
    found = []
    for path, format, options, fields in of:
        raw = RawFile(path, real(path))
        for record in readers.read(raw, format=format, options=ReadOptions(**options)):  # type: ignore[arg-type]
            if isinstance(record, Record):
                found.append([str(record.fields[name]) for name in fields])
    return found


def flat(rows: list[list[str]]) -> list[str]:
    """All texts, each once."""
    return list(dict.fromkeys(text for row in rows for text in row if text.strip()))


def indexed(items: Sequence[str]) -> Index:
    """The index of one set."""
    return build(items, np.zeros(len(items), dtype=np.int64), SIZE)


def _found(
    train: str, test: str
) -> tuple[list[str], list[list[str]], dict[tuple[int, int], int], list[tuple[int, int, float]]]:
    items, rows = flat(texts(SETS[test])), texts(TRAIN[train])
    index, row_of = indexed(items), np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    hits = search([text for row in rows for text in row], index, least_share=LEAST, rows=row_of)
    verdict = judged(hits, index, texts=len(rows), least_share=LEAST)
    kinds = dict(zip(zip(hits.text.tolist(), hits.item.tolist(), strict=True), hits.kind.tolist(), strict=True))
    lines = [(a, b, c) for a, b, c in zip(*(column.tolist() for column in verdict.found[:3]), strict=True)]
    return items, rows, kinds, lines


def real_sets() -> None:
    """What of the held-out sets stands in real rows."""
    columns = (
        "held-out set",
        "items",
        "rows",
        "rows hit",
        "items hit",
        "the text",
        "within one",
        "within it",
        "in part",
    )
    show("rows", columns, (_counts(train, test) for train, test in AGAINST))


def _counts(train: str, test: str) -> list[object]:
    items, rows, kinds, lines = _found(train, test)
    best: dict[int, int] = {}
    for row, item, _ in lines:
        best[row] = min(best.get(row, PART), kinds[row, item])
    each = [sum(kind == wanted for kind in best.values()) for wanted in range(EQUAL, PART + 1)]
    hit = len({item for _, item, _ in lines})
    return [train, test, *(f"{count:,}" for count in (len(items), len(rows), len(best), hit, *each))]


def look(train: str, test: str) -> None:
    """Print thirty of the findings that are not the same text, by chance, to be judged by eye."""
    items, rows, kinds, lines = _found(train, test)
    open_ = [line for line in lines if kinds[line[0], line[1]] != EQUAL]
    for at in sorted(np.random.default_rng(0).permutation(len(open_))[:30].tolist()):
        row, item, share = open_[at]
        print(f"\n{share:.2f} {'in part' if kinds[row, item] == PART else 'whole'}\n  item {items[item][:400]}")
        print(f"  row  {' | '.join(rows[row])[:400]}")


def selftests() -> None:
    """The self-test on every held-out set."""
    show("planted", ("set", "script", "rows", "right", "share", "95 % interval", "right item"), _planted())


def _planted() -> Iterator[list[object]]:
    for name, of in SETS.items():
        proof = prove(flat(texts(of)), size=SIZE, least_share=LEAST)
        for line in (*proof.lines, proof.precision):
            right = "" if line.right_item is None else f"{line.right_item:.3f}"
            shares = (f"{line.share:.3f}", f"{line.low:.3f} to {line.high:.3f}", right)
            yield [line.kind, name, line.script, f"{line.rows:,}", f"{line.good:,}", *shares]


def speed(most: int) -> None:
    """Rows a second against 100,000 items, one process."""
    columns = ("index s", "index MB", "rows/s", "s", "peak MB", "found")
    sizes = [size for size in (20_000, 200_000, MILLION) if size <= most]
    show(
        "rows (60 words) against 100,000",
        columns,
        (json.loads(apart("contamination", "stream", str(size))) for size in sizes),
    )


def stream(rows: int) -> None:
    """Search made rows, one in a hundred of them a copy of an item, and print a line of the table."""
    words = np.array(" ".join(flat(texts(TRAIN["GSM8K train"]))).split())
    items = [_made(words, 45, 0, at) for at in range(ITEMS)]
    index, build_s = timed(lambda: indexed(items))
    with tempfile.TemporaryDirectory() as folder:
        index.save(Path(folder))
        size = sum(path.stat().st_size for path in Path(folder).iterdir()) >> 20
        index = opened(Path(folder))
        taken, found = 0.0, 0
        for begin in range(0, rows, BATCH):
            made = [
                items[at % ITEMS] if at % 100 == 0 else _made(words, 60, 1, at)
                for at in range(begin, min(begin + BATCH, rows))
            ]
            hits, seconds = timed(lambda made=made: search(made, index, least_share=LEAST))  # type: ignore[misc]
            taken, found = taken + seconds, found + len(set(hits.text.tolist()))
    line = [f"{rows:,}", f"{build_s:.1f}", size, f"{rows / taken:,.0f}", f"{taken:.1f}", peak(), f"{found:,}"]
    print(json.dumps(line))


def _made(words: NDArray[np.str_], length: int, *seed: int) -> str:
    return " ".join(words[np.random.default_rng(seed).integers(0, len(words), length)])
