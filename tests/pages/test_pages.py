"""The report: data stays text, the page is whole and still, and says what has not been run."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import pages, store
from pipeline.contract import contract
from pipeline.pages import build as building
from pipeline.pages import overview
from tests.builds import a_recipe
from tests.pages import stages

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.recipe import Recipe

VOID = {"meta", "br", "hr", "img", "input", "link", "area", "base", "col", "embed", "source", "track", "wbr"}
SHAPES = {"rect", "line", "circle", "polyline", "polygon", "path"}
ACTIVE = {"script", "iframe", "object", "embed", "link", "form", "img", "base", "b", "i", "u"}


class Page(HTMLParser):
    """A page taken apart: its tags, attributes and text, and every tag that does not close what was opened."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.faults: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.feed(page)
        self.close()
        self.faults += self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a tag."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that closes itself: only shapes of SVG do."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in SHAPES:
            self.faults.append(f"{tag}/")

    def handle_endtag(self, tag: str) -> None:
        """Close a tag: it must be the one that was opened last."""
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"/{tag}")

    def handle_data(self, data: str) -> None:
        """Text, but not that of the style sheet."""
        if self.open and self.open[-1] != "style":
            self.text.append(data)

    @property
    def said(self) -> str:
        """All text."""
        return " ".join(self.text)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report of a whole build in which everything is hostile."""
    return pages.write(stages.built(tmp_path_factory.mktemp("hostile"))).read_text(encoding="utf-8")


def test_every_tag_is_closed_by_its_own(hostile: str) -> None:
    assert Page(hostile).faults == []


def test_data_stays_text(hostile: str) -> None:
    page = Page(hostile)
    assert ACTIVE.isdisjoint(page.tags)
    assert page.tags.count("h1") == 1
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert "<script>alert('owned')</script>" in page.said
    assert "{{ 7 * 7 }}{% raw %}" in page.said
    assert "&lt;b&gt; & &amp; &#x3c;" in page.said


def test_hidden_characters_are_spelled_out(hostile: str) -> None:
    assert not {*"\x00\x1b\u202e\u2066\u200b"} & set(hostile)
    assert "[U+202E]gnirts" in Page(hostile).said


def test_long_texts_are_cut_and_say_so(hostile: str) -> None:
    assert "x" * 601 not in hostile
    assert "4,720 more characters" in hostile


def test_nothing_is_fetched_and_nothing_runs(hostile: str) -> None:
    page = Page(hostile)
    links = [value for _, name, value in page.attributes if name in {"src", "href", "srcset", "action", "xlink:href"}]
    assert links
    assert all(link.startswith("#") for link in links)
    assert "url(" not in hostile
    assert "@import" not in hostile
    assert 'content="default-src &#39;none&#39;' in hostile or "content=\"default-src 'none'" in hostile


def test_names_of_parts_are_unique_and_links_meet_them(hostile: str) -> None:
    page = Page(hostile)
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    wanted = [value for _, name, values in page.attributes if name == "aria-labelledby" for value in values.split()]
    wanted += [value[1:] for _, name, value in page.attributes if name == "href"]
    assert wanted
    assert set(wanted) <= set(ids)


def test_every_picture_says_what_it_shows(hostile: str) -> None:
    pictures = hostile.split('<svg role="img"')[1:]
    assert len(pictures) > 8
    assert all("<title" in picture.split("</svg>")[0] and "<desc" in picture.split("</svg>")[0] for picture in pictures)


def test_verdicts_are_words_as_well_as_colours(hostile: str) -> None:
    said = Page(hostile).said
    assert "Do not train on this yet: of 4 gates, 1 FAIL (<u>leaks</u>) and 1 ERROR (tokens)." in " ".join(said.split())
    assert all(f"</span> {verdict}</span>" in hostile for verdict in ("PASS", "WARN", "FAIL", "ERROR"))
    assert "could not be checked" in said
    assert "remedy" in said


def test_the_top_of_the_page_says_that_the_model_saw_a_sample(hostile: str) -> None:
    top = " ".join(Page(hostile.partition("<nav")[0]).said.split())
    assert "macro F1 0.700 [0.600, 0.800] on 10 test rows" in top
    assert "trained on a sample: 5 of 10 rows" in top


def test_scores_of_a_model_that_replies(tmp_path: Path) -> None:
    figure = {"value": 1.5, "low": 1.25, "high": 1.75}
    replies = {"n": 4, "headline": "chrf", "metrics": {"chrf": figure}}
    told = {"n": 24, "headline": "token_loss", "metrics": {"token_loss": figure}, "gain": figure, "replies": replies}
    evaluated = {"details": {"scores": {"test": told, "validation": {"n": 3}}, "sampled": None}}
    page = Page(pages.render(building.Build(a_recipe(tmp_path), {"evaluate": evaluated})))
    said = " ".join(page.said.split())
    assert page.faults == []
    assert "token loss 1.500 [1.250, 1.750] on 24 test rows, 1.500 [1.250, 1.750] lower than before training" in said
    assert "4 replies were given in full and scored" in said
    assert "chrf (headline) 1.500 1.250 1.750" in said
    assert "4 of 24 test rows were answered in full" in said


@pytest.mark.parametrize("last", list(stages.WRITERS))
def test_a_build_may_stop_anywhere(tmp_path: Path, last: str) -> None:
    page = Page(pages.write(stages.built(tmp_path, last=last)).read_text(encoding="utf-8"))
    assert page.faults == []
    said = " ".join(page.said.split())
    after = list(stages.WRITERS)[list(stages.WRITERS).index(last) + 1 :]
    assert all(f"{stage} has not been run." in said for stage in after)
    assert ("Not run yet." in said) == (last in ("ingest", "audit", "augment", "split", "gate"))
    assert ("Not judged yet" in said) == (last in ("ingest", "audit", "augment", "split"))


def test_nothing_built_is_said_not_raised(tmp_path: Path) -> None:
    page = Page(pages.write(a_recipe(tmp_path)).read_text(encoding="utf-8"))
    assert page.faults == []
    assert page.said.count("Not run yet.") == 12


def test_reports_without_details_are_borne(tmp_path: Path) -> None:
    of = stages.built(tmp_path)
    for stage in stages.WRITERS:
        report = store.read_report(of.build / stage)
        assert report is not None
        store.write_report(of.build / stage, report | {"details": {}, "counts": {}})
    assert Page(pages.write(of).read_text(encoding="utf-8")).faults == []


def test_the_same_build_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = (pages.write(stages.built(tmp_path / name)).read_bytes() for name in ("one", "other"))
    assert one == other


def test_a_report_that_says_it_all_is_left_alone(tmp_path: Path) -> None:
    of = stages.built(tmp_path, last="ingest")
    path = pages.write(of)
    before = path.stat().st_mtime_ns, path.stat().st_ino
    assert (pages.write(of).stat().st_mtime_ns, path.stat().st_ino) == before
    stages.WRITERS["audit"](of)
    assert pages.write(of).stat().st_ino != before[1]
    assert "Krippendorff" in path.read_text(encoding="utf-8")


def test_the_waterfall_shows_every_line(tmp_path: Path) -> None:
    of = stages.built(tmp_path, last="ingest")
    lines = [_Line("ingest", "records read", 20, True), _Line("ingest", "unreadable_record", -10, False)]
    said = " ".join(Page(pages.write(of, lines=lines).read_text(encoding="utf-8")).said.split())
    assert "records read 20 ingest" in said
    assert "unreadable record −10 ingest" in said


def test_stages_that_do_not_meet_are_an_alarm(tmp_path: Path) -> None:
    of = stages.built(tmp_path, last="audit")
    stages.whole(of, "ingest", {}, counts=stages.counted(20, 11))
    section = overview.counts(building.read(of), ())
    assert "audit took in 10 rows, but ingest kept 11" in getattr(section.blocks[0], "text", "")


def test_scores_of_an_earlier_split_are_an_alarm(tmp_path: Path) -> None:
    of = stages.built(tmp_path)
    assert "was built again" not in pages.write(of).read_text(encoding="utf-8")
    anew(of)
    page = pages.write(of).read_text(encoding="utf-8")
    assert "was built again since this model was trained: its scores, too, are of an earlier split" in page
    assert "was built again since the gates were run" in page
    top = " ".join(Page(page.partition("<nav")[0]).said.split())
    assert "0.700" not in top
    assert (
        "Model: no score on this split yet, only on an earlier one (assay finetune tiny, assay evaluate tiny)." in top
    )
    assert "Fit" not in top
    assert "Not judged yet: the split was built again since the gates were run (assay gate tiny)." in top


def anew(of: Recipe) -> None:
    """Deal other rows, as many as before, to every side."""
    schema = contract("classification").schema
    rows = {side: (schema, stages.hostile_rows()[::-1]) for side in stages.SIDES}
    stages.whole(of, "split", rows, counts=stages.counted(12, 30))


@pytest.mark.parametrize("dealt_anew", [True, False])
def test_scores_of_an_earlier_model_are_an_alarm(tmp_path: Path, dealt_anew: bool) -> None:
    """The model was trained again, on the same split or another: only the scores are old."""
    of = stages.built(tmp_path)
    if dealt_anew:
        anew(of)
        stages.WRITERS["finetune"](of)
    trained = store.read_report(of.build / "finetune")
    assert trained is not None
    store.write_report(of.build / "finetune", trained | {"key": "finetune" if dealt_anew else "with other settings"})
    page = pages.write(of).read_text(encoding="utf-8")
    assert "since this model was trained" not in page
    assert "These scores are of an earlier model: assay evaluate tiny." in page
    assert "Model: no score yet, only of an earlier model (assay evaluate tiny)." in page


def test_missing_intervals_are_words(tmp_path: Path) -> None:
    none = {"value": 0.5, "low": None, "high": None, "note": "only 3 groups of rows"}
    wilson = {"value": 1.0, "low": 0.8, "high": 1.0, "note": "Wilson’s bound"}
    label = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "gold": 5, "found": 4, "f1_interval": none}
    test = {
        "headline": "macro_f1",
        "n": 3,
        "metrics": {"macro_f1": none, "accuracy": wilson},
        "per_class": {"good": label},
        "majority": {"answer": "x", "metrics": {}, "difference": none},
        "slices": {"source": {"few": {"n": 9, "groups": 2}}},
    }
    evaluated = {"details": {"scores": {"test": test}}}
    page = Page(pages.render(building.Build(a_recipe(tmp_path), {"evaluate": evaluated})))
    said = " ".join(page.said.split())
    assert page.faults == []
    assert "Model: macro F1 0.500 (no interval: only 3 groups of rows) on 3 test rows" in said
    assert "macro F1 (headline) 0.500 no interval only 3 groups of rows" in said
    assert "0.500 no interval 5 4" in said
    assert "accuracy: Wilson’s bound" in said
    assert "None" not in said


def test_errors_of_numbers_have_no_probability(tmp_path: Path) -> None:
    error = {"id": "a/1", "gold": "1.0", "found": "5.0", "probability": None}
    test = {
        "headline": "mae",
        "n": 3,
        "metrics": {"mae": {"value": 1.5, "low": 1.0, "high": 2.0}},
        "errors": [error],
        "calibration": None,
    }
    evaluated = {"details": {"scores": {"test": test}}}
    page = Page(pages.render(building.Build(a_recipe(tmp_path, task="rating"), {"evaluate": evaluated})))
    said = " ".join(page.said.split())
    assert page.faults == []
    assert "Errors, the farthest off first: 1 listed" in said
    assert "sure" not in said
    assert "true : 1.0 model said : 5.0" in said or "model said 5.0" in said


@pytest.mark.parametrize(
    ("verdicts", "kind"),
    [
        (["PASS", "PASS"], "PASS"),
        (["PASS", "WARN"], "WARN"),
        (["WARN", "FAIL"], "FAIL"),
        (["ERROR", "PASS"], "ERROR"),
        (["ERROR", "FAIL"], "FAIL"),
        ([], "NONE"),
    ],
)
def test_a_gate_that_crashed_is_no_pass(tmp_path: Path, verdicts: list[str], kind: str) -> None:
    results = [stages.a_result(f"gate{n}", verdict) for n, verdict in enumerate(verdicts)]
    found = building.Build(a_recipe(tmp_path), {"gate": {"results": results}})
    assert overview.verdict(found).kind == kind
    assert overview.verdict(found).sentence.startswith("Fit") == (kind in ("PASS", "WARN"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60), label=st.text(max_size=60))
def test_any_text_and_label_leave_the_page_whole(tmp_path: Path, text: str, label: str) -> None:
    gate = {"results": [stages.a_result(label, "FAIL", means=text, remedy=text, ids=[text], evidence={text: label})]}
    dot = stages.a_figure(note=text)
    card = stages.a_card(text, reasons=[label], confusions=[{"true": label, "given": text}])
    agreement = {"headline": dot, "by_label": {label: dot}, "notes": [text]}
    audit = {"details": {"agreement": agreement, "annotators": {"cards": [card]}}, "counts": {}}
    page = pages.render(building.Build(a_recipe(tmp_path, title=text), {"gate": gate, "audit": audit}))
    page.encode("utf-8")
    found = Page(page)
    assert found.faults == []
    assert ACTIVE.isdisjoint(found.tags)


class _Line:
    """A line of the waterfall, as the ledger gives it."""

    def __init__(self, stage: str, what: str, count: int, total: bool) -> None:
        self.stage, self.what, self.count, self.total = stage, what, count, total
        self.unit = "rows"
