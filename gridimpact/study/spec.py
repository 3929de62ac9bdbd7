"""What a study consists of, once every input has been read; frozen, and free of any solving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gridimpact.assess.limits import LimitProfile
from gridimpact.dispatch.strategy import Strategy
from gridimpact.records import Ambient, Fleet, Network, Note, Profiles, Tariff
from gridimpact.timeline import Timeline

Days = str | Sequence[str]
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
    notes: tuple[Note, ...] = ()
    settings: Mapping[str, Any] | None = None

    @property
    def timeline(self) -> Timeline:
        """The timeline all inputs share."""
        return self.profiles.timeline

    def tariff_of(self, kind: str) -> Tariff | None:
        """Return the tariff of a site kind, None when money is not studied."""
        return self.tariffs.get(kind, self.tariffs.get(""))
