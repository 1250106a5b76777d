"""What users are told: place, problem, way out; and that it survives the way back from a worker process."""

from __future__ import annotations

import pickle

import pytest

from pipeline.errors import AssayError, Unfit, nearest


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (AssayError("a.csv:3", "no text"), "a.csv:3: no text"),
        (AssayError("a.csv:3", "no text", "map it"), "a.csv:3: no text; map it"),
        (Unfit("blank_text", "' '"), "blank_text: ' '"),
    ],
)
def test_message_and_pickle(error: AssayError, said: str) -> None:
    back = pickle.loads(pickle.dumps(error))  # our own bytes, as a process pool sends them
    assert str(error) == said
    assert (type(back), str(back), vars(back)) == (type(error), said, vars(error))


def test_nearest_names_one_or_all() -> None:
    assert nearest("lenght", ["length", "width"]) == "did you mean 'length'?"
    assert nearest("zzz", ["b", "a"]) == "known: a, b"
    assert nearest("zzz", []) == "known: "
