"""Sentence embeddings: what a pretrained encoder makes of texts, one vector each, whatever they are batched with."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

BATCH_TOKENS = 8192
"""Tokens, padding included, that are computed together: as fast as any on two cores, and small on a GPU."""


def embed(
    texts: Sequence[str], folder: Path | None, *, max_tokens: int = 128, tick: Callable[[int], None] = lambda rows: None
) -> Floats:
    """The mean of the last layer over the tokens of each text, scaled to length 1: float32[n, width].

    `folder` holds the encoder (None: a tiny random one, for tests); longer texts are cut at `max_tokens`. Equal texts
    are computed once.
    Method: Reimers and Gurevych 2019, "Sentence-BERT", doi 10.18653/v1/D19-1410.

    Raises:
        AssayError: the folder holds no encoder with safetensors.
    """
    from pipeline.finetune import model, tiny

    model.quieten()
    device = model.device()
    distinct, place = np.unique(np.array(texts, dtype=object), return_inverse=True)
    tokenizer = model.load_tokenizer(folder, islice(iter(distinct.tolist()), tiny.MOST_TEXTS), head="sequence")
    learner = model.load(folder, tokenizer, head="sequence", classes=["", " "], seed=1, device=device)
    learner.model.eval()
    ids = [_ids(tokenizer, text, max_tokens) for text in distinct.tolist()]
    made: Floats = np.zeros((len(ids), learner.model.config.hidden_size), dtype=np.float32)
    for numbers in _batches([len(one) for one in ids]):
        made[numbers] = _vectors(learner, [ids[number] for number in numbers])
        tick(len(numbers))
    return made[place.reshape(-1)]


def _ids(tokenizer: Any, text: str, max_tokens: int) -> list[int]:
    found: list[int] = tokenizer(text, truncation=True, max_length=max_tokens, verbose=False)["input_ids"]
    return found or [tokenizer.pad_token_id]


def _batches(lengths: Sequence[int]) -> list[NDArray[np.int64]]:
    """Numbers of texts of like length, the longest first, so that little of a batch is padding."""
    order = np.argsort([-length for length in lengths], kind="stable")
    batches, at = [], 0
    while at < len(order):
        size = max(1, BATCH_TOKENS // lengths[order[at]])
        batches.append(order[at : at + size])
        at += size
    return batches


def _vectors(learner: Any, ids: Sequence[Sequence[int]]) -> Floats:
    import torch

    from pipeline.finetune.model import body

    width = max(len(one) for one in ids)
    tokens = torch.full((len(ids), width), learner.tokenizer.pad_token_id, dtype=torch.long)
    mask = torch.zeros_like(tokens)
    for at, one in enumerate(ids):
        tokens[at, : len(one)] = torch.tensor(list(one), dtype=torch.long)
        mask[at, : len(one)] = 1
    tokens, mask = tokens.to(learner.device), mask.to(learner.device)
    with torch.inference_mode(), learner.precision():
        hidden = body(learner.model)(input_ids=tokens, attention_mask=mask).last_hidden_state.float()
    summed = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    vectors: Floats = torch.nn.functional.normalize(summed, dim=-1).cpu().numpy()
    return vectors
