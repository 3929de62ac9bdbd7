"""Which cars at a building take part: the house's own fleet, its employees', or all."""

from __future__ import annotations

import numpy as np

from gridimpact.dispatch.enrolment import enrolled_vehicles
from gridimpact.errors import InputError
from gridimpact.records import BoolArray, PlanRequest

KINDS = ("building",)

OWNERS = {"all": None, "fleet": "fleet", "employees": "work"}
"""Owner to kind of charger."""


def check_cars(cars: str) -> None:
    """Refuse an owner that is not known."""
    if cars not in OWNERS:
        message = f"cars {cars!r} is unknown; use one of {', '.join(OWNERS)}"
        raise InputError(message)


def building_cars(request: PlanRequest, enrolled: float, cars: str) -> BoolArray:
    """Return which vehicles at buildings take part, (vehicle,).

    Parameters
    ----------
    request : PlanRequest
        With `charger_kind` where an owner is named.
    enrolled : float
        Share of these cars, 0..1.
    cars : str
        "fleet": all stays at chargers of kind "fleet"; "employees": of kind "work"; "all".

    Raises
    ------
    InputError
        If an owner is named and the request does not tell the kinds of its chargers.
    """
    chosen = enrolled_vehicles(request, enrolled, site_kinds=KINDS)
    kind = OWNERS[cars]
    if kind is None:
        return chosen
    if request.charger_kind is None:
        message = (
            f"cars={cars!r} needs the kind of every charger, the request tells none; "
            "give charger_kind, or cars='all'"
        )
        raise InputError(message)
    other = np.array([one != kind for one in request.charger_kind], dtype=np.bool_)
    stays = request.stays
    elsewhere = np.bincount(stays.vehicle[other[stays.charger]], minlength=chosen.size)
    return np.asarray(chosen & (elsewhere == 0))
