from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.cache import file_hash
from pipeline.errors import AssayError
from pipeline.finetune import gguf

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_with_safetensors_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert gguf.converted(tmp_path) == tmp_path


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="no safetensors and 0 GGUF files"):
        gguf.converted(tmp_path)


def test_a_conversion_is_made_once_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, cache = tmp_path / "source", tmp_path / "cache"
    source.mkdir()
    (source / "m.gguf").write_bytes(b"GGUF")
    made: list[Path] = []

    def convert(file: Path, digest: str, to: Path) -> None:
        to.mkdir()
        (to / "model.safetensors").write_bytes(b"weights")
        hashes = f"{file_hash(to / 'model.safetensors')}  model.safetensors\n{digest}  {file.name}\n"
        (to / "gguf.sha256").write_text(hashes)
        made.append(to)

    monkeypatch.setattr(gguf, "_convert", convert)
    folder = gguf.converted(source, cache=cache)
    assert gguf.converted(source, cache=cache) == folder
    assert made == [folder]
    (folder / "model.safetensors").write_bytes(b"others")
    with pytest.raises(AssayError, match=r"delete .* to have it made again"):
        gguf.converted(source, cache=cache)
