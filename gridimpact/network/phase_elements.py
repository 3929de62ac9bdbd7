"""What a net's own loads, generators and storages draw, phase by phase, star and delta."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gridimpact.records import FloatArray, IntArray

_DRAWN = {"load": 1.0, "sgen": -1.0, "storage": 1.0}
_BY_PHASE = {"asymmetric_load": 1.0, "asymmetric_sgen": -1.0}


@dataclass(frozen=True)
class PhaseElements:
    """Elements in service with their power by phase, as `gridimpact.records.Injections` counts it.

    Attributes
    ----------
    table : tuple of str
        pandapower table of each element.
    index : ndarray, shape (element,)
        Its index there.
    bus : ndarray, shape (element,)
        Position in the bus table.
    p_kw, q_kvar : ndarray, shape (element, 3)
        Drawn from the grid by phase a, b, c, or between ab, bc, ca of a delta [kW], [kvar].
    connection : ndarray, shape (element,)
        0 star to neutral, 1 delta.
    """

    table: tuple[str, ...]
    index: IntArray
    bus: IntArray
    p_kw: FloatArray
    q_kvar: FloatArray
    connection: IntArray


def phase_elements(net: Any) -> PhaseElements:
    """Return every load, static generator and storage in service, whatever its ``type`` says.

    Parameters
    ----------
    net : pandapowerNet
        Not written to.

    Returns
    -------
    PhaseElements
        In the order load, sgen, storage, asymmetric_load, asymmetric_sgen.

    Notes
    -----
    A ``type`` of "delta" is a delta, anything else a star: symmetric elements draw evenly.
    pandapower's ``runpp_3ph`` (3.5) counts "wye" and "delta" alone and leaves out storages,
    generators of other types and loads of other types.
    """
    tables: list[str] = []
    found: dict[str, list[Any]] = {key: [] for key in ("index", "bus", "p", "q", "delta")}
    for table, sign in (_DRAWN | _BY_PHASE).items():
        rows = net[table][net[table]["in_service"].astype(bool)]
        scale = 1e3 * sign * rows["scaling"].to_numpy(dtype=np.float64)[:, None]
        tables += [table] * len(rows)
        found["index"].append(rows.index.to_numpy(dtype=np.int64))
        found["bus"].append(net["bus"].index.get_indexer(rows["bus"]))
        found["p"].append(scale * _powers(rows, table, "p", "mw"))
        found["q"].append(scale * _powers(rows, table, "q", "mvar"))
        found["delta"].append(_delta(rows))
    joined = {key: np.concatenate(value) for key, value in found.items()}
    return PhaseElements(
        table=tuple(tables),
        index=joined["index"],
        bus=joined["bus"].astype(np.int64),
        p_kw=joined["p"],
        q_kvar=joined["q"],
        connection=joined["delta"],
    )


def _powers(rows: Any, table: str, letter: str, unit: str) -> FloatArray:
    if table in _BY_PHASE:
        columns = [f"{letter}_{phase}_{unit}" for phase in "abc"]
        return np.asarray(rows[columns].to_numpy(dtype=np.float64))
    whole = rows[f"{letter}_{unit}"].to_numpy(dtype=np.float64)
    return np.repeat(whole[:, None] / 3, 3, axis=1)


def _delta(rows: Any) -> IntArray:
    if "type" not in rows:
        return np.zeros(len(rows), dtype=np.int64)
    return np.array([1 if kind == "delta" else 0 for kind in rows["type"]], dtype=np.int64)
