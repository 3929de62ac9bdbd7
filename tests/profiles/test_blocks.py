from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.profiles.blocks import Blocks, block_means, generator
from gridimpact.timeline import Timeline

START = np.datetime64("2016-01-01T00:00:00", "s")


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([60, 300, 900, 3600]))
def test_energy_of_blocks_is_kept_and_coarse_steps_are_means_of_fine_ones(
    seed: int, step_s: int
) -> None:
    draws = np.random.default_rng(seed)
    start = draws.uniform(0.0, 80_000.0, 30)
    blocks = Blocks(start, start + draws.uniform(1.0, 6000.0, 30), draws.uniform(0.0, 9.0, 30))
    coarse = block_means(blocks, START, Timeline(START, step_s, 86_400 // step_s))
    fine = block_means(blocks, START, Timeline(START, 60, 1440))
    np.testing.assert_allclose(coarse, fine.reshape(len(coarse), -1).mean(1), atol=1e-9)
    np.testing.assert_allclose(coarse.sum() * step_s / 3600.0, blocks.energy_kwh, rtol=1e-9)


def test_a_block_that_covers_a_third_of_a_step_gives_a_third_of_its_power() -> None:
    block = Blocks(np.array([1200.0]), np.array([1500.0]), np.array([3.0]))
    found = block_means(block, START, Timeline(START, 900, 4))
    np.testing.assert_allclose(found, [0.0, 1.0, 0.0, 0.0], atol=1e-12)


def test_blocks_outside_the_timeline_are_cut_off() -> None:
    blocks = Blocks(np.array([-900.0, 3000.0]), np.array([450.0, 9000.0]), np.array([2.0, 4.0]))
    found = block_means(blocks, START, Timeline(START, 900, 4))
    np.testing.assert_allclose(found, [1.0, 0.0, 0.0, 4.0 * 600 / 900], atol=1e-12)


def test_a_block_over_the_turn_of_the_year_goes_on_at_its_beginning() -> None:
    blocks = Blocks(np.array([900.0]), np.array([1100.0]), np.array([1.0])).wrapped(1000.0)
    assert blocks.energy_kwh == 200.0 / 3600.0
    assert blocks.start_s.tolist() == [900.0, 0.0]
    assert blocks.end_s.tolist() == [1000.0, 100.0]


def test_a_generator_depends_on_seed_and_key_alone() -> None:
    again = [generator(1, "a").random() for _ in range(2)]
    assert again[0] == again[1]
    assert (
        len({generator(1, "a").random(), generator(2, "a").random(), generator(1, "b").random()})
        == 3
    )
