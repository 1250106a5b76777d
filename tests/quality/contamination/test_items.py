"""Items: every text of a record, each once, without blanks and without the wording of the set."""

from __future__ import annotations

import pytest

from pipeline.quality.contamination import Items, Size, add, is_named, leaves

SIZE = Size(5, 8)


def test_leaves_of_nested_records() -> None:
    record = {
        "question": "How many?",
        "answers": {"text": ["Three hens", "3"], "start": [1, 2]},
        "messages": [{"role": "user", "content": "Hi"}],
        "tokens": ["EU", "rejects", "German", "call"],
        "n": 3,
        "none": None,
    }
    assert list(leaves(record)) == [
        ("question", "How many?"),
        ("answers.text", "Three hens"),
        ("answers.text", "3"),
        ("messages.role", "user"),
        ("messages.content", "Hi"),
        ("tokens", "EU rejects German call"),
    ]


@pytest.mark.parametrize(
    ("path", "names", "expected"),
    [
        ("answers.text", (), True),
        ("answers.text", ("answers",), True),
        ("answers.text", ("answers.text",), True),
        ("answers.text", ("answer",), False),
        ("question", ("answers", "question"), True),
    ],
)
def test_named(path: str, names: tuple[str, ...], expected: bool) -> None:
    assert is_named(path, names) is expected


def test_texts_are_counted_as_what_they_are() -> None:
    items = Items()
    texts = [("f:1", "q", "One hen"), ("f:2", "q", "one HEN!"), ("f:3", "q", "..."), ("f:4", "q", "Two hens")]
    texts += [(f"f:{at}", "label", "poultry") for at in range(11)]
    counts = add(items, 7, texts, records=15, size=SIZE)
    assert counts == {"items": 2, "repeated": 1, "blank": 1, "wording": 11}
    assert (items.sets, items.places, items.fields) == ([7, 7], ["f:1", "f:4"], ["q", "q"])
    assert items.texts == ["One hen", "Two hens"]
    assert add(Items(), 0, texts, records=1100, size=SIZE)["items"] == 3
