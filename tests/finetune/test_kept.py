"""A tokenizer that is kept beside the build is the one that was loaded, or it is not read."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from transformers import BertTokenizer, PreTrainedTokenizerFast

from pipeline.finetune import tiny
from pipeline.finetune.kept import TOLD, kept

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXTS = ["The harbour master wrote the tide table.", "今天天气很好，我们去公园吧。"]


class Loads:
    """Loads a tokenizer and counts how often."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make, self.count = make, 0

    def __call__(self) -> Any:
        self.count += 1
        return self.make()


def bert(folder: Path) -> Any:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "harbour", "##s", "tide", "今", "天"]
    folder.mkdir(exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    return BertTokenizer.from_pretrained(folder, local_files_only=True)


@pytest.mark.parametrize("kind", ["bert", "encoder", "causal"])
def test_what_is_kept_says_the_same_of_every_text(tmp_path: Path, kind: str) -> None:
    makers = {
        "bert": partial(bert, tmp_path / "bert"),
        "encoder": partial(tiny.encoder_tokenizer, TEXTS),
        "causal": partial(tiny.causal_tokenizer, TEXTS),
    }
    load = Loads(makers[kind])
    first, second = (kept(tmp_path / "kept", "one", load) for _ in range(2))
    assert load.count == 1
    assert type(second) is PreTrainedTokenizerFast
    for texts in (TEXTS[:1], TEXTS, [TEXTS[1]]):
        assert dict(first(*texts)) == dict(second(*texts))
        cut = {"truncation": True, "max_length": 5, "return_offsets_mapping": True}
        assert dict(first(*texts, **cut)) == dict(second(*texts, **cut))
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Ho"}]
    if kind == "causal":
        assert first.apply_chat_template(turns, tokenize=False) == second.apply_chat_template(turns, tokenize=False)
    assert (first.pad_token, first.eos_token) == (second.pad_token, second.eos_token)


def test_another_content_or_a_file_that_was_changed_is_not_read(tmp_path: Path) -> None:
    load = Loads(partial(tiny.encoder_tokenizer, TEXTS))
    for content in ("one", "two", "two"):
        kept(tmp_path / "kept", content, load)
    assert load.count == 2
    for name in ("tokenizer.json", TOLD):
        with (tmp_path / "kept" / name).open("a") as file:
            file.write(" x")
        kept(tmp_path / "kept", "two", load)
    assert load.count == 4
    kept(tmp_path / "kept", "two", load)
    assert load.count == 4


def test_a_class_with_methods_of_its_own_is_not_kept(tmp_path: Path) -> None:
    class Own(PreTrainedTokenizerFast):  # type: ignore[misc]
        def tokenize(self, text: str, **more: Any) -> list[str]:
            return [text]

    plain = tiny.encoder_tokenizer(TEXTS)
    load = Loads(lambda: Own(tokenizer_object=plain.backend_tokenizer))
    for _ in range(2):
        assert kept(tmp_path / "kept", "one", load).tokenize("a b") == ["a b"]
    assert load.count == 2
