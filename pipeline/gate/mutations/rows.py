"""Faults of rows: their texts, answers, languages and weights, and rows that say the same twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.contract import contract
from pipeline.gate.mutations.fault import copied, first, mutation
from pipeline.gate.sample import LABELS, Case

if TYPE_CHECKING:
    pass


@mutation("schema")
def _drop_a_column(case: Case) -> None:
    """validation is written without its weights."""
    schema = contract(case.task).schema
    case.schemas["validation"] = schema.remove(schema.get_field_index("weight"))


@mutation("content")
def _tamper(case: Case) -> None:
    """train holds other rows than its report says."""
    case.split_report = lambda report: report["tables"]["train"].update(content="0" * 32)


@mutation("split_filled")
def _empty_a_split(case: Case) -> None:
    """test has no rows."""
    case.rows["test"] = []


@mutation("split_shares")
def _want_other_shares(case: Case) -> None:
    """the recipe wants half of the rows in train, 70 % are there."""
    case.raw["split"] = {"train": 0.5, "validation": 0.25, "test": 0.25}


@mutation("ids_unique")
def _same_id(case: Case) -> None:
    """a row of test has the id of a row of train."""
    first(case, "test")["id"] = first(case)["id"]


@mutation("blank_text")
def _blank(case: Case) -> None:
    """a text is nothing but white space."""
    first(case)["text"] = " \u3000\n"


@mutation("encoding")
def _lost_character(case: Case) -> None:
    """a text holds U+FFFD."""
    first(case)["text"] += "\ufffd"


@mutation("control_characters")
def _bell(case: Case) -> None:
    """a text holds a control character."""
    first(case)["text"] += "\x07"


@mutation("mojibake")
def _wrong_encoding(case: Case) -> None:
    """a text was UTF-8 and read as Latin-1."""
    first(case)["text"] += " café".encode().decode("latin-1")


@mutation("languages")
def _foreign(case: Case) -> None:
    """one row in forty is French."""
    first(case)["language"] = "fr"


@mutation("task_rules")
def _break_a_rule(case: Case) -> None:
    """a row carries two labels where the guideline allows one."""
    first(case)["labels"] = list(LABELS)


@mutation("label_count")
def _no_label(case: Case) -> None:
    """a row carries no label."""
    first(case)["labels"] = []


@mutation("span_validity", "tagging")
def _shift_a_span(case: Case) -> None:
    """a span is off by one."""
    first(case)["spans"][0]["start"] += 1


@mutation("tag_sequences", "tagging")
def _cut_a_token(case: Case) -> None:
    """a span ends inside a token."""
    row = first(case)
    span = row["spans"][0]
    span["end"] -= 1
    span["text"] = row["text"][span["start"] : span["end"]]


@mutation("chat_turns", "chat")
def _answerfirst(case: Case) -> None:
    """the assistant speaks before the user."""
    first(case)["messages"].reverse()


@mutation("chat_replies", "chat")
def _echo(case: Case) -> None:
    """the reply is a copy of what the user said."""
    turns = first(case)["messages"]
    turns[-1]["content"] = turns[0]["content"]


@mutation("label_set")
def _unknown_label(case: Case) -> None:
    """a label is not in the guideline."""
    first(case)["labels"] = ["lukewarm"]


def _relabel(case: Case, split: str, *, leave: int) -> None:
    warm = [row for row in case.rows[split] if row["labels"] == [LABELS[0]]]
    for row in warm[leave:]:
        row["labels"] = [LABELS[1]]


@mutation("class_floor_train")
def _rare_class(case: Case) -> None:
    """a class has nine rows in train."""
    _relabel(case, "train", leave=9)


@mutation("class_floor_validation")
def _class_not_in_validation(case: Case) -> None:
    """a class has no row in validation."""
    _relabel(case, "validation", leave=0)


@mutation("class_floor_test")
def _class_not_in_test(case: Case) -> None:
    """a class has no row in test."""
    _relabel(case, "test", leave=0)


@mutation("weights")
def _weightless(case: Case) -> None:
    """a row weighs nothing."""
    first(case)["weight"] = 0.0


@mutation("duplicates_exact")
def _repeat(case: Case) -> None:
    """a row stands in train twice."""
    copied(case)


@mutation("duplicates_normalised")
def _repeat_louder(case: Case) -> None:
    """a row stands in train twice, once in capitals."""
    copied(case, text=first(case)["text"].upper() + "!")


@mutation("conflicts")
def _contradict(case: Case) -> None:
    """a text of train has two answers."""
    copied(case, labels=[LABELS[1]])
