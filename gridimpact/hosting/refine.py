"""Bisection of the number of cars at which a draw first breaks a limit, to one car."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

UNKNOWN = -1
"""Stands below zero cars where even those must be solved first."""


@dataclass(frozen=True)
class Bracket:
    """Two numbers of cars: the lower passes, the higher fails."""

    passes: int
    fails: int

    @property
    def closed(self) -> bool:
        """Whether nothing lies between."""
        return self.fails - self.passes <= 1

    @property
    def middle(self) -> int:
        """The number to be solved next."""
        return (self.passes + self.fails) // 2

    def narrowed(self, *, fails: bool) -> Bracket:
        """Return the bracket once its middle is known."""
        return Bracket(self.passes, self.middle) if fails else Bracket(self.middle, self.fails)


def first_bracket(broken: Mapping[int, bool], floor: int | None) -> Bracket | None:
    """Return where a draw's capacity lies, None where no further number tells more.

    Parameters
    ----------
    broken : mapping of int to bool
        Number of cars to whether a counted limit is broken.
    floor : int or None
        Highest number below all of these that is known to pass: 0, or `UNKNOWN`; None where not even no cars
        pass.

    Examples
    --------
    >>> first_bracket({10: False, 20: True, 30: False}, 0)
    Bracket(passes=10, fails=20)
    >>> first_bracket({10: False}, 0)
    """
    below = floor
    for cars in sorted(broken):
        if broken[cars]:
            return None if below is None else Bracket(below, cars)
        below = cars
    return None


def open_brackets(
    known: Mapping[int, Mapping[int, int]], floor: int | None
) -> dict[tuple[int, int], Bracket]:
    """Return what is left to bisect, by strategy and mask of limits: all together, and each that is ever broken.

    Parameters
    ----------
    known : mapping
        By strategy: number of cars to the mask of limits broken.
    floor : int or None
        As `first_bracket`.

    Examples
    --------
    >>> open_brackets({0: {4: 0, 8: 1, 12: 3}}, 0)
    {(0, 3): Bracket(passes=4, fails=8), (0, 1): Bracket(passes=4, fails=8), (0, 2): Bracket(passes=8, fails=12)}
    """
    found = {}
    for strategy, masks in known.items():
        together = reduce(or_, masks.values(), 0)
        alone = [1 << bit for bit in range(together.bit_length()) if together >> bit & 1]
        for mask in dict.fromkeys((together, *alone)):
            broken = {cars: bool(own & mask) for cars, own in masks.items()}
            bracket = first_bracket(broken, floor)
            if bracket is not None and not bracket.closed:
                found[strategy, mask] = bracket
    return found


def bisect(
    brackets: Mapping[Key, Bracket],
    fails: Callable[[tuple[tuple[Key, int], ...]], Iterable[bool]],
) -> dict[Key, Bracket]:
    """Return all brackets closed.

    Parameters
    ----------
    brackets : mapping of Bracket
        By what is bisected: a strategy under some limits.
    fails : callable
        Solves pairs of key and number of cars, all at once, and returns which break a limit.

    Notes
    -----
    More cars may pass where fewer fail (feeding, prices, phases); the lowest failing number found by bisection
    is then that of one such change, not of all.
    """
    found = dict(brackets)
    while asked := tuple((key, b.middle) for key, b in found.items() if not b.closed):
        for (key, _), broken in zip(asked, fails(asked), strict=True):
            found[key] = found[key].narrowed(fails=bool(broken))
    return found
