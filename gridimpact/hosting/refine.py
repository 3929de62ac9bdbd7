"""Bisection of the number of cars at which a draw first breaks a limit, to one car."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

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


def bisect(
    brackets: Mapping[int, Bracket], fails: Callable[[tuple[tuple[int, int], ...]], Iterable[bool]]
) -> dict[int, Bracket]:
    """Return the brackets of all strategies, closed.

    Parameters
    ----------
    brackets : mapping of int to Bracket
        By strategy.
    fails : callable
        Solves pairs of strategy and number of cars, all at once, and returns which break a limit.

    Notes
    -----
    More cars may pass where fewer fail (feeding, prices, phases); the lowest failing number found by bisection
    is then that of one such change, not of all.
    """
    found = dict(brackets)
    while asked := tuple((s, b.middle) for s, b in sorted(found.items()) if not b.closed):
        for (strategy, _), broken in zip(asked, fails(asked), strict=True):
            found[strategy] = found[strategy].narrowed(fails=bool(broken))
    return found
