"""Backup: how long the cars at a home or building carry it through an outage, from every moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gridimpact.dispatch.execute import battery_arrays, stay_arrays
from gridimpact.dispatch.kernels import BatteryArrays, StayArrays
from gridimpact.dispatch.services.backup_kernels import (
    Islands,
    Moment,
    Outcome,
    Span,
    arrivals,
    carry,
    every_start,
)
from gridimpact.dispatch.services.backup_records import Backup, Island, Outage
from gridimpact.errors import InputError
from gridimpact.records import Dispatch, FloatArray, PlanRequest


def backup(
    request: PlanRequest,
    dispatch: Dispatch,
    island: Island | None = None,
    *,
    site_kinds: Iterable[str] | None = None,
) -> Backup:
    """Follow an outage from every step of a plan at every site with a car that can feed.

    Parameters
    ----------
    request : PlanRequest
        Stays, batteries, load and generation.
    dispatch : Dispatch
        Plan of any strategy for it: gives the state of charge of the moment.
    island : Island, optional
        What the site does; defaults unless given.
    site_kinds : iterable of str, optional
        Only sites of these kinds ("home", "building", "public").

    Returns
    -------
    Backup
        Hours carried and energy served, (start, site), with quantiles by site and overall.

    Raises
    ------
    InputError
        If the dispatch is not one of this request.

    Notes
    -----
    In each step the sun serves first; the cars share the rest by the energy above their reserve, within
    each charger's and the site's power, so that they empty together. A car at its reserve still forms the
    island, so the sun serves while one is plugged in; without a car the site is dark. Cars that arrive
    during the outage do not help: what they hold depends on it. Load and generation are known to none: the
    outage takes them as they are in the plan. After the last step its last day is repeated, and a stay cut
    by the end goes on.

    ``hours = (soc - reserve) capacity eta_discharge / load`` for one car under a constant load that its
    inverter can carry.
    """
    island = Island() if island is None else island
    scene = _scene(request, dispatch, island, site_kinds)
    shape = (request.timeline.count, len(scene.site_id))
    flows: list[FloatArray] = [np.zeros(shape) for _ in range(5)]
    out = Outcome(flows[0], flows[1], flows[2], flows[3], flows[4], np.zeros(shape, dtype=np.int64))
    every_start(scene.islands, scene.moment, scene.span, scene.stays, scene.batteries, out)
    return Backup(
        request.timeline, scene.site_id, *out, longest_h=scene.span.steps * scene.span.dt_h
    )


def outage(
    request: PlanRequest,
    dispatch: Dispatch,
    start: str | np.datetime64,
    hours: float,
    island: Island | None = None,
) -> Outage:
    """Return what is served and what not through one outage, step by step.

    Parameters
    ----------
    request, dispatch, island
        As in `backup`; `longest_h` of the island does not count here.
    start : str or datetime64
        Begin of the outage, naive UTC; the step that holds it is the first one dark.
    hours : float
        Length [h], up to the end of the timeline.

    Raises
    ------
    InputError
        If the outage does not lie inside the timeline.
    """
    time = request.timeline
    moment = np.datetime64(start).astype("datetime64[s]")
    first = int((moment - time.start).astype(np.int64) // time.step_s)
    count = round(hours / time.dt_h)
    if not (0 <= first < time.count and 1 <= count <= time.count - first):
        message = (
            f"an outage of {hours:g} h from {moment} does not lie inside {time.start} to {time.end}; "
            f"give a start in it and at least {time.dt_h:g} h"
        )
        raise InputError(message)
    island = Island() if island is None else island
    scene = _scene(request, dispatch, island, None)
    span = scene.span._replace(steps=count)
    sites = len(scene.site_id)
    lines, carried = np.zeros((sites, 3, count)), np.zeros((sites, 2))
    for site in range(sites):
        full, hours_any, _ = carry(
            first,
            site,
            scene.islands,
            scene.moment,
            span,
            scene.stays,
            scene.batteries,
            lines[site],
        )
        carried[site] = full, hours_any
    return Outage(
        time.part(first, count),
        scene.site_id,
        load_kw=lines[:, 0].T,
        served_kw=lines[:, 1].T,
        car_kw=lines[:, 2].T,
        hours_full=carried[:, 0],
        hours=carried[:, 1],
    )


@dataclass(frozen=True)
class _Scene:
    """A plan as the kernels take it."""

    site_id: tuple[str, ...]
    islands: Islands
    moment: Moment
    span: Span
    stays: StayArrays
    batteries: BatteryArrays


def _scene(
    request: PlanRequest, dispatch: Dispatch, island: Island, kinds: Iterable[str] | None
) -> _Scene:
    """Return the sites with cars that can feed, and what stands there at every moment."""
    time, stays, held = request.timeline, request.stays, request.batteries
    shape = (time.count, len(request.vehicle_id))
    if dispatch.soc.shape != shape or dispatch.unmet_kwh.shape != stays.vehicle.shape:
        message = (
            f"the dispatch has {dispatch.soc.shape} steps and vehicles and {dispatch.unmet_kwh.size} "
            f"stays, the request {shape} and {stays.vehicle.size}; give the dispatch of this request"
        )
        raise InputError(message)
    allowed = np.ones(len(request.site_id), dtype=np.bool_)
    if kinds is not None:
        allowed = np.isin(np.asarray(request.site_kind), list(kinds))
    can = np.flatnonzero((stays.p_discharge_kw > 0.0) & allowed[stays.site])
    sites, place = np.unique(stays.site[can], return_inverse=True)
    count = np.bincount(place, minlength=sites.size).astype(np.int64)
    reserve = stays.soc_reserve if island.reserve_soc is None else island.reserve_soc
    own = stay_arrays(request)._replace(
        soc_reserve=np.maximum(reserve, held.soc_min[stays.vehicle]).astype(np.float64)
    )
    batteries = battery_arrays(request)
    soc = np.ascontiguousarray(dispatch.soc, dtype=np.float64)
    first_soc = np.array(dispatch.soc_initial, dtype=np.float64)
    islands = Islands(
        _rows(critical_kw(request, island)[:, sites]),
        _rows(np.maximum(-request.site_pv_kw[:, sites], 0.0)),
        np.full(sites.size, np.inf if island.inverter_kw is None else island.inverter_kw),
        np.concatenate([[0], np.cumsum(count)])[:-1].astype(np.int64),
        count,
        can[np.argsort(place, kind="stable")].astype(np.int64),
    )
    moment = Moment(soc, arrivals(first_soc, soc, own, batteries), np.array(stays.cut, np.bool_))
    steps = max(round(island.longest_h / time.dt_h), 1)
    day = min(time.steps_per_day, time.count)
    span = Span(steps, day, time.dt_h, island.sun_charges, island.leave)
    names = tuple(request.site_id[k] for k in sites)
    return _Scene(names, islands, moment, span, own, batteries)


def critical_kw(request: PlanRequest, island: Island) -> FloatArray:
    """Return the critical load of every site [kW], (time, site)."""
    load = island.critical_share * np.maximum(request.site_load_kw, 0.0)
    return np.asarray(load if island.critical_kw is None else np.minimum(load, island.critical_kw))


def _rows(values: FloatArray) -> FloatArray:
    """Return (time, site) as (site, time)."""
    return np.ascontiguousarray(values.T, dtype=np.float64)
