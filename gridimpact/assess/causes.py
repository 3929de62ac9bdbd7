"""Which cars were drawing or feeding behind an element, at one step or on the mean of many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order

from gridimpact.assess.context import AssessContext
from gridimpact.assess.meters import presence
from gridimpact.records import BoolArray, Dispatch, FloatArray, Grid, IntArray, PlanRequest

NAMED = 3
"""Cars named in a text; the others are counted."""
ACTIVE_KW = 0.05


@dataclass
class Causes:
    """Looks up who was charging where; built once for all violations of a strategy.

    Behind a line or transformer are the sites it supplies on the shortest way from a source;
    behind a bus are the sites of its feeder, behind a busbar those of its transformer.
    """

    context: AssessContext
    parts: dict[int, tuple[IntArray, FloatArray, tuple[str, ...]]]
    """By segment: site of each (time, vehicle), power and vehicle ids."""
    site_bus: IntArray
    parents: IntArray
    sites_of: dict[tuple[str, int], BoolArray] = field(default_factory=dict)
    means: dict[tuple[bytes, int, int, int], FloatArray] = field(default_factory=dict)
    """Mean power of each vehicle behind a set of sites, looked up by many events of one week."""

    @classmethod
    def start(
        cls, context: AssessContext, segments: Mapping[int, tuple[PlanRequest, Dispatch]]
    ) -> Causes:
        """Return the look-up for the segments in which cars drive, by number."""
        parts = {
            number: (presence(request), dispatch.p_kw, request.vehicle_id)
            for number, (request, dispatch) in segments.items()
        }
        sites = pd.Index(context.grid.bus_index).get_indexer(pd.Index(context.sites["bus"]))
        return cls(context, parts, sites.astype(np.int64), supply_parents(context.grid))

    def text(
        self,
        axis: str,
        element: int,
        segment: int,
        step: int,
        feeding: bool | None = None,
        steps: int = 1,
    ) -> str:
        """Return the strongest cars behind an element, "" where there was none.

        Parameters
        ----------
        axis : str
            ``"bus"``, ``"line"``, ``"transformer"``, ``"site"`` or ``"network"``.
        element : int
            Position on its axis.
        segment, step : int
            When.
        feeding : bool, optional
            Whether cars that feed are looked for rather than cars that draw; by default whichever
            is more.
        steps : int
            Powers are means over this many steps that end with `step`.
        """
        if segment not in self.parts:
            return ""
        names = self.parts[segment][2]
        behind = self._behind(axis, element)
        power = self._power(behind, segment, step, steps)
        if feeding is None:
            feeding = bool(power.sum() < 0.0)
        strength = -power if feeding else power
        found = np.flatnonzero(strength > ACTIVE_KW)
        if not found.size:
            return ""
        order = found[np.argsort(-strength[found], kind="stable")]
        text = ", ".join(f"{names[k]} {strength[k]:.1f} kW" for k in order[:NAMED])
        if order.size > NAMED:
            text += f" (+{order.size - NAMED} more, {strength[order].sum():.1f} kW in all)"
        return text

    def _power(self, behind: BoolArray, segment: int, step: int, steps: int) -> FloatArray:
        """Return the mean power of every vehicle while it stands behind an element, (vehicle,)."""
        place, power, _ = self.parts[segment]
        if steps == 1:
            inside = (place[step] >= 0) & behind[place[step]]
            return np.where(inside, power[step], 0.0)
        first = max(step - steps + 1, 0)
        key = (behind.tobytes(), segment, first, step)
        if key not in self.means:
            at = place[first : step + 1]
            inside = (at >= 0) & behind[at]
            self.means[key] = np.where(inside, power[first : step + 1], 0.0).mean(axis=0)
        return self.means[key]

    def _behind(self, kind: str, element: int) -> BoolArray:
        """Return (site,) whether each site lies behind an element."""
        key = (kind, element)
        if key not in self.sites_of:
            self.sites_of[key] = self._search(kind, element)
        return self.sites_of[key]

    def _search(self, kind: str, element: int) -> BoolArray:
        grid, bus = self.context.grid, self.site_bus
        if kind == "network":
            return np.ones(len(bus), dtype=np.bool_)
        if kind == "site":
            return np.asarray(np.arange(len(bus)) == element)
        if kind == "bus":
            same = grid.bus_transformer[bus] == grid.bus_transformer[element]
            if grid.bus_feeder[element] > 0:
                same &= grid.bus_feeder[bus] == grid.bus_feeder[element]
            return np.asarray(same)
        branch = (grid.line_branch if kind == "line" else grid.transformer_branch)[element]
        ends = grid.admittance.branch_from[branch], grid.admittance.branch_to[branch]
        far = [b for a, b in (ends, ends[::-1]) if self.parents[b] == a]
        if branch < 0 or not far:
            return np.zeros(len(bus), dtype=np.bool_)
        node = grid.bus_node[bus].copy()
        behind = np.zeros(len(bus), dtype=np.bool_)
        while np.any(node >= 0):
            behind |= node == far[0]
            node = np.where(node >= 0, self.parents[node], -1)
        return behind


def supply_parents(grid: Grid) -> IntArray:
    """Return the node before each node on the shortest way from a source, -1 at sources.

    Parameters
    ----------
    grid : Grid
        Network extract.

    Returns
    -------
    numpy.ndarray
        (node,) positions; ways are counted in branches, in radial networks there is only one.
    """
    admittance = grid.admittance
    count = len(admittance.node_vn_kv)
    sources = admittance.slack_node
    # One node more stands above all sources, so that one search serves several.
    rows = np.concatenate([admittance.branch_from, np.full(len(sources), count)])
    columns = np.concatenate([admittance.branch_to, sources])
    links = coo_array((np.ones(len(rows)), (rows, columns)), (count + 1, count + 1)).tocsr()
    before = breadth_first_order(links, count, directed=False, return_predecessors=True)[1]
    parents = np.asarray(before[:count], dtype=np.int64)
    return np.where((parents < 0) | (parents == count), -1, parents)
