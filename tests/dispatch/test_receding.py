"""Plans made again and again with what is known by then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gridimpact.dispatch import Mix, Receding, Uncontrolled, WithForecastError, g2v, v2g, v2h
from gridimpact.dispatch.mix import all_enrolled
from gridimpact.dispatch.scope import cars_of
from gridimpact.dispatch.strategy import label
from gridimpact.dispatch.uncontrolled import uncontrolled_dispatch
from gridimpact.errors import InputError
from gridimpact.study.catalogue import make_strategy
from gridimpact.study.save import strategy_entry
from tests.dispatch.fleets import home_fleet
from tests.dispatch.requests import Car, Stay, plan_request


def squares(request, found):
    """Return what valley filling minimises."""
    return ((found.p_kw.sum(axis=1) + request.background_kw[:, 0]) ** 2).sum()


def seen_by(strategy, request):
    """Return the requests that a strategy is shown when it is planned again and again."""
    shown = []

    class Watching:
        """Pass requests on and keep them."""

        name = "watching"
        bidirectional = strategy.strategy.bidirectional
        foresight = strategy.strategy.foresight

        def plan(self, told):
            shown.append(told)
            return strategy.strategy.plan(told)

    replace(strategy, strategy=Watching()).plan(request)
    return shown


def test_with_perfect_knowledge_over_everything_the_plan_is_the_plan():
    request = home_fleet(12, 2, comes=1.0)
    all_known = Receding(g2v.ValleyFilling(), horizon="48h", stays="perfect", load="perfect")
    once = squares(request, g2v.ValleyFilling().plan(request))
    assert squares(request, all_known.plan(request)) == pytest.approx(once, rel=1e-6)
    assert all_known.foresight == g2v.ValleyFilling().foresight


def test_what_is_not_known_makes_it_no_better():
    request = home_fleet(15, 3, comes=1.0)
    exact = squares(request, g2v.ValleyFilling().plan(request))
    free = squares(request, uncontrolled_dispatch(request))
    blind = squares(request, Receding(g2v.ValleyFilling()).plan(request))
    assert exact < blind < free
    noisy = [
        squares(
            request,
            Receding(
                g2v.ValleyFilling(),
                stays="perfect",
                load="noisy",
                load_error=0.4,
                horizon="72h",
                seed=seed,
            ).plan(request),
        )
        for seed in range(3)
    ]
    assert min(noisy) > exact


def test_a_plan_is_told_only_the_present_and_the_past():
    request = home_fleet(6, 3, comes=1.0)
    for told in seen_by(Receding(g2v.ValleyFilling(), every="2h"), request):
        now = int((told.timeline.start - request.timeline.start).astype(int) // 1800)
        assert told.background_kw[0, 0] == request.background_kw[now, 0]
        assert np.isin(told.background_kw, request.background_kw[: now + 1]).all()
        plugged = (request.stays.start <= now) & (request.stays.end > now)
        known = {request.stays.session_id[k] for k in np.flatnonzero(plugged)}
        assert set(told.stays.session_id) == known
        assert not told.stays.start.any()
        assert not told.stays.trip_kwh.any()
        for k, name in enumerate(told.stays.session_id):
            end = request.stays.end[request.stays.session_id.index(name)]
            assert told.stays.end[k] == min(end - now, told.timeline.count)


def test_a_plan_is_told_the_batteries_as_they_are():
    request = home_fleet(4, 2, comes=1.0)
    strategy = Receding(v2g.PeakShaving(0.3, 1.0), every="1h")
    found = strategy.plan(request)
    for told in seen_by(replace(strategy, strategy=v2g.PeakShaving(0.3, 1.0)), request):
        now = int((told.timeline.start - request.timeline.start).astype(int) // 1800)
        for v in told.stays.vehicle:
            began = (request.stays.vehicle == v) & (request.stays.start == now)
            if now and not began.any():
                assert told.soc_initial[v] == pytest.approx(found.soc[now - 1, v], abs=1e-12)


def test_a_car_between_two_plans_waits_but_not_too_long():
    stays = [Stay(0, 1, 12, target=0.8), Stay(1, 1, 3, target=0.9)]
    request = plan_request([Car("a", soc=0.5), Car("b", soc=0.5)], stays, steps=16)
    found = Receding(g2v.TransformerLimit(1.0), every="4h").plan(request)
    assert found.p_kw[:5, 0].tolist() == [0.0, 0.0, 0.0, 0.0, 10.0]
    assert found.p_kw[1:3, 1] == pytest.approx(10.0)


@pytest.mark.parametrize(
    "strategy", [g2v.ValleyFilling(), v2g.PeakShaving(0.2, 1.0), v2g.Arbitrage(0.2, 1.0)]
)
def test_nobody_is_served_worse_than_uncontrolled_over_days(strategy):
    request = home_fleet(10, 3)
    found = Receding(strategy, every="90min").plan(request)
    assert np.all(found.unmet_kwh <= uncontrolled_dispatch(request).unmet_kwh + 1e-6)
    np.testing.assert_allclose(found.p_kw, found.p_requested_kw, atol=1e-9)


def test_foresight_says_what_each_plan_was_told():
    known = Receding(v2g.Arbitrage()).foresight
    assert known.causal
    assert (known.stays, known.prices, known.base_load) == ("announced", "announced", "none")
    assert Receding(v2g.PeakShaving(), load="noisy").foresight.base_load == "perfect"
    assert not Receding(v2g.PeakShaving(), stays="perfect").foresight.causal
    assert Receding(g2v.TransformerLimit(), load="perfect").foresight.causal
    assert Receding(v2g.PeakShaving()).bidirectional


def test_enrolment_is_that_of_the_strategy_and_the_others_charge_uncontrolled():
    request = home_fleet(20, 2)
    inner = g2v.ValleyFilling(enrolled=0.4)
    found, base = Receding(inner).plan(request), uncontrolled_dispatch(request)
    assert np.array_equal(found.controlled, inner.plan(request).controlled)
    rest = ~found.controlled
    assert np.array_equal(found.p_kw[:, rest], base.p_kw[:, rest])
    assert np.array_equal(cars_of(WithForecastError(inner), request), found.controlled)
    nobody = Receding(Uncontrolled()).plan(request)
    assert np.array_equal(nobody.p_kw, base.p_kw)
    at_home = Receding(v2h.SelfConsumption())
    assert at_home.site_kinds == ("home",)


def test_it_joins_a_mix_and_may_hold_one():
    request = home_fleet(20, 2)
    mix = Mix({Receding(v2g.PeakShaving()): 0.5})
    found = mix.plan(request)
    assert np.array_equal(found.controlled, mix.assigned(request) == 0)
    assert all_enrolled(Receding(v2g.PeakShaving())).strategy.enrolled == 1.0
    inside = Receding(Mix({g2v.ValleyFilling(): 0.5}))
    drawn = inside.plan(request)
    assert np.array_equal(drawn.controlled, inside.strategy.assigned(request) == 0)
    base = uncontrolled_dispatch(request)
    rest = ~drawn.controlled
    assert np.array_equal(drawn.p_kw[:, rest], base.p_kw[:, rest])


def test_a_fleet_that_is_never_there_needs_no_plan():
    request = plan_request([Car()], [Stay(0, 5, 5)])
    assert not Receding(g2v.ValleyFilling()).plan(request).p_kw.any()
    assert not Receding(g2v.ValleyFilling(), stays="perfect").plan(request).p_kw.any()


def test_reactive_power_of_the_parts_is_kept():
    class Reactive:
        """Valley filling that also draws 2 kvar."""

        name = "reactive"
        bidirectional = False
        foresight = g2v.ValleyFilling().foresight

        def plan(self, told):
            found = g2v.ValleyFilling().plan(told)
            return replace(found, q_kvar=np.full(found.p_kw.shape, 2.0))

    request = home_fleet(3, 1, comes=1.0)
    found = Receding(Reactive()).plan(request)
    here = found.p_kw[26:] > 0.0
    assert np.all(found.q_kvar[26:][here] == 2.0)
    assert found.q_kvar[0].tolist() == [0.0, 0.0, 0.0]
    assert found.p_high_kw is None


def test_names_and_study_files():
    made = Receding(v2g.PeakShaving(0.3), every="30min")
    assert made.name == "receding_v2g_peak_shaving"
    assert label(made).startswith("receding_v2g_peak_shaving(strategy=v2g_peak_shaving(")
    plain = Receding(v2g.PeakShaving(), load="noisy")
    assert label(plain) == "receding_v2g_peak_shaving(load=noisy)"
    entry = {"receding": {"strategy": {"v2g.peak_shaving": {"reserve_soc": 0.3}}, "every": "30min"}}
    assert strategy_entry(made) == entry
    assert make_strategy(entry) == made
    wrong = WithForecastError(g2v.ValleyFilling(), load=0.2)
    assert wrong.name == "with_forecast_error_g2v_valley_filling"
    assert make_strategy(strategy_entry(wrong)) == wrong
    simple = make_strategy({"receding": {"strategy": "g2v.valley_filling"}})
    assert simple == Receding(g2v.ValleyFilling())


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(InputError, match="every is 'often'"):
        Receding(g2v.ValleyFilling(), every="often")
    with pytest.raises(InputError, match="every is 0"):
        Receding(g2v.ValleyFilling(), every=0)
    with pytest.raises(InputError, match="horizon 1h is shorter than every 2h"):
        Receding(g2v.ValleyFilling(), every="2h", horizon="1h")
    with pytest.raises(InputError, match="load 'tomorrow' is unknown"):
        Receding(g2v.ValleyFilling(), load="tomorrow")
    with pytest.raises(InputError, match="stays 'all' is unknown"):
        Receding(g2v.ValleyFilling(), stays="all")
    with pytest.raises(InputError, match="load_error is 3"):
        Receding(g2v.ValleyFilling(), load_error=3.0)
    with pytest.raises(InputError, match="no strategy"):
        Receding("g2v.valley_filling")  # type: ignore[arg-type]
