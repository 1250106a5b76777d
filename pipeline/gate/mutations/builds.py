"""Faults of a build: what is learned, agreed, checked and counted, and what changed since the last version."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from pipeline.gate.mutations.fault import first, further, mutation
from pipeline.gate.sample import LABELS, Case
from pipeline.settings import Guideline
from pipeline.tasks import canonical, task

if TYPE_CHECKING:
    pass


@mutation("learned_tokens", "chat")
def _nothing_to_learn(case: Case) -> None:
    """no turn of a dialogue is marked to be learned."""
    for turn in first(case)["messages"]:
        turn["learn"] = False


@mutation("token_budget")
def _short_limit(case: Case) -> None:
    """the length limit cuts every row."""
    case.raw["finetune"]["max_tokens"] = 8


@mutation("agreement_floor")
def _disagree(case: Case) -> None:
    """annotators agree hardly more than by chance."""
    case.reports["audit"]["details"]["agreement"]["all"][0].update(value=0.25, low=0.15)


@mutation("agreement_reliable")
def _disagree_somewhat(case: Case) -> None:
    """annotators agree moderately."""
    case.reports["audit"]["details"]["agreement"]["all"][0].update(value=0.5, low=0.45)


@mutation("decisions_fit")
def _outdate_a_decision(case: Case) -> None:
    """a human decision judges an answer that the row has no more."""
    case.reports["audit"]["details"]["decisions"]["stale"].append("decisions.jsonl:1: row made/1 was warm")


def _check_all(case: Case, *, wrong: int) -> None:
    """A plan is there, and people checked all rows and found the first ones wrong."""
    case.plan = {"at_most": 0.05, "by": []}
    kind = task(case.task, Guideline())
    rows = [row for split in case.rows.values() for row in split if not row["parents"]]
    case.checks = [
        {"row": row["id"], "verdict": "wrong" if at < wrong else "fine", "who": "mo", "when": "2026-01-05"}
        | {"text": kind.shown(row), "answer": canonical(kind.answer(row))}
        for at, row in enumerate(rows)
    ]


@mutation("checked_bound")
def _find_errors(case: Case) -> None:
    """people found three of 40 rows wrong, and the plan allows one in twenty."""
    _check_all(case, wrong=3)


@further("checked_bound")
def _check_nothing(case: Case) -> None:
    """a plan was made, and nobody has checked anything."""
    _check_all(case, wrong=0)
    case.checks = []


@further("checked_bound")
def _change_after_the_check(case: Case) -> None:
    """all rows were checked, and then a row of train got another answer."""
    _check_all(case, wrong=0)
    case.plan = {"at_most": 0.02, "by": []}
    first(case)["labels"] = [LABELS[1]]


@mutation("row_count_change")
def _shrink(case: Case) -> None:
    """train had twice as many rows at the last build."""
    case.earlier = case.earlier | {"train": 2 * case.earlier["train"]}


@mutation("rejected_share")
def _reject_half(case: Case) -> None:
    """the audit rejects half of what it reads."""
    case.reports["audit"]["counts"].update({"in": 80, "rejected": 40})


@mutation("conservation")
def _lose_a_row(case: Case) -> None:
    """the audit neither kept nor rejected a row."""
    case.reports["audit"]["counts"]["rejected"] -= 1


@mutation("handed_on")
def _read_an_older_result(case: Case) -> None:
    """the split read one row more than augmentation kept."""
    case.reports["split"]["counts"]["in"] += 1
    case.reports["split"]["counts"]["kept"] += 1


def _keep_a_version(case: Case) -> None:
    """An earlier version holds the very rows that are there before the fault."""
    case.base = copy.deepcopy(case.rows)


@mutation("test_untouched")
def _relabel_a_test_row(case: Case) -> None:
    """a row of test has another answer than in the last version."""
    _keep_a_version(case)
    row = first(case, "test")
    row["labels"] = [LABELS[1] if row["labels"] == [LABELS[0]] else LABELS[0]]


@further("test_untouched")
def _swap_a_test_row(case: Case) -> None:
    """a row of test stood in train in the last version, and one of train in test."""
    _keep_a_version(case)
    case.rows["test"][0], case.rows["train"][5] = case.rows["train"][5], case.rows["test"][0]


@further("test_untouched", "tagging")
def _add_a_test_row(case: Case) -> None:
    """test has a row more than in the last version."""
    _keep_a_version(case)
    case.rows["test"].append(copy.deepcopy(first(case, "test")) | {"id": "made/new", "group": "new"})


@mutation("labels_flipped")
def _flip_a_label(case: Case) -> None:
    """one row in forty has another answer than in the last version."""
    _keep_a_version(case)
    first(case)["labels"] = [LABELS[1]]


@further("labels_flipped", "tagging")
def _move_an_edge(case: Case) -> None:
    """an entity ends elsewhere than in the last version."""
    _keep_a_version(case)
    row = first(case)
    span = row["spans"][0]
    span["end"] -= 1
    span["text"] = row["text"][span["start"] : span["end"]]


@mutation("labels_flipped_rows")
def _flip_more_than_allowed(case: Case) -> None:
    """two rows have another answer than in the last version, and the recipe allows one."""
    _keep_a_version(case)
    case.raw["gate"] = {"bounds": {"labels_flipped_rows": 1}}
    for row in case.rows["train"][:2]:
        row["labels"] = [LABELS[1]]


@mutation("rows_lost_share")
def _lose_rows(case: Case) -> None:
    """three of 42 rows of the last version are gone, and as many have come."""
    _keep_a_version(case)
    for number, row in enumerate(case.rows["train"][5:8]):
        row["id"] = f"made/{number + 900}"


@mutation("class_drift")
def _change_the_mixture(case: Case) -> None:
    """a sixth of the labels are of another class than in the last version."""
    _keep_a_version(case)
    for row in [row for row in case.rows["train"] if row["labels"] == [LABELS[0]]][:7]:
        row["labels"] = [LABELS[1]]
