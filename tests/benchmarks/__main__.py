"""Race all engines and write what came of it: ``python -m tests.benchmarks [--quick]``."""

from __future__ import annotations

import argparse
import datetime
import logging
import os
import platform
import sys
import time as clock
import warnings
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import fit, scaling, single
from tests.benchmarks.cases import PLANS, Plan, build, plan_named
from tests.benchmarks.peers import Entry
from tests.benchmarks.race import Effort, Race, modules, run_race
from tests.benchmarks.table import Report, page, write

FULL = Effort(rounds=7, longest_s=0.5)
QUICK = Effort(rounds=3, longest_s=0.25)
_QUICK_CASES = (
    "lv_rural1",
    "cigre_lv",
    "lv_urban6",
    "mv_semiurb",
    "european_lv",
    "european_lv_3ph",
)
_QUICK_LEFT_OUT = ("run_timeseries", "runpp loop", "runpp_3ph loop")
_BEGIN = clock.perf_counter()
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def main() -> None:
    """Run what the command line asks for."""
    asked = _arguments()
    if any(os.environ.get(name) != "1" for name in _ONE_THREAD):
        # Read once, when numpy is imported: begin anew, so that one thread is one thread.
        given = os.environ | dict.fromkeys(_ONE_THREAD, "1")
        os.execve(sys.executable, [sys.executable, "-m", __spec__.parent, *sys.argv[1:]], given)
    warnings.filterwarnings("ignore")  # Peers warn about their own future.
    logging.disable(logging.WARNING)
    effort = QUICK if asked.quick else FULL
    names = asked.cases or (_QUICK_CASES if asked.quick else [plan.name for plan in PLANS])
    machine = _machine()
    races = [
        race
        for name in (() if asked.only_threads else names)
        for race in _races(plan_named(name), effort, asked.quick)
    ]
    single_too = not (asked.only_races or asked.only_threads)
    report = Report(
        machine=machine | {"load after": _load()},
        versions=tuple(module.version() for module in modules().values()),
        rounds=effort.rounds,
        races=races,
        threads=[] if asked.only_races else _threads(names),
        year_s=single.year(effort.rounds) if single_too else None,
        start_s=single.start(3, _say) if single_too else {},
        growth=fit.fit(fit.measure(QUICK, _say)) if single_too and not asked.quick else [],
    )
    if asked.out:
        write(report, asked.out)
    sys.stdout.write(page(report))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, small nets, one length")
    parser.add_argument("--cases", nargs="+", choices=[plan.name for plan in PLANS])
    parser.add_argument("--only-races", action="store_true", help="no threads, year, start or fit")
    parser.add_argument("--only-threads", action="store_true", help="what a second thread brings")
    parser.add_argument("--out", type=Path, help="folder for benchmarks.md and benchmarks.json")
    return parser.parse_args()


def _races(plan: Plan, effort: Effort, quick: bool) -> list[Race]:
    """Race a case at its full length; before, where there is time, at its shorter ones with less effort."""
    _say(f"{plan.name}: building")
    case = build(plan)
    *shorter, whole = plan.steps
    races = [
        run_race(case, count, QUICK, lambda e: e.threads == 1 and not e.slow, _say)
        for count in ([] if quick else shorter)
    ]
    return [*races, run_race(case, whole, effort, _wanted(quick), _say)]


def _wanted(quick: bool) -> Callable[[Entry], bool]:
    def wanted(entry: Entry) -> bool:
        return not quick or (entry.threads == 1 and entry.name not in _QUICK_LEFT_OUT)

    return wanted


def _threads(names: list[str]) -> list[scaling.Threads]:
    rows = []
    for name, lanes in scaling.SCALED:
        if name in names:
            _say(f"{name}: threads")
            rows.append(scaling.measure(build(plan_named(name)), lanes))
    return rows


def _machine() -> dict[str, str]:
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        found = [line for line in info.read_text().splitlines() if line.startswith("model name")]
        model = found[0].split(":", 1)[1].strip() if found else model
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {model}",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "load before": _load(),
    }


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


def _say(text: str) -> None:
    sys.stderr.write(f"[{clock.perf_counter() - _BEGIN:6.0f} s] {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
