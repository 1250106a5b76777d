"""The command line: exit codes, one line for a mistake, answers in words, and a quick --help."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import typer
from rich.markup import RE_TAGS
from typer.testing import CliRunner, Result

from pipeline import __main__ as command_line
from pipeline import finetune, flow, store
from pipeline.commands import building
from pipeline.errors import AssayError
from tests.conftest import ROOT
from tests.small import CSV, LABELS, csv, made, table

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

HEAVY = [
    "torch",
    "transformers",
    "datasets",
    "pandas",
    "pyarrow",
    "numpy",
    "sklearn",
    "duckdb",
    "great_expectations",
    "nlpaug",
    "jieba",
    "pydantic",
]
LINES = [f"{n},the boat left harbour {n} on time,{('good', 'bad')[n % 2]}" for n in range(12)]


@pytest.fixture
def one(tmp_path: Path) -> Recipe:
    return made(tmp_path, CSV + LABELS, {"rows.csv": csv("id,text,label", [*LINES, "99,[b]x[/b] [/nonsense],soso"])})


def assay(one: Recipe | None, *arguments: str) -> Result:
    data = ("--data", str(one.folder.parent)) if one else ()
    return CliRunner().invoke(command_line.app, [*arguments, *data])


def test_help_imports_nothing_heavy_and_is_quick() -> None:
    code = (
        "import sys; from typer.testing import CliRunner; from pipeline.__main__ import app;"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0;"
        f"print(sorted(set({HEAVY}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "pipeline", "--help"], cwd=ROOT, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Time of the processor, which other work on the machine changes least; about 0.3 s where nothing else runs.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0


def test_help_names_every_command_and_the_exit_codes() -> None:
    told = assay(None, "--help").output
    stages, others = ("ingest", "audit", "augment", "split"), ("why", "ledger", "check-recipe", "new")
    for command in (*stages, "run", "gate", "gates-selftest", "finetune", "evaluate", "report", "audit-plan", *others):
        assert command in told
        assert assay(None, command, "--help").exit_code == 0
    assert "Exit codes" in told


def test_help_says_every_bracket_that_it_is_written_with() -> None:
    command: Any = typer.main.get_command(command_line.app)
    for one in (command, *command.commands.values()):
        for text in (one.help, one.epilog, *(getattr(each, "help", None) for each in one.params)):
            styles = {found[3].lstrip("/") for found in RE_TAGS.finditer(text or "") if len(found[2]) % 2 == 0}
            assert styles <= {"bold"}, (one.name, text)
    assert "([review] blind_share)" in " ".join(assay(None, "export", "--help").output.split())


def test_training_says_that_gates_do_not_pass_or_were_not_asked(one: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finetune, "finetune", lambda recipe, console: {})
    assert "but no gate has looked at it" in assay(one, "finetune").output
    for verdict, told in (("FAIL", "1 gate does not pass (rows)"), ("PASS", "")):
        results = [{"gate": "rows", "verdict": verdict}, {"gate": "other", "verdict": "WARN"}]
        monkeypatch.setattr(store, "read_report", lambda folder, results=results: {"results": results})
        output = " ".join(assay(one, "finetune").output.split())
        assert (told in output) if told else ("trained on" not in output)


def test_a_recipe_that_asks_for_shares_of_what_has_none_is_refused_before_anything_is_built(one: Recipe) -> None:
    path = one.folder / "recipe.toml"
    toml = path.read_text(encoding="utf-8")
    path.write_text(toml + '\n[finetune]\nsoft_labels = "votes"\n', encoding="utf-8")
    assert assay(one, "check-recipe").exit_code == 0
    path.write_text(
        toml.replace('"classification"', '"chat"') + '\n[finetune]\nsoft_labels = "votes"\n', encoding="utf-8"
    )
    result = assay(one, "check-recipe")
    assert result.exit_code != 0
    assert "shares are for labels" in str(result.exception)


@pytest.mark.parametrize("stage", ["ingest", "audit", "augment", "split"])
def test_stages_build_up_to_themselves(one: Recipe, stage: str) -> None:
    first = assay(one, stage, "small", "--workers", "1")
    assert first.exit_code == 0, first.output
    last = "suspect" if stage == "audit" else stage  # the list of suspects is part of the audit for who types it
    beside = {".lock", "report.html", "memo", "versions"}
    assert {path.name for path in one.build.iterdir()} - beside == {*flow.NAMES[: flow.NAMES.index(last) + 1]}
    assert "as before" not in first.output
    assert "as before" in assay(one, stage, "small", "--workers", "1").output


def test_the_closing_table_tells_the_reasons(one: Recipe) -> None:
    told = assay(one, "split", "--workers", "1").output
    assert "unknown_label 1" in told
    assert "train" in told


def test_why_and_ledger_print_what_data_says_as_text(one: Recipe) -> None:
    assert assay(one, "split", "--workers", "1").exit_code == 0
    told = assay(one, "why", "s/99").output
    assert "[b]x[/b] [/nonsense]" in told
    assert "REJECTED: unknown_label" in told
    ledger = assay(one, "ledger", "small").output
    assert "records read" in ledger
    assert "-1" in ledger


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ledger", "small"), "data set 'small': nothing was built yet; assay run small"),
        (("why", "s/1"), "row 's/1': nothing was built yet; assay run"),
        (("split", "smal"), "did you mean 'small'?"),
        (("gate", "nowhere"), "data set 'nowhere': there is no "),
    ],
)
def test_mistakes_are_told_by_place_and_way_out(one: Recipe, arguments: tuple[str, ...], said: str) -> None:
    result = assay(one, *arguments)
    assert isinstance(result.exception, AssayError)
    assert said in str(result.exception)


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of the whole command."""
    monkeypatch.setattr(sys, "argv", ["assay", *arguments])
    with pytest.raises(SystemExit) as caught:
        command_line.main()
    return int(caught.value.code or 0)


def test_exit_codes(one: Recipe, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    data = ("--data", str(one.folder.parent))
    assert ended(monkeypatch, "check-recipe", "small", *data) == 0
    assert "small: good, task classification, 1 source(s)" in capsys.readouterr().out
    assert ended(monkeypatch, "audit", "nothing", *data) == 2
    said = capsys.readouterr().err
    assert said.startswith("assay: data set 'nothing': ")
    assert "Traceback" not in said
    assert ended(monkeypatch, "no-such-command") == 2
    assert ended(monkeypatch, "audit", "--batch-rows", "0", *data) == 2


@pytest.mark.parametrize("way", [KeyboardInterrupt(), SystemExit(130)])
def test_being_stopped_is_no_traceback(
    way: BaseException, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(**_: Any) -> None:
        raise way

    codes: list[int] = []
    monkeypatch.setattr(command_line, "app", stopped)
    monkeypatch.setattr(os, "_exit", codes.append)
    command_line.main()
    assert codes == [130]
    assert capsys.readouterr().err == "assay: stopped; run again to go on\n"


@pytest.mark.parametrize("code", [0, 1, 3])
def test_run_ends_as_the_gates_do_and_reports_all_the_same(
    one: Recipe, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr(building, "_gates", lambda recipes, **how: code)
    monkeypatch.setattr(building, "_report", lambda recipes, **how: seen.append([recipe.name for recipe in recipes]))
    assert assay(one, "run", "--workers", "1").exit_code == code
    assert seen == [["small"]]
    assert table(one, "split", "train")


def test_a_schema_for_editors(one: Recipe) -> None:
    assert json.loads(assay(None, "check-recipe", "--schema").output)["title"] == "RecipeSettings"
    (one.folder / "recipe.toml").write_text(CSV.replace("columns", "colums"), encoding="utf-8")
    result = assay(one, "check-recipe")
    assert "no setting 'colums'; did you mean 'columns'?" in str(result.exception)


def test_the_module_runs_as_a_command(tmp_path: Path) -> None:
    environment = os.environ | {"ASSAY_DATA": str(tmp_path)}
    command = [sys.executable, "-m", "pipeline", "ledger", "nothing"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("assay: data set 'nothing': there is no ")
    assert len(done.stderr.splitlines()) == 1


def test_typer_is_told_nothing_that_it_would_print_as_a_traceback() -> None:
    assert isinstance(command_line.app, typer.Typer)
    assert command_line.app.pretty_exceptions_enable is False
