"""What stops a study or misleads its reader is told before anything is solved, all at once."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

import gridimpact as gi
from gridimpact.errors import InputError
from gridimpact.network import open_network
from gridimpact.study.check import check_days, check_spec
from tests.network.nets import feeder
from tests.study.case import constant, fleet_of, spec_of, study, three_homes

CAR = {"capacity_kwh": 50.0, "p_charge_max_kw": 11.0}
NIGHT = [("a", "2016-04-15 01:00", "2016-04-15 07:00", 5.0)]


def plain(**options):
    return spec_of(fleet_of(NIGHT, {"a": CAR}), ["Home 1"], **options)


def told(spec, severity="error"):
    return [str(p) for p in check_spec(spec) if p.severity == severity]


def with_chargers(spec, **columns):
    return dataclasses.replace(
        spec, fleet=dataclasses.replace(spec.fleet, chargers=spec.fleet.chargers.assign(**columns))
    )


def with_profiles(spec, **changed):
    return dataclasses.replace(spec, profiles=dataclasses.replace(spec.profiles, **changed))


def with_strategies(spec, *strategies):
    return dataclasses.replace(spec, strategies=strategies)


def test_a_sound_study_has_no_error_and_says_what_it_leaves_out():
    assert told(plain()) == []
    words = "\n".join(told(plain(), "warning"))
    assert "money is not studied" in words
    assert "transformer temperature is not studied" in words
    assert "no annual figures" in words


def test_a_year_with_prices_and_weather_leaves_nothing_out():
    year = gi.Timeline.days("2016-01-01", 366, step="1h")
    net = three_homes()
    spec = plain(network=net, profiles=constant(net, year), prices="flat_retail",
                 ambient=np.full(year.count, 10.0))  # fmt: skip
    assert told(spec, "warning") == []


def test_chargers_without_a_place_or_at_a_wrong_one_are_named():
    assert "stand at no site" in told(with_chargers(plain(), site_id=""))[0]
    assert "gi.place" in told(with_chargers(plain(), site_id=""))[0]
    assert "'Home 9' is not in the network" in told(with_chargers(plain(), site_id="Home 9"))[0]


def test_a_charger_where_the_network_brings_no_supply_is_refused():
    net = feeder(3)
    net.line.loc[net.line.index[-1], "in_service"] = False
    opened = open_network(net)
    spec = spec_of(fleet_of(NIGHT, {"a": CAR}), ["Home 3"], network=opened)
    assert "have no supply, first 'Home 3'" in told(spec)[0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"load_p_kw": np.nan}, "load_p_kw: not finite at 3 sites, first 'Home 1'"),
        ({"pv_p_kw": -np.inf}, "pv_p_kw: not finite"),
        ({"pv_p_kw": 2.0}, "generation is negative"),
        ({"load_p_kw": 1500.0}, "median home draws 1500 kW on average"),
    ],
)
def test_demand_that_cannot_be_is_refused(change, words):
    spec = plain()
    values = {k: np.full_like(spec.profiles.load_p_kw, v) for k, v in change.items()}
    assert any(words in line for line in told(with_profiles(spec, **values)))


def test_silent_sites_and_assumed_power_factors_are_told():
    spec = plain()
    load = spec.profiles.load_p_kw.copy()
    load[:, 1] = 0.0
    assert any(
        "1 sites never draw" in w for w in told(with_profiles(spec, load_p_kw=load), "warning")
    )
    bare = three_homes()
    bare = dataclasses.replace(bare, sites=bare.sites.assign(load_q_kvar=0.0))
    assert any("power factor 0.95" in w for w in told(plain(network=bare), "warning"))


def test_sessions_outside_the_timeline_are_counted_and_refused_where_none_is_left():
    far = [("a", "2019-04-15 01:00", "2019-04-15 07:00")]
    spec = spec_of(fleet_of(far, {"a": CAR}), ["Home 1"])
    assert "all 1 sessions (2019-04-15" in told(spec)[0]
    spec = spec_of(fleet_of(NIGHT + far, {"a": CAR}), ["Home 1"])
    assert told(spec) == []
    assert any("1 of 2 sessions lie outside" in w for w in told(spec, "warning"))


def test_sessions_too_short_for_the_step_are_counted():
    brief = [*NIGHT, ("a", "2016-04-15 12:01", "2016-04-15 12:20")]
    spec = spec_of(fleet_of(brief, {"a": CAR}), ["Home 1"])
    assert any("1 sessions are shorter than half a step" in w for w in told(spec, "warning"))


def test_cars_without_a_session_are_refused_and_no_cars_at_all_are_a_study():
    spec = plain()
    quiet = dataclasses.replace(spec.fleet, sessions=spec.fleet.sessions.iloc[:0])
    assert "no session" in told(dataclasses.replace(spec, fleet=quiet))[0]
    empty = spec_of(gi.synthesize_fleet(0, spec.timeline), [])
    assert told(empty) == []


def test_rows_of_one_name_are_refused_and_other_settings_make_another_row():
    limit = gi.g2v.TransformerLimit
    assert "2 rows would be called" in told(with_strategies(plain(), limit(0.8), limit(0.8)))[0]
    assert told(with_strategies(plain(), limit(0.8), limit(0.9))) == []
    assert told(with_strategies(plain(), gi.Uncontrolled(), gi.Uncontrolled())) == []
    own = dataclasses.make_dataclass("Own", [("name", str, "no_ev")], frozen=True)
    assert any("case without cars" in w for w in told(with_strategies(plain(), own())))


@pytest.mark.parametrize(
    "strategy",
    [gi.g2v.PriceCharging(), gi.v2g.Arbitrage(), gi.v2h.TimeOfUse(), gi.v2b.DemandCharge(),
     gi.v2b.SubscribedPower()],
)  # fmt: skip
def test_strategies_that_act_on_prices_need_them(strategy):
    assert any("needs prices" in w for w in told(with_strategies(plain(), strategy)))
    priced = with_strategies(plain(prices="flat_retail"), strategy)
    assert not any("needs prices" in w for w in told(priced))


def test_strategies_that_feed_back_need_chargers_that_can():
    spec = with_strategies(plain(), gi.v2g.PeakShaving(), gi.v2h.SelfConsumption())
    assert sum("no charger of the fleet can feed back" in w for w in told(spec)) == 2
    assert told(with_chargers(spec, bidirectional=True)) == []


def test_v2b_needs_a_building_and_v2h_a_home_with_a_charger():
    spec = with_strategies(with_chargers(plain(prices="flat_retail"), bidirectional=True),
                           gi.v2b.DemandCharge())  # fmt: skip
    assert any("kind 'building'" in w and "site_kinds" in w for w in told(spec))
    hall = dataclasses.replace(spec.network, sites=spec.network.sites.assign(kind="building"))
    there = dataclasses.replace(spec, network=hall)
    assert told(there) == []
    assert any("kind 'home'" in w for w in told(with_strategies(there, gi.v2h.SelfConsumption())))


def test_a_charger_that_passes_the_main_fuse_alone_is_told():
    spec = plain()
    weak = dataclasses.replace(spec.network, sites=spec.network.sites.assign(fuse_a=10.0))
    words = told(dataclasses.replace(spec, network=weak), "warning")
    assert any("11.0 kW on 6.9 kW" in w for w in words)


def test_every_problem_comes_at_once_errors_first_and_nothing_is_solved():
    spec = with_profiles(with_chargers(plain(), site_id="Home 9"),
                         pv_p_kw=np.full((24, 3), 1.0))  # fmt: skip
    found = check_spec(with_strategies(spec, gi.g2v.PriceCharging()))
    severities = [p.severity for p in found]
    assert severities == sorted(severities)
    assert severities.count("error") == 3
    broken = study()
    broken.spec = dataclasses.replace(broken.spec, tariffs={})
    with pytest.raises(InputError, match="needs prices") as caught:
        broken.run(progress=False)
    assert len(caught.value.problems) == 5


def test_profiles_and_sites_have_to_match_name_by_name():
    net = three_homes()
    wrong = dataclasses.replace(constant(net), site_id=("Home 1", "Home 2", "Hom 3"))
    fleet = gi.synthesize_fleet(0, wrong.timeline)
    with pytest.raises(InputError) as caught:
        gi.Study(net, wrong, fleet, strategies=["uncontrolled"])
    assert "site Home 3: no profile" in str(caught.value)
    assert "site Hom 3: no site" in str(caught.value)


def test_columns_in_another_order_follow_their_names():
    net = three_homes()
    mixed = constant(net)
    load = mixed.load_p_kw * np.array([1.0, 2.0, 3.0])
    turned = dataclasses.replace(mixed, site_id=("Home 3", "Home 1", "Home 2"), load_p_kw=load,
                                 heat_pump_p_kw=load / 2)  # fmt: skip
    spec = gi.Study(
        net, turned, gi.synthesize_fleet(0, mixed.timeline), strategies=["uncontrolled"]
    ).spec
    assert spec.profiles.load_p_kw[0].tolist() == [2.0, 3.0, 1.0]
    assert spec.profiles.heat_pump_p_kw[0].tolist() == [1.0, 1.5, 0.5]
    assert spec.profiles.site_id == tuple(net.sites.index)


def test_an_ambient_of_another_length_is_refused():
    net = three_homes()
    fleet = gi.synthesize_fleet(0, constant(net).timeline)
    with pytest.raises(InputError, match="steps"):
        gi.Study(net, constant(net), fleet, strategies=["uncontrolled"],
                 ambient=gi.load_ambient("germany_2016", gi.Timeline.days("2016-04-15", 2)))  # fmt: skip


def test_problems_are_records_that_programs_can_read():
    with pytest.raises(InputError) as caught:
        gi.Study(three_homes(), constant(three_homes()), spec_fleet_unplaced(),
                 strategies=["uncontrolled"]).check()  # fmt: skip
    (problem,) = caught.value.problems
    assert problem.where == "chargers, site_id"
    assert problem.remedy
    assert isinstance(pd.DataFrame([p.where for p in caught.value.problems]), pd.DataFrame)


def spec_fleet_unplaced():
    return fleet_of(NIGHT, {"a": CAR})


def with_rejected(spec, **changed):
    table = pd.DataFrame({"row": [3], "reason": ["soc_target is 80"]})
    return dataclasses.replace(
        spec, fleet=dataclasses.replace(spec.fleet, rejected=table, **changed)
    )


def test_rejected_rows_are_told_and_a_log_of_nothing_else_is_refused():
    spec = plain()
    assert any("1 rows of the log were rejected" in w for w in told(with_rejected(spec), "warning"))
    nothing = with_rejected(spec, sessions=spec.fleet.sessions.iloc[:0])
    assert any("0 are left" in text for text in told(nothing))


def test_generation_of_the_network_without_a_profile_is_told():
    spec = plain()
    sites = spec.network.sites.assign(generation_kw=[30.0, 0.0, 0.0])
    own = dataclasses.replace(spec, network=dataclasses.replace(spec.network, sites=sites))
    assert any(
        "own generation of 30 kW at 1 sites is left out" in text for text in told(own, "warning")
    )


def test_days_are_looked_at_without_solving():
    spec = plain()
    assert not check_days(spec, "all")
    assert "no ISO date" in str(check_days(spec, "desing")[0])
