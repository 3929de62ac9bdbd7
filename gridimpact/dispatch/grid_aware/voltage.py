"""Chargers that answer to the voltage at their own bus: Volt-Watt while feeding, a droop while charging."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from gridimpact.dispatch.grid_aware.curves import (
    CHARGING,
    FEEDING,
    Points,
    as_points,
    curve_problems,
    points_of,
    share_of_rated,
)
from gridimpact.dispatch.grid_aware.protocol import Measured, Wanted
from gridimpact.dispatch.grid_aware.settings import Settings
from gridimpact.errors import Problem
from gridimpact.records import FloatArray


def _allowed(share: FloatArray, wanted: Wanted) -> FloatArray:
    """Return the magnitude a share of rated power allows, the guard's at least [kW]."""
    allowed = np.minimum(wanted.size_kw, share * wanted.rated_kw)
    return np.asarray(np.maximum(allowed, wanted.least_kw))


@dataclass(frozen=True)
class VoltWatt(Settings):
    """Cars that feed lower their power while the voltage at their charger is high.

    Parameters
    ----------
    curve : str or sequence of pairs
        "ieee_1547_b", "ieee_1547_a", "as_nzs_4777_2_australia_a", or points of voltage [pu] and share of rated
        power, falling with voltage.
    latency_s : float
        Open-loop response time [s]; IEEE 1547-2018 gives 10 s as default.

    Notes
    -----
    Each charger holds its feed at or below the share of its rated discharge power that the curve allows
    at the highest of its phases' voltages. Charging is not touched. Named as out of scope: harmonic
    current distortion and flicker (IEEE 1547-2018 clause 7), response to frequency, islanding. Trips at
    abnormal voltage are counted (`gridimpact.dispatch.grid_aware.trips`), not acted out.
    """

    curve: Any = "ieee_1547_b"
    latency_s: float = field(default=10.0, kw_only=True)

    name: ClassVar[str] = "grid_aware_volt_watt"
    side: ClassVar[str] = "feeding"

    def __post_init__(self) -> None:
        """Keep points as tuples and check the settings."""
        object.__setattr__(self, "curve", as_points(self.curve))
        super().__post_init__()

    def problems(self) -> list[Problem]:
        """Return what is wrong with the curve."""
        return curve_problems(self.curve, FEEDING, falls=True)

    @property
    def points(self) -> Points:
        """Voltage [pu] and share of rated power allowed."""
        return points_of(self.curve, FEEDING)

    def share(self, vm_pu: FloatArray) -> FloatArray:
        """Return the share of rated power allowed; all of it where no voltage is known."""
        return share_of_rated(vm_pu, self.points, missing=0.0)

    def respond(self, measured: Measured, wanted: Wanted) -> FloatArray:
        """Return the feed allowed, (scenario, vehicle), a magnitude [kW]."""
        vm = np.take_along_axis(measured.vm_high_pu, np.maximum(wanted.charger, 0), axis=1)
        return _allowed(self.share(vm), wanted)


@dataclass(frozen=True)
class ChargingDroop(Settings):
    """Cars that charge lower their power while the voltage at their charger is low.

    Parameters
    ----------
    low, high : float
        Voltages at which nothing and at which rated power is allowed [pu], a straight line in between;
        used where no curve is given.
    curve : str or sequence of pairs, optional
        "research_droop", "as_nzs_4777_2_australia_a", or points of voltage [pu] and share, rising with voltage.
    latency_s : float
        Response time of the charger [s]; the default is an own choice.

    Notes
    -----
    Each charger holds its power at or below the share of its rated power that the curve allows at the lowest
    of its phases' voltages. Where a power flow has no solution the voltage counts as collapsed.
    """

    low: float = 0.90
    high: float = 0.95
    curve: Any = None
    latency_s: float = field(default=10.0, kw_only=True)

    name: ClassVar[str] = "grid_aware_charging_droop"
    side: ClassVar[str] = "charging"

    def __post_init__(self) -> None:
        """Keep points as tuples and check the settings."""
        object.__setattr__(self, "curve", as_points(self.curve))
        super().__post_init__()

    def problems(self) -> list[Problem]:
        """Return what is wrong with the voltages or the curve."""
        if self.curve is not None:
            return curve_problems(self.curve, CHARGING, falls=False)
        if 0.5 <= self.low < self.high <= 1.5:
            return []
        what = f"are {self.low} and {self.high}"
        return [Problem("low and high", what, "give two rising voltages from 0.5 to 1.5 pu")]

    @property
    def points(self) -> Points:
        """Voltage [pu] and share of rated power allowed."""
        if self.curve is None:
            return ((self.low, 0.0), (self.high, 1.0))
        return points_of(self.curve, CHARGING)

    def share(self, vm_pu: FloatArray) -> FloatArray:
        """Return the share of rated power allowed; that of a collapsed voltage where none is known."""
        return share_of_rated(vm_pu, self.points, missing=0.0)

    def respond(self, measured: Measured, wanted: Wanted) -> FloatArray:
        """Return the charging power allowed, (scenario, vehicle) [kW]."""
        vm = np.take_along_axis(measured.vm_low_pu, np.maximum(wanted.charger, 0), axis=1)
        return _allowed(self.share(vm), wanted)
