"""Faults of sides: what train knows of held-out rows, and rows that stand where they must not."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from pipeline.gate.mutations.fault import first, further, mutation
from pipeline.gate.sample import Case

if TYPE_CHECKING:
    pass


@mutation("leak_exact")
def _leak(case: Case) -> None:
    """a text of train stands in test."""
    first(case, "test")["text"] = first(case)["text"]


@mutation("leak_normalised")
def _leak_louder(case: Case) -> None:
    """a text of train stands in test in capitals."""
    first(case, "test")["text"] = first(case)["text"].upper() + "!"


@mutation("leak_near")
def _leak_misspelt(case: Case) -> None:
    """a text of train stands in validation with a letter missing."""
    text = first(case)["text"]
    first(case, "validation")["text"] = text[:-3] + text[-2:]


@mutation("leak_contained")
def _leak_quoted(case: Case) -> None:
    """a text of train stands in test, with more around it."""
    quoted = first(case)["text"]
    first(case, "test")["text"] += f" Somebody had written this before: {quoted} Nobody knew who it was."


@mutation("entity_overlap", "tagging")
def _learn_what_is_held_out(case: Case) -> None:
    """every mention that is held out is marked in train as well."""
    for split in ("validation", "test"):
        for number, row in enumerate(case.rows[split]):
            learned = copy.deepcopy(row) | {"id": f"made/{split}{number}", "group": f"{split} {number}"}
            span = learned["spans"][0]
            learned["text"] = learned["text"][span["start"] : span["end"]]
            span |= {"end": span["end"] - span["start"], "start": 0}
            learned |= {"tokens": [{"start": 0, "end": span["end"]}], "split": "train"}
            case.rows["train"].append(learned)


@mutation("stratum_deviation")
def _deal_unevenly(case: Case) -> None:
    """a class is two points off its share, and its groups allow half a point."""
    strata = {"answer=warm": {"rows": 200, "deviation_points": 2.0, "best_points": 0.5}}
    told = {"max_excess_points": 1.5, "most_excessive_stratum": "answer=warm", "strata": strata}
    case.reports["split"]["details"].update(told)


@mutation("leak_group")
def _part_a_group(case: Case) -> None:
    """a document has rows in train and in test."""
    first(case, "test")["group"] = first(case)["group"]


@further("leak_group")
def _part_a_merged_group(case: Case) -> None:
    """a row of train has a duplicate merged into it whose document has a row in test."""
    first(case)["also_in"] = [first(case, "test")["group"]]


@further("leak_group", "chat")
def _continue_a_chat(case: Case) -> None:
    """a chat of train goes on in test, under a system turn."""
    chat, more = first(case)["messages"], first(case, "test")["messages"]
    system = {"role": "system", "content": "Be brief.", "learn": False}
    first(case, "test")["messages"] = [system, *copy.deepcopy(chat), *more]


@further("leak_group")
def _swap_a_pair(case: Case) -> None:
    """a pair of texts of train stands in validation the other way round."""
    pair, other = first(case), first(case, "validation")
    pair["text_pair"] = other["text"]
    other |= {"text": pair["text_pair"], "text_pair": pair["text"]}


@mutation("copies_in_train")
def _made_into_test(case: Case) -> None:
    """a made row is in test."""
    case.rows["test"].append(case.rows["train"].pop() | {"split": "test"})


@mutation("parents_in_train")
def _held_out_parent(case: Case) -> None:
    """a made row has a parent in test."""
    case.rows["train"][-1]["parents"] = [first(case, "test")["id"]]
