"""Wrong inputs as users make them: each refused in words, or taken with a stated assumption."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

import gridimpact as gi
from gridimpact.errors import GridError, InputError
from gridimpact.fleet import Charger, make_fleet
from tests.network.nets import feeder
from tests.study.case import DAY, constant, fleet_of, three_homes

CAR = {"capacity_kwh": 50.0, "p_charge_max_kw": 11.0}


def refused(action, *words, error=InputError):
    """Run an action that must be refused and return the message, which holds all words."""
    with pytest.raises(error) as caught:
        action()
    message = str(caught.value)
    for word in words:
        assert word in message, (word, message)
    return message


# Networks


def changed(table, column, value, row=0):
    net = feeder(3)
    net[table].loc[net[table].index[row], column] = value
    return net


@pytest.mark.parametrize(
    ("table", "column", "value", "words"),
    [
        ("load", "bus", 99, ("load, bus", "99", "no such bus")),
        ("line", "length_km", 0.0, ("line, length_km", "bus-bus switch")),
        ("line", "length_km", -0.2, ("line, length_km", "-0.2")),
        ("line", "r_ohm_per_km", np.nan, ("line, r_ohm_per_km",)),
        ("line", "max_i_ka", 0.0, ("line, max_i_ka",)),
        ("bus", "vn_kv", 400.0, ("line", "400 kV", "transformer between")),
        ("trafo", "sn_mva", 250.0, ("trafo, sn_mva", "250")),
        ("trafo", "vk_percent", 0.1, ("trafo, vkr_percent", "above vk_percent")),
        ("trafo", "tap_pos", 40, ("trafo, tap_pos", "40")),
        ("ext_grid", "vm_pu", 1.5, ("ext_grid, vm_pu", "1.5")),
        ("ext_grid", "in_service", False, ("ext_grid",)),
    ],
)
def test_network_rows_that_cannot_be_are_named(table, column, value, words):
    refused(lambda: gi.open_network(changed(table, column, value, -1)), *words, error=GridError)


def test_a_swapped_transformer_is_refused():
    net = feeder(3)
    net.trafo[["hv_bus", "lv_bus"]] = net.trafo[["lv_bus", "hv_bus"]].to_numpy()
    refused(lambda: gi.open_network(net), "trafo", error=GridError)


def test_two_customers_of_one_name_stay_two_sites():
    net = feeder(3)
    net.load["name"] = "Home"
    sites = gi.open_network(net).sites
    assert len(set(sites.index)) == 3


def test_demand_in_kw_where_mw_is_meant_is_refused_with_the_factor():
    refused(lambda: gi.open_network(feeder(3, p_mw=4.0)), "load, p_mw", "1000", error=GridError)


def test_a_line_without_ampacity_is_unrated_and_never_passes():
    net = changed("line", "max_i_ka", np.nan)
    net.line["std_type"] = None
    network = gi.open_network(net)
    assert any("unrated" in note.text for note in network.notes)
    fleet = gi.synthesize_fleet(0, DAY)
    table = (
        gi.Study(network, constant(network), fleet, strategies=["uncontrolled"])
        .run("all")
        .summary()
    )
    assert table["lines_unrated"].tolist() == [1.0, 1.0]


def test_a_customer_without_supply_is_told_and_its_energy_counted():
    network = gi.open_network(changed("line", "in_service", False, -1))
    assert any("supply" in note.text for note in network.notes)


def test_an_unknown_network_or_file_is_refused(tmp_path):
    refused(lambda: gi.open_network("kerber_vilage"), "kerber_village")
    refused(lambda: gi.open_network(tmp_path / "none.json"), "none.json")
    refused(lambda: gi.open_network(3), "int")
    (tmp_path / "text.json").write_text("hello")
    refused(lambda: gi.open_network(tmp_path / "text.json"), "text.json")


def test_a_base_case_that_has_no_solution_says_so_before_the_study():
    net = feeder(3, p_mw=0.05)
    net.line["length_km"] = 30.0
    refused(lambda: gi.open_network(net), error=GridError)


def test_settings_of_a_network_outside_their_range_come_together():
    refused(lambda: gi.open_network("kerber_rural", busbar_vm_pu=102.0, derating=80.0),
            "busbar_vm_pu", "derating")  # fmt: skip
    refused(lambda: gi.open_network("kerber_rural", site_kinds={"Hom 1": "building"}), "Home 1")


# Time series

DECLARED = {"quantity": "p_kw", "stamp": "start", "zone": "UTC"}


def csv(tmp_path, rows, name="ami.csv", head="time,Home 1"):
    path = tmp_path / name
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def hours(count, values=None):
    stamps = pd.date_range("2016-04-15", periods=count, freq="1h").strftime("%Y-%m-%d %H:%M")
    return [f"{s},{v}" for s, v in zip(stamps, values or [1.0] * count, strict=True)]


def read(path, **options):
    return gi.read_profiles(path, **(DECLARED | options))


def test_quantity_and_stamp_are_never_guessed(tmp_path):
    path = csv(tmp_path, hours(24))
    refused(lambda: gi.read_profiles(path, zone="UTC"), "quantity", "stamp", "kWh per interval")
    refused(lambda: read(path, quantity="kWh"), "energy_kwh")


def test_local_time_needs_a_zone(tmp_path):
    refused(lambda: read(csv(tmp_path, hours(24)), zone=None), "zone")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (hours(24, [1.0] * 10 + ["", "", *[1.0] * 12]), ("Home 1", "missing")),
        (hours(24, [1.0] * 10 + ["inf", *[1.0] * 13]), ("Home 1",)),
        (hours(24, [1.0] * 23 + [-3.0]), ("Home 1", "negative")),
        ([*hours(24)[:5], *hours(24)[9:]], ("steps are mixed", "300 min")),
        ([*hours(24), hours(24)[-1]], ("repeats the row before",)),
        (hours(24)[::-1], ("sort the rows",)),
        (hours(24, ["many"] * 24), ("Home 1", "many")),
        ([r.replace("2016-04-15", "04/05/2016") for r in hours(24)], ("date",)),
    ],
)
def test_time_series_with_faults_are_refused_with_place_and_value(tmp_path, rows, words):
    refused(lambda: read(csv(tmp_path, rows)), *words)


def test_a_clock_time_that_does_not_exist_is_refused(tmp_path):
    rows = [f"2016-03-27 {h:02d}:00,1.0" for h in range(24)]
    refused(lambda: read(csv(tmp_path, rows), zone="Europe/Berlin"), "2016-03-27 02:00")


def test_a_series_shorter_than_the_study_is_refused(tmp_path):
    path = csv(tmp_path, hours(24))
    refused(lambda: read(path, timeline=gi.Timeline.days("2016-04-15", 3, step="1h")), "ami.csv")


def test_leading_zeros_and_words_of_missing_values_stay_names(tmp_path):
    path = csv(tmp_path, [f"{r},2.0" for r in hours(24)], head="time,007,NA")
    assert read(path).site_id == ("007", "NA")


def test_a_missing_day_in_winter_is_filled_only_when_asked_and_counted(tmp_path):
    path = csv(tmp_path, hours(24, [1.0] * 10 + ["", *[1.0] * 13]))
    assert any("1" in n.text for n in read(path, fill="interpolate").notes)


# Sessions and fleets

HEAD = "Vehicle,Charger,Start,End,kWh"
COLUMNS = {"vehicle_id": "Vehicle", "charger_id": "Charger", "plug_in": "Start", "plug_out": "End",
           "energy_kwh": "kWh"}  # fmt: skip


def log(tmp_path, *rows):
    path = tmp_path / "log.csv"
    path.write_text("\n".join([HEAD, "a,c1,2016-04-15 18:00,2016-04-16 06:00,10", *rows]) + "\n")
    return gi.read_sessions(path, zone="Europe/Berlin", columns=COLUMNS)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("b,c2,2016-04-15 18:00,2016-04-15 08:00,10", "before"),
        ("b,c2,2016-04-15 18:00,2016-04-15 18:00,10", "no length"),
        ("b,c2,2016-04-15 18:00,,10", "plug_out"),
        ("b,c2,2016-04-15 18:00,2016-04-16 06:00,-4", "energy"),
        ("b,c2,2016-04-15 18:00,2016-04-16 06:00,4000", "energy"),
        ("b,c1,2016-04-15 20:00,2016-04-16 08:00,10", "overlap"),
        ("a,c2,2016-04-15 20:00,2016-04-16 08:00,10", "two places"),
    ],
)
def test_rows_of_a_log_that_cannot_be_are_rejected_with_a_reason(tmp_path, row, words):
    fleet = log(tmp_path, row)
    assert len(fleet.sessions) == 1
    assert len(fleet.rejected) == 1
    assert words in " ".join(fleet.rejected["reason"].astype(str)).lower().replace("_kwh", "")


def test_a_log_with_a_wrong_zone_or_heading_is_refused(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text(f"{HEAD}\na,c1,2016-04-15 18:00,2016-04-16 06:00,10\n")
    refused(lambda: gi.read_sessions(path, zone="Mars/Base", columns=COLUMNS), "Mars/Base")
    refused(lambda: gi.read_sessions(path, zone="UTC", columns=COLUMNS | {"plug_in": "Strat"}),
            "Strat")  # fmt: skip


@pytest.mark.parametrize(
    ("vehicle", "words"),
    [
        ({"capacity_kwh": 0.0}, "capacity_kwh"),
        ({"eta_charge": 95.0}, "divide by 100"),
        ({"soc_min": 0.9, "soc_max": 0.5}, "soc_min"),
        ({"p_charge_max_kw": 11_000.0}, "value in W"),
        ({"soc_target": 0.01}, "below soc_min"),
    ],
)
def test_vehicles_that_cannot_be_are_refused(vehicle, words):
    night = [("a", "2016-04-15 01:00", "2016-04-15 07:00")]
    refused(lambda: fleet_of(night, {"a": CAR | vehicle}), "vehicles", words)


def test_states_of_charge_in_percent_and_feed_without_hardware_are_refused():
    night = ("a", "2016-04-15 01:00", "2016-04-15 07:00", 0.0)
    refused(lambda: fleet_of([(*night, 30.0, 90.0)], {"a": CAR}), "soc_arrival", "soc_target",
            "percent")  # fmt: skip
    refused(lambda: fleet_of([night], {"a": CAR}, p_discharge_max_kw=5.0, bidirectional=False),
            "not bidirectional")  # fmt: skip
    refused(lambda: Charger("wallbox", 11_000.0), "is 11 kW")


def test_a_need_that_time_cannot_meet_is_kept_and_said():
    fleet = fleet_of([("a", "2016-04-15 01:00", "2016-04-15 02:00", 0.0, 0.1)], {"a": CAR})
    assert any("stay unmet" in note.text for note in fleet.notes)


def test_tables_that_lack_columns_come_together():
    empty = pd.DataFrame()
    refused(lambda: make_fleet(empty, empty, empty), "capacity_kwh", "p_max_kw", "plug_in")


def test_more_cars_than_homes_have_to_be_declared():
    net = three_homes()
    refused(lambda: gi.place(gi.synthesize_fleet(5, DAY), net), "cars_per_home")


def test_a_charger_at_an_unknown_site_is_refused_with_the_nearest():
    fleet = gi.synthesize_fleet(1, DAY)
    name = fleet.chargers.index[0]
    refused(lambda: gi.place(fleet, three_homes(), at={name: "Hme 1"}), "Home 1")


def test_unknown_presets_offer_the_nearest():
    refused(lambda: gi.synthesize_fleet(1, DAY, charger="ac_11"), "ac_11kw")
    refused(lambda: gi.synthesize_fleet(1, DAY, vehicles="Volkswagen ID3"), "Volkswagen ID.3")


# Study and configuration


def simple(**options):
    net = three_homes()
    return gi.Study(net, constant(net), gi.synthesize_fleet(0, DAY),
                    **({"strategies": ["uncontrolled"]} | options))  # fmt: skip


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"strategies": ["g2v.valey_filling"]}, "g2v.valley_filling"),
        ({"strategies": [{"g2v.transformer_limit": {"limt": 0.9}}]}, "limt"),
        ({"strategies": [{"a": {}, "b": {}}]}, "one strategy name"),
        ({"limits": "eu_lv"}, "eu_lv_planning"),
        ({"limits": {"name": "mine", "vm_min_pu": 1.1, "vm_max_pu": 0.9}}, "vm_m"),
        ({"prices": "nl_2091"}, "nl_2019"),
        ({"prices": np.ones(7)}, "7"),
        ({"prices": np.full(24, 60.0)}, "per MWh"),
        ({"ambient": "germny_2016"}, "germany_2016"),
        ({"ambient": np.full(24, np.nan)}, ""),
    ],
)
def test_settings_of_a_study_are_refused_with_a_way_out(options, words):
    refused(lambda: simple(**options), words)


def test_temperatures_outside_nature_are_taken_with_a_warning():
    with pytest.warns(UserWarning, match="degrees Celsius"):
        simple(ambient=np.full(24, 62.0))


def test_negative_prices_are_normal():
    spec = simple(prices=np.full(24, -0.1)).spec
    assert (spec.tariffs[""].import_price == -0.1).all()


STUDY = """
network: {source: kerber_rural}
timeline: {first: 2016-04-15, last: 2016-04-16, zone: UTC}
households: {annual_kwh: 3500}
fleet: [{count: 2}]
strategies: [uncontrolled]
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("fleet:", "fleeet:", "fleet"),
        ("count: 2", "count: 2, penetraion: 3", "unknown key"),
        ("strategies:", "seed: 1\nseed: 2\nstrategies:", "stands twice"),
        ("zone: UTC", "zone: Mars/Base", "Mars/Base"),
        ("last: 2016-04-16", "last: 2016-04-31", "2016-04-31"),
        ("last: 2016-04-16", "last: 2016-04-10", "ends before it begins"),
        ("first: 2016-04-15", "first: someday", "someday"),
        ("source: kerber_rural", "source: ../../etc/net.json", "leaves the study's folder"),
        ("source: kerber_rural", "source: /etc/net.json", "leaves the study's folder"),
        ("source: kerber_rural", "source: missing.json", "no such file"),
        ("strategies:", "ambient: ../air.csv\nstrategies:", "leaves the study's folder"),
        ("strategies:", "prices: {home: ../t.json}\nstrategies:", "leaves the study's folder"),
        ("count: 2", "sessions: log.csv", "zone: Field required"),
        ("count: 2", "sessions: ../log.csv, zone: UTC", "leaves the study's folder"),
        ("strategies: [uncontrolled]", "strategies: [{mix: {shares: {g2v.price: 1.4}}}]", "1.4"),
        ("strategies: [uncontrolled]", "strategies: [{mix: {share: {g2v.price: 0.4}}}]", "shares"),
        ("strategies: [uncontrolled]", "strategies: [{mix: {shares: {g2v.price: {limit: 2}}}}]", "share"),
        ("strategies: [uncontrolled]", "strategies: [{mix: {shares: {g2v.price: much}}}]", "much"),
        ("step", "step", ""),
    ],
)  # fmt: skip
def test_study_files_with_a_fault_are_refused(tmp_path, old, new, words):
    if old == "step":
        old, new, words = "zone: UTC", "zone: UTC, step: 7min", "does not divide a day"
    assert STUDY.count(old) >= 1
    (tmp_path / "study.yaml").write_text(STUDY.replace(old, new))
    refused(lambda: gi.Study.from_file(tmp_path), words)


def test_a_link_that_leaves_the_study_s_folder_is_refused(tmp_path):
    (tmp_path / "outside.json").write_text("{}")
    inside = tmp_path / "study"
    inside.mkdir()
    (inside / "net.json").symlink_to(tmp_path / "outside.json")
    (inside / "study.yaml").write_text(STUDY.replace("kerber_rural", "net.json"))
    refused(lambda: gi.Study.from_file(inside), "leaves the study's folder")


def test_days_outside_the_timeline_are_refused_before_solving():
    refused(lambda: simple().run(["2017-01-01", "soon"]), "2017-01-01 lies outside", "'soon'")


def test_profiles_of_another_timeline_than_stored_are_refused(tmp_path):
    folder = simple().save(tmp_path / "copy")
    text = (folder / "study.yaml").read_text()
    (folder / "study.yaml").write_text(text.replace("2016-04-15", "2016-04-16"))
    refused(lambda: gi.Study.from_file(folder), "make them equal")


def test_a_study_of_no_cars_is_the_base_and_says_so():
    study = simple()
    assert study.check()
    assert any(
        "base case" in n.text for n in dataclasses.replace(study.spec).fleet.notes
    ) or not len(study.spec.fleet.sessions)


@pytest.mark.parametrize("missing", ["stamp", "zone"])
def test_a_study_file_with_measured_demand_declares_what_the_numbers_are(tmp_path, missing):
    rows = [f"{stamp},1.0" * 1 for stamp in hours(48)]
    names = [f"Home {n}" for n in range(1, 14)]
    text = [",".join([row.split(",")[0], *["1.0"] * 13]) for row in rows]
    csv(tmp_path, text, "meters.csv", ",".join(["time", *names]))
    declared = {"file": "meters.csv", "quantity": "p_kw", "stamp": "start", "zone": "UTC"}
    del declared[missing]
    entry = ", ".join(f"{k}: {v}" for k, v in declared.items())
    study = STUDY.replace("households: {annual_kwh: 3500}", f"profiles: {{{entry}}}")
    (tmp_path / "study.yaml").write_text(study)
    refused(lambda: gi.Study.from_file(tmp_path), missing)


@pytest.mark.parametrize("kelvin_or_fahrenheit", [285.0, 75.0])
def test_air_temperature_that_is_not_in_degrees_celsius_is_refused(kelvin_or_fahrenheit):
    time = gi.Timeline.days("2016-01-01", 1)
    with pytest.raises(gi.InputError, match="degrees Celsius"):
        gi.load_ambient(np.full(time.count, kelvin_or_fahrenheit), time)


def test_a_limit_in_percent_is_refused():
    with pytest.raises(gi.InputError, match=r"0\.9 for 90 %"):
        gi.g2v.TransformerLimit(90)


def test_energy_in_megawatt_hours_is_refused():
    net, time = three_homes(), gi.Timeline.days("2016-01-01", 1)
    with pytest.raises(gi.InputError, match="MWh"):
        gi.synthesize_households(net, time, annual_kwh=3.5)


def test_power_of_a_charger_in_watts_rejects_the_row(tmp_path):
    log = "car,charger,start,end,kWh,p_max_kw\na,c,2016-01-01 18:00,2016-01-02 06:00,10,{}\n"
    (tmp_path / "log.csv").write_text(log.format(11000))
    columns = {
        "plug_in": "start",
        "plug_out": "end",
        "energy_kwh": "kWh",
        "vehicle_id": "car",
        "charger_id": "charger",
    }
    read = gi.read_sessions(tmp_path / "log.csv", zone="UTC", columns=columns)
    assert not len(read.sessions)
    assert "1000 kW" in read.rejected["reason"].iloc[0]
