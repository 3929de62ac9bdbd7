"""Memory of large results is used again once nobody holds them, and never before."""

from __future__ import annotations

import gc
from threading import Thread

import numpy as np

from gridimpact.powerflow import memory

SHAPE = (400, 1000)


def _address(values: np.ndarray) -> int:
    return int(values.__array_interface__["data"][0])


def test_memory_comes_back_only_with_the_last_view() -> None:
    first = memory.empty(SHAPE, "float64")
    where, part = _address(first), first[3:5, 7]
    part[:] = 1.0
    del first
    second = memory.empty(SHAPE, "float64")
    assert _address(second) != where
    second[:] = 2.0
    assert (part == 1.0).all()
    del part, second
    gc.collect()
    held = [memory.empty(SHAPE, "float64") for _ in range(2)]
    assert where in [_address(values) for values in held]


def test_arrays_are_as_numpy_makes_them() -> None:
    for shape, kind in (
        (SHAPE, "float64"),
        (SHAPE, "float32"),
        ((2, 3), "float64"),
        ((0, 9), "float32"),
    ):
        made, plain = memory.empty(shape, kind), np.empty(shape, kind)
        assert (made.shape, made.dtype, made.strides) == (plain.shape, plain.dtype, plain.strides)
        assert made.flags.writeable
        assert made.flags.aligned
        assert made.flags.c_contiguous


def test_memory_that_waits_stays_small() -> None:
    shelf = memory._Shelf()
    for number in range(12):
        shelf.put(np.empty((32 << 20) + 4096 * number, dtype=np.uint8))
    assert sum(map(len, shelf._free)) <= memory._KEPT
    kept = sum(map(len, shelf._free))
    another = shelf.take(64 << 20)
    assert sum(map(len, shelf._free)) + len(another) <= max(kept, memory._KEPT)


def test_threads_never_share_a_buffer() -> None:
    wrong: list[int] = []

    def work(number: int) -> None:
        for turn in range(200):
            values = memory.empty((200, 1000), "float64")
            values[::50] = number * 1000 + turn
            if not (values[::50] == number * 1000 + turn).all():
                wrong.append(number)

    workers = [Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong
