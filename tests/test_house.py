"""The house itself: rules declared are reasons given, stages name no task, one version, a README that is true."""

from __future__ import annotations

import ast
import re
import tomllib
from typing import TYPE_CHECKING

import pytest

import pipeline
from pipeline import flow
from pipeline.answers import ANSWER_FIELDS
from pipeline.contract import contract
from pipeline.quality.replying import DOUBTS
from pipeline.settings import RecipeSettings
from pipeline.tasks import KNOWN
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = ROOT / "pipeline"
TASKS = KNOWN
# What speaks of models, pages and gates, and not of why a row is rejected.
ELSEWHERE = (
    *("commands", "finetune", "gate", "pages", "settings", "storage", "versions"),
    *("__main__.py", "show.py", "scaffold.py"),
)
FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).parts[0] not in ELSEWHERE]
DECLARED = {name: rule for task in TASKS for name, rule in contract(task).rules.items()}
# Where a call names a reason: the position of the argument.
SPOKEN = {"Unfit": 0, "Problem": 0, "Broken": 1, "broken": 1, "Fate": 3}


def texts(node: ast.AST | None) -> set[str]:
    """The texts that an expression may be, looking into `a if b else c`."""
    if isinstance(node, ast.Constant):
        return {node.value} if isinstance(node.value, str) else set()
    if isinstance(node, ast.IfExp):
        return texts(node.body) | texts(node.orelse)
    return texts(node.elts[0]) if isinstance(node, ast.Tuple) and node.elts else set()


def given(node: ast.AST) -> set[str]:
    """The reasons that a piece of code names where reasons are given."""
    found: set[str] = set()
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in SPOKEN and len(node.args) > SPOKEN[name]:
            found |= texts(node.args[SPOKEN[name]])
        found |= {text for word in node.keywords if word.arg in ("reason", "rule") for text in texts(word.value)}
    elif isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        found |= {text for key, value in pairs if texts(key) == {"reason"} for text in texts(value)}
    elif isinstance(node, ast.Assign) and ".reason[" in ast.unparse(node.targets[0]):
        found |= texts(node.value)
    return found - {""}


def constants(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def reasons() -> dict[str, set[str]]:
    """Every reason that the code names, with the files that do."""
    found: dict[str, set[str]] = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for reason in given(node):
                found.setdefault(reason, set()).add(path.relative_to(PACKAGE).as_posix())
    return found


def test_every_reason_that_is_given_is_a_declared_rule() -> None:
    found = reasons()
    assert len(found) > 20
    assert {name: files for name, files in found.items() if name not in DECLARED} == {}


def test_every_declared_rule_can_be_given() -> None:
    named = set().union(*(constants(path) for path in FILES))
    assert sorted(set(DECLARED) - named) == []


@pytest.mark.parametrize("task", TASKS)
def test_the_rules_of_a_task_are_those_that_its_file_gives(task: str) -> None:
    spine = set.intersection(*(set(contract(one).rules) for one in TASKS))
    own = set(contract(task).rules) - spine
    others = {name for one in TASKS if one != task for name in contract(one).rules} - spine - own
    here = constants(PACKAGE / "tasks" / f"{task}.py")
    assert not here & others
    assert own & here


def test_stages_are_named_once_and_follow_one_another() -> None:
    assert len(set(flow.NAMES)) == len(flow.NAMES)
    assert [one.after for one in flow.STAGES if one.name in flow.DECIDING] == [None, *flow.DECIDING[:-1]]
    assert all(flow.NAMES.index(one.after) < flow.NAMES.index(one.name) for one in flow.STAGES if one.after)
    for one in flow.STAGES:
        assert set(one.sections) <= set(RecipeSettings.model_fields)
        assert one.run.__name__ == one.name == one.run.__module__.removeprefix("pipeline.")


def code_words(path: Path) -> Iterator[str]:
    """Names and texts in the code of a file, its docstrings aside."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value.value = ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (alias.name for alias in node.names)


@pytest.mark.parametrize(
    "stage",
    [
        *flow.NAMES,
        "shaping",
        "answers",
        "hearing",
        "voting",
        "electing",
        "settling",
        "verdicts",
        "measuring",
        "replaying",
        "ambiguity",
        "stage",
        "flow",
        "lives",
        *(f"{name}/{path.stem}" for name in ("decisions", "exchange", "relabelling", "reviewing")
          for path in sorted((PACKAGE / name).glob("*.py"))),
    ],
)  # fmt: skip
def test_stages_name_no_task(stage: str) -> None:
    words = set(code_words(PACKAGE / f"{stage}.py"))
    assert not words & (set(TASKS) - set(ANSWER_FIELDS))  # some are fields of files, too
    assert not [word for word in words if re.match(rf"pipeline\.tasks\.({'|'.join(TASKS)})", word)]


def test_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == pipeline.__version__


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_every_module_has_a_caption(path: Path) -> None:
    caption = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert caption
    assert caption.splitlines()[0].endswith((".", ":"))


def test_no_drawer_for_everything_else() -> None:
    names = {path.stem for path in PACKAGE.rglob("*.py")}
    assert not names & {"utils", "util", "helpers", "helper", "common", "misc", "base"}


def test_no_broad_except_and_nothing_that_runs_what_data_says() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            place = f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.ExceptHandler):
                # BaseException is for clearing up, and only where it is raised again.
                assert node.type is not None, place
                caught = ast.unparse(node.type)
                assert caught != "Exception", place
                assert caught != "BaseException" or isinstance(node.body[-1], ast.Raise), place
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id not in {"eval", "exec", "compile", "__import__"}, place
            elif isinstance(node, ast.keyword) and node.arg == "trust_remote_code":
                assert ast.unparse(node.value) == "False", place
            elif isinstance(node, ast.Import | ast.ImportFrom):
                modules = {getattr(node, "module", ""), *(alias.name for alias in node.names)}
                assert not modules & {"pickle", "marshal", "shelve", "dill", "joblib"}, place


def tree_of_readme() -> list[str]:
    """The paths of the tree that the README draws: lines of a code block that begin with a path under pipeline/."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return sorted(set(re.findall(r"\b(?:pipeline|schemas|tests|data)/[\w./-]*[\w/]", text)))


@pytest.mark.skipif(not (ROOT / "README.md").is_file(), reason="there is no README yet")
def test_the_readme_names_what_is_there() -> None:
    # What a build makes is not there before it; NAME and <name> stand for a name of the user's.
    built = ("data/build", "data/public", "data/reviews/checks")
    missing = [path for path in tree_of_readme() if not path.startswith(built) and not (ROOT / path).exists()]
    assert [path for path in missing if not re.search(r"NAME|name|tickets", path)] == []
    there = {path.name for folder in ("pipeline", "tests", "schemas") for path in (ROOT / folder).rglob("*")}
    modules = set(re.findall(r"\b(\w+\.py)\b", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert sorted(modules - there - {"NAME.py"}) == []


def doubted(path: Path) -> set[str]:
    """The kinds of doubt that the functions of a file can give: as arguments, or as keys of what they looked at."""
    found: set[str] = set()
    for part in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        inside = list(ast.walk(part)) if isinstance(part, ast.FunctionDef) else []
        calls = [node for node in inside if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Doubt"]
        keys = [key for node in inside if isinstance(node, ast.Dict) for key in node.keys]
        if calls:
            found |= {text for node in (*keys, *(call.args[0] for call in calls if call.args)) for text in texts(node)}
    return found


def test_every_doubt_has_its_weight() -> None:
    found = set().union(*(doubted(path) for path in (PACKAGE / "tasks").glob("*.py")))
    assert len(found) > 10
    assert found <= set(DOUBTS)
