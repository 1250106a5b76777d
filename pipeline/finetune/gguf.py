"""GGUF to safetensors: a quantised causal model unpacked once into a folder that every loader takes."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.cache import checked, file_hash, section, synced, workplace
from pipeline.errors import AssayError

_SOURCE = "gguf.sha256"


def converted(folder: Path, *, cache: Path | None = None) -> Path:
    """The folder itself, or, if it holds one GGUF file and no safetensors, a bfloat16 safetensors folder made from it.

    The conversion is kept in the cache under the hash of the GGUF file, so it runs once (SmolLM2-135M: seconds, 1.2 GB
    of memory). Raises AssayError where there are several GGUF files.
    """
    if any(folder.glob("*.safetensors")):
        return folder
    files = sorted(folder.glob("*.gguf"))
    if len(files) != 1:
        raise AssayError(
            str(folder), f"holds no safetensors and {len(files)} GGUF files", "name a folder with one model"
        )
    digest = file_hash(files[0])
    to = section("models", cache) / f"{files[0].stem}-{digest[:12]}"
    if not (to / _SOURCE).exists():
        _convert(files[0], digest, to)
    return _whole(to)


def _convert(file: Path, digest: str, to: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.quantization_config import GgufConfig

    with workplace(to.parent) as work:
        made = work / "model"
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
        model = AutoModelForCausalLM.from_pretrained(
            file.parent, gguf_file=file.name, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
        )
        model.to(torch.bfloat16).save_pretrained(made)
        tokenizer.save_pretrained(made)
        hashes = [f"{file_hash(path)}  {path.name}" for path in sorted(made.iterdir())]
        (made / _SOURCE).write_text("\n".join([*hashes, f"{digest}  {file.name}", ""]), "utf-8")
        for path in made.iterdir():
            synced(path)
        try:
            os.rename(made, to)
        except OSError:
            if not (to / _SOURCE).exists():
                raise AssayError(str(to), "is there but no whole model", "delete it") from None


def _whole(to: Path) -> Path:
    for line in (to / _SOURCE).read_text("utf-8").splitlines()[:-1]:
        digest, _, name = line.partition("  ")
        if not (to / name).is_file():
            raise AssayError(str(to / name), "is missing from the model", f"delete {to} to have it made again")
        checked(to / name, digest, f"delete {to} to have it made again")
    return to
