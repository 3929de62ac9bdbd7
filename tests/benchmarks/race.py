"""Interleaved runs of all engines on one case: A B A C A D, round after round."""

from __future__ import annotations

import gc
import importlib
import time as clock
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from tests.benchmarks.cases import Case
from tests.benchmarks.outputs import Gap, Outputs, gap
from tests.benchmarks.peers import Entry, Runner, Unfit

PEERS = ("ours", "lightsim", "grid_model", "open_dss", "pandapower_loops")
VM_LIMIT, LOADING_LIMIT = 1e-6, 1e-3
_SLOW_STEPS = 96
_SHORTEST_S = 0.05
_SAMPLES = 4
_RESULT_BYTES = 80e6
"""Largest results of one run: beyond, the memory is timed and not the engine."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Effort:
    """How long a race may take."""

    rounds: int
    longest_s: float
    """One run of a peer; its steps are cut until it fits."""


@dataclass
class Lap:
    """One entry with its steps, and what its runs took."""

    entry: Entry
    runner: Runner
    power: Any
    steps: int
    repeats: int
    gap: Gap | None = None
    cpu_us: list[float] = field(default_factory=list)
    """By round, process CPU time of all threads per flow."""
    wall_us: list[float] = field(default_factory=list)

    def counted(self) -> bool:
        """Return whether it found what the reference found."""
        worst = self.gap
        return worst is not None and (
            worst.vm_pu <= VM_LIMIT and worst.line <= LOADING_LIMIT and worst.trafo <= LOADING_LIMIT
        )


@dataclass
class Race:
    """All entries of one case at one length."""

    case: Case
    steps: int
    base: Lap
    """This project's engine on one thread, run before every other."""
    laps: list[Lap]
    ratios: dict[str, list[float]] = field(default_factory=dict)
    """By entry and round: CPU time per flow over that of the base just before."""
    absent: dict[str, str] = field(default_factory=dict)
    """Entries that cannot solve the case, and why."""


def modules() -> dict[str, ModuleType]:
    """Return the engines by file."""
    return {name: importlib.import_module(f"tests.benchmarks.peers.{name}") for name in PEERS}


def run_race(
    case: Case, steps: int, effort: Effort, wanted: Callable[[Entry], bool], say: Say
) -> Race:
    """Race all wanted entries; the base first, then in turn with each other."""
    p_kw, q_kvar = case.power(min(steps, _largest(case)))
    laps, absent = [], {}
    for module in modules().values():
        for entry in module.ENTRIES:
            if not wanted(entry):
                continue
            try:
                runner = module.set_up(case, entry)
                laps.append(_first_lap(entry, runner, (p_kw, q_kvar), effort))
            except Unfit as reason:
                absent[entry.name] = str(reason)
            else:
                say(f"{case.name} {steps} steps: {entry.name} ready, {laps[-1].steps} steps a run")
    _judge(case, laps, p_kw, q_kvar)
    race = Race(case, steps, laps[0], laps[1:], absent=absent)
    for number in range(effort.rounds):
        _round(race)
        say(f"{case.name} {steps} steps: round {number + 1} of {effort.rounds}")
    return race


def _largest(case: Case) -> int:
    """Return the most steps, in whole days, whose results stay small."""
    net = case.net
    values = len(net.bus) * case.plan.phases + len(net.line) + len(net.trafo)
    return max(1, int(_RESULT_BYTES / (8 * values)) // _SLOW_STEPS) * _SLOW_STEPS


def _first_lap(
    entry: Entry, runner: Runner, power: tuple[np.ndarray, np.ndarray], effort: Effort
) -> Lap:
    """Warm up, then choose the steps of a run by what one flow costs."""
    p_kw, q_kvar = power
    steps = min(len(p_kw), 8 if entry.slow else _SLOW_STEPS)
    for _ in range(2):
        prepared = runner.prepare(p_kw[:steps], q_kvar[:steps])
        runner.run(prepared)
        begin = clock.process_time()
        runner.run(prepared)
        each_s = (clock.process_time() - begin) / steps
        most = _SLOW_STEPS if entry.slow else len(p_kw)
        fitting = int(effort.longest_s / each_s)
        whole_days = max(_SLOW_STEPS, fitting // _SLOW_STEPS * _SLOW_STEPS)
        steps = min(len(p_kw), most, whole_days if fitting >= _SLOW_STEPS else max(4, fitting))
    prepared = runner.prepare(p_kw[:steps], q_kvar[:steps])
    repeats = 1 if entry.slow else max(1, round(_SHORTEST_S / (each_s * steps)))
    return Lap(entry, runner, prepared, steps, repeats)


def _judge(case: Case, laps: list[Lap], p_kw: np.ndarray, q_kvar: np.ndarray) -> None:
    """Compare sample steps, the heaviest of the first day among them, with the reference."""
    for lap in laps:
        within = min(lap.steps, _SLOW_STEPS)
        picked = {0, within // 2, within - 1, int(p_kw[:within].sum(axis=1).argmax())}
        at = np.array(sorted(picked))[:_SAMPLES]
        found = lap.runner.run(lap.power).at(at)
        lap.gap = gap(found, reference(case, p_kw[at], q_kvar[at]))
        lap.power = lap.runner.prepare(p_kw[: lap.steps], q_kvar[: lap.steps])


def reference(case: Case, p_kw: np.ndarray, q_kvar: np.ndarray) -> Outputs:
    """Return what counts as the truth: `runpp`; in three phases power-grid-model to 1e-10.

    `runpp_3ph` stops its outer loop at a fixed power and is itself only good to some 3e-6 pu.
    """
    if case.plan.phases == 1:
        return modules()["pandapower_loops"].truth(case, p_kw, q_kvar)
    return modules()["grid_model"].truth(case, p_kw, q_kvar)


def _round(race: Race) -> None:
    """Run the base before each entry; the ratio is taken over that run."""
    for lap in race.laps:
        base_us = _time(race.base)
        race.ratios.setdefault(lap.entry.name, []).append(_time(lap) / base_us)


def _time(lap: Lap) -> float:
    """Run a lap; return CPU time per flow [us]."""
    gc.collect()
    wall, cpu = clock.perf_counter(), clock.process_time()
    for _ in range(lap.repeats):
        lap.runner.run(lap.power)
    cpu, wall = clock.process_time() - cpu, clock.perf_counter() - wall
    flows = lap.repeats * lap.steps
    lap.cpu_us.append(1e6 * cpu / flows)
    lap.wall_us.append(1e6 * wall / flows)
    return lap.cpu_us[-1]


def median(values: list[float]) -> float:
    """Return the median."""
    return float(np.median(values))


def fastest_peer(race: Race) -> tuple[str, float]:
    """Return the fastest counted single-threaded entry of any other project and its median ratio."""
    counted = {
        lap.entry.name: median(race.ratios[lap.entry.name])
        for lap in race.laps
        if lap.counted() and lap.entry.threads == 1 and lap.entry.peer != race.base.entry.peer
    }
    if not counted:
        return "none", float("nan")
    name = min(counted, key=lambda key: counted[key])
    return name, counted[name]
