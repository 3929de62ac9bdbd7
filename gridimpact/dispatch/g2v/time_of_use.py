"""Charging in the cheap hours of a tariff, by rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from gridimpact.dispatch.clock import Window, read_windows
from gridimpact.dispatch.enrolment import check_share
from gridimpact.dispatch.g2v.sharing import charge_under, full_power_when
from gridimpact.dispatch.strategy import Foresight, plan_in_id_order
from gridimpact.records import BoolArray, Dispatch, FloatArray, IntArray, Note, PlanRequest


@dataclass(frozen=True)
class TimeOfUse:
    """Charge at full power in the cheap hours, and outside them only as much as the target needs.

    Cars on one tariff start together when the cheap hours begin: the same danger as any timer.

    Parameters
    ----------
    cheap : list of windows
        Local windows such as ``[["22:00", "06:00"]]``, also as mappings with ``start end days dates``.
        Empty: on each local day the steps at the day's lowest import price of the site's tariff.
    strict : bool
        Charge in the cheap hours only, even where the target is then missed. By default the driver's
        target wins: what they do not give is charged as late as possible.
    enrolled : float
        Share of cars that take part; the others charge uncontrolled.

    Raises
    ------
    InputError
        If a window cannot be read.

    Notes
    -----
    A main fuse is kept unless the target needs more; cars behind it are served as they came. A rule, not
    an optimum: `gridimpact.g2v.PriceCharging` is the cheapest plan.
    """

    cheap: Any = ()
    strict: bool = False
    enrolled: float = 1.0

    name: ClassVar[str] = "g2v_time_of_use"
    bidirectional: ClassVar[bool] = False
    foresight: ClassVar[Foresight] = Foresight(stays="announced", prices="announced")

    def __post_init__(self) -> None:
        """Read the windows."""
        check_share(self.enrolled, "enrolled")
        object.__setattr__(self, "cheap", read_windows(self.cheap, "cheap"))

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the plan of each enrolled car; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        windows: tuple[Window, ...] = self.cheap
        if windows:
            cheap = np.any([window.inside(request.timeline) for window in windows], axis=0)
            column = None
        else:
            prices = np.stack([tariff.import_price for tariff in request.tariffs], axis=1)
            cheap = lowest_of_day(prices, request.timeline.local_day)
            column = np.asarray(request.site_tariff, dtype=np.int64)[request.stays.site]
        asked = full_power_when(request, cheap, column=column)
        found = charge_under(self, request, asked, self.enrolled, strict=self.strict)
        if not cheap.all():
            return found
        text = (
            "every hour is a cheap one, so cars charge as if uncontrolled; give windows or a tariff"
        )
        return replace(found, notes=(*found.notes, Note("warning", self.name, text)))


def lowest_of_day(price: FloatArray, day: IntArray) -> BoolArray:
    """Return the steps at the lowest price of their day, (time, column).

    Parameters
    ----------
    price : ndarray
        (time, column)
    day : ndarray of int
        (time,) rising numbers of days.

    Examples
    --------
    >>> lowest_of_day(np.array([[2.0], [1.0], [1.0], [3.0]]), np.array([0, 0, 0, 1])).ravel().tolist()
    [False, True, True, True]
    """
    begin = np.flatnonzero(np.diff(day, prepend=day[0] - 1))
    lowest = np.minimum.reduceat(price, begin, axis=0)
    return np.asarray(price <= lowest[np.searchsorted(day[begin], day)] + 1e-12)
