"""Rules that answer tariffs, events, the sun and a group above its limit."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

from gridimpact.dispatch import g2v, uncontrolled_dispatch
from gridimpact.dispatch.g2v.dimming import SIMULTANEITY, floor_kw
from gridimpact.dispatch.strategy import label
from gridimpact.errors import InputError
from gridimpact.study.catalogue import make_strategy
from tests.dispatch.requests import Car, Group, Place, Prices, Stay, plan_request


def homes(count, stay=(16, 40), steps=48, soc=0.5, target=0.8, **options):
    """Return like cars that charge at home."""
    return plan_request(
        [Car(f"car {k:02d}", soc=soc) for k in range(count)],
        [Stay(k, *stay, target=target) for k in range(count)],
        steps=steps,
        **options,
    )


def test_time_of_use_charges_in_the_cheap_hours_given():
    found = g2v.TimeOfUse(cheap=[["22:00", "06:00"]]).plan(homes(1))
    assert np.flatnonzero(found.p_kw[:, 0]).tolist() == [22, 23]
    assert found.p_kw[22:24, 0] == pytest.approx([10.0, 5.0])


def test_time_of_use_finds_the_lowest_price_of_each_day():
    price = np.where(np.arange(48) % 24 < 4, 0.15, 0.3)
    found = g2v.TimeOfUse().plan(homes(1, tariffs=[Prices(price)]))
    assert np.flatnonzero(found.p_kw[:, 0]).tolist() == [24, 25]
    cheap = found.p_kw[:, 0] @ price
    assert cheap < uncontrolled_dispatch(homes(1)).p_kw[:, 0] @ price
    strict = g2v.TimeOfUse([["13:00", "14:00"]], strict=True).plan(homes(1))
    assert strict.unmet_kwh[0] == pytest.approx(5.0)


def test_a_flat_tariff_has_no_cheap_hours_and_says_so():
    found = g2v.TimeOfUse().plan(homes(1))
    np.testing.assert_allclose(found.p_kw, uncontrolled_dispatch(homes(1)).p_kw)
    assert "uncontrolled" in found.notes[0].text


def test_each_site_follows_its_own_tariff():
    early, late = np.full(48, 0.3), np.full(48, 0.3)
    early[20:24], late[:4], late[30:34] = 0.1, 0.1, 0.1
    request = homes(
        2, places=[Place(tariff=0), Place(tariff=1)], tariffs=[Prices(early), Prices(late)]
    )
    found = g2v.TimeOfUse().plan(request)
    assert np.flatnonzero(found.p_kw[:, 0]).tolist() == [20, 21]
    assert np.flatnonzero(found.p_kw[:, 1]).tolist() == [30, 31]


def test_energy_after_an_event_is_the_energy_deferred_and_returns_at_once():
    request = homes(5, stay=(16, 44), soc=0.3)
    control = g2v.LoadControl([{"start": "17:00", "end": "20:00"}])
    found, free = control.plan(request), uncontrolled_dispatch(request)
    event = slice(17, 20)
    deferred = (free.p_kw - found.p_kw)[event].sum()
    assert not found.p_kw[event].any()
    assert deferred == pytest.approx(5 * 15.0)
    assert (found.p_kw - free.p_kw)[20:].sum() == pytest.approx(deferred)
    assert found.p_kw[20].sum() == pytest.approx(50.0)
    np.testing.assert_allclose(found.soc[-1], free.soc[-1])


def test_a_spread_return_lowers_the_payback_peak_and_defers_the_same_energy():
    request = homes(30, stay=(16, 47), soc=0.3)
    event = [{"start": "17:00", "end": "20:00"}]
    at_once = g2v.LoadControl(event).plan(request)
    spread = g2v.LoadControl(event, restart_h=4.0).plan(request)
    assert at_once.p_kw[20].sum() == pytest.approx(300.0)
    assert spread.p_kw[20:].sum(axis=1).max() < 220.0
    assert spread.p_kw.sum() == pytest.approx(at_once.p_kw.sum())
    # Another seed draws other delays.
    other = g2v.LoadControl(event, restart_h=4.0).plan(homes(30, stay=(16, 47), soc=0.3, seed=1))
    assert not np.array_equal(other.p_kw, spread.p_kw)


def test_an_event_leaves_its_share_or_cap_and_some_do_not_obey():
    request = homes(40, stay=(16, 44), soc=0.2)
    half = g2v.LoadControl([{"start": "17:00", "end": "20:00", "share": 0.5}]).plan(request)
    np.testing.assert_allclose(half.p_kw[17:20], 5.0)
    capped = g2v.LoadControl([{"start": "17:00", "end": "20:00", "cap_kw": 1.4}]).plan(request)
    np.testing.assert_allclose(capped.p_kw[17:20], 1.4)
    some = g2v.LoadControl(obeys=0.5).plan(request)
    assert 10 <= int((some.p_kw[18] > 9.9).sum()) <= 30
    assert int((some.p_kw[18] == 0.0).sum()) == 40 - int((some.p_kw[18] > 9.9).sum())
    dated = [{"start": "17:00", "end": "20:00", "dates": ["2016-01-05"]}]
    free = uncontrolled_dispatch(request)
    np.testing.assert_array_equal(g2v.LoadControl(dated).plan(request).p_kw, free.p_kw)


def test_the_driver_leaves_an_event_that_would_cost_the_target():
    request = homes(1, stay=(16, 20), soc=0.5, target=0.9)
    found = g2v.LoadControl().plan(request)
    assert found.unmet_kwh[0] == 0.0
    strict = g2v.LoadControl(strict=True).plan(request)
    assert strict.unmet_kwh[0] == pytest.approx(10.0)
    assert strict.unmet_cause == ("limit",)


def sunny(cars=1, sun=6.0, **stay):
    """Return a home with sun from 8 to 16 and cars of 1 to 10 kW behind one meter."""
    hours = np.arange(24)
    return plan_request(
        [Car(f"car {k}", soc=0.2) for k in range(cars)],
        [Stay(k, 6, 24, target=stay.get("target", 0.8)) for k in range(cars)],
        places=[
            Place(
                load_kw=1.0,
                pv_kw=np.where((hours >= 8) & (hours < 16), -sun, 0.0),
                import_limit_kw=24.0,
                chargers=cars,
            )
        ],
    )


def test_sun_only_charging_never_draws_from_the_grid():
    found = g2v.PvFollowing(solar_only=True).plan(sunny())
    net = 1.0 - np.where((np.arange(24) >= 8) & (np.arange(24) < 16), 6.0, 0.0) + found.p_kw[:, 0]
    assert found.p_kw[8:14, 0] == pytest.approx([5.0] * 6)
    assert net[8:16].max() <= 1e-9
    assert not found.p_kw[16:].any()
    weak = g2v.PvFollowing(solar_only=True).plan(sunny(sun=2.0))
    assert not weak.p_kw.any()
    assert weak.unmet_cause == ("limit",)


def test_without_sun_a_car_draws_its_least_power_and_still_reaches_its_target():
    found = g2v.PvFollowing().plan(sunny())
    assert found.p_kw[6:8, 0] == pytest.approx([1.4, 1.4])
    assert found.p_kw[8, 0] == pytest.approx(5.0)
    dark = g2v.PvFollowing(min_kw=0.0).plan(sunny(sun=0.0))
    assert np.flatnonzero(dark.p_kw[:, 0]).tolist() == [21, 22, 23]
    assert dark.unmet_kwh[0] == 0.0


def test_cars_of_one_home_share_its_surplus():
    found = g2v.PvFollowing(solar_only=True).plan(sunny(cars=2, sun=7.0, target=0.9))
    assert found.p_kw[9] == pytest.approx([3.0, 3.0])
    # Three kW of surplus serve two cars at 1.4 kW, not three.
    few = g2v.PvFollowing(solar_only=True).plan(sunny(cars=3, sun=4.0))
    assert sorted(few.p_kw[9].tolist()) == pytest.approx([0.0, 1.5, 1.5])


def test_the_floor_of_a_connection_grows_by_the_simultaneity_factors():
    # BNetzA BK6-22-300, annex 1, 4.5.2: 4.2 kW + (n - 1) g 4.2 kW.
    assert SIMULTANEITY == (1.0, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45)
    assert floor_kw(2) == pytest.approx(4.2 + 0.8 * 4.2)
    assert floor_kw(6) == pytest.approx(4.2 + 5 * 0.6 * 4.2)
    assert floor_kw(20) == pytest.approx(4.2 + 19 * 0.45 * 4.2)


def street(limit, count=4, background=10.0, soc=0.2):
    return homes(count, stay=(1, 24), steps=24, soc=soc, groups=[Group(background, limit)])


def test_a_group_above_its_limit_is_dimmed_to_it_equally():
    found = g2v.Dimming().plan(street(34.0))
    np.testing.assert_allclose(found.p_kw[1], 6.0)
    np.testing.assert_allclose(g2v.Dimming().plan(street(60.0)).p_kw[1], 10.0)


def test_dimming_never_goes_below_the_floor_though_the_limit_is_passed():
    found = g2v.Dimming().plan(street(15.0))
    np.testing.assert_allclose(found.p_kw[1:7], 4.2)
    assert found.p_kw[1].sum() + 10.0 > 15.0
    assert found.unmet_kwh.sum() == 0.0


def test_chargers_behind_one_connection_share_its_floor():
    request = plan_request(
        [Car(f"car {k}", soc=0.2) for k in range(3)],
        [Stay(k, 0, 24) for k in range(3)],
        places=[Place(chargers=2), Place()],
        groups=[Group(0.0, 1.0)],
    )
    found = g2v.Dimming().plan(request)
    assert found.p_kw[0] == pytest.approx([3.78, 3.78, 4.2])
    direct = g2v.Dimming(energy_management=False).plan(request)
    assert direct.p_kw[0] == pytest.approx([4.2, 4.2, 4.2])


def test_preventive_events_dim_whatever_the_load():
    found = g2v.Dimming(events=[["02:00", "03:00"]]).plan(street(1000.0))
    np.testing.assert_allclose(found.p_kw[1:4].sum(axis=1), [40.0, 16.8, 40.0])


def test_dimmed_energy_that_is_missing_is_told_with_its_cause():
    request = homes(4, stay=(1, 6), steps=24, soc=0.2, groups=[Group(10.0, 15.0)])
    found = g2v.Dimming().plan(request)
    assert found.unmet_kwh == pytest.approx([30.0 - 5 * 4.2] * 4)
    assert set(found.unmet_cause) == {"limit"}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: g2v.TimeOfUse(cheap=[["22:00"]]), "cheap"),
        (lambda: g2v.LoadControl([{"start": "17:00", "end": "20:00", "share": 2.0}]), "share"),
        (lambda: g2v.LoadControl([{"start": "17:00", "end": "20:00", "cap_kw": -1.0}]), "cap_kw"),
        (lambda: g2v.LoadControl(restart_h=-1.0), "restart_h"),
        (lambda: g2v.PvFollowing(min_kw=-1.0), "min_kw"),
        (lambda: g2v.Dimming(limit=0.0), "limit"),
        (lambda: g2v.Dimming(floor_kw=0.0), "floor_kw"),
        (lambda: g2v.TransformerLimit(min_kw=-1.0), "min_kw"),
    ],
)
def test_settings_that_cannot_be_are_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_a_label_tells_windows_and_events():
    assert label(g2v.TimeOfUse([["22:00", "06:00"]])) == "g2v_time_of_use(cheap=[22:00-06:00])"
    event = [{"start": "17:00", "end": "20:00", "cap_kw": 1.4, "days": ["mon"]}]
    assert label(g2v.LoadControl(event)) == "g2v_load_control(events=[17:00-20:00 mon 1.4 kW])"


def test_a_study_file_gives_windows_events_and_days():
    text = """
    - g2v.time_of_use: {cheap: [["22:00", "06:00"], ["12:00", "14:00"]]}
    - g2v.load_control: {events: [{start: "17:00", end: "20:00", dates: [2016-01-04], share: 0.3}]}
    - g2v.overnight_window: {days: [mon, tue]}
    - g2v.delayed_start: {start: 21:30}
    """
    *entries, unquoted = yaml.safe_load(text)
    windows, control, nights = (make_strategy(entry) for entry in entries)
    assert len(windows.cheap) == 2
    assert control.events[0].dates == ("2016-01-04",)
    assert nights.days == ("mon", "tue")
    assert hash(control) == hash(make_strategy(entries[1]))
    # Without quotes YAML reads 21:30 as 1290.
    with pytest.raises(InputError, match="quoted"):
        make_strategy(unquoted)
