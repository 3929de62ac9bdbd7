"""The command `gridimpact hosting`: how many cars a study's network hosts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from gridimpact.cli_common import FAILED_LANES, Quiet, StudyPath, plain_errors, root_of

_Method = Annotated[str | None, typer.Option(help="stochastic, time_series, nodal or uniform.")]
_PerHome = Annotated[str | None, typer.Option(help="Cars per home to solve, rising: 0.5,1,1.5.")]
_Cars = Annotated[str | None, typer.Option(help="Numbers of cars to solve, rising: 10,20,40.")]
_Draws = Annotated[str | None, typer.Option(help="Number of draws, or least and most: 200,1000.")]
_Days = Annotated[
    str | None,
    typer.Option(help="design, all, random_day, random_week, or dates separated by commas."),
]
_Risk = Annotated[float | None, typer.Option(help="Share of draws that may violate, 0.05 for 5 %.")]
_Confidence = Annotated[float | None, typer.Option(help="Of the intervals, 0.95 for 95 %.")]
_Precision = Annotated[
    float | None, typer.Option(help="Width of the interval that is enough, in cars per home.")
]
_Limits = Annotated[
    str | None, typer.Option(help="Kinds of limit that count, separated by commas.")
]
_Before = Annotated[
    str | None, typer.Option(help="What was violated without cars: worse, ignore or count.")
]
_Seed = Annotated[int | None, typer.Option(help="Of every draw.")]
_Workers = Annotated[
    int | None,
    typer.Option(help="Processes; 0 solves in this one, one for each core if left out."),
]
_Cluster = Annotated[str | None, typer.Option(help="Address of a Dask scheduler: tcp://host:8786.")]
_Timeout = Annotated[float | None, typer.Option("--timeout", help="Seconds a draw may take.")]
_Budget = Annotated[
    float | None, typer.Option("--budget", help="Memory of all workers together [GB].")
]
_Out = Annotated[
    Path | None,
    typer.Option(help="Folder of the results; hosting in the study's folder if left out."),
]
_Mitigation = Annotated[
    bool,
    typer.Option("--mitigation", help="Also scan what would raise the capacity, and its price."),
]
_Resume = Annotated[bool, typer.Option("--resume", help="Go on where an earlier scan stopped.")]


def hosting(  # noqa: PLR0913 - options of a command, each by name
    study: StudyPath,
    method: _Method = None,
    cars_per_home: _PerHome = None,
    cars: _Cars = None,
    draws: _Draws = None,
    days: _Days = None,
    risk: _Risk = None,
    confidence: _Confidence = None,
    precision: _Precision = None,
    limits: _Limits = None,
    preexisting: _Before = None,
    seed: _Seed = None,
    workers: _Workers = None,
    cluster: _Cluster = None,
    timeout_s: _Timeout = None,
    budget_gb: _Budget = None,
    out: _Out = None,
    resume: _Resume = False,
    mitigation: _Mitigation = False,
    quiet: Quiet = False,
) -> None:
    """Find how many cars the network hosts; settings stand under hosting: in study.yaml."""
    texts = {"cars_per_home": cars_per_home, "cars": cars, "draws": draws}
    others = {
        "method": method,
        "risk": risk,
        "confidence": confidence,
        "precision": precision,
        "preexisting": preexisting,
        "seed": seed,
        "workers": workers,
        "cluster": cluster,
        "timeout_s": timeout_s,
        "budget_gb": budget_gb,
    }
    with plain_errors():
        given: dict[str, Any] = {name: value for name, value in others.items() if value is not None}
        given |= _numbers(texts) | _names({"days": days, "limits": limits})
        folder = out or root_of(study) / "hosting"
        given |= {"out": folder, "resume": resume, "progress": not quiet}
        failed = _scan(study, given, folder, mitigation=mitigation)
        raise typer.Exit(FAILED_LANES if failed else 0)


def _scan(study: Path, given: dict[str, Any], folder: Path, *, mitigation: bool) -> int:
    """Scan, show the answer and return the number of draws that failed."""
    from gridimpact.api import Study
    from gridimpact.api_scan import hosting_capacity
    from gridimpact.hosting.output import require_scan_folder

    require_scan_folder(folder)
    read = Study.from_file(study)
    section = dict(read.hosting)
    if "cars" in given or "cars_per_home" in given:
        # The one given here takes the place of either in the file.
        section = {k: v for k, v in section.items() if k not in ("cars", "cars_per_home")}
    if given["progress"]:
        text = f"{read.spec.name}: hosting capacity; results of every draw go to {folder.name} as they come"
        typer.echo(text, err=True)
    scan = hosting_capacity(read, **{**section, **given})
    if mitigation:
        scan.mitigation(workers=given.get("workers"), progress=given["progress"])
        scan.save(folder)
    typer.echo(repr(scan))
    if mitigation:
        table = scan.record.mitigation[
            ["measure", "detail", "cost_eur", "at_risk", "gained", "eur_per_car"]
        ]
        typer.echo(table.to_string(index=False, float_format=lambda value: f"{value:,.0f}"))
    typer.echo(f"Report: {(folder / 'hosting.html').resolve()}")
    failed = int(scan.record.manifest["draws_failed"])
    if failed:
        typer.echo(f"warning: {failed} draws could not be solved", err=True)
    return failed


def _numbers(texts: dict[str, str | None]) -> dict[str, Any]:
    """Return numbers of texts with commas; what is none stays text and is told with all other problems."""
    kinds: dict[str, Callable[[str], Any]] = {"cars_per_home": float, "cars": int, "draws": int}
    found: dict[str, Any] = {}
    for name, text in texts.items():
        if text is None:
            continue
        values = [_number(part, kinds[name]) for part in text.split(",")]
        found[name] = values[0] if name == "draws" and len(values) == 1 else values
    return found


def _number(text: str, kind: Callable[[str], Any]) -> Any:
    try:
        return kind(text)
    except ValueError:
        return text


def _names(texts: dict[str, str | None]) -> dict[str, Any]:
    """Return words of texts with commas; one stands alone."""
    found: dict[str, Any] = {}
    for name, text in texts.items():
        if text is not None:
            words = [part.strip() for part in text.split(",")]
            found[name] = words[0] if len(words) == 1 else words
    return found
