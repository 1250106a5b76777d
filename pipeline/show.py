"""What is shown in the terminal: progress bars, the closing table, the ledger, the life of a row."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.tree import Tree

from pipeline.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pipeline.flow import Line
    from pipeline.lives import Event

LAPSED_SHOWN = 3
COLOURS = {"PASS": "green", "WARN": "yellow", "FAIL": "red", "ERROR": "magenta"}


@contextmanager
def progress(console: Console, name: str) -> Iterator[Callable[[str], Callable[[int], None]]]:
    """A bar for each stage: gives the function that begins one and returns the function that moves it on."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
    with Progress(*columns, TextColumn("rows"), TimeElapsedColumn(), console=console, transient=True) as bars:
        rows: dict[str, int] = {}

        def begin(stage: str) -> Callable[[int], None]:
            known = max(rows.values(), default=0) or None
            bar = bars.add_task(f"{escape(name)} {stage}", total=known)

            def tick(done: int) -> None:
                rows[stage] = rows.get(stage, 0) + done
                bars.update(bar, completed=rows[stage], total=max(known or 0, rows[stage]))

            return tick

        yield begin


def closing(reports: Sequence[Mapping[str, Any]], name: str) -> Table:
    """The closing table of a build: rows in, made, kept, rejected by reason, stage by stage; the sides of the split."""
    table = Table(title=f"{name}: from raw records to splits", title_justify="left", header_style="bold")
    for column in ("stage", "in", "made", "joined", "rejected", "kept"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    table.add_column("why rejected")
    table.add_column("worked on", justify="right")
    for report in reports:
        counts = report["counts"]
        why = ", ".join(
            f"{reason} {count:,}" for reason, count in sorted(counts["reasons"].items(), key=lambda i: -i[1])
        )
        numbers = [f"{counts[column]:,}" for column in ("in", "made", "joined", "rejected", "kept")]
        if counts["looks"]:
            numbers, why = [numbers[0], *[""] * 4], "looks, and takes out nothing"
        table.add_row(report["stage"], *numbers, why, _worked_on(report))
    if "train" in reports[-1]["tables"]:
        sides = {side: reports[-1]["tables"][side]["rows"] for side in ("train", "validation", "test")}
        table.caption = "  ".join(f"{side} {rows:,}" for side, rows in sides.items())
        table.caption_justify = "left"
    return table


def _worked_on(report: Mapping[str, Any]) -> str:
    """How many rows of a stage were worked on; what others were made into is remembered of the last build."""
    if not report["fresh"]:
        return "[dim]as before[/dim]"
    return "all" if report["counts"]["looks"] else f"{report['anew']:,} rows"


def attention(reports: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a person should look at after a build: annotators, decisions without effect, a build of nothing."""
    told = []
    for report in reports:
        decided = report["details"].get("decisions", {})
        for kind, means in (("stale", "no longer fit their rows"), ("without_effect", "change nothing")):
            if lines := decided.get(kind):
                more = f"; and {len(lines) - LAPSED_SHOWN:,} more" if len(lines) > LAPSED_SHOWN else ""
                shown = "; ".join(map(plain, lines[:LAPSED_SHOWN]))
                told.append(f"[yellow]{len(lines)} decisions {means}[/yellow]: {shown}{more}")
        told += [
            *_of_annotators(report["details"]),
            *_of_duplicates(report["details"]),
            *(_of_suspects(report["details"]) if report["counts"]["looks"] else ()),
            *(_of_the_lock(report["details"]) if report.get("fresh") else ()),
        ]
    last = next(report["counts"] for report in reversed(reports) if not report["counts"]["looks"])
    if not last["kept"]:
        reasons = {reason: count for report in reports for reason, count in report["counts"]["reasons"].items()}
        most = max(reasons, key=lambda reason: reasons[reason], default="there were none")
        told.append(f"[red]no row is left[/red]; the commonest reason: {plain(most)}. assay why FILE:LINE tells more.")
    return told


def _of_duplicates(details: Mapping[str, Any]) -> Iterator[str]:
    """How many rows say what another says, or the contrary, and how many a held-out or an existing set holds."""
    found = details.get("duplicates", {})
    if found.get("merged"):
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in found.get("merged_by_kind", {}).items())
        yield f"duplicates: {found['merged']:,} rows are merged into others ({plain(kinds)})"
    if found.get("in_conflict"):
        rules = ", ".join(f"{count:,} by {rule}" for rule, count in found.get("conflicts_by_rule", {}).items())
        yield f"[yellow]{found['in_conflict']:,} rows are in conflict[/yellow] with others that ask the same ({rules})"
    for name, one in found.get("known_elsewhere", {}).items():
        if one["rows"]:
            yield f"known elsewhere: {one['rows']:,} rows stand in {plain(name)} already"
    if rows := details.get("contamination", {}).get("rows"):
        yield f"[yellow]{rows:,} rows hold words of a held-out set[/yellow]"


def _of_annotators(details: Mapping[str, Any]) -> Iterator[str]:
    """What the audit warns of: how answers were settled, and who may not have read."""
    for warning in details.get("consensus", {}).get("warnings", ()):
        yield f"[yellow]consensus[/yellow]: {plain(warning)}"
    suspicious = [card["name"] for card in details.get("annotators", {}).get("cards", ()) if card["suspect"]]
    if suspicious:
        some = ", ".join(plain(name) for name in suspicious[:5]) + (", ..." if len(suspicious) > 5 else "")
        yield f"[yellow]{len(suspicious)} annotators may not have read what they answered[/yellow], or copied: {some}"


def _of_suspects(found: Mapping[str, Any]) -> Iterator[str]:
    """How many answers look wrong."""
    if found.get("listed"):
        verdicts = ", ".join(f"{count} {verdict}" for verdict, count in sorted(found["verdicts"].items()))
        more = found["likely_wrong"] - found["listed"]
        rest = f"; {more:,} more are as suspicious: raise audit.suspect_share" if more > 0 else ""
        yield f"suspects: {found['listed']:,} of {found['checked']:,} rows are listed ({verdicts}){rest}"


DEALT_ANEW = (
    "[red]split.lock is gone: all rows were dealt anew[/red], those of the test set, too; take it from version control",
)


def _of_the_lock(details: Mapping[str, Any]) -> Iterator[str]:
    """Rows that changed sides since the lock was written before."""
    moved = (details.get("lock") or {}).get("last_change", {}).get("moved", 0)
    if moved:
        yield f"[yellow]{moved:,} rows are on another side than before[/yellow], as split.lock tells"


def waterfall(lines: Sequence[Line], name: str) -> Table:
    """The ledger: what came in, what left at which stage and why, what is left."""
    table = Table(title=f"ledger of {name}", title_justify="left", header_style="bold")
    table.add_column("stage")
    table.add_column("what")
    table.add_column("count", justify="right")
    for line in lines:
        style = "bold" if line.total else "dim" if line.count < 0 else ""
        table.add_row(
            line.stage, plain(line.what), f"{line.count:+,}" if not line.total else f"{line.count:,}", style=style
        )
    return table


def tree(row: str, events: Sequence[Event]) -> Tree:
    """The life of a row."""
    root = Tree(f"[bold]{plain(row)}[/bold]")
    for event in events:
        branch = root.add(f"[cyan]{event.stage}[/cyan]  {plain(event.what)}")
        for more in event.more:
            branch.add(plain(more))
    return root


def plain(text: str) -> str:
    """Text from data as a terminal may show it: no control characters that would act on it, no markup of ours."""
    return escape(visible(text))


def gates(results: Sequence[Mapping[str, Any]], name: str, *, every: bool = False) -> Group:
    """What the gates say: a count of each verdict, and the gates that did not pass with value, bound and remedy."""
    counts = {verdict: sum(result["verdict"] == verdict for result in results) for verdict in COLOURS}
    told = "  ".join(f"[{COLOURS[verdict]}]{verdict} {count}[/]" for verdict, count in counts.items())
    table = Table(header_style="bold", show_edge=False)
    for column in ("gate", "verdict", "value", "bound", "n", "what it means, and what to do"):
        table.add_column(column, justify="right" if column in ("value", "bound", "n") else "left")
    for result in results:
        if every or result["verdict"] != "PASS":
            verdict = f"[{COLOURS[result['verdict']]}]{result['verdict']}[/]"
            numbers = [_number(result.get(column)) for column in ("value", "bound", "n")]
            advice = "" if result["verdict"] == "PASS" else f"{result['said']}\n{result['remedy']}"
            table.add_row(result["gate"], verdict, *numbers, plain(advice))
    title = f"[bold]gates of {escape(name)}[/bold]  {told}"
    return Group(title, table) if table.row_count else Group(title)


def scores(report: Mapping[str, Any], name: str) -> Table:
    """The scores of a model on the test side, with 95 % intervals, beside what the simplest rival reaches."""
    found = report["details"]["scores"]["test"]
    rival, reached = _rival(found)
    title = f"{name}: {found['n']:,} rows of the test side, 95 % intervals"
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in ("metric", "value", "interval", rival):
        table.add_column(column, justify="left" if column == "metric" else "right")
    for metric, score in (found["metrics"] | found.get("replies", {}).get("metrics", {})).items():
        row = [metric, f"{score['value']:.4f}", _interval(score)]
        base = f"{reached[metric]:.4f}" if metric in reached else ""
        table.add_row(*row, base, style="bold" if metric == found["headline"] else "")
    shares = found.get("shares") or {}
    for metric, score in shares.get("metrics", {}).items():
        table.add_row(f"{metric} to shares", f"{score['value']:.4f}", _interval(score), "")
    table.caption, table.caption_justify = " ".join(_remarks(report, found, reached)) or None, "left"
    return table


def _remarks(report: Mapping[str, Any], found: Mapping[str, Any], reached: Mapping[str, float]) -> Iterator[str]:
    """What has to be known beside the scores: which rows they are of, and whether anything was learned at all."""
    if sampled := report["details"].get("sampled"):
        yield f"{sampled['test']['rows']:,} of {sampled['test']['of_rows']:,} rows, because {sampled['why']}."
    if shares := found.get("shares"):
        yield f"{shares['n']:,} rows have shares of labels, the entropy of which is {shares['entropy']:.4f}."
    if not found.get("base_model"):
        metrics, told = found["metrics"], {"accuracy", found["headline"]} & reached.keys() & found["metrics"].keys()
        if low := sorted(name for name in told if metrics[name]["value"] <= reached[name]):
            yield f"No better than the commonest answer by {', '.join(low)}: train longer, or on more rows."


def _interval(score: Mapping[str, Any]) -> str:
    """An interval in words; some are not to be had, as from too few groups of rows."""
    return "not known" if score["low"] is None else f"{score['low']:.4f} to {score['high']:.4f}"


def _rival(found: Mapping[str, Any]) -> tuple[str, dict[str, float]]:
    """What the scores are held against, and its own: the model before training, or the commonest answer every time."""
    if base := found.get("base_model"):
        return "before training", {"token_loss": base["loss"]["value"], "perplexity": base["perplexity"]["value"]}
    return "commonest answer", (found.get("majority") or {}).get("metrics", {})


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else escape(str(value))


class Clock:
    """How long something took, and how many rows a second that is."""

    def __init__(self) -> None:
        self.begun = time.perf_counter()

    def told(self, rows: int = 0) -> str:
        """The time since the clock was made, in words."""
        seconds = time.perf_counter() - self.begun
        return f"{seconds:.1f} s" + (f", {rows / seconds:,.0f} rows/s" if rows else "")
