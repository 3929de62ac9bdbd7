"""Arguments of `synthesize_households`, checked whole."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gridimpact.errors import Problem, raise_problems
from gridimpact.profiles.buildings import full_load_hours
from gridimpact.records import IntArray, Network, Note
from gridimpact.timeline import Timeline

SMALLEST_TYPICAL_KWH = 50.0
"""A typical home under this a year is taken for one given in MWh [kWh]."""


@dataclass(frozen=True)
class Request:
    """What is to be synthesised.

    Attributes
    ----------
    site_id : tuple of str
    homes, buildings : mapping of site to float
        Energy per year [kWh].
    heat_pumps : frozenset of str
    plants : mapping of site to float or None
        Size [kWp], None is drawn.
    peak_groups : mapping
        Name to measured maximum [kVA] and the positions of the sites.
    seed : int
    notes : tuple of Note
    """

    site_id: tuple[str, ...]
    homes: Mapping[str, float]
    buildings: Mapping[str, float]
    heat_pumps: frozenset[str]
    plants: Mapping[str, float | None]
    peak_groups: Mapping[str, tuple[float, IntArray]]
    seed: int
    notes: tuple[Note, ...] = field(default=())


def lowest_draws(sites: Collection[str], share: float, what: str, seed: int) -> frozenset[str]:
    """Return the sites that own something at a share of ownership.

    Each site has a place of its own between 0 and 1; the nearest whole number of lowest ones own,
    so that a larger share contains a smaller one.
    """
    order = sorted(
        sites, key=lambda site: hashlib.sha256(f"{seed}/{what}/{site}".encode()).digest()
    )
    return frozenset(order[: round(share * len(order))])


def checked_request(
    *,
    network: Network,
    timeline: Timeline,
    annual_kwh: float | Mapping[str, float],
    peak_kva: float | Mapping[int, float] | None,
    heat_pumps: float | Collection[str],
    pv: tuple[float | Collection[str], float | Mapping[str, float] | None],
    seed: int,
    buildings: Mapping[str, float],
) -> Request:
    """Return what is to be synthesised, or raise every problem of the arguments.

    Raises
    ------
    InputError
        Unknown sites, missing or impossible energies, sizes, shares and maxima.
    """
    problems: list[Problem] = []
    notes: list[Note] = []
    site_id = tuple(str(site) for site in network.sites.index)
    kind = dict(zip(site_id, network.sites["kind"], strict=True))
    homes = [site for site in site_id if kind[site] == "home"]
    energy = _home_energy(annual_kwh, homes, problems)
    halls = _building_energy(buildings, network, timeline, problems, notes)
    owners = _owners(heat_pumps, homes, "heat_pump_share", seed, problems)
    plants = _plants(pv[0], pv[1], (site_id, homes), seed, problems)
    groups = _groups(peak_kva, network, site_id, problems)
    if seed < 0:
        problems.append(Problem("seed", f"is {seed}, must be 0 or above"))
    raise_problems(problems, "synthesize_households")
    return Request(site_id, energy, halls, owners, plants, groups, seed, tuple(notes))


def _bad(value: Any, low: float, high: float = float("inf")) -> bool:
    """Return whether a value is no finite number within a range."""
    return (
        isinstance(value, bool)
        or not isinstance(value, int | float | np.integer | np.floating)
        or not np.isfinite(value)
        or not low <= value <= high
    )


def _unknown(
    given: Collection[str], known: Collection[str], where: str, problems: list[Problem]
) -> None:
    """Note sites that do not exist or are of the wrong kind."""
    for site in sorted(set(map(str, given)) - set(known)):
        problems.append(
            Problem(f"{where}, {site}", "is not such a site of the network", "use network.sites")
        )


def _home_energy(
    annual_kwh: float | Mapping[str, float], homes: list[str], problems: list[Problem]
) -> dict[str, float]:
    """Return the energy of each home."""
    if isinstance(annual_kwh, Mapping):
        _unknown(annual_kwh, homes, "annual_kwh", problems)
        for site in homes:
            if site not in annual_kwh:
                problems.append(Problem(f"annual_kwh, {site}", "is missing", "give every home"))
        energy = {site: annual_kwh[site] for site in homes if site in annual_kwh}
    else:
        energy = dict.fromkeys(homes, annual_kwh)
    small = [value for value in energy.values() if not _bad(value, 0.0, 1e6)]
    if small and 0.0 < float(np.median(small)) < SMALLEST_TYPICAL_KWH:
        what = f"is {np.median(small):g} kWh a year for a typical home"
        problems.append(Problem("annual_kwh", what, "that looks like MWh: multiply by 1000"))
    wrong = [site for site, value in energy.items() if _bad(value, 0.0, 1e6)]
    if wrong and not isinstance(annual_kwh, Mapping):
        wrong = [""]
    for site in wrong:
        where = f"annual_kwh, {site}" if site else "annual_kwh"
        value = energy[site] if site else annual_kwh
        problems.append(
            Problem(where, f"is {value!r}, must be 0 to 1,000,000 kWh", "give kWh per year")
        )
    return {} if wrong else {site: float(value) for site, value in energy.items()}


def _building_energy(
    buildings: Mapping[str, float],
    network: Network,
    timeline: Timeline,
    problems: list[Problem],
    notes: list[Note],
) -> dict[str, float]:
    """Return the energy of each building, from the network's own demand where it is not given."""
    sites = network.sites[network.sites["kind"] == "building"]
    known = [str(site) for site in sites.index]
    _unknown(buildings, known, "buildings", problems)
    energy: dict[str, float] = {}
    hours = full_load_hours(int(timeline.local[0].year), timeline.zone) if known else 0.0
    for site, demand in zip(known, sites["load_p_kw"], strict=True):
        value = buildings.get(site)
        if value is None and demand > 0.0:
            energy[site] = float(demand) * hours
            notes.append(
                Note(
                    "assumption",
                    site,
                    f"{energy[site]:.0f} kWh a year, so that its expected maximum is the network's"
                    f" own demand of {demand:.1f} kW",
                )
            )
        elif value is None:
            problems.append(
                Problem(
                    f"buildings, {site}", "has no energy and no demand", "give its kWh per year"
                )
            )
        elif _bad(value, 0.0, 1e8):
            problems.append(Problem(f"buildings, {site}", f"is {value!r}, must be kWh per year"))
        else:
            energy[site] = float(value)
    return energy


def _owners(
    given: float | Collection[str],
    homes: list[str],
    where: str,
    seed: int,
    problems: list[Problem],
) -> frozenset[str]:
    """Return the homes that own something, by share or by name."""
    if isinstance(given, Collection) and not isinstance(given, str):
        _unknown(given, homes, where, problems)
        return frozenset(map(str, given)) & frozenset(homes)
    if isinstance(given, str) or _bad(given, 0.0, 1.0):
        remedy = "0.3 is 30 %" if not isinstance(given, str) else "give a list of site ids"
        problems.append(
            Problem(where, f"is {given!r}, must be a share of 0 to 1 or site ids", remedy)
        )
        return frozenset()
    return lowest_draws(homes, float(given), where, seed)


def _plants(
    share: float | Collection[str],
    kwp: float | Mapping[str, float] | None,
    sites: tuple[Collection[str], list[str]],
    seed: int,
    problems: list[Problem],
) -> dict[str, float | None]:
    """Return the size of each plant, None where it is drawn."""
    owners = _owners(share, sites[1], "pv_share", seed, problems)
    sizes = dict(kwp) if isinstance(kwp, Mapping) else dict.fromkeys(sorted(owners), kwp)
    if isinstance(kwp, Mapping):
        _unknown(kwp, sites[0], "pv_kwp", problems)
        sizes |= {site: None for site in owners if site not in kwp}
    elif kwp is not None and _bad(kwp, 1e-9, 1e5):
        problems.append(Problem("pv_kwp", f"is {kwp!r}, must be above 0 kWp"))
        return {}
    for site, size in sizes.items():
        if size is not None and _bad(size, 0.0, 1e5):
            problems.append(Problem(f"pv_kwp, {site}", f"is {size!r}, must be 0 kWp or above"))
    return {str(site): None if size is None else float(size) for site, size in sizes.items()}


def _groups(
    peak_kva: float | Mapping[int, float] | None,
    network: Network,
    site_id: tuple[str, ...],
    problems: list[Problem],
) -> dict[str, tuple[float, IntArray]]:
    """Return measured maxima with the sites they are of."""
    if peak_kva is None:
        return {}
    if not isinstance(peak_kva, Mapping):
        if _bad(peak_kva, 1e-6):
            problems.append(Problem("peak_kva", f"is {peak_kva!r}, must be above 0 kVA"))
            return {}
        return {"all sites": (float(peak_kva), np.arange(len(site_id), dtype=np.int64))}
    grid = network.grid
    place = {int(bus): position for position, bus in enumerate(grid.bus_index)}
    buses = [place[int(bus)] for bus in network.sites["bus"]]
    supply = grid.bus_transformer[np.array(buses, dtype=np.int64)]
    groups: dict[str, tuple[float, IntArray]] = {}
    for index, kva in peak_kva.items():
        found = np.flatnonzero(grid.transformer_index == index)
        members = np.flatnonzero(supply == found[0]) if len(found) else np.zeros(0, dtype=np.int64)
        if not len(members):
            problems.append(
                Problem(f"peak_kva, transformer {index}", "is unknown or supplies no site")
            )
        elif _bad(kva, 1e-6):
            problems.append(Problem(f"peak_kva, transformer {index}", f"is {kva!r}, must be kVA"))
        else:
            name = network.grid.transformer_name[int(found[0])] or "transformer"
            groups[f"{name} ({index})"] = (float(kva), members)
    return groups
