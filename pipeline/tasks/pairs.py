"""A text, or a pair of texts, that one answer is given to: read, compared, reworded and encoded."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pipeline.errors import Unfit
from pipeline.tasks import Row, kin_key, whole_key
from pipeline.text import nfc, normalised

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# Negations and hedges turn an answer round, so no edit may touch them.
NEGATIONS = (
    "not", "no", "never", "none", "nobody", "nothing", "neither", "nor", "without", "hardly", "barely", "scarcely",
    "isn't", "aren't", "wasn't", "weren't", "don't", "doesn't", "didn't", "won't", "wouldn't", "can't", "cannot",
    "couldn't", "shouldn't", "hasn't", "haven't", "hadn't", "ain't", "but", "although", "though", "despite",
    "too", "very",
    *"不没无未非莫勿别太很", "并非", "从不", "毫无", "但是", "虽然",
)  # fmt: skip


def shaped(fields: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, str | None]:
    """The columns `text` and `text_pair`, the second where the recipe maps one."""
    pair = columns.get("text_pair")
    return {
        "text": text_in(fields, columns.get("text", "text")),
        "text_pair": text_in(fields, pair) if pair else None,
    }


def text_in(fields: Mapping[str, Any], name: str) -> str:
    """The text in a field.

    Raises:
        Unfit: `missing_field` or `wrong_type`.
    """
    if name not in fields or fields[name] is None:
        raise Unfit("missing_field", f"no field '{name}' among {', '.join(map(str, fields))}")
    if isinstance(fields[name], list | dict):
        raise Unfit("wrong_type", f"the field '{name}' is no text but {fields[name]!r:.80}")
    return nfc(str(fields[name]))


def shown(row: Row) -> str:
    """The text, and its pair on a line of its own."""
    return str(row["text"]) if row["text_pair"] is None else f"{row['text']}\n{row['text_pair']}"


def kin(row: Row) -> list[str]:
    """Each text of a pair, or, where both are short, the pair in either order; a single text has none."""
    if row["text_pair"] is None:
        return []
    pair = (row["text"], row["text_pair"])
    keys = {key for text in pair if (key := kin_key(text)) is not None}
    return sorted(keys or {whole_key(sorted(normalised(text) or text for text in pair))})


def kept(keep_words: Iterable[str]) -> re.Pattern[str]:
    """Finds, as its one group, what no edit may touch: negations and the guideline's own words, the longest first."""
    words = sorted({*NEGATIONS, *keep_words}, key=lambda word: (-len(word), word))
    spaced = "|".join(re.escape(word).replace("'", "['’]") for word in words if word.isascii())
    unspaced = "|".join(re.escape(word) for word in words if not word.isascii())
    return re.compile(rf"((?<!\w)(?:{spaced})(?!\w)|{unspaced})", re.IGNORECASE)


def free_pieces(row: Row, kept: re.Pattern[str]) -> list[str]:
    """The pieces of the text between what is kept."""
    return kept.split(row["text"])[::2]


def with_pieces(row: Row, pieces: Sequence[str], kept: re.Pattern[str]) -> Row:
    """The row with its text put together again around what was kept."""
    between = [*kept.split(row["text"])[1::2], ""]
    return {**row, "text": "".join(piece + word for piece, word in zip(pieces, between, strict=True))}


def encoded(row: Row, tokenizer: Any, *, max_tokens: int) -> tuple[dict[str, list[int]], bool]:
    """What a model reads of the text or the pair, and whether the length limit cut it."""
    texts = [row["text"]] if row["text_pair"] is None else [row["text"], row["text_pair"]]
    coded = tokenizer(*texts, verbose=False)
    cut = len(coded["input_ids"]) > max_tokens
    if cut:
        coded = tokenizer(*texts, truncation=True, max_length=max_tokens)
    return {name: list(values) for name, values in coded.items()}, cut
