"""Memory of large results that nobody holds any more, used again for the next ones.

A fresh array of some megabytes is handed out by the system page by page and cleared: for a large
network that takes as long as a third of its power flow, and threads wait for one another there.
"""

from __future__ import annotations

from math import prod
from threading import Lock
from typing import Any

import numpy as np

_LARGE = 1 << 20
"""Bytes from which an array is worth keeping; below, the allocator of the process does it."""

_KEPT = 256 << 20
"""Bytes kept at most while nobody uses them."""

_CLASSES = 8
"""Sizes between a power of two and the next; arrays of one size take one another's place."""

_Buffer = np.ndarray[Any, np.dtype[np.uint8]]


class _Shelf:
    """Buffers that wait to be used again, the oldest first.

    A buffer comes back wherever its last view is dropped, even amid `take`: nothing here waits for
    another, and what cannot be had or kept at once is left to the allocator of the process.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._free: list[_Buffer] = []

    def take(self, size: int) -> _Buffer:
        """Return a buffer of a size, used before or new."""
        if self._lock.acquire(blocking=False):
            try:
                fitting = [at for at, buffer in enumerate(self._free) if len(buffer) == size]
                if fitting:
                    return self._free.pop(fitting[-1])
                # Whoever needs another size takes no more memory than is given up for it.
                self._shrink(_KEPT - size)
            finally:
                self._lock.release()
        return np.empty(size, dtype=np.uint8)

    def put(self, buffer: _Buffer) -> None:
        """Keep a buffer; the oldest are given up where they grow too many."""
        if self._lock.acquire(blocking=False):
            try:
                self._free.append(buffer)
                self._shrink(_KEPT)
            finally:
                self._lock.release()

    def _shrink(self, most: int) -> None:
        while sum(map(len, self._free)) > most:
            self._free.pop(0)


class _Lease:
    """A buffer in use by one array and its views; it goes back when the last of them is gone."""

    def __init__(self, shelf: _Shelf, buffer: _Buffer) -> None:
        self._shelf, self._buffer = shelf, buffer
        self.__array_interface__ = buffer.__array_interface__

    def __del__(self) -> None:
        self._shelf.put(self._buffer)


_shelf = _Shelf()


def empty(shape: tuple[int, ...], kind: str) -> Any:
    """Return an array without values, as `numpy.empty`.

    Parameters
    ----------
    shape : tuple of int
        Its shape.
    kind : str
        Its type.

    Notes
    -----
    A large one may live where a result lived that is gone; at most 256 MB wait for that.
    """
    kind_of = np.dtype(kind)
    size = prod(shape) * kind_of.itemsize
    if not _LARGE <= size <= _KEPT:
        return np.empty(shape, dtype=kind_of)
    grain = (1 << (size.bit_length() - 1)) // _CLASSES
    whole = np.asarray(_Lease(_shelf, _shelf.take(-(-size // grain) * grain)))
    return whole[:size].view(kind_of).reshape(shape)
