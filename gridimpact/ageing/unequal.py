"""Temperatures where oil and hottest winding are heated by different currents."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from gridimpact.ageing.annex_g_plate import AnnexGPlate
from gridimpact.ageing.iec_60076_7 import iec_series
from gridimpact.ageing.iec_plate import IecPlate
from gridimpact.ageing.ieee_annex_g import annex_g_series
from gridimpact.ageing.ieee_clause7 import thermal_series
from gridimpact.ageing.insulation import ageing_rates
from gridimpact.ageing.nameplate import Nameplate
from gridimpact.ageing.thermal_state import EDITION_2011, Clause7, ThermalSeries
from gridimpact.records import FloatArray

AnyPlate = Nameplate | IecPlate | tuple[AnnexGPlate, ...]
"""Thermal data whose kind chooses the model; test reports come one a transformer."""


class Temperatures(Protocol):
    """What the series of every model hold."""

    @property
    def top_oil_c(self) -> FloatArray:
        """Top-oil temperature [degC]."""
        ...

    @property
    def hot_spot_c(self) -> FloatArray:
        """Hot-spot temperature [degC]."""
        ...

    @property
    def ageing_rate(self) -> FloatArray:
        """Ageing rate, 1 is normal."""
        ...


@dataclass(frozen=True)
class HeatSeries:
    """Temperatures and ageing at the end of each step, arrays (scenario, time, transformer)."""

    top_oil_c: FloatArray
    hot_spot_c: FloatArray
    ageing_rate: FloatArray


def heat_series(
    oil_pu: FloatArray,
    winding_pu: FloatArray,
    ambient_c: FloatArray,
    plate: AnyPlate,
    dt_h: float,
    *,
    start: str = "steady",
    model: Clause7 = EDITION_2011,
) -> HeatSeries:
    """Return temperatures by the model that the thermal data belong to.

    Parameters
    ----------
    oil_pu, winding_pu : numpy.ndarray
        As `unequal_series`.
    ambient_c : numpy.ndarray
        (time,) or (time, transformer) outdoor air [degC].
    plate : Nameplate, IecPlate or tuple of AnnexGPlate
        Clause 7 of IEEE C57.91, IEC 60076-7, or Annex G with a test report for each transformer.
    dt_h : float
        Step [h].
    start : str
        ``"steady"``, ``"cold"`` or ``"periodic"``.
    model : Clause7
        Open choices, for a `Nameplate`.

    Notes
    -----
    Clause 7 and IEC add the winding's rise over oil to the oil's, so following both apart is exact in
    them. Annex G couples the two through viscosity; there it is an own choice for loadings that differ.

    Examples
    --------
    >>> one, air = np.ones((1, 4, 1)), np.full(4, 20.0)
    >>> heat_series(one, one, air, IecPlate.preset(), 1.0).hot_spot_c.ravel()
    array([98., 98., 98., 98.])
    """
    if isinstance(plate, Nameplate):
        found = unequal_series(oil_pu, winding_pu, ambient_c, plate, dt_h, start=start, model=model)
        return HeatSeries(found.top_oil_c, found.hot_spot_c, found.ageing_rate)
    alike = oil_pu is winding_pu or np.array_equal(oil_pu, winding_pu)
    loads = [winding_pu] if alike else [oil_pu, winding_pu]
    if isinstance(plate, IecPlate):
        states = [iec_series(load, ambient_c, plate, dt_h, start=start) for load in loads]
        return _joined(states[0], states[-1], plate.insulation)
    parts = []
    for k, report in enumerate(plate):
        each = [
            annex_g_series(load[:, :, [k]], ambient_c, report, dt_h, start=start) for load in loads
        ]
        parts.append(_joined(each[0], each[-1], report.insulation))
    names = ("top_oil_c", "hot_spot_c", "ageing_rate")
    return HeatSeries(*(np.concatenate([getattr(p, n) for p in parts], axis=2) for n in names))


def _joined(oil: Temperatures, winding: Temperatures, insulation: tuple[str, ...]) -> HeatSeries:
    """Return the oil of one series with the winding's rise over oil of the other."""
    if oil is winding:
        return HeatSeries(oil.top_oil_c, oil.hot_spot_c, oil.ageing_rate)
    hot_spot = oil.top_oil_c + (winding.hot_spot_c - winding.top_oil_c)
    return HeatSeries(oil.top_oil_c, hot_spot, ageing_rates(hot_spot, insulation))


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
    both = _joined(oil, winding, plate.insulation)
    return ThermalSeries(
        top_oil_c=both.top_oil_c,
        hot_spot_c=both.hot_spot_c,
        ageing_rate=both.ageing_rate,
        initial=dataclasses.replace(oil.initial, gradient_k=winding.initial.gradient_k),
        final=dataclasses.replace(oil.final, gradient_k=winding.final.gradient_k),
    )
