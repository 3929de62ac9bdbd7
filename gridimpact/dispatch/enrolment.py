"""Which cars take part in a programme: a nested choice that each car's id makes for itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from gridimpact.errors import InputError
from gridimpact.records import BoolArray, FloatArray, PlanRequest


def lottery(vehicle_id: Iterable[str], seed: int, purpose: str) -> FloatArray:
    """Return one number in [0, 1) per vehicle, from seed, purpose and id alone.

    Examples
    --------
    >>> one, two = lottery(["car 1", "car 2"], 0, "enrolment"), lottery(["car 2"], 0, "enrolment")
    >>> bool(one[1] == two[0])
    True
    """
    digests = (hashlib.sha256(f"{purpose}|{seed}|{name}".encode()).digest() for name in vehicle_id)
    return np.array([int.from_bytes(d[:7], "big") / 2.0**56 for d in digests], dtype=np.float64)


def enrolled_vehicles(
    request: PlanRequest, share: float, *, site_kinds: Iterable[str] | None = None
) -> BoolArray:
    """Return which vehicles a strategy controls.

    Parameters
    ----------
    request : PlanRequest
        Vehicles, stays and seed.
    share : float
        Probability of each vehicle to take part, 0..1; those of a smaller share are among those of a
        larger one, and another car in the study changes nobody's part.
    site_kinds : iterable of str, optional
        Only vehicles all of whose stays are at sites of these kinds ("home", "building", "public").

    Returns
    -------
    ndarray of bool
        (vehicle,)

    Raises
    ------
    InputError
        If `share` is outside 0..1.
    """
    check_share(share, "enrolled")
    chosen = lottery(request.vehicle_id, request.seed, "enrolment") < share
    return chosen & vehicles_at(request, site_kinds)


def vehicles_at(request: PlanRequest, site_kinds: Iterable[str] | None) -> BoolArray:
    """Return which vehicles have stays, all at sites of these kinds; every vehicle for None."""
    count = len(request.vehicle_id)
    if site_kinds is None:
        return np.ones(count, dtype=np.bool_)
    kinds = frozenset(site_kinds)
    fits = np.array([kind in kinds for kind in request.site_kind], dtype=np.bool_)
    stays = np.bincount(request.stays.vehicle, minlength=count)
    inside = np.bincount(request.stays.vehicle[fits[request.stays.site]], minlength=count)
    return np.asarray((stays > 0) & (stays == inside))


def check_share(share: float, where: str) -> None:
    """Refuse a share outside 0..1."""
    if not 0.0 <= share <= 1.0:
        message = f"{where} is {share}, a share must lie between 0 and 1"
        raise InputError(message)
