"""Transformer temperatures of one segment, driven by the loading a power flow found."""

from __future__ import annotations

import numpy as np

from gridimpact.ageing import Nameplate, ThermalSeries, bridge_failed, thermal_series
from gridimpact.records import FloatArray, FlowResult, Injections
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec


def temperatures(
    spec: StudySpec, segment: Segment, plate: Nameplate, flow: FlowResult, injections: Injections
) -> tuple[ThermalSeries, int]:
    """Return temperatures and ageing, and how many transformer steps were bridged.

    Notes
    -----
    Loading is the transformer's current over its rating. Where a lane failed, the apparent power
    injected behind the transformer over its rating stands in, so that the oil does not forget.
    Temperatures start steady at the first step's loading; the warm-up day lets that fade.
    """
    loading = flow.transformer_loading_percent / 100.0
    filled, bridged = bridge_failed(loading, _injected_pu(spec, injections))
    # A transformer without supply carries nothing: neither flow nor injection counts.
    filled = np.nan_to_num(filled, nan=0.0)
    if spec.ambient is None:
        message = "temperatures need an ambient series"
        raise ValueError(message)
    ambient = spec.ambient.temp_air_c[segment.steps]
    series = thermal_series(filled, ambient, plate, segment.timeline.dt_h)
    return series, int(bridged.sum())


def _injected_pu(spec: StudySpec, injections: Injections) -> FloatArray:
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
