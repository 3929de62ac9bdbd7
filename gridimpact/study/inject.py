"""From profiles and a dispatch to the powers a power flow is given."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gridimpact.dispatch.execute import power_by_charger
from gridimpact.errors import GridError
from gridimpact.records import Dispatch, FloatArray, Injections, IntArray, PlanRequest
from gridimpact.study.demand import site_reactive_kvar
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec


def inject(
    spec: StudySpec, segment: Segment, request: PlanRequest, dispatch: Dispatch | None
) -> Injections:
    """Return the injections of one strategy over one segment, scenario axis of length 1.

    Parameters
    ----------
    dispatch : Dispatch or None
        None is the case without added cars.

    Returns
    -------
    Injections
        Elements in this order: load of every site, PV of every site that has any, every charger.
        Positive draws from the grid.
    """
    sites = spec.network.sites
    bus = bus_positions(spec, sites["bus"].to_numpy())
    phases = phase_shares([str(p) for p in sites["phases"]])
    load, pv = request.site_load_kw, request.site_pv_kw
    with_pv = np.flatnonzero(spec.profiles.pv_p_kw.min(axis=0) < 0.0)
    zip_p = sites[["z_p", "z_i"]].to_numpy(dtype=np.float64)
    zip_q = sites[["q_z", "q_i"]].to_numpy(dtype=np.float64)
    none = np.zeros((with_pv.size, 2))
    parts_p = [load, pv[:, with_pv]]
    parts_q = [site_reactive_kvar(spec, segment.steps), np.zeros((len(pv), with_pv.size))]
    places, shares = [bus, bus[with_pv]], [phases, phases[with_pv]]
    zips_p, zips_q = [zip_p, none], [zip_q, none]
    if dispatch is not None:
        power, reactive = charger_power(spec, request, dispatch)
        parts_p.append(power)
        parts_q.append(reactive)
        places.append(bus[request.charger_site])
        shares.append(phase_shares([str(p) for p in spec.fleet.chargers["phases"]]))
        zips_p.append(np.zeros((power.shape[1], 2)))
        zips_q.append(np.zeros((power.shape[1], 2)))
    return Injections(
        timeline=segment.timeline,
        bus=np.concatenate(places),
        p_kw=np.concatenate(parts_p, axis=1)[None],
        q_kvar=np.concatenate(parts_q, axis=1)[None],
        phase_share=np.concatenate(shares),
        zip_p=np.concatenate(zips_p),
        zip_q=np.concatenate(zips_q),
    )


def charger_power(
    spec: StudySpec, request: PlanRequest, dispatch: Dispatch
) -> tuple[FloatArray, FloatArray]:
    """Return active [kW] and reactive [kvar] power of every charger, (time, charger).

    A vehicle's power goes to the charger of its stay. Where the strategy sets no reactive power,
    chargers take the study's power factor, lagging, whichever way the active power flows.
    """
    power = power_by_charger(request, dispatch.p_kw)
    if dispatch.q_kvar is not None:
        return power, power_by_charger(request, dispatch.q_kvar)
    return power, np.abs(power) * float(np.tan(np.arccos(spec.charger_power_factor)))


def bus_positions(spec: StudySpec, bus: np.ndarray) -> IntArray:
    """Return positions in the grid's bus axis of pandapower bus indices."""
    found = pd.Index(spec.network.grid.bus_index).get_indexer(pd.Index(bus)).astype(np.int64)
    if (found < 0).any():
        missing = sorted({int(b) for b in np.asarray(bus)[found < 0]})
        message = f"sites at buses {missing} that the network does not have; mend sites['bus']"
        raise GridError(message)
    return found


def phase_shares(phases: list[str]) -> FloatArray:
    """Return the share of each phase, (element, 3), rows summing to 1.

    Examples
    --------
    >>> phase_shares(["b"]).tolist()
    [[0.0, 1.0, 0.0]]
    """
    shares = np.array([[float(p in text) for p in "abc"] for text in phases]).reshape(-1, 3)
    normal: FloatArray = shares / shares.sum(axis=1, keepdims=True)
    return normal
