"""What a strategy is that answers to measurements of the grid.

Such a strategy stands on another one, its base, which says what each car wants; the grid-aware part
says how much of that is allowed. A study steps it against the power flow (`gridimpact.study.closed_loop`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from gridimpact.dispatch.grid_aware.signals import Signals
from gridimpact.dispatch.strategy import Strategy
from gridimpact.records import FloatArray, IntArray


class Heat(NamedTuple):
    """Temperatures of the transformers at the begin of a step, and what moves them.

    `rise_k`, `gradient_k` and `ambient_c` are (scenario, transformer): top oil over the air at the tank, hot
    spot over oil, air at the tank. `oil_share`, (scenario, transformer), is the mean-square loading of the
    phases over that of the worst phase, 1 in a balanced flow. `plates` is `Nameplate.packed`. `steady` says
    that temperatures have settled at the loading of the step, as a study begins.
    """

    rise_k: FloatArray
    gradient_k: FloatArray
    ambient_c: FloatArray
    oil_share: FloatArray
    plates: FloatArray
    dt_h: float
    steady: bool


@dataclass(frozen=True)
class Measured:
    """What was measured at one moment, beside the power that cars had then.

    Attributes
    ----------
    vm_low_pu, vm_high_pu : ndarray
        (scenario, charger) lowest and highest voltage of the charger's phases; NaN where the power flow failed.
    loading_pu : ndarray
        (scenario, transformer) current over rating of the worst phase; NaN where the power flow failed.
    power_kw : ndarray
        (scenario, transformer) active power into the high-voltage side, negative where it feeds back.
    answering_kw : ndarray
        (scenario, transformer) power of the answering cars, a magnitude in the direction that loads it.
    rated_kw : ndarray
        (transformer,) rated power.
    heat : Heat or None
        None where temperatures are not studied.
    """

    vm_low_pu: FloatArray
    vm_high_pu: FloatArray
    loading_pu: FloatArray
    power_kw: FloatArray
    answering_kw: FloatArray
    rated_kw: FloatArray
    heat: Heat | None = None


class Wanted(NamedTuple):
    """What the answering cars want at one step, (scenario, vehicle); others have size 0.

    Magnitudes in the direction that is limited [kW]: `size_kw` is wanted, `least_kw` is what the guard of the
    target insists on, `rated_kw` the rated power of charger and car. `laxity_h` is the time a car can still
    wait; `charger` and `transformer` are positions, -1 for none.
    """

    size_kw: FloatArray
    least_kw: FloatArray
    rated_kw: FloatArray
    laxity_h: FloatArray
    charger: IntArray
    transformer: IntArray


@runtime_checkable
class GridAware(Strategy, Protocol):
    """A strategy that a study steps against the power flow."""

    @property
    def signals(self) -> Signals:
        """Latency, loss of signal, fallback, obedience and enrolment."""
        ...

    @property
    def base(self) -> Strategy:
        """What the cars want."""
        ...

    @property
    def side(self) -> str:
        """Which cars answer: "charging", "feeding", or "both": those that load the transformer."""
        ...


@runtime_checkable
class AnswersVoltage(GridAware, Protocol):
    """Every charger answers to the voltage at its own bus."""

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """Voltage [pu] and share of rated power allowed; straight lines in between, constant beyond."""
        ...

    def share(self, vm_pu: FloatArray) -> FloatArray:
        """Return the share of rated power allowed, falling the more the cars load; never NaN."""
        ...

    def respond(self, measured: Measured, wanted: Wanted) -> FloatArray:
        """Return the magnitude allowed, (scenario, vehicle) [kW]."""
        ...


@runtime_checkable
class AnswersLoading(GridAware, Protocol):
    """The cars behind a transformer share what its limit leaves."""

    @property
    def allocation(self) -> str:
        """How they share: "equal", "proportional" or "laxity"."""
        ...

    def loading_limit_pu(self, measured: Measured) -> FloatArray:
        """Return the highest loading allowed, (scenario, transformer) [pu]."""
        ...

    def respond(self, measured: Measured, wanted: Wanted) -> FloatArray:
        """Return the magnitude allowed, (scenario, vehicle) [kW]."""
        ...
