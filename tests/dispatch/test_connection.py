"""Services keep the connection of a site, both ways, while nobody's target is in danger."""

from __future__ import annotations

import numpy as np
import pytest

from gridimpact.dispatch import g2v, v2g, v2h
from gridimpact.dispatch.connection import connection_shares
from gridimpact.dispatch.execute import power_by_site
from tests.dispatch.requests import Car, Group, Place, Stay, plan_request

FUSE_KW, EXPORT_KW = 12.0, 5.0
SERVICES = (
    v2g.SpinningReserve(enrolled=1.0, reserve_soc=0.2, events=("12:00",)),
    g2v.SpinningReserve(events=("12:00",)),
    v2g.VirtualPowerPlant(
        enrolled=1.0, reserve_soc=0.2, profile_kw=(60.0,) * 8 + (-60.0,) * 8 + (60.0,) * 8
    ),
    v2g.LoadFollowing(enrolled=1.0, reserve_soc=0.2),
    v2g.RenewableBuffer(enrolled=1.0, reserve_soc=0.2, surplus_kw=(60.0,) * 24),
    v2g.Regulation(enrolled=1.0, reserve_soc=0.2),
    v2h.Backup(enrolled=1.0),
)


def small_connection():
    """Return a home with two cars that could draw 22 kW through a fuse of 12, and 22 hours to do it."""
    stays = [Stay(k, 4, 92, target=0.7, p_kw=11.0, p_discharge_kw=11.0) for k in range(2)]
    swing = 100.0 + 60.0 * np.tile([1.0, -1.0], 48)
    return plan_request(
        [Car(f"car {k}", eta_charge=0.9, eta_discharge=0.9) for k in range(2)],
        stays,
        steps=96,
        step_s=900,
        places=[Place("home", 2.0, -0.5, FUSE_KW, EXPORT_KW, chargers=2)],
        groups=[Group(swing, 300.0, 300.0)],
    )


@pytest.mark.parametrize("strategy", SERVICES, ids=lambda s: s.name)
def test_services_keep_fuse_and_export_limit(strategy):
    request = small_connection()
    found = strategy.plan(request)
    ends = [found.p_kw]
    if found.p_low_kw is not None:
        ends += [found.p_low_kw, found.p_high_kw]
    for power in ends:
        net = 1.5 + power_by_site(request, power)
        assert net.max() <= FUSE_KW + 1e-6
        assert net.min() >= -EXPORT_KW - 1e-6
    assert not found.unmet_kwh.any()
    assert np.abs(found.p_kw).max() > 1.0


def test_the_share_is_that_of_the_cars_plugged_in():
    around = connection_shares(small_connection(), np.array([True, True]))
    assert around.room_kw[0, 0] == pytest.approx(10.5)
    assert around.room_kw[50, 0] == pytest.approx(10.5 / 2)
    assert around.spare_kw[50, 0] == pytest.approx(6.5 / 2)
    alone = connection_shares(small_connection(), np.array([True, False]))
    assert alone.room_kw[4, 0] == 0.0
    assert alone.room_kw[90, 0] == pytest.approx(10.5)
