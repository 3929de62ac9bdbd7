"""The cars that are there at one level: cut out of a draw's plan request, or out of its study."""

from __future__ import annotations

import dataclasses

import numpy as np

from gridimpact.hosting.draw_record import Draw, present
from gridimpact.records import BoolArray, IntArray, Note, PlanRequest, Stays
from gridimpact.study.spec import StudySpec


def request_with(request: PlanRequest, draw: Draw, cars: int) -> PlanRequest:
    """Return a draw's plan request with only the vehicles that are there, and their chargers and stays.

    Parameters
    ----------
    request : PlanRequest
        Of ``draw.spec``, as `gridimpact.study.requests.build_requests` makes it.
    draw : Draw
        The draw.
    cars : int
        Number of private cars.

    Returns
    -------
    PlanRequest
        The same as the request of ``spec_with(draw, cars)``; vehicles and chargers keep their order.

    Raises
    ------
    InputError
        If the draw holds fewer cars.
    """
    here, plugs = present(draw, cars), np.asarray(draw.charger_first_at <= cars)
    if here.all() and plugs.all():
        return request
    cars_here, plugs_here = np.flatnonzero(here), np.flatnonzero(plugs)
    batteries = request.batteries
    kva = request.charger_s_kva
    kind = request.charger_kind
    return dataclasses.replace(
        request,
        vehicle_id=_chosen(request.vehicle_id, cars_here),
        batteries=type(batteries)(
            **{f.name: getattr(batteries, f.name)[here] for f in dataclasses.fields(batteries)}
        ),
        soc_initial=request.soc_initial[here],
        stays=_stays(request.stays, here, plugs),
        charger_id=_chosen(request.charger_id, plugs_here),
        charger_site=request.charger_site[plugs],
        charger_s_kva=None if kva is None else kva[plugs],
        charger_kind=None if kind is None else _chosen(kind, plugs_here),
        group_member=np.ascontiguousarray(request.group_member[:, plugs]),
    )


def spec_with(draw: Draw, cars: int) -> StudySpec:
    """Return a draw at a number of private cars as a study of its own.

    Raises
    ------
    InputError
        If the draw holds fewer cars.
    """
    here, plugs = present(draw, cars), draw.charger_first_at <= cars
    fleet = draw.spec.fleet
    vehicles = fleet.vehicles[here]
    sessions = fleet.sessions[fleet.sessions["vehicle_id"].isin(vehicles.index).to_numpy()]
    text = f"Draw {draw.number} of a hosting scan with {cars} of {draw.most} private cars."
    return dataclasses.replace(
        draw.spec,
        fleet=dataclasses.replace(
            fleet, vehicles=vehicles, chargers=fleet.chargers[plugs], sessions=sessions
        ),
        notes=(*draw.spec.notes, Note("info", "hosting", text)),
    )


def _chosen(names: tuple[str, ...], rows: IntArray) -> tuple[str, ...]:
    return tuple(names[k] for k in rows.tolist())


def _stays(stays: Stays, here: BoolArray, plugs: BoolArray) -> Stays:
    """Return the stays of the vehicles that are there, vehicles and chargers numbered anew."""
    kept = here[stays.vehicle]
    rows = np.flatnonzero(kept)
    columns = {
        f.name: getattr(stays, f.name)[kept]
        for f in dataclasses.fields(stays)
        if f.name != "session_id"
    }
    columns["vehicle"] = (np.cumsum(here) - 1)[columns["vehicle"]]
    columns["charger"] = (np.cumsum(plugs) - 1)[columns["charger"]]
    return Stays(session_id=_chosen(stays.session_id, rows), **columns)
