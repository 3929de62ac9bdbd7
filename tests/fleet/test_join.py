"""Joining fleets keeps every row and never mixes ids."""

import pandas as pd
import pytest

from gridimpact.errors import InputError
from gridimpact.fleet import join_fleets, synthesize_fleet
from gridimpact.fleet.sessions import session_findings
from gridimpact.timeline import Timeline

WEEK = Timeline.days("2016-01-11", 7, zone="Europe/Berlin")


def test_rows_add_up_and_ids_stay_where_they_do_not_clash():
    homes, depot = synthesize_fleet(4, WEEK), synthesize_fleet(2, WEEK, kind="fleet")
    both = join_fleets(homes, depot)
    pd.testing.assert_frame_equal(both.vehicles, pd.concat([homes.vehicles, depot.vehicles]))
    assert len(both.sessions) == len(homes.sessions) + len(depot.sessions)
    assert set(homes.notes) | set(depot.notes) == set(both.notes)


def test_clashing_ids_are_renamed_with_their_sessions():
    first, second = synthesize_fleet(3, WEEK, seed=1), synthesize_fleet(2, WEEK, seed=2)
    both = join_fleets(first, second, synthesize_fleet(0, WEEK))
    assert list(both.vehicles.index)[3:] == ["home_0001@2", "home_0002@2"]
    assert both.chargers.index.is_unique
    assert both.sessions.index.is_unique
    assert session_findings(both.sessions, both.vehicles, both.chargers) == []
    renamed = both.sessions[both.sessions["vehicle_id"] == "home_0002@2"]
    own = second.sessions[second.sessions["vehicle_id"] == "home_0002"]
    assert renamed["plug_in"].tolist() == own["plug_in"].tolist()
    assert set(renamed["charger_id"]) == {"charger_home_0002@2"}


def test_joining_nothing_is_refused_and_joining_one_changes_nothing():
    with pytest.raises(InputError, match="at least one"):
        join_fleets()
    fleet = synthesize_fleet(2, WEEK)
    pd.testing.assert_frame_equal(join_fleets(fleet).sessions, fleet.sessions)


def test_inputs_are_left_alone():
    fleet = synthesize_fleet(2, WEEK)
    before = fleet.sessions.copy()
    join_fleets(fleet, fleet)
    pd.testing.assert_frame_equal(before, fleet.sessions)
