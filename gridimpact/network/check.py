"""Check a network whole before any solve: every problem with table, row, value, range and remedy.

What can be mended by a stated assumption is left to `gridimpact.network.mend`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from gridimpact.errors import Problem
from gridimpact.network.beyond import check_held_voltages
from gridimpact.network.check_elements import check_demand, check_elements
from gridimpact.network.check_topology import check_supply, check_topology
from gridimpact.network.columns import rows_text
from gridimpact.network.tables import BUS_COLUMNS, DC_COLUMNS, UNSUPPORTED
from gridimpact.records import Note


def check_net(net: Any) -> tuple[list[Problem], list[Note]]:
    """Return everything wrong with a net for a balanced study, and what its user should know.

    Parameters
    ----------
    net : pandapowerNet
        A net of `gridimpact.network.reader.read_net`.

    Returns
    -------
    problems : list of Problem
        Errors and warnings; pass them to `gridimpact.errors.raise_problems`.
    notes : list of Note
        Warnings in words, demand without supply among them.
    """
    problems = check_references(net)
    if not problems:
        problems += check_kinds(net)
        problems += check_elements(net)
        problems += check_demand(net)
        problems += check_held_voltages(net)
        problems += check_topology(net)
    notes = [
        Note("warning", p.where, f"{p.what}; {p.remedy}" if p.remedy else p.what)
        for p in problems
        if p.severity == "warning"
    ]
    if not any(p.severity == "error" for p in problems):
        more, supply = check_supply(net)
        problems += more
        notes += supply
    return problems, notes


def check_references(net: Any) -> list[Problem]:
    """Return rows that name a bus, line or transformer which does not exist."""
    problems = []
    if net.bus.empty:
        return [Problem("bus", "has no rows", "give a network with buses")]
    for table, columns in BUS_COLUMNS.items():
        for column in columns:
            frame = net[table] if table in net else pd.DataFrame()
            bad = ~frame[column].isin(net.bus.index) if len(frame) else pd.Series(dtype=bool)
            problems += _named(frame, table, column, bad, "no such bus in table bus")
    for table, columns in DC_COLUMNS.items():
        for column in columns:
            frame = net[table] if table in net else pd.DataFrame()
            bad = ~frame[column].isin(net.bus_dc.index) if len(frame) else pd.Series(dtype=bool)
            problems += _named(frame, table, column, bad, "no such bus in table bus_dc")
    switch = net.switch
    targets = {"b": net.bus, "l": net.line, "t": net.trafo, "t3": net.trafo3w}
    if len(switch):
        odd = ~switch.et.isin(list(targets))
        problems += _named(switch, "switch", "et", odd, "must be 'b', 'l', 't' or 't3'")
        for kind, target in targets.items():
            bad = (switch.et == kind) & ~switch.element.isin(target.index)
            problems += _named(
                switch, "switch", "element", bad, f"no such element of kind {kind!r}"
            )
    return problems


def _named(frame: pd.DataFrame, table: str, column: str, bad: Any, what: str) -> list[Problem]:
    """Return one problem for the rows of a mask."""
    mask = np.asarray(bad, dtype=bool)
    if not mask.any():
        return []
    rows = rows_text(frame.index[mask].tolist(), frame[column][mask].tolist())
    return [Problem(f"{table}, {column}", f"{rows}: {what}", "correct the number")]


def check_kinds(net: Any) -> list[Problem]:
    """Return elements that no engine here can represent."""
    problems = []
    for table, remedy in UNSUPPORTED.items():
        frame = net[table] if table in net else pd.DataFrame()
        active = frame[frame.in_service] if "in_service" in frame else frame
        if len(active):
            rows = rows_text(active.index.tolist())
            problems.append(Problem(table, f"{rows}: this element is not supported", remedy))
    return problems
