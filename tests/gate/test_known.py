"""What is remembered of rows: an update is judged as if all were made anew, and pays for its own rows alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pipeline.errors import AssayError
from pipeline.gate import gate
from pipeline.gate.known import Looking
from pipeline.gate.lessons import Tokens
from pipeline.gate.sample import Case, Words, good
from pipeline.memo import Memos
from pipeline.tasks import KNOWN

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe


class Counting(Words):
    """A tokenizer that knows what it was asked."""

    asked: list[str]

    def __init__(self) -> None:
        self.asked = []

    def __call__(self, *texts: str | list[str], **options: Any) -> Any:
        self.asked.append(str(texts))
        return super().__call__(*texts, **options)


def looked(recipe: Recipe, memos: Memos | None, tokens: Tokens) -> tuple[Any, Any]:
    looking = Looking.at(recipe, memos)
    return looking.known().table.to_pylist(), looking.lessons(tokens, ["cold", "warm"]).to_pylist()


@pytest.mark.parametrize("task", KNOWN)
def test_what_is_remembered_of_an_update_is_what_is_made_anew(tmp_path: Path, task: str) -> None:
    tokenizer = Counting()
    tokens = Tokens(lambda: tokenizer, lambda: "one")
    case = good(task)
    before = case.write(tmp_path / "before")
    first = looked(before, Memos(tmp_path / "memo", "code"), tokens)
    assert first == looked(before, None, tokens)
    case.rows["train"][3] = {**good(task).rows["test"][0], "id": "made/new", "split": "train"}
    case.rows["train"][0]["language"] = "fr"
    del case.rows["validation"][2]
    case.rows["train"].reverse()
    after = case.write(tmp_path / "after")
    tokenizer.asked.clear()
    second = looked(after, Memos(tmp_path / "memo", "code"), tokens)
    some = len(tokenizer.asked)
    assert second == looked(after, None, tokens)
    assert 0 < some < (len(tokenizer.asked) - some) / 3


@pytest.mark.parametrize("what", ["tokenizer", "classes", "code", "length"])
def test_another_tokenizer_is_asked_of_all_rows(tmp_path: Path, what: str) -> None:
    def asked(case: Case, *, content: str = "one", code: str = "code", seen: tuple[str, ...] = ("a",)) -> int:
        tokenizer = Counting()
        recipe = case.write(tmp_path / f"{len(list(tmp_path.iterdir()))}")
        looking = Looking.at(recipe, Memos(tmp_path / "memo", code))
        looking.lessons(Tokens(lambda: tokenizer, lambda: content), seen)
        return len(tokenizer.asked)

    case = good("classification")
    case.raw["guideline"] = {}
    assert asked(case) == 42
    assert asked(case) == 1
    case.raw["finetune"]["max_tokens"] = 65 if what == "length" else 64
    told: dict[str, Any] = {"tokenizer": {"content": "two"}, "classes": {"seen": ("b",)}, "code": {"code": "new"}}
    assert asked(case, **told.get(what, {})) == 42


def test_a_tokenizer_of_which_nothing_is_known_is_asked_of_all_rows(tmp_path: Path) -> None:
    tokenizer = Counting()
    recipe = good("classification").write(tmp_path)
    for _ in range(2):
        looked(recipe, Memos(tmp_path / "memo", "code"), Tokens(lambda: tokenizer))
    assert len(tokenizer.asked) == 2 * 42


def test_a_fresh_run_believes_nothing_that_is_remembered(tmp_path: Path) -> None:
    recipe = good("classification").write(tmp_path)
    loads: list[int] = []

    def load() -> Words:
        loads.append(1)
        return Words()

    told: dict[str, Any] = {"tokenizer_loader": load, "tokenizer_content": lambda: "one"}
    first = gate(recipe, **told)
    assert not gate(recipe, **told)["fresh"]
    again = gate(recipe, **told, fresh=True)
    assert [one["verdict"] for one in again["results"]] == [one["verdict"] for one in first["results"]]
    assert len(loads) == 2


def test_a_model_that_is_not_there_is_an_error_with_its_reason(tmp_path: Path) -> None:
    def gone() -> str:
        raise AssayError("model 'x'", "is not there")

    report = gate(good("chat").write(tmp_path), tokenizer_loader=Words, tokenizer_content=gone)
    (said,) = {result["said"] for result in report["results"] if result["verdict"] == "ERROR"}
    assert "the tokenizer could not be loaded: model 'x': is not there" in said
