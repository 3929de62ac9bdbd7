"""What the thermal model must know of each transformer of a network, assumptions stated.

The published numbers are in `gridimpact.ageing.presets`; no temperatures are computed here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gridimpact.ageing.insulation import insulation_named
from gridimpact.ageing.presets import ASSUMED_LOSS_RATIO, ENCLOSURE_RISE_K, Preset, preset_named
from gridimpact.errors import Problem, raise_problems
from gridimpact.records import BoolArray, FloatArray, Grid, Note


@dataclass(frozen=True)
class Nameplate:
    """Thermal data of every transformer, arrays over (transformer,).

    Attributes
    ----------
    top_oil_rise_k : numpy.ndarray
        Rated top-oil rise over ambient [K].
    hot_spot_rise_k : numpy.ndarray
        Rated hot-spot rise over ambient [K].
    exponent_n, exponent_m : numpy.ndarray
        Exponents of top-oil rise and hot-spot gradient [1].
    tau_oil_h, tau_winding_h : numpy.ndarray
        Time constants at rated load [h].
    loss_ratio : numpy.ndarray
        Load loss over no-load loss at rating [1].
    rated_ambient_c : numpy.ndarray
        Ambient at which rated load gives normal ageing [degC].
    enclosure_rise_k : numpy.ndarray
        Air around the tank over outdoor air [K].
    insulation : tuple of str
        Leading ageing law, names of `gridimpact.ageing.INSULATIONS`.
    insulation_known : numpy.ndarray
        False where the paper is assumed, so that both laws are to be shown.
    source : tuple of str
        Where the numbers come from.

    Raises
    ------
    InputError
        If arrays differ in length or hold values outside their range; all problems at once.
    """

    top_oil_rise_k: FloatArray
    hot_spot_rise_k: FloatArray
    exponent_n: FloatArray
    exponent_m: FloatArray
    tau_oil_h: FloatArray
    tau_winding_h: FloatArray
    loss_ratio: FloatArray
    rated_ambient_c: FloatArray
    enclosure_rise_k: FloatArray
    insulation: tuple[str, ...]
    insulation_known: BoolArray
    source: tuple[str, ...]

    def __post_init__(self) -> None:
        """Check lengths, ranges and names."""
        count = len(self.insulation)
        problems = [
            Problem(f"nameplate {name}", f"has {len(array)} entries, {count} expected")
            for name, array in self._arrays().items()
            if len(array) != count
        ]
        raise_problems(problems, "nameplate")
        for name, array in self._arrays().items():
            lowest = -50.0 if name == "rated_ambient_c" else 0.0
            bad = ~(array >= lowest) | ~np.isfinite(array)
            if name not in ("rated_ambient_c", "enclosure_rise_k"):
                bad |= array <= 0.0
            problems += [
                Problem(
                    f"nameplate {name}, transformer {k}",
                    f"is {array[k]}, must be finite and positive",
                )
                for k in np.flatnonzero(bad)
            ]
        problems += [
            Problem(
                f"nameplate hot_spot_rise_k, transformer {k}",
                f"is {self.hot_spot_rise_k[k]} K, not above the top-oil rise of {self.top_oil_rise_k[k]} K",
                "give the hot-spot rise over ambient, not over oil",
            )
            for k in np.flatnonzero(self.hot_spot_rise_k <= self.top_oil_rise_k)
        ]
        raise_problems(problems, "nameplate")
        for name in dict.fromkeys(self.insulation):
            insulation_named(name)

    def _arrays(self) -> dict[str, FloatArray]:
        names = (
            "top_oil_rise_k hot_spot_rise_k exponent_n exponent_m tau_oil_h tau_winding_h "
            "loss_ratio rated_ambient_c enclosure_rise_k"
        )
        return {name: getattr(self, name) for name in names.split()}

    @property
    def gradient_k(self) -> FloatArray:
        """Rated hot-spot rise over top oil [K]."""
        return self.hot_spot_rise_k - self.top_oil_rise_k

    @property
    def upgraded(self) -> BoolArray:
        """Whether the leading law is that of thermally upgraded paper."""
        return np.array([name == "upgraded" for name in self.insulation], dtype=np.bool_)

    @cached_property
    def packed(self) -> FloatArray:
        """(transformer, 7) the numbers the recursion needs, in its order."""
        columns = (
            self.top_oil_rise_k,
            self.gradient_k,
            self.exponent_n,
            self.exponent_m,
            self.tau_oil_h,
            self.tau_winding_h,
            self.loss_ratio,
        )
        return np.ascontiguousarray(np.stack(columns, axis=1), dtype=np.float64)

    @classmethod
    def preset(
        cls, name: str, count: int = 1, *, loss_ratio: float = ASSUMED_LOSS_RATIO
    ) -> Nameplate:
        """Return `count` equal transformers of a family, in free air.

        Examples
        --------
        >>> Nameplate.preset("ieee_65c").gradient_k
        array([25.])
        """
        ratio = np.full(count, loss_ratio)
        return _from_presets(preset_named(name), ratio, np.zeros(count), None, True)


def _from_presets(
    preset: Preset,
    loss_ratio: FloatArray,
    enclosure_rise_k: FloatArray,
    insulation: str | None,
    known: bool,
) -> Nameplate:
    """Return the nameplate of transformers of one family."""
    count = len(loss_ratio)

    def column(field: str) -> FloatArray:
        return np.full(count, getattr(preset, field), dtype=np.float64)

    return Nameplate(
        top_oil_rise_k=column("top_oil_rise_k"),
        hot_spot_rise_k=column("hot_spot_rise_k"),
        exponent_n=column("exponent_n"),
        exponent_m=column("exponent_m"),
        tau_oil_h=column("tau_oil_h"),
        tau_winding_h=column("tau_winding_h"),
        loss_ratio=np.asarray(loss_ratio, dtype=np.float64),
        rated_ambient_c=column("rated_ambient_c"),
        enclosure_rise_k=np.asarray(enclosure_rise_k, dtype=np.float64),
        insulation=(insulation or preset.insulation,) * count,
        insulation_known=np.full(count, known),
        source=(preset.source,) * count,
    )


def nameplates_for(
    grid: Grid,
    *,
    insulation: str | None = None,
    enclosure: str | Sequence[str] | None = None,
    preset: str | None = None,
    frequency_hz: float = 50.0,
) -> tuple[Nameplate, tuple[Note, ...]]:
    """Return the thermal nameplate of every transformer of a network.

    Parameters
    ----------
    grid : Grid
        Network; gives the loss ratios.
    insulation : str, optional
        Paper of all transformers; unknown by default: non-upgraded leads at 50 Hz, upgraded at 60 Hz.
    enclosure : str or sequence of str, optional
        One name of `ENCLOSURE_RISE_K`, or one for each transformer; where such a family usually stands by
        default, for the families without a place a compact station.
    preset : str, optional
        Name of `PRESETS`; by default the IEC family at 50 Hz, the IEEE family at 60 Hz.
    frequency_hz : float
        50 or 60, tells which practice holds [Hz].

    Returns
    -------
    tuple
        `Nameplate` and the notes on everything that was assumed.

    Raises
    ------
    InputError
        If a name is unknown or the number of enclosures does not fit.
    """
    count = len(grid.transformer_name)
    known_paper = insulation is not None
    chosen = preset_named(preset or ("ieee_65c" if frequency_hz >= 55.0 else "iec_onan"))
    usual = "upgraded" if frequency_hz >= 55.0 else "non_upgraded"
    lead = insulation or (usual if preset is None else chosen.insulation)
    ratio, notes = _loss_ratios(grid)
    rises = _enclosure_rises(chosen.enclosure if enclosure is None else enclosure, count)
    plate = _from_presets(chosen, ratio, rises, lead, known_paper)
    if not count:
        return plate, ()
    notes.insert(
        0, Note("assumption", "transformers", f"rated rises and time constants: {chosen.source}")
    )
    if chosen.assumed:
        notes.insert(1, Note("assumption", "transformers", f"own choice: {chosen.assumed}"))
    if not known_paper:
        why = f"at {frequency_hz:g} Hz" if preset is None else f"in this family ({chosen.name})"
        text = f"insulation paper is unknown: {lead} leads {why}, both are shown"
        notes.append(Note("assumption", "transformers", text))
    if np.any(rises > 0.0):
        text = f"air around the tank is {rises.max():g} K above outdoor air (enclosure)"
        notes.append(Note("assumption", "transformers", text))
    return plate, tuple(notes)


def _loss_ratios(grid: Grid) -> tuple[FloatArray, list[Note]]:
    """Return usable loss ratios and a note for each that was replaced or looks odd."""
    ratio = np.array(grid.transformer_loss_ratio, dtype=np.float64)
    unusable = ~np.isfinite(ratio) | (ratio <= 0.0)
    notes = []
    if np.any(unusable):
        names = _names(grid, unusable)
        text = f"no usable iron loss in the data: loss ratio {ASSUMED_LOSS_RATIO:g} assumed"
        notes.append(Note("assumption", f"transformer {names}", text))
    ratio[unusable] = ASSUMED_LOSS_RATIO
    odd = (ratio < 1.0) | (ratio > 25.0)
    if np.any(odd):
        values = ", ".join(f"{value:.3g}" for value in ratio[odd][:5])
        text = f"loss ratio {values} lies outside the usual 1 to 25; check vkr_percent and pfe_kw"
        notes.append(Note("warning", f"transformer {_names(grid, odd)}", text))
    return ratio, notes


def _names(grid: Grid, chosen: BoolArray) -> str:
    """Return the names of some transformers, at most five of them."""
    names = [str(grid.transformer_name[k]) for k in np.flatnonzero(chosen)]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _enclosure_rises(enclosure: str | Sequence[str], count: int) -> FloatArray:
    """Return the enclosure's air rise of each transformer [K]."""
    kinds = [enclosure] * count if isinstance(enclosure, str) else list(enclosure)
    known = ", ".join(ENCLOSURE_RISE_K)
    problems = [
        Problem("enclosure", f"{kind!r} is unknown", f"use one of {known}")
        for kind in dict.fromkeys([enclosure] if isinstance(enclosure, str) else kinds)
        if kind not in ENCLOSURE_RISE_K
    ]
    if len(kinds) != count:
        problems.append(Problem("enclosure", f"{len(kinds)} given for {count} transformers"))
    raise_problems(problems, "nameplate")
    return np.array([ENCLOSURE_RISE_K[kind] for kind in kinds], dtype=np.float64)
