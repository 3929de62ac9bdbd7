"""Reactive power from chargers: what their apparent power leaves beside the charging of another rule."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from gridimpact.dispatch.enrolment import check_share, lottery
from gridimpact.dispatch.strategy import Foresight, Strategy, plan_in_id_order
from gridimpact.dispatch.strategy import label as label_of
from gridimpact.dispatch.uncontrolled import Uncontrolled
from gridimpact.errors import InputError
from gridimpact.records import BoolArray, Dispatch, FloatArray, Note, PlanRequest, ServiceFigure

MODES = ("capacitive", "inductive", "power_factor", "volt_var")

BASES = ("g2v", "v2g", "v2h", "v2b")
"""Families whose rules can set the active power."""

OTHERS_POWER_FACTOR = 0.99
"""Power factor of chargers that give no support, lagging: the default of a study."""


@dataclass(frozen=True)
class ReactiveSupport:
    """Let chargers give or draw reactive power within their apparent power, whenever a car is plugged in.

    Active power is that of another rule and is never lowered: what is left is ``sqrt(s^2 - p^2)``. A
    charger gives support with an empty car as with a full one, for reactive power takes no energy from
    the battery and wears nothing.

    Parameters
    ----------
    mode : str
        "capacitive": feed reactive power, which lifts the voltage (negative in this package's sign);
        "inductive": draw it, which lowers the voltage; "power_factor": feed it in proportion to active
        power, so that the charger holds a leading power factor; "volt_var": let every charger answer to its
        voltage by a curve, inside the power flow.
    q_kvar : float, optional
        Reactive power of each charger [kvar], a magnitude; all that is left unless given. Not for
        "power_factor".
    power_factor : float
        cos phi held by the mode "power_factor".
    curve : str
        Curve of the mode "volt_var", a name that the study option ``volt_var`` takes.
    base : str or Strategy
        What sets the active power: a strategy, or its name with default settings such as
        "g2v.valley_filling".
    enrolled : float
        Share of cars at whose chargers support is given; the others run at 0.99 lagging.

    Notes
    -----
    A charger's apparent power is `PlanRequest.charger_s_kva`, else the highest active power of its stays.
    With "volt_var" the plan holds no reactive power: the study solves this row as if its option
    ``volt_var`` named the curve for chargers, which it takes instead where it does. All chargers answer,
    whether a car charges or not. A `Mix` or a grid-aware strategy refuses it: there
    set that option.
    """

    mode: str = "capacitive"
    q_kvar: float | None = None
    power_factor: float = 0.95
    curve: str = "ieee_1547_b"
    base: Any = "uncontrolled"
    enrolled: float = 1.0

    name: ClassVar[str] = "v2g_reactive_support"

    def __post_init__(self) -> None:
        """Find the base and check the settings."""
        check_share(self.enrolled, "enrolled")
        if self.mode not in MODES:
            message = f"mode {self.mode!r} is unknown; use one of {', '.join(MODES)}"
            raise InputError(message)
        if self.q_kvar is not None and not 0.0 <= self.q_kvar < float("inf"):
            message = (
                f"q_kvar is {self.q_kvar}, give a magnitude of zero or more; mode tells the sign"
            )
            raise InputError(message)
        if self.q_kvar is not None and self.mode in ("power_factor", "volt_var"):
            message = f"q_kvar is given with mode {self.mode!r}; leave one of the two out"
            raise InputError(message)
        if self.mode == "volt_var" and self.enrolled < 1.0:
            message = f"enrolled is {self.enrolled} with mode 'volt_var', in which all chargers answer; give 1"
            raise InputError(message)
        if not 0.0 < self.power_factor <= 1.0:
            message = f"power_factor is {self.power_factor}, must be above 0 and at most 1"
            raise InputError(message)
        if isinstance(self.base, str):
            object.__setattr__(self, "base", strategy_named(self.base))
        if not isinstance(self.base, Strategy) or isinstance(self.base, ReactiveSupport):
            message = (
                f"base is {self.base!r}, give a strategy or a name such as 'g2v.valley_filling'"
            )
            raise InputError(message)

    @property
    def volt_var(self) -> str:
        """Curve by which the power flow lets chargers answer to voltage, "" for none."""
        return self.curve if self.mode == "volt_var" else ""

    @property
    def bidirectional(self) -> bool:
        """Whether the base discharges."""
        return bool(self.base.bidirectional)

    @property
    def foresight(self) -> Foresight:
        """What the base knows; reactive power needs to know nothing."""
        known: Foresight = self.base.foresight
        return known

    def plan(self, request: PlanRequest) -> Dispatch:
        """Return the base's plan with reactive power beside it."""
        return plan_in_id_order(request, self._plan)

    def _plan(self, request: PlanRequest) -> Dispatch:
        found: Dispatch = self.base.plan(request)
        if self.volt_var:
            text = (
                f"every charger answers to its voltage by {self.curve} in the power flow of a study"
            )
            note = Note("note", self.name, text)
            return replace(found, strategy=label_of(self), notes=(*found.notes, note))
        gives = lottery(request.vehicle_id, request.seed, "reactive") < self.enrolled
        room, plugged = reactive_room_kvar(request, found.p_kw)
        power = np.abs(found.p_kw)
        if self.mode == "power_factor":
            wanted = power * np.tan(np.arccos(self.power_factor))
        else:
            wanted = np.where(plugged, np.inf if self.q_kvar is None else self.q_kvar, 0.0)
        sign = 1.0 if self.mode == "inductive" else -1.0
        own = sign * np.minimum(wanted, room)
        rest = power * np.tan(np.arccos(OTHERS_POWER_FACTOR))
        q_kvar = np.where(gives[None, :], own, rest)
        return replace(
            found,
            strategy=label_of(self),
            q_kvar=q_kvar,
            figures=(*found.figures, *_figures(q_kvar, room, gives, request.timeline.dt_h)),
        )


def reactive_room_kvar(request: PlanRequest, p_kw: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return the reactive power that each car's charger has left, and where cars are plugged in.

    Parameters
    ----------
    request : PlanRequest
        Stays, and the chargers' apparent power.
    p_kw : ndarray
        (time, vehicle) active power [kW].

    Returns
    -------
    tuple
        Magnitude [kvar], zero while away, and whether plugged in; both (time, vehicle).
    """
    stays = request.stays
    rating = request.charger_s_kva
    if rating is None:
        rating = np.zeros(len(request.charger_id))
        highest = np.maximum(stays.p_charge_kw, stays.p_discharge_kw)
        np.maximum.at(rating, stays.charger, highest)
    size = np.zeros(p_kw.shape)
    plugged = np.zeros(p_kw.shape, dtype=np.bool_)
    for i in range(stays.vehicle.size):
        span = slice(stays.start[i], stays.end[i])
        size[span, stays.vehicle[i]] = rating[stays.charger[i]]
        plugged[span, stays.vehicle[i]] = True
    return np.sqrt(np.maximum(np.square(size) - np.square(p_kw), 0.0)), plugged


def strategy_named(text: str) -> Strategy:
    """Return a strategy by the name it has in a study file, with default settings.

    Raises
    ------
    InputError
        If no rule has the name.

    Examples
    --------
    >>> strategy_named("v2g.arbitrage").name
    'v2g_arbitrage'
    """
    if text == "uncontrolled":
        return Uncontrolled()
    family, _, rule = text.partition(".")
    known: list[str] = ["uncontrolled"]
    for room in BASES:
        module = import_module(f"gridimpact.dispatch.{room}")
        for kind in (getattr(module, item) for item in module.__all__):
            name = getattr(kind, "name", None)
            if isinstance(name, str) and hasattr(kind, "plan") and kind is not ReactiveSupport:
                short = name.removeprefix(f"{room}_")
                known.append(f"{room}.{short}")
                if (room, short) == (family, rule):
                    made: Strategy = kind()
                    return made
    message = f"base {text!r} is unknown; use one of {', '.join(known)}"
    raise InputError(message)


def _figures(
    q_kvar: FloatArray, room_kvar: FloatArray, gives: BoolArray, dt_h: float
) -> tuple[ServiceFigure, ...]:
    """Return what the fleet gives and what it could."""
    mine = np.where(gives[None, :], q_kvar, 0.0)
    could = np.where(gives[None, :], room_kvar, 0.0).sum(axis=1)
    service = "reactive_support"
    return (
        ServiceFigure(
            service,
            "highest_kvar",
            float(np.abs(mine.sum(axis=1)).max(initial=0.0)),
            "all supporting chargers in one step",
        ),
        ServiceFigure(
            service,
            "least_room_kvar",
            float(could.min(initial=np.inf)) if could.size else 0.0,
            "reactive power the plugged-in chargers could give in the worst step",
        ),
        ServiceFigure(
            service,
            "given_kvarh",
            float(np.abs(mine).sum() * dt_h),
            "given or drawn over the whole time",
        ),
    )
