"""Derive the table of sites (meters) from a net's loads and generators."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.errors import GridError, Problem, raise_problems
from gridimpact.network.check_elements import LOW_VOLTAGE_KV, active
from gridimpact.network.sites_rows import add_generation, new_row, phase_letters
from gridimpact.records import FloatArray, IntArray, Note

KINDS = ("home", "building", "public")
FUSE_A = 35.0
"""Main fuse per phase where nothing is given [A]."""
BUILDING_FUSE_A = 160.0
"""Main fuse per phase of a customer the user calls a building [A]."""
FUSE_SIZES_A = (
    35.0, 50.0, 63.0, 80.0, 100.0, 125.0, 160.0, 200.0, 250.0, 315.0, 400.0, 500.0, 630.0,
    800.0, 1000.0, 1250.0, 1600.0, 2000.0, 2500.0, 3150.0, 4000.0, 5000.0, 6300.0,
)  # fmt: skip
BUILDING_KW = 30.0
"""Low-voltage demand above this is taken for a building, not a home [kW]."""
COLUMNS = (
    "bus", "phases", "kind", "fuse_a", "load_p_kw", "load_q_kvar", "z_p", "z_i", "q_z", "q_i",
    "generation_kw", "connection", "name",
)  # fmt: skip

_HOME = re.compile(r"\b(hh|ha|h0)(?![a-z])|home|house|haushalt|wohn|residential", re.IGNORECASE)
_BUILDING = re.compile(
    r"\b(g|l)\d-|\bbl-h|\bwb-h|school|schule|office|shop|gewerbe|commercial|industr|town hall|"
    r"municipal|rathaus",
    re.IGNORECASE,
)
_HEAT_PUMP = re.compile(r"^(hp|wp)$|^(air|soil)_", re.IGNORECASE)


@dataclass(frozen=True)
class SiteTable:
    """The sites of a net and which load and generator stands behind which meter.

    Attributes
    ----------
    frame : pandas.DataFrame
        The table `gridimpact.records.Network.sites`, with ``generation_kw`` (installed
        generation, a magnitude) beside its columns.
    of_load : pandas.Series
        Position of the site by row of ``net.load``; rows out of service are absent.
    of_sgen : pandas.Series
        Position of the site by row of ``net.sgen``.
    heat_pump : pandas.Series
        Whether a row of ``net.load`` is a heat pump behind another load's meter.
    notes : tuple of Note
        What was assumed.
    """

    frame: pd.DataFrame
    of_load: pd.Series
    of_sgen: pd.Series
    heat_pump: pd.Series
    notes: tuple[Note, ...]


def derive_sites(net: Any, site_kinds: Mapping[str, str] | None = None) -> SiteTable:
    """Return one site for each customer of a net.

    Parameters
    ----------
    net : pandapowerNet
        Checked net.
    site_kinds : mapping of str to str, optional
        Kind by site id, over what names and size tell.

    Returns
    -------
    SiteTable
        Sites in the order of the load, asymmetric-load and generator tables.

    Raises
    ------
    GridError
        If `site_kinds` names an unknown site or kind.

    Notes
    -----
    Every load is one meter; a heat pump (type "HP" or "WP") shares the meter of a load at its
    bus. Generation goes to the first site at its bus, else to a site of its own of kind "public".
    Columns ``site_kind`` and ``fuse_a`` of a load table are taken as they are. The fuse is 35 A
    per phase, or the next size that carries the net's own load and generation.
    """
    rows, of_load, pumps = _load_rows(net)
    rows += _asymmetric_rows(net)
    of_sgen, more = add_generation(net, rows)
    rows += more
    notes = _finish(net, rows)
    _name(rows)
    frame = pd.DataFrame(rows, columns=["site_id", *COLUMNS]).set_index("site_id")
    frame = frame.astype({"bus": np.int64, "fuse_a": float, "generation_kw": float})
    notes += _set_kinds(frame, site_kinds or {})
    if frame.empty:
        notes.append(Note("warning", "load", "the network has no customers"))
    return SiteTable(frame, of_load, of_sgen, pumps, tuple(notes))


def _load_rows(net: Any) -> tuple[list[dict[str, Any]], pd.Series, pd.Series]:
    """Return the sites of symmetric loads; a heat pump joins a load at its bus."""
    load = active(net, "load")
    hints = [_hint(load, row) for row in load.index]
    pump = pd.Series([_is_pump(load, row) for row in load.index], index=load.index, dtype=bool)
    first = load.index[~pump.to_numpy()].to_series().groupby(load.bus[~pump]).first()
    rows: list[dict[str, Any]] = []
    site: dict[int, int] = {}
    ordered = [*load.index[~pump.to_numpy()], *load.index[pump.to_numpy()]]
    hint_of = dict(zip(load.index, hints, strict=True))
    for index, entry in zip(ordered, load.loc[ordered].to_dict("records"), strict=True):
        p_kw, q_kvar = (1000.0 * entry[c] * entry["scaling"] for c in ("p_mw", "q_mvar"))
        if pump[index] and entry["bus"] in first.index:
            site[index] = site[first[entry["bus"]]]
            rows[site[index]]["load_p_kw"] += p_kw
            rows[site[index]]["load_q_kvar"] += q_kvar
            continue
        shares = {
            column: entry[f"const_{source}_percent"] / 100.0
            for column, source in (("z_p", "z_p"), ("z_i", "i_p"), ("q_z", "z_q"), ("q_i", "i_q"))
        }
        site[index] = len(rows)
        given = _given(entry)
        rows.append(
            new_row(entry["bus"], entry["name"], f"site_{index}", load_p_kw=p_kw, load_q_kvar=q_kvar,
                 hint=hint_of[index], **shares, **given)
        )  # fmt: skip
    joined = pump & load.bus.isin(first.index)
    return rows, pd.Series(site, dtype=np.int64), joined


def _given(entry: Mapping[Any, Any]) -> dict[str, Any]:
    """Return what the row of a load itself tells about its meter."""
    return {
        "kind": entry.get("site_kind"),
        "fuse_a": entry.get("fuse_a", np.nan),
        "connection": "delta" if entry.get("type") == "delta" else "star",
    }


def _hint(frame: pd.DataFrame, row: Any) -> str:
    """Return the words of a row that may tell its kind."""
    words = [frame.at[row, c] for c in ("name", "type", "profile") if c in frame]
    return " ".join(word.replace("_", " ") for word in words if isinstance(word, str))


def _is_pump(frame: pd.DataFrame, row: Any) -> bool:
    """Return whether a load is a heat pump by its type or profile."""
    words = [frame.at[row, c] for c in ("type", "profile") if c in frame]
    return any(isinstance(word, str) and _HEAT_PUMP.search(word) for word in words)


def _asymmetric_rows(net: Any) -> list[dict[str, Any]]:
    """Return the sites of loads given by phase."""
    frame = active(net, "asymmetric_load")
    rows = []
    for index, entry in zip(frame.index, frame.to_dict("records"), strict=True):
        p, q = (
            1000.0 * entry["scaling"] * np.array([entry[f"{x}_{phase}_{u}"] for phase in "abc"])
            for x, u in (("p", "mw"), ("q", "mvar"))
        )
        used = (p != 0.0) | (q != 0.0)
        phases = phase_letters(used)
        given = _given(entry)
        uneven = used.any() and (np.ptp(p[used]) > 1e-9 or np.ptp(q[used]) > 1e-9)
        rows.append(
            new_row(entry["bus"], entry["name"], f"site_a{index}", phases=phases, load_p_kw=p.sum(),
                 load_q_kvar=q.sum(), hint=_hint(frame, index), uneven=uneven, **given)
        )  # fmt: skip
    return rows


def _finish(net: Any, rows: list[dict[str, Any]]) -> list[Note]:
    """Settle kind and fuse of every site and say what was assumed."""
    vn_kv = net.bus.vn_kv
    guessed = larger = assumed = 0
    for row in rows:
        if row["kind"] not in KINDS:
            row["kind"], by_name = _kind(row, float(vn_kv[row["bus"]]))
            guessed += not by_name
        if not np.isfinite(row["fuse_a"] if row["fuse_a"] is not None else np.nan):
            row["fuse_a"] = _fuse(row, float(vn_kv[row["bus"]]))
            assumed += 1
            larger += row["fuse_a"] > FUSE_A
    uneven, moved = (sum(row[name] for row in rows) for name in ("uneven", "moved"))
    notes = []
    for count, where, text in (
        (guessed, "sites, kind", f"kind of {guessed} sites assumed from voltage and size of the load"),
        (assumed, "sites, fuse_a", f"main fuse of {assumed} sites assumed: {FUSE_A:g} A per phase"
         + (f", larger on {larger} sites whose own load needs it" if larger else "")),
        (uneven, "asymmetric_load", f"{uneven} loads of unequal phases are spread evenly over the phases they use"),
        (moved, "asymmetric_sgen", f"generators at {moved} sites are taken on the phases of their meter, not on their own"),
    ):  # fmt: skip
        if count:
            notes.append(Note("assumption", where, text))
    return notes


def _kind(row: dict[str, Any], vn_kv: float) -> tuple[str, bool]:
    """Return a site's kind, and whether its name told it."""
    if vn_kv >= LOW_VOLTAGE_KV:
        return "public", False
    if _BUILDING.search(row["hint"]):
        return "building", True
    if _HOME.search(row["hint"]):
        return "home", True
    return ("building" if abs(row["load_p_kw"]) > BUILDING_KW else "home"), False


def _fuse(row: dict[str, Any], vn_kv: float) -> float:
    """Return the main fuse per phase that carries the site's own load and generation [A]."""
    s_kva = max(np.hypot(row["load_p_kw"], row["load_q_kvar"]), row["generation_kw"])
    need = s_kva * np.sqrt(3.0) / (vn_kv * len(row["phases"]))
    fits = [size for size in FUSE_SIZES_A if size >= need - 1e-9]
    return fits[0] if fits else float(100.0 * np.ceil(need / 100.0))


def _name(rows: list[dict[str, Any]]) -> None:
    """Give every site an id of its own: its name where that is unique, else name and number."""
    counts = pd.Series([row["name"] for row in rows], dtype=object).value_counts()
    taken: set[str] = set()
    for row in rows:
        label = row["name"] if row["name"] and counts[row["name"]] == 1 else row["site_id"]
        while label in taken:
            label += "_"
        taken.add(label)
        row["site_id"], row["name"] = label, row["name"] or label


def _set_kinds(frame: pd.DataFrame, site_kinds: Mapping[str, str]) -> list[Note]:
    """Set the kinds a user gave, refusing unknown sites and kinds; a building has no home's fuse."""
    problems = []
    for site, kind in site_kinds.items():
        if site not in frame.index:
            near = difflib.get_close_matches(str(site), frame.index.tolist(), n=1)
            remedy = f"did you mean {near[0]!r}?" if near else "see the table sites"
            problems.append(Problem(f"site_kinds, {site!r}", "no such site", remedy))
        elif kind not in KINDS:
            problems.append(Problem(f"site_kinds, {site!r}", f"is {kind!r}", f"choose of {KINDS}"))
        else:
            frame.loc[site, "kind"] = kind
    raise_problems(problems, "site_kinds", GridError)
    small = [
        s for s, k in site_kinds.items() if k == "building" and frame.at[s, "fuse_a"] == FUSE_A
    ]
    if not small:
        return []
    frame.loc[small, "fuse_a"] = BUILDING_FUSE_A
    text = f"main fuse of {len(small)} buildings assumed: {BUILDING_FUSE_A:g} A per phase"
    return [Note("assumption", "sites, fuse_a", text)]


def site_sums(values: FloatArray, site: IntArray, count: int) -> FloatArray:
    """Add columns that belong to one site.

    Parameters
    ----------
    values : ndarray, shape (time, element)
        Power of each element [kW].
    site : ndarray, shape (element,)
        Position of its site.
    count : int
        Number of sites.

    Returns
    -------
    ndarray, shape (time, site)

    Examples
    --------
    >>> site_sums(np.array([[1.0, 2.0, 4.0]]), np.array([0, 0, 1]), 3).tolist()
    [[3.0, 4.0, 0.0]]
    """
    sums = np.zeros((len(values), count))
    np.add.at(sums.T, site, values.T)
    return sums
