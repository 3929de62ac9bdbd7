"""Compiles the numerical kernels once per installation, so that the first study need not wait."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

import gridimpact as gi
from gridimpact.hosting.judge import Judge
from gridimpact.records import Network, Profiles, ScanSettings
from gridimpact.study.catalogue import STRATEGIES
from gridimpact.study.inject import inject
from gridimpact.study.power_flow import flow_setup, resolved
from gridimpact.study.requests import build_requests
from gridimpact.study.segments import Segment

BUILDING = "Home 1"
LARGE = ("g2v.average_rate", "v2g.arbitrage", "g2v.decentralised_valley_filling", "v2h.backup")
"""Strategies that take long to compile, told first so that no process ends with one of them."""


def compile_kernels(workers: int | None = None) -> None:
    """Run every strategy on a few homes and days; what is compiled stays in numba's cache.

    Parameters
    ----------
    workers : int, optional
        Processes that compile side by side; by default one per core, at most four.
    """
    count = workers or min(os.cpu_count() or 1, 4)
    others = [name for name in STRATEGIES if name not in ("uncontrolled", *LARGE)]
    rest = [LARGE, *(tuple(others[k::3]) for k in range(3))]
    if count == 1:
        _balanced(("uncontrolled",))
        _three_phases()
        _judged()
        for names in rest:
            _balanced(names)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=spawn) as pool:
        # What all strategies share is compiled before they are, by one process only.
        first = [pool.submit(_balanced, ("uncontrolled",)), pool.submit(_three_phases)]
        for job in first:
            job.result()
        for job in [pool.submit(_balanced, names) for names in rest] + [pool.submit(_judged)]:
            job.result()


def _homes() -> tuple[Network, Profiles]:
    """Return a small network and its demand."""
    net = gi.open_network("kerber_rural", busbar_vm_pu=1.0, site_kinds={BUILDING: "building"})
    time = gi.Timeline.days("2016-06-06", 3, step="1h", zone="Europe/Berlin")
    homes = gi.synthesize_households(
        net, time, heat_pump_share=0.3, pv_share=0.5, buildings={BUILDING: 30_000.0}, seed=1
    )
    return net, homes


def _balanced(names: tuple[str, ...]) -> None:
    """Run strategies on a balanced network."""
    net, homes = _homes()
    time = homes.timeline
    cars = gi.place(gi.synthesize_fleet(8, time, seed=1), net, seed=1)
    fleet = gi.place(gi.synthesize_fleet(2, time, kind="fleet", seed=1), net, at=BUILDING, seed=1)
    strategies: list[Any] = list(names)
    if names == ("uncontrolled",):
        strategies.append(gi.Mix({gi.g2v.TransformerLimit(): 0.4, gi.v2g.PeakShaving(): 0.3}))
    gi.Study(
        net,
        homes,
        [cars, fleet],
        strategies=strategies,
        prices={"home": "nl_2019", "building": "building_subscribed"},
        ambient="germany_2016",
    ).run(days="all", verify=1, progress=False)


def _three_phases() -> None:
    """Run single-phase cars in three phases, with and without reactive power that answers."""
    net, homes = _homes()
    made = gi.synthesize_fleet(4, homes.timeline, charger="ac_3.7kw", seed=2)
    cars = gi.place(made, net, seed=2)
    for volt_var in ({}, {"pv": "ieee_1547_b"}):
        gi.Study(
            net, homes, cars, strategies=["uncontrolled"], zero_sequence="assume",
            volt_var=volt_var,
        ).run(days="all", progress=False)  # fmt: skip


def _judged() -> None:
    """Judge a scenario of a scan over a whole week."""
    net = gi.open_network("kerber_rural", busbar_vm_pu=1.0)
    time = gi.Timeline.days("2016-06-06", 7, step="1h", zone="Europe/Berlin")
    homes = gi.synthesize_households(net, time, seed=1)
    cars = gi.place(gi.synthesize_fleet(2, time, seed=1), net, seed=1)
    study = gi.Study(net, homes, cars, strategies=["uncontrolled"], limits="en_50160")
    spec = resolved(study.spec)
    segment = Segment("week", 0, time, np.ones(time.count, dtype=np.bool_))
    request, setup = build_requests(spec, segment), flow_setup(spec)
    given = inject(spec, segment, request, None)
    asked = ScanSettings((1,), ("uncontrolled",), {}, {}, days="all")
    tally = Judge(spec, asked).start(1)
    tally.begin(0, segment, request.site_load_kw[None])
    tally.take(0, setup.engine.solve(spec.network.grid, given, setup.options))
    tally.end({})
    tally.finish()
