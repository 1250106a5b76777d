from __future__ import annotations

import io
import json
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.fetch import RawFile
from pipeline.readers import Broken, ReadOptions, Record
from pipeline.settings import Label
from pipeline.tools import brat, brat_standoff, bundle
from pipeline.tools.item import Item, Project
from tests.conftest import DATA

FIXTURES = DATA / "annotation_exports" / "brat"
SPANS = Project("ner", "spans", (Label(name="PER", definition="people"), Label(name="part of"), Label(name="人名")))
LINKS = Project("rel", "relations", (Label(name="part of", head=("PER",)),), entity_labels=("PER", "地"))


def records(path: Path, **options: Any) -> list[Record]:
    found = list(brat.read(RawFile(path.name, path), ReadOptions(**options)))
    assert not [one for one in found if isinstance(one, Broken)], found
    return [one for one in found if isinstance(one, Record)]


@pytest.fixture(name="tmp_path")
def _alone(tmp_path: Path) -> Path:
    """A folder without neighbours: those of other tests may hold documents of the same name, as annotators' do."""
    place = tmp_path / "here" / "one"
    place.mkdir(parents=True)
    return place


def pair(folder: Path, text: str, lines: str, name: str = "a", encoding: str = "utf-8") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.txt").write_bytes(text.encode(encoding))
    (folder / f"{name}.ann").write_bytes(lines.encode())
    return folder / f"{name}.ann"


def only(path: Path, **options: Any) -> dict[str, Any]:
    (one,) = records(path, **options)
    (annotation,) = one.fields["annotations"]
    told: dict[str, Any] = annotation | {"notes": one.notes}
    return told


def spans(annotation: dict[str, Any]) -> list[tuple[int, int, str]]:
    return [(one["start"], one["end"], one["label"]) for one in annotation["spans"]]


# -- reading


def test_a_pair_is_one_record_whichever_file_is_named(tmp_path: Path) -> None:
    path = pair(tmp_path, "Anna sings.\n", "T1\tPER 0 4\tAnna\n")
    for named in (path, path.with_suffix(".txt")):
        (one,) = records(named)
        assert one.fields["id"] == "a"
        assert one.fields["text"] == "Anna sings.\n"
        assert one.place == "a.ann:1"
        (said,) = one.fields["annotations"]
        assert said["annotator"] is None
        assert "problem" not in said
        assert spans(said) == [(0, 4, "PER")]
        assert said["relations"] == []


def test_everything_that_is_no_span_is_kept_beside_the_spans(tmp_path: Path) -> None:
    lines = (
        "T2\tOrg 12 16\tAcme\nT1\tPER 0 4\tAnna\nT3\tJoin 5 11\tjoined\nR1\tworks_for Arg2:T2 Arg1:T1\t\n"
        "E1\tJoin:T3 Who:T1 Where:T2\nR2\tcauses Arg1:E1 Arg2:T2\nA1\tNegated E1\nM1\tMood T1 sure\n"
        "N1\tReference T2 Wikipedia:534366\tAcme Inc.\n#1\tAnnotatorNotes T1\treally?\n*\tEquiv T1 T2\n"
        "#2\tReason T1\tours\n\n"
    )
    said = only(pair(tmp_path, "Anna joined Acme.", lines))
    assert spans(said) == [(0, 4, "PER"), (5, 11, "Join"), (12, 16, "Org")]
    assert said["relations"] == [
        {"head": 0, "tail": 2, "label": "works_for"},
        {"head": 1, "tail": 2, "label": "causes"},
    ]
    assert said["events"] == [
        {"id": "E1", "label": "Join", "of": "T3",
         "arguments": [{"role": "Who", "of": "T1"}, {"role": "Where", "of": "T2"}]}
    ]  # fmt: skip
    assert said["attributes"] == [
        {"label": "Negated", "of": "E1", "value": True},
        {"label": "Mood", "of": "T1", "value": "sure"},
    ]
    assert said["normalizations"][0]["refers_to"] == "Wikipedia:534366"
    assert said["equivalences"] == [{"label": "Equiv", "of": ["T1", "T2"]}]
    assert said["comments"] == [{"label": "AnnotatorNotes", "of": "T1", "text": "really?"}]
    assert any("1 events" in note for note in said["notes"])
    assert "problem" not in said


@pytest.mark.parametrize(
    ("text", "lines", "way"),
    [
        ("😀 Anna", "T1\tPER 2 6\tAnna", None),
        ("😀 Anna", "T1\tPER 3 7\tAnna", "UTF-16 units"),
        ("a\r\nAnna", "T1\tPER 3 7\tAnna", None),
        ("a\r\nAnna", "T1\tPER 2 6\tAnna", "CRLF as one"),
        ("😀\r\nAnna", "T1\tPER 3 7\tAnna", None),
        ("😀a\r\nb\r\nAnna", "T1\tPER 6 10\tAnna", "UTF-16 units and CRLF as one"),
        ("a\nAnna", "T1\tPER 3 7\tAnna", "LF as two"),
        ("😀\nAnna", "T1\tPER 4 8\tAnna", "UTF-16 units and LF as two"),
        ("人 Anna", "T1\tPER 4 8\tAnna", "bytes of UTF-8"),
        ("\ufeffAnna", "T1\tPER 0 4\tAnna", None),
        ("\ufeffAnna", "T1\tPER 1 5\tAnna", "code points, the byte-order mark too"),
    ],
)
def test_offsets_are_counted_as_the_surfaces_tell(tmp_path: Path, text: str, lines: str, way: str | None) -> None:
    said = only(pair(tmp_path, text, lines))
    (one,) = records(tmp_path / "a.ann")
    (start, end, _) = spans(said)[0]
    assert one.fields["text"][start:end] == "Anna"
    assert "problem" not in said
    assert [note for note in said["notes"] if "count" in note] == (
        [f"offsets count {way}: only so do the surfaces stand where they are said to"] if way else []
    )


def test_what_does_not_fit_is_told_and_the_rest_kept(tmp_path: Path) -> None:
    lines = (
        "T1\tPER 0 4\tAnna\nT2\tPER 1 5\tAnna\nT3\tPER 90 95\tAnna\nT4\tPER 0 4;8 9\tAnna .\n"
        "T5\tPER 4 4\t\nT1\tX 0 4\tAnna\n"
        "R1\tof Arg1:T1 Arg2:T4\nR2\tof Arg1:T1\nwhat is this\nT9\tPER 1 99999999999999999999\tx\n"
    )
    said = only(pair(tmp_path, "Anna is .", lines))
    assert spans(said) == [(0, 4, "PER")]
    assert said["relations"] == []
    assert "line 6 cannot be read" in said["problem"]
    assert "and 4 more" in said["problem"]
    everything = brat_standoff.Standoff("Anna is .", marked=False)
    everything.take(lines)
    everything.annotation()
    words = "\n".join(everything.problems)
    assert len(everything.problems) == 9
    for told in (
        "line 2: PER at [1, 5) is said to be 'Anna', there stands 'nna '",
        "line 4: PER is in 2 pieces",
        "line 5: PER at [4, 4)",
        "line 7: a relation of T1 and T4",
        "line 8 cannot",
        "line 10 cannot",
    ):
        assert told in words


def test_pieces_with_white_space_between_are_one_span(tmp_path: Path) -> None:
    said = only(pair(tmp_path, "New\r\nYork is", "T1\tLOC 0 3;5 9\tNew York\nT2\tLOC 0 9\tNew  York\n"))
    assert spans(said) == [(0, 9, "LOC"), (0, 9, "LOC")]
    assert "problem" not in said


def test_a_span_without_surface_is_kept_and_said_to_be_unchecked(tmp_path: Path) -> None:
    said = only(pair(tmp_path, "Anna", "T1\tPER 0 4\n"))
    assert spans(said) == [(0, 4, "PER")]
    assert any("could not be checked" in note for note in said["notes"])


def test_a_lone_ann_is_broken_and_a_lone_txt_has_no_annotation(tmp_path: Path) -> None:
    (tmp_path / "a.ann").write_text("T1\tPER 0 4\tAnna\n")
    (broken,) = brat.read(RawFile("a.ann", tmp_path / "a.ann"), ReadOptions())
    assert isinstance(broken, Broken)
    assert "no text beside it" in broken.evidence
    (tmp_path / "b.txt").write_text("Anna")
    (one,) = records(tmp_path / "b.txt")
    assert one.fields["annotations"] == []


def test_a_text_in_another_encoding_is_broken_until_it_is_declared(tmp_path: Path) -> None:
    path = pair(tmp_path, "人名 Anna", "T1\tPER 3 7\tAnna", encoding="gb18030")
    (broken,) = brat.read(RawFile("a.ann", path), ReadOptions())
    assert isinstance(broken, Broken)
    assert broken.reason == "invalid_encoding"
    (one,) = brat.read(RawFile("a.ann", path), ReadOptions(invalid_bytes="replace"))
    assert isinstance(one, Record)
    assert any("U+FFFD" in note for note in one.notes)


def test_folders_of_one_text_are_annotators(tmp_path: Path) -> None:
    pair(tmp_path / "alice", "Anna", "T1\tPER 0 4\tAnna\n")
    pair(tmp_path / "bob", "Anna", "")
    pair(tmp_path / "bob", "other", "", name="b")
    first, second = records(tmp_path)
    assert [one["annotator"] for one in first.fields["annotations"]] == ["alice", "bob"]
    assert second.fields["id"] == "b"
    assert second.fields["annotations"][0]["annotator"] is None
    assert only(tmp_path / "bob" / "a.ann")["annotator"] == "bob"
    pair(tmp_path / "carol", "Another text", "")
    assert sorted(one.fields["id"] for one in records(tmp_path)) == ["alice/a", "b", "carol/a"]
    assert records(tmp_path / "carol" / "a.ann")[0].fields["id"] == "carol/a"


def packed(files: dict[str, str], kind: str) -> bytes:
    held = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(held, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return held.getvalue()
    with tarfile.open(fileobj=held, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content.encode())
            tar.addfile(info, io.BytesIO(content.encode()))
    return held.getvalue()


PAIRS = {"x/a.txt": "Anna", "x/a.ann": "T1\tPER 0 4\tAnna\n", "y/a.ann": "", "y/a.txt": "Anna", 
         "y/b.ann": "T1\tX 0 1\tq", "x/annotation.conf": "[entities]"}  # fmt: skip


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_archives_are_read_in_place(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"export.{kind}"
    path.write_bytes(packed(PAIRS, kind))
    first, second = brat.read(RawFile(path.name, path), ReadOptions())
    assert isinstance(first, Record)
    assert isinstance(second, Broken)
    assert first.place == f"export.{kind}!x/a.ann:1"
    assert [(one["annotator"], spans(one)) for one in first.fields["annotations"]] == [
        ("x", [(0, 4, "PER")]),
        ("y", []),
    ]
    assert second.place == f"export.{kind}!y/b.ann:1"
    assert "no y/b.txt" in second.evidence
    member = RawFile(f"export.{kind}!x/a.ann", path, ("x/a.ann",))
    (one,) = brat.read(member, ReadOptions())
    assert isinstance(one, Record)
    assert one.fields["annotations"][0]["annotator"] == "x"
    (same,) = brat.read(RawFile(f"export.{kind}!x/a.txt", path, ("x/a.txt",)), ReadOptions())
    assert same == one


@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.parametrize("name", ["../a.txt", "/etc/a.ann", "c:\\a.ann"])
def test_a_name_that_leads_out_of_the_archive_is_refused(tmp_path: Path, kind: str, name: str) -> None:
    path = tmp_path / "export"
    path.write_bytes(packed({"ok.txt": "", name: "x"}, kind))
    with pytest.raises(AssayError, match="leads out of"):
        list(brat.read(RawFile("export", path), ReadOptions()))


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "annotation.conf"
    path.write_text("[entities]\n")
    with pytest.raises(AssayError, match="no folder, zip or tar file"):
        list(brat.read(RawFile(path.name, path), ReadOptions()))
    damaged = packed(PAIRS, "zip")[:-40]
    path.write_bytes(damaged)
    with pytest.raises(AssayError, match="can be read"):
        list(brat.read(RawFile(path.name, path), ReadOptions()))


def test_archives_of_other_systems_are_read(tmp_path: Path) -> None:
    files = {
        "./x/a.txt": "Anna",
        "./x/a.ann": "T1\tPER 0 4\tAnna\n",
        "./__MACOSX/x/._a.txt": "\x00",
        "./x/._a.ann": "\x00",
    }
    for kind in ("zip", "tar"):
        path = tmp_path / f"made.{kind}"
        path.write_bytes(packed(files, kind))
        (one,) = records(path)
        assert (one.place, spans(one.fields["annotations"][0])) == (f"made.{kind}!x/a.ann:1", [(0, 4, "PER")])


def test_an_export_without_any_document_is_refused(tmp_path: Path) -> None:
    (tmp_path / bundle.INDEX).write_text("{}\n")
    with pytest.raises(AssayError, match=r"holds no file \*\.ann, \*\.txt"):
        records(tmp_path)


def test_a_member_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "made.zip"
    content = packed({"a.txt": "Anna", "a.ann": "T1\tPER 0 4\tAnna\n"}, "zip")
    path.write_bytes(content.replace(b"T1\tPER", b"T1\tLOC"))
    with pytest.raises(AssayError, match=r"made\.zip!a\.ann: cannot be read to its end"):
        list(brat.read(RawFile("made.zip", path), ReadOptions()))
    path.write_bytes(content.replace(b"PK\x03\x04", b"PK\x03\x05"))
    with pytest.raises(AssayError, match="cannot be read"):
        list(brat.read(RawFile("made.zip", path), ReadOptions()))


def test_rows_of_ours_that_people_shared_out_keep_their_names(tmp_path: Path) -> None:
    brat.write(SPANS, [Item("a", "Anna"), Item("b", "Bert")], tmp_path / "anna")
    (tmp_path / "bert").mkdir()
    for path in (tmp_path / "anna").glob("b.*"):
        path.rename(tmp_path / "bert" / path.name)
    found = {one.fields["id"]: one.fields["annotations"][0]["annotator"] for one in records(tmp_path)}
    assert found == {"a": "anna", "b": "bert"}


def test_a_link_in_a_folder_is_not_followed_out_of_it(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    pair(tmp_path / "in", "Anna", "")
    (tmp_path / "in" / "link.txt").symlink_to(tmp_path / "secret.txt")
    assert [one.fields["id"] for one in records(tmp_path / "in")] == ["a"]


# -- writing


def test_what_is_written_has_labels_definitions_and_reasons(tmp_path: Path) -> None:
    item = Item("r:1", "Anna | B\nC", [[0, 4, "part of"]], confidence=0.5, reasons=("rare\tlabel", "two\nlines"))
    paths = brat.write(SPANS, [item, Item("r:2", "x")], tmp_path / "out")
    assert sorted(path.name for path in paths) == sorted(path.name for path in (tmp_path / "out").iterdir())
    ann = (tmp_path / "out" / "r~3A1.ann").read_text()
    assert ann.splitlines() == [
        "T1\tpart_u20_of 0 4\tAnna", "#1\tReason T1\trare label", "#2\tReason T1\ttwo lines",
        "#3\tReason T1\tconfidence 0.50",
    ]  # fmt: skip
    conf = (tmp_path / "out" / "annotation.conf").read_text()
    assert conf.startswith("[entities]\nPER\npart_u20_of\n_u4eba__u540d_\n\n[relations]\n<OVERLAP>")
    assert "_u4eba__u540d_ | 人名" in (tmp_path / "out" / "visual.conf").read_text()
    assert "**PER**: people" in (tmp_path / "out" / "GUIDELINE.md").read_text()
    index = [json.loads(line) for line in (tmp_path / "out" / bundle.INDEX).read_text().splitlines()]
    assert [(one["file"], one["row"], one["problems"]) for one in index] == [("r~3A1", "r:1", []), ("r~3A2", "r:2", [])]
    again = tmp_path / "again"
    brat.write(SPANS, [item, Item("r:2", "x")], again)
    assert all((again / path.name).read_bytes() == path.read_bytes() for path in paths)


def test_relations_name_the_kinds_of_their_ends(tmp_path: Path) -> None:
    item = Item("r", "Anna 京", [[1, 0, "part of"]], entities=((0, 4, "PER"), (5, 6, "地")))
    brat.write(LINKS, [item], tmp_path)
    assert "part_u20_of\tArg1:PER, Arg2:<ENTITY>" in (tmp_path / "annotation.conf").read_text()
    said = only(tmp_path / "r.ann")
    assert said["relations"] == [{"head": 1, "tail": 0, "label": "part of"}]


def test_other_questions_and_a_row_that_goes_out_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="cannot ask for labels"):
        brat.write(Project("p", "labels"), [], tmp_path)
    with pytest.raises(AssayError, match="goes out twice"):
        brat.write(SPANS, [Item("a", "x"), Item("a", "y")], tmp_path)


def test_a_span_of_white_space_is_told_in_the_index(tmp_path: Path) -> None:
    brat.write(SPANS, [Item("a", "\n\nx", [[0, 2, "PER"], [1, 3, "PER"]])], tmp_path)
    (told,) = [json.loads(line) for line in (tmp_path / bundle.INDEX).read_text().splitlines()]
    assert len(told["problems"]) == 2
    assert spans(only(tmp_path / "a.ann")) == [(2, 3, "PER")]


@pytest.mark.parametrize("row", ["../../etc/passwd", "a/b:c", "行" * 200, ".", "", "A", "a\x00b", "~2E", "x" * 5000])
def test_names_stay_in_their_folder_and_come_back(tmp_path: Path, row: str) -> None:
    brat.write(SPANS, [Item(row, "Anna", [[0, 4, "PER"]]), Item("a", "second")], tmp_path)
    assert all(path.parent == tmp_path and len(path.name) < 200 for path in tmp_path.rglob("*"))
    assert {one.fields["id"] for one in records(tmp_path)} == {row, "a"}
    for path in tmp_path.glob("*.ann"):
        assert records(path)[0].fields["id"] in {row, "a"}


@given(st.text(max_size=40))
def test_names_are_told_back(row: str) -> None:
    name = bundle.named(row)
    assert name.isascii()
    assert "/" not in name
    assert name not in (".", "..")
    assert bundle.row_of(name, {name: row} if "~~" in name else {}) == row


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12))
def test_labels_are_told_back(label: str) -> None:
    written = brat_standoff.safe_label(label)
    assert brat_standoff.label_of(written) == label
    assert set(written) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


@pytest.mark.parametrize("label", ["ICD_10_code", "B_u", "_udfff_", "_u110000_", "a b"])
def test_labels_of_others_stay_as_they_are(label: str) -> None:
    assert brat_standoff.label_of(label) == label


ALPHABET = st.sampled_from(
    [*"ab .<&#*_|[]\\;", "\r\n", "\n", "\t", "😀", "e\u0301", "中", "文", "\u2028", "\x85", "👩‍🚀"]
)


@st.composite
def items(draw: st.DrawFn) -> Item:
    text = draw(st.lists(ALPHABET, min_size=1, max_size=30).map("".join))
    places = st.tuples(
        st.integers(0, len(text)), st.integers(0, len(text)), st.sampled_from(["PER", "part of", "人名"])
    )
    found = {
        (min(a, b), max(a, b), label)
        for a, b, label in draw(st.lists(places, max_size=6))
        if text[min(a, b) : max(a, b)].strip() == text[min(a, b) : max(a, b)] != ""
    }
    return Item(draw(st.text(max_size=6)), text, [list(one) for one in sorted(found)], 0.25, reasons=("why\n#1",))


@given(items())
@settings(max_examples=80, deadline=None)
def test_what_goes_out_comes_back(item: Item) -> None:
    with tempfile.TemporaryDirectory() as folder:
        brat.write(SPANS, [item], Path(folder))
        (one,) = records(Path(folder))
    (said,) = one.fields["annotations"]
    assert (one.fields["id"], one.fields["text"]) == (item.row, item.text)
    assert "problem" not in said
    assert spans(said) == [tuple(span) for span in item.answer]
    assert "comments" not in said


def test_rows_of_ours_keep_their_ids_whatever_lies_beside_them(tmp_path: Path) -> None:
    brat.write(SPANS, [Item("a", "Anna")], tmp_path / "one")
    brat.write(SPANS, [Item("a", "Anna was here")], tmp_path / "two")
    assert [one.fields["id"] for one in records(tmp_path)] == ["a", "a"]
    assert [records(tmp_path / folder / "a.ann")[0].fields["id"] for folder in ("one", "two")] == ["a", "a"]
    assert [
        path.name
        for path in map(Path, (str(one.path) for one in brat.companions(RawFile("a.ann", tmp_path / "one" / "a.ann"))))
    ] == ["a.txt", bundle.INDEX]


# -- real files


@pytest.mark.realdata
@pytest.mark.skipif(not FIXTURES.is_dir(), reason="no real data: set ASSAY_REAL_DATA to their folder")
def test_every_pair_of_brats_tutorials_is_read() -> None:
    found = records(FIXTURES)
    given = [annotation for one in found for annotation in one.fields["annotations"]]
    assert (len(found), len(given)) == (22, 26)
    assert not [annotation["problem"] for annotation in given if "problem" in annotation]
    assert sum(len(annotation["spans"]) for annotation in given) == 226
    assert sum(len(annotation["relations"]) for annotation in given) == 14
    assert sum(len(annotation.get("events", [])) for annotation in given) == 47
    paths = sorted(FIXTURES.rglob("*.ann"))
    assert len(paths) == 26
    assert sum(len(only(path)["spans"]) for path in paths) == 226
