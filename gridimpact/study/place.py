"""Which charger stands at which customer: by mapping, by file, by kind of site, or drawn by seed."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gridimpact.errors import InputError, Problem, raise_problems
from gridimpact.fleet.seeding import content_number
from gridimpact.records import Fleet, Network, Note
from gridimpact.study.phase_allocation import allocate_phases

_SITE_KIND = {"home": "home", "fleet": "building", "work": "building", "public": "public"}

At = Mapping[str, str] | str | Path | None


def place(
    fleet: Fleet,
    network: Network,
    *,
    at: At = None,
    cars_per_home: float | None = None,
    phases: str = "allocate",
    seed: int = 0,
) -> Fleet:
    """Return the fleet with every charger at a site.

    Parameters
    ----------
    fleet : Fleet
        Chargers with an empty ``site_id`` are placed; placed ones stay unless `at` names them.
    network : Network
        Opened network; its ``sites`` are the customers.
    at : Mapping, str, Path or None
        Charger to site; a CSV with ``charger_id`` and ``site_id`` or ``bus``; a site; a kind of site
        (``"home" "building" "public"``); or None: private cars at homes, municipal and employees' cars at
        the building with the largest own demand, public chargers at public sites.
    cars_per_home : float or None
        Chargers per home allowed on average, needed where there are more chargers than homes.
    phases : str
        For single-phase charging: ``"allocate"`` draws a phase by charger and seed, ``"rotate"`` gives the
        sites, in the order of the network's table, their phases in turn, ``"a" "b" "c"`` puts all there,
        ``"keep"`` leaves what the fleet says.
    seed : int
        Seed of the draw.

    Returns
    -------
    Fleet
        Own copy; ``site_id`` filled, ``phases`` within the site's, notes added.

    Raises
    ------
    InputError
        If a charger finds no site, a site or charger is unknown (the nearest is offered), there are more
        chargers than homes, or a phase is not at the site.

    Notes
    -----
    Homes are put in an order by a hash of seed and site, and charger k takes home k: more cars leave the
    earlier ones where they are. Further rounds, where allowed, go through the homes again.
    A charger whose cars all charge on one phase counts as single-phase.
    """
    chargers = fleet.chargers.copy()
    notes: list[Note] = []
    sites = network.sites
    chosen = _chosen(chargers, sites, at, (cars_per_home, seed), notes)
    chargers["site_id"] = chosen.reindex(chargers.index)
    one_phase = _single_phase_cars(chargers, fleet)
    chargers = allocate_phases(chargers, one_phase, sites, (phases, seed), notes)
    return dataclasses.replace(fleet, chargers=chargers, notes=(*fleet.notes, *notes))


def _chosen(
    chargers: pd.DataFrame,
    sites: pd.DataFrame,
    at: At,
    rule: tuple[float | None, int],
    notes: list[Note],
) -> pd.Series[str]:
    """Return the site of each charger."""
    names = pd.Index(sites.index.astype(str))
    current = chargers["site_id"].astype(str)
    free = current.index[(current == "").to_numpy()]
    if isinstance(at, (str, Path)):
        text = str(at)
        if text in set(sites["kind"]):
            wanted = pd.Series(text, index=free)
            return current.where(current != "", _by_kind(chargers, sites, wanted, rule, notes))
        if text in names:
            return current.where(current != "", text)
        at = _from_csv(Path(at), sites, notes)
    if at is None:
        _known(current[current != ""], names, "chargers, site_id")
        wanted = chargers.loc[free, "kind"].map(_SITE_KIND)
        return current.where(current != "", _by_kind(chargers, sites, wanted, rule, notes))
    mapping = pd.Series({str(k): str(v) for k, v in at.items()}, dtype=object)
    problems = _unknown(list(mapping.index), chargers.index, "place, charger")
    problems += _unknown(sorted(set(mapping)), names, "place, site")
    placed = current.copy()
    common = mapping.index.intersection(placed.index)
    placed[common] = mapping[common]
    missing = placed.index[(placed == "").to_numpy()]
    if len(missing):
        what = f"{len(missing)} chargers have no site, first {missing[0]!r}"
        problems.append(Problem("place", what, "name their sites too"))
    raise_problems(problems, "place")
    _known(placed, names, "chargers, site_id")
    return placed


def _unknown(asked: list[str], known: pd.Index[str], where: str) -> list[Problem]:
    """Return a problem for each name that is not known, with the nearest that is."""
    names = [str(name) for name in known]
    present = set(names)
    problems = []
    for name in asked:
        if name not in present:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.0)
            offer = f"write {near[0]!r}" if near else "there is none"
            problems.append(Problem(where, f"{name!r} is unknown", offer))
    return problems


def _known(asked: pd.Series[str], names: pd.Index[str], where: str) -> None:
    raise_problems(_unknown(sorted(set(asked)), names, where), "place")


def _from_csv(path: Path, sites: pd.DataFrame, notes: list[Note]) -> dict[str, str]:
    """Return charger to site of a file; a bus stands for its sites in turn."""
    if not path.is_file():
        near = difflib.get_close_matches(str(path), [str(s) for s in sites.index], n=1)
        offer = f"; did you mean site {near[0]!r}?" if near else ""
        message = f"place, at: {str(path)!r} is no kind of site here, no site and no file{offer}"
        raise InputError(message)
    table = pd.read_csv(
        path, dtype=str, keep_default_na=False, encoding="utf-8-sig", sep=None, engine="python"
    )
    table.columns = [str(column).strip() for column in table.columns]
    if "charger_id" not in table or not {"site_id", "bus"} & set(table.columns):
        found = ", ".join(table.columns)
        message = f"{path.name}: needs columns charger_id and site_id or bus, has {found}"
        raise InputError(message)
    repeated = table["charger_id"][table["charger_id"].duplicated()]
    if len(repeated):
        message = f"{path.name}: charger {repeated.iloc[0]!r} occurs twice; keep one row"
        raise InputError(message)
    if "site_id" in table:
        return dict(zip(table["charger_id"], table["site_id"].str.strip(), strict=True))
    return _from_buses(table, sites, path.name, notes)


def _from_buses(
    table: pd.DataFrame, sites: pd.DataFrame, name: str, notes: list[Note]
) -> dict[str, str]:
    by_bus = {
        str(bus): [str(s) for s in group.index] for bus, group in sites.groupby("bus", sort=False)
    }
    used: dict[str, int] = {}
    found, problems = {}, []
    for row, (charger, bus) in enumerate(
        zip(table["charger_id"], table["bus"].str.strip(), strict=True)
    ):
        meters = by_bus.get(bus)
        if meters is None:
            what = f"bus {bus!r} has no meter"
            problems.append(Problem(f"{name} row {row}", what, "name a bus with a load"))
            continue
        turn = used.get(bus, 0)
        used[bus] = turn + 1
        found[charger] = meters[turn % len(meters)]
    raise_problems(problems, "place")
    if any(len(by_bus[bus]) > 1 for bus in used):
        text = "Buses with several meters: their chargers went to the meters in turn."
        notes.append(Note("assumption", name, text))
    return found


def _by_kind(
    chargers: pd.DataFrame,
    sites: pd.DataFrame,
    wanted: pd.Series[str],
    rule: tuple[float | None, int],
    notes: list[Note],
) -> pd.Series[str]:
    """Return the drawn site of each charger in `wanted`, which tells the kind of site."""
    found = pd.Series("", index=chargers.index, dtype=object)
    problems: list[Problem] = []
    for kind in sorted(set(wanted)):
        asked = wanted.index[(wanted == kind).to_numpy()]
        # Only what is not yet drawn counts: a home that has a charger already is taken.
        taken = set(chargers.loc[chargers["site_id"] != "", "site_id"]) if kind == "home" else set()
        there = sites.index[(sites["kind"] == kind).to_numpy()].astype(str)
        offered = [name for name in there if name not in taken]
        if not offered:
            kinds = ", ".join(sorted(set(sites["kind"])))
            what = f"{len(asked)} chargers want a site of kind {kind!r}, the network has: {kinds}"
            problems.append(Problem("place", what, "give at=, a site, a kind or a mapping"))
        elif kind == "home":
            problems += _homes(found, asked, offered, rule, notes)
        elif kind == "building":
            demand = sites.loc[sites["kind"] == kind, "load_p_kw"].fillna(0.0)
            largest = str(demand.index[int(np.argmax(demand.to_numpy()))])
            found[asked] = largest
            text = f"{len(asked)} chargers at {largest!r}, the building with the largest demand."
            notes.append(Note("assumption", "place", text))
        else:
            found.loc[asked] = _drawn(offered, rule[1], len(asked))
    raise_problems(problems, "place")
    return found


def _drawn(names: list[str], seed: int, count: int) -> NDArray[Any]:
    """Return names in the order of a hash of seed and name, from the first again where they run out."""
    order = sorted(names, key=lambda name: content_number(seed, "site", name))
    return np.array([order[k % len(order)] for k in range(count)], dtype=object)


def _homes(
    found: pd.Series[str],
    asked: pd.Index[str],
    offered: list[str],
    rule: tuple[float | None, int],
    notes: list[Note],
) -> list[Problem]:
    """Write the homes of private chargers into `found`."""
    cars_per_home, seed = rule
    allowed = 1.0 if cars_per_home is None else cars_per_home
    room = int(np.floor(allowed * len(offered) + 1e-9)) if allowed >= 1 else len(offered)
    if len(asked) > room:
        what = f"{len(asked)} chargers for {len(offered)} free homes, room for {room}"
        share = np.ceil(100 * len(asked) / len(offered)) / 100
        return [Problem("place", what, f"declare cars_per_home={share:g} or fewer cars")]
    found.loc[asked] = _drawn(offered, seed, len(asked))
    text = (
        f"{len(asked)} chargers at {min(len(asked), len(offered))} of {len(offered)} free homes, drawn by "
        f"seed {seed}; more cars leave these where they are."
    )
    notes.append(Note("assumption", "place", text))
    return []


def _single_phase_cars(chargers: pd.DataFrame, fleet: Fleet) -> pd.Series[bool]:
    """Return whether every car that uses a charger charges on one phase."""
    car_phases = fleet.sessions["vehicle_id"].map(fleet.vehicles["phases"])
    most = car_phases.groupby(fleet.sessions["charger_id"]).max()
    return most.reindex(chargers.index).fillna(3) == 1
