"""The lead's page: what was decided, by whom, what is left and what it cost; data stays text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline import decisions, reviewing
from pipeline.pages import lead
from pipeline.pages.build import read
from pipeline.pages.reviewed import Review, people, progress
from pipeline.reviewing.progress import facts
from tests.exchange.rounds import topics
from tests.pages import stages
from tests.pages.test_pages import ACTIVE, Page

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe


def said(one: Recipe, **more: Any) -> Review:
    """The review of a data set as it stands."""
    return Review(facts=facts(one, reviewing.queue(one)), **more)


def decided(one: Recipe, *, people_: tuple[str, ...] = ("ann",)) -> None:
    """Every suspect judged by everybody."""
    lines = reviewing.queue(one).lines.to_pylist()
    told = [
        {"row": line["id"], "verdict": "wrong", "was": [line["given"]], "answer": [line["likely"]], "who": who,
         "when": "2026-01-05T10:00:00Z", "why": "seen", "seconds": 6.0, "score": line["score"],
         "suggested": line["likely"], "act": f"{who}-{line['line']}"}
        for line in lines if line["likely"] for who in people_
    ]  # fmt: skip
    decisions.add(one.decisions, told)


def test_before_anybody_looked_it_says_how_to_begin(tmp_path: Path) -> None:
    one = topics(tmp_path)
    page = Page(lead.write(one, said(one)).read_text(encoding="utf-8"))
    assert "Nobody has judged anything yet" in page.said
    assert "assay review small --who YOU" in page.said
    assert page.faults == []


def test_it_tells_what_was_confirmed_by_whom_and_at_what_cost(tmp_path: Path) -> None:
    one = topics(tmp_path)
    decided(one, people_=("ann", "bob"))
    page = Page(lead.write(one, said(one)).read_text(encoding="utf-8"))
    count = len(reviewing.queue(one).lines)
    assert page.faults == []
    assert f"{count}" in page.said
    for word in ("ann", "bob", "errors confirmed", "minutes per confirmed error", "they agree"):
        assert word in page.said


def test_it_says_what_each_figure_of_errors_counts(tmp_path: Path) -> None:
    one = topics(tmp_path)
    for people_ in ((), ("ann",)):
        decided(one, people_=people_)
        left = said(one).facts["left"]
        page = Page(lead.write(one, said(one)).read_text(encoding="utf-8"))
        for name, what in (("wrong lines left in the queue", "queue"), ("wrong rows left outside it", "below")):
            assert f"{name} {left[what]['value']:,.0f} [" in " ".join(page.said.split())
        assert "Errors that the instruments cannot see are in none of these figures" in page.said
    assert "Share of all kept rows that hold an error, listed or not" in page.said


def test_the_page_stands_until_something_is_new(tmp_path: Path) -> None:
    one = topics(tmp_path)
    path = lead.write(one, said(one))
    before = path.stat().st_mtime_ns
    assert lead.write(one, said(one)).stat().st_mtime_ns == before
    decided(one)
    assert lead.write(one, said(one)).stat().st_mtime_ns > before


def test_money_is_told_where_a_rate_is_given(tmp_path: Path) -> None:
    one = topics(tmp_path)
    path = one.folder / "recipe.toml"
    path.write_text(path.read_text().replace("[review]", '[review]\nrate_per_hour = 36.0\ncurrency = "CHF"'))
    from pipeline import recipe

    one = recipe.load(path)
    decided(one)
    review = said(one)
    minutes = review.facts["minutes"]["spent"]
    text = Page(lead.render(read(one), review)).said
    assert "CHF so far" in text
    assert f"{minutes / 60 * 36:,.2f}" in text


def test_people_who_differ_are_told_at_once(tmp_path: Path) -> None:
    one = topics(tmp_path)
    decided(one)
    section = people(read(one), said(one, conflicts=["row s/8: ann says wrong; bob says fine"]))
    assert "People differ on 1 row" in json.dumps([getattr(block, "text", "") for block in section.blocks])


def test_who_decided_by_a_rule_alone_has_no_share_of_lines(tmp_path: Path) -> None:
    one = topics(tmp_path)
    rule = {"given": "sport", "becomes": "art", "phrases": ["oil"]}
    told = {"rule": rule, "verdict": "wrong", "who": "ann", "when": "2026-01-05T10:00:00Z", "why": "seen"}
    decisions.add(one.decisions, [told])
    page = Page(lead.write(one, said(one)).read_text(encoding="utf-8"))
    assert page.faults == []
    assert "ann" in page.said


@pytest.mark.parametrize("text", stages.HOSTILE)
def test_what_reviewers_and_groups_are_called_stays_text(tmp_path: Path, text: str) -> None:
    one = stages.built(tmp_path)
    made = topics(tmp_path / "other")
    decided(made, people_=(text[:40],))
    review = said(
        made,
        groups=[{"says": text, "lines": 3, "touches": 4, "doubtful": 0, "expected": 2.0, "minutes": 1.0}],
        conflicts=[text],
    )
    page = Page(lead.render(read(one), review))
    assert page.faults == []
    assert ACTIVE.isdisjoint(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]


def test_a_review_of_nothing_has_no_curve(tmp_path: Path) -> None:
    one = topics(tmp_path)
    kinds = [type(block).__name__ for block in progress(read(one), said(one)).blocks]
    assert "Charts" not in kinds
