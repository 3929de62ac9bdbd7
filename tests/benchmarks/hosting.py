"""Time of hosting scans: a thousand draws of a village, a linear program, cost by draw, plain pandapower.

Run by ``make bench-hosting``. Writes ``benchmarks_hosting.md`` into the folder asked for.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import os
import platform
import resource
import tempfile
import time as clock
from pathlib import Path
from typing import Any

import numpy as np

import gridimpact as gi
from tests.benchmarks.cluster_schedule import feeders_table

WEEK = "2016-01-18/2016-01-24"
CARS = 57
PLAIN_STEPS = 192


def village(cars: int = CARS, limits: str = "eu_lv_planning") -> gi.Study:
    """Return the village with a pool of cars, heat pumps in half of the homes, and a winter week."""
    net = gi.open_network("kerber_village_250kva", busbar_vm_pu=1.0)
    time = gi.Timeline.days("2016-01-17", 9, step="15min", zone="Europe/Berlin")
    air = gi.load_ambient("germany_2016", time)
    homes = gi.synthesize_households(
        net, time, annual_kwh=3500, heat_pump_share=0.5, ambient=air, seed=1
    )
    fleet = gi.synthesize_fleet(4 * cars, time, charger="ac_11kw", ambient=air, seed=1)
    placed = gi.place(fleet, net, cars_per_home=4.0, seed=1)
    return gi.Study(
        net,
        homes,
        placed,
        strategies=["uncontrolled"],
        prices="nl_2019",
        ambient=air,
        limits=limits,
    )


def five() -> list[Any]:
    """Return the strategies of the thousand draws."""
    return [
        gi.Uncontrolled(),
        gi.g2v.DelayedStart(),
        gi.g2v.AverageRate(),
        gi.g2v.ValleyFilling(),
        gi.g2v.TransformerLimit(),
    ]


def scan(
    study: gi.Study, strategies: list[Any], draws: int, workers: int, *, levels: bool = False
) -> dict[str, float]:
    """Run one level of cars, or all of them refined, and return wall time, processor time and peak memory of all processes."""
    before = _processor_s()
    started = clock.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        found = gi.hosting_capacity(
            study, cars=None if levels else [CARS], strategies=strategies, days=WEEK, draws=draws, refine=levels,
            workers=workers, out=Path(folder) / "scan", seed=1, progress=False,
        )  # fmt: skip
        size = sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file())
    wall = clock.perf_counter() - started
    return {
        "draws": draws,
        "wall_s": wall,
        "processor_s": _processor_s() - before,
        "bytes": float(size),
        "memory_gb": _memory_gb(found),
    }


def _processor_s() -> float:
    own, others = (
        resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def _memory_gb(found: gi.Scan) -> float:
    """Return the peak memory of this process and all workers [GB]."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    run = found.manifest["run"]
    return own + float(run["workers"]) * float(run["peak_worker_gb"])


def plain_pandapower(study: gi.Study, steps: int = PLAIN_STEPS) -> dict[str, float]:
    """Return what one power flow costs in a loop over pandapower's runpp, loadings read [s].

    The powers are those of uncontrolled charging, set in the table of loads; voltages of the step before
    start the next. Planning, temperatures and verdicts, which the scan's time holds, are left out here.
    """
    import pandapower as pp

    spec = study.spec
    one = gi.build_requests(spec, study_segment(study))
    power = one.site_load_kw + one.site_pv_kw
    cars = gi.plan(gi.Uncontrolled(), one).p_kw
    net = copy.deepcopy(spec.network.net)
    net.load.drop(net.load.index, inplace=True)
    for bus in spec.network.sites["bus"]:
        pp.create_load(net, int(bus), 0.0, 0.0)
    at = one.charger_site[: cars.shape[1]]
    started = clock.process_time()
    worst = np.inf
    for step in range(steps):
        active = power[step].copy()
        np.add.at(active, at, cars[step])
        net.load["p_mw"] = active / 1e3
        net.load["q_mvar"] = 0.2 * active / 1e3
        pp.runpp(net, init="results" if step else "auto")
        worst = min(worst, float(net.res_bus.vm_pu.min()))
        float(net.res_line.loading_percent.max())
        float(net.res_trafo.loading_percent.max())
    return {"flow_s": (clock.process_time() - started) / steps, "vm_min_pu": worst}


def study_segment(study: gi.Study) -> Any:
    """Return the week with its margins."""
    from gridimpact.study.segments import choose_segments

    load = study.spec.profiles.load_p_kw.sum(axis=1)
    return choose_segments(study.spec.timeline, WEEK, load, 0.0 * load)[0]


def main() -> None:
    """Measure and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--most", type=int, default=10_000)
    parser.add_argument("--program", type=int, default=1000, help="draws of the linear program")
    asked = parser.parse_args()
    study = village()
    scan(study, five(), 4, 1)
    big = scan(study, five(), asked.draws, 2)
    alone = scan(study, five(), max(asked.draws // 10, 20), 1)
    program = scan(study, [gi.v2g.PeakShaving(enrolled=1.0)], asked.program, 2)
    counts = [n for n in (100, 1000, asked.most) if n <= asked.most]
    grown = [scan(study, [gi.Uncontrolled()], n, 2) for n in counts]
    plain = plain_pandapower(study)
    tight = village(limits="eu_lv_dso")
    feeder = scan(tight, [gi.Uncontrolled(), gi.g2v.ValleyFilling()], 200, 2, levels=True)
    text = _page(big, alone, program, grown, plain, feeder)
    (asked.out / "benchmarks_hosting.md").write_text(text, encoding="utf-8")


def _page(
    big: dict[str, float],
    alone: dict[str, float],
    program: dict[str, float],
    grown: list[dict[str, float]],
    plain: dict[str, float],
    feeder: dict[str, float],
) -> str:
    """Return the page."""
    flows = 9 * 96 * 6
    ours = alone["processor_s"] / alone["draws"]
    ratio = plain["flow_s"] * flows / ours
    lines = [
        "# Time of hosting scans",
        "",
        f"Measured on {os.cpu_count()} cores ({platform.machine()}, Python {platform.python_version()}). The "
        f"village of 116 buses on 250 kVA, {CARS} cars, one winter week at 15 minutes with a day before and "
        "after (864 steps); planning, power flow, temperatures, ageing, verdicts and files are in every time.",
        "",
        "| scan | draws | wall s | processor s | per draw, processor ms | peak memory GB | kB stored a draw |",
        "|---|---|---|---|---|---|---|",
        _row("five strategies, two workers", big),
        _row("five strategies, one worker", alone),
        _row("v2g_peak_shaving (linear programs) beside uncontrolled", program),
        *(_row("uncontrolled alone", each) for each in grown),
        "",
        f"What further draws cost is flat: {_further(grown)}; the rest is the start of the workers.",
        "",
        f"A loop over pandapower's `runpp` takes {1e3 * plain['flow_s']:.1f} ms of processor time for one of "
        f"these power flows, loadings read, nothing planned, aged or judged: {plain['flow_s'] * flows:.0f} s for "
        f"the {flows:,} flows of a draw (five strategies and the case without cars). The scan takes "
        f"{1e3 * ours:.0f} ms for all of it: **{ratio:.0f} times less**.",
        "",
        "## A hundred thousand feeders",
        "",
        f"A scan as it is by default ({feeder['draws']:.0f} draws, eight levels refined to one car, uncontrolled and "
        f"valley filling, the same week) took {feeder['processor_s']:.0f} s of processor time, {feeder['wall_s']:.0f} s "
        f"on two workers, and left {feeder['bytes'] / 1e6:.1f} MB.",
        "",
        *feeders_table(feeder["processor_s"], feeder["bytes"]),
        "",
    ]
    return "\n".join(lines)


def _further(grown: list[dict[str, float]]) -> str:
    """Return the processor time of a draw more between each two numbers of draws."""
    told = []
    for few, many in itertools.pairwise(grown):
        each = (many["processor_s"] - few["processor_s"]) / (many["draws"] - few["draws"])
        told.append(f"{1e3 * each:.1f} ms from {few['draws']:,.0f} to {many['draws']:,.0f}")
    return ", ".join(told)


def _row(what: str, found: dict[str, float]) -> str:
    each = 1e3 * found["processor_s"] / found["draws"]
    stored = found["bytes"] / found["draws"] / 1e3
    return (
        f"| {what} | {found['draws']:,.0f} | {found['wall_s']:.1f} | {found['processor_s']:.1f} | {each:.0f} | "
        f"{found['memory_gb']:.2f} | {stored:.1f} |"
    )


if __name__ == "__main__":
    main()
