"""Tokenizers made on the spot: small, fast ones of the kinds that encoders and causal models have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

Kind = Literal["wordpiece", "bytelevel", "metaspace"]

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'].strip() + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_NAMES = ("unk_token", "cls_token", "sep_token", "pad_token", "mask_token")
SPECIAL: dict[Kind, dict[str, Any]] = {
    "wordpiece": dict(zip(_NAMES, ("[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"), strict=True)),
    "metaspace": dict(zip(_NAMES, ("<unk>", "<s>", "</s>", "<pad>", "<mask>"), strict=True)),
    "bytelevel": {
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "additional_special_tokens": ["<|im_start|>"],
    },
}


def tiny_tokenizer(texts: Sequence[str], kind: Kind = "wordpiece", *, vocabulary: int = 400, **settings: Any) -> Any:
    """A fast tokenizer trained on `texts`: BERT's kind (uncased), XLM-R's, or a causal model's with byte-level BPE."""
    from transformers import PreTrainedTokenizerFast

    made = {"wordpiece": _wordpiece, "metaspace": _metaspace, "bytelevel": _bytelevel}[kind](texts, vocabulary)
    return PreTrainedTokenizerFast(tokenizer_object=made, **SPECIAL[kind], **settings)


def _special(kind: Kind) -> list[str]:
    return [token for value in SPECIAL[kind].values() for token in (value if isinstance(value, list) else [value])]


def _wordpiece(texts: Sequence[str], vocabulary: int) -> Any:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    special = _special("wordpiece")
    made.train_from_iterator(
        texts, trainers.WordPieceTrainer(vocab_size=vocabulary, special_tokens=special, show_progress=False)
    )
    return _framed(made, "[CLS]", "[SEP]")


def _metaspace(texts: Sequence[str], vocabulary: int) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    special = _special("metaspace")
    made.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=special, show_progress=False)
    )
    return _framed(made, "<s>", "</s>")


def _bytelevel(texts: Sequence[str], vocabulary: int) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=_special("bytelevel"),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return made


def _framed(made: Any, first: str, last: str) -> Any:
    from tokenizers import processors

    ids = [(token, made.token_to_id(token)) for token in (first, last)]
    made.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", pair=f"{first} $A {last} $B:1 {last}:1", special_tokens=ids
    )
    return made
