"""Bytes to lines: decompressed, decoded, numbered, one at a time, and no bad byte passed over."""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import re
import zlib
from typing import IO, TYPE_CHECKING, BinaryIO, NamedTuple, cast

from pipeline.errors import AssayError
from pipeline.readers.record import Origin, clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.fetch import RawFile
    from pipeline.readers.record import ReadOptions

CHUNK_BYTES = 1 << 20
SAMPLE_BYTES = 1 << 18
ZSTD_BYTES = 1 << 14  # a frame may hold some ten thousand times its size
LINE_BYTES = 64 << 20
WIDE_NUL_SHARE, UTF8_NUL_SHARE = 0.01, 0.25
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_GUESSES = ["gb18030", "big5", "cp1252", "shift_jis", "euc_kr", "cp1251"]
_WIDTHS = {"utf-16-le": 2, "utf-16-be": 2, "utf-32-le": 4, "utf-32-be": 4}


class Line(NamedTuple):
    """One line without its ending; with `reason` and `evidence` where it cannot be read, `note` where it was mended."""

    number: int
    text: str
    reason: str = ""
    evidence: str = ""
    note: str = ""


def chunks(raw: RawFile) -> Iterator[bytes]:
    """The content in pieces, decompressed if its first bytes are those of gzip, bzip2, xz or zstd.

    Damaged compression is an AssayError, for nobody knows which records it hid.
    """
    from zstandard import ZstdError

    try:
        with raw.open() as stream:
            yield from _decompressed(stream)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, ZstdError) as error:
        raise AssayError(raw.name, f"cannot be read to its end ({error})", "fetch or compress it again") from error


def _decompressed(stream: BinaryIO) -> Iterator[bytes]:
    head = stream.read(6)
    stream.seek(0)
    if head.startswith(b"\x28\xb5\x2f\xfd"):
        return _zstd(stream)
    if head.startswith(b"\x1f\x8b"):
        return _pieces(cast("IO[bytes]", gzip.GzipFile(fileobj=stream)))
    if head.startswith(b"BZh"):
        return _pieces(bz2.BZ2File(stream))
    if head.startswith(b"\xfd7zXZ\x00"):
        return _pieces(lzma.LZMAFile(stream))
    return _pieces(stream)


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    while piece := stream.read(CHUNK_BYTES):
        yield piece


def _zstd(stream: BinaryIO) -> Iterator[bytes]:
    """Frame by frame: the library's own reader takes a file that is cut off for one that is whole."""
    from zstandard import ZstdDecompressor

    frame = None
    while piece := stream.read(ZSTD_BYTES):
        while piece:
            frame = frame or ZstdDecompressor().decompressobj()
            yield frame.decompress(piece)
            piece, frame = (frame.unused_data, None) if frame.eof else (b"", frame)
    if frame is not None:
        raise EOFError("the last zstd frame is cut off")


class Head(NamedTuple):
    """What the first bytes of a file say about the rest."""

    encoding: str
    bom_bytes: int
    notes: tuple[str, ...]
    newline: str


def head(raw: RawFile, options: ReadOptions) -> Head:
    """The encoding (declared, by byte-order mark, or detected on the first 256 KiB), and how lines end."""
    sample = _sample(raw)
    encoding, bom_bytes, notes = _encoding(raw.name, sample, options.encoding)
    text = sample[bom_bytes:].decode(encoding, "replace")
    old_mac = "\r" in text and "\n" not in text
    return Head(encoding, bom_bytes, notes, "\r" if old_mac else "\n")


def _sample(raw: RawFile) -> bytes:
    pieces = bytearray()
    for piece in chunks(raw):
        pieces += piece
        if len(pieces) >= SAMPLE_BYTES:
            break
    return bytes(pieces[:SAMPLE_BYTES])


def _encoding(name: str, sample: bytes, declared: str | None) -> tuple[str, int, tuple[str, ...]]:
    for bom, encoding in _BOMS:
        if sample.startswith(bom) and (
            declared is None or _family(name, declared) in (encoding, encoding[:-3], encoding + "-sig")
        ):
            return encoding, len(bom), ("byte-order mark removed",)
    if declared is not None:
        found = _family(name, declared)
        return {"utf-16": "utf-16-le", "utf-32": "utf-32-le", "utf-8-sig": "utf-8"}.get(found, found), 0, ()
    found = _detected(sample)
    return found, 0, () if found == "utf-8" else (f"encoding detected: {found}",)


def _family(name: str, declared: str) -> str:
    try:
        info = codecs.lookup(declared)
        "".encode(declared)
    except (LookupError, ValueError):
        raise AssayError(name, f"no encoding {declared!r}", "use a name such as 'utf-8', 'gb18030', 'utf-16'") from None
    return info.name


def _detected(sample: bytes) -> str:
    """UTF-8 if it decodes, or nearly: a file in another encoding has hardly one valid multi-byte sequence."""
    wide = _wide(sample)
    if wide:
        return wide
    text = sample.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    good = sum(1 for char in text if char > "\x7f" and char != "\ufffd") if bad else 0
    if (bad <= 1 and len(sample) == SAMPLE_BYTES) or bad == 0 or good >= bad:
        return "utf-8"
    from charset_normalizer import from_bytes

    cut = sample[: sample.rfind(b"\n") + 1] or sample
    best = from_bytes(cut, cp_isolation=_GUESSES).best()
    return best.encoding.replace("_", "-") if best is not None and best.encoding != "ascii" else "utf-8"


def _wide(sample: bytes) -> str:
    """UTF-16 without a mark: NULs nearly all on one side of the pairs, and many of them if it is UTF-8 as well."""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    share = WIDE_NUL_SHARE if "\ufffd" in sample.decode("utf-8", "replace")[:-1] else UTF8_NUL_SHARE
    if even + odd <= len(sample) * share:
        return ""
    encoding = "utf-16-le" if odd > 9 * even else "utf-16-be" if even > 9 * odd else ""
    return encoding if encoding and "\ufffd" not in sample[: len(sample) & ~1].decode(encoding, "replace")[:-1] else ""


def lines(raw: RawFile, options: ReadOptions) -> tuple[Origin, Iterator[Line]]:
    """Where the file is, and its lines, blank ones included, numbered from 1.

    Lines end in LF or CRLF; a lone CR ends a line only where the file has no LF. NUL is text. A line of invalid bytes
    or of more than 64 MiB has a reason; raises AssayError if the file cannot be opened or decompressed.
    """
    about = head(raw, options)
    return Origin(raw.name, list(about.notes)), _decoded(raw, about, options.invalid_bytes == "replace")


def _decoded(raw: RawFile, about: Head, replace: bool) -> Iterator[Line]:
    carriage = "\r".encode(about.encoding)
    for number, ended in enumerate(split(raw, about), start=1):
        data = None if ended is None else ended.removesuffix(carriage)
        yield line_of(number, data, about.encoding, replace=replace)


def line_of(number: int, data: bytes | None, encoding: str, *, replace: bool) -> Line:
    """A line, decoded, from its bytes without their ending; None is one that is too long."""
    if data is None:
        return Line(number, "", "unreadable_record", f"a line of more than {LINE_BYTES >> 20} MiB")
    try:
        return Line(number, codecs.decode(data, encoding))
    except ValueError:
        return _mended(number, data, encoding, replace)


def _mended(number: int, data: bytes, encoding: str, replace: bool) -> Line:
    evidence = bad_bytes(data, encoding)
    if replace:
        return Line(number, data.decode(encoding, "replace"), note=f"replaced by U+FFFD: {evidence}")
    return Line(number, clean(data.decode(encoding, "assay_bytes")), "invalid_encoding", evidence)


def bad_bytes(data: bytes, encoding: str) -> str:
    """The first run of bytes that are not in the encoding, in hex, with its offset, and what they look like."""
    try:
        data.decode(encoding)
    except UnicodeDecodeError as error:
        run = data[error.start : max(error.end, error.start + 1)][:8]
        surrogate = encoding == "utf-8" and re.match(rb"\xed[\xa0-\xbf][\x80-\xbf]", data[error.start :])
        seen = data[error.start : error.start + 3] if surrogate else run
        hint = ", half of a surrogate pair" if surrogate else ""
        return f"bytes {seen.hex(' ')} at byte {error.start} of the line are not {encoding}{hint}"
    return ""


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Every byte that cannot be decoded becomes U+DC00 + byte, as `surrogateescape` does for high bytes only."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    end = max(error.end, error.start + 1)
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : end]), end


codecs.register_error("assay_bytes", _escaped)


def split(raw: RawFile, about: Head) -> Iterator[bytes | None]:
    """The bytes of every line; None for one that is too long to hold."""
    newline = about.newline.encode(about.encoding)
    width = _WIDTHS.get(about.encoding, 1)
    held: list[bytes] = []
    held_bytes, skip = 0, about.bom_bytes
    rest = b""
    for more in chunks(raw):
        piece, skip = rest + more[skip:], max(0, skip - len(more))
        rest = piece[len(piece) - len(piece) % width :]
        first, *others = _cut(piece[: len(piece) - len(rest)], newline, width)
        if held_bytes <= LINE_BYTES:
            held.append(first)
        held_bytes += len(first)
        if not others:
            continue
        yield b"".join(held) if held_bytes <= LINE_BYTES else None
        yield from others[:-1]
        held, held_bytes = [others[-1]], len(others[-1])
    if held_bytes or rest:
        yield b"".join(held) + rest if held_bytes <= LINE_BYTES else None


def _cut(data: bytes, newline: bytes, width: int) -> list[bytes]:
    """`data.split(newline)`, where a newline of several bytes counts only on a whole code unit."""
    if width == 1:
        return data.split(newline)
    parts, start, at = [], 0, data.find(newline)
    while at >= 0:
        if at % width == 0:
            parts.append(data[start:at])
            start = at + width
        at = data.find(newline, at + 1)
    return [*parts, data[start:]]
