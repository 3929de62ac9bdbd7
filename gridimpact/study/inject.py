"""From profiles and a dispatch to the powers a power flow is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from gridimpact.dispatch.execute import add_power_at
from gridimpact.errors import GridError
from gridimpact.powerflow.given import phase_shares
from gridimpact.records import Dispatch, FloatArray, Injections, IntArray, PlanRequest
from gridimpact.study.demand import site_reactive_kvar
from gridimpact.study.elements import CHARGER, LOAD, ONE_PHASE_CARS, PV, Elements, elements_of
from gridimpact.study.requests import site_of_chargers
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec
from gridimpact.study.volt_var import volt_var_of
from gridimpact.timeline import Timeline


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
    frame = frame_of(spec, with_cars=dispatch is not None)
    reactive_kvar = site_reactive_kvar(spec, segment.steps)
    active, reactive = frame.of_sites(request.site_load_kw, request.site_pv_kw, reactive_kvar)
    if dispatch is not None:
        frame.put_cars(request, dispatch, active, reactive)
    return frame.injections(segment.timeline, active[None], reactive[None])


@dataclass(frozen=True)
class Frame:
    """The connected elements of a study, the same at every step; arrays over (element,).

    Attributes
    ----------
    found : Elements
        Kinds, owners and phases.
    still : Injections
        One step of one scenario without any power: buses, shares, connections and what answers to voltage.
    place : mapping of str to int
        Element of each charger, by charger id.
    place_of_single : mapping of str to int
        Element of the one-phase cars of those chargers that have one apart.
    single : frozenset of str
        Ids of the vehicles of one phase.
    tangent : float or None
        Reactive over active power of chargers where a strategy sets none; None where it answers to voltage.
    """

    found: Elements
    still: Injections
    place: Mapping[str, int]
    place_of_single: Mapping[str, int]
    single: frozenset[str]
    tangent: float | None

    def of_sites(
        self, load_kw: FloatArray, pv_kw: FloatArray, reactive_kvar: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return active [kW] and reactive power [kvar], (time, element), zero at chargers.

        Parameters
        ----------
        load_kw, pv_kw, reactive_kvar : ndarray
            (time, site); PV is not above zero.
        """
        shape = (len(load_kw), len(self.found.kind))
        active, reactive = np.zeros(shape), np.zeros(shape)
        at = self.found.places(LOAD)
        active[:, at], reactive[:, at] = load_kw, reactive_kvar
        at = self.found.places(PV)
        active[:, at] = pv_kw[:, self.found.owner[at]]
        return active, reactive

    def put_cars(
        self, request: PlanRequest, dispatch: Dispatch, active: FloatArray, reactive: FloatArray
    ) -> None:
        """Add the cars' power to (time, element) arrays in which chargers have none yet.

        A vehicle's power goes to the charger of its stay, that of one-phase cars at shared three-phase
        chargers apart from the rest. Where the strategy sets no reactive power, chargers take the study's power
        factor, lagging, whichever way the active power flows, or 1 where their reactive power answers to
        voltage.
        """
        element = self._element_of_stays(request)
        add_power_at(request, dispatch.p_kw, element, active)
        if dispatch.q_kvar is not None:
            add_power_at(request, dispatch.q_kvar, element, reactive)
        elif self.tangent is not None and len(self.place):
            cars = slice(int(self.found.places(CHARGER)[0]), None)
            np.multiply(np.abs(active[:, cars]), self.tangent, out=reactive[:, cars])

    def injections(
        self, timeline: Timeline, active: FloatArray, reactive: FloatArray
    ) -> Injections:
        """Return injections of (scenario, time, element) powers."""
        return replace(self.still, timeline=timeline, p_kw=active, q_kvar=reactive)

    def _element_of_stays(self, request: PlanRequest) -> IntArray:
        """Return the element that the car of each stay loads, (stay,)."""
        stays = request.stays
        of_charger = np.array([self.place[c] for c in request.charger_id], dtype=np.int64)
        element = of_charger[stays.charger]
        if self.place_of_single:
            one = [self.place_of_single.get(c, -1) for c in request.charger_id]
            apart = np.array(one, dtype=np.int64)[stays.charger]
            single = np.array([v in self.single for v in request.vehicle_id], dtype=np.bool_)
            element = np.where(single[stays.vehicle] & (apart >= 0), apart, element)
        return element


def frame_of(spec: StudySpec, *, with_cars: bool) -> Frame:
    """Return what the injections of a study have in common at all steps.

    Parameters
    ----------
    spec : StudySpec
        The study, its power flow decided.
    with_cars : bool
        False is the case without added cars.
    """
    found = elements_of(spec, with_cars=with_cars)
    sites, count = spec.network.sites, len(found.kind)
    bus = bus_positions(spec, sites["bus"].to_numpy())
    zip_p, zip_q = np.zeros((count, 2)), np.zeros((count, 2))
    at = found.places(LOAD)
    zip_p[at] = sites[["z_p", "z_i"]].to_numpy(dtype=np.float64)
    zip_q[at] = sites[["q_z", "q_i"]].to_numpy(dtype=np.float64)
    site = found.owner.copy()
    cars = found.places(CHARGER, ONE_PHASE_CARS)
    names = [str(c) for c in spec.fleet.chargers.index]
    at_site = site_of_chargers(spec)
    site[cars] = at_site[found.owner[cars]]
    still = Injections(
        timeline=spec.timeline.part(0, 1),
        bus=bus[site],
        p_kw=np.zeros((1, 1, count)),
        q_kvar=np.zeros((1, 1, count)),
        phase_share=phase_shares(list(found.phases)),
        zip_p=zip_p,
        zip_q=zip_q,
        connection=_connections(spec, found),
        volt_var=volt_var_of(spec, found),
    )
    vehicles = spec.fleet.vehicles
    place, place_of_single = (
        {names[found.owner[k]]: int(k) for k in found.places(kind)}
        for kind in (CHARGER, ONE_PHASE_CARS)
    )
    tangent = float(np.tan(np.arccos(spec.charger_power_factor)))
    return Frame(
        found=found,
        still=still,
        place=place,
        place_of_single=place_of_single,
        single=frozenset(str(v) for v in vehicles.index[(vehicles["phases"] == 1).to_numpy()]),
        tangent=None if "chargers" in spec.volt_var else tangent,
    )


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
