"""What the connection of a site leaves to its cars, an equal share to each of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gridimpact.dispatch.execute import full_power, power_by_site
from gridimpact.records import BoolArray, FloatArray, IntArray, PlanRequest


class Connection(NamedTuple):
    """Room of each car under its site's limits, (time, site) [kW], zero or more."""

    site: IntArray
    """(stay,)"""
    room_kw: FloatArray
    """To draw; infinite where no fuse is known."""
    spare_kw: FloatArray
    """To feed, a magnitude."""


def connection_shares(request: PlanRequest, controlled: BoolArray) -> Connection:
    """Return an equal share for every controlled car plugged in of what its site's connection leaves.

    Parameters
    ----------
    request : PlanRequest
        Load, generation and limits.
    controlled : ndarray of bool
        (vehicle,); the others charge uncontrolled and go before them.
    """
    stays = request.stays
    free, _, _ = full_power(request)
    others = np.where(controlled[None, :], 0.0, free)
    net = request.site_load_kw + request.site_pv_kw + power_by_site(request, others)
    edges = np.zeros((request.timeline.count + 1, len(request.site_id)))
    own = controlled[stays.vehicle] & (stays.start < stays.end)
    np.add.at(edges, (stays.start[own], stays.site[own]), 1.0)
    np.add.at(edges, (stays.end[own], stays.site[own]), -1.0)
    cars = np.maximum(np.cumsum(edges, axis=0)[:-1], 1.0)
    room = np.maximum(request.site_import_limit_kw[None, :] - net, 0.0) / cars
    spare = np.maximum(request.site_export_limit_kw[None, :] + net, 0.0) / cars
    return Connection(np.array(stays.site, dtype=np.int64), room, spare)
