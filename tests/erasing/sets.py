"""A data set with two sources, of which one is withdrawn, and everything that is made of its rows on the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipeline import flow, versions
from pipeline.engine import Engine
from tests.small import LABELS, csv, jsonl, made

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

ALONE = Engine(workers=1, batch_rows=64)
SECRET = "Ms Ottilie Quennell of Harrow Lane told us that the parcel never came in spite of two calls"
SECRET_ZH = "欧阳娜娜女士说她的包裹在路上丢失了三次"
SHORT = "never again hm"
SHARED = "the lamp arrived broken and nobody ever answered my letters about it"
TOML = """
task = "classification"
[[ingest.source]]
name = "shop"
files = ["shop.csv"]
format = "csv"
columns = { id = "id", text = "text", label = "label" }
[[ingest.source]]
name = "forum"
files = ["forum.jsonl"]
format = "jsonl"
columns = { id = "id", text = "text", label = "label" }
[audit]
bootstrap = 10
suspects = "off"
[augment]
budget = 0.5
[[augment.edit]]
kind = "swap"
[[augment.edit]]
kind = "keyboard"
"""
THINGS = ["lamp", "chair", "kettle", "mirror", "carpet", "clock", "window", "bottle", "ladder", "basket"]


def data_set(folder: Path) -> Recipe:
    """Forty rows of the shop and twelve of the forum, one of which both have; decisions quote rows of both."""
    shop = [
        f"{at},the {THINGS[at % 10]} number {at} from the {THINGS[at // 4]} shelf was {'fine' if at % 2 else 'poor'} "
        f"and I {'kept' if at % 2 else 'returned'} it after {at + 3} days,{('bad', 'good')[at % 2]}"
        for at in range(40)
    ]
    shop.append(f"90,{SHARED},bad")
    forum = [
        {
            "id": at,
            "text": f"forum member {at} writes about a {THINGS[at % 10]} bought in spring {1990 + at}",
            "label": "good",
        }
        for at in range(8)
    ]
    told = [(20, SECRET), (21, SECRET_ZH), (22, SHORT), (23, SHARED)]
    forum += [{"id": at, "text": text, "label": "bad"} for at, text in told]
    forum.append({"id": 24, "label": "bad", "other": "a record of the forum that has no text but says Quennell House"})
    decisions = [decision("forum/20", SECRET), decision("21", SECRET_ZH), decision("shop/3", "", verdict="fine")]
    files = {"shop.csv": csv("id,text,label", shop), "forum.jsonl": jsonl(forum), "decisions.jsonl": jsonl(decisions)}
    one = made(folder, TOML + LABELS, files)
    checked = {"row": "forum/20", "verdict": "fine", "who": "bo", "when": "2026", "text": SECRET, "answer": '"bad"'}
    (one.folder / "checks.jsonl").write_text(json.dumps(checked) + "\n")
    (one.folder / "checks").mkdir()
    lines = f'number,id,text\r\n1,shop/3,x\r\n2,forum/20,"{SECRET}"\r\n3,forum/22,{SHORT}\r\n'
    (one.folder / "checks" / "to-check.csv").write_bytes(("\ufeff" + lines).encode())
    return one


def decision(row: str, text: str, *, verdict: str = "wrong") -> dict[str, Any]:
    """A decision, which quotes the text it was made about."""
    answer = {"answer": "good", "was": "bad"} if verdict == "wrong" else {}
    quoted = {"text": text} if text else {}
    return {"row": row, "verdict": verdict, "who": "ann", "when": "2026-01-02", "why": "read it", **answer, **quoted}


def whole_build(one: Recipe) -> list[str]:
    """Build twice, so that there are two versions; a model, a report and a gate are faked by files that quote rows."""
    ids = []
    raw = one.folder / "shop.csv"
    for number in range(2):
        flow.build(one, ALONE)
        ids.append(versions.keep(one).id)
        if not number:
            raw.write_text(raw.read_text() + f"91,one more row about a {THINGS[0]} and a door,good\n")
    for name, content in {
        "finetune/model/model.safetensors": b"\x08\0\0\0\0\0\0\0{}      " + SECRET.encode(),
        "finetune/report.json": json.dumps({"details": {"split": {"train": "of another split"}}}).encode(),
        "evaluate/predictions.json": json.dumps([{"id": "forum/20"}]).encode(),
        "gate/docs/index.html": f"<td>{SECRET}</td>".encode(),
        "report.html": f"<p>{SECRET_ZH}</p>".encode(),
        "outputs/quick-1.npy": SECRET.encode(),
    }.items():
        path = one.build / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return ids
