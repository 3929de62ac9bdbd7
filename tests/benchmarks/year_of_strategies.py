"""Time and memory of a year at 15 minutes: 57 homes, 57 cars, a building with six, six strategies.

Run by ``make bench``. Prints one line per stage: seconds of wall clock; and the peak memory.
"""

from __future__ import annotations

import itertools
import resource
import sys
import tempfile
import time as clock
from pathlib import Path

import gridimpact as gi

BUILDING = "Home 1"


def main() -> None:
    """Build, run and store the year; write what it took."""
    marks = [("start", clock.perf_counter())]
    net = gi.open_network(
        "kerber_village_250kva", busbar_vm_pu=1.0, site_kinds={BUILDING: "building"}
    )
    time = gi.Timeline.year(2015, step="15min", zone="Europe/Berlin")
    homes = gi.synthesize_households(
        net, time, heat_pump_share=0.5, pv_share=0.3, buildings={BUILDING: 40_000.0}, seed=1
    )
    cars = gi.place(gi.synthesize_fleet(56, time, seed=1), net, seed=1)
    fleet = gi.place(gi.synthesize_fleet(6, time, kind="fleet", seed=1), net, at=BUILDING, seed=1)
    study = gi.Study(
        net,
        homes,
        [cars, fleet],
        strategies=[
            gi.g2v.ValleyFilling(),
            gi.g2v.TransformerLimit(0.9),
            gi.v2g.Arbitrage(),
            gi.v2h.SelfConsumption(),
            gi.v2b.DemandCharge(),
        ],
        prices={"home": "nl_2019", "building": "building_demand"},
        ambient="germany_2016",
        seed=1,
    )
    marks.append(("inputs", clock.perf_counter()))
    result = study.run(days="all")
    marks.append(("run", clock.perf_counter()))
    with tempfile.TemporaryDirectory() as folder:
        result.save(Path(folder) / "results")
        marks.append(("save", clock.perf_counter()))
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    lines = [f"{result!r}", f"{time.count} steps, {result.manifest['steps']} power flows"]
    lines += [
        f"{name}: {at - before:.1f} s" for (_, before), (name, at) in itertools.pairwise(marks)
    ]
    lines += [f"total: {marks[-1][1] - marks[0][1]:.1f} s", f"peak memory: {peak_gb:.2f} GB"]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
