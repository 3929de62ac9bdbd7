"""What a power flow is given and finds, and what an assessment and a whole study tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.records.base import FloatArray, IntArray, Note, Shown
from gridimpact.records.inputs import Fleet
from gridimpact.records.network import Network
from gridimpact.timeline import Timeline

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class VoltVar:
    """Reactive power that answers to voltage, by element.

    A curve gives reactive power over `s_ref_kva` at voltages in between by straight lines, beyond its ends
    constant; positive draws from the grid, so curves rise with voltage.
    """

    element: IntArray
    """(answering,) positions in the element axis of the injections, each at most once."""
    s_max_kva: FloatArray
    """(answering,) apparent power that is never exceeded; active power goes first."""
    s_ref_kva: FloatArray
    """(answering,) what the curve's shares count on, e.g. rated apparent power."""
    curve: IntArray
    """(answering,) row of `v_pu` and `q_share`."""
    v_pu: FloatArray
    """(curve, point) rising."""
    q_share: FloatArray
    """(curve, point) not falling."""


@dataclass(frozen=True)
class Injections:
    """Power of every connected element, for one or more scenarios.

    An element is a site's load, its PV or a charger. `phase_share` rows sum to 1 (1/3 each when balanced).
    """

    timeline: Timeline
    bus: IntArray
    """(element,) position in the grid's bus axis."""
    p_kw: FloatArray
    """(scenario, time, element)"""
    q_kvar: FloatArray
    phase_share: FloatArray
    """(element, 3)"""
    zip_p: FloatArray
    """(element, 2) constant-impedance and constant-current share of P."""
    zip_q: FloatArray
    connection: IntArray | None = None
    """(element,) 0 in star to neutral; 1 in delta, where `phase_share` counts ab, bc, ca. None is all star."""
    volt_var: VoltVar | None = None
    """What answers to voltage; its reactive power is added to `q_kvar`."""


def _nothing() -> FloatArray:
    return np.zeros((0, 0, 0))


@dataclass(frozen=True)
class FlowResult(Shown):
    """What a power flow found; NaN where a lane failed.

    In three phases `vm_pu` has a last axis of phase-to-neutral voltages a, b, c, and loadings are those of the
    worst phase. Arrays that were not asked for have length zero on their last axis.
    """

    engine: str
    vm_pu: FloatArray
    """(scenario, time, bus[, phase])"""
    line_loading_percent: FloatArray
    transformer_loading_percent: FloatArray
    transformer_p_kw: FloatArray
    """(scenario, time, transformer) into the high-voltage side."""
    transformer_q_kvar: FloatArray
    losses_kw: FloatArray
    """(scenario, time)"""
    status: NDArray[np.int8]
    """(scenario, time) of `gridimpact.conventions.Status`."""
    residual_kva: FloatArray
    """(scenario, time) largest apparent power missing at a bus, checked apart from the solver."""
    unserved_kwh: float = 0.0
    """Energy of elements at buses without supply."""
    line_i_ka: FloatArray = field(default_factory=_nothing)
    """(scenario, time, line[, 4]) the larger end's current; in three phases a, b, c and neutral [kA]."""
    transformer3w_loading_percent: FloatArray = field(default_factory=_nothing)
    """(scenario, time, three-winding transformer) of its worst winding."""
    tap_pos: FloatArray = field(default_factory=_nothing)
    """(scenario, time, tap control)"""
    volt_var_q_kvar: FloatArray = field(default_factory=_nothing)
    """(scenario, time, answering element) reactive power drawn beside `q_kvar`."""
    unbalance_percent: FloatArray = field(default_factory=_nothing)
    """(scenario, time, bus) negative over positive sequence voltage (IEC 61000-3-13)."""
    unbalance_nema_percent: FloatArray = field(default_factory=_nothing)
    """(scenario, time, bus) largest deviation of a phase-to-phase voltage from their mean, over it (NEMA MG 1)."""
    transformer_phase_loading_percent: FloatArray = field(default_factory=_nothing)
    """(scenario, time, transformer, 3) the larger end's current of each phase."""
    transformer_phase_p_kw: FloatArray = field(default_factory=_nothing)
    """(scenario, time, transformer, 3) delivered by the low-voltage side to each of its phases."""
    transformer_phase_q_kvar: FloatArray = field(default_factory=_nothing)
    phases: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Assessment(Shown):
    """Figures of one strategy; a figure that could not be assessed is None and a note says why."""

    strategy: str
    limits: str
    summary: Mapping[str, float | None]
    """By names of `gridimpact.conventions.METRICS`."""
    violations: pd.DataFrame
    """Columns ``kind element name start end duration_h worst limit unit caused_by origin`` (origin: ev_caused,
    aggravated, preexisting)."""
    tables: Mapping[str, pd.DataFrame]
    """``buses lines transformers departures sites vehicles`` and others, one row per element."""
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class StudyResult(Shown):
    """Everything a report or an export may show."""

    name: str
    network: Network
    fleet: Fleet
    dataset: xr.Dataset
    """Variables of `gridimpact.conventions.VARIABLES` with coordinates ``strategy time segment(time) counted(time)
    period site charger vehicle session bus line transformer site_bus charger_bus``."""
    assessments: Mapping[str, Assessment]
    """By strategy label, "no_ev" and "uncontrolled" first."""
    comparison: pd.DataFrame
    """One row per strategy, columns as METRICS."""
    manifest: Mapping[str, Any]
    notes: tuple[Note, ...] = ()
