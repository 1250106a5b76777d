"""Versions go to a far side and come back the same, whatever happens on the way."""

from __future__ import annotations

import json
import secrets
import threading
from typing import TYPE_CHECKING

import pytest

from pipeline.errors import AssayError
from pipeline.storage import Remote, listed, pull, push
from pipeline.storage.pushing import pointed
from pipeline.storage.transfer import COPIED, SENT, SKIPPED
from pipeline.versions import log
from pipeline.versions.held import read
from tests.storage.folders import TRAIN, a_version, about_of, contents, s3_server, sealed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@pytest.fixture(scope="module")
def s3() -> Iterator[Mapping[str, str]]:
    with s3_server() as environment:
        yield environment


@pytest.fixture(params=["folder", "memory", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A place of each kind, empty."""
    name = secrets.token_hex(6)
    if request.param == "folder":
        return str(tmp_path / "far" / "side")
    if request.param == "memory":
        return f"memory://{name}/sets"
    return bucket(name, request.getfixturevalue("s3"), monkeypatch) + "/sets"


def bucket(name: str, s3: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket on the server."""
    import s3fs

    for key, value in s3.items():
        monkeypatch.setenv(key, value)
    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem().mkdir(name)
    return f"s3://{name}"


class Killed(BaseException):
    """The process ends here."""


def test_pushed_and_pulled_is_the_same_and_a_version(url: str, tmp_path: Path) -> None:
    version = a_version(tmp_path / "here")
    moved: list[int] = []
    done = push(Remote(url), version, "small", tick=moved.append)
    assert done.latest
    assert done.files == {SENT: 5, COPIED: 0, SKIPPED: 0}
    assert (
        sum(moved)
        == done.bytes[SENT]
        == sum(len(content) for content in contents(version).values()) - len((version / "version.json").read_bytes())
    )
    got: list[int] = []
    pulled = pull(Remote(url), "small", tmp_path / "there", tick=got.append)
    assert contents(tmp_path / "there" / version.name) == contents(version)
    assert read(tmp_path / "there" / pulled.version).rows == {"train": 40, "validation": 1, "test": 1}
    assert sum(got) == pulled.bytes[SENT]
    assert [line["what"] for line in log.lines(tmp_path / "there")] == ["pulled"]
    assert sorted(path.name for path in (tmp_path / "there").iterdir()) == ["log.jsonl", version.name]


def test_again_nothing_is_sent_and_nothing_is_left_over(url: str, tmp_path: Path) -> None:
    version, remote = a_version(tmp_path / "here"), Remote(url)
    push(remote, version, "small")
    again = push(remote, version, "small")
    assert not again.fresh
    assert again.files == {SENT: 0, COPIED: 0, SKIPPED: 5}
    assert remote.names("small") == ["latest.json", version.name]
    assert remote.names("small", version.name) == [".kept", "README.md", "data", "rejected.parquet", "version.json"]
    assert not pull(remote, "small", tmp_path / "here").fresh


def test_what_another_version_has_is_copied_by_the_store(url: str, tmp_path: Path) -> None:
    first, second = a_version(tmp_path / "here"), a_version(tmp_path / "here", train=[*TRAIN, "new"])
    remote = Remote(url)
    push(remote, first, "small")
    done = push(remote, second, "small")
    assert (done.files[SENT], done.files[COPIED]) == (1, 4)
    pull(remote, "small", tmp_path / "there", version=second.name)
    assert contents(tmp_path / "there" / second.name) == contents(second)


@pytest.mark.parametrize("files", range(8))
def test_a_killed_push_shows_nothing_and_goes_on(files: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed before any file, in the middle of any, before the manifest and before the pointer."""
    version, remote = a_version(tmp_path / "here"), Remote(str(tmp_path / "far"))
    real, left = Remote._rename, [files + 1]  # the claim is written first

    def dying(self: Remote, partial: str, target: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        real(self, partial, target)

    monkeypatch.setattr(Remote, "_rename", dying)
    with pytest.raises(Killed):
        push(remote, version, "small")
    monkeypatch.undo()
    assert pointed(remote, "small") is None
    if files < 6:
        with pytest.raises(AssayError, match=r"there is no latest.json|is not whole"):
            pull(remote, "small", tmp_path / "there", version=version.name if files else "")
    done = push(remote, version, "small")
    assert done.files[SKIPPED] == min(files, 5)
    pull(remote, "small", tmp_path / "there")
    assert contents(tmp_path / "there" / version.name) == contents(version)


def test_a_file_that_nobody_claims_is_not_trusted_for_its_size(tmp_path: Path) -> None:
    version, remote = a_version(tmp_path / "here"), Remote(str(tmp_path / "far"))
    planted = tmp_path / "far" / "small" / version.name / "README.md"
    planted.parent.mkdir(parents=True)
    planted.write_text("# evil\n.")
    assert planted.stat().st_size == (version / "README.md").stat().st_size
    push(remote, version, "small")
    assert planted.read_text() == "# small\n"


def test_a_damaged_copy_is_mended_by_pushing_again(url: str, tmp_path: Path) -> None:
    version, remote = a_version(tmp_path / "here"), Remote(url)
    push(remote, version, "small")
    remote.remove("small", version.name, "data", "train-00000.parquet")
    with pytest.raises(AssayError, match="no such place"):
        pull(remote, "small", tmp_path / "there")
    assert push(remote, version, "small").fresh
    pull(remote, "small", tmp_path / "there")
    assert contents(tmp_path / "there" / version.name) == contents(version)


def test_pushes_at_once_leave_one_whole_copy(tmp_path: Path) -> None:
    versions = [a_version(tmp_path / "here", train=[*TRAIN, str(number)]) for number in range(2)]
    remote, faults = str(tmp_path / "far"), []

    def pushing(version: Path) -> None:
        try:
            push(Remote(remote), version, "small", kept=f"2026-01-0{versions.index(version) + 1}")
        except AssayError as error:
            faults.append(error)

    threads = [threading.Thread(target=pushing, args=(version,)) for version in versions * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    for version in versions:
        pull(Remote(remote), "small", tmp_path / "there", version=version.name)
        assert contents(tmp_path / "there" / version.name) == contents(version)
    assert (pointed(Remote(remote), "small") or {})["id"] == versions[1].name


def test_the_same_rows_in_other_bytes_are_one_version_and_never_mixed(tmp_path: Path) -> None:
    mine, other = a_version(tmp_path / "a"), a_version(tmp_path / "b", compression="gzip")
    assert mine.name == other.name
    assert contents(mine)["data/train-00000.parquet"] != contents(other)["data/train-00000.parquet"]
    remote = Remote(str(tmp_path / "far"))
    remote.write(b"", "small", mine.name, ".pushing-0123456789abcdef")
    with pytest.raises(AssayError, match=r"another machine.*delete \.pushing-0123456789abcdef there"):
        push(remote, other, "small")
    assert remote.names("small", mine.name) == [".pushing-0123456789abcdef"]
    remote.remove("small", mine.name, ".pushing-0123456789abcdef")
    push(remote, mine, "small")
    assert not push(remote, other, "small").fresh
    assert not pull(remote, "small", tmp_path / "b").fresh, "what is here is as good"


def test_a_push_that_writes_the_pointer_late_sees_who_was_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older push looks, the newer one pushes and points, and only then the older one writes what it saw."""
    older, newer = (a_version(tmp_path / "here", train=[*TRAIN, str(number)]) for number in range(2))
    remote, real = Remote(str(tmp_path / "far")), Remote.write

    def late(self: Remote, content: bytes, *parts: str) -> None:
        if parts[-1] == "latest.json":
            monkeypatch.undo()
            assert push(Remote(str(tmp_path / "far")), newer, "small", kept="2026-01-02").latest
        real(self, content, *parts)

    monkeypatch.setattr(Remote, "write", late)
    assert not push(remote, older, "small", kept="2026-01-01").latest
    assert (pointed(remote, "small") or {})["id"] == newer.name


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_pointer_ends_at_what_was_kept_last(order: tuple[int, int], tmp_path: Path) -> None:
    versions = [a_version(tmp_path / "here", train=[*TRAIN, str(number)]) for number in range(2)]
    remote = Remote(str(tmp_path / "far"))
    moved = [push(remote, versions[at], "small", kept=f"2026-01-0{at + 1}").latest for at in order]
    assert (pointed(remote, "small") or {})["id"] == versions[1].name
    assert moved == [True, order == (0, 1)]
    assert [one["latest"] for one in listed(remote, "small") if one["id"] == versions[1].name] == [True]
    assert pull(remote, "small", tmp_path / "there").version == versions[1].name


def test_the_beginning_of_an_id_is_enough_and_an_unknown_one_is_answered(tmp_path: Path) -> None:
    version, remote = a_version(tmp_path / "here"), Remote(str(tmp_path / "far"))
    push(remote, version, "small")
    assert pull(remote, "small", tmp_path / "there", version=version.name[:5]).version == version.name
    with pytest.raises(AssayError, match=version.name):
        pull(remote, "small", tmp_path / "there", version="vzz")
    with pytest.raises(AssayError, match="there is no version"):
        listed(remote, "smal")


def test_a_local_file_that_changed_is_never_sent(tmp_path: Path) -> None:
    version, remote = a_version(tmp_path / "here"), Remote(str(tmp_path / "far"))
    (version / "README.md").write_text("# smell\n")
    with pytest.raises(AssayError, match=r"README.md: is not the file of the version"):
        push(remote, version, "small")
    assert remote.names("small") == []


@pytest.mark.parametrize("what", ["flipped", "cut", "longer"])
def test_a_file_that_was_changed_there_is_refused(what: str, tmp_path: Path) -> None:
    version, remote = a_version(tmp_path / "here"), Remote(str(tmp_path / "far"))
    push(remote, version, "small")
    path = tmp_path / "far" / "small" / version.name / "data" / "test-00000.parquet"
    raw = path.read_bytes()
    path.write_bytes(
        {"flipped": raw[:20] + bytes([raw[20] ^ 1]) + raw[21:], "cut": raw[:-1], "longer": raw + b"x"}[what]
    )
    with pytest.raises(AssayError, match="is not the file of the version"):
        pull(remote, "small", tmp_path / "there")
    assert not (tmp_path / "there" / version.name).exists()
    path.write_bytes(raw)
    done = pull(remote, "small", tmp_path / "there")
    assert done.files == {SENT: 3, COPIED: 0, SKIPPED: 2}, "what was right stays fetched"
    assert contents(tmp_path / "there" / version.name) == contents(version)


def test_rows_that_were_changed_with_their_hashes_are_refused(tmp_path: Path) -> None:
    """Who changes the Parquet file can change the hash in version.json: the id is of the rows."""
    version, forged = a_version(tmp_path / "here"), a_version(tmp_path / "evil", train=["poison", *TRAIN[1:]])
    remote = Remote(str(tmp_path / "far"))
    push(remote, version, "small")
    there = tmp_path / "far" / "small" / version.name
    about = about_of(there)
    about["tables"]["train"]["files"] = about_of(forged)["tables"]["train"]["files"]
    (there / "data/train-00000.parquet").write_bytes((forged / "data/train-00000.parquet").read_bytes())
    (there / "version.json").write_text(json.dumps(about))
    with pytest.raises(AssayError, match="the rows of 'train' are not those of"):
        pull(remote, "small", tmp_path / "there")
    assert not (tmp_path / "there" / version.name).exists()


def test_a_manifest_that_does_not_fit_its_name_is_refused(tmp_path: Path) -> None:
    version, remote = a_version(tmp_path / "here"), Remote(str(tmp_path / "far"))
    push(remote, version, "small")
    path = tmp_path / "far" / "small" / version.name / "version.json"
    path.write_text(json.dumps({**about_of(version), "told": {"agreement": "perfect"}}))
    with pytest.raises(AssayError, match="but by its content it is"):
        pull(remote, "small", tmp_path / "there")
    other = a_version(tmp_path / "other", train=["x"])
    path.write_bytes((other / "version.json").read_bytes())
    with pytest.raises(AssayError, match="was looked for"):
        pull(remote, "small", tmp_path / "there")


@pytest.mark.parametrize(
    "name",
    ["../../evil", "/evil", "data/../../evil", ".git", "data\\evil", "c:evil", "version.json", "data/a/b", ""],
)
def test_a_name_that_leads_out_is_refused_though_its_id_fits(name: str, tmp_path: Path) -> None:
    version = a_version(tmp_path / "here")
    about = about_of(version)
    about["files"][name] = about["files"]["README.md"]
    there = tmp_path / "far" / "small" / "evil"
    there.mkdir(parents=True)
    id_ = sealed(there, {key: value for key, value in about.items() if key != "id"}).name
    with pytest.raises(AssayError, match="outside its folder"):
        pull(Remote(str(tmp_path / "far")), "small", tmp_path / "there", version=id_)
    assert not (tmp_path / "there" / id_).exists()


def test_a_refused_version_gets_no_name(tmp_path: Path) -> None:
    version, remote = a_version(tmp_path / "here"), Remote(str(tmp_path / "far"))
    push(remote, version, "small")
    seen: list[bool] = []

    def refuse(folder: Path) -> None:
        seen.append((folder / "data" / "train-00000.parquet").is_file())
        raise AssayError("version", "holds rows that were erased")

    with pytest.raises(AssayError, match="erased"):
        pull(remote, "small", tmp_path / "there", accept=refuse)
    assert seen == [True]
    assert list((tmp_path / "there").iterdir()) == [], "nor does what was refused lie about"


def test_datasets_loads_what_was_pulled_and_what_was_pushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    version, remote = a_version(tmp_path / "here"), Remote(str(tmp_path / "far"))
    push(remote, version, "small")
    pull(remote, "small", tmp_path / "there")
    for folder in (tmp_path / "there" / version.name, tmp_path / "far" / "small" / version.name):
        sides = datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))
        assert {side: table.num_rows for side, table in sides.items()} == {"train": 40, "validation": 1, "test": 1}
        assert sides["train"]["text"][:2] == TRAIN[:2]
