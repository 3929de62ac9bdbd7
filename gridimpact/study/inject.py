"""From profiles and a dispatch to the powers a power flow is given."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gridimpact.dispatch.execute import power_by_charger
from gridimpact.errors import GridError
from gridimpact.powerflow.given import phase_shares
from gridimpact.records import Dispatch, FloatArray, Injections, IntArray, PlanRequest
from gridimpact.study.demand import site_reactive_kvar
from gridimpact.study.elements import CHARGER, LOAD, ONE_PHASE_CARS, PV, Elements, elements_of
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec
from gridimpact.study.volt_var import volt_var_of


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
        Elements in this order: load of every site, PV of every site that has any, every charger;
        in a three-phase study, the cars of one phase at three-phase chargers apart from these.
        Positive draws from the grid.
    """
    found = elements_of(spec, with_cars=dispatch is not None)
    sites = spec.network.sites
    bus = bus_positions(spec, sites["bus"].to_numpy())
    shape = (segment.timeline.count, len(found.kind))
    active, reactive = np.zeros(shape), np.zeros(shape)
    zip_p, zip_q = np.zeros((shape[1], 2)), np.zeros((shape[1], 2))
    at = found.places(LOAD)
    active[:, at] = request.site_load_kw
    reactive[:, at] = site_reactive_kvar(spec, segment.steps)
    zip_p[at] = sites[["z_p", "z_i"]].to_numpy(dtype=np.float64)
    zip_q[at] = sites[["q_z", "q_i"]].to_numpy(dtype=np.float64)
    at = found.places(PV)
    active[:, at] = request.site_pv_kw[:, found.owner[at]]
    if dispatch is not None:
        _put_chargers(spec, request, dispatch, found, active, reactive)
    site = found.owner.copy()
    chargers = found.places(CHARGER, ONE_PHASE_CARS)
    site[chargers] = request.charger_site[found.owner[chargers]]
    return Injections(
        timeline=segment.timeline,
        bus=bus[site],
        p_kw=active[None],
        q_kvar=reactive[None],
        phase_share=phase_shares(list(found.phases)),
        zip_p=zip_p,
        zip_q=zip_q,
        connection=_connections(spec, found),
        volt_var=volt_var_of(spec, found),
    )


def _put_chargers(
    spec: StudySpec,
    request: PlanRequest,
    dispatch: Dispatch,
    found: Elements,
    active: FloatArray,
    reactive: FloatArray,
) -> None:
    """Write the chargers' power; that of one-phase cars at shared chargers apart from the rest."""
    power, q_kvar = charger_power(spec, request, dispatch)
    one = found.places(ONE_PHASE_CARS)
    if one.size:
        single = spec.fleet.vehicles["phases"].to_numpy() == 1
        own, own_q = charger_power(spec, request, dispatch, cars=single)
        shared = found.owner[one]
        active[:, one], reactive[:, one] = own[:, shared], own_q[:, shared]
        power[:, shared] -= own[:, shared]
        q_kvar[:, shared] -= own_q[:, shared]
    at = found.places(CHARGER)
    active[:, at], reactive[:, at] = power, q_kvar


def charger_power(
    spec: StudySpec,
    request: PlanRequest,
    dispatch: Dispatch,
    cars: np.ndarray | None = None,
) -> tuple[FloatArray, FloatArray]:
    """Return active [kW] and reactive [kvar] power of every charger, (time, charger).

    A vehicle's power goes to the charger of its stay; `cars`, (vehicle,), takes only some. Where the
    strategy sets no reactive power, chargers take the study's power factor, lagging, whichever way
    the active power flows, or 1 where their reactive power answers to voltage.
    """
    mask = np.ones(dispatch.p_kw.shape[1]) if cars is None else cars.astype(np.float64)
    power = power_by_charger(request, dispatch.p_kw * mask)
    if dispatch.q_kvar is not None:
        return power, power_by_charger(request, dispatch.q_kvar * mask)
    if "chargers" in spec.volt_var:
        return power, np.zeros_like(power)
    return power, np.abs(power) * float(np.tan(np.arccos(spec.charger_power_factor)))


def _connections(spec: StudySpec, found: Elements) -> IntArray | None:
    """Return 1 for elements in delta, None where all stand in star.

    Sites and chargers may carry a column ``connection`` with ``"star"`` or ``"delta"``; the letters of
    ``phases`` then name the pairs ab, bc and ca by their first phase, as pandapower's delta loads do.
    """
    delta = np.zeros(len(found.kind), dtype=np.int64)
    for table, kinds in (
        (spec.network.sites, (LOAD,)),
        (spec.fleet.chargers, (CHARGER, ONE_PHASE_CARS)),
    ):
        if "connection" in table:
            at = found.places(*kinds)
            own = (table["connection"].astype(str) == "delta").to_numpy()
            delta[at] = own[found.owner[at]]
    return delta if delta.any() else None


def bus_positions(spec: StudySpec, bus: np.ndarray) -> IntArray:
    """Return positions in the grid's bus axis of pandapower bus indices."""
    found = pd.Index(spec.network.grid.bus_index).get_indexer(pd.Index(bus)).astype(np.int64)
    if (found < 0).any():
        missing = sorted({int(b) for b in np.asarray(bus)[found < 0]})
        message = f"sites at buses {missing} that the network does not have; mend sites['bus']"
        raise GridError(message)
    return found
