"""Blocks of lanes shared out over threads: each once, and no failure lost."""

from __future__ import annotations

from threading import Barrier, get_ident

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridimpact.powerflow.blocks import share_out, shares


@given(st.integers(1, 5_000), st.integers(2, 64), st.integers(1, 300))
def test_shares_hold_every_block_once_and_shrink_to_the_least(blocks, workers, least):
    found = shares(blocks, workers, least)
    sizes = [end - begin for begin, end in found]
    assert [n for begin, end in found for n in range(begin, end)] == list(range(blocks))
    assert sizes == sorted(sizes, reverse=True)
    assert all(size >= least for size in sizes[:-1])
    assert sizes[0] <= max(least, blocks // (2 * workers))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_block_is_solved_once(threads):
    solved: list[int] = []
    share_out(lambda begin, end: solved.extend(range(begin, end)), 997, 10, threads)
    assert sorted(solved) == list(range(997))


def test_two_threads_are_at_work_at_once():
    both, seen = Barrier(2, timeout=60.0), set()

    def solve(begin: int, end: int) -> None:
        if get_ident() not in seen:
            seen.add(get_ident())
            both.wait()

    share_out(solve, 100, 10, 2)
    assert len(seen) == 2


def test_too_little_work_for_two_stays_in_the_thread_that_calls():
    seen = []
    share_out(lambda begin, end: seen.append((get_ident(), begin, end)), 19, 10, 4)
    assert seen == [(get_ident(), 0, 19)]


@pytest.mark.parametrize("fails_here", [True, False])
def test_a_failure_in_either_thread_is_raised(fails_here):
    both, caller, seen = Barrier(2, timeout=60.0), get_ident(), set()

    def solve(begin: int, end: int) -> None:
        if get_ident() not in seen:
            seen.add(get_ident())
            both.wait()
            if (get_ident() == caller) == fails_here:
                raise MemoryError("share")

    with pytest.raises(MemoryError, match="share"):
        share_out(solve, 10_000, 1, 2)
