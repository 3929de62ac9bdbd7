"""The page tells the model, the life, what it hangs on and both ledgers; nothing where not studied."""

from __future__ import annotations

import re

import pytest

from gridimpact.report.excel import write_excel
from gridimpact.report.html import page
from gridimpact.report.life import life_section, sensitivity_words, thermal_settings
from gridimpact.report.style import number
from gridimpact.study.store import write_results
from gridimpact.study.thermal_life import transformer_life
from tests.study.thermal_case import REPORT, thermal_cars, thermal_run


@pytest.fixture(scope="module")
def driven():
    return thermal_cars()


def test_a_result_of_another_age_has_no_such_section(result):
    assert "transformer" not in result.manifest
    assert life_section(result) is None


def test_rows_are_the_figures_of_the_table(driven):
    section = life_section(driven.record)
    table = driven.transformer_life()
    assert [row[0] for row in section.rows] == ["No added EV", "Uncontrolled", "V2G arbitrage"]
    for row, (_, figures) in zip(section.rows, table.iterrows(), strict=True):
        assert row[2] == number(figures["ageing_equivalent"], "ageing")
        assert row[6] == number(figures["life_cost_eur"], "EUR")
        assert row[4] == row[5] == row[8] == "-"
    assert table["cars"].tolist() == [0, 2, 2]
    assert section.used_percent == "25"


def test_ledgers_tell_what_v2g_costs_beyond_uncontrolled(driven):
    table, section = driven.ledgers(), life_section(driven.record)
    assert section.ledgers[2][1] == number(table.loc["v2g_arbitrage", "energy_eur"], "EUR")
    assert section.ledgers[1][4:] == ["0", "0", "0", "0"]
    extra = table.loc["v2g_arbitrage"]
    cells = [
        driven.record.assessments[label].tables["vehicles"].filter(like="battery_cost_cell_").sum()
        for label in ("v2g_arbitrage", "uncontrolled")
    ]
    change = cells[0] - cells[1]
    assert len(change) == 5
    assert extra["extra_battery_low_eur"] == pytest.approx(change.min())
    assert extra["extra_battery_high_eur"] == pytest.approx(change.max())
    assert extra["extra_total_low_eur"] <= extra["extra_total_high_eur"]
    worn = driven.record.comparison["battery_cost_high_eur"] * 2.0
    assert cells[0].max() == pytest.approx(worn["v2g_arbitrage"])
    bill = driven.record.comparison["cost_eur"]
    assert extra["extra_energy_eur"] == pytest.approx(bill["v2g_arbitrage"] - bill["uncontrolled"])


def test_one_sentence_says_how_far_ageing_hangs_on_what_was_assumed(driven):
    life = transformer_life(driven.record)
    words = sensitivity_words(driven.record, life)
    table = driven.ageing_sensitivity("uncontrolled")
    low, high = table[["lower", "higher"]].to_numpy().min(), table["higher"].max()
    given = number(table["as_given"][0], "ageing")
    expected = f"ageing {given}; {number(low, 'ageing')} to {number(high, 'ageing')} over what was"
    assert expected in words
    assert low < table["as_given"][0] < high


def test_the_page_names_model_insulation_life_start_and_harmonics():
    result = thermal_run(
        model="iec_60076_7", life_h="tensile_50", start="cold", insulation="upgraded",
        harmonics={"loss_factor": 2.0, "eddy_pu": 0.1},
    ).record  # fmt: skip
    settings = dict(thermal_settings(result.manifest["transformer"]))
    assert settings["Model"].startswith("IEC 60076-7")
    assert settings["Normal life, h"] == "65000"
    assert settings["Start of each period"] == "cold"
    assert "loss factor 2" in settings["Harmonics"]
    html = page(result)
    for text in (*settings.values(), "Two ledgers", "no price of a replacement was given"):
        assert text in html
    report = thermal_run(model="annex_g", annex_g=REPORT).record
    assert (
        dict(thermal_settings(report.manifest["transformer"]))["Rated data"] == "test report given"
    )


def test_exports_hold_life_and_ledgers(driven, tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    names = openpyxl.load_workbook(write_excel(driven.record, tmp_path / "s.xlsx")).sheetnames
    assert {"transformer_life", "ledgers"} <= set(names)
    folder = write_results(driven.record, tmp_path / "results", {})
    for name in ("transformer_life", "ledgers"):
        text = (folder / "tables" / f"{name}.csv").read_text()
        assert re.search(r"^(strategy|\w+,)", text)
