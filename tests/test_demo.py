"""The packaged demo says something: a limit is passed, smart charging clears it, price alone is worst."""

from __future__ import annotations

import json
import re

import pytest
from typer.testing import CliRunner

import gridimpact as gi
from gridimpact.cli import app

ROWS = ["no_ev", "uncontrolled", "g2v_valley_filling", "g2v_transformer_limit", "g2v_price",
        "v2g_peak_shaving", "v2h_self_consumption", "v2b_demand_charge", "mix"]  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Return the folder the demo writes and what it prints."""
    folder = tmp_path_factory.mktemp("demo")
    told = CliRunner().invoke(app, ["demo", "--out", str(folder), "--quiet"])
    assert told.exit_code == 0, told.output
    return folder, told.output


def test_demo_shows_what_cars_do_and_what_each_strategy_changes(demo):
    folder, _ = demo
    result = gi.Result.from_folder(folder / "results")
    table = result.summary()
    assert table.index.tolist()[:2] == ROWS[:2]
    assert set(ROWS) <= set(table.index)
    base, plain = table.loc["no_ev"], table.loc["uncontrolled"]
    assert base["violations"] == 0
    # Uncontrolled charging passes a limit, and cars are why.
    assert plain["violations_ev_caused"] > 0
    assert plain["transformer_loading_max_percent"] > 100
    for cleared in ("g2v_valley_filling", "g2v_transformer_limit"):
        assert table.loc[cleared, "violations_ev_caused"] == 0
        assert table.loc[cleared, "violations_aggravated"] == 0
        assert table.loc[cleared, "transformer_loading_max_percent"] < 100
    # All cars at the cheapest hour is the worst of all, by load and by voltage.
    worst = table.loc["g2v_price"]
    others = table.drop(index="g2v_price")
    assert (
        worst["transformer_loading_max_percent"] > others["transformer_loading_max_percent"].max()
    )
    assert worst["vm_min_pu"] < others["vm_min_pu"].min()
    assert worst["violations"] > others["violations"].max()
    # The municipal building's own cars keep its peak down.
    assert table.loc["v2b_demand_charge", "building_peak_kw"] < 0.6 * plain["building_peak_kw"]
    # The same cars on the same draws, so a difference is the strategy's doing.
    assert (table["cars"].iloc[1:] == 182).all()
    assert table["departures"].iloc[1:].nunique() == 1
    assert (table["cars_controlled"].iloc[2:] > 0).all()


def test_demo_assesses_a_winter_and_a_summer_week_without_a_failed_lane(demo):
    folder, _ = demo
    manifest = json.loads((folder / "results" / "manifest.json").read_text())
    days = [day["name"] for day in manifest["days"]]
    assert days == ["2016-01-18/2016-01-24", "2016-07-18/2016-07-24"]
    assert [day["steps"] for day in manifest["days"]] == [672, 672]
    assert manifest["steps_failed"] == 0
    assert manifest["verified"]["lanes"] == 20
    assert manifest["verified"]["vm_pu"] < 1e-8
    assert manifest["verified"]["line_loading_percent"] < 1e-4
    assert manifest["verified"]["transformer_loading_percent"] < 1e-4


def test_demo_prints_one_screen_and_leaves_a_page_that_loads_nothing(demo):
    folder, told = demo
    lines = told.splitlines()
    assert len(lines) < 25
    assert "Uncontrolled" in told
    assert "Report: " in lines[-1]
    page = (folder / "results" / "report.html").read_text(encoding="utf-8")
    assert str((folder / "results" / "report.html").resolve()) in told
    sources = re.findall(r"""\bsrc\s*=\s*["']?([^"'\s>]+)""", page)
    sources += re.findall(r"""url\(\s*["']?([^"')\s]+)""", page)
    assert sources
    assert [s[:40] for s in sources if not s.startswith(("data:", "#"))] == []
    assert not re.search(r"<link\b|<iframe\b|@import", page)
    assert (folder / "results" / "summary.xlsx").stat().st_size > 10_000
