from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.fetch import RawFile
from pipeline.readers import Broken, ReadOptions, Record
from pipeline.settings import Label
from pipeline.tools import bundle, webanno, webanno_three
from pipeline.tools.item import Item, Project
from tests.conftest import DATA

FIXTURES = DATA / "annotation_exports" / "webanno_tsv"
STRANGE = "a_b[1]|c;*->d\t\\"
SPANS = Project("ner", "spans", (Label(name="PER", definition="people"), Label(name=STRANGE), Label(name="人名")))
LINKS = Project("rel", "relations", (Label(name="of"), Label(name="in")), entity_labels=("PER", STRANGE, "人名"))
ENTITY = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
HEAD = f"#FORMAT=WebAnno TSV 3.3\n#T_SP={ENTITY}|identifier|value\n\n\n"


def all_of(path: Path, name: str = "", **options: Any) -> list[Record | Broken]:
    return list(webanno.read(RawFile(name or path.name, path), ReadOptions(**options)))


def records(path: Path, name: str = "", **options: Any) -> list[Record]:
    found = all_of(path, name, **options)
    assert not [one for one in found if isinstance(one, Broken)], found
    return [one for one in found if isinstance(one, Record)]


def only(folder: Path, content: str, **options: Any) -> tuple[Record, dict[str, Any]]:
    path = folder / "doc.tsv"
    path.write_bytes(content.encode())
    (one,) = records(path, **({"row_per": "document"} | options))
    (said,) = one.fields["annotations"]
    return one, said


def refusal(folder: Path, content: str) -> str:
    path = folder / "doc.tsv"
    path.write_bytes(content.encode())
    (one,) = all_of(path)
    assert isinstance(one, Broken)
    assert one.reason == "unreadable_record"
    return one.evidence


def spans(annotation: dict[str, Any]) -> list[tuple[int, int, str]]:
    return [(one["start"], one["end"], one["label"]) for one in annotation["spans"]]


def links(annotation: dict[str, Any]) -> list[tuple[int, int, str]]:
    return [(one["head"], one["tail"], one["label"]) for one in annotation["relations"]]


# -- reading


def test_offsets_count_utf16_units(tmp_path: Path) -> None:
    one, said = only(tmp_path, HEAD + "#Text=😊 Anna\n1-1\t0-2\t😊\t_\t_\t\n1-2\t3-7\tAnna\t*\tPER\t\n")
    assert one.fields["text"] == "😊 Anna"
    assert one.fields["id"] == "doc"
    assert spans(said) == [(2, 6, "PER")]
    assert one.notes == ()


def test_files_that_count_code_points_are_told_by_their_tokens(tmp_path: Path) -> None:
    one, said = only(tmp_path, HEAD + "#Text=😊 Anna\n1-1\t0-1\t😊\t_\t_\t\n1-2\t2-6\tAnna\t*\tPER\t\n")
    assert spans(said) == [(2, 6, "PER")]
    assert one.notes == ("offsets count code points, not the UTF-16 units of the format",)


def test_a_span_that_does_not_fit_its_token_is_told(tmp_path: Path) -> None:
    _, said = only(tmp_path, HEAD + "#Text=Anna B\n1-1\t0-4\tAnn\t*\tPER\t\n1-2\t5-6\tB\t*\tLOC\t\n")
    assert spans(said) == [(5, 6, "LOC")]
    assert said["problem"] == "line 6: PER at 0: the text there is not 'Ann'"


def test_spans_over_tokens_stacked_and_within_tokens(tmp_path: Path) -> None:
    lines = (
        "#Text=New York's\n1-1\t0-3\tNew\t*[1]|*[2]\tLOC[1]|ORG[2]\t\n1-2\t4-10\tYork's\t*[2]\tORG[2]\t\n"
        "1-2.1\t4-8\tYork\t*[1]|*[3]\tLOC[1]|\\_\\[x\\][3]\t\n1-2.2\t8-8\t\t*\tZERO\t\n"
    )
    _, said = only(tmp_path, HEAD + lines)
    assert spans(said) == [(0, 8, "LOC"), (0, 10, "ORG"), (4, 8, "_[x]")]
    assert said["problem"] == "line 9: ZERO is empty"


def test_sentences_are_laid_as_inception_lays_them(tmp_path: Path) -> None:
    lines = (
        "#Text=one\n#Text=\\ttwo\\\\\n1-1\t2-5\tone\t_\t_\t\n1-2\t7-11\ttwo\\\t_\t_\t\n\n"
        "#Text=three\n2-1\t11-16\tthree\t*\tX\t\n\n#Text=four\n3-1\t20-24\tfour\t_\t_\t\n"
    )
    one, said = only(tmp_path, HEAD + lines)
    assert one.fields["text"] == "  one\n\ttwo\\three\n   four"
    assert spans(said) == [(11, 16, "X")]


def test_each_sentence_is_a_record_unless_the_document_is_asked_for(tmp_path: Path) -> None:
    lines = (
        "#Text=Anna\n1-1\t0-4\tAnna\t*[1]\tPER[1]\t\n\n#Text=B C\n2-1\t5-6\tB\t*[1]\tPER[1]\t\n2-2\t7-8\tC\t*\tLOC\t\n"
    )
    path = tmp_path / "doc.tsv"
    path.write_text(HEAD + lines)
    first, second = records(path)
    assert [(one.place, one.fields["id"], one.fields["text"]) for one in (first, second)] == [
        ("doc.tsv:6", "doc#1", "Anna"),
        ("doc.tsv:9", "doc#2", "B C"),
    ]
    assert spans(first.fields["annotations"][0]) == []
    assert spans(second.fields["annotations"][0]) == [(2, 3, "LOC")]
    assert all("goes over a sentence's end" in one.fields["annotations"][0]["problem"] for one in (first, second))
    (whole,) = records(path, row_per="document")
    assert spans(whole.fields["annotations"][0]) == [(0, 6, "PER"), (7, 8, "LOC")]


LAYERS = (
    "#FORMAT=WebAnno TSV 3.3\n#T_SP=de.x.POS|PosValue\n#T_SP=webanno.custom.Sub|ROLE_webanno.custom.Sub:links_webanno."
    "custom.L|webanno.custom.T|kind\n#T_CH=de.x.CoreferenceLink|referenceType|referenceRelation\n\n\n"
    "#Text=Anna B\n1-1\t0-4\tAnna\tNN\tp1;p2\t1-1;1-2\tperson\t*[1]\t*->1-1\t\n1-2\t5-6\tB\tNN\t_\t_\t_\t_\t_\t\n"
)


def test_the_layer_is_chosen_and_the_others_are_told(tmp_path: Path) -> None:
    one, said = only(tmp_path, LAYERS)
    assert spans(said) == [(0, 4, "person")]
    assert one.notes == (
        "not taken: layer POS, on 2 tokens (the layer is named in 'names')",
        "not taken: layer CoreferenceLink, on 1 tokens (the layer is named in 'names')",
        "the spans are those of the layer Sub, feature kind",
    )
    _, said = only(tmp_path, LAYERS, names=("POS",))
    assert spans(said) == [(0, 4, "NN"), (5, 6, "NN")]
    one, said = only(tmp_path, LAYERS, names=("POS|lemma",))
    assert (said["spans"], one.notes[0]) == ([], "the layer POS has no feature lemma, so there are no spans")
    one, said = only(tmp_path, LAYERS, names=("NamedEntity",))
    assert (said["spans"], one.notes[0]) == ([], "there is no layer NamedEntity in the header, so no spans")


def test_relations_join_spans_by_unit_and_by_id(tmp_path: Path) -> None:
    head = HEAD.replace("\n\n\n", f"\n#T_RL=webanno.custom.R|label|BT_{ENTITY}\n#T_RL=x.Dep|kind|BT_x.POS\n\n\n")
    lines = (
        "#Text=A B C\n1-1\t0-1\tA\t*\tPER\t_\t_\t_\t_\t\n1-2\t2-3\tB\t*[1]|*[2]\tX[1]|Y[2]\tin|*|on\t"
        "1-1[0_2]|1-1|9-9\tq\t1-1\t\n"
        "1-3\t4-5\tC\t*[2]\tY[2]\t_\t_\t_\t_\t\n"
    )
    one, said = only(tmp_path, head + lines)
    assert spans(said) == [(0, 1, "PER"), (2, 3, "X"), (2, 5, "Y")]
    assert links(said) == [(0, 2, "in")]
    assert "line 9: a relation : it has no value" in said["problem"]
    assert "line 9: a relation on: an end of it is no span" in said["problem"]
    assert one.notes == ("not taken: layer Dep, on 1 tokens (the layer is named in 'names')",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (" # de.x.NamedEntity | value\n#id=1\n#text=Anna\n1-1\tBert\tO\t\n", "line 4: 'Bert' does not follow"),
        (" # de.x.NamedEntity | value\n#id=1\n#text=Anna\n1-1\tAnna\n", "line 4: 2 columns, not 3"),
        (" # de.x.NamedEntity | value\n1-1\tAnna\tO\t\n", "line 2: a token without a sentence"),
        ("#id=1\n#text=x\n", "WebAnno TSV 1 is not read"),
        ("#FORMAT=WebAnno TSV 4.0\n", "WebAnno TSV 4 is not read"),
        ("id\ttext\n", "not '#FORMAT=WebAnno TSV 3...'"),
        ("", "not '#FORMAT"),
        (HEAD + "1-1\t0-4\tAnna\t_\t_\t\n", "line 5: a token before the first #Text="),
        (HEAD + "#Text=Anna\n1-1\t0-4\tAnna\t_\n", "line 6: 4 columns, not 5"),
        (HEAD + "#Text=Anna\n1-1\t0:4\tAnna\t_\t_\t\n", "line 6: 6 columns, not 5 with offsets"),
        (HEAD + "#Text=a\n1-1\t0-1\ta\t_\t_\t\n\n#Text=b\n2-1\t0-1\tb\t_\t_\t\n",
         "line 9: a sentence at 0 after text up to 2"),
        (HEAD + "#Text=a\n1-1\t9999999999-9999999999\ta\t_\t_\t\n", "a sentence at 9999999999"),
        ("#FORMAT=WebAnno TSV 3.3\n#T_XX=a|b\n", "line 2: no layer"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_has_a_reason(tmp_path: Path, content: str, words: str) -> None:
    assert words in refusal(tmp_path, content)


def test_old_versions_escape_as_java_does(tmp_path: Path) -> None:
    content = '#FORMAT=WebAnno TSV 3.1\n\n\n#Text=\\u4e2d\\"x\\"\n1-1\t0-1\t中\n1-2\t1-4\t"x"\n'
    one, said = only(tmp_path, content)
    assert (one.fields["text"], said["spans"]) == ('中"x"', [])


OLDER = (
    " # de.x.NamedEntity | value # de.x.Dep | kind | AttachTo=de.x.NamedEntity\n#id=1\n#text= 😊 New York's\n"
    "1-1\t😊\tO\t_\t_\t\n1-2\tNew\tB-LOC|B-ORG\tB-in\t1-3\t\n1-3\tYork\tI-LOC|B-X_Y\t_\t_\t\n\n#id=2\n#text=one\n\nB\n"
    "2-1\tone\tPER\tof|in\t1-2|2-2\t\n2-2\tB\tB-PER\t_\t_\t\n"
)


def test_the_older_version_is_read_by_its_tokens(tmp_path: Path) -> None:
    one, said = only(tmp_path, OLDER)
    text = one.fields["text"]
    assert text == " 😊 New York's\none\nB"
    assert [(text[start:end], label) for start, end, label in spans(said)] == [
        ("New", "ORG"), ("New York", "LOC"), ("York", "X_Y"), ("one", "PER"), ("B", "PER"),
    ]  # fmt: skip
    assert sorted(links(said)) == [(1, 3, "of"), (2, 1, "in"), (4, 3, "in")]
    assert "problem" not in said


# -- exports


SAID = HEAD + "#Text=Anna\n1-1\t0-4\tAnna\t*\tPER\t\n"
UNSAID = HEAD + "#Text=Anna\n1-1\t0-4\tAnna\t_\t_\t\n"
EXPORT = {
    "annotation/d1.tsv/alice.tsv": SAID, "annotation/d1.tsv/bob.tsv": UNSAID, "annotation/d1.tsv/INITIAL_CAS.tsv": SAID,
    "curation/d1.tsv/CURATION_USER.tsv": SAID, "annotation/d2.txt/alice.tsv": SAID.replace("Anna", "Anne"),
    "annotation/d3/bob.tsv": "#FORMAT=x", "source/d1.tsv": SAID, "exportedproject.json": "{}",
}  # fmt: skip


def test_the_file_names_the_annotator_and_the_curator_is_one(tmp_path: Path) -> None:
    path = tmp_path / "project.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in EXPORT.items():
            archive.writestr(name, content)
    found = all_of(path)
    broken = [one for one in found if isinstance(one, Broken)]
    first, second = [one for one in found if isinstance(one, Record)]
    assert [one.place for one in broken] == ["project.zip!annotation/d3/bob.tsv:1"]
    assert first.fields["id"] == "d1#1"
    assert [(one["annotator"], len(one["spans"])) for one in first.fields["annotations"]] == [
        ("alice", 1), ("bob", 0), ("CURATION_USER", 1),
    ]  # fmt: skip
    assert "before anybody worked on it" in first.notes
    assert second.fields["id"] == "d2.txt#1"
    for name, content in EXPORT.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    (one,) = records(tmp_path / "annotation/d1.tsv/bob.tsv")
    assert (one.fields["id"], one.fields["annotations"][0]["annotator"]) == ("d1#1", "bob")


def test_a_name_that_leads_out_of_the_archive_is_refused(tmp_path: Path) -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("../doc.tsv", SAID)
    (tmp_path / "x.zip").write_bytes(held.getvalue())
    with pytest.raises(AssayError, match="leads out of"):
        all_of(tmp_path / "x.zip")


# -- writing


def test_a_document_is_written_as_inception_writes_it(tmp_path: Path) -> None:
    item = Item("r:1", "Anna! 😊人\nOslo is", [[0, 4, "PER"], [6, 8, "人名"], [9, 11, STRANGE], [9, 15, "PER"]])
    webanno.write(SPANS, [item], tmp_path)
    assert (tmp_path / "r~3A1.tsv").read_text() == (
        f"#FORMAT=WebAnno TSV 3.3\n#T_SP={ENTITY}|identifier|value\n\n\n"
        "#Sentence.id=row:r:1\n#Text=Anna! \n1-1\t0-4\tAnna\t*\tPER\t\n1-2\t4-5\t!\t_\t_\t\n\n"
        "#Sentence.id=row:r:1\n#Text=😊人\n#Text=\n2-1\t6-8\t😊\t*[1]\t人名[1]\t\n2-2\t8-9\t人\t*[1]\t人名[1]\t\n\n"
        "#Sentence.id=row:r:1\n#Text=Oslo is\n3-1\t10-14\tOslo\t*[2]\tPER[2]\t\n"
        "3-1.1\t10-12\tOs\t*\ta\\_b\\[1\\]\\|c\\;\\*\\->d\\t\\\\\t\n3-2\t15-17\tis\t_\t_\t\n3-2.1\t15-16\ti\t*[2]\tPER[2]\t\n"
    )
    (one,) = records(tmp_path)
    assert spans(one.fields["annotations"][0]) == [tuple(span) for span in item.answer]
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    webanno.write(SPANS, [item], tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_the_layers_hold_the_guideline(tmp_path: Path) -> None:
    webanno.write(LINKS, [Item("r", "A B", [[0, 1, "of"]], entities=((0, 1, "PER"), (2, 3, "人名")))], tmp_path)
    entity, relation = json.loads((tmp_path / "layers.json").read_text())
    assert relation["attach_type"] == {"name": entity["name"]}
    assert [tag["tag_name"] for tag in entity["features"][1]["tag_set"]["tags"]] == ["PER", STRANGE, "人名"]
    assert [tag["tag_name"] for tag in relation["features"][0]["tag_set"]["tags"]] == ["of", "in"]
    assert "\t*\tPER\t_\t_\t\n1-2\t2-3\tB\t*\t人名\tof\t1-1\t\n" in (tmp_path / "r.tsv").read_text()
    webanno.write(SPANS, [], tmp_path)
    assert json.loads((tmp_path / "tagset.json").read_text())["tags"][0] == {
        "tag_name": "PER",
        "tag_description": "people",
    }


def test_what_the_format_cannot_hold_is_told_in_the_index(tmp_path: Path) -> None:
    items = [Item("a", " \n "), Item("b", "\n x ", [[1, 3, "PER"]], 0.5, reasons=("why",))]
    paths = webanno.write(SPANS, items, tmp_path)
    assert sorted(path.name for path in paths) == sorted(path.name for path in tmp_path.iterdir())
    first, second = [json.loads(line) for line in (tmp_path / bundle.INDEX).read_text().splitlines()]
    assert first["problems"] == ["holds no word that could be marked: no document is written"]
    assert len(second["problems"]) == 2
    assert (second["confidence"], second["reasons"]) == (0.5, ["why"])
    (one,) = records(tmp_path)
    assert (one.fields["id"], one.fields["text"], spans(one.fields["annotations"][0])) == ("b", "  x ", [(2, 3, "PER")])
    with pytest.raises(AssayError, match="cannot ask for rating"):
        webanno.write(Project("p", "rating"), [], tmp_path)


def test_a_file_without_blank_lines_is_read(tmp_path: Path) -> None:
    lines = "#Text=a\n1-1\t0-1\ta\t*\tX\t\n#Text=b\n2-1\t2-3\tb\t_\t_\t"
    one, said = only(tmp_path, (HEAD.strip() + "\n" + lines).replace("\n", "\r\n"))
    assert (one.fields["text"], spans(said)) == ("a\nb", [(0, 1, "X")])


def test_rows_come_back_whatever_inception_calls_the_document(tmp_path: Path) -> None:
    webanno.write(SPANS, [Item("../r/行", "Anna. B\nC", [[0, 4, "PER"]])], tmp_path / "out")
    (path,) = (tmp_path / "out").glob("*.tsv")
    assert not set(path.name) & set("#%&{}\\<>*?/ $!'\":@+`|=")
    for user in ("alice", "bob"):
        (tmp_path / "annotation" / "renamed.tsv").mkdir(parents=True, exist_ok=True)
        (tmp_path / "annotation" / "renamed.tsv" / f"{user}.tsv").write_bytes(path.read_bytes())
    (one,) = records(tmp_path / "annotation", "annotation")
    assert one.fields["id"] == "../r/行"
    assert [said["annotator"] for said in one.fields["annotations"]] == ["alice", "bob"]


ALPHABET = st.sampled_from(
    [
        *"ab .<&#*_|[]\\;!",
        "\r\n",
        "\n",
        "\t",
        "😀",
        "e\u0301",
        "中",
        "文",
        "。",
        "\u2028",
        "\x85",
        "\x00",
        "👩‍🚀",
        "Neil",
        "->",
    ]
)


@st.composite
def items(draw: st.DrawFn) -> Item:
    text = draw(st.lists(ALPHABET, min_size=1, max_size=30).map("".join)).lstrip()
    text = text if text.strip() else "x"
    places = st.tuples(st.integers(0, len(text)), st.integers(0, len(text)), st.sampled_from(["PER", STRANGE, "人名"]))
    found = {
        (min(a, b), max(a, b), label)
        for a, b, label in draw(st.lists(places, max_size=6))
        if text[min(a, b) : max(a, b)].strip() == text[min(a, b) : max(a, b)] != ""
    }
    return Item(draw(st.text(min_size=1, max_size=6)), text, [list(one) for one in sorted(found)])


def returned(project: Project, item: Item, **options: Any) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        webanno.write(project, [item], Path(folder))
        (one,) = records(Path(folder), **options)
    assert (one.fields["id"], one.fields["text"]) == (item.row, item.text)
    said: dict[str, Any] = one.fields["annotations"][0]
    assert "problem" not in said
    return said


@given(items(), st.sampled_from(["sentence", "document"]))
@settings(max_examples=80)
def test_what_goes_out_comes_back(item: Item, row_per: str) -> None:
    assert spans(returned(SPANS, item, row_per=row_per)) == [tuple(span) for span in item.answer]


@given(items(), st.data())
@settings(max_examples=80)
def test_relations_come_back(item: Item, data: st.DataObject) -> None:
    ends = st.integers(0, max(0, len(item.answer) - 1))
    drawn = data.draw(st.sets(st.tuples(ends, ends, st.sampled_from(["of", "in"])), max_size=4 if item.answer else 0))
    entities = tuple((start, end, label) for start, end, label in item.answer)
    linked = Item(item.row, item.text, [list(one) for one in sorted(drawn)], entities=entities)
    said = returned(LINKS, linked)
    assert spans(said) == list(entities)
    assert sorted(links(said)) == sorted(drawn)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_values_and_texts_are_told_back(value: str) -> None:
    assert list(webanno_three.stacked(f"{webanno_three.escape_value(value)}[3]|*[4]")) == [(value, 3), (None, 4)]
    assert webanno_three.unescape_text(webanno_three.escape_text(value)) == value
    assert "\n" not in webanno_three.escape_text(value)


# -- real files


real = pytest.mark.skipif(not FIXTURES.is_dir(), reason="no real data: set ASSAY_REAL_DATA to their folder")


@pytest.mark.realdata
@real
def test_every_file_of_inceptions_tests_is_read_or_has_a_reason() -> None:
    paths = sorted(FIXTURES.rglob("*.tsv"))
    found = [one for path in paths for one in all_of(path, row_per="document")]
    read = [one for one in found if isinstance(one, Record)]
    reasons = Counter(one.evidence.partition(" is not")[0] for one in found if isinstance(one, Broken))
    assert (len(paths), len(found), len(read)) == (151, 151, 150)
    assert reasons == {"line 1: WebAnno TSV 1": 1}


NO_LAYER = {"Token", "Sentence", "DocumentMetaData", "Sofa", "View", "NULL", "TagsetDescription"}
SAME = {"Span": ("Span", "NamedEntity"), "NamedEntity": ("Span", "NamedEntity")}


@pytest.mark.realdata
@real
def test_spans_stand_where_the_xmi_beside_the_file_has_them() -> None:
    """The XMI files are what INCEpTION's writer made the TSV files of; their offsets count UTF-16 units as well."""
    compared = spans_compared = 0
    for path in sorted(FIXTURES.rglob("reference.xmi")):
        document = webanno_three.parsed(path.with_suffix(".tsv").read_text("utf-8"))
        root = ElementTree.parse(path).getroot()
        (text,) = [one.get("sofaString") for one in root if one.tag.endswith("}Sofa")]
        assert webanno_three.laid(document)[0].text.rstrip() == str(text).rstrip()
        for layer in document.layers:
            feature = webanno.favoured(layer)
            # The writer moves ends out of white space, and a part of speech has a type of its own for every tag.
            if (
                layer.kind != "SP"
                or layer.short == "POS"
                or not layer.features
                or re.search("Whitespace|ZeroWidth", path.parent.name)
            ):
                continue
            names = SAME.get(layer.short, (layer.short,))
            theirs = sorted(
                (int(one.get("begin", "")), int(one.get("end", "")), one.get(feature))
                for one in root
                if one.tag.split("}")[-1] in names and one.get("begin") and not one.get("Dependent")
            )
            ours = sorted(
                (one.units[0].begin, one.units[-1].end, one.label if feature else None)
                for one in webanno_three.marked(document, layer, feature)
            )
            assert [one[:2] for one in ours] == [one[:2] for one in theirs], path
            if feature and all(one[2] for one in theirs):
                assert ours == theirs, path
            compared, spans_compared = compared + 1, spans_compared + len(ours)
    assert (compared, spans_compared) == (59, 174)


@pytest.mark.realdata
@real
def test_relations_join_what_the_xmi_beside_the_file_joins() -> None:
    compared = 0
    for path in sorted(FIXTURES.rglob("reference.xmi")):
        document = webanno_three.parsed(path.with_suffix(".tsv").read_text("utf-8"))
        root = ElementTree.parse(path).getroot()
        places = {one.get("{http://www.omg.org/XMI}id"): (one.get("begin"), one.get("end")) for one in root}
        layers = {layer.name: layer for layer in document.layers if layer.kind == "SP"}
        for layer in (layer for layer in document.layers if layer.kind == "RL" and layer.base in layers):
            base = layers[layer.base]
            spans = webanno_three.marked(document, base, webanno.favoured(base))
            edges = [(str(one.units[0].begin), str(one.units[-1].end)) for one in spans]
            ours = [
                (edges[head], edges[tail])
                for _, head, tail, _ in webanno_three.related(document, layer, webanno.favoured(layer), spans)
            ]
            theirs = [
                (places[one.get("Governor")], places[one.get("Dependent")]) for one in root if one.get("Dependent")
            ]
            assert sorted(ours) == sorted(theirs), path
            compared += len(ours)
    assert compared == 11
