"""Stopping: not from bad luck, not too early, and not never."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.quality.reviewed import Block, next_cost, stop
from tests.quality.reviewed.queues import AS_SCORED, World, stopping


def a_block(name: str, errors: float, minutes: float, *, unsure: float = 1.0) -> Block:
    draws = np.geomspace(errors / unsure, errors * unsure, 101)
    return Block(name, 50, draws, np.full(101, minutes))


def test_it_stops_where_even_the_most_hopeful_cost_is_too_much() -> None:
    dear = next_cost([a_block("lines", 1.0, 7.0)])
    unsure = next_cost([a_block("lines", 1.0, 7.0, unsure=3.0)])
    assert stop(dear, looks=50, remaining=9.0, worth_minutes=5.0).say == "stop"
    going = stop(unsure, looks=50, remaining=9.0, worth_minutes=5.0)
    assert going.say == "go on"
    assert "as little as" in going.why


def test_what_is_cheap_goes_on_and_nothing_is_said_of_a_few() -> None:
    cheap = next_cost([a_block("lines", 10.0, 7.0)])
    assert stop(cheap, looks=50, remaining=9.0, worth_minutes=5.0).say == "go on"
    assert stop(cheap, looks=19, remaining=9.0, worth_minutes=0.1).say == "not yet known"
    assert stop(cheap, looks=50, remaining=0.01, worth_minutes=5.0).say == "stop"


def test_the_next_thing_is_where_errors_come_cheapest() -> None:
    found = next_cost([a_block("lines", 2.0, 7.0), a_block("group g1", 20.0, 1.0), a_block("group g2", 2.0, 1.0)])
    assert found is not None
    assert found.block.name == "group g1"
    assert found.cost.value == pytest.approx(0.05)
    assert next_cost([]) is None


def test_a_hopeful_group_keeps_review_going() -> None:
    found = next_cost([a_block("lines", 1.0, 7.0), a_block("group g1", 0.9, 7.0, unsure=5.0)])
    assert stop(found, looks=50, remaining=9.0, worth_minutes=5.0).say == "go on"


@pytest.mark.parametrize("world", [AS_SCORED, World("three times as likely", level=1.1)], ids=["as-scored", "more"])
def test_bad_luck_at_the_start_stops_nothing(world: World) -> None:
    for seed in range(3):
        got = stopping(world, seed, unlucky=20, every=50)
        assert not got.too_early
        assert got.at > 400


def test_it_does_stop_where_nothing_is_to_be_found() -> None:
    got = stopping(World("hardly any", level=-3.0), 1, every=50)
    assert 50 <= got.at <= 700
    assert not got.too_early
