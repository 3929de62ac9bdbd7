"""What owner and aggregator agree on, and what a dispatch makes them owe one another.

Four agreements: a guaranteed state of charge, a window in which the car must be plugged in, power paid by
the hour plugged in, and a sum in advance less penalties. All evaluate the same usage of a dispatch.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from gridimpact.dispatch.aggregator.usage import Usage
from gridimpact.dispatch.clock import Window
from gridimpact.errors import InputError
from gridimpact.records import FloatArray

__all__ = [
    "Contract",
    "GuaranteedSoc",
    "HourByHour",
    "MustBePlugged",
    "PayAsYouGo",
    "Settlement",
    "settle",
]


class Contract(Protocol):
    """An agreement between owner and aggregator."""

    @property
    def title(self) -> str:
        """Name in a statement."""
        ...

    def terms(self, used: Usage) -> tuple[FloatArray, FloatArray]:
        """Return what each owner earns and is charged, both (vehicle,) and zero or more."""
        ...


@dataclass(frozen=True)
class GuaranteedSoc:
    """The aggregator pays for energy missing at departure.

    Parameters
    ----------
    per_kwh : float
        Paid for each kWh that charging at once would have put in [currency/kWh].
    per_departure : float
        Paid for each departure, for leaving the time of charging to the aggregator.
    per_fed_kwh : float
        Paid for each kWh fed, wear included [currency/kWh].
    """

    per_kwh: float = 1.0
    per_departure: float = 0.0
    per_fed_kwh: float = 0.0

    title = "guaranteed state of charge"

    def __post_init__(self) -> None:
        """Check the prices."""
        _check_prices(self)

    def terms(self, used: Usage) -> tuple[FloatArray, FloatArray]:
        """Return compensation and fees; nothing is charged."""
        earned = self.per_kwh * used.owed_kwh + self.per_departure * used.departures
        return earned + self.per_fed_kwh * used.fed_kwh, np.zeros_like(earned)


@dataclass(frozen=True)
class MustBePlugged:
    """The car must be plugged in during a daily window; hours away in it cost a penalty.

    Parameters
    ----------
    start, end : str
        Local times "HH:MM" of the window; an end not after the start lies on the next day.
    per_window_h : float
        Paid for each hour plugged in inside the window [currency/h].
    penalty_per_h : float
        Charged for each hour away inside it [currency/h].
    days : tuple of str
        Days on which the window begins, "mon" to "sun"; empty for every day.
    """

    start: str = "17:00"
    end: str = "21:00"
    per_window_h: float = 0.1
    penalty_per_h: float = 0.5
    days: tuple[str, ...] = ()

    title = "must be plugged in"

    def __post_init__(self) -> None:
        """Check window and prices."""
        Window(self.start, self.end, self.days)
        _check_prices(self)

    def terms(self, used: Usage) -> tuple[FloatArray, FloatArray]:
        """Return pay for hours plugged in and penalty for hours away, both inside the window."""
        inside = Window(self.start, self.end, self.days).inside(used.request.timeline)
        dt_h = used.request.timeline.dt_h
        here = used.plugged[inside].sum(axis=0) * dt_h
        away = inside.sum() * dt_h - here
        return self.per_window_h * here, self.penalty_per_h * away


@dataclass(frozen=True)
class HourByHour:
    """Power is paid for each hour in which it is plugged in.

    Parameters
    ----------
    per_kw_h : float
        Paid for a kW of contracted power held ready for an hour [currency/(kW h)].

    Notes
    -----
    10 kW plugged in for 120 h at 0.02 per kW and hour earn 24.
    """

    per_kw_h: float = 0.02

    title = "hour by hour"

    def __post_init__(self) -> None:
        """Check the price."""
        _check_prices(self)

    def terms(self, used: Usage) -> tuple[FloatArray, FloatArray]:
        """Return pay by power and hours; nothing is charged."""
        return self.per_kw_h * used.offered_kwh, np.zeros_like(used.offered_kwh)


@dataclass(frozen=True)
class PayAsYouGo:
    """A sum is paid in advance; hours short of those promised are taken off it.

    Parameters
    ----------
    advance : float
        Paid for the whole time to each owner [currency].
    promised_h_per_day : float
        Hours a day that the car is promised to be plugged in, 0..24, on average over the time.
    penalty_per_h : float
        Charged for each hour short of the promise [currency/h]; at most the advance.
    """

    advance: float = 30.0
    promised_h_per_day: float = 12.0
    penalty_per_h: float = 0.2

    title = "pay as you go"

    def __post_init__(self) -> None:
        """Check promise and prices."""
        _check_prices(self)
        if self.promised_h_per_day > 24.0:
            message = f"promised_h_per_day is {self.promised_h_per_day}, a day has 24"
            raise InputError(message)

    def terms(self, used: Usage) -> tuple[FloatArray, FloatArray]:
        """Return the advance and the penalty for hours short of the promise."""
        promised = self.promised_h_per_day * used.period_h / 24.0
        short = np.maximum(promised - used.hours, 0.0)
        return np.full(short.size, self.advance), np.minimum(
            self.penalty_per_h * short, self.advance
        )


@dataclass(frozen=True)
class Settlement:
    """What contracts come to."""

    statement: pd.DataFrame
    """One row per vehicle: ``vehicle_id hours availability fed_kwh owed_kwh earned penalties net``."""
    payments: pd.DataFrame
    """One row per party and contract: ``party contract paid``; positive receives, the sum is zero."""


def settle(contracts: Contract | Iterable[Contract], used: Usage) -> Settlement:
    """Return what every owner earns, and the payments between owners and aggregator.

    Parameters
    ----------
    contracts : contract or iterable of contracts
        Any of this file's, or others with `title` and `terms`; all hold at once.
    used : Usage
        From `usage`.

    Returns
    -------
    Settlement
        A statement per vehicle and payments that sum to zero.
    """
    several = list(contracts) if isinstance(contracts, Iterable) else [contracts]
    count = len(used.request.vehicle_id)
    earned, charged = np.zeros(count), np.zeros(count)
    rows = []
    for contract in several:
        gain, loss = contract.terms(used)
        earned, charged = earned + gain, charged + loss
        paid = float((gain - loss).sum())
        rows += [("owners", contract.title, paid), ("aggregator", contract.title, -paid)]
    statement = pd.DataFrame(
        {
            "vehicle_id": list(used.request.vehicle_id),
            "hours": used.hours,
            "availability": used.hours / used.period_h,
            "fed_kwh": used.fed_kwh,
            "owed_kwh": used.owed_kwh,
            "earned": earned,
            "penalties": charged,
            "net": earned - charged,
        }
    )
    return Settlement(statement, pd.DataFrame(rows, columns=["party", "contract", "paid"]))


def _check_prices(contract: Any) -> None:
    """Refuse prices, sums and hours below zero."""
    for name, value in vars(contract).items():
        if isinstance(value, int | float) and not value >= 0.0:
            message = f"{name} of the contract {contract.title!r} is {value}, must be 0 or more"
            raise InputError(message)
