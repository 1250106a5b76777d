"""The diff in words, Markdown and the terminal: the test set first, hostile text harmless, its own numbers."""

from __future__ import annotations

import re
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from pipeline.versions import diff, saying, show
from pipeline.versions.pasted import markdown
from tests.builds import a_text
from tests.pages.stages import HOSTILE
from tests.versions.made import Sides, changed, gone, kept, texts, with_row, without

if TYPE_CHECKING:
    from pathlib import Path


def found(tmp_path: Path, rows: Sides, **told: Any) -> dict[str, Any]:
    return diff(kept(tmp_path / "a", texts()), kept(tmp_path / "b", rows, **told))


def shown(what: Any) -> str:
    console = Console(file=StringIO(), width=200, force_terminal=True, color_system=None)
    console.print(what)
    out = console.file
    assert isinstance(out, StringIO)
    return out.getvalue()


@pytest.mark.parametrize(
    ("rows", "told", "said"),
    [
        (texts(), {}, "Nothing changed."),
        (texts(), {"licence": "MIT"}, "No row changed; the recipe did."),
        (changed(texts(), "film/1", text="new"), {}, "The test set is untouched."),
        (
            changed(without(texts(), "film/11"), "film/5", labels=["negative"]),
            {},
            "The test set changed (1 removed, 1 relabelled): scores before and after are not of the same rows.",
        ),
    ],
)
def test_the_test_set_is_spoken_of_first(tmp_path: Path, rows: Sides, told: dict[str, Any], said: str) -> None:
    one = found(tmp_path, rows, **told)
    assert saying.verdict(one) == said
    assert said in markdown(one).split("\n\n")[1]
    assert said in shown(show.compared(one, limit=3))


def renamed(names: tuple[str, str], *, aliases: tuple[str, ...] = ()) -> dict[str, Any]:
    """A guideline of two labels, of which the first has these aliases."""
    labels = [{"name": names[0], "aliases": list(aliases)}, {"name": names[1]}]
    return {"version": names[0], "label": labels}


@pytest.mark.parametrize(
    ("before", "aliases", "said"),
    [
        (("negative", "positive"), ("negative",), True),
        (("negative", "positive"), (), False),
        (("negative", "bad"), ("negative",), False),
    ],
)
def test_a_label_that_is_only_called_otherwise(
    tmp_path: Path, before: tuple[str, str], aliases: tuple[str, ...], said: bool
) -> None:
    rows = {
        side: [{**row, "labels": ["bad"] if row["labels"] == ["negative"] else row["labels"]} for row in lines]
        for side, lines in texts().items()
    }
    old = kept(tmp_path / "a", texts(), guideline=renamed(before))
    one = diff(old, kept(tmp_path / "b", rows, guideline=renamed(("bad", "positive"), aliases=aliases)))
    count = sum(row["labels"] == ["bad"] for lines in rows.values() for row in lines)
    told = f" Of these, a label is only called otherwise (renamed): negative → bad, {count} times." if said else ""
    assert saying.counts(one).endswith(f"{count} relabelled.{told}")
    assert ("negative → bad, " in markdown(one)) == said
    assert one["new_names"] == ([{"from": "negative", "to": "bad", "count": count}] if said else [])


def hostile() -> Sides:
    rows = texts()
    for number, text in enumerate(HOSTILE):
        rows = with_row(rows, "train", a_text(f"film/h{number}{text[:30]}", text, text[:20] or "x"))
    rows = changed(rows, "film/1", labels=[HOSTILE[0]], text=HOSTILE[1])
    return changed(rows, "film/5", text="@you see #12 `x` | **b** https://evil.com www.evil.com\n# top\n```\n")


def outside_code(text: str) -> str:
    """What is not code: of runs of backticks, each ends at the next of the same length."""
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text.replace("\\`", ""), flags=re.DOTALL)


def test_markdown_of_hostile_rows_says_them_as_code_only(tmp_path: Path) -> None:
    text = markdown(found(tmp_path, hostile(), rejected=[gone("film/3", "conflict")], title="```\n@you <b>"))
    outside = outside_code(text)
    tags = set(re.findall(r"<[^>]*>", outside))
    assert tags == {"<details>", "<summary>", "</summary>", "</details>"}
    assert not re.search(r"@\w|#\d|https?://|www\.\w|\*\*b", outside)
    for line in text.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) in (3, 4, 7, 10)  # the columns of its table
    assert outside.count("<details>") == outside.count("</details>")
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_terminal_gets_no_control_characters_and_no_markup_from_data(tmp_path: Path) -> None:
    rows = with_row(hostile(), "test", a_text("film/0-new", "[bold red]not ours[/] \x1b[31m", "[/x]"))
    text = shown(show.compared(found(tmp_path, rows), limit=10))
    assert "[bold red]not ours[/]" in text
    assert "\x1b[31m" not in text
    assert "\u202e" not in text


def test_tables_hold_the_numbers_of_the_diff(tmp_path: Path) -> None:
    rows = with_row(changed(texts(), "film/5", labels=["negative"]), "test", a_text("film/77", "new", weight=0.5))
    one = found(tmp_path, changed(rows, "film/1", weight=0.5), rejected=[gone("film/90", "tied")])
    parts = {part.title: part for part in saying.parts(one)}
    assert next(iter(parts)) == "Sides"
    assert parts["Sides"].lines[0] == ("test", "2", "3", "1", "", "", "", "1", "")
    assert parts["From which label to which"].lines == [("positive → negative", "1")]
    assert parts["Other columns that differ"].lines == [("weight", "1")]
    assert parts["Rejected now, and not there before"].lines == [("tied", "1")]
    assert all(len(line) == len(part.head) for part in parts.values() for line in part.lines)


def test_the_list_of_versions(tmp_path: Path) -> None:
    from pipeline import versions
    from tests.versions.made import build

    first = kept(tmp_path, texts())
    recipe = build(tmp_path, texts())
    versions.told(recipe, "WARN")
    second = kept(tmp_path, changed(texts(), "film/5", labels=["negative"]))
    lines = shown(show.listed(versions.listing(recipe), "tiny")).splitlines()
    (newest,) = [line for line in lines if second.id in line]
    (oldest,) = [line for line in lines if first.id in line]
    assert lines.index(newest) < lines.index(oldest)
    assert "+0 -0 ~1" in newest
    assert "not told" in newest
    assert "WARN" in oldest
