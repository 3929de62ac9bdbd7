"""How far an ageing figure hangs on what was assumed: each assumption moved alone, one line each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gridimpact.ageing.nameplate import Nameplate
from gridimpact.ageing.summary import age
from gridimpact.ageing.thermal_state import EDITION_2011, Clause7
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

    def found(chosen: Nameplate, shift: float = 0.0) -> FloatArray:
        result = age(loading_pu, air + shift, chosen, dt_h, model=model)
        return np.asarray(result.equivalent_ageing.mean(axis=0))

    def scaled(name: str, factor: float) -> Nameplate:
        return dataclasses.replace(plate, **{name: getattr(plate, name) * factor})

    def risen(by: float) -> Nameplate:
        return dataclasses.replace(
            plate,
            top_oil_rise_k=plate.top_oil_rise_k + by,
            hot_spot_rise_k=plate.hot_spot_rise_k + by,
        )

    base = found(plate)
    moved = {
        f"ambient +-{AMBIENT_K:g} K": (found(plate, -AMBIENT_K), found(plate, AMBIENT_K)),
        f"loss ratio over/times {FACTOR:g}": _pair(found, scaled, "loss_ratio"),
        f"oil time constant over/times {FACTOR:g}": _pair(found, scaled, "tau_oil_h"),
        f"rated oil rise +-{RISE_K:g} K": (found(risen(-RISE_K)), found(risen(RISE_K))),
    }
    rows = [
        (name, k, low[k], base[k], high[k])
        for name, (low, high) in moved.items()
        for k in range(base.size)
    ]
    columns = ["assumption", "transformer", "lower", "as_given", "higher"]
    return pd.DataFrame(rows, columns=columns)


def _pair(
    found: Callable[[Nameplate], FloatArray],
    scaled: Callable[[str, float], Nameplate],
    name: str,
) -> tuple[FloatArray, FloatArray]:
    """Return the ageing with one value divided and multiplied."""
    low, high = (found(scaled(name, factor)) for factor in (1.0 / FACTOR, FACTOR))
    return low, high
