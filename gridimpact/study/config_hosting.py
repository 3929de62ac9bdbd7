"""The section `hosting:` of a study file: what `gridimpact hosting` scans, in the words of `hosting_capacity`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from gridimpact.study.signals import read_strategies


class HostingConfig(BaseModel):
    """A scan of how many cars the network can host; what is left out is as in `gridimpact.hosting_capacity`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    method: Literal["stochastic", "time_series", "nodal", "uniform"] = "stochastic"
    cars_per_home: list[float] | None = None
    """Numbers of private cars to solve, by home of the network."""
    cars: list[int] | None = None
    """The numbers themselves."""
    strategies: list[str | dict[str, Any]] | None = None
    """The study's where left out."""
    days: str | list[str] | None = None
    """The study's where left out; `random_day` and `random_week` draw one of the year by draw."""
    risk: float = 0.05
    """Share of draws that may violate."""
    confidence: float = 0.95
    precision: float | None = None
    """Width of the interval at which no more draws are added [cars per home]."""
    draws: int | tuple[int, int] = (200, 1000)
    """Number of draws, or least and most."""
    preexisting: Literal["worse", "ignore", "count"] = "worse"
    """Whether what was violated without cars counts where it gets worse, never, or always."""
    limits: list[str] | None = None
    """Kinds of limit that count; all where left out."""
    unmet_percent: float | None = 1.0
    """Limit on the energy missing at departures [%]; null leaves service out."""
    export_percent: float | None = None
    """Limit on power fed upward over a transformer's rating [%]; null leaves export out."""
    behaviour: str | dict[str, Any] | None = None
    """`resample`, `given`, or settings of a fleet made anew by draw."""
    placement: Literal["draw", "given"] | None = None
    phases: str = "allocate"
    refine: bool = True
    """Whether each draw is solved until its own capacity is known to one car."""
    workers: int | None = None
    """Processes; 0 solves in one, one for each core where left out."""
    cluster: str | None = None
    """Address of a Dask scheduler."""
    timeout_s: float | None = None
    """Time a draw may take [s]."""
    budget_gb: float = 2.0
    """Memory all workers together may take [GB]."""
    seed: int = 0
    car_kw: float = 11.0
    """Power of one car [kW], by which `nodal` turns power into cars."""
    direction: Literal["import", "export", "both"] = "both"


def hosting_arguments(
    section: HostingConfig | None, resolve: Callable[[str], Path]
) -> dict[str, Any]:
    """Return a section as arguments of `gridimpact.hosting_capacity`, only those the file gives.

    Parameters
    ----------
    section : HostingConfig or None
        None where the file has no such section.
    resolve : callable
        From the name of a file in the study to its path.
    """
    if section is None:
        return {}
    given = section.model_dump(exclude_unset=True)
    if given.get("strategies") is not None:
        given["strategies"] = read_strategies(given["strategies"], resolve)
    return given
