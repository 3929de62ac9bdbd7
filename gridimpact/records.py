"""The frozen records that pass between rooms; they hold data and no logic.

Axis order is ``(scenario, time, element[, phase])``. Power is in kW at the meter: positive draws
from the grid, negative feeds back; limits are magnitudes. Arrays are not to be written to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.timeline import Timeline

if TYPE_CHECKING:
    import xarray as xr

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
ComplexArray = NDArray[np.complex128]


class Shown:
    """A record that a notebook shows as a card; the package's front door says how."""

    card: ClassVar[Callable[[Any], str] | None] = None

    def _repr_html_(self) -> str | None:
        """Return the card, None where nobody said how to draw one."""
        return None if Shown.card is None else Shown.card(self)


@dataclass(frozen=True, slots=True)
class Note:
    """Something the reader of a result must know.

    Attributes
    ----------
    kind : str
        ``"assumption"``, ``"dropped"``, ``"warning"`` or ``"info"``.
    where : str
        Table, element or setting it speaks of.
    text : str
        One sentence.
    """

    kind: str
    where: str
    text: str


@dataclass(frozen=True)
class Admittance:
    """Pi-model of a network on its nodes, per unit on `s_base_kva`.

    Nodes are buses with closed bus-bus switches fused. Branches are lines, transformers,
    three-winding windings and impedances, each a two-port ``[i_f, i_t] = [[y_ff, y_ft], [y_tf, y_tt]] [v_f, v_t]``.
    """

    s_base_kva: float
    node_vn_kv: FloatArray
    """(node,) nominal voltage [kV]."""
    y_bus: Any
    """(node, node) scipy.sparse CSC, complex; shunts and constant branch admittances included."""
    slack_node: IntArray
    """(slack,)"""
    slack_vm_pu: ComplexArray
    """(slack,) complex set-point."""
    supplied: BoolArray
    """(node,) connected to a slack."""
    branch_from: IntArray
    branch_to: IntArray
    y_ff: ComplexArray
    y_ft: ComplexArray
    y_tf: ComplexArray
    y_tt: ComplexArray
    fixed_s_kva: ComplexArray | None = None
    """(node,) constant power of motors and wards, drawn by the network itself [kVA]; None for none."""


@dataclass(frozen=True)
class Grid:
    """Immutable extract of a network: what assessment, placement and power flow need.

    ``*_from``, ``*_to``, ``*_hv``, ``*_lv`` are positions in the bus axis; ``*_index`` are the
    user's pandapower indices, kept as coordinates.
    """

    bus_index: IntArray
    bus_name: tuple[str, ...]
    bus_vn_kv: FloatArray
    bus_xy: FloatArray
    """(bus, 2) longitude and latitude, or metres of a layout of our own."""
    bus_geographic: bool
    bus_node: IntArray
    """(bus,) node of `admittance`, -1 where out of service."""
    bus_supplied: BoolArray
    bus_distance_m: FloatArray
    """(bus,) metres of line from the low-voltage busbar of the supplying transformer; NaN unsupplied."""
    bus_feeder: IntArray
    """(bus,) number of the feeder (outgoing line of a busbar), 0 for busbars and upstream, -1 unsupplied."""
    bus_transformer: IntArray
    """(bus,) position of the supplying transformer, -1 where there is none."""
    bus_phases: BoolArray
    """(bus, 3)"""
    line_index: IntArray
    line_name: tuple[str, ...]
    line_from: IntArray
    line_to: IntArray
    line_length_m: FloatArray
    line_i_max_ka: FloatArray
    """(line,) ampacity with parallels and derating [kA]; NaN unrated."""
    line_branch: IntArray
    """(line,) branch of `admittance`, -1 where out of service."""
    transformer_index: IntArray
    transformer_name: tuple[str, ...]
    transformer_hv: IntArray
    transformer_lv: IntArray
    transformer_sn_kva: FloatArray
    """(transformer,) rating with parallels [kVA]."""
    transformer_i_rated_ka: FloatArray
    """(transformer, 2) rated current of the high- and low-voltage side [kA]."""
    transformer_loss_ratio: FloatArray
    """(transformer,) load loss over no-load loss at rating; NaN where the data hold no iron loss."""
    transformer_branch: IntArray
    admittance: Admittance
    line_z_abc_ohm: ComplexArray | None = None
    """(line, 3, 3) series impedance where given."""


@dataclass(frozen=True)
class Network(Shown):
    """A network opened for study.

    ``sites`` has one row per meter, indexed by ``site_id`` (str), with columns ``bus`` (pandapower
    index), ``phases`` ("abc", "a", "b", "c"), ``kind`` ("home", "building", "public"), ``fuse_a``
    [A per phase], ``load_p_kw`` and ``load_q_kvar`` (the network's own demand), ``z_p z_i q_z q_i``
    (constant-impedance and constant-current shares of P and Q, 0..1), ``name``.
    """

    name: str
    source: str
    licence: str
    net: Any
    """Own cleaned copy of the pandapower net; never written to."""
    grid: Grid
    sites: pd.DataFrame
    notes: tuple[Note, ...] = ()
    profiles: Profiles | None = None
    """Profiles that came with the network, if any."""


@dataclass(frozen=True)
class Profiles(Shown):
    """Load and generation of every site on one timeline.

    ``load_p_kw`` holds everything but cars; ``heat_pump_p_kw`` is a part of it, kept for reports.
    """

    timeline: Timeline
    site_id: tuple[str, ...]
    load_p_kw: FloatArray
    """(time, site)"""
    pv_p_kw: FloatArray
    """(time, site), never above zero."""
    load_q_kvar: FloatArray | None = None
    """(time, site); None asks for the network's own Q/P or the default power factor."""
    heat_pump_p_kw: FloatArray | None = None
    source: str = ""
    calibrated: str = "uncalibrated"
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Tariff:
    """What a meter pays, on the timeline of the study."""

    name: str
    import_price: FloatArray
    """(time,) [currency/kWh]"""
    export_price: FloatArray
    """(time,) [currency/kWh] paid for export."""
    demand_charge_per_kw_month: float = 0.0
    subscribed_kw: float | None = None
    subscribed_per_kw_month: float = 0.0
    excess_per_kw_month: float = 0.0
    """Penalty on the month's highest draw above `subscribed_kw`."""
    currency: str = "EUR"
    source: str = ""


@dataclass(frozen=True)
class Ambient:
    """Outdoor air temperature on the timeline of the study."""

    name: str
    temp_air_c: FloatArray
    source: str = ""


@dataclass(frozen=True)
class Fleet(Shown):
    """Vehicles, chargers and sessions.

    ``vehicles`` (index ``vehicle_id``): ``model capacity_kwh p_charge_max_kw p_discharge_max_kw phases
    eta_charge eta_discharge soc_min soc_max soc_knee taper_fraction soc_target soc_reserve
    kwh_per_km wear_eur_per_kwh``.
    ``chargers`` (index ``charger_id``): ``site_id`` ("" until placed) ``p_max_kw p_discharge_max_kw
    s_max_kva phases`` ("abc", "a", "b", "c") ``bidirectional kind`` ("home", "work", "fleet", "public").
    ``sessions`` (index ``session_id``): ``vehicle_id charger_id plug_in plug_out`` (naive UTC)
    ``trip_kwh`` (battery energy driven since the previous departure) ``soc_arrival`` (NaN where it
    follows from the previous stay) ``soc_target``.
    ``rejected``: the source's rows that were refused, with ``row`` and ``reason``.
    """

    vehicles: pd.DataFrame
    chargers: pd.DataFrame
    sessions: pd.DataFrame
    rejected: pd.DataFrame
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True)
class Batteries:
    """What limits each vehicle's battery, arrays over (vehicle,)."""

    capacity_kwh: FloatArray
    eta_charge: FloatArray
    """Battery energy gained per energy drawn at the meter, 0..1."""
    eta_discharge: FloatArray
    """Energy delivered at the meter per battery energy lost, 0..1."""
    soc_min: FloatArray
    soc_max: FloatArray
    soc_knee: FloatArray
    """Charging power is constant up to this state of charge, then falls linearly."""
    taper_fraction: FloatArray
    """Share of the full charging power left at state of charge 1."""
    wear_per_kwh: FloatArray
    """Cost of one kWh taken from the battery [currency/kWh]."""


@dataclass(frozen=True)
class Stays:
    """Plugged-in windows in whole steps, sorted by vehicle and start; arrays over (stay,)."""

    session_id: tuple[str, ...]
    vehicle: IntArray
    charger: IntArray
    site: IntArray
    start: IntArray
    """First step plugged in."""
    end: IntArray
    """First step no longer plugged in; equals the number of steps where cut."""
    trip_kwh: FloatArray
    """Battery energy driven since the previous departure, booked before the first step."""
    soc_arrival: FloatArray
    """Given state of charge at arrival; NaN follows from the previous stay."""
    soc_target: FloatArray
    soc_reserve: FloatArray
    """No discharge below this."""
    p_charge_kw: FloatArray
    """Highest draw at the meter: the smaller of vehicle and charger."""
    p_discharge_kw: FloatArray
    """Highest feed at the meter, 0 where not bidirectional."""
    cut: BoolArray
    """The stay goes on beyond the last step."""


@dataclass(frozen=True)
class PlanRequest:
    """All that a strategy may know; made from the study, without a power flow."""

    timeline: Timeline
    vehicle_id: tuple[str, ...]
    batteries: Batteries
    soc_initial: FloatArray
    """(vehicle,) before the first step."""
    stays: Stays
    charger_id: tuple[str, ...]
    charger_site: IntArray
    site_id: tuple[str, ...]
    site_kind: tuple[str, ...]
    site_load_kw: FloatArray
    """(time, site)"""
    site_pv_kw: FloatArray
    """(time, site), never above zero."""
    site_import_limit_kw: FloatArray
    """(site,) main fuse; inf where unknown."""
    site_export_limit_kw: FloatArray
    tariffs: tuple[Tariff, ...]
    site_tariff: IntArray
    """(site,) position in `tariffs`."""
    group_id: tuple[str, ...]
    group_member: BoolArray
    """(group, charger)"""
    background_kw: FloatArray
    """(time, group) demand without cars, losses estimated in."""
    import_limit_kw: FloatArray
    """(time, group)"""
    export_limit_kw: FloatArray
    """(time, group)"""
    seed: int = 0


@dataclass(frozen=True)
class Dispatch(Shown):
    """What a strategy asked for and what the batteries could do, on one timeline.

    The stays are those of the request; `p_kw` follows from `p_requested_kw` by battery and charger limits.
    """

    strategy: str
    p_requested_kw: FloatArray
    """(time, vehicle)"""
    p_kw: FloatArray
    """(time, vehicle) at the meter."""
    soc: FloatArray
    """(time, vehicle) at the end of the step; while away, the value at departure."""
    soc_initial: FloatArray
    unmet_kwh: FloatArray
    """(stay,) battery energy missing to the target at departure."""
    unmet_cause: tuple[str, ...]
    """(stay,) "" or one of "too_short", "too_little_power", "limit", "soc_floor"."""
    away_kwh: FloatArray
    """(stay,) battery energy charged elsewhere because the trip needed more than the battery held."""
    controlled: BoolArray
    """(vehicle,)"""
    q_kvar: FloatArray | None = None
    notes: tuple[Note, ...] = ()


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


@dataclass(frozen=True)
class FlowResult(Shown):
    """What a power flow found; NaN where a lane failed."""

    engine: str
    vm_pu: FloatArray
    """(scenario, time, bus)"""
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
