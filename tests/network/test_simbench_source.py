"""SimBench networks come with their own profiles and without their cars."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from gridimpact.errors import GridError
from gridimpact.network import open_network
from gridimpact.network.simbench_source import _timeline

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("simbench") is None,
        reason="the optional package simbench is not installed",
    ),
]


@pytest.fixture(scope="module")
def today():
    return open_network("simbench:1-LV-rural1--0-sw")


@pytest.fixture(scope="module")
def future():
    return open_network("simbench:1-LV-rural1--2-sw")


def test_profiles_are_simbenchs_own_absolute_values(today):
    import simbench

    net = simbench.get_simbench_net("1-LV-rural1--0-sw")
    absolute = simbench.get_absolute_values(net, True)
    own = today.profiles
    assert own.load_p_kw.shape == (35136, 13)
    assert np.allclose(own.load_p_kw, 1000 * absolute["load", "p_mw"].to_numpy(), atol=1e-9)
    assert np.allclose(own.load_q_kvar, 1000 * absolute["load", "q_mvar"].to_numpy(), atol=1e-9)
    feed = 1000 * absolute["sgen", "p_mw"].to_numpy().sum(axis=1)
    assert np.allclose(own.pv_p_kw.sum(axis=1), -feed, atol=1e-9)
    assert own.site_id == tuple(today.sites.index)


def test_the_broken_local_stamps_become_the_utc_steps_of_the_year(today):
    time = today.profiles.timeline
    assert (time.count, time.step_s, time.zone) == (35136, 900, "Europe/Berlin")
    noon = time.local_hour == 12.0
    assert today.profiles.pv_p_kw[noon].sum() < today.profiles.pv_p_kw[time.local_hour == 7.0].sum()


def test_other_stamps_are_refused(today):
    import pandas as pd

    stamps = pd.Series(pd.date_range("2016-01-01", periods=35136, freq="15min"))
    with pytest.raises(GridError, match="not the 15-minute steps"):
        _timeline(stamps.dt.strftime("%d.%m.%Y %H:%M"))


def test_built_in_cars_are_left_out_and_heat_pumps_stand_behind_the_meter(future):
    assert any("7 charging points of 76.5 kW" in n.text for n in future.notes)
    assert not future.net.load.profile.str.startswith("HLS").any()
    assert len(future.sites) == 13
    pumps = future.profiles.heat_pump_p_kw
    assert pumps.sum(axis=1).max() > 5.0
    assert (pumps <= future.profiles.load_p_kw + 1e-12).all()


def test_an_unknown_code_is_answered_with_the_nearest():
    with pytest.raises(GridError, match="did you mean '1-LV-rural1--0-sw'"):
        open_network("simbench:1-LV-rural1--0")
