"""The contract of every strategy, as a check that anyone can run on a strategy of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from gridimpact.dispatch.contract_checks import BrokenPromise, broken_in
from gridimpact.dispatch.contract_fleets import small_fleets
from gridimpact.dispatch.strategy import Foresight, Strategy, check_strategy, label, take_vehicles
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.records import Dispatch, PlanRequest, Stays

SERVICE_KWH = 1e-6
"""Unmet energy beyond that of uncontrolled charging that rounding may move [kWh]."""
LOOKS = 2
"""Moments of a request at which the future is changed."""


def check_contract(
    strategy: Strategy,
    requests: PlanRequest | Iterable[PlanRequest] | Mapping[str, PlanRequest] | None = None,
    *,
    curtails: bool = False,
    seed: int = 0,
) -> tuple[BrokenPromise, ...]:
    """Return the promises that a strategy breaks; an empty tuple where it keeps them all.

    Parameters
    ----------
    strategy : Strategy
        Packaged or your own.
    requests : PlanRequest, iterable or mapping of them, optional
        Each is planned up to five times. None takes ten small fleets that have caught strategies before
        (`small_fleets`). Of `build_requests` it takes what a study asks.
    curtails : bool
        The strategy may leave a target unmet to keep a limit; else nobody may leave with less than
        uncontrolled charging gives.
    seed : int
        Of the order in which vehicles are listed again, and of the moments from which the future is changed.

    Returns
    -------
    tuple of BrokenPromise
        At most one finding for each promise and request.

    Raises
    ------
    InputError
        If `strategy` has no `plan`, `name`, `bidirectional` or `foresight`.

    Notes
    -----
    The promises:

    - ``shape``: arrays fit the request and are finite.
    - ``ledger``: what the meter counts, less losses, is what the battery gains, within 1e-9 of its capacity.
    - ``soc``: the state of charge stays in the battery's limits.
    - ``power``: nothing flows while a car is away, nor beyond charger, vehicle and what the battery takes.
    - ``discharge``: only controlled cars of a bidirectional strategy feed.
    - ``extremes``: power inside a step stays within the charger and around its mean.
    - ``need``: energy missing at departure is reported with a cause.
    - ``service``: it is never more than under uncontrolled charging, unless `curtails`.
    - ``reserve``: nobody feeds below the reserve.
    - ``same_bytes``: the same request gives the same bytes.
    - ``order``: vehicles listed in another order get the same plan.
    - ``no_look_ahead``: what `foresight` says is not known does not change what was done before.
    - ``request``: the request is not written to.
    - ``stated``: name and foresight are stated, and the strategy can be hashed.

    Examples
    --------
    >>> from gridimpact.dispatch.uncontrolled import Uncontrolled
    >>> check_contract(Uncontrolled())
    ()
    """
    check_strategy(strategy)
    found = list(_unstated(strategy))
    for name, request in _named(requests).items():
        found += _broken(strategy, request, name, curtails=curtails, seed=seed)
    return tuple(found)


def _named(requests: Any) -> Mapping[str, PlanRequest]:
    """Return requests by a name to tell them by."""
    if requests is None:
        return small_fleets()
    if isinstance(requests, PlanRequest):
        return {"request": requests}
    if isinstance(requests, Mapping):
        return requests
    return {f"request {number}": request for number, request in enumerate(requests)}


def _broken(
    strategy: Strategy, request: PlanRequest, name: str, *, curtails: bool, seed: int
) -> Iterator[BrokenPromise]:
    """Give what the plans of one request break."""
    before = _digest(request)
    found = strategy.plan(request)
    if _digest(request) != before:
        yield BrokenPromise("request", name, "planning wrote into the request")
        return
    own = list(broken_in(strategy, request, found, name))
    yield from own
    if any(broken.promise == "shape" for broken in own):
        return
    if not curtails:
        base = uncontrolled_dispatch(request)
        worse = found.unmet_kwh - base.unmet_kwh
        for k in np.flatnonzero(worse > SERVICE_KWH)[:1]:
            what = f"lacks {worse[k]:.3g} kWh more than uncontrolled charging leaves"
            yield BrokenPromise("service", f"{name}, stay {request.stays.session_id[k]!r}", what)
    rng = np.random.default_rng(np.random.SeedSequence([seed, int(before[:15], 16)]))
    yield from _same_again(strategy, request, found, name)
    yield from _in_any_order(strategy, request, found, name, rng)
    yield from _looks_ahead(strategy, request, found, name, rng)


def _same_again(
    strategy: Strategy, request: PlanRequest, found: Dispatch, name: str
) -> Iterator[BrokenPromise]:
    """Give what a second plan of the same request changes; its arrays cannot be written to."""
    try:
        again = strategy.plan(_read_only(request))
    except ValueError as error:
        if "read-only" not in str(error):
            raise
        yield BrokenPromise("request", name, "planning writes into arrays of the request")
        return
    for part in ("p_kw", "soc", "controlled", "unmet_kwh", "away_kwh"):
        one, two = np.asarray(getattr(found, part)), np.asarray(getattr(again, part))
        if one.shape != two.shape or one.tobytes() != two.tobytes():
            what = f"{part} differs between two plans of the same request"
            yield BrokenPromise("same_bytes", name, what)
            return


def _in_any_order(
    strategy: Strategy, request: PlanRequest, found: Dispatch, name: str, rng: np.random.Generator
) -> Iterator[BrokenPromise]:
    """Give what changes when the vehicles are listed in another order."""
    count = len(request.vehicle_id)
    if count < 2:
        return
    order = rng.permutation(count)
    if np.array_equal(order, np.arange(count)):
        order = order[::-1].copy()
    shuffled, stays = take_vehicles(request, order)
    other = strategy.plan(shuffled)
    pairs = {
        "p_kw": (found.p_kw[:, order], other.p_kw),
        "soc": (found.soc[:, order], other.soc),
        "unmet_kwh": (found.unmet_kwh[stays], other.unmet_kwh),
        "away_kwh": (found.away_kwh[stays], other.away_kwh),
        "controlled": (found.controlled[order], other.controlled),
        "unmet_cause": (np.array(found.unmet_cause)[stays], np.array(other.unmet_cause)),
    }
    for part, (one, two) in pairs.items():
        if not np.array_equal(one, two):
            what = f"{part} depends on the order of the vehicles; plan_in_id_order mends that"
            yield BrokenPromise("order", name, what)
            return


def _looks_ahead(
    strategy: Strategy, request: PlanRequest, found: Dispatch, name: str, rng: np.random.Generator
) -> Iterator[BrokenPromise]:
    """Give what was done before a moment from which on the unknown is another."""
    known = strategy.foresight
    if "perfect" == known.stays == known.base_load and known.prices != "none":
        return
    # A look at the very next step shows only where power flows just before it turns out another way.
    flows = np.flatnonzero(np.any(found.p_kw != 0.0, axis=1)) + 1
    flows = flows[flows < request.timeline.count]
    for now in rng.choice(flows, min(LOOKS, flows.size), replace=False).tolist():
        factor = np.ones((request.timeline.count, 1))
        factor[now:] = rng.choice([0.3, 3.0], (request.timeline.count - now, 1))
        other = strategy.plan(_other_future(request, known, now, factor))
        moved = np.flatnonzero((found.p_kw[:now] != other.p_kw[:now]).any(axis=1))
        for step in moved[:1]:
            what = f"power at step {step} changes with what happens from step {now} on, beyond its foresight"
            yield BrokenPromise("no_look_ahead", name, what)
            return


def _other_future(
    request: PlanRequest, known: Foresight, now: int, factor: np.ndarray[Any, Any]
) -> PlanRequest:
    """Return the request with all that is not known before step `now` changed from there on."""
    changes: dict[str, Any] = {}
    if known.base_load == "none":
        series = ("site_load_kw", "site_pv_kw", "background_kw", "import_limit_kw")
        changes = {name: getattr(request, name) * factor for name in series}
    if known.stays != "perfect":
        stays = request.stays
        later = stays.start >= now
        changes["stays"] = replace(
            stays,
            soc_target=np.where(later, 0.31, stays.soc_target),
            trip_kwh=np.where(later, 1.0, stays.trip_kwh),
            p_charge_kw=np.where(later, 0.5 * stays.p_charge_kw, stays.p_charge_kw),
            end=np.where(later, (stays.start + stays.end + 1) // 2, stays.end),
        )
    if known.prices == "none":
        changes["tariffs"] = tuple(
            replace(
                tariff,
                import_price=tariff.import_price * factor[:, 0],
                export_price=tariff.import_price * factor[:, 0],
            )
            for tariff in request.tariffs
        )
    return replace(request, **changes)


def _unstated(strategy: Strategy) -> Iterator[BrokenPromise]:
    """Give what a strategy does not say of itself."""
    where = type(strategy).__name__
    stated: Any = strategy.foresight
    if not isinstance(stated, Foresight):
        yield BrokenPromise("stated", where, "foresight is no Foresight(...)")
    if strategy.name != strategy.name.lower() or not label(strategy).startswith(strategy.name):
        yield BrokenPromise("stated", where, f"name {strategy.name!r} is not in small letters")
    try:
        hash(strategy)
    except TypeError:
        yield BrokenPromise("stated", where, "cannot be hashed: frozen, and settings without lists")


def _arrays(record: Any) -> Iterator[np.ndarray[Any, Any]]:
    """Give the arrays of a record and of the records in it."""
    for item in fields(record):
        value = getattr(record, item.name)
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, np.ndarray):
                yield part
            elif is_dataclass(part) and not isinstance(part, type):
                yield from _arrays(part)


def _digest(request: PlanRequest) -> str:
    """Return a digest of all numbers of a request."""
    found = hashlib.sha256()
    for array in _arrays(request):
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()


def _read_only(request: PlanRequest) -> PlanRequest:
    """Return a copy of a request whose arrays cannot be written to."""
    series = {
        f.name: getattr(request, f.name).copy() for f in fields(request) if _is_array(request, f)
    }
    columns = {
        f.name: getattr(request.stays, f.name).copy()
        for f in fields(Stays)
        if _is_array(request.stays, f)
    }
    copied = replace(request, stays=replace(request.stays, **columns), **series)
    for array in (*series.values(), *columns.values()):
        array.flags.writeable = False
    return copied


def _is_array(record: Any, item: Any) -> bool:
    return isinstance(getattr(record, item.name), np.ndarray)
