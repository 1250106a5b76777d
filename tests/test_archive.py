from __future__ import annotations

import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.archive import is_safe, member_names, open_member
from pipeline.errors import AssayError

if TYPE_CHECKING:
    from pathlib import Path


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def tarred(members: dict[str, bytes], mode: str = "w:gz") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def content(path: Path, *members: str) -> bytes:
    with open_member(path, members) as stream:
        return stream.read()


def test_members_of_members_in_every_nesting(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for outer in (zipped, tarred):
        for inner in (zipped, tarred):
            path.write_bytes(outer({"d/in": inner({"x/中.txt": b"found", "y": b"other"}), "z": b""}))
            assert member_names(path, []) == ["d/in", "z"]
            assert member_names(path, ["d/in"]) == ["x/中.txt", "y"]
            assert content(path, "d/in", "x/中.txt") == b"found"


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_with_any_compression(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(tarred({"x": b"1"}, mode))
    assert content(path, "x") == b"1"


def test_a_member_can_be_sought_and_closes_what_it_lies_in(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(zipped({"x": b"0123456789" * 1000}))
    stream = open_member(path, ["x"])
    assert stream.seekable()
    assert stream.read(3) == b"012"
    stream.seek(9000)
    assert stream.tell() == 9000
    assert stream.read(1) == b"0"
    stream.close()
    stream.close()
    assert stream.closed


def test_names_that_leave_the_archive_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a"
    for name in ("../evil", "/evil", "a/../../evil"):
        path.write_bytes(tarred({name: b"x"}))
        with pytest.raises(AssayError, match="leads out of the archive"):
            content(path, name)


def test_links_are_no_files(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(AssayError, match="no such file in the archive"):
        content(path, "link")
    info = zipfile.ZipInfo("link")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as zip_archive:
        zip_archive.writestr(info, "/etc/passwd")
    assert member_names(tmp_path / "a.zip", []) == []


def test_what_is_no_archive_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(AssayError, match=r"a.txt: is neither a zip nor a tar file"):
        content(tmp_path / "a.txt", "x")
    with pytest.raises(AssayError, match=r"b.txt: cannot be opened"):
        content(tmp_path / "b.txt")
    (tmp_path / "c.zip").write_bytes(zipped({"train.csv": b""}))
    with pytest.raises(AssayError, match=r"did you mean 'train.csv'"):
        content(tmp_path / "c.zip", "trian.csv")


@given(st.integers(0, 200), st.binary(min_size=1, max_size=4), st.sampled_from(["zip", "tar", "gz"]))
def test_damaged_archives_give_content_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, damage: bytes, kind: str
) -> None:
    members = {"a": b"some text" * 9, "b": b"more"}
    whole = zipped(members) if kind == "zip" else tarred(members, "w" if kind == "tar" else "w:gz")
    path = tmp_path_factory.getbasetemp() / f"damaged.{kind}"
    path.write_bytes(whole[:at] + damage + whole[at + len(damage) :])
    try:
        for name in member_names(path, []):
            if is_safe(name):
                with open_member(path, [name]) as stream:
                    stream.read()
    except AssayError:
        pass
    except (OSError, EOFError, zipfile.BadZipFile, tarfile.TarError):
        pytest.fail("an error of the archive came out as it was")
