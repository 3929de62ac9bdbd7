"""The scan in the hand: the planner's call, its draws as studies that fail as the scan says, its files."""

from __future__ import annotations

import dataclasses
import inspect

import numpy as np
import pytest

import gridimpact as gi
from gridimpact import api_scan
from gridimpact.hosting.options import ScanRequest
from gridimpact.study.config_hosting import HostingConfig
from tests.hosting.scan_case import ASKED, DAY, scanned, tight_study


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Return the shared scan and a folder it was saved to."""
    folder = tmp_path_factory.mktemp("scan")
    scanned().save(folder)
    return folder


def test_the_answer_reads_in_one_screen():
    text = repr(scanned())
    assert "cars uncontrolled" in text
    assert "valley filling" in text
    assert max(map(len, text.splitlines())) <= 100
    assert list(scanned().summary().index) == ["uncontrolled", "g2v_valley_filling"]
    assert "Rural feeder" in scanned()._repr_html_()


def test_valley_filling_hosts_more_and_falls_back_to_uncontrolled_when_control_is_lost():
    table = scanned().capacity.query("limit == 'all'").set_index(["strategy", "control"])
    plain = table.loc[("uncontrolled", "managed"), "at_risk"]
    assert table.loc[("g2v_valley_filling", "managed"), "at_risk"] > plain
    assert table.loc[("g2v_valley_filling", "firm"), "at_risk"] == plain
    assert not table.loc[("g2v_valley_filling", "managed"), "reached"]


def test_the_worst_draw_run_as_a_study_violates_what_its_row_says():
    worst = scanned().worst_draw("uncontrolled")
    found = worst.run(progress=False)
    table = scanned().scenarios
    failing = table[(table["strategy"] == "uncontrolled") & (table["broken"] != "")]
    row = failing.sort_values(["cars", "draw"]).iloc[0]
    assert row["broken"] == "transformer_loading"
    assert f"draw {row['draw']}, {row['cars']} cars" in worst.spec.name
    broken = found.violations(strategy="uncontrolled")
    assert set(broken["kind"]) == {"transformer_loading"}
    summary = found.summary().loc["uncontrolled"]
    figures = {
        "transformer_loading_max_percent": "transformer_percent",
        "line_loading_max_percent": "line_percent",
        "vm_min_pu": "vm_min_pu",
        "hot_spot_max_c": "hot_spot_c",
    }
    for of_study, of_scan in figures.items():
        assert summary[of_study] == pytest.approx(row[of_scan], rel=1e-9), of_study
    one_less = scanned().worst_draw("uncontrolled", int(row["cars"]) - 1).run(progress=False)
    assert one_less.violations(strategy="uncontrolled").empty


def test_any_draw_is_a_study_and_holds_the_cars_of_a_smaller_one():
    few, more = (scanned().draw(2, cars).spec.fleet.vehicles for cars in (5, 6))
    assert len(more) == len(few) + 1
    assert set(few.index) < set(more.index)
    assert [s.name for s in scanned().draw(0, 3).spec.strategies] == [
        "uncontrolled",
        "g2v_valley_filling",
    ]
    with pytest.raises(gi.InputError, match="holds 0 to 36"):
        scanned().draw(0, 37)


def test_a_stored_scan_comes_back_with_its_draws(stored):
    found = gi.Scan.from_folder(stored, tight_study())
    assert repr(found) == repr(scanned())
    again, first = (s.worst_draw().spec.fleet.sessions for s in (found, scanned()))
    assert again.equals(first)
    without = gi.Scan.from_folder(stored)
    with pytest.raises(gi.InputError, match="study is not known"):
        without.worst_draw()
    study = tight_study()
    ambient = dataclasses.replace(
        study.spec.ambient, temp_air_c=study.spec.ambient.temp_air_c + 1.0
    )
    study.spec = dataclasses.replace(study.spec, ambient=ambient)
    with pytest.raises(gi.InputError, match="not the one that was scanned: other ambient"):
        gi.Scan.from_folder(stored, study).worst_draw()


def test_the_page_holds_nothing_of_the_run(stored):
    page = (stored / "hosting.html").read_text(encoding="utf-8")
    assert str(scanned().manifest["run"]["created"]) not in page
    assert "peak_worker_gb" not in page


def test_no_failing_draw_and_unknown_rows_are_told():
    with pytest.raises(gi.InputError, match="no draw fails"):
        scanned().worst_draw("g2v_valley_filling")
    with pytest.raises(gi.InputError, match="there are uncontrolled, g2v_valley_filling"):
        scanned().worst_draw("v2g")


def test_only_a_study_is_scanned():
    with pytest.raises(gi.InputError, match="a Study is needed, this is a str"):
        gi.hosting_capacity("study.yaml")


def test_nodal_and_uniform_scans_have_tables_a_summary_and_files(tmp_path):
    for method in ("nodal", "uniform"):
        found = gi.hosting_capacity(
            tight_study(), method=method, days=[DAY], direction="import", progress=False, draws=5
        )
        assert any("draws: of no effect" in note.text for note in found.notes)
        table = getattr(found, method)
        assert (table["binding"] == "transformer_loading").all()
        assert (table["capacity_kw"] > 0).all()
        assert "import" in repr(found)
        found.save(tmp_path / method)
        again = gi.Scan.from_folder(tmp_path / method)
        np.testing.assert_array_equal(getattr(again, method)["capacity_kw"], table["capacity_kw"])
        with pytest.raises(gi.InputError, match="has no draws"):
            found.draw(0, 1)


def test_a_time_series_is_one_course_of_events_and_says_so():
    found = gi.hosting_capacity(
        tight_study([]), method="time_series", workers=0, days="all", progress=False
    )
    assert found.manifest["draws"] == 1
    assert any("No probability and no interval" in note.text for note in found.notes)
    # The study's own cars in the order of their ids: all of them are the study's own fleet.
    own = found.draw(0, 10).spec.fleet
    fleet = tight_study([]).spec.fleet
    assert set(own.vehicles.index) == set(fleet.vehicles.index)
    assert own.chargers["site_id"].to_dict() == fleet.chargers["site_id"].to_dict()


def test_everything_wrong_in_study_and_options_comes_at_once():
    study = tight_study([gi.g2v.PriceCharging()])
    study.spec = dataclasses.replace(study.spec, tariffs={})
    with pytest.raises(gi.InputError, match="3 problems") as caught:
        gi.hosting_capacity(study, risk=5, workers=-1)
    assert "needs prices" in str(caught.value)


def test_python_study_file_and_request_name_the_same_options():
    call = set(inspect.signature(gi.hosting_capacity).parameters)
    of_run = {"out", "resume", "progress", "parquet"}
    assert set(HostingConfig.model_fields) == call - of_run - {"study"}
    asked = {f.name for f in dataclasses.fields(ScanRequest)}
    assert asked == call - of_run - {"study", "workers", "cluster", "timeout_s", "budget_gb"}


def test_the_planner_s_call_runs_as_typed(tmp_path, monkeypatch):
    # The page has a test of its own; drawing it takes longer than the scan.
    monkeypatch.setattr(api_scan, "EXTRAS", {})
    study = tight_study()
    scan = gi.hosting_capacity(
        study, cars_per_home=[0.5, 1],
        strategies=[
            gi.Uncontrolled(), gi.g2v.ValleyFilling(),
            gi.Mix({gi.v2g.PeakShaving(): 0.3}, rest=gi.Uncontrolled()),
        ],
        days=[DAY], risk=0.05, confidence=0.95, draws=(3, 4), preexisting="ignore", workers=0,
        out=tmp_path / "scan", resume=True, seed=1, refine=False, progress=False,
    )  # fmt: skip
    assert set(scan.summary().index) == {"uncontrolled", "g2v_valley_filling", "mix"}
    assert scan.plot.risk_curve() is not None
    assert {"capacity.csv", "journal.bin", "manifest.json"} <= {
        f.name for f in (tmp_path / "scan").iterdir()
    }


def test_measures_are_ranked_and_the_page_shows_them(tmp_path):
    scan = gi.hosting_capacity(tight_study([]), **(ASKED | {"draws": 2}), progress=False)
    table = scan.mitigation(draws=2, workers=0, progress=False)
    assert table["measure"].iloc[0] == "as it is"
    assert (table["gained"].iloc[1:] > 0).any()
    assert scan.record.mitigation.equals(table)


def test_a_random_day_belongs_to_its_draw():
    asked = ASKED | {"days": "random_day", "draws": 3, "cars_per_home": [2], "refine": False}
    scan = gi.hosting_capacity(tight_study([]), **asked, progress=False)
    worst = scan.worst_draw()
    row = scan.scenarios[scan.scenarios["broken"] != ""].iloc[0]
    days = [tuple(scan.draw(number, 1).days) for number in range(3)]
    assert len(set(days)) > 1
    assert scan.draws["days"].tolist() == [", ".join(each) for each in days]
    assert worst.days == scan.draw(int(row["draw"]), 1).days
    found = worst.run(progress=False).summary().loc["uncontrolled"]
    assert found["transformer_loading_max_percent"] == pytest.approx(
        row["transformer_percent"], rel=1e-9
    )
