"""A study saved as a folder gives the same figures when it is run from there."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import yaml

import gridimpact as gi
from gridimpact.dispatch.strategy import label
from gridimpact.errors import InputError
from gridimpact.study.catalogue import STRATEGIES, make_strategy
from gridimpact.study.save import strategy_entry
from tests.dispatch.strategies import STRATEGIES as LISTED
from tests.study import case

EVERY_STRATEGY = [
    gi.g2v.TransformerLimit(np.float64(0.8)),
    *LISTED,
    gi.g2v.PriceCharging(published="12:00"),
    gi.g2v.AverageRate(0.37),
    gi.g2v.DelayedStart("23:30", strict=True),
    gi.g2v.LoadControl([{"start": "18:00", "end": "19:30", "dates": ["2019-10-31"], "share": 0.4}]),
    gi.g2v.PvFollowing(solar_only=True),
    gi.v2g.RenewableBuffer(surplus_kw=(0.0, 3.0)),
]


def test_a_saved_study_runs_again_to_the_same_comparison(solved, tmp_path):
    original = case.study()
    original.days = case.DAYS
    folder = original.save(tmp_path / "copy")
    again = gi.Study.from_file(folder)
    assert again.days == case.DAYS
    assert again.spec.name == original.spec.name
    assert again.spec.seed == original.spec.seed
    assert again.spec.network.name == "Rural feeder"
    assert [s.name for s in again.spec.strategies] == [s.name for s in original.spec.strategies]
    assert again.spec.limits == original.spec.limits
    for kind, tariff in original.spec.tariffs.items():
        assert np.array_equal(again.spec.tariffs[kind].import_price, tariff.import_price)
    assert np.array_equal(again.spec.profiles.load_p_kw, original.spec.profiles.load_p_kw)
    assert np.array_equal(again.spec.ambient.temp_air_c, original.spec.ambient.temp_air_c)
    table = again.run(progress=False).summary()
    pd.testing.assert_frame_equal(table, solved.comparison, rtol=1e-9, atol=1e-9)


def test_a_saved_study_is_not_overwritten(tmp_path):
    study = case.study([gi.Uncontrolled()])
    study.save(tmp_path / "copy")
    before = (tmp_path / "copy" / "study.yaml").read_text()
    with pytest.raises(InputError, match="already holds a study"):
        study.save(tmp_path / "copy")
    assert (tmp_path / "copy" / "study.yaml").read_text() == before


@pytest.mark.parametrize("derating", [None, 0.9, 1.0])
def test_cables_are_derated_once(tmp_path, derating):
    from tests.network.nets import feeder

    net = gi.open_network(feeder(3), derating=derating)
    fleet = gi.place(gi.synthesize_fleet(0, case.DAY), net)
    study = gi.Study(net, case.constant(net), fleet, strategies=["uncontrolled"])
    again = gi.Study.from_file(study.save(tmp_path / "copy"))
    assert np.array_equal(again.spec.network.grid.line_i_max_ka, net.grid.line_i_max_ka)


def test_a_common_tariff_beside_one_by_kind_is_kept(tmp_path):
    net, homes, fleet, _ = case.parts()
    study = gi.Study(net, homes, fleet, strategies=["uncontrolled"],
                     prices={"": "nl_2019", "building": "building_demand"})  # fmt: skip
    again = gi.Study.from_file(study.save(tmp_path / "copy")).spec
    assert set(again.tariffs) == {"", "building"}
    assert again.tariff_of("home").name == study.spec.tariffs[""].name


def test_a_strategy_with_its_defaults_is_written_by_its_name_alone():
    assert [strategy_entry(make_strategy(name)) for name in STRATEGIES] == list(STRATEGIES)


@pytest.mark.parametrize("strategy", EVERY_STRATEGY, ids=label)
def test_every_strategy_comes_back_from_the_text_of_a_study_file(strategy):
    text = yaml.safe_dump(strategy_entry(strategy), sort_keys=False)
    again = make_strategy(yaml.safe_load(text))
    assert again == strategy
    assert label(again) == label(strategy)


def test_a_setting_of_every_strategy_comes_back():
    rules = {s.name for s in EVERY_STRATEGY if isinstance(strategy_entry(s), dict)}
    assert rules >= {make_strategy(name).name for name in STRATEGIES} - {"uncontrolled"}


def test_settings_are_written_as_a_user_would_write_them():
    events = [{"start": "17:00", "end": "19:00", "days": ["sat", "sun"], "cap_kw": 2.0}]
    assert strategy_entry(gi.g2v.LoadControl(events)) == {"g2v.load_control": {"events": events}}
    base = gi.v2g.Arbitrage(0.3)
    assert strategy_entry(gi.grid_aware.MeasuredLimit(base=base, limit=0.37)) == {
        "grid_aware.measured_limit": {
            "base": {"v2g.arbitrage": {"reserve_soc": 0.3}},
            "limit": 0.37,
        }
    }


def test_a_mix_comes_back_with_shares_settings_and_rest():
    mix = gi.Mix(
        {gi.v2g.PeakShaving(reserve_soc=0.6): 0.25, gi.g2v.ValleyFilling(): 0.5},
        rest=gi.g2v.TransformerLimit(0.8),
    )
    assert make_strategy(strategy_entry(mix)) == mix


def test_what_a_study_file_cannot_name_is_refused():
    twice = gi.Mix({gi.g2v.TransformerLimit(0.8): 0.2, gi.g2v.TransformerLimit(0.9): 0.2})
    with pytest.raises(InputError, match="twice"):
        strategy_entry(twice)

    @dataclasses.dataclass(frozen=True)
    class Own:
        name: str = "own"

    with pytest.raises(InputError, match="'own' is not one a study file can name"):
        strategy_entry(Own())


def test_cold_batteries_and_what_a_table_tells_of_them_come_back(tmp_path):
    car = {"capacity_kwh": 50.0, "p_charge_max_kw": 11.0, "idle_kw": 0.2, "gross_kwh": 55.0}
    study = case.study([gi.Uncontrolled()])
    stay = [("a", "2016-04-15 01:00", "2016-04-15 12:00")]
    study.spec = case.spec_of(
        case.fleet_of(stay, {"a": car}), ["Home 1"], ambient=np.full(24, -15.0), cold_batteries=True
    )
    again = gi.Study.from_file(study.save(tmp_path / "copy")).spec
    assert again.cold_batteries
    pd.testing.assert_frame_equal(again.fleet.vehicles, study.spec.fleet.vehicles)
