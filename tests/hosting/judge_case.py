"""Scenarios of a small network judged together, and each of them alone as a study assesses it."""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import pandapower as pp

import gridimpact as gi
from gridimpact.assess import AssessContext, SegmentResult, assess, compare_with_base
from gridimpact.hosting.judge import Judge, Readings
from gridimpact.hosting.readings import KINDS
from gridimpact.powerflow.given import phase_shares
from gridimpact.records import LIMIT_BIT, FlowResult, Injections, ScanSettings
from gridimpact.study.power_flow import flow_setup, resolved
from gridimpact.study.requests import build_requests
from gridimpact.study.segments import Segment
from gridimpact.study.spec import StudySpec
from tests.study.case import constant

NINE_DAYS = gi.Timeline.days("2016-01-11", 9, step="1h", zone="UTC")
SETTINGS = ScanSettings(
    cars=(1, 2), labels=("uncontrolled",), managed={}, firm={}, days="2016-01-12/2016-01-18"
)


@lru_cache(maxsize=1)
def two_feeders() -> Any:
    """Return a 10/0.4 kV station with two cables, five homes and one unrated line."""
    net = pp.create_empty_network(name="two feeders")
    station, busbar = pp.create_bus(net, 10.0), pp.create_bus(net, 0.4)
    pp.create_ext_grid(net, station, vm_pu=1.01)
    pp.create_transformer(net, station, busbar, "0.25 MVA 10/0.4 kV")
    number = 0
    for homes in (3, 2):
        last = busbar
        for _ in range(homes):
            bus, number = pp.create_bus(net, 0.4), number + 1
            pp.create_line(net, last, bus, 0.12, "NAYY 4x50 SE")
            pp.create_load(net, bus, p_mw=0.004, q_mvar=0.001, name=f"Home {number}")
            last = bus
    net.line.loc[net.line.index[-1], ["max_i_ka", "std_type"]] = [np.nan, None]
    return gi.open_network(net)


@lru_cache(maxsize=16)
def spec_with(limits: Any, power_flow: str = "balanced", timeline: Any = NINE_DAYS) -> StudySpec:
    """Return a study of five homes under some limits, its power flow decided."""
    net = two_feeders()
    car = gi.synthesize_fleet(1, timeline, seed=1)
    study = gi.Study(
        net, constant(net, timeline), gi.place(car, net, seed=1), strategies=["uncontrolled"],
        limits=dict(limits) if isinstance(limits, tuple) else limits,
        power_flow=power_flow, zero_sequence="assume",
    )  # fmt: skip
    return resolved(study.spec)


def middle_week(spec: StudySpec) -> Segment:
    """Return nine days of which the seven in the middle count."""
    day = spec.timeline.steps_per_day
    counted = np.zeros(spec.timeline.count, dtype=np.bool_)
    counted[day:-day] = True
    return Segment("week", 0, spec.timeline, counted)


@dataclasses.dataclass(frozen=True)
class Case:
    """Solved scenarios of one segment; the first is the one without cars."""

    spec: StudySpec
    segment: Segment
    flow: FlowResult
    site_p_kw: Any
    heat: dict[str, Any]
    asymmetry: Any = None

    def one(self, number: int) -> SegmentResult:
        """Return one scenario as a study's segment."""
        part = slice(number, number + 1)
        request = build_requests(self.spec, self.segment)
        request = dataclasses.replace(
            request,
            site_load_kw=self.site_p_kw[number],
            site_pv_kw=np.zeros_like(self.site_p_kw[number]),
        )
        return SegmentResult(
            self.segment.timeline, flow_part(self.flow, part), self.segment.counted, request, None,
            **{name: values[part] for name, values in self.heat.items()},
            site_asymmetry_kva=None if self.asymmetry is None else self.asymmetry[part],
        )  # fmt: skip


def flow_part(flow: FlowResult, scenario: slice, time: Any = slice(None)) -> FlowResult:
    """Return some scenarios and steps of a power flow."""
    return dataclasses.replace(
        flow,
        **{
            field.name: getattr(flow, field.name)[scenario, time]
            for field in dataclasses.fields(flow)
            if isinstance(getattr(flow, field.name), np.ndarray) and getattr(flow, field.name).size
        },
    )


@lru_cache(maxsize=8)
def solved(limits: Any, power_flow: str = "balanced") -> Case:
    """Return six scenarios from the engine: random demand with ever more on top, the same in each case."""
    spec = spec_with(limits, power_flow)
    rng = np.random.default_rng(7)
    segment, sites = middle_week(spec), len(spec.network.sites)
    added = np.array([0.0, 0.0, 0.02, 8.0, 20.0, -25.0])[:, None, None]
    shape = (len(added), spec.timeline.count, sites)
    power = np.broadcast_to(rng.gamma(2.0, 5.5, shape[1:]), shape) + added * rng.random(shape[1:])
    phases = ["abc"] * sites
    if power_flow == "three_phase":
        phases, power = ["abc", "a", "b", "abc", "c"], 0.3 * power
    bus = np.searchsorted(spec.network.grid.bus_index, spec.network.sites["bus"])
    given = Injections(
        timeline=spec.timeline,
        bus=bus.astype(np.int64),
        p_kw=power,
        q_kvar=0.1 * power,
        phase_share=phase_shares(phases),
        zip_p=np.zeros((sites, 2)),
        zip_q=np.zeros((sites, 2)),
    )
    setup = flow_setup(spec)
    flow = setup.engine.solve(spec.network.grid, given, setup.options)
    hot = 60.0 + 0.9 * flow.transformer_loading_percent
    heat = {"hot_spot_c": hot, "top_oil_c": hot - 20.0, "ageing_rate": 2.0 ** ((hot - 98.0) / 6.0)}
    return Case(spec, segment, flow, power, heat, np.abs(0.3 * power))


def read(
    case: Case, cuts: Any = (), scenarios: slice = slice(None), settings: ScanSettings = SETTINGS
) -> Readings:
    """Return what scenarios of a case read, its time cut at some steps."""
    count = len(case.flow.status[scenarios])
    tally = Judge(case.spec, settings, object()).start(count)
    tally.begin(0, case.segment, case.site_p_kw[scenarios])
    edges = [0, *sorted(cuts), case.segment.timeline.count]
    for first, last in pairwise(edges):
        time = slice(first, last)
        uneven = None if case.asymmetry is None else case.asymmetry[scenarios, time]
        tally.take(first, flow_part(case.flow, scenarios, time), site_asymmetry_kva=uneven)
    tally.end({name: values[scenarios] for name, values in case.heat.items()})
    return tally.finish()


def masks_alone(case: Case) -> tuple[list[int], list[int], list[Any]]:
    """Return by scenario the limits broken by cars, those broken at all, and the assessment, one by one."""
    context = AssessContext(
        grid=case.spec.network.grid, sites=case.spec.network.sites, limits=case.spec.limits
    )
    alone = [assess(context, case.one(k), "x") for k in range(len(case.flow.status))]
    caused, there = [], []
    for one in alone:
        table = compare_with_base(one, alone[0]).violations
        worse = table.loc[table["origin"].isin(["ev_caused", "aggravated"]), "kind"]
        caused.append(mask_of(worse))
        there.append(mask_of(table["kind"]))
    return caused, there, alone


@lru_cache(maxsize=8)
def judged_alone(limits: Any, power_flow: str = "balanced") -> Any:
    """Return `masks_alone` of a solved case."""
    return masks_alone(solved(limits, power_flow))


def mask_of(kinds: Any) -> int:
    """Return the bits of kinds of violation."""
    return int(np.bitwise_or.reduce([LIMIT_BIT[KINDS[k].limit] for k in set(kinds)] + [0]))
