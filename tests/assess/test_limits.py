import json
from dataclasses import asdict

import pytest

from gridimpact.assess import LIMIT_PROFILES, LimitProfile, limit_profile
from gridimpact.errors import InputError


def test_the_planning_profile_asks_what_planners_ask():
    plan = limit_profile("eu_lv_planning")
    assert (plan.drop_pu, plan.rise_pu) == (0.05, 0.03)
    assert (plan.transformer_loading_percent, plan.line_loading_percent) == (150.0, 100.0)
    assert (plan.hot_spot_c, plan.ageing_equivalent) == (120.0, 1.0)
    assert plan.judges_lv
    assert not plan.judges_mv
    assert limit_profile("eu_lv_dso").transformer_loading_percent == 100.0


def test_published_bands_are_those_of_their_standards():
    en = limit_profile("EN 50160")
    assert en.week == (0.90, 1.10, 0.95)
    assert (en.vm_min_pu, en.vm_max_pu) == (0.85, 1.10)
    assert en.judges_mv
    ansi = limit_profile("ansi-c84.1")
    assert (ansi.vm_min_pu, ansi.vm_max_pu) == (0.95, 1.05)
    assert ansi.week is None
    range_b = limit_profile("ansi_c84_1_b")
    assert range_b.vm_min_pu == pytest.approx(110 / 120)
    assert limit_profile("vde_ar_n_4105").rise_pu == 0.03


def test_uk_german_and_american_numbers_are_those_of_their_texts():
    uk = limit_profile("UK ESQCR")
    # Regulation 27: 216.2 to 253 V on 230 V.
    assert (230 * uk.vm_min_pu, 230 * uk.vm_max_pu) == pytest.approx((216.2, 253.0))
    assert (uk.mv_min_pu, uk.mv_max_pu, uk.step_change_pu) == (0.94, 1.06, 0.03)
    house = limit_profile("vde_ar_n_4100")
    assert (house.single_phase_kva, house.step_change_pu, house.fuse_percent) == (4.6, 0.03, 100.0)
    ieee = limit_profile("ieee_1547")
    assert (ieee.step_change_pu, ieee.step_change_mv_pu) == (0.05, 0.03)
    assert (ieee.vm_min_pu, ieee.vm_max_pu) == (0.95, 1.05)
    assert ieee.loading_guide == "ieee"


def test_profiles_without_a_limit_for_steps_and_means_do_not_judge_them():
    for name in ("eu_lv_planning", "eu_lv_dso", "en_50160", "ansi_c84_1", "vde_ar_n_4105"):
        profile = limit_profile(name)
        for field in ("step_change_pu", "single_phase_kva", "fuse_percent", "line_mean_percent"):
            assert getattr(profile, field) is None


def test_every_profile_names_its_source_and_can_be_stored():
    for name, profile in LIMIT_PROFILES.items():
        assert profile.name == name
        assert profile.title
        assert profile.edition
        assert profile.source
        assert json.loads(json.dumps(asdict(profile), allow_nan=False))["name"] == name


def test_own_numbers_start_from_a_named_base():
    own = limit_profile({"base": "en_50160", "line_loading_percent": 90})
    assert own.line_loading_percent == 90.0
    assert own.week == (0.90, 1.10, 0.95)
    assert own.name == "user (en_50160)"
    assert limit_profile(own) is own
    bare = LimitProfile(name="bare", hot_spot_c=None)
    assert not bare.judges_lv
    assert limit_profile({"name": "x", "drop_pu": None}).drop_pu is None


def test_unknown_names_are_refused_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'eu_lv_planning'"):
        limit_profile("eu_lv_planing")
    with pytest.raises(InputError, match=r"vde_ar_n_4105$"):
        limit_profile("qqq")
    with pytest.raises(InputError, match="neither a name"):
        limit_profile(5)


def test_wrong_numbers_are_refused_all_at_once():
    with pytest.raises(InputError) as found:
        limit_profile({"drop_pc": 5, "hot_spot_c": "hot", "zzz": 1, "rise_pu": True})
    assert len(found.value.problems) == 4
    assert "did you mean 'drop_pu'" in str(found.value)
    with pytest.raises(InputError, match=r"is 5.0, must lie in 0 to 0.5 -> per unit"):
        limit_profile({"drop_pu": 5})
    with pytest.raises(InputError, match="see the field's unit"):
        limit_profile({"hot_spot_c": 12.0})
    with pytest.raises(InputError, match="choose one of iec, ieee"):
        limit_profile({"loading_guide": "ansi"})
    with pytest.raises(InputError, match="is given in part"):
        limit_profile({"week_share": 0.95})
