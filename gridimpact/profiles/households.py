"""Synthetic load and generation of every site of a network."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from math import gcd
from typing import Any

import numpy as np
from tqdm import tqdm

from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.profiles.appliances import home_year
from gridimpact.profiles.blocks import block_means, shape_means
from gridimpact.profiles.buildings import building_year
from gridimpact.profiles.calibration import Stretch, stretch_to_peak
from gridimpact.profiles.heat_pump import heat_pump_year
from gridimpact.profiles.household_inputs import Request, checked_request
from gridimpact.profiles.pv import Sky, irradiance, plant_of, plant_power
from gridimpact.profiles.shapes import QUARTER_S, local_years, year_shape
from gridimpact.profiles.weather import load_ambient
from gridimpact.records import Ambient, FloatArray, Network, Note, Profiles
from gridimpact.timeline import Timeline

POWER_FACTOR = 0.95
"""Power factor at which a measured apparent power is compared with modelled active power."""


@dataclass(frozen=True)
class _Loads:
    """Load and heat-pump part, (time, site) [kW]."""

    load: FloatArray
    heat_pump: FloatArray


def synthesize_households(  # noqa: PLR0913 - the planner's public arguments
    network: Network,
    timeline: Timeline,
    *,
    annual_kwh: float | Mapping[str, float] = 3500.0,
    peak_kva: float | Mapping[int, float] | None = None,
    heat_pump_share: float | Collection[str] = 0.0,
    pv_share: float | Collection[str] = 0.0,
    pv_kwp: float | Mapping[str, float] | None = None,
    ambient: Any = "germany_2016",
    seed: int = 0,
    buildings: Mapping[str, float] | None = None,
    sky: Sky | None = None,
) -> Profiles:
    """Return loads, heat pumps and PV of all sites of a network.

    Parameters
    ----------
    network : Network
        Its sites are used, and where they lie.
    timeline : Timeline
        Steps of the study; every step length shows the same draws, a week is the same alone as
        within its year.
    annual_kwh : float or mapping of site to float
        Energy of each home per calendar year without heat pump [kWh], met exactly.
    peak_kva : float or mapping of transformer index to float, optional
        Measured yearly maximum of all sites together, or of each transformer's [kVA].
    heat_pump_share, pv_share : float or collection of site ids
        Share of homes, 0..1, or which. A larger share contains a smaller one.
    pv_kwp : float or mapping of site to float, optional
        Size of each plant [kWp]; a mapping also says which sites have one, buildings among them.
        Drawn from 4 to 12 kWp if left out.
    ambient : source of `gridimpact.profiles.load_ambient`
        Outdoor temperature for heat pumps and PV.
    seed : int
        Every site's draws come from the seed and its id; another site changes none of them.
    buildings : mapping of site to float, optional
        Energy per year of sites of kind "building" [kWh]; otherwise from the network's own demand.
    sky : Sky, optional
        Place and cloudiness for PV, or the user's irradiance. Otherwise the network's coordinates,
        or the middle of Germany.

    Returns
    -------
    Profiles
        ``heat_pump_p_kw`` is part of ``load_p_kw``; ``pv_p_kw`` is never above zero; reactive power
        is left to the study. Sites of kind "public" have no load of their own.

    Raises
    ------
    InputError
        Lists every wrong or missing argument; or where energy and measured maximum contradict.

    Notes
    -----
    Homes: random events of appliances whose expected load is the dynamised BDEW H25 profile on the
    local clock. Calibration: all sites' shape is raised to a common power until the maximum of their
    total in the calendar year, at 15 minutes and a power factor of 0.95, is the measured one; each
    site's energy stays. Heat pumps count, PV and network losses do not.
    """
    request = checked_request(
        network=network,
        timeline=timeline,
        annual_kwh=annual_kwh,
        peak_kva=peak_kva,
        heat_pumps=heat_pump_share,
        pv=(pv_share, pv_kwp),
        seed=seed,
        buildings=buildings or {},
    )
    if request.peak_groups:
        loads, calibrated = _calibrated_loads(request, timeline, ambient)
    else:
        loads, calibrated = _loads(request, timeline, ambient), "uncalibrated"
    air = load_ambient(ambient, timeline)
    pv, pv_notes = _pv(request, timeline, air, sky, network)
    for array in (loads.load, loads.heat_pump, pv):
        array.flags.writeable = False
    return Profiles(
        timeline=timeline,
        site_id=request.site_id,
        load_p_kw=loads.load,
        pv_p_kw=pv,
        heat_pump_p_kw=loads.heat_pump if request.heat_pumps else None,
        source=f"synthetic households, BDEW H25 and G25 of 2025, seed {seed}",
        calibrated=calibrated,
        notes=request.notes + _load_notes(request, air) + pv_notes,
    )


def _year_temperature(ambient: Any, year: int, timeline: Timeline) -> FloatArray:
    """Return the temperature per quarter hour of a local year; hours a user's array lacks hold its ends."""
    axis = Timeline.year(year, step="15min", zone=timeline.zone)
    if isinstance(ambient, str):
        return load_ambient(ambient, axis).temp_air_c
    try:
        return load_ambient(ambient, axis).temp_air_c
    except InputError:
        known = load_ambient(ambient, timeline).temp_air_c
        wanted = (axis.times - timeline.start).astype(np.float64)
        stamps = (np.arange(timeline.count) + 0.5) * timeline.step_s
        return np.interp(wanted + QUARTER_S / 2.0, stamps, known)


def _loads(request: Request, timeline: Timeline, ambient: Any) -> _Loads:
    """Return the loads of all sites before calibration."""
    shape = (timeline.count, len(request.site_id))
    loads = _Loads(np.zeros(shape), np.zeros(shape))
    for year in local_years(timeline):
        clock = year_shape("bdew_h25", year, timeline.zone)
        warm = _year_temperature(ambient, year, timeline) if request.heat_pumps else None
        sites = tqdm(request.site_id, desc=f"homes {year}", delay=2.0, disable=None, leave=False)
        for place, site in enumerate(sites):
            if site in request.homes:
                home = home_year(site, request.homes[site], year, timeline.zone, request.seed)
                loads.load[:, place] += block_means(home.events, clock.start, timeline)
                loads.load[:, place] += shape_means(home.base_kwh, clock, timeline)
            elif site in request.buildings:
                building, energy = building_year(
                    site, request.buildings[site], year, timeline.zone, request.seed
                )
                loads.load[:, place] += shape_means(energy, building, timeline)
            if warm is not None and site in request.heat_pumps:
                _, runs = heat_pump_year(site, clock, warm, request.seed)
                loads.heat_pump[:, place] += block_means(runs, clock.start, timeline)
    loads.load[...] += loads.heat_pump
    return loads


def _calibrated_loads(request: Request, timeline: Timeline, ambient: Any) -> tuple[_Loads, str]:
    """Return loads stretched so that each group of sites reaches its measured maximum."""
    years = local_years(timeline)
    whole = Timeline.between(
        f"{years[0]}-01-01", f"{years[-1] + 1}-01-01", step="15min", zone=timeline.zone
    )
    basis = _loads(request, whole, _on_axis(ambient, timeline, whole, request))
    fine_s = gcd(timeline.step_s, QUARTER_S)
    parts = timeline.step_s // fine_s
    fine = Timeline(timeline.start, fine_s, timeline.count * parts, timeline.zone)
    same = (fine.start, fine.step_s, fine.count) == (whole.start, whole.step_s, whole.count)
    loads = basis if same else _loads(request, fine, ambient)
    shift = (fine.times - whole.start).astype(np.int64) // QUARTER_S
    texts = []
    for name, (kva, sites) in request.peak_groups.items():
        stretch = stretch_to_peak(basis.load[:, sites], kva * POWER_FACTOR)
        factor = stretch.time_factor[shift][:, np.newaxis] * stretch.site_factor
        for part in (loads.load, loads.heat_pump):
            part[:, sites] *= factor
        texts.append(_calibration_text(name, kva, stretch))
    if parts > 1:
        loads = _Loads(*(_coarser(part, parts) for part in (loads.load, loads.heat_pump)))
    free = len(request.site_id) - sum(len(sites) for _, sites in request.peak_groups.values())
    if free:
        texts.append(f"{free} sites uncalibrated")
    return loads, "; ".join(texts)


def _coarser(fine: FloatArray, parts: int) -> FloatArray:
    """Return means over groups of steps."""
    mean: FloatArray = fine.reshape(-1, parts, fine.shape[1]).mean(axis=1)
    return mean


def _on_axis(ambient: Any, timeline: Timeline, whole: Timeline, request: Request) -> Any:
    """Return the ambient source for the calibration year, or refuse one that does not reach so far."""
    if not request.heat_pumps or isinstance(ambient, str):
        return ambient
    try:
        load_ambient(ambient, whole)
    except InputError:
        if timeline.start <= whole.start and timeline.end >= whole.end:
            return Ambient("year", _resampled(load_ambient(ambient, timeline), timeline, whole))
        problem = Problem(
            "ambient",
            "covers only the timeline, but calibrating heat pumps to the yearly maximum needs a year",
            "give a packaged name, a file or a series over the whole year",
        )
        raise_problems([problem], "synthesize_households")
    return ambient


def _resampled(air: Ambient, timeline: Timeline, whole: Timeline) -> FloatArray:
    """Return a temperature of one step length on another of the same period."""
    stamps = (np.arange(timeline.count) + 0.5) * timeline.step_s
    wanted = (whole.times - timeline.start).astype(np.float64) + whole.step_s / 2.0
    return np.interp(wanted, stamps, air.temp_air_c)


def _calibration_text(name: str, kva: float, stretch: Stretch) -> str:
    """Return what the report says of a calibration."""
    before, after = stretch.peak_before_kw / POWER_FACTOR, stretch.peak_kw / POWER_FACTOR
    return (
        f"{name}: modelled yearly maximum {after:.1f} kVA against {kva:.1f} kVA measured"
        f" ({before:.1f} kVA before calibration; 15 min, power factor {POWER_FACTOR}, heat pumps"
        f" counted, PV and losses not); energies kept, shape raised to the power"
        f" {stretch.exponent:.2f}"
    )


def _pv(
    request: Request, timeline: Timeline, air: Ambient, sky: Sky | None, network: Network
) -> tuple[FloatArray, tuple[Note, ...]]:
    """Return PV power of all sites and what was assumed."""
    power = np.zeros((timeline.count, len(request.site_id)))
    if not request.plants:
        return power, ()
    place, text = _place(network, sky)
    light = irradiance(timeline, place, request.seed)
    for column, site in enumerate(request.site_id):
        if site in request.plants:
            plant = plant_of(site, request.seed, kwp=request.plants[site], latitude=place.latitude)
            power[:, column] = plant_power(plant, light, air.temp_air_c, place)
    source = (
        "clear sky times a seeded cloudiness of central Europe's monthly means"
        if place.ghi_w_m2 is None and place.clear_sky_index == Sky().clear_sky_index
        else "the irradiance or clear-sky index given"
    )
    return power, (
        Note(
            "assumption",
            "pv",
            f"{len(request.plants)} plants at {place.latitude:.2f} N {place.longitude:.2f} E ({text});"
            f" {source}; performance ratio {place.performance_ratio}; tilt 20 to 50 degrees, azimuth"
            " spread by 40 degrees",
        ),
    )


def _place(network: Network, sky: Sky | None) -> tuple[Sky, str]:
    """Return place and sky of the plants and how the place is known."""
    if sky is not None:
        return sky, "given"
    grid = network.grid
    if grid.bus_geographic:
        known = grid.bus_xy[np.isfinite(grid.bus_xy).all(axis=1)]
        if len(known):
            longitude, latitude = (float(value) for value in known.mean(axis=0))
            return replace(
                Sky(), latitude=latitude, longitude=longitude
            ), "the network's coordinates"
    return Sky(), "assumed, the network has no coordinates"


def _load_notes(request: Request, air: Ambient) -> tuple[Note, ...]:
    """Return what was assumed of the loads."""
    notes = [
        Note(
            "assumption",
            "households",
            f"{len(request.homes)} homes are synthetic; the mean of many follows BDEW H25 with its"
            " dynamisation on the local clock",
        )
    ]
    if request.buildings:
        text = f"{len(request.buildings)} buildings follow BDEW G25 with noise"
        notes.append(Note("assumption", "buildings", text))
    if request.heat_pumps:
        text = (
            f"{len(request.heat_pumps)} air-source heat pumps, heat loss 0.2 kW/K each with 25 %"
            f" spread, heating below 15 degC, temperature {air.source or air.name}"
        )
        notes.append(Note("assumption", "heat pumps", text))
    return tuple(notes)
