"""What each strategy may know of one segment: stays in whole steps, needs, sites, prices, group limits."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.fleet.battery_columns import OPTIONAL_VEHICLE_COLUMNS
from gridimpact.records import (
    Batteries,
    BoolArray,
    FloatArray,
    IntArray,
    PlanRequest,
    Stays,
    Tariff,
)
from gridimpact.study.cold import cold_stays
from gridimpact.study.demand import site_reactive_kvar
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec

VOLTAGE_PHASE_KV = 0.230
LOSS_SHARE = 0.03
"""Network losses estimated as a share of the power drawn, where a group limit needs them."""


def build_requests(spec: StudySpec, segment: Segment) -> PlanRequest:
    """Return the plan request of one segment; no power flow is involved.

    Parameters
    ----------
    spec : StudySpec
        The study.
    segment : Segment
        Steps to plan.

    Returns
    -------
    PlanRequest
        Stays in whole steps (a session boundary moves to the nearest step). A stay that goes on
        beyond the segment has the target uncontrolled charging reaches by then, so that every
        strategy ends at the same state of charge or above.
    """
    sites = spec.network.sites
    site_id = tuple(str(s) for s in sites.index)
    chargers, vehicles = spec.fleet.chargers, spec.fleet.vehicles
    charger_site = site_of_chargers(spec)
    stays, soc_initial = stays_of(spec, segment, charger_site)
    batteries = batteries_of(vehicles)
    if spec.cold_batteries and spec.ambient is not None:
        stays = cold_stays(stays, batteries, spec.ambient.temp_air_c[segment.steps])
    load, pv, reactive = site_power(spec, segment)
    fuse = fuse_limit_kw(sites)
    tariffs, site_tariff = tariffs_of(spec, segment)
    group_id, member, background, import_kw, export_kw = groups_of(
        spec, charger_site, load + pv, reactive
    )
    request = PlanRequest(
        timeline=segment.timeline,
        vehicle_id=tuple(str(v) for v in vehicles.index),
        batteries=batteries,
        soc_initial=soc_initial,
        stays=stays,
        charger_id=tuple(str(c) for c in chargers.index),
        charger_site=charger_site,
        charger_s_kva=chargers["s_max_kva"].to_numpy(dtype=np.float64),
        charger_kind=tuple(str(kind) for kind in chargers["kind"]),
        site_id=site_id,
        site_kind=tuple(str(k) for k in sites["kind"]),
        site_load_kw=load,
        site_pv_kw=pv,
        site_import_limit_kw=fuse,
        site_export_limit_kw=fuse,
        tariffs=tariffs,
        site_tariff=site_tariff,
        group_id=group_id,
        group_member=member,
        background_kw=background,
        import_limit_kw=import_kw,
        export_limit_kw=export_kw,
        seed=spec.seed,
    )
    return with_targets_of_cut_stays(request)


def site_of_chargers(spec: StudySpec) -> IntArray:
    """Return the position of each charger's site, (charger,), -1 where it has none."""
    names = pd.Index([str(s) for s in spec.network.sites.index])
    wanted = pd.Index(spec.fleet.chargers["site_id"].astype(str))
    return np.asarray(names.get_indexer(wanted), dtype=np.int64)


def batteries_of(vehicles: pd.DataFrame) -> Batteries:
    """Return the battery arrays of a vehicle table; columns it leaves out change nothing."""
    names = {
        "capacity_kwh": "capacity_kwh",
        "eta_charge": "eta_charge",
        "eta_discharge": "eta_discharge",
        "soc_min": "soc_min",
        "soc_max": "soc_max",
        "soc_knee": "soc_knee",
        "taper_fraction": "taper_fraction",
        "wear_per_kwh": "wear_eur_per_kwh",
    }
    names |= {name: name for name in OPTIONAL_VEHICLE_COLUMNS if name in vehicles.columns}
    return Batteries(**{k: vehicles[v].to_numpy(dtype=np.float64) for k, v in names.items()})


def site_power(spec: StudySpec, segment: Segment) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return load [kW], PV [kW, not above zero] and reactive load [kvar] of the segment, (time, site)."""
    steps = segment.steps
    return (
        spec.profiles.load_p_kw[steps],
        spec.profiles.pv_p_kw[steps],
        site_reactive_kvar(spec, steps),
    )


def fuse_limit_kw(sites: pd.DataFrame) -> FloatArray:
    """Return the main-fuse limit of each site [kW], from amperes per phase and number of phases."""
    phases = sites["phases"].astype(str).str.len().to_numpy(dtype=np.float64)
    amperes = sites["fuse_a"].to_numpy(dtype=np.float64)
    return np.where(np.isnan(amperes), np.inf, amperes * phases * VOLTAGE_PHASE_KV)


def tariffs_of(spec: StudySpec, segment: Segment) -> tuple[tuple[Tariff, ...], IntArray]:
    """Return the tariffs cut to the segment and the position of each site's tariff."""
    steps, count = segment.steps, segment.timeline.count
    kinds = [str(kind) for kind in spec.network.sites["kind"]]
    free = Tariff("none", np.zeros(count), np.zeros(count), source="money is not studied")
    found: list[Tariff] = []
    place: dict[str, int] = {}
    for kind in sorted(set(kinds)):
        tariff = spec.tariff_of(kind)
        cut = free
        if tariff is not None:
            cut = dataclasses.replace(
                tariff,
                import_price=tariff.import_price[steps],
                export_price=tariff.export_price[steps],
            )
        place[kind] = len(found)
        found.append(cut)
    return tuple(found), np.array([place[kind] for kind in kinds], dtype=np.int64)


def stays_of(spec: StudySpec, segment: Segment, charger_site: IntArray) -> tuple[Stays, FloatArray]:
    """Return the stays of a segment in whole steps and each vehicle's first state of charge.

    A stay under half a step vanishes and its trip is driven before the next one. A car plugged in
    before the segment starts with what it arrived with; one that is away starts at its target.
    """
    fleet, time = spec.fleet, segment.timeline
    vehicles, chargers = fleet.vehicles, fleet.chargers
    table = fleet.sessions.sort_values(["vehicle_id", "plug_in"], kind="stable")
    vehicle = vehicles.index.get_indexer(pd.Index(table["vehicle_id"])).astype(np.int64)
    charger = chargers.index.get_indexer(pd.Index(table["charger_id"])).astype(np.int64)
    raw_start = time.step_of(table["plug_in"].to_numpy())
    raw_end = time.step_of(table["plug_out"].to_numpy())
    inside = (raw_end > 0) & (raw_start < time.count)
    order = np.lexsort((raw_start, vehicle))
    order = order[inside[order]]
    trip, arrival = _number(table, "trip_kwh"), _number(table, "soc_arrival")
    target = np.clip(
        _number(table, "soc_target"), None, vehicles["soc_max"].to_numpy(dtype=float)[vehicle]
    )
    soc = vehicles["soc_target"].to_numpy(dtype=np.float64).copy()
    kept: list[tuple[int, int, int, float]] = []
    carried = dict.fromkeys(range(len(vehicles)), 0.0)
    free_from = np.zeros(len(vehicles), dtype=np.int64)
    seen = np.zeros(len(vehicles), dtype=np.bool_)
    capacity = vehicles["capacity_kwh"].to_numpy(dtype=np.float64)
    for row in order:
        car = int(vehicle[row])
        start, end = (
            max(int(raw_start[row]), int(free_from[car])),
            min(int(raw_end[row]), time.count),
        )
        driven = float(trip[row]) + carried[car]
        if not seen[car]:
            seen[car] = True
            if raw_start[row] < 0:
                given = float(arrival[row])
                soc[car] = soc[car] - driven / capacity[car] if np.isnan(given) else given
                driven, arrival[row] = 0.0, np.nan
        if end <= start:
            carried[car] = driven
            continue
        carried[car] = 0.0
        free_from[car] = end
        kept.append((int(row), start, end, driven))
    rows = np.array([k[0] for k in kept], dtype=np.int64)
    limits = _power_limits(vehicles, chargers, vehicle[rows], charger[rows])
    soc_min = vehicles["soc_min"].to_numpy(dtype=np.float64)
    stays = Stays(
        session_id=tuple(str(s) for s in table.index[rows]),
        vehicle=vehicle[rows],
        charger=charger[rows],
        site=charger_site[charger[rows]],
        start=np.array([k[1] for k in kept], dtype=np.int64),
        end=np.array([k[2] for k in kept], dtype=np.int64),
        trip_kwh=np.array([k[3] for k in kept], dtype=np.float64),
        soc_arrival=arrival[rows],
        soc_target=target[rows],
        soc_reserve=vehicles["soc_reserve"].to_numpy(dtype=np.float64)[vehicle[rows]],
        p_charge_kw=limits[0],
        p_discharge_kw=limits[1],
        cut=raw_end[rows] > time.count,
    )
    return stays, np.clip(soc, soc_min, None)


def with_targets_of_cut_stays(request: PlanRequest) -> PlanRequest:
    """Return the request with the target of each cut stay set to where uncontrolled charging ends."""
    stays = request.stays
    if not stays.cut.any():
        return request
    reached = uncontrolled_dispatch(request).soc[-1, stays.vehicle]
    target = np.where(stays.cut, np.minimum(stays.soc_target, reached), stays.soc_target)
    return dataclasses.replace(request, stays=dataclasses.replace(stays, soc_target=target))


def groups_of(
    spec: StudySpec, charger_site: IntArray, net_load_kw: FloatArray, reactive_kvar: FloatArray
) -> tuple[tuple[str, ...], BoolArray, FloatArray, FloatArray, FloatArray]:
    """Return groups by supplying transformer: names, membership, background and limits [kW].

    The import limit is the active power at which the transformer reaches its rating, given the
    background's reactive power, the chargers' power factor and estimated losses.
    """
    grid, sites = spec.network.grid, spec.network.sites
    bus = pd.Index(grid.bus_index).get_indexer(pd.Index(sites["bus"]))
    transformer = grid.bus_transformer[bus]
    numbers = sorted(set(transformer.tolist()))
    # Loading goes by current: at 0.97 pu a transformer carries 0.97 of its rated power.
    volts = float(np.abs(grid.admittance.slack_vm_pu).min())
    background = np.empty((len(net_load_kw), len(numbers)))
    reactive = np.empty_like(background)
    rating = np.empty(len(numbers))
    names = []
    for position, number in enumerate(numbers):
        inside = transformer == number
        power = net_load_kw[:, inside].sum(axis=1)
        background[:, position] = power + LOSS_SHARE * np.abs(power)
        reactive[:, position] = reactive_kvar[:, inside].sum(axis=1)
        rating[position] = grid.transformer_sn_kva[number] * volts if number >= 0 else np.inf
        names.append(grid.transformer_name[number] if number >= 0 else "network")
    member = transformer[charger_site][None, :] == np.array(numbers)[:, None]
    import_kw = _active_limit(background, reactive, rating, spec.charger_power_factor)
    with np.errstate(invalid="ignore"):
        export_kw = np.sqrt(np.maximum(np.square(rating) - np.square(reactive), 0.0))
    return tuple(names), member, background, import_kw, export_kw


def _active_limit(
    background: FloatArray, reactive: FloatArray, rating: FloatArray, power_factor: float
) -> FloatArray:
    """Return B + E, where E of chargers brings (B + (1 + loss) E)^2 + (Q + t E)^2 to the rating squared."""
    tangent, growth = np.tan(np.arccos(power_factor)), 1.0 + LOSS_SHARE
    finite = np.where(np.isfinite(rating), rating, 1.0)
    a = growth**2 + tangent**2
    b = growth * background + tangent * reactive
    c = background**2 + reactive**2 - finite**2
    room = (-b + np.sqrt(np.maximum(b**2 - a * c, 0.0))) / a
    limit = background + np.where(c < 0.0, room, 0.0)
    over = np.sqrt(np.maximum(finite**2 - reactive**2, 0.0))
    limit = np.where(c < 0.0, limit, np.minimum(background, over))
    return np.where(np.isfinite(rating), limit, np.inf)


def _power_limits(
    vehicles: pd.DataFrame, chargers: pd.DataFrame, vehicle: IntArray, charger: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return charging and discharging limits of pairs [kW]: common phases, the smaller of both."""
    have = vehicles["phases"].to_numpy(dtype=np.float64)[vehicle]
    offered = chargers["phases"].astype(str).str.len().to_numpy(dtype=np.float64)[charger]
    share = np.minimum(have, offered) / offered
    can_feed = chargers["bidirectional"].to_numpy(dtype=np.bool_)[charger]
    draw = np.minimum(
        _column(vehicles, "p_charge_max_kw")[vehicle],
        share * _column(chargers, "p_max_kw")[charger],
    )
    feed = np.minimum(
        _column(vehicles, "p_discharge_max_kw")[vehicle],
        share * _column(chargers, "p_discharge_max_kw")[charger],
    )
    return draw, np.where(can_feed, feed, 0.0)


def _column(table: pd.DataFrame, name: str) -> FloatArray:
    return table[name].to_numpy(dtype=np.float64)


def _number(table: pd.DataFrame, name: str) -> FloatArray:
    return table[name].to_numpy(dtype=np.float64).copy()
