"""Own tables: every wrong row is named at once, nothing is guessed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridimpact.errors import InputError
from gridimpact.fleet import make_fleet, read_fleet
from gridimpact.fleet.sessions import overlapped, session_findings


def cars(**changed):
    table = {"capacity_kwh": [50.0, 60.0], "p_charge_max_kw": [11.0, 7.4]}
    return pd.DataFrame({**table, **changed}, index=["v1", "v2"])


def stations(**changed):
    return pd.DataFrame({"p_max_kw": [11.0, 11.0], **changed}, index=["c1", "c2"])


def stays(rows):
    columns = ["vehicle_id", "charger_id", "plug_in", "plug_out"]
    names = [f"s{n}" for n in range(len(rows))]
    return pd.DataFrame([r[:4] for r in rows], columns=columns, index=names)


GOOD = [
    ("v1", "c1", "2016-01-01 18:00", "2016-01-02 07:00"),
    ("v1", "c1", "2016-01-02 18:00", "2016-01-05 07:00"),
    ("v2", "c2", "2016-01-01 17:00", "2016-01-01 19:00"),
]


def refused(vehicles=None, chargers=None, sessions=None):
    with pytest.raises(InputError) as caught:
        make_fleet(
            cars() if vehicles is None else vehicles,
            stations() if chargers is None else chargers,
            stays(GOOD) if sessions is None else sessions,
        )
    return str(caught.value)


def test_sound_tables_pass_and_gaps_are_filled_with_stated_defaults():
    fleet = make_fleet(cars(), stations(), stays(GOOD))
    assert len(fleet.sessions) == 3
    assert fleet.vehicles["eta_charge"].tolist() == [0.9, 0.9]
    assert fleet.sessions["soc_target"].tolist() == [0.9] * 3
    assert any("packaged defaults" in note.text for note in fleet.notes)
    assert fleet.sessions["plug_in"].dtype == "datetime64[ns]"


def test_times_with_an_offset_become_utc():
    rows = [("v1", "c1", "2016-07-01T18:00+02:00", "2016-07-02T07:00+02:00")]
    fleet = make_fleet(cars(), stations(), stays(rows))
    assert fleet.sessions["plug_in"].iloc[0] == pd.Timestamp("2016-07-01 16:00")


def test_stay_over_days_and_year_end_is_normal():
    rows = [("v1", "c1", "2015-12-30 18:00", "2016-01-04 07:00")]
    assert len(make_fleet(cars(), stations(), stays(rows)).sessions) == 1


def test_empty_fleet_is_the_base_case():
    empty = stays([])
    fleet = make_fleet(cars(), stations(), empty)
    assert len(fleet.sessions) == 0
    assert "base case" in fleet.notes[-1].text


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("v1", "c1", "2016-01-01 18:00", "2016-01-01 07:00"), "before plug_in"),
        (("v1", "c1", "2016-01-01 18:00", "2016-01-01 18:00"), "no length"),
        (("v1", "c1", "", "2016-01-01 18:00"), "is missing"),
        (("v1", "c1", "2016-01-01 18:00", "soon"), "is missing"),
        (("v9", "c1", "2016-01-01 18:00", "2016-01-02 18:00"), "write 'v"),
        (("v1", "x1", "2016-01-01 18:00", "2016-01-02 18:00"), "charger_id: is unknown"),
    ],
)
def test_faulty_row_is_refused_by_name(row, words):
    message = refused(sessions=stays([row]))
    assert words in message
    assert "sessions row 0 (s0)" in message


def test_overlap_duplicate_and_two_places_are_told_apart():
    rows = [
        *GOOD,
        GOOD[0],
        ("v2", "c1", "2016-01-03 00:00", "2016-01-03 01:00"),
        ("v2", "c1", "2016-01-01 18:30", "2016-01-01 18:45"),
    ]
    message = refused(sessions=stays(rows))
    assert "repeats an earlier row, found s3" in message
    assert "overlaps another session at the same charger, found c1 also in s1" in message
    assert "has the vehicle in two places, found v2 also in s2" in message


def test_touching_stays_do_not_overlap():
    rows = [
        ("v1", "c1", "2016-01-01 10:00", "2016-01-01 11:00"),
        ("v2", "c1", "2016-01-01 11:00", "2016-01-01 12:00"),
    ]
    assert len(make_fleet(cars(), stations(), stays(rows)).sessions) == 2


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("soc_arrival", 45.0, "percent"),
        ("soc_arrival", -0.1, "0 to 1"),
        ("soc_arrival", 1.2, "0 to 1"),
        ("soc_target", 80.0, "percent"),
        ("soc_target", -0.2, "0 to 1"),
        ("soc_target", 0.01, "below the vehicle's soc_min"),
        ("trip_kwh", -1.0, "0 or more"),
        ("trip_kwh", np.inf, "infinite"),
    ],
)
def test_impossible_state_of_charge_or_trip_is_refused(column, value, words):
    sessions = stays(GOOD)
    sessions[column] = value
    assert words in refused(sessions=sessions)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"capacity_kwh": [0.0, 60.0]}, "capacity_kwh: must be above 0, found 0"),
        ({"capacity_kwh": [np.nan, 60.0]}, "capacity_kwh: must be above 0, found nan"),
        ({"p_charge_max_kw": [11000.0, 7.4]}, "0 to 1000 kW"),
        ({"eta_charge": [90.0, 0.9]}, "divide by 100"),
        ({"eta_charge": [0.0, 0.9]}, "above 0"),
        ({"eta_discharge": [1.1, 0.9]}, "at most 1"),
        ({"soc_min": [0.95, 0.05]}, "below soc_min"),
        ({"soc_min": [0.5, 0.05], "soc_max": [0.5, 1.0]}, "below soc_max"),
        ({"soc_max": [0.8, 1.0]}, "above soc_max"),
        ({"soc_reserve": [0.01, 0.4]}, "below soc_min"),
        ({"phases": [2, 3]}, "1 or 3"),
        ({"wear_eur_per_kwh": [-1.0, 0.0]}, "0 or more"),
    ],
)
def test_impossible_vehicle_is_refused(changed, words):
    assert words in refused(vehicles=cars(**changed))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"p_max_kw": [11000.0, 11.0]}, "thousand times"),
        ({"p_max_kw": [0.0, 11.0]}, "no power"),
        ({"p_discharge_max_kw": [11.0, 0.0], "bidirectional": [False, False]}, "not bidirectional"),
        ({"phases": ["abc", "abx"]}, "a, b or c"),
        ({"kind": ["home", "street"]}, "must be one of"),
    ],
)
def test_impossible_charger_is_refused(changed, words):
    assert words in refused(chargers=stations(**changed))


def test_all_problems_come_at_once_and_long_lists_are_cut():
    rows = [("v1", "c1", "2016-01-01", "2016-01-01")] * 30
    message = refused(vehicles=cars(capacity_kwh=[-1.0, 60.0]), sessions=stays(rows))
    assert "capacity_kwh" in message
    assert "in 10 more rows" in message


def test_missing_column_is_named():
    assert "column 'capacity_kwh' is missing" in refused(
        vehicles=cars().drop(columns="capacity_kwh")
    )


def test_id_given_twice_is_refused():
    doubled = pd.concat([cars(), cars().iloc[:1]])
    assert "vehicle_id: occurs twice" in refused(vehicles=doubled)


def test_need_beyond_power_times_time_and_full_arrivals_are_noted_not_refused():
    rows = [
        ("v1", "c1", "2016-01-01 10:00", "2016-01-01 11:00"),
        ("v2", "c2", "2016-01-01 10:00", "2016-02-01 11:00"),
    ]
    sessions = stays(rows)
    sessions["soc_arrival"] = [0.1, 0.95]
    text = " ".join(note.text for note in make_fleet(cars(), stations(), sessions).notes)
    # 0.8 x 50 kWh needed, 11 kW x 1 h x 0.9 possible.
    assert "1 of 2 sessions need more" in text
    assert "30.1 kWh" in text
    assert "1 sessions arrive above" in text
    assert "longer than 14 days" in text


def test_tables_on_disk_keep_their_ids_as_text(tmp_path):
    vehicles = cars()
    vehicles.index = ["007", "NA"]
    sessions = stays([("007", "c1", *GOOD[0][2:]), ("NA", "c2", *GOOD[0][2:])])
    vehicles.to_csv(tmp_path / "vehicles.csv", index_label="vehicle_id")
    stations(bidirectional=[True, False], p_discharge_max_kw=[11.0, 0.0]).to_csv(
        tmp_path / "chargers.csv", index_label="charger_id"
    )
    sessions.to_csv(tmp_path / "sessions.csv", index_label="session_id")
    fleet = read_fleet(tmp_path)
    assert list(fleet.vehicles.index) == ["007", "NA"]
    assert fleet.sessions["vehicle_id"].tolist() == ["007", "NA"]
    assert fleet.chargers["bidirectional"].tolist() == [True, False]
    (tmp_path / "sessions.csv").unlink()
    with pytest.raises(InputError, match=r"sessions\.csv is missing"):
        read_fleet(tmp_path)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(1, 15)),
        min_size=1,
        max_size=15,
    )
)
def test_rows_kept_by_the_overlap_check_never_overlap(rows):
    key, start, length = (np.array(column) for column in zip(*rows, strict=True))
    end = start + length
    rival = overlapped(key, start, end, np.ones(len(rows), dtype=bool))
    kept = np.flatnonzero(rival < 0)
    for first in kept:
        for second in kept[kept > first]:
            if key[first] == key[second]:
                assert end[first] <= start[second] or end[second] <= start[first]
    for row in np.flatnonzero(rival >= 0):
        other = rival[row]
        assert key[row] == key[other]
        assert start[row] < end[other]
        assert start[other] < end[row]


def test_findings_leave_the_tables_alone():
    fleet = make_fleet(cars(), stations(), stays(GOOD))
    before = fleet.sessions.copy()
    assert session_findings(fleet.sessions, fleet.vehicles, fleet.chargers) == []
    pd.testing.assert_frame_equal(before, fleet.sessions)
