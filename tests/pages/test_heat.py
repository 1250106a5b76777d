"""Heat tables: shades are shares of the row, and rows without anything are left out."""

from __future__ import annotations

from pipeline.pages.heat import heat


def test_shades_are_shares_of_the_row() -> None:
    table = heat("caption", "settled", ["a", "b", "c"], [[9, 1, 0], [5, 5, 0], [0, 0, 0]])
    assert table.head == ("settled", "a", "b", "c")
    assert [[cell.value for cell in row] for row in table.rows] == [
        ["a", "9 (90.0 %)", "1 (10.0 %)", "0"],
        ["b", "5 (50.0 %)", "5 (50.0 %)", "0"],
    ]
    assert [cell.kind for cell in table.rows[0][1:]] == ["number heat-9", "number heat-1", "number heat-0"]


def test_shares_are_of_the_whole_where_columns_are_left_out() -> None:
    assert heat("", "true", ["a"], [[5]], [10]).rows[0][1].value == "5 (50.0 %)"


def test_long_labels_are_cut() -> None:
    assert len(heat("", "true", ["x" * 500], [[1]]).head[1]) < 80
