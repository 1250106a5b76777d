"""The model that learns: a pretrained body with the head that the task asks for, on the device that there is."""

from __future__ import annotations

import os
import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError
from pipeline.finetune import tiny

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    import torch

    from pipeline.settings import FinetuneSettings

AUTO = {
    "sequence": "AutoModelForSequenceClassification",
    "multilabel": "AutoModelForSequenceClassification",
    "token": "AutoModelForTokenClassification",
    "number": "AutoModelForSequenceClassification",
    "causal": "AutoModelForCausalLM",
}
PROBLEMS = {
    "sequence": "single_label_classification",
    "multilabel": "multi_label_classification",
    "number": "regression",
}
"""What transformers calls the kinds of answer to a whole sequence."""


@dataclass
class Learner:
    """A model with its tokenizer and its classes (none for a causal head, the scale for a number head), on a device."""

    model: Any
    tokenizer: Any
    classes: list[str]
    head: str
    device: torch.device

    def logits(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        """The model's outputs, computed in bfloat16 on a GPU and in 32 bits elsewhere."""
        extra = {"use_cache": False} if self.head == "causal" else {}
        with self.precision():
            outputs: torch.Tensor = self.model(**inputs, **extra).logits
        return outputs

    def precision(self) -> AbstractContextManager[Any]:
        """Autocast to bfloat16 on a GPU, nothing elsewhere."""
        import torch

        return torch.autocast("cuda", dtype=torch.bfloat16) if self.device.type == "cuda" else nullcontext()


def quieten() -> None:
    """Keep transformers to errors, and everything off the network."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = os.environ["DISABLE_TELEMETRY"] = "1"
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def device() -> torch.device:
    """The GPU if there is one, with TF32 for what bfloat16 does not cover; else the CPU."""
    import torch

    if not torch.cuda.is_available():
        return torch.device("cpu")
    torch.set_float32_matmul_precision("high")
    return torch.device("cuda")


def load_tokenizer(folder: Path | None, texts: Iterator[str], *, head: str) -> Any:
    """The tokenizer in `folder`, or (None) a tiny one made from `texts`.

    Raises:
        AssayError: there is no fast tokenizer, or nothing to pad with.
    """
    if folder is None:
        return tiny.causal_tokenizer(texts) if head == "causal" else tiny.encoder_tokenizer(texts)
    from transformers import AutoTokenizer

    with _read(folder):
        made = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if not made.is_fast:
        raise AssayError(
            f"model {folder.name}", "its tokenizer cannot tell offsets", "choose a model with tokenizer.json"
        )
    if made.pad_token is None:
        if made.eos_token is None:
            raise AssayError(f"model {folder.name}", "its tokenizer has neither a padding nor an end token")
        made.pad_token = made.eos_token
    return made


def load(
    folder: Path | None, tokenizer: Any, *, head: str, classes: Sequence[str], seed: int, device: torch.device
) -> Learner:
    """The model in `folder` (None: a tiny random one) with a head for `classes`; new weights are drawn from `seed`.

    Raises:
        AssayError: the folder holds no such model, or only pickled weights.
    """
    import torch
    import transformers

    torch.manual_seed(seed)
    if folder is None:
        made = tiny.model(head, tokenizer, classes)
    else:
        if not any(folder.glob("*.safetensors")):
            raise AssayError(f"model {folder}", "there are no .safetensors weights", "pickled weights are not read")
        labels = {"id2label": dict(enumerate(classes)), "label2id": {name: n for n, name in enumerate(classes)}}
        options = {} if head == "causal" else {**labels, "ignore_mismatched_sizes": True}
        with _read(folder):
            made = getattr(transformers, AUTO[head]).from_pretrained(
                folder,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                dtype=torch.float32,
                **options,
            )
    if head in PROBLEMS:
        made.config.problem_type = PROBLEMS[head]
    made.config.pad_token_id = tokenizer.pad_token_id
    if len(tokenizer) > made.get_input_embeddings().num_embeddings:
        raise AssayError(
            f"model {folder}", f"its tokenizer knows {len(tokenizer)} tokens, more than it has embeddings for"
        )
    return Learner(made.to(device), tokenizer, list(classes), head, device)


class _read:
    """Turn what transformers says of a folder that is no model into words for the user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError | ValueError | KeyError):
            first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise AssayError(f"model {self.folder}", f"cannot be loaded: {first}", "name another model") from error


def check_length(learner: Learner, max_tokens: int) -> None:
    """Refuse a length limit that the model has no positions for."""
    config = learner.model.config
    offset = 2 if config.model_type in {"roberta", "xlm-roberta", "camembert", "mpnet"} else 0
    most = getattr(config, "max_position_embeddings", None)
    if most and max_tokens > most - offset:
        raise AssayError("[finetune]", f"max_tokens = {max_tokens}, but the model reads {most - offset}", "lower it")


def prepare(learner: Learner, settings: FinetuneSettings) -> None:
    """Freeze what is to stay as it is, and put LoRA adapters where they are asked for."""
    import torch

    if settings.freeze_layers:
        freeze(learner.model, settings.freeze_layers)
    if settings.lora_rank:
        torch.manual_seed(settings.seed)
        learner.model = with_adapters(learner.model, rank=settings.lora_rank).to(learner.device)


def body(model: Any) -> Any:
    """The model without its head."""
    return getattr(model, model.base_model_prefix)


def head_names(model: Any) -> list[str]:
    """The names of the modules of the head: all with weights that are not the body."""
    prefix = model.base_model_prefix
    return [name for name, part in model.named_children() if name != prefix and any(True for _ in part.parameters())]


def freeze(model: Any, layers: int) -> None:
    """Freeze the embeddings and the lowest `layers` layers.

    Raises:
        AssayError: the model has fewer layers.
    """
    from torch.nn import ModuleList

    stacks = [(name, part) for name, part in body(model).named_modules() if isinstance(part, ModuleList)]
    if not stacks or len(stacks[0][1]) < layers:
        there = len(stacks[0][1]) if stacks else 0
        raise AssayError("[finetune]", f"freeze_layers = {layers}, but the model has {there} layers")
    name = stacks[0][0]
    kept = {f"{name}.{number}." for number in range(layers, len(stacks[0][1]))}
    for path, weight in body(model).named_parameters():
        if any(path.startswith(prefix) for prefix in kept):
            break
        weight.requires_grad_(False)


def with_adapters(model: Any, *, rank: int) -> Any:
    """The model with LoRA adapters on every linear layer of its body; a classifier's head is trained in full and kept.

    Hu et al. 2022, "LoRA: Low-Rank Adaptation of Large Language Models", ICLR.
    """
    from peft import LoraConfig, get_peft_model
    from torch.nn import Linear

    prefix = model.base_model_prefix
    linear = [f"{prefix}.{name}" for name, part in body(model).named_modules() if isinstance(part, Linear)]
    whole = None if "ForCausalLM" in type(model).__name__ else head_names(model)
    config = LoraConfig(
        r=rank, lora_alpha=2 * rank, lora_dropout=0.05, target_modules=linear, modules_to_save=whole, bias="none"
    )
    with warnings.catch_warnings():
        # peft asks transformers by a name that transformers has since changed.
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        return get_peft_model(model, config)


def merged(learner: Learner) -> Learner:
    """The learner with its adapters, if any, merged into the weights."""
    merge: Callable[[], Any] | None = getattr(learner.model, "merge_and_unload", None)
    if merge is not None:
        learner.model = merge()
    return learner


def save(learner: Learner, folder: Path) -> None:
    """Weights (safetensors), configuration and tokenizer, as `from_pretrained` reads them."""
    learner.model.save_pretrained(folder)
    learner.tokenizer.save_pretrained(folder)
