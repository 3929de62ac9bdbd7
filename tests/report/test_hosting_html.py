"""The page of a hosting scan is complete, self-contained, and text stays text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from gridimpact.records import Note
from gridimpact.report.hosting_figures import FIGURES, drawable
from gridimpact.report.hosting_html import hosting_page, write_hosting_html
from tests.report.hosting_case import hosting_result, nodal, only, small_scan, uniform
from tests.report.test_html import EVIL, read


@pytest.fixture
def few(monkeypatch):
    """Draw the capacities only: drawing takes most of the time."""
    monkeypatch.setattr("gridimpact.report.hosting_html.FIGURES", FIGURES[:1])


@pytest.fixture
def none(monkeypatch):
    monkeypatch.setattr("gridimpact.report.hosting_html.FIGURES", ())


def text_of(html: str) -> str:
    return " ".join("".join(read(html).text).split())


@pytest.mark.usefixtures("few")
def test_page_holds_every_part_and_no_remote_resource(tmp_path):
    path = write_hosting_html(small_scan(), tmp_path / "hosting.html")
    html = path.read_text(encoding="utf-8")
    text = text_of(html)
    for words in (
        "with valley filling",
        "limited by voltage at the far end of feeder 2",
        "at most 5 % of 60 draws",
        "worse than uncontrolled",
        "Limits alone and together",
        "what was violated without them counts only where they make it worse",
        "With control lost (firm)",
        "1 more could not be solved",
        "1. How many cars, under which strategy",
        "The same power at every customer: not studied",
        "eu_lv_planning planning practice",
        "until every managed strategy's interval is at most 6 cars wide",
        "Phases are drawn anew in each draw.",
        "worker died",
        "310 m of feeder 2 by 240 mm2",
        "seed 7",
        "A planning study, not a connection approval.",
    ):
        assert words in text
    reader = read(html)
    assert reader.links
    assert all(value.startswith("data:image/") for _, value in reader.links)
    assert "default-src 'none'" in html
    assert not re.search(r"url\(|@import|<link|<script|<iframe", html)
    assert path.stat().st_size < 3_000_000


@pytest.mark.usefixtures("few")
def test_names_that_look_like_markup_stay_text():
    scan = hosting_result({"uncontrolled": (70,) * 4, EVIL: (90,) * 4}, draws=40)
    net = scan.network
    grid = replace(
        net.grid,
        bus_name=(EVIL,) * len(net.grid.bus_name),
        line_name=(EVIL,) * len(net.grid.line_name),
        transformer_name=(EVIL,),
    )
    html = hosting_page(
        replace(
            scan,
            name=EVIL,
            network=replace(net, name=EVIL, source=EVIL, licence=EVIL, grid=grid),
            binding=scan.binding.assign(name=EVIL),
            capacity=scan.capacity.assign(binding_element=EVIL),
            nodal=scan.nodal.assign(name=EVIL, binding_element=EVIL),
            uniform=uniform().assign(name=EVIL),
            mitigation=scan.mitigation.assign(measure=EVIL, detail=EVIL, binding_element=EVIL),
            draws=scan.draws.assign(error=EVIL),
            base={EVIL: 3},
            manifest={**scan.manifest, EVIL: EVIL, "limits": {"name": EVIL, EVIL: 1.0}},
            notes=(Note(EVIL, EVIL, EVIL),),
        )
    )
    reader = read(html)
    assert "script" not in reader.tags
    assert reader.handlers == []
    assert all(value.startswith("data:image/") for _, value in reader.links)
    assert EVIL in "".join(reader.text)


@pytest.mark.usefixtures("none")
def test_scans_of_connections_and_of_one_power_make_pages_that_say_what_was_not_studied():
    scan = small_scan()
    alone = text_of(hosting_page(only(scan, "nodal", nodal=nodal(scan.network))))
    assert "Not studied: this scan solved no strategies" in alone
    assert "Each connection alone, the weakest first" in alone
    assert "The same power at every customer: not studied." in alone
    together = text_of(hosting_page(only(scan, "uniform", uniform=uniform())))
    assert "Each connection alone: not studied." in together
    assert "at least 11.0" in together
    bare = text_of(
        hosting_page(replace(only(scan, "uniform"), manifest={}, settings={}, base={}, notes=()))
    )
    assert "Hosting capacity: not studied." in bare


@pytest.mark.usefixtures("few")
def test_same_scan_gives_the_same_page():
    assert hosting_page(small_scan()) == hosting_page(small_scan())


def test_figures_stand_in_the_order_of_the_questions_and_only_where_studied():
    order = [
        "capacity",
        "risk_curve",
        "binding",
        "limits",
        "feeders",
        "nodal_map",
        "pairs",
        "mitigation",
    ]
    assert [drawing.name for drawing in FIGURES] == order
    scan = small_scan()
    assert all(drawable(scan, drawing) for drawing in FIGURES)
    alone = only(scan, "nodal", nodal=scan.nodal)
    assert [d.name for d in FIGURES if drawable(alone, d)] == ["nodal_map"]
