"""The folder of a scan: read back as it was, whole or no result, and nobody else's files touched."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from importlib.util import find_spec

import pandas as pd
import pytest

import gridimpact as gi
from gridimpact.hosting import output
from gridimpact.hosting.output import TABLES, read_scan, require_scan_folder, write_scan
from tests.hosting.scan_case import scanned


@pytest.fixture
def record():
    return scanned().record


def test_a_scan_is_read_back_as_it_was(record, tmp_path):
    write_scan(record, tmp_path)
    found = read_scan(tmp_path)
    for name in TABLES:
        pd.testing.assert_frame_equal(
            getattr(found, name), getattr(record, name), check_dtype=False, check_exact=True
        )
    for name in ("name", "method", "homes", "notes", "settings", "base"):
        assert getattr(found, name) == getattr(record, name), name
    assert found.manifest["inputs"] == record.manifest["inputs"]
    assert found.network.sites.index.tolist() == record.network.sites.index.tolist()
    stored = json.loads((tmp_path / "manifest.json").read_text())
    for name, digest in stored["files"].items():
        assert hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() == digest


def test_no_text_becomes_a_formula_and_it_is_read_back(record, tmp_path):
    binding = record.binding.assign(name="=1+1")
    write_scan(dataclasses.replace(record, binding=binding), tmp_path)
    assert "'=1+1" in (tmp_path / "binding.csv").read_text()
    assert set(read_scan(tmp_path).binding["name"]) == {"=1+1"}


def test_tables_that_are_gone_leave_no_file(record, tmp_path):
    write_scan(record, tmp_path)
    assert (tmp_path / "pairs.csv").is_file()
    write_scan(dataclasses.replace(record, pairs=pd.DataFrame()), tmp_path)
    assert not (tmp_path / "pairs.csv").exists()
    assert read_scan(tmp_path).pairs.empty


def test_a_write_that_fails_leaves_no_manifest_and_no_half_file(record, tmp_path):
    write_scan(record, tmp_path)

    def fails(result, path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(gi.InputError, match="the disk is full"):
        write_scan(record, tmp_path, {"hosting.html": fails})
    assert not (tmp_path / "manifest.json").exists()
    assert not list(tmp_path.glob("*.part"))
    with pytest.raises(gi.InputError, match="no finished scan"):
        read_scan(tmp_path)


def test_a_folder_of_something_else_is_refused(record, tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(gi.InputError, match="files that are no scan"):
        write_scan(record, tmp_path)
    (tmp_path / "manifest.json").write_text('{"format": 1}')
    with pytest.raises(gi.InputError, match="files that are no scan"):
        require_scan_folder(tmp_path)
    with pytest.raises(gi.InputError, match="is a file"):
        require_scan_folder(tmp_path / "mine.txt")
    require_scan_folder(tmp_path / "new")
    assert sorted(f.name for f in tmp_path.iterdir()) == ["manifest.json", "mine.txt"]


def test_another_format_says_so(record, tmp_path):
    write_scan(record, tmp_path)
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": 99}))
    with pytest.raises(gi.InputError, match="scan of format 99"):
        read_scan(tmp_path)


def test_parquet_is_written_where_it_is_installed_and_else_named(record, tmp_path, monkeypatch):
    if find_spec("pyarrow"):
        write_scan(record, tmp_path / "there", parquet=True)
        table = pd.read_parquet(tmp_path / "there" / "capacity.parquet")
        pd.testing.assert_frame_equal(table, record.capacity)
    monkeypatch.setattr(output, "find_spec", lambda _: None)
    with pytest.raises(gi.MissingExtra, match=r"gridimpact\[parquet\]"):
        write_scan(record, tmp_path / "missing", parquet=True)
    assert not (tmp_path / "missing").exists()
