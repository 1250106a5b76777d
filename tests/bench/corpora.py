"""Texts to plant duplicates among: real ones by language, without those that are like another, or made-up ones."""

from __future__ import annotations

import csv
import json
import random
import re
import tarfile
from collections import Counter
from typing import TYPE_CHECKING

from tests.bench.measure import DATA

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LONGEST = 400  # characters


def distinct_texts(base: str) -> dict[str, list[str]]:
    """Distinct texts of real sets by language, or of made-up words where there are none."""
    if not DATA.is_dir():
        chance = random.Random(0)
        words = ["".join(chance.choices("bcdfglmnprstaeiou", k=chance.randint(2, 9))) for _ in range(4_000)]
        made = [" ".join(chance.choices(words, k=chance.randint(6, 20))).capitalize() + "." for _ in range(3_000)]
        signs = [chr(chance.randrange(0x4E00, 0x6000)) for _ in range(2_000)]
        return {
            "en": made,
            "zh": ["".join(chance.choices(signs, k=chance.randint(8, 40))) + "。" for _ in range(3_000)],
        }
    sources = _TUNED if base == "tuned" else _FRESH
    return {
        language: distinct(
            [text.strip() for source in chosen for text in source() if 3 < len(text.strip()) < LONGEST], language
        )
        for language, chosen in sources.items()
    }


def _column(path: str, column: int) -> Iterator[str]:
    for file in sorted(DATA.glob(path)):
        with file.open(encoding="utf-8", newline="") as lines:
            cells = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            yield from (line[column] for line in cells if len(line) > column)


def _banking() -> Iterator[str]:
    for file in sorted((DATA / "intents_banking77").glob("*.csv")):
        with file.open(encoding="utf-8", newline="") as lines:
            yield from (str(line["text"]) for line in csv.DictReader(lines))


def _mlqe(column: str) -> Iterator[str]:
    for part in ("train", "dev", "test"):
        with tarfile.open(DATA / f"translation_mlqe/direct/en-zh-{part}.tar.gz") as archive:
            for member in archive:
                if (file := archive.extractfile(member)) is not None and member.name.endswith(".tsv"):
                    lines = file.read().decode("utf-8").splitlines()
                    yield from (
                        str(line[column]) for line in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
                    )


def _clinc() -> Iterator[str]:
    data = json.loads((DATA / "intents_clinc150/data_full.json").read_text(encoding="utf-8"))
    yield from (text for part in data.values() for text, _ in part)


def _sentences(texts: Iterator[str]) -> Iterator[str]:
    for text in texts:
        yield from re.split(r"(?<=[。；;])|(?<=[.?!]) ", text)


def _lines(path: str, key: str) -> Iterator[str]:
    for file in sorted(DATA.glob(path)):
        yield from (str(json.loads(line)[key]) for line in file.open(encoding="utf-8"))


def _squad(path: str) -> Iterator[str]:
    data = json.loads((DATA / path).read_text(encoding="utf-8"))
    for article in data["data"]:
        for part in article["paragraphs"]:
            yield from _sentences(iter([part["context"]]))
            yield from (question["question"] for question in part["qas"])


_TUNED: dict[str, tuple[Callable[[], Iterator[str]], ...]] = {
    "en": (
        lambda: _column("multilabel_goemotions/train.tsv", 0),
        _banking,
        _clinc,
        lambda: _mlqe("original"),
    ),
    "zh": (
        lambda: _mlqe("translation"),
        lambda: _column("chinese_csl/cls_ctg/*.tsv", 1),
    ),
}
_FRESH: dict[str, tuple[Callable[[], Iterator[str]], ...]] = {
    "en": (
        lambda: _lines("reasoning_gsm8k/t*n.jsonl", "question"),
        lambda: _column("relations_semeval2010/*.TXT", 1),
        lambda: _squad("qa_xquad/xquad.en.json"),
        lambda: _sentences(_lines("summaries_dialogsum/*.jsonl", "dialogue")),
    ),
    "zh": (
        lambda: _squad("qa_xquad/xquad.zh.json"),
        lambda: _squad("qa_cmrc2018_trial/cmrc2018_trial.json"),
        lambda: _sentences(_column("chinese_csl/ts/*.tsv", 1)),
    ),
}


def distinct(texts: Sequence[str], language: str) -> list[str]:
    """The texts that share less than half of their word triples with an earlier one, and less than .6 with all of them.

    Of Chinese, quadruples of characters.

    A plain inverted index, so that what is distinct is not told by any of the tools that are compared.
    """
    seen: dict[object, int] = {}
    whole: set[str] = set()
    found: list[str] = []
    for text in texts:
        plain = re.sub(r"[\W_]+", " " if language == "en" else "", text.lower()).strip()
        units: Sequence[str] = plain if language == "zh" else plain.split()
        size = 4 if language == "zh" else 3
        grams = {tuple(units[at : at + size]) for at in range(max(len(units) - size + 1, 1))}
        shared = Counter(seen[gram] for gram in grams if gram in seen)
        alike = shared and (2 * max(shared.values()) >= len(grams) or 5 * shared.total() >= 3 * len(grams))
        if not plain or alike or plain.replace(" ", "") in whole:
            continue
        whole.add(plain.replace(" ", ""))
        for gram in grams:
            seen.setdefault(gram, len(found))
        found.append(text)
    return found
