"""Transformer temperatures of one segment, driven by the loading a power flow found."""

from __future__ import annotations

import numpy as np

from gridimpact.ageing import (
    SINE,
    AnyPlate,
    HeatSeries,
    bridge_failed,
    heat_series,
    thermal_loadings,
)
from gridimpact.records import FloatArray, FlowResult, Injections
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec
from gridimpact.study.thermal_options import TransformerOptions


class Carried:
    """The loading of the transformers, part by part: all that temperatures need of a power flow."""

    def __init__(self) -> None:
        self._loading: list[FloatArray] = []
        self._by_phase: list[FloatArray] = []

    def add(self, flow: FlowResult) -> None:
        """Take in the next part."""
        self._loading.append(flow.transformer_loading_percent)
        if flow.phases == 3:
            self._by_phase.append(flow.transformer_phase_loading_percent)

    @property
    def loading(self) -> FloatArray:
        """Loading [%], (scenario, time, transformer)."""
        return np.concatenate(self._loading, axis=1)

    @property
    def by_phase(self) -> FloatArray | None:
        """The same by phase, (scenario, time, transformer, 3); None of a balanced flow."""
        return np.concatenate(self._by_phase, axis=1) if self._by_phase else None


def temperatures(
    spec: StudySpec,
    segment: Segment,
    plate: AnyPlate,
    loading_percent: FloatArray,
    injections: Injections,
    phase_loading_percent: FloatArray | None = None,
) -> tuple[HeatSeries, int]:
    """Return temperatures and ageing, and how many transformer steps were bridged.

    Parameters
    ----------
    plate : Nameplate, IecPlate or tuple of AnnexGPlate
        Thermal data; their kind chooses the model, `spec.transformer` its start and open choices.
    loading_percent : (scenario, time, transformer) array
        Current over rating, of the worst phase; NaN where a lane failed.
    phase_loading_percent : (scenario, time, transformer, 3) array, optional
        The same by phase; None of a balanced flow.

    Notes
    -----
    Loading is the transformer's current over its rating. In three phases the oil is heated by the
    losses of all windings, so by the mean square of the phases, and the hot spot sits in the worst
    winding; IEEE C57.91-2011 clause 7 adds the winding's rise to the oil's, so both are followed apart
    and added. Harmonics raise both. Where a lane failed, the apparent power injected behind the transformer over its rating
    stands in, so that the oil does not forget. Unless the study says otherwise,
    temperatures start steady at the first step's loading; the warm-up day lets that fade.
    """
    if spec.ambient is None:
        message = "temperatures need an ambient series"
        raise ValueError(message)
    ambient = spec.ambient.temp_air_c[segment.steps]
    substitute: FloatArray = np.zeros(1)
    if np.isnan(loading_percent).any():
        substitute = injected_pu(spec, injections)
    winding, oil, bridged = heating_pu(loading_percent, phase_loading_percent, substitute)
    return heated(spec.transformer, plate, (oil, winding), ambient, segment.timeline.dt_h), bridged


def heating_pu(
    loading_percent: FloatArray, phase_loading_percent: FloatArray | None, substitute: FloatArray
) -> tuple[FloatArray, FloatArray, int]:
    """Return the loadings that heat winding and oil [pu], and how many were filled."""
    winding, bridged = filled_pu(loading_percent, substitute)
    if phase_loading_percent is None:
        return winding, winding, bridged
    mean_square, _ = thermal_loadings(phase_loading_percent, by_phase=True)
    return winding, filled_pu(mean_square, substitute)[0], bridged


def heated(
    options: TransformerOptions,
    plate: AnyPlate,
    heating: tuple[FloatArray, FloatArray],
    ambient_c: FloatArray,
    dt_h: float,
) -> HeatSeries:
    """Return temperatures and ageing under the loadings of oil and winding [pu]."""
    oil, winding = heating
    if options.harmonics != SINE:
        oil = thermal_loadings(oil, harmonics=options.harmonics)[0]
        winding = thermal_loadings(winding, harmonics=options.harmonics)[1]
    return heat_series(
        oil, winding, ambient_c, plate, dt_h, start=options.start, model=options.clause7
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
