"""An auction of one ancillary service: cheapest bids first, one price for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from gridimpact.errors import Problem, raise_problems

MINIMUM_OFFER_MW = 1.0
"""Usual smallest offer; 0.1 MW in the pilot of the University of Delaware with PJM."""


@dataclass(frozen=True, slots=True)
class Bid:
    """An offer of capacity.

    Attributes
    ----------
    name : str
        Who offers.
    mw : float
        Capacity [MW].
    price : float
        Least price at which it is given [currency/MW-h].
    """

    name: str
    mw: float
    price: float


@dataclass(frozen=True)
class Clearing:
    """Result of an auction.

    Attributes
    ----------
    price : float
        Of the last bid accepted, paid to all [currency/MW-h]; NaN where nothing was accepted.
    accepted : mapping
        Capacity [MW] by bidder, cheapest first.
    rejected : tuple of str
        Bidders below the smallest offer.
    missing_mw : float
        Requirement that nobody offered.
    """

    price: float
    accepted: Mapping[str, float]
    rejected: tuple[str, ...]
    missing_mw: float

    @property
    def pay_per_h(self) -> dict[str, float]:
        """Capacity payment of each accepted bidder [currency/h]."""
        return {name: mw * self.price for name, mw in self.accepted.items()}


def clear_market(
    bids: Iterable[Bid], requirement_mw: float, *, minimum_offer_mw: float = 0.0
) -> Clearing:
    """Return which bids are taken and what all of them are paid.

    Parameters
    ----------
    bids : iterable of Bid
        Each name once; equal prices are taken in the order of names.
    requirement_mw : float
        Capacity to buy [MW].
    minimum_offer_mw : float
        Smaller offers are rejected [MW].

    Returns
    -------
    Clearing
        With a uniform price, that of the marginal bid.

    Raises
    ------
    InputError
        If a name comes twice, or a capacity, price or the requirement is not finite or negative.

    Notes
    -----
    More capacity at or below the clearing price never raises the price.

    Examples
    --------
    >>> found = clear_market([Bid("g1", 4, 5.0), Bid("ev", 2, 3.0), Bid("g2", 6, 12.0)], 8)
    >>> found.price, dict(found.accepted)
    (12.0, {'ev': 2.0, 'g1': 4.0, 'g2': 2.0})
    """
    offers = list(bids)
    _check(offers, requirement_mw)
    accepted: dict[str, float] = {}
    price, missing = float("nan"), float(requirement_mw)
    large = [bid for bid in offers if bid.mw >= minimum_offer_mw]
    for bid in sorted(large, key=lambda b: (b.price, b.name)):
        if missing > 0.0 and bid.mw > 0.0:
            taken = min(float(bid.mw), missing)
            accepted[bid.name], price = taken, float(bid.price)
            missing -= taken
    rejected = tuple(bid.name for bid in offers if bid.mw < minimum_offer_mw)
    return Clearing(price, MappingProxyType(accepted), rejected, missing)


def _check(offers: list[Bid], requirement_mw: float) -> None:
    """Refuse bids that no auction could clear."""
    problems = []
    for bid in offers:
        if not (np.isfinite(bid.mw) and bid.mw >= 0.0 and np.isfinite(bid.price)):
            what = f"offers {bid.mw} MW at {bid.price}; give a capacity of 0 or more and a price"
            problems.append(Problem(f"bid of {bid.name!r}", what))
    names = [bid.name for bid in offers]
    for name in dict.fromkeys(n for n in names if names.count(n) > 1):
        problems.append(Problem(f"bid of {name!r}", "comes twice", "add its offers or name them"))
    if not (np.isfinite(requirement_mw) and requirement_mw >= 0.0):
        problems.append(Problem("requirement_mw", f"is {requirement_mw}, give 0 or more"))
    raise_problems(problems, "auction")
