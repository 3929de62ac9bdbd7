"""Who charges first when not all can: order of a queue, and the sharing of headroom in that order."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gridimpact.dispatch import kernels_queue as kernels
from gridimpact.dispatch.kernels import BatteryArrays, StayArrays
from gridimpact.dispatch.kernels_sharing import Room, Rule

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

ORDERS: Mapping[str, int] = MappingProxyType(
    {
        "first_come": kernels.FIRST_COME,
        "last_come": kernels.LAST_COME,
        "earliest_departure": kernels.EARLIEST_DEPARTURE,
        "least_laxity": kernels.LEAST_LAXITY,
        "longest_remaining": kernels.LONGEST_REMAINING,
        "round_robin": kernels.ROUND_ROBIN,
        "equal_share": kernels.EQUAL_SHARE,
    }
)
"""Orders of a queue by name."""


class Sharing(NamedTuple):
    """How a queue shares its room.

    Attributes
    ----------
    order : str
        A name of `ORDERS`.
    min_kw, step_kw : float
        Powers a charger can be set to [kW]: none, or `min_kw` and whole steps above; 0 is any power.
    floor_kw : float
        Power each car gets under "equal_share" whatever the room of its groups [kW].
    floor_site_kw : ndarray, optional
        (site,) bound of the floors of a site's cars together [kW].
    """

    order: str
    min_kw: float = 0.0
    step_kw: float = 0.0
    floor_kw: float = 0.0
    floor_site_kw: FloatArray | None = None


def laxity_h(
    departure_h: ArrayLike, now_h: ArrayLike, energy_kwh: ArrayLike, p_max_kw: ArrayLike
) -> FloatArray:
    """Return the time a car can wait and still charge in full: time left less charging time [h].

    Parameters
    ----------
    departure_h, now_h : array_like
        Moments [h].
    energy_kwh : array_like
        Energy still to draw at the meter [kWh].
    p_max_kw : array_like
        Highest power [kW].

    Returns
    -------
    ndarray
        Laxity [h]; negative where the target is out of reach.

    Examples
    --------
    >>> float(laxity_h(12.0, 4.0, 10.0, 5.0))
    6.0
    """
    left = np.asarray(departure_h, dtype=np.float64) - np.asarray(now_h, dtype=np.float64)
    return np.asarray(left - np.asarray(energy_kwh) / np.asarray(p_max_kw))


def first_come(arrival_h: ArrayLike, departure_h: ArrayLike, laxity: ArrayLike) -> IntArray:
    """Return the order of service by arrival; ties go to the earlier departure, then as given."""
    return _ranked(arrival_h, departure_h)


def earliest_departure(arrival_h: ArrayLike, departure_h: ArrayLike, laxity: ArrayLike) -> IntArray:
    """Return the order of service by departure; ties as given."""
    return _ranked(departure_h, departure_h)


def least_laxity(arrival_h: ArrayLike, departure_h: ArrayLike, laxity: ArrayLike) -> IntArray:
    """Return the order of service by laxity; ties go to the earlier departure, then as given.

    Examples
    --------
    >>> least_laxity([0, 0, 0], [2, 2, 3], [1, 1, 0]).tolist()
    [2, 0, 1]
    """
    return _ranked(laxity, departure_h)


def _ranked(key: ArrayLike, departure_h: ArrayLike) -> IntArray:
    """Return the order by key, then departure, then position."""
    return np.asarray(np.lexsort((np.asarray(departure_h), np.asarray(key))), dtype=np.int64)


def queue_power(
    soc_initial: FloatArray,
    controlled: NDArray[np.bool_],
    dt_h: float,
    stays: StayArrays,
    batteries: BatteryArrays,
    room: Room,
    sharing: Sharing,
    ceiling_kw: FloatArray | None = None,
) -> FloatArray:
    """Return the power a queue gives each vehicle [kW], (time, vehicle).

    Parameters
    ----------
    soc_initial : ndarray
        (vehicle,) before the first step.
    controlled : ndarray of bool
        (vehicle,) in the queue.
    dt_h : float
        Step [h].
    stays, batteries : StayArrays, BatteryArrays
        As the kernels take them.
    room : Room
        Headroom shared; what the queue uses is taken off in place.
    sharing : Sharing
        Order and powers.
    ceiling_kw : ndarray, optional
        (time, vehicle) most a car may ask for [kW].

    Returns
    -------
    ndarray
        Each step shares the headroom. In an order, each car in turn gets what it wants until it is used
        up. "round_robin" begins with the car that has waited longest since it last got power.
        "equal_share" raises all cars together, each until it has what it wants or meets a limit, so that
        nobody can get more without another, who has no more than he, getting less.
    """
    sites, steps = room.site.shape
    floor = sharing.floor_site_kw
    rule = Rule(
        ORDERS[sharing.order],
        dt_h,
        sharing.min_kw,
        sharing.step_kw,
        sharing.floor_kw,
        np.full(sites, np.inf) if floor is None else np.array(floor, dtype=np.float64),
    )
    ceiling = np.empty((0, 0)) if ceiling_kw is None else np.ascontiguousarray(ceiling_kw)
    p_kw = np.zeros((steps, soc_initial.size))
    kernels.run_queue(
        np.array(soc_initial, dtype=np.float64),
        np.array(controlled, dtype=np.bool_),
        stays,
        batteries,
        room,
        rule,
        ceiling,
        p_kw,
    )
    return p_kw
