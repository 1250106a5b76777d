"""Mutations: for every gate one fault that must trip it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.contract import contract
from pipeline.gate.sample import LABELS, Case
from pipeline.settings import Guideline
from pipeline.tasks import canonical, task

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.tasks import Row


@dataclass(frozen=True)
class Mutation:
    """A fault: the gate that must see it, the task of the build it is made in, and what it does."""

    gate: str
    task: str
    says: str
    break_: Callable[[Case], None]


MUTATIONS: dict[str, Mutation] = {}
FURTHER: list[Mutation] = []
"""More faults for gates that look at several things."""


def _mutation(gate: str, task: str = "classification") -> Callable[[Callable[[Case], None]], Callable[[Case], None]]:
    def keep(break_: Callable[[Case], None]) -> Callable[[Case], None]:
        MUTATIONS[gate] = Mutation(gate=gate, task=task, says=(break_.__doc__ or "").rstrip("."), break_=break_)
        return break_

    return keep


def _further(gate: str, task: str = "classification") -> Callable[[Callable[[Case], None]], Callable[[Case], None]]:
    def keep(break_: Callable[[Case], None]) -> Callable[[Case], None]:
        FURTHER.append(Mutation(gate=gate, task=task, says=(break_.__doc__ or "").rstrip("."), break_=break_))
        return break_

    return keep


def _first(case: Case, split: str = "train") -> Row:
    return case.rows[split][0]


def _copy(case: Case, **changed: Any) -> Row:
    """A copy of the first row of train under an id and group of its own, added to train."""
    row = copy.deepcopy(_first(case)) | {"id": "made/copy", "group": "a copy"} | changed
    case.rows["train"].append(row)
    return row


@_mutation("schema")
def _drop_a_column(case: Case) -> None:
    """validation is written without its weights."""
    schema = contract(case.task).schema
    case.schemas["validation"] = schema.remove(schema.get_field_index("weight"))


@_mutation("content")
def _tamper(case: Case) -> None:
    """train holds other rows than its report says."""
    case.split_report = lambda report: report["tables"]["train"].update(content="0" * 32)


@_mutation("split_filled")
def _empty_a_split(case: Case) -> None:
    """test has no rows."""
    case.rows["test"] = []


@_mutation("split_shares")
def _want_other_shares(case: Case) -> None:
    """the recipe wants half of the rows in train, 70 % are there."""
    case.raw["split"] = {"train": 0.5, "validation": 0.25, "test": 0.25}


@_mutation("ids_unique")
def _same_id(case: Case) -> None:
    """a row of test has the id of a row of train."""
    _first(case, "test")["id"] = _first(case)["id"]


@_mutation("blank_text")
def _blank(case: Case) -> None:
    """a text is nothing but white space."""
    _first(case)["text"] = " \u3000\n"


@_mutation("encoding")
def _lost_character(case: Case) -> None:
    """a text holds U+FFFD."""
    _first(case)["text"] += "\ufffd"


@_mutation("control_characters")
def _bell(case: Case) -> None:
    """a text holds a control character."""
    _first(case)["text"] += "\x07"


@_mutation("mojibake")
def _wrong_encoding(case: Case) -> None:
    """a text was UTF-8 and read as Latin-1."""
    _first(case)["text"] += " café".encode().decode("latin-1")


@_mutation("languages")
def _foreign(case: Case) -> None:
    """one row in forty is French."""
    _first(case)["language"] = "fr"


@_mutation("task_rules")
def _break_a_rule(case: Case) -> None:
    """a row carries two labels where the guideline allows one."""
    _first(case)["labels"] = list(LABELS)


@_mutation("label_count")
def _no_label(case: Case) -> None:
    """a row carries no label."""
    _first(case)["labels"] = []


@_mutation("span_validity", "tagging")
def _shift_a_span(case: Case) -> None:
    """a span is off by one."""
    _first(case)["spans"][0]["start"] += 1


@_mutation("tag_sequences", "tagging")
def _cut_a_token(case: Case) -> None:
    """a span ends inside a token."""
    row = _first(case)
    span = row["spans"][0]
    span["end"] -= 1
    span["text"] = row["text"][span["start"] : span["end"]]


@_mutation("chat_turns", "chat")
def _answer_first(case: Case) -> None:
    """the assistant speaks before the user."""
    _first(case)["messages"].reverse()


@_mutation("chat_replies", "chat")
def _echo(case: Case) -> None:
    """the reply is a copy of what the user said."""
    turns = _first(case)["messages"]
    turns[-1]["content"] = turns[0]["content"]


@_mutation("label_set")
def _unknown_label(case: Case) -> None:
    """a label is not in the guideline."""
    _first(case)["labels"] = ["lukewarm"]


def _relabel(case: Case, split: str, *, leave: int) -> None:
    warm = [row for row in case.rows[split] if row["labels"] == [LABELS[0]]]
    for row in warm[leave:]:
        row["labels"] = [LABELS[1]]


@_mutation("class_floor_train")
def _rare_class(case: Case) -> None:
    """a class has nine rows in train."""
    _relabel(case, "train", leave=9)


@_mutation("class_floor_validation")
def _class_not_in_validation(case: Case) -> None:
    """a class has no row in validation."""
    _relabel(case, "validation", leave=0)


@_mutation("class_floor_test")
def _class_not_in_test(case: Case) -> None:
    """a class has no row in test."""
    _relabel(case, "test", leave=0)


@_mutation("weights")
def _weightless(case: Case) -> None:
    """a row weighs nothing."""
    _first(case)["weight"] = 0.0


@_mutation("duplicates_exact")
def _repeat(case: Case) -> None:
    """a row stands in train twice."""
    _copy(case)


@_mutation("duplicates_normalised")
def _repeat_louder(case: Case) -> None:
    """a row stands in train twice, once in capitals."""
    _copy(case, text=_first(case)["text"].upper() + "!")


@_mutation("conflicts")
def _contradict(case: Case) -> None:
    """a text of train has two answers."""
    _copy(case, labels=[LABELS[1]])


@_mutation("leak_exact")
def _leak(case: Case) -> None:
    """a text of train stands in test."""
    _first(case, "test")["text"] = _first(case)["text"]


@_mutation("leak_normalised")
def _leak_louder(case: Case) -> None:
    """a text of train stands in test in capitals."""
    _first(case, "test")["text"] = _first(case)["text"].upper() + "!"


@_mutation("leak_near")
def _leak_misspelt(case: Case) -> None:
    """a text of train stands in validation with a letter missing."""
    text = _first(case)["text"]
    _first(case, "validation")["text"] = text[:-3] + text[-2:]


@_mutation("leak_contained")
def _leak_quoted(case: Case) -> None:
    """a text of train stands in test, with more around it."""
    quoted = _first(case)["text"]
    _first(case, "test")["text"] += f" Somebody had written this before: {quoted} Nobody knew who it was."


@_mutation("entity_overlap", "tagging")
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


@_mutation("stratum_deviation")
def _deal_unevenly(case: Case) -> None:
    """a class is two points off its share, and its groups allow half a point."""
    strata = {"answer=warm": {"rows": 200, "deviation_points": 2.0, "best_points": 0.5}}
    told = {"max_excess_points": 1.5, "most_excessive_stratum": "answer=warm", "strata": strata}
    case.reports["split"]["details"].update(told)


@_mutation("leak_group")
def _part_a_group(case: Case) -> None:
    """a document has rows in train and in test."""
    _first(case, "test")["group"] = _first(case)["group"]


@_further("leak_group")
def _part_a_merged_group(case: Case) -> None:
    """a row of train has a duplicate merged into it whose document has a row in test."""
    _first(case)["also_in"] = [_first(case, "test")["group"]]


@_further("leak_group", "chat")
def _continue_a_chat(case: Case) -> None:
    """a chat of train goes on in test, under a system turn."""
    chat, more = _first(case)["messages"], _first(case, "test")["messages"]
    system = {"role": "system", "content": "Be brief.", "learn": False}
    _first(case, "test")["messages"] = [system, *copy.deepcopy(chat), *more]


@_further("leak_group")
def _swap_a_pair(case: Case) -> None:
    """a pair of texts of train stands in validation the other way round."""
    pair, other = _first(case), _first(case, "validation")
    pair["text_pair"] = other["text"]
    other |= {"text": pair["text_pair"], "text_pair": pair["text"]}


@_mutation("copies_in_train")
def _made_into_test(case: Case) -> None:
    """a made row is in test."""
    case.rows["test"].append(case.rows["train"].pop() | {"split": "test"})


@_mutation("parents_in_train")
def _held_out_parent(case: Case) -> None:
    """a made row has a parent in test."""
    case.rows["train"][-1]["parents"] = [_first(case, "test")["id"]]


@_mutation("learned_tokens", "chat")
def _nothing_to_learn(case: Case) -> None:
    """no turn of a dialogue is marked to be learned."""
    for turn in _first(case)["messages"]:
        turn["learn"] = False


@_mutation("token_budget")
def _short_limit(case: Case) -> None:
    """the length limit cuts every row."""
    case.raw["finetune"]["max_tokens"] = 8


@_mutation("agreement_floor")
def _disagree(case: Case) -> None:
    """annotators agree hardly more than by chance."""
    case.reports["audit"]["details"]["agreement"]["all"][0].update(value=0.25, low=0.15)


@_mutation("agreement_reliable")
def _disagree_somewhat(case: Case) -> None:
    """annotators agree moderately."""
    case.reports["audit"]["details"]["agreement"]["all"][0].update(value=0.5, low=0.45)


@_mutation("decisions_fit")
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


@_mutation("checked_bound")
def _find_errors(case: Case) -> None:
    """people found three of 40 rows wrong, and the plan allows one in twenty."""
    _check_all(case, wrong=3)


@_further("checked_bound")
def _check_nothing(case: Case) -> None:
    """a plan was made, and nobody has checked anything."""
    _check_all(case, wrong=0)
    case.checks = []


@_further("checked_bound")
def _change_after_the_check(case: Case) -> None:
    """all rows were checked, and then a row of train got another answer."""
    _check_all(case, wrong=0)
    case.plan = {"at_most": 0.02, "by": []}
    _first(case)["labels"] = [LABELS[1]]


@_mutation("row_count_change")
def _shrink(case: Case) -> None:
    """train had twice as many rows at the last build."""
    case.earlier = case.earlier | {"train": 2 * case.earlier["train"]}


@_mutation("rejected_share")
def _reject_half(case: Case) -> None:
    """the audit rejects half of what it reads."""
    case.reports["audit"]["counts"].update({"in": 80, "rejected": 40})


@_mutation("conservation")
def _lose_a_row(case: Case) -> None:
    """the audit neither kept nor rejected a row."""
    case.reports["audit"]["counts"]["rejected"] -= 1


@_mutation("handed_on")
def _read_an_older_result(case: Case) -> None:
    """the split read one row more than augmentation kept."""
    case.reports["split"]["counts"]["in"] += 1
    case.reports["split"]["counts"]["kept"] += 1


def _keep_a_version(case: Case) -> None:
    """An earlier version holds the very rows that are there before the fault."""
    case.base = copy.deepcopy(case.rows)


@_mutation("test_untouched")
def _relabel_a_test_row(case: Case) -> None:
    """a row of test has another answer than in the last version."""
    _keep_a_version(case)
    row = _first(case, "test")
    row["labels"] = [LABELS[1] if row["labels"] == [LABELS[0]] else LABELS[0]]


@_further("test_untouched")
def _swap_a_test_row(case: Case) -> None:
    """a row of test stood in train in the last version, and one of train in test."""
    _keep_a_version(case)
    case.rows["test"][0], case.rows["train"][5] = case.rows["train"][5], case.rows["test"][0]


@_further("test_untouched", "tagging")
def _add_a_test_row(case: Case) -> None:
    """test has a row more than in the last version."""
    _keep_a_version(case)
    case.rows["test"].append(copy.deepcopy(_first(case, "test")) | {"id": "made/new", "group": "new"})


@_mutation("labels_flipped")
def _flip_a_label(case: Case) -> None:
    """one row in forty has another answer than in the last version."""
    _keep_a_version(case)
    _first(case)["labels"] = [LABELS[1]]


@_further("labels_flipped", "tagging")
def _move_an_edge(case: Case) -> None:
    """an entity ends elsewhere than in the last version."""
    _keep_a_version(case)
    row = _first(case)
    span = row["spans"][0]
    span["end"] -= 1
    span["text"] = row["text"][span["start"] : span["end"]]


@_mutation("labels_flipped_rows")
def _flip_more_than_allowed(case: Case) -> None:
    """two rows have another answer than in the last version, and the recipe allows one."""
    _keep_a_version(case)
    case.raw["gate"] = {"bounds": {"labels_flipped_rows": 1}}
    for row in case.rows["train"][:2]:
        row["labels"] = [LABELS[1]]


@_mutation("rows_lost_share")
def _lose_rows(case: Case) -> None:
    """three of 42 rows of the last version are gone, and as many have come."""
    _keep_a_version(case)
    for number, row in enumerate(case.rows["train"][5:8]):
        row["id"] = f"made/{number + 900}"


@_mutation("class_drift")
def _change_the_mixture(case: Case) -> None:
    """a sixth of the labels are of another class than in the last version."""
    _keep_a_version(case)
    for row in [row for row in case.rows["train"] if row["labels"] == [LABELS[0]]][:7]:
        row["labels"] = [LABELS[1]]
