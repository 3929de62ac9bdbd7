"""Cars that share what a transformer leaves: by its measured load, or by its predicted hot spot."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from gridimpact.ageing.kernels import advance
from gridimpact.dispatch.grid_aware.allocate import allocation_problems, share_budget
from gridimpact.dispatch.grid_aware.protocol import Heat, Measured, Wanted
from gridimpact.dispatch.grid_aware.settings import Settings
from gridimpact.dispatch.kernels_graph import compiled
from gridimpact.errors import InputError, Problem
from gridimpact.records import FloatArray

HIGHEST_LIMIT = 3.0
"""No transformer is run above this share of its rating."""
SETTLED_H = 1e6
"""Long enough for every temperature to settle [h]."""
_HALVINGS = 45
_CENTRAL_LATENCY = 60.0
"""From measurement to answer of a controller that is not in the charger itself [s]: an own choice."""


@dataclass(frozen=True)
class _SharedLimit(Settings, ABC):
    """What both strategies do with a limit of loading."""

    allocation: str = field(default="equal", kw_only=True)
    latency_s: float = field(default=_CENTRAL_LATENCY, kw_only=True)

    @property
    def knows_departures(self) -> bool:
        """Whether the departures of cars plugged in are asked for."""
        return self.guard or self.allocation == "laxity"

    @abstractmethod
    def loading_limit_pu(self, measured: Measured) -> FloatArray:
        """Return the highest loading allowed, (scenario, transformer) [pu]."""

    def respond(self, measured: Measured, wanted: Wanted) -> FloatArray:
        """Return the magnitude allowed, (scenario, vehicle) [kW].

        What the cars had when it was measured, and the headroom of then on top, counted as active power.
        """
        loading = np.where(np.isnan(measured.loading_pu), np.inf, measured.loading_pu)
        headroom = (self.loading_limit_pu(measured) - loading) * measured.rated_kw
        return shared_by_transformer(wanted, measured.answering_kw + headroom, self.allocation)


def shared_by_transformer(wanted: Wanted, budget_kw: FloatArray, rule: str) -> FloatArray:
    """Return what each car gets of the budget of its transformer, (scenario, vehicle) [kW].

    Parameters
    ----------
    wanted : Wanted
        What the answering cars want.
    budget_kw : ndarray
        (scenario, transformer) [kW].
    rule : str
        A name of `gridimpact.dispatch.grid_aware.allocate.ALLOCATIONS`.
    """
    scenarios, transformers = budget_kw.shape
    first = np.arange(scenarios)[:, None] * transformers
    group = np.where(wanted.transformer >= 0, wanted.transformer + first, -1)
    shared = share_budget(
        wanted.size_kw.ravel(),
        group.ravel(),
        budget_kw.ravel(),
        rule,
        least_kw=wanted.least_kw.ravel(),
        laxity_h=wanted.laxity_h.ravel(),
    )
    return shared.reshape(wanted.size_kw.shape)


@dataclass(frozen=True)
class MeasuredLimit(_SharedLimit):
    """Cars share what a limit of the transformer's measured current leaves.

    Parameters
    ----------
    limit : float
        Share of the rated current that may be used, at the worst phase.
    allocation : str
        "equal": the same power to every car as far as it wants it; "proportional": the same share of what
        each wants; "laxity": those first that can wait least.
    latency_s : float
        From measurement to answer [s].

    Notes
    -----
    Cars that load the transformer answer: those that charge while it draws, those that feed while it feeds
    back. Households and cars that do not answer may pass the limit on their own. Only the transformer that
    supplies the charger's network directly is regarded, none upstream of it.
    """

    limit: float = 0.9

    name: ClassVar[str] = "grid_aware_measured_limit"

    def problems(self) -> list[Problem]:
        """Return what is wrong with limit and allocation."""
        found = allocation_problems(self.allocation)
        if not 0.0 < self.limit <= HIGHEST_LIMIT:
            remedy = f"give a share of the rating above 0, at most {HIGHEST_LIMIT:g}, such as 0.9"
            found.append(Problem("limit", f"is {self.limit}", remedy))
        return found

    def loading_limit_pu(self, measured: Measured) -> FloatArray:
        """Return the limit, (scenario, transformer) [pu]."""
        return np.full(measured.loading_pu.shape, self.limit)


@dataclass(frozen=True)
class HotSpotLimit(_SharedLimit):
    """Cars share the largest load that keeps the transformer's predicted hot spot below a limit.

    Parameters
    ----------
    limit_c : float
        Hot-spot temperature not to be passed [degC]. 110 degC is where IEEE C57.91-2011 counts normal ageing
        of thermally upgraded paper; 98 degC that of IEC 60076-7 for other paper.
    hold_h : float
        Time for which the load must be bearable if it stayed as it is [h]; 0 looks to the end of the step
        only, which lets a cold transformer be overloaded while its oil warms up.
    highest_loading : float
        Share of the rated current never to be passed, however cold the transformer is; 1.5 is the limit
        of IEC 60076-7 for distribution transformers under normal cyclic loading.
    allocation, latency_s
        As in `MeasuredLimit`.

    Notes
    -----
    Before each step the limit is turned into a loading by the thermal model of the study itself (IEEE C57.91
    clause 7, one step, air temperature of the step known), so prediction and assessment agree. Needs a study
    with `ambient`. The temperatures are those a monitor at the transformer would tell.
    """

    limit_c: float = 110.0
    hold_h: float = field(default=0.0, kw_only=True)
    highest_loading: float = field(default=1.5, kw_only=True)

    name: ClassVar[str] = "grid_aware_hot_spot_limit"

    def problems(self) -> list[Problem]:
        """Return what is wrong with limits and allocation."""
        found = allocation_problems(self.allocation)
        if not 40.0 <= self.limit_c <= 250.0:
            remedy = "give a hot-spot temperature from 40 to 250 degC, such as 110"
            found.append(Problem("limit_c", f"is {self.limit_c}", remedy))
        if not 0.0 <= self.hold_h < np.inf:
            found.append(Problem("hold_h", f"is {self.hold_h}", "give hours, 0 or above"))
        if not 0.0 < self.highest_loading <= HIGHEST_LIMIT:
            remedy = f"give a share of the rating above 0, at most {HIGHEST_LIMIT:g}"
            found.append(Problem("highest_loading", f"is {self.highest_loading}", remedy))
        return found

    def loading_limit_pu(self, measured: Measured) -> FloatArray:
        """Return the loading that brings the hot spot to the limit, (scenario, transformer) [pu].

        Raises
        ------
        InputError
            Where temperatures are not studied.
        """
        if measured.heat is None:
            message = (
                f"strategy {self.name}: temperatures are not studied; give the study an ambient"
            )
            raise InputError(message)
        return largest_loading(measured.heat, self.limit_c, self.hold_h, self.highest_loading)


def largest_loading(
    heat: Heat, limit_c: float, hold_h: float = 0.0, highest: float = HIGHEST_LIMIT
) -> FloatArray:
    """Return the largest loading whose hot spot stays at or below a limit, (scenario, transformer) [pu].

    Parameters
    ----------
    heat : Heat
        Temperatures at the begin of the step.
    limit_c : float
        Hot-spot limit [degC].
    hold_h : float
        Time the loading must be bearable [h], at least the step.
    highest : float
        Largest loading looked for [pu].

    Returns
    -------
    ndarray
        0 where the transformer passes the limit even without load.

    Notes
    -----
    Under a constant load oil and winding approach their ends exponentially, so the hot spot is rising in the
    loading at the end of the step and at the end of `hold_h`; both are kept at or below the limit.
    """
    found = np.empty(heat.rise_k.shape)
    hours = (SETTLED_H if heat.steady else heat.dt_h, max(hold_h, heat.dt_h))
    state = (heat.rise_k, heat.gradient_k, heat.ambient_c, heat.oil_share)
    invert(state, heat.plates, hours, (limit_c, highest), found)
    return found


@compiled
def passes(loading: float, state: Any, plate: FloatArray, hours: float, limit: float) -> bool:
    """Return whether the hot spot is above a limit after some hours of a loading."""
    rise, gradient, ambient, share = state
    oil, _ = advance(rise, gradient, loading * share, plate, hours, True)
    _, winding = advance(rise, gradient, loading, plate, hours, True)
    return bool(ambient + oil + winding > limit)


@compiled
def invert(state: Any, plates: FloatArray, hours: Any, limits: Any, out: FloatArray) -> None:
    """Write the largest loading of every scenario and transformer, by halving."""
    rise, gradient, ambient, share = state
    limit, highest = limits
    for s in range(out.shape[0]):
        for e in range(out.shape[1]):
            now = (rise[s, e], gradient[s, e], ambient[s, e], share[s, e])
            low, high = 0.0, highest
            middle = highest
            for _ in range(_HALVINGS):
                over = passes(middle, now, plates[e], hours[0], limit)
                if not over and hours[1] > hours[0]:
                    over = passes(middle, now, plates[e], hours[1], limit)
                if over:
                    high = middle
                else:
                    low = middle
                if low == high:
                    break
                middle = 0.5 * (low + high)
            out[s, e] = low
