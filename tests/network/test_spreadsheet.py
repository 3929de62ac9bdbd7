"""Workbooks pass the same gate: values only, no objects, no bombs."""

from __future__ import annotations

import json
import sys
import zipfile

import numpy as np
import pandapower as pp
import pandas as pd
import pytest

from gridimpact.errors import GridError, MissingExtra
from gridimpact.network.reader import read_net
from tests.network.nets import feeder

pytest.importorskip("openpyxl")
pytest.importorskip("defusedxml")


def test_a_workbook_of_pandapower_gives_the_same_voltages(tmp_path):
    net = feeder()
    net.bus["geo"] = [
        json.dumps({"type": "Point", "coordinates": [float(i), 1.0]}) for i in range(5)
    ]
    pp.to_excel(net, str(tmp_path / "net.xlsx"))
    own, _ = read_net(tmp_path / "net.xlsx")
    pp.runpp(net)
    pp.runpp(own)
    assert np.allclose(net.res_bus.vm_pu, own.res_bus.vm_pu, atol=1e-12)
    assert own.bus.geo.iloc[3] == '{"type": "Point", "coordinates": [3.0, 1.0]}'


def test_a_controller_cell_imports_nothing(tmp_path, monkeypatch):
    fired = tmp_path / "fired"
    (tmp_path / "gridimpact_sheet_marker.py").write_text(f"open({str(fired)!r}, 'w')")
    monkeypatch.syspath_prepend(str(tmp_path))
    control = json.dumps({"_module": "gridimpact_sheet_marker", "_class": "X", "_object": {}})
    with pd.ExcelWriter(tmp_path / "net.xlsx", engine="openpyxl") as writer:
        for name in ("bus", "load", "line", "trafo", "ext_grid"):
            feeder()[name].drop(columns="geo", errors="ignore").to_excel(writer, sheet_name=name)
        pd.DataFrame({"object": [control]}).to_excel(writer, sheet_name="controller")
    _, notes = read_net(tmp_path / "net.xlsx")
    assert any(n.where == "controller" for n in notes)
    assert not fired.exists()
    assert "gridimpact_sheet_marker" not in sys.modules


def test_a_zip_bomb_is_refused_unopened(tmp_path):
    path = tmp_path / "net.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 20_000_000)
    with pytest.raises(GridError, match="unpacks to 20000000 bytes"):
        read_net(path)


def test_no_workbook_and_no_bus_sheet_are_told(tmp_path):
    path = tmp_path / "net.xlsx"
    path.write_bytes(b"not a zip")
    with pytest.raises(GridError, match="no workbook"):
        read_net(path)
    pd.DataFrame({"a": [1]}).to_excel(path)
    with pytest.raises(GridError, match="no sheet 'bus'"):
        read_net(path)


def test_without_the_extra_the_message_names_it(tmp_path, monkeypatch):
    pp.to_excel(feeder(), str(tmp_path / "net.xlsx"))
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingExtra, match=r"gridimpact\[excel\]"):
        read_net(tmp_path / "net.xlsx")
