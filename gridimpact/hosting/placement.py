"""Which home each car of a draw lives at: an order of homes that belongs to the draw."""

from __future__ import annotations

from collections.abc import Iterable

from gridimpact.errors import InputError
from gridimpact.fleet.seeding import content_number


def order_of_homes(homes: Iterable[str], seed: int, draw: int) -> list[str]:
    """Return the homes in the order of a hash of seed, draw and name.

    A home that is added to the network leaves the order of the others as it was.

    Parameters
    ----------
    homes : iterable of str
        Names of the sites.
    seed, draw : int
        Of the scan, and the number of the draw.
    """
    return sorted(homes, key=lambda name: content_number(seed, "home of draw", draw, name))


def homes_of_cars(homes: list[str], cars: int, seed: int, draw: int) -> list[str]:
    """Return the home of each car: car k lives at home k of the draw's order, from the first again.

    Raises
    ------
    InputError
        If there is no home.
    """
    if cars and not homes:
        message = (
            "placement: the network has no site of kind 'home'; name the kinds of its sites when it is "
            "opened, or set placement to 'given'"
        )
        raise InputError(message)
    order = order_of_homes(homes, seed, draw)
    return [order[k % len(order)] for k in range(cars)]
