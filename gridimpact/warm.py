"""Compiles the numerical kernels once per installation, so that the first study need not wait."""

from __future__ import annotations

import gridimpact as gi
from gridimpact.records import Network, Profiles
from gridimpact.study.catalogue import STRATEGIES

BUILDING = "Home 1"


def compile_kernels() -> None:
    """Run every strategy on a few homes and days; what is compiled stays in numba's cache."""
    net = gi.open_network("kerber_rural", busbar_vm_pu=1.0, site_kinds={BUILDING: "building"})
    time = gi.Timeline.days("2016-06-06", 3, step="1h", zone="Europe/Berlin")
    homes = gi.synthesize_households(
        net, time, heat_pump_share=0.3, pv_share=0.5, buildings={BUILDING: 30_000.0}, seed=1
    )
    cars = gi.place(gi.synthesize_fleet(8, time, seed=1), net, seed=1)
    fleet = gi.place(gi.synthesize_fleet(2, time, kind="fleet", seed=1), net, at=BUILDING, seed=1)
    mix = gi.Mix({gi.g2v.TransformerLimit(): 0.4, gi.v2g.PeakShaving(): 0.3})
    gi.Study(
        net,
        homes,
        [cars, fleet],
        strategies=[*STRATEGIES, mix],
        prices={"home": "nl_2019", "building": "building_subscribed"},
        ambient="germany_2016",
    ).run(days="all", verify=1, progress=False)
    _three_phases(net, homes)


def _three_phases(net: Network, homes: Profiles) -> None:
    """Run single-phase cars in three phases, with and without reactive power that answers."""
    made = gi.synthesize_fleet(4, homes.timeline, charger="ac_3.7kw", seed=2)
    cars = gi.place(made, net, seed=2)
    for volt_var in ({}, {"pv": "ieee_1547_b"}):
        gi.Study(
            net, homes, cars, strategies=["uncontrolled"], zero_sequence="assume",
            volt_var=volt_var,
        ).run(days="all", progress=False)  # fmt: skip
