"""A source is withdrawn: what was made of it goes, what is of others stays, and whatever is left is found."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline import erased, erasing, flow, lock, recipe, store, versions
from pipeline.cache import file_hash
from pipeline.erasing import Target, purging
from pipeline.errors import AssayError
from pipeline.exchange import rounds
from tests.erasing.sets import ALONE, SECRET, SECRET_ZH, SHARED, SHORT, data_set, decision, whole_build
from tests.small import contents, rejected, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.recipe import Recipe

FORUM = Target("source", "forum")


def erase(one: Recipe, *targets: Target, **options: Any) -> erasing.Erasure:
    return erasing.erase(one, targets, ALONE, who="officer", why="consent withdrawn", **options)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the data set as it was built, two versions and a model and all."""
    folder = tmp_path_factory.mktemp("before")
    whole_build(data_set(folder))
    return folder


@pytest.fixture(scope="module")
def after(before: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, erasing.Erasure]:
    """The folder after the forum was withdrawn, decisions too."""
    folder = tmp_path_factory.mktemp("after")
    shutil.copytree(before, folder, dirs_exist_ok=True)
    return folder, erase(opened(folder), FORUM, decisions=True)


def opened(folder: Path) -> Recipe:
    return recipe.load(folder / "small" / "recipe.toml")


@pytest.fixture
def one(before: Path, tmp_path: Path) -> Recipe:
    """A copy of the data set as it was built."""
    shutil.copytree(before, tmp_path, dirs_exist_ok=True)
    return opened(tmp_path)


@pytest.fixture
def clean(after: tuple[Path, erasing.Erasure], tmp_path: Path) -> Recipe:
    """A copy of the data set after the forum was withdrawn."""
    shutil.copytree(after[0], tmp_path, dirs_exist_ok=True)
    return opened(tmp_path)


@pytest.fixture
def quick(after: tuple[Path, erasing.Erasure], monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages are not run, but copied from where they were run without the forum."""

    def copied(one: Recipe, *args: object, **options: object) -> list[dict[str, Any]]:
        for name in flow.NAMES:
            shutil.rmtree(one.build / name)
            shutil.copytree(opened(after[0]).build / name, one.build / name)
        return []

    monkeypatch.setattr(flow, "build", copied)


def words(folder: Path) -> Iterator[str]:
    """All that any table of a build says, as one text for each row."""
    for path in sorted(folder.rglob("*.parquet")):
        yield from (json.dumps(row, ensure_ascii=False) for row in pq.read_table(path).to_pylist())


def test_what_is_to_be_erased_was_there(before: Path) -> None:
    """The other tests would show nothing otherwise."""
    one = opened(before)
    made = table(one, "augment", "made")
    assert any(row["parents"][0].startswith("forum/") for row in made)
    assert ("forum/23", "merged_duplicate") in rejected(one, "audit") or any(
        "forum.jsonl" in place for row in table(one, "audit") for place in row["also_at"]
    )
    assert len(versions.listing(one)) == 2
    assert any("forum" in line for line in words(one.build / "versions"))


def test_nothing_of_a_withdrawn_source_is_left(after: tuple[Path, erasing.Erasure]) -> None:
    folder, erasure = after
    one = opened(folder)
    assert erasure.fault is None
    assert erasure.proof.findings == []
    assert erasure.proof.looked["ingest/"].files >= 3
    assert sum(looked.strings for looked in erasure.proof.looked.values()) > 1000
    for line in words(one.build):
        assert "forum/" not in line
        assert SECRET[:30] not in line
        assert SECRET_ZH[:8] not in line
    for name, content in contents(one.build).items():
        assert b"Quennell" not in content, name


def test_its_records_are_rejected_with_their_place_and_nothing_else(after: tuple[Path, erasing.Erasure]) -> None:
    gone = [row for row in table(opened(after[0]), "ingest", "rejected") if row["reason"] == "erased"]
    assert len(gone) == 13
    assert {row["row"] for row in gone} == {""}
    assert {row["evidence"] for row in gone} == {"source 'forum', erased.jsonl:1"}
    assert [row["id"] for row in gone] == [f"record:forum.jsonl:{line}" for line in range(1, 14)]


def test_the_copies_made_of_its_rows_vanish_with_them(before: Path, after: tuple[Path, erasing.Erasure]) -> None:
    made = [row["id"] for row in table(opened(before), "augment", "made") if row["id"].startswith("forum/")]
    marks = after[1].record.marks[0]
    assert set(marks.hasher.names(made).tolist()) <= set(marks.found["id"])
    assert marks.rows == 12
    assert marks.made >= len(made) > 0, "those of earlier versions count as well"
    there = {row["id"] for side in ("train", "validation", "test") for row in table(opened(after[0]), "split", side)}
    assert not there & set(made)


def test_a_row_of_another_source_into_which_one_was_merged_stays_alone(after: tuple[Path, erasing.Erasure]) -> None:
    (row,) = [row for row in table(opened(after[0]), "audit") if row["text"] == SHARED]
    assert (row["id"], row["also_at"], row["also_in"]) == ("shop/90", [], [])
    assert after[1].proof.shared > 0, "its words are those of the shop as well, and that is told"


def test_it_is_the_build_that_never_had_the_source(after: tuple[Path, erasing.Erasure], tmp_path: Path) -> None:
    one, fresh = opened(after[0]), data_set(tmp_path)
    for name in ("shop.csv", "decisions.jsonl", "erased.jsonl", "split.lock"):
        shutil.copy(one.folder / name, fresh.folder / name)
    flow.build(fresh, ALONE)
    for stage in flow.NAMES:
        mine, theirs = (store.read_report(each.build / stage) or {} for each in (one, fresh))
        assert {name: told["content"] for name, told in mine["tables"].items()} == {
            name: told["content"] for name, told in theirs["tables"].items()
        }


def test_versions_models_gates_and_pages_are_removed_and_that_is_told(
    before: Path, after: tuple[Path, erasing.Erasure]
) -> None:
    one, removed = opened(after[0]), after[1].record.removed
    gone = [entry["id"] for entry in versions.listing(opened(before))]
    assert versions.listing(one) == []
    assert {f"versions/{id_}" for id_ in gone} < set(removed)
    assert {"finetune", "evaluate", "gate", "report.html", "outputs"} <= set(removed)
    assert [line["id"] for line in versions.log.lines(one.build / "versions") if line["what"] == "erased"] == sorted(
        gone
    )
    assert {path.name for path in one.build.iterdir()} <= {*flow.NAMES, "versions", "memo", ".lock"}


def test_a_version_and_a_model_of_other_rows_stay(clean: Recipe) -> None:
    kept = versions.keep(clean).id
    report = store.read_report(clean.build / "split") or {}
    split = {side: report["tables"][side]["content"] for side in ("train", "validation", "test")}
    (clean.build / "finetune").mkdir()
    store.write_report(clean.build / "finetune", {"key": "k", "tables": {}, "details": {"split": split}})
    assert erase(clean, FORUM).proof.findings == []
    assert [entry["id"] for entry in versions.listing(clean)] == [kept]
    assert (clean.build / "finetune").is_dir()


def test_the_lock_forgets_the_rows_and_keeps_the_others_where_they_are(
    before: Path, after: tuple[Path, erasing.Erasure]
) -> None:
    old, new = (lock.read(opened(folder).lock) for folder in (before, after[0]))
    assert old is not None
    assert new is not None
    sides = dict(zip(new.ids.to_pylist(), new.sides.tolist(), strict=True))
    assert not any(name.startswith("forum/") for name in sides)
    assert after[1].record.lock_lines > 0
    mine = {name: side for name, side in zip(old.ids.to_pylist(), old.sides.tolist(), strict=True) if "shop/" in name}
    assert {name: sides[name] for name in mine} == mine


@pytest.mark.usefixtures("quick")
def test_what_people_wrote_is_told_of_and_left_where_nobody_asks(one: Recipe) -> None:
    kept = {name: content for name, content in contents(one.folder).items() if "decisions" in name or "checks" in name}
    found = [path for path, _ in erase(one, FORUM).proof.findings]
    assert found == [f"small/{name}" for name in ("checks.jsonl", "decisions.jsonl", "checks/to-check.csv")]
    assert {name: content for name, content in contents(one.folder).items() if name in kept} == kept


def test_what_people_wrote_is_blanked_where_it_is_asked_for(after: tuple[Path, erasing.Erasure]) -> None:
    from pipeline.checks import ledger

    one = opened(after[0])
    assert after[1].record.quoted == {"decisions.jsonl": 2, "checks.jsonl": 1, "checks/to-check.csv": 2}
    lines = [json.loads(line) for line in one.decisions.read_text().splitlines()]
    assert [line["row"] for line in lines] == ["erased/row", "erased/row", "shop/3"]
    assert all((line["who"], line["when"]) == ("ann", "2026-01-02") for line in lines)
    assert (one.folder / "checks" / "to-check.csv").read_bytes().decode() == "\ufeffnumber,id,text\r\n1,shop/3,x\r\n"
    (left,) = ledger.lines(one.folder / "checks.jsonl")
    assert (left.who, left.when, left.text, left.verdict) == ("bo", "2026", "", "fine")
    report = store.read_report(one.build / "audit") or {}
    assert report["details"]["decisions"]["used"] == {"fine": 1}, "the decision about the shop is still followed"


def test_what_went_out_to_a_tool_is_blanked_too(one: Recipe) -> None:
    went = [rounds.Asked(f"forum/{at}", f"words of {at}", None, None, blind=False, guideline="1") for at in (20, 21)]
    path = rounds.keep(one, rounds.Round("r1", "sheet", {each.row: each for each in went}))
    erase(one, Target("row", "forum/20"), decisions=True)
    assert "words of 20" not in path.read_text()
    assert set(rounds.every(one)[0].asked) == {"forum/21"}


def test_one_row_goes_and_its_source_stays(one: Recipe) -> None:
    erasure = erase(one, Target("row", "forum/20"), decisions=True)
    assert erasure.proof.findings == []
    ids = [row["id"] for row in table(one, "ingest")]
    assert "forum/20" not in ids
    assert "forum/21" in ids
    assert not any("Quennell of" in line for line in words(one.build))
    assert "forum/20" not in "".join(path.read_text() for path in (one.folder / "erasures").glob("*.json"))


def test_a_row_without_an_id_goes_with_all_that_say_the_same(tmp_path: Path) -> None:
    from tests.small import CSV, LABELS, csv, made

    toml = CSV.replace('id = "id", ', "") + LABELS
    lines = ["a text of which there are two copies here,good"] * 2 + [f"other text number {at},bad" for at in range(9)]
    one = made(tmp_path, toml, {"rows.csv": csv("text,label", lines)})
    flow.build(one, ALONE, last="ingest")
    twice = [row["id"] for row in table(one, "ingest") if "two copies" in row["text"]]
    assert len(twice) == 2
    assert erase(one, erasing.target_of(one, "row", max(twice))).proof.findings == []
    assert not any("two copies" in row["text"] for row in table(one, "ingest"))
    assert len(table(one, "ingest")) == 9


def test_a_longer_id_is_no_trace_of_the_one_that_it_begins_with(tmp_path: Path) -> None:
    from tests.small import CSV, LABELS, csv, made

    ids = ["1", "10", "1-2", "1.5", "1/a", "1的", "12", "张", "张三"]
    lines = [f"{id_},a living text about subject number {at} and nothing else,good" for at, id_ in enumerate(ids)]
    one = made(tmp_path, CSV + LABELS, {"rows.csv": csv("id,text,label", lines)})
    flow.build(one, ALONE)
    kept = versions.keep(one)
    assert erase(one, Target("row", "s/1"), Target("row", "s/张")).proof.findings == []
    assert not kept.folder.exists()
    assert {row["id"] for row in table(one, "ingest")} == {f"s/{id_}" for id_ in ids} - {"s/1", "s/张"}
    versions.keep(one)
    (one.folder / "notes.txt").write_text("see s/1-2, s/1.5, s/1/a, s/1的, s/张三, s/10, s/1-2.")
    assert erasing.check(one).findings == []


@pytest.mark.parametrize("said", ["行s/1的标签错了", "s/1", "as s/1.", "s/1-x", "和s/张不同", "s/张"])
def test_an_id_is_found_within_what_people_write(said: str, tmp_path: Path) -> None:
    from tests.small import CSV, LABELS, csv, made

    lines = [
        f"{id_},a living text about subject number {at} and nothing,good" for at, id_ in enumerate(["1", "张", "2"])
    ]
    one = made(tmp_path, CSV + LABELS, {"rows.csv": csv("id,text,label", lines)})
    flow.build(one, ALONE, last="ingest")
    assert erase(one, Target("row", "s/1"), Target("row", "s/张")).proof.findings == []
    (one.folder / "notes.txt").write_text(said)
    assert [file for file, _ in erasing.check(one).findings] == ["small/notes.txt"]


def test_kept_after_all_it_comes_back(clean: Recipe) -> None:
    line = erased.Line("source", "forum", "officer", "2026-01-03", "asked again", keep=True)
    erased.add(erased.path_of(clean), [line])
    flow.build(clean, ALONE, last="ingest")
    assert any(row["id"] == "forum/20" for row in table(clean, "ingest"))
    with pytest.raises(AssayError, match="nothing is erased"):
        erasing.check(clean)


def test_a_preview_changes_nothing_and_tells_where_it_stands(one: Recipe) -> None:
    there = contents(one.folder.parent)
    marks, found = erasing.preview(one, [FORUM])
    assert contents(one.folder.parent) == there
    assert marks[0].rows == 12
    assert {"ingest/", "split/", "versions/", "finetune/", "beside the recipe"} <= {
        area for area, looked in found.looked.items() if looked.left
    }


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("step", ["add", "lock_lines", "caches", "build", "derived", "prove"])
def test_killed_on_the_way_the_same_call_finishes(step: str, one: Recipe) -> None:
    class Killed(BaseException):
        pass

    def dying(*args: object, **options: object) -> None:
        raise Killed

    where: dict[str, Any] = {"add": erased, "build": flow, "prove": erasing}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(where.get(step, purging), step, dying)
        with pytest.raises(Killed):
            erase(one, FORUM, decisions=True)
    erasure = erase(one, FORUM, decisions=True)
    assert erasure.proof.findings == []
    assert erasure.record.marks[0].rows == 12, "what was erased is still known"
    assert len(erased.lines(erased.path_of(one))) == 1


@pytest.mark.usefixtures("quick")
def test_killed_in_the_middle_it_is_not_proven(one: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purging, "derived", lambda *args: [])
    assert erase(one, FORUM, decisions=True).proof.left > 0


def test_where_the_rest_cannot_be_built_the_old_build_goes(one: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: object, **options: object) -> None:
        raise AssayError("audit", "too much would leave")

    monkeypatch.setattr(flow, "build", refused)
    erasure = erase(one, FORUM, decisions=True)
    assert str(erasure.fault) == "audit: too much would leave"
    assert erasure.proof.findings == []
    assert not (one.build / "ingest").exists()


def rows_file(path: Path, **columns: Any) -> None:
    pq.write_table(pa.table(columns), path)


Plant = tuple[str, Callable[["Path"], object]]
PLANTS: dict[str, Plant] = {
    "id in a table": ("split/a.parquet", lambda path: rows_file(path, id=["forum/20"])),
    "id in a nested list": ("augment/a.parquet", lambda path: rows_file(path, a=[[{"p": ["shop/1", "forum/20"]}]])),
    "unknown id of the source": ("audit/a.parquet", lambda path: rows_file(path, row=["forum/never-seen"])),
    "id within a sentence": ("audit/b.parquet", lambda path: rows_file(path, evidence=["the same as (forum/20)."])),
    "id of a copy": ("augment/b.parquet", lambda path: rows_file(path, parents=[["forum/20~swap0"]])),
    "place": ("audit/c.parquet", lambda path: rows_file(path, also_at=[["forum.jsonl:9"]])),
    "text in another width": (
        "memo/a.parquet",
        lambda path: rows_file(path, t=[f"x {SECRET.upper()}！".replace("M", "Ｍ")]),
    ),
    "part of a text": ("memo/b.parquet", lambda path: rows_file(path, t=[f"cut {SECRET[-50:]}"])),
    "Chinese text": ("memo/c.parquet", lambda path: rows_file(path, t=[f"她说：“{SECRET_ZH}。”"])),
    "short text": ("memo/d.parquet", lambda path: rows_file(path, t=[SHORT])),
    "text among thousands": ("memo/e.parquet", lambda path: rows_file(path, t=[*map(str, range(30_000)), SECRET])),
    "text in a very long one": (
        "memo/f.parquet",
        lambda path: rows_file(path, t=["很" * 131_060 + SECRET + "好" * 300_000]),
    ),
    "bytes in a table": ("memo/g.parquet", lambda path: rows_file(path, t=[SECRET.encode()])),
    "escaped JSON in a table": (
        "audit/d.parquet",
        lambda path: rows_file(path, row=[json.dumps({"a": [json.dumps({"t": "\n".join(SECRET.split())})]})]),
    ),
    "record that made no row": ("a.txt", lambda path: path.write_text("it has no text but says Quennell House")),
    "JSON": ("split/a.json", lambda path: path.write_text(json.dumps({"a": [{"b": SECRET_ZH}]}))),
    "JSON that is none": ("split/b.json", lambda path: path.write_text('{"a": "' + SECRET)),
    "JSON lines": ("a.jsonl", lambda path: path.write_text('{"a": 1}\n' + json.dumps({"b": ["forum/21"]}) + "\n")),
    "key of JSON": ("b.json", lambda path: path.write_text(json.dumps({"forum/20": 1}))),
    "HTML": ("a.html", lambda path: path.write_text(SECRET.replace("parcel", "<b>par</b>cel").replace(" ", "&#32;"))),
    "attribute in HTML": ("b.html", lambda path: path.write_text('<a href="#forum/20">x</a>')),
    "CSV": ("a.csv", lambda path: path.write_text(f'a,b\n1,"{SHORT}"\n')),
    "Markdown": ("README.md", lambda path: path.write_text("* see forum/20 for it\n")),
    "comment in TOML": ("a.toml", lambda path: path.write_text(f"a = 1\n# {SECRET}\n")),
    "array of texts": ("a.npy", lambda path: np.save(path, np.array([SECRET_ZH, "x"]))),
    "array of bytes": ("b.npy", lambda path: np.save(path, np.frombuffer(SECRET.encode(), dtype=np.uint8))),
    "weights": ("a.safetensors", lambda path: path.write_bytes(b"\0\xff" * 999 + SECRET.encode() + b"\xfe")),
    "file of no kind": ("LOG", lambda path: path.write_bytes(b"x" * (1 << 22) + SECRET_ZH.encode())),
    "across two blocks": ("LOG2", lambda path: path.write_bytes(b"x " * (1 << 21) + b"x " * 20 + SECRET.encode())),
    "packed": ("a.bin.gz", lambda path: path.write_bytes(gzip.compress(SECRET.encode()))),
    "closed": ("a.zip", lambda path: path.write_bytes(b"PK")),
    "cut table": ("b.parquet", lambda path: path.write_bytes(b"PAR1 and no more")),
    "leftover of a kill": ("split.old/a.parquet", lambda path: rows_file(path, id=["forum/20"])),
    "version": ("versions/v012345678901/data/a.parquet", lambda path: rows_file(path, text=[SECRET])),
    "shard that its stage did not write": (
        "ingest/rows-00009.parquet",
        lambda path: rows_file(path, id=["shop/7"], source=["shop.csv:9"], text=[SECRET]),
    ),
    "text behind the line of an erased record": (
        "ingest/rejected-9.parquet",
        lambda path: rows_file(path, id=["record:a:1"], source=["a:1"], reason=["erased"], evidence=[""], row=[SECRET]),
    ),
}


@pytest.fixture(scope="module")
def planted(after: tuple[Path, erasing.Erasure], tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, int]]:
    """What is found when something is left in all those places."""
    folder = tmp_path_factory.mktemp("planted")
    shutil.copytree(after[0], folder, dirs_exist_ok=True)
    one = opened(folder)
    assert erasing.check(one).findings == []
    for name, plant in PLANTS.values():
        (one.build / name).parent.mkdir(parents=True, exist_ok=True)
        plant(one.build / name)
    return dict(erasing.check(one).findings)


@pytest.mark.parametrize("plant", PLANTS)
def test_a_survivor_is_found_wherever_it_is(plant: str, planted: dict[str, dict[str, int]]) -> None:
    assert planted.get(f"build/small/{PLANTS[plant][0]}")


def test_a_survivor_beside_the_recipe_is_found(clean: Recipe) -> None:
    path = clean.folder / "recipe.toml"
    path.write_text(path.read_text() + f"# {SECRET}\n")
    (clean.folder / "forum-old.jsonl").write_text(json.dumps({"text": SECRET_ZH}))
    assert [path for path, _ in erasing.check(clean).findings] == ["small/forum-old.jsonl", "small/recipe.toml"]


@pytest.mark.parametrize("table", ["ingest/rows-00000.parquet", "augment/made-00000.parquet"])
def test_a_text_under_the_id_of_another_row_is_found_as_a_change(table: str, clean: Recipe) -> None:
    """There it is taken for a text that both have, or for a copy that says the same by chance."""
    swapped(clean.build / table)
    found = dict(erasing.check(clean).findings)
    assert found[f"build/small/{table.partition('/')[0]}"] == {"changed since it was built": 1}


def test_a_copy_of_another_row_may_say_by_chance_what_an_erased_row_said(clean: Recipe) -> None:
    """Its report says so, too: it is the table that the stage wrote."""
    path = clean.build / "augment" / "made-00000.parquet"
    swapped(path)
    report = json.loads((path.parent / "report.json").read_text())
    told = {"name": path.name, "bytes": path.stat().st_size, "sha256": file_hash(path)}
    report["tables"]["made"]["files"] = [told]
    (path.parent / "report.json").write_text(json.dumps(report))
    assert erasing.check(clean).findings == []


def swapped(path: Path) -> None:
    """Put a text of the forum under the id of another row."""
    rows = pq.read_table(path)
    texts = [SECRET, *rows["text"].to_pylist()[1:]]
    pq.write_table(rows.set_column(rows.schema.names.index("text"), rows.schema.field("text"), pa.array(texts)), path)


OTHERS = [
    "the shop said forum/ and nothing else",
    "forumx/20",
    "my/forum/20",
    "forum/200 is another row",
    SHARED,
    "Ottilie",
]


def test_what_is_of_others_is_no_survivor(clean: Recipe) -> None:
    rows_file(clean.build / "split" / "x.parquet", text=OTHERS)
    (clean.build / "x.md").write_text("\n".join(OTHERS))
    assert erasing.check(clean).findings == []


def test_words_that_a_new_record_brings_are_no_survivors(clean: Recipe) -> None:
    raw = clean.folder / "shop.csv"
    raw.write_text(raw.read_text() + f'99,"{SECRET}",bad\n')
    flow.build(clean, ALONE, last="ingest")
    assert erasing.check(clean).findings == []


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (Target("source", "forun"), "no source 'forun'; did you mean 'forum'"),
        (Target("row", "forum/999"), "no build and no version of it has a row 'forum/999'"),
        (Target("row", "made"), "is a copy that was made of another row"),
    ],
)
def test_what_is_not_there_is_not_erased(target: Target, said: str, one: Recipe) -> None:
    if target.name == "made":
        target = Target("row", table(one, "augment", "made")[0]["id"])
    with pytest.raises(AssayError, match=said):
        erase(one, target)
    assert not erased.path_of(one).exists()
    assert not (one.folder / "erasures").exists()


def test_the_record_can_be_filed(after: tuple[Path, erasing.Erasure]) -> None:
    (path,) = sorted((opened(after[0]).folder / "erasures").glob("*.json"))
    told = json.loads(path.read_text())
    assert (told["who"], told["why"], told["state"]) == ("officer", "consent withdrawn", "nothing left")
    assert told["erased"][0]["source"] == "forum"
    assert told["erased"][0]["rows"] == 12
    assert told["proof"]["left"] == []
    assert told["proof"]["raw_files"][0].endswith("small/forum.jsonl")


def test_a_pulled_version_that_holds_erased_rows_is_refused(before: Path, clean: Recipe) -> None:
    (folder, *_) = sorted((opened(before).build / "versions").glob("v*"))
    with pytest.raises(AssayError, match="holds rows that are erased from 'small'"):
        erasing.hold_clean(clean, folder)
    erasing.hold_clean(opened(before), folder)


def test_rules_reasons_and_half_lines_lose_the_words_of_erased_rows(one: Recipe) -> None:
    from pipeline import decisions

    said = {"who": "ada", "when": "2026-01-03", "why": "so it is"}
    alone = {"rule": {"given": "bad", "becomes": "good", "phrases": [SECRET]}, "verdict": "wrong"} | said
    both = {"rule": {"given": "bad", "becomes": "good", "phrases": [SECRET, "kettle"]}, "verdict": "wrong"} | said
    told = {"row": "shop/4", "verdict": "fine", "was": "bad"} | said | {"why": f"as with {SECRET}"}
    about = decision("forum/20", SECRET) | {"act": "x1"}
    one.decisions.unlink()
    alone_id, both_id, told_id, about_id = decisions.add(one.decisions, [alone, both, told, about])
    taken_back = decisions.undo(one.decisions, both_id, who="ben", when="2026-01-04", why="no kettle")
    decisions.undo(one.decisions, "x1", who="ben", when="2026-01-04", why="about Quennell")
    decisions.undo(one.decisions, taken_back, who="ben", when="2026-01-05", why="and yet")
    decisions.undo(one.decisions, told_id, who="ben", when="2026-01-05", why="no")
    torn = one.decisions.with_name("decisions.jsonl.torn")
    torn.write_text(json.dumps(about)[:-9] + "\n")
    erasure = erase(one, FORUM, decisions=True)
    assert erasure.proof.findings == []
    assert not torn.exists()
    assert "Quennell" not in one.decisions.read_text()
    book = decisions.read(one.decisions)
    (rule,) = book.rules
    assert rule.rule is not None
    assert (rule.rule.phrases, rule.who) == (("kettle",), "ada"), "taken back, and that taken back as well"
    assert [line.row for line in book.standing] == [], "what was taken back is not in force under its new name"
    assert {alone_id, both_id, told_id, about_id}.isdisjoint(line.id for line in book.lines)


def test_a_name_that_rows_of_others_hold_is_no_trace_of_the_erased_one(tmp_path: Path) -> None:
    from pipeline import decisions
    from tests.exchange.rounds import entities

    one = entities(tmp_path, named="Zebulon Quagmire")
    flow.build(one, ALONE)
    rule = {"given": "PER", "becomes": "ORG", "surfaces": ["zebulon quagmire"]}
    said = {"verdict": "wrong", "who": "ada", "when": "2026-01-03", "why": "so it is"}
    decisions.add(one.decisions, [{"rule": rule} | said])
    erasure = erase(one, Target("row", "s/7"), decisions=True)
    assert erasure.proof.findings == []
    assert [line.rule.surfaces for line in decisions.read(one.decisions).rules if line.rule] == [("zebulon quagmire",)]
