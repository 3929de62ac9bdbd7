"""The README's code runs as it stands, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gridimpact as gi
from gridimpact.assess import LIMIT_PROFILES
from gridimpact.cli import app
from gridimpact.conventions import Status
from tests.own_data import write_own_data

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=["a first study", "own data", "power flow", "meters"])
def test_the_code_of_the_readme_runs(block, tmp_path, monkeypatch, capsys):
    write_own_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"gi": gi}
    exec(compile(block, "README.md", "exec"), names)
    if "result" in names:
        assert names["result"].manifest["steps_failed"] == 0
    elif "flow" in names:
        assert (names["flow"].status == Status.OK).all()
    else:
        assert names["ranked"].index.tolist() == ["A", "B"]


def test_commands_and_limits_the_readme_names_exist():
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    shell = "\n".join(part for part in TEXT.split("```")[1::2] if not part.startswith("python"))
    named = set(re.findall(r"^gridimpact (\w+)", shell, flags=re.MULTILINE))
    assert len(named) == 7
    assert named <= commands
    for name in LIMIT_PROFILES.keys() - {"ansi_c84_1_b"}:
        assert f"`{name}`" in TEXT
    for target in re.findall(r"^make ([\w-]+)", shell, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


def test_every_strategy_of_the_table_can_be_made():
    rows = re.findall(r"^\| `([A-Za-z0-9_.]+)\(([\d.]*)\)`", TEXT, flags=re.MULTILINE)
    assert len(rows) == 10
    for path, setting in rows:
        found = gi
        for part in path.split("."):
            found = getattr(found, part)
        assert found(*([float(setting)] if setting else [])).name
