"""Temperatures where oil and hottest winding are heated by different currents."""

from __future__ import annotations

import dataclasses

import numpy as np

from gridimpact.ageing.ieee_clause7 import thermal_series
from gridimpact.ageing.insulation import ageing_rates
from gridimpact.ageing.nameplate import Nameplate
from gridimpact.ageing.thermal_state import EDITION_2011, Clause7, ThermalSeries
from gridimpact.records import FloatArray


def unequal_series(
    oil_pu: FloatArray,
    winding_pu: FloatArray,
    ambient_c: FloatArray,
    plate: Nameplate,
    dt_h: float,
    *,
    start: str = "steady",
    model: Clause7 = EDITION_2011,
) -> ThermalSeries:
    """Return temperatures of transformers with unequal phases or harmonics.

    Parameters
    ----------
    oil_pu, winding_pu : numpy.ndarray
        (scenario, time, transformer) loadings that heat the oil and the hottest winding [pu], as
        `gridimpact.ageing.thermal_loadings` finds them.
    ambient_c, plate, dt_h, start, model
        As `gridimpact.ageing.thermal_series`.

    Returns
    -------
    ThermalSeries
        The oil of the first loading with the winding's rise over oil of the second: Clause 7 adds the
        two, so each is followed apart.
    """
    winding = thermal_series(winding_pu, ambient_c, plate, dt_h, start=start, model=model)
    if winding_pu is oil_pu or np.array_equal(oil_pu, winding_pu):
        return winding
    oil = thermal_series(oil_pu, ambient_c, plate, dt_h, start=start, model=model)
    hot_spot = oil.top_oil_c + (winding.hot_spot_c - winding.top_oil_c)
    return ThermalSeries(
        top_oil_c=oil.top_oil_c,
        hot_spot_c=hot_spot,
        ageing_rate=ageing_rates(hot_spot, plate.insulation),
        initial=dataclasses.replace(oil.initial, gradient_k=winding.initial.gradient_k),
        final=dataclasses.replace(oil.final, gradient_k=winding.final.gradient_k),
    )
