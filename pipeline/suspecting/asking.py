"""Asking: which instruments a task has, what a model that did not see a row says of it, and why nobody was asked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from pipeline.cache import synced
from pipeline.errors import AssayError
from pipeline.quality.replying import replies
from pipeline.quality.suspects.quick import folds_of
from pipeline.quality.words import word_signals
from pipeline.suspecting.labels import labels
from pipeline.tasks import task

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from pipeline.finetune.folds import Outputs
    from pipeline.quality.signals import Signals
    from pipeline.recipe import Recipe
    from pipeline.tasks import Row, Task

    Floats32 = NDArray[np.float32]

LABELS, WORDS, TEXTS, NONE = "labels", "words", "texts", ""
TIERS = {
    "quick": "a quick model of words and character n-grams, which needs no pretrained weights",
    "encoder": "sentence embeddings by {model}, beside word and character n-grams",
    "finetuned": "{model}, fine-tuned on the other folds",
}
PRETRAINED = ("encoder", "finetuned")
LEAST_GROUPS = 2
"""Groups of rows for each fold, at least."""


@dataclass
class Asking:
    """The instruments of one data set: what is asked of its rows, and by which model."""

    recipe: Recipe
    task: Task
    whole: list[pa.RecordBatch] = field(default_factory=list)
    """The kept rows, whole, where a model has to be fine-tuned on them; empty for other tiers."""

    @property
    def kind(self) -> str:
        """Which engine looks at the task's answers: labels, marked words, texts; empty where there is none."""
        if self.task.head in ("sequence", "multilabel"):
            return LABELS
        if self.task.head == "token" and self.task.measure == "spans":
            return WORDS
        return TEXTS if self.task.measure == "texts" else NONE

    @property
    def tier(self) -> str:
        """The tier that the recipe asks for; texts have only the quick one."""
        return self.recipe.settings.audit.suspects

    def not_asked(self, checked: pa.Table) -> str:
        """Why there is no list of suspects, so that an empty one is not taken for a clean data set; empty if there is.

        Raises:
            AssayError: the recipe asks for a tier that the task does not have.
        """
        settings = self.recipe.settings.audit
        if self.tier == "off":
            return "not checked: the recipe turns suspects off"
        if settings.suspect_share == 0:
            return "not checked: the recipe gives the list no room (suspect_share = 0)"
        if self.kind == NONE:
            return f"not checked: there is no instrument yet for answers of the task '{self.task.name}'"
        self.refuse_tier()
        return self._too_little(checked)

    def _too_little(self, checked: pa.Table) -> str:
        """Why the rows are too few, or too much alike, for anything to be learned from them."""
        if len(set(checked["group"].to_pylist())) < LEAST_GROUPS * self.recipe.settings.audit.suspect_folds:
            return "not checked: too few groups of rows to hold some out"
        if self.kind == LABELS and len(set(checked["answer"].to_pylist())) < 2:
            return "not checked: there are no two labels to tell apart"
        return "not checked: nothing is marked" if self.kind == WORDS and not _marks(checked) else ""

    def refuse_tier(self) -> None:
        """Raise where the recipe asks for a tier that the task does not have."""
        place, way_out = "[audit] suspects", "say quick"
        if self.tier == "encoder" and self.kind != LABELS:
            raise AssayError(
                place, f"'encoder' compares texts that carry labels, which those of '{self.task.name}' do not", way_out
            )

    @property
    def model(self) -> str:
        """The pretrained model that is asked; empty where none is."""
        settings = self.recipe.settings
        if self.tier not in PRETRAINED or settings.audit.suspect_share == 0 or self.kind == NONE:
            return ""
        return settings.finetune.model if self.tier == "finetuned" else settings.audit.suspect_model

    def told(self) -> str:
        """The model that was asked, in words."""
        if self.kind == TEXTS and self.tier == "quick":
            return "no model: signs in the text"
        return TIERS[self.tier].format(model=self.model)

    def signals(self, checked: pa.Table) -> Signals:
        """What speaks against every part of every answer (columns of `checked`: `checked.CHECKED`)."""
        seed, folds = self.recipe.settings.audit.seed, self.recipe.settings.audit.suspect_folds
        if self.kind == TEXTS:
            return replies(checked, seed=seed, losses=self._losses(checked) if self.tier == "finetuned" else None)
        said = self._finetuned(checked) if self.tier == "finetuned" else None
        if self.kind == WORDS:
            if said is None:
                return word_signals(checked, seed=seed)
            known = np.asarray(said.probabilities, dtype=np.float64)
            return word_signals(checked, seed=seed, probabilities=known, classes=said.classes)
        return labels(
            checked,
            multiple=self.task.head == "multilabel",
            names=None if said is None else said.classes,
            probabilities=None if said is None else said.probabilities,
            embeddings=self._embedded(checked) if self.tier == "encoder" else None,
            seed=seed,
            folds=folds,
        )

    def _embedded(self, checked: pa.Table) -> Floats32:
        from pipeline.finetune import model_folder_of
        from pipeline.finetune.embed import embed

        folder, texts = model_folder_of(self.model), checked["text"]
        return self._kept("embedded", folder, [], texts, make=lambda: embed(texts.to_pylist(), folder))

    def _finetuned(self, checked: pa.Table) -> Outputs:
        from pipeline.finetune.folds import Outputs

        classes = self.task.classes(sorted({stratum for row in self._rows() for stratum in self.task.strata(row)}))

        def said(found: Outputs) -> Floats32:
            return np.zeros((0, 0), dtype=np.float32) if found.probabilities is None else found.probabilities

        return Outputs(classes, self._out_of_fold("finetuned", checked, classes, said), np.zeros((0, 2)))

    def _losses(self, checked: pa.Table) -> Floats32:
        """The mean and the largest loss of a token of each reply, by a model that did not learn from it."""
        return self._out_of_fold("losses", checked, [], lambda found: found.losses.astype(np.float32))

    def _rows(self) -> list[Row]:
        return [row for batch in self.whole for row in batch.to_pylist()]

    def _out_of_fold(
        self, kind: str, checked: pa.Table, classes: list[str], taken: Callable[[Outputs], Floats32]
    ) -> Floats32:
        from pipeline.finetune import model_folder_of
        from pipeline.finetune.folds import out_of_fold

        settings, rows, folder = self.recipe.settings, self._rows(), model_folder_of(self.model)
        fold = folds_of(checked["group"].to_pylist(), seed=settings.audit.seed, folds=settings.audit.suspect_folds)
        basis = [settings.finetune.model_dump(mode="json"), classes, fold.tolist(), [row["weight"] for row in rows]]
        read = [checked[name] for name in ("id", "text", "answer", "words")]
        return self._kept(
            kind,
            folder,
            basis,
            *read,
            make=lambda: taken(out_of_fold(rows, fold, self.task, settings.finetune, base=folder)),
        )

    def _kept(
        self, kind: str, model: Path | None, basis: list[Any], *columns: pa.ChunkedArray, make: Callable[[], Floats32]
    ) -> Floats32:
        """An array that was made of these columns before, or made now: a model is asked once about the same rows."""
        from pipeline.finetune import keys

        path = self._folder() / f"{kind}-{_key([keys.folder_content(model), *basis], columns)}.npy"
        if path.is_file():
            found: Floats32 = np.load(path, allow_pickle=False)
            return found
        made: Floats32 = make()
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in path.parent.glob(f"{kind}-*"):
            old.unlink()
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.save(file, made, allow_pickle=False)
        synced(partial)
        partial.rename(path)
        return made

    def _folder(self) -> Path:
        return self.recipe.build / "outputs"


def inputs(recipe: Recipe) -> dict[str, str]:
    """What suspects depend on beside the recipe's own section: the model, and the code and libraries that ask it.

    Raises:
        AssayError: the recipe asks for a tier that the task does not have, or there is no such model.
    """
    asking = Asking(recipe, task(recipe.settings.task, recipe.settings.guideline))
    if not asking.model:
        return {}
    asking.refuse_tier()
    from pipeline.finetune import keys, model_folder_of

    told = recipe.settings.finetune.model_dump(mode="json") if asking.tier == "finetuned" else {}
    content = keys.folder_content(model_folder_of(asking.model))
    return {"suspect_model": json.dumps([keys.code_version(), keys.versions(), told, content], sort_keys=True)}


def _marks(checked: pa.Table) -> bool:
    return any(word["tag"] != "O" for words in checked["words"].to_pylist() for word in words)


def _key(basis: list[Any], columns: tuple[pa.ChunkedArray, ...]) -> str:
    from pipeline.finetune import keys

    whole = hashlib.sha256(json.dumps([keys.code_version(), keys.versions(), basis], sort_keys=True).encode())
    for column in columns:
        for value in column.to_pylist():
            whole.update(json.dumps(value, ensure_ascii=True).encode() + b"\n")
    return whole.hexdigest()[:32]
