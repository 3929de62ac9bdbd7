"""A fleet of home chargers over many days, for tests of the aggregator and of plans that recede."""

from __future__ import annotations

import numpy as np

from tests.dispatch.requests import Car, Group, Stay, plan_request


def home_fleet(
    cars: int = 30,
    days: int = 10,
    *,
    seed: int = 0,
    feed_kw: float = 7.0,
    per_hour: int = 2,
    comes: float = 0.85,
    limit_kw: float = 200.0,
):
    """Return a request of cars that come home in the evening, or not, and leave in the morning."""
    rng = np.random.default_rng(seed)
    day = 24 * per_hour
    stays = []
    for k in range(cars):
        for d in range(days):
            start = round(np.clip(17 + 1.5 * rng.normal(), 12, 23) * per_hour) + day * d
            end = round((31 + rng.normal()) * per_hour) + day * d
            if rng.random() < comes and start < day * days:
                stays.append(
                    Stay(
                        k,
                        start,
                        min(end, day * days),
                        trip_kwh=rng.uniform(3, 15) if d else 0.0,
                        p_kw=11.0,
                        p_discharge_kw=feed_kw,
                        reserve=0.3,
                        cut=end > day * days,
                    )
                )
    hours = np.arange(day * days) / per_hour
    demand = 60.0 + 30.0 * np.cos((hours - 19.0) / 12.0 * np.pi) + rng.normal(0, 4, hours.size)
    return plan_request(
        [Car(f"car {k:03}", soc=0.7, eta_charge=0.9, eta_discharge=0.9) for k in range(cars)],
        stays,
        steps=day * days,
        step_s=3600 // per_hour,
        groups=[Group(demand, limit_kw, limit_kw)],
    )
