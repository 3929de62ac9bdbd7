"""SimBench networks through the optional package, with their own profiles and without its EVs."""

from __future__ import annotations

import difflib
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.errors import GridError, MissingExtra
from gridimpact.network.sites import SiteTable, site_sums
from gridimpact.records import FloatArray, Note, Profiles
from gridimpact.timeline import Timeline

PREFIX = "simbench:"
EV_PROFILES = ("HLS_", "APLS_")
"""Profiles of home and public charging points in SimBench's scenarios 1 and 2."""
LICENCE = "ODbL 1.0, SimBench"


@dataclass(frozen=True)
class SimbenchSource:
    """A SimBench net without its EV loads, and its relative profiles."""

    net: Any
    profiles: dict[str, pd.DataFrame]
    notes: tuple[Note, ...]


def fetch_simbench(code: str) -> SimbenchSource:
    """Return a SimBench net by its code.

    Parameters
    ----------
    code : str
        For instance ``"1-LV-rural1--0-sw"``.

    Returns
    -------
    SimbenchSource

    Raises
    ------
    MissingExtra
        If the extra ``simbench`` is not installed.
    GridError
        If there is no such code; the message names the nearest.
    """
    try:
        import simbench
    except ImportError as error:
        message = "SimBench networks need the extra simbench: pip install 'gridimpact[simbench]'"
        raise MissingExtra(message) from error
    codes = simbench.collect_all_simbench_codes()
    if code not in codes:
        near = difflib.get_close_matches(code, codes, n=1, cutoff=0.3)
        message = f"no SimBench network {code!r}" + (f": did you mean {near[0]!r}?" if near else "")
        raise GridError(message)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own use of pandas warns about the future
        net = simbench.get_simbench_net(code)
    profiles = net.pop("profiles")
    names = net.load["profile"].astype(str)
    cars = names.str.startswith(EV_PROFILES)
    notes = []
    if cars.any():
        size = 1000.0 * float(net.load.p_mw[cars].sum())
        text = (
            f"{int(cars.sum())} charging points of {size:g} kW in the SimBench scenario left out, "
            "so that cars are not counted twice"
        )
        notes.append(Note("dropped", "load", text))
        net["load"] = net.load[~cars]
    idle = net.trafo.tap_changer_type.isna() & net.trafo.tap_step_percent.notna()
    if idle.any():
        net.trafo.loc[idle, "tap_changer_type"] = "Ratio"
        text = "transformer taps act on the ratio, as SimBench means them; its tables leave the type out"
        notes.append(Note("assumption", "trafo, tap_changer_type", text))
    return SimbenchSource(net, profiles, tuple(notes))


def simbench_profiles(source: SimbenchSource, net: Any, sites: SiteTable) -> Profiles:
    """Return SimBench's own profiles of every site.

    Parameters
    ----------
    source : SimbenchSource
        Relative profiles, one for the largest power.
    net : pandapowerNet
        The cleaned net.
    sites : SiteTable
        Its sites.

    Returns
    -------
    Profiles
        On the local year 2016 in steps of 15 minutes.

    Raises
    ------
    GridError
        If the stamps are not those of the local year, or a profile is missing.

    Notes
    -----
    SimBench stamps are local times of Germany without a zone: one hour is missing in March, one
    occurs twice in October. Row by row they are the UTC steps of the local year, which is checked.
    """
    relative = source.profiles["load"]
    time = _timeline(relative["time"])
    count = len(sites.frame)
    loads = net.load.loc[sites.of_load.index]
    missing = [n for n in loads["profile"] if f"{n}_pload" not in relative]
    if missing:
        message = f"SimBench has no profile {sorted(set(map(str, missing)))} for its loads"
        raise GridError(message)
    where = sites.of_load.to_numpy()
    p_kw = _scaled(relative, loads, "pload", "p_mw")
    q_kvar = _scaled(relative, loads, "qload", "q_mvar")
    pump = sites.heat_pump.loc[sites.of_load.index].to_numpy()
    pv_kw = np.zeros((time.count, count))
    rows = net.sgen.loc[sites.of_sgen.index]
    feeds, notes = _generation(source, rows, time.count)
    np.add.at(pv_kw.T, sites.of_sgen.to_numpy(), -feeds.T)
    return Profiles(
        timeline=time,
        site_id=tuple(sites.frame.index),
        load_p_kw=site_sums(p_kw, where, count),
        pv_p_kw=np.minimum(pv_kw, 0.0),
        load_q_kvar=site_sums(q_kvar, where, count),
        heat_pump_p_kw=site_sums(p_kw[:, pump], where[pump], count) if pump.any() else None,
        source="SimBench profiles of the network, 2016",
        notes=tuple(notes),
    )


def _timeline(stamps: pd.Series) -> Timeline:
    """Return the local year, after checking that the stamps are its wall clock."""
    time = Timeline.year(2016, step="15min", zone="Europe/Berlin")
    wall = pd.to_datetime(stamps, format="%d.%m.%Y %H:%M").to_numpy()
    if len(wall) != time.count or not (wall == time.local.tz_localize(None).to_numpy()).all():
        message = "SimBench's time stamps are not the 15-minute steps of the local year 2016"
        raise GridError(message)
    return time


def _scaled(relative: pd.DataFrame, loads: pd.DataFrame, ending: str, column: str) -> FloatArray:
    """Return profile times rated power of each load, shape (time, load) [kW or kvar]."""
    shapes = relative[[f"{name}_{ending}" for name in loads["profile"]]].to_numpy(np.float64)
    return np.asarray(shapes * (1000.0 * loads[column] * loads.scaling).to_numpy(np.float64))


def _generation(
    source: SimbenchSource, rows: pd.DataFrame, steps: int
) -> tuple[FloatArray, list[Note]]:
    """Return the power of each generator, shape (time, generator) [kW]; constant without profile."""
    known = {
        name: frame[name].to_numpy(np.float64)
        for frame in (source.profiles["renewables"], source.profiles["powerplants"])
        for name in frame.columns
        if name != "time"
    }
    names = rows["profile"].tolist() if len(rows) else []
    shapes = [known.get(name, np.ones(steps)) for name in names]
    flat = sum(name not in known for name in names)
    notes = []
    if flat:
        notes.append(Note("assumption", "sgen", f"{flat} generators without profile run at rating"))
    if not shapes:
        return np.zeros((steps, 0)), notes
    size = (1000.0 * rows.p_mw * rows.scaling).to_numpy(np.float64)
    return np.stack(shapes, axis=1) * size, notes
