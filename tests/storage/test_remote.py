"""What the far side may answer, and that no secret is ever shown."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import AssayError
from pipeline.storage import Remote, masked
from pipeline.storage.manifest import is_safe
from tests.storage.folders import s3_server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


@pytest.fixture(scope="module")
def s3() -> Iterator[Mapping[str, str]]:
    with s3_server() as environment:
        yield environment


WORDS = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789%", min_size=4, max_size=20)


@given(user=WORDS, password=WORDS, text=st.text(max_size=20))
def test_users_and_passwords_are_masked_wherever_they_stand(user: str, password: str, text: str) -> None:
    url = f"sftp://{user}:{password}@host/sets"
    told = masked(f"{text} {url} said {password}", url)
    assert "host/sets" in told
    assert f"{user}:" not in told
    assert f"said {password}" not in told


def test_what_is_no_secret_is_shown() -> None:
    assert masked("s3://bucket/sets") == "s3://bucket/sets"
    assert masked("https://host/sets?sig=abc&x=1") == "https://host/sets?***"
    assert masked("simplecache::sftp://u:p@host/x") == "simplecache::sftp://***@host/x"


def test_a_bucket_that_is_not_there_is_said_to_be_so(s3: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in s3.items():
        monkeypatch.setenv(key, value)
    remote = Remote("s3://no-such-bucket/sets")
    assert remote.names("small") == []
    with pytest.raises(AssayError, match=r"s3://no-such-bucket/sets: there is no such place .*make the bucket"):
        remote.write(b"x", "small", "latest.json")


def test_a_server_that_is_not_there_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "very-secret-key")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    s3fs.S3FileSystem.clear_instance_cache()
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    with pytest.raises(AssayError, match="cannot be reached") as error:
        Remote("s3://bucket-there/sets").write(b"x", "small")
    assert "very-secret-key" not in str(error.value)


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.registry import _registry

    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(_registry, "s3", raising=False)
    with pytest.raises(AssayError, match=r"s3://bucket: needs a package .*pip install 'assay\[s3\]'"):
        Remote("s3://bucket")


def test_an_unknown_kind_of_place_is_answered_without_its_secrets() -> None:
    with pytest.raises(AssayError, match="no such kind of place") as error:
        Remote("s4://user:geheim@bucket")
    assert "geheim" not in str(error.value)


def test_no_rights_are_said_to_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remote = Remote(str(tmp_path))

    def refused(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Access Denied")

    monkeypatch.setattr(type(remote.fs), "pipe_file", refused)
    with pytest.raises(AssayError, match=r"you may not write there .*credentials in the environment"):
        remote.write(b"x", "a")


def test_bytes_that_do_not_arrive_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remote, source = Remote(str(tmp_path / "far")), tmp_path / "x"
    source.write_bytes(b"0123456789")
    real = type(remote.fs).put_file

    def cut(self: object, path: str, target: str, **kwargs: object) -> None:
        source.write_bytes(b"01234")
        real(self, path, target, **kwargs)
        source.write_bytes(b"0123456789")

    monkeypatch.setattr(type(remote.fs), "put_file", cut)
    with pytest.raises(AssayError, match="10 bytes were sent, but 5 bytes arrived; push again"):
        remote.send(source, lambda done: None, "x")


@given(
    st.text(max_size=12) | st.lists(st.sampled_from(["..", ".", "", "a", "data", "/", "\\"]), max_size=5).map("/".join)
)
def test_a_safe_name_stays_in_its_folder(name: str) -> None:
    if is_safe(name):
        parts = name.split("/")
        assert len(parts) <= 2
        assert len(parts) == 1 or parts[0] == "data"
        assert all(part and not part.startswith(".") and part.isascii() for part in parts)
