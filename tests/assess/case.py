"""A made-up street: one 20/0.4 kV transformer, two feeders, three homes and a hall.

Voltages and loadings are set by hand, so every figure can be counted on fingers.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import csc_array

from gridimpact.ageing import Nameplate
from gridimpact.assess import AssessContext, SegmentResult
from gridimpact.records import (
    Admittance,
    Batteries,
    Dispatch,
    FlowResult,
    Grid,
    PlanRequest,
    Stays,
    Tariff,
)
from gridimpact.timeline import Timeline

BUSES = ("MV", "busbar", "A1", "A2", "B1")
SITES = ("home1", "home2", "hall", "home3")


def street(*, rated=True, slack_pu=1.02):
    """MV bus 0, busbar 1, feeder 1 with buses 2 and 3, feeder 2 with bus 4."""
    ends = np.array([[0, 1], [1, 2], [2, 3], [1, 4]])
    y_bus = np.zeros((5, 5), dtype=complex)
    for a, b in ends:
        y_bus[a, b] -= 1
        y_bus[b, a] -= 1
        y_bus[a, a] += 1
        y_bus[b, b] += 1
    one = np.ones(4, dtype=complex)
    admittance = Admittance(
        s_base_kva=1000.0,
        node_vn_kv=np.array([20, 0.4, 0.4, 0.4, 0.4]),
        y_bus=csc_array(y_bus),
        slack_node=np.array([0]),
        slack_vm_pu=np.array([slack_pu + 0j]),
        supplied=np.ones(5, dtype=bool),
        branch_from=ends[:, 0],
        branch_to=ends[:, 1],
        y_ff=one,
        y_ft=-one,
        y_tf=-one,
        y_tt=one,
    )
    return Grid(
        bus_index=np.array([10, 11, 12, 13, 14]),
        bus_name=BUSES,
        bus_vn_kv=np.array([20, 0.4, 0.4, 0.4, 0.4]),
        bus_xy=np.zeros((5, 2)),
        bus_geographic=False,
        bus_node=np.arange(5),
        bus_supplied=np.ones(5, dtype=bool),
        bus_distance_m=np.array([np.nan, 0, 50, 120, 80.0]),
        bus_feeder=np.array([0, 0, 1, 1, 2]),
        bus_transformer=np.array([-1, 0, 0, 0, 0]),
        bus_phases=np.ones((5, 3), dtype=bool),
        line_index=np.array([20, 21, 22]),
        line_name=("L1", "L2", "L3"),
        line_from=np.array([1, 2, 1]),
        line_to=np.array([2, 3, 4]),
        line_length_m=np.array([50, 70, 80.0]),
        line_i_max_ka=np.array([0.2, 0.2, 0.2 if rated else np.nan]),
        line_branch=np.array([1, 2, 3]),
        transformer_index=np.array([5]),
        transformer_name=("T1",),
        transformer_hv=np.array([0]),
        transformer_lv=np.array([1]),
        transformer_sn_kva=np.array([100.0]),
        transformer_i_rated_ka=np.array([[0.003, 0.144]]),
        transformer_loss_ratio=np.array([5.0]),
        transformer_branch=np.array([0]),
        admittance=admittance,
    )


def sites(phases="abc"):
    return pd.DataFrame(
        {"bus": [12, 13, 14, 14], "phases": phases, "kind": ["home", "home", "building", "home"]},
        index=pd.Index(SITES, name="site_id"),
    )


def context(grid=None, **changes):
    grid = street() if grid is None else grid
    changes = {"sites": sites(), "plate": Nameplate.preset("iec_onan")} | changes
    return AssessContext(grid=grid, **changes)


def timeline(steps, step="15min", start="2016-01-04", zone="UTC"):
    return Timeline.between(start, "2017-06-01", step=step, zone=zone).part(0, steps)


def flow(steps, scenarios=1, **changes):
    """A quiet flow; keyword arguments replace arrays."""
    arrays = {
        "vm_pu": np.ones((scenarios, steps, 5)),
        "line_loading_percent": np.full((scenarios, steps, 3), 50.0),
        "transformer_loading_percent": np.full((scenarios, steps, 1), 60.0),
        "transformer_p_kw": np.full((scenarios, steps, 1), 40.0),
        "transformer_q_kvar": np.zeros((scenarios, steps, 1)),
        "losses_kw": np.full((scenarios, steps), 1.0),
        "status": np.zeros((scenarios, steps), dtype=np.int8),
        "residual_kva": np.zeros((scenarios, steps)),
    }
    return FlowResult(engine="by hand", **(arrays | changes))


def tariff(steps, **changes):
    flat = {
        "name": "flat",
        "import_price": np.full(steps, 0.30),
        "export_price": np.full(steps, 0.10),
    }
    return Tariff(**(flat | changes))


def stays(rows):
    """Stays from (vehicle, site, start, end, target) or with a sixth entry True where cut."""
    count = len(rows)
    column = lambda k: np.array([row[k] for row in rows], dtype=np.int64)  # noqa: E731
    return Stays(
        session_id=tuple(f"s{k}" for k in range(count)),
        vehicle=column(0),
        charger=column(0),
        site=column(1),
        start=column(2),
        end=column(3),
        trip_kwh=np.zeros(count),
        soc_arrival=np.full(count, np.nan),
        soc_target=np.array([row[4] for row in rows], dtype=float),
        soc_reserve=np.zeros(count),
        p_charge_kw=np.full(count, 11.0),
        p_discharge_kw=np.full(count, 11.0),
        cut=np.array([len(row) > 5 for row in rows], dtype=bool),
    )


def request(time, rows, *, tariffs=None, own_tariff=(0, 0, 0, 0), load_kw=1.0, pv_kw=0.0):
    vehicles = 1 + max((row[0] for row in rows), default=1)
    spread = lambda value: np.full(vehicles, float(value))  # noqa: E731
    return PlanRequest(
        timeline=time,
        vehicle_id=tuple(f"car{k}" for k in range(vehicles)),
        batteries=Batteries(
            capacity_kwh=spread(50), eta_charge=spread(0.9), eta_discharge=spread(0.8),
            soc_min=spread(0), soc_max=spread(1), soc_knee=spread(1), taper_fraction=spread(1),
            wear_per_kwh=spread(0.05),
        ),
        soc_initial=spread(0.5),
        stays=stays(rows),
        charger_id=tuple(f"c{k}" for k in range(vehicles)),
        charger_site=np.array([0, 1, 2, 3][:vehicles]),
        site_id=SITES,
        site_kind=("home", "home", "building", "home"),
        site_load_kw=np.full((time.count, 4), load_kw),
        site_pv_kw=np.full((time.count, 4), pv_kw),
        site_import_limit_kw=np.array([24.0, 10.0, np.inf, np.inf]),
        site_export_limit_kw=np.full(4, np.inf),
        tariffs=(tariff(time.count),) if tariffs is None else tariffs,
        site_tariff=np.array(own_tariff),
        group_id=(),
        group_member=np.zeros((0, vehicles), dtype=bool),
        background_kw=np.zeros((time.count, 0)),
        import_limit_kw=np.zeros((time.count, 0)),
        export_limit_kw=np.zeros((time.count, 0)),
    )  # fmt: skip


def dispatch(asked, p_kw, *, unmet=None, controlled=None):
    count = len(asked.stays.start)
    unmet = np.zeros(count) if unmet is None else np.asarray(unmet, dtype=float)
    cars = len(asked.vehicle_id)
    return Dispatch(
        strategy="by hand",
        p_requested_kw=p_kw,
        p_kw=p_kw,
        soc=np.full(p_kw.shape, 0.7),
        soc_initial=asked.soc_initial,
        unmet_kwh=unmet,
        unmet_cause=tuple("too_short" if value > 0 else "" for value in unmet),
        away_kwh=np.zeros(count),
        controlled=np.ones(cars, dtype=bool) if controlled is None else np.array(controlled),
    )


def segment(steps=96, *, flow_changes=None, counted=None, with_cars=None, heat=None, **time):
    """A solved segment; `with_cars` is (request, dispatch), `heat` hot-spot values (time,)."""
    line = timeline(steps, **time)
    solved = flow(steps, **(flow_changes or {}))
    temperatures = {}
    if heat is not None:
        hot = np.asarray(heat, dtype=float)[None, :, None]
        from gridimpact.ageing import ageing_rate

        temperatures = {
            "hot_spot_c": hot,
            "top_oil_c": hot - 20.0,
            "ageing_rate": ageing_rate(hot, "non_upgraded"),
        }
    asked, planned = with_cars or (None, None)
    return SegmentResult(line, solved, counted, asked, planned, **temperatures)
