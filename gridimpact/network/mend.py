"""Assumptions a study makes about a checked net, each stated in a note.

These functions write into the net they are given, which must be the reader's own copy.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from gridimpact.network.columns import rows_text
from gridimpact.records import BoolArray, Note

GROUPING = 0.8
"""Derating of a buried low-voltage or medium-voltage cable for grouping."""
PLACEHOLDER_KA = 50.0
"""Ampacities from here on stand for "no limit"."""
CABLE = "cs"
"""pandapower's line type of a cable."""


def mend_net(
    net: Any, *, busbar_vm_pu: float | None = None, derating: float | None = None
) -> list[Note]:
    """Fill gaps of a net with stated assumptions, in place.

    Parameters
    ----------
    net : pandapowerNet
        The reader's own copy, checked; changed in place.
    busbar_vm_pu : float, optional
        Voltage of every source [pu]; None keeps the net's own.
    derating : float, optional
        Factor on the ampacity of buried cables; None takes 0.8.

    Returns
    -------
    list of Note
        What was assumed.
    """
    return [
        *_slack_generators(net),
        *_generators(net),
        *_storages(net),
        *_taps(net),
        *_tap_angles(net),
        *_ampacities(net),
        *_derate(net, derating),
        *_set_point(net, busbar_vm_pu),
    ]


def _slack_generators(net: Any) -> list[Note]:
    """Turn generators that form the grid into external grids."""
    rows = net.gen.index[net.gen.in_service & net.gen.slack].tolist()
    if not rows:
        return []
    first = int(net.ext_grid.index.max()) + 1 if len(net.ext_grid) else 0
    new = {
        "name": [net.gen.at[row, "name"] for row in rows],
        "bus": [net.gen.at[row, "bus"] for row in rows],
        "vm_pu": [net.gen.at[row, "vm_pu"] for row in rows],
        "va_degree": 0.0,
        "slack_weight": 1.0,
        "in_service": True,
        "controllable": False,
    }
    added = pd.DataFrame(new, index=range(first, first + len(rows)))
    added = added.astype(net.ext_grid.dtypes.loc[list(new)].to_dict())
    net["ext_grid"] = pd.concat([net.ext_grid, added]) if len(net.ext_grid) else added
    net["gen"] = net.gen.drop(rows)
    text = f"{rows_text(rows)}: slack generators taken as external grids"
    return [Note("assumption", "gen", text)]


def _generators(net: Any) -> list[Note]:
    """Say that generators which hold a voltage feed in the network's own power throughout."""
    rows = net.gen[net.gen.in_service]
    if rows.empty:
        return []
    size = 1000.0 * float((rows.p_mw * rows.scaling).sum())
    text = f"{len(rows)} generators that hold a voltage feed their own {size:g} kW at every step"
    return [Note("assumption", "gen, p_mw", text)]


def _storages(net: Any) -> list[Note]:
    """Remove storages: their power follows no rule a file could give."""
    rows = net.storage[net.storage.in_service]
    if rows.empty:
        return []
    size = 1000.0 * float((rows.p_mw.abs() * rows.scaling).sum())
    net["storage"] = net.storage.drop(rows.index)
    text = f"{len(rows)} stationary storages of together {size:g} kW are not modelled"
    return [Note("dropped", "storage", text)]


def _taps(net: Any) -> list[Note]:
    """Put missing tap positions to neutral."""
    notes = []
    for table in ("trafo", "trafo3w"):
        frame = net[table]
        missing = frame.tap_pos.isna() & frame.tap_neutral.notna() & frame.in_service
        if missing.any():
            frame.loc[missing, "tap_pos"] = frame.tap_neutral[missing]
            text = f"{rows_text(frame.index[missing].tolist())}: no tap position, taken as neutral"
            notes.append(Note("assumption", f"{table}, tap_pos", text))
    return notes


def _tap_angles(net: Any) -> list[Note]:
    """Put missing angles of three-winding taps to 0; pandapower passes over such a tap in silence."""
    frame = net["trafo3w"]
    if "tap_step_degree" not in frame:
        return []
    missing = frame.tap_step_degree.isna() & frame.tap_step_percent.notna()
    frame.loc[missing, "tap_step_degree"] = 0.0
    moved = missing & frame.in_service & (frame.tap_pos != frame.tap_neutral)
    if not moved.any():
        return []
    text = f"{rows_text(frame.index[moved].tolist())}: no angle of the tap step, taken as 0 degrees"
    return [Note("assumption", "trafo3w, tap_step_degree", text)]


@lru_cache(maxsize=1)
def _library() -> dict[str, float]:
    """Return the ampacity of pandapower's own line types [kA]."""
    from pandapower import create_empty_network

    types = create_empty_network().std_types["line"]
    return {name: float(entry["max_i_ka"]) for name, entry in types.items()}


def placeholder(net: Any) -> BoolArray:
    """Return which lines carry an ampacity that stands for none.

    Parameters
    ----------
    net : pandapowerNet
        Any net.

    Returns
    -------
    ndarray of bool, shape (line,)
        Values of 50 kA and more; and all lines, where five or more lines of at least three
        resistances spread by a factor of 2.5 share one ampacity.
    """
    limit = net.line.max_i_ka.to_numpy(np.float64)
    marked = np.asarray(limit >= PLACEHOLDER_KA)
    r = net.line.r_ohm_per_km.to_numpy(np.float64) / net.line.parallel.to_numpy(np.float64)
    given = np.isfinite(limit)
    if given.sum() >= 5 and np.ptp(limit[given]) == 0.0:
        kinds = np.unique(np.round(r[given], 9))
        if len(kinds) >= 3 and kinds[-1] > 2.5 * kinds[0]:
            marked |= given
    return marked


def _ampacities(net: Any) -> list[Note]:
    """Replace missing and placeholder ampacities from the line's type, else mark them unrated."""
    line = net.line
    marked = placeholder(net)
    shared = line.max_i_ka[marked & (line.max_i_ka < PLACEHOLDER_KA)]
    gaps = marked | line.max_i_ka.isna().to_numpy()
    if not gaps.any():
        return []
    notes = []
    if marked.any():
        value = f"{shared.iloc[0]:.3g} kA on every line" if len(shared) else "50 kA and more"
        text = f"ampacity of {value} is a placeholder, not used on {int(marked.sum())} lines"
        notes.append(Note("assumption", "line, max_i_ka", text))
    line.loc[marked, "max_i_ka"] = np.nan
    typed = line.std_type[gaps].map(_library())
    line.loc[gaps, "max_i_ka"] = typed.astype(np.float64)
    found = int(typed.notna().sum())
    if found:
        text = f"ampacity of {found} lines taken from their type in pandapower's library"
        notes.append(Note("assumption", "line, max_i_ka", text))
    unrated = int(line.max_i_ka.isna().sum())
    if unrated:
        text = f"{unrated} of {len(line)} lines have no ampacity: unrated, their loading is not assessed"
        notes.append(Note("warning", "line, max_i_ka", text))
    return notes


def _derate(net: Any, derating: float | None) -> list[Note]:
    """Derate buried cables for grouping where the net gives no factor of its own."""
    factor = GROUPING if derating is None else float(derating)
    line = net.line
    cable = (line.type == CABLE).to_numpy() & np.isclose(line.df.to_numpy(np.float64), 1.0)
    cable &= line.max_i_ka.notna().to_numpy()
    if not cable.any() or factor == 1.0:
        return []
    line.loc[cable, "df"] = factor
    whose = "assumed for grouping" if derating is None else "as given"
    text = f"ampacity of {int(cable.sum())} buried cables derated by {factor:g}, {whose}"
    return [Note("assumption" if derating is None else "info", "line, df", text)]


def _set_point(net: Any, busbar_vm_pu: float | None) -> list[Note]:
    """Set the sources' voltage, or say that it is the net's own."""
    if busbar_vm_pu is not None:
        net.ext_grid["vm_pu"] = float(busbar_vm_pu)
        return [Note("info", "ext_grid, vm_pu", f"source voltage {busbar_vm_pu:g} pu, as given")]
    own = np.unique(net.ext_grid.vm_pu[net.ext_grid.in_service].to_numpy(np.float64))
    values = ", ".join(f"{value:g}" for value in own[:5])
    text = f"source voltage {values} pu assumed from the network's own data, not measured"
    return [Note("assumption", "ext_grid, vm_pu", text)]
