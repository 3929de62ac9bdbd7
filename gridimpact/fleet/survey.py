"""Trip distributions of the German travel survey, as inverse distribution functions.

Draws are uniform numbers turned into trips, so the same number always gives the same trip.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from gridimpact.paths import data_folder
from gridimpact.records import FloatArray, IntArray

DAY_TYPES = ("weekdays", "saturday", "sunday")
_HALF_HOURS = 48
_SHORTEST_KM = 0.3
_SHORTEST_MINUTES = 3.0


@dataclass(frozen=True)
class Survey:
    """Cumulative shares; day types in the order of `DAY_TYPES`, drivers non-working then working."""

    trip_counts: IntArray
    trip_cdf: FloatArray
    """(day type, count)"""
    purposes: tuple[str, ...]
    """Destinations other than home."""
    outward_cdf: FloatArray
    """(day type, worker, half hour x purpose) of trips to a destination other than home."""
    home_cdf: FloatArray
    """(day type, worker, half hour + 1) of trips home by departure."""
    split_share: FloatArray
    """(day type, worker) share of days with four or more trips that come home in between."""
    km_edges: FloatArray
    km_cdf: FloatArray
    minute_edges: FloatArray
    minute_cdf: FloatArray
    """(km bin, minute bin + 1)"""

    def trips(self, day_type: IntArray, u: FloatArray, always: bool) -> IntArray:
        """Return trips per day, 0 on days without; `always` leaves those days out."""
        found = np.zeros(u.shape, dtype=np.int64)
        for kind in range(len(DAY_TYPES)):
            chosen = day_type == kind
            none = self.trip_cdf[kind, 0]
            drawn = none + u[chosen] * (1.0 - none) if always else u[chosen]
            found[chosen] = self.trip_counts[_bin(self.trip_cdf[kind], drawn)]
        return found

    def outward(
        self, day_type: IntArray, worker: IntArray, u: FloatArray, latest: FloatArray
    ) -> tuple[FloatArray, IntArray]:
        """Return departure hour and purpose of trips away from home that leave by the latest hour."""
        last = np.clip((2.0 * latest).astype(np.int64), 1, _HALF_HOURS) * len(self.purposes) - 1
        hour, purpose = np.zeros(u.shape), np.zeros(u.shape, dtype=np.int64)
        for kind in range(len(DAY_TYPES)):
            for work in (0, 1):
                chosen = (day_type == kind) & (worker == work)
                cdf = self.outward_cdf[kind, work]
                drawn = u[chosen] * cdf[last[chosen]]
                cell = _bin(cdf, drawn)
                below = np.where(cell > 0, cdf[cell - 1], 0.0)
                inside = (drawn - below) / (cdf[cell] - below)
                purpose[chosen] = cell % len(self.purposes)
                hour[chosen] = 0.5 * (cell // len(self.purposes) + inside)
        return hour, purpose

    def homeward(
        self,
        day_type: IntArray,
        worker: IntArray,
        u: FloatArray,
        bounds: tuple[FloatArray, FloatArray],
    ) -> FloatArray:
        """Return departure hour of trips home, drawn between an earliest and a latest hour."""
        hours = 0.5 * np.arange(_HALF_HOURS + 1)
        earliest, latest = bounds
        found = np.array(earliest, dtype=np.float64)
        for kind in range(len(DAY_TYPES)):
            for work in (0, 1):
                chosen = (day_type == kind) & (worker == work)
                cdf = self.home_cdf[kind, work]
                low = np.interp(earliest[chosen], hours, cdf)
                high = np.interp(np.maximum(latest[chosen], earliest[chosen]), hours, cdf)
                found[chosen] = np.interp(low + u[chosen] * (high - low), cdf, hours)
        # Beyond midnight the survey's day is over: leave as soon as possible.
        return np.maximum(found, earliest)

    def distance(self, u: FloatArray) -> tuple[FloatArray, IntArray]:
        """Return trip length [km] and its bin, evenly spread over the logarithm within a bin."""
        cell = _bin(self.km_cdf[1:], u)
        inside = (u - self.km_cdf[cell]) / (self.km_cdf[cell + 1] - self.km_cdf[cell])
        low, high = np.log(self.km_edges[cell]), np.log(self.km_edges[cell + 1])
        return np.exp(low + inside * (high - low)), cell

    def duration(self, cell: IntArray, u: FloatArray) -> FloatArray:
        """Return trip time [min] of a trip in a distance bin."""
        found = np.zeros(u.shape)
        for row in range(self.minute_cdf.shape[0]):
            chosen = cell == row
            found[chosen] = np.interp(u[chosen], self.minute_cdf[row], self.minute_edges)
        return found

    def split(self, day_type: IntArray, worker: IntArray) -> FloatArray:
        """Return the share of long days that come home in between."""
        return self.split_share[day_type, worker]


def _bin(cdf: FloatArray, u: FloatArray) -> IntArray:
    return np.minimum(np.searchsorted(cdf, u, side="right"), cdf.size - 1)


def _read(name: str) -> pd.DataFrame:
    return pd.read_csv(data_folder("profiles") / "travel_survey_de" / name)


def _cumulated(shares: FloatArray) -> FloatArray:
    total = np.cumsum(shares, axis=-1)
    return np.asarray(total / total[..., -1:], dtype=np.float64)


@cache
def survey() -> Survey:
    """Return the packaged survey."""
    counts = _read("trips_per_day.csv")
    trip_shares = counts[["weekday", "weekend", "weekend"]].to_numpy(np.float64).T
    tables = [_read(f"departure_destination_{who}.csv") for who in ("nonworker", "worker")]
    purposes = tuple(c for c in tables[0].columns if c not in ("days", "time", "home"))
    outward, home, home_share = [], [], []
    for day_type in DAY_TYPES:
        rows = [t[t["days"] == day_type].sort_values("time") for t in tables]
        outward.append([_cumulated(r[list(purposes)].to_numpy(np.float64).ravel()) for r in rows])
        curves = [_cumulated(r["home"].to_numpy(np.float64)) for r in rows]
        home.append([np.concatenate([[0.0], curve]) for curve in curves])
        home_share.append([float(r["home"].sum()) for r in rows])
    trip_counts = counts["trip"].to_numpy(np.int64)
    shares = trip_shares / trip_shares.sum(axis=1, keepdims=True)
    # Each day out ends at home; what the survey's home trips exceed that are returns in between.
    mean = shares @ trip_counts
    extra = np.asarray(home_share) * mean[:, None] - (1.0 - shares[:, :1])
    split = np.clip(extra / shares[:, trip_counts >= 4].sum(axis=1, keepdims=True), 0.0, 1.0)
    joint = _read("distance_duration.csv").set_index("km")
    cells = joint.to_numpy(np.float64)
    km = np.concatenate([[_SHORTEST_KM], joint.index.to_numpy(np.float64)])
    minutes = np.concatenate([[_SHORTEST_MINUTES], [float(column) for column in joint.columns]])
    return Survey(
        trip_counts=trip_counts,
        trip_cdf=_cumulated(shares),
        purposes=purposes,
        outward_cdf=np.asarray(outward),
        home_cdf=np.asarray(home),
        split_share=split,
        km_edges=km,
        km_cdf=np.concatenate([[0.0], _cumulated(cells.sum(axis=1))]),
        minute_edges=minutes,
        minute_cdf=np.concatenate([np.zeros((len(cells), 1)), _cumulated(cells)], axis=1),
    )
