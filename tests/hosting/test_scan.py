"""A scan as a whole: the same bytes however it is run, and honest about what it found."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

import gridimpact as gi
from gridimpact.hosting.base_case import violated_elements
from gridimpact.hosting.capacity import planned_looks
from gridimpact.hosting.evaluate import Evaluator
from gridimpact.hosting.executor_of import executor_of, worker_gb
from gridimpact.hosting.options import RunOptions, ScanRequest, settings_of
from gridimpact.hosting.output import write_scan
from gridimpact.hosting.readings import Beyond
from gridimpact.hosting.scan import run_scan
from tests.hosting.scan_case import ASKED, DAY, bytes_of, scanned, tight_study

FEW = {**ASKED, "cars_per_home": [1], "refine": False}


def small(study=None, **others):
    return gi.hosting_capacity(study or tight_study([]), **(FEW | others), progress=False)


def drawn(run, study=None, **others):
    """Return what a scan finds, with no file but its journal."""
    spec = (study or tight_study([])).spec
    asked = ScanRequest(days=[DAY], cars_per_home=[1], refine=False, **({"draws": 2} | others))
    settings, rows = settings_of(spec, asked)
    return run_scan(spec, settings, rows, run)


def test_every_row_of_a_scan_is_one_scenario_of_one_draw():
    table, manifest = scanned().scenarios, scanned().manifest
    assert manifest["scenarios"] == len(table)
    assert not table.duplicated(["draw", "strategy", "cars"]).any()
    levels = table[~table["refined"]].groupby(["draw", "strategy"])["cars"].apply(list)
    assert len(levels) == 4 * 2
    assert all(found == [6, 12, 36] for found in levels)
    assert (table["failed_lanes"] == 0).all()
    assert scanned().draws["sessions_sha256"].nunique() == 4


def test_each_draw_s_capacity_is_known_to_one_car():
    table = scanned().scenarios
    own = table[table["strategy"] == "uncontrolled"]
    for _, draw in own.groupby("draw"):
        failing = draw.loc[draw["broken"] != "", "cars"].min()
        passing = draw.loc[draw["cars"] < failing, "cars"].max()
        assert failing == passing + 1
        # The limit is 25 % of the transformer's rating.
        assert draw.loc[draw["cars"] == failing, "transformer_percent"].item() > 25.0
        assert draw.loc[draw["cars"] == passing, "transformer_percent"].item() <= 25.0


def test_a_resumed_scan_ends_with_the_bytes_of_one_that_was_never_stopped(tmp_path):
    begun = {"workers": 0, "out": tmp_path / "parts"}
    drawn(RunOptions(**begun), draws=1)
    with (tmp_path / "parts" / "journal.bin").open("ab") as journal:
        journal.write(b"cut off")
    went_on = drawn(RunOptions(**begun | {"workers": 1}, resume=True), draws=3)
    whole = drawn(RunOptions(workers=0, out=tmp_path / "whole"), draws=3)
    assert went_on.manifest["run"]["draws_resumed"] == 1
    assert went_on.manifest["run"]["mended"] == ["7 bytes of a draw cut off by a kill were dropped"]
    assert whole.manifest["run"]["mended"] == []
    manifests = []
    for found, name in ((went_on, "parts"), (whole, "whole")):
        write_scan(found, tmp_path / name)
        manifests.append(json.loads((tmp_path / name / "manifest.json").read_text()))
        assert manifests[-1].pop("run")["wall_s"] > 0
    assert manifests[0] == manifests[1]
    assert bytes_of(tmp_path / "parts") == bytes_of(tmp_path / "whole")


@pytest.mark.slow  # workers of their own, several seconds each to start
def test_workers_change_no_byte(tmp_path):
    folders = []
    for workers in (0, 1, 2, 4):
        folders.append(tmp_path / str(workers))
        asked = ASKED | {"workers": workers, "draws": (4, 9), "precision": 0.2}
        gi.hosting_capacity(tight_study(), **asked, budget_gb=8.0, out=folders[-1], progress=False)
    for folder in folders[1:]:
        assert bytes_of(folder) == bytes_of(folders[0])


def test_a_folder_of_another_scan_is_refused_by_what_differs(tmp_path):
    begin, go_on = (RunOptions(workers=0, out=tmp_path, resume=again) for again in (False, True))
    drawn(begin, draws=1)
    with pytest.raises(gi.InputError, match=r"resume=True \(--resume\) goes on"):
        drawn(begin, draws=1)
    with pytest.raises(gi.InputError, match=r"settings\.unmet_percent: 1\.0 then, 3\.0 now"):
        drawn(go_on, unmet_percent=3.0)
    study = tight_study([])
    homes = study.spec.profiles
    more = dataclasses.replace(homes, load_p_kw=homes.load_p_kw * 1.01)
    study.spec = dataclasses.replace(study.spec, profiles=more)
    with pytest.raises(gi.InputError, match=r"inputs\.profiles"):
        drawn(go_on, study)
    # More draws, another risk: the same draws tell it.
    found = drawn(go_on, draws=2, risk=0.2)
    assert (found.manifest["draws"], found.manifest["run"]["draws_resumed"]) == (2, 1)


def test_a_strategy_that_workers_cannot_load_is_refused_before_anything_is_written(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(gi.g2v.AverageRate, "__module__", "__main__")
    with pytest.raises(gi.InputError, match="worker processes"):
        gi.hosting_capacity(
            tight_study([gi.g2v.AverageRate()]),
            **ASKED | {"workers": 1, "draws": 1},
            out=tmp_path / "scan",
        )
    assert not (tmp_path / "scan" / "journal.bin").exists()


def test_draws_are_added_look_by_look_until_the_interval_is_narrow():
    asked = ASKED | {"draws": (4, 9), "risk": 0.5, "confidence": 0.5}
    assert planned_looks((4, 9)) == (4, 6, 9)
    rough = gi.hosting_capacity(tight_study([]), **asked, precision=3.0, progress=False)
    assert rough.manifest["draws"] == 4
    fine = gi.hosting_capacity(tight_study([]), **asked, precision=0.01, progress=False)
    row = fine.capacity.query("control == 'managed' and limit == 'all'").iloc[0]
    assert fine.manifest["draws"] > 4
    assert fine.manifest["draws"] == 9 or row["high"] - row["low"] <= 1


def test_a_draw_that_fails_is_told_and_left_out(monkeypatch):
    solve = Evaluator.__call__

    def broken(self, draw):
        if draw == 1:
            message = "no luck"
            raise ValueError(message)
        return solve(self, draw)

    monkeypatch.setattr(Evaluator, "__call__", broken)
    found = small()
    assert found.manifest["draws_failed"] == 1
    assert list(found.draws["status"]) == ["ok", "failed", "ok", "ok"]
    assert "no luck" in found.draws["error"][1]
    assert (found.capacity["draws"] == 3).all()
    assert any("could not be solved" in note.text for note in found.notes)


def test_what_is_violated_before_is_counted_by_element():
    study = tight_study([])
    limits = dataclasses.replace(study.spec.limits, transformer_loading_percent=5.0)
    study.spec = dataclasses.replace(study.spec, limits=limits)
    for rule, hosted in (("count", 0), ("ignore", 12)):
        found = small(study, draws=1, preexisting=rule, limits=["transformer_loading"])
        assert found.record.base["transformer_loading"] == 1
        row = found.capacity.query("strategy == 'uncontrolled' and limit == 'all'").iloc[0]
        assert row["at_risk"] == hosted


def test_elements_beyond_two_limits_of_a_kind_count_once():
    depth = np.zeros((1, 3))
    low = Beyond(depth, np.array([[1.0, 0.0, 0.0]]))
    high = Beyond(depth, np.array([[2.0, 1.0, 0.0]]))

    found = SimpleNamespace(beyond={"voltage_low": low, "voltage_high": high})
    assert violated_elements(found) == {"voltage": 2}


def test_a_network_that_cannot_carry_its_own_load_is_an_error():
    study = tight_study([])
    homes = study.spec.profiles
    much = dataclasses.replace(homes, load_p_kw=homes.load_p_kw * 1e4)
    spec = dataclasses.replace(study.spec, profiles=much)
    settings, rows = settings_of(spec, ScanRequest(days=[DAY], draws=1, cars=[1]))
    with np.errstate(over="ignore"), pytest.raises(gi.FlowNotConverged, match="its own load"):
        run_scan(spec, settings, rows, RunOptions(workers=0))


def test_the_budget_of_memory_bounds_the_number_of_workers():
    spec = tight_study([]).spec
    one = worker_gb(spec)
    assert 0.4 < one < 1.0
    with executor_of(RunOptions(workers=8, budget_gb=3.5 * one), spec) as executor:
        assert executor.workers == 3
    with executor_of(RunOptions(workers=2, budget_gb=0.1), spec) as executor:
        assert executor.workers == 1
    with executor_of(RunOptions(workers=0), spec) as executor:
        assert executor.workers == 1
