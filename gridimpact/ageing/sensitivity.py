"""How far an ageing figure hangs on what was assumed: each assumption moved alone, one line each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gridimpact.ageing.iec_plate import IecPlate
from gridimpact.ageing.nameplate import Nameplate
from gridimpact.ageing.summary import age
from gridimpact.ageing.thermal_state import EDITION_2011, Clause7
from gridimpact.ageing.unequal import AnyPlate
from gridimpact.records import FloatArray

AMBIENT_K = 5.0
RISE_K = 5.0
FACTOR = 1.5
"""Loss ratio and time constant are multiplied and divided by this."""


def ageing_sensitivity(
    loading_pu: FloatArray,
    ambient_c: ArrayLike,
    plate: Nameplate,
    dt_h: float,
    *,
    model: Clause7 = EDITION_2011,
) -> pd.DataFrame:
    """Return the equivalent ageing with each assumption lower, as given and higher.

    Parameters
    ----------
    loading_pu : numpy.ndarray
        (scenario, time, transformer) current over rated current [pu].
    ambient_c : array_like
        (time,) or (time, transformer) outdoor air [degC].
    plate : Nameplate
        Thermal data.
    dt_h : float
        Step [h].
    model : Clause7
        Open choices of the clause.

    Returns
    -------
    pandas.DataFrame
        One row per assumption and transformer: ``assumption transformer lower as_given higher``; the
        mean over scenarios of the equivalent ageing [1]. Air and rated rise move by 5 K, loss ratio and
        oil time constant by a factor of 1.5.

    Notes
    -----
    A higher rated rise is taken at the same hot-spot gradient.
    """
    air = np.asarray(ambient_c, dtype=np.float64)

    def found(chosen: Nameplate, shift_k: float) -> FloatArray:
        result = age(loading_pu, air + shift_k, chosen, dt_h, model=model)
        return np.asarray(result.equivalent_ageing.mean(axis=0))

    return sensitivity_table(found, plate)


def sensitivity_table(found: Callable[[Any, float], FloatArray], plate: AnyPlate) -> pd.DataFrame:
    """Return the table of `ageing_sensitivity` for any thermal model.

    Parameters
    ----------
    found : callable
        Gives the equivalent ageing (transformer,) of thermal data and a shift of the air [K].
    plate : Nameplate, IecPlate or tuple of AnnexGPlate
        Thermal data as given.

    Notes
    -----
    Of a test report the loss ratio is moved by the core loss, the time constant by the weights of core,
    tank and oil, the rated rise by all rises together.
    """
    base = found(plate, 0.0)
    moved = {f"ambient +-{AMBIENT_K:g} K": (found(plate, -AMBIENT_K), found(plate, AMBIENT_K))}
    for name, (low, high) in moved_plates(plate).items():
        moved[name] = (found(low, 0.0), found(high, 0.0))
    rows = [
        (name, k, low[k], base[k], high[k])
        for name, (low, high) in moved.items()
        for k in range(base.size)
    ]
    columns = ["assumption", "transformer", "lower", "as_given", "higher"]
    return pd.DataFrame(rows, columns=columns)


def moved_plates(plate: AnyPlate) -> dict[str, tuple[AnyPlate, AnyPlate]]:
    """Return thermal data with each assumption lower and higher, by its words."""
    ratio, tau, rise = _MOVERS[type(plate)]
    names = {
        f"loss ratio over/times {FACTOR:g}": (ratio, 1.0 / FACTOR, FACTOR),
        f"oil time constant over/times {FACTOR:g}": (tau, 1.0 / FACTOR, FACTOR),
        f"rated oil rise +-{RISE_K:g} K": (rise, -RISE_K, RISE_K),
    }
    return {
        name: (move(plate, low), move(plate, high)) for name, (move, low, high) in names.items()
    }


def _scaled(name: str) -> Callable[[Any, float], Any]:
    return lambda plate, by: dataclasses.replace(plate, **{name: getattr(plate, name) * by})


def _raised(*names: str) -> Callable[[Any, float], Any]:
    return lambda plate, by: dataclasses.replace(
        plate, **{name: getattr(plate, name) + by for name in names}
    )


def _each(*names: str, inverse: bool = False) -> Callable[[Any, float], Any]:
    def moved(reports: Any, by: float) -> Any:
        factor = 1.0 / by if inverse else by
        return tuple(r.replaced(**{n: getattr(r, n) * factor for n in names}) for r in reports)

    return moved


def _all_rises(reports: Any, by: float) -> Any:
    names = ("winding_rise_k", "hot_spot_rise_k", "top_oil_rise_k", "bottom_oil_rise_k")
    rated = "winding_rise_rated_k"
    return tuple(r.replaced(**{n: getattr(r, n) + by for n in (*names, rated)}) for r in reports)


_MOVERS: dict[type, tuple[Callable[[Any, float], Any], ...]] = {
    Nameplate: (
        _scaled("loss_ratio"),
        _scaled("tau_oil_h"),
        _raised("top_oil_rise_k", "hot_spot_rise_k"),
    ),
    IecPlate: (_scaled("loss_ratio"), _scaled("tau_oil_h"), _raised("top_oil_rise_k")),
    tuple: (
        _each("core_loss_w", inverse=True),
        _each("core_coil_kg", "tank_kg", "oil_l"),
        _all_rises,
    ),
}
"""How loss ratio, time constant and rated rise are moved, by kind of thermal data."""
