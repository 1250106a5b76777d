"""Planted: decontamination put to the test on the held-out sets of a recipe, or on its own rows where it names none."""

from __future__ import annotations

from heapq import nsmallest
from typing import TYPE_CHECKING

from pipeline import heldout
from pipeline.against import texts_of
from pipeline.chance import draw
from pipeline.errors import AssayError
from pipeline.quality.contamination import Size, prove
from pipeline.settings import Against

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.quality.contamination import Proof
    from pipeline.stage import Work

OWN_ROWS = 5000
LEAST_TEXTS = 20
SEED = 1


def proofs(work: Work) -> Iterator[tuple[str, Proof]]:
    """A self-test for each held-out set; of the rows of the data set itself, five thousand by chance, if there is none.

    Raises:
        AssayError: there are too few texts to plant.
    """
    for held_out in heldout.read(work.recipe):
        for number, one in enumerate(held_out.sets):
            numbered = zip(held_out.items.texts, held_out.items.sets, strict=True)
            texts = [text for text, at in numbered if at == number]
            yield one.name, _proof(one.name, texts, held_out.size, one.least_share)
    if not heldout.named(work.recipe):
        defaults = Against.model_fields
        size = Size(defaults["ngram_words"].default, defaults["ngram_chars"].default)
        yield "its own rows", _proof(work.recipe.name, _own_texts(work), size, defaults["least_share"].default)


def _proof(name: str, texts: list[str], size: Size, least_share: float) -> Proof:
    if len(texts) < LEAST_TEXTS:
        raise AssayError(f"self-test on '{name}'", f"{len(texts)} texts are too few to plant", f"give {LEAST_TEXTS}")
    return prove(texts, size=size, least_share=least_share, seed=SEED)


def _own_texts(work: Work) -> list[str]:
    """The texts of rows chosen by chance."""
    columns = ["id", *work.contract.own]
    rows = (row for batch in work.batches(columns=columns) for row in batch.to_pylist())
    chosen = nsmallest(OWN_ROWS, rows, key=lambda row: (draw(SEED, "own", row["id"]), row["id"]))
    return [text for row in chosen for text in texts_of({name: row[name] for name in columns[1:]}) if text.strip()]
