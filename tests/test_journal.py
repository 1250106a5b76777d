"""Journals: every line read back with its place or refused, written whole beside others, whenever one is killed."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import Event, Thread
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import journal
from pipeline.errors import AssayError

HERE = Path(__file__).parent.parent
WRITER = """
import sys
from pathlib import Path
from pipeline import journal
path, who = Path(sys.argv[1]), sys.argv[2]
for number in range(int(sys.argv[3])):
    journal.add(path, [{"who": who, "number": number, "more": "x" * 20_000}])
    print(number, flush=True)
"""


def entries(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for _, line in journal.numbered(path)]


@given(st.lists(st.text()), st.sampled_from(["", "\n", '{"a": "0"}', '{"a": "0"}\n']))
def test_what_is_added_is_read_again(tmp_path_factory: pytest.TempPathFactory, said: list[str], before: str) -> None:
    path = tmp_path_factory.mktemp("j") / "j.jsonl"
    path.write_text(before, encoding="utf-8")
    journal.add(path, [{"a": one} for one in said])
    assert [json.loads(line)["a"] for _, line in journal.numbered(path)] == [*(["0"] if "0" in before else []), *said]


def test_nothing_to_add_makes_no_file(tmp_path: Path) -> None:
    journal.add(tmp_path / "j.jsonl", [])
    assert list(tmp_path.iterdir()) == []
    assert journal.numbered(tmp_path / "j.jsonl") == []


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="cannot be read: Is a directory"):
        journal.numbered(tmp_path)
    with pytest.raises(AssayError, match="cannot be written: Is a directory"):
        journal.add(tmp_path, [{}])


@pytest.mark.parametrize("torn", [b'{"a": ', b"{", b'{"a": "\xe4\xb8'])
def test_half_a_line_is_set_aside_before_the_next(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(b'{"a": 1}\n' + torn)
    journal.add(path, [{"a": 2}])
    assert entries(path) == [{"a": 1}, {"a": 2}]
    assert (tmp_path / "j.jsonl.torn").read_bytes() == torn + b"\n"


@pytest.mark.parametrize("before", [b"", b'{"a": 1}\n', b'{"a": 1}', b'\n{"a": 1}'])
def test_a_whole_last_line_without_its_end_stays(tmp_path: Path, before: bytes) -> None:
    path = tmp_path / "j.jsonl"
    path.write_bytes(before)
    assert not journal.mend(path)
    journal.add(path, [{"a": 2}])
    assert entries(path) == [*([{"a": 1}] if before else []), {"a": 2}]
    assert not (tmp_path / "j.jsonl.torn").exists()


@given(st.lists(st.integers(0, 200_000), min_size=1, max_size=4), st.integers(1, 300_000))
def test_lines_of_any_length_are_found_whole(lengths: list[int], cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "j.jsonl"
        whole = b"".join(json.dumps({"x": "y" * length}).encode() + b"\n" for length in lengths)
        left = whole[: max(len(whole) - cut, 0)]
        path.write_bytes(left)
        kept = left.count(b"\n") + (left.endswith(b"}"))
        journal.add(path, [{"last": True}])
        assert len(entries(path)) == kept + 1


def test_mending_says_whether_there_was_anything(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    assert not journal.mend(path)
    path.write_bytes(b'{"a": 1}\n{"b')
    assert journal.mend(path)
    assert path.read_bytes() == b'{"a": 1}\n'
    assert not journal.mend(path)


def _writer(path: Path, who: str, count: int) -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": str(HERE)}
    told = [sys.executable, "-c", WRITER, str(path), who, str(count)]
    return subprocess.Popen(told, stdout=subprocess.PIPE, env=environment, cwd=HERE)


def test_several_processes_write_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    running = [_writer(path, who, 20) for who in "ab"]
    for each in running:
        each.communicate()
    told = entries(path)
    assert sorted((str(one["who"]), one["number"]) for one in told) == [(who, at) for who in "ab" for at in range(20)]


def test_a_killed_process_loses_nothing_that_it_had_told_of(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    running = _writer(path, "a", 100_000)
    assert running.stdout is not None
    told = -1
    for line in running.stdout:
        told = int(line)
        if told >= 5:
            running.send_signal(signal.SIGKILL)
            break
    rest = running.stdout.read()
    running.wait()
    running.stdout.close()
    told = int(rest.split()[-1]) if rest.split() else told
    journal.mend(path)
    numbers = [one["number"] for one in entries(path)]
    assert numbers[: told + 1] == list(range(told + 1))


def test_where_there_is_no_room_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "j.jsonl"
    journal.add(path, [{"a": 1}])
    write = os.write

    def full(file: int, content: bytes) -> int:
        write(file, content[:40])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(AssayError, match="No space left"):
        journal.add(path, [{"number": number} for number in range(20)])
    monkeypatch.undo()
    journal.add(path, [{"b": 1}])
    assert entries(path) == [{"a": 1}, {"b": 1}]


def test_a_line_goes_into_the_file_that_was_put_in_the_place_of_the_one_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other, waits, lock = tmp_path / "one.jsonl", tmp_path / "other", Event(), fcntl.flock
    journal.add(path, [{"a": 1}])

    def flock(file: BinaryIO, how: int) -> None:
        waits.set()
        lock(file, how)

    with journal.held(path):
        monkeypatch.setattr(fcntl, "flock", flock)
        waiting = Thread(target=journal.add, args=(path, [{"b": 2}]))
        waiting.start()
        assert waits.wait(10)
        other.write_text('{"blank": 1}\n', encoding="utf-8")
        other.replace(path)
    waiting.join(10)
    assert path.read_text(encoding="utf-8") == '{"blank": 1}\n{"b": 2}\n'
