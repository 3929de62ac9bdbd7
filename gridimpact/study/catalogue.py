"""Strategies by the names a study file and the command line use."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from gridimpact.dispatch import FAMILIES, Mix, Receding, Uncontrolled, WithForecastError
from gridimpact.dispatch.strategy import Strategy, check_strategy
from gridimpact.errors import InputError, Problem, raise_problems


def _by_name() -> dict[str, Any]:
    """Return every strategy of the families by ``family.rule``, from the name it has in tables."""
    found: dict[str, Any] = {"uncontrolled": Uncontrolled}
    for family in FAMILIES:
        module = import_module(f"gridimpact.dispatch.{family}")
        for kind in (getattr(module, name) for name in module.__all__):
            rule = getattr(kind, "name", None)
            if isinstance(rule, str) and hasattr(kind, "plan"):
                found[f"{family}.{rule.removeprefix(family + '_')}"] = kind
    return found


STRATEGIES: Mapping[str, Any] = _by_name()

WRAPPERS: Mapping[str, Any] = {"receding": Receding, "with_forecast_error": WithForecastError}
"""What changes the plans of another strategy, named in its setting ``strategy``."""

_KINDS = {**STRATEGIES, **WRAPPERS}


def as_strategy(given: Any) -> Strategy:
    """Return a strategy that is given as one, by its name or with its settings.

    Raises
    ------
    InputError
        If it is none of these, such as a class whose brackets were forgotten.
    """
    if isinstance(given, str | Mapping):
        return make_strategy(given)
    check_strategy(given)
    found: Strategy = given
    return found


def make_strategy(entry: str | Mapping[str, Any], where: str = "strategies") -> Strategy:
    """Return the strategy a study file names.

    Parameters
    ----------
    entry : str or mapping
        ``"g2v.valley_filling"``, ``{"v2g.arbitrage": {"reserve_soc": 0.4}}``,
        ``{"receding": {"strategy": "v2g.peak_shaving", "every": "1h"}}`` or
        ``{"mix": {"shares": {"v2g.peak_shaving": 0.3}, "rest": "uncontrolled"}}``.
    where : str
        Place in the file, for messages.

    Raises
    ------
    InputError
        If name or setting is unknown; the nearest match is named.
    """
    if isinstance(entry, str):
        name, settings = entry, dict[str, Any]()
    elif len(entry) == 1:
        name, settings = next(iter(entry.items()))
        settings = dict(settings or {})
    else:
        message = f"{where}: {dict(entry)!r} must hold one strategy name and its settings"
        raise InputError(message)
    if name == "mix":
        return _make_mix(settings, where)
    if name not in _KINDS:
        near = difflib.get_close_matches(name, [*_KINDS, "mix"], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        message = (
            f"{where}: strategy {name!r} is unknown{hint} Known: {', '.join([*_KINDS, 'mix'])}"
        )
        raise InputError(message)
    known = [field.name for field in dataclasses.fields(_KINDS[name]) if field.init]
    for setting in settings:
        if setting not in known:
            near = difflib.get_close_matches(setting, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known) or 'none'}"
            message = f"{where}, {name}: has no setting {setting!r}; {hint}"
            raise InputError(message)
    _check_kinds(_KINDS[name], settings, f"{where}, {name}")
    for part in ("base", "strategy"):
        if isinstance(settings.get(part), str | Mapping):
            settings[part] = make_strategy(settings[part], f"{where}, {name}, {part}")
    try:
        made: Strategy = _KINDS[name](**settings)
    except TypeError as error:
        message = f"{where}, {name}: {error}"
        raise InputError(message) from error
    return made


def _check_kinds(strategy: Any, settings: Mapping[str, Any], where: str) -> None:
    """Refuse text where a number or a yes or no is asked for; the default tells which."""
    problems = []
    for field in dataclasses.fields(strategy):
        if field.name not in settings:
            continue
        value, default = settings[field.name], field.default
        yes_or_no = isinstance(value, bool)
        if isinstance(default, bool):
            if not yes_or_no:
                what = f"is {value!r}, must be true or false"
                problems.append(Problem(f"{where}, {field.name}", what))
        elif isinstance(default, int | float) and (yes_or_no or not isinstance(value, int | float)):
            what = f"is {value!r}, must be a number such as {default:g}"
            remedy = "without quotes, unit or percent sign"
            if str(field.type).find("str") < 0:
                problems.append(Problem(f"{where}, {field.name}", what, remedy))
    raise_problems(problems, "strategy")


def _make_mix(settings: Mapping[str, Any], where: str) -> Strategy:
    """Return a mix; shares may carry settings: ``{name: share}`` or ``{name: {share: .., ...}}``."""
    unknown = sorted(set(settings) - {"shares", "rest"})
    if unknown or not isinstance(settings.get("shares"), Mapping):
        message = (
            f"{where}, mix: has {', '.join(map(repr, sorted(settings)))}; give 'shares' as "
            "strategy and share, and 'rest' for the other cars"
        )
        raise InputError(message)
    shares = {}
    for name, share in settings["shares"].items():
        options = dict(share) if isinstance(share, Mapping) else {"share": share}
        part = options.pop("share", None)
        if isinstance(part, bool) or not isinstance(part, int | float):
            message = f"{where}, mix, {name}: share is {part!r}, give a number from 0 to 1"
            raise InputError(message)
        shares[make_strategy({name: options}, f"{where}, mix")] = float(part)
    rest = make_strategy(settings.get("rest", "uncontrolled"), f"{where}, mix, rest")
    made: Strategy = Mix(shares, rest=rest)
    return made
