"""A study, one of the two objects of daily work; the other is its result (`gridimpact.api_result`).

Both are thin: a study holds a specification and calls the rooms in order, a result shows records.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from gridimpact.api_result import Result
from gridimpact.assess.limits import LimitProfile
from gridimpact.dispatch.strategy import Strategy
from gridimpact.errors import Problem, raise_problems
from gridimpact.records import Fleet, Network, Note, PlanRequest, Profiles
from gridimpact.study.build import Prices, make_spec, spec_from_file, study_path
from gridimpact.study.check import check_days, check_spec
from gridimpact.study.config_hosting import hosting_arguments
from gridimpact.study.requests import build_requests
from gridimpact.study.run import run_study
from gridimpact.study.save import save_study
from gridimpact.study.segments import choose_segments
from gridimpact.study.spec import StudySpec

__all__ = ["Result", "Study"]


class Study:
    """A comparison of strategies on one network, the same homes and the same sessions.

    Parameters
    ----------
    network : Network
        From `open_network`.
    profiles : Profiles
        One column per site of the network, from `synthesize_households` or `read_profiles`.
    fleet : Fleet or sequence of Fleet
        Placed cars, from `place`.
    strategies : sequence of strategy objects or names
        "uncontrolled" and the case without cars are always run beside them.
    limits : str, mapping or LimitProfile
        Limit profile; "eu_lv_planning", "en_50160", "ansi_c84_1", ...
    prices : str, Tariff, mapping by site kind or None
        None leaves money out of the study.
    ambient : str, path, array, Ambient or None
        Air temperature; None leaves transformer ageing out.
    seed : int
        Of every draw the study itself makes.
    name : str
        Title of the report.
    power_flow : str
        "three_phase", "balanced", or "auto": three phases where a connection in use has fewer and
        the network's data allow it.
    zero_sequence : str
        "require" takes only the zero-sequence data the network holds, "assume" fills gaps by stated
        ratios.
    pv_single_phase_kva : float or None
        PV up to this power feeds one phase of its site, drawn by seed; None feeds all of them.
    volt_var : mapping or None
        Curve by "pv" and "chargers": a name such as "ieee_1547_b" or "vde_ar_n_4105", or a mapping of
        ``v_pu`` and ``q_share``.
    cold_batteries : bool
        Batteries as cold as the ambient air take and give less.
    transformer : mapping or None
        Thermal model, data, life and money of the transformers; keys as
        `gridimpact.study.TransformerOptions`.

    Raises
    ------
    InputError
        If the parts do not fit together.
    """

    def __init__(  # noqa: PLR0913 - what a planner types, each by name
        self,
        network: Network,
        profiles: Profiles,
        fleet: Fleet | Sequence[Fleet],
        *,
        strategies: Sequence[Strategy | str],
        limits: str | LimitProfile | Mapping[str, Any] = "eu_lv_planning",
        prices: Prices = None,
        ambient: Any = None,
        seed: int = 0,
        name: str = "study",
        power_flow: str = "auto",
        zero_sequence: str = "require",
        pv_single_phase_kva: float | None = None,
        volt_var: Mapping[str, Any] | None = None,
        cold_batteries: bool = False,
        transformer: Mapping[str, Any] | None = None,
    ) -> None:
        self.spec: StudySpec = make_spec(
            network,
            profiles,
            fleet,
            strategies=strategies,
            limits=limits,
            prices=prices,
            ambient=ambient,
            options={
                "name": name,
                "seed": seed,
                "power_flow": power_flow,
                "zero_sequence": zero_sequence,
                "pv_single_phase_kva": pv_single_phase_kva,
                "volt_var": dict(volt_var or {}),
                "cold_batteries": cold_batteries,
                "transformer": transformer,
            },
        )
        self.days: str | Sequence[str] = "design"
        self.hosting: Mapping[str, Any] = {}

    @classmethod
    def from_file(cls, path: str | Path) -> Study:
        """Return the study a folder or `study.yaml` describes.

        Raises
        ------
        InputError
            With every problem of the file at once.
        """
        study = cls.__new__(cls)
        study.spec, config = spec_from_file(Path(path))
        study.days = config.days
        root = Path(path) if Path(path).is_dir() else Path(path).parent
        study.hosting = hosting_arguments(config.hosting, partial(study_path, root))
        return study

    @classmethod
    def from_spec(cls, spec: StudySpec, days: str | Sequence[str] = "design") -> Study:
        """Return the study of a specification that is ready, such as a draw of a hosting scan."""
        study = cls.__new__(cls)
        study.spec, study.days, study.hosting = spec, days, {}
        return study

    def check(self) -> tuple[Problem, ...]:
        """Look at the whole study without solving; return the warnings.

        Raises
        ------
        InputError
            If anything would stop a run or mislead its reader; lists every such problem.
        """
        problems = [*check_spec(self.spec), *check_days(self.spec, self.days)]
        raise_problems(problems, f"study {self.spec.name!r}")
        return tuple(p for p in problems if p.severity != "error")

    def requests(self, days: str | Sequence[str] | None = None) -> tuple[PlanRequest, ...]:
        """Return what strategies are told of each span of days, for plans of your own; nothing is solved.

        Parameters
        ----------
        days : str or sequence of str, optional
            As for `run`, the margins before and after included.

        Raises
        ------
        InputError
            If the days cannot be read or lie outside the timeline.
        """
        load = self.spec.profiles.load_p_kw.sum(axis=1)
        sun = self.spec.profiles.pv_p_kw.sum(axis=1)
        chosen = self.days if days is None else days
        segments = choose_segments(self.spec.timeline, chosen, load + sun, sun)
        return tuple(build_requests(self.spec, segment) for segment in segments)

    def run(
        self,
        days: str | Sequence[str] | None = None,
        *,
        verify: int = 0,
        progress: bool | None = None,
        verify_engine: str | None = None,
    ) -> Result:
        """Solve every strategy and return the result.

        Parameters
        ----------
        days : str or sequence of str, optional
            "design", "all", local dates or ranges "2016-01-18/2016-01-24"; the study file's
            choice, else "design".
        verify : int
            Random steps to solve again with another engine; the largest difference is in the manifest.
        progress : bool, optional
            Show a bar; by default where the terminal can.
        verify_engine : str, optional
            "pandapower" or "power-grid-model"; by default whichever fits the power flow.

        Raises
        ------
        InputError
            If `check` finds an error.
        """
        chosen = self.days if days is None else days
        problems = [*check_spec(self.spec), *check_days(self.spec, chosen)]
        raise_problems(problems, f"study {self.spec.name!r}")
        told = tuple(Note("warning", p.where, p.what) for p in problems)
        spec = dataclasses.replace(self.spec, notes=(*self.spec.notes, *told))
        found = run_study(
            spec, days=chosen, verify=verify, verify_engine=verify_engine, progress=progress
        )
        return Result(found)

    def save(self, folder: str | Path) -> Path:
        """Write the study as a folder that `Study.from_file` and `gridimpact run` read."""
        return save_study(self.spec, Path(folder), self.days, self.hosting)

    def __repr__(self) -> str:
        """Return network, cars and strategies in one line."""
        spec = self.spec
        names = ", ".join(s.name for s in spec.strategies)
        return (
            f"Study({spec.name!r}: {spec.network.name}, {len(spec.network.sites)} sites, "
            f"{len(spec.fleet.vehicles)} cars, {spec.timeline}; {names})"
        )
