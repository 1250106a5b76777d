"""Exchanges: one request and its reply as a causal model reads them, cut where the request is least missed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.tasks import Encoded, turns

if TYPE_CHECKING:
    from collections.abc import Sequence

NOT_LEARNED = -100


def encoded(request: str, reply: str, tokenizer: Any, *, max_tokens: int) -> Encoded:
    """The exchange under the model's chat template; the reply and the token that ends it are learned.

    What is too long loses the end of the request and the end of the reply, so that each has at least half of the room
    that it needs.
    """
    said = [*_asked(request), {"role": "assistant", "content": reply, "learn": True}]
    parts = turns.stretches(said, tokenizer, tools=None)
    at = max((number for number, part in enumerate(parts) if part.learned), default=len(parts))
    before = [token for part in parts[:at] for token in part.ids]
    learned = parts[at].ids if at < len(parts) else []
    room = turns.prompt_room(len(learned), max_tokens)
    kept = _shortened(before, request, tokenizer, room)
    taught = learned[: max_tokens - len(kept)]
    ids = kept + taught
    targets = [NOT_LEARNED] * len(kept) + taught
    cut = len(ids) < len(before) + len(learned)
    return Encoded({"input_ids": ids, "attention_mask": [1] * len(ids)}, targets, cut=cut, learned=len(taught))


def prompt(request: str, tokenizer: Any, *, max_tokens: int) -> list[int]:
    """The ids after which the reply is generated: those that it is learned after, if both fit."""
    parts = turns.stretches(_asked(request), tokenizer, tools=None, answering=True)
    return _shortened([token for part in parts for token in part.ids], request, tokenizer, max_tokens)


def _asked(request: str) -> turns.Turns:
    return [{"role": "user", "content": request, "learn": False}]


def _shortened(ids: Sequence[int], request: str, tokenizer: Any, room: int) -> list[int]:
    """At most `room` ids: without the end of the request, but with all by which the template leads to the reply."""
    if len(ids) <= room:
        return list(ids)
    text = turns.rendered(_asked(request), tokenizer, tools=None, answering=True)
    end = text.rfind(request.strip()) + len(request.strip())
    after = tokenizer(text[end:], add_special_tokens=False, verbose=False)["input_ids"]
    tail = min(len(after), room)
    return [*ids[: room - tail], *ids[len(ids) - tail :]]
