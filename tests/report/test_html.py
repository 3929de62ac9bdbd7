"""The page is complete, self-contained, and text stays text."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from gridimpact.records import Note
from gridimpact.report.figures import FIGURES
from gridimpact.report.html import page, write_html
from gridimpact.report.html_parts import violation_rows
from gridimpact.report.tables import comparison_table
from gridimpact.report.violations import violations_frame

EVIL = "</script><img src=x onerror=1>"


class Reader(HTMLParser):
    """Collect tags, attributes and text as a browser would see them."""

    def __init__(self):
        super().__init__()
        self.tags, self.links, self.handlers, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "srcset", "action", "data"):
                self.links.append((tag, value))
            if name.startswith("on"):
                self.handlers.append((tag, name))

    def handle_data(self, data):
        self.text.append(data)


def read(html):
    reader = Reader()
    reader.feed(html)
    return reader


@pytest.fixture(scope="module")
def evil(result):
    """Return a page in which everything that can be named is named like an attack."""
    network = result.network
    grid = replace(
        network.grid,
        bus_name=tuple(EVIL for _ in network.grid.bus_name),
        line_name=tuple(EVIL for _ in network.grid.line_name),
        transformer_name=(EVIL,),
    )
    violations = pd.DataFrame(
        {"kind": [EVIL], "element": [EVIL], "name": [EVIL], "start": [pd.Timestamp("2016-01-20")],
         "end": [pd.Timestamp("2016-01-20 01:00")], "duration_h": [1.0], "worst": [0.9],
         "limit": [0.95], "unit": [EVIL], "caused_by": [EVIL], "origin": [EVIL]}
    )  # fmt: skip
    assessments = {k: replace(a, violations=violations) for k, a in result.assessments.items()}
    manifest = {
        **result.manifest,
        EVIL: EVIL,
        "sources": [{"name": EVIL, "source": f"javascript:{EVIL}", "licence": EVIL}],
        "limits": {**result.manifest["limits"], "name": EVIL},
        "strategies": {k: {"foresight": EVIL, "settings": EVIL} for k in result.comparison.index},
    }
    labels = {"mix": EVIL}
    with pytest.MonkeyPatch.context() as patch:
        # The two figures that write names of elements.
        patch.setattr("gridimpact.report.html.FIGURES", FIGURES[3:5])
        return page(
            replace(
                result,
                name=EVIL,
                network=replace(network, name=EVIL, source=EVIL, licence=EVIL, grid=grid),
                dataset=result.dataset.assign_coords(
                    strategy=[labels.get(str(s), str(s)) for s in result.dataset["strategy"].values]
                ),
                comparison=result.comparison.rename(index=labels),
                assessments={labels.get(k, k): a for k, a in assessments.items()},
                notes=(Note(EVIL, EVIL, EVIL),),
                manifest=manifest,
            )
        )


def test_names_that_look_like_markup_stay_text(evil):
    reader = read(evil)
    assert "script" not in reader.tags
    assert reader.handlers == []
    assert all(value.startswith("data:image/") for _, value in reader.links)
    assert EVIL in "".join(reader.text)


@pytest.fixture(scope="module")
def path(result, tmp_path_factory):
    return write_html(result, tmp_path_factory.mktemp("page") / "report.html")


@pytest.fixture(scope="module")
def html(path):
    return path.read_text(encoding="utf-8")


def test_page_holds_no_remote_resource_and_forbids_them(path, html):
    reader = read(html)
    assert reader.links
    assert all(value.startswith("data:image/") for _, value in reader.links)
    assert "default-src 'none'" in html
    assert not re.search(r"url\(|@import|<link|<script|<iframe", html)
    assert path.stat().st_size < 3_000_000


def test_page_holds_every_part_a_planner_needs(html):
    text = " ".join("".join(read(html).text).split())
    for words in (
        "Not uncontrolled; yes with a realistic mix",
        "Strategies compared",
        "1. Headroom",
        "8. What it costs",
        "at most 3 of each strategy and kind are listed",
        "EV-caused",
        "Energy, batteries and money",
        "The busbar set-point is assumed 1.0 pu.",
        "3 of 9,408",
        "eu_lv_planning",
        "ERA5 temperature",
        "CC-BY-4.0",
        "seed 1",
        "numpy",
        "A planning study, not a connection approval.",
        "stays announced",
    ):
        assert words in text


def test_every_note_appears_once(html):
    # The same note comes from each of seven assessments.
    assert html.count("Paper is assumed not upgraded.") == 1


def test_same_result_gives_the_same_page(result, monkeypatch):
    monkeypatch.setattr("gridimpact.report.html.FIGURES", FIGURES[6:])
    assert page(result) == page(result)


def test_a_result_with_a_bare_manifest_still_makes_a_page(result, monkeypatch):
    monkeypatch.setattr("gridimpact.report.html.FIGURES", FIGURES[:1])
    bare = page(replace(result, manifest={}, notes=()))
    text = "".join(read(bare).text)
    assert "Strategies compared" in text
    assert "(limit" not in text


def test_three_violations_of_each_kind_are_listed_and_the_rest_counted(result):
    rows = violation_rows(result, violations_frame(result))
    listed = [row for row in rows if not row["more"]]
    left = sum(int(row["more"].split()[1].replace(",", "")) for row in rows if row["more"])
    total = sum(len(a.violations) for a in result.assessments.values())
    assert left > 0
    assert len(listed) + left == total
    own = [(row["strategy"], row["kind"]) for row in listed]
    assert max(own.count(key) for key in own) == 3
    names = list(dict.fromkeys(row["strategy"] for row in rows))
    order = [row.name for row in comparison_table(result).rows]
    assert names == [name for name in order if name in names]
