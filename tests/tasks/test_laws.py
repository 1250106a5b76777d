"""Laws that every task keeps, whatever it means by an answer."""

from __future__ import annotations

import ast
import pickle
import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from pipeline import tasks
from pipeline.contract import SCHEMAS, contract
from pipeline.settling import BY_LABEL, WHOLE_ROW
from pipeline.tasks import KNOWN, Vote, task
from tests.tasks.examples import EXAMPLES, TEXTS, Example
from tests.tiny import CHATML, Kind, tiny_tokenizer

if TYPE_CHECKING:
    from pipeline.tasks import Encoded, Row, Task

ENOUGH, TOO_FEW = 512, 12
KINDS: dict[str, list[Kind]] = {
    "classification": ["wordpiece", "metaspace"],
    "tagging": ["wordpiece", "metaspace", "bytelevel"],
    "rating": ["wordpiece", "metaspace"],
    "relations": ["bytelevel"],
    "chat": ["bytelevel"],
    "writing": ["bytelevel"],
    "answering": ["wordpiece", "metaspace", "bytelevel"],
}
CASES = [(name, kind) for name, example in EXAMPLES.items() for kind in KINDS[example.task]]
each_example = pytest.mark.parametrize("name", list(EXAMPLES))
each_case = pytest.mark.parametrize(("name", "kind"), CASES)


@cache
def tokenizer(kind: Kind) -> Any:
    return tiny_tokenizer(TEXTS, kind, chat_template=CHATML if kind == "bytelevel" else None)


def classes(own: Task) -> list[str]:
    return own.classes(sorted({label for example in EXAMPLES.values() for label in example.guideline.names}))


def perfect_output(own: Task, encoded: Encoded, reader: Any, names: list[str]) -> Any:
    """What a model that learned the targets by heart would put out; where it learned nothing it is undecided."""
    targets = encoded.targets
    if isinstance(targets, int):
        return np.eye(len(names))[targets]
    if own.head == "causal":
        return reader.decode(_last_run([int(target) for target in targets]), skip_special_tokens=True)
    if own.head in ("multilabel", "number"):
        return np.array(targets)
    undecided = np.full(len(names), 1 / len(names))
    return np.array([np.eye(len(names))[int(target)] if target >= 0 else undecided for target in targets])


def _last_run(targets: list[int]) -> list[int]:
    """The last reply's targets: the last that are learned in a row."""
    learned = [at for at, target in enumerate(targets) if target >= 0]
    begin = max(at for at in learned if at - 1 not in learned)
    return targets[begin : learned[-1] + 1]


def seen(own: Task, row: Row) -> Any:
    """An answer without the white space around a reply, which no template keeps."""
    answer = own.answer(row)
    return answer.strip() if isinstance(answer, str) else answer


@each_case
def test_decoding_the_encoded_gold_is_right(name: str, kind: Kind) -> None:
    own, row = EXAMPLES[name].made()
    reader, names = tokenizer(kind), classes(own)
    encoded = own.encode(row, reader, classes=names, max_tokens=ENOUGH)
    assert not encoded.cut
    assert encoded.learned > 0
    output = perfect_output(own, encoded, reader, names)
    answer, probability = own.decode(output, row, reader, classes=names, max_tokens=ENOUGH)
    assert answer == seen(own, row)
    assert probability == pytest.approx(1.0)
    scores = own.score([own.answer(row)], [answer], [row])
    assert scores.metrics[scores.headline] in (1.0, pytest.approx(100.0)) or not own.answer(row)


@each_case
def test_a_row_that_is_cut_is_answered_in_its_own_shape(name: str, kind: Kind) -> None:
    own, row = EXAMPLES[name].made()
    reader, names = tokenizer(kind), classes(own)
    limit = TOO_FEW if own.head == "causal" else 5
    encoded = own.encode(row, reader, classes=names, max_tokens=limit)
    length = len(encoded.inputs["input_ids"])
    assert length <= limit
    whole = own.encode(row, reader, classes=names, max_tokens=ENOUGH)
    assert encoded.cut == (len(whole.inputs["input_ids"]) > limit)
    output: Any = "Any reply" if own.head == "causal" else np.full((length, len(names)), 0.5)
    output = output[0] if own.head in ("sequence", "multilabel", "number") else output
    answer, _ = own.decode(output, row, reader, classes=names, max_tokens=limit)
    assert not list(own.problems(own.with_answer(row, answer)))
    assert own.read_answer(answer, {}, row) == answer


@each_case
def test_every_input_is_as_long_as_the_token_ids(name: str, kind: Kind) -> None:
    own, row = EXAMPLES[name].made()
    for limit in (TOO_FEW, ENOUGH):
        encoded = own.encode(row, tokenizer(kind), classes=classes(own), max_tokens=limit)
        lengths = {len(values) for values in encoded.inputs.values()}
        assert len(lengths) == 1
        if own.head in ("token", "causal"):
            assert isinstance(encoded.targets, list)
            assert {len(encoded.targets)} == lengths
            assert encoded.learned == sum(target != -100 for target in encoded.targets)


@each_case
def test_words_have_the_outputs_of_their_first_tokens(name: str, kind: Kind) -> None:
    """A model that learned the tags by heart says of every word the tag that it has; nothing of what was cut off."""
    own, row = EXAMPLES[name].made()
    reader, names = tokenizer(kind), classes(own)
    words = own.tagged(row)
    if own.head != "token":
        assert words == []
        assert own.by_word(np.zeros((1, len(names))), row, reader, max_tokens=ENOUGH).shape == (0, 0)
        return
    output = perfect_output(own, own.encode(row, reader, classes=names, max_tokens=ENOUGH), reader, names)
    said = own.by_word(output, row, reader, max_tokens=ENOUGH)
    assert said.shape == (len(words), len(names))
    assert said.dtype == np.float32
    asked = np.flatnonzero(np.isfinite(said).all(axis=1))
    assert len(asked) == len(words) if own.measure == "spans" else len(asked)
    assert [names[at] for at in said[asked].argmax(axis=1)] == [words[at][2] for at in asked]
    limit = TOO_FEW
    few = own.by_word(np.full((limit, len(names)), 0.5), row, reader, max_tokens=limit)
    assert few.shape == said.shape
    assert np.isfinite(few).any(axis=1).sum() <= limit


@each_example
def test_pieces_put_back_give_the_identical_row(name: str) -> None:
    own, row = EXAMPLES[name].made()
    assert own.with_pieces(row, own.free_pieces(row)) == row
    assert own.with_mentions(row, [surface for _, surface in own.mentions(row)]) == row


@each_example
def test_an_edit_breaks_no_rule_and_leaves_the_answer(name: str) -> None:
    own, row = EXAMPLES[name].made()
    edited = own.with_pieces(row, [backwards(piece) for piece in own.free_pieces(row)])
    assert not list(own.problems(edited))
    assert own.mentions(edited) == own.mentions(row)
    if own.head != "token":
        assert own.answer(edited) == own.answer(row)
    if any(re.search(r"[^\W\d_]{2}", piece) for piece in own.free_pieces(row)):
        assert edited != row


@each_example
def test_a_longer_wording_moves_what_stands_behind_it(name: str) -> None:
    own, row = EXAMPLES[name].made()
    longer = [re.sub(r"[^\W\d_]+", lambda word: word[0] * 2, piece) for piece in own.free_pieces(row)]
    if name == "tokens zh":
        return  # a character that becomes two is another number of tokens: see test_tagging
    edited = own.with_pieces(row, longer)
    assert not list(own.problems(edited))
    assert own.mentions(edited) == own.mentions(row)


def backwards(piece: str) -> str:
    """Every word spelled from its end: no word more, none fewer."""
    return re.sub(r"[^\W\d_]+", lambda word: word[0][::-1], piece)


EVIDENCE = {
    "sentiment": ["not", "though"],
    "sentiment zh": ["并非", "烂片", "很"],
    "rating": ["not"],
    "rating zh": ["并非", "烂片", "很"],
    "marked pair": ["[fire] came from a 2[spark]"],
    "instruction": ["not", "`Spain`", "1"],
    "instruction zh": ["“你好”", "不"],
    "dialogue": ["北京"],
}


@pytest.mark.parametrize("name", list(EVIDENCE))
def test_an_edit_leaves_the_evidence(name: str) -> None:
    own, row = EXAMPLES[name].made()
    blanked = own.shown(own.with_pieces(row, ["_" for _ in own.free_pieces(row)]))
    assert not [word for word in EVIDENCE[name] if word not in blanked]


@each_example
def test_answers_survive_a_round_trip(name: str) -> None:
    own, row = EXAMPLES[name].made()
    answer = own.answer(row)
    assert own.answer(own.with_answer(row, answer)) == answer
    assert own.read_answer(answer, {}, row) == answer


@each_example
def test_an_answer_changes_only_the_columns_that_are_declared_to_hold_it(name: str) -> None:
    own, row = EXAMPLES[name].made()
    declared = contract(own.name)
    empty = own.shape(EXAMPLES[name].fields, EXAMPLES[name].columns)
    changed = {column for column in row if row[column] != empty[column]}
    assert changed <= set(declared.answers)
    assert set(declared.answers) < set(declared.own) == set(row)


@each_example
def test_one_label_a_row_says_what_is_settled_whatever_else_the_row_says(name: str) -> None:
    own, row = EXAMPLES[name].made()
    if own.measure in BY_LABEL and tuple(own.ballots(row, [own.answer(row)])) == WHOLE_ROW:
        (label,) = {said for votes in own.ballots(row, [own.answer(row)]).values() for said in votes}
        votes = {"": Vote(label or "", 1.0, False, {label or "": 1.0})}
        assert own.elect({}, [], votes) == own.elect(row, [own.answer(row)] * 2, votes)


@each_example
def test_annotators_who_agree_are_taken_at_their_word(name: str) -> None:
    own, row = EXAMPLES[name].made()
    answers = [own.answer(row)] * 3
    ballots = own.ballots(row, answers)
    assert all(len(said) == 3 and len(set(said)) == 1 for said in ballots.values())
    votes = {unit: Vote(said[0] or "", 1.0, False, {said[0] or "": 1.0}) for unit, said in ballots.items()}
    settled = own.elect(row, answers, votes)
    assert (settled.answer, settled.tied) == (answers[0], False)
    assert settled.confidence == pytest.approx(1.0)


@each_example
def test_a_row_counts_towards_something(name: str) -> None:
    own, row = EXAMPLES[name].made()
    assert own.strata(row)
    assert own.shown(row)


@each_example
def test_answers_are_apart_only_where_they_differ(name: str) -> None:
    own, row = EXAMPLES[name].made()
    answer = own.answer(row)
    assert own.distance(answer, answer) == 0.0
    labels = sorted({said for votes in own.ballots(row, [answer]).values() for said in votes if said is not None})
    assert len(own.values(labels)) in (0, len(labels))


@each_example
def test_words_that_are_tagged_stand_in_the_text(name: str) -> None:
    own, row = EXAMPLES[name].made()
    tagged = own.tagged(row)
    assert bool(tagged) == (own.head == "token")
    assert all(0 <= start < end <= len(own.shown(row)) for start, end, _ in tagged)


@each_example
def test_the_examples_raise_no_doubts(name: str) -> None:
    own, row = EXAMPLES[name].made()
    assert not list(own.doubts(row))


@each_example
def test_rows_have_the_columns_that_the_contract_declares(name: str) -> None:
    example: Example = EXAMPLES[name]
    own, row = example.made()
    spine = {column["name"] for column in _toml("spine")["column"]}
    assert set(row) == set(contract(own.name).schema.names) - spine
    assert not list(own.problems(row))


@pytest.mark.parametrize("name", KNOWN)
def test_tasks_travel_to_worker_processes(name: str) -> None:
    for example in EXAMPLES.values():
        if example.task == name:
            own, row = example.made()
            own.free_pieces(row)
            again = pickle.loads(pickle.dumps(own))
            assert again == own
            assert again.free_pieces(row) == own.free_pieces(row)


@pytest.mark.parametrize("name", KNOWN)
def test_rules_declared_are_the_reasons_that_the_code_can_give(name: str) -> None:
    spine, own = set(_toml("spine")["rule"]), set(_toml(name).get("rule", {}))
    given = reasons(Path(str(tasks.__file__)).parent / f"{name}.py")
    assert given - spine == own
    assert given <= set(contract(name).rules)


def reasons(path: Path, wanted: frozenset[str] = frozenset()) -> set[str]:
    """The rule names that parts of a module (all, if none is named), and what they use of pipeline.tasks, can give."""
    found: set[str] = set()
    open_, done = [(path, wanted)], set()
    while open_:
        module = open_.pop()
        if module not in done and module[0].exists():
            done.add(module)
            found |= _own_reasons(*module)
            open_ += _used(*module)
    return found


def _parts(path: Path, wanted: frozenset[str]) -> list[ast.AST]:
    """The named parts of a module, and those of the same module that they use."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if not wanted:
        return [tree]
    made = (part for part in tree.body if isinstance(part, ast.FunctionDef | ast.ClassDef))
    known: dict[str, ast.AST] = {part.name: part for part in made}
    reached, open_ = set(), [name for name in wanted if name in known]
    while open_:
        name = open_.pop()
        reached.add(name)
        used = {node.id for node in ast.walk(known[name]) if isinstance(node, ast.Name)}
        open_ += [other for other in used if other in known and other not in reached]
    return [known[name] for name in reached]


def _own_reasons(path: Path, wanted: frozenset[str]) -> set[str]:
    calls = (node for part in _parts(path, wanted) for node in ast.walk(part) if isinstance(node, ast.Call))
    named = (call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id in ("Problem", "Unfit"))
    return {str(name.value) for name in named if isinstance(name, ast.Constant)}


def _used(path: Path, wanted: frozenset[str]) -> list[tuple[Path, frozenset[str]]]:
    """What the parts of a module use of others in pipeline.tasks: the module, and the names of the parts used."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    modules = {alias.name for node in imports if node.module == "pipeline.tasks" for alias in node.names}
    homes = {
        alias.name: str(node.module).rsplit(".", 1)[-1]
        for node in imports
        if str(node.module).startswith("pipeline.tasks.")
        for alias in node.names
    }
    nodes = [node for part in _parts(path, wanted) for node in ast.walk(part)]
    used = [(homes[node.id], node.id) for node in nodes if isinstance(node, ast.Name) and node.id in homes]
    used += [
        (node.value.id, node.attr)
        for node in nodes
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules
    ]
    return [(path.with_name(f"{module}.py"), frozenset([name])) for module, name in used]


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((SCHEMAS / f"{name}.toml").read_text(encoding="utf-8"))


def test_every_task_has_examples() -> None:
    assert {example.task for example in EXAMPLES.values()} == set(KNOWN)
    for name in KNOWN:
        assert task(name, next(e.guideline for e in EXAMPLES.values() if e.task == name)).name == name
