"""Kept: a tokenizer beside the build, as a file that is read without looking through all models that there are."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pipeline.cache import file_hash

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOLD = "kept.json"
_SAME = ("special_tokens_map", "chat_template", "model_input_names", "model_max_length", "padding_side")


def kept(folder: Path, content: str, load: Callable[[], Any]) -> Any:
    """The tokenizer that `load` gives, from `folder` where it was kept under the same `content`.

    It is kept if it does in every way what its file says: a class with methods of its own may do more. What stands
    there and was cut or changed is not read. Measured: 0.7 s of a processor to load it, 2.1 s by the name of its class.
    """
    from transformers import PreTrainedTokenizerFast

    told = _told(folder)
    if told is not None and told["content"] == content:
        return _read(folder, told["inputs"])
    made = load()
    if _is_plain(type(made), PreTrainedTokenizerFast):
        _keep(folder, content, made)
    return made


def _told(folder: Path) -> dict[str, Any] | None:
    """What is said of the tokenizer that is kept, if it is whole."""
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        told: dict[str, Any] = json.loads((folder / TOLD).read_text(encoding="utf-8"))
        if all(file_hash(folder / name) == digest for name, digest in told["files"].items()):
            return told
    return None


def _read(folder: Path, inputs: list[str]) -> Any:
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True, model_input_names=inputs)


def _is_plain(kind: type, base: type) -> bool:
    """Whether a class only says what its tokenizer is built of."""
    own = [one for one in kind.__mro__ if one is not base and issubclass(one, base)]
    return issubclass(kind, base) and all(
        name == "__init__" or (not callable(value) and not isinstance(value, property | classmethod | staticmethod))
        for one in own
        for name, value in vars(one).items()
        if name != "model"
    )


def _keep(folder: Path, content: str, made: Any) -> None:
    """Keep the tokenizer if it reads back the same; what stood there before goes."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError, ValueError):
        folder.mkdir(parents=True)
        made.save_pretrained(folder)
        files = {path.name: file_hash(path) for path in sorted(folder.iterdir())}
        again, inputs = _read(folder, made.model_input_names), made.model_input_names
        same = again.backend_tokenizer.to_str() == made.backend_tokenizer.to_str()
        if same and all(getattr(again, name) == getattr(made, name) for name in _SAME):
            told = json.dumps({"content": content, "files": files, "inputs": inputs})
            (folder / TOLD).write_text(told, encoding="utf-8")
