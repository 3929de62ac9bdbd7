"""Who pays whom for a service: what capacity and energy earn, and books that close."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gridimpact.dispatch.enrolment import check_share

OWNER, AGGREGATOR, OPERATOR = "owner", "aggregator", "operator"
"""Who has the car, who bundles cars, who runs the grid and buys."""


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment for a service; a negative amount flows back."""

    service: str
    payer: str
    payee: str
    amount: float
    what: str = ""


def capacity_payment(price_per_mw_h: float, mw: float, hours: float) -> float:
    """Return what held capacity earns, price times capacity times time [currency].

    Examples
    --------
    >>> capacity_payment(40.0, 0.5, 10.0)
    200.0
    """
    return price_per_mw_h * mw * hours


def energy_payment(price_per_mwh: float, energy_mwh: float) -> float:
    """Return what delivered energy earns [currency].

    Examples
    --------
    >>> energy_payment(60.0, 0.8)
    48.0
    """
    return price_per_mwh * energy_mwh


def contract_payment(kw: float, hours_plugged: float, price_per_kw_h: float) -> float:
    """Return what a contract by the plugged-in hour pays [currency].

    Examples
    --------
    >>> contract_payment(10.0, 120.0, 0.02)
    24.0
    """
    return kw * hours_plugged * price_per_kw_h


def shared_payments(service: str, amount: float, aggregator_share: float) -> tuple[Payment, ...]:
    """Return the payments of a service's earnings: operator to aggregator, aggregator to owners.

    Parameters
    ----------
    service : str
        What was sold.
    amount : float
        What the operator pays [currency].
    aggregator_share : float
        Share that stays with the aggregator, 0..1.

    Raises
    ------
    InputError
        If the share is outside 0..1.
    """
    check_share(aggregator_share, "aggregator_share")
    return (
        Payment(service, OPERATOR, AGGREGATOR, amount, "service"),
        Payment(service, AGGREGATOR, OWNER, amount * (1.0 - aggregator_share), "owners' share"),
    )


def balances(payments: Iterable[Payment]) -> dict[str, dict[str, float]]:
    """Return what every actor received less what he paid, by service; each service sums to zero.

    Examples
    --------
    >>> books = balances(shared_payments("regulation", 100.0, 0.25))
    >>> books["regulation"]
    {'operator': -100.0, 'aggregator': 25.0, 'owner': 75.0}
    """
    books: dict[str, dict[str, float]] = {}
    for payment in payments:
        book = books.setdefault(payment.service, {})
        book[payment.payer] = book.get(payment.payer, 0.0) - payment.amount
        book[payment.payee] = book.get(payment.payee, 0.0) + payment.amount
    return books
