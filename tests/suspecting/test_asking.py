"""Asking: which instrument a task has, what pretrained models say, once, and why nobody was asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.errors import AssayError
from pipeline.suspecting import Asking
from pipeline.suspecting.asking import LABELS, NONE, TEXTS, WORDS, inputs
from pipeline.suspecting.checked import CHECKED, checked
from tests.builds import a_recipe
from tests.heard import work_on
from tests.small import CSV, built, csv, jsonl, made, table
from tests.suspecting.test_suspecting import NAMES, places, reviews

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.recipe import Recipe
    from pipeline.tasks import Row

WHO = CSV.replace('label" }', 'label", annotator = "who" }')
TUNED = '[finetune]\nmodel = "tiny"\nlearning_rate = 3e-3\nbatch_rows = 16\nmax_tokens = 32\n'
ENCODER = 'suspects = "encoder"\nsuspect_model = "tiny"\n'
FINETUNED = 'suspects = "finetuned"\nsuspect_folds = 2\n'


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Tests share the machine: one thread each."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def asking(folder: Path, task: str = "classification", **sections: Any) -> Asking:
    one = a_recipe(folder, task=task, **sections)
    return Asking(one, work_on(one).task)


def looked_at(asked: Asking, rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist([checked(row, asked.task) for row in rows], schema=CHECKED)


def lines(count: int = 80, wrong: tuple[int, ...] = (6, 31)) -> list[str]:
    return [f"{row['id'][2:]},{row['text']},{row['labels'][0]},ann" for row in reviews(count, wrong)]


# -- which instrument, and why none


@pytest.mark.parametrize(
    ("task", "guideline", "kind"),
    [
        ("classification", {}, LABELS),
        ("classification", {"multiple": True}, LABELS),
        ("tagging", {}, WORDS),
        ("answering", {}, TEXTS),
        ("chat", {}, TEXTS),
        ("rating", {"low": 0, "high": 5}, NONE),
    ],
)
def test_every_task_has_one_instrument_or_says_that_it_has_none(
    tmp_path: Path, task: str, guideline: dict[str, Any], kind: str
) -> None:
    asked = asking(tmp_path, task, guideline=guideline)
    assert asked.kind == kind
    note = asked.not_asked(looked_at(asked, []))
    assert note.startswith("not checked: ")
    assert (f"no instrument yet for answers of the task '{task}'" in note) == (kind == NONE)


@pytest.mark.parametrize(
    ("audit", "count", "said"),
    [
        ({"suspects": "off"}, 80, "the recipe turns suspects off"),
        ({"suspect_share": 0}, 80, "no room"),
        ({}, 9, "too few groups"),
        ({"suspect_folds": 41}, 80, "too few groups"),
        ({}, 80, ""),
    ],
)
def test_why_there_is_no_list(tmp_path: Path, audit: dict[str, Any], count: int, said: str) -> None:
    asked = asking(tmp_path, audit=audit)
    note = asked.not_asked(looked_at(asked, reviews(count)))
    assert (said in note) if said else note == ""


def test_labels_that_are_all_alike_and_texts_without_a_mark(tmp_path: Path) -> None:
    asked = asking(tmp_path / "a")
    assert "no two labels" in asked.not_asked(looked_at(asked, [{**row, "labels": ["x"]} for row in reviews()]))
    asked = asking(tmp_path / "b", "tagging")
    assert "nothing is marked" in asked.not_asked(looked_at(asked, [{**row, "spans": []} for row in places()]))


@pytest.mark.parametrize("task", ["tagging", "answering", "chat"])
def test_a_tier_that_the_task_does_not_have_is_refused(tmp_path: Path, task: str) -> None:
    """Before anything is fetched: the model that the recipe names does not exist."""
    nowhere = str(tmp_path / "nowhere")
    asked = asking(tmp_path, task, audit={"suspects": "encoder", "suspect_model": nowhere}, finetune={"model": nowhere})
    problem = f"'encoder' compares texts that carry labels, which those of '{task}' do not; say quick"
    with pytest.raises(AssayError) as refused:
        asked.not_asked(looked_at(asked, []))
    assert str(refused.value) == f"[audit] suspects: {problem}"
    with pytest.raises(AssayError, match=r"^\[audit\] suspects"):
        inputs(asked.recipe)


# -- what the audit depends on


def a_model(folder: Path, content: bytes = b"weights") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(content)
    return folder


@pytest.mark.parametrize("tier", ["encoder", "finetuned"])
def test_another_model_under_the_same_name_is_another_audit(tmp_path: Path, tier: str) -> None:
    model = a_model(tmp_path / "model")
    audit = {"suspects": tier, "suspect_model": str(model)}
    one = a_recipe(tmp_path, audit=audit, finetune={"model": str(model)})
    before = inputs(one)
    assert before
    assert inputs(one) == before
    a_model(model, b"other weights")
    assert inputs(one) != before


@pytest.mark.parametrize(
    ("task", "audit"),
    [
        ("classification", {}),
        ("classification", {"suspects": "off"}),
        ("classification", {"suspects": "encoder", "suspect_share": 0}),
        ("rating", {"suspects": "encoder"}),
    ],
)
def test_where_no_model_is_asked_none_matters(tmp_path: Path, task: str, audit: dict[str, Any]) -> None:
    assert inputs(a_recipe(tmp_path, task=task, audit={**audit, "suspect_model": str(tmp_path / "nowhere")})) == {}


def test_how_a_model_is_fine_tuned_matters_to_who_asks_it(tmp_path: Path) -> None:
    def told(tier: str, epochs: int) -> dict[str, str]:
        audit = {"suspects": tier, "suspect_model": "tiny"}
        return inputs(a_recipe(tmp_path, audit=audit, finetune={"model": "tiny", "cpu_epochs": epochs}))

    assert told("finetuned", 1) != told("finetuned", 2)
    assert told("encoder", 1) == told("encoder", 2)


# -- pretrained models, through a whole build


def counted(monkeypatch: pytest.MonkeyPatch, place: str) -> list[int]:
    """How many rows each call of a function was given."""
    from importlib import import_module

    module, name = place.rsplit(".", 1)
    inner: Callable[..., Any] = getattr(import_module(module), name)
    calls: list[int] = []

    def outer(rows: Any, *more: Any, **named: Any) -> Any:
        calls.append(len(rows))
        return inner(rows, *more, **named)

    monkeypatch.setattr(place, outer)
    return calls


def reviewed(folder: Path, audit: str, of: list[str] | None = None) -> Recipe:
    text = csv("id,text,label,who", of or lines())
    return made(folder, f"{WHO}{TUNED}[audit]\nbootstrap = 10\n{audit}", {"rows.csv": text})


def suspects(one: Recipe) -> list[dict[str, Any]]:
    return table(one, "suspect", "suspects")


def test_texts_are_embedded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch, "pipeline.finetune.embed.embed")
    one = reviewed(tmp_path, ENCODER)
    report = built(one, "suspect")["suspect"]
    assert report["details"]["model"].startswith("sentence embeddings by tiny")
    assert {line["id"] for line in suspects(one)} <= {"s/006", "s/031"}
    assert calls == [80]
    (kept,) = (one.build / "outputs").iterdir()
    assert np.load(kept, allow_pickle=False).shape == (80, 64)
    again = built(reviewed(tmp_path, ENCODER + 'suspect_share = 0.1\nweight_by = "none"\n'), "suspect")["suspect"]
    assert (again["fresh"], calls) == (True, [80])
    built(reviewed(tmp_path, ENCODER, lines()[:-1]), "suspect")
    assert calls == [80, 79]
    assert len(list((one.build / "outputs").iterdir())) == 1


def test_the_encoder_speaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vectors that put every row beside rows of the other label speak against all of them."""

    def crossed(texts: list[str], folder: Path | None) -> Any:
        return np.eye(2, dtype=np.float32)[[int(text.split()[-1]) // 2 % 2 for text in texts]]

    quick = built(reviewed(tmp_path / "q", "suspect_share = 1.0"), "suspect")["suspect"]
    monkeypatch.setattr("pipeline.finetune.embed.embed", crossed)
    told = built(reviewed(tmp_path / "e", ENCODER + "suspect_share = 1.0"), "suspect")["suspect"]
    assert told["details"]["weights"] != quick["details"]["weights"]


@pytest.mark.parametrize("multiple", [False, True])
def test_a_model_is_fine_tuned_on_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, multiple: bool) -> None:
    calls = counted(monkeypatch, "pipeline.finetune.folds.out_of_fold")
    more = FINETUNED + ("[guideline]\nmultiple = true\n" if multiple else "")
    one = reviewed(tmp_path, more)
    report = built(one, "suspect")["suspect"]
    told = report["details"]
    assert told["model"] == "tiny, fine-tuned on the other folds"
    assert (told["checked"], report["tables"]["doubted"]["rows"]) == (80, 80)
    assert calls == [80]
    (kept,) = (one.build / "outputs").iterdir()
    said = np.load(kept, allow_pickle=False)
    assert said.shape == (80, 2)
    assert np.isfinite(said).all()
    built(reviewed(tmp_path, more.replace("suspect_folds", "suspect_share = 0.5\nsuspect_folds")), "suspect")
    assert calls == [80]
    assert suspects(one)
    assert all(line["why"] for line in suspects(one))


def test_a_model_is_fine_tuned_on_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch, "pipeline.finetune.folds.out_of_fold")
    toml = 'task = "tagging"\n[[ingest.source]]\nname = "s"\nfiles = ["rows.jsonl"]\nformat = "jsonl"\n'
    toml += f'columns = {{ id = "id", spans = "spans" }}\n{TUNED}[audit]\nbootstrap = 10\n{FINETUNED}'
    rows = [
        {
            "id": row["id"],
            "text": row["text"],
            "spans": [[span["start"], span["end"], span["label"]] for span in row["spans"]],
        }
        for row in places()
    ]
    one = made(tmp_path, toml, {"rows.jsonl": jsonl(rows)})
    report = built(one, "suspect")["suspect"]
    assert calls == [60]
    assert report["details"]["checked"] == 60
    (kept,) = (one.build / "outputs").iterdir()
    assert np.load(kept, allow_pickle=False).shape == (60 * 8, 5)  # words; O and B-, I- of LOC and PER
    first = suspects(one)[0]
    assert (first["id"], first["given"], first["likely"]) == ("s/t/005", "PER", "LOC")


def test_other_weights_are_another_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are learned from by their weight, though nothing that is read of them changes."""
    calls = counted(monkeypatch, "pipeline.finetune.folds.out_of_fold")
    doubled = [
        *lines(),
        *(line.replace("ann", "bob") for line in lines()[:40]),
        *(line.replace(",good,ann", ",bad,eve") for line in lines()[:10]),
    ]
    built(reviewed(tmp_path, FINETUNED + 'ties = "keep"\nconsensus = "majority"\n', doubled), "suspect")
    built(
        reviewed(tmp_path, FINETUNED + 'ties = "keep"\nconsensus = "majority"\nweight_by = "none"\n', doubled),
        "suspect",
    )
    assert calls == [80, 80]


def test_what_a_killed_audit_left_is_swept_away(tmp_path: Path) -> None:
    one = reviewed(tmp_path, ENCODER)
    outputs = one.build / "outputs"
    outputs.mkdir(parents=True)
    (outputs / "embedded-0123.partial").write_bytes(b"half an arr")
    built(one, "suspect")
    assert [path.suffix for path in outputs.iterdir()] == [".npy"]


def test_the_model_is_told_in_words(tmp_path: Path) -> None:
    chat = asking(tmp_path, "chat")
    assert chat.told() == "no model: signs in the text"
    assert asking(tmp_path).told() == "a quick model of words and character n-grams, which needs no pretrained weights"
    encoder = asking(tmp_path, audit={"suspects": "encoder", "suspect_model": "owner/name"})
    assert "by owner/name" in encoder.told()
    assert asking(tmp_path, audit={"suspects": "off"}).model == ""


def test_a_model_is_fine_tuned_on_replies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = counted(monkeypatch, "pipeline.finetune.folds.out_of_fold")
    toml = (
        'task = "chat"\n[[ingest.source]]\nname = "s"\nfiles = ["rows"]\nformat = "messages"\ncolumns = { id = "id" }\n'
    )
    toml += f"{TUNED}[audit]\nbootstrap = 10\n{FINETUNED}"
    turns = [(f"what rhymes with {name} {n}?", f"it is {name} that rhymes") for n in range(10) for name in NAMES]
    records = [
        {"id": n, "messages": [{"role": "user", "content": ask}, {"role": "assistant", "content": say}]}
        for n, (ask, say) in enumerate(turns)
    ]
    one = made(tmp_path, toml, {"rows": jsonl(records)})
    told = built(one, "suspect")["suspect"]["details"]
    assert (told["model"], told["checked"]) == ("tiny, fine-tuned on the other folds", 40)
    assert calls == [40]
    (kept,) = (one.build / "outputs").iterdir()
    assert np.load(kept, allow_pickle=False).shape == (40, 2)
