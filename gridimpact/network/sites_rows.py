"""One row of the table of sites, and the generation put on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gridimpact.network.check_elements import active


def new_row(bus: int, name: Any, label: str, **more: Any) -> dict[str, Any]:
    """Return one site with everything unset at its neutral value."""
    plain = {
        "bus": int(bus), "phases": "abc", "kind": None, "fuse_a": np.nan, "load_p_kw": 0.0,
        "load_q_kvar": 0.0, "z_p": 0.0, "z_i": 0.0, "q_z": 0.0, "q_i": 0.0, "generation_kw": 0.0,
        "connection": "star", "name": str(name or ""), "site_id": label, "hint": "", "named": bool(name),
        "uneven": False, "moved": False,
    }  # fmt: skip
    return plain | more


def phase_letters(used: Any) -> str:
    """Return the phases that are used, all where none is."""
    return "".join(name for name, there in zip("abc", used, strict=True) if there) or "abc"


def add_generation(net: Any, rows: list[dict[str, Any]]) -> tuple[pd.Series, list[dict[str, Any]]]:
    """Put generation on the first site at its bus, else on a site of its own."""
    at_bus: dict[int, dict[str, Any]] = {}
    for row in rows:
        at_bus.setdefault(row["bus"], row)
    position = {id(row): number for number, row in enumerate(rows)}
    added: list[dict[str, Any]] = []
    site: dict[int, int] = {}
    for table, columns in (("sgen", ["p_mw"]), ("asymmetric_sgen", ["p_a_mw", "p_b_mw", "p_c_mw"])):
        frame = active(net, table)
        power = 1000.0 * frame[columns].sum(axis=1) * frame.scaling
        fed = np.broadcast_to(frame[columns].to_numpy() != 0.0, (len(frame), 3))
        given = zip(frame.index, frame.bus, frame.name, power, map(phase_letters, fed), strict=True)
        for index, bus, name, p_kw, phases in given:
            if int(bus) not in at_bus:
                label = f"generation_{index}" if table == "sgen" else f"generation_a{index}"
                at_bus[int(bus)] = new_row(bus, name, label, kind="public", phases=phases)
                position[id(at_bus[int(bus)])] = len(rows) + len(added)
                added.append(at_bus[int(bus)])
            at_bus[int(bus)]["generation_kw"] += float(p_kw)
            if table == "asymmetric_sgen":
                at_bus[int(bus)]["moved"] |= phases != at_bus[int(bus)]["phases"]
            else:
                site[index] = position[id(at_bus[int(bus)])]
    return pd.Series(site, dtype=np.int64), added
