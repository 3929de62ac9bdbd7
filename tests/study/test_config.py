"""The study file: safe, strict, and all problems at once."""

from __future__ import annotations

import pytest

from gridimpact.errors import InputError
from gridimpact.study.config import FleetConfig, SessionsConfig, parse_config, read_config

GOOD = """
network: {source: kerber_village}
timeline: {first: 2016-01-01, last: 2016-01-07, zone: Europe/Berlin}
households: {annual_kwh: 3500}
fleet: [{count: 5}, {sessions: log.csv, zone: UTC}]
strategies: [uncontrolled, {g2v.transformer_limit: {limit: 0.9}}]
"""


def test_a_good_file_is_read_with_dates_as_text_and_fleets_told_apart():
    config = parse_config(GOOD)
    assert config.timeline.first == "2016-01-01"
    assert isinstance(config.fleet[0], FleetConfig)
    assert isinstance(config.fleet[1], SessionsConfig)


def test_unknown_keys_name_the_nearest_and_all_come_at_once():
    text = GOOD.replace("source:", "sorce:").replace("annual_kwh", "anual_kwh")
    with pytest.raises(InputError) as caught:
        parse_config(text)
    message = str(caught.value)
    assert "'source'" in message
    assert "'annual_kwh'" in message
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\na: 2", "stands twice"),
        ("- a\n- b", "must hold keys"),
        ("a: [", "expected"),
        ("x: !!python/object/apply:os.system ['echo no']", "could not determine a constructor"),
        ("a: &x [1]\nb: [" + ", ".join(["*x"] * 60) + "]", "aliases"),
        (GOOD.replace("count: 5", "count: -5"), "greater than or equal to 0, found -5"),
        (GOOD + "seed: yes please", "valid integer"),
        (GOOD.replace("households: {annual_kwh: 3500}", ""), "either 'households' or 'profiles'"),
        (GOOD + "profiles: {file: a.csv, quantity: p_kw}", "not both"),
        (
            GOOD.replace(
                "strategies: [uncontrolled, {g2v.transformer_limit: {limit: 0.9}}]",
                "strategies: []",
            ),
            "at least 1",
        ),
    ],
)
def test_wrong_files_are_refused_in_words(text, words):
    with pytest.raises(InputError, match=words):
        parse_config(text)


def test_a_missing_file_says_how_to_make_one(tmp_path):
    with pytest.raises(InputError, match="gridimpact new"):
        read_config(tmp_path)


def test_a_huge_file_is_refused(tmp_path):
    (tmp_path / "study.yaml").write_text("a: " + "x" * 1_000_001)
    with pytest.raises(InputError, match="larger than"):
        read_config(tmp_path)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (
            "profiles: {file: a, quantity: p_kw, annual_kwh: 1}",
            "belongs at 'households.annual_kwh'",
        ),
        ("profiles: {file: a, quantity: p_kw, anual_kwh: 1}", "mean 'households.annual_kwh'"),
        ("volt_var: {seed: 3}", "belongs at the top level, 'seed'"),
        ("fleet: [{count: 5, columns: {}}]", "belongs at 'fleet.columns' beside 'sessions'"),
        (
            "volt_var: {pv: {v_pu: [1], q_share: [0], deadband_pu: 1}}",
            "network.tap_control.deadban",
        ),
        ("volt_var: {charger: ieee_1547_b}", "did you mean 'chargers'?"),
        (
            "profiles: {file: a, quantity: p_kw, cars_per_home: 2}",
            "belongs at 'fleet.cars_per_home'",
        ),
        ("nothing_like_it: 1", "remove it"),
    ],
)
def test_a_key_in_the_wrong_section_is_told_where_it_belongs(entry, words):
    fleet = "" if entry.startswith("fleet") else "fleet: []\n"
    with pytest.raises(InputError, match="unknown key") as caught:
        parse_config(
            f"network: {{source: a}}\ntimeline: {{first: a, last: b, zone: UTC}}\n{fleet}{entry}\n"
        )
    assert words in str(caught.value)
