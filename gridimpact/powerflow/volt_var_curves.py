"""Volt-VAr curves of standards, and the check of a user's own.

Reactive power is positive where it is drawn from the grid, so that every curve rises with voltage:
at high voltage an inverter draws reactive power and pulls the voltage down. Standards print the
opposite sign. Shares count on apparent power; voltages are per unit of nominal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import ArrayLike

from gridimpact.errors import Problem, raise_problems
from gridimpact.records import FloatArray


@dataclass(frozen=True)
class NamedCurve:
    """A curve of a standard, in the sign of this package."""

    name: str
    standard: str
    edition: str
    clause: str
    v_pu: tuple[float, ...]
    q_share: tuple[float, ...]
    """Share of rated apparent power, positive draws from the grid."""
    note: str = ""


_CURVES = (
    NamedCurve(
        "ieee_1547_a", "IEEE 1547", "2018", "5.3.3, Table 8, category A default",
        (0.9, 1.0, 1.1), (-0.25, 0.0, 0.25),
        "Both middle points stand at the reference voltage.",
    ),
    NamedCurve(
        "ieee_1547_b", "IEEE 1547", "2018", "5.3.3, Table 8, category B default",
        (0.92, 0.98, 1.02, 1.08), (-0.44, 0.0, 0.0, 0.44),
    ),
    NamedCurve(
        "ieee_1547_a_steepest", "IEEE 1547.1", "2020", "Table 17, category A most aggressive",
        (0.98, 1.0, 1.02), (-0.25, 0.0, 0.25),
    ),
    NamedCurve(
        "ieee_1547_b_steepest", "IEEE 1547.1", "2020", "Table 17, category B most aggressive",
        (0.98, 1.0, 1.02), (-0.44, 0.0, 0.44),
    ),
    NamedCurve(
        "vde_ar_n_4105_090", "VDE-AR-N 4105", "2018-11", "5.7.2.4, Q(U), cos phi 0.90",
        (0.93, 0.97, 1.03, 1.07), (-float(np.sqrt(1 - 0.9**2)), 0.0, 0.0, float(np.sqrt(1 - 0.9**2))),
        "Plants above 4.6 kVA; the network operator may set other points.",
    ),
    NamedCurve(
        "vde_ar_n_4105_095", "VDE-AR-N 4105", "2018-11", "5.7.2.4, Q(U), cos phi 0.95",
        (0.93, 0.97, 1.03, 1.07), (-float(np.sqrt(1 - 0.95**2)), 0.0, 0.0, float(np.sqrt(1 - 0.95**2))),
        "Plants up to 4.6 kVA; the network operator may set other points.",
    ),
    NamedCurve(
        "as_nzs_4777_2_australia_a", "AS/NZS 4777.2", "2020", "3.3.2.3, Australia A default",
        (207 / 230, 220 / 230, 240 / 230, 258 / 230), (-0.44, 0.0, 0.0, 0.60),
        "The standard lets reactive power go before active power; here active power goes first.",
    ),
)  # fmt: skip

CURVES: Mapping[str, NamedCurve] = MappingProxyType({curve.name: curve for curve in _CURVES})
"""Curves of standards by name. ``vde_ar_n_4105`` is no curve of its own: it stands for the one of
its two that an element's size asks for."""

CURVE_NAMES = (*CURVES, "vde_ar_n_4105")
"""Every name that `volt_var` takes."""


def volt_var_curve(v_pu: ArrayLike, q_share: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return a user's curve after a check.

    Parameters
    ----------
    v_pu : array_like
        (point,) rising voltages [pu].
    q_share : array_like
        (point,) share of apparent power, not falling; positive draws from the grid.

    Raises
    ------
    InputError
        With everything that is wrong.
    """
    v, q = np.asarray(v_pu, dtype=np.float64), np.asarray(q_share, dtype=np.float64)
    raise_problems(curve_problems("curve", v, q), "Volt-VAr curve")
    return v, q


def curve_problems(where: str, v: FloatArray, q: FloatArray) -> list[Problem]:
    """Return everything that is wrong with a curve; `where` names it."""
    if v.ndim != 1 or v.shape != q.shape or not len(v):
        what = f"has {v.shape} voltages and {q.shape} shares, must have one share at each voltage"
        return [Problem(where, what, "give two lists of one length")]
    found = []
    if not (np.isfinite(v).all() and np.isfinite(q).all()):
        found.append(Problem(where, "holds values that are not finite", "fill the gaps"))
    falls = np.flatnonzero(~(np.diff(v) > 0))
    found += [
        Problem(
            f"{where}, point {k + 2}",
            f"its voltage {v[k + 1]} pu does not lie above {v[k]} pu of the point before",
            "order the points by voltage; leave a gap of at least 1e-6 pu for a step",
        )
        for k in falls
    ]
    if (v <= 0).any():
        found.append(Problem(where, f"has voltage {v.min()} pu, must be above 0"))
    sinks = np.flatnonzero(np.diff(q) < 0)
    found += [
        Problem(
            f"{where}, point {k + 2}",
            f"its share {q[k + 1]} lies below {q[k]} of the point before",
            "shares are positive where drawn, so they rise with voltage; standards print the other sign",
        )
        for k in sinks
    ]
    if (np.abs(q) > 1).any():
        worst = q[np.nanargmax(np.abs(q))]
        found.append(
            Problem(where, f"has share {worst}, must lie in -1..1", "give shares, not percent")
        )
    return found
