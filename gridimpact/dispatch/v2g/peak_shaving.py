"""Peaks cut: all enrolled cars planned together for the groups they load, by squares or by the highest load."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from gridimpact.dispatch.enrolment import check_share, enrolled_vehicles
from gridimpact.dispatch.execute import execute, power_by_group
from gridimpact.dispatch.kernels_plans import Common, plan_together
from gridimpact.dispatch.kernels_storage import Storage
from gridimpact.dispatch.linear_program_peak import Loads, least_peak
from gridimpact.dispatch.linear_program_windows import Roller, Window
from gridimpact.dispatch.strategy import Foresight, label, plan_in_id_order
from gridimpact.dispatch.v2g.reserve import with_reserve
from gridimpact.errors import InputError
from gridimpact.records import BoolArray, Dispatch, FloatArray, Note, PlanRequest

GAP = 1e-5
"""Relative gap to the joint optimum at which a window counts as solved."""

ROUNDS = 60

OBJECTIVES = ("squares", "peak")

PENALTY = 1e3
"""Worth of a kWh missing at a departure over the relief price of a kWh at the limit."""


@dataclass(frozen=True)
class PeakShaving:
    """Charge in the valleys of the groups' demand and discharge into its peaks.

    With the objective "squares" it minimises, for all enrolled cars together, the sum over steps of
    ``relief / (2 limit) * load**2`` of every group plus the wear of every discharged kWh: peaks are cut to
    a level, valleys are filled to a level, and the two stay as far apart as losses and wear make worth
    while. With "peak" it minimises the highest load of every group and local day, whatever the wear, and
    of all plans with these peaks takes one of least wear. Perfect foresight of demand and stays within 48
    hours, so the result is an upper bound.

    Parameters
    ----------
    reserve_soc : float
        No discharge below this state of charge, nor below the reserve of the stay.
    enrolled : float
        Share of cars that take part.
    relief_per_kwh : float
        What it is worth to take one kWh off a group that is at its import limit [currency/kWh]; at half
        the limit it is half of that. Cars discharge where the difference between now and the time of
        charging outweighs losses and wear, so that a lightly loaded transformer is left alone. The
        default is about the price of energy. It plays no part with "peak".
    objective : str
        "squares" for the flattest load, or "peak" for the least peak.

    Notes
    -----
    "peak" is one linear program a window, exact to the solver's 1e-7. With "squares" each car in turn gets
    its exact best answer to all the others until the certified distance to the joint optimum of the window
    is below 1e-5 of the loads' cost; a note tells where it is not. Windows see 48 hours and keep 24; energy
    left at a window's end is worth the cheapest quarter of the steps seen. A main fuse is shared equally by the cars planned behind it. Nothing is discharged while a
    group feeds back. A car that arrives below its reserve is charged to it before it takes part.
    """

    reserve_soc: float = 0.4
    enrolled: float = 0.3
    relief_per_kwh: float = 0.3
    objective: str = "squares"

    name: ClassVar[str] = "v2g_peak_shaving"
    bidirectional: ClassVar[bool] = True
    foresight: ClassVar[Foresight] = Foresight(stays="perfect", base_load="perfect")

    def __post_init__(self) -> None:
        """Check the settings."""
        check_share(self.reserve_soc, "reserve_soc")
        check_share(self.enrolled, "enrolled")
        if not self.relief_per_kwh > 0.0:
            message = f"relief_per_kwh is {self.relief_per_kwh}, give a price above 0, such as 0.3"
            raise InputError(message)
        if self.objective not in OBJECTIVES:
            message = f"objective {self.objective!r} is unknown; use one of {', '.join(OBJECTIVES)}"
            raise InputError(message)

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the joint plan of the enrolled cars; the others charge uncontrolled."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        request = with_reserve(request, self.reserve_soc)
        controlled = enrolled_vehicles(request, self.enrolled)
        roller = Roller(request, controlled)
        groups = _Groups(roller, controlled, self.relief_per_kwh)
        asked = roller.plan(groups.answer if self.objective == "squares" else groups.least)
        found = execute(request, asked, strategy=label(self), controlled=controlled)
        if groups.gap <= GAP:
            return found
        text = f"a window stopped at a relative gap of {groups.gap:.1e}, above {GAP:.0e}"
        return replace(found, notes=(Note("warning", self.name, text),))


class _Groups:
    """Loads of the groups, and the joint answer of the cars to them."""

    def __init__(self, roller: Roller, controlled: BoolArray, relief: float) -> None:
        request = roller.request
        others = np.where(controlled[None, :], 0.0, roller.free.p_kw)
        base = request.background_kw + power_by_group(request, others)
        self._base = np.ascontiguousarray(base.T)
        self._curve = relief / np.ascontiguousarray(reference_load(request, base).T)
        self._net = roller.site_net_kw(controlled)
        self._request, self._relief = request, relief
        self._last: tuple[int, FloatArray] | None = None
        self.gap = 0.0

    def answer(self, window: Window) -> FloatArray:
        """Return the joint plan of a window, (vehicle, time) [kW]."""
        span = slice(window.first, window.last)
        base, curve = self._base[:, span], self._curve[:, span]
        member = self._members(window)
        level = np.einsum("vgt,gt->vt", member.astype(np.float64), curve * base)
        window.cells.value[:] = window.cheap(level)
        storage = self._storage(window, member, base)
        p_kw, energy = self._begin(window), np.zeros(level.shape)
        common = Common(np.ascontiguousarray(curve), np.ascontiguousarray(base), member)
        timing = (window.dt_h, PENALTY * self._relief, GAP, ROUNDS)
        reached = plan_together(storage, window.cells, common, timing, p_kw, energy)
        self.gap = max(self.gap, reached)
        self._last = (window.first, p_kw)
        return p_kw

    def least(self, window: Window) -> FloatArray:
        """Return the plan of least peaks of a window, (vehicle, time) [kW]."""
        if not window.storage.plugged.any():
            return np.zeros(window.storage.up_kw.shape)
        base = np.ascontiguousarray(self._base[:, window.first : window.last])
        member = self._members(window)
        day = self._request.timeline.local_day[window.first : window.last]
        loads = Loads(base, member, day - day[0])
        storage = self._storage(window, member, base)
        return least_peak(storage, window.cells, loads, dt_h=window.dt_h).p_kw

    def _members(self, window: Window) -> BoolArray:
        """Return in which groups each car's power counts, (vehicle, group, time)."""
        member = self._request.group_member[:, window.charger].transpose(1, 0, 2)
        return np.ascontiguousarray(member & window.storage.plugged[:, None, :])

    def _storage(self, window: Window, member: BoolArray, base_kw: FloatArray) -> Storage:
        """Return the batteries within fuse and reserve; nothing is fed to a group that feeds back."""
        feeds_back = (member & (base_kw <= 0.0)).any(axis=1)
        room, spare = self._room(window)
        return window.guarded(window.limited(room, np.where(feeds_back, 0.0, spare)))

    def _begin(self, window: Window) -> FloatArray:
        """Return a first plan: the part of the last window that was not kept."""
        p_kw = np.zeros(window.storage.up_kw.shape)
        if self._last is not None:
            begin, before = self._last
            known = before[:, window.first - begin :]
            p_kw[:, : known.shape[1]] = known
        return p_kw

    def _room(self, window: Window) -> tuple[FloatArray, FloatArray]:
        """Return how much each car may draw and feed under its main fuse, (vehicle, time) [kW]."""
        steps = np.arange(window.first, window.last)
        plugged, sites = window.storage.plugged, self._net.shape[1]
        cell = np.arange(steps.size) * sites + window.site
        busy = np.bincount(cell[plugged], minlength=sites * steps.size)
        share = np.maximum(busy[cell], 1)
        net = self._net[steps, window.site]
        room = self._request.site_import_limit_kw[window.site] - net
        spare = self._request.site_export_limit_kw[window.site] + net
        return room / share, spare / share


def reference_load(request: PlanRequest, base_kw: FloatArray) -> FloatArray:
    """Return the load at which relief has its full worth, (time, group) [kW].

    The group's import limit; where there is none, the highest load without the planned cars.
    """
    limit = request.import_limit_kw
    highest = np.maximum(np.abs(base_kw).max(axis=0, initial=0.0), 1.0)
    usable = np.isfinite(limit) & (limit > 0.0)
    return np.where(usable, limit, highest[None, :])
