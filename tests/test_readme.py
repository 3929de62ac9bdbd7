"""The README's code runs as it stands, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gridimpact as gi
from gridimpact.assess import LIMIT_PROFILES
from gridimpact.cli import app
from gridimpact.conventions import Status
from gridimpact.dispatch import FAMILIES, Foresight, check_contract
from gridimpact.study.catalogue import STRATEGIES
from tests.own_data import write_own_data

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)


@pytest.mark.parametrize(
    "block", BLOCKS, ids=["a first study", "own data", "power flow", "hosting", "meters"]
)
def test_the_code_of_the_readme_runs(block, tmp_path, monkeypatch, capsys):
    write_own_data(tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"gi": gi}
    exec(compile(block, "README.md", "exec"), names)
    if "result" in names:
        assert names["result"].manifest["steps_failed"] == 0
    elif "flow" in names:
        assert (names["flow"].status == Status.OK).all()
    elif "scan" in names:
        capacity = names["scan"].summary()["managed"]
        assert capacity["g2v_valley_filling"] >= capacity["uncontrolled"] > 0
    else:
        assert names["ranked"].index.tolist() == ["A", "B"]


def test_commands_and_limits_the_readme_names_exist():
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    shell = "\n".join(part for part in TEXT.split("```")[1::2] if not part.startswith("python"))
    named = set(re.findall(r"^gridimpact (\w+)", shell, flags=re.MULTILINE))
    assert len(named) == 8
    assert named <= commands
    for name in LIMIT_PROFILES.keys() - {"ansi_c84_1_b"}:
        assert f"`{name}`" in TEXT
    for target in re.findall(r"^make ([\w-]+)", shell, flags=re.MULTILINE):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)


def knows(foresight: Foresight) -> str:
    words = {"announced": "announced", "perfect": "all"}
    told = {name: words.get(getattr(foresight, name)) for name in ("stays", "prices", "base_load")}
    parts = [f"{word} {name.replace('_', ' ')}" for name, word in told.items() if word]
    return ", ".join(parts) or "nothing ahead"


def test_the_tables_hold_every_strategy_and_what_it_knows():
    rows = re.findall(r"^\| `([A-Z\w.]+\(.*?\))` \|.*\| (.+) \|$", TEXT, flags=re.MULTILINE)
    public = {name: getattr(gi, name) for name in ("Uncontrolled", *FAMILIES)}
    made = {code: eval(code, public) for code, _ in rows}
    assert {type(strategy) for strategy in made.values()} == set(STRATEGIES.values())
    assert len(rows) == len(STRATEGIES)
    assert {code: knows(made[code].foresight) for code, _ in rows} == dict(rows)


PAGE = (ROOT / "docs" / "writing_a_strategy.md").read_text(encoding="utf-8")


def test_the_strategy_of_the_manual_is_written_checked_and_planned():
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        exec(compile(block, "writing_a_strategy.md", "exec"), names)
    assert names["broken"] == ()
    assert {one.promise for one in names["found"]} == {"no_look_ahead"}


def test_the_manual_names_every_promise():
    table = PAGE.split("| promise |")[1]
    listed = set(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE))
    stated = set(re.findall(r"^    - ``(\w+)``", check_contract.__doc__, flags=re.MULTILINE))
    assert listed == stated
    assert len(stated) == 14
