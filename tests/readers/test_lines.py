from __future__ import annotations

import bz2
import gzip
import lzma

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

import pipeline.readers.lines as module
from pipeline.errors import AssayError
from pipeline.readers.lines import Line, lines
from pipeline.readers.record import ReadOptions

from .memory import held

CHINESE = (
    "我喜欢这部电影，演员的表演非常出色。\n但是结尾让人失望，节奏也太慢了。\n价格便宜，质量很好，推荐购买。\n" * 20
)


def texts(content: bytes, **options: object) -> list[str]:
    return [line.text for line in lines(held(content), ReadOptions(**options))[1]]  # type: ignore[arg-type]


def notes(content: bytes) -> list[str]:
    return lines(held(content), ReadOptions())[0].pending


@pytest.mark.parametrize(
    "squeeze", [gzip.compress, bz2.compress, lzma.compress, zstandard.ZstdCompressor().compress, lambda data: data]
)
def test_compression_is_told_by_content(squeeze: object) -> None:
    assert texts(squeeze("一\n二\n".encode())) == ["一", "二"]  # type: ignore[operator]


def test_several_gzip_and_zstd_members_are_all_read() -> None:
    assert texts(gzip.compress(b"a\n") + gzip.compress(b"b\n")) == ["a", "b"]
    frame = zstandard.ZstdCompressor().compress
    assert texts(frame(b"a\n") + frame(b"b\n")) == ["a", "b"]


@pytest.mark.parametrize("squeeze", [gzip.compress, bz2.compress, lzma.compress, zstandard.ZstdCompressor().compress])
def test_cut_compression_is_an_error_and_not_a_shorter_file(squeeze: object) -> None:
    whole: bytes = squeeze(bytes(range(256)) * 40)  # type: ignore[operator]
    with pytest.raises(AssayError, match="cannot be read to its end"):
        texts(whole[: len(whole) // 2])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_removed_and_noted(encoding: str) -> None:
    content = "一a\nb\n".encode(encoding)
    assert texts(content) == ["一a", "b"]
    assert notes(content) == ["byte-order mark removed"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-8", "gb18030", "utf-16-be", "big5"])
def test_a_declared_encoding_holds(encoding: str) -> None:
    assert texts("電a\nb\n".encode(encoding), encoding=encoding) == ["電a", "b"]


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gb18030", CHINESE),
        ("big5", "我喜歡這部電影，演員的表演非常出色。\n但是結局讓人失望，節奏也太慢了。\n" * 20),
        ("cp1252", "Café déjà vu à Zürich, où l'été est très agréable.\nLe garçon a mangé une pâtisserie.\n" * 10),
        ("utf-16-le", "plain text\nof several lines\n" * 5),
        ("utf-16-be", "plain text\nof several lines\n" * 5),
        ("utf-16-le", CHINESE),
        ("utf-16-be", CHINESE),
    ],
)
def test_an_undeclared_encoding_is_detected_and_noted(encoding: str, text: str) -> None:
    content = text.encode(encoding)
    assert texts(content) == text.splitlines()
    assert notes(content)[0].startswith("encoding detected: ")


def test_a_few_bad_bytes_do_not_turn_utf8_into_something_else() -> None:
    content = CHINESE.encode() + b"\xed\xa0\xbd bad\n" + CHINESE.encode()
    found = list(lines(held(content), ReadOptions())[1])
    bad = [line for line in found if line.reason]
    assert [(line.number, line.reason) for line in bad] == [(61, "invalid_encoding")]
    assert bad[0].evidence == "bytes ed a0 bd at byte 0 of the line are not utf-8, half of a surrogate pair"
    assert bad[0].text == "\\xed\\xa0\\xbd bad"
    assert len(found) == 121


def test_bad_bytes_can_be_replaced_and_are_noted() -> None:
    (line,) = lines(held(b"ok \xff!"), ReadOptions(encoding="utf-8", invalid_bytes="replace"))[1]
    assert line == Line(1, "ok \ufffd!", note="replaced by U+FFFD: bytes ff at byte 3 of the line are not utf-8")


def test_an_encoding_that_changes_after_the_sample_is_reported_line_by_line() -> None:
    ascii_part = b"plain\n" * (module.SAMPLE_BYTES // 6 + 1)
    found = list(lines(held(ascii_part + "中文\n".encode("gb18030")), ReadOptions())[1])
    assert found[-1].reason == "invalid_encoding"
    assert not any(line.reason for line in found[:-1])


def test_line_ends() -> None:
    assert texts(b"a\r\nb\r\n\r\nc") == ["a", "b", "", "c"]
    assert texts(b"a\rb\rc") == ["a", "b", "c"]
    assert texts(b"a\rb\nc\x00d\n") == ["a\rb", "c\x00d"]
    assert texts("a\u2028b\x0bc\x85d\n".encode()) == ["a\u2028b\x0bc\x85d"]


def test_a_line_too_long_to_hold_is_broken_and_the_next_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINE_BYTES", 1 << 20)
    content = b"a\n" + b"x" * (5 << 20) + b"\nb\n" + b"y" * (5 << 20)
    found = list(lines(held(content), ReadOptions())[1])
    assert [(line.number, line.text, line.reason) for line in found] == [
        (1, "a", ""),
        (2, "", "unreadable_record"),
        (3, "b", ""),
        (4, "", "unreadable_record"),
    ]


def test_an_unknown_encoding_is_named() -> None:
    for wrong in ("utf-9", "hex", "\0"):
        with pytest.raises(AssayError, match="no encoding"):
            texts(b"a", encoding=wrong)


@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20), max_size=30),
    st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "gb18030"]),
    st.integers(1, 50),
)
def test_lines_are_those_written_whatever_the_chunks(wanted: list[str], encoding: str, chunk: int) -> None:
    content = "".join(f"{line}\n" for line in wanted).encode(encoding)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK_BYTES", chunk)
        marked = content.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"))
        if not marked:
            assert texts(content, encoding=encoding) == wanted


@given(st.binary(max_size=200))
def test_every_line_of_any_bytes_is_numbered_once(content: bytes) -> None:
    try:
        found = list(lines(held(content), ReadOptions(encoding="utf-8"))[1])
    except AssayError:
        return
    assert [line.number for line in found] == list(range(1, len(found) + 1))
    for line in found:
        line.text.encode("utf-8")
