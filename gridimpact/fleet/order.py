"""What a synthetic fleet was asked for: checked arguments, the mix of models, and the assumptions stated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gridimpact.errors import Problem, raise_problems
from gridimpact.fleet import catalogue
from gridimpact.fleet.plugging import ALWAYS_BELOW_SOC, SHARE_AT_TARGET, SHORT_STOP_H
from gridimpact.fleet.vehicle import Charger, Vehicle, as_vehicle
from gridimpact.records import Ambient, FloatArray, Note

KINDS = ("home", "fleet", "work")


@dataclass(frozen=True)
class Order:
    """What a synthesis was asked for."""

    kind: str
    charger: Charger
    models: tuple[Vehicle, ...]
    weights: FloatArray
    daily_kwh: float | None
    worker_share: float
    multi_day: bool
    always_plug: bool
    soc_target: float
    seed: int


def check_order(
    count: int,
    kind: str,
    daily_kwh: float | None,
    worker_share: float,
    plug_in: str,
    soc_target: float,
    seed: int,
) -> None:
    """Refuse arguments out of range, all at once."""
    lowest = catalogue.default("soc_min")
    rules = (
        ("count", count, count >= 0 and int(count) == count, "must be a whole number, 0 or more"),
        ("kind", kind, kind in KINDS, f"must be one of {', '.join(KINDS)}"),
        (
            "daily_kwh",
            daily_kwh,
            daily_kwh is None or 0 < daily_kwh <= 500,
            "must be above 0 and at most 500 kWh",
        ),
        ("worker_share", worker_share, 0 <= worker_share <= 1, "must be 0 to 1"),
        ("plug_in", plug_in, plug_in in ("by_soc", "always"), "must be 'by_soc' or 'always'"),
        (
            "soc_target",
            soc_target,
            lowest <= soc_target <= 1,
            f"must be {lowest} to 1, not percent",
        ),
        ("seed", seed, seed >= 0, "must be 0 or more"),
    )
    problems = [
        Problem(f"synthesize_fleet, {name}", f"is {value!r}, {rule}")
        for name, value, good, rule in rules
        if not good
    ]
    raise_problems(problems, "fleet")


def model_mix(
    vehicles: str | Vehicle | Sequence[str | Vehicle] | Mapping[str, float] | None,
) -> tuple[tuple[Vehicle, ...], FloatArray]:
    """Return the models and their shares."""
    if vehicles is None:
        table = catalogue.vehicle_catalogue()
        vehicles = {str(m): float(n) for m, n in table["registrations"].items() if n > 0}
    if isinstance(vehicles, (str, Vehicle)):
        vehicles = [vehicles]
    weights = np.asarray(
        list(vehicles.values()) if isinstance(vehicles, Mapping) else [1.0] * len(vehicles),
        dtype=np.float64,
    )
    models = tuple(as_vehicle(name) for name in vehicles)
    if not models or not (weights >= 0).all() or weights.sum() <= 0:
        what = f"has weights {weights.tolist()}, they must be 0 or more and not all 0"
        raise_problems([Problem("synthesize_fleet, vehicles", what, "name a model")], "fleet")
    return models, weights / weights.sum()


def order_notes(order: Order, vehicles: pd.DataFrame, ambient: Ambient | None) -> tuple[Note, ...]:
    """State what was assumed."""
    charger = order.charger
    where = f"fleet {order.kind}"
    texts = []
    if order.kind == "home":
        texts.append(
            f"Trips follow the German travel survey; {100 * order.worker_share:.0f} % of drivers commute; "
            f"{'days without trips, holidays and weekends away included' if order.multi_day else 'every car drives every day'}."
        )
    elif order.kind == "fleet":
        texts.append("Municipal cars leave about 8:00 and return about 16:00 on working days.")
    else:
        texts.append("Employees' cars stand at work about 8:00 to 17:00 on working days.")
    texts.append(
        "Every stay of half an hour or more is plugged in."
        if order.always_plug
        else f"Drivers plug in on each return at or below {ALWAYS_BELOW_SOC:.0%} state of charge, on "
        f"{SHARE_AT_TARGET:.0%} of returns at the target, linear in between; on stops under {SHORT_STOP_H:g} h only at or below {ALWAYS_BELOW_SOC:.0%}."
    )
    if order.daily_kwh is not None:
        texts.append(f"Energy is fixed at {order.daily_kwh:g} kWh a day per car at the meter.")
    if ambient is None:
        texts.append("Consumption is that of 20 degC; no temperature was given.")
    if charger.bidirectional:
        texts.append(
            f"Charger {charger.name!r} and all its cars are taken to be able to feed back up to the lower "
            f"of their powers; whether they do is the strategy's choice."
        )
    single = int((vehicles["phases"] == 1).sum()) if charger.phases == 3 else 0
    if single:
        texts.append(
            f"{single} cars charge on one phase of their three-phase charger, at a third of its power at most."
        )
    texts.append(
        f"Wear costs {catalogue.default_wear_eur_per_kwh():.3f} EUR per kWh taken from the battery, "
        f"reserve {catalogue.default('soc_reserve'):.0%}, target {order.soc_target:.0%}."
    )
    return tuple(Note("assumption", where, text) for text in texts)
