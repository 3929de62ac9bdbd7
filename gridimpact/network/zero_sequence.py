"""Zero-sequence data of a net: what three phases need and what is missing or wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from gridimpact.errors import Problem
from gridimpact.network.phase_transformer import Windings, odd_clock, read_group
from gridimpact.records import BoolArray, Note

STIFF_MVA = 1e6
"""An external grid of this short-circuit power or more is an ideal source [MVA]."""
_SHOWN = 20
_CORE_LOW = 300.0

LINE = ("r0_ohm_per_km", "x0_ohm_per_km", "c0_nf_per_km")
CORE = ("vk0_percent", "vkr0_percent", "mag0_percent", "mag0_rx", "si0_hv_partial")
CORE3 = tuple(f"{v}_{side}_percent" for side in ("hv", "mv", "lv") for v in ("vk0", "vkr0"))
SOURCE = ("s_sc_max_mva", "rx_max", "x0x_max", "r0x0_max")
IMPEDANCE = tuple(f"{v}0_pu" for v in ("rft", "xft", "rtf", "xtf", "gf", "bf", "gt", "bt"))


def missing_zero_sequence(net: Any, full_lines: Collection[int] = ()) -> list[Problem]:
    """Return what a net lacks to be solved in three phases.

    Parameters
    ----------
    net : pandapowerNet
        Not written to.
    full_lines : collection of int
        Positions of lines whose full matrices are given, which need no sequence data.

    Returns
    -------
    list of Problem
        One for each element in service, with the columns it lacks and how to mend it; after
        twenty of a table they are only counted. Empty where nothing is missing.
    """
    found: list[Problem] = []
    line = net["line"]
    own = np.ones(len(line), dtype=bool)
    own[list(full_lines)] = False
    found += _rows(net, "line", lambda row: LINE if own[line.index.get_loc(row)] else ())
    found += _rows(net, "trafo", lambda row: _group_columns(net["trafo"], row, 2))
    found += _rows(net, "trafo3w", lambda row: _group_columns(net["trafo3w"], row, 3))
    found += _rows(net, "impedance", lambda row: IMPEDANCE)
    found += _rows(net, "ext_grid", lambda row: SOURCE)
    return found


def _group_columns(table: Any, row: Any, windings: int) -> tuple[str, ...]:
    group = table.at[row, "vector_group"] if "vector_group" in table else None
    known = read_group(group, windings)
    if known is None:
        return ("vector_group", *(CORE if windings == 2 else CORE3))
    if not {"yn", "zn"} & set(known.connection):
        return ()
    return CORE if windings == 2 else CORE3


def _rows(net: Any, table: str, needed: Callable[[Any], tuple[str, ...]]) -> list[Problem]:
    frame = net[table]
    if not len(frame):
        return []
    lacking = {column: lacks(frame, column) for column in _all_columns(table)}
    active = frame["in_service"].to_numpy(dtype=bool)
    found = []
    for place in np.flatnonzero(active & np.any(list(lacking.values()), axis=0)):
        index = frame.index[place]
        columns = [column for column in needed(index) if lacking[column][place]]
        if columns:
            found.append(
                Problem(
                    f"{table} {index}",
                    f"lacks {', '.join(columns)}",
                    'fill the columns, or take the stated assumptions with zero_sequence="assume"',
                )
            )
    more = len(found) - _SHOWN
    if more > 0:
        found = [*found[:_SHOWN], Problem(table, f"{more} more rows lack zero-sequence data")]
    return found


def _all_columns(table: str) -> tuple[str, ...]:
    return {
        "line": LINE,
        "trafo": ("vector_group", *CORE),
        "trafo3w": ("vector_group", *CORE3),
        "impedance": IMPEDANCE,
        "ext_grid": SOURCE,
    }[table]


def lacks(frame: Any, column: str) -> BoolArray:
    """Return which rows have no usable value; a zero-sequence impedance of 0 is none."""
    if column not in frame:
        return np.ones(len(frame), dtype=bool)
    if column == "vector_group":
        return np.array([not (isinstance(v, str) and v.strip()) for v in frame[column]])
    values = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
    zero_is_none = column.startswith("vk0") or column == "s_sc_max_mva"
    return np.asarray(np.isnan(values) | (zero_is_none & (values == 0)), dtype=np.bool_)


def group_problems(net: Any) -> list[Problem]:
    """Return vector groups that are unknown or contradict the phase shift, and impossible values."""
    found = []
    line, trafo = net["line"], net["trafo"]
    if {"r0_ohm_per_km", "x0_ohm_per_km"} <= set(line.columns):
        none = (line["r0_ohm_per_km"] == 0) & (line["x0_ohm_per_km"] == 0)
        for index in line.index[none & line["in_service"].astype(bool)]:
            remedy = "fill them, or leave them empty for the stated assumption"
            found.append(Problem(f"line {index}", "has no zero-sequence impedance", remedy))
    for index in trafo.index[trafo["in_service"].to_numpy(dtype=bool)]:
        name, shift = trafo.at[index, "vector_group"], float(trafo.at[index, "shift_degree"])
        known = read_group(name)
        where = f"trafo {index}, vector_group"
        if known is None:
            remedy = "give two of D, Y, YN, Z, ZN with an optional clock, such as Dyn5 or YNd11"
            found.append(Problem(where, f"is {name!r}, no vector group known here", remedy))
            continue
        clock = known.clock[-1]
        if clock is not None and abs((30 * clock - shift + 180) % 360 - 180) > 1e-6:
            what = f"{name} says {30 * clock % 360} degrees, shift_degree is {shift:g}"
            found.append(Problem(where, what, "make both the same, or leave the number out"))
        if {"yn", "zn"} & set(known.connection):
            found += _core_problems(trafo, index)
    for index in net["trafo3w"].index[net["trafo3w"]["in_service"].to_numpy(dtype=bool)]:
        name = net["trafo3w"].at[index, "vector_group"]
        if read_group(name, 3) is None:
            remedy = "give three of D, Y, YN, Z, ZN, such as YNyd or YNynd"
            found.append(Problem(f"trafo3w {index}, vector_group", f"is {name!r}", remedy))
    return found


def _core_problems(trafo: Any, index: Any) -> list[Problem]:
    vk0, vkr0 = (float(trafo.at[index, c]) for c in ("vk0_percent", "vkr0_percent"))
    share = float(trafo.at[index, "si0_hv_partial"])
    checks = (
        (vk0 > 0 and abs(vkr0) <= vk0, "vk0_percent", vk0, "must be positive and at least vkr0_percent"),
        (0 < share < 1, "si0_hv_partial", share, "must lie between 0 and 1"),
        (float(trafo.at[index, "mag0_percent"]) > 0, "mag0_percent", trafo.at[index, "mag0_percent"],
         "must be above 0; a large value leaves the magnetising branch out"),
    )  # fmt: skip
    return [
        Problem(f"trafo {index}, {column}", f"is {value:g}, {rule}", "mend the value")
        for passed, column, value, rule in checks
        if not passed
    ]


def doubtful_shifts(net: Any) -> tuple[Note, ...]:
    """Return warnings where no transformer of the named vector group has the phase shift given.

    A star against a delta or a zigzag turns by an odd multiple of 30 degrees, windings that are
    both stars, or neither, by an even one (IEC 60076-1). The shift counts as it stands.
    """
    notes = []
    for table, sides in (("trafo", ("",)), ("trafo3w", ("mv_", "lv_"))):
        frame = net[table]
        for index in frame.index[frame["in_service"].to_numpy(dtype=bool)]:
            name = frame.at[index, "vector_group"]
            known = read_group(name, len(sides) + 1)
            for winding, side in enumerate(sides, start=1):
                column = f"shift_{side}degree"
                text = known and _shift_doubt(name, known, winding, float(frame.at[index, column]))
                if text:
                    notes.append(Note("warning", f"{table} {index}, {column}", text))
    return tuple(notes)


def _shift_doubt(name: str, known: Windings, winding: int, shift: float) -> str:
    """Return why a winding cannot have its phase shift against the first, nothing where it can."""
    clock = shift / 30
    odd = odd_clock(known.connection[0], known.connection[winding])
    if abs(clock - round(clock)) > 1e-6:
        return (
            f"is {shift:g}, no multiple of 30 degrees as {name} has; solved as it stands, set the shift of the "
            "nameplate (150 for Dyn5) if it is no phase shifter"
        )
    if round(clock) % 2 == odd:
        return ""
    own, example = ("odd", "30 or 150") if odd else ("even", "0 or 180")
    often = ", networks often leave it at 0" if shift == 0 else ""
    return (
        f"is {shift:g}, but {name} has an {own} clock ({example} degrees, say){often}; solved as it stands, set "
        "the shift of the nameplate (150 for Dyn5) or mend vector_group"
    )


def doubtful_cores(net: Any) -> tuple[Note, ...]:
    """Return warnings where zero-sequence data of a transformer are legal but hardly meant so.

    A magnetising impedance below three times the leakage (usual are 3 to 10 for three limbs,
    10 to 100 and more for other cores) nearly halves the impedance that a Dyn shows, and a
    zigzag that counts a magnetising branch shows more than its positive sequence.
    """
    trafo = net["trafo"]
    notes = []
    for index in trafo.index[trafo["in_service"].to_numpy(dtype=bool)]:
        known = read_group(trafo.at[index, "vector_group"])
        if known is None or not {"yn", "zn"} & set(known.connection):
            continue
        core, share = (float(trafo.at[index, c]) for c in ("mag0_percent", "si0_hv_partial"))
        over = float(trafo.at[index, "vk0_percent"]) / float(trafo.at[index, "vk_percent"])
        where = f"trafo {index}, mag0_percent"
        if known.connection == ("y", "zn"):
            seen = over * (1 - share + core / 100) * np.sqrt(3) / 2
            if seen > 1:
                text = f"the zigzag shows {seen:.3g} times its short-circuit impedance in zero sequence, 0.1 is usual"
                notes.append(Note("warning", where, text))
        elif core < _CORE_LOW and "d" in known.connection:
            text = (
                f"{core:g} is a magnetising impedance of {core / 100:g} times the leakage, 3 or more is usual: "
                "the zero-sequence impedance at the terminals is too low"
            )
            notes.append(Note("warning", where, text))
    return tuple(notes)
