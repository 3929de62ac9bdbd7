"""What a study consists of, once every input has been read; frozen, and free of any solving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gridimpact.assess.limits import LimitProfile
from gridimpact.dispatch.strategy import Strategy
from gridimpact.errors import Problem, raise_problems
from gridimpact.records import Ambient, Fleet, Network, Note, Profiles, Tariff
from gridimpact.study.thermal_options import TransformerOptions
from gridimpact.timeline import Timeline

Days = str | Sequence[str]
POWER_FLOWS = ("auto", "balanced", "three_phase")
ZERO_SEQUENCE = ("require", "assume")
NO_EV = "no_ev"
"""Label of the case without added cars."""


@dataclass(frozen=True)
class StudySpec:
    """The inputs of a study on one timeline.

    Attributes
    ----------
    tariffs : mapping
        Tariff by site kind ("home", "building", "public"); the entry "" serves every other site.
        Empty when money is not studied.
    ambient : Ambient or None
        None leaves transformer ageing out of the study.
    charger_power_factor : float
        Of every charger, lagging, in both directions.
    site_power_factor : float
        Of homes where neither profile nor network gives reactive power, lagging.
    power_flow : str
        ``"auto"``, ``"balanced"`` or ``"three_phase"``; a run puts what "auto" came to in its place.
    zero_sequence : str
        ``"require"`` takes only what the network holds, ``"assume"`` fills gaps by stated ratios.
    pv_single_phase_kva : float or None
        PV up to this power feeds one phase of its site, drawn by seed (4.6 in VDE-AR-N 4105:2018);
        None lets all PV feed every phase of its site.
    volt_var : mapping
        Curve by ``"pv"`` and ``"chargers"`` along which their reactive power answers to voltage.
    cold_batteries : bool
        Batteries as cold as the air take and give less; needs `ambient`.
    transformer : TransformerOptions
        Thermal model, data, life and money of the transformers.
    settings : mapping
        What the user asked for, as plain data, for the manifest.
    """

    name: str
    network: Network
    profiles: Profiles
    fleet: Fleet
    strategies: tuple[Strategy, ...]
    limits: LimitProfile
    tariffs: Mapping[str, Tariff]
    ambient: Ambient | None
    seed: int = 0
    charger_power_factor: float = 0.99
    site_power_factor: float = 0.95
    power_flow: str = "auto"
    zero_sequence: str = "require"
    pv_single_phase_kva: float | None = None
    volt_var: Mapping[str, Any] = field(default_factory=dict)
    cold_batteries: bool = False
    transformer: TransformerOptions = field(default_factory=TransformerOptions)
    notes: tuple[Note, ...] = ()
    settings: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse options that mean nothing."""
        problems = [
            Problem(name, f"is {found!r}", f"choose one of {', '.join(known)}")
            for name, found, known in (
                ("power_flow", self.power_flow, POWER_FLOWS),
                ("zero_sequence", self.zero_sequence, ZERO_SEQUENCE),
            )
            if found not in known
        ]
        limit = self.pv_single_phase_kva
        if limit is not None and not limit > 0:
            problems.append(Problem("pv_single_phase_kva", f"is {limit}", "give a power above 0"))
        problems += [
            Problem("volt_var", f"names {key!r}", "name a curve for 'pv' or 'chargers'")
            for key in self.volt_var
            if key not in ("pv", "chargers")
        ]
        if self.cold_batteries and self.ambient is None:
            remedy = "give an ambient temperature, or leave it out"
            problems.append(Problem("cold_batteries", "needs a temperature", remedy))
        raise_problems(problems, f"study {self.name!r}")

    @property
    def timeline(self) -> Timeline:
        """The timeline all inputs share."""
        return self.profiles.timeline

    def tariff_of(self, kind: str) -> Tariff | None:
        """Return the tariff of a site kind, None when money is not studied."""
        return self.tariffs.get(kind, self.tariffs.get(""))
