"""Cars that share what an operating envelope leaves their connection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridimpact.dispatch.grid_aware.allocate import share_budget
from gridimpact.dispatch.grid_aware.envelope import OperatingEnvelope
from gridimpact.dispatch.grid_aware.protocol import GridAware, Wanted
from gridimpact.records import FloatArray, IntArray, PlanRequest
from gridimpact.study.closed_loop_settle import placed
from gridimpact.study.operating_envelope import envelopes_of
from gridimpact.study.power_flow import FlowSetup
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec


@dataclass(frozen=True)
class SiteRooms:
    """Room of every connection beside its own demand.

    Attributes
    ----------
    draw_kw, feed_kw : ndarray
        (scenario, time, site) power that cars may draw or feed, magnitudes [kW].
    charger_site : ndarray of int
        (charger,)
    """

    draw_kw: FloatArray
    feed_kw: FloatArray
    charger_site: IntArray

    def keep(self, t: int, power: FloatArray, wanted: Wanted) -> FloatArray:
        """Return power with the cars of each connection inside its room, shared equally.

        Parameters
        ----------
        t : int
            Step.
        power : ndarray
            (scenario, vehicle) at the meter [kW]; cars that do not answer use up room first.
        wanted : Wanted
            What the answering cars want.
        """
        scenarios, _, sites = self.draw_kw.shape
        plugged = wanted.charger >= 0
        first = np.arange(scenarios)[:, None] * sites
        site = np.where(plugged, self.charger_site[wanted.charger], 0) + first
        for way, room in ((1.0, self.draw_kw), (-1.0, self.feed_kw)):
            mine = plugged & (wanted.size_kw > 0.0) & (np.sign(power) == way)
            if not mine.any():
                continue
            left = room[:, t].ravel().copy()
            others = plugged & ~mine
            np.subtract.at(left, site[others], way * power[others])
            got = share_budget(
                np.where(mine, wanted.size_kw, 0.0).ravel(),
                np.where(mine, site, -1).ravel(),
                left,
                "equal",
                least_kw=np.where(mine, wanted.least_kw, 0.0).ravel(),
            )
            power = placed(power, mine, got.reshape(power.shape))
        return power


def fuse_rooms(requests: Sequence[PlanRequest]) -> SiteRooms:
    """Return the rooms that the main fuses leave beside each site's own demand of the step."""
    first = requests[0]
    own = np.stack([r.site_load_kw + r.site_pv_kw for r in requests])
    draw = np.stack([r.site_import_limit_kw for r in requests])[:, None] - own
    feed = np.stack([r.site_export_limit_kw for r in requests])[:, None] + own
    return SiteRooms(np.maximum(draw, 0.0), np.maximum(feed, 0.0), first.charger_site)


def site_rooms(
    strategy: GridAware,
    spec: StudySpec,
    segment: Segment,
    requests: Sequence[PlanRequest],
    setup: FlowSetup,
) -> SiteRooms | None:
    """Return the rooms a strategy keeps to, None where it keeps to none."""
    if not isinstance(strategy, OperatingEnvelope):
        return None
    draw, feed = [], []
    for request in requests:
        found = envelopes_of(spec, segment, request, setup, allocation=strategy.allocation)
        own = request.site_load_kw + request.site_pv_kw
        draw.append(np.maximum(found.import_kw - own, 0.0))
        feed.append(np.maximum(found.export_kw + own, 0.0))
    return SiteRooms(np.stack(draw), np.stack(feed), requests[0].charger_site)
