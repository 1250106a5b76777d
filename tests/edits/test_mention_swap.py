"""Mention swap: another name of the same kind and language, lent by another row."""

from __future__ import annotations

from pipeline.edits.mention_swap import Donor, Inventory, swapped
from pipeline.settings import Guideline
from pipeline.tasks import task
from tests.builds import a_tagged


def lent(row: str, surface: str) -> Donor:
    return Donor(row, surface, 1.0, None)


def test_offers_are_of_the_kind_and_language_and_of_another_row() -> None:
    inventory = Inventory()
    for donor, language, kind in [
        (lent("r1", "Ana"), "en", "PER"),
        (lent("r2", "Ben"), "en-GB", "PER"),
        (lent("r3", "Paris"), "en", "LOC"),
        (lent("r4", "小明"), "zh", "PER"),
    ]:
        inventory.add(donor, language=language, kind=kind)
    offers = [inventory.offers("r1", [("PER", "Ana")], language="en", share=0.1, seed=seed) for seed in range(20)]
    assert {found[("PER", "Ana")].surface for found in offers} == {"Ben"}
    assert inventory.offers("r4", [("PER", "小明")], language="zh", share=1, seed=1) == {}


def test_the_order_in_which_rows_come_does_not_matter() -> None:
    donors = [lent(f"r{number}", surface) for number, surface in enumerate(["Ana", "Ben", "Cho", "Ana", "Dee", "Ben"])]
    found = []
    for order in (donors, donors[::-1]):
        inventory = Inventory()
        for donor in order:
            inventory.add(donor, language="en", kind="PER")
        found.append([inventory.offers("x", [("PER", "Zoe")], language="en", share=1, seed=seed) for seed in range(30)])
    assert found[0] == found[1]
    assert {donor.row for offers in found[0] for donor in offers.values()} == {"r0", "r1", "r2", "r4"}


def test_every_occurrence_gives_way_and_the_offsets_move() -> None:
    row = a_tagged("r", "Ana met Bo; Ana left.", [("PER", "Ana"), ("PER", "Bo"), ("PER", "Ana")])
    after = swapped(task("tagging", Guideline()), row, {("PER", "Ana"): lent("d", "Marisa Lund")})
    assert after["text"] == "Marisa Lund met Bo; Marisa Lund left."
    assert [after["text"][span["start"] : span["end"]] for span in after["spans"]] == [
        "Marisa Lund",
        "Bo",
        "Marisa Lund",
    ]
