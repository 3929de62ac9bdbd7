"""Logs of every form: what is read, what is rejected with a reason, what is refused whole."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

from gridimpact.errors import InputError
from gridimpact.fleet import read_sessions
from gridimpact.fleet.readers.times import to_utc
from gridimpact.fleet.sessions import session_findings
from gridimpact.paths import data_folder

ZONE = "Europe/Berlin"
HEAD = "Start,End,kWh,User ID,Station ID\n"


def log(tmp_path, text, name="log.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def reasons(fleet):
    return dict(zip(fleet.rejected["row"], fleet.rejected["reason"], strict=True))


def test_logged_session_stands_alone_with_soc_from_its_energy(tmp_path):
    path = log(tmp_path, HEAD + "2018-01-05 18:00,2018-01-06 07:00,11.5,u1,c1\n")
    fleet = read_sessions(path, zone=ZONE, vehicle="Tesla Model 3")
    row = fleet.sessions.iloc[0]
    eta = fleet.vehicles["eta_charge"].iloc[0]
    assert row["plug_in"] == pd.Timestamp("2018-01-05 17:00")
    assert row["soc_arrival"] == pytest.approx(0.9 - 11.5 * eta / 57.5)
    assert row["trip_kwh"] == 0
    assert row["soc_target"] == 0.9


def test_large_session_raises_its_target_before_it_is_rejected(tmp_path):
    path = log(
        tmp_path,
        HEAD
        + "2018-01-05 18:00,2018-01-06 07:00,56,u1,c1\n2018-01-06 18:00,2018-01-07 07:00,70,u1,c1\n",
    )
    fleet = read_sessions(path, zone=ZONE)
    row = fleet.sessions.iloc[0]
    assert row["soc_arrival"] == pytest.approx(0.05)
    assert 0.9 < row["soc_target"] <= 1.0
    assert "more than the vehicle's battery" in reasons(fleet)[2]


def test_bad_rows_are_rejected_with_number_and_reason(tmp_path):
    lines = [
        "2018-01-05 18:00,2018-01-06 07:00,10,u1,c1",
        "2018-01-05 18:00,2018-01-06 07:00,10,u1,c1",
        "2018-01-05 20:00,2018-01-05 22:00,5,u2,c1",
        "2018-01-05 20:00,2018-01-05 22:00,5,u1,c2",
        "2018-01-07 20:00,2018-01-07 10:00,5,u1,c1",
        "2018-01-08 20:00,2018-01-08 20:00,5,u1,c1",
        "2018-01-09 20:00,,5,u1,c1",
        "soon,2018-01-09 20:00,5,u1,c1",
        "2018-01-10 20:00,2018-01-10 21:00,-5,u1,c1",
        "2018-01-11 20:00,2018-01-11 21:00,much,u1,c1",
        "2018-01-12 20:00,2018-01-12 21:00,5,u1,",
        "0014-01-12 20:00,0014-01-12 21:00,5,u1,c1",
    ]
    fleet = read_sessions(log(tmp_path, HEAD + "\n".join(lines) + "\n"), zone=ZONE)
    found = reasons(fleet)
    assert len(fleet.sessions) == 1
    for row, words in {
        2: "repeats an earlier row",
        3: "overlaps another session",
        4: "two places",
        5: "before plug_in",
        6: "no length",
        7: "plug_out: is missing",
        8: "cannot be read as a time",
        9: "is negative",
        10: "no number",
        11: "neither charger",
        12: "cannot be read as a time",
    }.items():
        assert words in found[row], (row, found[row])
    dropped = next(note for note in fleet.notes if note.kind == "dropped")
    assert dropped.text.startswith("11 of 12 rows")


def test_clock_changes_take_out_only_hours_that_do_not_exist_or_occur_twice(tmp_path):
    lines = [
        "2018-03-25 02:30,2018-03-25 07:00,5,u1,c1",
        "2018-10-28 01:30,2018-10-28 02:30,5,u2,c2",
        "2018-10-28 00:30,2018-10-28 04:30,5,u3,c3",
    ]
    fleet = read_sessions(log(tmp_path, HEAD + "\n".join(lines)), zone=ZONE)
    assert "does not exist" in reasons(fleet)[1]
    assert "occurs twice" in reasons(fleet)[2]
    stay = fleet.sessions["plug_out"] - fleet.sessions["plug_in"]
    assert stay.tolist() == [pd.Timedelta(hours=5)]


def test_offset_goes_before_zone_and_no_zone_is_refused(tmp_path):
    path = log(tmp_path, HEAD + "2018-01-05T18:00:00+05:00,2018-01-05T15:00:00Z,5,u1,c1\n")
    fleet = read_sessions(path, zone=None)
    assert fleet.sessions["plug_in"].iloc[0] == pd.Timestamp("2018-01-05 13:00")
    naive = log(tmp_path, HEAD + "2018-01-05 18:00,2018-01-05 19:00,5,u1,c1\n", "naive.csv")
    with pytest.raises(InputError, match="give zone"):
        read_sessions(naive, zone=None)
    with pytest.raises(InputError, match="unknown"):
        read_sessions(naive, zone="Europe/Berln")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_semicolon_decimal_comma_day_first_and_byte_order_marks(tmp_path, encoding):
    text = "Start;End;kWh;User ID\r\n25.01.2018 18:00;26.01.2018 7:05;1.007,25;u1\r\n26.01.2018 18:00;27.01.2018 07:05;7,25;u1\r\n"
    fleet = read_sessions(log(tmp_path, text, encoding=encoding), zone=ZONE)
    assert len(fleet.sessions) == 1
    assert "found 1007.25" in reasons(fleet)[1]
    assert fleet.sessions["plug_out"].iloc[0] == pd.Timestamp("2018-01-27 06:05")


def test_open_order_of_day_and_month_is_refused_until_stated(tmp_path):
    path = log(tmp_path, HEAD + "03/04/2018 18:00,03/04/2018 19:00,5,u1,c1\n")
    with pytest.raises(InputError, match="day or month first"):
        read_sessions(path, zone=ZONE)
    first = read_sessions(path, zone=ZONE, date_format="day_first")
    second = read_sessions(path, zone=ZONE, date_format="month_first")
    assert first.sessions["plug_in"].iloc[0].month == 4
    assert second.sessions["plug_in"].iloc[0].month == 3
    with pytest.raises(InputError, match="date_format"):
        read_sessions(path, zone=ZONE, date_format="dmy")
    proven = log(tmp_path, HEAD + "03/04/2018 18:00,03/25/2018 19:00,5,u1,c1\n", "us.csv")
    assert read_sessions(proven, zone=ZONE).sessions["plug_out"].iloc[0].day == 25
    both = log(tmp_path, HEAD + "25/04/2018 18:00,03/25/2018 19:00,5,u1,c1\n", "both.csv")
    with pytest.raises(InputError, match="both orders"):
        read_sessions(both, zone=ZONE)


def test_columns_can_be_named_joined_and_given_in_wh(tmp_path):
    text = "Day,From,To,L'energie (Wh),Box,Batt,SOC0\n2018-01-05,18:00,2018-01-06 07:00,9000,007,40,0.5\n"
    columns = {
        "plug_in": "Day + From",
        "plug_out": "To",
        "energy_wh": "L'energie (Wh)",
        "charger_id": "Box",
        "capacity_kwh": "Batt",
        "soc_arrival": "SOC0",
    }
    fleet = read_sessions(log(tmp_path, text), zone=ZONE, columns=columns)
    assert list(fleet.chargers.index) == ["007"]
    assert fleet.vehicles["capacity_kwh"].tolist() == [40.0]
    row = fleet.sessions.iloc[0]
    assert row["soc_arrival"] == 0.5
    eta = fleet.vehicles["eta_charge"].iloc[0]
    assert row["soc_target"] == pytest.approx(0.5 + 9 * eta / 40)


def test_private_log_without_chargers_takes_power_and_battery_from_its_columns():
    table = pd.DataFrame(
        {
            "plugin": ["2018-01-05 10:00", "2018-01-07 10:00", "2018-01-05 10:00"],
            "plugout": ["2018-01-05 12:00", "2018-01-07 20:00", "2018-01-05 13:00"],
            "energy_wh": ["5000", "9000", "4000"],
            "user_id": ["u1", "u1", "u2"],
            "kw": ["22", "3.6", "-1"],
            "battery": ["80", "82", ""],
            "target": ["", "0.8", "90"],
        }
    )
    columns = {"p_max_kw": "kw", "capacity_kwh": "battery", "soc_target": "target"}
    fleet = read_sessions(table, zone=ZONE, columns=columns)
    assert list(fleet.chargers.index) == ["charger of u1"]
    assert set(fleet.chargers["kind"]) == {"home"}
    assert fleet.chargers["p_max_kw"].tolist() == [22.0]
    assert fleet.vehicles["p_charge_max_kw"].tolist() == [22.0]
    assert fleet.vehicles["capacity_kwh"].tolist() == [81.0]
    assert fleet.sessions["soc_target"].tolist() == [0.9, 0.8]
    assert "soc_target: must be 0 to 1, found 90" in reasons(fleet)[3]
    assert not any("need more energy than power times time" in n.text for n in fleet.notes)


def test_wrong_column_names_are_refused_with_the_nearest(tmp_path):
    path = log(tmp_path, HEAD + "2018-01-05 18:00,2018-01-05 19:00,5,u1,c1\n")
    with pytest.raises(InputError) as caught:
        read_sessions(path, zone=ZONE, columns={"plugin": "Start", "energy_kwh": "KWH"})
    assert "write 'plug_in'" in str(caught.value)
    assert "write 'kWh'" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "one column"),
        ("Start\n2018-01-05\n", "one column"),
        ("Start,End\n2018-01-05,2018-01-06\n", "energy_kwh"),
        ("Start,kWh,User ID\n2018-01-05,5,u\n", "plug_out"),
        ("Start,End,kWh\n2018-01-05,2018-01-06,5\n", "charger_id or vehicle_id"),
        (HEAD, "no row"),
        ("[1, 2]", "no list of sessions"),
        ("{]", "no valid JSON"),
        ('[{"a": 1}]', "no known form"),
    ],
)
def test_unusable_file_is_refused(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        read_sessions(log(tmp_path, text), zone=ZONE)


def test_missing_file_and_unknown_format_are_refused(tmp_path):
    with pytest.raises(InputError, match="not a file"):
        read_sessions(tmp_path / "nothing.csv", zone=ZONE)
    with pytest.raises(InputError, match="acn_json"):
        read_sessions(tmp_path / "nothing.csv", zone=ZONE, format="acn json")


def test_table_in_memory_and_other_connector_of_one_station():
    table = pd.DataFrame(
        {
            "Start": ["2018-01-05 10:00", "2018-01-05 10:30"],
            "End": ["2018-01-05 12:00", "2018-01-05 12:30"],
            "kWh": [5.0, np.nan],
            "CP ID": ["a", "a"],
            "Connector": [1, 2],
        }
    )
    table.loc[1, "kWh"] = 6.0
    fleet = read_sessions(table, zone=ZONE, kind="work")
    assert list(fleet.chargers.index) == ["a/1", "a/2"]
    assert set(fleet.chargers["kind"]) == {"work"}
    assert len(fleet.rejected) == 0


def test_strange_names_survive_as_text(tmp_path):
    names = ["None", "=1+1", "</script>", "Ünïcødé \u202e", "x" * 300]
    rows = [
        f"2018-01-{d + 1:02d} 18:00,2018-01-{d + 1:02d} 19:00,5,{n},c" for d, n in enumerate(names)
    ]
    fleet = read_sessions(log(tmp_path, HEAD + "\n".join(rows)), zone=ZONE)
    assert fleet.sessions["vehicle_id"].tolist() == names


def test_acn_excerpt_is_recognised_and_read_whole():
    folder = data_folder("profiles") / "sessions_acn_caltech"
    fleet = read_sessions(next(folder.glob("*.csv.gz")), zone=None)
    # README: 3,177 sessions at 51 stations, mean 8.8 kWh and 5.6 h.
    assert len(fleet.sessions) + len(fleet.rejected) == 3177
    assert len(fleet.chargers) == 51
    assert len(fleet.rejected) == 0
    hours = (fleet.sessions["plug_out"] - fleet.sessions["plug_in"]).dt.total_seconds() / 3600
    assert hours.mean() == pytest.approx(5.6, abs=0.1)
    car = fleet.vehicles.loc[fleet.sessions["vehicle_id"]]
    rise = fleet.sessions["soc_target"] - fleet.sessions["soc_arrival"]
    energy = rise.to_numpy() * car["capacity_kwh"].to_numpy() / car["eta_charge"].to_numpy()
    assert energy.mean() == pytest.approx(8.8, abs=0.1)
    assert session_findings(fleet.sessions, fleet.vehicles, fleet.chargers) == []


def test_acn_json_of_the_interface(tmp_path):
    items = [
        {
            "sessionID": "s1",
            "stationID": "CA-1",
            "userID": None,
            "connectionTime": "Wed, 25 Apr 2018 11:08:04 GMT",
            "disconnectTime": "Wed, 25 Apr 2018 13:20:10 GMT",
            "kWhDelivered": 7.932,
        },
        {
            "sessionID": "s2",
            "stationID": "CA-2",
            "userID": "u7",
            "connectionTime": "Wed, 25 Apr 2018 12:00:00 GMT",
            "disconnectTime": None,
            "kWhDelivered": 1.0,
        },
    ]
    fleet = read_sessions(
        log(tmp_path, json.dumps({"_items": items}), "acn.json"), zone="America/Los_Angeles"
    )
    assert fleet.sessions["plug_in"].tolist() == [pd.Timestamp("2018-04-25 11:08:04")]
    assert fleet.sessions["vehicle_id"].tolist() == ["car at CA-1"]
    assert "is missing" in reasons(fleet)[2]
    assert set(fleet.chargers["kind"]) == {"work"}


def test_elaad_form_with_comma_and_day_first(tmp_path):
    text = (
        "TransactionId;ChargePoint;Connector;UTCTransactionStart;UTCTransactionStop;StartCard;"
        "ConnectedTime;ChargeTime;TotalEnergy;MaxPower\n"
        "3491779;0311ADF;1;01/01/2019 00:14;01/01/2019 11:09;card1;10,92;1,96;6,42;3,39\n"
        "3491780;0311ADF;2;13/01/2019 00:14;13/01/2019 11:09;card2;10,92;1,96;6,42;3,39\n"
    )
    fleet = read_sessions(log(tmp_path, text), zone="Europe/Amsterdam")
    assert fleet.sessions["plug_in"].iloc[0] == pd.Timestamp("2018-12-31 23:14")
    assert list(fleet.chargers.index) == ["0311ADF/1", "0311ADF/2"]
    assert any("local time" in note.text for note in fleet.notes)


def test_ocpi_records_with_credit_and_sums_that_differ(tmp_path):
    def record(name, **changed):
        usual = {
            "id": name,
            "start_date_time": "2019-06-29T21:39:09",
            "end_date_time": "2019-06-29T23:37:32Z",
            "total_energy": 41.12,
            "cdr_location": {"id": "L1", "evse_uid": name + "E", "connector_id": "1"},
            "cdr_token": {"uid": "card" + name},
        }
        return usual | changed

    wrong_sum = [{"dimensions": [{"type": "ENERGY", "volume": 41120.0}, {"type": "TIME"}]}]
    records = [
        record("A"),
        record("B"),
        record("C", credit=True, credit_reference_id="B", total_energy=-41.12),
        record("D", charging_periods=wrong_sum),
        record("E", total_energy=-3.0),
    ]
    fleet = read_sessions(log(tmp_path, json.dumps(records), "cdr.json"), zone=None)
    assert fleet.sessions.index.tolist() == ["A", "D"]
    assert fleet.sessions["plug_in"].iloc[0] == pd.Timestamp("2019-06-29 21:39:09")
    found = reasons(fleet)
    assert "taken back" in found[2]
    assert "takes back" in found[3]
    assert "negative" in found[5]
    assert any("do not add up" in note.text for note in fleet.notes)


def test_gzip_is_unpacked(tmp_path):
    path = tmp_path / "log.csv.gz"
    path.write_bytes(gzip.compress((HEAD + "2018-01-05 18:00,2018-01-05 19:00,5,u1,c1\n").encode()))
    assert len(read_sessions(path, zone=ZONE).sessions) == 1


def test_future_sessions_are_noted(tmp_path):
    path = log(tmp_path, HEAD + "2090-01-05 18:00,2090-01-05 19:00,5,u1,c1\n")
    assert any("in the future" in note.text for note in read_sessions(path, zone=ZONE).notes)


def test_same_moment_in_every_spelling_is_one_time():
    texts = pd.Series(
        [
            "2018-07-05 18:00",
            "2018/7/5 18:00:00",
            "05.07.2018 18:00",
            "5/7/2018 18:00",
            "2018-07-05T16:00:00Z",
            "2018-07-05 11:00-05:00",
            "Thu, 05 Jul 2018 16:00:00 GMT",
        ]
    )
    times, why = to_utc(texts, ZONE, first_is_day=True)
    assert set(times) == {pd.Timestamp("2018-07-05 16:00")}
    assert set(why) == {""}


@pytest.mark.reference
@pytest.mark.parametrize(
    ("file", "options", "rows", "rejects"),
    [
        ("sessions_acn_jpl_2019/jpl_2019-05-01_2019-08-31.csv.gz", {"zone": None}, 6026, 10),
        (
            "sessions_boulder_raw/boulder_2018_2021.csv.gz",
            {"zone": "America/Denver"},
            23597,
            4000,
        ),
        (
            "sessions_dundee_raw/dundee_2018_jun_sep.csv.gz",
            {"zone": "Europe/London", "charger": "dc_50kw"},
            19227,
            400,
        ),
        (
            "sessions_perth_raw/perth_2017_18.csv.gz",
            {"zone": "Europe/London", "charger": "dc_50kw"},
            20277,
            310,
        ),
        (
            "sessions_home_norway/sessions.csv.gz",
            {
                "zone": "Europe/Oslo",
                "columns": {"p_max_kw": "charger_kw_est", "capacity_kwh": "battery_kwh_est"},
            },
            20432,
            80,
        ),
        ("sessions_workplace_us/sessions.csv.gz", {"zone": "UTC"}, 3395, 40),
    ],
)
def test_real_logs_are_read_and_every_row_is_accounted_for(reference, file, options, rows, rejects):
    fleet = read_sessions(reference / "data" / "reference" / file, **options)
    assert len(fleet.sessions) + len(fleet.rejected) == rows
    assert 0 < len(fleet.rejected) <= rejects
    assert fleet.rejected["reason"].str.len().gt(10).all()
    assert session_findings(fleet.sessions, fleet.vehicles, fleet.chargers) == []
