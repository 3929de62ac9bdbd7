"""The elements power flows with constant power are given, and which of them carries the power of a site."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from gridimpact.records import BoolArray, FloatArray, Injections, IntArray
from gridimpact.study.elements import LOAD
from gridimpact.study.inject import bus_positions, frame_of
from gridimpact.study.spec import StudySpec


@dataclass(frozen=True)
class Charge:
    """How power of either direction is drawn."""

    direction: str
    sign: float
    """1 draws, -1 feeds."""
    tangent: float
    """Reactive power drawn over active power."""


DIRECTIONS = ("import", "export")


def charge_of(spec: StudySpec, direction: str, power_factor: float | None) -> Charge:
    """Return how one direction is drawn.

    Parameters
    ----------
    spec : StudySpec
        Its chargers' power factor holds for import.
    direction : str
        "import" or "export".
    power_factor : float or None
        Of both directions, lagging; None takes the study's for import and 1 for export.
    """
    own = spec.charger_power_factor if direction == "import" else 1.0
    factor = own if power_factor is None else power_factor
    return Charge(
        direction, 1.0 if direction == "import" else -1.0, float(np.tan(np.arccos(factor)))
    )


@dataclass(frozen=True)
class Connections:
    """The elements power flows are given, arrays over (element,) or (site,)."""

    still: Injections
    """Without power; elements of the study, then one for each site whose load is not constant power alone."""
    owner: IntArray
    """(element,) position of the site."""
    carrier: IntArray
    """(site,) element that takes added power: that of the load where it is constant power."""
    site_bus: IntArray
    """(site,) position on the bus axis."""
    share: FloatArray
    """(site, 3) of each phase."""
    star: BoolArray
    """(site,)"""


def connections_of(spec: StudySpec) -> Connections:
    """Return the elements power flows are given and which of them take added power."""
    frame = frame_of(spec, with_cars=False)
    still, load = frame.still, frame.found.places(LOAD)
    sites = spec.network.sites
    plain = (still.zip_p[load] == 0.0).all(axis=1) & (still.zip_q[load] == 0.0).all(axis=1)
    if still.volt_var is not None:
        plain &= ~np.isin(load, still.volt_var.element)
    apart = load[~plain]
    carrier = load.copy()
    carrier[~plain] = len(still.bus) + np.arange(len(apart))
    connection = None
    if still.connection is not None:
        connection = np.r_[still.connection, still.connection[apart]]
    extended = dataclasses.replace(
        still,
        bus=np.r_[still.bus, still.bus[apart]],
        p_kw=np.zeros((1, 1, len(still.bus) + len(apart))),
        q_kvar=np.zeros((1, 1, len(still.bus) + len(apart))),
        phase_share=np.concatenate([still.phase_share, still.phase_share[apart]]),
        zip_p=np.concatenate([still.zip_p, np.zeros((len(apart), 2))]),
        zip_q=np.concatenate([still.zip_q, np.zeros((len(apart), 2))]),
        connection=connection,
    )
    delta = np.zeros(len(load)) if still.connection is None else still.connection[load]
    return Connections(
        still=extended,
        owner=np.r_[frame.found.owner, frame.found.owner[apart]],
        carrier=carrier,
        site_bus=bus_positions(spec, sites["bus"].to_numpy()),
        share=still.phase_share[load],
        star=np.asarray(delta == 0),
    )
