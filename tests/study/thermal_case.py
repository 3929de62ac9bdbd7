"""Three homes for a day of hourly steps with a cold front: the smallest study with temperatures."""

from __future__ import annotations

import dataclasses
import json
from functools import lru_cache
from typing import Any

import numpy as np

import gridimpact as gi
from tests.study import case

AIR = np.where(np.arange(24) < 12, 25.0, 5.0)
"""Falls by 20 K at noon [degC]."""

RATING = float(case.three_homes().grid.transformer_sn_kva[0])
REPORT: dict[str, Any] = {
    "cooling": "ONAN", "rated_kva": RATING, "loss_kva": RATING, "loss_temp_c": 75.0,
    "winding_loss_w": 12.0 * RATING, "winding_eddy_loss_w": 0.3 * RATING, "stray_loss_w": 0.5 * RATING,
    "core_loss_w": 2.0 * RATING, "winding_rise_rated_k": 65.0, "winding_rise_k": 63.0,
    "hot_spot_rise_k": 80.0, "top_oil_rise_k": 55.0, "bottom_oil_rise_k": 25.0,
    "core_coil_kg": 2.0 * RATING, "tank_kg": 1.0 * RATING, "oil_l": 1.5 * RATING,
}  # fmt: skip
"""A plausible test report at the network's rating."""


def thermal_run(load_kw: Any = 30.0, **transformer: Any) -> gi.Result:
    """Return the day solved with a load at each home and options of the transformer."""
    load = np.broadcast_to(np.asarray(load_kw, dtype=float), (24,))
    return _run(tuple(load.tolist()), json.dumps(transformer, sort_keys=True))


@lru_cache(maxsize=64)
def _run(load_kw: tuple[float, ...], transformer: str) -> gi.Result:
    net = case.three_homes()
    still = case.constant(net)
    shape = np.ones((1, len(net.sites)))
    profiles = dataclasses.replace(
        still,
        load_p_kw=np.maximum(np.array(load_kw), 0.0)[:, None] * shape,
        pv_p_kw=np.minimum(np.array(load_kw), 0.0)[:, None] * shape,
        load_q_kvar=np.zeros((24, len(net.sites))),
    )
    study = gi.Study(
        net, profiles, gi.synthesize_fleet(0, case.DAY, seed=0), strategies=["uncontrolled"], ambient=AIR,
        transformer=json.loads(transformer),
    )  # fmt: skip
    return study.run("all", progress=False)


@lru_cache(maxsize=2)
def thermal_cars() -> gi.Result:
    """Return the day with two cars, priced, charged as they come and by V2G arbitrage."""
    net, day = case.three_homes(), np.datetime64("2016-04-15")
    sessions = [
        (f"v{n}", day + np.timedelta64(1, "h"), day + np.timedelta64(22, "h"), 0.0, 0.5, 0.9)
        for n in (1, 2)
    ]
    cars = {f"v{n}": {"capacity_kwh": 60.0, "p_charge_max_kw": 11.0, "p_discharge_max_kw": 11.0}
            for n in (1, 2)}  # fmt: skip
    fleet = case.fleet_of(sessions, cars, p_discharge_max_kw=11.0, bidirectional=True)
    at = dict(zip(fleet.chargers.index, net.sites.index, strict=False))
    study = gi.Study(
        net, case.constant(net, kw=20.0), gi.place(fleet, net, at=at), ambient=AIR, prices="nl_2019",
        strategies=[gi.v2g.Arbitrage(enrolled=1.0)],
        transformer={"replacement": {"cost": 8000.0}, "used_percent": 25.0},
    )  # fmt: skip
    return study.run("all", progress=False)
