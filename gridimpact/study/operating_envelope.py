"""Dynamic operating envelopes: what each connection may draw and feed at every step, by the power flow itself.

All active connections are taken to their level at once, and the largest level that keeps every limit of the
network is found by halving on the real power flow, all steps side by side.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridimpact.assess.limits import LimitProfile, limit_profile
from gridimpact.dispatch.grid_aware.allocate import allocation_problems
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.errors import InputError, raise_problems
from gridimpact.powerflow.engine import take_part
from gridimpact.records import BoolArray, FloatArray, IntArray, PlanRequest
from gridimpact.study.elements import CHARGER, LOAD, elements_of
from gridimpact.study.inject import inject
from gridimpact.study.operating_envelope_limits import FUSES, FlowLimits
from gridimpact.study.operating_envelope_record import WAYS, OperatingEnvelopes
from gridimpact.study.power_flow import FlowSetup, flow_setup, resolved
from gridimpact.study.requests import build_requests
from gridimpact.study.segments import Segment, choose_segments
from gridimpact.study.spec import StudySpec

TOLERANCE_KW = 1e-3
"""Width of the last bracket [kW]."""
UNFUSED_KW = 100.0
"""Highest level looked for at a connection without a known fuse [kW]."""


def operating_envelopes(
    study: Any,
    *,
    days: str | Sequence[str] = "all",
    allocation: str = "equal",
    limits: str | LimitProfile | Mapping[str, Any] | None = None,
    tolerance_kw: float = TOLERANCE_KW,
) -> OperatingEnvelopes:
    """Return dynamic operating envelopes of every connection with a charger.

    Parameters
    ----------
    study : Study or StudySpec
        Network, demand and chargers; where it has no charger, every connection takes part.
    days : str or sequence of str
        As `Study.run`; margins around design days are part of the result.
    allocation : str
        "equal": the same level [kW] to every connection, up to its main fuse; "proportional": the same share of
        every main fuse.
    limits : str, mapping or LimitProfile, optional
        Voltage and loading to be kept; by default those of the study. Hot spot and ageing are not regarded.
    tolerance_kw : float
        Width of the last bracket of the level [kW].

    Returns
    -------
    OperatingEnvelopes

    Raises
    ------
    InputError
        If the allocation is unknown or the tolerance not positive.

    Notes
    -----
    Import is held against low voltage, export against high voltage, both against the loading of lines and
    transformers and the main fuses. At a level every active connection draws (feeds) that much at its meter,
    with the power factor of chargers beyond its own demand; voltages and loadings then follow from the power
    flow of that step. A level is a worst case: where all draw less, voltage and loading are better, as long
    as power flows one way. Limits of a step rest on the demand of that very step: a perfect forecast.
    """
    _check(allocation, tolerance_kw)
    spec: StudySpec = getattr(study, "spec", study)
    spec = resolved(spec)
    if limits is not None:
        spec = dataclasses.replace(spec, limits=limit_profile(limits))
    setup = flow_setup(spec)
    net = spec.profiles.load_p_kw.sum(axis=1) + spec.profiles.pv_p_kw.sum(axis=1)
    segments = choose_segments(spec.timeline, days, net, spec.profiles.pv_p_kw.sum(axis=1))
    parts = [
        envelopes_of(
            spec,
            segment,
            build_requests(spec, segment),
            setup,
            allocation=allocation,
            tolerance_kw=tolerance_kw,
        )
        for segment in segments
    ]
    return _joined(parts)


def _check(allocation: str, tolerance_kw: float) -> None:
    """Refuse wishes that mean nothing."""
    raise_problems(
        allocation_problems(allocation, ("equal", "proportional")), "operating envelopes"
    )
    if not tolerance_kw > 0.0:
        message = f"tolerance_kw is {tolerance_kw}, give a power above 0, such as 1e-3"
        raise InputError(message)


def envelopes_of(
    spec: StudySpec,
    segment: Segment,
    request: PlanRequest,
    setup: FlowSetup,
    *,
    allocation: str = "equal",
    tolerance_kw: float = TOLERANCE_KW,
) -> OperatingEnvelopes:
    """Return the envelopes of one segment; see `operating_envelopes`."""
    network = _Connections(spec, segment, request, setup, allocation)
    found = {way: network.level(way, tolerance_kw) for way in WAYS}
    drawn = network.meter(found["import"].level, "import")
    fed = network.meter(found["export"].level, "export")
    return OperatingEnvelopes(
        times=segment.timeline.times,
        site_id=request.site_id,
        active=network.active,
        import_kw=np.where(network.active, drawn, np.maximum(network.own, 0.0)),
        export_kw=np.where(network.active, -fed, np.maximum(-network.own, 0.0)),
        import_level=found["import"].level,
        export_level=found["export"].level,
        import_binding=found["import"].binding,
        export_binding=found["export"].binding,
        import_kept=found["import"].kept,
        export_kept=found["export"].kept,
        allocation=allocation,
        limits=spec.limits.name,
    )


@dataclass(frozen=True)
class _Found:
    """Level of one way at every step, what binds there, and whether it keeps the limits at all."""

    level: FloatArray
    binding: tuple[str, ...]
    kept: BoolArray


class _Connections:
    """The connections of one segment and the network behind them."""

    def __init__(
        self,
        spec: StudySpec,
        segment: Segment,
        request: PlanRequest,
        setup: FlowSetup,
        allocation: str,
    ) -> None:
        idle = uncontrolled_dispatch(request)
        idle = dataclasses.replace(idle, p_kw=np.zeros_like(idle.p_kw))
        self._given = inject(spec, segment, request, idle)
        self._spec, self._setup = spec, setup
        self.own = request.site_load_kw + request.site_pv_kw
        self._element, self.active = _elements(spec, request)
        fuse = np.minimum(request.site_import_limit_kw, request.site_export_limit_kw)
        self._fuse = np.where(np.isfinite(fuse), fuse, UNFUSED_KW)
        self._equal = allocation == "equal"
        self._tangent = float(np.tan(np.arccos(spec.charger_power_factor)))
        self._limits = FlowLimits(spec, setup.phases)
        keep: tuple[str, ...] = ("vm_pu", "line_loading_percent", "transformer_loading_percent")
        if len(spec.network.grid.transformer3w_index):
            keep += ("transformer3w_loading_percent",)
        self._options = dataclasses.replace(setup.options, keep=keep)

    def meter(self, level: FloatArray, way: str) -> FloatArray:
        """Return power at every meter at a level, (time, site) [kW]; own demand beyond it stays."""
        wanted = level[:, None] if self._equal else level[:, None] * self._fuse
        wanted = np.minimum(wanted, self._fuse)
        if way == "import":
            return np.asarray(np.where(self.active, np.maximum(wanted, self.own), self.own))
        return np.asarray(np.where(self.active, np.minimum(-wanted, self.own), self.own))

    def level(self, way: str, tolerance_kw: float) -> _Found:
        """Return the largest level that keeps every limit, for every step."""
        top = float(self._fuse[self.active].max(initial=0.0)) if self._equal else 1.0
        width = tolerance_kw if self._equal else tolerance_kw / float(self._fuse.max(initial=1.0))
        steps = len(self.own)
        low, high = np.zeros(steps), np.full(steps, top)
        free, _ = self._keeps(high, way)
        kept, first = self._keeps(low, way)
        low = np.where(free, high, low)
        rounds = int(np.ceil(np.log2(max(top / width, 1.0))))
        searched = ~free & kept
        for _ in range(rounds if searched.any() else 0):
            middle = 0.5 * (low + high)
            fine, _ = self._keeps(middle, way)
            low = np.where(searched & fine, middle, low)
            high = np.where(searched & ~fine, middle, high)
        above = self._keeps(high, way)[1] if searched.any() else first
        names = np.where(free, FUSES, np.where(kept, above, first))
        return _Found(low, tuple(str(n) for n in names), kept | free)

    def _keeps(self, level: FloatArray, way: str) -> tuple[BoolArray, NDArray[np.object_]]:
        """Return whether each step keeps its limits at a level, and the name of what is passed most."""
        given = self._given
        extra = self.meter(level, way) - self.own
        p, q = given.p_kw.copy(), given.q_kvar.copy()
        sites = np.flatnonzero(self.active)
        p[0][:, self._element[sites]] += extra[:, sites]
        q[0][:, self._element[sites]] += np.abs(extra[:, sites]) * self._tangent
        full = dataclasses.replace(given, p_kw=p, q_kvar=q)
        keeps, names = [], []
        for first in range(0, len(level), self._setup.lanes):
            part = take_part(full, slice(0, 1), slice(first, first + self._setup.lanes))
            flow = self._setup.engine.solve(self._spec.network.grid, part, self._options)
            fine, name = self._limits.judge(flow, way)
            keeps.append(fine)
            names.append(name)
        return np.concatenate(keeps), np.concatenate(names)


def _elements(spec: StudySpec, request: PlanRequest) -> tuple[IntArray, BoolArray]:
    """Return the element that moves each site's power, and which sites take part."""
    found = elements_of(spec, with_cars=True)
    loads, chargers = found.places(LOAD), found.places(CHARGER)
    element = loads[np.argsort(found.owner[loads])].astype(np.int64)
    active = np.full(len(request.site_id), not len(chargers), dtype=np.bool_)
    # The first charger of a site stands for its connection.
    for place in chargers[::-1]:
        site = request.charger_site[found.owner[place]]
        element[site], active[site] = place, True
    return element, active


def _joined(parts: Sequence[OperatingEnvelopes]) -> OperatingEnvelopes:
    """Return the envelopes of several segments one after the other."""
    first = parts[0]
    change: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in (
            "times",
            "import_kw",
            "export_kw",
            "import_level",
            "export_level",
            "import_kept",
            "export_kept",
        )
    }
    for name in ("import_binding", "export_binding"):
        change[name] = tuple(text for part in parts for text in getattr(part, name))
    return dataclasses.replace(first, **change)
