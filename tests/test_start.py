"""The package starts quickly and shows its public names."""

from __future__ import annotations

import subprocess
import sys

import pytest

import gridimpact

HEAVY = ("pandapower", "numba", "scipy", "pandas", "matplotlib", "xarray")


@pytest.mark.parametrize("line", ["import gridimpact", "import gridimpact.cli"])
def test_starting_loads_no_heavy_library(line):
    code = f"import sys; {line}; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_can_be_loaded():
    assert all(getattr(gridimpact, name) is not None for name in gridimpact.__all__)
    assert set(dir(gridimpact)) == set(gridimpact.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'hosts'"):
        gridimpact.hosts  # noqa: B018
