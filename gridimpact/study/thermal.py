"""Transformer temperatures of one segment, driven by the loading a power flow found."""

from __future__ import annotations

import dataclasses

import numpy as np

from gridimpact.ageing import (
    Nameplate,
    ThermalSeries,
    ageing_rates,
    bridge_failed,
    thermal_series,
)
from gridimpact.records import FloatArray, Injections
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec


def temperatures(
    spec: StudySpec,
    segment: Segment,
    plate: Nameplate,
    loading_percent: FloatArray,
    injections: Injections,
    phase_loading_percent: FloatArray | None = None,
) -> tuple[ThermalSeries, int]:
    """Return temperatures and ageing, and how many transformer steps were bridged.

    Parameters
    ----------
    loading_percent : (scenario, time, transformer) array
        Current over rating, of the worst phase; NaN where a lane failed.
    phase_loading_percent : (scenario, time, transformer, 3) array, optional
        The same by phase; None of a balanced flow.

    Notes
    -----
    Loading is the transformer's current over its rating. In three phases the oil is heated by the
    losses of all windings, so by the mean square of the phases, and the hot spot sits in the worst
    winding; IEEE C57.91-2011 clause 7 adds the winding's rise to the oil's, so both are followed apart
    and added. Where a lane failed, the apparent power injected behind the transformer over its rating
    stands in, so that the oil does not forget. Temperatures start steady at the first step's
    loading; the warm-up day lets that fade.
    """
    if spec.ambient is None:
        message = "temperatures need an ambient series"
        raise ValueError(message)
    ambient = spec.ambient.temp_air_c[segment.steps]
    substitute = injected_pu(spec, injections)
    worst, bridged = filled_pu(loading_percent, substitute)
    series = thermal_series(worst, ambient, plate, segment.timeline.dt_h)
    if phase_loading_percent is not None:
        mean_square = np.sqrt(np.mean(np.square(phase_loading_percent), axis=3))
        oil = thermal_series(
            filled_pu(mean_square, substitute)[0], ambient, plate, segment.timeline.dt_h
        )
        series = _wound(oil, series, plate)
    return series, bridged


def _wound(oil: ThermalSeries, winding: ThermalSeries, plate: Nameplate) -> ThermalSeries:
    """Return the oil of one series with the winding's rise over oil of another."""
    hot_spot = oil.top_oil_c + (winding.hot_spot_c - winding.top_oil_c)
    return ThermalSeries(
        top_oil_c=oil.top_oil_c,
        hot_spot_c=hot_spot,
        ageing_rate=ageing_rates(hot_spot, plate.insulation),
        initial=dataclasses.replace(oil.initial, gradient_k=winding.initial.gradient_k),
        final=dataclasses.replace(oil.final, gradient_k=winding.final.gradient_k),
    )


def filled_pu(loading_percent: FloatArray, substitute: FloatArray) -> tuple[FloatArray, int]:
    """Return loadings [pu] without gaps, and how many were filled.

    A transformer without supply carries nothing: neither flow nor injection counts.
    """
    filled, bridged = bridge_failed(loading_percent / 100.0, substitute)
    return np.nan_to_num(filled, nan=0.0), int(bridged.sum())


def injected_pu(spec: StudySpec, injections: Injections) -> FloatArray:
    """Return apparent power injected behind each transformer over its rating, as `loading`."""
    grid = spec.network.grid
    owner = grid.bus_transformer[injections.bus]
    count = len(grid.transformer_index)
    shape = (*injections.p_kw.shape[:2], count)
    apparent = np.empty(shape)
    for number in range(count):
        inside = owner == number
        active = injections.p_kw[:, :, inside].sum(axis=2)
        reactive = injections.q_kvar[:, :, inside].sum(axis=2)
        apparent[:, :, number] = np.hypot(active, reactive)
    return apparent / grid.transformer_sn_kva
