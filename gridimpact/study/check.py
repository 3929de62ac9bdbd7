"""Every problem of a study at once, found without solving."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from gridimpact.dispatch.strategy import label
from gridimpact.errors import GridError, InputError, Problem
from gridimpact.study.demand import sites_without_reactive
from gridimpact.study.elements import elements_of
from gridimpact.study.power_flow import resolved
from gridimpact.study.requests import fuse_limit_kw
from gridimpact.study.segments import choose_segments
from gridimpact.study.spec import NO_EV, StudySpec
from gridimpact.study.thermal_plates import thermal_problems
from gridimpact.study.volt_var import volt_var_of, with_curve_of


def check_spec(spec: StudySpec) -> list[Problem]:
    """Return errors and warnings of a study; errors first."""
    found = [
        *_placed(spec),
        *_demand(spec),
        *_sessions(spec),
        *_strategies(spec),
        *_limits(spec),
        *_power_flow(spec),
        *thermal_problems(spec),
        *_left_out(spec),
    ]
    return sorted(found, key=lambda p: p.severity != "error")


def check_days(spec: StudySpec, days: str | Sequence[str]) -> list[Problem]:
    """Return what is wrong with the days to run."""
    nothing = np.zeros(spec.timeline.count)
    try:
        choose_segments(spec.timeline, days, nothing, nothing)
    except InputError as error:
        return list(error.problems)
    return []


def _placed(spec: StudySpec) -> Iterator[Problem]:
    """Chargers must stand at sites of the network."""
    site = spec.fleet.chargers["site_id"].astype(str)
    known = {str(s) for s in spec.network.sites.index}
    unplaced = site.index[site == ""]
    if len(unplaced):
        yield Problem(
            "chargers, site_id",
            f"{len(unplaced)} of {len(site)} chargers stand at no site, first {unplaced[0]!r}",
            "place the fleet first: gi.place(fleet, network)",
        )
    for name in sorted(set(site) - known - {""})[:10]:
        yield Problem(
            "chargers, site_id", f"site {name!r} is not in the network", "name one of its sites"
        )
    unsupplied = _unsupplied_sites(spec)
    used = sorted(set(site) & unsupplied)
    if used:
        yield Problem(
            "chargers, site_id",
            f"{len(used)} sites with a charger have no supply, first {used[0]!r}",
            "close the switch that feeds them or place the cars elsewhere",
        )


def _unsupplied_sites(spec: StudySpec) -> set[str]:
    grid, sites = spec.network.grid, spec.network.sites
    place = pd.Index(grid.bus_index).get_indexer(pd.Index(sites["bus"]))
    return {
        str(s) for s, p in zip(sites.index, place, strict=True) if p < 0 or not grid.bus_supplied[p]
    }


def _demand(spec: StudySpec) -> Iterator[Problem]:
    """Load and PV must be finite, of the right sign and of a plausible size."""
    profiles = spec.profiles
    names = np.array(profiles.site_id)
    for column in ("load_p_kw", "pv_p_kw"):
        values = getattr(profiles, column)
        bad = ~np.isfinite(values).all(axis=0)
        if bad.any():
            yield Problem(
                f"profiles, {column}",
                f"not finite at {int(bad.sum())} sites, first {str(names[bad][0])!r}",
                "fill the gaps when reading: read_profiles(..., fill=...)",
            )
    if (profiles.pv_p_kw > 0).any():
        yield Problem(
            "profiles, pv_p_kw", "holds values above 0", "generation is negative: it feeds the grid"
        )
    load = profiles.load_p_kw
    home = np.array([k == "home" for k in spec.network.sites["kind"]])
    if home.any() and float(np.median(load[:, home].mean(axis=0))) > 100.0:
        yield Problem(
            "profiles, load_p_kw",
            f"the median home draws {np.median(load[:, home].mean(axis=0)):.0f} kW on average",
            "the values look like watts or like a feeder; divide by 1000 or map sites anew",
        )
    silent = int((np.abs(load).max(axis=0) == 0.0).sum())
    if silent:
        yield Problem("profiles, load_p_kw", f"{silent} sites never draw power", severity="warning")
    yield from _own_generation(spec)
    default = sites_without_reactive(spec)
    if default:
        yield Problem(
            "sites, load_q_kvar",
            f"{default} sites have no reactive load; power factor {spec.site_power_factor} lagging assumed",
            severity="warning",
        )


def _own_generation(spec: StudySpec) -> Iterator[Problem]:
    """Say which generation of the network no profile carries; it is left out."""
    sites = spec.network.sites
    if "generation_kw" not in sites:
        return
    own = sites["generation_kw"].to_numpy(dtype=np.float64)
    left_out = (own > 0.0) & (spec.profiles.pv_p_kw.min(axis=0) == 0.0)
    if left_out.any():
        yield Problem(
            "profiles, pv_p_kw",
            f"the network's own generation of {own[left_out].sum():.6g} kW at {int(left_out.sum())} sites is "
            "left out: no generation profile is given; give PV profiles, as a column SITE.pv, or by pv_share "
            "(and pv_kwp) when synthesising",
            severity="warning",
        )


def _sessions(spec: StudySpec) -> Iterator[Problem]:
    """Sessions must touch the timeline; those outside are counted."""
    table, time = spec.fleet.sessions, spec.timeline
    rejected = len(spec.fleet.rejected)
    if rejected:
        yield Problem(
            "sessions",
            f"{rejected} rows of the log were rejected, {len(table)} are left",
            "see fleet.rejected for row and reason",
            severity="warning" if len(table) else "error",
        )
    if not len(table):
        if len(spec.fleet.vehicles):
            yield Problem("sessions", "the fleet has cars but no session", "check the log's dates")
        return
    start = time.step_of(table["plug_in"].to_numpy())
    end = time.step_of(table["plug_out"].to_numpy())
    outside = int(((end <= 0) | (start >= time.count)).sum())
    if outside == len(table):
        first, last = table["plug_in"].min(), table["plug_out"].max()
        yield Problem(
            "sessions",
            f"all {outside} sessions ({first} to {last} UTC) lie outside the timeline {time}",
            "use the year and zone of the log for the timeline",
        )
    elif outside:
        yield Problem(
            "sessions",
            f"{outside} of {len(table)} sessions lie outside the timeline and are left out",
            severity="warning",
        )
    short = int(((end <= start) & (end > 0) & (start < time.count)).sum())
    if short:
        yield Problem(
            "sessions",
            f"{short} sessions are shorter than half a step of {time.step_s // 60} min and are left out",
            "their trips are driven before the next session",
            severity="warning",
        )


def _strategies(spec: StudySpec) -> Iterator[Problem]:
    """Each strategy needs what it acts on: prices, bidirectional chargers, homes, buildings."""
    names = [s.name for s in spec.strategies]
    labels = [label(s) for s in spec.strategies if s.name != "uncontrolled"]
    for name in sorted({n for n in labels if labels.count(n) > 1}):
        yield Problem(
            "strategies",
            f"{labels.count(name)} rows would be called {name!r}",
            "keep one of them or change its settings",
        )
    if NO_EV in names:
        yield Problem("strategies", f"{NO_EV!r} names the case without cars", "rename it")
    chargers, sites = spec.fleet.chargers, spec.network.sites
    kinds = set(sites["kind"].reindex(chargers["site_id"].astype(str)).dropna().astype(str))
    feeds = bool(len(chargers)) and bool(chargers["bidirectional"].astype(bool).any())
    for name in dict.fromkeys(names):
        if name in _PRICED and not spec.tariffs:
            yield Problem(f"strategy {name}", "needs prices", "give the study prices='nl_2019'")
        if name == "grid_aware_hot_spot_limit" and spec.ambient is None:
            yield Problem(
                f"strategy {name}", "needs temperatures", "give the study ambient='germany_2016'"
            )
        if name in _FEEDING and len(chargers) and not feeds:
            yield Problem(
                f"strategy {name}",
                "no charger of the fleet can feed back",
                "choose a bidirectional charger",
            )
        wanted = {"v2h": "home", "v2b": "building"}.get(name[:3])
        if wanted and len(chargers) and wanted not in kinds:
            yield Problem(
                f"strategy {name}",
                f"no charger stands at a site of kind {wanted!r}",
                f"place cars there, or mark the site: open_network(..., site_kinds={{site: {wanted!r}}})",
            )


_PRICED = {
    "g2v_price",
    "v2g_arbitrage",
    "v2h_time_of_use",
    "v2b_demand_charge",
    "v2b_subscribed_power",
}
_FEEDING = {
    "v2g_peak_shaving",
    "v2g_arbitrage",
    "v2h_self_consumption",
    "v2h_time_of_use",
    "v2b_demand_charge",
    "v2b_subscribed_power",
}


def _limits(spec: StudySpec) -> Iterator[Problem]:
    """One charger alone must not pass the main fuse."""
    chargers, sites = spec.fleet.chargers, spec.network.sites
    if not len(chargers):
        return
    fuse = pd.Series(fuse_limit_kw(sites), index=[str(s) for s in sites.index])
    largest = chargers.groupby(chargers["site_id"].astype(str))["p_max_kw"].max()
    over = largest[largest > fuse.reindex(largest.index)]
    if len(over):
        yield Problem(
            "chargers, p_max_kw",
            f"at {len(over)} sites one charger alone passes the main fuse, first {over.index[0]!r}: "
            f"{over.iloc[0]:.1f} kW on {fuse[over.index[0]]:.1f} kW",
            "controlled strategies keep to the fuse, uncontrolled charging reports it",
            severity="warning",
        )


def _power_flow(spec: StudySpec) -> Iterator[Problem]:
    """Say what of the power flow asked for is impossible, and where it falls back."""
    try:
        decided = resolved(spec)
        elements = elements_of(decided, with_cars=True)
        for strategy in (None, *decided.strategies):
            volt_var_of(with_curve_of(decided, strategy), elements)
    except GridError as error:
        yield Problem("power_flow", str(error).splitlines()[0], _WAYS)
        yield from error.problems
        return
    except InputError as error:
        yield from error.problems or (Problem("volt_var", str(error)),)
        return
    for note in decided.notes[len(spec.notes) :]:
        yield Problem(note.where, note.text, severity="warning")


_WAYS = "zero_sequence: assume takes stated ratios, power_flow: balanced does without"


def _left_out(spec: StudySpec) -> Iterator[Problem]:
    """Say what the study will not tell."""
    if not spec.tariffs:
        yield Problem("prices", "none given: money is not studied", severity="warning")
    if spec.ambient is None:
        yield Problem(
            "ambient", "none given: transformer temperature is not studied", severity="warning"
        )
    if not spec.timeline.is_year:
        yield Problem(
            "timeline", "shorter than a year: no annual figures are given", severity="warning"
        )
