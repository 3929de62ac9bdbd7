"""What a site does in an outage, and what is known of every outage afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.records import FloatArray, IntArray, ServiceFigure
from gridimpact.timeline import Timeline

QUANTILES = (0.1, 0.5, 0.9)
LONGEST_H = 24.0 * 31


@dataclass(frozen=True)
class Island:
    """What a site does in an outage.

    Parameters
    ----------
    critical_share : float
        Share of the site's load that must go on, above 0 and at most 1.
    critical_kw : float, optional
        Cap on that load [kW]: the circuits behind the island's switch draw no more.
    reserve_soc : float, optional
        No car is discharged below this state of charge; the reserve of each stay unless given. Never
        below the battery's minimum.
    inverter_kw : float, optional
        Most that the cars of a site may feed together [kW]; the sum of their chargers unless given.
    sun_charges : bool
        Whether surplus of the site's generation charges the cars during the outage.
    leave : bool
        Whether cars leave when they had planned to; False keeps the cars of the first moment plugged in.
    longest_h : float
        Outages are followed so long [h]; hours carried beyond it count as this.

    Raises
    ------
    InputError
        If a setting is out of range.
    """

    critical_share: float = 1.0
    critical_kw: float | None = None
    reserve_soc: float | None = None
    inverter_kw: float | None = None
    sun_charges: bool = True
    leave: bool = True
    longest_h: float = 48.0

    def __post_init__(self) -> None:
        """Check the settings."""
        rules = {
            "critical_share": (0.0 < self.critical_share <= 1.0, "above 0 and at most 1"),
            "critical_kw": (self.critical_kw is None or self.critical_kw > 0.0, "above 0 kW"),
            "reserve_soc": (
                self.reserve_soc is None or 0.0 <= self.reserve_soc <= 1.0,
                "between 0 and 1",
            ),
            "inverter_kw": (self.inverter_kw is None or self.inverter_kw > 0.0, "above 0 kW"),
            "longest_h": (
                0.0 < self.longest_h <= LONGEST_H,
                f"above 0 and at most {LONGEST_H:g} h",
            ),
        }
        raise_problems(
            [
                Problem(name, f"is {getattr(self, name)}, must be {allowed}")
                for name, (good, allowed) in rules.items()
                if not good
            ],
            "backup",
        )


@dataclass(frozen=True)
class Backup:
    """Outages from every step of the timeline, arrays over (start, site)."""

    timeline: Timeline
    site_id: tuple[str, ...]
    """Sites where at least one stay can feed."""
    hours_full: FloatArray
    """Hours in which the whole critical load is carried."""
    hours: FloatArray
    """Hours until the cars first give less than load and inverter ask for; may be carried in part."""
    load_kwh: FloatArray
    """Critical load of the outage as long as it is followed."""
    served_kwh: FloatArray
    car_kwh: FloatArray
    """Fed by cars; the rest of what is served came from generation."""
    cars: IntArray
    """Cars that can feed, plugged in at the start."""
    longest_h: float

    @property
    def absent_share(self) -> float:
        """Share of starts with no car that can feed; NaN without sites."""
        return float(np.mean(self.cars == 0)) if self.cars.size else float("nan")

    def quantiles(self, name: str = "hours_full", at: Iterable[float] = QUANTILES) -> pd.DataFrame:
        """Return quantiles over all outage starts, one row per site and one for all together.

        Parameters
        ----------
        name : str
            ``"hours_full"``, ``"hours"``, ``"served_kwh"``, ``"car_kwh"`` or ``"load_kwh"``.
        at : iterable of float
            Shares: 0.1 is the value that one start in ten does not pass.
        """
        known = ("hours_full", "hours", "served_kwh", "car_kwh", "load_kwh")
        if name not in known:
            message = f"backup has no {name!r}; use one of {', '.join(known)}"
            raise InputError(message)
        shares = list(at)
        values: FloatArray = getattr(self, name)
        rows = np.full((len(self.site_id) + 1, len(shares)), np.nan)
        if values.size:
            rows[:-1] = np.quantile(values, shares, axis=0).T
            rows[-1] = np.quantile(values, shares)
        names = pd.Index([*self.site_id, "all"], name="site_id")
        return pd.DataFrame(rows, index=names, columns=[f"p{100 * q:g}" for q in shares])

    @cached_property
    def figures(self) -> tuple[ServiceFigure, ...]:
        """Return the figures of all sites together, for a dispatch or a report."""
        every = f"over {self.hours.shape[0]} outage starts at {len(self.site_id)} sites"
        note = f"{every}, state of charge and presence of the moment, at most {self.longest_h:g} h"
        found = []
        for name in ("hours_full", "hours", "served_kwh"):
            row = self.quantiles(name).loc["all"]
            found += [
                ServiceFigure("backup", f"{name}_{column}", float(row[column]), note)
                for column in row.index
            ]
        load = float(self.load_kwh.sum())
        share = float(self.served_kwh.sum()) / load if load > 0.0 else float("nan")
        found.append(ServiceFigure("backup", "served_share", share, note))
        absent = f"{every}: no car that can feed is plugged in"
        found.append(ServiceFigure("backup", "no_car_share", self.absent_share, absent))
        return tuple(found)


@dataclass(frozen=True)
class Outage:
    """One outage at every site, arrays over (time, site) [kW]."""

    timeline: Timeline
    site_id: tuple[str, ...]
    load_kw: FloatArray
    """Critical load."""
    served_kw: FloatArray
    car_kw: FloatArray
    """Sum of the cars, positive charges, negative feeds."""
    hours_full: FloatArray
    """(site,)"""
    hours: FloatArray
    """(site,)"""

    @property
    def unserved_kw(self) -> FloatArray:
        """Critical load that nobody carries."""
        return np.asarray(self.load_kw - self.served_kw)
