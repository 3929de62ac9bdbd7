"""The report of a run: a page and a file that a program can read."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.fit import Growth
from tests.benchmarks.race import LOADING_LIMIT, VM_LIMIT, Lap, Race, fastest_peer, median
from tests.benchmarks.scaling import Threads


@dataclass(frozen=True)
class Report:
    """All that a run found."""

    machine: dict[str, str]
    versions: tuple[str, ...]
    rounds: int
    races: list[Race]
    threads: list[Threads]
    year_s: tuple[float, float] | None
    start_s: dict[str, float]
    growth: list[Growth]


def best_of(race: Race, peer: str, threads: int = 1) -> Lap | None:
    """Return the fastest counted entry of a peer, None where there is none."""
    laps = [lap for lap in race.laps if lap.entry.peer == peer and lap.entry.threads == threads]
    laps = [lap for lap in laps if lap.counted()]
    return min(laps, key=lambda lap: median(race.ratios[lap.entry.name]), default=None)


def peers_of(races: list[Race]) -> list[str]:
    """Return all other projects raced, in order of first appearance."""
    names = [lap.entry.peer for race in races for lap in race.laps]
    return [name for name in dict.fromkeys(names) if name != races[0].base.entry.peer]


def page(report: Report) -> str:
    """Return the page."""
    parts = [
        "# Benchmarks",
        _intro(report),
        "## Ratios to each peer\n",
        _summary(report),
        "## Every engine\n",
        *[_details(race) for race in report.races],
        _alone(report),
        _growth(report.growth),
        _repeat(),
    ]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def _intro(report: Report) -> str:
    about = "\n".join(f"- {name}: {value}" for name, value in report.machine.items())
    longest = {race.case.name: race.steps for race in report.races}
    shorter = any(race.steps < longest[race.case.name] for race in report.races)
    less = " (3 and no loops of single flows at the shorter lengths)" if shorter else ""
    return f"""
Power flows per case with the same net, the same injections and the same outputs: voltages of all buses
and loadings of all lines and transformers, as arrays in memory. Every engine runs in one process, single
flows to {1e-8:g}, in turn with this one (A B A C A D), {report.rounds} rounds{less}. What counts is process CPU
time per flow on one thread; a ratio is the peer's over this engine's run just before, the median over
rounds. Reading nets, setting up models, compiling and converting units are not timed. An engine counts
where sample steps agree with pandapower's `runpp` to {VM_LIMIT:g} pu and {LOADING_LIMIT:g} percentage points; in
three phases with power-grid-model's Newton to 1e-10, as `runpp_3ph` is itself good to some 3e-6 pu only.
Nets are made plain before (closed bus-bus switches fused, open line ends given a bus, rows counted from
0), as no fast engine takes them raw; loads are sized so that at the peak a transformer or line is about
full; transformers are given to each engine as the same two-port.

{about}
- engines: {", ".join(report.versions)}"""


def _number(value: float) -> str:
    if math.isnan(value):
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _summary(report: Report) -> str:
    peers = peers_of(report.races)
    lines = [
        "| case | buses | steps | this engine, us per flow | "
        + " | ".join(peers)
        + " | fastest peer | ratio | goal |",
        "|---|---|---|---|" + "---|" * len(peers) + "---|---|---|",
    ]
    for race in report.races:
        name, ratio = fastest_peer(race)
        cells = []
        for peer in peers:
            lap = best_of(race, peer)
            part = "-" if lap is None else _number(median(race.ratios[lap.entry.name]))
            cells.append(part + ("*" if lap is not None and lap.steps < race.steps else ""))
        lines.append(
            f"| {race.case.name} | {len(race.case.net.bus)} | {race.steps:,} | "
            f"{_number(median(race.base.cpu_us))} | {' | '.join(cells)} | {name} | "
            f"**{_number(ratio)}** | {race.case.plan.bar:g} |"
        )
    note = (
        "\n\\* measured on fewer steps and taken as linear. Each column holds the best setting of a peer "
        "that counts; `-` where none does."
    )
    return "\n".join(lines) + "\n" + note


def _details(race: Race) -> str:
    lines = [
        f"### {race.case.name}, {len(race.case.net.bus)} buses, {race.steps:,} steps\n",
        "| engine | setting | steps run | CPU us per flow | least | flows per second | ratio (least to most) "
        "| dV pu | d line % | d transformer % | counts |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for lap in (race.base, *race.laps):
        ratios = race.ratios.get(lap.entry.name, [1.0])
        worst = lap.gap
        extra = "" if lap.steps == race.steps else " (extrapolated)"
        lines.append(
            f"| {lap.entry.name} | {lap.entry.setting} | {lap.steps:,}{extra} | "
            f"{_number(median(lap.cpu_us))} | {_number(min(lap.cpu_us))} | "
            f"{_number(1e6 / median(lap.wall_us))} | {_number(median(ratios))} "
            f"({_number(min(ratios))} to {_number(max(ratios))}) | "
            + " | ".join(f"{part:.0e}" for part in worst or ())
            + f" | {'yes' if lap.counted() else 'no'} |"
        )
    lines += [f"\nNot raced: {name}, {why}." for name, why in race.absent.items()]
    return "\n".join(lines)


_THREADS = """\
Wall clock, one thread over two: the median of neighbouring runs, and the shortest run over the shortest.
Beside them what two processes gain that solve the same at once and share nothing: more than that the
machine did not have to give, whatever its number of cores.

| case | lanes | 1 thread, s | 2 threads, s | gain | two processes | gain, shortest runs | two processes | CPU 1 over CPU 2 |
|---|---|---|---|---|---|---|---|---|"""


def _threads_row(row: Threads) -> str:
    return (
        f"| {row.case} | {row.lanes:,} | {row.one_s:.3f} | {row.two_s:.3f} | {row.gain:.2f} | "
        f"{row.copies_gain:.2f} | {row.gain_of_least:.2f} | {row.copies_gain_of_least:.2f} | {row.cpu_gain:.2f} |"
    )


def _alone(report: Report) -> str:
    lines = ["## Threads, a year, the start of a process\n"]
    if report.threads:
        lines += [_THREADS, *map(_threads_row, report.threads), ""]
    if report.year_s:
        middle, least = report.year_s
        lines.append(
            f"A year of 35,040 steps of the 59-bus feeder with all loadings, 2 threads, results as float32: "
            f"{middle:.3f} s (median), {least:.3f} s (least), wall clock.\n"
        )
    if report.start_s:
        waits = ", ".join(f"{name} {value:.2f} s" for name, value in report.start_s.items())
        lines.append(f"A new process with compiled code in the cache waits for: {waits}.")
    return "\n".join(lines) if len(lines) > 1 else ""


def _growth(laws: list[Growth]) -> str:
    if not laws:
        return ""
    lines = [
        "## How cost grows\n",
        "CPU time of a call over seeded radial nets of 16 to 4,096 buses and 96 to 4,704 steps, least squares on "
        "logarithms: cost = constant x buses^a x steps^b.\n",
        "| engine | constant, us | a | b | residual (rms of ln) | worst factor |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {law.entry} | {law.constant_us:.3g} | {law.by_buses:.2f} | {law.by_steps:.2f} | {law.residual:.2f} | {law.worst:.2f} |"
        for law in laws
    ]
    return "\n".join(lines)


def _repeat() -> str:
    return """
## Repeat it

`make bench` builds an environment of its own (`.venv-bench`, as pandapower takes lightsim2grid where it
is installed) and writes this page and `benchmarks.json` in half an hour; `make bench-quick` takes some
four minutes and only prints. Ratios hold on a busy machine within some 30 percent, wall clock does not."""


def as_mapping(report: Report) -> dict[str, Any]:
    """Return the report for a program."""
    races = [
        {
            "case": race.case.name,
            "phases": race.case.plan.phases,
            "buses": len(race.case.net.bus),
            "steps": race.steps,
            "goal": race.case.plan.bar,
            "fastest_peer": fastest_peer(race)[0],
            "ratio": fastest_peer(race)[1],
            "absent": race.absent,
            "entries": [
                {
                    **asdict(lap.entry),
                    "steps_run": lap.steps,
                    "cpu_us": lap.cpu_us,
                    "wall_us": lap.wall_us,
                    "ratios": race.ratios.get(lap.entry.name, []),
                    "gap": lap.gap._asdict() if lap.gap else None,
                    "counted": lap.counted(),
                }
                for lap in (race.base, *race.laps)
            ],
        }
        for race in report.races
    ]
    return {
        "machine": report.machine,
        "versions": report.versions,
        "rounds": report.rounds,
        "races": races,
        "threads": [asdict(row) for row in report.threads],
        "year_s": report.year_s,
        "start_s": report.start_s,
        "growth": [asdict(law) for law in report.growth],
    }


def write(report: Report, folder: Path) -> None:
    """Write the page and the file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "benchmarks.md").write_text(page(report), encoding="utf-8")
    text = json.dumps(as_mapping(report), indent=1)
    (folder / "benchmarks.json").write_text(text + "\n", encoding="utf-8")
