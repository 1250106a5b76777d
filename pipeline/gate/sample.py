"""A small good build, made in code: what the self-test of the gates breaks, one fault at a time."""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipeline import store, versions
from pipeline.contract import contract
from pipeline.recipe import Recipe, check
from pipeline.stage import batch_of
from pipeline.text import units

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from pipeline.tasks import Row

LABELS = ("warm", "cold")
SIZES = {"train": 28, "validation": 6, "test": 6}
_ENGLISH = (
    *("river", "candle", "window", "garden", "letter", "market", "bridge", "summer", "winter", "doctor", "engine"),
    *("forest", "island", "kitchen", "ladder", "mirror", "needle", "orange", "painter", "quarrel", "ribbon", "saddle"),
    *("teacher", "uncle", "village", "whistle", "yellow", "zipper", "anchor", "basket", "copper", "dragon"),
)
_CHINESE = "春夏秋冬山水花鸟鱼虫风雨雷电江河湖海城市乡村桥路车船书画琴棋茶酒饭菜衣帽鞋袜门窗床灯医师农工商学兵"


@dataclass
class Case:
    """A build in memory: the recipe as parsed TOML, the rows of every split, and what the stages reported."""

    task: str
    raw: dict[str, Any]
    rows: dict[str, list[Row]]
    reports: dict[str, dict[str, Any]]
    earlier: dict[str, int]
    schemas: dict[str, Any] = field(default_factory=dict)
    """Arrow schemas other than the contract's, by split."""
    plan: dict[str, Any] | None = None
    """What checking is to show, if anybody has asked."""
    checks: list[dict[str, Any]] = field(default_factory=list)
    """What people found in rows."""
    base: dict[str, list[Row]] | None = None
    """The rows of an earlier version whose gates passed, if there is one."""
    split_report: Callable[[dict[str, Any]], None] = lambda report: None
    """Falsifies the report of the split after it was written truly."""

    def write(self, folder: Path) -> Recipe:
        """The build as files under `folder`; its recipe."""
        recipe = Recipe(name="selftest", folder=folder / "selftest", settings=check(self.raw, name="selftest"))
        for name in ("ingest", "audit", "augment"):
            stage = recipe.build / name
            stage.mkdir(parents=True)
            store.write_report(stage, self.reports[name])
        if self.base is not None:
            self._write_split(recipe, self.base)
            versions.keep(recipe)
            versions.told(recipe, "PASS")
            shutil.rmtree(recipe.build / "split")
        report = self._write_split(recipe, self.rows)
        self.split_report(report)
        store.write_report(recipe.build / "split", report)
        self._write_checks(recipe.folder)
        return recipe

    def _write_split(self, recipe: Recipe, rows: Mapping[str, list[Row]]) -> dict[str, Any]:
        stage = recipe.build / "split"
        stage.mkdir()
        tables = {name: self._table(stage, name, lines) for name, lines in rows.items()}
        report = {**self.reports["split"], "tables": tables}
        store.write_report(stage, report)
        return report

    def _write_checks(self, folder: Path) -> None:
        if self.plan is not None:
            (folder / "checks").mkdir(parents=True)
            (folder / "checks" / "plan.json").write_text(json.dumps(self.plan), encoding="utf-8")
            told = "".join(json.dumps(check, ensure_ascii=False) + "\n" for check in self.checks)
            (folder / "checks.jsonl").write_text(told, encoding="utf-8")

    def _table(self, folder: Path, name: str, rows: list[Row]) -> dict[str, Any]:
        schema = self.schemas.get(name, contract(self.task).schema)
        table = store.Table(folder, name, schema, 1000)
        table.write(batch_of(rows, schema))
        return table.close()


def good(task: str) -> Case:
    """A build of `task` that every gate passes: 40 rows, half of them Chinese, and two made from rows of train."""
    rows: dict[str, list[Row]] = {}
    first = 0
    for split, size in SIZES.items():
        rows[split] = [_row(task, number, split) for number in range(first, first + size)]
        first += size
    rows["train"] += [_made(task, parent, first + number) for number, parent in enumerate(rows["train"][:2])]
    raw = {
        "task": task,
        "guideline": copy.deepcopy(GUIDELINES[task]),
        "ingest": {"source": [{"name": "made", "format": "jsonl", "files": ["a.jsonl"]}], "languages": ["en", "zh"]},
        "split": {"train": 0.7, "validation": 0.15, "test": 0.15},
        "finetune": {"max_tokens": 64},
    }
    counts = {split: len(lines) for split, lines in rows.items()}
    return Case(task=task, raw=raw, rows=rows, reports=_reports(counts), earlier=counts)


def _row(task: str, number: int, split: str) -> Row:
    chinese = number % 2 == 1
    spine = {
        "id": f"made/{number}",
        "source": f"a.jsonl:{number + 1}",
        "also_at": [],
        "also_in": [],
        "group": f"document {number}",
        "parents": [],
        "language": "zh" if chinese else "en",
        "split": split,
        "weight": 1.0,
        "confidence": 0.9,
        "made_by": None,
    }
    return spine | OWN[task](number, chinese)


def _made(task: str, parent: Row, number: int) -> Row:
    return _row(task, number, "train") | {
        "parents": [parent["id"]],
        "made_by": "swap seed 1",
        "group": parent["group"],
    }


def text_of(number: int, chinese: bool, count: int = 9) -> str:
    """A sentence without sense, unlike all others."""
    drawn = hashlib.blake2b(f"{number}".encode(), digest_size=32).digest()
    if chinese:
        return "".join(_CHINESE[value % len(_CHINESE)] for value in drawn[: 2 * count]) + "。"
    return " ".join(_ENGLISH[value % len(_ENGLISH)] for value in drawn[:count]) + "."


def _classified(number: int, chinese: bool) -> Row:
    return {"text": text_of(number, chinese), "text_pair": None, "labels": [LABELS[number // 2 % 2]]}


def _tagged(number: int, chinese: bool) -> Row:
    text = text_of(number, chinese)
    tokens = units(text)
    start, end = tokens[1][0], tokens[2][1]
    span = {"start": start, "end": end, "label": LABELS[number // 2 % 2], "text": text[start:end]}
    return {"text": text, "spans": [span], "tokens": [{"start": left, "end": right} for left, right in tokens]}


def _chatted(number: int, chinese: bool) -> Row:
    turns = [("user", text_of(number, chinese), False), ("assistant", text_of(number + 1000, chinese), True)]
    return {
        "messages": [{"role": role, "content": content, "learn": learn} for role, content, learn in turns],
        "tools": None,
    }


def _rated(number: int, chinese: bool) -> Row:
    return {"text": text_of(number, chinese), "text_pair": None, "rating": float(number // 2 % 6)}


def _related(number: int, chinese: bool) -> Row:
    text = text_of(number, chinese)
    edges = [units(text)[at] for at in (1, 3)]
    entities = [{"start": start, "end": end, "label": "thing", "text": text[start:end]} for start, end in edges]
    relation = {"head": 0, "tail": 1, "label": LABELS[number // 2 % 2]}
    return {"text": text, "tokens": None, "entities": entities, "relations": [relation]}


def _asked(number: int, chinese: bool) -> Row:
    context = text_of(number, chinese, 12)
    start, end = units(context)[5][0], units(context)[6][1]
    answer = {"start": start, "end": end, "text": context[start:end]}
    return {"context": context, "question": text_of(number + 1000, chinese, 5), "answers": [answer]}


def _written(number: int, chinese: bool) -> Row:
    text, target = text_of(number, chinese, 6), text_of(number + 1000, chinese, 6)
    return {"text": text, "context": None, "target": target, "references": []}


OWN: Mapping[str, Callable[[int, bool], Row]] = {
    "answering": _asked,
    "chat": _chatted,
    "classification": _classified,
    "rating": _rated,
    "relations": _related,
    "tagging": _tagged,
    "writing": _written,
}
_LABELLED: dict[str, Any] = {"label": [{"name": label} for label in LABELS]}
GUIDELINES: Mapping[str, dict[str, Any]] = {
    "answering": {},
    "chat": {},
    "classification": _LABELLED,
    "rating": {"low": 0, "high": 5},
    "relations": _LABELLED,
    "tagging": _LABELLED,
    "writing": {"kind": "summary"},
}


def _reports(counts: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """The reports of a build that read 45 records, rejected five, made two and lost none."""
    total, made = sum(counts.values()), 2
    decisions: dict[str, Any] = {"used": {"fine": 1}, "stale": [], "conflicts": [], "without_effect": []}
    alpha = {"name": "alpha (nominal)", "value": 0.8, "low": 0.75, "high": 0.85, "rows": 40, "answers": 80, "note": ""}
    return {
        "ingest": _report(45, 43, "unreadable_record"),
        "audit": _report(43, total - made, "tied", agreement={"all": [alpha]}, decisions=decisions),
        "augment": _report(total - made, total, "", made=made),
        "split": _report(total, total, "", tables=SIZES),
    }


def _report(
    given: int, kept: int, reason: str, *, made: int = 0, tables: Iterable[str] = ("rows",), **details: Any
) -> dict[str, Any]:
    rejected = given + made - kept
    table = {"rows": kept, "content": "0" * 32, "files": []}
    return {
        "key": "selftest",
        "tables": {name: table for name in tables},
        "details": details,
        "counts": {
            "in": given,
            "made": made,
            "kept": kept,
            "kept_tables": list(tables),
            "rejected": rejected,
            "joined": 0,
            "reasons": {reason: rejected} if rejected else {},
        },
    }


class Coded(dict[str, list[Any]]):
    """What the tokenizer gives: lists of numbers by name, and the part that each token is of."""

    def __init__(self, values: dict[str, list[Any]], parts: list[int | None], texts: list[int | None]) -> None:
        super().__init__(values)
        self.parts, self.texts = parts, texts

    def word_ids(self) -> list[int | None]:
        """For each token the position of its part; None for special tokens."""
        return self.parts

    def sequence_ids(self) -> list[int | None]:
        """For each token which of the texts it is of; None for special tokens."""
        return self.texts


class Words:
    """A tokenizer of words and single characters, with what of the interface of transformers the tasks ask for."""

    pad_token_id, eos_token_id = 0, 2
    eos_token = "</s>"
    chat_template = None

    def __call__(
        self, *texts: str | list[str], truncation: bool = False, max_length: int | None = None, **options: Any
    ) -> Coded:
        """The tokens of texts (or of the parts of one) one after the other, a special token before and after each."""
        parts: list[int | None] = [None]
        origin: list[int | None] = [None]
        edges = [(0, 0)]
        for number, text in enumerate(texts):
            for at, part in enumerate([text] if isinstance(text, str) else text):
                found = units(part)
                edges += found
                parts += [at] * len(found)
                origin += [number] * len(found)
            edges.append((0, 0))
            parts.append(None)
            origin.append(None)
        if truncation and max_length is not None and len(edges) > max_length:
            edges, parts = [*edges[: max_length - 1], (0, 0)], [*parts[: max_length - 1], None]
            origin = [*origin[: max_length - 1], None]
        coded: dict[str, list[Any]] = {"input_ids": list(_ids(edges)), "attention_mask": [1] * len(edges)}
        if options.get("return_offsets_mapping"):
            coded["offset_mapping"] = edges
        return Coded(coded, parts, origin)


def _ids(edges: list[tuple[int, int]]) -> Iterator[int]:
    for start, end in edges:
        yield 3 + (31 * start + end) % 997 if end else 1
