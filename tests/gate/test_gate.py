"""The gate as a whole: every fault is caught, what could not be checked is no pass, and the artefacts are stable."""

from __future__ import annotations

import filecmp
import json
from html.parser import HTMLParser
from importlib import metadata
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import gate as gating
from pipeline import store
from pipeline.errors import AssayError
from pipeline.gate import exit_code, gate
from pipeline.gate import selftest as testing
from pipeline.gate.mutations import MUTATIONS
from pipeline.gate.sample import Words, good
from pipeline.gate.suite import declared
from pipeline.pages.visible import visible

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> $column {{ 7*7 }}"


class Seen(HTMLParser):
    """The tags and attributes of a page as a browser would take them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs


def verdicts(report: dict[str, Any]) -> dict[str, str]:
    return {result["gate"]: result["verdict"] for result in report["results"]}


@pytest.mark.slow
def test_every_gate_catches_its_mutation() -> None:
    missed = [line for line in testing.selftest() if not line.caught]
    assert missed == []


def test_every_gate_has_a_mutation_and_every_mutation_a_gate() -> None:
    assert {one.name for one in declared()} == set(MUTATIONS)


def test_selftest_misses_a_gate_without_mutation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testing, "KNOWN", ())
    monkeypatch.setattr(testing, "_broken_checks", list)
    monkeypatch.setattr(testing, "MUTATIONS", {})
    lines = testing.selftest(declared()[:1])
    assert [line.caught for line in lines] == [False]


def test_selftest_misses_a_gate_that_sees_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testing, "KNOWN", ())
    monkeypatch.setattr(testing, "_broken_checks", list)
    monkeypatch.setattr(testing, "MUTATIONS", {"encoding": MUTATIONS["blank_text"]})
    lines = testing.selftest([one for one in declared() if one.name == "encoding"])
    assert [(line.got, line.caught) for line in lines] == [("PASS", False)]


def test_good_build_passes_and_is_not_checked_twice(tmp_path: Path) -> None:
    recipe = good("classification").write(tmp_path)
    first = gate(recipe, tokenizer_loader=Words)
    assert [result["said"] for result in first["results"] if result["verdict"] != "PASS"] == []
    assert exit_code(first) == 0
    assert first["fresh"]
    second = gate(recipe, tokenizer_loader=Words)
    assert not second["fresh"]
    assert second["results"] == first["results"]


def test_same_build_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        case = good("tagging")
        case.rows["train"][0]["text"] += "\ufffd"
        recipe = case.write(tmp_path / name)
        assert exit_code(gate(recipe, tokenizer_loader=Words)) == 1
    left, right = (tmp_path / name / "build" / "selftest" / "gate" for name in ("one", "two"))
    names = sorted(str(path.relative_to(left)) for path in left.rglob("*") if path.is_file())
    assert "report.json" in names
    assert "docs/rows.html" in names
    assert filecmp.cmpfiles(left, right, names, shallow=False) == (names, [], [])
    assert str(tmp_path) not in (left / "report.json").read_text(encoding="utf-8")


def test_without_a_tokenizer_token_gates_are_errors_with_a_reason(tmp_path: Path) -> None:
    report = gate(good("chat").write(tmp_path))
    found = {result["gate"]: result for result in report["results"] if result["verdict"] == "ERROR"}
    assert set(found) == {"learned_tokens", "token_budget"}
    assert "no tokenizer" in found["learned_tokens"]["said"]
    assert exit_code(report) == 3


def test_tokenizer_that_cannot_be_loaded_is_an_error_not_a_crash(tmp_path: Path) -> None:
    def load() -> Any:
        raise AssayError("model 'x'", "is not there")

    report = gate(good("chat").write(tmp_path), tokenizer_loader=load)
    assert verdicts(report)["learned_tokens"] == "ERROR"
    assert "model 'x': is not there" in next(r["said"] for r in report["results"] if r["gate"] == "learned_tokens")


def test_first_build_passes_row_count_change_with_a_note_and_the_next_compares(tmp_path: Path) -> None:
    case = good("classification")
    recipe = case.write(tmp_path / "a")
    change = {result["gate"]: result for result in gate(recipe, tokenizer_loader=Words)["results"]}["row_count_change"]
    assert (change["verdict"], change["value"]) == ("PASS", None)
    assert "no earlier build" in change["said"]
    del case.rows["train"][10:18]
    smaller = case.write(tmp_path / "b")
    (recipe.build / "gate").rename(smaller.build / "gate")
    change = {result["gate"]: result for result in gate(smaller, tokenizer_loader=Words)["results"]}["row_count_change"]
    assert change["verdict"] == "WARN"
    assert change["evidence"] == {"selftest": "train: 30 rows then, 22 now"}


def row_change(report: dict[str, Any]) -> str:
    return verdicts(report)["row_count_change"]


def test_counts_that_warned_are_not_what_the_next_build_is_held_to(tmp_path: Path) -> None:
    """22 rows after 30 is a warning, and still one when the 22 are gated again; a wider bound takes them as good."""
    case = good("classification")
    recipe = case.write(tmp_path / "a")
    gate(recipe, tokenizer_loader=Words)
    folder = recipe.build / "gate"

    def again(name: str) -> dict[str, Any]:
        nonlocal folder
        after = case.write(tmp_path / name)
        folder = folder.rename(after.build / "gate")
        return gate(after, tokenizer_loader=Words)

    del case.rows["train"][10:18]
    assert row_change(again("b")) == "WARN"
    case.rows["train"][0]["weight"] = 0.5
    report = again("c")
    assert (row_change(report), report["fresh"]) == ("WARN", True)
    assert report["counts"]["rows"]["train"] == 22
    assert report["counts"]["rows_last_passed"]["train"] == 30
    case.raw["gate"] = {"severity": {"row_count_change": "off"}}
    assert again("d")["counts"]["rows_last_passed"]["train"] == 30
    case.raw["gate"] = {"bounds": {"row_count_change": 0.5}}
    assert row_change(again("e")) == "PASS"
    del case.raw["gate"]
    report = again("f")
    assert (row_change(report), report["counts"]["rows_last_passed"]["train"]) == ("PASS", 22)


def test_a_changed_gate_is_checked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = good("classification").write(tmp_path)
    gate(recipe, tokenizer_loader=Words)
    code = tmp_path / "code"
    code.mkdir()
    for path in gating.CODE.glob("*.py"):
        (code / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(gating, "CODE", code)
    assert not gate(recipe, tokenizer_loader=Words)["fresh"]
    (code / "facts.py").write_bytes((code / "facts.py").read_bytes() + b"# another")
    assert gate(recipe, tokenizer_loader=Words)["fresh"]


def test_another_great_expectations_checks_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = good("classification").write(tmp_path)
    gate(recipe, tokenizer_loader=Words)
    told = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "0" if name == "great_expectations" else told(name))
    assert gate(recipe, tokenizer_loader=Words)["fresh"]


def test_another_tokenizer_in_the_same_folder_is_checked_again(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "tokenizer.json").write_text("{}")
    (model / "model.safetensors").write_bytes(b"weights")
    case = good("classification")
    case.raw["finetune"] = {"max_tokens": 64, "model": str(model)}
    recipe = case.write(tmp_path)
    gate(recipe, tokenizer_loader=Words)
    (model / "model.safetensors").write_bytes(b"others")
    assert not gate(recipe, tokenizer_loader=Words)["fresh"]
    (model / "tokenizer.json").write_text('{"version": "1.0"}')
    assert gate(recipe, tokenizer_loader=Words)["fresh"]


def test_a_verdict_that_was_read_since_is_checked_again(tmp_path: Path) -> None:
    case = good("classification")
    recipe = case.write(tmp_path)
    asked = {result["gate"]: result for result in gate(recipe, tokenizer_loader=Words)["results"]}["checked_bound"]
    assert (asked["verdict"], asked["value"]) == ("PASS", None)
    assert asked["said"] == "not measured: nobody has asked for a check (assay audit-plan selftest)"
    (recipe.folder / "checks").mkdir(parents=True)
    (recipe.folder / "checks" / "plan.json").write_text('{"at_most": 0.4, "by": []}', encoding="utf-8")
    report = gate(recipe, tokenizer_loader=Words)
    assert report["fresh"]
    assert verdicts(report)["checked_bound"] == "FAIL"
    kind = {"verdict": "fine", "who": "mo", "when": "2026-01-05"}
    rows = [row for split in case.rows.values() for row in split]
    told = [kind | {"row": row["id"], "text": row["text"], "answer": json.dumps(row["labels"])} for row in rows]
    (recipe.folder / "checks.jsonl").write_text("\n".join(map(json.dumps, told)), encoding="utf-8")
    report = gate(recipe, tokenizer_loader=Words)
    assert report["fresh"]
    assert verdicts(report)["checked_bound"] == "PASS"
    assert not gate(recipe, tokenizer_loader=Words)["fresh"]


def test_the_report_holds_the_content_of_the_split_it_judged(tmp_path: Path) -> None:
    recipe = good("classification").write(tmp_path)
    split = store.read_report(recipe.build / "split")
    assert split is not None
    wanted = {name: split["tables"][name]["content"] for name in ("train", "validation", "test")}
    assert gate(recipe, tokenizer_loader=Words)["split"] == wanted


def test_missing_agreement_is_a_warning_in_words(tmp_path: Path) -> None:
    case = good("classification")
    note = "no row has two annotators"
    case.reports["audit"]["details"]["agreement"]["all"][0].update(value=None, low=None, note=note)
    found = {result["gate"]: result for result in gate(case.write(tmp_path), tokenizer_loader=Words)["results"]}
    assert found["agreement_floor"]["verdict"] == "WARN"
    assert note in found["agreement_floor"]["said"]


def test_results_name_value_bound_n_ids_evidence_and_remedy(tmp_path: Path) -> None:
    case = good("classification")
    case.rows["test"][0]["text"] = case.rows["train"][0]["text"]
    found = {result["gate"]: result for result in gate(case.write(tmp_path), tokenizer_loader=Words)["results"]}
    leak = found["leak_exact"]
    assert leak["ids"] == [case.rows["test"][0]["id"]]
    assert leak["evidence"] == {case.rows["test"][0]["id"]: f"{case.rows['train'][0]['id']} in train"}
    assert (leak["verdict"], leak["offending"], leak["n"], leak["bound"]) == ("FAIL", 1, 42, 0.0)
    assert leak["value"] == pytest.approx(1 / 42)
    assert leak["remedy"]


def test_at_most_a_hundred_ids_and_the_count_of_all(tmp_path: Path) -> None:
    case = good("classification")
    extra = [case.rows["train"][0] | {"id": f"made/copy {at}", "group": f"copy {at}"} for at in range(130)]
    case.rows["train"] += extra
    found = {result["gate"]: result for result in gate(case.write(tmp_path), tokenizer_loader=Words)["results"]}
    assert len(found["duplicates_exact"]["ids"]) == 100
    assert found["duplicates_exact"]["offending"] == 130


def test_stage_that_was_not_run_is_named(tmp_path: Path) -> None:
    recipe = good("classification").write(tmp_path)
    (recipe.build / "augment" / store.REPORT).unlink()
    with pytest.raises(AssayError, match="the stage 'augment' has not been run"):
        gate(recipe)


def test_recipe_turns_gates_off_softens_and_bounds_them(tmp_path: Path) -> None:
    case = good("classification")
    case.rows["train"][0]["text"] += "\ufffd"
    case.rows["train"][1]["weight"] = -1.0
    case.raw["gate"] = {"severity": {"encoding": "warn", "weights": "off"}, "bounds": {"class_floor_train": 500}}
    report = gate(case.write(tmp_path), tokenizer_loader=Words)
    assert report["off"] == ["weights"]
    found = verdicts(report)
    assert "weights" not in found
    assert (found["encoding"], found["class_floor_train"]) == ("WARN", "FAIL")


def test_changed_setting_is_checked_again(tmp_path: Path) -> None:
    case = good("classification")
    gate(case.write(tmp_path / "a"), tokenizer_loader=Words)
    case.raw["gate"] = {"bounds": {"class_floor_train": 500}}
    recipe = case.write(tmp_path / "b")
    (tmp_path / "a" / "build" / "selftest" / "gate").rename(recipe.build / "gate")
    report = gate(recipe, tokenizer_loader=Words)
    assert report["fresh"]
    assert verdicts(report)["class_floor_train"] == "FAIL"


def test_data_docs_run_nothing_fetch_nothing_and_escape(tmp_path: Path) -> None:
    case = good("classification")
    case.rows["test"][0]["id"] = case.rows["train"][0]["id"] = HOSTILE
    case.rows["train"][1]["labels"] = [HOSTILE]
    recipe = case.write(tmp_path)
    report = gate(recipe, tokenizer_loader=Words)
    assert verdicts(report)["ids_unique"] == verdicts(report)["label_set"] == "FAIL"
    pages = {path.name: path.read_text(encoding="utf-8") for path in (recipe.build / "gate" / "docs").iterdir()}
    assert set(pages) == {
        f"{name}.html" for name in ("index", "rows", "classes", "splits", "stages", "summary", "checks", "change")
    }
    assert "&lt;script&gt;alert(1)" in pages["rows.html"]
    assert 'href="rows.html"' in pages["index.html"]
    assert "<td>FAIL</td><td>ids_unique</td>" in pages["index.html"]
    assert all("could not be measured" in page for name, page in pages.items() if name != "index.html")
    for page in pages.values():
        seen = Seen()
        seen.feed(page)
        assert not seen.tags & {"script", "img", "link", "iframe", "object", "embed", "base", "form"}
        assert not [name for name, _ in seen.attributes if name.startswith("on") or name == "src"]
        links = {value for name, value in seen.attributes if name == "href" and value and not value.startswith("#")}
        assert links <= set(pages)
        assert "Traceback" not in page
        assert "default-src 'none'" in page


def test_data_docs_spell_out_what_cannot_be_seen(tmp_path: Path) -> None:
    """Ids that move the cursor or turn text around, and the very spelling of the pages of the report."""
    case = good("classification")
    case.rows["test"][0]["id"] = case.rows["train"][0]["id"] = hostile = "\x1b[31mred\x07\u202egnirts\u200b\x9b"
    recipe = case.write(tmp_path)
    gate(recipe, tokenizer_loader=Words)
    pages = {path.name: path.read_text(encoding="utf-8") for path in (recipe.build / "gate" / "docs").iterdir()}
    for page in pages.values():
        assert not {*"\x1b\x07\u202e\u200b\x9b"} & set(page)
    assert visible(hostile) in pages["index.html"]
    assert visible(hostile) in pages["rows.html"]


def test_report_is_json_that_reads_back(tmp_path: Path) -> None:
    recipe = good("tagging").write(tmp_path)
    report = gate(recipe, tokenizer_loader=Words)
    read = json.loads((recipe.build / "gate" / store.REPORT).read_text(encoding="utf-8"))
    assert read | {"fresh": True} == report
