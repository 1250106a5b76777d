"""A conversation as a causal model reads it: token ids in stretches, and which of them it learns."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.errors import AssayError
from pipeline.tasks import kin_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Turns = list[dict[str, Any]]
"""Objects with `role`, `content` and `learn`."""

_TURN_END = re.compile(r"\s*(?:<\|[^|>\s]{1,30}\|>|<｜[^｜>]{1,30}｜>|<end_of_turn>|</s>)")


@dataclass(frozen=True)
class Stretch:
    """Consecutive token ids, all learned or none, and the turn whose reply they are (None: what others said)."""

    ids: list[int]
    learned: bool
    turn: int | None = None


def stretches(turns: Turns, tokenizer: Any, *, tools: Sequence[Any] | None, answering: bool = False) -> list[Stretch]:
    """The whole conversation under the tokenizer's chat template, cut where replies begin and end.

    Each stretch is tokenized on its own, so that a reply is generated from exactly the ids that it was learned after.
    A reply's stretch holds its text and the token that ends the turn. The template's own assistant mask is not
    asked: many templates leave it empty. With `answering` the last stretch ends where the next reply begins.
    """
    text = rendered(turns, tokenizer, tools=tools, answering=answering)
    parts, at = [], 0
    for turn, (start, end) in _replies(turns, text, tokenizer, tools):
        parts.append(Stretch(_ids(text[at:start], tokenizer), learned=False))
        parts.append(Stretch(_ids(text[start:end], tokenizer), learned=bool(turns[turn].get("learn")), turn=turn))
        at = end
    return [part for part in [*parts, Stretch(_ids(text[at:], tokenizer), learned=False)] if part.ids]


def token_count(turns: Turns, tokenizer: Any, *, tools: Sequence[Any] | None, answering: bool = False) -> int:
    """About how many tokens the conversation has; tokenizing in stretches may add one or two at each."""
    return len(_ids(rendered(turns, tokenizer, tools=tools, answering=answering), tokenizer))


def rendered(turns: Turns, tokenizer: Any, *, tools: Sequence[Any] | None, answering: bool) -> str:
    """The conversation as text; with `answering`, up to where the assistant's next reply begins.

    Tools that the template would not show are told in the system turn: nobody learns to call what cannot be seen.

    Raises:
        AssayError: the model's chat template refuses the conversation.
    """
    template = getattr(tokenizer, "chat_template", None)
    bare = [{"role": turn["role"], "content": turn["content"]} for turn in turns]
    extra: dict[str, Any] = {}
    if tools and "tools" in str(template):
        extra = {"tools": list(tools)}
    elif tools:
        bare = _told(bare, tools)
    if not template:
        return _chatml(bare, tokenizer, answering=answering)
    from jinja2.exceptions import TemplateError

    try:
        return str(tokenizer.apply_chat_template(bare, tokenize=False, add_generation_prompt=answering, **extra))
    except TemplateError as error:
        roles = ", ".join(turn["role"] for turn in turns)
        raise AssayError("chat template", f"{error} (turns: {roles})", "choose another model or other turns") from error


def _told(turns: Turns, tools: Sequence[Any]) -> Turns:
    told = f"Tools: {json.dumps(list(tools), ensure_ascii=False)}"
    if turns and turns[0]["role"] == "system":
        return [{"role": "system", "content": f"{turns[0]['content'].strip()}\n\n{told}"}, *turns[1:]]
    return [{"role": "system", "content": told}, *turns]


def _chatml(turns: Turns, tokenizer: Any, *, answering: bool) -> str:
    """ChatML, for tokenizers without a template; turns end with the tokenizer's end token, where generation stops."""
    end = getattr(tokenizer, "eos_token", None) or "<|im_end|>"
    text = "".join(f"<|im_start|>{turn['role']}\n{turn['content'].strip()}{end}\n" for turn in turns)
    return text + ("<|im_start|>assistant\n" if answering else "")


def _replies(
    turns: Turns, text: str, tokenizer: Any, tools: Sequence[Any] | None
) -> Iterator[tuple[int, tuple[int, int]]]:
    """Where in the rendered text each assistant turn's reply stands, with the token that ends it."""
    at = 0
    for turn, said in enumerate(turns):
        if said["role"] != "assistant" or not said["content"].strip():
            continue
        place = _by_prefix(turns, turn, text, tokenizer, tools) or _by_search(said["content"].strip(), text, at)
        if place and place[0] >= at:
            at = place[1]
            yield turn, place


def _by_prefix(
    turns: Turns, turn: int, text: str, tokenizer: Any, tools: Sequence[Any] | None
) -> tuple[int, int] | None:
    """The reply's place, if the conversation up to it and with it are both beginnings of the whole text."""
    if turn == 0:
        return None
    before = rendered(turns[:turn], tokenizer, tools=tools, answering=True)
    after = rendered(turns[: turn + 1], tokenizer, tools=tools, answering=False)
    reply = after[len(before) :].rstrip()
    holds = text.startswith(after.rstrip()) and after.startswith(before) and turns[turn]["content"].strip() in reply
    return (len(before), len(before) + len(reply)) if holds else None


def _by_search(reply: str, text: str, at: int) -> tuple[int, int] | None:
    """The reply's place by its words, for templates that write a turn otherwise once others follow."""
    start = text.find(reply, at)
    if start < 0:
        return None
    ended = _TURN_END.match(text, start + len(reply))
    return start, ended.end() if ended else start + len(reply)


def _ids(text: str, tokenizer: Any) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]) if text else []


def later(turns: Turns) -> Iterator[Turns]:
    """The conversation, then without its first exchange, and so on: the system turn stays, a user turn comes first."""
    system = turns[:1] if turns and turns[0]["role"] == "system" else []
    starts = [at for at, turn in enumerate(turns) if turn["role"] == "user"] or [len(system)]
    yield turns
    for start in starts[1:]:
        yield [*system, *turns[start:]]


def opening(turns: Turns) -> str | None:
    """The key (`kin_key`) of how the user begins, whatever the system turn says; None where that is anybody's opener.

    The first user turn; where it is too short to tell chats apart ("hi"), with the user turns after it that it takes.
    """
    said = [turn["content"] for turn in turns if turn["role"] == "user"]
    return next((key for end in range(1, len(said) + 1) if (key := kin_key(*said[:end])) is not None), None)


def prompt_room(reply_tokens: int, max_tokens: int) -> int:
    """How many of `max_tokens` what comes before a reply may take: all that the reply leaves, but at least half."""
    return max_tokens - min(reply_tokens, max_tokens // 2)
