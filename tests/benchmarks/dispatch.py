"""Time of plans: a month of a real site under every queue, a thousand scenarios, a day of V2G.

Run by ``make bench``. Writes a table; times are of plans alone, requests are made before.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time as clock
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gridimpact.dispatch import g2v, v2g
from gridimpact.dispatch.many import plan_many
from gridimpact.dispatch.queue import ORDERS
from gridimpact.records import PlanRequest
from tests.dispatch.caltech import caltech_month
from tests.dispatch.requests import Car, Group, Place, Prices, Stay, plan_request

ROUNDS = 5
SITE_KW = 60.0
"""Limit of the real site in the benchmark; uncontrolled its cars reach more than twice as much."""


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    wall_s: float
    processor_s: float
    bar_s: float | None
    note: str = ""


def street(count: int, seed: int, p_discharge_kw: float = 0.0) -> PlanRequest:
    """Return an evening, night and morning of homes with one car each: 96 steps, one transformer."""
    rng = np.random.default_rng(seed)
    hours = (np.arange(96) / 4.0 + 12.0) % 24.0
    load = 0.35 + 0.9 * np.exp(-(((hours - 19.0) / 2.5) ** 2))
    loads = load * rng.uniform(0.5, 1.5, (count, 1)) * rng.uniform(0.6, 1.4, (count, 96))
    price = 0.24 + 0.08 * np.exp(-(((hours - 19.0) / 3.0) ** 2)) + rng.uniform(0.0, 0.02, 96)
    return plan_request(
        [
            Car(
                f"car {k:03d}",
                soc=float(rng.uniform(0.2, 0.7)),
                eta_charge=0.9,
                eta_discharge=0.9,
                soc_knee=0.8,
                taper_fraction=0.1,
                wear=0.03,
            )
            for k in range(count)
        ],
        [
            Stay(
                k,
                int(rng.integers(14, 36)),
                int(rng.integers(72, 92)),
                target=0.85,
                reserve=0.2,
                p_kw=11.0,
                p_discharge_kw=p_discharge_kw,
            )
            for k in range(count)
        ],
        steps=96,
        step_s=900,
        places=[
            Place(load_kw=loads[k], import_limit_kw=24.0, export_limit_kw=24.0)
            for k in range(count)
        ],
        groups=[Group(loads.sum(axis=0), 2.5 * count, 2.5 * count)],
        tariffs=[Prices(price, 0.1)],
        start="2016-01-04T12:00",
    )


def behind_one_meter(request: PlanRequest) -> PlanRequest:
    """Return the same cars at one building."""
    count = request.timeline.count
    return replace(
        request,
        stays=replace(request.stays, site=np.zeros_like(request.stays.site)),
        charger_site=np.zeros_like(request.charger_site),
        site_id=("hall",),
        site_kind=("building",),
        site_load_kw=request.site_load_kw.sum(axis=1, keepdims=True),
        site_pv_kw=np.zeros((count, 1)),
        site_import_limit_kw=np.array([500.0]),
        site_export_limit_kw=np.array([500.0]),
        site_tariff=np.zeros(1, dtype=np.int64),
    )


def timed(what: str, run: Callable[[], Any], bar_s: float | None = None, note: str = "") -> Row:
    """Return the least time of a few runs after a first one, which compiles."""
    run()
    walls, used = [], []
    for _ in range(ROUNDS):
        begin = (clock.perf_counter(), clock.process_time())
        run()
        walls.append(clock.perf_counter() - begin[0])
        used.append(clock.process_time() - begin[1])
    return Row(what, min(walls), min(used), bar_s, note)


def measured() -> list[Row]:
    """Return all rows."""
    month = caltech_month(limit_kw=SITE_KW)
    apart = caltech_month(limit_kw=SITE_KW, apart=True)
    rows = []
    for order in ORDERS:
        rule = g2v.TransformerLimit(1.0, order)
        rows.append(timed(f"Caltech, October 2019, {order}", lambda r=rule: r.plan(month), 2.0))
    rule = g2v.TransformerLimit(1.0)
    note = "each of the 930 sessions a vehicle of its own"
    rows.append(timed("the same, least_laxity", lambda: rule.plan(apart), 2.0, note))
    scenarios = [street(50, seed) for seed in range(1000)]
    for workers in (1, 2):
        what = f"1,000 scenarios x 96 steps x 50 vehicles, least_laxity, {workers} threads"
        rows.append(timed(what, lambda w=workers: plan_many(rule, scenarios, workers=w), 5.0))
    day = street(100, 1, p_discharge_kw=11.0)
    for strategy in (v2g.Arbitrage(0.3, enrolled=1.0), v2g.PeakShaving(0.3, enrolled=1.0)):
        rows.append(
            timed(f"a day of 100 vehicles, {strategy.name}", lambda s=strategy: s.plan(day), 1.0)
        )
    hall = behind_one_meter(day)
    strategy = v2g.Arbitrage(0.3, enrolled=1.0)
    note = "all behind one meter: one sparse program, HiGHS"
    rows.append(timed(f"the same, {strategy.name}", lambda: strategy.plan(hall), 1.0, note))
    one = street(50, 1)
    for name in g2v.__all__:
        made = getattr(g2v, name)()
        rows.append(timed(f"96 steps x 50 vehicles, {made.name}", lambda s=made: s.plan(one)))
    return rows


def page(rows: list[Row]) -> str:
    """Return the table."""
    lines = [
        "# Time of plans",
        "",
        f"Least of {ROUNDS} runs after a first one, on {os.cpu_count()} cores"
        f" ({platform.processor() or platform.machine()}, Python {platform.python_version()}); load of the"
        f" machine before: {os.getloadavg()[0]:.1f}. Wall clock and processor time of all threads; where the"
        " machine is shared the processor time is what the plan itself took.",
        "",
        f"The month is that of ACN-Data's Caltech site (README of `profiles/sessions_acn_caltech`): 930"
        f" sessions at 5-minute steps (8,928) under a limit of {SITE_KW:g} kW. The log names no drivers, so each"
        " station is a vehicle whose stays stand alone.",
        "",
        "| plan | wall s | processor s | bar s | |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        bar = "" if row.bar_s is None else f"{row.bar_s:g}"
        lines.append(
            f"| {row.what} | {row.wall_s:.4f} | {row.processor_s:.4f} | {bar} | {row.note} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, and write the page where `--out` names a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="folder of benchmarks_dispatch.md")
    chosen = parser.parse_args()
    text = page(measured())
    sys.stdout.write(text)
    if chosen.out is not None:
        (chosen.out / "benchmarks_dispatch.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
