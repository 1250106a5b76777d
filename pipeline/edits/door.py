"""The one door to nlpaug: imported late, kept quiet, and never left to draw from global chance."""

from __future__ import annotations

import logging
import random
import sys
import warnings
from contextlib import contextmanager
from functools import cache, lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A character that no word holds: nlpaug's own tokenizer rewrites what it does not augment ("O'Neil" to "O ' Neil").
SEPARATOR = "\x1f"


def through(augmenter: Any, words: Sequence[str], *, seed: int) -> list[str]:
    """The words that an nlpaug augmenter makes of `words`, drawn from `seed` alone; perhaps more or fewer."""
    with seeded(seed):
        made = augmenter.augment(SEPARATOR.join(words))
    return str(made[0]).split(SEPARATOR) if made else list(words)


def tokenizers() -> dict[str, Any]:
    """What makes an augmenter take the words as they are given and put nothing between them."""
    return {"tokenizer": _cut, "reverse_tokenizer": SEPARATOR.join}


def _cut(text: str) -> list[str]:
    return text.split(SEPARATOR)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Global chance of `random` and numpy set to `seed`, and afterwards as it was: nlpaug draws from both."""
    before, before_numpy = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed % 2**32)
    try:
        yield
    finally:
        random.setstate(before)
        np.random.set_state(before_numpy)


# What nlpaug imports for its language models and for fetching them, none of which is used here: two seconds a process.
_NOT_NEEDED = ("torch", "gdown")


@lru_cache(maxsize=1)
def characters() -> Any:
    """The module `nlpaug.augmenter.char`."""
    with _quiet(), _without(_NOT_NEEDED):
        return import_module("nlpaug.augmenter.char")


@cache
def words(module: str) -> Any:
    """The module `nlpaug.augmenter.word.<module>` without its siblings, which import transformers: 5 s a worker."""
    with _quiet(), _without(_NOT_NEEDED):
        package = import_module("nlpaug.augmenter")
        name = f"{package.__name__}.word"
        if name not in sys.modules:
            bare = ModuleType(name)
            bare.__path__ = [str(Path(path) / "word") for path in package.__path__]
            sys.modules[name] = bare
            bare.WordAugmenter = import_module(f"{name}.word_augmenter").WordAugmenter  # type: ignore[attr-defined]
        return import_module(f"{name}.{module}")


@contextmanager
def _without(names: Sequence[str]) -> Iterator[None]:
    """Import nothing of these packages, unless they are there already: whoever asks for one gets an empty module."""
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        sys.modules[name] = ModuleType(name)
    try:
        yield
    finally:
        for name in absent:
            sys.modules.pop(name)


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings and no log lines of an import."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


@lru_cache(maxsize=1)
def chinese() -> Any:
    """jieba's tokenizer, its dictionary read from the package: its cache would be a file that anybody may write."""
    with _quiet():
        jieba = import_module("jieba")
        jieba.setLogLevel(logging.ERROR)
        tokenizer = jieba.Tokenizer()
        tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(tokenizer.get_dict_file())
        tokenizer.initialized = True
        tokenizer.lcut("")
    return tokenizer
