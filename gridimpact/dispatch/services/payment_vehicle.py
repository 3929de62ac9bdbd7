"""Revenue and cost of one vehicle that sells power, after Kempton and Tomic (2005).

Kempton and Tomic, "Vehicle-to-grid power fundamentals", Journal of Power Sources 144 (2005) 268-279,
doi:10.1016/j.jpowsour.2004.12.025. Nothing is rounded on the way: their example rounds the capital recovery
factor to 0.16 and so arrives at other last digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gridimpact.errors import InputError

SHALLOW_FACTOR = 3.0
"""Lifetime throughput at 3 % depth of discharge over that at 80 %, their assumption."""
TYPICAL_EUR_PER_YEAR = (100.0, 300.0)
"""Net income of a vehicle that most studies find."""
SEEN_EUR_PER_YEAR = (-300.0, 4600.0)
"""Range of all that was found; beyond, look for an error."""


def line_power_kw(volt: float, ampere: float) -> float:
    """Return what a single-phase connection carries [kW].

    Examples
    --------
    >>> line_power_kw(240.0, 50.0)
    12.0
    """
    return volt * ampere / 1000.0


def vehicle_power_kw(
    stored_kwh: float,
    driven: float,
    buffer: float,
    distance_per_kwh: float,
    eta_inverter: float,
    hours: float,
) -> float:
    """Return the power a battery sustains for some hours beside what driving needs [kW].

    Parameters
    ----------
    stored_kwh : float
        Energy stored [kWh].
    driven, buffer : float
        Distance driven since the battery was full, and the range to keep.
    distance_per_kwh : float
        In the unit of the distances.
    eta_inverter : float
        Energy at the meter per energy from the battery, 0..1.
    hours : float
        Time of dispatch [h].

    Returns
    -------
    float
        Zero where driving leaves nothing.

    Examples
    --------
    >>> round(vehicle_power_kw(21.9, 16.0, 20.0, 2.5, 0.93, 1.0), 3)
    6.975
    """
    if hours <= 0.0 or distance_per_kwh <= 0.0:
        message = f"hours is {hours}, distance_per_kwh {distance_per_kwh}; give more than 0"
        raise InputError(message)
    left = stored_kwh - (driven + buffer) / distance_per_kwh
    return max(left, 0.0) * eta_inverter / hours


def sold_power_kw(line_kw: float, vehicle_kw: float) -> tuple[float, str]:
    """Return the smaller of the two and which it was: "line" or "vehicle".

    Examples
    --------
    >>> sold_power_kw(15.0, 20.9)
    (15.0, 'line')
    """
    return (line_kw, "line") if line_kw <= vehicle_kw else (vehicle_kw, "vehicle")


def dispatched_kwh(kw: float, plugged_h: float, dispatch_to_contract: float) -> float:
    """Return the energy that regulation calls, the share `dispatch_to_contract` of what is held [kWh]."""
    return dispatch_to_contract * kw * plugged_h


def called_kwh(kw: float, calls: float, hours: float) -> float:
    """Return the energy of reserve called `calls` times for some hours [kWh]."""
    return calls * kw * hours


def capacity_revenue(
    kw: float,
    plugged_h: float,
    capacity_price: float,
    energy_price: float,
    energy_kwh: float,
) -> float:
    """Return the revenue of a service paid for capacity and energy [currency].

    Parameters
    ----------
    kw : float
        Power contracted.
    plugged_h : float
        Time plugged in and contracted [h].
    capacity_price : float
        [currency/kW-h]
    energy_price : float
        [currency/kWh]
    energy_kwh : float
        Energy delivered [kWh].

    Examples
    --------
    >>> round(capacity_revenue(15, 6570, 0.04, 0.10, 9855), 6)
    4927.5
    """
    return capacity_price * kw * plugged_h + energy_price * energy_kwh


def capital_recovery_factor(rate: float, years: float) -> float:
    """Return the annuity of one unit of money spent now, ``d / (1 - (1 + d)**-n)``.

    Examples
    --------
    >>> round(capital_recovery_factor(0.10, 10), 6)
    0.162745
    """
    if years <= 0.0 or rate <= -1.0:
        message = f"years is {years}, rate {rate}; give more than 0 years and a rate above -1"
        raise InputError(message)
    if abs(rate) < 1e-12:
        return 1.0 / years
    return rate / (1.0 - float((1.0 + rate) ** -years))


@dataclass(frozen=True, slots=True)
class BatteryCost:
    """What cycling costs, from replacement and cycle life.

    Attributes
    ----------
    total_kwh : float
        Energy of the battery.
    cost_per_kwh : float
        Of a new one [currency/kWh].
    labour : float
        Cost of replacing it [currency].
    cycles : float
        Cycle life at `depth`.
    depth : float
        Depth of discharge at which it was found, 0..1.
    shallow_factor : float
        Throughput of shallow cycling over that at `depth`; 1 for cycles as deep.
    """

    total_kwh: float
    cost_per_kwh: float
    labour: float
    cycles: float
    depth: float = 0.8
    shallow_factor: float = 1.0

    @property
    def replacement(self) -> float:
        """Cost of a new battery, fitted [currency]."""
        return self.total_kwh * self.cost_per_kwh + self.labour

    @property
    def throughput_kwh(self) -> float:
        """Energy it gives in its life."""
        return self.cycles * self.total_kwh * self.depth * self.shallow_factor

    @property
    def per_kwh(self) -> float:
        """Wear of one kWh given [currency/kWh]."""
        return self.replacement / self.throughput_kwh


def energy_cost_per_kwh(price: float, eta_round_trip: float, wear_per_kwh: float) -> float:
    """Return what one kWh sold costs: bought with losses, and the wear [currency/kWh].

    Examples
    --------
    >>> round(energy_cost_per_kwh(0.10, 0.73, 0.0752), 6)
    0.212186
    """
    return price / eta_round_trip + wear_per_kwh


def annual_cost(
    cost_per_kwh: float, energy_kwh: float, equipment: float, rate: float, years: float
) -> float:
    """Return the yearly cost: energy given, and the annuity of equipment [currency/year]."""
    return cost_per_kwh * energy_kwh + equipment * capital_recovery_factor(rate, years)


def plausible_income(per_year: float) -> str:
    """Return "typical", "seen" or "implausible" for a vehicle's net income in a year.

    Examples
    --------
    >>> plausible_income(200.0), plausible_income(2500.0), plausible_income(9000.0)
    ('typical', 'seen', 'implausible')
    """
    for word, (low, high) in (("typical", TYPICAL_EUR_PER_YEAR), ("seen", SEEN_EUR_PER_YEAR)):
        if np.isfinite(per_year) and low <= per_year <= high:
            return word
    return "implausible"
