"""Curves by which power answers to voltage: those of standards, and the check of a user's own.

A curve gives the share of rated power allowed at voltages in between by straight lines, beyond its ends
constant. Voltages are per unit of nominal, 230 V where a standard prints volts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from gridimpact.errors import Problem
from gridimpact.records import FloatArray

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class PowerCurve:
    """A named curve and the text it comes from."""

    name: str
    points: Points
    """(voltage [pu], share of rated power) in order of voltage."""
    source: str


_FEEDING = (
    PowerCurve(
        "ieee_1547_a", ((1.06, 1.0), (1.10, 0.2)),
        "IEEE 1547-2018, 5.4.2, Table 10, category A default; the least share is 0.2 or the least power "
        "of the unit, whichever is smaller",
    ),
    PowerCurve(
        "ieee_1547_b", ((1.06, 1.0), (1.10, 0.2)),
        "IEEE 1547-2018, 5.4.2, Table 10, category B default, the same numbers as category A",
    ),
    PowerCurve(
        "as_nzs_4777_2_australia_a", ((253 / 230, 1.0), (260 / 230, 0.2)),
        "AS/NZS 4777.2:2020, 3.3.2.2, volt-watt response, Australia A: 253 V and 260 V, 20 %",
    ),
)  # fmt: skip

_CHARGING = (
    PowerCurve(
        "research_droop", ((0.90, 0.0), (0.95, 1.0)),
        "a droop common in research, no standard: clip((V - 0.90) / 0.05, 0, 1)",
    ),
    PowerCurve(
        "as_nzs_4777_2_australia_a", ((207 / 230, 0.2), (215 / 230, 1.0)),
        "AS/NZS 4777.2:2020, volt-watt response of storage while charging, Australia A: 207 V and 215 V as "
        "inverter manuals give them; compare with the standard before relying on it",
    ),
)  # fmt: skip

FEEDING: Mapping[str, PowerCurve] = MappingProxyType({c.name: c for c in _FEEDING})
"""Curves for cars that feed, falling with voltage."""
CHARGING: Mapping[str, PowerCurve] = MappingProxyType({c.name: c for c in _CHARGING})
"""Curves for cars that charge, rising with voltage."""


def as_points(curve: Any) -> Any:
    """Return a curve in a form that can be hashed: names as they are, pairs as tuples."""
    if isinstance(curve, str) or not isinstance(curve, Sequence):
        return curve
    return tuple(tuple(p) if isinstance(p, Sequence) else p for p in curve)


def points_of(curve: str | Points, known: Mapping[str, PowerCurve]) -> Points:
    """Return the points of a named curve, or the points given."""
    return known[curve].points if isinstance(curve, str) else curve


def curve_problems(curve: Any, known: Mapping[str, PowerCurve], *, falls: bool) -> list[Problem]:
    """Return what is wrong with a curve: a name nobody knows, or points out of order."""
    if isinstance(curve, str):
        if curve in known:
            return []
        remedy = f"use {', '.join(known)} or points such as [[1.06, 1.0], [1.10, 0.2]]"
        return [Problem("curve", f"{curve!r} is unknown", remedy)]
    try:
        points = np.array(curve, dtype=np.float64).reshape(-1, 2)
    except (TypeError, ValueError):
        points = np.zeros((0, 2))
    if len(points) < 2 or not np.isfinite(points).all():
        remedy = "give pairs of voltage [pu] and share, such as [[1.06, 1.0], [1.10, 0.2]]"
        return [Problem("curve", f"{curve!r} holds no two points", remedy)]
    found = []
    if not (np.diff(points[:, 0]) > 0.0).all() or (points[:, 0] <= 0.0).any():
        found.append(Problem("curve", "its voltages do not rise", "order the points by voltage"))
    if (points[:, 1] < 0.0).any() or (points[:, 1] > 1.0).any():
        found.append(Problem("curve", "has a share outside 0..1", "give shares, not percent"))
    steps = np.diff(points[:, 1])
    if (steps > 0.0).any() if falls else (steps < 0.0).any():
        way = "fall" if falls else "rise"
        found.append(Problem("curve", f"its shares do not {way} with voltage", "mend the points"))
    return found


def share_of_rated(vm_pu: FloatArray, points: Points, missing: float) -> FloatArray:
    """Return the share of rated power at voltages [pu], `missing` where a voltage is NaN.

    Examples
    --------
    >>> share_of_rated(np.array([1.0, 1.08, 1.15]), FEEDING["ieee_1547_b"].points, 1.0).round(9).tolist()
    [1.0, 0.6, 0.2]
    """
    v, share = np.array(points, dtype=np.float64).T
    return np.asarray(np.interp(np.where(np.isnan(vm_pu), missing, vm_pu), v, share))
