"""Chat: instructions and dialogues, of which the model learns the assistant's turns.

An example: {"tools": None, "messages": [{"role": "user", "content": "What is the capital of Italy?", "learn": False},
                                         {"role": "assistant", "content": "Rome.", "learn": True}]}
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import Unfit
from pipeline.tasks import (
    Answer,
    Doubt,
    Encoded,
    Mark,
    Problem,
    Row,
    Scores,
    Settled,
    Vote,
    chosen,
    doubting,
    refusals,
    replies,
    turns,
    wording,
)
from pipeline.text import nfc, normalised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from pipeline.settings import Guideline
    from pipeline.tasks import Measure

ROLES = {
    "human": "user", "prompter": "user", "gpt": "assistant", "bot": "assistant", "model": "assistant",
    "function_call": "assistant", "tool_call": "assistant", "observation": "tool", "function": "tool",
    "ipython": "tool", "developer": "system",
}  # fmt: skip
FOLLOWS = {
    None: {"system", "user"}, "system": {"user"}, "user": {"assistant"}, "assistant": {"user", "tool"},
    "tool": {"tool", "assistant"},
}  # fmt: skip
"""Who may speak after whom; None is the beginning."""

# Marks by which common chat templates part turns: inside a turn they would end it or forge another.
CONTROL = re.compile(
    r"<\|[A-Za-z_][\w ]{0,30}\|>|<｜[\w▁ ]{1,30}｜>|\[/?INST\]|<</?SYS>>|</?s>|<(?:bos|eos|pad|unk)>"
    r"|<(?:start|end)_of_turn>|<\[(?:begin|end)_of_[a-z]+\]>"
)
SHORTEST_ECHO = 8
NOT_LEARNED = -100


def make(guideline: Guideline) -> Chat:
    """The task under a guideline."""
    return Chat(guideline)


@dataclass(frozen=True)
class Chat:
    """See `pipeline.tasks.Task`; an answer is the text of the last assistant turn."""

    guideline: Guideline
    name: str = "chat"
    head: str = "causal"
    free_text: bool = True

    # -- ingest
    def shape(self, fields: Mapping[str, Any], columns: Mapping[str, str]) -> Row:
        """The turns with their roles in our words; a reply that is not blank is learned, unless the file says not."""
        name = columns.get("messages", "messages")
        given = fields.get(name)
        if given is None:
            raise Unfit("missing_field", f"no field '{name}' among {', '.join(map(str, fields))}")
        if not isinstance(given, list) or not all(isinstance(turn, dict) for turn in given):
            raise Unfit("wrong_type", f"turns are a list of objects, not {given!r:.80}")
        tools = fields.get(columns.get("tools", "tools")) or None
        if tools is not None and not isinstance(tools, str):
            tools = json.dumps(tools, ensure_ascii=False)
        return {"messages": [_turn(turn) for turn in given], "tools": tools}

    def raw_answer(self, fields: Mapping[str, Any], columns: Mapping[str, str]) -> Any:
        """The last assistant turn, or None where there is none."""
        row = self.shape(fields, columns)
        at = _last_reply(row)
        return None if at is None else row["messages"][at]["content"]

    def read_answer(self, given: Any, fields: Mapping[str, Any], row: Row) -> Answer:
        """A reply: text, or an assistant turn."""
        if isinstance(given, dict):
            given = _turn({"role": "assistant", **given})["content"]
        if not isinstance(given, str):
            raise Unfit("wrong_type", f"a reply is text, not {given!r:.80}")
        return nfc(given)

    # -- what was read, what was answered
    def shown(self, row: Row) -> str:
        """Everything that was said before the last reply."""
        return "\n".join(turn["content"] for turn in row["messages"][: _last_reply(row)])

    def asked(self, row: Row) -> str:
        """What was said before, and the tools: with other tools another reply can be right."""
        return self.shown(row) if row["tools"] is None else f"{self.shown(row)}\n{row['tools']}"

    def answer(self, row: Row) -> Answer:
        """The last reply; empty where there is none."""
        at = _last_reply(row)
        return "" if at is None else str(row["messages"][at]["content"])

    def meaning(self, row: Row) -> str:
        """The reply in the normal form of duplicates."""
        return normalised(self.answer(row)) or str(self.answer(row))

    def marks(self, row: Row) -> list[Mark] | None:
        """None: a reply marks nothing."""
        return None

    def spoken(self, meaning: str) -> list[tuple[str, str]] | None:
        """None: a reply means what it means however the question is spelled."""
        return None

    def with_answer(self, row: Row, answer: Answer) -> Row:
        """The row with another last reply."""
        at = _last_reply(row)
        said = row["messages"] if at is None else row["messages"][:at]
        rest = [] if at is None else row["messages"][at + 1 :]
        learn = bool(answer.strip()) and (at is None or row["messages"][at]["learn"] or not self.answer(row).strip())
        return {**row, "messages": [*said, {"role": "assistant", "content": answer, "learn": learn}, *rest]}

    # -- audit
    def ballots(self, row: Row, answers: Sequence[Answer]) -> dict[str, list[str | None]]:
        """One vote on the reply: replies that come to the same (`replies.key`) are one label, blank ones are none."""
        return {"": [replies.key(answer) or None for answer in answers]}

    @property
    def measure(self) -> Measure:
        """Texts."""
        return "texts"

    def values(self, labels: Sequence[str]) -> list[float]:
        """None: replies have no order."""
        return []

    def distance(self, one: Answer, other: Answer) -> float:
        """1 - likeness of two replies (see `replies.likeness`)."""
        return 1 - replies.likeness(one, other)

    def elect(self, row: Row, answers: Sequence[Answer], votes: Mapping[str, Vote]) -> Settled:
        """The reply that most annotators give (see `chosen.chosen`), in its commonest spelling."""
        keys = [replies.key(answer) or None for answer in answers]
        settled = chosen.chosen(answers, keys, votes.get(""), likeness=replies.likeness)
        return settled or Settled(answer="", confidence=0.0, tied=False)

    def problems(self, row: Row) -> Iterator[Problem]:
        """Roles, their order, blank turns, forged turns, tool calls, and replies that do not answer."""
        messages = row["messages"]
        strange = [turn["role"] for turn in messages if turn["role"] not in FOLLOWS]
        if strange:
            yield Problem("unknown_role", f"{strange[0]!r:.40}")
        if (out := _out_of_order([turn["role"] for turn in messages])) and not strange:
            yield Problem("turn_order", out)
        if blank := [at for at, turn in enumerate(messages, 1) if not turn["content"].strip()]:
            yield Problem("blank_turn", f"turn {blank[0]} of {len(messages)} by {messages[blank[0] - 1]['role']}")
        if not any(turn["learn"] for turn in messages) or messages[-1]["role"] != "assistant":
            yield Problem(
                "no_reply", f"the last of {len(messages)} turns is by {messages[-1]['role'] if messages else 'nobody'}"
            )
        if forged := next(filter(None, (CONTROL.search(turn["content"]) for turn in messages)), None):
            yield Problem("control_tokens", forged[0])
        if broken := _broken_call(row):
            yield Problem("broken_tool_call", broken)
        yield from self._poor_reply(row)

    def _poor_reply(self, row: Row) -> Iterator[Problem]:
        reply = self.answer(row)
        if refusals.is_refusal(reply):
            yield Problem("refusal", f"{reply:.120}")
        key = normalised(reply)
        asked = {normalised(turn["content"]) for turn in row["messages"] if turn["role"] == "user"}
        if len(key) >= SHORTEST_ECHO and key in asked:
            yield Problem("echo", f"{reply:.120}")

    def tagged(self, row: Row) -> list[tuple[int, int, str]]:
        """None: no word has a tag."""
        return []

    def doubts(self, row: Row) -> Iterator[Doubt]:
        """What is odd about the last reply to what the user said before it."""
        said = row["messages"][: _last_reply(row)]
        asked = "\n".join(turn["content"] for turn in said if turn["role"] in ("user", "system"))
        return doubting.of_reply(asked, self.answer(row))

    # -- split and augment
    def strata(self, row: Row) -> list[str]:
        """How many replies, how long the last one is, and whether tools are at hand."""
        count = sum(turn["role"] == "assistant" for turn in row["messages"])
        length = len(self.answer(row))
        rounds = "1" if count <= 1 else "2-4" if count <= 4 else "5+"
        size = next((f"<{limit}" for limit in (50, 200, 1000) if length < limit), "1000+")
        tools = row["tools"] is not None or any(turn["role"] == "tool" for turn in row["messages"])
        return [f"replies {rounds}", f"reply chars {size}", *(["tools"] if tools else [])]

    def kin(self, row: Row) -> list[str]:
        """How the user begins: a chat and what it goes on to, or the same under another system turn, are one."""
        opening = turns.opening(row["messages"])
        return [] if opening is None else [opening]

    def free_pieces(self, row: Row) -> list[str]:
        """What users say between code, quotations, links, numbers, negations, and the words that the reply takes up."""
        return [turn["content"][start:end] for turn, edges in self._free(row) for start, end in edges]

    def with_pieces(self, row: Row, pieces: Sequence[str]) -> Row:
        """The row with its users' words put together again; no other turn changes."""
        fresh = iter(pieces)
        messages = []
        for turn, edges in self._free(row):
            content, at = "", 0
            for start, end in edges:
                content += turn["content"][at:start] + next(fresh)
                at = end
            messages.append({**turn, "content": nfc(content + turn["content"][at:])})
        return {**row, "messages": messages}

    def _free(self, row: Row) -> list[tuple[dict[str, Any], list[tuple[int, int]]]]:
        """Each turn, and where the pieces stand in it that may change."""
        said = "\n".join(turn["content"] for turn in row["messages"] if turn["role"] != "user")
        evidence = wording.Evidence(said)
        return [
            (turn, evidence.free(turn["content"], self._fixed) if turn["role"] == "user" else [])
            for turn in row["messages"]
        ]

    @cached_property
    def _fixed(self) -> re.Pattern[str]:
        return wording.fixed(self.guideline.keep_words)

    def mentions(self, row: Row) -> list[tuple[str, str]]:
        """None: no part of a reply stands for a kind."""
        return []

    def with_mentions(self, row: Row, surfaces: Sequence[str]) -> Row:
        """The row as it is."""
        return row

    # -- finetune and evaluate
    def classes(self, seen: Sequence[str]) -> list[str]:
        """None: the model's classes are its vocabulary."""
        return []

    def encode(self, row: Row, tokenizer: Any, *, classes: Sequence[str], max_tokens: int) -> Encoded:
        """The conversation under the model's chat template; replies and the tokens that end them are learned.

        What is too long loses its first exchanges, the system turn aside; then what stands before the last reply loses
        its beginning, and the reply its end, so that each has at least half of the room it needs.
        """
        tools = _tools(row)
        parts = _fitting(row["messages"], tokenizer, tools, max_tokens)
        ids = [token for part in parts for token in part.ids]
        targets = [token if part.learned else NOT_LEARNED for part in parts for token in part.ids]
        cut = len(ids) > max_tokens or sum(part.turn is not None for part in parts) < _reply_count(row)
        if len(ids) > max_tokens:
            last = max((at for at, part in enumerate(parts) if part.turn is not None), default=len(parts))
            before = sum(len(part.ids) for part in parts[:last])
            reply = len(parts[last].ids) if last < len(parts) else 0
            first = max(before - turns.prompt_room(reply, max_tokens), 0)
            end = min(first + max_tokens, before + reply)
            ids, targets = ids[first:end], targets[first:end]
        learned = sum(target != NOT_LEARNED for target in targets)
        return Encoded({"input_ids": ids, "attention_mask": [1] * len(ids)}, targets, cut=cut, learned=learned)

    def prompt(self, row: Row, tokenizer: Any, *, max_tokens: int) -> list[int]:
        """The ids from which the last reply is generated: exactly those that it is learned after, if both fit."""
        messages, tools = row["messages"][: _last_reply(row)], _tools(row)
        parts = _fitting(messages, tokenizer, tools, max_tokens, answering=True)
        return [token for part in parts for token in part.ids][-max_tokens:]

    def decode(
        self, output: Any, row: Row, tokenizer: Any, *, classes: Sequence[str], max_tokens: int
    ) -> tuple[Answer, float]:
        """The generated text up to where its turn ends, without the white space around it."""
        return nfc(str(output).split("<|im_end|>", 1)[0].strip()), 1.0

    def by_word(self, output: Any, row: Row, tokenizer: Any, *, max_tokens: int) -> NDArray[np.float32]:
        """Nothing: no word has outputs of its own."""
        return np.zeros((0, 0), dtype=np.float32)

    def score(self, gold: Sequence[Answer], found: Sequence[Answer], rows: Sequence[Row]) -> Scores:
        """chrF (headline, 0 to 100), ROUGE-L F, exact match, and how long replies are beside the true ones."""
        return Scores(headline="chrf", metrics=replies.scores(gold, found))


def _turn(given: Mapping[str, Any]) -> dict[str, Any]:
    role = str(given.get("role") or "").strip()
    role = ROLES.get(role.casefold(), role.casefold() if role.casefold() in FOLLOWS else role)
    content = _content(given.get("content"))
    wanted = next((given[name] for name in ("learn", "train", "weight") if given.get(name) is not None), True)
    return {"role": role, "content": content, "learn": role == "assistant" and bool(content.strip()) and bool(wanted)}


def _content(given: Any) -> str:
    if given is None:
        return ""
    if isinstance(given, list) and all(isinstance(part, dict) and isinstance(part.get("text"), str) for part in given):
        given = "\n".join(part["text"] for part in given)
    if not isinstance(given, str):
        raise Unfit("wrong_type", f"the content of a turn is text, not {given!r:.80}")
    return nfc(given)


def _last_reply(row: Row) -> int | None:
    replying = (at for at, turn in enumerate(row["messages"]) if turn["role"] == "assistant")
    return max(replying, default=None)


def _reply_count(row: Row) -> int:
    return sum(turn["role"] == "assistant" and bool(turn["content"].strip()) for turn in row["messages"])


def _out_of_order(roles: Sequence[str]) -> str:
    for at, (before, role) in enumerate(pairwise([None, *roles]), 1):
        if role not in FOLLOWS.get(before, ()):
            return f"turn {at} is by {role}, after {before or 'nothing'}"
    return ""


def _tools(row: Row) -> list[Any] | None:
    if row["tools"] is None:
        return None
    try:
        tools = json.loads(row["tools"])
    except ValueError:
        return [row["tools"]]
    return tools if isinstance(tools, list) else [tools]


def _broken_call(row: Row) -> str:
    """What is wrong with the first tool call, or the tools themselves, that cannot be read; empty if nothing is."""
    try:
        json.loads(row["tools"] or "null")
    except ValueError as error:
        return f"the tools are no JSON: {error}"
    messages = row["messages"]
    for at, turn in enumerate(messages):
        answered = at + 1 < len(messages) and messages[at + 1]["role"] == "tool"
        calling = turn["role"] == "assistant" and (answered or replies.looks_like_call(turn["content"]))
        if calling and (broken := replies.broken_call(turn["content"])):
            return f"turn {at + 1}: {broken}"
    return ""


def _fitting(
    messages: turns.Turns, tokenizer: Any, tools: Sequence[Any] | None, max_tokens: int, *, answering: bool = False
) -> list[turns.Stretch]:
    """The longest end of the conversation that fits; its last exchange if none does."""
    candidates = list(turns.later(messages))
    parts = turns.stretches(messages, tokenizer, tools=tools, answering=answering)
    for at, some in enumerate(candidates[1:], 2):
        if sum(len(part.ids) for part in parts) <= max_tokens:
            break
        # Counting is cheaper than cutting into stretches; the last candidate is all that is left.
        counted = turns.token_count(some, tokenizer, tools=tools, answering=answering)
        if counted <= max_tokens or at == len(candidates):
            parts = turns.stretches(some, tokenizer, tools=tools, answering=answering)
    return parts
