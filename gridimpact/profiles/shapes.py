"""Standard load profiles (BDEW 2025) laid over a local year.

Source: BDEW standard load profiles 2025; dynamisation polynomial of VDEW, *Anwendung der
repräsentativen VDEW-Lastprofile step-by-step* (2000), section 3, kept by BDEW for H25.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gridimpact.profiles.calendar import day_types, wall_clock
from gridimpact.profiles.catalogue import bdew_table
from gridimpact.timeline import Timeline

QUARTER_S = 900
_DYNAMISED = ("bdew_h25", "bdew_p25", "bdew_s25")
_POLYNOMIAL = (-3.92e-10, 3.20e-7, -7.02e-5, 2.10e-3, 1.24)


@dataclass(frozen=True)
class YearShape:
    """Expected load of a local calendar year in quarter hours.

    Attributes
    ----------
    year : int
    zone : str
    start : numpy.datetime64
        Local new year, naive UTC.
    share : numpy.ndarray
        (quarter hour,) share of the year's energy, sums to 1.
    hour : numpy.ndarray
        (quarter hour,) local clock hour.
    day : numpy.ndarray
        (quarter hour,) number of the local day.
    """

    year: int
    zone: str
    start: np.datetime64
    share: NDArray[np.float64]
    hour: NDArray[np.float64]
    day: NDArray[np.int64]

    @property
    def length_s(self) -> int:
        """Length of the year in seconds."""
        return QUARTER_S * len(self.share)


def dynamisation(day_of_year: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the seasonal factor of household profiles for the day of the year, 1 to 366.

    Examples
    --------
    >>> np.round(dynamisation(np.array([1.0, 182.0, 365.0])), 3)
    array([1.242, 0.796, 1.257])
    """
    day = np.asarray(day_of_year, dtype=np.float64)
    return np.asarray(np.polyval(_POLYNOMIAL, day), dtype=np.float64)


@lru_cache(maxsize=16)
def year_shape(name: str, year: int, zone: str) -> YearShape:
    """Return a standard load profile over a local calendar year.

    Parameters
    ----------
    name : str
        ``"bdew_h25"``, ``"bdew_g25"`` or another packaged shape; H25, P25 and S25 are dynamised.
    year : int
        Calendar year.
    zone : str
        IANA zone whose clock the shape follows; German public holidays count in Europe/Berlin only.

    Returns
    -------
    YearShape
        Arrays are not to be written to.
    """
    axis = Timeline.year(year, step="15min", zone=zone)
    wall = wall_clock(axis.times, zone)
    dates = wall.astype("datetime64[D]")
    seconds = (wall - dates).astype(np.int64)
    month = wall.astype("datetime64[M]").astype(np.int64) % 12
    share = bdew_table(name)[seconds // QUARTER_S, month, day_types(dates, zone)]
    new_year = dates.astype("datetime64[Y]").astype("datetime64[D]")
    if name in _DYNAMISED:
        share = share * dynamisation((dates - new_year).astype(np.float64) + 1.0)
    return YearShape(
        year=year,
        zone=zone,
        start=axis.start,
        share=share / share.sum(),
        hour=seconds / 3600.0,
        day=(dates - new_year).astype(np.int64),
    )


def local_years(timeline: Timeline) -> range:
    """Return the local calendar years a timeline touches."""
    ends = np.array([timeline.start, timeline.end - np.timedelta64(1, "s")])
    years = wall_clock(ends, timeline.zone).astype("datetime64[Y]").astype(np.int64) + 1970
    return range(int(years[0]), int(years[1]) + 1)
